//! Who may do what: keys and their secrets, signatures, sessions, IP rules, and the one evaluator.
//!
//! Pure: no SQL, no protocol messages, no HTTP, no clock; times and facts come in as parameters. Two places reach out:
//! making keys and seals asks the operating system for random bytes, and the keyring has a file.
//!
//! The way of a request: a claim ([`sigv4::V4Claim`], [`sigv2::V2Claim`], a bearer credential or a session) is checked
//! for form and time, the key's facts are read, [`authenticate`] makes a [`Caller`] of both, and [`decide`] answers.

mod access_class;
pub mod authenticate;
mod caller;
mod challenge;
mod client_address;
mod entropy;
mod explanation;
mod fields;
mod generate_key_id;
mod ip_entry;
mod ip_rules;
mod key_facts;
mod keyring;
mod keyring_edit;
mod keyring_file;
mod mac;
mod page_token;
mod permission;
mod seal;
mod secret;
mod session;
pub mod sigv2;
pub mod sigv4;

pub use access_class::AccessClass;
pub use caller::{Caller, Origin};
pub use challenge::{
    CHALLENGE_LIFE, ChallengeError, ChallengeFor, issue_challenge, open_challenge,
};
pub use client_address::ClientAddress;
pub use entropy::EntropyError;
pub use explanation::{
    DecisionReason, Explanation, explain, explain_byte_limit, explain_request_limit,
    explain_wrong_proof,
};
pub use generate_key_id::{
    ACCESS_KEY_ID_LENGTH, ACCESS_KEY_ID_PREFIX, GenerateKeyIdError, generate_key_id,
};
pub use ip_entry::IpEntryProblem;
pub use ip_rules::{IpList, IpRules, IpRulesError, IpRulesWarning, IpVerdict, MAX_IP_ENTRIES};
pub use key_facts::{KeyFacts, KeyUnusable};
pub use keyring::{KekId, Keyring, KeyringError};
pub use keyring_edit::{KeyringEdit, KeyringEditError};
pub use keyring_file::{
    FileExposure, KeyringFileError, create_keyring_file, edit_keyring_file, read_keyring_file,
};
pub use page_token::{
    MAX_POSITION_BYTES, PageTokenError, QueryFingerprint, issue_page_token, open_page_token,
};
pub use permission::{
    AccessTarget, Basis, Decision, Denial, PolicyVerdict, Question, Subject, decide,
};
pub use seal::{
    NONCE_LENGTH, OpenError, SealAlgorithm, SealBinding, SealError, Sealed, check_row, open_row,
    open_secret, seal_canary, seal_row, seal_secret, verify_canary,
};
pub use secret::{
    GENERATED_SECRET_LENGTH, SECRET_LENGTH_RANGE, SECRET_PREFIX, SecretKey, SecretKeyError,
    SecretShape,
};
pub use session::{
    BearerSession, ExpectedOwners, MAX_SESSION_LIFE, OperationSession, SessionError, SessionKey,
    SessionUse,
};
