use std::sync::Arc;

use super::blobs::{garbage, id};
use super::make::refusal;
use crate::model::{
    Extent, ObjectData, ObjectHeaders, ObjectLock, ObjectMeta, Part, PartData, Upload, UploadState,
};
use crate::mutation::{
    AbortUpload, CompleteUpload, CreateUpload, IfNoneMatch, Mutation, Preconditions, PutPart,
};
use crate::query::{ListUploads, Listed};
use crate::testing::{Fixture, T0, etag, extent, key, later, put_blob};
use crate::{CatalogError, Condition, Refusal, Repetition};
use bucketry_domain::{
    AccountId, BlobBatchId, BucketId, Checksum, ChecksumAlgorithm, ChecksumType, Tag, UploadId,
};

/// Begins an upload at `later(number)`.
pub(super) fn begin(bucket: BucketId, name: &str, number: u64) -> Mutation<CreateUpload> {
    Mutation::by_system(later(number), beginning(bucket, name, number))
}

fn beginning(bucket: BucketId, name: &str, number: u64) -> CreateUpload {
    CreateUpload {
        id: UploadId::new(later(number), bucket.0.to_be_bytes()),
        bucket,
        key: key(name),
        initiator: "BKTY".into(),
        owner: AccountId(1),
        headers: ObjectHeaders {
            content_type: Some("x/y".into()),
            ..ObjectHeaders::default()
        },
        tags: vec![Tag {
            key: "a".into(),
            value: "b".into(),
        }],
        lock: ObjectLock::default(),
        acl: None,
        checksum: Some((ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject)),
        most_open: 10_000,
    }
}

/// Some value.
fn checksum_of(algorithm: ChecksumAlgorithm, number: u16) -> Option<Checksum> {
    let bytes = vec![number as u8; algorithm.byte_length()];
    Checksum::new(algorithm, ChecksumType::FullObject, &bytes).ok()
}

/// A part of 1,000 bytes in the blob of its number, with two checksums: its own and one for the object.
pub(super) fn part(upload: &Upload, number: u16, batch: BlobBatchId, blob: u16) -> PutPart {
    PutPart {
        bucket: upload.bucket,
        upload: upload.id,
        number,
        size: 1000,
        etag: etag(number as u8),
        checksum: checksum_of(ChecksumAlgorithm::XxHash128, number),
        object_crc: checksum_of(ChecksumAlgorithm::Crc64Nvme, number),
        data: PartData::Extents(vec![extent(batch, blob, 1000)]),
    }
}

/// Completes an upload at `later(100)`.
pub(super) fn complete(upload: &Upload, parts: &[&Part]) -> Mutation<CompleteUpload> {
    Mutation::by_system(later(100), completion(upload, parts))
}

fn completion(upload: &Upload, parts: &[&Part]) -> CompleteUpload {
    CompleteUpload {
        bucket: upload.bucket,
        key: upload.key.clone(),
        upload: upload.id,
        parts: parts
            .iter()
            .map(|part| (part.number, part.data_id))
            .collect(),
        meta: ObjectMeta::new(
            parts.iter().map(|part| part.size).sum(),
            etag(0xcc),
            AccountId(1),
        ),
        preconditions: Preconditions::default(),
    }
}

async fn begun(fixture: &Fixture, bucket: BucketId) -> (Arc<Upload>, BlobBatchId) {
    (
        fixture.catalog.make(begin(bucket, "k", 1)).await.unwrap(),
        fixture.batch().await,
    )
}

