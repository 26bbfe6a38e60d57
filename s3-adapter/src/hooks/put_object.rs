use bucketry_contract::v1::put_object_request::Message;
use bucketry_contract::v1::{PutObjectRequest, PutObjectSpec};

use crate::answer::Answer;
use crate::binding::Call;
use crate::binding::decode::contract_algorithm;
use crate::checksum::ChecksumLocation;
use crate::content::{Wrap, content_messages, declared_message};
use crate::exchange::{Exchange, RequestFailure};
use crate::generated::render_put_object;
use crate::inproc::message_stream;

/// Writes an object: the body becomes messages as it comes, and is never gathered.
pub(crate) async fn put_object(
    mut call: Box<Exchange>,
    mut spec: PutObjectSpec,
) -> Result<Answer, RequestFailure> {
    spec.content_length = call.content_length;
    spec.digests = declared_message(&call.digests);
    if let ChecksumLocation::Trailer(algorithm) = call.digests.checksum {
        spec.checksum_algorithm = contract_algorithm(algorithm).into();
    }
    let wrap = Wrap {
        chunk: |chunk| message(Message::Chunk(chunk)),
        digests: |digests| message(Message::Digests(digests)),
    };
    let limits = call.limits();
    let first = message(Message::Spec(spec));
    let (messages, lent) = content_messages(first, call.intake.take()?, wrap, limits.body_idle);
    let request = call.request(message_stream(messages));
    match call.edge.objects.put_object(request).await {
        Ok(answer) => Ok(render_put_object(answer.get_ref(), &call.context()).into()),
        Err(status) => Err(RequestFailure::of_upload(status, lent, &limits).await),
    }
}

