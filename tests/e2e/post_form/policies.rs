//! Lines 38 and 59 of the adversarial checklist: what a policy allows, and nothing else.

use std::time::{Duration, SystemTime};

use bucketry_tests::cluster::SkewedClock;
use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::Response;
use bucketry_tests::postgres;
use bucketry_tests::server::ServerOptions;
use serde_json::json;

use super::form::Form;
use super::{assert_not_stored, message};
use crate::wire::{BUCKET, Wire, refusal, refused};

fn send(wire: &Wire, form: Form) -> Result<Response, HarnessError> {
    wire.send(form.signed(&wire.signer))
}

/// A form for the key `k` that nothing is wrong with.
fn good() -> Form {
    Form::new("k").file("x", b"content")
}

/// That the form is refused for its policy, and with which words.
fn assert_denied(wire: &Wire, form: Form, words: &str) -> Result<(), HarnessError> {
    let answer = send(wire, form)?;
    assert_eq!(refusal(&answer), refused(403, "AccessDenied"));
    assert!(message(&answer).contains(words), "{}", answer.text());
    assert_not_stored(wire, "k")
}

fn assert_invalid(wire: &Wire, form: Form, words: &str) -> Result<(), HarnessError> {
    let answer = send(wire, form)?;
    assert_eq!(
        refusal(&answer),
        refused(400, "InvalidPolicyDocument"),
        "{words}"
    );
    assert!(message(&answer).contains(words), "{}", answer.text());
    assert_not_stored(wire, "k")
}

#[tokio::test]
async fn a_missing_or_malformed_expiration_is_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let without = good().policy(r#"{"conditions": []}"#);
    assert_invalid(&wire, without, "Policy missing expiration.")?;
    let misspelled = good().policy(r#"{"EXPIRATION": "2999-01-01T00:00:00Z", "conditions": []}"#);
    assert_invalid(&wire, misspelled, "EXPIRATION")?;
    let unconditional = good().policy(r#"{"expiration": "2999-01-01T00:00:00Z"}"#);
    assert_invalid(&wire, unconditional, "Policy missing conditions.")?;
    for expiration in [
        json!("tomorrow"),
        json!("2999-01-01 00:00:00+00:00"),
        json!(4_102_444_800_i64),
    ] {
        assert_invalid(&wire, good().expiration(expiration), "expiration")?;
    }
    Ok(())
}

#[tokio::test]
async fn an_expired_policy_is_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let past = SystemTime::now() - Duration::from_secs(2);
    assert_denied(&wire, good().expires_at(past), "Policy expired.")
}

#[tokio::test]
async fn a_policy_expires_by_the_clock_of_the_database() -> Result<(), HarnessError> {
    const TEN_MINUTES: Duration = Duration::from_secs(600);
    for ahead in [-1200, 1200] {
        let clock = SkewedClock::new()?;
        clock.set(ahead)?;
        let url = postgres::create_database().await?;
        let options = clock.of(ServerOptions::new().database_url(&url));
        let wire = Wire::with(options).await?;
        let past = good().expires_at(SystemTime::now() - TEN_MINUTES);
        assert_denied(&wire, past, "Policy expired.")?;
        let soon = good().expires_at(SystemTime::now() + TEN_MINUTES);
        assert_eq!(send(&wire, soon)?.status, 204);
    }
    Ok(())
}

#[tokio::test]
async fn another_bucket_is_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let other = good()
        .without_bucket()
        .condition(json!({"bucket": "another-bucket"}));
    assert_denied(&wire, other, "$bucket")?;
    assert_denied(&wire, good().without_bucket(), "Extra input fields: bucket")?;
    // The form may name its bucket, as some SDKs do, but no other.
    assert_eq!(send(&wire, good().loose("bucket", BUCKET))?.status, 204);
    let lie = send(&wire, good().loose("bucket", "another-bucket"))?;
    assert_eq!(refusal(&lie), refused(400, "InvalidArgument"));
    Ok(())
}

#[tokio::test]
async fn a_key_that_does_not_match_is_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    assert_denied(
        &wire,
        good().condition(json!({"key": "K"})),
        r#"[&quot;eq&quot;, &quot;$key&quot;, &quot;K&quot;]"#,
    )?;
    assert_denied(&wire, good().open("key", "u/"), "starts-with")?;
    // The name of the file cannot lead out of the prefix unseen.
    let elsewhere = Form::new("${filename}").open("key", "u/").file("k", b"1");
    assert_denied(&wire, elsewhere, "starts-with")?;
    let missing = Form::new("k").file("x", b"1");
    let answer = wire.send(missing.signed_but(&wire.signer, "key", None))?;
    assert_eq!(refusal(&answer), refused(400, "InvalidArgument"));
    assert_eq!(answer.element("ArgumentName").as_deref(), Some("key"));
    for (key, code) in [
        ("", "InvalidArgument"),
        ("x".repeat(1025).as_str(), "KeyTooLongError"),
    ] {
        let answer = send(&wire, Form::new(key).file("x", b"1"))?;
        assert_eq!(refusal(&answer), refused(400, code));
    }
    Ok(())
}

