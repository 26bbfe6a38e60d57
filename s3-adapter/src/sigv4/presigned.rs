//! SigV4 in the query.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::authorization::{Credential, parse_signature, parse_signed_headers};
use super::canonical::{CanonicalParts, RequestHead, candidates, check_signed_headers};
use super::claim::{MalformedPart, SigV4Claim, SignatureError, SignatureMode, SigningTime};
use super::payload::PayloadHash;
use crate::header_names::X_AMZ_CONTENT_SHA256;
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
    let signed_at = SigningTime::parse(parameter("X-Amz-Date")?)
        .ok_or_else(|| malformed(MalformedPart::Date))?;
    let expires_seconds = expires(parameter("X-Amz-Expires")?).map_err(malformed)?;
    let scope = credential.scope(&signed_at).map_err(malformed)?;

    check_signed_headers(head, &signed_headers, &["x-amz-content-sha256"])?;
    let hoisted_headers = hoisted(head)?;
    let (payload, payload_lines) = payload(head, &signed_headers)?;
    let signed = CanonicalParts {
        headers: &signed_headers,
        payload_lines,
    };
    let canonical_requests = candidates(head, &signed)?;
    Ok(SigV4Claim {
        access_key_id: credential.access_key_id.to_owned(),
        scope,
        signed_at,
        mode: SignatureMode::Presigned { expires_seconds },
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
fn payload<'a>(
    head: &RequestHead<'a>,
    signed_headers: &[&str],
) -> Result<(PayloadHash, (&'a str, Option<&'a str>)), SignatureError> {
    const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
    let header = match head.headers.contains_key(&X_AMZ_CONTENT_SHA256) {
        false => None,
        true => Some(
            head.single_header(&X_AMZ_CONTENT_SHA256)
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
    let header_is_signed = signed_headers.contains(&X_AMZ_CONTENT_SHA256.as_str());
    let Some(value) = parameter.or(header) else {
        return Ok((PayloadHash::Unsigned, (UNSIGNED, None)));
    };
    let payload = PayloadHash::parse(value)?;
    let certain = parameter.is_some() || header_is_signed || value == UNSIGNED;
    let lines = match certain {
        true => (value, None),
        false => (UNSIGNED, Some(value)),
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

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    const SIGNATURE: &str = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

    fn parameters() -> Vec<(&'static str, String)> {
        vec![
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".into()),
            (
                "X-Amz-Credential",
                "AK/20130524/us-east-1/s3/aws4_request".into(),
            ),
            ("X-Amz-Date", "20130524T000000Z".into()),
            ("X-Amz-Expires", "60".into()),
            ("X-Amz-SignedHeaders", "host".into()),
            ("X-Amz-Signature", SIGNATURE.into()),
        ]
    }

    fn fixture(parameters: &[(&'static str, String)]) -> Fixture {
        let pairs: Vec<String> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Fixture::new("PUT", "h:1", &format!("/b/k?{}", pairs.join("&")))
    }

    fn with(name: &'static str, value: &str) -> Fixture {
        let mut changed = parameters();
        changed.retain(|(known, _)| *known != name);
        changed.push((name, value.into()));
        fixture(&changed)
    }

    #[test]
    fn every_parameter_is_required() {
        for missing in 0..6 {
            let mut fewer = parameters();
            fewer.remove(missing);
            let refused = SignatureError::MalformedQuery(MalformedPart::Components);
            assert_eq!(fixture(&fewer).refused(), refused, "{missing}");
        }
        let lower = Fixture::new("GET", "h", "/b/k?x-amz-signature=x");
        assert!(matches!(lower.refused(), SignatureError::MalformedQuery(_)));
    }

    #[test]
    fn expiry_is_a_plain_number_of_at_most_seven_days() {
        let refused = |value: &str| match with("X-Amz-Expires", value).refused() {
            SignatureError::MalformedQuery(part) => part,
            other => panic!("{other:?}"),
        };
        for value in ["", "1.5", "+5", "%2B5", "5%20", "x", "-", "-x"] {
            assert_eq!(refused(value), MalformedPart::ExpiresNotANumber, "{value}");
        }
        for value in ["0", "-1", "00"] {
            assert_eq!(refused(value), MalformedPart::ExpiresTooSmall, "{value}");
        }
        for value in ["604801", "9223372036854775808", "99999999999999999999"] {
            assert_eq!(refused(value), MalformedPart::ExpiresTooLarge, "{value}");
        }
        let longest = SignatureMode::Presigned {
            expires_seconds: 604_800,
        };
        assert_eq!(with("X-Amz-Expires", "604800").claim().mode, longest);
    }

    #[test]
    fn other_algorithms_are_refused() {
        let asymmetric = with("X-Amz-Algorithm", "AWS4-ECDSA-P256-SHA256").refused();
        assert!(matches!(
            asymmetric,
            SignatureError::UnsupportedAlgorithm(_)
        ));
        let unknown = with("X-Amz-Algorithm", "AWS4-HMAC-SHA512").refused();
        assert_eq!(
            unknown,
            SignatureError::MalformedQuery(MalformedPart::Algorithm)
        );
        assert_eq!(
            with("X-Amz-Date", "now").refused(),
            SignatureError::MalformedQuery(MalformedPart::Date)
        );
    }

    #[test]
    fn added_headers_are_refused() {
        for name in [
            "x-amz-copy-source",
            "x-amz-acl",
            "x-amz-tagging",
            "x-amz-meta-x",
            "x-amz-website-redirect-location",
            "x-amz-object-lock-mode",
            "x-amz-bypass-governance-retention",
        ] {
            let refused = fixture(&parameters()).header(name, "v").refused();
            assert_eq!(refused, SignatureError::HeadersNotSigned(vec![name.into()]));
        }
        assert!(
            fixture(&parameters())
                .header("range", "bytes=0-1")
                .authenticate()
                .is_ok()
        );
    }

    #[test]
    fn query_parameters_act_as_headers() {
        let mut hoisting = parameters();
        hoisting.push(("x-amz-acl", "private".into()));
        hoisting.push(("X-Amz-Meta-A", "b%20c".into()));
        let claim = fixture(&hoisting).claim();
        assert_eq!(claim.hoisted_headers.len(), 2);
        assert_eq!(claim.hoisted_headers["x-amz-acl"], "private");
        assert_eq!(claim.hoisted_headers["x-amz-meta-a"], "b c");
        hoisting.retain(|(name, _)| *name != "X-Amz-SignedHeaders");
        hoisting.push(("X-Amz-SignedHeaders", "host;x-amz-acl".into()));
        assert!(
            fixture(&hoisting)
                .header("x-amz-acl", "private")
                .authenticate()
                .is_ok()
        );
        let conflict = fixture(&hoisting)
            .header("x-amz-acl", "public-read")
            .refused();
        assert_eq!(
            conflict,
            SignatureError::ConflictingHeader("x-amz-acl".into())
        );
        hoisting.push(("x-amz-meta-a", "other".into()));
        let conflict = fixture(&hoisting).header("x-amz-acl", "private").refused();
        assert_eq!(
            conflict,
            SignatureError::ConflictingHeader("x-amz-meta-a".into())
        );
    }

    #[test]
    fn the_payload_comes_from_query_header_or_neither() {
        let last_lines = |fixture: &Fixture| -> Vec<String> {
            let canonical = fixture.claim().canonical_requests;
            canonical
                .iter()
                .map(|text| text.rsplit('\n').next().unwrap().to_owned())
                .collect()
        };
        let hash = "0".repeat(64);
        let plain = fixture(&parameters());
        assert_eq!(last_lines(&plain), ["UNSIGNED-PAYLOAD"]);
        let in_header = plain.clone().header("x-amz-content-sha256", &hash);
        assert_eq!(last_lines(&in_header), ["UNSIGNED-PAYLOAD", &hash]);
        assert_eq!(in_header.claim().payload, PayloadHash::Hex([0; 32]));
        let in_query = with("X-Amz-Content-Sha256", &hash);
        assert_eq!(last_lines(&in_query), [hash.as_str()]);
        assert_eq!(in_query.claim().hoisted_headers.len(), 0);
        let conflict = in_query
            .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
            .refused();
        assert!(matches!(conflict, SignatureError::ConflictingHeader(_)));
    }
}
