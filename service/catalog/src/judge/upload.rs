use std::collections::BTreeSet;
use std::sync::Arc;

use super::data::check_part_data;
use super::guard::live_bucket;
use super::object::{NewVersion, current, make_current};
use super::{State, UploadedPart};
use crate::model::{
    CompletedUpload, DataPlace, Layout, NewData, ObjectMeta, Part, PartData, PartLayout, Upload,
    UploadState,
};
use crate::mutation::{AbortUpload, CompleteUpload, CreateUpload, Guard, PutPart};
use crate::rows::StoredData;
use crate::{Outcome, Refusal, Repetition, UploadCompleted, Verdict};
use bucketry_domain::{BucketId, Timestamp, UploadId};

pub(super) fn create_upload(state: &mut State, change: &CreateUpload, at: Timestamp) -> Verdict {
    live_bucket(state, change.bucket)?;
    // A repeated request with the same id finds its upload.
    if let Some(upload) = state.uploads.get(&change.id) {
        let same = upload.bucket == change.bucket && upload.key == change.key;
        return if same {
            Ok(Outcome::Upload(upload.clone()))
        } else {
            Err(Refusal::UploadNotFound(change.id))
        };
    }
    let open = state.open_uploads.entry(change.bucket).or_default();
    if *open >= change.most_open {
        return Err(Refusal::TooManyUploads {
            limit: change.most_open,
        });
    }
    *open += 1;
    let upload = Arc::new(Upload {
        id: change.id,
        bucket: change.bucket,
        key: change.key.clone(),
        created: at,
        initiator: change.initiator.clone(),
        owner: change.owner,
        headers: change.headers.clone(),
        tags: change.tags.clone(),
        lock: change.lock,
        acl: change.acl.clone(),
        checksum: change.checksum,
        state: UploadState::Open,
    });
    state.uploads.put(change.id, upload.clone());
    Ok(Outcome::Upload(upload))
}

pub(super) fn put_part(state: &mut State, change: &PutPart, at: Timestamp) -> Verdict {
    live_bucket(state, change.bucket)?;
    open_upload(state, change.bucket, change.upload)?;
    check_part_data(state, &change.data)?;
    let extents = match &change.data {
        PartData::Extents(extents) | PartData::Shared { extents, .. } => extents.clone(),
    };
    let layout = Layout {
        extents: extents.clone(),
        parts: Vec::new(),
    };
    let part = Part {
        number: change.number,
        size: change.size,
        etag: change.etag,
        modified: at,
        checksum: change.checksum,
        object_crc: change.object_crc,
        data_id: state.add_data(StoredData::Layout(layout)),
    };
    let parts = state.parts.entry(change.upload).or_default();
    let replaced = parts.insert(
        change.number,
        UploadedPart {
            part: part.clone(),
            extents,
        },
    );
    state.changed_parts.insert((change.upload, change.number));
    if let Some(replaced) = replaced {
        state.drop_data(DataPlace::Extents(replaced.part.data_id));
    }
    Ok(Outcome::Part(part))
}

pub(super) fn abort_upload(state: &mut State, change: &AbortUpload, caller: Guard) -> Verdict {
    match caller {
        Guard::Key { .. } => live_bucket(state, change.bucket).map(drop)?,
        // The sweeper ends the uploads of deleted buckets.
        Guard::System => {}
    }
    let upload = open_upload(state, change.bucket, change.upload)?;
    end_parts(state, change.upload, &BTreeSet::new());
    state.uploads.remove(&change.upload);
    one_less_open(state, change.bucket);
    Ok(Outcome::Upload(upload))
}

