//! The canonical request (SigV4 for S3: encoded once, never normalised), and what must be signed.

use aws_smithy_http::label::{EncodingStrategy, fmt_string as encode_path};
use aws_smithy_http::query::fmt_string as encode_query;
use http::HeaderMap;
use percent_encoding::percent_decode_str;

use super::claim::SignatureError;
use crate::query::{Query, has_valid_percents};
use crate::target::Addressed;

/// Bounds what one request can make the service hash.
const MAX_CANDIDATES: usize = 8;

/// How the request reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In plain text; clients leave out port 80.
    Http,
    /// By TLS; clients leave out port 443.
    Https,
}

impl Scheme {
    fn default_port(self) -> &'static str {
        match self {
            Self::Http => ":80",
            Self::Https => ":443",
        }
    }
}

/// The head of a request, as far as signatures cover it.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The authority that the client named: `Host` in HTTP/1.1, `:authority` in HTTP/2.
    pub host: &'a str,
    /// How the request reached the server.
    pub scheme: Scheme,
    /// Host names (with port, if not the default) under which clients know the server, tried when
    /// a proxy has rewritten the host.
    pub public_hosts: &'a [String],
    /// The raw path, before the `?`.
    pub path: &'a str,
    /// The decoded query.
    pub query: &'a Query,
    /// The headers as received. A `host` among them is not used.
    pub headers: &'a HeaderMap,
    /// The bucket and key that the path and host name.
    pub addressed: &'a Addressed,
}

impl RequestHead<'_> {
    /// The only value of a header; nothing if it is absent, repeated or not ASCII.
    pub(super) fn single_header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        value.to_str().ok()
    }
}

/// What canonical requests are made of, besides the head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<'a> {
    pub(super) headers: &'a [String],
    /// The last line, likeliest first.
    pub(super) payload_lines: &'a [String],
}

/// Every canonical request that the client may have signed, the likeliest first.
pub(super) fn candidates(
    head: &RequestHead<'_>,
    signed: &Signed<'_>,
) -> Result<Vec<String>, SignatureError> {
    let query = canonical_query(head.query);
    let paths = canonical_paths(head.path)?;
    let hosts = host_candidates(head);
    let encodings = accept_encodings(head, signed.headers);
    let mut found: Vec<String> = Vec::new();
    // The usual request comes first; each other spelling varies one thing only.
    for (host_at, host) in hosts.iter().enumerate() {
        for (path_at, path) in paths.iter().enumerate() {
            for (encoding_at, encoding) in encodings.iter().enumerate() {
                for (line_at, payload) in signed.payload_lines.iter().enumerate() {
                    let varied = [host_at, path_at, encoding_at, line_at];
                    if varied.iter().filter(|at| **at > 0).count() > 1 {
                        continue;
                    }
                    let headers =
                        canonical_headers(head, signed.headers, host, encoding.as_deref());
                    let names = signed.headers.join(";");
                    let method = head.method;
                    found.push(format!(
                        "{method}\n{path}\n{query}\n{headers}\n{names}\n{payload}"
                    ));
                }
            }
        }
    }
    found.truncate(MAX_CANDIDATES);
    Ok(found)
}

/// Decoded and encoded again, and, where that differs, as received: clients disagree about the
/// encoding of reserved characters.
fn canonical_paths(raw: &str) -> Result<Vec<String>, SignatureError> {
    if !has_valid_percents(raw) {
        return Err(SignatureError::InvalidTarget);
    }
    let decoded = percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| SignatureError::InvalidTarget)?;
    let encoded = encode_path(&decoded, EncodingStrategy::Greedy);
    let mut paths = vec![encoded];
    if paths.iter().all(|path| path != raw) {
        paths.push(raw.to_owned());
    }
    Ok(paths)
}

/// Encoded, sorted by name and then value, without the signature itself.
fn canonical_query(query: &Query) -> String {
    let mut pairs: Vec<(String, String)> = query
        .iter()
        .filter(|parameter| parameter.name != "X-Amz-Signature")
        .map(|parameter| {
            (
                encode_query(&parameter.name),
                encode_query(parameter.value_or_empty()),
            )
        })
        .collect();
    pairs.sort();
    let joined: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    joined.join("&")
}

