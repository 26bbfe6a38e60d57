//! Signatures: malformed, altered, of another key, and what they cover.
//!
//! Timing is safe by construction: signatures are compared by `Mac::verify_slice` (`access/sigv4/verify.rs`,
//! `access/sigv2.rs`, `chunked/signer.rs`) and secrets by `ct_eq` (`access/secret.rs`), all in constant time, and the
//! canonical request is made before the key is looked up, so that its cost is the same for every id. A timed test would
//! prove nothing on a shared machine.

mod covered;
mod forged;
mod presigned;
mod scope;

use std::time::{Duration, SystemTime};

use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::Request;

use crate::wire::{Wire, refusal, refused};

const HOUR: Duration = Duration::from_secs(3600);

fn assert_not_stored(wire: &Wire, key: &str) -> Result<(), HarnessError> {
    assert_eq!(refusal(&wire.get(key)?), refused(404, "NoSuchKey"), "{key}");
    Ok(())
}

/// Replaces text in the `Authorization` header, or else in the target.
fn altered(mut request: Request, from: &str, to: &str) -> Request {
    let header = request
        .headers
        .iter_mut()
        .find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    match header {
        Some((_, value)) => {
            assert!(value.contains(from), "{value}");
            *value = value.replacen(from, to, 1);
        }
        None => {
            assert!(request.target.contains(from), "{}", request.target);
            request.target = request.target.replacen(from, to, 1);
        }
    }
    request
}

/// The signature of a request, in its header or query.
fn signature(request: &Request) -> String {
    let text = request.find("authorization").unwrap_or(&request.target);
    let (_, signature) = text.rsplit_once("ignature=").unwrap();
    signature.split('&').next().unwrap().to_owned()
}

fn other_digit(signature: &str) -> String {
    let (rest, last) = signature.split_at(signature.len() - 1);
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}

fn presigned(wire: &Wire, request: Request) -> Result<Request, HarnessError> {
    wire.signer.presign(request, SystemTime::now(), HOUR)
}
