//! What only SQLite must do: this process has the directory for itself, and remembers rows.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use tokio::sync::oneshot;

use crate::model::{KeyState, ObjectData};
use crate::mutation::{KeyEdit, PurgeAccessKey, UpdateAccessKey};
use crate::query::{ListObjects, Listed};
use crate::sql::{Pools, Row, RowVisitor, Statement};
use crate::testing::{key, put, sqlite};
use crate::{Catalog, CatalogError, CatalogOptions, DatabaseUrl};

#[tokio::test]
async fn a_second_process_is_refused() {
    let fixture = sqlite().await;
    let DatabaseUrl::Sqlite(directory) = fixture.url() else {
        panic!("a directory")
    };
    let second = Catalog::open(fixture.url(), &CatalogOptions::default()).await;
    assert!(matches!(second, Err(CatalogError::InUse(path)) if path == *directory));
    fixture.finish().await;
}

/// Holds the next commit before the caches know of it: tells when it is there, and goes on when told.
fn pause_after_commit(catalog: &Catalog) -> (oneshot::Receiver<()>, mpsc::Sender<()>) {
    let (committed, is_committed) = oneshot::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let mut committed = Some(committed);
    let pause = move || {
        if let Some(committed) = committed.take() {
            committed.send(()).unwrap();
            may_go_on.recv().unwrap();
        }
    };
    *catalog.engine().committed.lock().unwrap() = Some(Box::new(pause));
    (is_committed, go_on)
}

/// Between a commit and the moment when the caches know of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_shows_no_version_that_a_later_read_does_not() {
    let fixture = sqlite().await;
    let bucket = fixture.bucket("published").await.id;
    let first = fixture.put(bucket, "k").await;
    assert!(fixture.get(bucket, "k").await.is_some());

    let (is_committed, publish) = pause_after_commit(&fixture.catalog);
    let catalog = fixture.catalog.clone();
    let second = tokio::spawn(async move { catalog.make(put(bucket, "k", b"y")).await });
    is_committed.await.unwrap();
    // The second round meets what the first one left in the caches.
    for _ in 0..2 {
        let all = ListObjects::all(bucket, 10);
        let page = fixture.catalog.list_objects(&all).await.unwrap();
        let [Listed::Entry(listed)] = &page.entries[..] else {
            panic!("{page:?}")
        };
        assert!(listed.generation > first.generation);
        let read = fixture.get(bucket, "k").await.unwrap();
        assert_eq!(read.row.generation, listed.generation);
    }
    publish.send(()).unwrap();
    let second = second.await.unwrap().unwrap().row;
    assert_eq!(fixture.get(bucket, "k").await.unwrap().row, second);
    fixture.finish().await;
}

/// As fsck does when it is interrupted: no connection stays occupied.
#[tokio::test]
async fn a_long_read_ends_with_its_caller() {
    let fixture = sqlite().await;
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0";
    let catalog = fixture.catalog.clone();
    let (begun, is_begun) = oneshot::channel();
    let read = tokio::spawn(async move {
        let scan = catalog
            .engine()
            .scan(Statement::new(endless), |row| Ok(row.int(0)?));
        begun.send(()).unwrap();
        scan.await
    });
    is_begun.await.unwrap();
    tokio::task::yield_now().await;
    read.abort();
    assert!(read.await.unwrap_err().is_cancelled());
    // Waits for every connection that is in use.
    fixture.finish().await;
}

/// Counts as a search that finds nothing, and says when it ends.
struct Endless {
    seen: Arc<AtomicU64>,
    _ends: oneshot::Sender<()>,
}

impl RowVisitor for Endless {
    fn visit(&mut self, _row: &Row<'_>) -> Result<ControlFlow<()>, CatalogError> {
        self.seen.fetch_add(1, Ordering::Relaxed);
        Ok(ControlFlow::Continue(()))
    }
}

/// As a search does whose client hangs up: its thread does not go on to the bound.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visit_of_rows_ends_with_its_caller() {
    let fixture = sqlite().await;
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    let seen = Arc::new(AtomicU64::new(0));
    let (ends, is_ended) = oneshot::channel();
    let visitor = Endless {
        seen: Arc::clone(&seen),
        _ends: ends,
    };
    let catalog = fixture.catalog.clone();
    let visit = tokio::spawn(async move {
        let Pools::Sqlite(sqlite) = &catalog.engine().pools else {
            panic!("SQLite")
        };
        sqlite
            .visit(Statement::new(endless), visitor)
            .await
            .map(drop)
    });
    while seen.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    visit.abort();
    assert!(visit.await.unwrap_err().is_cancelled());
    assert!(is_ended.await.is_err(), "dropped by its thread");
    fixture.finish().await;
}

/// The runtime has one thread, which a commit or a migration must not occupy.
#[tokio::test]
async fn a_commit_waits_on_no_thread_of_the_runtime() {
    let fixture = sqlite().await;
    let bucket = fixture.bucket("apart").await.id;
    let (is_committed, go_on) = pause_after_commit(&fixture.catalog);
    let catalog = fixture.catalog.clone();
    let stored = tokio::spawn(async move { catalog.make(put(bucket, "k", b"x")).await });
    is_committed.await.unwrap();
    go_on.send(()).unwrap();
    stored.await.unwrap().unwrap();
    fixture.finish().await;
}

/// What a HEAD leaves in the caches is neither an object without data to a GET, nor to a commit.
#[tokio::test]
async fn a_row_that_is_remembered_alone_hides_no_data() {
    let fixture = sqlite().await;
    let bucket = fixture.bucket("heads").await.id;
    fixture.put(bucket, "k").await;
    let caches = fixture.catalog.engine().caches.as_ref().unwrap();
    for stored in [true, false] {
        caches.clear();
        let row = fixture.catalog.object_row(bucket, &key("k")).await.unwrap();
        if stored {
            let whole = fixture.get(bucket, "k").await.unwrap();
            assert_eq!(Some(&whole.row), row.as_ref());
            assert!(matches!(&whole.data, ObjectData::Inline(data) if data == "x"));
        } else {
            fixture.put(bucket, "k").await;
            assert_ne!(
                fixture.get(bucket, "k").await.map(|new| new.row.clone()),
                row
            );
        }
        let known = fixture.catalog.object_row(bucket, &key("k")).await.unwrap();
        assert_eq!(
            known,
            fixture
                .get(bucket, "k")
                .await
                .map(|object| object.row.clone())
        );
    }
    fixture.finish().await;
}

#[tokio::test]
async fn a_purged_key_is_forgotten_though_only_its_row_is_known() {
    let fixture = sqlite().await;
    let bucket = fixture.bucket("purged").await.id;
    let token = fixture.token(bucket).await;
    let revoke = UpdateAccessKey {
        pk: token.pk,
        if_version: None,
        unless_last_of: None,
        edit: KeyEdit {
            state: Some(KeyState::Revoked),
            ..KeyEdit::default()
        },
        by: "editor".into(),
    };
    fixture.catalog.make(revoke).await.unwrap();
    let caches = fixture.catalog.engine().caches.as_ref().unwrap();
    caches.forget_key_id(token.pk);
    fixture
        .catalog
        .make(PurgeAccessKey { pk: token.pk })
        .await
        .unwrap();
    let found = fixture.catalog.access_key(&token.access_key_id).await;
    assert_eq!(found.unwrap(), None);
    fixture.finish().await;
}
