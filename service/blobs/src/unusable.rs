//! The operator's message about a store that cannot be used: which store, the cause and the remedy.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use super::error::{StoreError, causes, is_overdue};
use super::url::StoreUrl;

/// A store that cannot be used, with its URL.
#[derive(Debug)]
pub struct UnusableStore {
    url: StoreUrl,
    error: Box<StoreError>,
}

impl UnusableStore {
    /// Names the store that `error` is about.
    #[must_use]
    pub fn new(url: &StoreUrl, error: StoreError) -> Self {
        Self {
            url: url.clone(),
            error: Box::new(error),
        }
    }

    /// The cause.
    #[must_use]
    pub fn error(&self) -> &StoreError {
        &self.error
    }

    fn remedy(&self) -> Option<String> {
        let variables = match &self.url {
            StoreUrl::Local(_) => return self.local_remedy(),
            StoreUrl::Memory => return None,
            StoreUrl::S3(_) => "AWS_",
            StoreUrl::Gcs(_) => "GOOGLE_",
            StoreUrl::Azure(_) => "AZURE_",
        };
        let StoreError::Store(error) = &*self.error else {
            return None;
        };
        let texts = || causes(error).map(ToString::to_string);
        let says = |word: &str| texts().any(|text| text.contains(word));
        if says("URL scheme is not allowed") {
            return Some(format!(
                "for an endpoint without TLS set {variables}ALLOW_HTTP=true"
            ));
        }
        match error {
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => Some(format!(
                "check the credentials in the {variables}* variables and their permissions for this bucket"
            )),
            object_store::Error::NotFound { .. } => {
                Some("create the bucket, or correct its name".to_owned())
            }
            error if is_overdue(error) || is_unreachable(error) => {
                Some(format!("check {variables}ENDPOINT and the network"))
            }
            _ => Some(format!(
                "check the {variables}* variables, which configure this store"
            )),
        }
    }

    fn local_remedy(&self) -> Option<String> {
        match &*self.error {
            StoreError::Foreign { .. } => {
                Some("replace it with a directory, or mount a disk there".to_owned())
            }
            StoreError::Directory(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Some("give the directory to the user that runs the server".to_owned())
            }
            _ => None,
        }
    }
}

/// Whether no connection could be made.
fn is_unreachable(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| {
        cause.downcast_ref::<io::Error>().is_some() || cause.to_string().contains("connect")
    })
}

impl fmt::Display for UnusableStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the blob store {}: {}", self.url, self.error)?;
        // Some libraries include the cause in their own text, others do not.
        let mut said = self.error.to_string();
        for cause in causes(&*self.error).skip(1).map(|cause| cause.to_string()) {
            if !said.contains(&cause) {
                write!(f, ": {cause}")?;
                said.push_str(&cause);
            }
        }
        match self.remedy() {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

// No `source`: the text includes the causes, which would be shown twice.
impl StdError for UnusableStore {}

#[cfg(test)]
mod tests {
    use super::super::{BlobStore, BlobStoreOptions};
    use super::*;
    use uuid::Uuid;

    async fn refusal(url: &str, environment: &[(&str, &str)]) -> String {
        let url: StoreUrl = url.parse().unwrap();
        let options = BlobStoreOptions {
            environment: (environment.iter())
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..BlobStoreOptions::default()
        };
        let used = match BlobStore::open(&url, &options) {
            Ok(store) => store.verify(Uuid::nil()).await,
            Err(error) => Err(error),
        };
        UnusableStore::new(&url, used.unwrap_err()).to_string()
    }

    #[tokio::test]
    async fn cause_url_and_remedy_are_told() {
        let closed = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            format!("http://{}", listener.local_addr().unwrap())
        };
        let keys = [
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ];
        let endpoint = ("AWS_ENDPOINT", closed.as_str());
        let plain = refusal("s3://bucket", &[keys[0], keys[1], endpoint]).await;
        assert!(plain.contains("the blob store s3://bucket/"), "{plain}");
        assert!(plain.contains("AWS_ALLOW_HTTP=true"), "{plain}");
        let allowed = ("AWS_ALLOW_HTTP", "true");
        let refused = refusal("s3://bucket", &[keys[0], keys[1], endpoint, allowed]).await;
        assert!(refused.contains("refused"), "{refused}");
        assert!(refused.contains("check AWS_ENDPOINT"), "{refused}");
        assert!(!format!("{plain}{refused}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_linked_directory_is_named() {
        let outside = tempfile::tempdir().unwrap();
        let root = tempfile::tempdir().unwrap();
        let url = StoreUrl::Local(root.path().to_owned());
        let store = BlobStore::open(&url, &BlobStoreOptions::default()).unwrap();
        store.claim(Uuid::nil()).await.unwrap();
        let fan = root.path().join("blobs/34");
        std::fs::remove_dir(&fan).unwrap();
        std::os::unix::fs::symlink(outside.path(), &fan).unwrap();
        let refused = store.verify(Uuid::nil()).await.unwrap_err();
        assert!(matches!(refused, StoreError::Foreign { .. }), "{refused:?}");
        let text = UnusableStore::new(&url, refused).to_string();
        assert!(
            text.contains("blobs/34 is a link or a file where the store needs a directory"),
            "{text}"
        );
        assert!(text.contains("mount a disk there"), "{text}");
    }
}
