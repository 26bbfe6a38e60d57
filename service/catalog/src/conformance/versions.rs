use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::blobs::{garbage, id};
use super::listing::text;
use super::make::refusal;
use super::objects::full_meta;
use crate::judge::{CurrentObject, State};
use crate::listing::KeyRange;
use crate::model::{
    DataOwner, DataPlace, DeleteMarker, KeyVersion, Layout, NewData, NoncurrentVersion, ObjectData,
    ObjectMeta, ObjectRow,
};
use crate::mutation::{DeleteBucket, PutObject};
use crate::query::{ListVersions, ListedVersion, VersionMarker};
use crate::read::{select_newest_noncurrent, select_version, select_versions};
use crate::sql::{Dialect, MarkTime, Statement};
use crate::testing::{Fixture, T0, etag, extent, key, later, put, put_blob};
use crate::write::{plan, select_occupant};
use crate::{Reclaim, Refusal};
use bucketry_domain::{AccountId, BucketId, Generation, ObjectKey, VersionId};

/// Writes a state as a commit does. No change makes versions yet.
async fn write(fixture: &Fixture, change: impl FnOnce(&mut State)) {
    let engine = fixture.catalog.engine();
    let mut state = State::new(0);
    change(&mut state);
    let mut connection = engine.pools.writer().await.unwrap();
    connection.begin().await.unwrap();
    let plan = plan(connection.dialect(), &state, MarkTime::At(T0));
    connection.finish(plan).await.unwrap();
    if let Some(caches) = &engine.caches {
        caches.publish(&state);
    }
}

async fn store(fixture: &Fixture, versions: impl IntoIterator<Item = NoncurrentVersion>) {
    write(fixture, |state| {
        for version in versions {
            state.versions.put(place(&version), version);
        }
    })
    .await;
}

fn place(version: &NoncurrentVersion) -> (BucketId, ObjectKey, VersionId) {
    match version {
        KeyVersion::Object(row) => (row.bucket, row.key.clone(), row.version),
        KeyVersion::DeleteMarker(marker) => (marker.bucket, marker.key.clone(), marker.version),
    }
}

fn put_current(state: &mut State, row: Arc<ObjectRow>) {
    let place = (row.bucket, row.key.clone());
    state.objects.put(place, CurrentObject { row, data: None });
}

/// Makes the current version of a key noncurrent, under another id.
async fn retire(fixture: &Fixture, bucket: BucketId, name: &str, id: VersionId) -> Arc<ObjectRow> {
    let current = fixture.get(bucket, name).await.unwrap();
    let row = Arc::new(ObjectRow {
        version: id,
        ..ObjectRow::clone(&current.row)
    });
    let noncurrent = KeyVersion::Object(row.clone());
    write(fixture, |state| {
        state.objects.remove(&(bucket, key(name)));
        state.versions.put(place(&noncurrent), noncurrent);
    })
    .await;
    row
}

/// An empty object.
fn empty(bucket: BucketId, name: &str, generation: i64, version: VersionId) -> Arc<ObjectRow> {
    Arc::new(ObjectRow {
        bucket,
        key: key(name),
        generation: Generation(generation),
        version,
        modified: later(generation.unsigned_abs()),
        meta: ObjectMeta::new(0, etag(1), AccountId(1)),
        place: DataPlace::Empty,
    })
}

fn marker(bucket: BucketId, name: &str, generation: i64, version: VersionId) -> NoncurrentVersion {
    KeyVersion::DeleteMarker(DeleteMarker {
        bucket,
        key: key(name),
        generation: Generation(generation),
        version,
        modified: later(generation.unsigned_abs()),
        owner: AccountId(5),
    })
}

/// A version without its data.
async fn found(
    fixture: &Fixture,
    bucket: BucketId,
    name: &str,
    id: VersionId,
) -> Option<NoncurrentVersion> {
    let found = fixture.other.object_version(bucket, &key(name), id).await;
    Some(found.unwrap()?.map(|object| object.row))
}

async fn newest(fixture: &Fixture, bucket: BucketId, name: &str) -> Option<NoncurrentVersion> {
    let key = key(name);
    let newest = fixture.other.newest_noncurrent_version(bucket, &key);
    newest.await.unwrap()
}

