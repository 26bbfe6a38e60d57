use bucketry_contract::errors;
use bucketry_contract::v1::{DeleteObjectResult, DeleteObjectsRequest, ErrorReason};
use http::StatusCode;

use crate::answer::Answer;
use crate::binding::Call;
use crate::checksum::{ChecksumLocation, RequestDigests};
use crate::error::S3Error;
use crate::exchange::{Exchange, RequestFailure};
use crate::fault::{malformed_xml, of_reason};
use crate::xml::{Element, XmlWriter};

/// S3's limit.
const MAX_KEYS: usize = 1000;

/// Which results a client wants to see.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Report {
    All,
    Errors,
}

/// Deletes many keys; each has its own result in a 200.
pub(crate) async fn delete_objects(
    mut call: Box<Exchange>,
    request: DeleteObjectsRequest,
) -> Result<Answer, RequestFailure> {
    require_digest(&call.digests)?;
    if !(1..=MAX_KEYS).contains(&request.objects.len()) {
        return Err(malformed_xml().into());
    }
    require_keys(call.document.as_ref())?;
    let report = report(call.document.as_ref())?;
    let rpc = call.request(request);
    let answer = call.edge.objects.delete_objects(rpc).await?.into_inner();

    let mut xml = XmlWriter::document();
    xml.open_root("DeleteResult");
    for result in &answer.results {
        write_result(&mut xml, result, report);
    }
    Ok(Answer::xml(StatusCode::OK, xml.finish()))
}

/// S3 takes no batch delete whose list could have been damaged on its way.
fn require_digest(digests: &RequestDigests) -> Result<(), S3Error> {
    if digests.content_md5.is_some() || digests.checksum != ChecksumLocation::None {
        return Ok(());
    }
    Err(S3Error::invalid_request(
        "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
    ))
}

/// An object without a key is no empty key: the document is not what was meant.
fn require_keys(document: Option<&Element>) -> Result<(), S3Error> {
    let mut objects = document
        .into_iter()
        .flat_map(|delete| delete.children_named("Object"));
    match objects.all(|object| object.child("Key").is_some()) {
        true => Ok(()),
        false => Err(malformed_xml()),
    }
}

fn report(document: Option<&Element>) -> Result<Report, S3Error> {
    let quiet = document.and_then(|delete| delete.child_text("Quiet"));
    match quiet
        .map(|text| text.trim().to_ascii_lowercase())
        .as_deref()
    {
        None | Some("false") => Ok(Report::All),
        Some("true") => Ok(Report::Errors),
        Some(_) => Err(malformed_xml()),
    }
}

