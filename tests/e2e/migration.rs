//! Catalogs that an earlier version made: they open, have kept what they held, and go on. Each folder of `migration/` was
//! made by the last version of its schema: a dump of the catalog, and the blobs beside it.

use std::fs;
use std::path::{Path, PathBuf};

use bucketry_contract::v1::{
    Bucket, CompleteMultipartUploadRequest, CompletedPart, CreateBucketRequest, GetBucketRequest,
    GetObjectRequest, GetSmallObjectRequest, ListMultipartUploadsRequest, ListObjectsRequest,
    ListPartsRequest, Object, ObjectOwnership, PutObjectSpec, PutSmallObjectRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::postgres::create_database;
use bucketry_tests::server::{KEYRING, Server, ServerOptions};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

const BUCKET: &str = "kept";

/// Cases that the catalog of schema 5 lacks: a bucket with more commits than the catalog has allocated ids, every
/// setting, with characters that JSON escapes, and buckets without settings, one of them deleted.
const ADDED_TO_SCHEMA_5: &str = r#"
    UPDATE buckets SET commit_seq = 100000;
    UPDATE objects SET generation = 99999 WHERE bucket_id IN (SELECT id FROM buckets WHERE name = 'kept');
    UPDATE buckets SET config = '{"tagging":[{"key":"made","value":"before"}],"cors":[{"id":"\u0000\u0000\\u0000\\ue000é","allowed_origins":["https://example.com"],"allowed_methods":["GET"]}],"ownership":"BucketOwnerEnforced"}' WHERE name = 'kept';
    INSERT INTO buckets (id, name, account_id, region, created, state, versioning, commit_seq, config) VALUES
        (4001, 'bare', 7, 'us-east-1', 0, 0, 0, 0, ''),
        (4002, 'gone', 7, 'us-east-1', 0, 1, 0, 0, '{"tagging":[{"key":"made","value":"before"}]}')"#;

/// An object with attributes, which the catalogs lack.
const ADDED_TO_SMALL: &str = r#"
    UPDATE objects SET headers = '{"content_type":"text/kept","user_metadata":[["made","before"]]}',
        tags = '[{"key":"kept","value":"é"}]' WHERE data_kind = 1"#;

/// The ID of the CORS rule.
const RULE: &str = "\0\0\\u0000\\ue000é";

fn made_by(schema: &str, engine: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("e2e/migration")
        .join(schema)
        .join(engine)
}

fn dump(folder: &Path) -> String {
    fs::read_to_string(folder.join("catalog.sql")).expect("a dump")
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("to be copied");
        }
    }
}

/// A stopped server with nothing in its data directory but the blobs of a folder.
fn stopped_with_blobs(folder: &Path) -> Result<Server, HarnessError> {
    let mut server = Server::start(ServerOptions::new().environment("BUCKETRY_KEYRING", KEYRING))?;
    server.stop()?;
    fs::remove_dir_all(server.data_dir()).expect("to be removed");
    copy_tree(&folder.join("blobs"), &server.data_dir().join("blobs"));
    Ok(server)
}

#[tokio::test]
async fn a_sqlite_directory_of_schema_5_goes_on() -> Result<(), HarnessError> {
    sqlite_goes_on("schema-5", ADDED_TO_SCHEMA_5).await
}

#[tokio::test]
async fn a_sqlite_directory_of_schema_6_goes_on() -> Result<(), HarnessError> {
    sqlite_goes_on("schema-6", "").await
}

#[tokio::test]
async fn a_postgres_database_of_schema_5_goes_on() -> Result<(), HarnessError> {
    postgres_goes_on("schema-5", ADDED_TO_SCHEMA_5).await
}

#[tokio::test]
async fn a_postgres_database_of_schema_6_goes_on() -> Result<(), HarnessError> {
    postgres_goes_on("schema-6", "").await
}

async fn sqlite_goes_on(schema: &str, added: &'static str) -> Result<(), HarnessError> {
    let folder = made_by(schema, "sqlite");
    let mut server = stopped_with_blobs(&folder)?;
    let catalog = rusqlite::Connection::open(server.data_dir().join("catalog.sqlite"))?;
    catalog.execute_batch(&dump(&folder))?;
    catalog.execute_batch(added)?;
    catalog.execute_batch(ADDED_TO_SMALL)?;
    drop(catalog);
    server.restart()?;
    goes_on(&server).await
}

async fn postgres_goes_on(schema: &str, added: &'static str) -> Result<(), HarnessError> {
    let folder = made_by(schema, "postgres");
    let url = create_database().await?;
    let options: PgConnectOptions = url.parse()?;
    let mut catalog = options.connect().await?;
    let dump = AssertSqlSafe(dump(&folder));
    catalog.execute(sqlx::raw_sql(dump)).await?;
    // A dump empties it.
    catalog.execute("SET search_path = public").await?;
    catalog.execute(sqlx::raw_sql(added)).await?;
    catalog.execute(sqlx::raw_sql(ADDED_TO_SMALL)).await?;
    catalog.close().await?;
    let mut server = stopped_with_blobs(&folder)?;
    server.restart_with(ServerOptions::new().database_url(&url))?;
    goes_on(&server).await
}

