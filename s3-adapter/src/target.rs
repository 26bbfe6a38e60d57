//! Which bucket and key a request names.

use std::net::Ipv6Addr;

use percent_encoding::percent_decode_str;

use crate::query::has_valid_percents;

/// S3's limit, in bytes of UTF-8.
pub const MAX_KEY_BYTES: usize = 1024;

/// What a request is about. Keys are the bytes between the slash after the bucket and the `?`,
/// decoded exactly once and never normalised: `//`, `..`, `+` and control characters (NUL
/// included) are all part of the key, as in S3. The bucket's name is judged by the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// No bucket: the list of buckets.
    Service,
    /// A bucket.
    Bucket {
        /// Its name as the client gave it, decoded.
        bucket: String,
    },
    /// A key in a bucket.
    Object {
        /// The bucket's name as the client gave it, decoded.
        bucket: String,
        /// 1 to 1,024 bytes.
        key: String,
    },
}

impl Target {
    /// A key in a bucket, both as they are.
    ///
    /// # Errors
    /// [`TargetError::KeyTooLong`].
    pub fn object(bucket: &str, key: String) -> Result<Self, TargetError> {
        if key.len() > MAX_KEY_BYTES {
            return Err(TargetError::KeyTooLong { bytes: key.len() });
        }
        let bucket = bucket.to_owned();
        Ok(Self::Object { bucket, key })
    }

    /// The bucket, unless the target is the service.
    #[must_use]
    pub fn bucket(&self) -> Option<&str> {
        match self {
            Self::Service => None,
            Self::Bucket { bucket } | Self::Object { bucket, .. } => Some(bucket),
        }
    }

    /// The key, if the target is an object.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Service | Self::Bucket { .. } => None,
            Self::Object { key, .. } => Some(key),
        }
    }

    /// The kind of resource, as S3 shows it in the `ResourceType` of an error.
    #[must_use]
    pub fn resource_type(&self) -> &'static str {
        match self {
            Self::Service => "SERVICE",
            Self::Bucket { .. } => "BUCKET",
            Self::Object { .. } => "OBJECT",
        }
    }

    /// The decoded path, as S3 shows it in the `Resource` of an error.
    #[must_use]
    pub fn resource(&self) -> String {
        match self {
            Self::Service => "/".to_owned(),
            Self::Bucket { bucket } => format!("/{bucket}"),
            Self::Object { bucket, key } => format!("/{bucket}/{key}"),
        }
    }
}

/// Where the bucket's name was found. SigV2 signs the bucket in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressStyle {
    /// `host/bucket/key`.
    Path,
    /// `bucket.host/key`.
    VirtualHost,
}

/// A target with the way it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    /// What the request is about.
    pub target: Target,
    /// Where the bucket's name was found.
    pub style: AddressStyle,
}

/// Why a request target was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The path does not start with a slash.
    #[error("the path does not start with a slash")]
    NotAbsolute,
    /// A `%` that two hex digits do not follow.
    #[error("malformed percent-encoding in the path")]
    MalformedPercent,
    /// The bucket or key is not UTF-8 after decoding.
    #[error("the path is not UTF-8")]
    NotUtf8,
    /// A key follows an empty bucket name.
    #[error("empty bucket name")]
    EmptyBucket,
    /// The key is longer than 1,024 bytes.
    #[error("key of {bytes} bytes")]
    KeyTooLong {
        /// Its length after decoding.
        bytes: usize,
    },
}

/// The base domains under which a host name carries a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BaseDomains {
    /// Lower case, longest first, so that `s3.example.com` wins over `example.com`.
    domains: Vec<String>,
}

impl BaseDomains {
    /// Takes names such as `localhost` or `s3.example.com`; case and dots at the ends do not
    /// matter, empty names are left out.
    pub fn new<I>(names: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut domains: Vec<String> = names
            .into_iter()
            .map(|name| name.as_ref().trim_matches('.').to_ascii_lowercase())
            .filter(|name| !name.is_empty())
            .collect();
        domains.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        domains.dedup();
        Self { domains }
    }

    /// The bucket that a host name carries, in lower case. Port and one dot at the end are ignored;
    /// addresses and the bases themselves carry none.
    #[must_use]
    pub fn bucket_of(&self, host: &str) -> Option<String> {
        let name = host_name(host)?;
        for domain in &self.domains {
            let Some(rest) = strip_suffix_ignoring_case(name, domain) else {
                continue;
            };
            if rest.is_empty() {
                return None;
            }
            if let Some(bucket) = rest.strip_suffix('.') {
                return (!bucket.is_empty()).then(|| bucket.to_ascii_lowercase());
            }
        }
        None
    }
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let (rest, end) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(rest)
}

/// The host's name without port and final dot; nothing for an IPv6 literal.
fn host_name(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_ipv6 = || name.contains(':') && host.parse::<Ipv6Addr>().is_ok();
    if host.starts_with('[') || is_ipv6() {
        return None;
    }
    Some(name.strip_suffix('.').unwrap_or(name))
}

