//! `object_store`, as its documentation says to use it.

use bucketry_client_tests_rust::{
    BIG_BYTES, Failure, PART_BYTES, Settings, check, content, locked_version, report, same,
    same_names, small,
};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, Error, GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    PutPayload, UpdateVersion, WriteMultipart,
};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let settings = Settings::from_environment()?;
    let run = Run {
        store: store(&settings)?,
        names: expressible(&settings.names),
    };
    check(run.names.len() > 100, || {
        format!("only {} names are paths", run.names.len())
    })?;
    run.put_and_get_all().await?;
    run.list_all().await?;
    run.copy_all().await?;
    run.metadata().await?;
    run.multipart().await?;
    run.conditions().await?;
    run.typed_errors().await?;
    run.delete_all().await?;
    let exercised = [
        "put",
        "get",
        "head",
        "list",
        "list with pages",
        "list with delimiter",
        "copy",
        "rename",
        "attributes",
        "multipart by 5 MiB",
        "get_range",
        "get_ranges",
        "create only",
        "update only",
        "delete",
        "delete_stream",
        "typed errors",
    ];
    report("object_store", locked_version("object_store")?, &exercised);
    Ok(())
}

/// With virtual-host style the endpoint is that of the bucket.
fn store(settings: &Settings) -> Result<AmazonS3, Failure> {
    let builder = AmazonS3Builder::from_env()
        .with_bucket_name(&settings.bucket)
        .with_allow_http(true);
    let builder = if settings.path_style {
        builder
    } else {
        let endpoint = settings
            .endpoint
            .replacen("://", &format!("://{}.", settings.bucket), 1);
        builder
            .with_endpoint(endpoint)
            .with_virtual_hosted_style_request(true)
    };
    Ok(builder.build()?)
}

/// A `Path` has no empty segments, and none that is `.` or `..`.
fn expressible(names: &[String]) -> Vec<String> {
    let same = |name: &&String| Path::parse(name).is_ok_and(|path| path.as_ref() == name.as_str());
    names.iter().filter(same).cloned().collect()
}

struct Run {
    store: AmazonS3,
    names: Vec<String>,
}

impl Run {
    async fn get(&self, path: &Path) -> Result<Vec<u8>, Failure> {
        Ok(self.store.get(path).await?.bytes().await?.to_vec())
    }

    async fn put_and_get_all(&self) -> Result<(), Failure> {
        for name in &self.names {
            self.store
                .put(&Path::parse(name)?, small(name).into())
                .await?;
        }
        for name in &self.names {
            let path = Path::parse(name)?;
            same(&self.get(&path).await?, &small(name), name)?;
            let head = self.store.head(&path).await?;
            check(
                head.size == small(name).len() as u64 && head.location == path,
                || format!("{head:?}"),
            )?;
        }
        Ok(())
    }

    async fn list_all(&self) -> Result<(), Failure> {
        let listed: Vec<_> = self.store.list(None).try_collect().await?;
        let found: Vec<_> = listed
            .iter()
            .map(|entry| entry.location.to_string())
            .collect();
        same_names(&found, &self.names, "list")?;
        let (mut found, mut page_token) = (Vec::new(), None);
        loop {
            let options = PaginatedListOptions {
                max_keys: Some(40),
                page_token,
                ..Default::default()
            };
            let page = self.store.list_paginated(None, options).await?;
            found.extend(
                page.result
                    .objects
                    .iter()
                    .map(|entry| entry.location.to_string()),
            );
            page_token = page.page_token;
            if page_token.is_none() {
                break;
            }
        }
        same_names(&found, &self.names, "list_paginated")?;
        let top = self.store.list_with_delimiter(None).await?;
        let flat = self.names.iter().filter(|name| !name.contains('/')).count();
        check(top.objects.len() == flat, || {
            format!("{} of {flat} names without a slash", top.objects.len())
        })
    }

    async fn copy_all(&self) -> Result<(), Failure> {
        let (copied, renamed) = (Path::from("copied"), Path::from("renamed"));
        for name in &self.names {
            self.store.copy(&Path::parse(name)?, &copied).await?;
            self.store.rename(&copied, &renamed).await?;
            same(
                &self.get(&renamed).await?,
                &small(name),
                &format!("copy of {name}"),
            )?;
        }
        Ok(())
    }