async fn goes_on(server: &Server) -> Result<(), HarnessError> {
    let mut clients = Clients::root(server).await?;
    let listing = ListObjectsRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    let listed = clients.objects.list_objects(listing).await?.into_inner();
    let keys: Vec<_> = listed.objects.iter().map(|object| &*object.key).collect();
    assert_eq!(keys, ["blob", "small"]);

    let pattern = (0..=255).collect::<Vec<u8>>().repeat(80);
    let (blob, content) = get(&mut clients, "blob").await?;
    assert_eq!(content, pattern);
    let (small, content) = get(&mut clients, "small").await?;
    assert_eq!(content, b"small 2");
    attributes_are_kept(&small);
    settings_are_kept(&mut clients).await?;
    let request = GetBucketRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    let bucket = clients
        .objects
        .get_bucket(request)
        .await?
        .into_inner()
        .bucket;
    let statistics = bucket
        .and_then(|bucket| bucket.statistics)
        .unwrap_or_default();
    let bytes: i64 = listed.objects.iter().map(|object| object.size).sum();
    assert_eq!((statistics.object_count, statistics.size_bytes), (2, bytes));

    let (replaced, content) = put(&mut clients, "small", b"anew").await?;
    assert_eq!(content, b"anew");
    assert!(replaced.generation > small.generation.max(blob.generation));
    let completed = complete(&mut clients, "open").await?;
    assert!(completed.generation > replaced.generation);
    let (_, content) = get(&mut clients, "open").await?;
    assert_eq!(content, b"part one");
    Ok(())
}

async fn get(clients: &mut Clients, key: &str) -> Result<(Object, Vec<u8>), HarnessError> {
    let request = GetSmallObjectRequest {
        object: Some(GetObjectRequest {
            bucket: BUCKET.to_owned(),
            key: key.to_owned(),
            ..Default::default()
        }),
    };
    let found = clients
        .objects
        .get_small_object(request)
        .await?
        .into_inner();
    let header = found.header.and_then(|header| header.object);
    let object = header.ok_or(HarnessError::Incomplete("object"))?;
    Ok((object, found.data.to_vec()))
}

async fn put(
    clients: &mut Clients,
    key: &str,
    content: &'static [u8],
) -> Result<(Object, Vec<u8>), HarnessError> {
    let request = PutSmallObjectRequest {
        spec: Some(PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: key.to_owned(),
            ..Default::default()
        }),
        data: content.into(),
    };
    clients.objects.put_small_object(request).await?;
    get(clients, key).await
}

fn attributes_are_kept(small: &Object) {
    assert_eq!((small.size, small.part_count), (7, 0));
    assert_eq!(small.etag, "804e064a245d323cfa76164b9f35d5b3");
    assert!(small.checksum.is_some() && small.modify_time.is_some());
    let attributes = small.attributes.clone().unwrap_or_default();
    assert_eq!(attributes.content_type, "text/kept");
    assert_eq!(attributes.metadata["made"], "before");
    let tagging = attributes.tagging.unwrap_or_default();
    let tags: Vec<_> = (tagging.tags.iter())
        .map(|tag| (&*tag.key, &*tag.value))
        .collect();
    assert_eq!(tags, [("kept", "é")]);
}

async fn settings_are_kept(clients: &mut Clients) -> Result<(), HarnessError> {
    let kept = bucket(clients, BUCKET).await?;
    let tags = kept.tagging.ok_or(HarnessError::Incomplete("tagging"))?;
    let tags: Vec<_> = (tags.tags.iter())
        .map(|tag| (&*tag.key, &*tag.value))
        .collect();
    assert_eq!(tags, [("made", "before")]);
    let cors = kept.cors.ok_or(HarnessError::Incomplete("cors"))?;
    assert_eq!(cors.rules[0].allowed_origins, ["https://example.com"]);
    assert_eq!(cors.rules[0].id, RULE);
    let ownership = kept.ownership_controls;
    let ownership = ownership.ok_or(HarnessError::Incomplete("ownership"))?;
    let [rule] = &ownership.rules[..] else {
        return Err(HarnessError::Incomplete("the rule of ownership"));
    };
    let enforced = ObjectOwnership::BucketOwnerEnforced;
    assert_eq!(rule.object_ownership(), enforced);

    let request = CreateBucketRequest {
        bucket: "gone".to_owned(),
        ..Default::default()
    };
    clients.objects.create_bucket(request).await?;
    for name in ["bare", "gone"] {
        let bare = bucket(clients, name).await?;
        let set = (bare.tagging, bare.cors, bare.ownership_controls);
        assert_eq!(set, (None, None, None), "{name}");
    }
    Ok(())
}

async fn bucket(clients: &mut Clients, name: &str) -> Result<Bucket, HarnessError> {
    let request = GetBucketRequest {
        bucket: name.to_owned(),
        ..Default::default()
    };
    let found = clients.objects.get_bucket(request).await?.into_inner();
    found.bucket.ok_or(HarnessError::Incomplete("bucket"))
}

/// Completes the upload that was open.
async fn complete(clients: &mut Clients, key: &str) -> Result<Object, HarnessError> {
    let request = ListMultipartUploadsRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    let open = clients.objects.list_multipart_uploads(request).await?;
    let [upload] = &open.into_inner().uploads[..] else {
        return Err(HarnessError::Incomplete("the open upload"));
    };
    let request = ListPartsRequest {
        bucket: BUCKET.to_owned(),
        key: key.to_owned(),
        upload_id: upload.upload_id.clone(),
        ..Default::default()
    };
    let parts = clients.objects.list_parts(request).await?.into_inner();
    let parts = (parts.parts.into_iter()).map(|part| CompletedPart {
        part_number: part.part_number,
        etag: part.etag,
        checksum: part.checksum,
    });
    let request = CompleteMultipartUploadRequest {
        bucket: BUCKET.to_owned(),
        key: key.to_owned(),
        upload_id: upload.upload_id.clone(),
        parts: parts.collect(),
        ..Default::default()
    };
    let completed = clients.objects.complete_multipart_upload(request).await?;
    let object = completed.into_inner().object;
    object.ok_or(HarnessError::Incomplete("object"))
}
