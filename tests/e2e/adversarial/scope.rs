//! Permissions and scope: tokens stay in their bucket, and settings are for administrators.
//!
//! Tested elsewhere:
//!
//! - each permission with each operation: `permissions::each_permission_allows_what_the_rules_say`, on both engines
//! - what a write-only token learns: the rows of that walk, and `permissions::blind`
//! - a read-only token on forms, uploads, presigned PUT, copies, tags, deletes: rows of the walk, through every door;
//!   `SelectObjectContent` is not implemented (`bad_input::addresses`)
//! - another bucket, existing or not: `permissions::blind` by S3,
//!   `permissions::grpc::foreign_and_missing_buckets_are_the_same` by gRPC
//! - ListBuckets, CreateBucket: rows of the walk, `permissions::s3::a_listing_of_buckets_has_the_own_one`
//! - POST policies: `post_form::policies`

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use bucketry_contract::v1::{
    CreateMultipartUploadRequest, CreateSessionRequest, DeleteBucketRequest, HeadBucketRequest,
    ListObjectsRequest, ListObjectsResponse, ListPartsRequest, Permission, PutObjectSpec,
    PutSmallObjectRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::Request;
use bucketry_tests::script::repository;
use bucketry_tests::sigv4::Payload;
use bytes::Bytes;
use tonic::Code;

use super::raw::digest;
use crate::wire::{BUCKET, Wire, refusal, refused, signer, with_body};

const OTHER: &str = "other-wire-test-bucket";

async fn put(root: &mut Clients, bucket: &str, key: &str) -> Result<(), HarnessError> {
    let spec = PutObjectSpec {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        ..Default::default()
    };
    let request = PutSmallObjectRequest {
        spec: Some(spec),
        data: Bytes::from_static(b"content"),
    };
    root.objects.put_small_object(request).await?;
    Ok(())
}

async fn is_there(root: &mut Clients, bucket: &str, key: &str) -> bool {
    let object = bucketry_contract::v1::GetObjectRequest {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        ..Default::default()
    };
    let request = bucketry_contract::v1::HeadObjectRequest {
        object: Some(object),
    };
    root.objects.head_object(request).await.is_ok()
}

fn delete(wire: &Wire, keys: &[&str]) -> Result<Request, HarnessError> {
    let objects: String = keys
        .iter()
        .map(|key| format!("<Object><Key>{key}</Key></Object>"))
        .collect();
    let document = format!("<Delete>{objects}</Delete>");
    let request = Request::new("POST", &format!("/{BUCKET}?delete"))
        .header("host", &wire.server.address().to_string())
        .header("x-amz-checksum-sha256", &digest(document.as_bytes()));
    wire.signed(with_body(request, document.as_bytes()))
}

/// A batch of a thousand keys, one of them written as if it were in another bucket: it is a key of the own one.
#[tokio::test]
async fn a_batch_of_a_thousand_stays_in_its_bucket() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    root.create_bucket(OTHER).await?;
    let foreign = format!("{OTHER}/k");
    put(&mut root, OTHER, "k").await?;
    put(&mut root, BUCKET, &foreign).await?;
    put(&mut root, BUCKET, "k1").await?;
    let mut keys: Vec<String> = (1..1000).map(|number| format!("k{number}")).collect();
    keys.push(foreign.clone());
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let answer = wire.send(delete(&wire, &keys)?)?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.text().matches("<Deleted>").count(), 1000);
    assert!(is_there(&mut root, OTHER, "k").await);
    assert!(!is_there(&mut root, BUCKET, "k1").await);
    assert!(!is_there(&mut root, BUCKET, &foreign).await);
    Ok(())
}

/// CVE-2026-58372 of SeaweedFS: keys of a batch that climb out of the bucket. Each is the key that it says, or is
/// refused.
#[tokio::test]
async fn keys_of_a_batch_are_literal() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    root.create_bucket(OTHER).await?;
    let climbing = [
        format!("../{OTHER}/k"),
        format!("/{OTHER}/k"),
        format!("//{OTHER}/k"),
        format!("..\\{OTHER}\\k"),
        format!("a/../../{OTHER}/k"),
        format!("%2e%2e/{OTHER}/k"),
        format!("./../{OTHER}/k"),
    ];
    put(&mut root, OTHER, "k").await?;
    for key in &climbing {
        put(&mut root, BUCKET, key).await?;
        let answer = wire.send(delete(&wire, &[key])?)?;
        assert_eq!(answer.status, 200, "{key}: {}", answer.text());
        assert_eq!(
            answer.element("Key").as_ref(),
            Some(key),
            "{}",
            answer.text()
        );
        assert!(!is_there(&mut root, BUCKET, key).await, "{key}");
        assert!(is_there(&mut root, OTHER, "k").await, "{key}");
    }
    let answer = wire.send(delete(&wire, &["a\0b"])?)?;
    assert_eq!(refusal(&answer), refused(400, "MalformedXML"));
    let empty = wire.send(delete(&wire, &[""])?)?;
    assert!(
        empty.status == 400 || empty.text().contains("<Error>"),
        "{}",
        empty.text()
    );
    assert!(is_there(&mut root, OTHER, "k").await);
    Ok(())
}

