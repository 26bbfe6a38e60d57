//! Notes what callers do and what they are refused, and tells them when a limit is reached.

use std::sync::Arc;

use futures::{Stream, StreamExt};

use super::grant::{BucketGrant, Grant};
use super::judgement::AccessDenial;
use super::requirement::Resource;
use crate::access::{self, Explanation, KeyFacts, Origin, explain_wrong_proof};
use crate::catalog::model::DenialCause;
use crate::catalog::{Catalog, CatalogError};
use crate::clock::Clock;
use crate::content::ContentMessage;
use crate::error::Error;
use crate::metering::{DeniedRequest, Direction, LimitReached, Metering, RequestClass};

/// This node's metering and its clock. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Ledger {
    metering: Arc<Metering>,
    clock: Clock,
}

impl Ledger {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            metering: Arc::new(Metering::default()),
            clock,
        }
    }

    /// The counters themselves.
    pub(crate) fn metering(&self) -> &Arc<Metering> {
        &self.metering
    }

    /// Writes everything that was noted before the call.
    ///
    /// # Errors
    /// See [`Metering::flush`].
    pub(crate) async fn flush(&self, catalog: &Catalog) -> Result<(), CatalogError> {
        self.metering.flush(catalog, self.clock.clone()).await
    }

    /// Counts a request that was let in.
    ///
    /// # Errors
    /// The limit that the key has reached: the request is refused after all.
    pub(crate) async fn request(
        &self,
        catalog: &Catalog,
        caller: &access::Caller,
        class: RequestClass,
        resource: Resource<'_>,
    ) -> Result<(), Error> {
        let Some(key) = caller.key() else {
            return Ok(());
        };
        let counted = self
            .metering
            .request(catalog, key, class, caller.origin(), self.clock.now())
            .await?;
        counted.map_err(|limit| self.limit_reached(caller, limit, resource))
    }

    /// Counts bytes of object data that pass in the name of a grant.
    ///
    /// # Errors
    /// The limit that these bytes would pass: the transfer is to be ended.
    pub(crate) fn bytes(
        &self,
        grant: &BucketGrant,
        direction: Direction,
        bytes: usize,
    ) -> Result<(), Error> {
        let Some(key) = grant.caller().key() else {
            return Ok(());
        };
        let (class, now) = (grant.request_class(), self.clock.now());
        let counted = self
            .metering
            .transfer(key, class, direction, bytes as u64, now);
        counted.map_err(|limit| {
            if grant.withdraw() {
                self.limit_reached(grant.caller(), limit, grant.resource())
            } else {
                limit.to_error()
            }
        })
    }

    /// Counts content as it arrives, and ends it at the key's daily limit.
    pub(crate) fn metered(
        &self,
        grant: &BucketGrant,
        messages: impl Stream<Item = Result<ContentMessage, Error>>,
    ) -> impl Stream<Item = Result<ContentMessage, Error>> {
        messages.map(move |message| {
            let message = message?;
            if let ContentMessage::Chunk(chunk) = &message {
                self.bytes(grant, Direction::In, chunk.data.len())?;
            }
            Ok(message)
        })
    }

    /// Reads the bytes of the day of a running transfer's key again, if they are unknown or old.
    ///
    /// # Errors
    /// What the catalog says.
    pub(crate) async fn renew_day(&self, catalog: &Catalog, key: &KeyFacts) -> Result<(), Error> {
        let renewed = self.metering.renew_day(catalog, key, self.clock.now());
        Ok(renewed.await?)
    }

    /// Records a denial, and returns what the caller reads.
    pub(crate) fn deny(
        &self,
        caller: &access::Caller,
        denial: AccessDenial,
        resource: Resource<'_>,
    ) -> Error {
        self.record(caller, &denial.explanation(), resource);
        denial.to_error(caller)
    }

    /// Records that a grant was withdrawn while in use: once per request, however many parts of it observe this.
    pub(crate) fn withdraw(&self, grant: &impl Grant, denial: AccessDenial) -> Error {
        if grant.withdraw() {
            self.deny(grant.caller(), denial, grant.resource())
        } else {
            denial.to_error(grant.caller())
        }
    }

    /// Notes a signature or secret that is not the key's; `what` says which.
    pub(crate) fn wrong_proof(
        &self,
        key: &KeyFacts,
        what: &'static str,
        origin: &Origin,
        resource: Resource<'_>,
    ) {
        let denial = DeniedRequest {
            explanation: &explain_wrong_proof(what),
            cause: DenialCause::Anybody,
            origin,
            bucket: resource.bucket_name(),
            key: resource.key(),
        };
        self.metering.denied(key, denial, self.clock.now());
    }

    fn limit_reached(
        &self,
        caller: &access::Caller,
        limit: LimitReached,
        resource: Resource<'_>,
    ) -> Error {
        self.record(caller, &limit.explanation(), resource);
        limit.to_error()
    }

    fn record(&self, caller: &access::Caller, explanation: &Explanation, resource: Resource<'_>) {
        tracing::info!(
            access_key_id = caller.key().map(|key| tracing::field::display(&key.access_key_id)),
            address = %caller.address(),
            operation = &*caller.origin().operation,
            rule = explanation.rule,
            "denied"
        );
        if let Some(key) = caller.key() {
            let denial = DeniedRequest {
                explanation,
                cause: DenialCause::Holder,
                origin: caller.origin(),
                bucket: resource.bucket_name(),
                key: resource.key(),
            };
            self.metering.denied(key, denial, self.clock.now());
        }
    }
}
