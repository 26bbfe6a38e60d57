//! SigV4 in the query.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::authorization::{Credential, parse_signature, parse_signed_headers};
use super::canonical::{RequestHead, Signed, candidates, check_signed_headers};
use super::claim::{AmzDate, MalformedPart, SigV4Claim, SignatureError, SignatureMode};
use super::payload::PayloadHash;
use crate::query::Query;

/// S3's limit: seven days.
const MAX_EXPIRES_SECONDS: u64 = 604_800;

/// The parameters of the mechanism itself; all other `X-Amz-*` parameters act as headers.
const MECHANISM: [&str; 7] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signedheaders",
    "x-amz-signature",
    "x-amz-content-sha256",
];

/// Whether the query uses the mechanism.
pub(super) fn is_used(query: &Query) -> bool {
    let marks = ["X-Amz-Algorithm", "X-Amz-Signature", "X-Amz-Credential"];
    marks
        .into_iter()
        .any(|mark| query.get_ignoring_case(mark).is_some())
}

/// Reads a presigned request.
pub(super) fn parse(head: &RequestHead<'_>) -> Result<SigV4Claim, SignatureError> {
    let query = head.query;
    let malformed = SignatureError::MalformedQuery;
    let parameter = |name: &str| {
        query
            .get(name)
            .ok_or_else(|| malformed(MalformedPart::Components))
    };

    match parameter("X-Amz-Algorithm")? {
        "AWS4-HMAC-SHA256" => {}
        asymmetric @ "AWS4-ECDSA-P256-SHA256" => {
            return Err(SignatureError::UnsupportedAlgorithm(asymmetric.to_owned()));
        }
        _ => return Err(malformed(MalformedPart::Algorithm)),
    }
    let credential = Credential::parse(parameter("X-Amz-Credential")?).map_err(malformed)?;
    let signed_headers =
        parse_signed_headers(parameter("X-Amz-SignedHeaders")?).map_err(malformed)?;
    let signature = parse_signature(parameter("X-Amz-Signature")?).map_err(malformed)?;
    let signed_at =
        AmzDate::parse(parameter("X-Amz-Date")?).ok_or_else(|| malformed(MalformedPart::Date))?;
    let expires_seconds = expires(parameter("X-Amz-Expires")?).map_err(malformed)?;
    let scope = credential.scope(&signed_at).map_err(malformed)?;

    check_signed_headers(head, &signed_headers, &["x-amz-content-sha256"])?;
    let hoisted_headers = hoisted(head)?;
    let (payload, payload_lines) = payload(head, &signed_headers)?;
    let signed = Signed {
        headers: &signed_headers,
        payload_lines: &payload_lines,
    };
    let canonical_requests = candidates(head, &signed)?;
    Ok(SigV4Claim {
        access_key_id: credential.access_key_id,
        scope,
        signed_at,
        mode: SignatureMode::Presigned { expires_seconds },
        signed_headers,
        signature,
        canonical_requests,
        payload,
        hoisted_headers,
    })
}

fn expires(text: &str) -> Result<u32, MalformedPart> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(MalformedPart::ExpiresNotANumber);
    }
    if digits.len() < text.len() {
        return Err(MalformedPart::ExpiresTooSmall);
    }
    match digits.parse::<u64>() {
        Ok(0) => Err(MalformedPart::ExpiresTooSmall),
        Ok(seconds) if seconds <= MAX_EXPIRES_SECONDS => {
            u32::try_from(seconds).map_err(|_| MalformedPart::ExpiresTooLarge)
        }
        Ok(_) | Err(_) => Err(MalformedPart::ExpiresTooLarge),
    }
}

/// The payload, and the lines that may stand for it in the canonical request. Signers use the query
/// parameter (aws-sdk-go), a signed header, or `UNSIGNED-PAYLOAD`, whatever header is sent later.
fn payload(
    head: &RequestHead<'_>,
    signed_headers: &[String],
) -> Result<(PayloadHash, Vec<String>), SignatureError> {
    const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
    let header = match head.headers.contains_key("x-amz-content-sha256") {
        false => None,
        true => Some(
            head.single_header("x-amz-content-sha256")
                .ok_or_else(|| SignatureError::InvalidContentSha256(String::new()))?,
        ),
    };
    let parameter = head.query.get_ignoring_case("X-Amz-Content-Sha256");
    if let (Some(parameter), Some(header)) = (parameter, header)
        && parameter != header
    {
        return Err(SignatureError::ConflictingHeader(
            "x-amz-content-sha256".to_owned(),
        ));
    }
    let header_is_signed = signed_headers
        .iter()
        .any(|name| name == "x-amz-content-sha256");
    let Some(value) = parameter.or(header) else {
        return Ok((PayloadHash::Unsigned, vec![UNSIGNED.to_owned()]));
    };
    let payload = PayloadHash::parse(value)?;
    let certain = parameter.is_some() || header_is_signed || value == UNSIGNED;
    let lines = match certain {
        true => vec![value.to_owned()],
        false => vec![UNSIGNED.to_owned(), value.to_owned()],
    };
    Ok((payload, lines))
}

fn hoisted(head: &RequestHead<'_>) -> Result<HeaderMap, SignatureError> {
    let mut headers = HeaderMap::new();
    for parameter in head.query.iter() {
        let name = parameter.name.to_ascii_lowercase();
        if !name.starts_with("x-amz-") || MECHANISM.contains(&name.as_str()) {
            continue;
        }
        hoist(head, &mut headers, &name, parameter.value_or_empty())?;
    }
    Ok(headers)
}

/// Adds a query parameter as a header, unless the request has that header with another value.
pub(super) fn hoist(
    head: &RequestHead<'_>,
    headers: &mut HeaderMap,
    name: &str,
    value: &str,
) -> Result<(), SignatureError> {
    let conflict = || SignatureError::ConflictingHeader(name.to_owned());
    let header = HeaderName::try_from(name).map_err(|_| conflict())?;
    let value = HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| conflict())?;
    let mut sent = head
        .headers
        .get_all(&header)
        .iter()
        .chain(headers.get_all(&header));
    if sent.any(|sent| sent != value) {
        return Err(conflict());
    }
    headers.insert(header, value);
    Ok(())
}
