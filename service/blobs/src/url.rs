use std::fmt;
use std::path::{Path as FilePath, PathBuf, absolute};
use std::str::FromStr;

use object_store::path::Path;

/// The location of a store: the value of `--store`.
///
/// `file:///DIRECTORY`, `file://./DIRECTORY`, `s3://BUCKET`, `gs://BUCKET`, `az://CONTAINER` (the last three with an
/// optional `/PREFIX`) or `memory://`. Credentials are never part of the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// A directory of this host, or mounted on it; [`StoreUrl::local`] makes its path absolute.
    Local(PathBuf),
    /// The memory of this process; lost when it ends. For tests.
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

/// A text that is not the URL of a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreUrlError {
    /// No scheme, an unknown one, no bucket, or text after `memory://`.
    #[error(
        "`{given}` is not a store URL: file:///DIRECTORY, s3://BUCKET, gs://BUCKET, az://CONTAINER or memory://"
    )]
    Form {
        /// The text, which holds no character that precedes or follows a secret in a URL.
        given: String,
    },
    /// A `file://` URL with a host. Usually the third slash is missing.
    #[error(
        "`{given}` names a host, which a file:// URL must not: use file:///DIRECTORY, or file://./DIRECTORY relative to \
         the working directory"
    )]
    Host {
        /// The text.
        given: String,
    },
    /// A user name, password, query or fragment, or white space. The text is not kept: it may hold a secret.
    #[error(
        "a store URL must not have a user name, password, query, fragment or white space: file:///DIRECTORY, \
         s3://BUCKET, gs://BUCKET, az://CONTAINER or memory://; credentials are given by the variables of the cloud"
    )]
    Credentials,
    /// The bucket has characters that no bucket has, such as those of a port.
    #[error("the bucket has characters that no bucket has")]
    Bucket,
    /// The prefix has empty, `.` or `..` segments.
    #[error("{prefix:?} is not a prefix")]
    Prefix {
        /// The given prefix.
        prefix: String,
    },
    /// A relative path without a working directory.
    #[error("the directory {}: {reason}", path.display())]
    Directory {
        /// The path.
        path: PathBuf,
        /// The operating system's error.
        reason: String,
    },
}

impl StoreUrl {
    /// A directory; a relative path starts at the working directory.
    ///
    /// # Errors
    /// [`StoreUrlError::Directory`] if the path is relative and the working directory is unknown.
    pub fn local(path: impl AsRef<FilePath>) -> Result<Self, StoreUrlError> {
        let path = path.as_ref();
        match absolute(path) {
            Ok(path) => Ok(Self::Local(path)),
            Err(error) => Err(StoreUrlError::Directory {
                path: path.to_owned(),
                reason: error.to_string(),
            }),
        }
    }
}

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(text: &str) -> Result<Self, StoreUrlError> {
        // The path of a directory may have any character, and is taken as it is written.
        if let Some(path) = text.strip_prefix("file://")
            && path.starts_with(['/', '.'])
        {
            return Self::local(path);
        }
        let odd = |c: char| c.is_whitespace() || matches!(c, '?' | '#' | '@');
        if text.contains(odd) {
            return Err(StoreUrlError::Credentials);
        }
        let given = || text.to_owned();
        match text.split_once("://") {
            Some(("file", _)) => Err(StoreUrlError::Host { given: given() }),
            Some(("s3", at)) if names_bucket(at) => parse_cloud(at).map(Self::S3),
            Some(("gs", at)) if names_bucket(at) => parse_cloud(at).map(Self::Gcs),
            Some(("az", at)) if names_bucket(at) => parse_cloud(at).map(Self::Azure),
            Some(("memory", "")) => Ok(Self::Memory),
            _ => Err(StoreUrlError::Form { given: given() }),
        }
    }
}

fn names_bucket(at: &str) -> bool {
    !at.is_empty() && !at.starts_with('/')
}

fn parse_cloud(at: &str) -> Result<CloudLocation, StoreUrlError> {
    let (bucket, prefix) = at.split_once('/').unwrap_or((at, ""));
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if !bucket.bytes().all(legal) {
        return Err(StoreUrlError::Bucket);
    }
    let prefix = Path::parse(prefix.trim_matches('/')).map_err(|_| StoreUrlError::Prefix {
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

    fn error(url: &str) -> StoreUrlError {
        url.parse::<StoreUrl>().unwrap_err()
    }

    #[test]
    fn every_kind_is_displayed_as_written() {
        for url in [
            "file:///var/lib/bucketry",
            "file:///var/lib/a b@c?",
            "file:///a%20b",
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
        for (url, shown) in [
            ("s3://b", "s3://b/"),
            ("s3://b/a/", "s3://b/a"),
            ("az://b//a//", "az://b/a"),
        ] {
            assert_eq!(url.parse::<StoreUrl>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn a_relative_path_starts_at_the_working_directory() {
        let working = std::env::current_dir().unwrap();
        for (url, path) in [("file://./x", "x"), ("file://../x", "../x")] {
            assert_eq!(url.parse(), Ok(StoreUrl::Local(working.join(path))));
        }
        assert_eq!(
            StoreUrl::local("./data/blobs"),
            Ok(StoreUrl::Local(working.join("data/blobs")))
        );
    }

    #[test]
    fn other_forms_are_refused() {
        for url in [
            "",
            "/var",
            "/var/lib",
            "s3://",
            "s3:///p",
            "ftp://h",
            "memory://x",
        ] {
            assert_eq!(error(url), StoreUrlError::Form { given: url.into() });
        }
        assert_eq!(error("s3://b:9000/"), StoreUrlError::Bucket);
        for url in ["s3://b/a/../c", "s3://b/a//c"] {
            assert!(matches!(error(url), StoreUrlError::Prefix { .. }), "{url}");
        }
    }

    #[test]
    fn a_host_in_a_file_url_is_refused_with_the_remedy() {
        for url in [
            "file://host/path",
            "file://localhost/var/lib/x",
            "file://x",
            "file://relative",
            "file://C:/x",
        ] {
            let refused = error(url);
            assert_eq!(refused, StoreUrlError::Host { given: url.into() });
            assert!(
                refused.to_string().contains("file:///DIRECTORY"),
                "{refused}"
            );
        }
    }

    #[test]
    fn secrets_are_refused_and_not_repeated() {
        for url in [
            "s3://user@b",
            "s3://key:hunter2@b/p",
            "s3://b?x=hunter2",
            "s3://b/p?x=hunter2",
            "s3://b#hunter2",
            "ftp://key:hunter2@h",
            "file://key:hunter2@h/x",
            "s3://b c",
        ] {
            let refused = error(url);
            assert_eq!(refused, StoreUrlError::Credentials, "{url}");
            assert!(!format!("{refused} {refused:?}").contains("hunter2"));
        }
    }
}
