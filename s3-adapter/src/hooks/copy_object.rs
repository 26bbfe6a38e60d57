use bucketry_contract::v1::CopyObjectRequest;

use crate::answer::Answer;
use crate::exchange::{Exchange, Refusal};
use crate::binding::Call;
use crate::generated::render_copy_object;
use crate::keep_alive::kept_alive;

/// Copies an object. What must be read to be copied can take longer than clients and proxies wait.
pub(crate) async fn copy_object(
    call: Exchange,
    request: CopyObjectRequest,
) -> Result<Answer, Refusal> {
    let (pause, late) = (call.limits().keep_alive, call.late_error());
    let work = async move {
        let rpc = call.request(request.clone());
        let answer = call.edge.objects.copy_object(rpc).await?;
        Ok(render_copy_object(&request, answer.get_ref(), &call.context()).into())
    };
    Ok(kept_alive(work, pause, late).await?)
}
