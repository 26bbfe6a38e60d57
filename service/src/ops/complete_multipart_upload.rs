use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketry_contract::v1::{
    self, CompleteMultipartUploadRequest, CompleteMultipartUploadResponse,
};
use tonic::Request;

use super::upload_part::any_upload;
use crate::catalog::model::{
    CompletedUpload, DataPlace, ObjectMeta, ObjectRow, Part, Upload, UploadState,
};
use crate::catalog::mutation::{CompleteUpload, Preconditions};
use crate::convert::{
    algorithm_from_proto, checksum_type_to_proto, object_to_proto, write_preconditions,
};
use crate::digest::{ChecksumValue, combine_full_object, composite_checksum, multipart_digest};
use crate::domain::{Checksum, ChecksumAlgorithm, ChecksumType, DataId, ETag};
use crate::error::{Digest, Error};
use crate::limits::{MAX_OBJECT_BYTES, MAX_PARTS, MIN_PART_BYTES};
use crate::request::{BucketGrant, Resource, Service};
use crate::rules::checksums::{self, UploadChecksumError, WholeChecksum};

pub(crate) async fn complete_multipart_upload(
    service: &Service,
    request: Request<CompleteMultipartUploadRequest>,
) -> Result<CompleteMultipartUploadResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service
        .admit(caller, &asked, Resource::object(&asked.bucket, &asked.key))
        .await?;
    let upload = any_upload(service, &grant, &asked.key, &asked.upload_id).await?;
    if let UploadState::Completed(completed) = &upload.state {
        check_repetition(&upload, completed, &asked)?;
        return answer(service, &grant, &upload, completed).await;
    }
    let prepared = match prepare(service, &grant, &upload, &asked).await {
        Ok(prepared) => prepared,
        // Another completion of this upload may have come first: it took the parts, and its object is in the way of the
        // conditions. That is no refusal but the repetition of what has been done.
        Err(refused) => {
            let upload = any_upload(service, &grant, &asked.key, &asked.upload_id).await?;
            return match &upload.state {
                UploadState::Completed(completed)
                    if check_repetition(&upload, completed, &asked).is_ok() =>
                {
                    answer(service, &grant, &upload, completed).await
                }
                UploadState::Completed(_) | UploadState::Open => Err(refused),
            };
        }
    };
    let committed = service
        .commit(
            &grant,
            CompleteUpload {
                bucket: grant.bucket.id,
                key: upload.key.clone(),
                upload: upload.id,
                parts: prepared.parts.clone(),
                meta: prepared.meta.clone(),
                preconditions: prepared.preconditions.clone(),
            },
            Vec::new(),
        )
        .await?;
    answer(service, &grant, &committed.upload, &committed.completed).await
}

/// What is committed.
struct Prepared {
    parts: Vec<(u16, DataId)>,
    meta: ObjectMeta,
    preconditions: Preconditions,
}

async fn prepare(
    service: &Service,
    grant: &BucketGrant,
    upload: &Upload,
    asked: &CompleteMultipartUploadRequest,
) -> Result<Prepared, Error> {
    let preconditions = write_preconditions(asked.precondition.clone())?;
    service
        .foresee(&grant.bucket, &upload.key, &preconditions)
        .await?;
    let chosen = choose(upload, &all_parts(service, upload).await?, asked)?;
    let meta = finished(upload, &chosen, asked)?;
    let parts = chosen
        .iter()
        .map(|part| (part.number, part.data_id))
        .collect();
    Ok(Prepared {
        parts,
        meta,
        preconditions,
    })
}

async fn all_parts(service: &Service, upload: &Upload) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    let mut after = 0;
    loop {
        let page = service.catalog.list_parts(upload.id, after, 1000).await?;
        parts.extend(page.parts);
        match page.next {
            Some(next) => after = next,
            None => return Ok(parts),
        }
    }
}

