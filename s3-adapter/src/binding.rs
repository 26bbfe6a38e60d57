//! What generated code stands on: the view of a request, values from and to S3's spelling, the rendered answer.

pub mod decode;
pub mod encode;
mod error;
mod rendered;
mod text;
mod view;

pub(crate) use error::PART_NUMBER;
pub use error::ParseError;
pub use rendered::{RenderContext, Rendered};
pub use text::Text;
pub use view::RequestView;

use crate::generated::Operation;

/// What routing finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteOutcome {
    /// An operation.
    Operation(Operation),
    /// Something that S3 knows and this server does not: its query parameter or name.
    NotImplemented(&'static str),
    /// A query parameter that this operation does not take.
    Unexpected(&'static str),
    /// Nothing that S3 knows with this method.
    MethodNotAllowed,
}

/// Who handles an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// Generated code alone.
    Generated,
    /// A method of [`crate::generated::Hooks`].
    Hook,
}

/// What the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// None; one that is sent is not read.
    None,
    /// A document, to be read whole before the call.
    Xml {
        /// Its root element.
        root: &'static str,
        /// Whether it may be left out.
        need: Need,
    },
    /// The content of an object or part, to be streamed.
    Content,
}

/// A header that an operation accepts with some values only, because these ask for what is already the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceptedHeader {
    /// In lower case.
    pub name: &'static str,
    /// The accepted values, compared without case; if empty, any.
    pub values: &'static [&'static str],
    /// The values that S3 knows; empty if it does not enumerate them.
    pub known: &'static [&'static str],
}

/// Whether something may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// No.
    Required,
    /// Yes.
    Optional,
}

/// What the pipeline hands to [`crate::generated::dispatch`] with a request.
pub trait Call: Send {
    /// The gRPC request of a message, with the decision on it: a call has one, and it is moved into the request.
    fn request<T>(&mut self, message: T) -> tonic::Request<T>;

    /// What rendering needs of the S3 request.
    fn context(&self) -> RenderContext<'_>;
}
