use bucketry_contract::v1::get_object_response::Message;
use bucketry_contract::v1::{GetObjectRequest, GetObjectResponse, ObjectHeader};
use bytes::Bytes;
use futures::StreamExt;
use http::HeaderMap;
use http::header::RANGE;
use tonic::Status;

use crate::answer::{Answer, BodyBroken, Content};
use crate::binding::Call;
use crate::error::S3Error;
use crate::exchange::{Exchange, RequestFailure};
use crate::generated::render_get_object;
use crate::query::Query;
use crate::sigv4::Authentication;

/// What S3 says of an object whose writer said nothing.
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// Reads an object: the messages become the body as they come.
pub(crate) async fn get_object(
    mut call: Box<Exchange>,
    request: GetObjectRequest,
) -> Result<Answer, RequestFailure> {
    let rpc = call.request(request);
    let mut messages = call.edge.objects.get_object(rpc).await?.into_inner();
    let header = match messages
        .next()
        .await
        .transpose()?
        .and_then(|first| first.message)
    {
        Some(Message::Header(header)) => as_shown(header),
        Some(Message::Chunk(_)) | None => return Err(S3Error::internal().into()),
    };
    let length = u64::try_from(header.content_length).unwrap_or_default();
    let mut answer: Answer = render_get_object(&header, &call.context()).into();
    if length > 0 {
        answer.content = Content::Stream {
            pieces: Box::pin(messages.map(piece)),
            length: Some(length),
        };
    }
    Ok(answer)
}

/// What S3 refuses of a read before it looks for the object.
pub(crate) fn check_read(
    request: &GetObjectRequest,
    headers: &HeaderMap,
    query: &Query,
    authentication: &Authentication,
) -> Result<(), S3Error> {
    if request.part_number != 0 && headers.contains_key(RANGE) {
        return Err(S3Error::invalid_request(
            "Cannot specify both Range header and partNumber query parameter",
        ));
    }
    // Else a link without a signature could make any public object look like something else.
    let anonymous = matches!(authentication, Authentication::Anonymous { .. });
    if anonymous && has_override(query) {
        return Err(S3Error::invalid_request(
            "Request specific response headers cannot be used for anonymous GET requests.",
        ));
    }
    Ok(())
}

fn has_override(query: &Query) -> bool {
    query
        .iter()
        .any(|parameter| parameter.name.starts_with("response-"))
}

/// The headers as S3 returns them: always a media type, and the checksum of what is returned, the object or one part.
pub(super) fn as_shown(mut header: ObjectHeader) -> ObjectHeader {
    let partial = header.content_range.is_some();
    if let Some(object) = &mut header.object {
        let attributes = object.attributes.get_or_insert_default();
        if attributes.content_type.is_empty() {
            attributes.content_type = DEFAULT_CONTENT_TYPE.to_owned();
        }
        match header.range_checksum.take() {
            Some(own) => object.checksum = Some(own),
            None if partial => object.checksum = None,
            None => {}
        }
    }
    header
}

