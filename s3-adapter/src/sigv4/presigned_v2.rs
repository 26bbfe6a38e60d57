//! SigV2 in the query, which aws-sdk for JavaScript v2 still makes for every custom endpoint.
//!
//! SigV2 signs neither the host nor most of the query: of the latter only the listed sub-resources
//! and `response-*`. Every `x-amz-*` header, wherever it stands, enters the string to sign, and any
//! other query parameter is refused unless it is known to mean nothing.

use aws_smithy_http::label::{EncodingStrategy, fmt_string as encode_path};
use aws_smithy_http::query::fmt_string as encode_query;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use percent_encoding::percent_decode_str;

use super::canonical::{InnerSpaces, RequestHead, push_header_value};
use super::claim::{PresignedV2Claim, SignatureError};
use super::payload::PayloadHash;
use super::presigned::hoist;
use crate::query::{Parameter, Query};
use crate::target::AddressStyle;

/// Signed with their values (S3's "Authenticating requests (AWS signature version 2)" and the SDKs).
const SUB_RESOURCES: [&str; 29] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "delete",
    "encryption",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

const RESPONSE_OVERRIDES: [&str; 6] = [
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
];

/// Content headers that aws-sdk for JavaScript v2 puts into the query. The last four are not
/// signed, but neither are they when sent as headers.
const CONTENT_HEADERS: [&str; 6] = [
    "content-md5",
    "content-type",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
];

/// Whether the query uses the mechanism.
pub(super) fn is_used(query: &Query) -> bool {
    query.contains("AWSAccessKeyId") || query.contains("Signature")
}

/// Reads a presigned request.
pub(super) fn parse(head: &RequestHead<'_>) -> Result<PresignedV2Claim, SignatureError> {
    if !matches!(head.method, "GET" | "HEAD" | "PUT") {
        return Err(SignatureError::SigV2NotSupported);
    }
    let parameter = |name: &'static str| {
        let value = head.query.get(name).filter(|value| !value.is_empty());
        value.ok_or(SignatureError::MalformedV2(name))
    };
    let access_key_id = parameter("AWSAccessKeyId")?;
    if access_key_id.len() > 128 || !access_key_id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SignatureError::MalformedV2("AWSAccessKeyId"));
    }
    let expires = parameter("Expires")?;
    let expires_at_unix_seconds = seconds(expires).ok_or(SignatureError::MalformedV2("Expires"))?;
    let signature = signature(parameter("Signature")?)?;

    let hoisted_headers = hoisted(head)?;
    let payload = payload(head, &hoisted_headers)?;
    let strings_to_sign = strings_to_sign(head, &hoisted_headers, expires)?;
    Ok(PresignedV2Claim {
        access_key_id: access_key_id.to_owned(),
        expires_at_unix_seconds,
        signature,
        strings_to_sign,
        payload,
        hoisted_headers,
    })
}

fn seconds(text: &str) -> Option<u64> {
    // The number parser takes a leading sign.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Signed in the contract, so that no value of it wraps around there.
    text.parse::<i64>().ok()?.try_into().ok()
}

fn signature(text: &str) -> Result<[u8; 20], SignatureError> {
    // A raw `+` of careless clients was decoded as a space.
    let decoded = STANDARD.decode(text.replace(' ', "+")).ok();
    let signature = decoded.and_then(|bytes| bytes.try_into().ok());
    signature.ok_or(SignatureError::MalformedV2("Signature"))
}

/// Sorts every query parameter into mechanism, signed, header, harmless or refused.
fn hoisted(head: &RequestHead<'_>) -> Result<HeaderMap, SignatureError> {
    let mut headers = HeaderMap::new();
    for parameter in head.query.iter() {
        let lower = parameter.name.to_ascii_lowercase();
        if lower.starts_with("x-amz-") || CONTENT_HEADERS.contains(&lower.as_str()) {
            hoist(head, &mut headers, &lower, parameter.value_or_empty())?;
            continue;
        }
        if lower == "content-length" {
            // The SDK repeats it; it must not say anything else than the request does.
            let sent = head.single_header("content-length");
            if sent.is_some_and(|sent| sent != parameter.value_or_empty()) {
                return Err(SignatureError::ConflictingHeader(lower));
            }
            continue;
        }
        let mechanism = ["AWSAccessKeyId", "Expires", "Signature", "x-id"];
        if !mechanism.contains(&parameter.name.as_str()) && !is_signed(parameter) {
            return Err(SignatureError::UnsignedParameter(parameter.name.clone()));
        }
    }
    Ok(headers)
}

