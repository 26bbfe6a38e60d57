//! What the requests by URLs do.

use bucketry_contract::v1::{
    Checksum, ChecksumAlgorithm, CompleteMultipartUploadRequest, CompletedPart,
    CreateAccountRequest, CreateMultipartUploadRequest, PresignedMethod, PresignedUrlSpec,
    ResponseOverrides,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bytes::Bytes;

use super::{Store, get, on_both_engines, presigned, presigned_in, put, spec};
use crate::wire;

on_both_engines! {
    objects_are_written_and_read_by_urls_of_an_account_key,
    content_is_held_to_what_was_signed,
    parts_are_uploaded_by_urls,
    answers_have_the_headers_that_the_url_says,
}

const HELLO: &[u8] = b"hello world";

async fn objects_are_written_and_read_by_urls_of_an_account_key(
    store: &mut Store,
) -> Result<(), HarnessError> {
    let request = CreateAccountRequest {
        display_name: "team".to_owned(),
    };
    let account = store.root.admin.create_account(request).await?.into_inner();
    let bearer = Bearer::key(&account.access_key_id, &account.secret_access_key)?;
    let mut owner = Clients::connect(&store.server, bearer).await?;
    owner.create_bucket("of-the-team").await?;
    // The second would be another path to a client that removes `..`.
    for key in ["k", "a/../b c+é//", "%2F?&=#"] {
        let urls = vec![put(key), get(key), spec(PresignedMethod::Head, key)];
        let made = presigned_in(&mut owner, "of-the-team", urls).await?;
        assert!(
            made[0].url.contains(&account.access_key_id),
            "{}",
            made[0].url
        );
        assert_eq!(store.put(&made[0], HELLO)?.status, 200, "{key}");
        let read = store.get(&made[1])?;
        assert_eq!((read.status, &read.body[..]), (200, HELLO), "{key}");
        let head = store.send(store.request("HEAD", &made[2]))?;
        assert_eq!(
            (head.status, head.find("content-length")),
            (200, Some("11")),
            "{key}"
        );
        // Each for its own method only.
        let refused = store.send(store.request("DELETE", &made[1]))?;
        assert_eq!(
            wire::refusal(&refused),
            wire::refused(403, "SignatureDoesNotMatch")
        );
    }
    Ok(())
}

async fn content_is_held_to_what_was_signed(store: &mut Store) -> Result<(), HarnessError> {
    let checksum = Checksum {
        algorithm: ChecksumAlgorithm::Crc32.into(),
        value: Bytes::from_static(b"\x0d\x4a\x11\x85"),
        ..Checksum::default()
    };
    let url = PresignedUrlSpec {
        content_type: "text/plain; charset=utf-8".to_owned(),
        content_length: Some(11),
        checksum: Some(checksum),
        ..put("checked")
    };
    let made = presigned(&mut store.root, url).await?;
    assert_eq!(made.headers.len(), 3, "{:?}", made.headers);
    let not_signed = wire::refused(403, "SignatureDoesNotMatch");
    assert_eq!(wire::refusal(&store.put(&made, b"hello")?), not_signed);
    for name in ["content-type", "x-amz-checksum-crc32"] {
        let mut fewer = made.clone();
        fewer.headers.remove(name);
        assert_eq!(
            wire::refusal(&store.put(&fewer, HELLO)?),
            not_signed,
            "{name}"
        );
    }
    let damaged = store.put(&made, b"hello w0rld")?;
    assert_eq!(wire::refusal(&damaged), wire::refused(400, "BadDigest"));
    assert_eq!(store.put(&made, HELLO)?.status, 200);
    let made = presigned(&mut store.root, get("checked")).await?;
    let read = store.get(&made)?;
    assert_eq!(read.find("content-type"), Some("text/plain; charset=utf-8"));
    Ok(())
}

async fn parts_are_uploaded_by_urls(store: &mut Store) -> Result<(), HarnessError> {
    let request = CreateMultipartUploadRequest {
        bucket: super::BUCKET.to_owned(),
        key: "large".to_owned(),
        ..Default::default()
    };
    let answer = store.root.objects.create_multipart_upload(request).await?;
    let upload = answer.into_inner().upload;
    let upload_id = upload.ok_or(HarnessError::Incomplete("upload"))?.upload_id;
    let part = |part_number| PresignedUrlSpec {
        upload_id: upload_id.clone(),
        part_number,
        ..spec(PresignedMethod::UploadPart, "large")
    };
    let urls = vec![part(1), part(2)];
    let made = presigned_in(&mut store.root, super::BUCKET, urls).await?;
    let bodies = [vec![b'1'; 5 << 20], vec![b'2'; 7]];
    let mut parts = Vec::new();
    for (number, (url, body)) in (1..).zip(made.iter().zip(&bodies)) {
        let answer = store.put(url, body)?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        parts.push(CompletedPart {
            part_number: number,
            etag: answer.find("etag").unwrap_or_default().to_owned(),
            ..CompletedPart::default()
        });
    }
    let request = CompleteMultipartUploadRequest {
        bucket: super::BUCKET.to_owned(),
        key: "large".to_owned(),
        upload_id: upload_id.clone(),
        parts,
        ..Default::default()
    };
    store
        .root
        .objects
        .complete_multipart_upload(request)
        .await?;
    let read = presigned(&mut store.root, get("large")).await?;
    assert!(store.get(&read)?.body == bodies.concat());
    // Whether there is such an upload is judged now.
    let over = store.put(&made[1], &bodies[1])?;
    assert_eq!(wire::refusal(&over), wire::refused(404, "NoSuchUpload"));
    Ok(())
}

async fn answers_have_the_headers_that_the_url_says(store: &mut Store) -> Result<(), HarnessError> {
    store.store("page", b"<script>").await?;
    let overrides = ResponseOverrides {
        content_type: "text/plain".to_owned(),
        content_language: "de".to_owned(),
        expires: "Thu, 01 Jan 2099 00:00:00 GMT".to_owned(),
        cache_control: "no-store".to_owned(),
        content_disposition: "attachment; filename=\"a b.txt\"".to_owned(),
        content_encoding: "identity".to_owned(),
    };
    let url = PresignedUrlSpec {
        response_overrides: Some(overrides),
        ..get("page")
    };
    let made = presigned(&mut store.root, url).await?;
    let read = store.get(&made)?;
    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-language", "de"),
        ("expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
        ("cache-control", "no-store"),
        ("content-disposition", "attachment; filename=\"a b.txt\""),
        ("content-encoding", "identity"),
    ] {
        assert_eq!(read.find(name), Some(value), "{name}");
    }
    let mut altered = made.clone();
    altered.url = made.url.replace("text%2Fplain", "text%2Fhtml");
    assert_ne!(altered.url, made.url);
    let refused = store.get(&altered)?;
    assert_eq!(
        wire::refusal(&refused),
        wire::refused(403, "SignatureDoesNotMatch")
    );
    Ok(())
}
