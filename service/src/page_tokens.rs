//! Page tokens: opaque to clients, bound to their query.

use std::sync::Arc;

use crate::access::{QueryFingerprint, issue_page_token, open_page_token};
use crate::error::Error;
use crate::sealing::LiveKeyring;

/// Makes and reads page tokens.
#[derive(Clone)]
pub(crate) struct PageTokens {
    keyring: Arc<LiveKeyring>,
}

impl PageTokens {
    pub(crate) fn new(keyring: Arc<LiveKeyring>) -> Self {
        Self { keyring }
    }

    /// The token by which `query` goes on after `position`.
    pub(crate) fn seal(&self, position: &str, query: &str) -> String {
        // Positions are keys and names, far below the limit.
        issue_page_token(
            &self.keyring.current(),
            &fingerprint(query),
            position.as_bytes(),
        )
        .unwrap_or_default()
    }

    /// The token by which `query` goes on after `position`; empty if there is no more.
    pub(crate) fn seal_next(&self, position: Option<&str>, query: &str) -> String {
        position.map_or_else(String::new, |position| self.seal(position, query))
    }

    /// The position of a token; none if there is no token.
    pub(crate) fn open(&self, token: &str, query: &str) -> Result<Option<String>, Error> {
        if token.is_empty() {
            return Ok(None);
        }
        let position = open_page_token(&self.keyring.current(), &fingerprint(query), token)
            .map_err(|_| Error::InvalidPageToken)?;
        String::from_utf8(position)
            .map(Some)
            .map_err(|_| Error::InvalidPageToken)
    }
}

fn fingerprint(query: &str) -> QueryFingerprint {
    QueryFingerprint::of("page").with("query", query.as_bytes())
}
