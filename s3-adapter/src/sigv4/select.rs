//! The choice of exactly one mechanism.

use super::authorization::Components;
use super::canonical::{CanonicalParts, RequestHead, candidates, check_signed_headers};
use super::claim::{Authentication, SigV4Claim, SignatureError, SignatureMode, SigningTime};
use super::payload::PayloadHash;
use super::{form, form_v2, presigned, presigned_v2};
use crate::form::Fields;
use crate::header_names::{X_AMZ_CONTENT_SHA256, X_AMZ_DATE, X_AMZ_SECURITY_TOKEN};
use crate::headers::parse_http_date;
use http::HeaderMap;
use http::header::{AUTHORIZATION, DATE};

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

/// As [`authenticate`], for a form: its fields are the mechanism, and any other beside them is one too many. Its policy
/// covers no headers, so that none of them may say anything.
///
/// # Errors
/// Any [`SignatureError`].
pub(crate) fn authenticate_form(
    head: &RequestHead<'_>,
    fields: &Fields,
) -> Result<Authentication, SignatureError> {
    match authorization_header(head)? {
        AuthorizationHeader::SigV4(_) | AuthorizationHeader::SigV2 => {
            return Err(SignatureError::SeveralMechanisms);
        }
        AuthorizationHeader::Absent | AuthorizationHeader::Foreign(_) => {}
    }
    if presigned::is_used(head.query) || presigned_v2::is_used(head.query) {
        return Err(SignatureError::SeveralMechanisms);
    }
    refuse_session_tokens(head)?;
    let names = head.headers.keys().map(|name| name.as_str());
    let mut unsigned: Vec<String> = names
        .filter(|name| name.starts_with("x-amz-"))
        .map(str::to_owned)
        .collect();
    if !unsigned.is_empty() {
        unsigned.sort();
        return Err(SignatureError::HeadersNotSigned(unsigned));
    }
    authenticate_fields(fields)
}

/// The claim in a form's fields of who signed its policy. A form with neither policy nor signature is anonymous.
///
/// # Errors
/// Any [`SignatureError`].
pub fn authenticate_fields(fields: &Fields) -> Result<Authentication, SignatureError> {
    if fields.get("x-amz-security-token").is_some() {
        return Err(SignatureError::SessionToken);
    }
    if form_v2::is_used(fields) {
        if form::is_used(fields) {
            return Err(SignatureError::SeveralMechanisms);
        }
        return Ok(Authentication::PostPolicyV2(Box::new(form_v2::parse(
            fields,
        )?)));
    }
    match form::parse(fields)? {
        Some(claim) => Ok(Authentication::PostPolicy(Box::new(claim))),
        None => Ok(Authentication::Anonymous {
            payload: PayloadHash::Unsigned,
        }),
    }
}

fn authorization_header<'a>(
    head: &RequestHead<'a>,
) -> Result<AuthorizationHeader<'a>, SignatureError> {
    let mut values = head.headers.get_all(AUTHORIZATION).iter();
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
    let name = &X_AMZ_SECURITY_TOKEN;
    if head.headers.contains_key(name) || head.query.get_ignoring_case(name.as_str()).is_some() {
        return Err(SignatureError::SessionToken);
    }
    Ok(())
}

