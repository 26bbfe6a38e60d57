//! Signatures that AWS's own library does not make, and other things done by hand.

use std::time::SystemTime;

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use bucketry_contract::v1::{Token, UpdateTokenRequest};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::Request;
use bucketry_tests::sigv4::Signer;
use prost_types::FieldMask;
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
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let payload = request.find("x-amz-content-sha256").unwrap();
    let canonical = format!("{}\n{}\n\n{lines}\n{names}\n{payload}", request.method, request.target);
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
    };
    root.tokens.update_token(request).await?;
    Ok(())
}