fn is_signed(parameter: &Parameter) -> bool {
    let name = parameter.name.as_str();
    SUB_RESOURCES.contains(&name) || RESPONSE_OVERRIDES.contains(&name)
}

fn payload(head: &RequestHead<'_>, hoisted: &HeaderMap) -> Result<PayloadHash, SignatureError> {
    let name = "x-amz-content-sha256";
    let Some(value) = head.headers.get(name).or_else(|| hoisted.get(name)) else {
        return Ok(PayloadHash::Unsigned);
    };
    let payload = PayloadHash::parse(&String::from_utf8_lossy(value.as_bytes()))?;
    if payload.has_signed_chunks() {
        return Err(SignatureError::UnsignedStreaming);
    }
    Ok(payload)
}

fn strings_to_sign(
    head: &RequestHead<'_>,
    hoisted: &HeaderMap,
    expires: &str,
) -> Result<Vec<String>, SignatureError> {
    let mut headers = head.headers.clone();
    for (name, value) in hoisted {
        headers.insert(name.clone(), value.clone());
    }
    let mut start = format!("{}\n", head.method);
    for name in ["content-md5", "content-type"] {
        push_header_value(&mut start, &headers, name, InnerSpaces::Kept);
        start.push('\n');
    }
    start.push_str(expires);
    start.push('\n');
    push_amz_headers(&mut start, &headers);
    let mut queries = vec![signed_query(head.query, SubResourceValues::Decoded)];
    let encoded = signed_query(head.query, SubResourceValues::Encoded);
    if !queries.contains(&encoded) {
        queries.push(encoded);
    }
    let paths = canonical_resources(head)?;
    let pairs = queries
        .iter()
        .flat_map(|query| paths.iter().map(move |path| (path, query)));
    Ok(pairs
        .map(|(path, query)| format!("{start}{path}{query}"))
        .collect())
}

/// What a client signs of the value of a sub-resource; `response-*` are always decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SubResourceValues {
    /// botocore, and S3's documentation.
    Decoded,
    /// aws-sdk for JavaScript v2.
    Encoded,
}

fn push_amz_headers(out: &mut String, headers: &HeaderMap) {
    let mut names: Vec<&str> = headers.keys().map(|name| name.as_str()).collect();
    names.retain(|name| name.starts_with("x-amz-"));
    names.sort_unstable();
    for name in names {
        out.push_str(name);
        out.push(':');
        push_header_value(out, headers, name, InnerSpaces::Kept);
        out.push('\n');
    }
}

/// The path with the bucket before it where the host carries it: as received and, where that
/// differs, decoded and encoded again.
fn canonical_resources(head: &RequestHead<'_>) -> Result<Vec<String>, SignatureError> {
    let bucket = match (head.addressed.style, head.addressed.target.bucket()) {
        (AddressStyle::VirtualHost, Some(bucket)) => format!("/{bucket}"),
        (AddressStyle::VirtualHost, None) | (AddressStyle::Path, _) => String::new(),
    };
    let decoded = percent_decode_str(head.path).decode_utf8();
    let decoded = decoded.map_err(|_| SignatureError::InvalidTarget)?;
    let encoded = encode_path(&decoded, EncodingStrategy::Greedy);
    let mut found = vec![format!("{bucket}{}", head.path)];
    if encoded != head.path {
        found.push(format!("{bucket}{encoded}"));
    }
    Ok(found)
}