/// What other servers have at such places is nothing here: to S3 they are names of buckets that are not the token's.
#[tokio::test]
async fn there_are_no_back_doors() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for path in [
        "/metrics",
        "/debug/pprof/",
        "/debug/vars",
        "/healthz",
        "/health",
        "/status",
        "/admin/",
        "/admin/v1/keys",
        "/minio/admin/v3/info",
        "/minio/health/live",
        "/_cluster/health",
        "/.well-known/openid-configuration",
        "/server-status",
        "/console",
        "/api/v1/tokens",
        "/bucketry.v1.AdminService/ListAdminKeys",
        "/bucketry.v1.TokenService/ShowTokenSecret",
        "/grpc.health.v1.Health/Check",
    ] {
        for method in [
            "GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "TRACE", "PATCH",
        ] {
            let request =
                Request::new(method, path).header("host", &wire.server.address().to_string());
            let request = match method {
                "PUT" | "POST" => with_body(request, b""),
                _ => request,
            };
            for request in [request.clone(), wire.signed(request)?] {
                let answer = wire.send(request)?;
                let refused = matches!(answer.status, 400 | 403 | 404 | 405 | 412 | 501);
                assert!(
                    refused,
                    "{method} {path}: {} {}",
                    answer.status,
                    answer.text()
                );
            }
        }
    }
    Ok(())
}

/// What the operations of tokens are asked for by: all other sub-resources are refused to all of them.
const OF_TOKENS: [(&str, &str); 7] = [
    ("GET", "location"),
    ("GET", "list-type"),
    ("GET", "uploads"),
    ("GET", "versioning"),
    ("PUT", "versionId"),
    ("POST", "delete"),
    ("GET", "bucket-region"),
];

/// What else a token that may read sees of its bucket: an allow-list.
const OF_READERS: [&str; 8] = [
    "acl",
    "cors",
    "encryption",
    "lifecycle",
    "object-lock",
    "ownershipControls",
    "tagging",
    "versions",
];