    async fn metadata(&self) -> Result<(), Failure> {
        let path = Path::from("described");
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::ContentType, "text/plain; charset=utf-8".into());
        attributes.insert(Attribute::CacheControl, "max-age=60".into());
        attributes.insert(Attribute::Metadata("project".into()), "green house".into());
        let options = PutOptions {
            attributes: attributes.clone(),
            ..Default::default()
        };
        self.store
            .put_opts(&path, PutPayload::from_static(b"described"), options)
            .await?;
        let found = self.store.get(&path).await?;
        check(found.attributes == attributes, || {
            format!("attributes: {:?}", found.attributes)
        })
    }

    async fn multipart(&self) -> Result<(), Failure> {
        let (path, sent) = (
            Path::parse("by parts/big + object")?,
            content("multipart", BIG_BYTES),
        );
        let upload = self.store.put_multipart(&path).await?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        writer.write(&sent);
        writer.finish().await?;
        same(&self.get(&path).await?, &sent, "multipart object")?;
        let part = PART_BYTES as u64;
        let range = self.store.get_range(&path, part - 100..part + 100).await?;
        same(
            &range,
            &sent[PART_BYTES - 100..PART_BYTES + 100],
            "get_range",
        )?;
        let ranges = self
            .store
            .get_ranges(&path, &[0..10, part..part + 10])
            .await?;
        same(
            &ranges.concat(),
            &[&sent[..10], &sent[PART_BYTES..PART_BYTES + 10]].concat(),
            "get_ranges",
        )?;
        let mut aborted = self.store.put_multipart(&Path::from("aborted")).await?;
        aborted.put_part(sent[..PART_BYTES].to_vec().into()).await?;
        aborted.abort().await?;
        Ok(())
    }

    async fn conditions(&self) -> Result<(), Failure> {
        let path = Path::from("conditional");
        let create = || PutOptions {
            mode: PutMode::Create,
            ..Default::default()
        };
        let made = self
            .store
            .put_opts(&path, PutPayload::from_static(b"1"), create())
            .await?;
        let again = self
            .store
            .put_opts(&path, PutPayload::from_static(b"2"), create())
            .await;
        check(matches!(again, Err(Error::AlreadyExists { .. })), || {
            format!("create again: {again:?}")
        })?;
        let version = UpdateVersion {
            e_tag: made.e_tag.clone(),
            version: made.version,
        };
        let update = || PutOptions {
            mode: PutMode::Update(version.clone()),
            ..Default::default()
        };
        self.store
            .put_opts(&path, PutPayload::from_static(b"3"), update())
            .await?;
        let again = self
            .store
            .put_opts(&path, PutPayload::from_static(b"4"), update())
            .await;
        check(matches!(again, Err(Error::Precondition { .. })), || {
            format!("update again: {again:?}")
        })?;
        let options = GetOptions {
            if_match: made.e_tag,
            ..Default::default()
        };
        let stale = self.store.get_opts(&path, options).await;
        check(matches!(stale, Err(Error::Precondition { .. })), || {
            "a stale read passed".to_owned()
        })
    }

    async fn typed_errors(&self) -> Result<(), Failure> {
        let missing = Path::from("missing");
        let got = self.store.get(&missing).await;
        check(matches!(got, Err(Error::NotFound { .. })), || {
            "get of a missing key does not give NotFound".to_owned()
        })?;
        let got = self.store.head(&missing).await;
        check(matches!(got, Err(Error::NotFound { .. })), || {
            format!("head of a missing key: {got:?}")
        })?;
        let got = self.store.copy(&missing, &Path::from("x")).await;
        check(matches!(got, Err(Error::NotFound { .. })), || {
            format!("copy of a missing key: {got:?}")
        })
    }

    async fn delete_all(&self) -> Result<(), Failure> {
        self.store.delete(&Path::from("described")).await?;
        let listed: Vec<_> = self
            .store
            .list(None)
            .map_ok(|entry| entry.location)
            .try_collect()
            .await?;
        let count = listed.len();
        let deleted: Vec<_> = self
            .store
            .delete_stream(stream::iter(listed).map(Ok).boxed())
            .try_collect()
            .await?;
        check(deleted.len() == count, || {
            format!("{} of {count} were deleted", deleted.len())
        })?;
        let left: Vec<_> = self.store.list(None).try_collect().await?;
        check(left.is_empty(), || format!("left are {left:?}"))
    }
}
