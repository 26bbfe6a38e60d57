//! A store that fails on purpose.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

/// A call of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Put,
    Begin,
    Part,
    Complete,
    Get,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Harm {
    /// The call fails and has no effect.
    Refuse,
    /// The call has its effect and fails: an fsync after the last write, a lost answer.
    FailAfterwards,
    /// The call succeeds and the last byte is lost (of a put or a part).
    Truncate,
    /// The call never returns.
    Hang,
}

/// Passes calls on to another store; the `nth` one (from 0) of its kind comes to harm.
#[derive(Debug)]
pub(super) struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    plan: Arc<Plan>,
}

#[derive(Debug)]
struct Plan {
    call: Call,
    nth: usize,
    harm: Harm,
    seen: AtomicUsize,
}

impl Plan {
    fn harm(&self, call: Call) -> Option<Harm> {
        let due = call == self.call && self.seen.fetch_add(1, Ordering::SeqCst) == self.nth;
        due.then_some(self.harm)
    }
}

impl FaultyStore {
    pub(super) fn new(inner: Arc<dyn ObjectStore>, call: Call, nth: usize, harm: Harm) -> Self {
        let plan = Arc::new(Plan {
            call,
            nth,
            harm,
            seen: AtomicUsize::new(0),
        });
        Self { inner, plan }
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyStore({})", self.inner)
    }
}

fn fault() -> object_store::Error {
    object_store::Error::Generic {
        store: "FaultyStore",
        source: "on purpose".into(),
    }
}

fn truncated(payload: &PutPayload) -> PutPayload {
    let all: Vec<u8> = payload.iter().flat_map(|piece| piece.to_vec()).collect();
    let kept = all.len().saturating_sub(1);
    PutPayload::from(Bytes::from(all).slice(..kept))
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        match self.plan.harm(Call::Put) {
            None => self.inner.put_opts(location, payload, options).await,
            Some(Harm::Refuse) => Err(fault()),
            Some(Harm::Hang) => std::future::pending().await,
            Some(Harm::FailAfterwards) => {
                self.inner.put_opts(location, payload, options).await?;
                Err(fault())
            }
            Some(Harm::Truncate) => {
                self.inner
                    .put_opts(location, truncated(&payload), options)
                    .await
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        match self.plan.harm(Call::Begin) {
            None => {}
            Some(Harm::Hang) => std::future::pending().await,
            Some(Harm::Refuse | Harm::FailAfterwards | Harm::Truncate) => return Err(fault()),
        }
        Ok(Box::new(FaultyUpload {
            inner: self.inner.put_multipart_opts(location, options).await?,
            plan: Arc::clone(&self.plan),
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        match self.plan.harm(Call::Get) {
            None => self.inner.get_opts(location, options).await,
            Some(Harm::Hang) => std::future::pending().await,
            Some(Harm::Refuse | Harm::FailAfterwards | Harm::Truncate) => Err(fault()),
        }
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    plan: Arc<Plan>,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        match self.plan.harm(Call::Part) {
            None => self.inner.put_part(data),
            Some(Harm::Refuse) => async { Err(fault()) }.boxed(),
            Some(Harm::Hang) => std::future::pending().boxed(),
            Some(Harm::FailAfterwards) => {
                let part = self.inner.put_part(data);
                async move {
                    part.await?;
                    Err(fault())
                }
                .boxed()
            }
            Some(Harm::Truncate) => self.inner.put_part(truncated(&data)),
        }
    }

    async fn complete(&mut self) -> Result<PutResult> {
        match self.plan.harm(Call::Complete) {
            None | Some(Harm::Truncate) => self.inner.complete().await,
            Some(Harm::Refuse) => Err(fault()),
            Some(Harm::Hang) => std::future::pending().await,
            Some(Harm::FailAfterwards) => {
                self.inner.complete().await?;
                Err(fault())
            }
        }
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}
