use std::pin::pin;

use bucketry_contract::v1::{
    PutObjectRequest, PutObjectResponse, PutObjectSpec, put_object_request::Message,
};
use futures::StreamExt;
use tonic::{Request, Streaming};

use crate::catalog::model::ObjectMeta;
use crate::catalog::mutation::PutObject;
use crate::content::{Announced, ContentMessage, Small, in_time, take_in};
use crate::convert::{
    algorithm_from_proto, attributes_from_proto, declared_digests, object_key, object_to_proto,
    write_preconditions,
};
use crate::domain::ETag;
use crate::error::Error;
use crate::request::{BucketGrant, Resource, Service};

pub(crate) async fn put_object(
    service: &Service,
    request: Request<Streaming<PutObjectRequest>>,
) -> Result<PutObjectResponse, Error> {
    let caller = service
        .caller_of_stream::<PutObjectSpec, _>(&request)
        .await?
        .authenticated()?;
    let mut messages = request.into_inner();
    let first = in_time(messages.message()).await??;
    let spec = match first.and_then(|first| first.message) {
        Some(Message::Spec(spec)) => spec,
        Some(Message::Chunk(_) | Message::Digests(_)) | None => {
            return Err(Error::InvalidRequest("the first message must be the spec"));
        }
    };
    let grant = service
        .admit(caller, &spec, Resource::object(&spec.bucket, &spec.key))
        .await?;
    let content = messages.map(|message| match message?.message {
        Some(Message::Chunk(chunk)) => Ok(ContentMessage::Chunk(chunk)),
        Some(Message::Digests(digests)) => Ok(ContentMessage::Digests(digests)),
        Some(Message::Spec(_)) => Err(Error::InvalidRequest("the spec comes once, at first")),
        None => Err(Error::InvalidRequest("a message is empty")),
    });
    write_object(service, grant, spec, content).await
}

/// Writes an object, whichever way its content comes.
pub(super) async fn write_object(
    service: &Service,
    grant: BucketGrant,
    spec: PutObjectSpec,
    content: impl futures::Stream<Item = Result<ContentMessage, Error>>,
) -> Result<PutObjectResponse, Error> {
    let key = object_key(&spec.key)?;
    let (headers, tags) = attributes_from_proto(spec.attributes)?;
    let preconditions = write_preconditions(spec.precondition)?;
    let announced = Announced {
        length: content_length(spec.content_length)?,
        digests: declared_digests(spec.digests)?,
        algorithm: algorithm_from_proto("spec.checksum_algorithm", spec.checksum_algorithm)?,
        also: None,
    };
    service.foresee(&grant.bucket, &key, &preconditions).await?;

    let content = service.ledger.metered(&grant, content);
    let content = take_in(&service.content, announced, Small::Inline, content);
    let stored = service.while_granted(&grant, pin!(content)).await?;

    let owner = grant.bucket.account;
    let meta = ObjectMeta {
        headers,
        tags,
        checksum: Some(stored.checksum),
        ..ObjectMeta::new(stored.size, ETag::of_content(stored.md5), owner)
    };
    let committed = service
        .commit_blob(
            &grant,
            stored.place(),
            PutObject {
                bucket: grant.bucket.id,
                key,
                meta,
                data: stored.data.clone(),
                preconditions,
            },
        )
        .await?;
    stored.referenced();
    let owner = service.owner(owner).await?;
    Ok(PutObjectResponse {
        object: Some(object_to_proto(&grant.bucket.name, &committed.row, &owner)),
    })
}

/// A length as announced.
pub(super) fn content_length(sent: Option<i64>) -> Result<Option<u64>, Error> {
    sent.map(|length| {
        u64::try_from(length).map_err(|_| Error::InvalidArgument {
            field: "content_length",
            problem: format!("{length} is negative"),
        })
    })
    .transpose()
}
