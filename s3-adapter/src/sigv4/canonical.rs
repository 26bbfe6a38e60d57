//! The canonical request (SigV4 for S3: encoded once, never normalised), and what must be signed.

use std::borrow::Cow;

use aws_smithy_http::label::{EncodingStrategy, fmt_string as encode_path};
use aws_smithy_http::query::fmt_string as encode_query;
use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, AsHeaderName};
use percent_encoding::percent_decode_str;

use super::claim::SignatureError;
use crate::query::{Query, has_valid_percents};
use crate::target::{AddressStyle, Addressed};

/// Bounds what one request can make the service hash; the service takes no more.
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

impl<'a> RequestHead<'a> {
    /// The only value of a header; nothing if it is absent, repeated or not ASCII.
    pub(super) fn single_header(&self, name: impl AsHeaderName) -> Option<&'a str> {
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
pub(super) struct CanonicalParts<'a> {
    pub(super) headers: &'a [&'a str],
    /// The last line, and another one that the client may have signed.
    pub(super) payload_lines: (&'a str, Option<&'a str>),
}

/// What clients and proxies spell in more than one way.
#[derive(Debug, Clone, Copy)]
struct Spelling<'a> {
    path: &'a str,
    host: &'a str,
    /// In place of the header's value.
    accept_encoding: Option<&'a str>,
    payload: &'a str,
}

/// Every canonical request that the client may have signed, the likeliest first.
pub(super) fn candidates(
    head: &RequestHead<'_>,
    signed: &CanonicalParts<'_>,
) -> Result<Vec<String>, SignatureError> {
    let query = canonical_query(head.query);
    let (path, other_path) = canonical_paths(head.path)?;
    let (payload, other_payload) = signed.payload_lines;
    let usual = Spelling {
        path: &path,
        host: head.host,
        accept_encoding: None,
        payload,
    };
    let render = |spelling: Spelling<'_>| canonical_request(head, signed.headers, &query, spelling);
    // The usual request first; each other one varies one thing only.
    let mut found = Vec::with_capacity(MAX_CANDIDATES);
    found.push(render(usual));
    found.extend(other_payload.map(|payload| render(Spelling { payload, ..usual })));
    found.extend(other_path.map(|path| render(Spelling { path, ..usual })));
    for encoding in other_accept_encodings(head, signed.headers) {
        let accept_encoding = Some(encoding);
        found.push(render(Spelling {
            accept_encoding,
            ..usual
        }));
    }
    let room = MAX_CANDIDATES.saturating_sub(found.len());
    for host in other_hosts(head).take(room) {
        found.push(render(Spelling {
            host: &host,
            ..usual
        }));
    }
    found.truncate(MAX_CANDIDATES);
    Ok(found)
}

/// What a line of a usual header takes besides its name.
const HEADER_LINE_BYTES: usize = 72;

fn canonical_request(
    head: &RequestHead<'_>,
    names: &[&str],
    query: &str,
    spelling: Spelling<'_>,
) -> String {
    let of_names: usize = names.iter().map(|name| 2 * name.len() + 1).sum();
    let of_lines = head.method.len() + spelling.path.len() + query.len() + spelling.payload.len();
    let of_headers = of_names + spelling.host.len() + names.len() * HEADER_LINE_BYTES;
    let mut text = String::with_capacity(of_lines + of_headers + 6);
    for line in [head.method, spelling.path, query] {
        text.push_str(line);
        text.push('\n');
    }
    push_canonical_headers(&mut text, head, names, spelling);
    text.push('\n');
    for (position, name) in names.iter().enumerate() {
        if position > 0 {
            text.push(';');
        }
        text.push_str(name);
    }
    text.push('\n');
    text.push_str(spelling.payload);
    text
}

/// Decoded and encoded again, and, where that differs, as received: clients disagree about the
/// encoding of reserved characters.
fn canonical_paths(raw: &str) -> Result<(Cow<'_, str>, Option<&str>), SignatureError> {
    if raw.bytes().all(is_kept_in_path) {
        return Ok((Cow::Borrowed(raw), None));
    }
    if !has_valid_percents(raw) {
        return Err(SignatureError::InvalidTarget);
    }
    let decoded = percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| SignatureError::InvalidTarget)?;
    let encoded = encode_path(&decoded, EncodingStrategy::Greedy);
    let other = (encoded != raw).then_some(raw);
    Ok((Cow::Owned(encoded), other))
}

