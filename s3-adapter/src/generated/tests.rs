//! Tests of what the generator writes, by concern.

mod bodies;
mod calls;
mod heads;
mod rendering;
mod routing;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::binding::{RenderContext, RequestView};
use crate::query::Query;
use crate::target::Target;

/// A request that owns what a view borrows.
pub(super) struct Fixture {
    target: Target,
    query: Query,
    headers: HeaderMap,
}

impl Fixture {
    pub(super) fn new(path: &str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let target = match path.trim_start_matches('/').split_once('/') {
            Some((bucket, key)) if !key.is_empty() => Target::Object {
                bucket: bucket.into(),
                key: key.into(),
            },
            Some((bucket, _)) => Target::Bucket {
                bucket: bucket.into(),
            },
            None if path == "/" => Target::Service,
            None => Target::Bucket {
                bucket: path.trim_start_matches('/').into(),
            },
        };
        Self {
            target,
            query: Query::parse(query).unwrap(),
            headers: HeaderMap::new(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    pub(super) fn view(&self) -> RequestView<'_> {
        RequestView {
            target: &self.target,
            query: &self.query,
            headers: &self.headers,
        }
    }

    pub(super) fn context(&self) -> RenderContext<'_> {
        RenderContext {
            view: self.view(),
            public_url: "http://localhost:9000",
        }
    }
}
