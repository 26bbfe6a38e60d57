//! Secrets, what is shown to whom, and what answers without credentials.
//!
//! Tested elsewhere:
//!
//! - secrets in logs and dumps, keyrings, rotation: `secrets::{logs, at_rest, tampering, rotation}`
//! - use after revocation: `two_nodes::revocation`, `revocation::every_door_closes`
//! - no default credentials: `lifecycle::the_first_start_shows_a_key_once`; here, that those of other products are
//!   refused
//!
//! Not applicable, since there is no console: step-up authentication, CSRF, cached pages, preview of objects.

mod errors;
mod strangers;
mod tokens;
