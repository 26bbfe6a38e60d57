//! The host that a request names.

use bucketry_contract::v1::ErrorReason;
use http::request::Parts;
use http::{HeaderValue, Version, header};

use crate::error::S3Error;
use crate::fault::of_reason;

/// The authority that the client named and signed: `:authority` in HTTP/2, `Host` in HTTP/1. A request must name exactly
/// one (RFC 9110, 7.2; RFC 9113, 8.3.1): whoever stands in between may have gone by the other.
///
/// # Errors
/// `InvalidRequest`: no host in HTTP/1.1, several, or two that differ.
pub(crate) fn host(head: &Parts) -> Result<&str, S3Error> {
    let mut names = head.headers.get_all(header::HOST).iter();
    let named = names.next().map(HeaderValue::to_str).transpose();
    let (Ok(named), None) = (named, names.next()) else {
        return Err(refused("The request must have one host header."));
    };
    let authority = head.uri.authority().map(http::uri::Authority::as_str);
    let is_http2 = matches!(head.version, Version::HTTP_2 | Version::HTTP_3);
    match (authority, named) {
        (Some(authority), Some(named)) if is_http2 && !authority.eq_ignore_ascii_case(named) => {
            Err(refused("The header host differs from :authority."))
        }
        (Some(authority), _) if is_http2 => Ok(authority),
        (_, Some(named)) => Ok(named),
        (Some(authority), None) => Ok(authority),
        // Older versions have no such header.
        (None, None) if head.version < Version::HTTP_11 => Ok(""),
        (None, None) => Err(refused("The request must have one host header.")),
    }
}

fn refused(why: &str) -> S3Error {
    of_reason(ErrorReason::InvalidRequest, why)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn of(version: Version, uri: &str, hosts: &[&str]) -> Result<String, String> {
        let mut request = Request::builder().version(version).uri(uri);
        for host in hosts {
            request = request.header("host", *host);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let found = host(&head).map(str::to_owned);
        found.map_err(|error| error.code().to_owned())
    }

    #[test]
    fn one_host_by_either_name() {
        let ok = |host: &str| Ok(host.to_owned());
        assert_eq!(of(Version::HTTP_11, "/k", &["h:1"]), ok("h:1"));
        assert_eq!(of(Version::HTTP_11, "http://proxy/k", &["h"]), ok("h"));
        assert_eq!(of(Version::HTTP_10, "/k", &[]), ok(""));
        assert_eq!(of(Version::HTTP_2, "http://a/k", &[]), ok("a"));
        assert_eq!(of(Version::HTTP_2, "http://a/k", &["A"]), ok("a"));
        assert_eq!(of(Version::HTTP_2, "/k", &["h"]), ok("h"));
    }

    #[test]
    fn none_several_and_contradictions_are_refused() {
        for (version, uri, hosts) in [
            (Version::HTTP_11, "/k", &[][..]),
            (Version::HTTP_11, "/k", &["h", "h"]),
            (Version::HTTP_2, "http://a/k", &["b"]),
            (Version::HTTP_2, "/k", &[]),
        ] {
            assert_eq!(of(version, uri, hosts), Err("InvalidRequest".to_owned()));
        }
    }
}
