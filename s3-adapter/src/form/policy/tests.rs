use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_369_353_600;

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).unwrap()
}

fn parse(conditions: &str) -> Result<Policy, PolicyError> {
    parse_document(&format!(
        r#"{{"expiration": "2013-05-24T00:00:01.000Z", "conditions": {conditions}}}"#
    ))
}

fn parse_document(document: &str) -> Result<Policy, PolicyError> {
    Policy::parse(&STANDARD.encode(document))
}

fn judge(conditions: &str, fields: &[(&str, &str)]) -> Result<SizeRange, PolicyError> {
    let fields: Vec<(String, String)> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    parse(conditions)?.judge(&fields, now())
}

fn failed(condition: &str) -> Result<SizeRange, PolicyError> {
    Err(PolicyError::Failed(condition.to_owned()))
}

/// The policy of S3's documentation ("Example: Browser-based upload using HTTP POST").
#[test]
fn published_example() {
    let document = r#"{ "expiration": "2015-12-30T12:00:00.000Z",
          "conditions": [
            {"bucket": "sigv4examplebucket"},
            ["starts-with", "$key", "user/user1/"],
            {"acl": "public-read"},
            {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},
            ["starts-with", "$Content-Type", "image/"],
            {"x-amz-meta-uuid": "14365123651274"},
            {"x-amz-server-side-encryption": "AES256"},
            ["starts-with", "$x-amz-meta-tag", ""],
            {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},
            {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
            {"x-amz-date": "20151229T000000Z" }
          ]
        }"#;
    let fields: Vec<(String, String)> = [
        ("bucket", "sigv4examplebucket"),
        ("key", "user/user1/photo.jpg"),
        ("acl", "public-read"),
        (
            "success_action_redirect",
            "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html",
        ),
        ("content-type", "image/jpeg"),
        ("x-amz-meta-uuid", "14365123651274"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-meta-tag", ""),
        (
            "x-amz-credential",
            "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request",
        ),
        ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
        ("x-amz-date", "20151229T000000Z"),
        ("policy", "…"),
        ("x-amz-signature", "…"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let policy = parse_document(document).unwrap();
    assert_eq!(policy.judge(&fields, now()), Ok(SizeRange::ANY));
}

#[test]
fn equality_and_prefixes() {
    assert!(judge(r#"[{"KEY": "a"}]"#, &[("key", "a")]).is_ok());
    assert!(judge(r#"[["EQ", "$Key", "a"]]"#, &[("key", "a")]).is_ok());
    assert_eq!(
        judge(r#"[{"key": "a"}]"#, &[("key", "A")]),
        failed(r#"["eq", "$key", "a"]"#)
    );
    assert_eq!(
        judge(r#"[{"key": "a"}]"#, &[]),
        failed(r#"["eq", "$key", "a"]"#)
    );
    assert!(judge(r#"[["starts-with", "$key", "u/"]]"#, &[("key", "u/x")]).is_ok());
    assert!(judge(r#"[["starts-with", "$key", ""]]"#, &[("key", "x")]).is_ok());
    assert_eq!(
        judge(r#"[["starts-with", "$key", "u/"]]"#, &[("key", "v/u/")]),
        failed(r#"["starts-with", "$key", "u/"]"#)
    );
    assert_eq!(
        judge(r#"[["starts-with", "$key", ""]]"#, &[]),
        failed(r#"["starts-with", "$key", ""]"#)
    );
    // Every condition on a field must hold.
    assert_eq!(
        judge(
            r#"[["starts-with", "$key", ""], {"key": "b"}]"#,
            &[("key", "a")]
        ),
        failed(r#"["eq", "$key", "b"]"#)
    );
}

#[test]
fn version_2_policies_end_within_seven_days() {
    let policy = parse("[]").unwrap();
    let ends = OffsetDateTime::from_unix_timestamp(NOW + 1).unwrap();
    let days = time::Duration::days(7);
    assert_eq!(policy.check_life_of_v2(ends - days), Ok(()));
    let earlier = ends - days - time::Duration::seconds(1);
    assert_eq!(
        policy.check_life_of_v2(earlier),
        Err(PolicyError::ExpiresTooFarAhead)
    );
}

#[test]
fn content_types_are_lists() {
    let images = r#"[["starts-with", "$Content-Type", "image/"]]"#;
    assert!(judge(images, &[("content-type", "image/png, image/jpeg")]).is_ok());
    assert!(judge(images, &[("content-type", "image/png,text/html")]).is_err());
}

#[test]
fn fields_without_a_condition_are_extra() {
    let fields = [
        ("key", "a"),
        ("x-amz-meta-a", "1"),
        ("bucket", "b"),
        ("policy", "p"),
        ("x-amz-signature", "s"),
        ("awsaccesskeyid", "AK"),
        ("signature", "s"),
        ("x-ignore-me", "i"),
    ];
    assert_eq!(
        judge(r#"[{"key": "a"}, ["content-length-range", 0, 1]]"#, &fields),
        Err(PolicyError::ExtraFields(vec![
            "x-amz-meta-a".into(),
            "bucket".into()
        ]))
    );
    assert!(
        judge(
            r#"[{"key": "a"}, {"bucket": "b"}, ["starts-with", "$x-amz-meta-a", ""]]"#,
            &fields
        )
        .is_ok()
    );
}

#[test]
fn lengths_narrow_each_other() {
    let range = |conditions| judge(conditions, &[]);
    assert_eq!(range("[]"), Ok(SizeRange::ANY));
    assert_eq!(
        range(r#"[["content-length-range", 3, 9]]"#),
        Ok(SizeRange { min: 3, max: 9 })
    );
    assert_eq!(
        range(r#"[["content-length-range", 3, 9], ["content-length-range", 0, 5]]"#),
        Ok(SizeRange { min: 3, max: 5 })
    );
}

#[test]
fn expiry_to_the_second() {
    let at = |expiration: &str| {
        parse_document(&format!(
            r#"{{"expiration": "{expiration}", "conditions": []}}"#
        ))?
        .judge(&[], now())
    };
    assert_eq!(at("2013-05-24T00:00:00Z"), Err(PolicyError::Expired));
    assert!(at("2013-05-24T00:00:01Z").is_ok());
    assert!(at("2013-05-24T00:00:00.001Z").is_ok());
    for text in [
        "",
        "2013-05-24",
        "2013-05-25 00:00:00Z",
        "2013-05-25T00:00:00",
        "2013-05-25T00:00:00+00:00",
        "20130525T000000Z",
        "2013-13-25T00:00:00Z",
    ] {
        assert!(matches!(at(text), Err(PolicyError::Invalid(_))), "{text}");
    }
}

#[test]
fn malformed_policies_name_the_fault() {
    for (document, problem) in [
        (r#"{"conditions": []}"#, "Policy missing expiration."),
        (
            r#"{"EXPIRATION": "x", "conditions": []}"#,
            "Unexpected: 'EXPIRATION'.",
        ),
        (
            r#"{"expiration": "2013-05-25T00:00:00Z"}"#,
            "Policy missing conditions.",
        ),
        (r#"{"expiration": 1, "conditions": []}"#, "not a text"),
        (
            r#"{"expiration": "2013-05-25T00:00:00Z", "conditions": {}}"#,
            "not a list",
        ),
        (
            r#"{"expiration": "2013-05-25T00:00:00Z", "expiration": "2099-05-25T00:00:00Z", "conditions": []}"#,
            "there twice",
        ),
        ("[]", "not a JSON object"),
        ("nonsense", "Invalid JSON"),
    ] {
        let Err(PolicyError::Invalid(found)) = parse_document(document) else {
            panic!("{document}")
        };
        assert!(found.contains(problem), "{document}: {found}");
    }
    assert!(matches!(Policy::parse("!"), Err(PolicyError::Invalid(_))));
    assert!(matches!(
        Policy::parse(&STANDARD.encode(b"\xff")),
        Err(PolicyError::Invalid(_))
    ));
}

#[test]
fn malformed_conditions_name_the_fault() {
    for (conditions, problem) in [
        ("[{}]", "exactly one property"),
        (r#"[{"a": "1", "b": "2"}]"#, "exactly one property"),
        (r#"[{"a": "1", "a": "2"}]"#, "there twice"),
        (r#"[{"success_action_status": 201}]"#, "must be a text"),
        (r#"[["eq", "key", "a"]]"#, "begin with '$'"),
        (r#"[["eq", "$key"]]"#, "two arguments"),
        (r#"[["eq", "$key", 1]]"#, "takes a field and a text"),
        (r#"[["ends-with", "$key", "a"]]"#, "unknown operation"),
        (r#"[["content-length-range", -1, 0]]"#, "no range"),
        (r#"[["content-length-range", 2, 1]]"#, "no range"),
        (r#"[["content-length-range", 0]]"#, "two arguments"),
        (
            r#"[["content-length-range", "0", "1"]]"#,
            "two whole numbers",
        ),
        (
            r#"[["content-length-range", 0, 1.5]]"#,
            "not a whole number",
        ),
        (
            r#"[["content-length-range", 0, 10.0]]"#,
            "not a whole number",
        ),
        (r#"[["content-length-range", 0, 1e400]]"#, "out of range"),
        (r#"["eq"]"#, "an object or a list"),
    ] {
        let Err(PolicyError::Invalid(found)) = parse(conditions) else {
            panic!("{conditions}")
        };
        assert!(found.contains(problem), "{conditions}: {found}");
    }
}

proptest! {
    #[test]
    fn never_panics(text in "\\PC{0,60}", conditions in "[\\[\\]{}\",$a-e0-9:-]{0,60}") {
        let _ = Policy::parse(&text);
        let _ = parse(&conditions);
    }
}