/// As received; with or without the default port; then the public names.
fn host_candidates(head: &RequestHead<'_>) -> Vec<String> {
    let port = head.scheme.default_port();
    let mut hosts = vec![head.host.to_owned()];
    match head.host.strip_suffix(port) {
        Some(bare) => hosts.push(bare.to_owned()),
        None if !has_port(head.host) => hosts.push(format!("{}{port}", head.host)),
        None => {}
    }
    for public in head.public_hosts {
        if !hosts.contains(public) {
            hosts.push(public.clone());
        }
    }
    hosts
}

fn has_port(host: &str) -> bool {
    // The colons of an IPv6 literal stand before its bracket.
    let after_literal = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
    after_literal.contains(':')
}

/// CDNs rewrite a signed accept-encoding; these are what SDKs send. Its value decides nothing
/// here, so a signature over another one proves as much.
fn accept_encodings(head: &RequestHead<'_>, signed: &[String]) -> Vec<Option<String>> {
    let mut encodings = vec![None];
    if signed.iter().any(|name| name == "accept-encoding") {
        encodings.extend(["identity", "gzip"].map(|value| Some(value.to_owned())));
        let received = head.single_header("accept-encoding");
        encodings.retain(|encoding| encoding.is_none() || encoding.as_deref() != received);
    }
    encodings
}

fn canonical_headers(
    head: &RequestHead<'_>,
    names: &[String],
    host: &str,
    accept_encoding: Option<&str>,
) -> String {
    let mut block = String::new();
    for name in names {
        block.push_str(name);
        block.push(':');
        match (name.as_str(), accept_encoding) {
            ("host", _) => block.push_str(host),
            ("accept-encoding", Some(value)) => block.push_str(value),
            _ => push_header_value(&mut block, head.headers, name),
        }
        block.push('\n');
    }
    block
}

/// All lines joined by commas in the order received, trimmed, inner runs of spaces collapsed.
pub(super) fn push_header_value(out: &mut String, headers: &HeaderMap, name: &str) {
    for (position, value) in headers.get_all(name).iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        let text = header_text(value.as_bytes());
        let mut after_space = false;
        for character in text.trim_matches([' ', '\t']).chars() {
            let space = character == ' ';
            if !(space && after_space) {
                out.push(character);
            }
            after_space = space;
        }
    }
}

/// UTF-8 if it is that; otherwise Latin-1, which HTTP/1.1 clients use and whose text they sign
/// as UTF-8.
fn header_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Refuses a list of signed headers that leaves out `host` or any `x-amz-*` header that came
/// (`exempt` excepted), or that names one that did not come. Without this a presigned PUT becomes a
/// copy of someone's object by adding a header.
pub(super) fn check_signed_headers(
    head: &RequestHead<'_>,
    signed: &[String],
    exempt: &[&str],
) -> Result<(), SignatureError> {
    let is_signed = |name: &str| {
        signed
            .binary_search_by(|known| known.as_str().cmp(name))
            .is_ok()
    };
    let mut unsigned: Vec<String> = head
        .headers
        .keys()
        .map(|name| name.as_str())
        .filter(|name| name.starts_with("x-amz-") && !exempt.contains(name) && !is_signed(name))
        .map(str::to_owned)
        .collect();
    if !is_signed("host") {
        unsigned.push("host".to_owned());
    }
    if !unsigned.is_empty() {
        unsigned.sort();
        return Err(SignatureError::HeadersNotSigned(unsigned));
    }
    let missing: Vec<String> = signed
        .iter()
        // A CDN may have removed accept-encoding, as it may have rewritten it.
        .filter(|name| !matches!(name.as_str(), "host" | "accept-encoding"))
        .filter(|name| !head.headers.contains_key(name.as_str()))
        .cloned()
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(SignatureError::SignedHeadersMissing(missing))
    }
}

/// 64 lower-case hex digits: one spelling per signature.
pub(crate) fn hex_signature(text: &[u8]) -> Option<[u8; 32]> {
    if text.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut signature = [0; 32];
    hex::decode_to_slice(text, &mut signature).ok()?;
    Some(signature)
}