/// Finds bucket and key. `host` is the authority that the client named (`Host` or `:authority`),
/// `path` the raw path as received, before the `?`.
///
/// # Errors
/// Any [`TargetError`].
pub fn parse_target(
    host: &str,
    path: &str,
    domains: &BaseDomains,
) -> Result<Addressed, TargetError> {
    let rest = path.strip_prefix('/').ok_or(TargetError::NotAbsolute)?;
    if let Some(bucket) = domains.bucket_of(host) {
        let target = bucket_or_object(bucket, rest)?;
        return Ok(Addressed {
            target,
            style: AddressStyle::VirtualHost,
        });
    }
    let target = path_style(rest)?;
    Ok(Addressed {
        target,
        style: AddressStyle::Path,
    })
}

fn path_style(rest: &str) -> Result<Target, TargetError> {
    if rest.is_empty() {
        return Ok(Target::Service);
    }
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(TargetError::EmptyBucket);
    }
    bucket_or_object(decode(bucket)?, key)
}

fn bucket_or_object(bucket: String, raw_key: &str) -> Result<Target, TargetError> {
    let key = decode(raw_key)?;
    if key.is_empty() {
        return Ok(Target::Bucket { bucket });
    }
    Target::object(&bucket, key)
}

fn decode(text: &str) -> Result<String, TargetError> {
    if !has_valid_percents(text) {
        return Err(TargetError::MalformedPercent);
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(|text| text.into_owned())
        .map_err(|_| TargetError::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_http::label::{EncodingStrategy, fmt_string};
    use proptest::prelude::*;

    fn domains() -> BaseDomains {
        BaseDomains::new(["localhost", "Example.com.", "s3.example.com", ""])
    }

    fn target(host: &str, path: &str) -> Result<Target, TargetError> {
        parse_target(host, path, &domains()).map(|addressed| addressed.target)
    }

    fn object(bucket: &str, key: &str) -> Result<Target, TargetError> {
        Ok(Target::Object {
            bucket: bucket.into(),
            key: key.into(),
        })
    }

    fn bucket(bucket: &str) -> Result<Target, TargetError> {
        Ok(Target::Bucket {
            bucket: bucket.into(),
        })
    }

    #[test]
    fn path_style_targets() {
        assert_eq!(target("127.0.0.1:9000", "/"), Ok(Target::Service));
        assert_eq!(target("127.0.0.1:9000", "/b"), bucket("b"));
        assert_eq!(target("127.0.0.1:9000", "/b/"), bucket("b"));
        assert_eq!(target("localhost:9000", "/b/k"), object("b", "k"));
        assert_eq!(target("localhost", "//k"), Err(TargetError::EmptyBucket));
        assert_eq!(target("localhost", "*"), Err(TargetError::NotAbsolute));
    }

    #[test]
    fn keys_are_decoded_once_and_never_normalised() {
        for (raw, key) in [
            ("/b//", "/"),
            ("/b//a//", "/a//"),
            ("/b/a/../c", "a/../c"),
            ("/b/./x", "./x"),
            ("/b/%2e%2e", ".."),
            ("/b/a%2Fb", "a/b"),
            ("/b/a%252Fb", "a%2Fb"),
            ("/b/a+b%20c", "a+b c"),
            ("/b/%00", "\0"),
            ("/b/~*'(", "~*'("),
            ("/b/%F0%9F%98%80", "😀"),
            ("/b/\u{e9}", "\u{e9}"),
            ("/b/e%CC%81", "e\u{301}"),
        ] {
            assert_eq!(target("h", raw), object("b", key), "{raw}");
        }
    }

    #[test]
    fn refuses_malformed_percent_and_bytes() {
        for raw in ["/b/%", "/b/%zz", "/b/a%4", "/%/k"] {
            assert_eq!(
                target("h", raw),
                Err(TargetError::MalformedPercent),
                "{raw}"
            );
        }
        assert_eq!(target("h", "/b/%ff"), Err(TargetError::NotUtf8));
    }

    #[test]
    fn key_length_is_counted_in_decoded_bytes() {
        let longest = "é".repeat(512);
        assert_eq!(target("h", &format!("/b/{longest}")), object("b", &longest));
        let refused = target("h", &format!("/b/{longest}a"));
        assert_eq!(refused, Err(TargetError::KeyTooLong { bytes: 1025 }));
    }

    #[test]
    fn virtual_hosts_match_at_label_boundaries() {
        assert_eq!(
            target("my.bucket.localhost:9000", "/a/b"),
            object("my.bucket", "a/b")
        );
        assert_eq!(target("B.LocalHost.", "/"), bucket("b"));
        assert_eq!(target("b.s3.example.com:443", "//"), object("b", "/"));
        assert_eq!(target("s3.example.com", "/b"), bucket("b"));
        assert_eq!(target("notlocalhost", "/b/k"), object("b", "k"));
        assert_eq!(target(".localhost", "/b/k"), object("b", "k"));
        assert_eq!(target("[::1]:9000", "/b/k"), object("b", "k"));
        assert_eq!(target("::1", "/b/k"), object("b", "k"));
        let style = parse_target("b.localhost", "/", &domains()).map(|found| found.style);
        assert_eq!(style, Ok(AddressStyle::VirtualHost));
    }

    proptest! {
        #[test]
        fn any_key_round_trips(key in "\\PC{1,200}") {
            let path = format!("/b/{}", fmt_string(&key, EncodingStrategy::Greedy));
            prop_assert_eq!(target("h", &path), object("b", &key));
        }

        #[test]
        fn never_panics(host in "\\PC*", path in "\\PC*") {
            let _ = parse_target(&host, &path, &domains());
        }
    }
}
