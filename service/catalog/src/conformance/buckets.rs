use super::make::refusal;
use crate::mutation::{AbortUpload, DeleteBucket, DeleteObject, Preconditions, UpdateBucket};
use crate::query::{ListBuckets, More};
use crate::testing::{Fixture, make_account, make_bucket, put};
use crate::{CatalogError, Refusal};
use bucketry_domain::{BucketId, CorsRule, ObjectOwnership, SettingEdit, Tag};

fn delete(bucket: BucketId) -> DeleteBucket {
    DeleteBucket { bucket }
}

pub(super) async fn have_one_owner_per_name(fixture: &Fixture) {
    let bucket = fixture.bucket("taken").await;
    let stranger = make_account(&fixture.other, "stranger").await.unwrap();
    let refused = make_bucket(&fixture.other, stranger.id, "taken").await;
    let expected = Refusal::BucketExists {
        bucket: bucket.id,
        owner: fixture.account.id,
    };
    assert!(matches!(refused, Err(CatalogError::Refused(refusal)) if refusal == expected));
    assert_eq!(
        fixture.other.bucket_by_name(&bucket.name).await.unwrap(),
        Some(bucket)
    );
}

pub(super) async fn are_another_after_deletion(fixture: &Fixture) {
    let (catalog, other) = (&fixture.catalog, &fixture.other);
    let first = fixture.bucket("again").await;
    assert_eq!(
        other.bucket_by_name(&first.name).await.unwrap().as_deref(),
        Some(&*first)
    );
    catalog.make(delete(first.id)).await.unwrap();
    for node in [catalog, other] {
        assert_eq!(node.bucket_by_name(&first.name).await.unwrap(), None);
    }
    assert_eq!(
        refusal(other, delete(first.id)).await,
        Refusal::BucketGone(first.id)
    );
    assert_eq!(
        refusal(other, put(first.id, "k", b"x")).await,
        Refusal::BucketGone(first.id)
    );
    let second = fixture.bucket("again").await;
    assert_ne!(first.id, second.id);
    assert_eq!(
        refusal(other, put(first.id, "k", b"x")).await,
        Refusal::BucketGone(first.id)
    );
    assert!(other.make(put(second.id, "k", b"x")).await.is_ok());
    assert!(
        fixture.catalog.bucket(first.id).await.unwrap().is_some(),
        "its tokens can still say what they were for"
    );
}

pub(super) async fn are_deleted_only_empty(fixture: &Fixture) {
    let bucket = fixture.bucket("full").await.id;
    fixture.put(bucket, "k").await;
    assert_eq!(
        refusal(&fixture.other, delete(bucket)).await,
        Refusal::BucketNotEmpty(bucket)
    );
    let key = crate::testing::key("k");
    let remove = DeleteObject {
        bucket,
        key,
        preconditions: Preconditions::default(),
    };
    fixture.catalog.make(remove).await.unwrap();
    fixture.other.make(delete(bucket)).await.unwrap();
}

pub(super) async fn keep_their_settings(fixture: &Fixture) {
    let bucket = fixture.bucket("settings").await;
    let update = |edits| UpdateBucket {
        bucket: bucket.id,
        edits,
    };
    let tags = vec![Tag {
        key: "k\u{0}ä".into(),
        value: "\"v\"".into(),
    }];
    let rule = CorsRule {
        allowed_origins: vec!["*".into()],
        max_age_seconds: Some(5),
        ..CorsRule::default()
    };
    let edits = vec![
        SettingEdit::Tagging(Some(tags.clone())),
        SettingEdit::Cors(Some(vec![rule.clone()])),
        SettingEdit::OwnershipControls(Some(ObjectOwnership::ObjectWriter)),
    ];
    let after = fixture.catalog.make(update(edits)).await.unwrap();
    let read = fixture.other.bucket_settings(bucket.id).await.unwrap();
    assert_eq!(after, read);
    assert_eq!(
        (read.tagging(), read.cors()),
        (Some(&tags), Some(&vec![rule]))
    );
    let after = fixture
        .other
        .make(update(vec![SettingEdit::Tagging(None)]))
        .await
        .unwrap();
    assert_eq!(
        (after.tagging(), after.ownership_controls()),
        (None, Some(&ObjectOwnership::ObjectWriter))
    );
    assert_eq!(
        fixture.catalog.bucket_settings(bucket.id).await.unwrap(),
        after
    );
}

pub(super) async fn are_listed_by_name(fixture: &Fixture) {
    for name in ["b-2", "a-1", "b.1", "b-10", "c-1"] {
        fixture.bucket(name).await;
    }
    let gone = fixture.bucket("b-gone").await;
    fixture.catalog.make(delete(gone.id)).await.unwrap();
    let stranger = make_account(&fixture.catalog, "stranger").await.unwrap();
    make_bucket(&fixture.catalog, stranger.id, "b-3")
        .await
        .unwrap();
    let names = async |query: ListBuckets| {
        let page = fixture.catalog.list_buckets(&query).await.unwrap();
        (
            page.items
                .iter()
                .map(|bucket| bucket.name.to_string())
                .collect::<Vec<_>>()
                .join(" "),
            page.more,
        )
    };
    let all = ListBuckets {
        account: None,
        prefix: String::new(),
        after: None,
        max: 100,
    };
    assert_eq!(
        names(all.clone()).await,
        ("a-1 b-10 b-2 b-3 b.1 c-1".into(), More::No)
    );
    let own = ListBuckets {
        account: Some(fixture.account.id),
        ..all.clone()
    };
    assert_eq!(names(own).await, ("a-1 b-10 b-2 b.1 c-1".into(), More::No));
    let page = ListBuckets {
        prefix: "b".into(),
        after: Some("b-10".parse().unwrap()),
        max: 2,
        ..all
    };
    assert_eq!(names(page).await, ("b-2 b-3".into(), More::Yes));
}

pub(super) async fn end_their_uploads(fixture: &Fixture) {
    let bucket = fixture.bucket("with-uploads").await.id;
    let upload = fixture
        .catalog
        .make(super::uploads::begin(bucket, "k", 1))
        .await
        .unwrap();
    let batch = fixture.batch().await;
    fixture
        .catalog
        .make(super::uploads::part(&upload, 1, batch, 1))
        .await
        .unwrap();
    assert!(
        fixture
            .catalog
            .orphaned_uploads(10)
            .await
            .unwrap()
            .is_empty()
    );
    fixture.catalog.make(delete(bucket)).await.unwrap();
    let orphans = fixture.other.orphaned_uploads(10).await.unwrap();
    assert_eq!(
        orphans.iter().map(|orphan| orphan.id).collect::<Vec<_>>(),
        [upload.id]
    );
    let abort = AbortUpload {
        bucket,
        upload: upload.id,
    };
    fixture.other.make(abort).await.unwrap();
    assert!(
        fixture
            .catalog
            .orphaned_uploads(10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        super::blobs::garbage(fixture).await,
        [super::blobs::id(batch, 1)]
    );
}
