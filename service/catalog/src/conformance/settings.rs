use std::sync::Arc;

use super::make::refusal;
use crate::model::Bucket;
use crate::mutation::{DeleteBucket, Mutation, UpdateBucket};
use crate::testing::{Fixture, put};
use crate::{Catalog, CatalogError, Refusal};
use bucketry_domain::{
    BucketId, BucketName, BucketSetting, BucketSettings, CorsRule, Generation, ObjectOwnership,
    SettingEdit, Tag,
};

fn update(bucket: BucketId, edits: Vec<SettingEdit>) -> UpdateBucket {
    UpdateBucket { bucket, edits }
}

fn delete(bucket: BucketId) -> DeleteBucket {
    DeleteBucket { bucket }
}

fn tagging(value: &str) -> SettingEdit {
    SettingEdit::Tagging(Some(vec![Tag {
        key: "k".into(),
        value: value.into(),
    }]))
}

/// A rule of some 60 KiB.
fn cors(origin: &str) -> SettingEdit {
    SettingEdit::Cors(Some(vec![CorsRule {
        id: Some("\u{0}\\u0000".into()),
        allowed_origins: vec![origin.into()],
        allowed_headers: vec!["x-header".into(); 6_000],
        ..CorsRule::default()
    }]))
}

fn all() -> Vec<SettingEdit> {
    let owner = SettingEdit::OwnershipControls(Some(ObjectOwnership::BucketOwnerEnforced));
    vec![tagging("1"), cors("*"), owner]
}

async fn edit(catalog: &Catalog, bucket: BucketId, edits: Vec<SettingEdit>) -> Arc<BucketSettings> {
    catalog.make(update(bucket, edits)).await.unwrap()
}

/// The settings, which must be the same on both nodes.
async fn read(fixture: &Fixture, bucket: BucketId) -> Arc<BucketSettings> {
    let settings = fixture.catalog.bucket_settings(bucket).await.unwrap();
    let others = fixture.other.bucket_settings(bucket).await.unwrap();
    assert_eq!(settings, others);
    settings
}

fn version(settings: &BucketSettings, setting: BucketSetting) -> Option<Generation> {
    settings.stored(setting).map(|(_, version)| version)
}

pub(super) async fn are_edited_one_by_one(fixture: &Fixture) {
    let bucket = fixture.bucket("one-by-one").await.id;
    let neighbour = fixture.bucket("neighbour").await.id;
    assert_eq!(*read(fixture, bucket).await, BucketSettings::default());
    edit(&fixture.catalog, neighbour, all()).await;
    let first = edit(&fixture.catalog, bucket, all()).await;
    let beside = read(fixture, neighbour).await;
    for setting in BucketSetting::ALL {
        assert!(version(&first, *setting) > version(&beside, *setting));
    }

    let second = edit(&fixture.other, bucket, vec![tagging("2")]).await;
    assert!(version(&second, BucketSetting::Tagging) > version(&first, BucketSetting::Tagging));
    assert_ne!(second.tagging(), first.tagging());
    for setting in [BucketSetting::Cors, BucketSetting::OwnershipControls] {
        assert_eq!(second.stored(setting), first.stored(setting));
    }
    assert_eq!(read(fixture, bucket).await, second);

    let third = edit(&fixture.catalog, bucket, vec![SettingEdit::Cors(None)]).await;
    assert_eq!(third.cors(), None);
    assert_eq!(third.tagging(), second.tagging());
    assert_eq!(read(fixture, bucket).await, third);
    // Set again, it has a higher version than before.
    let fourth = edit(&fixture.other, bucket, vec![cors("*")]).await;
    assert_eq!(fourth.cors(), first.cors());
    assert!(version(&fourth, BucketSetting::Cors) > version(&second, BucketSetting::Cors));
    assert_eq!(edit(&fixture.catalog, bucket, Vec::new()).await, fourth);

    let name: BucketName = "one-by-one".parse().unwrap();
    let reopened = fixture.reopened().await;
    assert_eq!(reopened.bucket_settings(bucket).await.unwrap(), fourth);
    assert_eq!(reopened.bucket_settings(neighbour).await.unwrap(), beside);
    for needed in BucketSetting::ALL {
        let found = reopened.setting_by_bucket_name(&name, *needed).await;
        assert_eq!(found.unwrap().stored(*needed), fourth.stored(*needed));
    }
    reopened.close().await;
}

