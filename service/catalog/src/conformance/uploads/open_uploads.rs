use super::{begin, beginning, begun, part};
use crate::conformance::blobs::{garbage, id};
use crate::conformance::make::refusal;
use crate::model::Upload;
use crate::mutation::{AbortUpload, CreateUpload};
use crate::query::{ListUploads, Listed};
use crate::testing::{Fixture, T0};
use crate::{CatalogError, Refusal};

pub(crate) async fn are_limited_by_bucket(fixture: &Fixture) {
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

pub(crate) async fn end_without_an_object(fixture: &Fixture) {
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

pub(crate) async fn are_listed_by_key_and_start(fixture: &Fixture) {
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
    // The least text above the marker may begin with the prefix although the marker does not.
    let zero = ListUploads {
        key_marker: "a".into(),
        upload_marker: Some(uploads[1].id),
        prefix: "a\0".into(),
        ..everything.clone()
    };
    let zero = fixture.catalog.list_uploads(&zero).await.unwrap();
    assert_eq!(zero.entries.len(), 0, "{zero:?}");
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