fn signed_query(query: &Query, values: SubResourceValues) -> String {
    let mut parameters: Vec<&Parameter> = query
        .iter()
        .filter(|parameter| is_signed(parameter))
        .collect();
    parameters.sort_by(|left, right| left.name.cmp(&right.name));
    let mut text = String::new();
    for parameter in parameters {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(&parameter.name);
        if let Some(value) = &parameter.value {
            text.push('=');
            let is_override = RESPONSE_OVERRIDES.contains(&parameter.name.as_str());
            match values {
                SubResourceValues::Encoded if !is_override => text.push_str(&encode_query(value)),
                SubResourceValues::Encoded | SubResourceValues::Decoded => text.push_str(value),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::claim::Authentication;
    use super::super::fixture::Fixture;
    use super::*;

    const BASE: &str =
        "AWSAccessKeyId=AK&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620";

    fn fixture(method: &'static str, path: &str, more: &str) -> Fixture {
        Fixture::new(method, "s3.amazonaws.com", &format!("{path}?{BASE}{more}"))
    }

    fn claim(fixture: &Fixture) -> PresignedV2Claim {
        match fixture.authenticate().unwrap() {
            Authentication::PresignedV2(claim) => *claim,
            other => panic!("not SigV2: {other:?}"),
        }
    }

    #[test]
    fn headers_in_the_query_are_signed_and_hoisted() {
        let more = "&Content-Type=text%2Fplain&x-amz-meta-b=2&x-amz-acl=private&Cache-Control=no-cache&x-id=PutObject";
        let claim = claim(&fixture("PUT", "/b/k", more).header("x-amz-meta-a", "1"));
        let expected = "PUT\n\ntext/plain\n1175139620\nx-amz-acl:private\nx-amz-meta-a:1\nx-amz-meta-b:2\n/b/k";
        assert_eq!(claim.strings_to_sign, [expected]);
        assert_eq!(claim.hoisted_headers["content-type"], "text/plain");
        assert_eq!(claim.hoisted_headers["cache-control"], "no-cache");
        assert_eq!(claim.hoisted_headers.len(), 4);
    }

    #[test]
    fn an_added_header_changes_what_is_signed() {
        let plain = claim(&fixture("PUT", "/b/k", "")).strings_to_sign;
        let added = claim(&fixture("PUT", "/b/k", "").header("x-amz-copy-source", "b/secret"));
        assert_ne!(plain, added.strings_to_sign);
    }

    #[test]
    fn sub_resources_and_overrides_are_signed_in_order() {
        let more = "&versionId=v%2F1&response-content-type=a%2Fb&acl&uploads=";
        let claim = claim(&fixture("GET", "/b/a%2Bb+c", more));
        let resources = "?acl&response-content-type=a/b&uploads=&versionId=v/1";
        let encoded = "?acl&response-content-type=a/b&uploads=&versionId=v%2F1";
        let expected = [
            format!("GET\n\n\n1175139620\n/b/a%2Bb+c{resources}"),
            format!("GET\n\n\n1175139620\n/b/a%2Bb%2Bc{resources}"),
            format!("GET\n\n\n1175139620\n/b/a%2Bb+c{encoded}"),
            format!("GET\n\n\n1175139620\n/b/a%2Bb%2Bc{encoded}"),
        ];
        assert_eq!(claim.strings_to_sign, expected);
    }

    #[test]
    fn unsigned_parameters_are_refused() {
        for name in ["list-type", "prefix", "max-keys", "partnumber", "unknown"] {
            let refused = fixture("GET", "/b", &format!("&{name}=1")).refused();
            assert_eq!(refused, SignatureError::UnsignedParameter(name.into()));
        }
        let conflict = fixture("PUT", "/b/k", "&Content-Type=a")
            .header("content-type", "b")
            .refused();
        assert_eq!(
            conflict,
            SignatureError::ConflictingHeader("content-type".into())
        );
        let conflict = fixture("PUT", "/b/k", "&Content-Length=3")
            .header("content-length", "4")
            .refused();
        assert_eq!(
            conflict,
            SignatureError::ConflictingHeader("content-length".into())
        );
    }

    #[test]
    fn only_reads_and_puts() {
        for method in ["DELETE", "POST"] {
            assert_eq!(
                fixture(method, "/b/k", "").refused(),
                SignatureError::SigV2NotSupported
            );
        }
        assert!(fixture("HEAD", "/b/k", "").authenticate().is_ok());
    }

    #[test]
    fn malformed_parameters_are_named() {
        let refused = |query: &str| Fixture::new("GET", "h", &format!("/b/k?{query}")).refused();
        assert_eq!(
            refused("Signature=eA%3D%3D&Expires=1"),
            SignatureError::MalformedV2("AWSAccessKeyId")
        );
        assert_eq!(
            refused("AWSAccessKeyId=AK&Expires=1"),
            SignatureError::MalformedV2("Signature")
        );
        assert_eq!(
            refused("AWSAccessKeyId=AK&Signature=eA%3D%3D"),
            SignatureError::MalformedV2("Expires")
        );
        assert_eq!(
            refused("AWSAccessKeyId=AK&Signature=eA%3D%3D&Expires=1"),
            SignatureError::MalformedV2("Signature")
        );
        for expires in ["-1", "%2B1", "1.5", "x", "9223372036854775808"] {
            let query = BASE.replace("1175139620", expires);
            assert_eq!(
                refused(&query),
                SignatureError::MalformedV2("Expires"),
                "{expires}"
            );
        }
    }

    #[test]
    fn signed_chunks_need_version_4() {
        let streaming = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
        let refused = fixture("PUT", "/b/k", "")
            .header("x-amz-content-sha256", streaming)
            .refused();
        assert_eq!(refused, SignatureError::UnsignedStreaming);
    }
}