pub(super) async fn keep_content_and_attributes(fixture: &Fixture) {
    let bucket = fixture.bucket("kept").await.id;
    let batch = fixture.batch().await;
    let layout = Layout {
        extents: vec![extent(batch, 1, 300)],
        parts: Vec::new(),
    };
    let bytes = Bytes::from_static(b"\0\xff");
    let data = [
        (NewData::Empty, ObjectData::Empty),
        (NewData::Inline(bytes.clone()), ObjectData::Inline(bytes)),
        (
            NewData::Extents(layout.clone()),
            ObjectData::Extents(layout),
        ),
    ];
    for (position, (data, expected)) in data.into_iter().enumerate() {
        let name = format!("object-{position}");
        let change = PutObject {
            meta: full_meta(),
            data,
            ..put(bucket, &name, b"")
        };
        fixture.catalog.make(change).await.unwrap();
        let row = retire(fixture, bucket, &name, VersionId(77)).await;
        assert_eq!(fixture.get(bucket, &name).await, None);
        let version = fixture
            .other
            .object_version(bucket, &row.key, VersionId(77))
            .await
            .unwrap();
        let Some(KeyVersion::Object(object)) = version else {
            panic!("{version:?}")
        };
        assert_eq!((&object.row, &object.data), (&row, &expected));
        assert_eq!(found(fixture, bucket, &name, VersionId::NULL).await, None);
    }
    let deleted = marker(bucket, "deleted", 9, VersionId::NULL);
    store(fixture, [deleted.clone()]).await;
    let read = found(fixture, bucket, "deleted", VersionId::NULL).await;
    assert_eq!(read, Some(deleted));
    assert_eq!(fixture.get(bucket, "deleted").await, None);
}

pub(super) async fn are_found_by_id_in_either_table(fixture: &Fixture) {
    let bucket = fixture.bucket("ids").await.id;
    let current = empty(bucket, "k", 9, VersionId(90));
    let null = KeyVersion::Object(empty(bucket, "k", 3, VersionId::NULL));
    let deleted = marker(bucket, "k", 5, VersionId(50));
    write(fixture, |state| put_current(state, current.clone())).await;
    store(fixture, [null.clone(), deleted.clone()]).await;
    for (id, expected) in [
        (VersionId(90), Some(KeyVersion::Object(current))),
        (VersionId::NULL, Some(null)),
        (VersionId(50), Some(deleted.clone())),
        (VersionId(3), None),
    ] {
        assert_eq!(found(fixture, bucket, "k", id).await, expected, "{id}");
    }
    assert_eq!(found(fixture, bucket, "l", VersionId::NULL).await, None);
    let other = fixture.bucket("other").await.id;
    assert_eq!(found(fixture, other, "k", VersionId::NULL).await, None);
    assert_eq!(newest(fixture, bucket, "k").await, Some(deleted));
    assert_eq!(newest(fixture, other, "k").await, None);
}

/// As the null version of a bucket whose versioning is suspended.
pub(super) async fn with_the_same_id_are_replaced(fixture: &Fixture) {
    let bucket = fixture.bucket("suspended").await.id;
    let null = KeyVersion::Object(empty(bucket, "k", 3, VersionId::NULL));
    let kept = KeyVersion::Object(empty(bucket, "k", 5, VersionId(50)));
    store(fixture, [null, kept.clone()]).await;
    assert_eq!(newest(fixture, bucket, "k").await, Some(kept.clone()));
    let deleted = marker(bucket, "k", 8, VersionId::NULL);
    store(fixture, [deleted.clone()]).await;
    let read = found(fixture, bucket, "k", VersionId::NULL).await;
    assert_eq!(read.as_ref(), Some(&deleted));
    assert_eq!(newest(fixture, bucket, "k").await, Some(deleted));
    let all = list(fixture, &all(bucket, 10)).await;
    let generations: Vec<_> = all.iter().map(|listed| listed.entry.generation()).collect();
    assert_eq!(generations, [Generation(8), Generation(5)]);
    write(fixture, |state| {
        let null = (bucket, key("k"), VersionId::NULL);
        state.versions.remove(&null);
    })
    .await;
    assert_eq!(found(fixture, bucket, "k", VersionId::NULL).await, None);
    assert_eq!(newest(fixture, bucket, "k").await, Some(kept));
}

pub(super) async fn become_current_again(fixture: &Fixture) {
    let bucket = fixture.bucket("promoted").await.id;
    fixture.put(bucket, "k").await;
    let older = retire(fixture, bucket, "k", VersionId::NULL).await;
    fixture.put(bucket, "k").await;
    let newer = retire(fixture, bucket, "k", VersionId(7)).await;
    for expected in [newer, older] {
        let promoted = newest(fixture, bucket, "k").await.unwrap();
        assert_eq!(promoted, KeyVersion::Object(expected.clone()));
        write(fixture, |state| {
            state.versions.remove(&place(&promoted));
            put_current(state, expected.clone());
        })
        .await;
        let current = fixture.get(bucket, "k").await.unwrap();
        assert_eq!(current.row, expected);
        let by_id = found(fixture, bucket, "k", expected.version).await;
        assert_eq!(by_id, Some(promoted));
    }
    assert_eq!(newest(fixture, bucket, "k").await, None);
}

fn all(bucket: BucketId, max: u32) -> ListVersions {
    ListVersions {
        bucket,
        prefix: String::new(),
        after: VersionMarker::default(),
        max,
    }
}

