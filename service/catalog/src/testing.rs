//! Catalogs and rows for tests, of this crate and of others.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a test ends where it fails, and its helpers say what they make"
)]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use crate::model::{
    AccessKey, Account, Bucket, Extent, KeyLimits, KeyScope, Layout, NewData, ObjectMeta,
    SealedSecret, StoredObject,
};
use crate::mutation::{
    CreateAccessKey, CreateAccount, CreateBucket, Mutation, Preconditions, PutObject,
};
use crate::{
    Catalog, CatalogError, CatalogOptions, DatabaseUrl, TypedChange, UnsafeDatabase, UpkeepClock,
};
use bucketry_domain::{
    AccessKeyPk, AccountId, BlobBatchId, BlobId, BucketId, ETag, NodeId, ObjectKey, OwnerId,
    Permission, Timestamp,
};
use bucketry_edge::environment::process_variable;

/// Submits a change by the service itself at [`T0`].
pub async fn make<C: TypedChange>(catalog: &Catalog, change: C) -> Result<C::Answer, CatalogError> {
    catalog.submit(Mutation::by_system(T0, change)).await
}

/// The beginning of every case.
pub const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub fn later(seconds: u64) -> Timestamp {
    T0.saturating_add(Duration::from_secs(seconds))
}

/// An empty catalog on some engine, and a second node of it where there can be one.
pub struct Fixture {
    url: DatabaseUrl,
    pub catalog: Catalog,
    /// On SQLite the same node again.
    pub other: Catalog,
    pub account: Arc<Account>,
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

pub fn options() -> CatalogOptions {
    CatalogOptions {
        connections: 6,
        upkeep_clock: UpkeepClock::Caller,
        unsafe_database: UnsafeDatabase::Allowed,
        ..CatalogOptions::default()
    }
}

pub async fn sqlite() -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(directory.path().join("data"));
    let catalog = Catalog::open(&url, &options()).await.unwrap();
    let other = catalog.clone();
    Fixture::new(url, catalog, other, Held::Directory(directory)).await
}

pub async fn postgres() -> Fixture {
    let (admin, name) = (admin(), name());
    administer(&admin, format!("CREATE SCHEMA {name}")).await;
    let separator = if admin.contains('?') { '&' } else { '?' };
    let url = format!("{admin}{separator}options=-c%20search_path%3D{name}");
    let drop = format!("DROP SCHEMA {name} CASCADE");
    on_server(url, &options(), Held::OnServer { admin, drop }).await
}

/// A database of its own, for cases that look at sessions and locks: these have no schema.
pub async fn postgres_with(options: &CatalogOptions) -> Fixture {
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
    let url = DatabaseUrl::Postgres(url.into());
    // Together, as nodes start in practice.
    let (catalog, other) = tokio::join!(Catalog::open(&url, options), Catalog::open(&url, options));
    Fixture::new(url, catalog.unwrap(), other.unwrap(), held).await
}

async fn administer(url: &str, sql: String) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

impl Fixture {
    async fn new(url: DatabaseUrl, catalog: Catalog, other: Catalog, held: Held) -> Self {
        let account = make_account(&catalog, "owner").await.unwrap();
        Self {
            url,
            catalog,
            other,
            account,
            held,
        }
    }

    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    pub async fn finish(self) {
        self.catalog.close().await;
        self.other.close().await;
        if let Held::OnServer { admin, drop } = self.held {
            administer(&admin, drop).await;
        }
    }

    /// Closes both nodes and opens the catalog again.
    pub async fn reopened(&self) -> Catalog {
        self.catalog.close().await;
        self.other.close().await;
        Catalog::open(&self.url, &options()).await.unwrap()
    }

    pub async fn bucket(&self, name: &str) -> Arc<Bucket> {
        make_bucket(&self.catalog, self.account.id, name)
            .await
            .unwrap()
    }

    pub async fn token(&self, bucket: BucketId) -> Arc<AccessKey> {
        let account = self.account.id;
        let scope = KeyScope::Bucket {
            account,
            bucket,
            permission: Permission::ReadWrite,
        };
        self.key(scope).await
    }

    pub async fn key(&self, scope: KeyScope) -> Arc<AccessKey> {
        make(&self.catalog, new_key(&self.catalog, scope).await)
            .await
            .unwrap()
    }

    pub async fn get(&self, bucket: BucketId, name: &str) -> Option<Arc<StoredObject>> {
        let found = self.catalog.object(bucket, &key(name)).await.unwrap();
        assert_eq!(
            self.other.object(bucket, &key(name)).await.unwrap(),
            found,
            "both nodes see the same"
        );
        found
    }

    pub async fn put(&self, bucket: BucketId, name: &str) -> Arc<crate::model::ObjectRow> {
        make(&self.catalog, put(bucket, name, b"x"))
            .await
            .unwrap()
            .row
    }

    /// A reservation of a node that lives.
    pub async fn batch(&self) -> BlobBatchId {
        let node = NodeId(self.catalog.next_id().await.unwrap());
        self.catalog
            .heartbeat(node, Timestamp::MAX, Timestamp::MAX)
            .await
            .unwrap();
        self.catalog.reserve_blob_batch(node, T0).await.unwrap().id
    }
}

pub fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).unwrap()
}

pub fn etag(byte: u8) -> ETag {
    ETag::of_content([byte; 16])
}

pub async fn make_account(catalog: &Catalog, name: &str) -> Result<Arc<Account>, CatalogError> {
    let id = AccountId(catalog.next_id().await?);
    let mut owner = [0; 32];
    owner[..8].copy_from_slice(&id.0.to_be_bytes());
    let change = CreateAccount {
        id,
        owner_id: OwnerId::from_bytes(owner),
        name: name.into(),
    };
    make(catalog, change).await
}

pub async fn make_bucket(
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
    make(catalog, change).await
}

pub async fn new_key(catalog: &Catalog, scope: KeyScope) -> CreateAccessKey {
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
pub fn put(bucket: BucketId, name: &str, bytes: &'static [u8]) -> PutObject {
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

pub fn extent(batch: BlobBatchId, index: u16, length: u64) -> Extent {
    Extent {
        blob: BlobId { batch, index },
        offset: 0,
        length,
    }
}

/// A put of a blob of 100,000 bytes.
pub fn put_blob(bucket: BucketId, name: &str, batch: BlobBatchId, index: u16) -> PutObject {
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

/// A catalog on Postgres in a database of its own, by the server's clock.
pub async fn by_the_servers_clock() -> Fixture {
    postgres_with(&CatalogOptions {
        upkeep_clock: UpkeepClock::Database,
        ..options()
    })
    .await
}

pub async fn server_time(fixture: &Fixture) -> Timestamp {
    let time = fixture.catalog.database_time().await.unwrap();
    time.expect("a time of the server")
}

pub async fn second_session(fixture: &Fixture) -> PgConnection {
    let DatabaseUrl::Postgres(url) = fixture.url() else {
        panic!("a server")
    };
    PgConnection::connect(url).await.unwrap()
}
