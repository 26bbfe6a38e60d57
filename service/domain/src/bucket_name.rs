use std::net::Ipv4Addr;
use std::str::FromStr;
use std::sync::Arc;

/// A bucket name under S3's rules for general purpose buckets: 3 to 63 bytes of `[a-z0-9.-]`, beginning and ending
/// with a letter or digit, no `..`, not shaped like an IPv4 address, and none of S3's reserved prefixes and suffixes.
///
/// Source: Amazon S3 user guide, "General purpose bucket naming rules".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(Arc<str>);

/// Why a text is not a bucket name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BucketNameError {
    /// Fewer than 3 or more than 63 bytes.
    #[error("a bucket name has 3 to 63 characters, not {0}")]
    Length(usize),
    /// A byte outside `[a-z0-9.-]`, at this offset.
    #[error("a bucket name has lower-case letters, digits, dots and hyphens only: see offset {0}")]
    Character(usize),
    /// The first or last byte is neither a letter nor a digit.
    #[error("a bucket name begins and ends with a letter or a digit")]
    Edge,
    /// Two dots in a row.
    #[error("a bucket name has no two dots in a row")]
    DoubleDot,
    /// It reads as an IPv4 address.
    #[error("a bucket name is not an IP address")]
    IpAddress,
    /// It has a prefix or suffix that S3 keeps for itself.
    #[error("a bucket name does not begin or end with {0}")]
    Reserved(&'static str),
}

const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

impl BucketName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BucketName {
    type Err = BucketNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !(3..=63).contains(&text.len()) {
            return Err(BucketNameError::Length(text.len()));
        }
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.' || byte == b'-'
        };
        if let Some(offset) = text.bytes().position(|byte| !allowed(byte)) {
            return Err(BucketNameError::Character(offset));
        }
        if text.starts_with(['.', '-']) || text.ends_with(['.', '-']) {
            return Err(BucketNameError::Edge);
        }
        if text.contains("..") {
            return Err(BucketNameError::DoubleDot);
        }
        if looks_like_ipv4(text) {
            return Err(BucketNameError::IpAddress);
        }
        if let Some(prefix) = RESERVED_PREFIXES
            .into_iter()
            .find(|prefix| text.starts_with(prefix))
        {
            return Err(BucketNameError::Reserved(prefix));
        }
        if let Some(suffix) = RESERVED_SUFFIXES
            .into_iter()
            .find(|suffix| text.ends_with(suffix))
        {
            return Err(BucketNameError::Reserved(suffix));
        }
        Ok(Self(text.into()))
    }
}

// `Ipv4Addr` refuses leading zeros, but "192.168.010.1" is as confusing in a host name.
fn looks_like_ipv4(text: &str) -> bool {
    let numbers = text
        .split('.')
        .filter(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    text.parse::<Ipv4Addr>().is_ok() || (text.split('.').count() == 4 && numbers.count() == 4)
}

impl AsRef<str> for BucketName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for BucketName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn s3_examples() {
        for good in [
            "docexamplebucket1",
            "log-delivery-march-2020",
            "my.example.bucket",
            "abc",
            "1.2.3",
            "a--b",
        ] {
            assert_eq!(
                good.parse::<BucketName>().map(|name| name.to_string()),
                Ok(good.to_owned())
            );
        }
        let long = "a".repeat(64);
        for (bad, reason) in [
            ("ab", BucketNameError::Length(2)),
            (long.as_str(), BucketNameError::Length(64)),
            ("doc_example", BucketNameError::Character(3)),
            ("DocExample", BucketNameError::Character(0)),
            ("doc-example-", BucketNameError::Edge),
            (".doc", BucketNameError::Edge),
            ("doc..example", BucketNameError::DoubleDot),
            ("192.168.5.4", BucketNameError::IpAddress),
            ("192.168.005.4", BucketNameError::IpAddress),
            ("xn--bucket", BucketNameError::Reserved("xn--")),
            ("bucket-s3alias", BucketNameError::Reserved("-s3alias")),
        ] {
            assert_eq!(bad.parse::<BucketName>(), Err(reason), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_a_host_label_list(text in "\\PC{0,70}|[a-z0-9.-]{0,70}") {
            if let Ok(name) = text.parse::<BucketName>() {
                prop_assert_eq!(name.as_str(), text.as_str());
                prop_assert!(text.split('.').all(|label| !label.is_empty() && label.len() <= 63));
            }
        }
    }
}
