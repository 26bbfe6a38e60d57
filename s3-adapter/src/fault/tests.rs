use super::*;

fn error(reason: ErrorReason, facts: &[(&str, &str)]) -> S3Error {
    let facts = facts
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    errors::status(reason, "said by the service", facts.collect()).into()
}

#[test]
fn every_reason_is_shown_as_its_row_says() {
    for reason in errors::ALL_REASONS {
        let error = error(reason, &[]);
        let row = errors::row(reason);
        assert_eq!(
            (error.code(), error.status().as_u16()),
            (row.s3_code, row.http_status)
        );
        assert!(!error.message().is_empty());
    }
}

#[test]
fn a_signature_mismatch_shows_what_was_signed() {
    let error = error(
        ErrorReason::SignatureDoesNotMatch,
        &[
            ("access_key_id", "AKIA"),
            ("string_to_sign", "AWS4\n"),
            ("signature_provided", "00"),
            ("canonical_request", "GET"),
        ],
    );
    for (element, value) in [
        ("AWSAccessKeyId", "AKIA"),
        ("StringToSign", "AWS4\n"),
        ("StringToSignBytes", "41 57 53 34 0a"),
        ("SignatureProvided", "00"),
        ("CanonicalRequest", "GET"),
        ("CanonicalRequestBytes", "47 45 54"),
    ] {
        assert_eq!(error.element(element), Some(value), "{element}");
    }
}

#[test]
fn arguments_have_the_names_of_s3() {
    let facts = [("field".to_owned(), "source_range".to_owned())];
    let message = "source_range: Range specified is not valid for source object of size: 1";
    let status = errors::status(ErrorReason::InvalidArgument, message, facts.into());
    let error = S3Error::from(status);
    assert_eq!(
        (error.element("ArgumentName"), error.message()),
        (
            Some("x-amz-copy-source-range"),
            "Range specified is not valid for source object of size: 1"
        )
    );
    let token = self::error(ErrorReason::InvalidPageToken, &[("field", "page_token")]);
    assert_eq!(token.element("ArgumentName"), Some("continuation-token"));
}

#[test]
fn times_are_shown_in_iso_8601() {
    let error = error(
        ErrorReason::RequestTimeTooSkewed,
        &[
            ("request_time", "20130524T000000Z"),
            ("server_time_seconds", "1369353600"),
        ],
    );
    assert_eq!(error.element("RequestTime"), Some("20130524T000000Z"));
    assert_eq!(error.element("ServerTime"), Some("2013-05-24T00:00:00Z"));
}

#[test]
fn not_modified_has_its_validators() {
    let error = error(
        ErrorReason::NotModified,
        &[("etag", "abc"), ("modified_seconds", "1369353600")],
    );
    let headers: HashMap<_, _> = error.headers().iter().cloned().collect();
    assert_eq!(headers[&ETAG], "\"abc\"");
    assert_eq!(headers[&LAST_MODIFIED], "Fri, 24 May 2013 00:00:00 GMT");
    assert!(!error.has_body());
}

#[test]
fn a_wrong_region_is_told_in_the_answer() {
    let error = error(
        ErrorReason::AuthorizationHeaderMalformed,
        &[("region", "eu-1")],
    );
    assert_eq!(error.element("Region"), Some("eu-1"));
    assert!(
        error
            .headers()
            .iter()
            .any(|(name, value)| name == BUCKET_REGION && value == "eu-1")
    );
}

#[test]
fn a_status_without_reason_tells_nothing() {
    let error: S3Error = Status::internal("secret detail").into();
    assert_eq!(
        (error.code(), error.status().as_u16()),
        ("InternalError", 500)
    );
    assert!(!error.message().contains("secret"));
    let error: S3Error = Status::unavailable("connection refused to 10.0.0.1").into();
    assert_eq!(
        (error.code(), error.status().as_u16()),
        ("ServiceUnavailable", 503)
    );
    assert!(!error.message().contains("10.0.0.1"));
}
