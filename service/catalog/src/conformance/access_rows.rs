//! Remembered rows, and the reads that compare them with the current ones.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::make::refusal;
use crate::model::{AccessKey, Bucket, BucketState, KeyLimits, KeyScope, KeyState, ObjectData};
use crate::mutation::{
    DeleteBucket, DeleteObject, Guard, KeyEdit, Mutation, PolicyGuard, Preconditions,
    PurgeAccessKey, ResealAccessKey, UpdateAccessKey, UpdateBucket,
};
use crate::testing::{Fixture, key, put};
use crate::{AccessRows, Catalog, Refusal};
use bucketry_domain::{AccessKeyPk, CorsRule, ObjectOwnership, SettingEdit, Tag};

fn edit(pk: AccessKeyPk, edit: KeyEdit) -> UpdateAccessKey {
    UpdateAccessKey {
        pk,
        if_version: None,
        unless_last_of: None,
        edit,
        by: "editor".into(),
    }
}

fn state(state: KeyState) -> KeyEdit {
    KeyEdit {
        state: Some(state),
        ..KeyEdit::default()
    }
}

/// A bucket with the object `k`, a token of it, and both rows.
async fn scene(fixture: &Fixture, name: &str) -> (Arc<Bucket>, Arc<AccessKey>, AccessRows) {
    let bucket = fixture.bucket(name).await;
    let token = fixture.token(bucket.id).await;
    fixture
        .catalog
        .make(put(bucket.id, "k", b"x"))
        .await
        .unwrap();
    let seen = AccessRows {
        key: Some(token.clone()),
        bucket: Some(bucket.clone()),
    };
    (bucket, token, seen)
}

/// The rows as both reads of a node return them.
async fn current(node: &Catalog, seen: &AccessRows) -> AccessRows {
    let rows = node.current_rows(seen).await.unwrap();
    let read = node.read_object(seen, &key("k")).await.unwrap();
    assert_eq!(read.rows, rows);
    rows
}

pub(super) async fn come_with_the_object(fixture: &Fixture) {
    let (bucket, _, seen) = scene(fixture, "unchanged").await;
    let stored = fixture.get(bucket.id, "k").await;
    let partly = [
        seen.clone(),
        AccessRows {
            key: None,
            ..seen.clone()
        },
    ];
    for node in [&fixture.catalog, &fixture.other] {
        for seen in &partly {
            assert_eq!(current(node, seen).await, *seen);
            let read = node.read_object(seen, &key("k")).await.unwrap();
            assert_eq!(read.object, stored);
            let read = node.read_object_row(seen, &key("k")).await.unwrap();
            let row = stored.as_ref().map(|stored| stored.row.clone());
            assert_eq!((read.object, &read.rows), (row, seen));
            let read = node.read_object(seen, &key("absent")).await.unwrap();
            assert_eq!((read.object, &read.rows), (None, seen));
            let read = node.read_object_row(seen, &key("absent")).await.unwrap();
            assert_eq!((read.object, &read.rows), (None, seen));
        }
        let only_key = AccessRows {
            bucket: None,
            ..seen.clone()
        };
        assert_eq!(node.current_rows(&only_key).await.unwrap(), only_key);
        let none = AccessRows::default();
        assert_eq!(node.current_rows(&none).await.unwrap(), none);
    }
}

pub(super) async fn hold_every_kind_of_data(fixture: &Fixture) {
    let (bucket, _, seen) = scene(fixture, "kinds").await;
    fixture
        .catalog
        .make(put(bucket.id, "empty", b""))
        .await
        .unwrap();
    let batch = fixture.batch().await;
    let blob = crate::testing::put_blob(bucket.id, "blob", batch, 1);
    fixture.catalog.make(blob).await.unwrap();
    for name in ["k", "empty", "blob"] {
        let stored = fixture.get(bucket.id, name).await;
        let read = fixture.other.read_object(&seen, &key(name)).await.unwrap();
        assert_eq!(read.object, stored, "{name}");
        let kind = read.object.map(|object| match object.data {
            ObjectData::Inline(_) => "k",
            ObjectData::Empty => "empty",
            ObjectData::Extents(_) => "blob",
        });
        assert_eq!(kind, Some(name));
    }
}

