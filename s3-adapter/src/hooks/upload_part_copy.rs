use bucketry_contract::v1::UploadPartCopyRequest;

use crate::answer::Answer;
use crate::binding::Call;
use crate::exchange::{Exchange, RequestFailure};
use crate::generated::render_upload_part_copy;
use crate::keep_alive::kept_alive;

/// Takes a part from an existing object, in the way of CopyObject.
pub(crate) async fn upload_part_copy(
    mut call: Box<Exchange>,
    request: UploadPartCopyRequest,
) -> Result<Answer, RequestFailure> {
    let (pause, late) = (call.limits().keep_alive, call.late_error());
    let work = async move {
        let rpc = call.request(request);
        let answer = call.edge.objects.upload_part_copy(rpc).await?;
        Ok(render_upload_part_copy(answer.get_ref(), &call.context()).into())
    };
    Ok(kept_alive(work, pause, late).await?)
}

#[cfg(test)]
mod tests {
    use bucketry_contract::v1::{ByteRange, Part, UploadPartCopyResponse};

    use super::*;
    use crate::fixture::Bench;

    const TARGET: &str = "/b/k?partNumber=2&uploadId=u";

    #[tokio::test]
    async fn a_range_of_the_source_becomes_a_part() {
        let bench = Bench::new();
        let part = Part {
            etag: "abc".into(),
            ..Part::default()
        };
        let answer = UploadPartCopyResponse {
            part: Some(part),
            ..UploadPartCopyResponse::default()
        };
        bench.service().answers("UploadPartCopy", Ok(answer));
        let headers = [
            ("x-amz-copy-source", "b/src"),
            ("x-amz-copy-source-range", "bytes=0-9"),
        ];
        let seen = bench.send_signed("PUT", TARGET, &headers, "").await;
        assert!(seen.text().contains("<CopyPartResult "), "{seen:?}");
        assert!(
            seen.text().contains("<ETag>&quot;abc&quot;</ETag>"),
            "{seen:?}"
        );
        let request: UploadPartCopyRequest = bench.service().request();
        assert_eq!(
            request.source_range,
            Some(ByteRange {
                start: 0,
                end: Some(9)
            })
        );
        assert_eq!((request.part_number, request.upload_id.as_str()), (2, "u"));
    }

    #[tokio::test]
    async fn half_a_range_is_refused_not_ignored() {
        for range in ["bytes=5-", "bytes=-5", "0-9", "bytes=9-0"] {
            let bench = Bench::new();
            let headers = [
                ("x-amz-copy-source", "b/src"),
                ("x-amz-copy-source-range", range),
            ];
            bench
                .send_signed("PUT", TARGET, &headers, "")
                .await
                .assert_error(400, "InvalidArgument");
        }
    }
}
