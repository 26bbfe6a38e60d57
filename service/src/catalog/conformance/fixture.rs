use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::catalog::model::{
    AccessKey, Account, Bucket, Extent, KeyLimits, KeyScope, Layout, NewData, ObjectMeta,
    SealedSecret, StoredObject,
};
use crate::catalog::mutation::{
    CreateAccessKey, CreateAccount, CreateBucket, Mutation, Preconditions, PutObject,
};
use crate::catalog::{
    Catalog, CatalogError, CatalogOptions, CatalogUrl, Refusal, TypedChange, UnsafeDatabase,
    UpkeepClock,
};
use crate::config::process_variable;
use crate::domain::{
    AccessKeyPk, AccountId, BlobBatchId, BlobId, BucketId, ETag, NodeId, ObjectKey, OwnerId,
    Permission, Timestamp,
};

/// In tests the service itself makes a change at [`T0`], unless the test says otherwise.
impl<C: TypedChange> From<C> for Mutation<C> {
    fn from(change: C) -> Self {
        Self::by_system(T0, change)
    }
}

impl Catalog {
    /// Makes a change, at [`T0`] by the service itself unless it is a mutation.
    pub(crate) async fn make<C: TypedChange>(
        &self,
        change: impl Into<Mutation<C>>,
    ) -> Result<C::Answer, CatalogError> {
        self.submit(change.into()).await
    }
}

/// The beginning of every case.
pub(crate) const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub(super) fn later(seconds: u64) -> Timestamp {
    T0.saturating_add(Duration::from_secs(seconds))
}

/// An empty catalog on some engine, and a second node of it where there can be one.
pub(super) struct Fixture {
    url: CatalogUrl,
    pub(super) catalog: Catalog,
    /// On SQLite the same node again.
    pub(super) other: Catalog,
    pub(super) account: Arc<Account>,
    held: Held,
}

enum Held {
    Directory(#[allow(dead_code, reason = "removes itself when dropped")] tempfile::TempDir),
    /// A schema or a database, and the statement that drops it.
    OnServer {
        admin: String,
        drop: String,
    },
}

pub(super) fn options() -> CatalogOptions {
    CatalogOptions {
        connections: 6,
        upkeep_clock: UpkeepClock::Caller,
        unsafe_database: UnsafeDatabase::Allowed,
        ..CatalogOptions::default()
    }
}

pub(super) async fn sqlite() -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let url = CatalogUrl::Sqlite(directory.path().join("data"));
    let catalog = Catalog::open(&url, &options()).await.unwrap();
    let other = catalog.clone();
    Fixture::new(url, catalog, other, Held::Directory(directory)).await
}

pub(super) async fn postgres() -> Fixture {
    let (admin, name) = (admin(), name());
    administer(&admin, format!("CREATE SCHEMA {name}")).await;
    let separator = if admin.contains('?') { '&' } else { '?' };
    let url = format!("{admin}{separator}options=-c%20search_path%3D{name}");
    let drop = format!("DROP SCHEMA {name} CASCADE");
    on_server(url, &options(), Held::OnServer { admin, drop }).await
}

/// A database of its own, for cases that look at sessions and locks: these have no schema.
pub(super) async fn postgres_with(options: &CatalogOptions) -> Fixture {
    let (admin, name) = (admin(), name());
    administer(&admin, format!("CREATE DATABASE {name}")).await;
    let server: PgConnectOptions = admin.parse().unwrap();
    let url = server.database(&name).to_url_lossy().to_string();
    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
    on_server(url, options, Held::OnServer { admin, drop }).await
}

fn admin() -> String {
    process_variable("BUCKETRY_TEST_POSTGRES_URL")
        .and_then(|url| url.into_string().ok())
        .expect("BUCKETRY_TEST_POSTGRES_URL is not set: run the tests by tests/run, which starts a Postgres")
}

fn name() -> String {
    format!("catalog_{}", uuid::Uuid::new_v4().simple())
}

async fn on_server(url: String, options: &CatalogOptions, held: Held) -> Fixture {
    let url = CatalogUrl::Postgres(url);
    // Together, as nodes start in practice.
    let (catalog, other) = tokio::join!(Catalog::open(&url, options), Catalog::open(&url, options));
    Fixture::new(url, catalog.unwrap(), other.unwrap(), held).await
}

