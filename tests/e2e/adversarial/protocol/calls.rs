//! gRPC: messages with any framing, metadata of any kind, and proofs used elsewhere.

use bucketry_contract::adapter::v1::{
    AuthorizeRequest, AuthorizeResponse, SignatureClaim, SignatureKind,
};
use bucketry_contract::v1::{
    CreateTokenRequest, DeleteObjectRequest, GetObjectRequest, HeadObjectRequest, PutObjectRequest,
    PutObjectSpec, PutSmallObjectRequest, put_object_request,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients, call, channel};
use bytes::Bytes;
use futures::{StreamExt, stream};
use hmac::{Hmac, KeyInit, Mac};
use prost_reflect::prost::Message;
use sha2::{Digest, Sha256};
use tonic::Code;

use super::super::raw::{framed, peak_memory, post};
use crate::separate_adapter::edge_key;
use crate::wire::{BUCKET, Wire, refusal, refused, with_body};

const OBJECTS: &str = "/bucketry.v1.ObjectService";
const GRPC: (&str, &str) = ("content-type", "application/grpc");

fn bearer(wire: &Wire) -> String {
    let credentials = &wire.credentials;
    format!(
        "Bearer {}.{}",
        credentials.access_key_id, credentials.secret_access_key
    )
}

fn put(data: usize) -> PutSmallObjectRequest {
    PutSmallObjectRequest {
        spec: Some(PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: "k".to_owned(),
            ..Default::default()
        }),
        data: Bytes::from(vec![0; data]),
    }
}

/// Compressed messages are refused before anything is expanded: no decoder is registered.
#[tokio::test]
async fn compressed_messages_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let address = wire.server.address();
    let bearer = bearer(&wire);
    let path = format!("{OBJECTS}/PutSmallObject");
    for encoding in ["gzip", "deflate", "zstd", "snappy", "x-invented"] {
        let headers = [
            GRPC,
            ("authorization", &bearer),
            ("grpc-encoding", encoding),
        ];
        let answer = post(address, &path, &headers, framed(1, &[0x1f; 4096])).await?;
        assert_eq!(
            answer.code(),
            Some(Code::Unimplemented),
            "{encoding}: {answer:?}"
        );
    }
    for flag in [1, 2, 255] {
        let headers = [GRPC, ("authorization", &bearer)];
        let answer = post(address, &path, &headers, framed(flag, b"x")).await?;
        assert!(
            answer.code().is_some_and(|code| code != Code::Ok),
            "{flag}: {answer:?}"
        );
    }
    // S3 keeps a body as it comes, whatever its encoding is said to be.
    let request = with_body(wire.request("PUT", "zipped"), b"not gzip at all");
    let request = wire.signed(request.header("content-encoding", "gzip"))?;
    assert_eq!(wire.send(request)?.status, 200);
    let got = wire.get("zipped")?;
    assert_eq!(
        (got.find("content-encoding"), &got.body[..]),
        (Some("gzip"), &b"not gzip at all"[..])
    );
    assert_eq!(refusal(&wire.get("k")?), refused(404, "NoSuchKey"));
    Ok(())
}

/// Frames whose length is not that of what follows, and messages beyond the limit.
#[tokio::test]
async fn wrong_and_excessive_message_lengths_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let address = wire.server.address();
    let bearer = bearer(&wire);
    let headers = [GRPC, ("authorization", bearer.as_str())];
    let before = peak_memory(&wire.server);
    for method in ["PutSmallObject", "PutObject", "HeadBucket", "UploadPart"] {
        let path = format!("{OBJECTS}/{method}");
        for (name, body) in [
            ("nothing", Vec::new()),
            ("half a prefix", vec![0, 0, 0]),
            ("4 GiB announced", vec![0, 0xff, 0xff, 0xff, 0xff]),
            (
                "4 GiB begun",
                [&[0, 0xff, 0xff, 0xff, 0xff][..], &[0x0a; 4096]].concat(),
            ),
            ("less than announced", vec![0, 0, 0, 0, 9, 0x0a]),
            ("no protobuf", framed(0, &[0xff; 64])),
            (
                "a field beyond all",
                framed(0, &[0xff, 0xff, 0xff, 0xff, 0x7f, 0]),
            ),
            ("groups without end", framed(0, &vec![0x0b; 200_000])),
        ] {
            let answer = post(address, &path, &headers, body).await?;
            let code = answer.code();
            assert!(
                code.is_some_and(|code| code != Code::Ok),
                "{method} {name}: {answer:?}"
            );
        }
    }
    let large = framed(0, &put(8 * 1024 * 1024).encode_to_vec());
    let answer = post(
        address,
        &format!("{OBJECTS}/PutSmallObject"),
        &headers,
        large,
    )
    .await?;
    assert!(
        answer.code().is_some_and(|code| code != Code::Ok),
        "{answer:?}"
    );
    let twice = [
        framed(0, &put(1).encode_to_vec()),
        framed(0, &put(2).encode_to_vec()),
    ]
    .concat();
    let answer = post(
        address,
        &format!("{OBJECTS}/PutSmallObject"),
        &headers,
        twice,
    )
    .await?;
    assert!(answer.code().is_some(), "{answer:?}");
    let grown = peak_memory(&wire.server).saturating_sub(before);
    assert!(grown < 64 * 1024 * 1024, "{grown} bytes");
    Ok(())
}