/// The uploaded parts that the caller names, each as it was read.
fn choose(
    upload: &Upload,
    uploaded: &[Part],
    asked: &CompleteMultipartUploadRequest,
) -> Result<Vec<Part>, Error> {
    let named = &asked.parts;
    if named.is_empty() || named.len() > usize::from(MAX_PARTS) {
        return Err(Error::InvalidArgument {
            field: "parts",
            problem: format!("1 to {MAX_PARTS} are allowed, not {}", named.len()),
        });
    }
    if named
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a.part_number >= b.part_number))
    {
        return Err(Error::InvalidPartOrder);
    }
    let mut chosen = Vec::with_capacity(named.len());
    for name in named {
        let number = u32::try_from(name.part_number).unwrap_or(0);
        let invalid = || Error::InvalidPart {
            upload_id: asked.upload_id.clone(),
            number,
            etag: name.etag.trim_matches('"').to_owned(),
        };
        let part = uploaded
            .binary_search_by_key(&number, |part| part.number.into())
            .ok()
            .and_then(|at| uploaded.get(at))
            .filter(|part| part.etag.to_string() == name.etag.trim_matches('"'))
            .ok_or_else(invalid)?;
        if !check_part_checksum(upload, part, name.checksum.as_ref())? {
            return Err(invalid());
        }
        chosen.push(part.clone());
    }
    let but_last = chosen.len().saturating_sub(1);
    match chosen
        .iter()
        .take(but_last)
        .find(|part| part.size < MIN_PART_BYTES)
    {
        Some(part) => Err(Error::EntityTooSmall {
            number: part.number.into(),
            etag: part.etag.to_string(),
            size: part.size,
            least: MIN_PART_BYTES,
        }),
        None => Ok(chosen),
    }
}

/// Whether the completion repeats a part's checksum correctly. It must, where the object's is composed of the parts'.
fn check_part_checksum(
    upload: &Upload,
    part: &Part,
    sent: Option<&v1::Checksum>,
) -> Result<bool, Error> {
    let number = part.number.into();
    let composite = upload
        .checksum
        .filter(|(_, kind)| *kind == ChecksumType::Composite);
    let Some(sent) = sent else {
        return composite.map_or(Ok(true), |(algorithm, _)| {
            Err(UploadChecksumError::MissingInPart { algorithm, number }.into())
        });
    };
    let algorithm = algorithm_from_proto("parts.checksum.algorithm", sent.algorithm)?;
    if let (Some((expected, _)), Some(algorithm)) = (composite, algorithm)
        && algorithm != expected
    {
        return Err(Error::BadDigest {
            digest: Digest::Part { algorithm, number },
            declared: STANDARD.encode(&sent.value),
            actual: String::new(),
        });
    }
    let mut known = part.checksum.iter().chain(&part.object_crc);
    Ok(known.any(|own| Some(own.algorithm()) == algorithm && sent.value == own.value()))
}

/// What the object will be: size, ETag and checksum computed from its parts.
fn finished(
    upload: &Upload,
    parts: &[Part],
    asked: &CompleteMultipartUploadRequest,
) -> Result<ObjectMeta, Error> {
    let size: u64 = parts.iter().map(|part| part.size).sum();
    if size > MAX_OBJECT_BYTES {
        return Err(Error::EntityTooLarge {
            size,
            most: MAX_OBJECT_BYTES,
        });
    }
    check_size(asked, size)?;
    let md5s: Vec<[u8; 16]> = parts.iter().map(|part| part.etag.md5()).collect();
    let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    let etag = ETag::of_parts(multipart_digest(&md5s).md5, count);
    let (algorithm, kind) = upload.checksum.unwrap_or(checksums::DEFAULT);
    let checksum = whole_checksum(parts, algorithm, kind)?;
    if let Some(declared) = &asked.checksum {
        check_declared(upload, declared, checksum.as_ref(), count)?;
    }
    Ok(ObjectMeta {
        headers: upload.headers.clone(),
        tags: upload.tags.clone(),
        lock: upload.lock,
        acl: upload.acl.clone(),
        checksum,
        part_count: count,
        ..ObjectMeta::new(size, etag, upload.owner)
    })
}

/// `None` if a part lacks it: a former version stored parts of uploads without an algorithm with another checksum only.
fn whole_checksum(
    parts: &[Part],
    algorithm: ChecksumAlgorithm,
    kind: ChecksumType,
) -> Result<Option<Checksum>, Error> {
    let mut values = Vec::with_capacity(parts.len());
    for part in parts {
        let value = part
            .object_crc
            .or(part.checksum)
            .filter(|checksum| checksum.algorithm() == algorithm)
            .and_then(|checksum| ChecksumValue::from_bytes(algorithm, checksum.value()));
        match value {
            Some(value) => values.push((value, part.size)),
            None => return Ok(None),
        }
    }
    let whole = match kind {
        ChecksumType::Composite => {
            let parts: Vec<_> = values.into_iter().map(|(value, _)| value).collect();
            composite_checksum(&parts)
        }
        ChecksumType::FullObject => combine_full_object(&values),
    };
    let whole = whole.map_err(|error| Error::Internal(Box::new(error)))?;
    Checksum::new(algorithm, kind, whole.as_bytes())
        .map(Some)
        .map_err(|error| Error::Internal(Box::new(error)))
}