fn piece(message: Result<GetObjectResponse, Status>) -> Result<Bytes, BodyBroken> {
    let broken = |reason: String| {
        tracing::error!(reason, "a download breaks off");
        BodyBroken { reason }
    };
    match message {
        Ok(GetObjectResponse {
            message: Some(Message::Chunk(chunk)),
        }) => Ok(chunk.data),
        Ok(GetObjectResponse {
            message: Some(Message::Header(_)) | None,
        }) => Err(broken("a message without content".to_owned())),
        Err(status) => Err(broken(status.message().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use bucketry_contract::v1::{
        ByteRange, Checksum, ChecksumAlgorithm, ContentRange, ErrorReason, Object,
        ObjectAttributes, ObjectChunk,
    };
    use http_body_util::BodyExt;

    use super::*;
    use crate::fixture::{Bench, object, refusal};

    fn header(object: Object, content_range: Option<ContentRange>, content_length: i64) -> Message {
        Message::Header(ObjectHeader {
            object: Some(object),
            content_range,
            content_length,
            range_checksum: None,
        })
    }

    fn chunk(data: &'static [u8]) -> Message {
        Message::Chunk(ObjectChunk {
            data: Bytes::from_static(data),
            ..ObjectChunk::default()
        })
    }

    fn bench(messages: Vec<Message>) -> Bench {
        let bench = Bench::new();
        let messages = messages.into_iter().map(|message| {
            Ok(GetObjectResponse {
                message: Some(message),
            })
        });
        bench.service().streams(messages.collect());
        bench
    }

    fn with_checksum() -> Object {
        let checksum = Checksum {
            algorithm: ChecksumAlgorithm::Crc32.into(),
            value: Bytes::from_static(&[0x0d, 0x4a, 0x11, 0x85]),
            ..Checksum::default()
        };
        Object {
            checksum: Some(checksum),
            ..object("k")
        }
    }

    #[tokio::test]
    async fn an_object_is_its_headers_and_its_chunks() {
        let attributes = ObjectAttributes {
            metadata: [("colour".to_owned(), "blue".to_owned())].into(),
            ..ObjectAttributes::default()
        };
        let object = Object {
            attributes: Some(attributes),
            ..with_checksum()
        };
        let bench = bench(vec![
            header(object, None, 11),
            chunk(b"hello "),
            chunk(b"world"),
        ]);
        let seen = bench.send("GET", "/b/k", &[], "").await;
        assert_eq!((seen.status.as_u16(), seen.text()), (200, "hello world"));
        for (name, value) in [
            ("content-length", "11"),
            ("content-type", "binary/octet-stream"),
            ("etag", "\"5eb63bbbe01eeed093cb22bb8f5acdc3\""),
            ("last-modified", "Fri, 24 May 2013 00:00:00 GMT"),
            ("accept-ranges", "bytes"),
            ("x-amz-meta-colour", "blue"),
        ] {
            assert_eq!(seen.header(name), Some(value), "{name}");
        }
        assert_eq!(seen.header("x-amz-checksum-crc32"), None);
    }

    #[tokio::test]
    async fn a_checksum_is_shown_when_asked_for_and_of_what_is_shown() {
        let mode = [("x-amz-checksum-mode", "ENABLED")];
        let whole = bench(vec![
            header(with_checksum(), None, 11),
            chunk(b"hello world"),
        ]);
        let seen = whole.send("GET", "/b/k", &mode, "").await;
        assert_eq!(seen.header("x-amz-checksum-crc32"), Some("DUoRhQ=="));
        let range = ContentRange {
            start: 0,
            end: 4,
            size: 11,
        };
        let range = header(with_checksum(), Some(range), 5);
        let seen = bench(vec![range.clone(), chunk(b"hello")])
            .send("GET", "/b/k", &mode, "")
            .await;
        assert_eq!(seen.header("x-amz-checksum-crc32"), None);
        let mut part = range;
        if let Message::Header(header) = &mut part {
            header.range_checksum = Some(Checksum {
                algorithm: ChecksumAlgorithm::Crc32.into(),
                value: Bytes::from_static(&[0x36, 0x10, 0xa6, 0x86]),
                ..Checksum::default()
            });
        }
        let seen = bench(vec![part, chunk(b"hello")])
            .send("GET", "/b/k?partNumber=1", &mode, "")
            .await;
        assert_eq!(seen.header("x-amz-checksum-crc32"), Some("NhCmhg=="));
    }

    #[tokio::test]
    async fn a_range_is_asked_for_and_answered() {
        let range = ContentRange {
            start: 6,
            end: 10,
            size: 11,
        };
        let bench = bench(vec![header(object("k"), Some(range), 5), chunk(b"world")]);
        let seen = bench
            .send("GET", "/b/k", &[("range", "bytes=6-")], "")
            .await;
        assert_eq!((seen.status.as_u16(), seen.text()), (206, "world"));
        assert_eq!(seen.header("content-range"), Some("bytes 6-10/11"));
        let request: GetObjectRequest = bench.service().request();
        assert_eq!(
            request.range,
            Some(ByteRange {
                start: 6,
                end: None
            })
        );
    }

    #[tokio::test]
    async fn ranges_that_s3_ignores_are_ignored() {
        for range in ["bytes=5-1", "bytes=0-1,3-4", "lines=1-2"] {
            let bench = bench(vec![header(object("k"), None, 11), chunk(b"hello world")]);
            let seen = bench.send("GET", "/b/k", &[("range", range)], "").await;
            assert_eq!(seen.status, 200);
            assert_eq!(
                bench.service().request::<GetObjectRequest>().range,
                None,
                "{range}"
            );
        }
    }

    #[tokio::test]
    async fn a_range_and_a_part_are_too_much() {
        let bench = bench(vec![]);
        let seen = bench
            .send("GET", "/b/k?partNumber=1", &[("range", "bytes=0-1")], "")
            .await;
        seen.assert_error(400, "InvalidRequest");
        assert!(bench.service().called().is_empty());
    }

    #[tokio::test]
    async fn only_signed_requests_may_rename_what_they_get() {
        let target = "/b/k?response-content-type=text/html&response-cache-control=no-store";
        let bench = bench(vec![header(object("k"), None, 2), chunk(b"hi")]);
        bench
            .send("GET", target, &[], "")
            .await
            .assert_error(400, "InvalidRequest");
        assert!(bench.service().called().is_empty());
        let seen = bench.send_signed("GET", target, &[], "").await;
        assert_eq!(seen.header("content-type"), Some("text/html"), "{seen:?}");
        assert_eq!(seen.header("cache-control"), Some("no-store"));
    }

    #[tokio::test]
    async fn an_unchanged_object_is_told_by_its_headers_alone() {
        let bench = Bench::new();
        let facts = [("etag", "abc"), ("modified_seconds", "1369353600")];
        let facts = facts
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let status =
            bucketry_contract::errors::status(ErrorReason::NotModified, "not modified", facts);
        bench
            .service()
            .answers::<Vec<Result<GetObjectResponse, Status>>>("GetObject", Err(status));
        let seen = bench
            .send("GET", "/b/k", &[("if-none-match", "\"abc\"")], "")
            .await;
        assert_eq!((seen.status.as_u16(), seen.body.len()), (304, 0));
        assert_eq!(seen.header("etag"), Some("\"abc\""));
        assert_eq!(
            seen.header("last-modified"),
            Some("Fri, 24 May 2013 00:00:00 GMT")
        );
        let precondition = bench.service().request::<GetObjectRequest>().precondition;
        assert_eq!(precondition.unwrap().if_none_match, ["abc"]);
    }

    #[tokio::test]
    async fn a_refusal_may_come_as_the_first_message() {
        let bench = Bench::new();
        bench
            .service()
            .streams(vec![Err(refusal(ErrorReason::NoSuchKey))]);
        bench
            .send("GET", "/b/k", &[], "")
            .await
            .assert_error(404, "NoSuchKey");
    }

    #[tokio::test]
    async fn a_download_that_breaks_off_breaks_the_connection() {
        let bench = Bench::new();
        let first = GetObjectResponse {
            message: Some(header(object("k"), None, 11)),
        };
        bench
            .service()
            .streams(vec![Ok(first), Err(refusal(ErrorReason::DataCorrupt))]);
        let response = bench
            .response("GET", "/b/k", &[], http_body_util::Empty::new())
            .await;
        assert_eq!(response.status(), 200);
        assert!(response.into_body().collect().await.is_err());
    }

    #[tokio::test]
    async fn an_empty_object_has_a_length_and_no_content() {
        let bench = bench(vec![header(object("k"), None, 0)]);
        let seen = bench.send("GET", "/b/k", &[], "").await;
        assert_eq!(
            (seen.header("content-length"), seen.body.len()),
            (Some("0"), 0)
        );
    }
}
