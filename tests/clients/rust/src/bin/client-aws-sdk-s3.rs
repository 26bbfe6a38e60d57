//! The AWS SDK for Rust, as its documentation says to use it: everything but the style of addressing comes from the
//! environment.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_s3::Client;
use aws_sdk_s3::client::Waiters;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    CompletedMultipartUpload, CompletedPart, Delete, ObjectAttributes, ObjectIdentifier, Tag,
    Tagging,
};
use bucketry_client_tests_rust::{
    BIG_BYTES, Failure, PART_BYTES, Settings, check, content, report, same, same_names, small,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let settings = Settings::from_environment()?;
    let loaded = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let config = aws_sdk_s3::config::Builder::from(&loaded).force_path_style(settings.path_style);
    let client = Client::from_conf(config.build());
    let run = Run { client, settings };
    run.everything()
        .await
        .map_err(|error| match error.downcast::<aws_sdk_s3::Error>() {
            Ok(error) => DisplayErrorContext(error).to_string().into(),
            Err(error) => error,
        })?;
    let exercised = [
        "PutObject",
        "PutObject of a file",
        "GetObject",
        "HeadObject",
        "HeadBucket",
        "ListObjectsV2 with pages",
        "CopyObject",
        "metadata",
        "tags",
        "GetObjectAttributes",
        "multipart by 5 MiB",
        "UploadPartCopy",
        "range",
        "waiter",
        "DeleteObject",
        "DeleteObjects",
        "typed errors",
    ];
    report(
        "AWS SDK for Rust",
        aws_sdk_s3::meta::PKG_VERSION,
        &exercised,
    );
    Ok(())
}

struct Run {
    client: Client,
    settings: Settings,
}

impl Run {
    async fn everything(&self) -> Result<(), Failure> {
        self.put_and_get_all().await?;
        self.list_all().await?;
        self.copy_all().await?;
        self.metadata().await?;
        self.multipart().await?;
        self.copy_by_parts().await?;
        self.typed_errors().await?;
        self.delete_all().await
    }

    fn bucket(&self) -> &str {
        &self.settings.bucket
    }

    async fn put(&self, key: &str, body: ByteStream) -> Result<(), Failure> {
        let sent = self
            .client
            .put_object()
            .bucket(self.bucket())
            .key(key)
            .body(body)
            .send()
            .await;
        sent.map_err(aws_sdk_s3::Error::from)?;
        Ok(())
    }

    async fn get(&self, key: &str, range: Option<&str>) -> Result<Vec<u8>, Failure> {
        let request = self
            .client
            .get_object()
            .bucket(self.bucket())
            .key(key)
            .set_range(range.map(str::to_owned));
        let output = request.send().await.map_err(aws_sdk_s3::Error::from)?;
        Ok(output.body.collect().await?.to_vec())
    }

    /// `CopySource` is encoded by the caller.
    fn source(&self, key: &str) -> String {
        format!(
            "{}/{}",
            self.bucket(),
            utf8_percent_encode(key, NON_ALPHANUMERIC)
        )
    }

    async fn put_and_get_all(&self) -> Result<(), Failure> {
        let head = self
            .client
            .head_bucket()
            .bucket(self.bucket())
            .send()
            .await
            .map_err(aws_sdk_s3::Error::from)?;
        check(head.bucket_region() == Some("us-east-1"), || {
            format!("HeadBucket: {head:?}")
        })?;
        for name in &self.settings.names {
            self.put(name, ByteStream::from(small(name))).await?;
        }
        for name in &self.settings.names {
            same(&self.get(name, None).await?, &small(name), name)?;
        }
        Ok(())
    }