pub(super) fn complete_upload(
    state: &mut State,
    change: &CompleteUpload,
    at: Timestamp,
) -> Verdict {
    let bucket = live_bucket(state, change.bucket)?;
    let found = state
        .uploads
        .get(&change.upload)
        .filter(|upload| upload.bucket == change.bucket && upload.key == change.key)
        .cloned();
    let upload = found.ok_or(Refusal::UploadNotFound(change.upload))?;
    if let UploadState::Completed(completed) = upload.state {
        return Ok(Outcome::Completed(UploadCompleted {
            upload,
            completed,
            repetition: Repetition::Repeated,
        }));
    }
    let layout = join_parts(state, change)?;
    change
        .preconditions
        .check(current(state, change.bucket, &upload.key).as_deref())?;

    let chosen = change.parts.iter().map(|(number, _)| *number).collect();
    end_parts(state, change.upload, &chosen);
    let part_count = u32::try_from(layout.parts.len()).unwrap_or(u32::MAX);
    let data = if layout.extents.is_empty() && layout.parts.is_empty() {
        NewData::Empty
    } else {
        NewData::Extents(layout)
    };
    let meta = ObjectMeta {
        part_count,
        ..change.meta.clone()
    };
    let version = NewVersion {
        key: &upload.key,
        meta,
        data: &data,
        modified: at,
    };
    let stored = make_current(state, &bucket, version);
    let completed = CompletedUpload {
        generation: stored.row.generation,
        version: stored.row.version,
        etag: stored.row.meta.etag,
        size: stored.row.meta.size,
        modified: stored.row.modified,
        checksum: stored.row.meta.checksum,
    };
    let upload = Arc::new(Upload {
        state: UploadState::Completed(completed),
        ..Upload::clone(&upload)
    });
    state.uploads.put(change.upload, upload.clone());
    one_less_open(state, change.bucket);
    Ok(Outcome::Completed(UploadCompleted {
        upload,
        completed,
        repetition: Repetition::First,
    }))
}

/// An upload has ended; it matters to those that begin later in the same batch.
fn one_less_open(state: &mut State, bucket: BucketId) {
    if let Some(open) = state.open_uploads.get_mut(&bucket) {
        *open = open.saturating_sub(1);
    }
}

fn open_upload(state: &State, bucket: BucketId, upload: UploadId) -> Result<Arc<Upload>, Refusal> {
    let found = state.uploads.get(&upload);
    let found = found.filter(|found| found.bucket == bucket && found.state == UploadState::Open);
    found.cloned().ok_or(Refusal::UploadNotFound(upload))
}

/// Verifies that the parts are as the caller read them, and joins their extents.
fn join_parts(state: &State, change: &CompleteUpload) -> Result<Layout, Refusal> {
    let ascending = change.parts.is_sorted_by(|(a, _), (b, _)| a < b);
    if change.parts.is_empty() || !ascending {
        return Err(Refusal::PartList);
    }
    let uploaded = state.parts.get(&change.upload);
    let mut layout = Layout::default();
    let mut size = 0u64;
    for &(number, data_id) in &change.parts {
        let part = uploaded
            .and_then(|parts| parts.get(&number))
            .filter(|part| part.part.data_id == data_id);
        let UploadedPart { part, extents } = part.ok_or(Refusal::PartChanged { number })?;
        layout.extents.extend_from_slice(extents);
        layout.parts.push(PartLayout {
            number,
            size: part.size,
            checksum: part.object_crc.or(part.checksum),
        });
        size = size.saturating_add(part.size);
    }
    if size == change.meta.size {
        Ok(layout)
    } else {
        Err(Refusal::PartList)
    }
}

/// Ends all parts of an upload. The chosen ones' blobs go on in the object.
fn end_parts(state: &mut State, upload: UploadId, chosen: &BTreeSet<u16>) {
    for (number, part) in state.parts.remove(&upload).unwrap_or_default() {
        let data_id = part.part.data_id;
        if !chosen.contains(&number) {
            state.drop_data(DataPlace::Extents(data_id));
        } else if state.new_data.remove(&data_id).is_none() {
            state.sources.remove(&data_id);
            state.absorbed.push(data_id);
        }
    }
    state
        .changed_parts
        .retain(|(changed, _)| *changed != upload);
    state.ended_uploads.insert(upload);
}