/// Metadata that cannot be read is the call's fault, not the server's end.
#[tokio::test]
async fn unreadable_metadata_fails_only_its_call() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let address = wire.server.address();
    let path = format!("{OBJECTS}/HeadBucket");
    // `bucket` is field 1.
    let message = [&[0x0a, BUCKET.len() as u8][..], BUCKET.as_bytes()].concat();
    let bearer = bearer(&wire);
    let good = post(
        address,
        &path,
        &[GRPC, ("authorization", &bearer)],
        framed(0, &message),
    )
    .await?;
    assert_eq!(good.code(), Some(Code::Ok), "{good:?}");
    for metadata in [
        ("x-garbage-bin", "!!! not base64 !!!"),
        ("grpc-timeout", "-1S"),
        ("grpc-timeout", "99999999999999999999S"),
        ("grpc-timeout", "soon"),
        ("grpc-status-details-bin", "////"),
        ("grpc-tags-bin", "="),
        ("grpc-encoding", ""),
        ("grpc-accept-encoding", ",,,"),
    ] {
        let headers = [GRPC, ("authorization", bearer.as_str()), metadata];
        let answer = post(address, &path, &headers, framed(0, &message)).await?;
        assert!(answer.code().is_some(), "{metadata:?}: {answer:?}");
    }
    for authorization in [
        "Bearer",
        "Bearer ",
        "Bearer .",
        "Bearer a.",
        "Bearer .b",
        "Bearer a.b.c",
        "Basic YTpi",
        "bearer\tx.y",
        "Bearer \u{e9}.\u{e9}",
        "Bearer a b",
        "AWS4-HMAC-SHA256 Credential=a",
    ] {
        let headers = [GRPC, ("authorization", authorization)];
        let answer = post(address, &path, &headers, framed(0, &message)).await?;
        let refused = matches!(
            answer.code(),
            Some(Code::Unauthenticated | Code::PermissionDenied)
        );
        assert!(refused, "{authorization:?}: {answer:?}");
    }
    let twice = [
        GRPC,
        ("authorization", bearer.as_str()),
        ("authorization", "Bearer a.b"),
    ];
    let answer = post(address, &path, &twice, framed(0, &message)).await?;
    assert!(
        answer.code().is_some_and(|code| code != Code::Ok),
        "{answer:?}"
    );
    Ok(())
}

/// A permission that nobody knows is refused, not taken for another.
#[tokio::test]
async fn unknown_enum_values_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    for permission in [0, 4, 99, -1, i32::MIN, i32::MAX] {
        let request = CreateTokenRequest {
            bucket: BUCKET.to_owned(),
            name: "token".to_owned(),
            permission,
            ..Default::default()
        };
        let status = root.tokens.create_token(request).await.unwrap_err();
        assert_eq!(
            status.code(),
            Code::InvalidArgument,
            "{permission}: {status:?}"
        );
    }
    Ok(())
}

/// An upload whose caller goes away in the middle leaves nothing.
#[tokio::test]
async fn an_upload_without_an_end_leaves_nothing() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut clients = Clients::connect(&wire.server, Bearer::token(&wire.credentials)?).await?;
    let spec = put(0).spec.unwrap_or_default();
    let first = PutObjectRequest {
        message: Some(put_object_request::Message::Spec(spec)),
    };
    let endless = stream::iter([first]).chain(stream::pending());
    let upload = clients.objects.put_object(endless);
    // It is still going on when somebody else has been answered.
    tokio::select! {
        answer = upload => panic!("{answer:?}"),
        code = async { wire.get("k").map(|answer| answer.status) } => assert_eq!(code?, 404),
    }
    assert_eq!(refusal(&wire.get("k")?), refused(404, "NoSuchKey"));
    Ok(())
}

