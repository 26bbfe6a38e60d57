use bucketry_contract::v1::HeadObjectRequest;

use super::get_object::{as_shown, check_read};
use crate::answer::Answer;
use crate::error::S3Error;
use crate::exchange::{Exchange, Refusal};
use crate::binding::Call;
use crate::generated::render_head_object;

/// An object's headers, those of the GET with the same parameters.
pub(crate) async fn head_object(
    call: Exchange,
    request: HeadObjectRequest,
) -> Result<Answer, Refusal> {
    if let Some(read) = &request.object {
        check_read(&call, read)?;
    }
    let rpc = call.request(request.clone());
    let answer = call.edge.objects.head_object(rpc).await?.into_inner();
    let header = as_shown(answer.header.ok_or_else(S3Error::internal)?);
    Ok(render_head_object(&request, &header, &call.context()).into())
}
