//! Who may call what by gRPC: every method, with the tokens of a bucket, without a key, and with a key of another
//! account.

use std::collections::BTreeSet;

use bucketry_contract::PUBLISHED_DESCRIPTOR_SET;
use bucketry_contract::errors::explain;
use bucketry_contract::v1::{
    CreateAccountRequest, CreateMultipartUploadRequest, ErrorReason, Permission, PutObjectSpec,
    PutSmallObjectRequest, UploadPartRequest, UploadPartSpec, upload_part_request,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients, call, channel};
use bucketry_tests::server::{Server, ServerOptions};
use bytes::Bytes;
use prost_reflect::prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use tonic::transport::Channel;
use tonic::{Code, Status};

const BUCKET: &str = "permission-test-bucket";
const OTHER_BUCKET: &str = "other-permission-test-bucket";
const MISSING_BUCKET: &str = "missing-permission-test-bucket";

const ALL: &[Permission] = &[
    Permission::ReadOnly,
    Permission::WriteOnly,
    Permission::ReadWrite,
];
const READERS: &[Permission] = &[Permission::ReadOnly, Permission::ReadWrite];
const WRITERS: &[Permission] = &[Permission::WriteOnly, Permission::ReadWrite];
const BOTH: &[Permission] = &[Permission::ReadWrite];
const NONE: &[Permission] = &[];

/// Method, who may call it, and a request that is answered well if it is allowed. What stands in angle brackets is
/// taken from [`Facts`].
type Row = (&'static str, &'static [Permission], &'static str);

const OBJECT_SERVICE: &[Row] = &[
    ("GetCapabilities", ALL, "{}"),
    ("CreateBucket", ALL, r#"{"bucket": "<BUCKET>"}"#),
    ("GetBucket", NONE, r#"{"bucket": "<BUCKET>"}"#),
    ("HeadBucket", ALL, r#"{"bucket": "<BUCKET>"}"#),
    (
        "UpdateBucket",
        NONE,
        r#"{"bucket": {"name": "<BUCKET>"}, "updateMask": "tagging"}"#,
    ),
    ("DeleteBucket", NONE, r#"{"bucket": "<BUCKET>"}"#),
    ("ListBuckets", ALL, "{}"),
    (
        "PutObject",
        WRITERS,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "k"}}"#,
    ),
    (
        "PutObject",
        WRITERS,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "k", "attributes": {"tagging": {"tags": [{"key": "a"}]}}}}"#,
    ),
    (
        "PutObject",
        WRITERS,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "<FRESH>", "precondition": {"ifNoneMatch": ["*"]}}}"#,
    ),
    (
        "PutObject",
        WRITERS,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "<FRESH>", "precondition": {"ifGenerationMatch": 0}}}"#,
    ),
    (
        "PutObject",
        BOTH,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "k", "precondition": {"ifMatch": ["<ETAG>"]}}}"#,
    ),
    (
        "PutObject",
        BOTH,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "k", "precondition": {"ifGenerationMatch": <GENERATION>}}}"#,
    ),
    (
        "PutSmallObject",
        WRITERS,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "k"}}"#,
    ),
    (
        "PutSmallObject",
        BOTH,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "k", "precondition": {"ifMatch": ["<ETAG>"]}}}"#,
    ),
    (
        "GetObject",
        READERS,
        r#"{"bucket": "<BUCKET>", "key": "k"}"#,
    ),
    (
        "GetObject",
        READERS,
        r#"{"bucket": "<BUCKET>", "key": "k", "range": {"start": 1, "end": 2}}"#,
    ),
    (
        "GetSmallObject",
        READERS,
        r#"{"object": {"bucket": "<BUCKET>", "key": "k"}}"#,
    ),
    (
        "HeadObject",
        READERS,
        r#"{"object": {"bucket": "<BUCKET>", "key": "k"}}"#,
    ),
    (
        "GetObjectAttributes",
        READERS,
        r#"{"bucket": "<BUCKET>", "key": "k", "attributes": ["OBJECT_ATTRIBUTE_SIZE"]}"#,
    ),
    (
        "UpdateObject",
        WRITERS,
        r#"{"object": {"bucket": "<BUCKET>", "key": "k", "attributes": {"tagging": {"tags": [{"key": "a"}]}}},
            "updateMask": "attributes.tagging"}"#,
    ),
    (
        "UpdateObject",
        BOTH,
        r#"{"object": {"bucket": "<BUCKET>", "key": "k"}, "updateMask": "attributes.tagging"}"#,
    ),
    (
        "DeleteObject",
        BOTH,
        r#"{"bucket": "<BUCKET>", "key": "k"}"#,
    ),
    (
        "DeleteObjects",
        BOTH,
        r#"{"bucket": "<BUCKET>", "objects": [{"key": "k"}]}"#,
    ),
    (
        "CopyObject",
        BOTH,
        r#"{"bucket": "<BUCKET>", "key": "copy", "source": {"bucket": "<BUCKET>", "key": "k"}}"#,
    ),
    ("ListObjects", READERS, r#"{"bucket": "<BUCKET>"}"#),
    (
        "CreateMultipartUpload",
        WRITERS,
        r#"{"bucket": "<BUCKET>", "key": "k"}"#,
    ),
    (
        "UploadPart",
        WRITERS,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "k", "uploadId": "<UPLOAD>", "partNumber": 2}}"#,
    ),
    (
        "UploadPartCopy",
        BOTH,
        r#"{"bucket": "<BUCKET>", "key": "k", "uploadId": "<UPLOAD>", "partNumber": 2,
            "source": {"bucket": "<BUCKET>", "key": "k"}}"#,
    ),
    (
        "CompleteMultipartUpload",
        WRITERS,
        r#"{"bucket": "<BUCKET>", "key": "k", "uploadId": "<UPLOAD>", "parts": [{"partNumber": 1, "etag": "<PART>"}]}"#,
    ),
    (
        "CompleteMultipartUpload",
        BOTH,
        r#"{"bucket": "<BUCKET>", "key": "k", "uploadId": "<UPLOAD>", "parts": [{"partNumber": 1, "etag": "<PART>"}],
            "precondition": {"ifMatch": ["<ETAG>"]}}"#,
    ),
    (
        "AbortMultipartUpload",
        WRITERS,
        r#"{"bucket": "<BUCKET>", "key": "k", "uploadId": "<UPLOAD>"}"#,
    ),
    (
        "ListParts",
        WRITERS,
        r#"{"bucket": "<BUCKET>", "key": "k", "uploadId": "<UPLOAD>"}"#,
    ),
    ("ListMultipartUploads", READERS, r#"{"bucket": "<BUCKET>"}"#),
];

