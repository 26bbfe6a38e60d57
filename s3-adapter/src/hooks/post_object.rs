use bucketry_contract::v1::put_object_request::Message;
use bucketry_contract::v1::{Object, PutObjectRequest, PutObjectSpec, TagSet, UpdateObjectRequest};
use http::{HeaderValue, StatusCode, header};

use crate::answer::Answer;
use crate::binding::Call;
use crate::content::{Wrap, content_messages, declared_message};
use crate::error::S3Error;
use crate::exchange::{Exchange, RequestFailure};
use crate::form::{Success, Wishes};
use crate::generated::{ParsedRequest, render_post_object};
use crate::headers::header_value;
use crate::inproc::message_stream;
use crate::intake::MAX_DOCUMENT_BYTES;
use crate::write_condition::require_any;
use crate::xml::{self, XmlWriter};

/// Writes an object from the file of a form. The fields have been judged by their policy.
pub(crate) async fn post_object(
    mut call: Box<Exchange>,
    mut spec: PutObjectSpec,
) -> Result<Answer, RequestFailure> {
    let Some(Wishes { success, tagging }) = call.form.take() else {
        return Err(RequestFailure::with_body(S3Error::internal(), call.intake));
    };
    if let Err(error) = require_any(&call.headers) {
        return Err(RequestFailure::with_body(error, call.intake));
    }
    if let Some(document) = tagging {
        match tag_set(&document) {
            Ok(tags) => spec.attributes.get_or_insert_default().tagging = Some(tags),
            Err(error) => return Err(RequestFailure::with_body(error, call.intake)),
        }
    }
    spec.key = call.target().key().unwrap_or_default().to_owned();
    spec.digests = declared_message(&call.digests);
    let wrap = Wrap {
        chunk: |chunk| message(Message::Chunk(chunk)),
        digests: |digests| message(Message::Digests(digests)),
    };
    let limits = call.limits();
    let first = message(Message::Spec(spec));
    let (messages, lent) = content_messages(first, call.intake.take()?, wrap, limits.body_idle);
    let request = call.request(message_stream(messages));
    let answer = match call.edge.objects.put_object(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return Err(RequestFailure::of_upload(status, lent, &limits).await),
    };
    let rendered = render_post_object(&answer, &call.context());
    let object = answer.object.unwrap_or_default();
    Ok(answered(
        rendered.into(),
        success,
        &object,
        &call.context().resource_url(),
    )?)
}

fn message(message: Message) -> PutObjectRequest {
    PutObjectRequest {
        message: Some(message),
    }
}

/// The tags of the field `tagging`: the document that PutObjectTagging takes.
fn tag_set(document: &str) -> Result<TagSet, S3Error> {
    let root = xml::parse(document.as_bytes(), MAX_DOCUMENT_BYTES)?;
    let mut parsed = ParsedRequest::PutObjectTagging(UpdateObjectRequest::default());
    parsed.read_body(Some(&root))?;
    let tags = match parsed {
        ParsedRequest::PutObjectTagging(request) => request
            .object
            .and_then(|object| object.attributes)
            .and_then(|attributes| attributes.tagging),
        _ => None,
    };
    Ok(tags.unwrap_or_default())
}

/// The answer that the form asks for.
fn answered(
    mut answer: Answer,
    success: Success,
    object: &Object,
    url: &str,
) -> Result<Answer, S3Error> {
    let redirection = success.location(&object.bucket, &object.key, &object.etag);
    let location: Option<HeaderValue> = redirection.or_else(|| header_value(url));
    answer
        .headers
        .insert(header::LOCATION, location.ok_or_else(S3Error::internal)?);
    answer.status = match success {
        Success::Empty(status) => status,
        Success::Redirect(_) => StatusCode::SEE_OTHER,
        Success::Document => {
            let mut document = Answer::xml(StatusCode::CREATED, post_response(object, url));
            document.headers.extend(answer.headers);
            return Ok(document);
        }
    };
    Ok(answer)
}

