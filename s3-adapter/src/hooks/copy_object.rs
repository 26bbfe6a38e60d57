use bucketry_contract::v1::CopyObjectRequest;

use crate::answer::Answer;
use crate::binding::Call;
use crate::exchange::{Exchange, RequestFailure};
use crate::generated::render_copy_object;
use crate::keep_alive::kept_alive;

/// Copies an object. What must be read to be copied can take longer than clients and proxies wait.
pub(crate) async fn copy_object(
    mut call: Box<Exchange>,
    request: CopyObjectRequest,
) -> Result<Answer, RequestFailure> {
    let (pause, late) = (call.limits().keep_alive, call.late_error());
    let work = async move {
        let rpc = call.request(request);
        let answer = call.edge.objects.copy_object(rpc).await?;
        Ok(render_copy_object(answer.get_ref(), &call.context()).into())
    };
    Ok(kept_alive(work, pause, late).await?)
}

#[cfg(test)]
mod tests {
    use bucketry_contract::v1::{CopyDirective, CopyObjectResponse};

    use super::*;
    use crate::fixture::{Bench, object};

    fn bench() -> Bench {
        let bench = Bench::new();
        let answer = CopyObjectResponse {
            object: Some(object("k")),
            source_version_id: "v0".into(),
        };
        bench.service().answers("CopyObject", Ok(answer));
        bench
    }

    #[tokio::test]
    async fn source_directives_and_conditions_are_told() {
        let bench = bench();
        let headers = [
            ("x-amz-copy-source", "/other/a%20b?versionId=v0"),
            ("x-amz-copy-source-if-match", "\"abc\""),
            ("x-amz-metadata-directive", "REPLACE"),
            ("x-amz-meta-colour", "blue"),
            ("x-amz-source-expected-bucket-owner", "owner"),
            ("if-none-match", "*"),
        ];
        let seen = bench.send_signed("PUT", "/b/k", &headers, "").await;
        assert_eq!(seen.status, 200, "{seen:?}");
        assert!(seen.text().contains("<CopyObjectResult "), "{seen:?}");
        assert!(
            seen.text()
                .contains("<ETag>&quot;5eb63bbbe01eeed093cb22bb8f5acdc3&quot;</ETag>")
        );
        assert!(
            seen.text()
                .contains("<LastModified>2013-05-24T00:00:00.000Z</LastModified>")
        );
        assert_eq!(seen.header("x-amz-copy-source-version-id"), Some("v0"));
        let request: CopyObjectRequest = bench.service().request();
        assert_eq!(request.metadata_directive(), CopyDirective::Replace);
        assert_eq!(request.attributes.unwrap().metadata["colour"], "blue");
        assert_eq!(request.precondition.unwrap().if_none_match, ["*"]);
        let source = request.source.unwrap();
        assert_eq!(
            (
                source.bucket.as_str(),
                source.key.as_str(),
                source.version_id.as_str()
            ),
            ("other", "a b", "v0")
        );
        assert_eq!(source.precondition.unwrap().if_match, ["abc"]);
        let asked = bench.service().authorized.lock().unwrap().remove(0);
        assert_eq!(
            (
                asked.copy_source_bucket.as_str(),
                asked.expected_source_bucket_owner.as_str()
            ),
            ("other", "owner")
        );
    }

    #[tokio::test]
    async fn a_strange_source_or_directive_is_refused() {
        for headers in [
            &[("x-amz-copy-source", "nobucket")][..],
            &[("x-amz-copy-source", "b/k?x=1")],
            &[
                ("x-amz-copy-source", "b/k"),
                ("x-amz-metadata-directive", "MERGE"),
            ],
        ] {
            let bench = bench();
            bench
                .send_signed("PUT", "/b/k", headers, "")
                .await
                .assert_error(400, "InvalidArgument");
            assert!(bench.service().called().is_empty());
        }
    }

    #[tokio::test]
    async fn a_copy_is_never_taken_for_a_put_when_its_source_stands_in_the_query() {
        let bench = bench();
        let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
            &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
            &x-amz-copy-source=other%2Fk&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        let seen = bench.send("PUT", &format!("/b/k?{query}"), &[], "").await;
        assert_eq!(seen.status, 200, "{seen:?}");
        let request: CopyObjectRequest = bench.service().request();
        assert_eq!(request.source.unwrap().bucket, "other");
    }
}
