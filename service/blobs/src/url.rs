//! Which store: the value of `--store`.

use std::fmt;
use std::path::{Path as FilePath, PathBuf};
use std::str::FromStr;

use object_store::path::Path;
use percent_encoding::percent_decode_str;

/// The place of a store, as given by a URL.
///
/// `file:///directory`, `memory://`, `s3://bucket/prefix`, `gs://bucket/prefix`,
/// `az://container/prefix`. A prefix may be left out. Credentials are never part of the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// A directory of this host (or mounted on it).
    Local(PathBuf),
    /// The memory of this process; lost when it ends.
    Memory,
    /// Amazon S3 or what speaks its protocol.
    S3(CloudLocation),
    /// Google Cloud Storage.
    Gcs(CloudLocation),
    /// Azure Blob Storage.
    Azure(CloudLocation),
}

/// A bucket (or container) and the prefix in it below which the store lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudLocation {
    bucket: String,
    prefix: Path,
}

impl CloudLocation {
    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(super) fn prefix(&self) -> &Path {
        &self.prefix
    }
}

/// A URL that names no store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreUrlError {
    /// There is no `scheme://`.
    #[error("{given:?} is not a URL")]
    NoScheme {
        /// The given text.
        given: String,
    },
    /// No store is of this kind.
    #[error("{scheme:?} is not one of file, memory, s3, gs, az")]
    UnknownScheme {
        /// The given scheme.
        scheme: String,
    },
    /// A `file://` URL whose path is not absolute or not UTF-8 after percent-decoding.
    #[error("{path:?} is not an absolute path")]
    NotAbsolute {
        /// The given path.
        path: String,
    },
    /// The bucket is missing, or carries a user name, password, port, query or fragment. The
    /// value is not shown: it may be a secret.
    #[error("the bucket is missing or has characters that no bucket has")]
    Bucket,
    /// The prefix has empty, `.` or `..` segments.
    #[error("{prefix:?} is not a prefix")]
    Prefix {
        /// The given prefix.
        prefix: String,
    },
    /// `memory://` takes nothing after it.
    #[error("memory:// takes no path")]
    MemoryPath,
}

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(given: &str) -> Result<Self, StoreUrlError> {
        let (scheme, rest) = given
            .split_once("://")
            .ok_or_else(|| StoreUrlError::NoScheme {
                given: given.to_owned(),
            })?;
        match scheme {
            "file" => parse_file(rest).map(Self::Local),
            "memory" if rest.is_empty() || rest == "/" => Ok(Self::Memory),
            "memory" => Err(StoreUrlError::MemoryPath),
            "s3" => parse_cloud(rest).map(Self::S3),
            "gs" => parse_cloud(rest).map(Self::Gcs),
            "az" => parse_cloud(rest).map(Self::Azure),
            _ => Err(StoreUrlError::UnknownScheme {
                scheme: scheme.to_owned(),
            }),
        }
    }
}

fn parse_file(rest: &str) -> Result<PathBuf, StoreUrlError> {
    let not_absolute = || StoreUrlError::NotAbsolute {
        path: rest.to_owned(),
    };
    let path = percent_decode_str(rest)
        .decode_utf8()
        .map_err(|_| not_absolute())?;
    let path = FilePath::new(path.as_ref());
    if path.is_absolute() {
        Ok(path.to_owned())
    } else {
        Err(not_absolute())
    }
}

fn parse_cloud(rest: &str) -> Result<CloudLocation, StoreUrlError> {
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if bucket.is_empty() || !bucket.bytes().all(legal) {
        return Err(StoreUrlError::Bucket);
    }
    let prefix = Path::parse(prefix).map_err(|_| StoreUrlError::Prefix {
        prefix: prefix.to_owned(),
    })?;
    Ok(CloudLocation {
        bucket: bucket.to_owned(),
        prefix,
    })
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => write!(f, "file://{}", path.display()),
            Self::Memory => f.write_str("memory://"),
            Self::S3(at) => write!(f, "s3://{}/{}", at.bucket, at.prefix),
            Self::Gcs(at) => write!(f, "gs://{}/{}", at.bucket, at.prefix),
            Self::Azure(at) => write!(f, "az://{}/{}", at.bucket, at.prefix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_every_kind() {
        for url in [
            "file:///var/lib/bucketry",
            "memory://",
            "s3://bucket/",
            "s3://bucket/some/prefix",
            "gs://bucket.of.mine/",
            "az://container/p",
        ] {
            assert_eq!(
                url.parse::<StoreUrl>().map(|u| u.to_string()),
                Ok(url.to_owned())
            );
        }
        assert_eq!("s3://b".parse::<StoreUrl>().unwrap().to_string(), "s3://b/");
        assert_eq!(
            "file:///a%20b".parse(),
            Ok(StoreUrl::Local(PathBuf::from("/a b")))
        );
    }

    #[test]
    fn what_names_no_store_is_refused() {
        let error = |url: &str| url.parse::<StoreUrl>().unwrap_err();
        assert!(matches!(error("/var/lib"), StoreUrlError::NoScheme { .. }));
        assert!(matches!(
            error("ftp://x"),
            StoreUrlError::UnknownScheme { .. }
        ));
        assert!(matches!(
            error("file://relative"),
            StoreUrlError::NotAbsolute { .. }
        ));
        assert!(matches!(
            error("file:///a%ff"),
            StoreUrlError::NotAbsolute { .. }
        ));
        assert_eq!(error("memory://x"), StoreUrlError::MemoryPath);
        for url in [
            "s3://",
            "s3:///p",
            "s3://key:secret@b/p",
            "s3://b?x=1",
            "s3://b#x",
            "s3://b:9000/",
        ] {
            assert_eq!(error(url), StoreUrlError::Bucket, "{url}");
        }
        assert!(matches!(
            error("s3://b/a/../c"),
            StoreUrlError::Prefix { .. }
        ));
        assert!(matches!(error("s3://b/a//c"), StoreUrlError::Prefix { .. }));
    }
}
