//! Shows tokens and administrators' keys with their latest use, and tokens with how often they were used.

use std::collections::HashMap;

use bucketry_contract::v1::{AdminKey, Token};

use crate::catalog::model::LastUse;
use crate::domain::AccessKeyPk;
use crate::error::Error;
use crate::metering::last_use_to_proto;
use crate::request::Service;

/// What keys were used for until now.
pub(crate) struct Uses(HashMap<AccessKeyPk, LastUse>);

/// Reads the uses of keys, in one statement. What this node has counted is written first.
///
/// # Errors
/// If the catalog fails.
pub(crate) async fn uses(service: &Service, keys: &[AccessKeyPk]) -> Result<Uses, Error> {
    service.ledger.flush(&service.catalog).await?;
    Ok(Uses(service.catalog.last_uses(keys).await?))
}

/// The uses of a key that has just been edited, as far as they are written. The edit is made, so that an error must not
/// hide it.
pub(crate) async fn recorded_uses(service: &Service, key: AccessKeyPk) -> Uses {
    match service.catalog.last_uses(&[key]).await {
        Ok(uses) => Uses(uses),
        Err(error) => {
            tracing::warn!(%error, "the use of an edited key cannot be read");
            Uses(HashMap::new())
        }
    }
}

/// A token after an edit, with the use that is written so far.
pub(super) async fn with_use(service: &Service, key: AccessKeyPk, token: Token) -> Token {
    recorded_uses(service, key).await.of(key, token)
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

    /// An administrator's key with its use.
    pub(crate) fn of_admin_key(&self, key: AccessKeyPk, shown: AdminKey) -> AdminKey {
        AdminKey {
            last_use: self.0.get(&key).map(last_use_to_proto),
            ..shown
        }
    }
}
