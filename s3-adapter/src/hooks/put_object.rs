use bucketry_contract::v1::put_object_request::Message;
use bucketry_contract::v1::{PutObjectRequest, PutObjectSpec};

use crate::answer::Answer;
use crate::binding::decode::contract_algorithm;
use crate::checksum::DeclaredChecksum;
use crate::content::{Wrap, content_messages, declared_message};
use crate::exchange::{Exchange, Refusal};
use crate::binding::Call;
use crate::generated::render_put_object;
use crate::inproc::message_stream;
use crate::intake::content_length;

/// Writes an object: the body becomes messages as it comes, and is never gathered.
pub(crate) async fn put_object(
    mut call: Exchange,
    mut spec: PutObjectSpec,
) -> Result<Answer, Refusal> {
    match content_length(&call.headers, &call.authentication.payload()) {
        Ok(length) => spec.content_length = Some(length),
        Err(error) => return Err(Refusal::with_body(error, call.intake)),
    }
    spec.digests = declared_message(&call.digests);
    if let DeclaredChecksum::Trailer(algorithm) = call.digests.checksum {
        spec.checksum_algorithm = contract_algorithm(algorithm).into();
    }
    let wrap = Wrap {
        chunk: |chunk| message(Message::Chunk(chunk)),
        digests: |digests| message(Message::Digests(digests)),
    };
    let limits = call.limits();
    let first = message(Message::Spec(spec.clone()));
    let (messages, lent) = content_messages(first, call.intake.take()?, wrap, limits.body_idle);
    let request = call.request(message_stream(messages));
    match call.edge.objects.put_object(request).await {
        Ok(answer) => Ok(render_put_object(&spec, answer.get_ref(), &call.context()).into()),
        Err(status) => Err(Refusal::of_upload(status, lent, &limits).await),
    }
}

fn message(message: Message) -> PutObjectRequest {
    PutObjectRequest {
        message: Some(message),
    }
}
