//! Signatures that AWS's own library does not make, and other things done by hand.

use std::time::SystemTime;

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketry_contract::v1::{Token, UpdateTokenRequest};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::Request;
use bucketry_tests::sigv4::Signer;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use prost_types::FieldMask;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const AMZ_DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");
const HTTP_DATE: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// Signs with a `Date` header and no `x-amz-date`.
pub(super) fn sign_with_date(signer: &Signer, request: Request, at: SystemTime) -> Request {
    let date = OffsetDateTime::from(at).format(HTTP_DATE).unwrap();
    let empty = hex::encode(Sha256::digest(b""));
    let request = request
        .header("date", &date)
        .header("x-amz-content-sha256", &empty);
    sign(signer, request, at)
}

/// Signs with the `x-amz-content-sha256` that the request has, whatever it says.
pub(super) fn sign_as_given(signer: &Signer, request: Request, at: SystemTime) -> Request {
    let date = OffsetDateTime::from(at).format(AMZ_DATE).unwrap();
    sign(signer, request.header("x-amz-date", &date), at)
}

/// Signs all headers but `content-length`. The target must be in canonical form, without a query.
fn sign(signer: &Signer, request: Request, at: SystemTime) -> Request {
    let amz_date = OffsetDateTime::from(at).format(AMZ_DATE).unwrap();
    let mut headers: Vec<(String, String)> = request
        .headers
        .iter()
        .filter(|(name, _)| name != "content-length")
        .cloned()
        .collect();
    headers.sort();
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let payload = request.find("x-amz-content-sha256").unwrap();
    let canonical = format!(
        "{}\n{}\n\n{lines}\n{names}\n{payload}",
        request.method, request.target
    );
    let scope = format!("{}/{}/s3/aws4_request", &amz_date[..8], signer.region);
    let digest = hex::encode(Sha256::digest(canonical));
    let text = format!("AWS4-HMAC-SHA256\n{amz_date}\n{scope}\n{digest}");
    let key = generate_signing_key(&signer.secret_access_key, at, &signer.region, "s3");
    let signature = calculate_signature(key, text.as_bytes());
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        signer.access_key_id
    );
    request.header("authorization", &authorization)
}

/// Forbids a token the address that tests come from.
pub(super) async fn forbid_loopback(root: &mut Clients, token: &Token) -> Result<(), HarnessError> {
    let token = Token {
        disallowed_ips: vec!["127.0.0.0/8".to_owned()],
        version: 0,
        ..token.clone()
    };
    let update_mask = Some(FieldMask {
        paths: vec!["disallowed_ips".to_owned()],
    });
    let request = UpdateTokenRequest {
        token: Some(token),
        update_mask,
        ..Default::default()
    };
    root.tokens.update_token(request).await?;
    Ok(())
}

/// Signs a URL by version 2, good until `until`. What stands in the query of the target is signed as the headers that it
/// means, as `aws-sdk` for JavaScript v2 does it; the values must need no decoding but of `%2F`.
pub(super) fn presign_v2(signer: &Signer, mut request: Request, until: SystemTime) -> Request {
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let hoisted: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.replace("%2F", "/")))
        .collect();
    let value = |name: &str| {
        let found = hoisted.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let expires = seconds(until);
    let mut text = format!(
        "{}\n{}\n{}\n{expires}\n",
        request.method,
        value("content-md5"),
        value("content-type")
    );
    let mut amz: Vec<_> = hoisted
        .iter()
        .filter(|(name, _)| name.starts_with("x-amz-"))
        .collect();
    amz.sort();
    for (name, value) in amz {
        text.push_str(&format!("{name}:{value}\n"));
    }
    text.push_str(path);
    let mut mac = Hmac::<Sha1>::new_from_slice(signer.secret_access_key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let signature = utf8_percent_encode(&signature, NON_ALPHANUMERIC);
    let separator = if query.is_empty() { '?' } else { '&' };
    let id = &signer.access_key_id;
    request.target.push_str(&format!(
        "{separator}AWSAccessKeyId={id}&Expires={expires}&Signature={signature}"
    ));
    request
}

/// A URL of version 2 with another end, under the old signature.
pub(super) fn with_expires(request: &Request, until: SystemTime) -> Request {
    let mut other = request.clone();
    let (before, after) = request.target.split_once("Expires=").unwrap();
    let (_, after) = after.split_once('&').unwrap();
    other.target = format!("{before}Expires={}&{after}", seconds(until));
    other
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}