/// All pages of a listing.
async fn list(fixture: &Fixture, query: &ListVersions) -> Vec<ListedVersion> {
    let mut query = query.clone();
    let mut listed = Vec::new();
    loop {
        let page = fixture.other.list_versions(&query).await.unwrap();
        assert!(page.versions.len() <= query.max as usize);
        listed.extend(page.versions);
        let Some(next) = page.next else {
            return listed;
        };
        query.after = next;
    }
}

/// What a test compares of a listed version: the key, the generation, whether it is the latest and a delete marker.
type Shown = (String, i64, bool, bool);

fn shown(listed: &ListedVersion) -> Shown {
    (
        listed.entry.key().as_str().to_owned(),
        listed.entry.generation().0,
        listed.is_latest,
        matches!(listed.entry, KeyVersion::DeleteMarker(_)),
    )
}

/// Stores versions whose kinds are bits of a number, 1 for a delete marker, and returns how they are listed.
async fn fill(
    fixture: &Fixture,
    bucket: BucketId,
    keys: &BTreeMap<String, (i64, u8)>,
) -> Vec<Shown> {
    let mut expected = Vec::new();
    write(fixture, |state| {
        for (name, (count, kinds)) in keys {
            for generation in (1..=*count).rev() {
                let is_latest = generation == *count;
                let is_marker = kinds >> generation & 1 == 1;
                let id = VersionId(generation - 1);
                if is_marker {
                    let marker = marker(bucket, name, generation, id);
                    state.versions.put(place(&marker), marker);
                } else if is_latest {
                    put_current(state, empty(bucket, name, generation, id));
                } else {
                    let older = KeyVersion::Object(empty(bucket, name, generation, id));
                    state.versions.put(place(&older), older);
                }
                expected.push((name.clone(), generation, is_latest, is_marker));
            }
        }
    })
    .await;
    expected
}

pub(super) async fn agree_with_a_model_when_listed(fixture: &Fixture) {
    let mut runner = TestRunner::deterministic();
    let keys = proptest::collection::btree_map(text(1..4), (1i64..6, any::<u8>()), 0..12);
    let question = (text(0..2), text(0..3), 0i64..7, 1u32..8);
    for round in 0..12 {
        let bucket = fixture.bucket(&format!("versions-{round}")).await.id;
        let keys = keys.new_tree(&mut runner).unwrap().current();
        let expected = fill(fixture, bucket, &keys).await;
        for _ in 0..20 {
            let (prefix, marker, generation, max) =
                question.new_tree(&mut runner).unwrap().current();
            // 0: the whole key is before the place.
            let older = (generation > 0).then_some(generation);
            let query = ListVersions {
                prefix: prefix.clone(),
                after: VersionMarker {
                    key: marker.clone(),
                    generation: older.map(Generation),
                },
                ..all(bucket, max)
            };
            let listed = list(fixture, &query).await;
            let is_after = |key: &str, generation: i64| {
                key > marker.as_str()
                    || key == marker && older.is_some_and(|than| generation < than)
            };
            let expected = expected.iter().filter(|(key, generation, ..)| {
                key.starts_with(&prefix) && is_after(key, *generation)
            });
            // After a marker within a key, its newest version is taken for listed.
            let expected = expected.map(|(key, generation, is_latest, is_marker)| {
                let is_latest = *is_latest && *key != marker;
                (key.clone(), *generation, is_latest, *is_marker)
            });
            let expected: Vec<Shown> = expected.collect();
            let listed: Vec<Shown> = listed.iter().map(shown).collect();
            assert_eq!(listed, expected, "{query:?} of {keys:?}");
        }
    }
}

pub(super) async fn are_listed_after_a_marker_that_is_gone(fixture: &Fixture) {
    let bucket = fixture.bucket("gone").await.id;
    let keys = BTreeMap::from([("a".to_owned(), (3, 0)), ("b".to_owned(), (1, 0))]);
    let expected = fill(fixture, bucket, &keys).await;
    let first = all(bucket, 1);
    let page = fixture.other.list_versions(&first).await.unwrap();
    let next = page.next.unwrap();
    // The version that the first page ends with is deleted, and the one before it promoted.
    let promoted = newest(fixture, bucket, "a").await.unwrap();
    let KeyVersion::Object(row) = promoted.clone() else {
        panic!("{promoted:?}")
    };
    write(fixture, |state| {
        state.versions.remove(&place(&promoted));
        put_current(state, row);
    })
    .await;
    let rest = ListVersions {
        after: next,
        ..all(bucket, 1)
    };
    let rest = list(fixture, &rest).await;
    let rest: Vec<Shown> = rest.iter().map(shown).collect();
    assert_eq!(rest, expected[1..]);
}

