use std::collections::BTreeSet;

use super::access_keys::revoke_unless_last;
use super::blobs::{garbage, id};
use super::uploads::{begin, complete, part};
use crate::model::{KeyScope, KeyState, NewData, ObjectData};
use crate::mutation::{
    AbortUpload, DeleteBucket, DeleteObject, Guard, IfNoneMatch, KeyEdit, Mutation, Preconditions,
    PutObject, UpdateAccessKey,
};
use crate::query::ListObjects;
use crate::testing::{Fixture, make_account, make_bucket, put, put_blob};
use crate::{Catalog, CatalogError, Condition, Outcome, Refusal};

/// The nodes in turn.
fn node(fixture: &Fixture, number: usize) -> Catalog {
    if number.is_multiple_of(2) {
        fixture.catalog.clone()
    } else {
        fixture.other.clone()
    }
}

pub(super) async fn of_absent_keys_have_one_winner(fixture: &Fixture) {
    let bucket = fixture.bucket("race").await.id;
    let preconditions = Preconditions {
        if_none_match: Some(IfNoneMatch::Any),
        ..Preconditions::default()
    };
    let racers: Vec<_> = (0..1000)
        .map(|number| {
            let catalog = node(fixture, number);
            let change = PutObject {
                preconditions: preconditions.clone(),
                ..put(bucket, "k", b"x")
            };
            tokio::spawn(async move { catalog.make(change).await })
        })
        .collect();
    let mut winners = Vec::new();
    for racer in racers {
        match racer.await.unwrap() {
            Ok(stored) => winners.push(stored.row),
            Err(CatalogError::Refused(refusal)) => {
                assert_eq!(refusal, Refusal::Precondition(Condition::IfNoneMatch));
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(
        fixture
            .get(bucket, "k")
            .await
            .map(|object| object.row.clone()),
        winners.pop()
    );
}

pub(super) async fn of_generations_lose_no_update(fixture: &Fixture) {
    let bucket = fixture.bucket("race").await.id;
    fixture.put(bucket, "k").await;
    let racers: Vec<_> = (0..10)
        .map(|number| {
            let catalog = node(fixture, number);
            tokio::spawn(async move {
                let mut replaced = Vec::new();
                while replaced.len() < 5 {
                    let seen = catalog
                        .object(bucket, &crate::testing::key("k"))
                        .await
                        .unwrap()
                        .unwrap();
                    let if_generation = Some(seen.row.generation);
                    let preconditions = Preconditions {
                        if_generation,
                        ..Preconditions::default()
                    };
                    match catalog
                        .make(PutObject {
                            preconditions,
                            ..put(bucket, "k", b"x")
                        })
                        .await
                    {
                        Ok(stored) => {
                            assert!(stored.row.generation > seen.row.generation);
                            replaced.push(seen.row.generation);
                        }
                        Err(CatalogError::Refused(Refusal::Precondition(
                            Condition::Generation(_),
                        ))) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
                replaced
            })
        })
        .collect();
    let mut replaced = BTreeSet::new();
    for racer in racers {
        replaced.extend(racer.await.unwrap());
    }
    assert_eq!(
        replaced.len(),
        50,
        "each of 50 wins replaced another version"
    );
    let last = fixture.get(bucket, "k").await.unwrap().row.generation;
    assert!(replaced.iter().all(|generation| *generation < last));
}

pub(super) async fn of_bucket_names_have_one_winner(fixture: &Fixture) {
    let account = fixture.account.id;
    let racers: Vec<_> = (0..20)
        .map(|number| {
            let catalog = node(fixture, number);
            tokio::spawn(async move { make_bucket(&catalog, account, "contested").await })
        })
        .collect();
    let mut winners = 0;
    for racer in racers {
        match racer.await.unwrap() {
            Ok(_) => winners += 1,
            Err(error) => assert!(
                matches!(error, CatalogError::Refused(Refusal::BucketExists { .. })),
                "{error:?}"
            ),
        }
    }
    assert_eq!(winners, 1);
}

pub(super) async fn with_revocation_are_ordered(fixture: &Fixture) {
    let bucket = fixture.bucket("race").await.id;
    let token = fixture.token(bucket).await;
    let writers: Vec<_> = (0..8)
        .map(|number| {
            let (catalog, pk) = (node(fixture, number), token.pk);
            tokio::spawn(async move {
                for count in 0.. {
                    let change = Mutation {
                        caller: Guard::Key {
                            pk,
                            epoch: 1,
                            account: None,
                        },
                        ..Mutation::from(put(bucket, &format!("{number}/{count}"), b"x"))
                    };
                    match catalog.make(change).await {
                        Ok(_) => {}
                        Err(CatalogError::Refused(Refusal::KeyNotActive { .. })) => return count,
                        Err(error) => panic!("{error:?}"),
                    }
                }
                0
            })
        })
        .collect();
    // Until each writer has written something.
    for number in 0..8 {
        while fixture
            .catalog
            .object(bucket, &crate::testing::key(&format!("{number}/0")))
            .await
            .unwrap()
            .is_none()
        {
            tokio::task::yield_now().await;
        }
    }
    let revoke = UpdateAccessKey {
        pk: token.pk,
        if_version: None,
        unless_last_of: None,
        edit: KeyEdit {
            state: Some(KeyState::Revoked),
            ..KeyEdit::default()
        },
        by: "root".into(),
    };
    fixture.catalog.make(revoke).await.unwrap();
    let count = async || {
        let page = fixture
            .other
            .list_objects(&ListObjects::all(bucket, 1_000_000))
            .await
            .unwrap();
        page.entries.len()
    };
    let when_it_returned = count().await;
    let mut written = 0;
    for writer in writers {
        written += writer.await.unwrap();
    }
    assert_eq!(
        count().await,
        when_it_returned,
        "nothing was committed after the revocation returned"
    );
    assert_eq!(written, when_it_returned);
}

/// Each revokes itself, so that no two of them change or read the same key.
pub(super) async fn of_administrators_leave_one(fixture: &Fixture) {
    for round in 0..20 {
        let account = make_account(&fixture.catalog, &format!("team-{round}")).await;
        let account = account.unwrap().id;
        let mut racers = Vec::new();
        for number in 0..4 {
            let key = fixture.key(KeyScope::Account(account)).await;
            let revoke = revoke_unless_last(&key);
            racers.push((node(fixture, number), revoke));
        }
        let racers = racers
            .into_iter()
            .map(|(catalog, revoke)| tokio::spawn(async move { catalog.make(revoke).await }));
        let racers: Vec<_> = racers.collect();
        let mut refused = 0;
        for racer in racers {
            match racer.await.unwrap() {
                Ok(_) => {}
                Err(CatalogError::Refused(refusal)) => {
                    assert_eq!(refusal, Refusal::LastAdministrator(account));
                    refused += 1;
                }
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(refused, 1, "round {round}");
    }
}

/// Both end the upload; whichever comes first.
pub(super) async fn of_completions_and_aborts_have_one_winner(fixture: &Fixture) {
    let bucket = fixture.bucket("race").await.id;
    let batch = fixture.batch().await;
    for round in 0..50 {
        let name = format!("k-{round}");
        let begun = fixture.catalog.make(begin(bucket, &name, round));
        let upload = begun.await.unwrap();
        let index = u16::try_from(round).unwrap();
        let change = part(&upload, 1, batch, index);
        let stored = fixture.catalog.make(change).await.unwrap();
        let abort = AbortUpload {
            bucket,
            upload: upload.id,
        };
        let (completed, aborted) = tokio::join!(
            fixture.catalog.make(complete(&upload, &[&stored])),
            fixture.other.make(abort)
        );
        let gone = Refusal::UploadNotFound(upload.id);
        let found = fixture.get(bucket, &name).await;
        match (completed, aborted) {
            (Ok(_), Err(CatalogError::Refused(refusal))) => {
                assert_eq!((refusal, found.is_some()), (gone, true));
            }
            (Err(CatalogError::Refused(refusal)), Ok(_)) => {
                assert_eq!((refusal, found.is_some()), (gone, false));
            }
            both => panic!("{both:?}"),
        }
        let garbage = garbage(fixture).await;
        assert_eq!(garbage.contains(&id(batch, index)), found.is_none());
    }
}

/// A copy refers to the blobs of its source, which at the same time is deleted.
pub(super) async fn of_copies_and_deletions_lose_no_blob(fixture: &Fixture) {
    let bucket = fixture.bucket("race").await.id;
    let batch = fixture.batch().await;
    for round in 0..50 {
        let (name, copy_name) = (format!("source-{round}"), format!("copy-{round}"));
        let stored = fixture.catalog.make(put_blob(bucket, &name, batch, round));
        let source = stored.await.unwrap().row;
        let read = fixture.get(bucket, &name).await.unwrap();
        let ObjectData::Extents(layout) = &read.data else {
            panic!("{read:?}")
        };
        let copy = PutObject {
            data: NewData::Shared {
                source: source.data_id().unwrap(),
                layout: layout.clone(),
            },
            meta: source.meta.clone(),
            ..put(bucket, &copy_name, b"")
        };
        let delete = DeleteObject {
            bucket,
            key: source.key.clone(),
            preconditions: Preconditions::default(),
        };
        let (copied, deleted) =
            tokio::join!(fixture.catalog.make(copy), fixture.other.make(delete));
        assert!(deleted.unwrap().removed.is_some());
        let is_garbage = garbage(fixture).await.contains(&id(batch, round));
        match copied {
            Ok(_) => assert!(!is_garbage),
            Err(CatalogError::Refused(refusal)) => {
                assert_eq!((refusal, is_garbage), (Refusal::SourceGone, true));
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// A bucket is deleted only empty, and nothing is stored in one that is deleted.
pub(super) async fn of_a_bucket_and_its_first_object_have_one_winner(fixture: &Fixture) {
    for round in 0..50 {
        let bucket = fixture.bucket(&format!("race-{round}")).await.id;
        let delete = DeleteBucket { bucket };
        let (stored, deleted) = tokio::join!(
            fixture.catalog.make(put(bucket, "k", b"x")),
            fixture.other.make(delete)
        );
        match (stored, deleted) {
            (Ok(_), Err(CatalogError::Refused(refusal))) => {
                assert_eq!(refusal, Refusal::BucketNotEmpty(bucket));
            }
            (Err(CatalogError::Refused(refusal)), Ok(_)) => {
                assert_eq!(refusal, Refusal::BucketGone(bucket));
            }
            both => panic!("{both:?}"),
        }
    }
}

/// A batch of many keys locks their bucket, and one of few locks the keys.
pub(super) async fn of_many_keys_and_one_keep_every_version_apart(fixture: &Fixture) {
    let bucket = fixture.bucket("race").await.id;
    let many = || {
        let keys = (0..300).map(|number| put(bucket, &format!("k-{number}"), b"x"));
        keys.map(|put| Mutation::from(put).untyped()).collect()
    };
    let mut seen = BTreeSet::new();
    for _ in 0..10 {
        let (batch, single) = tokio::join!(
            fixture.catalog.commit(many()),
            fixture.other.make(put(bucket, "k-7", b"y"))
        );
        let verdict = batch.unwrap().swap_remove(7);
        let Ok(Outcome::Object(of_batch)) = verdict else {
            panic!("{verdict:?}")
        };
        let single = single.unwrap();
        let (first, second) = match of_batch.row.generation < single.row.generation {
            true => (of_batch, single),
            false => (single, of_batch),
        };
        // The later one has replaced the earlier one, and that all versions before.
        assert_eq!(second.replaced.as_ref(), Some(&first.row));
        assert!(seen.last() < Some(&first.row.generation));
        seen.extend([first.row.generation, second.row.generation]);
    }
}

pub(super) async fn of_ids_have_no_collisions(fixture: &Fixture) {
    let takers: Vec<_> = (0..4)
        .map(|number| {
            let catalog = node(fixture, number);
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for _ in 0..5000 {
                    ids.push(catalog.next_id().await.unwrap());
                }
                ids
            })
        })
        .collect();
    let mut all = BTreeSet::new();
    for taker in takers {
        all.extend(taker.await.unwrap());
    }
    assert_eq!(all.len(), 20_000);
}
