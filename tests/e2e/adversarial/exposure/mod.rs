//! Secrets, what is shown to whom, and what answers without credentials.
//!
//! Tested elsewhere:
//!
//! - secrets in logs and dumps, keyrings, rotation: `secrets::{logs, at_rest, tampering, rotation}`
//! - use after revocation: `two_nodes::revocation`, `revocation::every_door_closes`
//! - no default credentials: `lifecycle::the_first_start_shows_a_key_once`; here, that those of other products are
//!   refused
//!
//! `tests/console/security.test.mjs` has those of the browser: CSRF, framing, preview of objects. There is no step-up
//! authentication.

mod errors;
mod strangers;
mod tokens;