const TOKEN_SERVICE: &[Row] = &[
    (
        "CreateToken",
        NONE,
        r#"{"bucket": "<BUCKET>", "name": "n", "permission": "PERMISSION_READ_ONLY"}"#,
    ),
    (
        "GetToken",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    ("ListTokens", NONE, r#"{"bucket": "<BUCKET>"}"#),
    (
        "UpdateToken",
        NONE,
        r#"{"token": {"bucket": "<BUCKET>", "tokenId": "<TOKEN>", "name": "n"}, "updateMask": "name"}"#,
    ),
    (
        "ShowTokenSecret",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    (
        "CloneToken",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    (
        "SuspendToken",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    (
        "ResumeToken",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    (
        "RevokeToken",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    ("CreateSession", ALL, "{}"),
];

const ADMIN_SERVICE: &[Row] = &[
    ("CreateAccount", NONE, r#"{"displayName": "n"}"#),
    ("ListAccounts", NONE, "{}"),
    ("CreateOperatorKey", NONE, r#"{"name": "n"}"#),
    ("ListAdminKeys", NONE, "{}"),
    ("RevokeAdminKey", NONE, r#"{"keyId": "1"}"#),
];

const SERVICES: [(&str, &[Row]); 3] = [
    ("bucketry.v1.ObjectService", OBJECT_SERVICE),
    ("bucketry.v1.TokenService", TOKEN_SERVICE),
    ("bucketry.v1.AdminService", ADMIN_SERVICE),
];

/// What needs no bucket: anybody with a key may.
const OF_NO_BUCKET: [&str; 3] = ["GetCapabilities", "ListBuckets", "CreateSession"];

fn rows() -> impl Iterator<Item = (&'static str, Row)> {
    SERVICES
        .into_iter()
        .flat_map(|(service, rows)| rows.iter().map(move |row| (service, *row)))
}

fn pool() -> DescriptorPool {
    DescriptorPool::decode(PUBLISHED_DESCRIPTOR_SET).expect("the published descriptor set")
}

fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    pool.services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect()
}

/// What rows speak of, made anew for every call so that none depends on another.
struct Facts {
    etag: String,
    generation: i64,
    upload: String,
    part: String,
    fresh: String,
    token: String,
}

struct Fixture {
    _server: Server,
    channel: Channel,
    root: Clients,
    pool: DescriptorPool,
    token: String,
    prepared: usize,
}

impl Fixture {
    async fn start() -> Result<Self, HarnessError> {
        let server = Server::start(ServerOptions::new())?;
        let mut root = Clients::root(&server).await?;
        root.create_bucket(BUCKET).await?;
        root.create_bucket(OTHER_BUCKET).await?;
        let (token, _) = root.create_token(BUCKET, Permission::ReadOnly).await?;
        Ok(Self {
            channel: channel(&server).await?,
            _server: server,
            root,
            pool: pool(),
            token: token.token_id,
            prepared: 0,
        })
    }

    async fn bearer(&mut self, permission: Permission) -> Result<Bearer, HarnessError> {
        let (_, credentials) = self.root.create_token(BUCKET, permission).await?;
        Bearer::token(&credentials)
    }

    async fn prepare(&mut self) -> Result<Facts, HarnessError> {
        self.prepared += 1;
        let spec = PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: "k".to_owned(),
            ..Default::default()
        };
        let data = Bytes::from_static(b"content");
        let put = PutSmallObjectRequest {
            spec: Some(spec),
            data,
        };
        let put = self.root.objects.put_small_object(put).await?.into_inner();
        let object = put.object.ok_or(HarnessError::Incomplete("object"))?;
        let begin = CreateMultipartUploadRequest {
            bucket: BUCKET.to_owned(),
            key: "k".to_owned(),
            ..Default::default()
        };
        let begun = self.root.objects.create_multipart_upload(begin).await?;
        let upload = begun.into_inner().upload.unwrap_or_default().upload_id;
        let part = UploadPartRequest {
            message: Some(upload_part_request::Message::Spec(UploadPartSpec {
                bucket: BUCKET.to_owned(),
                key: "k".to_owned(),
                upload_id: upload.clone(),
                part_number: 1,
                ..Default::default()
            })),
        };
        let part = self.root.objects.upload_part(tokio_stream::once(part));
        Ok(Facts {
            etag: object.etag,
            generation: object.generation,
            part: part.await?.into_inner().part.unwrap_or_default().etag,
            upload,
            fresh: format!("fresh-{}", self.prepared),
            token: self.token.clone(),
        })
    }

    fn message(&self, service: &str, row: Row, facts: &Facts, bucket: &str) -> Bytes {
        let (method, _, json) = row;
        let json = json
            .replace("<BUCKET>", bucket)
            .replace("<ETAG>", &facts.etag)
            .replace("<GENERATION>", &facts.generation.to_string())
            .replace("<UPLOAD>", &facts.upload)
            .replace("<PART>", &facts.part)
            .replace("<FRESH>", &facts.fresh)
            .replace("<TOKEN>", &facts.token);
        let input = self
            .pool
            .get_service_by_name(service)
            .and_then(|service| service.methods().find(|found| found.name() == method))
            .unwrap_or_else(|| panic!("{service} has no {method}"))
            .input();
        let mut deserializer = serde_json::Deserializer::from_str(&json);
        DynamicMessage::deserialize(input, &mut deserializer)
            .unwrap_or_else(|error| panic!("{json}: {error}"))
            .encode_to_vec()
            .into()
    }

    async fn call(
        &self,
        bearer: Option<&Bearer>,
        service: &str,
        method: &str,
        message: Bytes,
    ) -> Result<(), Status> {
        let path = format!("/{service}/{method}");
        call(self.channel.clone(), bearer, &path, message)
            .await
            .map(drop)
    }
}

fn told(answer: &Result<(), Status>) -> String {
    match answer {
        Ok(()) => "allowed".to_owned(),
        Err(status) => explain(status).map_or_else(
            || format!("no reason: {status:?}"),
            |explained| explained.reason.as_str_name().to_owned(),
        ),
    }
}

const DENIED: &str = "ERROR_REASON_ACCESS_DENIED";

#[test]
fn every_method_has_a_row() {
    let known: BTreeSet<String> = rows()
        .map(|(service, (method, ..))| format!("{service}.{method}"))
        .collect();
    let published: BTreeSet<String> = methods(&pool())
        .iter()
        .map(|method| method.full_name().to_owned())
        .collect();
    assert_eq!(known, published);
}

#[tokio::test]
async fn each_permission_may_what_the_table_says() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start().await?;
    let mut faults = Vec::new();
    for &permission in ALL {
        let bearer = fixture.bearer(permission).await?;
        for (service, row) in rows() {
            let facts = fixture.prepare().await?;
            let message = fixture.message(service, row, &facts, BUCKET);
            let answer = fixture.call(Some(&bearer), service, row.0, message).await;
            let wanted = if row.1.contains(&permission) {
                "allowed"
            } else {
                DENIED
            };
            if told(&answer) != wanted {
                faults.push(format!("{permission:?} {row:?}: {}", told(&answer)));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

#[tokio::test]
async fn the_operator_may_what_no_token_may() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start().await?;
    let root = Bearer::root()?;
    let mut faults = Vec::new();
    for (service, row) in rows() {
        let facts = fixture.prepare().await?;
        let message = fixture.message(service, row, &facts, BUCKET);
        let answer = fixture.call(Some(&root), service, row.0, message).await;
        // What is left in the bucket, what is done already, and who does not exist.
        let wanted = match row.0 {
            "DeleteBucket" => "ERROR_REASON_BUCKET_NOT_EMPTY",
            "RevokeAdminKey" => "ERROR_REASON_NO_SUCH_TOKEN",
            _ => "allowed",
        };
        if told(&answer) != wanted {
            faults.push(format!("{row:?}: {}", told(&answer)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

#[tokio::test]
async fn without_a_key_nothing_but_capabilities() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start().await?;
    let facts = fixture.prepare().await?;
    for (service, row) in rows() {
        for bucket in [BUCKET, MISSING_BUCKET] {
            let message = fixture.message(service, row, &facts, bucket);
            let answer = fixture.call(None, service, row.0, message).await;
            let wanted = match row.0 {
                "GetCapabilities" => "allowed",
                _ => "ERROR_REASON_CREDENTIALS_REQUIRED",
            };
            assert_eq!(told(&answer), wanted, "{row:?} of {bucket}");
        }
    }
    Ok(())
}

/// Of the buckets of others nobody learns anything, not even whether they are there.
#[tokio::test]
async fn foreign_and_missing_buckets_are_the_same() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start().await?;
    let facts = fixture.prepare().await?;
    let token = fixture.bearer(Permission::ReadWrite).await?;
    let request = CreateAccountRequest {
        display_name: "stranger".to_owned(),
    };
    let made = fixture.root.admin.create_account(request).await?;
    let made = made.into_inner();
    let stranger = Bearer::key(&made.access_key_id, &made.secret_access_key)?;
    for (who, bearer) in [("token", &token), ("account", &stranger)] {
        for (service, row) in rows() {
            // An account may make buckets, and learns so which names are taken: S3 has it so.
            let makes_buckets = who == "account" && row.0 == "CreateBucket";
            if OF_NO_BUCKET.contains(&row.0) || makes_buckets {
                continue;
            }
            let foreign = fixture.message(service, row, &facts, OTHER_BUCKET);
            let foreign = fixture.call(Some(bearer), service, row.0, foreign).await;
            assert_eq!(told(&foreign), DENIED, "{who} {row:?}");
            // S3 tells accounts, who may make it, that a bucket is missing.
            if who == "account" {
                continue;
            }
            let missing = fixture.message(service, row, &facts, MISSING_BUCKET);
            let missing = fixture.call(Some(bearer), service, row.0, missing).await;
            let seen = |answer: Result<(), Status>| {
                answer.err().map(|status| {
                    let details = status.details().to_vec();
                    (status.code(), status.message().to_owned(), details)
                })
            };
            assert_eq!(seen(foreign), seen(missing), "{who} {row:?}");
        }
    }
    Ok(())
}

/// Every refusal of every method carries a reason that the contract knows, whatever is wrong.
#[tokio::test]
async fn every_refusal_has_its_reason() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start().await?;
    let token = fixture.bearer(Permission::WriteOnly).await?;
    let root = Bearer::root()?;
    let wrong = Bearer::key("BKTYAAAAAAAAAAAAAAAA", "nonsense")?;
    let messages = [
        Bytes::new(),
        // No message of protobuf, and a message with an unknown field.
        Bytes::from_static(b"\xff\xff\xff"),
        Bytes::from_static(b"\xfa\x3f\x01x"),
    ];
    for method in methods(&fixture.pool) {
        let (service, name) = (method.parent_service().full_name(), method.name());
        let unclear = method.input().fields().next().is_some();
        for bearer in [None, Some(&token), Some(&root), Some(&wrong)] {
            for message in &messages {
                let answer = fixture.call(bearer, service, name, message.clone()).await;
                if let Err(status) = &answer {
                    assert_ne!(status.code(), Code::Internal, "{name}: {status:?}");
                    assert!(explain(status).is_some(), "{name}: {status:?}");
                }
                let garbage = message.starts_with(b"\xff");
                assert!(!garbage || !unclear || answer.is_err(), "{name}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_method_is_told_so() -> Result<(), HarnessError> {
    let fixture = Fixture::start().await?;
    let answer = fixture
        .call(None, "bucketry.v1.ObjectService", "Nothing", Bytes::new())
        .await;
    assert_eq!(
        told(&answer),
        ErrorReason::NotImplemented.as_str_name(),
        "{answer:?}"
    );
    Ok(())
}