fn write_result(xml: &mut XmlWriter, result: &DeleteObjectResult, report: Report) {
    if result.deleted && report == Report::Errors {
        return;
    }
    xml.open(if result.deleted { "Deleted" } else { "Error" });
    xml.text_element("Key", &result.key);
    if !result.version_id.is_empty() {
        xml.text_element("VersionId", &result.version_id);
    }
    if !result.deleted {
        let reason = errors::of_name(&result.error_reason).unwrap_or(ErrorReason::Internal);
        let error = of_reason(reason, &result.error_message);
        xml.text_element("Code", error.code());
        xml.text_element("Message", error.message());
    }
    xml.close();
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use bucketry_contract::v1::DeleteObjectsResponse;
    use md5::{Digest, Md5};

    use super::*;
    use crate::fixture::{Bench, Seen};

    async fn delete(bench: &Bench, document: &str) -> Seen {
        let md5 = STANDARD.encode(Md5::digest(document.as_bytes()));
        bench
            .send_signed(
                "POST",
                "/b?delete",
                &[("content-md5", &md5)],
                document.to_owned(),
            )
            .await
    }

    fn bench() -> Bench {
        let bench = Bench::new();
        let results = vec![
            DeleteObjectResult {
                key: "a<".into(),
                deleted: true,
                ..DeleteObjectResult::default()
            },
            DeleteObjectResult {
                key: "c".into(),
                error_reason: "PRECONDITION_FAILED".into(),
                error_message: "no".into(),
                ..DeleteObjectResult::default()
            },
        ];
        bench
            .service()
            .answers("DeleteObjects", Ok(DeleteObjectsResponse { results }));
        bench
    }

    const TWO: &str =
        "<Object><Key>a&lt;</Key></Object><Object><Key>c</Key><ETag>\"e\"</ETag></Object>";

    #[tokio::test]
    async fn every_key_has_its_result() {
        let bench = bench();
        let seen = delete(&bench, &format!("<Delete>{TWO}</Delete>")).await;
        assert_eq!(seen.status, 200, "{seen:?}");
        assert!(
            seen.text().contains("<Deleted><Key>a&lt;</Key></Deleted>"),
            "{seen:?}"
        );
        assert!(
            seen.text()
                .contains("<Error><Key>c</Key><Code>PreconditionFailed</Code><Message>"),
            "{seen:?}"
        );
        let request: DeleteObjectsRequest = bench.service().request();
        assert!(request.allow_missing);
        assert_eq!(request.objects[0].key, "a<");
        assert_eq!(
            request.objects[1].precondition.as_ref().unwrap().if_match,
            ["e"]
        );
    }

    #[tokio::test]
    async fn a_quiet_client_hears_of_errors_only() {
        let bench = bench();
        let seen = delete(
            &bench,
            &format!("<Delete><Quiet>true</Quiet>{TWO}</Delete>"),
        )
        .await;
        assert!(
            !seen.text().contains("Deleted>") && seen.text().contains("<Error>"),
            "{seen:?}"
        );
    }

    #[tokio::test]
    async fn a_list_without_any_digest_is_refused() {
        let bench = bench();
        let document = format!("<Delete>{TWO}</Delete>");
        let seen = bench
            .send_signed("POST", "/b?delete", &[], document.clone())
            .await;
        seen.assert_error(400, "InvalidRequest");
        let crc = crate::checksum::compute(
            bucketry_domain::ChecksumAlgorithm::Crc32,
            document.as_bytes(),
        );
        let headers = [("x-amz-checksum-crc32", STANDARD.encode(crc))];
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        assert_eq!(
            bench
                .send_signed("POST", "/b?delete", &headers, document)
                .await
                .status,
            200
        );
    }

    #[tokio::test]
    async fn a_damaged_list_is_answered_with_both_digests() {
        let bench = bench();
        let document = format!("<Delete>{TWO}</Delete>");
        let zeros = STANDARD.encode([0; 16]);
        let headers = [("content-md5", zeros.as_str())];
        let seen = bench
            .send_signed("POST", "/b?delete", &headers, document.clone())
            .await;
        seen.assert_error(400, "BadDigest");
        let computed = STANDARD.encode(Md5::digest(document.as_bytes()));
        for element in [
            "<Digest>Content-MD5</Digest>".to_owned(),
            format!("<ExpectedDigest>{zeros}</ExpectedDigest>"),
            format!("<CalculatedDigest>{computed}</CalculatedDigest>"),
        ] {
            assert!(seen.text().contains(&element), "{element}: {seen:?}");
        }
        assert!(bench.service().called().is_empty());
    }

    #[tokio::test]
    async fn a_list_has_one_to_a_thousand_keys() {
        let many = "<Object><Key>a</Key></Object>".repeat(1001);
        for document in [
            "<Delete></Delete>".to_owned(),
            "<Delete><Object><Key>a</Key></Object><Object></Object></Delete>".to_owned(),
            "<Delete><Object><VersionId>a</VersionId></Object></Delete>".to_owned(),
            format!("<Delete>{many}</Delete>"),
        ] {
            let bench = bench();
            delete(&bench, &document)
                .await
                .assert_error(400, "MalformedXML");
            assert!(bench.service().called().is_empty());
        }
    }
}
