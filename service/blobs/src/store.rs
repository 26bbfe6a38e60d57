//! The store itself: opened once, cloned freely.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::memory::InMemory;
use object_store::path::Path;
use tokio::sync::Semaphore;

use super::active::{ActiveRead, ActiveReads};
use super::buffers::Buffers;
use super::cloud::{FullAware, client_options, retries};
use super::error::StoreError;
use super::layout::StoreLayout;
use super::local::{LocalDisk, LocalFiles};
use super::url::{CloudLocation, StoreUrl};
use super::writer::MAX_CLOUD_PART_LENGTH;

/// What all writers of a local store together may hold, unless configured.
const LOCAL_WRITE_MEMORY: usize = 192 * 1024 * 1024;

/// The same for a cloud, where each upload under way holds a part of 8 MiB or more.
const CLOUD_WRITE_MEMORY: usize = 512 * 1024 * 1024;

/// What stays free on a local disk, unless configured: more than the catalog's log grows to before it is used again.
const RESERVE: u64 = 64 * 1024 * 1024;

/// The default of how long a store may take to answer.
pub const DEFAULT_STORE_TIMEOUT: Duration = Duration::from_millis(1500);

/// How a store is opened.
#[derive(Clone, Default)]
pub struct BlobStoreOptions {
    /// Bytes that all writers together may hold before they wait for the store; by default 192
    /// MiB for a local store and 512 MiB for a cloud, at least 64 MiB (the largest part of a
    /// cloud upload).
    pub write_memory: Option<usize>,
    /// Bytes that stay free on the disk of a local store; by default 64 MiB.
    pub reserve: Option<u64>,
    /// The settings and credentials of a cloud store, as environment variables: `AWS_*` for S3,
    /// `GOOGLE_*` for Google, `AZURE_*` for Azure. Others are not looked at, so that the whole
    /// environment can be given.
    pub environment: Vec<(String, String)>,
    /// How long the store may take to answer before a request fails; by default 1.5 s. Transfers of many bytes get
    /// additional time in proportion.
    pub timeout: Option<Duration>,
}

impl std::fmt::Debug for BlobStoreOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The environment holds secrets.
        f.debug_struct("BlobStoreOptions")
            .field("write_memory", &self.write_memory)
            .field("reserve", &self.reserve)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A store of blobs. Clones share one store.
#[derive(Clone, Debug)]
pub struct BlobStore {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) backend: Backend,
    pub(super) layout: StoreLayout,
    pub(super) write_memory: Arc<Semaphore>,
    pub(super) write_memory_total: usize,
    /// Bytes that stay free on the disk.
    pub(super) reserve: u64,
    pub(super) buffers: Buffers,
    /// How long the store may take to answer.
    pub(super) timeout: Duration,
    active: ActiveReads,
}

/// What a store is made of, where that makes a difference.
#[derive(Clone, Debug)]
pub(super) enum Backend {
    /// Files below a directory.
    Local(Arc<LocalDisk>),
    /// Requests to memory or to a cloud.
    Remote(Remote),
}

/// What differs among remote stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remote {
    Memory,
    Cloud,
}

impl BlobStore {
    /// Opens the store at `url`. A local directory is created (for its owner alone) where it is
    /// missing; nothing else is read or written before [`claim`](Self::claim) or
    /// [`verify`](Self::verify), one of which must succeed before blobs are written.
    ///
    /// # Errors
    ///
    /// [`StoreError::Directory`] where the directory cannot be made, [`StoreError::Store`] where
    /// the settings of a cloud are incomplete.
    pub fn open(url: &StoreUrl, options: &BlobStoreOptions) -> Result<Self, StoreError> {
        match url {
            StoreUrl::Local(directory) => {
                let root = make_directory(directory).map_err(StoreError::Directory)?;
                let timeout = options.timeout.unwrap_or(DEFAULT_STORE_TIMEOUT);
                let disk = Arc::new(LocalDisk::new(root, timeout));
                let store = Arc::new(LocalFiles(Arc::clone(&disk)));
                let backend = Backend::Local(disk);
                Ok(Self::over(store, backend, Path::default(), options))
            }
            StoreUrl::Memory => {
                let backend = Backend::Remote(Remote::Memory);
                let store = Arc::new(InMemory::new());
                Ok(Self::over(store, backend, Path::default(), options))
            }
            StoreUrl::S3(at) => Self::cloud(open_s3(at, options), at, options),
            StoreUrl::Gcs(at) => Self::cloud(open_gcs(at, options), at, options),
            StoreUrl::Azure(at) => Self::cloud(open_azure(at, options), at, options),
        }
    }

    fn cloud(
        opened: Result<Arc<dyn ObjectStore>, object_store::Error>,
        at: &CloudLocation,
        options: &BlobStoreOptions,
    ) -> Result<Self, StoreError> {
        let store = opened.map_err(StoreError::Store)?;
        let backend = Backend::Remote(Remote::Cloud);
        Ok(Self::over(store, backend, at.prefix().clone(), options))
    }

