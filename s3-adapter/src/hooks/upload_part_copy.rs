use bucketry_contract::v1::UploadPartCopyRequest;

use crate::answer::Answer;
use crate::exchange::{Exchange, Refusal};
use crate::binding::Call;
use crate::generated::render_upload_part_copy;
use crate::keep_alive::kept_alive;

/// Takes a part from an existing object, in the way of CopyObject.
pub(crate) async fn upload_part_copy(
    call: Exchange,
    request: UploadPartCopyRequest,
) -> Result<Answer, Refusal> {
    let (pause, late) = (call.limits().keep_alive, call.late_error());
    let work = async move {
        let rpc = call.request(request.clone());
        let answer = call.edge.objects.upload_part_copy(rpc).await?;
        Ok(render_upload_part_copy(&request, answer.get_ref(), &call.context()).into())
    };
    Ok(kept_alive(work, pause, late).await?)
}
