//! The choice of exactly one mechanism.

use super::authorization::Components;
use super::canonical::{RequestHead, Signed, candidates, check_signed_headers};
use super::claim::{AmzDate, Authentication, SigV4Claim, SignatureError, SignatureMode};
use super::payload::PayloadHash;
use super::{presigned, presigned_v2};
use crate::headers::parse_http_date;
use http::HeaderMap;

/// What stands in the `Authorization` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AuthorizationHeader<'a> {
    Absent,
    /// The text after `AWS4-HMAC-SHA256`.
    SigV4(&'a str),
    SigV2,
    /// Another scheme, for example `Bearer`: browsers and proxies add them.
    Foreign(&'a str),
}

/// Finds out who a request says it is from. A request with no mechanism is anonymous; a foreign
/// `Authorization` is tolerated beside a presigned query only.
///
/// # Errors
/// Any [`SignatureError`].
pub fn authenticate(head: &RequestHead<'_>) -> Result<Authentication, SignatureError> {
    let header = authorization_header(head)?;
    let in_header = match header {
        AuthorizationHeader::SigV4(_) | AuthorizationHeader::SigV2 => 1,
        AuthorizationHeader::Absent | AuthorizationHeader::Foreign(_) => 0,
    };
    let presigned = presigned::is_used(head.query);
    let presigned_v2 = presigned_v2::is_used(head.query);
    if in_header + u8::from(presigned) + u8::from(presigned_v2) > 1 {
        return Err(SignatureError::SeveralMechanisms);
    }
    refuse_session_tokens(head)?;
    if presigned {
        return Ok(Authentication::SigV4(Box::new(presigned::parse(head)?)));
    }
    if presigned_v2 {
        return Ok(Authentication::PresignedV2(Box::new(presigned_v2::parse(
            head,
        )?)));
    }
    match header {
        AuthorizationHeader::Absent => anonymous(head),
        AuthorizationHeader::SigV4(text) => {
            Ok(Authentication::SigV4(Box::new(header_claim(head, text)?)))
        }
        AuthorizationHeader::SigV2 => Err(SignatureError::SigV2NotSupported),
        AuthorizationHeader::Foreign(text) => {
            Err(SignatureError::UnsupportedAuthorization(text.to_owned()))
        }
    }
}

fn authorization_header<'a>(
    head: &RequestHead<'a>,
) -> Result<AuthorizationHeader<'a>, SignatureError> {
    let mut values = head.headers.get_all("authorization").iter();
    let Some(value) = values.next() else {
        return Ok(AuthorizationHeader::Absent);
    };
    if values.next().is_some() {
        return Err(SignatureError::SeveralMechanisms);
    }
    let text = value
        .to_str()
        .map_err(|_| SignatureError::UnsupportedAuthorization(String::new()))?;
    let (scheme, rest) = text
        .trim()
        .split_once([' ', '\t'])
        .unwrap_or((text.trim(), ""));
    match scheme {
        "AWS4-HMAC-SHA256" => Ok(AuthorizationHeader::SigV4(rest)),
        "AWS4-ECDSA-P256-SHA256" => Err(SignatureError::UnsupportedAlgorithm(scheme.to_owned())),
        "AWS" => Ok(AuthorizationHeader::SigV2),
        _ if scheme.starts_with("AWS") => {
            Err(SignatureError::UnsupportedAuthorization(scheme.to_owned()))
        }
        // The scheme only: what follows may be a credential for somewhere else.
        _ => Ok(AuthorizationHeader::Foreign(scheme)),
    }
}

fn refuse_session_tokens(head: &RequestHead<'_>) -> Result<(), SignatureError> {
    let name = "x-amz-security-token";
    if head.headers.contains_key(name) || head.query.get_ignoring_case(name).is_some() {
        return Err(SignatureError::SessionToken);
    }
    Ok(())
}

fn anonymous(head: &RequestHead<'_>) -> Result<Authentication, SignatureError> {
    let payload = match head.headers.get("x-amz-content-sha256") {
        None => PayloadHash::Unsigned,
        Some(value) => PayloadHash::parse(&String::from_utf8_lossy(value.as_bytes()))?,
    };
    if payload.has_signed_chunks() {
        return Err(SignatureError::UnsignedStreaming);
    }
    Ok(Authentication::Anonymous { payload })
}

fn header_claim(head: &RequestHead<'_>, text: &str) -> Result<SigV4Claim, SignatureError> {
    let components = Components::parse(text).map_err(SignatureError::MalformedHeader)?;
    let signed_at = request_date(head)?;
    let scope = components
        .credential
        .scope(&signed_at)
        .map_err(SignatureError::MalformedHeader)?;
    if !head.headers.contains_key("x-amz-content-sha256") {
        return Err(SignatureError::MissingContentSha256);
    }
    let payload_line = head
        .single_header("x-amz-content-sha256")
        .ok_or_else(|| SignatureError::InvalidContentSha256(String::new()))?;
    let payload = PayloadHash::parse(payload_line)?;
    check_signed_headers(head, &components.signed_headers, &[])?;
    let lines = [payload_line.to_owned()];
    let signed = Signed {
        headers: &components.signed_headers,
        payload_lines: &lines,
    };
    Ok(SigV4Claim {
        canonical_requests: candidates(head, &signed)?,
        access_key_id: components.credential.access_key_id,
        scope,
        signed_at,
        mode: SignatureMode::Header,
        signed_headers: components.signed_headers,
        signature: components.signature,
        payload,
        hoisted_headers: HeaderMap::new(),
    })
}

/// `x-amz-date` wins over `Date`, because some HTTP clients cannot set the latter.
fn request_date(head: &RequestHead<'_>) -> Result<AmzDate, SignatureError> {
    let date = if head.headers.contains_key("x-amz-date") {
        head.single_header("x-amz-date").and_then(AmzDate::parse)
    } else {
        let date = head.single_header("date");
        date.and_then(|date| {
            AmzDate::parse(date).or_else(|| AmzDate::from_time(parse_http_date(date)?))
        })
    };
    date.ok_or(SignatureError::InvalidDate)
}
