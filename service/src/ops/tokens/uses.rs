//! Shows tokens with their latest use and how often they were used.

use std::collections::HashMap;

use bucketry_contract::v1::Token;

use crate::catalog::model::LastUse;
use crate::domain::AccessKeyPk;
use crate::error::Error;
use crate::metering::last_use_to_proto;
use crate::request::Service;

/// What tokens were used for until now.
pub(super) struct Uses(HashMap<AccessKeyPk, LastUse>);

/// Reads the uses of tokens, in one question. What this node has counted is written first.
///
/// # Errors
/// What the catalog says.
pub(super) async fn uses(service: &Service, tokens: &[AccessKeyPk]) -> Result<Uses, Error> {
    service.ledger.flush(&service.catalog).await?;
    Ok(Uses(service.catalog.last_uses(tokens).await?))
}

/// A token as it is told after an edit, with the use that is written so far. The edit is made by now, so that a use that
/// cannot be read must not hide it.
pub(super) async fn with_use(service: &Service, key: AccessKeyPk, token: Token) -> Token {
    match service.catalog.last_uses(&[key]).await {
        Ok(uses) => Uses(uses).of(key, token),
        Err(error) => {
            tracing::warn!(%error, "the use of an edited token cannot be read");
            token
        }
    }
}

impl Uses {
    /// The token with its use.
    pub(super) fn of(&self, key: AccessKeyPk, token: Token) -> Token {
        let used = self.0.get(&key);
        Token {
            last_use: used.map(last_use_to_proto),
            request_count: used.map_or(0, |used| i64::try_from(used.requests).unwrap_or(i64::MAX)),
            ..token
        }
    }
}
