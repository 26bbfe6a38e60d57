use std::collections::HashMap;

use bucketry_domain::{BucketId, Generation};

use crate::model::{BucketStatistics, ChangeKind, ChangePosition, ObjectChange};
use crate::mutation::{DeleteObject, Mutation, Preconditions, UpdateObject};
use crate::query::{ChangesSince, ListObjects, Listed};
use crate::testing::{Fixture, T0, key, later, put};
use crate::{Catalog, KeepChanges};

fn delete(bucket: BucketId, name: &str) -> DeleteObject {
    DeleteObject {
        bucket,
        key: key(name),
        preconditions: Preconditions::default(),
    }
}

/// All changes after a position, once both nodes have sequenced what is committed.
async fn changes(fixture: &Fixture, after: ChangePosition) -> (Vec<ObjectChange>, ChangePosition) {
    for node in [&fixture.catalog, &fixture.other] {
        while node.sequence_changes(7).await.unwrap() > 0 {}
    }
    match fixture
        .catalog
        .changes_since(after, 1_000_000)
        .await
        .unwrap()
    {
        ChangesSince::Page(changes, last) => (changes, last),
        ChangesSince::Compacted => panic!("compacted"),
    }
}

async fn statistics(catalog: &Catalog, bucket: BucketId) -> BucketStatistics {
    let all = catalog.bucket_statistics(&[bucket]).await.unwrap();
    all.get(&bucket).copied().unwrap_or_default()
}

/// The statistics, computed from a listing.
async fn counted(catalog: &Catalog, bucket: BucketId) -> BucketStatistics {
    let page = catalog
        .list_objects(&ListObjects::all(bucket, 1_000_000))
        .await
        .unwrap();
    let mut counted = BucketStatistics::default();
    for entry in page.entries {
        let Listed::Entry(object) = entry else {
            panic!("a prefix")
        };
        counted.objects += 1;
        counted.bytes += object.size;
    }
    counted
}

pub(super) async fn holds_each_change_of_an_object(fixture: &Fixture) {
    let bucket = fixture.bucket("logged").await.id;
    let before = fixture.catalog.last_change().await.unwrap();
    let (node, other) = (&fixture.catalog, &fixture.other);
    let first = node.make(put(bucket, "k", b"x")).await.unwrap().row;
    let second = other.make(put(bucket, "k", b"four")).await.unwrap().row;
    let update = UpdateObject {
        bucket,
        key: key("k"),
        tags: Vec::new(),
        preconditions: Preconditions::default(),
    };
    node.make(Mutation::by_system(later(5), update))
        .await
        .unwrap();
    other.make(delete(bucket, "k")).await.unwrap();
    node.make(delete(bucket, "k")).await.unwrap();
    let (changes, last) = changes(fixture, before).await;
    let seen: Vec<_> = changes
        .iter()
        .map(|change| (change.kind, change.objects, change.bytes, change.at))
        .collect();
    assert_eq!(
        seen,
        [
            (ChangeKind::Put, 1, 1, T0),
            (ChangeKind::Put, 0, 3, T0),
            (ChangeKind::Updated, 0, 0, later(5)),
            (ChangeKind::Deleted, -1, -4, T0),
        ],
        "a deletion of nothing is no change"
    );
    let numbers: Vec<Generation> = changes.iter().map(|change| change.number).collect();
    assert_eq!(numbers[..2], [first.generation, second.generation]);
    assert!(numbers.is_sorted_by(|a, b| a < b));
    assert!(
        changes
            .iter()
            .all(|change| change.bucket == bucket && change.key == key("k"))
    );
    assert_eq!(node.last_change().await.unwrap(), last);
    let rest = node.changes_since(last, 10).await.unwrap();
    assert_eq!(rest, ChangesSince::Page(Vec::new(), last));
}