/// GHSA-c667 of RustFS: a proof that was made for one method, used on another. The edge's sessions are of one RPC, one
/// bucket and one key.
#[tokio::test]
async fn an_edge_session_is_valid_for_one_call() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for key in ["k", "other"] {
        wire.put(key, b"content")?;
    }
    let session = session_of_the_edge(&wire).await?;
    let object = |bucket: &str, key: &str| GetObjectRequest {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        ..Default::default()
    };
    let head = |object| {
        HeadObjectRequest {
            object: Some(object),
        }
        .encode_to_vec()
    };
    let delete = DeleteObjectRequest {
        bucket: BUCKET.to_owned(),
        key: "k".to_owned(),
        ..Default::default()
    };
    let address = wire.server.address();
    let headers = [GRPC, ("x-bucketry-session", session.as_str())];
    let send = |method: &str, message: Vec<u8>| {
        let path = format!("{OBJECTS}/{method}");
        async move { post(address, &path, &headers, framed(0, &message)).await }
    };
    let got = send("GetObject", object(BUCKET, "k").encode_to_vec()).await?;
    assert_eq!(got.code(), Some(Code::Ok), "{got:?}");
    for (method, message) in [
        ("GetObject", object(BUCKET, "other").encode_to_vec()),
        ("GetObject", object("another-bucket", "k").encode_to_vec()),
        ("HeadObject", head(object(BUCKET, "k"))),
        ("DeleteObject", delete.encode_to_vec()),
        ("PutSmallObject", put(1).encode_to_vec()),
        ("ListBuckets", Vec::new()),
    ] {
        let answer = send(method, message).await?;
        assert_eq!(
            answer.code(),
            Some(Code::PermissionDenied),
            "{method}: {answer:?}"
        );
    }
    // Nor is it a proof to the other services.
    for path in [
        "/bucketry.v1.TokenService/ListTokens",
        "/bucketry.v1.TokenService/CreateSession",
        "/bucketry.v1.TokenService/ShowTokenSecret",
        "/bucketry.v1.AdminService/ListAdminKeys",
        "/bucketry.v1.AdminService/CreateOperatorKey",
        "/bucketry.adapter.v1.AdapterService/Authorize",
        "/bucketry.adapter.v1.AdapterService/EvaluateCors",
    ] {
        let answer = post(address, path, &headers, framed(0, b"")).await?;
        let refused = matches!(
            answer.code(),
            Some(Code::PermissionDenied | Code::InvalidArgument)
        );
        assert!(refused, "{path}: {answer:?}");
        assert!(answer.body.is_empty(), "{path}: {answer:?}");
    }
    assert_eq!(wire.get("k")?.body, b"content");
    Ok(())
}

/// What an edge is given for a signed `GetObject` of one key.
async fn session_of_the_edge(wire: &Wire) -> Result<String, HarnessError> {
    let asked = AuthorizeRequest {
        claim: Some(claim(wire)),
        rpc: "GetObject".to_owned(),
        operation: "GetObject".to_owned(),
        bucket: BUCKET.to_owned(),
        key: "k".to_owned(),
        client_address: "127.0.0.1".to_owned(),
        ..Default::default()
    };
    let path = "/bucketry.adapter.v1.AdapterService/Authorize";
    let channel = channel(&wire.server).await?;
    let edge = edge_key(&mut Clients::root(&wire.server).await?).await?;
    let edge = Bearer::key(&edge.access_key_id, &edge.secret_access_key)?;
    let answer = call(channel, Some(&edge), path, asked.encode_to_vec().into()).await?;
    let first = answer.first().ok_or(HarnessError::Incomplete("answer"))?;
    Ok(AuthorizeResponse::decode(first.clone()).unwrap().session)
}

/// A claim as the edge makes it. What a canonical request says is the edge's to judge, not the service's.
fn claim(wire: &Wire) -> SignatureClaim {
    let mac = |key: &[u8], text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let now = time::OffsetDateTime::now_utc();
    let date = format!(
        "{:04}{:02}{:02}",
        now.year(),
        u8::from(now.month()),
        now.day()
    );
    let amz_date = format!(
        "{date}T{:02}{:02}{:02}Z",
        now.hour(),
        now.minute(),
        now.second()
    );
    let canonical = "a canonical request";
    let hash = hex::encode(Sha256::digest(canonical));
    let scope = format!("{date}/us-east-1/s3/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{amz_date}\n{scope}\n{hash}");
    let secret = format!("AWS4{}", wire.credentials.secret_access_key);
    let key = [date.as_str(), "us-east-1", "s3", "aws4_request"]
        .iter()
        .fold(secret.into_bytes(), |key, part| mac(&key, part));
    SignatureClaim {
        kind: SignatureKind::V4Header.into(),
        access_key_id: wire.credentials.access_key_id.clone(),
        amz_date,
        scope_date: date,
        scope_region: "us-east-1".to_owned(),
        scope_service: "s3".to_owned(),
        scope_terminator: "aws4_request".to_owned(),
        signature: hex::encode(mac(&key, &text)),
        canonical_requests: vec![canonical.to_owned()],
        expires: 0,
    }
}