/// Characters of a path that are the same encoded and decoded.
fn is_kept_in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~')
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
    let length = pairs
        .iter()
        .map(|(name, value)| name.len() + value.len() + 2)
        .sum();
    let mut joined = String::with_capacity(length);
    for (position, (name, value)) in pairs.iter().enumerate() {
        if position > 0 {
            joined.push('&');
        }
        joined.push_str(name);
        joined.push('=');
        joined.push_str(value);
    }
    joined
}

/// The public names; then the host with or without the default port, whichever was not received.
///
/// The public names only where the path names the bucket: a signature for `/photos/a` at the public name is none for
/// the key `photos/a` of a bucket that the received host names.
fn other_hosts<'a>(head: &RequestHead<'a>) -> impl Iterator<Item = Cow<'a, str>> {
    let port = head.scheme.default_port();
    let public_hosts = match head.addressed.style {
        AddressStyle::Path => head.public_hosts,
        AddressStyle::VirtualHost => &[],
    };
    let host = head.host;
    let public = public_hosts.iter().filter(move |public| *public != host);
    let other_port = match host.strip_suffix(port) {
        Some(bare) => Some(Cow::Borrowed(bare)),
        None if !has_port(host) => Some(Cow::Owned(format!("{host}{port}"))),
        None => None,
    };
    let public = public.map(|public| Cow::Borrowed(public.as_str()));
    public.chain(other_port)
}

fn has_port(host: &str) -> bool {
    // The colons of an IPv6 literal stand before its bracket.
    let after_literal = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
    after_literal.contains(':')
}

/// CDNs rewrite a signed accept-encoding; these are what SDKs send. Its value decides nothing
/// here, so a signature over another one proves as much.
fn other_accept_encodings<'a>(
    head: &RequestHead<'a>,
    signed: &[&str],
) -> impl Iterator<Item = &'static str> + use<'a> {
    let is_signed = signed.contains(&ACCEPT_ENCODING.as_str());
    let encodings: &[&str] = if is_signed {
        &["identity", "gzip"]
    } else {
        &[]
    };
    let received = head.single_header(ACCEPT_ENCODING).filter(|_| is_signed);
    let others = encodings.iter().copied();
    others.filter(move |encoding| received != Some(*encoding))
}

fn push_canonical_headers(
    text: &mut String,
    head: &RequestHead<'_>,
    names: &[&str],
    spelling: Spelling<'_>,
) {
    for name in names {
        text.push_str(name);
        text.push(':');
        match (*name, spelling.accept_encoding) {
            ("host", _) => text.push_str(spelling.host),
            ("accept-encoding", Some(value)) => text.push_str(value),
            _ => push_header_value(text, head.headers, name, InnerSpaces::Collapsed),
        }
        text.push('\n');
    }
}

/// What a signature version does with runs of spaces inside a header value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InnerSpaces {
    /// SigV4: a run becomes one space.
    Collapsed,
    /// SigV2: they stay.
    Kept,
}

/// All lines joined by commas in the order received, trimmed.
pub(super) fn push_header_value(
    out: &mut String,
    headers: &HeaderMap,
    name: &str,
    spaces: InnerSpaces,
) {
    for (position, value) in headers.get_all(name).iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        let text = header_text(value.as_bytes());
        let text = text.trim_matches([' ', '\t']);
        if spaces == InnerSpaces::Kept || !text.contains("  ") {
            out.push_str(text);
            continue;
        }
        let mut after_space = false;
        for character in text.chars() {
            let repeated = character == ' ' && after_space;
            if !repeated {
                out.push(character);
            }
            after_space = character == ' ';
        }
    }
}

/// UTF-8 if it is that; otherwise Latin-1, which HTTP/1.1 clients use and whose text they sign
/// as UTF-8.
fn header_text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Refuses a list of signed headers that leaves out `host` or any `x-amz-*` header that came (`exempt` excepted).
/// Without this a presigned PUT becomes a copy of someone's object by adding a header. One that is listed and did not
/// come counts as empty, as in S3: clients list headers that their HTTP library then does not send.
pub(super) fn check_signed_headers(
    head: &RequestHead<'_>,
    signed: &[&str],
    exempt: &[&str],
) -> Result<(), SignatureError> {
    let is_signed = |name: &str| signed.binary_search(&name).is_ok();
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
    if unsigned.is_empty() {
        return Ok(());
    }
    unsigned.sort();
    Err(SignatureError::HeadersNotSigned(unsigned))
}

/// Lower-case hex digits.
pub(crate) fn hex_text(bytes: &[u8]) -> String {
    let mut digits = vec![0; 2 * bytes.len()];
    let written = hex::encode_to_slice(bytes, &mut digits);
    debug_assert!(written.is_ok(), "two digits for each byte");
    String::from_utf8(digits).unwrap_or_default()
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

#[cfg(test)]
mod tests;