pub(super) async fn are_limited_by_bucket(fixture: &Fixture) {
    let bucket = fixture.bucket("limited").await.id;
    let other = fixture.bucket("another").await.id;
    let begin = |bucket, number| CreateUpload {
        most_open: 3,
        ..beginning(bucket, "k", number)
    };
    let limit = Refusal::TooManyUploads { limit: 3 };
    // Begun at once, so that some of them share a batch.
    let racing = (1..=6).map(|number| {
        let node = match number % 2 {
            0 => &fixture.catalog,
            _ => &fixture.other,
        };
        node.make(begin(bucket, number))
    });
    let begun = futures::future::join_all(racing).await;
    let (begun, refused): (Vec<_>, Vec<_>) = begun.into_iter().partition(Result::is_ok);
    assert_eq!((begun.len(), refused.len()), (3, 3));
    let is_limit = |refused: &Result<_, CatalogError>| matches!(refused, Err(CatalogError::Refused(refusal)) if *refusal == limit);
    assert!(refused.iter().all(is_limit), "{refused:?}");
    // One that is begun again is the same upload.
    let first = begun[0].as_ref().unwrap();
    let again = CreateUpload {
        id: first.id,
        ..begin(bucket, 1)
    };
    assert_eq!(fixture.other.make(again).await.unwrap().id, first.id);
    fixture.catalog.make(begin(other, 7)).await.unwrap();
    let abort = AbortUpload {
        bucket,
        upload: first.id,
    };
    fixture.catalog.make(abort).await.unwrap();
    fixture.other.make(begin(bucket, 8)).await.unwrap();
    let refused = refusal(&fixture.catalog, begin(bucket, 9)).await;
    assert_eq!(refused, limit);
}

pub(super) async fn become_objects(fixture: &Fixture) {
    let bucket = fixture.bucket("multipart").await.id;
    let (upload, batch) = begun(fixture, bucket).await;
    assert_eq!(
        fixture.other.upload(upload.id).await.unwrap(),
        Some(upload.clone())
    );
    let first = fixture
        .catalog
        .make(part(&upload, 1, batch, 1))
        .await
        .unwrap();
    let third = fixture
        .other
        .make(part(&upload, 3, batch, 3))
        .await
        .unwrap();
    let empty = PutPart {
        checksum: None,
        object_crc: None,
        size: 0,
        data: PartData::Extents(Vec::new()),
        ..part(&upload, 10_000, batch, 0)
    };
    let last = fixture.other.make(empty).await.unwrap();
    let page = fixture.catalog.list_parts(upload.id, 0, 2).await.unwrap();
    assert_eq!(
        (page.parts.as_slice(), page.next),
        ([first.clone(), third.clone()].as_slice(), Some(3))
    );
    let page = fixture.catalog.list_parts(upload.id, 3, 2).await.unwrap();
    assert_eq!(
        (page.parts.as_slice(), page.next),
        ([last.clone()].as_slice(), None)
    );

    // Not all uploaded parts are chosen.
    let done = fixture
        .catalog
        .make(complete(&upload, &[&third, &last]))
        .await
        .unwrap();
    assert_eq!(
        (
            done.repetition,
            done.completed.size,
            done.completed.modified
        ),
        (Repetition::First, 1000, later(100))
    );
    let object = fixture.get(bucket, "k").await.unwrap();
    assert_eq!(
        (object.row.generation, object.row.meta.part_count),
        (done.completed.generation, 2)
    );
    let ObjectData::Extents(layout) = &object.data else {
        panic!("{object:?}")
    };
    assert_eq!(layout.extents, [extent(batch, 3, 1000)]);
    assert_eq!(
        layout
            .parts
            .iter()
            .map(|part| (part.number, part.size))
            .collect::<Vec<_>>(),
        [(3, 1000), (10_000, 0)]
    );
    assert_eq!(garbage(fixture).await, [id(batch, 1)]);
    assert!(
        fixture
            .other
            .list_parts(upload.id, 0, 10)
            .await
            .unwrap()
            .parts
            .is_empty()
    );
    assert!(matches!(
        fixture
            .other
            .upload(upload.id)
            .await
            .unwrap()
            .unwrap()
            .state,
        UploadState::Completed(_)
    ));
}

pub(super) async fn answer_repeated_completions_alike(fixture: &Fixture) {
    let bucket = fixture.bucket("multipart").await.id;
    let (upload, batch) = begun(fixture, bucket).await;
    let first = fixture
        .catalog
        .make(part(&upload, 1, batch, 1))
        .await
        .unwrap();
    let absent = Preconditions {
        if_none_match: Some(IfNoneMatch::Any),
        ..Preconditions::default()
    };
    let change = CompleteUpload {
        preconditions: absent,
        ..completion(&upload, &[&first])
    };
    let change = Mutation::by_system(later(100), change);
    let done = fixture.catalog.make(change.clone()).await.unwrap();
    let again = fixture.other.make(change.clone()).await.unwrap();
    assert_eq!(
        (again.repetition, again.completed),
        (Repetition::Repeated, done.completed)
    );
    assert_eq!(
        refusal(&fixture.other, part(&upload, 2, batch, 2)).await,
        Refusal::UploadNotFound(upload.id)
    );
    let forgotten = fixture
        .catalog
        .forget_completed_uploads(later(100), 10)
        .await
        .unwrap();
    assert_eq!(forgotten, 0, "not before its time");
    assert_eq!(
        fixture
            .catalog
            .forget_completed_uploads(later(101), 10)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        refusal(&fixture.other, change).await,
        Refusal::UploadNotFound(upload.id)
    );
}

