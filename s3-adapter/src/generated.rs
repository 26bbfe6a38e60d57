//! What the generator writes from the contract's annotations: [`Operation`] with its facts, [`route`], typed parsing
//! into [`ParsedRequest`], a `render_…` function for every answer, the trait [`Hooks`], and [`dispatch`].
//!
//! The order of a request: `route`, [`ParsedRequest::parse`] (head only), authorization by
//! [`ParsedRequest::actions`], [`ParsedRequest::read_body`] if [`Operation::body`] is XML, `dispatch`.

#![allow(missing_docs, unused_mut, clippy::all, clippy::unwrap_used)]

use bucketry_contract::access_table::{ActionAccess, Classified};
use bucketry_contract::errors::{self, ErrorReason};
use bucketry_contract::v1;
use bucketry_contract::v1::object_service_server::ObjectService;
use http::{HeaderName, Method};

use crate::binding::decode::{self, Source};
use crate::binding::{
    AcceptedHeader, BodyKind, Call, Handler, Need, ParseError, RenderContext, Rendered,
    RequestView, RouteOutcome, Text, encode,
};
use crate::target::Target;
use crate::xml::{Element, XmlWriter, tag};

include!(concat!(env!("OUT_DIR"), "/s3.rs"));

#[cfg(test)]
mod tests;
