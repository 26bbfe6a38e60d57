use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::writer::Job;
use crate::mutation::Mutation;
use crate::sql::Dialect;
use crate::{Catalog, CatalogError, Outcome, TypedChange, Verdict};

/// How long a change may wait for its outcome on Postgres: for a batch before it that waits for a lock, and for its own.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(6);

/// A failed mutation.
#[derive(Debug)]
pub struct Rejection {
    /// The reason.
    pub error: CatalogError,
    /// The mutation, if it was refused, for another attempt.
    pub mutation: Option<Box<Mutation>>,
}

impl Rejection {
    /// A rejection without the mutation.
    pub fn without_mutation(error: CatalogError) -> Self {
        Self {
            error,
            mutation: None,
        }
    }
}

impl Catalog {
    /// Submits a mutation to the next group commit and waits until it is durable and visible.
    ///
    /// # Errors
    /// [`CatalogError::Refused`] if a precondition did not hold, or the caller's key has changed since the decision
    /// (`KeyNotActive`, `EpochMoved`, `PolicyMoved`). After [`CatalogError::OutcomeUnknown`] the change may or may not have been made;
    /// after every other error it was not made.
    pub async fn submit<C: TypedChange>(
        &self,
        mutation: Mutation<C>,
    ) -> Result<C::Answer, CatalogError> {
        let submitted = self.try_submit(Box::new(mutation.untyped())).await;
        let outcome = submitted.map_err(|rejection| rejection.error)?;
        C::answer(outcome).ok_or(CatalogError::OTHER_OUTCOME)
    }

    /// Like [`Catalog::submit`], but returns a refused mutation.
    ///
    /// # Errors
    /// As [`Catalog::submit`].
    pub async fn try_submit(&self, mutation: Box<Mutation>) -> Result<Outcome, Rejection> {
        let (reply, answer) = oneshot::channel();
        let outcome = async {
            let sent = self.shared.writer.send(Job::One { mutation, reply }).await;
            sent.map_err(Rejection::without_mutation)?;
            // The writer answers every job that it took: without an answer, nothing was begun, or the process is ending.
            answer
                .await
                .map_err(|_| Rejection::without_mutation(CatalogError::OutcomeUnknown))?
        };
        match self.engine().pools.dialect() {
            // On SQLite only the disk can be slow, and the caller has to wait for it.
            Dialect::Sqlite => outcome.await,
            // The writer drops what was not begun when the caller stops waiting.
            Dialect::Postgres => timeout(ANSWER_TIMEOUT, outcome)
                .await
                .unwrap_or_else(|_| Err(Rejection::without_mutation(CatalogError::OutcomeUnknown))),
        }
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
