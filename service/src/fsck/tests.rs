use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::catalog::model::BlobBatch;
use crate::catalog::testing::{T0, make, make_account, make_bucket, put_blob};
use crate::domain::{BlobId, NodeId};

/// The length of the blobs that the catalog's own fixture refers to.
const LENGTH: usize = 100_000;

/// A catalog with one object in one blob, and its store.
struct Data {
    directory: TempDir,
    catalog: Catalog,
    blobs: BlobStore,
    batch: BlobBatch,
}

impl Data {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(directory.path().to_owned());
        let catalog = Catalog::open(&url, &CatalogOptions::default())
            .await
            .unwrap();
        let url = StoreUrl::Local(directory.path().join("blobs"));
        let blobs = BlobStore::open(&url, &BlobStoreOptions::default()).unwrap();
        let store = Uuid::try_parse(catalog.store_id()).unwrap();
        blobs.claim(store).await.unwrap();
        let node = NodeId(catalog.next_id().await.unwrap());
        let batch = catalog.reserve_blob_batch(node, T0).await.unwrap();
        let data = Self {
            directory,
            catalog,
            blobs,
            batch,
        };
        data.write(data.id(1)).await;
        let account = make_account(&data.catalog, "owner").await.unwrap();
        let bucket = make_bucket(&data.catalog, account.id, "photos")
            .await
            .unwrap();
        let put = put_blob(bucket.id, "a/key", batch.id, 1);
        make(&data.catalog, put).await.unwrap();
        data
    }

    fn id(&self, index: u16) -> BlobId {
        BlobId {
            batch: self.batch.id,
            index,
        }
    }

    async fn write(&self, id: BlobId) {
        let mut writer = self.blobs.writer(id, Some(LENGTH as u64));
        writer.write(vec![7; LENGTH].into()).await.unwrap();
        writer.finish().await.unwrap();
    }

    fn file(&self, id: BlobId) -> PathBuf {
        let fan = format!("{:02x}", id.batch.0 & 0xff);
        let name = format!("{:016x}-{:04x}", id.batch.0, id.index);
        self.directory
            .path()
            .join("blobs/blobs")
            .join(fan)
            .join(name)
    }

    async fn check(&self, depth: Depth, leftovers: Leftovers) -> Result<FsckReport, FsckError> {
        self.catalog.close().await;
        let places = DataPlaces {
            database: DatabaseUrl::Sqlite(self.directory.path().to_owned()),
            store: StoreUrl::Local(self.directory.path().join("blobs")),
            store_timeout: None,
        };
        fsck(&places, Vec::new(), depth, leftovers, &Clock::Fixed(T0)).await
    }
}

fn text(report: &FsckReport) -> String {
    let mut out = Vec::new();
    report.write_text(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn sound_data_is_clean() {
    let data = Data::new().await;
    let report = data.check(Depth::Contents, Leftovers::Keep).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.blobs, report.referenced), (1, 1));
    assert_eq!(report.verified_bytes, Some(LENGTH as u64));
    assert!(text(&report).ends_with("clean\n"));
}

#[tokio::test]
async fn a_missing_blob_names_its_object() {
    let data = Data::new().await;
    std::fs::remove_file(data.file(data.id(1))).unwrap();
    let report = data.check(Depth::Lengths, Leftovers::Keep).await.unwrap();
    assert_eq!(report.problems, [Problem::BlobMissing { blob: data.id(1) }]);
    assert!(text(&report).contains("broken: photos/a/key\n1 problems"));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["problems"][0]["kind"], "blob-missing");
    assert_eq!(json["broken"][0]["key"], "a/key");
}