    async fn list_all(&self) -> Result<(), Failure> {
        let request = self
            .client
            .list_objects_v2()
            .bucket(self.bucket())
            .max_keys(40);
        let mut pages = request.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            for entry in page.map_err(aws_sdk_s3::Error::from)?.contents() {
                found.push(entry.key().unwrap_or_default().to_owned());
            }
        }
        same_names(&found, &self.settings.names, "ListObjectsV2")
    }

    async fn copy_all(&self) -> Result<(), Failure> {
        for name in &self.settings.names {
            let request = self
                .client
                .copy_object()
                .bucket(self.bucket())
                .key("copied")
                .copy_source(self.source(name));
            request.send().await.map_err(aws_sdk_s3::Error::from)?;
            same(
                &self.get("copied", None).await?,
                &small(name),
                &format!("copy of {name}"),
            )?;
        }
        Ok(())
    }

    async fn metadata(&self) -> Result<(), Failure> {
        let key = "described";
        let request = self
            .client
            .put_object()
            .bucket(self.bucket())
            .key(key)
            .body(ByteStream::from_static(b"described"));
        let request = request
            .metadata("project", "green house")
            .content_type("text/plain; charset=utf-8");
        request
            .tagging("colour=dark%20green")
            .send()
            .await
            .map_err(aws_sdk_s3::Error::from)?;
        let head = self
            .client
            .head_object()
            .bucket(self.bucket())
            .key(key)
            .send()
            .await
            .map_err(aws_sdk_s3::Error::from)?;
        let project = head.metadata().and_then(|all| all.get("project"));
        check(project.is_some_and(|value| value == "green house"), || {
            format!("metadata: {head:?}")
        })?;
        check(
            head.content_type() == Some("text/plain; charset=utf-8"),
            || format!("content type: {head:?}"),
        )?;

        let tag = Tag::builder().key("shape").value("round + flat").build()?;
        let tagging = Tagging::builder().tag_set(tag.clone()).build()?;
        let request = self
            .client
            .put_object_tagging()
            .bucket(self.bucket())
            .key(key)
            .tagging(tagging);
        request.send().await.map_err(aws_sdk_s3::Error::from)?;
        let request = self
            .client
            .get_object_tagging()
            .bucket(self.bucket())
            .key(key);
        let found = request.send().await.map_err(aws_sdk_s3::Error::from)?;
        check(found.tag_set() == [tag], || format!("tags: {found:?}"))?;

        let request = self
            .client
            .get_object_attributes()
            .bucket(self.bucket())
            .key(key);
        let request = request
            .object_attributes(ObjectAttributes::ObjectSize)
            .object_attributes(ObjectAttributes::Checksum);
        let found = request.send().await.map_err(aws_sdk_s3::Error::from)?;
        let crc32 = found
            .checksum()
            .and_then(|checksum| checksum.checksum_crc32());
        check(found.object_size() == Some(9) && crc32.is_some(), || {
            format!("attributes: {found:?}")
        })
    }

    async fn multipart(&self) -> Result<(), Failure> {
        let (key, sent) = ("by parts/big + object", content("multipart", BIG_BYTES));
        let request = self
            .client
            .create_multipart_upload()
            .bucket(self.bucket())
            .key(key);
        let upload = request.send().await.map_err(aws_sdk_s3::Error::from)?;
        let mut parts = Vec::new();
        for (number, data) in (1..).zip(sent.chunks(PART_BYTES)) {
            let request = self
                .client
                .upload_part()
                .bucket(self.bucket())
                .key(key)
                .set_upload_id(upload.upload_id.clone());
            let request = request
                .part_number(number)
                .body(ByteStream::from(data.to_vec()));
            let part = request.send().await.map_err(aws_sdk_s3::Error::from)?;
            let done = CompletedPart::builder()
                .part_number(number)
                .set_e_tag(part.e_tag);
            parts.push(done.set_checksum_crc32(part.checksum_crc32).build());
        }
        self.complete(key, upload.upload_id, parts).await?;
        same(&self.get(key, None).await?, &sent, "multipart object")?;
        let span = PART_BYTES - 100..PART_BYTES + 100;
        let range = format!("bytes={}-{}", span.start, span.end - 1);
        same(&self.get(key, Some(&range)).await?, &sent[span], "range")?;

        // A file is streamed: by trailer over TLS and without.
        std::fs::write("file", &sent)?;
        self.put("from file", ByteStream::from_path("file").await?)
            .await?;
        same(
            &self.get("from file", None).await?,
            &sent,
            "object of a file",
        )
    }

    async fn complete(
        &self,
        key: &str,
        upload_id: Option<String>,
        parts: Vec<CompletedPart>,
    ) -> Result<(), Failure> {
        let done = CompletedMultipartUpload::builder()
            .set_parts(Some(parts))
            .build();
        let request = self
            .client
            .complete_multipart_upload()
            .bucket(self.bucket())
            .key(key)
            .set_upload_id(upload_id);
        request
            .multipart_upload(done)
            .send()
            .await
            .map_err(aws_sdk_s3::Error::from)?;
        Ok(())
    }

    async fn copy_by_parts(&self) -> Result<(), Failure> {
        let key = "copied by parts";
        let request = self
            .client
            .create_multipart_upload()
            .bucket(self.bucket())
            .key(key);
        let upload_id = request
            .send()
            .await
            .map_err(aws_sdk_s3::Error::from)?
            .upload_id;
        let request = self
            .client
            .upload_part_copy()
            .bucket(self.bucket())
            .key(key)
            .set_upload_id(upload_id.clone());
        let request = request
            .part_number(1)
            .copy_source(self.source("by parts/big + object"));
        let copied = request
            .copy_source_range("bytes=1-6000000")
            .send()
            .await
            .map_err(aws_sdk_s3::Error::from)?;
        let e_tag = copied
            .copy_part_result()
            .and_then(|result| result.e_tag())
            .map(str::to_owned);
        let part = CompletedPart::builder()
            .part_number(1)
            .set_e_tag(e_tag)
            .build();
        self.complete(key, upload_id, vec![part]).await?;
        let sent = content("multipart", BIG_BYTES);
        same(
            &self.get(key, None).await?,
            &sent[1..6_000_001],
            "copied part",
        )
    }

    async fn typed_errors(&self) -> Result<(), Failure> {
        let error = self
            .client
            .get_object()
            .bucket(self.bucket())
            .key("missing")
            .send()
            .await
            .err();
        let no_key = error.is_some_and(|error| error.into_service_error().is_no_such_key());
        check(no_key, || {
            "GetObject of a missing key does not give NoSuchKey".to_owned()
        })?;
        let error = self
            .client
            .head_object()
            .bucket(self.bucket())
            .key("missing")
            .send()
            .await
            .err();
        let not_found = error.is_some_and(|error| error.into_service_error().is_not_found());
        check(not_found, || {
            "HeadObject of a missing key does not give NotFound".to_owned()
        })
    }

    async fn delete_all(&self) -> Result<(), Failure> {
        self.client
            .delete_object()
            .bucket(self.bucket())
            .key("copied")
            .send()
            .await
            .map_err(aws_sdk_s3::Error::from)?;
        let gone = self
            .client
            .wait_until_object_not_exists()
            .bucket(self.bucket())
            .key("copied");
        gone.wait(Duration::from_secs(5)).await?;
        loop {
            let page = self
                .client
                .list_objects_v2()
                .bucket(self.bucket())
                .send()
                .await
                .map_err(aws_sdk_s3::Error::from)?;
            if page.contents().is_empty() {
                return Ok(());
            }
            let mut named = Vec::new();
            for entry in page.contents() {
                named.push(
                    ObjectIdentifier::builder()
                        .key(entry.key().unwrap_or_default())
                        .build()?,
                );
            }
            let count = named.len();
            let delete = Delete::builder().set_objects(Some(named)).build()?;
            let request = self
                .client
                .delete_objects()
                .bucket(self.bucket())
                .delete(delete);
            let deleted = request.send().await.map_err(aws_sdk_s3::Error::from)?;
            check(
                deleted.deleted().len() == count && deleted.errors().is_empty(),
                || format!("DeleteObjects of {count}: {deleted:?}"),
            )?;
        }
    }
}
