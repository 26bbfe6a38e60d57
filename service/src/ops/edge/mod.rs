//! What the S3 edge asks: whether a signed request may go on, and which CORS headers an answer has.

mod authorize;
mod claim;
mod decision;
mod evaluate_cors;

pub(crate) use authorize::{SharedBy, authorize};
pub(crate) use evaluate_cors::evaluate_cors;
