use super::make::refusal;
use crate::model::{DataOwner, GarbageBlob, NewData, ObjectData};
use crate::mutation::{Mutation, PutObject};
use crate::query::ListGarbage;
use crate::testing::{Fixture, T0, later, put, put_blob};
use crate::{Catalog, Reclaim, Refusal};
use bucketry_domain::{BlobBatchId, BlobId, NodeId, Timestamp};

pub(super) fn id(batch: BlobBatchId, index: u16) -> BlobId {
    BlobId { batch, index }
}

/// All garbage, whoever reads.
pub(super) async fn garbage(fixture: &Fixture) -> Vec<BlobId> {
    listed(fixture, Timestamp::MAX, Timestamp::MAX)
        .await
        .into_iter()
        .map(|garbage| garbage.blob)
        .collect()
}

/// All referenced blobs, in order.
async fn referenced(catalog: &Catalog) -> Vec<BlobId> {
    let references = catalog.list_blob_refs(None, 100).await.unwrap();
    let mut blobs: Vec<BlobId> = references.into_iter().map(|(blob, _)| blob).collect();
    blobs.dedup();
    blobs
}

async fn listed(
    fixture: &Fixture,
    unreferenced_before: Timestamp,
    now: Timestamp,
) -> Vec<GarbageBlob> {
    fixture
        .catalog
        .list_garbage(&ListGarbage {
            unreferenced_before,
            now,
            max: 100,
        })
        .await
        .unwrap()
}

pub(super) async fn need_a_reservation(fixture: &Fixture) {
    let bucket = fixture.bucket("blobs").await.id;
    let batch = fixture.batch().await;
    fixture
        .other
        .make(put_blob(bucket, "kept", batch, 1))
        .await
        .unwrap();
    let found = fixture
        .catalog
        .referenced_blobs(&[id(batch, 1), id(batch, 2)])
        .await
        .unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [id(batch, 1)]);
    assert_eq!(referenced(&fixture.catalog).await, [id(batch, 1)]);

    let made = fixture
        .catalog
        .retire_blob_batch(batch, vec![1, 2, 2, 3], later(5))
        .await
        .unwrap();
    assert_eq!(made, 2);
    assert_eq!(garbage(fixture).await, [id(batch, 2), id(batch, 3)]);
    assert_eq!(
        refusal(&fixture.other, put_blob(bucket, "late", batch, 4)).await,
        Refusal::IntentLost(batch)
    );
    assert_eq!(fixture.get(bucket, "late").await, None);
    assert!(fixture.get(bucket, "kept").await.is_some());
}

pub(super) async fn become_garbage_with_their_last_reference(fixture: &Fixture) {
    let bucket = fixture.bucket("blobs").await.id;
    let batch = fixture.batch().await;
    fixture
        .catalog
        .make(put_blob(bucket, "k", batch, 1))
        .await
        .unwrap();
    let twice = vec![
        put_blob(bucket, "k", batch, 2),
        put_blob(bucket, "k", batch, 3),
    ];
    let twice = twice.into_iter().map(|put| Mutation::from(put).untyped());
    let twice = twice.collect();
    fixture.catalog.commit(twice).await.unwrap();
    assert_eq!(
        garbage(fixture).await,
        [id(batch, 1), id(batch, 2)],
        "replaced before, and within the batch"
    );
    let found = listed(fixture, Timestamp::MAX, Timestamp::MAX).await;
    fixture.other.remove_garbage(found).await.unwrap();
    assert!(garbage(fixture).await.is_empty());
    fixture
        .other
        .make(put(bucket, "k", b"small"))
        .await
        .unwrap();
    assert_eq!(garbage(fixture).await, [id(batch, 3)]);
    assert!(referenced(&fixture.catalog).await.is_empty());
    let stale = GarbageBlob {
        blob: id(batch, 3),
        unreferenced_at: later(77),
    };
    fixture.catalog.remove_garbage(vec![stale]).await.unwrap();
    assert_eq!(
        garbage(fixture).await,
        [id(batch, 3)],
        "another mark than the one that was worked off"
    );
}