pub(super) async fn refuse_changed_parts(fixture: &Fixture) {
    let bucket = fixture.bucket("multipart").await.id;
    let (upload, batch) = begun(fixture, bucket).await;
    let first = fixture
        .catalog
        .make(part(&upload, 1, batch, 1))
        .await
        .unwrap();
    let second = fixture
        .catalog
        .make(part(&upload, 2, batch, 2))
        .await
        .unwrap();
    fixture
        .other
        .make(part(&upload, 1, batch, 3))
        .await
        .unwrap();
    let changed = refusal(&fixture.catalog, complete(&upload, &[&first, &second])).await;
    assert_eq!(changed, Refusal::PartChanged { number: 1 });
    let missing = Part {
        number: 5,
        ..second.clone()
    };
    assert_eq!(
        refusal(&fixture.catalog, complete(&upload, &[&missing])).await,
        Refusal::PartChanged { number: 5 }
    );
    for list in [&[&second, &first] as &[&Part], &[&second, &second], &[]] {
        assert_eq!(
            refusal(&fixture.catalog, complete(&upload, list)).await,
            Refusal::PartList
        );
    }
    let good = completion(&upload, &[&second]);
    let short = CompleteUpload {
        meta: ObjectMeta::new(999, etag(1), AccountId(1)),
        ..good.clone()
    };
    assert_eq!(refusal(&fixture.catalog, short).await, Refusal::PartList);
    let elsewhere = fixture.bucket("elsewhere").await.id;
    let foreign = CompleteUpload {
        bucket: elsewhere,
        ..good.clone()
    };
    assert_eq!(
        refusal(&fixture.catalog, foreign).await,
        Refusal::UploadNotFound(upload.id)
    );
    fixture.put(bucket, "k").await;
    let absent = Preconditions {
        if_none_match: Some(IfNoneMatch::Any),
        ..Preconditions::default()
    };
    let conditional = CompleteUpload {
        preconditions: absent,
        ..good.clone()
    };
    assert_eq!(
        refusal(&fixture.catalog, conditional).await,
        Refusal::Precondition(Condition::IfNoneMatch)
    );
    // After all these refusals everything is as it was.
    fixture.catalog.make(good).await.unwrap();
}

pub(super) async fn replace_parts(fixture: &Fixture) {
    let bucket = fixture.bucket("multipart").await.id;
    let (upload, batch) = begun(fixture, bucket).await;
    let before = fixture
        .catalog
        .make(part(&upload, 1, batch, 1))
        .await
        .unwrap();
    let after = fixture
        .other
        .make(part(&upload, 1, batch, 2))
        .await
        .unwrap();
    assert_ne!(before.data_id, after.data_id);
    assert_eq!(
        fixture
            .catalog
            .list_parts(upload.id, 0, 10)
            .await
            .unwrap()
            .parts,
        [after]
    );
    assert_eq!(garbage(fixture).await, [id(batch, 1)]);
}

pub(super) async fn end_without_an_object(fixture: &Fixture) {
    let bucket = fixture.bucket("multipart").await.id;
    let (upload, batch) = begun(fixture, bucket).await;
    fixture
        .catalog
        .make(part(&upload, 1, batch, 1))
        .await
        .unwrap();
    fixture
        .catalog
        .make(part(&upload, 2, batch, 2))
        .await
        .unwrap();
    let abort = AbortUpload {
        bucket,
        upload: upload.id,
    };
    fixture.other.make(abort.clone()).await.unwrap();
    assert_eq!(
        refusal(&fixture.catalog, abort).await,
        Refusal::UploadNotFound(upload.id)
    );
    assert_eq!(
        refusal(&fixture.catalog, part(&upload, 3, batch, 3)).await,
        Refusal::UploadNotFound(upload.id)
    );
    assert_eq!(fixture.catalog.upload(upload.id).await.unwrap(), None);
    assert_eq!(garbage(fixture).await, [id(batch, 1), id(batch, 2)]);
}