#[tokio::test]
async fn a_field_without_a_condition_is_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    assert_denied(
        &wire,
        good().loose("x-amz-meta-a", "1"),
        "Extra input fields: x-amz-meta-a",
    )?;
    assert_denied(
        &wire,
        good().loose("submit", "Upload"),
        "Extra input fields: submit",
    )?;
    assert_denied(
        &wire,
        good().condition(json!({"x-amz-meta-a": "1"})),
        "$x-amz-meta-a",
    )?;
    assert_eq!(send(&wire, good().loose("x-ignore-me", "1"))?.status, 204);
    Ok(())
}

#[tokio::test]
async fn content_lengths_are_checked_to_the_byte() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let of = |length: usize, range: (u64, u64)| {
        let form = Form::new("k").condition(json!(["content-length-range", range.0, range.1]));
        send(&wire, form.file("x", &vec![b'x'; length]))
    };
    for (length, range, expected) in [
        (9, (10, 20), (400, "EntityTooSmall")),
        (21, (10, 20), (400, "EntityTooLarge")),
        (1, (0, 0), (400, "EntityTooLarge")),
        (1_000_000, (0, 999_999), (400, "EntityTooLarge")),
    ] {
        let answer = of(length, range)?;
        assert_eq!(
            refusal(&answer),
            refused(expected.0, expected.1),
            "{length}"
        );
        assert_not_stored(&wire, "k")?;
    }
    for length in [10, 20] {
        assert_eq!(of(length, (10, 20))?.status, 204);
    }
    assert_eq!(of(0, (0, 0))?.status, 204);
    Ok(())
}

#[tokio::test]
async fn field_names_match_in_any_case() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let form = Form::new("k")
        .loose("X-AMZ-Meta-Foo", "bar")
        .condition(json!(["EQ", "$x-amz-META-foo", "bar"]));
    assert_eq!(send(&wire, form.file("x", b"1"))?.status, 204);
    assert_eq!(wire.get("k")?.find("x-amz-meta-foo"), Some("bar"));
    Ok(())
}

#[tokio::test]
async fn an_empty_prefix_matches_anything() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for value in ["", "anything"] {
        let form = Form::new("k")
            .open_field("x-amz-meta-a", "", value)
            .file("x", b"1");
        assert_eq!(send(&wire, form)?.status, 204, "{value:?}");
    }
    // A field that is not there does not begin with anything.
    let absent = Form::new("absent").condition(json!(["starts-with", "$x-amz-meta-a", ""]));
    let answer = send(&wire, absent.file("x", b"1"))?;
    assert_eq!(refusal(&answer), refused(403, "AccessDenied"));
    Ok(())
}

#[tokio::test]
async fn repeated_fields_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for (name, value) in [
        ("key", "k2"),
        ("KEY", "k"),
        ("policy", "e30="),
        ("x-amz-date", "20130524T000000Z"),
        ("bucket", "b"),
    ] {
        let form = match name {
            "bucket" => good().loose("bucket", BUCKET).loose("Bucket", value),
            _ => good(),
        };
        // Behind the signature, so that whoever fills in the form has added it.
        let mut request = form.signed(&wire.signer);
        let again = format!(
            "Content-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n--{}\r\n",
            super::BOUNDARY
        );
        let text = String::from_utf8_lossy(&request.body).into_owned();
        request.body = text
            .replacen(
                "Content-Disposition: form-data; name=\"file\"",
                &format!("{again}Content-Disposition: form-data; name=\"file\""),
                1,
            )
            .into_bytes();
        request.headers.retain(|(name, _)| name != "content-length");
        let length = request.body.len().to_string();
        let answer = wire.send(request.header("content-length", &length))?;
        assert_eq!(refusal(&answer), refused(400, "InvalidArgument"), "{name}");
        assert!(
            message(&answer).contains("more than once"),
            "{}",
            answer.text()
        );
    }
    let aliases = good().field("acl", "private").field("x-amz-acl", "private");
    assert_eq!(
        refusal(&send(&wire, aliases)?),
        refused(400, "InvalidArgument")
    );
    assert_not_stored(&wire, "k")
}

