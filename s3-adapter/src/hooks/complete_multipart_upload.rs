use bucketry_contract::v1::CompleteMultipartUploadRequest;

use crate::answer::Answer;
use crate::binding::Call;
use crate::exchange::{Exchange, RequestFailure};
use crate::fault::malformed_xml;
use crate::generated::render_complete_multipart_upload;
use crate::keep_alive::kept_alive;
use crate::write_condition::require_any;

/// S3's limit.
const MAX_PARTS: usize = 10_000;

/// Completes an upload. Of many parts that can take longer than clients and proxies wait.
pub(crate) async fn complete_multipart_upload(
    mut call: Box<Exchange>,
    request: CompleteMultipartUploadRequest,
) -> Result<Answer, RequestFailure> {
    require_any(&call.headers)?;
    if !(1..=MAX_PARTS).contains(&request.parts.len()) {
        return Err(malformed_xml().into());
    }
    let (pause, late) = (call.limits().keep_alive, call.late_error());
    let work = async move {
        let rpc = call.request(request.clone());
        let answer = call.edge.objects.complete_multipart_upload(rpc).await?;
        Ok(render_complete_multipart_upload(&request, answer.get_ref(), &call.context()).into())
    };
    Ok(kept_alive(work, pause, late).await?)
}

#[cfg(test)]
mod tests {
    use bucketry_contract::v1::{ChecksumAlgorithm, CompleteMultipartUploadResponse, ErrorReason};

    use super::*;
    use crate::fixture::{Bench, object, refusal};

    const TARGET: &str = "/b/k?uploadId=u";
    const PARTS: &str = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <Part><ETag>\"a\"</ETag><PartNumber>1</PartNumber><ChecksumCRC32>DUoRhQ==</ChecksumCRC32></Part>\
        <Part><PartNumber>2</PartNumber><ETag>b</ETag></Part></CompleteMultipartUpload>";

    #[tokio::test]
    async fn the_parts_become_an_object() {
        let bench = Bench::new();
        let answer = CompleteMultipartUploadResponse {
            object: Some(object("k")),
        };
        bench
            .service()
            .answers("CompleteMultipartUpload", Ok(answer));
        // The checksum is the object's: it must not be compared with the document.
        let headers = [
            ("x-amz-checksum-crc32", "DUoRhQ=="),
            ("x-amz-mp-object-size", "11"),
        ];
        let seen = bench.send_signed("POST", TARGET, &headers, PARTS).await;
        assert_eq!(seen.status, 200, "{seen:?}");
        for element in [
            "<Location>http://localhost:9000/b/k</Location>",
            "<Bucket>b</Bucket>",
            "<Key>k</Key>",
            "<ETag>&quot;5eb63bbbe01eeed093cb22bb8f5acdc3&quot;</ETag>",
        ] {
            assert!(seen.text().contains(element), "{element}: {seen:?}");
        }
        let request: CompleteMultipartUploadRequest = bench.service().request();
        let parts: Vec<(i32, &str)> = request
            .parts
            .iter()
            .map(|part| (part.part_number, part.etag.as_str()))
            .collect();
        assert_eq!(parts, [(1, "a"), (2, "b")]);
        assert_eq!(
            request.parts[0].checksum.as_ref().unwrap().algorithm(),
            ChecksumAlgorithm::Crc32
        );
        assert_eq!(request.object_size, Some(11));
        assert!(request.checksum.is_some());
    }

    #[tokio::test]
    async fn no_parts_are_no_completion() {
        for document in [
            "",
            "<CompleteMultipartUpload/>",
            "<CompleteMultipartUpload><Part/></Complete>",
        ] {
            let bench = Bench::new();
            bench
                .send_signed("POST", TARGET, &[], document)
                .await
                .assert_error(400, "MalformedXML");
            assert!(bench.service().called().is_empty());
        }
    }

    #[tokio::test]
    async fn a_quick_refusal_has_its_status() {
        let bench = Bench::new();
        let refused = Err(refusal(ErrorReason::InvalidPart));
        bench
            .service()
            .answers::<CompleteMultipartUploadResponse>("CompleteMultipartUpload", refused);
        bench
            .send_signed("POST", TARGET, &[], PARTS)
            .await
            .assert_error(400, "InvalidPart");
    }
}
