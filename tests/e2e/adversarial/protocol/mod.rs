//! E: parsers and protocols.
//!
//! - e54 (slow and silent connections): the limits are waited for, shortened, by
//!   `server::tests::{a_silent_handshake_is_ended, connections_that_bring_no_request_are_ended,
//!   connections_over_the_limit_wait_for_their_turn}` of the service; what needs no waiting is in [`http1`].
//! - e57 (reflection, health, gRPC-Web): in [`super::exposure`].
//! - e59 (floats, `1e400`, duplicate names in JSON): no front door takes JSON but POST policies, in
//!   `post_form::policies`.

mod calls;
mod documents;
mod frames;
mod http1;
mod paths;
mod values;
