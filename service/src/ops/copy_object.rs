use std::pin::pin;

use bucketry_contract::v1::{CopyDirective, CopyObjectRequest, CopyObjectResponse};
use tonic::Request;

use super::copy_source::{COPY_ATTEMPTS, OpenSource, open_source};
use crate::catalog::model::{NewData, ObjectData, ObjectMeta, StoredObject};
use crate::catalog::mutation::PutObject;
use crate::content::{MAX_PUT_BYTES, full_object};
use crate::convert::{
    algorithm_from_proto, attributes_from_proto, object_key, object_to_proto, write_preconditions,
};
use crate::digest::DigestSet;
use crate::domain::{Checksum, ChecksumAlgorithm, ChecksumType, ETag};
use crate::error::Error;
use crate::request::{BucketGrant, Resource, Service};

pub(crate) async fn copy_object(
    service: &Service,
    request: Request<CopyObjectRequest>,
) -> Result<CopyObjectResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service
        .admit(caller, &asked, Resource::object(&asked.bucket, &asked.key))
        .await?;
    for _ in 1..COPY_ATTEMPTS {
        match copy(service, &grant, &asked).await {
            Err(Error::SourceChanged) => {}
            done => return done,
        }
    }
    copy(service, &grant, &asked).await
}

/// Copies once, from the source as it is now.
async fn copy(
    service: &Service,
    grant: &BucketGrant,
    asked: &CopyObjectRequest,
) -> Result<CopyObjectResponse, Error> {
    let key = object_key(&asked.key)?;
    let preconditions = write_preconditions(asked.precondition.clone())?;
    let directives = Directives {
        metadata: directive("metadata_directive", asked.metadata_directive)?,
        tagging: directive("tagging_directive", asked.tagging_directive)?,
    };
    let wanted = algorithm_from_proto("checksum_algorithm", asked.checksum_algorithm)?;
    let source = open_source(service, grant, asked.source.clone()).await?;
    let row = &source.stored.row;
    let onto_itself = row.bucket == grant.bucket.id && row.key == key;
    if onto_itself
        && directives.metadata == Directive::Copy
        && directives.tagging == Directive::Copy
    {
        return Err(Error::InvalidRequest(
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    if row.meta.size > MAX_PUT_BYTES {
        return Err(Error::EntityTooLarge {
            size: row.meta.size,
            most: MAX_PUT_BYTES,
        });
    }
    let sent = attributes_from_proto(asked.attributes.clone())?;
    let mut meta = target_meta(row.meta.clone(), sent, directives);
    meta.owner = grant.bucket.account;
    let stored = std::sync::Arc::clone(&source.stored);
    let data = shared_data(&stored);
    let digests = digests(service, source, wanted);
    (meta.etag, meta.checksum) = service.while_granted(grant, pin!(digests)).await?;
    meta.part_count = 0;
    let committed = service
        .commit(
            grant,
            PutObject {
                bucket: grant.bucket.id,
                key: key.clone(),
                meta: meta.clone(),
                data: data.clone(),
                preconditions: preconditions.clone(),
            },
            Vec::new(),
        )
        .await?;
    let owner = service.owner(grant.bucket.account).await?;
    Ok(CopyObjectResponse {
        object: Some(object_to_proto(&grant.bucket.name, &committed.row, &owner)),
        source_version_id: String::new(),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directive {
    Copy,
    Replace,
}

#[derive(Debug, Clone, Copy)]
struct Directives {
    metadata: Directive,
    tagging: Directive,
}

fn directive(field: &'static str, sent: i32) -> Result<Directive, Error> {
    match CopyDirective::try_from(sent) {
        Ok(CopyDirective::Unspecified | CopyDirective::Copy) => Ok(Directive::Copy),
        Ok(CopyDirective::Replace) => Ok(Directive::Replace),
        Err(_) => Err(Error::InvalidArgument {
            field,
            problem: format!("there is no directive {sent}"),
        }),
    }
}

fn target_meta(
    source: ObjectMeta,
    (headers, tags): (
        crate::catalog::model::ObjectHeaders,
        Vec<crate::domain::Tag>,
    ),
    directives: Directives,
) -> ObjectMeta {
    let mut meta = ObjectMeta {
        lock: Default::default(),
        acl: None,
        ..source
    };
    match directives.metadata {
        Directive::Replace => meta.headers = headers,
        // S3 never copies the redirect: it is taken from the request in either case.
        Directive::Copy => meta.headers.website_redirect = headers.website_redirect,
    }
    if directives.tagging == Directive::Replace {
        meta.tags = tags;
    }
    meta
}

/// The copy refers to the source's own blobs: nothing is written twice.
fn shared_data(stored: &StoredObject) -> NewData {
    match (&stored.data, stored.row.data_id()) {
        (ObjectData::Empty, _) => NewData::Empty,
        (ObjectData::Inline(bytes), _) => NewData::Inline(bytes.clone()),
        (ObjectData::Extents(layout), Some(source)) => NewData::Shared {
            source,
            layout: crate::catalog::model::Layout {
                extents: layout.extents.clone(),
                parts: Vec::new(),
            },
        },
        (ObjectData::Extents(_), None) => NewData::Empty,
    }
}

/// ETag and checksum of the copy, which is an object of one put. What the source already has is taken; else its
/// content is read, but not written.
async fn digests(
    service: &Service,
    source: OpenSource,
    wanted: Option<ChecksumAlgorithm>,
) -> Result<(ETag, Option<Checksum>), Error> {
    let meta = &source.stored.row.meta;
    let whole = meta
        .checksum
        .filter(|checksum| checksum.kind() == ChecksumType::FullObject);
    let algorithm = wanted
        .or(meta.checksum.map(|checksum| checksum.algorithm()))
        .unwrap_or(ChecksumAlgorithm::Crc64Nvme);
    if meta.etag.parts().is_none()
        && let Some(checksum) = whole.filter(|checksum| checksum.algorithm() == algorithm)
    {
        return Ok((meta.etag, Some(checksum)));
    }
    let size = meta.size;
    let set = DigestSet::md5_only().with(algorithm);
    let values = source.digest(service, 0..size, set).await?;
    let checksum = full_object(&values, algorithm)?;
    Ok((ETag::of_content(values.md5), checksum))
}
