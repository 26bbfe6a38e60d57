use bucketry_contract::v1::upload_part_request::Message;
use bucketry_contract::v1::{UploadPartRequest, UploadPartSpec};

use crate::answer::Answer;
use crate::content::{Wrap, content_messages, declared_message};
use crate::exchange::{Exchange, Refusal};
use crate::binding::Call;
use crate::generated::render_upload_part;
use crate::inproc::message_stream;
use crate::intake::content_length;

/// Uploads a part, in the way of PutObject.
pub(crate) async fn upload_part(
    mut call: Exchange,
    mut spec: UploadPartSpec,
) -> Result<Answer, Refusal> {
    match content_length(&call.headers, &call.authentication.payload()) {
        Ok(length) => spec.content_length = Some(length),
        Err(error) => return Err(Refusal::with_body(error, call.intake)),
    }
    spec.digests = declared_message(&call.digests);
    let wrap = Wrap {
        chunk: |chunk| message(Message::Chunk(chunk)),
        digests: |digests| message(Message::Digests(digests)),
    };
    let limits = call.limits();
    let first = message(Message::Spec(spec.clone()));
    let (messages, lent) = content_messages(first, call.intake.take()?, wrap, limits.body_idle);
    let request = call.request(message_stream(messages));
    match call.edge.objects.upload_part(request).await {
        Ok(answer) => Ok(render_upload_part(&spec, answer.get_ref(), &call.context()).into()),
        Err(status) => Err(Refusal::of_upload(status, lent, &limits).await),
    }
}

fn message(message: Message) -> UploadPartRequest {
    UploadPartRequest {
        message: Some(message),
    }
}
