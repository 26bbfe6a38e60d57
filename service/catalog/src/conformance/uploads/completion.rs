use super::{begun, complete, completion, part};
use crate::conformance::blobs::{garbage, id};
use crate::conformance::make::refusal;
use crate::model::{ObjectData, ObjectMeta, Part, PartData, UploadState};
use crate::mutation::{CompleteUpload, IfNoneMatch, Mutation, Preconditions, PutPart};
use crate::testing::{Fixture, etag, extent, later};
use crate::{Condition, Refusal, Repetition};
use bucketry_domain::AccountId;

pub(crate) async fn become_objects(fixture: &Fixture) {
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

pub(crate) async fn answer_repeated_completions_alike(fixture: &Fixture) {
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

pub(crate) async fn refuse_changed_parts(fixture: &Fixture) {
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