pub(super) async fn is_read_in_pages(fixture: &Fixture) {
    let bucket = fixture.bucket("paged").await.id;
    let mut after = fixture.catalog.last_change().await.unwrap();
    for number in 0..10 {
        fixture.put(bucket, &format!("k-{number}")).await;
    }
    let (all, last) = changes(fixture, after).await;
    let mut paged = Vec::new();
    loop {
        match fixture.other.changes_since(after, 3).await.unwrap() {
            ChangesSince::Page(page, _) if page.is_empty() => break,
            ChangesSince::Page(page, next) => {
                paged.extend(page);
                after = next;
            }
            ChangesSince::Compacted => panic!("compacted"),
        }
    }
    assert_eq!((paged, after), (all, last));
}

pub(super) async fn says_what_it_no_longer_holds(fixture: &Fixture) {
    let bucket = fixture.bucket("compacted").await.id;
    let before = fixture.catalog.last_change().await.unwrap();
    for second in [1, 2, 3] {
        let change = Mutation::by_system(later(second), put(bucket, "k", b"x"));
        fixture.catalog.make(change).await.unwrap();
    }
    let (all, last) = changes(fixture, before).await;
    let keep = |since| KeepChanges {
        since: later(since),
        positions: 1_000_000,
    };
    assert_eq!(
        fixture.other.compact_changes(keep(1), 100).await.unwrap(),
        0
    );
    assert_eq!(changes(fixture, before).await.0, all);
    assert_eq!(fixture.other.compact_changes(keep(3), 1).await.unwrap(), 1);
    assert_eq!(
        fixture.other.compact_changes(keep(3), 100).await.unwrap(),
        1
    );
    let since = fixture.catalog.changes_since(before, 100).await.unwrap();
    assert_eq!(since, ChangesSince::Compacted);
    let since = fixture.catalog.changes_since(last, 100).await.unwrap();
    assert_eq!(since, ChangesSince::Page(Vec::new(), last));
    let of_another = ChangePosition {
        incarnation: last.incarnation + 1,
        ..last
    };
    let since = fixture
        .catalog
        .changes_since(of_another, 100)
        .await
        .unwrap();
    assert_eq!(since, ChangesSince::Compacted);
    // A position that was lost with its database: what follows it is unknown.
    let lost = ChangePosition {
        position: last.position + 1,
        ..last
    };
    let since = fixture.catalog.changes_since(lost, 100).await.unwrap();
    assert_eq!(since, ChangesSince::Compacted);
    // The limit of positions applies to new changes too.
    let none = KeepChanges {
        since: T0,
        positions: 0,
    };
    assert_eq!(fixture.catalog.compact_changes(none, 100).await.unwrap(), 1);
    assert_eq!(fixture.catalog.last_change().await.unwrap(), last);
    let statistics = statistics(&fixture.catalog, bucket).await;
    assert_eq!((statistics.objects, statistics.bytes), (1, 1));
}

pub(super) async fn keeps_the_order_of_each_key(fixture: &Fixture) {
    let bucket = fixture.bucket("ordered").await.id;
    let before = fixture.catalog.last_change().await.unwrap();
    let writers = (0..6).map(|writer| {
        let node = match writer % 2 {
            0 => fixture.catalog.clone(),
            _ => fixture.other.clone(),
        };
        tokio::spawn(async move {
            for round in 0..20 {
                let name = format!("k-{}", (writer + round) % 4);
                match round % 5 {
                    4 => drop(node.make(delete(bucket, &name)).await.unwrap()),
                    _ => drop(node.make(put(bucket, &name, b"bytes")).await.unwrap()),
                }
                // As a node does while it commits.
                node.sequence_changes(3).await.unwrap();
            }
        })
    });
    for writer in futures::future::join_all(writers).await {
        writer.unwrap();
    }
    let (changes, _) = changes(fixture, before).await;
    let mut latest = HashMap::new();
    for change in &changes {
        let earlier = latest.insert(change.key.clone(), change.number);
        assert!(
            earlier < Some(change.number),
            "{change:?} after {earlier:?}"
        );
    }
    let puts = changes
        .iter()
        .filter(|change| change.kind == ChangeKind::Put);
    assert_eq!(puts.count(), 6 * 16);
    let counted = counted(&fixture.catalog, bucket).await;
    assert_eq!(statistics(&fixture.other, bucket).await, counted);
}