    pub(super) fn over(
        store: Arc<dyn ObjectStore>,
        backend: Backend,
        root: Path,
        options: &BlobStoreOptions,
    ) -> Self {
        let default = match backend {
            Backend::Local(_) => LOCAL_WRITE_MEMORY,
            Backend::Remote(_) => CLOUD_WRITE_MEMORY,
        };
        let write_memory_total = options
            .write_memory
            .unwrap_or(default)
            .clamp(MAX_CLOUD_PART_LENGTH, Semaphore::MAX_PERMITS);
        Self {
            store,
            backend,
            layout: StoreLayout::new(root),
            write_memory: Arc::new(Semaphore::new(write_memory_total)),
            write_memory_total,
            reserve: options.reserve.unwrap_or(RESERVE),
            buffers: Buffers::default(),
            timeout: options.timeout.unwrap_or(DEFAULT_STORE_TIMEOUT),
            active: ActiveReads::default(),
        }
    }

    /// Notes that a read begins at `at`. To be called before the catalog is asked where the data
    /// lies, and the result held until the last byte was read: the collector then spares what the
    /// catalog named.
    pub fn begin_read(&self, at: Instant) -> ActiveRead {
        self.active.begin(at)
    }

    /// When the oldest read under way began, if there is one. A node publishes it, or the present
    /// time, with its heartbeat; the collector deletes only blobs that lost their last reference
    /// before every live node's published time.
    #[must_use]
    pub fn oldest_read_at(&self) -> Option<Instant> {
        self.active.oldest()
    }
}

fn make_directory(directory: &FilePath) -> std::io::Result<PathBuf> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    std::fs::canonicalize(directory)
}

/// The settings of `environment` that begin with `prefix`, in the spelling that object_store's
/// keys parse from.
fn settings<'a, K: std::str::FromStr>(
    environment: &'a [(String, String)],
    prefix: &'static str,
) -> impl Iterator<Item = (K, &'a str)> {
    environment
        .iter()
        .filter(move |(name, _)| name.starts_with(prefix))
        .filter_map(|(name, value)| {
            let key = name.to_ascii_lowercase().parse().ok()?;
            Some((key, value.as_str()))
        })
}

fn open_s3(
    at: &CloudLocation,
    options: &BlobStoreOptions,
) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    let timeout = options.timeout.unwrap_or(DEFAULT_STORE_TIMEOUT);
    let builder = AmazonS3Builder::new()
        .with_http_connector(FullAware)
        .with_client_options(client_options(timeout))
        .with_retry(retries(timeout));
    let store = settings(&options.environment, "AWS_")
        .fold(builder, |builder, (key, value)| {
            builder.with_config(key, value)
        })
        .with_bucket_name(at.bucket())
        .build()?;
    Ok(Arc::new(store))
}

fn open_gcs(
    at: &CloudLocation,
    options: &BlobStoreOptions,
) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    let timeout = options.timeout.unwrap_or(DEFAULT_STORE_TIMEOUT);
    let builder = GoogleCloudStorageBuilder::new()
        .with_http_connector(FullAware)
        .with_client_options(client_options(timeout))
        .with_retry(retries(timeout));
    let store = settings(&options.environment, "GOOGLE_")
        .fold(builder, |builder, (key, value)| {
            builder.with_config(key, value)
        })
        .with_bucket_name(at.bucket())
        .build()?;
    Ok(Arc::new(store))
}

fn open_azure(
    at: &CloudLocation,
    options: &BlobStoreOptions,
) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    let timeout = options.timeout.unwrap_or(DEFAULT_STORE_TIMEOUT);
    let builder = MicrosoftAzureBuilder::new()
        .with_http_connector(FullAware)
        .with_client_options(client_options(timeout))
        .with_retry(retries(timeout));
    let store = settings(&options.environment, "AZURE_")
        .fold(builder, |builder, (key, value)| {
            builder.with_config(key, value)
        })
        .with_container_name(at.bucket())
        .build()?;
    Ok(Arc::new(store))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Vec<(String, String)> {
        [
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret-value"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_BUCKET", "another"),
            ("ENDPOINT", "http://192.0.2.1"),
            ("AZURE_STORAGE_ACCOUNT_NAME", "account"),
            ("AZURE_STORAGE_ACCOUNT_KEY", "a2V5"),
            ("GOOGLE_SKIP_SIGNATURE", "true"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    #[test]
    fn clouds_open_with_the_environment() {
        let options = BlobStoreOptions {
            environment: environment(),
            ..BlobStoreOptions::default()
        };
        for url in ["s3://bucket/prefix", "gs://bucket", "az://bucket/prefix"] {
            let store = BlobStore::open(&url.parse().unwrap(), &options).unwrap();
            assert!(
                store.store.to_string().contains("bucket"),
                "{}",
                store.store
            );
        }
        assert!(!format!("{options:?}").contains("secret-value"));
    }

    #[test]
    fn only_the_settings_of_the_store_are_taken() {
        use object_store::aws::AmazonS3ConfigKey;
        let environment = environment();
        let taken: Vec<(AmazonS3ConfigKey, &str)> = settings(&environment, "AWS_").collect();
        assert_eq!(taken.len(), 4);
        assert!(taken.iter().all(|(_, value)| !value.contains("192.0.2.1")));
    }

    #[test]
    fn a_local_directory_is_made_for_its_owner() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("a/b");
        let url = StoreUrl::Local(directory.clone());
        BlobStore::open(&url, &BlobStoreOptions::default()).unwrap();
        let mode = std::fs::metadata(directory).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
