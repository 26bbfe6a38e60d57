use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::writer::Job;
use crate::catalog::model::AuditEntry;
use crate::catalog::mutation::{Asker, Mutation};
use crate::catalog::sql::Dialect;
use crate::catalog::{Catalog, CatalogError, TypedChange, Verdict};

/// How long a change may wait for its outcome on Postgres: for a batch before it that waits for a lock, and for its own.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(6);

impl Catalog {
    /// Submits one change to the next group commit and waits until it is durable and visible.
    ///
    /// # Errors
    /// [`CatalogError::Refused`] if a precondition did not hold; after [`CatalogError::OutcomeUnknown`] the change may or
    /// may not have been made; after every other error it was not made.
    pub async fn submit<C: TypedChange>(&self, change: C) -> Result<C::Answer, CatalogError> {
        self.submit_audited(change, Vec::new()).await
    }

    /// As [`Catalog::submit`], with audit entries that are written if and only if the change is made.
    ///
    /// # Errors
    /// As [`Catalog::submit`].
    pub async fn submit_audited<C: TypedChange>(
        &self,
        change: C,
        audit: Vec<AuditEntry>,
    ) -> Result<C::Answer, CatalogError> {
        self.submit_asked(change, audit, None).await
    }

    /// As [`Catalog::submit_audited`], if the key of who asks still is what was decided on.
    ///
    /// # Errors
    /// As [`Catalog::submit`]; `Refused` with `KeyNotActive` or `EpochMoved` when the key is not.
    pub async fn submit_asked<C: TypedChange>(
        &self,
        change: C,
        audit: Vec<AuditEntry>,
        asker: Option<Asker>,
    ) -> Result<C::Answer, CatalogError> {
        let (reply, answer) = oneshot::channel();
        let mutation = Mutation {
            change: change.into_change(),
            audit,
            asker,
        };
        let outcome = async {
            self.shared
                .writer
                .send(Job::One { mutation, reply })
                .await?;
            // The writer answers every job that it took: without an answer, nothing was begun, or the process is ending.
            answer.await.map_err(|_| CatalogError::OutcomeUnknown)?
        };
        let outcome = match self.engine().pools.dialect() {
            // On SQLite only the disk can be slow, and the caller has to wait for it.
            Dialect::Sqlite => outcome.await?,
            // The writer drops what was not begun when the caller stops waiting.
            Dialect::Postgres => timeout(ANSWER_TIMEOUT, outcome)
                .await
                .map_err(|_| CatalogError::OutcomeUnknown)??,
        };
        C::answer(outcome).ok_or(CatalogError::Corrupt("an outcome of another change"))
    }

    /// Commits mutations as one transaction of their own, in order; the verdicts are in the same order. At most some
    /// thousand rows should be touched at a time.
    ///
    /// # Errors
    /// As [`Catalog::submit`], for all of them at once; refusals are verdicts.
    pub async fn commit(&self, mutations: Vec<Mutation>) -> Result<Vec<Verdict>, CatalogError> {
        let (reply, answer) = oneshot::channel();
        self.shared
            .writer
            .send(Job::Batch { mutations, reply })
            .await?;
        answer.await.map_err(|_| CatalogError::OutcomeUnknown)?
    }
}