fn message(message: Message) -> PutObjectRequest {
    PutObjectRequest {
        message: Some(message),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use bucketry_contract::adapter::v1::AuthorizeResponse;
    use bucketry_contract::v1::{
        Checksum, ChecksumAlgorithm, ChecksumType, ErrorReason, Object, PutObjectResponse,
    };
    use bytes::Bytes;
    use futures::{StreamExt, stream};
    use hmac::{Hmac, KeyInit, Mac};
    use http_body::Frame;
    use http_body_util::StreamBody;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::fixture::{Bench, SEED, SESSION, object, refusal};

    const HELLO_CRC32: &str = "DUoRhQ==";
    const KEY: [u8; 32] = [7; 32];

    fn bench() -> Bench {
        let bench = Bench::new();
        let checksum = Checksum {
            algorithm: ChecksumAlgorithm::Crc32.into(),
            value: Bytes::from_static(&[0x0d, 0x4a, 0x11, 0x85]),
            r#type: ChecksumType::FullObject.into(),
            part_count: 0,
        };
        let written = Object {
            checksum: Some(checksum),
            version_id: "v1".into(),
            ..object("k")
        };
        bench.service().answers(
            "PutObject",
            Ok(PutObjectResponse {
                object: Some(written),
            }),
        );
        bench
    }

    fn messages(bench: &Bench) -> Vec<Message> {
        let messages: Vec<PutObjectRequest> = bench.service().request();
        messages
            .into_iter()
            .map(|message| message.message.unwrap())
            .collect()
    }

    fn spec(bench: &Bench) -> PutObjectSpec {
        match messages(bench).remove(0) {
            Message::Spec(spec) => spec,
            other => panic!("{other:?}"),
        }
    }

    /// Offsets and data of the chunks.
    fn chunks(bench: &Bench) -> Vec<(i64, Bytes)> {
        let chunks = messages(bench)
            .into_iter()
            .filter_map(|message| match message {
                Message::Chunk(chunk) => Some((chunk.offset, chunk.data)),
                Message::Spec(_) | Message::Digests(_) => None,
            });
        chunks.collect()
    }

    #[tokio::test]
    async fn the_body_becomes_messages_and_the_object_headers() {
        let bench = bench();
        let headers = [
            ("content-type", "text/plain"),
            ("x-amz-meta-colour", "blue"),
            ("x-amz-tagging", "a=1&b=%20"),
            ("if-none-match", "*"),
        ];
        let seen = bench
            .send_signed("PUT", "/b/k", &headers, "hello world")
            .await;
        assert_eq!((seen.status.as_u16(), seen.text()), (200, ""), "{seen:?}");
        assert_eq!(
            seen.header("etag"),
            Some("\"5eb63bbbe01eeed093cb22bb8f5acdc3\"")
        );
        assert_eq!(seen.header("x-amz-checksum-crc32"), Some(HELLO_CRC32));
        assert_eq!(seen.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
        assert_eq!(seen.header("x-amz-version-id"), Some("v1"));
        let spec = spec(&bench);
        assert_eq!(
            (spec.bucket.as_str(), spec.key.as_str(), spec.content_length),
            ("b", "k", Some(11))
        );
        let attributes = spec.attributes.unwrap();
        assert_eq!(
            (
                attributes.content_type.as_str(),
                attributes.metadata["colour"].as_str()
            ),
            ("text/plain", "blue")
        );
        assert_eq!(attributes.tagging.unwrap().tags.len(), 2);
        assert_eq!(spec.precondition.unwrap().if_none_match, ["*"]);
        assert_eq!(chunks(&bench), [(0, Bytes::from_static(b"hello world"))]);
        assert_eq!(
            bench.service().called(),
            [("PutObject", Some(SESSION.to_owned()))]
        );
    }

    #[tokio::test]
    async fn digests_that_are_known_before_go_with_the_spec() {
        let bench = bench();
        let sha256 = hex::encode(Sha256::digest(b"hello world"));
        let headers = [
            ("content-md5", "XrY7u+Ae7tCTyyK7j1rNww=="),
            ("x-amz-content-sha256", sha256.as_str()),
            ("x-amz-checksum-crc32", HELLO_CRC32),
        ];
        let seen = bench
            .send_signed("PUT", "/b/k", &headers, "hello world")
            .await;
        assert_eq!(seen.status, 200, "{seen:?}");
        let digests = spec(&bench).digests.unwrap();
        assert_eq!(digests.md5.len(), 16);
        assert_eq!(hex::encode(digests.sha256), sha256);
        assert_eq!(
            digests.checksum.unwrap().algorithm(),
            ChecksumAlgorithm::Crc32
        );
    }

    #[tokio::test]
    async fn a_trailer_becomes_the_last_message() {
        let bench = bench();
        let body = format!("b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:{HELLO_CRC32}\r\n\r\n");
        let headers = [
            ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
            ("x-amz-decoded-content-length", "11"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
            ("x-amz-sdk-checksum-algorithm", "CRC32"),
            ("content-encoding", "aws-chunked"),
        ];
        let seen = bench.send_signed("PUT", "/b/k", &headers, body).await;
        assert_eq!(seen.status, 200, "{seen:?}");
        let spec = spec(&bench);
        assert_eq!(spec.content_length, Some(11));
        assert_eq!(spec.checksum_algorithm(), ChecksumAlgorithm::Crc32);
        assert_eq!(spec.attributes.unwrap_or_default().content_encoding, "");
        assert_eq!(chunks(&bench), [(0, Bytes::from_static(b"hello world"))]);
        match messages(&bench).pop() {
            Some(Message::Digests(digests)) => {
                assert_eq!(
                    digests.checksum.unwrap().value,
                    [0x0d, 0x4a, 0x11, 0x85][..]
                );
            }
            other => panic!("{other:?}"),
        }
    }

    /// One chunk and the last, signed in a chain that begins with the request's own signature.
    fn signed_body(data: &[u8]) -> String {
        let mut previous = SEED.to_owned();
        let mut body = String::new();
        for data in [data, b""] {
            let empty = hex::encode(Sha256::digest(b""));
            let hash = hex::encode(Sha256::digest(data));
            let scope = "20130524/us-east-1/s3/aws4_request";
            let text = format!(
                "AWS4-HMAC-SHA256-PAYLOAD\n20130524T000000Z\n{scope}\n{previous}\n{empty}\n{hash}"
            );
            let mut mac = Hmac::<Sha256>::new_from_slice(&KEY).unwrap();
            mac.update(text.as_bytes());
            previous = hex::encode(mac.finalize().into_bytes());
            let text = String::from_utf8_lossy(data);
            body.push_str(&format!(
                "{:x};chunk-signature={previous}\r\n{text}\r\n",
                data.len()
            ));
        }
        body
    }

    #[tokio::test]
    async fn signed_chunks_are_verified_with_the_key_of_the_day() {
        let headers = [
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            ("x-amz-decoded-content-length", "11"),
        ];
        let good = signed_body(b"hello world");
        let bad = good.replace("hello", "hullo");
        for (body, status) in [(good, 200), (bad, 403)] {
            let bench = bench();
            let chunk_signing_key = Bytes::copy_from_slice(&KEY);
            bench.service().authorizes(Ok(AuthorizeResponse {
                session: SESSION.into(),
                chunk_signing_key,
                ..AuthorizeResponse::default()
            }));
            let seen = bench.send_signed("PUT", "/b/k", &headers, body).await;
            assert_eq!(seen.status, status, "{seen:?}");
            assert!(bench.service().authorized.lock().unwrap()[0].chunk_signed);
            if status == 403 {
                seen.assert_error(403, "SignatureDoesNotMatch");
            } else {
                assert_eq!(chunks(&bench), [(0, Bytes::from_static(b"hello world"))]);
            }
        }
    }

    #[tokio::test]
    async fn a_length_is_needed() {
        let body = || http_body_util::Full::new(Bytes::from_static(b"hello world"));
        let chunked = [("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")];
        for headers in [&[][..], &chunked] {
            let bench = bench();
            let seen = bench.send_body("PUT", "/b/k", headers, body()).await;
            seen.assert_error(411, "MissingContentLength");
            assert!(bench.service().called().is_empty());
        }
    }

    #[tokio::test]
    async fn a_short_body_is_incomplete() {
        let bench = bench();
        let body = http_body_util::Full::new(Bytes::from_static(b"hello"));
        let seen = bench
            .send_body("PUT", "/b/k", &[("content-length", "11")], body)
            .await;
        seen.assert_error(400, "IncompleteBody");
    }

    #[tokio::test]
    async fn the_service_may_refuse_before_the_body_has_come() {
        let bench = Bench::new();
        bench
            .service()
            .answers::<PutObjectResponse>("PutObject", Err(refusal(ErrorReason::NoSuchBucket)));
        let pieces =
            (0..100).map(|_| Ok::<_, Infallible>(Frame::data(Bytes::from(vec![0; 64 * 1024]))));
        let body = StreamBody::new(stream::iter(pieces));
        let seen = bench
            .send_body("PUT", "/b/k", &[("content-length", "6553600")], body)
            .await;
        seen.assert_error(404, "NoSuchBucket");
        assert_eq!(seen.header("connection"), Some("close"));
        assert_eq!(messages(&bench).len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stands_still_is_given_up() {
        let bench = bench();
        let first = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(
            b"hello",
        )))]);
        let body = StreamBody::new(first.chain(stream::pending()));
        let before = tokio::time::Instant::now();
        let seen = bench
            .send_body("PUT", "/b/k", &[("content-length", "11")], body)
            .await;
        seen.assert_error(400, "RequestTimeout");
        assert_eq!(seen.header("connection"), Some("close"));
        assert!(before.elapsed() >= Duration::from_secs(60));
    }

    #[tokio::test]
    async fn large_pieces_are_cut_and_others_are_not() {
        let bench = bench();
        let size = 5 << 20;
        let seen = bench.send("PUT", "/b/k", &[], vec![1; size]).await;
        assert_eq!(seen.status, 200);
        let chunks = chunks(&bench);
        let places: Vec<(i64, usize)> = chunks
            .iter()
            .map(|(offset, data)| (*offset, data.len()))
            .collect();
        assert_eq!(
            places,
            [(0, 2 << 20), (2 << 20, 2 << 20), (4 << 20, 1 << 20)]
        );
    }
}
