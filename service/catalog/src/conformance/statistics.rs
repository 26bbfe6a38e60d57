use bucketry_domain::{BucketId, ObjectOwnership, SettingEdit};

use crate::Catalog;
use crate::model::{BucketStatistics, StatisticsDifference};
use crate::mutation::{DeleteBucket, DeleteObject, Preconditions, UpdateBucket};
use crate::sql::Statement;
use crate::testing::{Fixture, key, put};

fn delete_object(bucket: BucketId, name: &str) -> DeleteObject {
    DeleteObject {
        bucket,
        key: key(name),
        preconditions: Preconditions::default(),
    }
}

async fn execute(catalog: &Catalog, sql: &'static str, bucket: BucketId) {
    let statement = Statement::new(sql).bind(bucket.0);
    let executed =
        async |connection: &mut crate::sql::Connection| Ok(connection.execute(statement).await?);
    catalog.engine().transact(executed).await.unwrap();
}

async fn count(catalog: &Catalog, sql: &'static str, bucket: BucketId) -> i64 {
    let statement = Statement::new(sql).bind(bucket.0);
    let count = catalog.engine().find(statement, |row| Ok(row.int(0)?));
    count.await.unwrap().unwrap()
}

async fn sequence_all(fixture: &Fixture) {
    while fixture.catalog.sequence_changes(100).await.unwrap() > 0 {}
}

pub(super) async fn are_recounted_and_corrected(fixture: &Fixture) {
    let node = &fixture.catalog;
    let right = fixture.bucket("right").await.id;
    let wrong = fixture.bucket("wrong").await.id;
    for bucket in [right, wrong] {
        node.make(put(bucket, "sequenced", b"four")).await.unwrap();
    }
    sequence_all(fixture).await;
    // These wait for the sequencer where there is one.
    for bucket in [right, wrong] {
        node.make(put(bucket, "pending", b"x")).await.unwrap();
        node.make(delete_object(bucket, "sequenced")).await.unwrap();
    }
    assert_eq!(node.recount(10).await.unwrap(), []);

    let spoil = "UPDATE bucket_statistics SET objects = objects + 5, bytes = bytes - 70 WHERE bucket_id = $1";
    execute(node, spoil, wrong).await;
    let difference = StatisticsDifference {
        bucket: wrong,
        name: "wrong".to_owned(),
        counted: BucketStatistics {
            objects: 1,
            bytes: 1,
        },
        recorded_objects: 6,
        recorded_bytes: -69,
    };
    assert_eq!(node.recount(10).await.unwrap(), [difference]);
    assert_eq!(node.recount(0).await.unwrap(), []);
    assert_eq!(fixture.other.correct_statistics().await.unwrap(), 1);
    assert_eq!(node.recount(10).await.unwrap(), []);
    assert_eq!(node.correct_statistics().await.unwrap(), 0);
    sequence_all(fixture).await;
    for bucket in [right, wrong] {
        let statistics = node.bucket_statistics(&[bucket]).await.unwrap();
        let expected = BucketStatistics {
            objects: 1,
            bytes: 1,
        };
        assert_eq!(statistics.get(&bucket), Some(&expected));
    }

    execute(
        node,
        "DELETE FROM bucket_statistics WHERE bucket_id = $1",
        right,
    )
    .await;
    let lost = node.recount(10).await.unwrap();
    assert_eq!((lost[0].bucket, lost[0].recorded_objects), (right, 0));
    assert_eq!(node.correct_statistics().await.unwrap(), 1);
    assert_eq!(node.recount(10).await.unwrap(), []);
}

/// With the settings, of a later version too. While another node sequences the bucket's last changes.
pub(super) async fn of_deleted_buckets_are_removed(fixture: &Fixture) {
    for round in 0..20 {
        let bucket = fixture.bucket(&format!("gone-{round}")).await.id;
        let node = &fixture.catalog;
        let setting = SettingEdit::OwnershipControls(Some(ObjectOwnership::BucketOwnerEnforced));
        let edits = vec![setting];
        node.make(UpdateBucket { bucket, edits }).await.unwrap();
        let later = "INSERT INTO bucket_settings (bucket_id, name, value, version) VALUES ($1, 'of-tomorrow', '1', 1)";
        execute(node, later, bucket).await;
        node.make(put(bucket, "k", b"x")).await.unwrap();
        if round % 2 == 0 {
            sequence_all(fixture).await;
        }
        node.make(delete_object(bucket, "k")).await.unwrap();
        let (deleted, sequenced) = tokio::join!(
            node.make(DeleteBucket { bucket }),
            fixture.other.sequence_changes(100)
        );
        deleted.unwrap();
        sequenced.unwrap();
        sequence_all(fixture).await;
        for rows in [
            "SELECT COUNT(*) FROM bucket_statistics WHERE bucket_id = $1",
            "SELECT COUNT(*) FROM bucket_settings WHERE bucket_id = $1",
        ] {
            assert_eq!(count(node, rows, bucket).await, 0, "round {round}: {rows}");
        }
    }
    assert_eq!(fixture.catalog.recount(10).await.unwrap(), []);
}
