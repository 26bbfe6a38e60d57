//! Parsers and protocols.
//!
//! Tested elsewhere:
//!
//! - slow and silent connections: the service's `server::tests` wait for the limits, shortened; what needs no waiting is
//!   in [`http1`]
//! - reflection, health, gRPC-Web: [`super::exposure`]
//! - floats, `1e400` and duplicate names in JSON: only POST policies are JSON, see `post_form::policies`

mod calls;
mod documents;
mod frames;
mod http1;
mod paths;
mod values;