pub(super) async fn keep_their_blobs(fixture: &Fixture) {
    let bucket = fixture.bucket("kept").await.id;
    let batch = fixture.batch().await;
    let change = put_blob(bucket, "k", batch, 1);
    fixture.catalog.make(change).await.unwrap();
    let version = retire(fixture, bucket, "k", VersionId(7)).await;
    fixture.put(bucket, "k").await;
    let blob = id(batch, 1);
    let data = version.data_id().unwrap();

    // Without its reservation, nothing but the version protects the blob.
    let retired = fixture.catalog.retire_blob_batch(batch, vec![1], T0);
    assert_eq!(retired.await.unwrap(), 0);
    let referenced = fixture.other.referenced_blobs(&[blob]).await.unwrap();
    assert!(referenced.contains(&blob));
    let marked = fixture.catalog.reclaim_blob(blob, T0).await.unwrap();
    assert_eq!(marked, Reclaim::Marked);
    assert!(garbage(fixture).await.is_empty());

    assert!(
        fixture
            .other
            .list_ownerless_data(9)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(fixture.other.list_lost_data(9).await.unwrap().is_empty());
    let owner = DataOwner {
        data,
        bucket: "kept".into(),
        key: "k".into(),
    };
    let owners = fixture.other.owners_of_data(&[data]).await.unwrap();
    assert_eq!(owners, std::slice::from_ref(&owner));

    write(fixture, |state| {
        let place = (bucket, key("k"), VersionId(7));
        state.versions.remove(&place);
        state.dropped_extents.push(data);
    })
    .await;
    assert_eq!(garbage(fixture).await, [blob]);
    store(fixture, [KeyVersion::Object(version)]).await;
    let lost = fixture.other.list_lost_data(9).await.unwrap();
    assert_eq!(lost, [owner]);
}

pub(super) async fn keep_their_bucket(fixture: &Fixture) {
    let bucket = fixture.bucket("occupied").await.id;
    let delete = DeleteBucket { bucket };
    for version in [
        marker(bucket, "k", 3, VersionId(30)),
        KeyVersion::Object(empty(bucket, "k", 4, VersionId(40))),
    ] {
        let place = place(&version);
        store(fixture, [version]).await;
        let refused = refusal(&fixture.other, delete.clone()).await;
        assert_eq!(refused, Refusal::BucketNotEmpty(bucket));
        write(fixture, |state| {
            state.versions.remove(&place);
        })
        .await;
    }
    fixture.other.make(delete).await.unwrap();
}

/// So that the cost of a statement depends neither on the versions of a key nor on the delete markers of a bucket.
pub(super) async fn are_read_in_the_order_of_an_index(fixture: &Fixture) {
    let bucket = fixture.bucket("many").await.id;
    let keys = (0..200).map(|number| (format!("k-{number:03}"), (6, 0b1010_1010)));
    fill(fixture, bucket, &keys.collect()).await;
    let mut connection = fixture.catalog.engine().pools.writer().await.unwrap();
    let explain = match connection.dialect() {
        Dialect::Sqlite => "EXPLAIN QUERY PLAN",
        Dialect::Postgres => {
            // The tables are small; in large ones the planner would not choose these plans.
            for sql in [
                "ANALYZE objects",
                "ANALYZE object_versions",
                "SET enable_seqscan = off",
                "SET enable_bitmapscan = off",
            ] {
                connection.execute(Statement::new(sql)).await.unwrap();
            }
            "EXPLAIN"
        }
    };
    let query = ListVersions {
        after: VersionMarker {
            key: "k-100".into(),
            generation: Some(Generation(4)),
        },
        ..all(bucket, 10)
    };
    let range = KeyRange {
        start: b"k-100\0".to_vec(),
        end: vec![0xff],
    };
    let name = key("k-100");
    for (statement, index_of_postgres) in [
        (
            select_version(bucket, &name, VersionId::NULL),
            "object_versions_pkey",
        ),
        (
            select_newest_noncurrent(bucket, &name),
            "object_versions_newest",
        ),
        (
            select_versions(&query, range, query.after.generation),
            "object_versions_newest",
        ),
        (select_occupant(bucket), "object_versions_newest"),
    ] {
        let detail = match connection.dialect() {
            Dialect::Sqlite => 3,
            Dialect::Postgres => 0,
        };
        let plan = connection.fetch(statement.explained(explain), move |row| {
            Ok(row.text(detail)?)
        });
        let plan = plan.await.unwrap().join("\n");
        for costly in ["SCAN o", "TEMP B-TREE", "Seq Scan", "Sort"] {
            assert!(!plan.contains(costly), "{plan}");
        }
        match connection.dialect() {
            Dialect::Sqlite => {}
            Dialect::Postgres => assert!(plan.contains(index_of_postgres), "{plan}"),
        }
    }
    connection.throw_away().await;
}
