use bucketry_contract::errors;
use bucketry_contract::v1::{DeleteObjectResult, DeleteObjectsRequest, ErrorReason};
use http::StatusCode;

use crate::answer::Answer;
use crate::checksum::{DeclaredChecksum, DeclaredDigests};
use crate::error::S3Error;
use crate::exchange::{Exchange, Refusal};
use crate::fault::{malformed_xml, of_reason};
use crate::binding::Call;
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
    call: Exchange,
    request: DeleteObjectsRequest,
) -> Result<Answer, Refusal> {
    require_digest(&call.digests)?;
    if !(1..=MAX_KEYS).contains(&request.objects.len()) {
        return Err(malformed_xml().into());
    }
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
fn require_digest(digests: &DeclaredDigests) -> Result<(), S3Error> {
    if digests.content_md5.is_some() || digests.checksum != DeclaredChecksum::None {
        return Ok(());
    }
    Err(S3Error::invalid_request(
        "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
    ))
}

fn report(document: Option<&Element>) -> Result<Report, S3Error> {
    let quiet = document.and_then(|delete| delete.child_text("Quiet"));
    match quiet.map(|text| text.trim().to_ascii_lowercase()).as_deref() {
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