/// A type without a value is a claim of its own: clients repeat the one that they began the upload with.
fn check_declared(
    upload: &Upload,
    declared: &v1::Checksum,
    actual: Option<&Checksum>,
    count: u32,
) -> Result<(), Error> {
    let (_, kind) = upload.checksum.unwrap_or(checksums::DEFAULT);
    let typed = declared.r#type() != v1::ChecksumType::Unspecified;
    if typed && declared.r#type() != checksum_type_to_proto(kind) {
        return Err(UploadChecksumError::Type { expected: kind }.into());
    }
    let Some(algorithm) = algorithm_from_proto("checksum.algorithm", declared.algorithm)? else {
        return match declared.value.is_empty() {
            true => Ok(()),
            false => Err(Error::InvalidArgument {
                field: "checksum.algorithm",
                problem: "a checksum needs its algorithm".to_owned(),
            }),
        };
    };
    match checksums::check_whole(upload.checksum, algorithm)? {
        WholeChecksum::Ignore => return Ok(()),
        WholeChecksum::Verify => {}
    }
    let counted = [0, i32::try_from(count).unwrap_or(i32::MAX)].contains(&declared.part_count);
    if counted && actual.is_some_and(|actual| declared.value == actual.value()) {
        return Ok(());
    }
    Err(Error::BadDigest {
        digest: Digest::Object(algorithm),
        declared: STANDARD.encode(&declared.value),
        actual: actual
            .map(|actual| STANDARD.encode(actual.value()))
            .unwrap_or_default(),
    })
}

/// A repeated completion says the same as the first: the same parts, size and checksum. Its conditions are not judged
/// again, since the object that it made stands in their way.
fn check_repetition(
    upload: &Upload,
    completed: &CompletedUpload,
    asked: &CompleteMultipartUploadRequest,
) -> Result<(), Error> {
    let count = u32::try_from(asked.parts.len()).unwrap_or(u32::MAX);
    let tags = asked.parts.iter().map(|part| part.etag.trim_matches('"'));
    let md5s: Option<Vec<[u8; 16]>> = tags
        .map(|tag| Some(tag.parse::<ETag>().ok()?.md5()))
        .collect();
    let etag = md5s.map(|md5s| ETag::of_parts(multipart_digest(&md5s).md5, count));
    if etag != Some(completed.etag) {
        let first = asked.parts.first();
        return Err(Error::InvalidPart {
            upload_id: asked.upload_id.clone(),
            number: first.map_or(0, |part| u32::try_from(part.part_number).unwrap_or(0)),
            etag: first.map_or(String::new(), |part| part.etag.trim_matches('"').to_owned()),
        });
    }
    check_size(asked, completed.size)?;
    match &asked.checksum {
        Some(declared) => check_declared(upload, declared, completed.checksum.as_ref(), count),
        None => Ok(()),
    }
}

fn check_size(asked: &CompleteMultipartUploadRequest, size: u64) -> Result<(), Error> {
    match asked.object_size {
        Some(expected) if u64::try_from(expected).ok() != Some(size) => Err(Error::InvalidRequest(
            "the object's size is not the one that the request names",
        )),
        Some(_) | None => Ok(()),
    }
}

/// The answer comes from what was committed, now or before, so that a repeated completion is answered alike.
async fn answer(
    service: &Service,
    grant: &BucketGrant,
    upload: &Upload,
    completed: &CompletedUpload,
) -> Result<CompleteMultipartUploadResponse, Error> {
    let owner = service.owner(upload.owner).await?;
    let row = ObjectRow {
        bucket: upload.bucket,
        key: upload.key.clone(),
        generation: completed.generation,
        version: completed.version,
        modified: completed.modified,
        meta: ObjectMeta {
            headers: upload.headers.clone(),
            tags: upload.tags.clone(),
            checksum: completed.checksum,
            part_count: completed.etag.parts().unwrap_or(0),
            ..ObjectMeta::new(completed.size, completed.etag, upload.owner)
        },
        place: DataPlace::Empty,
    };
    Ok(CompleteMultipartUploadResponse {
        object: Some(object_to_proto(&grant.bucket.name, &row, &owner)),
    })
}

#[cfg(test)]
mod tests;
