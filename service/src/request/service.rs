//! What every operation uses.

use std::sync::Arc;
use std::time::Duration;

use bucketry_edge::fair::Fair;
use quick_cache::sync::Cache;

use super::ledger::Ledger;
use crate::access;
use crate::catalog::Catalog;
use crate::catalog::model::Bucket;
use crate::catalog::mutation::{IfNoneMatch, Preconditions};
use crate::clock::Clock;
use crate::config::{PlaintextCredentials, SignatureV2};
use crate::content::ContentStore;
use crate::convert::Owner;
use crate::domain::{AccountId, ObjectKey, Timestamp};
use crate::endpoints::Endpoints;
use crate::error::Error;
use crate::page_tokens::PageTokens;
use crate::sealing::LiveKeyring;

/// The service: catalog, blobs, keys.
pub struct Service {
    pub(crate) catalog: Catalog,
    pub(crate) content: ContentStore,
    pub(crate) keyring: Arc<LiveKeyring>,
    pub(crate) signing_keys: access::sigv4::SigningKeyCache,
    pub(crate) page_tokens: PageTokens,
    pub(crate) clock: Clock,
    pub(crate) settings: ServiceSettings,
    pub(crate) owners: Cache<AccountId, Arc<Owner>>,
    pub(crate) ledger: Ledger,
    pub(crate) fair: Fair,
    /// Divides searches, which read much, among callers.
    pub(crate) searches: Fair,
}

/// What the operator chose.
#[derive(Debug, Clone)]
pub(crate) struct ServiceSettings {
    /// The URL that clients use.
    pub endpoint_url: String,
    /// The region that S3 clients sign for.
    pub region: String,
    /// The regions that a signature may name.
    pub accepted_regions: access::sigv4::AcceptedRegions,
    /// From where credentials may come without TLS.
    pub plaintext_credentials: PlaintextCredentials,
    /// Whether presigned URLs of signature version 2 are taken.
    pub signature_v2: SignatureV2,
    /// The endpoints of this server.
    pub endpoints: Endpoints,
    /// The client certificate that a separate adapter needs in addition to its key.
    pub adapter_certificate: AdapterCertificate,
    /// How many multipart uploads of one bucket may be open at once.
    pub max_open_uploads: u32,
    /// How long the message of a unary call may take to arrive.
    pub message_timeout: Duration,
    /// The account that exists from the first start; what an operator makes belongs to it.
    pub first_account: AccountId,
}

/// Whether a separate adapter must show a client certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AdapterCertificate {
    /// It must. The handshake verifies the certificate.
    Required,
    /// The server does not ask for certificates.
    NotAsked,
}

impl Service {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Random bytes for an id.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).map_err(|error| Error::Internal(Box::new(error)))?;
        Ok(bytes)
    }

    /// An account as S3 shows it.
    pub(crate) async fn owner(&self, account: AccountId) -> Result<Arc<Owner>, Error> {
        if let Some(owner) = self.owners.get(&account) {
            return Ok(owner);
        }
        let row = self.catalog.account(account).await?;
        let owner = Owner::from(&row.ok_or_else(|| Error::internal("an owner without a row"))?);
        let owner = Arc::new(owner);
        self.owners.insert(account, Arc::clone(&owner));
        Ok(owner)
    }

    /// Looks whether a write is bound to fail, before its body is read. The commit decides; this saves an upload.
    pub(crate) async fn foresee(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        preconditions: &Preconditions,
    ) -> Result<(), Error> {
        if preconditions.if_none_match == Some(IfNoneMatch::Any)
            && self.catalog.object(bucket.id, key).await?.is_some()
        {
            return Err(Error::PreconditionFailed {
                condition: "If-None-Match",
            });
        }
        Ok(())
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