fn post_response(object: &Object, url: &str) -> bytes::Bytes {
    let mut xml = XmlWriter::document();
    xml.open("PostResponse");
    xml.text_element("Location", url);
    xml.text_element("Bucket", &object.bucket);
    xml.text_element("Key", &object.key);
    xml.text_element("ETag", &format!("\"{}\"", object.etag));
    xml.finish()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use bucketry_contract::adapter::v1::{AuthorizeRequest, SignatureKind};
    use bucketry_contract::v1::{ErrorReason, PutObjectResponse};
    use bytes::Bytes;
    use futures::{StreamExt, stream};
    use http_body::Frame;
    use http_body_util::StreamBody;
    use std::convert::Infallible;
    use std::time::Duration;

    use super::*;
    use crate::fixture::{Bench, SEED, SESSION, Seen, object, refusal};

    const TYPE: (&str, &str) = ("content-type", "multipart/form-data; boundary=b");

    /// Fields of a signed form. Its policy, added when it is sent, allows keys under `u/`, files of 1 to 10 bytes, and
    /// any value of each other field but `x-amz-meta-b`.
    fn signed() -> Vec<(&'static str, String)> {
        vec![
            ("key", "u/${filename}".to_owned()),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
            (
                "x-amz-credential",
                "AK/20130524/us-east-1/s3/aws4_request".to_owned(),
            ),
            ("x-amz-date", "20130524T000000Z".to_owned()),
            ("x-amz-signature", SEED.to_owned()),
        ]
    }

    fn policy(fields: &[(&str, String)]) -> String {
        let open = fields
            .iter()
            .filter(|(name, _)| *name != "key" && *name != "x-amz-meta-b")
            .map(|(name, _)| format!(r#"["starts-with", "${name}", ""]"#));
        let conditions: Vec<String> = open.collect();
        STANDARD.encode(format!(
            r#"{{"expiration": "2999-01-01T00:00:00Z", "conditions": [{{"bucket": "b"}},
            ["starts-with", "$key", "u/"], ["content-length-range", 1, 10], {}]}}"#,
            conditions.join(",")
        ))
    }

    fn with(name: &'static str, value: &str) -> Vec<(&'static str, String)> {
        let mut fields = signed();
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value.to_owned()));
        fields
    }

    fn form(fields: &[(&str, String)], file: &str) -> String {
        let mut form = String::new();
        for (name, value) in fields {
            form.push_str(&format!(
                "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        form.push_str(&format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.txt\"\r\nContent-Type: a/b\r\n\r\n{file}\r\n--b--\r\n"
        ));
        form
    }

    fn bench() -> Bench {
        let bench = Bench::new();
        let object = Some(object("u/x.txt"));
        bench
            .service()
            .answers("PutObject", Ok(PutObjectResponse { object }));
        bench
    }

    async fn send(bench: &Bench, fields: &[(&'static str, String)], file: &str) -> Seen {
        let mut fields = fields.to_vec();
        if fields.len() > 1 && !fields.iter().any(|(name, _)| *name == "Policy") {
            fields.push(("Policy", policy(&fields)));
        }
        bench.send("POST", "/b", &[TYPE], form(&fields, file)).await
    }

    fn authorized(bench: &Bench) -> AuthorizeRequest {
        bench.service().authorized.lock().unwrap()[0].clone()
    }

    #[tokio::test]
    async fn the_file_becomes_an_object() {
        let bench = bench();
        let mut fields = with("x-amz-meta-a", "1");
        fields.push(("Content-Type", "text/plain".to_owned()));
        let tags = "<Tagging><TagSet><Tag><Key>t</Key><Value>v</Value></Tag></TagSet></Tagging>";
        fields.push(("tagging", tags.to_owned()));
        let seen = send(&bench, &fields, "content").await;
        assert_eq!((seen.status.as_u16(), seen.text()), (204, ""), "{seen:?}");
        assert_eq!(
            seen.header("location"),
            Some("http://localhost:9000/b/u/x.txt")
        );
        assert!(seen.header("etag").is_some());
        assert_eq!(
            bench.service().called(),
            [("PutObject", Some(SESSION.to_owned()))]
        );
        let messages: Vec<PutObjectRequest> = bench.service().request();
        let Some(Message::Spec(spec)) = &messages[0].message else {
            panic!("{messages:?}")
        };
        assert_eq!(
            (spec.bucket.as_str(), spec.key.as_str(), spec.content_length),
            ("b", "u/x.txt", None)
        );
        let attributes = spec.attributes.as_ref().unwrap();
        assert_eq!(attributes.content_type, "text/plain");
        assert_eq!(attributes.metadata["a"], "1");
        assert_eq!(attributes.tagging.as_ref().unwrap().tags[0].key, "t");
        let Some(Message::Chunk(chunk)) = &messages[1].message else {
            panic!("{messages:?}")
        };
        assert_eq!((chunk.data.as_ref(), messages.len()), (&b"content"[..], 2));
    }

    #[tokio::test]
    async fn the_service_hears_what_was_signed() {
        let bench = bench();
        send(&bench, &signed(), "content").await;
        let asked = authorized(&bench);
        assert_eq!(
            (asked.rpc.as_str(), asked.operation.as_str()),
            ("PutObject", "PostObject")
        );
        assert_eq!(
            (asked.bucket.as_str(), asked.key.as_str()),
            ("b", "u/x.txt")
        );
        let claim = asked.claim.unwrap();
        assert_eq!(claim.kind(), SignatureKind::V4PostPolicy);
        assert_eq!(claim.canonical_requests, [policy(&signed())]);
        assert_eq!(
            (claim.access_key_id.as_str(), claim.signature.as_str()),
            ("AK", SEED)
        );
    }

    #[tokio::test]
    async fn a_version_2_signature_is_handed_on_as_it_came() {
        let bench = bench();
        let fields = vec![
            ("key", "u/x.txt".to_owned()),
            ("AWSAccessKeyId", "AK".to_owned()),
            ("signature", "no base64!".to_owned()),
        ];
        let seen = send(&bench, &fields, "content").await;
        // The policy of these tests has no end, and that is judged when the service has let the caller in.
        seen.assert_error(403, "AccessDenied");
        assert!(seen.text().contains("within seven days"), "{seen:?}");
        let claim = authorized(&bench).claim.unwrap();
        assert_eq!(claim.kind(), SignatureKind::V2PostPolicy);
        assert_eq!(claim.canonical_requests, [policy(&fields)]);
        assert_eq!(
            (claim.access_key_id.as_str(), claim.signature.as_str()),
            ("AK", "no base64!")
        );
    }

    #[tokio::test]
    async fn answers_as_asked_for() {
        let seen = send(&bench(), &with("success_action_status", "201"), "content").await;
        assert_eq!(seen.status, 201);
        assert_eq!(
            seen.text(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>http://localhost:9000/b/u/x.txt</Location><Bucket>b</Bucket><Key>u/x.txt</Key><ETag>&quot;5eb63bbbe01eeed093cb22bb8f5acdc3&quot;</ETag></PostResponse>"
        );
        let seen = send(
            &bench(),
            &with("success_action_redirect", "https://h/?x=1"),
            "content",
        )
        .await;
        assert_eq!(seen.status, 303);
        assert_eq!(
            seen.header("location"),
            Some(
                "https://h/?x=1&bucket=b&key=u%2Fx.txt&etag=%225eb63bbbe01eeed093cb22bb8f5acdc3%22"
            )
        );
    }

    #[tokio::test]
    async fn nothing_is_asked_of_the_service_before_the_policy_holds() {
        for (fields, file, status, code) in [
            (with("key", "v/x"), "content", 403, "AccessDenied"),
            (with("x-amz-meta-b", "1"), "content", 403, "AccessDenied"),
            (
                with("Policy", "e30="),
                "content",
                400,
                "InvalidPolicyDocument",
            ),
            (
                with("success_action_redirect", "javascript:x"),
                "content",
                400,
                "InvalidArgument",
            ),
            (with("tagging", "<Tagging>"), "content", 400, "MalformedXML"),
            (
                with("x-amz-storage-class", "GLACIER"),
                "content",
                501,
                "NotImplemented",
            ),
            (with("if-none-match", "*"), "content", 501, "NotImplemented"),
        ] {
            let bench = bench();
            let seen = send(&bench, &fields, file).await;
            seen.assert_error(status, code);
            assert!(bench.service().called().is_empty(), "{fields:?}");
        }
    }

    #[tokio::test]
    async fn lengths_are_judged_as_the_file_comes() {
        for (file, code) in [("", "EntityTooSmall"), ("12345678901", "EntityTooLarge")] {
            let bench = bench();
            send(&bench, &signed(), file).await.assert_error(400, code);
        }
    }

    #[tokio::test]
    async fn a_stranger_is_refused_before_the_policy_is_read() {
        let bench = bench();
        bench
            .service()
            .authorizes(Err(refusal(ErrorReason::SignatureDoesNotMatch)));
        let seen = send(&bench, &with("Policy", "e30="), "content").await;
        seen.assert_error(403, "SignatureDoesNotMatch");
        assert_eq!(seen.header("connection"), None);
    }

    #[tokio::test]
    async fn a_form_without_a_policy_is_anonymous() {
        let bench = bench();
        let key = vec![("key", "k".to_owned())];
        assert_eq!(send(&bench, &key, "content").await.status, 204);
        assert_eq!(authorized(&bench).claim, None);
    }

    /// A stranger sends a byte now and then: the fields have one time for all of them.
    #[tokio::test(start_paused = true)]
    async fn fields_that_trickle_are_given_up() {
        let bench = bench();
        let bytes = form(&signed(), "content").into_bytes();
        let pieces = stream::iter(bytes).then(|byte| async move {
            tokio::time::sleep(Duration::from_secs(50)).await;
            Ok::<_, Infallible>(Frame::data(Bytes::from(vec![byte])))
        });
        let before = tokio::time::Instant::now();
        let body = StreamBody::new(Box::pin(pieces));
        let seen = bench.send_body("POST", "/b", &[TYPE], body).await;
        seen.assert_error(400, "RequestTimeout");
        assert!(before.elapsed() < Duration::from_secs(120));
        assert!(bench.service().authorized.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn headers_of_the_request_say_nothing() {
        let bench = bench();
        let headers = [TYPE, ("x-amz-acl", "private")];
        let seen = bench
            .send("POST", "/b", &headers, form(&signed(), "content"))
            .await;
        seen.assert_error(403, "AccessDenied");
        assert!(
            seen.text()
                .contains("<HeadersNotSigned>x-amz-acl</HeadersNotSigned>")
        );
    }
}
