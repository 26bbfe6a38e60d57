//! Copies, uploads, pages and tokens of another bucket.

use std::time::{Duration, SystemTime};

use bucketry_contract::v1::{
    CreateMultipartUploadRequest, CreateSessionRequest, DeleteBucketRequest, HeadBucketRequest,
    ListObjectsRequest, ListObjectsResponse, ListPartsRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::Request;
use tonic::Code;

use super::{OTHER, is_there, put};
use crate::wire::{BUCKET, Wire, refusal, refused, with_body};

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
