use bucketry_contract::v1::get_object_response::Message;
use bucketry_contract::v1::{GetObjectRequest, GetObjectResponse, ObjectHeader};
use bytes::Bytes;
use futures::StreamExt;
use tonic::Status;

use crate::answer::{Answer, BodyBroken, Content};
use crate::error::S3Error;
use crate::exchange::{Exchange, Refusal};
use crate::binding::Call;
use crate::generated::render_get_object;
use crate::query::Query;
use crate::sigv4::Authentication;

/// What S3 says of an object whose writer said nothing.
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// Reads an object: the messages become the body as they come.
pub(crate) async fn get_object(
    call: Exchange,
    request: GetObjectRequest,
) -> Result<Answer, Refusal> {
    check_read(&call, &request)?;
    let rpc = call.request(request.clone());
    let mut messages = call.edge.objects.get_object(rpc).await?.into_inner();
    let header = match messages.next().await.transpose()?.and_then(|first| first.message) {
        Some(Message::Header(header)) => as_shown(header),
        Some(Message::Chunk(_)) | None => return Err(S3Error::internal().into()),
    };
    let length = u64::try_from(header.content_length).unwrap_or_default();
    let mut answer: Answer = render_get_object(&request, &header, &call.context()).into();
    if length > 0 {
        answer.content = Content::Stream {
            pieces: Box::pin(messages.map(piece)),
            length: Some(length),
        };
    }
    Ok(answer)
}

/// What S3 refuses of a read before it looks for the object.
pub(super) fn check_read(call: &Exchange, request: &GetObjectRequest) -> Result<(), S3Error> {
    if request.part_number != 0 && call.headers.contains_key("range") {
        return Err(S3Error::invalid_request(
            "Cannot specify both Range header and partNumber query parameter",
        ));
    }
    // Else a link without a signature could make any public object look like something else.
    let anonymous = matches!(call.authentication, Authentication::Anonymous { .. });
    if anonymous && has_override(&call.query) {
        return Err(S3Error::invalid_request(
            "Request specific response headers cannot be used for anonymous GET requests.",
        ));
    }
    Ok(())
}

fn has_override(query: &Query) -> bool {
    query
        .iter()
        .any(|parameter| parameter.name.starts_with("response-"))
}

/// The header as S3 shows it: always a media type, and the checksum of the whole object with the whole object only.
pub(super) fn as_shown(mut header: ObjectHeader) -> ObjectHeader {
    let partial = header.content_range.is_some();
    if let Some(object) = &mut header.object {
        let attributes = object.attributes.get_or_insert_default();
        if attributes.content_type.is_empty() {
            attributes.content_type = DEFAULT_CONTENT_TYPE.to_owned();
        }
        if partial {
            object.checksum = None;
        }
    }
    header
}

fn piece(message: Result<GetObjectResponse, Status>) -> Result<Bytes, BodyBroken> {
    let broken = |reason: String| {
        tracing::error!(reason, "a download breaks off");
        BodyBroken { reason }
    };
    match message {
        Ok(GetObjectResponse {
            message: Some(Message::Chunk(chunk)),
        }) => Ok(chunk.data),
        Ok(GetObjectResponse {
            message: Some(Message::Header(_)) | None,
        }) => Err(broken("a message without content".to_owned())),
        Err(status) => Err(broken(status.message().to_owned())),
    }
}
