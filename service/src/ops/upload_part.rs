use std::pin::pin;
use std::sync::Arc;

use bucketry_contract::v1::{
    UploadPartRequest, UploadPartResponse, UploadPartSpec, upload_part_request::Message,
};
use futures::StreamExt;
use tonic::{Request, Streaming};

use super::put_object::content_length;
use crate::catalog::model::{PartData, Upload, UploadState};
use crate::catalog::mutation::PutPart;
use crate::content::{Announced, ContentMessage, Small, in_time, take_in};
use crate::convert::{
    algorithm_from_proto, declared_digests, object_key, part_number, part_to_proto, upload_id,
};
use crate::domain::ETag;
use crate::error::Error;
use crate::request::{BucketGrant, Resource, Service};
use crate::rules::checksums::{self, check_part};

pub(crate) async fn upload_part(
    service: &Service,
    request: Request<Streaming<UploadPartRequest>>,
) -> Result<UploadPartResponse, Error> {
    let caller = service
        .caller_of_stream::<UploadPartSpec, _>(&request)
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
    write_part(service, &grant, spec, content).await
}

async fn write_part(
    service: &Service,
    grant: &BucketGrant,
    spec: UploadPartSpec,
    content: impl futures::Stream<Item = Result<ContentMessage, Error>>,
) -> Result<UploadPartResponse, Error> {
    let number = part_number(spec.part_number)?;
    let upload = open_upload(service, grant, &spec.key, &spec.upload_id).await?;
    let digests = declared_digests(spec.digests)?;
    let named = match &digests.checksum {
        Some(checksum) => Some(checksum.algorithm),
        None => algorithm_from_proto("spec.checksum_algorithm", spec.checksum_algorithm)?,
    };
    check_part(upload.checksum, named)?;
    let (of_upload, _) = upload.checksum.unwrap_or(checksums::DEFAULT);
    let announced = Announced {
        length: content_length(spec.content_length)?,
        digests,
        algorithm: named.or(Some(of_upload)),
        also: Some(of_upload),
    };
    let content = service.ledger.metered(grant, content);
    let content = take_in(&service.content, announced, Small::Blob, content);
    let stored = service.while_granted(grant, pin!(content)).await?;
    // The digests behind the content may name yet another algorithm.
    check_part(upload.checksum, Some(stored.checksum.algorithm()))?;
    let part = service
        .commit_blob(
            grant,
            stored.place(),
            PutPart {
                bucket: grant.bucket.id,
                upload: upload.id,
                number,
                size: stored.size,
                etag: ETag::of_content(stored.md5),
                checksum: Some(stored.checksum),
                object_crc: stored.also,
                data: PartData::Extents(stored.extents()),
            },
        )
        .await?;
    stored.referenced();
    Ok(UploadPartResponse {
        part: Some(part_to_proto(&part)),
    })
}

/// The upload, if it is open and of this bucket and key.
pub(super) async fn open_upload(
    service: &Service,
    grant: &BucketGrant,
    key: &str,
    id: &str,
) -> Result<Arc<Upload>, Error> {
    let upload = any_upload(service, grant, key, id).await?;
    match upload.state {
        UploadState::Open => Ok(upload),
        UploadState::Completed(_) => Err(Error::NoSuchUpload {
            upload_id: id.to_owned(),
        }),
    }
}

/// The upload, open or completed, if it is of this bucket and key.
pub(super) async fn any_upload(
    service: &Service,
    grant: &BucketGrant,
    key: &str,
    id: &str,
) -> Result<Arc<Upload>, Error> {
    let key = object_key(key)?;
    let upload = service.catalog.upload(upload_id(id)?).await?;
    upload
        .filter(|upload| upload.bucket == grant.bucket.id && upload.key == key)
        .ok_or_else(|| Error::NoSuchUpload {
            upload_id: id.to_owned(),
        })
}