pub(super) async fn are_kept_while_somebody_reads(fixture: &Fixture) {
    let bucket = fixture.bucket("blobs").await.id;
    let batch = fixture.batch().await;
    fixture
        .catalog
        .make(put_blob(bucket, "k", batch, 1))
        .await
        .unwrap();
    fixture
        .catalog
        .make(Mutation::by_system(later(100), put(bucket, "k", b"small")))
        .await
        .unwrap();
    assert!(
        listed(fixture, later(100), later(100)).await.is_empty(),
        "the grace delay is not over"
    );
    assert_eq!(listed(fixture, later(101), later(100)).await.len(), 1);
    let reader = NodeId(fixture.catalog.next_id().await.unwrap());
    fixture
        .other
        .heartbeat(reader, later(500), later(100))
        .await
        .unwrap();
    assert!(
        listed(fixture, later(300), later(300)).await.is_empty(),
        "a read began before"
    );
    fixture
        .other
        .heartbeat(reader, later(500), later(101))
        .await
        .unwrap();
    assert_eq!(listed(fixture, later(300), later(300)).await.len(), 1);
    fixture
        .other
        .heartbeat(reader, later(500), T0)
        .await
        .unwrap();
    assert!(listed(fixture, later(300), later(500)).await.is_empty());
    assert_eq!(
        listed(fixture, later(300), later(501)).await.len(),
        1,
        "its lease ran out"
    );
    assert_eq!(
        fixture
            .catalog
            .forget_nodes(Some(reader), T0)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        listed(fixture, later(300), later(400)).await.len(),
        1,
        "it ended in order"
    );
}

