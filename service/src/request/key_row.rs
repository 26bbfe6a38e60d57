//! Current access keys from the catalog.

use std::sync::Arc;

use bucketry_edge::fair::on_behalf;

use super::service::Service;
use crate::access::sigv4::SealedSigningKeys;
use crate::access::{self, KeyFacts, OpenError, SecretKey};
use crate::catalog::Catalog;
use crate::catalog::model::AccessKey;
use crate::domain::AccessKeyId;
use crate::error::Error;
use crate::sealing::LiveKeyring;

impl Service {
    /// The key of this id, whatever its state: the evaluator judges that. What it reaches is proved by its seal.
    pub(crate) async fn key_row(&self, id: &str) -> Result<(AccessKeyId, Arc<AccessKey>), Error> {
        let unknown = || Error::InvalidAccessKeyId {
            access_key_id: id.chars().take(128).collect(),
        };
        let id: AccessKeyId = id.parse().map_err(|_| unknown())?;
        let row = self.key_row_of(&id).await?;
        Ok((id, row))
    }

    /// As [`Service::key_row`], for an id that has been read.
    pub(crate) async fn key_row_of(&self, id: &AccessKeyId) -> Result<Arc<AccessKey>, Error> {
        on_behalf::set_claim(id.as_str());
        let row = self.catalog.access_key(id).await?;
        let row = row.ok_or_else(|| Error::InvalidAccessKeyId {
            access_key_id: id.to_string(),
        })?;
        check_seal(&self.keyring, &row)?;
        Ok(row)
    }

    /// The key of this id as the catalog remembers it: see [`Catalog::remembered_key`]. A row whose secret cannot be
    /// opened is of no use.
    pub(crate) fn remembered_key_row(&self, id: &AccessKeyId) -> Option<Arc<AccessKey>> {
        let row = self.catalog.remembered_key(id)?;
        self.keyring.check_seal(&row).ok()?;
        Some(row)
    }

    /// The signing keys of a key whose seal was opened.
    pub(crate) fn signing_keys_of(&self, row: &AccessKey) -> SealedSigningKeys<'_> {
        // The seal was opened: its nonce has the length.
        let nonce = row.secret.nonce.as_slice().try_into().unwrap_or_default();
        self.signing_keys.under(nonce)
    }

    /// The secret of a key. A keyring that lacks the sealing key is an outage, never a refusal.
    pub(crate) fn open_secret(&self, row: &AccessKey) -> Result<SecretKey, Error> {
        open_row(&self.keyring, row)
    }
}

/// The current row of a key; none if it is gone.
pub(super) async fn current_row(
    catalog: &Catalog,
    keyring: &LiveKeyring,
    id: &AccessKeyId,
) -> Result<Option<Arc<AccessKey>>, Error> {
    let row = catalog.access_key(id).await?;
    if let Some(row) = &row {
        check_seal(keyring, row)?;
    }
    Ok(row)
}

/// What is known of a key now; none if it is gone.
pub(crate) async fn current_facts(
    catalog: &Catalog,
    keyring: &LiveKeyring,
    id: &AccessKeyId,
) -> Result<Option<Arc<KeyFacts>>, Error> {
    let row = current_row(catalog, keyring, id).await?;
    Ok(row.map(|row| Arc::new(KeyFacts::from(row.as_ref()))))
}

/// Proves that a row reaches what it was made for: whoever can write to the database can neither give a key another
/// bucket or permission nor a secret of his own. Sessions and cached signing keys never open the secret, so it is
/// asked of every row.
pub(crate) fn check_seal(keyring: &LiveKeyring, row: &AccessKey) -> Result<(), Error> {
    keyring
        .check_seal(row)
        .map_err(|error| unusable_secret(row, error))
}

fn open_row(keyring: &LiveKeyring, row: &AccessKey) -> Result<SecretKey, Error> {
    access::open_row(&keyring.current(), row).map_err(|error| unusable_secret(row, error))
}

fn unusable_secret(row: &AccessKey, error: OpenError) -> Error {
    tracing::error!(
        access_key_id = %row.access_key_id,
        key = row.secret.kek_id,
        %error,
        "a secret cannot be opened; the request is answered as unavailable"
    );
    Error::Unavailable(Box::new(error))
}
