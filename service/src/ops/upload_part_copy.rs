use std::pin::pin;

use bucketry_contract::v1::{UploadPartCopyRequest, UploadPartCopyResponse};
use tonic::Request;

use super::copy_source::{COPY_ATTEMPTS, OpenSource, cut, open_source};
use super::open_object::resolve;
use super::upload_part::open_upload;
use crate::catalog::model::{Extent, ObjectData, PartData};
use crate::catalog::mutation::PutPart;
use crate::content::{MAX_PUT_BYTES, Place, full_object};
use crate::convert::{part_number, part_to_proto};
use crate::digest::DigestSet;
use crate::domain::ETag;
use crate::error::{Error, blob_error};
use crate::request::{BucketGrant, Resource, Service};
use crate::rules::checksums;

pub(crate) async fn upload_part_copy(
    service: &Service,
    request: Request<UploadPartCopyRequest>,
) -> Result<UploadPartCopyResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service
        .admit(caller, &asked, Resource::object(&asked.bucket, &asked.key))
        .await?;
    for _ in 1..COPY_ATTEMPTS {
        match copy_part(service, &grant, &asked).await {
            Err(Error::SourceChanged) => {}
            done => return done,
        }
    }
    copy_part(service, &grant, &asked).await
}

/// Copies once, from the source as it is now.
async fn copy_part(
    service: &Service,
    grant: &BucketGrant,
    asked: &UploadPartCopyRequest,
) -> Result<UploadPartCopyResponse, Error> {
    let number = part_number(asked.part_number)?;
    let upload = open_upload(service, grant, &asked.key, &asked.upload_id).await?;
    let source = open_source(service, grant, asked.source.clone()).await?;
    let size = source.stored.row.meta.size;
    let range = match &asked.source_range {
        None => 0..size,
        // S3 refuses a copy range that reaches beyond the source instead of shortening it, and as an argument.
        Some(range)
            if range
                .end
                .is_some_and(|end| end < 0 || end.unsigned_abs() >= size) =>
        {
            return Err(Error::InvalidArgument {
                field: "source_range",
                problem: format!("Range specified is not valid for source object of size: {size}"),
            });
        }
        Some(range) => resolve(range, size)?,
    };
    let length = range.end - range.start;
    if length > MAX_PUT_BYTES {
        return Err(Error::EntityTooLarge {
            size: length,
            most: MAX_PUT_BYTES,
        });
    }
    let (algorithm, _) = upload.checksum.unwrap_or(checksums::DEFAULT);
    let (data, place) = part_data(service, &source, &range).await?;
    let set = DigestSet::md5_only().with(algorithm);
    let digest = source.digest(service, range, set);
    let values = service.while_granted(grant, pin!(digest)).await?;
    let checksum = full_object(&values, algorithm)?;
    let part = service
        .commit_blob(
            grant,
            place.as_ref(),
            PutPart {
                bucket: grant.bucket.id,
                upload: upload.id,
                number,
                size: length,
                etag: ETag::of_content(values.md5),
                checksum,
                object_crc: None,
                data: data.clone(),
            },
        )
        .await?;
    if let Some(place) = place {
        place.referenced();
    }
    Ok(UploadPartCopyResponse {
        part: Some(part_to_proto(&part)),
        source_version_id: String::new(),
    })
}

/// The part refers to the source's own blobs. Only what is kept in the catalog has to be written.
async fn part_data(
    service: &Service,
    source: &OpenSource,
    range: &std::ops::Range<u64>,
) -> Result<(PartData, Option<Place>), Error> {
    let stored = &source.stored;
    match (&stored.data, stored.row.data_id()) {
        (ObjectData::Extents(layout), Some(id)) => {
            let extents = cut(&layout.extents, range);
            Ok((
                PartData::Shared {
                    source: id,
                    extents,
                },
                None,
            ))
        }
        (ObjectData::Inline(bytes), _) => {
            let piece = super::get_object::slice(bytes, range.start, range.end)?;
            let place = service.content.placement.place().await?;
            let mut writer = service
                .content
                .blobs
                .writer(place.blob, Some(piece.len() as u64));
            writer.write(piece).await.map_err(blob_error)?;
            service.content.keep_track(&place).await?;
            let written = writer.finish().await.map_err(blob_error)?;
            let extent = Extent {
                blob: place.blob,
                offset: 0,
                length: written.length,
            };
            Ok((PartData::Extents(vec![extent]), Some(place)))
        }
        (ObjectData::Empty, _) | (ObjectData::Extents(_), None) => {
            Ok((PartData::Extents(Vec::new()), None))
        }
    }
}