async fn administer(url: &str, sql: String) {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

impl Fixture {
    async fn new(url: CatalogUrl, catalog: Catalog, other: Catalog, held: Held) -> Self {
        let account = make_account(&catalog, "owner").await.unwrap();
        Self {
            url,
            catalog,
            other,
            account,
            held,
        }
    }

    pub(super) fn url(&self) -> &CatalogUrl {
        &self.url
    }

    pub(super) async fn finish(self) {
        self.catalog.close().await;
        self.other.close().await;
        if let Held::OnServer { admin, drop } = self.held {
            administer(&admin, drop).await;
        }
    }

    /// Closes both nodes and opens the catalog again.
    pub(super) async fn reopened(&self) -> Catalog {
        self.catalog.close().await;
        self.other.close().await;
        Catalog::open(&self.url, &options()).await.unwrap()
    }

    pub(super) async fn bucket(&self, name: &str) -> Arc<Bucket> {
        make_bucket(&self.catalog, self.account.id, name)
            .await
            .unwrap()
    }

    pub(super) async fn token(&self, bucket: BucketId) -> Arc<AccessKey> {
        let account = self.account.id;
        let scope = KeyScope::Bucket {
            account,
            bucket,
            permission: Permission::ReadWrite,
        };
        self.key(scope).await
    }

    pub(super) async fn key(&self, scope: KeyScope) -> Arc<AccessKey> {
        self.catalog
            .make(new_key(&self.catalog, scope).await)
            .await
            .unwrap()
    }

    pub(super) async fn get(&self, bucket: BucketId, name: &str) -> Option<Arc<StoredObject>> {
        let found = self.catalog.object(bucket, &key(name)).await.unwrap();
        assert_eq!(
            self.other.object(bucket, &key(name)).await.unwrap(),
            found,
            "both nodes see the same"
        );
        found
    }

    pub(super) async fn put(
        &self,
        bucket: BucketId,
        name: &str,
    ) -> Arc<crate::catalog::model::ObjectRow> {
        self.catalog
            .make(put(bucket, name, b"x"))
            .await
            .unwrap()
            .row
    }

    /// A reservation of a node that lives.
    pub(super) async fn batch(&self) -> BlobBatchId {
        let node = NodeId(self.catalog.next_id().await.unwrap());
        self.catalog
            .heartbeat(node, Timestamp::MAX, Timestamp::MAX)
            .await
            .unwrap();
        self.catalog.reserve_blob_batch(node, T0).await.unwrap().id
    }
}

pub(super) fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).unwrap()
}

pub(super) fn etag(byte: u8) -> ETag {
    ETag::of_content([byte; 16])
}

pub(crate) async fn make_account(
    catalog: &Catalog,
    name: &str,
) -> Result<Arc<Account>, CatalogError> {
    let id = AccountId(catalog.next_id().await?);
    let mut owner = [0; 32];
    owner[..8].copy_from_slice(&id.0.to_be_bytes());
    let change = CreateAccount {
        id,
        owner_id: OwnerId::from_bytes(owner),
        name: name.into(),
    };
    catalog.make(change).await
}

pub(crate) async fn make_bucket(
    catalog: &Catalog,
    account: AccountId,
    name: &str,
) -> Result<Arc<Bucket>, CatalogError> {
    let change = CreateBucket {
        id: BucketId(catalog.next_id().await?),
        name: name.parse().unwrap(),
        account,
        region: "eu-central-1".into(),
    };
    catalog.make(change).await
}

pub(crate) async fn new_key(catalog: &Catalog, scope: KeyScope) -> CreateAccessKey {
    let pk = AccessKeyPk(catalog.next_id().await.unwrap());
    CreateAccessKey {
        pk,
        access_key_id: format!("BKTY{:016}", pk.0).parse().unwrap(),
        scope,
        name: "a key".into(),
        allowed: vec!["10.0.0.0/8".parse().unwrap()],
        disallowed: Vec::new(),
        expires: None,
        limits: KeyLimits::default(),
        secret: SealedSecret {
            kek_id: 1,
            algorithm: 1,
            nonce: vec![1; 12],
            sealed: vec![2; 64],
        },
        by: "root".into(),
    }
}

/// A put of inline bytes whose tag is made of the first byte.
pub(super) fn put(bucket: BucketId, name: &str, bytes: &'static [u8]) -> PutObject {
    let meta = ObjectMeta::new(
        bytes.len() as u64,
        etag(bytes.first().copied().unwrap_or(0)),
        AccountId(1),
    );
    let data = if bytes.is_empty() {
        NewData::Empty
    } else {
        NewData::Inline(Bytes::from_static(bytes))
    };
    PutObject {
        bucket,
        key: key(name),
        meta,
        data,
        preconditions: Preconditions::default(),
    }
}

pub(super) fn extent(batch: BlobBatchId, index: u16, length: u64) -> Extent {
    Extent {
        blob: BlobId { batch, index },
        offset: 0,
        length,
    }
}

/// A put of a blob of 100,000 bytes.
pub(crate) fn put_blob(bucket: BucketId, name: &str, batch: BlobBatchId, index: u16) -> PutObject {
    let layout = Layout {
        extents: vec![extent(batch, index, 100_000)],
        parts: Vec::new(),
    };
    PutObject {
        meta: ObjectMeta::new(100_000, etag(7), AccountId(1)),
        data: NewData::Extents(layout),
        ..put(bucket, name, b"")
    }
}

/// The refusal that a change met.
pub(super) async fn refusal<C: TypedChange>(
    catalog: &Catalog,
    change: impl Into<Mutation<C>>,
) -> Refusal
where
    C::Answer: std::fmt::Debug,
{
    match catalog.make(change).await {
        Err(CatalogError::Refused(refusal)) => refusal,
        other => panic!("should have been refused: {other:?}"),
    }
}