/// Policies, notifications, websites and all other bucket settings of S3: tokens can neither read nor set them, whether
/// they exist or not, except that tokens that may read can read what is on the allow-list.
#[tokio::test]
async fn settings_of_the_bucket_are_not_for_tokens() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    let path = repository().join("s3-adapter/generator/golden/s3-api.json");
    let golden: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let names: BTreeSet<&str> = golden["sub_resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(serde_json::Value::as_str)
        .collect();
    let wanted = [
        "acl",
        "policy",
        "cors",
        "lifecycle",
        "encryption",
        "notification",
        "tagging",
    ];
    assert!(wanted.iter().all(|name| names.contains(name)), "{names:?}");
    let mut tried = 0;
    for permission in [
        Permission::ReadOnly,
        Permission::WriteOnly,
        Permission::ReadWrite,
    ] {
        let (_, credentials) = root.create_token(BUCKET, permission).await?;
        let signer = signer(&credentials);
        for name in &names {
            for method in ["GET", "PUT", "DELETE"] {
                let shown = method == "GET"
                    && permission != Permission::WriteOnly
                    && OF_READERS.contains(name);
                if OF_TOKENS.contains(&(method, name)) || shown {
                    continue;
                }
                let request = Request::new(method, &format!("/{BUCKET}?{name}"))
                    .header("host", &wire.server.address().to_string());
                let request = match method {
                    "PUT" => with_body(request, b"<x/>"),
                    _ => request,
                };
                let now = SystemTime::now();
                let request = signer.header(request, now, Payload::Signed)?;
                let answer = wire.send(request)?;
                let refused = matches!(answer.status, 400 | 403 | 405 | 501);
                assert!(
                    refused,
                    "{permission:?} {method} ?{name}: {} {}",
                    answer.status,
                    answer.text()
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
    Ok(())
}

/// Whatever way a source is written, it is in the token's own bucket or is refused; nothing of another is copied.
#[tokio::test]
async fn copy_sources_stay_in_the_bucket() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    root.create_bucket(OTHER).await?;
    put(&mut root, OTHER, "k").await?;
    for source in [
        format!("/{OTHER}/k"),
        format!("{OTHER}/k"),
        format!("//{OTHER}/k"),
        format!("%2F{OTHER}%2Fk"),
        format!("/{OTHER}/k?versionId=null"),
        format!("/{BUCKET}/../{OTHER}/k"),
        format!("/{BUCKET}/%2e%2e/{OTHER}/k"),
        format!("{BUCKET}%2F..%2F{OTHER}%2Fk"),
        format!("/{BUCKET}//{OTHER}/k"),
        format!("/{BUCKET}\\..\\{OTHER}\\k"),
        format!("/{BUCKET}?/../{OTHER}/k"),
        format!("arn:aws:s3:::{OTHER}/k"),
        format!("arn:aws:s3:us-east-1:1:accesspoint/{OTHER}/object/k"),
        format!("http://{}/{OTHER}/k", wire.server.address()),
        format!("/{OTHER}.localhost/k"),
        "/".to_owned(),
        "//".to_owned(),
        "%".to_owned(),
        "?versionId=".to_owned(),
        "%00/k".to_owned(),
    ] {
        for target in ["copy", "copy?partNumber=1&uploadId=none"] {
            let request = with_body(wire.request("PUT", target), b"");
            let request = wire.signed(request.header("x-amz-copy-source", &source))?;
            let answer = wire.send(request)?;
            let refused = matches!(answer.status, 400 | 403 | 404 | 501);
            assert!(refused, "{source}: {} {}", answer.status, answer.text());
        }
    }
    assert_eq!(refusal(&wire.get("copy")?), refused(404, "NoSuchKey"));
    Ok(())
}

/// Headers by which some servers let a request be another one: here they are not looked at.
#[tokio::test]
async fn override_headers_are_ignored() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    wire.put("k", b"content")?;
    let (_, credentials) = root.create_token(BUCKET, Permission::ReadOnly).await?;
    let target = format!("/{BUCKET}/other");
    for (name, value) in [
        ("x-http-method-override", "DELETE"),
        ("x-http-method", "DELETE"),
        ("x-method-override", "PUT"),
        ("x-original-url", &target),
        ("x-rewrite-url", &target),
        ("x-forwarded-host", "other-bucket.localhost"),
        ("x-forwarded-prefix", "/other"),
        ("x-host", "other-bucket.localhost"),
        ("forwarded", "host=other-bucket.localhost"),
    ] {
        let request = wire.request("GET", "k").header(name, value);
        let request = signer(&credentials).header(request, SystemTime::now(), Payload::Signed)?;
        let answer = wire.send(request)?;
        assert_eq!(
            (answer.status, &answer.body[..]),
            (200, &b"content"[..]),
            "{name}"
        );
    }
    assert_eq!(wire.get("k")?.body, b"content");
    Ok(())
}

/// An upload's id is worth nothing in another bucket: it is answered as one that nobody has.
#[tokio::test]
async fn foreign_uploads_are_not_reached_by_their_ids() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    root.create_bucket(OTHER).await?;
    wire.put("source", b"content")?;
    let begin = CreateMultipartUploadRequest {
        bucket: OTHER.to_owned(),
        key: "k".to_owned(),
        ..Default::default()
    };
    let begun = root.objects.create_multipart_upload(begin).await?;
    let foreign = begun.into_inner().upload.unwrap_or_default().upload_id;
    let own = wire.send(wire.signed(with_body(wire.request("POST", "k?uploads"), b""))?)?;
    let own = own
        .element("UploadId")
        .ok_or(HarnessError::Incomplete("upload id"))?;
    let gone = wire.signed(wire.request("DELETE", &format!("k?uploadId={own}")))?;
    assert_eq!(wire.send(gone)?.status, 204);
    let parts = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>\
                 </CompleteMultipartUpload>";
    let source = format!("/{BUCKET}/source");
    let ask = |id: &str, method: &str, more: &str, copy: bool, body: &str| {
        let mut request = wire.request(method, &format!("k?{more}uploadId={id}"));
        if copy {
            request = request.header("x-amz-copy-source", &source);
        }
        if method != "GET" && method != "DELETE" {
            request = with_body(request, body.as_bytes());
        }
        let answer = wire.send(wire.signed(request)?)?;
        let told = (answer.element("Code"), answer.element("Message"));
        Ok::<_, HarnessError>((answer.status, told))
    };
    for (method, more, copy, body) in [
        ("PUT", "partNumber=1&", false, "part"),
        ("PUT", "partNumber=1&", true, ""),
        ("GET", "", false, ""),
        ("POST", "", false, parts),
        ("DELETE", "", false, ""),
    ] {
        let of_other = ask(&foreign, method, more, copy, body)?;
        let of_nobody = ask(&own, method, more, copy, body)?;
        assert_eq!(of_other, of_nobody, "{method} {more}");
        assert!(
            matches!(of_other.0, 204 | 404),
            "{method} {more}: {of_other:?}"
        );
    }
    let open = root.objects.list_parts(ListPartsRequest {
        bucket: OTHER.to_owned(),
        key: "k".to_owned(),
        upload_id: foreign,
        ..Default::default()
    });
    assert_eq!(open.await?.into_inner().parts, []);
    Ok(())
}

/// A bucket that is deleted and made again under its name is another bucket: its old tokens are tokens of none.
#[tokio::test]
async fn a_recreated_bucket_does_not_know_its_old_tokens() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    wire.put("k", b"content")?;
    let (life, now) = (Duration::from_secs(300), SystemTime::now());
    let presigned = wire.signer.presign(wire.request("GET", "k"), now, life)?;
    assert_eq!(wire.send(presigned.clone())?.status, 200);
    let mut clients = Clients::connect(&wire.server, Bearer::token(&wire.credentials)?).await?;
    let session = clients
        .tokens
        .create_session(CreateSessionRequest {})
        .await?;
    let session = Bearer::session(&session.into_inner().session_token)?;
    let mut of_session = Clients::connect(&wire.server, session).await?;
    assert_eq!(
        wire.send(wire.signed(wire.request("DELETE", "k"))?)?.status,
        204
    );
    let delete = DeleteBucketRequest {
        bucket: BUCKET.to_owned(),
    };
    root.objects.delete_bucket(delete).await?;
    let head = || HeadBucketRequest {
        bucket: BUCKET.to_owned(),
    };
    for bucket_is_there in [false, true] {
        if bucket_is_there {
            root.create_bucket(BUCKET).await?;
            put(&mut root, BUCKET, "k").await?;
        }
        let create = Request::new("PUT", &format!("/{BUCKET}"))
            .header("host", &wire.server.address().to_string());
        let create = wire.signed(with_body(create, b""))?;
        for request in [
            presigned.clone(),
            wire.signed(wire.request("GET", "k"))?,
            wire.signed(with_body(wire.request("PUT", "k"), b"x"))?,
            wire.signed(wire.request("DELETE", "k"))?,
            create,
        ] {
            let answer = wire.send(request)?;
            assert_eq!(answer.status, 403, "{bucket_is_there}: {}", answer.text());
        }
        for clients in [&mut clients, &mut of_session] {
            let refused = clients.objects.head_bucket(head()).await.unwrap_err();
            let code = refused.code();
            assert!(
                matches!(code, Code::PermissionDenied | Code::Unauthenticated),
                "{refused:?}"
            );
        }
        let there = root.objects.head_bucket(head()).await.is_ok();
        assert_eq!(there, bucket_is_there, "a token has made it");
    }
    assert!(is_there(&mut root, BUCKET, "k").await);
    Ok(())
}

