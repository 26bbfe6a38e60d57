use bucketry_contract::v1::CompleteMultipartUploadRequest;

use crate::answer::Answer;
use crate::exchange::{Exchange, Refusal};
use crate::fault::malformed_xml;
use crate::binding::Call;
use crate::generated::render_complete_multipart_upload;
use crate::keep_alive::kept_alive;

/// S3's limit.
const MAX_PARTS: usize = 10_000;

/// Completes an upload. Of many parts that can take longer than clients and proxies wait.
pub(crate) async fn complete_multipart_upload(
    call: Exchange,
    request: CompleteMultipartUploadRequest,
) -> Result<Answer, Refusal> {
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