#[tokio::test]
async fn a_cut_blob_is_seen_by_its_length() {
    let data = Data::new().await;
    let file = std::fs::File::options()
        .write(true)
        .open(data.file(data.id(1)));
    file.unwrap().set_len(50_000).unwrap();
    let report = data.check(Depth::Lengths, Leftovers::Keep).await.unwrap();
    assert!(
        matches!(
            report.problems[..],
            [Problem::BlobTooShort { stored: 50_000, .. }]
        ),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_changed_byte_is_seen_only_by_reading() {
    let data = Data::new().await;
    let file = data.file(data.id(1));
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[77] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let quick = data.check(Depth::Lengths, Leftovers::Keep).await.unwrap();
    assert!(quick.is_clean(), "{quick:?}");
    let report = data.check(Depth::Contents, Leftovers::Keep).await.unwrap();
    let damaged = Problem::BlobDamaged {
        blob: data.id(1),
        block: 0,
    };
    assert_eq!(report.problems, [damaged]);
    assert_eq!(report.broken[0].key, "a/key");
}

#[tokio::test]
async fn what_a_crash_left_is_no_problem_and_can_be_deleted() {
    let data = Data::new().await;
    data.write(data.id(2)).await;
    let report = data.check(Depth::Lengths, Leftovers::Keep).await.unwrap();
    assert!(report.is_clean() && report.reserved == 1, "{report:?}");
    let report = data.check(Depth::Lengths, Leftovers::Delete).await.unwrap();
    assert_eq!(report.deleted, Some(1));
    assert!(!data.file(data.id(2)).exists() && data.file(data.id(1)).exists());
    let after = data.check(Depth::Lengths, Leftovers::Keep).await.unwrap();
    assert_eq!((after.blobs, after.reserved, after.garbage), (1, 0, 0));
}

#[tokio::test]
async fn an_orphan_is_a_problem_until_it_is_deleted() {
    let data = Data::new().await;
    let orphan = BlobId::new(data.batch.id.0 + 5000, 3);
    data.write(orphan).await;
    let report = data.check(Depth::Lengths, Leftovers::Keep).await.unwrap();
    assert!(
        matches!(report.problems[..], [Problem::Orphan { blob, .. }] if blob == orphan),
        "{report:?}"
    );
    let report = data.check(Depth::Lengths, Leftovers::Delete).await.unwrap();
    assert!(report.is_clean() && report.deleted == Some(1), "{report:?}");
    assert!(!data.file(orphan).exists() && data.file(data.id(1)).exists());
}

#[tokio::test]
async fn wrong_statistics_are_a_problem_until_they_are_corrected() {
    let data = Data::new().await;
    data.catalog.close().await;
    let file = data.directory.path().join("catalog.sqlite");
    let database = rusqlite::Connection::open(file).unwrap();
    let spoil = "UPDATE bucket_statistics SET objects = -3";
    database.execute(spoil, []).unwrap();
    drop(database);
    let report = data.check(Depth::Lengths, Leftovers::Keep).await.unwrap();
    let wrong = Problem::StatisticsWrong {
        bucket: "photos".to_owned(),
        objects: 1,
        bytes: LENGTH as u64,
        recorded_objects: -3,
        recorded_bytes: LENGTH as i64,
    };
    assert_eq!(report.problems, [wrong]);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["problems"][0]["kind"], "statistics-wrong");
    assert_eq!(json["problems"][0]["recordedObjects"], -3);
    let report = data.check(Depth::Lengths, Leftovers::Delete).await.unwrap();
    assert!(
        report.is_clean() && report.corrected == Some(1),
        "{report:?}"
    );
    assert!(text(&report).contains("statistics of 1 buckets corrected\n"));
    let after = data.check(Depth::Lengths, Leftovers::Delete).await.unwrap();
    assert_eq!((after.is_clean(), after.corrected), (true, Some(0)));
}

#[tokio::test]
async fn data_in_use_or_absent_is_refused() {
    let data = Data::new().await;
    let places = |directory: PathBuf| DataPlaces {
        store: StoreUrl::Local(directory.join("blobs")),
        store_timeout: None,
        database: DatabaseUrl::Sqlite(directory),
    };
    let check = async |places: DataPlaces| {
        let clock = Clock::Fixed(T0);
        fsck(&places, Vec::new(), Depth::Lengths, Leftovers::Keep, &clock).await
    };
    let in_use = check(places(data.directory.path().to_owned())).await;
    assert!(matches!(in_use, Err(FsckError::InUse(_))), "{in_use:?}");
    let empty = tempfile::tempdir().unwrap();
    let absent = check(places(empty.path().join("x"))).await;
    assert!(matches!(absent, Err(FsckError::NoCatalog(_))), "{absent:?}");
    assert!(!empty.path().join("x").exists(), "nothing is made");
}