/// The token of a page is of its bucket and its query.
#[tokio::test]
async fn a_page_token_is_bound_to_its_bucket_and_query() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    root.create_bucket(OTHER).await?;
    for key in ["a", "b", "c"] {
        put(&mut root, OTHER, key).await?;
        wire.put(key, b"content")?;
    }
    let list = |bucket: &str, page_token: String, prefix: &str| ListObjectsRequest {
        bucket: bucket.to_owned(),
        page_size: Some(1),
        page_token,
        prefix: prefix.to_owned(),
        ..Default::default()
    };
    let page = |answer: tonic::Response<ListObjectsResponse>| answer.into_inner().next_page_token;
    let of_other = page(
        root.objects
            .list_objects(list(OTHER, String::new(), ""))
            .await?,
    );
    let mut clients = Clients::connect(&wire.server, Bearer::token(&wire.credentials)?).await?;
    let own = page(
        clients
            .objects
            .list_objects(list(BUCKET, String::new(), ""))
            .await?,
    );
    assert!(!of_other.is_empty() && !own.is_empty());
    let mut broken = own.clone();
    broken.pop();
    for (what, token, prefix) in [
        ("another bucket's", of_other, ""),
        ("another query's", own.clone(), "b"),
        ("a cut one", broken, ""),
    ] {
        let refused = clients
            .objects
            .list_objects(list(BUCKET, token, prefix))
            .await;
        assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument, "{what}");
    }
    clients.objects.list_objects(list(BUCKET, own, "")).await?;
    Ok(())
}