fn anonymous(head: &RequestHead<'_>) -> Result<Authentication, SignatureError> {
    let payload = match head.headers.get(&X_AMZ_CONTENT_SHA256) {
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
    if !head.headers.contains_key(&X_AMZ_CONTENT_SHA256) {
        return Err(SignatureError::MissingContentSha256);
    }
    let payload_line = head
        .single_header(&X_AMZ_CONTENT_SHA256)
        .ok_or_else(|| SignatureError::InvalidContentSha256(String::new()))?;
    let payload = PayloadHash::parse(payload_line)?;
    check_signed_headers(head, &components.signed_headers, &[])?;
    let signed = CanonicalParts {
        headers: &components.signed_headers,
        payload_lines: (payload_line, None),
    };
    Ok(SigV4Claim {
        canonical_requests: candidates(head, &signed)?,
        access_key_id: components.credential.access_key_id.to_owned(),
        scope,
        signed_at,
        mode: SignatureMode::Header,
        signature: components.signature,
        payload,
        hoisted_headers: HeaderMap::new(),
    })
}

/// `x-amz-date` wins over `Date`, because some HTTP clients cannot set the latter.
fn request_date(head: &RequestHead<'_>) -> Result<SigningTime, SignatureError> {
    let date = if head.headers.contains_key(&X_AMZ_DATE) {
        head.single_header(&X_AMZ_DATE).and_then(SigningTime::parse)
    } else {
        let date = head.single_header(DATE);
        date.and_then(|date| {
            SigningTime::parse(date).or_else(|| SigningTime::from_time(parse_http_date(date)?))
        })
    };
    date.ok_or(SignatureError::InvalidDate)
}

#[cfg(test)]
mod tests {
    use super::super::claim::MalformedPart;
    use super::super::fixture::{EMPTY_SHA256, Fixture};
    use super::*;
    use proptest::prelude::*;

    const SIGNATURE: &str = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    const PRESIGNED: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK/20130524/us-east-1/s3/aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    const PRESIGNED_V2: &str =
        "AWSAccessKeyId=AK&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620";

    fn authorization(signed_headers: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=AK/20130524/us-east-1/s3/aws4_request, SignedHeaders={signed_headers}, Signature={SIGNATURE}"
        )
    }

    fn bare(target: &str) -> Fixture {
        Fixture::new("GET", "h", target)
    }

    fn in_header(signed_headers: &str) -> Fixture {
        bare("/b/k")
            .header("authorization", &authorization(signed_headers))
            .header("x-amz-content-sha256", EMPTY_SHA256)
    }

    fn dated() -> Fixture {
        in_header("host;x-amz-content-sha256;x-amz-date").header("x-amz-date", "20130524T000000Z")
    }

    #[test]
    fn nothing_is_anonymous() {
        let anonymous = |payload| Ok(Authentication::Anonymous { payload });
        assert_eq!(
            bare("/b/k").authenticate(),
            anonymous(PayloadHash::Unsigned)
        );
        let streaming =
            bare("/b/k").header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        assert_eq!(
            streaming.authenticate(),
            anonymous(PayloadHash::StreamingUnsignedTrailer)
        );
        let signed =
            bare("/b/k").header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
        assert_eq!(signed.refused(), SignatureError::UnsignedStreaming);
    }

    #[test]
    fn two_mechanisms_are_refused() {
        let presigned = format!("/b/k?{PRESIGNED}");
        let presigned_v2 = format!("/b/k?{PRESIGNED_V2}");
        for fixture in [
            bare(&presigned).header("authorization", &authorization("host")),
            bare(&presigned).header("authorization", "AWS AK:c2ln"),
            bare(&presigned_v2).header("authorization", &authorization("host")),
            bare(&format!("{presigned}&{PRESIGNED_V2}")),
            dated().header("authorization", &authorization("host")),
        ] {
            assert_eq!(fixture.refused(), SignatureError::SeveralMechanisms);
        }
    }

    #[test]
    fn foreign_schemes_stand_beside_presigned_queries_only() {
        let bearer = |target: &str| bare(target).header("authorization", "Bearer x");
        assert!(bearer(&format!("/b/k?{PRESIGNED}")).authenticate().is_ok());
        assert!(
            bearer(&format!("/b/k?{PRESIGNED_V2}"))
                .authenticate()
                .is_ok()
        );
        let refused = SignatureError::UnsupportedAuthorization("Bearer".into());
        assert_eq!(bearer("/b/k").refused(), refused);
    }

    #[test]
    fn other_aws_mechanisms_are_refused_clearly() {
        let with = |value: &str| bare("/b/k").header("authorization", value).refused();
        assert_eq!(
            with("AWS AK:c2lnbmF0dXJl"),
            SignatureError::SigV2NotSupported
        );
        assert!(matches!(
            with("AWS4-ECDSA-P256-SHA256 x"),
            SignatureError::UnsupportedAlgorithm(_)
        ));
        assert!(matches!(
            with("AWS4-HMAC-SHA512 x"),
            SignatureError::UnsupportedAuthorization(_)
        ));
        assert!(matches!(
            with("AWS4-HMAC-SHA256"),
            SignatureError::MalformedHeader(_)
        ));
    }

    #[test]
    fn session_tokens_are_refused() {
        let token = dated().header("x-amz-security-token", "t");
        assert_eq!(token.refused(), SignatureError::SessionToken);
        let token = bare(&format!("/b/k?{PRESIGNED}&X-Amz-Security-Token=t"));
        assert_eq!(token.refused(), SignatureError::SessionToken);
    }

    #[test]
    fn dates_come_from_either_header() {
        let date = |fixture: Fixture| fixture.claim().signed_at.as_str().to_owned();
        assert_eq!(date(dated()), "20130524T000000Z");
        let names = "date;host;x-amz-content-sha256";
        let http = in_header(names).header("date", "Fri, 24 May 2013 00:00:00 GMT");
        assert_eq!(date(http), "20130524T000000Z");
        assert_eq!(
            in_header("host;x-amz-content-sha256").refused(),
            SignatureError::InvalidDate
        );
        for bad in [
            "",
            "20130524",
            "2013-05-24T00:00:00Z",
            "20131324T000000Z",
            "20130524T000000Z0",
        ] {
            let names = "host;x-amz-content-sha256;x-amz-date";
            let fixture = in_header(names).header("x-amz-date", bad);
            assert_eq!(fixture.refused(), SignatureError::InvalidDate, "{bad}");
        }
        let other_day = in_header("host;x-amz-content-sha256;x-amz-date")
            .header("x-amz-date", "20130525T000000Z");
        let part = MalformedPart::ScopeDate {
            given: "20130524".into(),
            expected: "20130525".into(),
        };
        assert_eq!(other_day.refused(), SignatureError::MalformedHeader(part));
    }

    #[test]
    fn what_must_be_signed() {
        let unsigned = dated()
            .header("x-amz-copy-source", "b/secret")
            .header("x-amz-acl", "public-read");
        let names = vec!["x-amz-acl".to_owned(), "x-amz-copy-source".to_owned()];
        assert_eq!(unsigned.refused(), SignatureError::HeadersNotSigned(names));
        let no_host =
            in_header("x-amz-content-sha256;x-amz-date").header("x-amz-date", "20130524T000000Z");
        assert_eq!(
            no_host.refused(),
            SignatureError::HeadersNotSigned(vec!["host".into()])
        );
        let hash = in_header("host;x-amz-date").header("x-amz-date", "20130524T000000Z");
        let names = vec!["x-amz-content-sha256".to_owned()];
        assert_eq!(hash.refused(), SignatureError::HeadersNotSigned(names));
    }

    #[test]
    fn a_listed_header_that_did_not_come_is_signed_as_empty() {
        let absent = in_header("host;range;x-amz-content-sha256;x-amz-date")
            .header("x-amz-date", "20130524T000000Z");
        assert!(absent.claim().canonical_requests[0].contains("\nhost:h\nrange:\nx-amz"));
    }

    #[test]
    fn the_payload_hash_is_required() {
        let missing = bare("/b/k")
            .header("authorization", &authorization("host;x-amz-date"))
            .header("x-amz-date", "20130524T000000Z");
        assert_eq!(missing.refused(), SignatureError::MissingContentSha256);
        let twice = dated().header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
        assert!(matches!(
            twice.refused(),
            SignatureError::InvalidContentSha256(_)
        ));
    }

    proptest! {
        #[test]
        fn never_panics(value in "\\PC{0,80}", header in "[ -~]{0,80}", query in "[A-Za-z0-9=&/.-]{0,80}") {
            let authorization = format!("AWS4-HMAC-SHA256 {value}");
            let _ = bare("/b/k").header("authorization", &authorization).authenticate();
            let _ = bare("/b/k").header("authorization", &header).authenticate();
            let _ = dated().header("x-amz-content-sha256", &header).authenticate();
            if crate::query::Query::parse(&query).is_ok() {
                let _ = bare(&format!("/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&{query}")).authenticate();
                let _ = bare(&format!("/b/k?Signature=x&{query}")).authenticate();
            }
        }
    }
}
