//! The signing side, for presigned URLs only.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::mac::sha256_mac;
use super::amz_date::AmzDate;
use super::scope::CredentialScope;
use super::signing_key::SigningKey;
use super::verify::string_to_sign;
use bucketry_domain::AccessKeyId;

/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// As [`ENCODED`], without the slash.
const ENCODED_IN_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// The request that a URL encodes.
#[derive(Debug, Clone, Copy)]
pub struct PresignedRequest<'a> {
    /// In upper case, as it is signed.
    pub method: &'a str,
    /// Scheme, host and, if it is not the scheme's own, port: `https://s3.example.com`.
    pub endpoint: &'a str,
    /// Needs no encoding: bucket names are ASCII letters, digits, dots and hyphens.
    pub bucket: &'a str,
    /// The object's key, not encoded.
    pub key: &'a str,
    /// The query parameters of the operation, not encoded.
    pub query: &'a [(&'static str, String)],
    /// The headers that the request must have besides `host`; names in lower case.
    pub headers: &'a BTreeMap<String, String>,
}

/// Signing key and validity.
#[derive(Debug, Clone, Copy)]
pub struct PresigningKey<'a> {
    /// Named in `X-Amz-Credential`.
    pub access_key_id: &'a AccessKeyId,
    /// Its signing key of `scope`.
    pub signing_key: &'a SigningKey,
    /// The scope, of the day of `signed_at`.
    pub scope: &'a CredentialScope,
    /// When the URL becomes valid.
    pub signed_at: AmzDate,
    /// How long it is valid, in seconds, 1 to 604800.
    pub expires_seconds: u32,
}

/// A path-style URL, signed in its query.
#[must_use]
pub fn presign(request: &PresignedRequest<'_>, by: &PresigningKey<'_>) -> String {
    let (bucket, endpoint) = (request.bucket, request.endpoint);
    let query = query(request, by);
    let key = utf8_percent_encode(request.key, ENCODED_IN_PATH);
    let canonical = canonical_request(request, &format!("/{bucket}/{key}"), &query);
    let text = string_to_sign(by.signed_at, by.scope, &canonical);
    let signature = hex::encode(sha256_mac(by.signing_key.expose(), &text));
    let key = url_key(request.key);
    format!("{endpoint}/{bucket}/{key}?{query}&X-Amz-Signature={signature}")
}

/// The key as the path of a URL. Clients remove the segments `.` and `..`, encoded or not, so that such a key is written
/// as one segment. The signature covers the decoded path.
fn url_key(key: &str) -> String {
    let is_removed = |segment: &str| matches!(segment, "." | "..");
    let set = match key.split('/').any(is_removed) {
        true => ENCODED,
        false => ENCODED_IN_PATH,
    };
    utf8_percent_encode(key, set).to_string()
}

/// The canonical query: encoded, sorted by name and then value, without the signature.
fn query(request: &PresignedRequest<'_>, by: &PresigningKey<'_>) -> String {
    let mechanism = [
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
        (
            "X-Amz-Credential",
            format!("{}/{}", by.access_key_id, by.scope),
        ),
        ("X-Amz-Date", by.signed_at.to_string()),
        ("X-Amz-Expires", by.expires_seconds.to_string()),
        ("X-Amz-SignedHeaders", signed_headers(request)),
    ];
    let encoded = |text| utf8_percent_encode(text, ENCODED).to_string();
    let mut pairs: Vec<(String, String)> = (request.query.iter().chain(&mechanism))
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// The names of `host` and the other headers, sorted.
fn signed_headers(request: &PresignedRequest<'_>) -> String {
    let names: Vec<&str> = headers(request).into_iter().map(|(name, _)| name).collect();
    names.join(";")
}

/// `host` and the other headers, by name.
fn headers<'a>(request: &PresignedRequest<'a>) -> Vec<(&'a str, &'a str)> {
    let others = request.headers.iter();
    let others = others.map(|(name, value)| (name.as_str(), value.as_str()));
    let host = ("host", sent_host(request.endpoint));
    let mut all: Vec<_> = [host].into_iter().chain(others).collect();
    all.sort_unstable();
    all
}

/// What a client of an endpoint sends as `Host`: without the scheme's own port.
fn sent_host(endpoint: &str) -> &str {
    let (scheme, authority) = endpoint.split_once("://").unwrap_or(("", endpoint));
    let own_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return authority,
    };
    authority.strip_suffix(own_port).unwrap_or(authority)
}

fn canonical_request(request: &PresignedRequest<'_>, path: &str, query: &str) -> String {
    let mut text = format!("{}\n{path}\n{query}\n", request.method);
    for (name, value) in headers(request) {
        text.push_str(name);
        text.push(':');
        // A run of spaces becomes one, as when it is verified.
        for (position, word) in value.split(' ').filter(|word| !word.is_empty()).enumerate() {
            if position > 0 {
                text.push(' ');
            }
            text.push_str(word);
        }
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&signed_headers(request));
    text.push_str("\nUNSIGNED-PAYLOAD");
    text
}

#[cfg(test)]
mod tests;
