use bucketry_contract::v1::upload_part_request::Message;
use bucketry_contract::v1::{UploadPartRequest, UploadPartSpec};

use crate::answer::Answer;
use crate::binding::Call;
use crate::binding::decode::contract_algorithm;
use crate::checksum::ChecksumLocation;
use crate::content::{Wrap, content_messages, declared_message};
use crate::exchange::{Exchange, RequestFailure};
use crate::generated::render_upload_part;
use crate::inproc::message_stream;

/// Uploads a part, in the way of PutObject.
pub(crate) async fn upload_part(
    mut call: Box<Exchange>,
    mut spec: UploadPartSpec,
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
    match call.edge.objects.upload_part(request).await {
        Ok(answer) => Ok(render_upload_part(answer.get_ref(), &call.context()).into()),
        Err(status) => Err(RequestFailure::of_upload(status, lent, &limits).await),
    }
}

fn message(message: Message) -> UploadPartRequest {
    UploadPartRequest {
        message: Some(message),
    }
}

#[cfg(test)]
mod tests {
    use bucketry_contract::v1::{ChecksumAlgorithm, Part, UploadPartResponse};

    use super::*;
    use crate::fixture::Bench;

    #[tokio::test]
    async fn a_part_goes_to_its_upload() {
        let bench = Bench::new();
        let part = Part {
            part_number: 3,
            etag: "abc".into(),
            ..Part::default()
        };
        bench
            .service()
            .answers("UploadPart", Ok(UploadPartResponse { part: Some(part) }));
        let seen = bench
            .send_signed("PUT", "/b/k?partNumber=3&uploadId=u", &[], "data")
            .await;
        assert_eq!(
            (seen.status.as_u16(), seen.header("etag")),
            (200, Some("\"abc\"")),
            "{seen:?}"
        );
        let messages: Vec<UploadPartRequest> = bench.service().request();
        match messages[0].message.as_ref().unwrap() {
            Message::Spec(spec) => {
                assert_eq!(
                    (
                        spec.part_number,
                        spec.upload_id.as_str(),
                        spec.content_length
                    ),
                    (3, "u", Some(4))
                );
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_algorithm_of_a_trailer_comes_before_the_content() {
        let bench = Bench::new();
        let part = Some(Part::default());
        bench
            .service()
            .answers("UploadPart", Ok(UploadPartResponse { part }));
        let headers = [
            ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
            ("x-amz-decoded-content-length", "11"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
            ("content-encoding", "aws-chunked"),
        ];
        let body = "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
        let seen = bench
            .send_signed("PUT", "/b/k?partNumber=3&uploadId=u", &headers, body)
            .await;
        assert_eq!(seen.status, 200, "{seen:?}");
        let messages: Vec<UploadPartRequest> = bench.service().request();
        let messages: Vec<Message> = messages
            .into_iter()
            .filter_map(|message| message.message)
            .collect();
        match messages.as_slice() {
            [
                Message::Spec(spec),
                Message::Chunk(_),
                Message::Digests(digests),
            ] => {
                assert_eq!(spec.checksum_algorithm(), ChecksumAlgorithm::Crc32);
                assert!(digests.checksum.is_some());
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn part_numbers_have_bounds() {
        for number in ["0", "10001", "x"] {
            let bench = Bench::new();
            let target = format!("/b/k?partNumber={number}&uploadId=u");
            bench
                .send_signed("PUT", &target, &[], "data")
                .await
                .assert_error(400, "InvalidArgument");
        }
    }
}
