//! The ways in which an S3 request says who makes it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::Request;
use bucketry_tests::sigv4::{Payload, Signer};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha1::Sha1;

/// A front door of S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// Signature version 4 in the `Authorization` header.
    Header,
    /// The same in the query.
    Presigned,
    /// Signature version 2 in the query: for GET, HEAD and PUT only.
    PresignedV2,
}

pub(super) const DOORS: [Door; 3] = [Door::Header, Door::Presigned, Door::PresignedV2];

/// The sub-resources that signature version 2 signs, as far as the rows use them.
const SIGNED_BY_V2: [&str; 13] = [
    "acl",
    "cors",
    "delete",
    "location",
    "partNumber",
    "policy",
    "response-content-type",
    "tagging",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
];

impl Door {
    /// What the door itself makes of a request, whoever makes it: status and code of the refusal, none if it lets pass.
    pub(super) fn own_refusal(self, request: &Request) -> Option<(u16, &'static str)> {
        if self != Self::PresignedV2 {
            return None;
        }
        if !matches!(request.method.as_str(), "GET" | "HEAD" | "PUT") {
            return Some((400, "InvalidRequest"));
        }
        let unsigned = parameters(&request.target).any(|name| !SIGNED_BY_V2.contains(&name));
        unsigned.then_some((400, "InvalidArgument"))
    }

    /// The request as it is made through this door.
    pub(super) fn signed(self, signer: &Signer, request: Request) -> Result<Request, HarnessError> {
        let now = SystemTime::now();
        match self {
            Self::Header => signer.header(request, now, Payload::Signed),
            Self::Presigned => signer.presign(request, now, Duration::from_secs(60)),
            Self::PresignedV2 => presign_v2(signer, request, now),
        }
    }
}

fn parameters(target: &str) -> impl Iterator<Item = &str> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| {
            parameter
                .split_once('=')
                .map_or(parameter, |(name, _)| name)
        })
}

/// Signature version 2 in the query.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>
fn presign_v2(
    signer: &Signer,
    mut request: Request,
    now: SystemTime,
) -> Result<Request, HarnessError> {
    let expires = now + Duration::from_secs(60);
    let expires = expires
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let mut text = format!("{}\n", request.method);
    for name in ["content-md5", "content-type"] {
        text.push_str(request.find(name).unwrap_or_default());
        text.push('\n');
    }
    text.push_str(&format!("{expires}\n"));
    let mut headers: Vec<&(String, String)> = request.headers.iter().collect();
    headers.retain(|(name, _)| name.starts_with("x-amz-"));
    headers.sort();
    for (name, value) in headers {
        text.push_str(&format!("{name}:{value}\n"));
    }
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    text.push_str(path);
    let mut signed: Vec<&str> = query.split('&').filter(|part| !part.is_empty()).collect();
    signed.sort_unstable();
    for (place, parameter) in signed.iter().enumerate() {
        text.push(if place == 0 { '?' } else { '&' });
        text.push_str(&percent_decode_str(parameter).decode_utf8_lossy());
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(signer.secret_access_key.as_bytes())
        .map_err(|error| HarnessError::Sign(error.to_string()))?;
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let signature = utf8_percent_encode(&signature, NON_ALPHANUMERIC);
    let separator = if query.is_empty() { '?' } else { '&' };
    request.target.push_str(&format!(
        "{separator}AWSAccessKeyId={}&Expires={expires}&Signature={signature}",
        signer.access_key_id
    ));
    Ok(request)
}
