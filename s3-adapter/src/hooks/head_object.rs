use bucketry_contract::v1::HeadObjectRequest;

use super::get_object::as_shown;
use crate::answer::Answer;
use crate::binding::Call;
use crate::error::S3Error;
use crate::exchange::{Exchange, RequestFailure};
use crate::generated::render_head_object;

/// An object's headers, those of the GET with the same parameters.
pub(crate) async fn head_object(
    mut call: Box<Exchange>,
    request: HeadObjectRequest,
) -> Result<Answer, RequestFailure> {
    let rpc = call.request(request);
    let answer = call.edge.objects.head_object(rpc).await?.into_inner();
    let header = as_shown(answer.header.ok_or_else(S3Error::internal)?);
    Ok(render_head_object(&header, &call.context()).into())
}

#[cfg(test)]
mod tests {
    use bucketry_contract::v1::{ContentRange, HeadObjectResponse, Object, ObjectHeader};

    use super::*;
    use crate::fixture::{Bench, object};

    #[tokio::test]
    async fn a_part_is_told_by_its_headers() {
        let bench = Bench::new();
        let header = ObjectHeader {
            object: Some(Object {
                part_count: 3,
                ..object("k")
            }),
            content_range: Some(ContentRange {
                start: 0,
                end: 4,
                size: 11,
            }),
            content_length: 5,
            range_checksum: None,
        };
        bench.service().answers(
            "HeadObject",
            Ok(HeadObjectResponse {
                header: Some(header),
            }),
        );
        let seen = bench.send("HEAD", "/b/k?partNumber=1", &[], "").await;
        assert_eq!(
            (seen.status.as_u16(), seen.body.len()),
            (206, 0),
            "{seen:?}"
        );
        for (name, value) in [
            ("content-length", "5"),
            ("content-range", "bytes 0-4/11"),
            ("x-amz-mp-parts-count", "3"),
            ("content-type", "binary/octet-stream"),
        ] {
            assert_eq!(seen.header(name), Some(value), "{name}");
        }
        let request: HeadObjectRequest = bench.service().request();
        assert_eq!(request.object.unwrap().part_number, 1);
    }
}