pub(super) async fn show_each_edit_of_the_key(fixture: &Fixture) {
    let (_, token, mut seen) = scene(fixture, "edited").await;
    let limits = KeyLimits {
        requests_per_second: NonZeroU32::new(3),
        bytes_per_day: None,
    };
    let edits = [
        KeyEdit {
            limits: Some(limits),
            ..KeyEdit::default()
        },
        KeyEdit {
            disallowed: Some(vec!["10.0.0.0/9".parse().unwrap()]),
            ..KeyEdit::default()
        },
        state(KeyState::Suspended),
        state(KeyState::Active),
        state(KeyState::Revoked),
    ];
    for change in edits {
        let edited = fixture.catalog.make(edit(token.pk, change)).await.unwrap();
        for node in [&fixture.other, &fixture.catalog] {
            let rows = current(node, &seen).await;
            assert_eq!(rows.key, Some(edited.clone()));
            assert_ne!(rows.key, seen.key);
            assert_eq!(rows.bucket, seen.bucket);
        }
        seen.key = Some(edited);
    }
    let purge = PurgeAccessKey { pk: token.pk };
    fixture.catalog.make(purge).await.unwrap();
    for node in [&fixture.other, &fixture.catalog] {
        assert_eq!(current(node, &seen).await.key, None);
        assert_eq!(node.remembered_key(&token.access_key_id), None);
    }
}

/// Neither version nor epoch move, but the secret may be another.
pub(super) async fn show_a_new_seal(fixture: &Fixture) {
    let (_, token, seen) = scene(fixture, "sealed").await;
    let mut secret = token.secret.clone();
    secret.nonce = vec![9; 12];
    let reseal = ResealAccessKey {
        pk: token.pk,
        if_kek: secret.kek_id,
        secret,
    };
    let resealed = fixture.catalog.make(reseal).await.unwrap();
    assert_eq!(
        (resealed.version, resealed.epoch),
        (token.version, token.epoch)
    );
    for node in [&fixture.other, &fixture.catalog] {
        let key = current(node, &seen).await.key;
        assert_eq!(key, Some(resealed.clone()));
        assert_ne!(key, seen.key);
    }
}

pub(super) async fn show_that_the_bucket_is_another(fixture: &Fixture) {
    let (bucket, _, seen) = scene(fixture, "another").await;
    let found = fixture.other.bucket_by_name(&bucket.name).await.unwrap();
    assert_eq!(found, Some(bucket.clone()));
    assert_eq!(
        fixture.other.remembered_bucket(&bucket.name),
        Some(bucket.clone())
    );
    let remove = DeleteObject {
        bucket: bucket.id,
        key: key("k"),
        preconditions: Preconditions::default(),
    };
    fixture.catalog.make(remove).await.unwrap();
    let delete = DeleteBucket { bucket: bucket.id };
    fixture.catalog.make(delete).await.unwrap();
    let second = fixture.bucket("another").await;
    fixture
        .catalog
        .make(put(second.id, "k", b"of the second"))
        .await
        .unwrap();
    for node in [&fixture.other, &fixture.catalog] {
        let read = node.read_object(&seen, &key("k")).await.unwrap();
        assert_eq!(read.object, None, "nothing of the second bucket");
        let deleted = read.rows.bucket.unwrap();
        assert_eq!(
            (deleted.id, deleted.state),
            (bucket.id, BucketState::Deleted)
        );
        assert!(deleted.policy_epoch > bucket.policy_epoch);
        let remembered = node.remembered_bucket(&bucket.name);
        assert!(
            remembered.is_none_or(|now| now == second),
            "the first is forgotten"
        );
        let found = node.bucket_by_name(&bucket.name).await.unwrap();
        assert_eq!(found, Some(second.clone()));
        assert_eq!(node.remembered_bucket(&bucket.name), found);
    }
}

pub(super) async fn advance_the_policy_epoch_with_access(fixture: &Fixture) {
    let (bucket, _, seen) = scene(fixture, "policy").await;
    let change = async |setting: SettingEdit| {
        let edits = vec![setting];
        let bucket = bucket.id;
        let update = UpdateBucket { bucket, edits };
        fixture.catalog.make(update).await.unwrap();
        let rows = current(&fixture.other, &seen).await;
        rows.bucket.unwrap().policy_epoch
    };
    assert_eq!(bucket.policy_epoch, 0);
    let tag = Tag {
        key: "k".into(),
        value: "v".into(),
    };
    assert_eq!(change(SettingEdit::Tagging(Some(vec![tag]))).await, 0);
    let rules = vec![CorsRule::default()];
    assert_eq!(change(SettingEdit::Cors(Some(rules))).await, 0);
    let ownership = ObjectOwnership::BucketOwnerEnforced;
    let controls = SettingEdit::OwnershipControls(Some(ownership));
    assert_eq!(change(controls).await, 1);
    assert_eq!(change(SettingEdit::OwnershipControls(None)).await, 2);
}

