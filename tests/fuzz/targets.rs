//! One file, one target.

pub(crate) mod authorization;
pub(crate) mod chunk_framing;
pub(crate) mod copy_source;
pub(crate) mod forwarding;
mod head;
pub(crate) mod ip_list;
pub(crate) mod post_form;
pub(crate) mod presigned_query;
pub(crate) mod proxy_protocol;
pub(crate) mod range;
pub(crate) mod request;
pub(crate) mod xml;

/// Texts as inputs.
fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