pub(super) async fn are_listed_by_key_and_start(fixture: &Fixture) {
    let bucket = fixture.bucket("multipart").await.id;
    let names = ["b/1", "a", "b/2", "a", "c", "b", "a", "d/x/1"];
    let mut uploads = Vec::new();
    for (number, name) in names.iter().enumerate() {
        uploads.push(
            fixture
                .catalog
                .make(begin(bucket, name, number as u64))
                .await
                .unwrap(),
        );
    }
    let everything = ListUploads {
        bucket,
        prefix: String::new(),
        delimiter: "/".into(),
        key_marker: String::new(),
        upload_marker: None,
        max: 100,
    };
    let shown = |entry: &Listed<Upload>| match entry {
        Listed::Entry(upload) => format!(
            "{}{}",
            upload.key.as_str(),
            (upload.created.since(T0)).as_secs()
        ),
        Listed::CommonPrefix(common) => common.clone(),
    };
    let whole = fixture.catalog.list_uploads(&everything).await.unwrap();
    let whole: Vec<String> = whole.entries.iter().map(shown).collect();
    assert_eq!(whole, ["a1", "a3", "a6", "b5", "b/", "c4", "d/"]);
    for max in 1..4 {
        let mut query = ListUploads {
            max,
            ..everything.clone()
        };
        let mut paged = Vec::new();
        loop {
            let page = fixture.other.list_uploads(&query).await.unwrap();
            paged.extend(page.entries.iter().map(shown));
            let Some((key_marker, upload_marker)) = page.next else {
                break;
            };
            query = ListUploads {
                key_marker,
                upload_marker,
                ..query
            };
        }
        assert_eq!(paged, whole, "in pages of {max}");
    }
    let flat = ListUploads {
        delimiter: String::new(),
        prefix: "b/".into(),
        ..everything.clone()
    };
    let flat: Vec<String> = fixture
        .catalog
        .list_uploads(&flat)
        .await
        .unwrap()
        .entries
        .iter()
        .map(shown)
        .collect();
    assert_eq!(flat, ["b/10", "b/22"]);
    let after = ListUploads {
        key_marker: "a".into(),
        delimiter: String::new(),
        ..everything
    };
    let after: Vec<String> = fixture
        .catalog
        .list_uploads(&after)
        .await
        .unwrap()
        .entries
        .iter()
        .map(shown)
        .collect();
    assert_eq!(after, ["b5", "b/10", "b/22", "c4", "d/x/17"]);
}

pub(super) async fn share_blobs_between_parts(fixture: &Fixture) {
    let bucket = fixture.bucket("multipart").await.id;
    let (upload, batch) = begun(fixture, bucket).await;
    let source = fixture
        .catalog
        .make(put_blob(bucket, "source", batch, 9))
        .await
        .unwrap()
        .row;
    let copy = |number, offset| {
        let piece = Extent {
            offset,
            length: 50_000,
            ..extent(batch, 9, 0)
        };
        let data = PartData::Shared {
            source: source.data_id().unwrap(),
            extents: vec![piece],
        };
        PutPart {
            size: 50_000,
            data,
            ..part(&upload, number, batch, 0)
        }
    };
    let first = fixture.catalog.make(copy(1, 0)).await.unwrap();
    let second = fixture.other.make(copy(2, 50_000)).await.unwrap();
    fixture
        .catalog
        .make(complete(&upload, &[&first, &second]))
        .await
        .unwrap();
    fixture
        .catalog
        .make(crate::testing::put(bucket, "source", b"small"))
        .await
        .unwrap();
    assert!(
        garbage(fixture).await.is_empty(),
        "the object of the parts refers to the blob"
    );
    assert_eq!(
        refusal(&fixture.catalog, copy(1, 0)).await,
        Refusal::UploadNotFound(upload.id)
    );
    fixture
        .catalog
        .make(crate::testing::put(bucket, "k", b"small"))
        .await
        .unwrap();
    assert_eq!(garbage(fixture).await, [id(batch, 9)]);
}