/// What stands behind the file was not there when the form was judged.
#[tokio::test]
async fn fields_after_the_file_do_not_count() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let answer = send(&wire, good().file_first())?;
    assert_eq!(refusal(&answer), refused(400, "InvalidArgument"));
    assert_eq!(answer.element("ArgumentName").as_deref(), Some("key"));
    // The key of the answer is that of the field before the file; the other one means nothing.
    assert_eq!(
        send(
            &wire,
            good()
                .after_file("key", "other")
                .after_file("x-amz-meta-a", "1")
        )?
        .status,
        204
    );
    assert_not_stored(&wire, "other")?;
    assert_eq!(wire.get("k")?.find("x-amz-meta-a"), None);
    Ok(())
}

#[tokio::test]
async fn two_files_or_none_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let answer = send(&wire, good().file("y", b"second"))?;
    assert_eq!(
        refusal(&answer),
        refused(400, "IncorrectNumberOfFilesInPostRequest")
    );
    assert_not_stored(&wire, "k")?;
    let answer = send(&wire, Form::new("k"))?;
    assert_eq!(refusal(&answer), refused(400, "InvalidArgument"));
    assert_eq!(answer.element("ArgumentName").as_deref(), Some("file"));
    Ok(())
}

#[tokio::test]
async fn too_many_and_too_long_fields_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut many = good();
    for number in 0..10_000 {
        many = many.loose(&format!("x-ignore-{number}"), "");
    }
    let long = good().loose("x-ignore-a", &"x".repeat(20 * 1024));
    let head = good().loose(&format!("x-ignore-{}", "y".repeat(9000)), "");
    for (form, code) in [
        (many, "MaxPostPreDataLengthExceededError"),
        (long, "MaxPostPreDataLengthExceededError"),
        (head, "MalformedPOSTRequest"),
    ] {
        assert_eq!(refusal(&send(&wire, form)?), refused(400, code));
    }
    assert_not_stored(&wire, "k")
}

#[tokio::test]
async fn unsigned_and_unsafe_redirections_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let evil = good().loose("success_action_redirect", "https://evil.example/");
    assert_denied(&wire, evil, "Extra input fields: success_action_redirect")?;
    let other = good()
        .loose("redirect", "https://evil.example/")
        .condition(json!({"redirect": "https://good.example/"}));
    assert_denied(&wire, other, "$redirect")?;
    for url in [
        "javascript:alert(1)",
        "//evil.example/",
        "http://a\r\nset-cookie: x=y",
        "http://a b/",
    ] {
        let form = good().field("success_action_redirect", url);
        assert_eq!(
            refusal(&send(&wire, form)?),
            refused(400, "InvalidArgument"),
            "{url}"
        );
    }
    assert_not_stored(&wire, "k")
}

#[tokio::test]
async fn odd_numbers_and_repeated_keys_in_a_policy() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for (range, words) in [
        ("0, 10.5", "not a whole number"),
        ("0, 10.0", "not a whole number"),
        ("0, 1e400", "out of range"),
        ("0, 1e1", "not a whole number"),
        ("0, 99999999999999999999", "not a whole number"),
        ("-1, 10", "no range"),
        ("10, 0", "no range"),
        (r#""0", "10""#, "two whole numbers"),
    ] {
        let document = good().document();
        let with_range =
            document.replacen("[", &format!(r#"[["content-length-range", {range}], "#), 1);
        assert_invalid(&wire, good().policy(&with_range), words)?;
    }
    let twice = good()
        .document()
        .replacen('{', r#"{"expiration": "2000-01-01T00:00:00Z", "#, 1);
    assert_invalid(&wire, good().policy(&twice), "is there twice")?;
    let twice =
        good()
            .document()
            .replacen("[", r#"[{"acl": "private", "acl": "public-read"}, "#, 1);
    assert_invalid(&wire, good().policy(&twice), "is there twice")
}

#[tokio::test]
async fn policies_that_are_no_documents() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for (document, words) in [
        ("", "Invalid JSON"),
        ("[]", "not a JSON object"),
        (
            r#"{"expiration": "2999-01-01T00:00:00Z", "conditions": [{}]}"#,
            "exactly one property",
        ),
        (
            r#"{"expiration": "2999-01-01T00:00:00Z", "conditions": [["ends-with", "$key", "k"]]}"#,
            "unknown operation",
        ),
    ] {
        assert_invalid(&wire, good().policy(document), words)?;
    }
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let answer = send(&wire, good().policy(&deep))?;
    assert_eq!(answer.status, 400, "{}", answer.text());
    Ok(())
}
