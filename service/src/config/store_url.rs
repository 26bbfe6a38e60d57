use std::path::PathBuf;
use std::str::FromStr;

use super::NameError;

/// Where the blobs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// `file:///DIRECTORY` (or `file://./DIRECTORY`): a local directory. A URL with a host is refused.
    File(PathBuf),
    /// `s3://BUCKET[/PREFIX]`.
    S3(Bucket),
    /// `gs://BUCKET[/PREFIX]`.
    Gcs(Bucket),
    /// `az://CONTAINER[/PREFIX]`.
    Azure(Bucket),
    /// `memory://`: gone when the process ends; for tests.
    Memory,
}

/// A place in a cloud store. Its credentials come from that cloud's own variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The bucket or container.
    pub name: String,
    /// The prefix within it, without slashes at its ends; may be empty.
    pub prefix: String,
}

impl FromStr for StoreUrl {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || NameError::StoreUrl(text.to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(refused)?;
        let bucket = || {
            let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            let odd = |c: char| c.is_whitespace() || matches!(c, '?' | '#' | '@');
            if name.is_empty() || rest.contains(odd) {
                return Err(refused());
            }
            Ok(Bucket {
                name: name.to_owned(),
                prefix: prefix.trim_matches('/').to_owned(),
            })
        };
        match scheme {
            "file" if rest.starts_with(['/', '.']) => Ok(Self::File(rest.into())),
            "file" => Err(NameError::StoreHost(text.to_owned())),
            "s3" => Ok(Self::S3(bucket()?)),
            "gs" => Ok(Self::Gcs(bucket()?)),
            "az" => Ok(Self::Azure(bucket()?)),
            "memory" if rest.is_empty() => Ok(Self::Memory),
            _ => Err(refused()),
        }
    }
}

impl std::fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (scheme, bucket) = match self {
            Self::File(path) => return write!(f, "file://{}", path.display()),
            Self::Memory => return f.write_str("memory://"),
            Self::S3(bucket) => ("s3", bucket),
            Self::Gcs(bucket) => ("gs", bucket),
            Self::Azure(bucket) => ("az", bucket),
        };
        write!(f, "{scheme}://{}", bucket.name)?;
        if bucket.prefix.is_empty() {
            Ok(())
        } else {
            write!(f, "/{}", bucket.prefix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_as_written() {
        for text in [
            "file:///var/lib/x",
            "file://./x",
            "s3://bucket",
            "s3://bucket/a/b",
            "gs://bucket/p",
            "az://container",
            "memory://",
        ] {
            let url: StoreUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), text);
        }
        let url: StoreUrl = "s3://bucket/a/".parse().unwrap();
        assert_eq!(url.to_string(), "s3://bucket/a");
    }

    #[test]
    fn refusals() {
        for text in [
            "",
            "/var",
            "s3://",
            "s3:///p",
            "ftp://h",
            "memory://x",
            "s3://user@b",
            "s3://b?x=1",
        ] {
            assert_eq!(
                text.parse::<StoreUrl>(),
                Err(NameError::StoreUrl(text.into())),
                "{text}"
            );
        }
        for text in [
            "file://host/path",
            "file://localhost/var/lib/x",
            "file://x",
            "file://C:/x",
        ] {
            let refused = text.parse::<StoreUrl>().unwrap_err();
            assert_eq!(refused, NameError::StoreHost(text.into()));
            assert!(
                refused.to_string().contains("file:///DIRECTORY"),
                "{refused}"
            );
        }
    }
}
