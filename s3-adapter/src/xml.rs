//! XML in and out, as S3 speaks it.
//!
//! Reading gives a small tree, because no S3 document is large and a tree is simple to bind;
//! writing goes straight into one buffer, because listings are written often.

mod reader;
mod writer;

pub use reader::{Element, XmlError, parse};
pub(crate) use writer::tag;
pub use writer::{ElementTags, S3_NAMESPACE, XSI_NAMESPACE, XmlWriter};