pub(super) async fn of_abandoned_reservations_are_found(fixture: &Fixture) {
    let node = NodeId(fixture.catalog.next_id().await.unwrap());
    fixture
        .catalog
        .heartbeat(node, later(10), T0)
        .await
        .unwrap();
    let batch = fixture.catalog.reserve_blob_batch(node, T0).await.unwrap();
    assert_eq!(batch.node, node);
    assert!(
        fixture
            .other
            .abandoned_blob_batches(later(10), 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        fixture
            .other
            .abandoned_blob_batches(later(11), 10)
            .await
            .unwrap(),
        [batch]
    );
    assert_eq!(
        fixture.catalog.forget_nodes(None, later(11)).await.unwrap(),
        0,
        "not while it has reservations"
    );
    let all = (0..BlobId::PER_BATCH).collect();
    assert_eq!(
        fixture
            .other
            .retire_blob_batch(batch.id, all, later(11))
            .await
            .unwrap(),
        1024
    );
    assert!(
        fixture
            .catalog
            .abandoned_blob_batches(Timestamp::MAX, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        fixture.catalog.forget_nodes(None, later(11)).await.unwrap(),
        1
    );
}

pub(super) async fn are_shared_only_while_they_are_there(fixture: &Fixture) {
    let bucket = fixture.bucket("blobs").await.id;
    let batch = fixture.batch().await;
    let source = fixture
        .catalog
        .make(put_blob(bucket, "source", batch, 1))
        .await
        .unwrap()
        .row;
    // The reservation has ended: a copy needs none.
    fixture
        .catalog
        .retire_blob_batch(batch, vec![1], T0)
        .await
        .unwrap();
    let read = fixture.get(bucket, "source").await.unwrap();
    let ObjectData::Extents(layout) = &read.data else {
        panic!("{read:?}")
    };
    let data = NewData::Shared {
        source: source.data_id().unwrap(),
        layout: layout.clone(),
    };
    let copy = |name| PutObject {
        data: data.clone(),
        meta: source.meta.clone(),
        ..put(bucket, name, b"")
    };
    fixture.other.make(copy("copy")).await.unwrap();
    fixture
        .catalog
        .make(put(bucket, "source", b"small"))
        .await
        .unwrap();
    assert!(garbage(fixture).await.is_empty(), "the copy refers to it");
    assert_eq!(
        refusal(&fixture.other, copy("late")).await,
        Refusal::SourceGone
    );
    let found = fixture.get(bucket, "copy").await.unwrap();
    assert_eq!(&found.data, &ObjectData::Extents(layout.clone()));
    fixture
        .other
        .make(put(bucket, "copy", b"small"))
        .await
        .unwrap();
    assert_eq!(garbage(fixture).await, [id(batch, 1)]);
}

pub(super) async fn are_told_to_whoever_checks(fixture: &Fixture) {
    let bucket = fixture.bucket("checked").await.id;
    let batch = fixture.batch().await;
    for (name, index) in [("a", 1), ("b", 2), ("gone", 3)] {
        let change = put_blob(bucket, name, batch, index);
        fixture.catalog.make(change).await.unwrap();
    }
    fixture.put(bucket, "gone").await;
    let layouts = fixture.other.list_layouts(None, 10).await.unwrap();
    let blobs: Vec<BlobId> = layouts
        .iter()
        .flat_map(|layout| layout.extents.clone().unwrap())
        .map(|extent| extent.blob)
        .collect();
    assert_eq!(blobs, [id(batch, 1), id(batch, 2)]);
    let (first, second) = (layouts[0].data, layouts[1].data);
    let rest = fixture.other.list_layouts(Some(first), 10).await.unwrap();
    assert_eq!(rest, layouts[1..]);

    let page = fixture.other.list_blob_refs(None, 1).await.unwrap();
    assert_eq!(page, [(id(batch, 1), first)]);
    let page = fixture
        .other
        .list_blob_refs(Some(page[0]), 9)
        .await
        .unwrap();
    assert_eq!(page, [(id(batch, 2), second)]);

    assert_eq!(
        fixture.other.list_blob_batches(None, 9).await.unwrap(),
        [batch]
    );
    let none = fixture.other.list_blob_batches(Some(batch), 9).await;
    assert!(none.unwrap().is_empty());
    assert_eq!(
        fixture.other.list_marked_blobs(None, 9).await.unwrap(),
        [id(batch, 3)]
    );
    let none = fixture.other.list_marked_blobs(Some(id(batch, 3)), 9).await;
    assert!(none.unwrap().is_empty());

    assert!(
        fixture
            .other
            .list_ownerless_data(9)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(fixture.other.list_lost_data(9).await.unwrap().is_empty());
    let owners = fixture.other.owners_of_data(&[second]).await.unwrap();
    let owner = DataOwner {
        data: second,
        bucket: "checked".into(),
        key: "b".into(),
    };
    assert_eq!(owners, [owner]);
}

pub(super) async fn of_other_nodes_are_free_at_once(fixture: &Fixture) {
    let batch = fixture.batch().await;
    let own = NodeId(fixture.catalog.next_id().await.unwrap());
    fixture.catalog.heartbeat(own, later(10), T0).await.unwrap();
    assert_eq!(fixture.other.live_nodes(later(5)).await.unwrap(), 2);
    fixture.catalog.end_leases_of_others(own).await.unwrap();
    assert_eq!(fixture.other.live_nodes(later(5)).await.unwrap(), 1);
    let abandoned = fixture.other.abandoned_blob_batches(later(5), 9).await;
    assert_eq!(abandoned.unwrap()[0].id, batch);
}

/// A reservation of a node whose lease ran out, with one blob that another node found in the store.
async fn adopted(fixture: &Fixture) -> BlobBatchId {
    let node = NodeId(fixture.catalog.next_id().await.unwrap());
    let lease = fixture.catalog.heartbeat(node, later(10), T0).await;
    lease.unwrap();
    let batch = fixture.catalog.reserve_blob_batch(node, T0).await.unwrap();
    let found = fixture
        .other
        .retire_blob_batch(batch.id, vec![1], later(20));
    assert_eq!(found.await.unwrap(), 1);
    batch.id
}

async fn condemn(fixture: &Fixture) -> Vec<BlobId> {
    let marked = listed(fixture, Timestamp::MAX, Timestamp::MAX).await;
    let condemned = fixture.other.condemn_garbage(&marked).await.unwrap();
    condemned.iter().map(|garbage| garbage.blob).collect()
}

pub(super) async fn of_adopted_reservations_are_committed(fixture: &Fixture) {
    let bucket = fixture.bucket("blobs").await.id;
    let batch = adopted(fixture).await;
    let committed = fixture.catalog.make(put_blob(bucket, "k", batch, 1)).await;
    committed.unwrap();
    assert!(garbage(fixture).await.is_empty(), "it was taken out");
    assert!(condemn(fixture).await.is_empty());

    // Written after the other node looked: nobody knows of it.
    let late = put_blob(bucket, "late", batch, 2);
    let refused = refusal(&fixture.catalog, late.clone()).await;
    assert_eq!(refused, Refusal::IntentLost(batch));
    let reclaim = async || fixture.catalog.reclaim_blob(id(batch, 2), later(30)).await;
    assert_eq!(reclaim().await.unwrap(), Reclaim::Marked);
    assert_eq!(garbage(fixture).await, [id(batch, 2)]);
    fixture.catalog.make(late).await.unwrap();
    assert!(garbage(fixture).await.is_empty());
    assert_eq!(
        referenced(&fixture.other).await,
        [id(batch, 1), id(batch, 2)]
    );
}

pub(super) async fn that_are_condemned_stay_lost(fixture: &Fixture) {
    let bucket = fixture.bucket("blobs").await.id;
    let batch = adopted(fixture).await;
    assert_eq!(condemn(fixture).await, [id(batch, 1)]);
    let late = put_blob(bucket, "k", batch, 1);
    let refused = refusal(&fixture.catalog, late.clone()).await;
    assert_eq!(refused, Refusal::IntentLost(batch));
    let reclaimed = fixture.catalog.reclaim_blob(id(batch, 1), later(40));
    assert_eq!(reclaimed.await.unwrap(), Reclaim::Condemned);
    // Given up by its node: still the same mark, which its collector works off.
    let retired = fixture.catalog.retire_blob_batch(batch, vec![1], later(50));
    retired.await.unwrap();
    assert_eq!(refusal(&fixture.catalog, late).await, refused);
    let marked = listed(fixture, Timestamp::MAX, Timestamp::MAX).await;
    assert_eq!(marked[0].unreferenced_at, later(20));
    fixture.other.remove_garbage(marked).await.unwrap();
    assert!(garbage(fixture).await.is_empty());
}

pub(super) async fn with_a_new_mark_are_not_condemned(fixture: &Fixture) {
    let batch = adopted(fixture).await;
    let marked = listed(fixture, Timestamp::MAX, Timestamp::MAX).await;
    let reclaimed = fixture.catalog.reclaim_blob(id(batch, 1), later(40));
    assert_eq!(reclaimed.await.unwrap(), Reclaim::Marked);
    let condemned = fixture.other.condemn_garbage(&marked).await.unwrap();
    assert!(condemned.is_empty(), "{condemned:?}");
}

pub(super) async fn in_doubt_become_garbage_without_their_reservation(fixture: &Fixture) {
    let bucket = fixture.bucket("blobs").await.id;
    let batch = adopted(fixture).await;
    let committed = fixture.catalog.make(put_blob(bucket, "k", batch, 1)).await;
    committed.unwrap();
    let in_doubt = vec![1, 5];
    let retired = fixture
        .catalog
        .retire_blob_batch(batch, in_doubt, later(30));
    assert_eq!(retired.await.unwrap(), 1);
    assert_eq!(garbage(fixture).await, [id(batch, 5)]);
}

pub(super) async fn with_a_reservation_need_no_mark(fixture: &Fixture) {
    let batch = fixture.batch().await;
    let reclaimed = fixture.catalog.reclaim_blob(id(batch, 1), T0);
    assert_eq!(reclaimed.await.unwrap(), Reclaim::Reserved);
    assert!(garbage(fixture).await.is_empty());
}