/// By id and by name, while readers fill the cache.
pub(super) async fn are_seen_by_every_node_at_once(fixture: &Fixture) {
    let bucket = fixture.bucket("seen").await;
    let (id, name) = (bucket.id, &bucket.name);
    let readers = [fixture.catalog.clone(), fixture.other.clone()].map(|catalog| {
        tokio::spawn(async move {
            loop {
                catalog.bucket_settings(id).await.unwrap();
                tokio::task::yield_now().await;
            }
        })
    });
    for number in 0..50 {
        let (writer, other) = match number % 2 {
            0 => (&fixture.catalog, &fixture.other),
            _ => (&fixture.other, &fixture.catalog),
        };
        let after = edit(writer, id, vec![cors(&number.to_string())]).await;
        assert_eq!(read(fixture, id).await, after);
        let found = other.setting_by_bucket_name(name, BucketSetting::Cors);
        assert_eq!(found.await.unwrap().cors(), after.cors());
    }
    for reader in readers {
        reader.abort();
        assert!(reader.await.unwrap_err().is_cancelled());
    }
}

pub(super) async fn edited_at_the_same_time_are_all_kept(fixture: &Fixture) {
    let bucket = fixture.bucket("at-once").await.id;
    for round in 0..20 {
        let text = round.to_string();
        let (left, right) = tokio::join!(
            edit(&fixture.catalog, bucket, vec![tagging(&text)]),
            edit(&fixture.other, bucket, vec![cors(&text)]),
        );
        let after = read(fixture, bucket).await;
        assert_eq!(
            (after.tagging(), after.cors()),
            (left.tagging(), right.cors())
        );
        assert!([left, right].contains(&after), "one of them came last");

        // The later of two edits of one setting wins.
        let (left, right) = tokio::join!(
            edit(&fixture.catalog, bucket, vec![tagging("left")]),
            edit(&fixture.other, bucket, vec![tagging("right")]),
        );
        let tags = |settings: &Arc<BucketSettings>| version(settings, BucketSetting::Tagging);
        let last = match tags(&left) > tags(&right) {
            true => left,
            false => right,
        };
        assert_eq!(read(fixture, bucket).await, last);
    }
}

pub(super) async fn go_with_their_bucket(fixture: &Fixture) {
    let first = fixture.bucket("again").await;
    edit(&fixture.catalog, first.id, all()).await;
    read(fixture, first.id).await;
    fixture.other.make(delete(first.id)).await.unwrap();
    assert_eq!(*read(fixture, first.id).await, BucketSettings::default());
    assert_eq!(
        refusal(&fixture.catalog, update(first.id, all())).await,
        Refusal::BucketGone(first.id)
    );
    let second = fixture.bucket("again").await;
    for bucket in [first.id, second.id] {
        assert_eq!(*read(fixture, bucket).await, BucketSettings::default());
    }
    for node in [&fixture.catalog, &fixture.other] {
        let found = node.setting_by_bucket_name(&first.name, BucketSetting::Cors);
        assert_eq!(found.await.unwrap().cors(), None);
    }

    // In one batch.
    let batch = [
        Mutation::from(update(second.id, all())).untyped(),
        Mutation::from(delete(second.id)).untyped(),
        Mutation::from(update(second.id, all())).untyped(),
    ];
    let verdicts = fixture.catalog.commit(batch.into()).await.unwrap();
    assert!(verdicts[0].is_ok() && verdicts[1].is_ok());
    assert_eq!(verdicts[2], Err(Refusal::BucketGone(second.id)));
    assert_eq!(*read(fixture, second.id).await, BucketSettings::default());
}

pub(super) async fn race_with_the_deletion_of_their_bucket(fixture: &Fixture) {
    for round in 0..10 {
        let bucket = fixture.bucket(&format!("race-{round}")).await.id;
        let (edited, deleted) = tokio::join!(
            fixture.catalog.make(update(bucket, all())),
            fixture.other.make(delete(bucket)),
        );
        deleted.unwrap();
        match edited {
            Ok(settings) => assert!(settings.cors().is_some()),
            Err(CatalogError::Refused(refusal)) => {
                assert_eq!(refusal, Refusal::BucketGone(bucket));
            }
            Err(error) => panic!("{error:?}"),
        }
        assert_eq!(*read(fixture, bucket).await, BucketSettings::default());
    }
}

/// An edit of settings touches of the bucket only its policy epoch, and commits of objects leave the settings alone.
pub(super) async fn leave_the_bucket_as_it_is(fixture: &Fixture) {
    let bucket = fixture.bucket("head").await;
    let after = edit(&fixture.catalog, bucket.id, all()).await;
    fixture.other.make(put(bucket.id, "k", b"x")).await.unwrap();
    let expected = Bucket {
        policy_epoch: 1,
        ..Bucket::clone(&bucket)
    };
    for node in [&fixture.catalog, &fixture.other] {
        let found = node.bucket(bucket.id).await.unwrap();
        assert_eq!(found.as_deref(), Some(&expected));
    }
    assert_eq!(read(fixture, bucket.id).await, after);
}
