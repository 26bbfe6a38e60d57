use super::{begun, complete, part};
use crate::Refusal;
use crate::conformance::blobs::{garbage, id};
use crate::conformance::make::refusal;
use crate::model::{Extent, PartData};
use crate::mutation::PutPart;
use crate::testing::{Fixture, extent, put, put_blob};

pub(crate) async fn replace_parts(fixture: &Fixture) {
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

pub(crate) async fn share_blobs_between_parts(fixture: &Fixture) {
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
        .make(put(bucket, "source", b"small"))
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
        .make(put(bucket, "k", b"small"))
        .await
        .unwrap();
    assert_eq!(garbage(fixture).await, [id(batch, 9)]);
}