/// A commit that was decided on an earlier policy is not made.
pub(super) async fn guard_commits_by_the_policy_epoch(fixture: &Fixture) {
    let (bucket, token, _) = scene(fixture, "policy-guard").await;
    let put_at = |name: &str, epoch| Mutation {
        caller: Guard::Key {
            pk: token.pk,
            epoch: token.epoch,
            account: token.scope.account(),
        },
        policy: Some(PolicyGuard {
            bucket: bucket.id,
            epoch,
        }),
        ..Mutation::from(put(bucket.id, name, b"x"))
    };
    fixture.other.make(put_at("k", 0)).await.unwrap();
    let ownership = ObjectOwnership::BucketOwnerEnforced;
    let update = UpdateBucket {
        bucket: bucket.id,
        edits: vec![SettingEdit::OwnershipControls(Some(ownership))],
    };
    fixture.catalog.make(update).await.unwrap();
    let moved = Refusal::PolicyMoved {
        bucket: bucket.id,
        epoch: 1,
    };
    for node in [&fixture.other, &fixture.catalog] {
        assert_eq!(refusal(node, put_at("late", 0)).await, moved);
        node.make(put_at("k", 1)).await.unwrap();
    }
    assert_eq!(fixture.get(bucket.id, "late").await, None);
    let remove = DeleteObject {
        bucket: bucket.id,
        key: key("k"),
        preconditions: Preconditions::default(),
    };
    fixture.catalog.make(remove).await.unwrap();
    let delete = DeleteBucket { bucket: bucket.id };
    fixture.catalog.make(delete).await.unwrap();
    let gone = Refusal::BucketGone(bucket.id);
    assert_eq!(refusal(&fixture.other, put_at("k", 1)).await, gone);
}

/// What is remembered may be outdated until it is compared, and is current afterwards.
pub(super) async fn correct_what_is_remembered(fixture: &Fixture) {
    let (_, token, seen) = scene(fixture, "remembered").await;
    let (other, id) = (&fixture.other, &token.access_key_id);
    assert_eq!(
        other.access_key(id).await.unwrap(),
        Some(token.clone()),
        "read once, so that it is remembered"
    );
    assert_eq!(other.remembered_key(id), Some(token.clone()));
    let suspend = edit(token.pk, state(KeyState::Suspended));
    let suspended = fixture.catalog.make(suspend).await.unwrap();
    assert_eq!(fixture.catalog.remembered_key(id), Some(suspended.clone()));
    assert_eq!(current(other, &seen).await.key, Some(suspended.clone()));
    assert_eq!(other.remembered_key(id), Some(suspended));
    let absent = crate::testing::new_key(other, KeyScope::Everything).await;
    assert_eq!(other.access_key(&absent.access_key_id).await.unwrap(), None);
    assert_eq!(other.remembered_key(&absent.access_key_id), None);
}

/// A version that is stored after a revocation has returned is never read together with the key as it was before.
pub(super) async fn are_never_older_than_the_object(fixture: &Fixture) {
    for round in 0..30 {
        let (bucket, token, seen) = scene(fixture, &format!("moment-{round}")).await;
        let other = fixture.other.clone();
        let reader = tokio::spawn(async move {
            loop {
                let read = other.read_object(&seen, &key("k")).await.unwrap();
                let data = read.object.map(|object| object.data.clone());
                if data == Some(ObjectData::Inline(b"secret".as_slice().into())) {
                    return read.rows.key.map(|key| key.state);
                }
            }
        });
        let revoke = edit(token.pk, state(KeyState::Revoked));
        fixture.catalog.make(revoke).await.unwrap();
        let secret = put(bucket.id, "k", b"secret");
        fixture.catalog.make(secret).await.unwrap();
        assert_eq!(reader.await.unwrap(), Some(KeyState::Revoked));
    }
}
