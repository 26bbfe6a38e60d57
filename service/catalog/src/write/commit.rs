use std::time::Duration;

use tokio::time::Instant;

use super::load::Loader;
use super::plan::plan;
use crate::engine::Engine;
use crate::judge::{Needs, State, judge};
use crate::mutation::{Change, Mutation};
use crate::sql::{Connection, DatabaseError, Fault, Unfinished};
use crate::{CatalogError, Verdict};

/// How often a batch is tried when other nodes are in its way, or its connection was dead before it began.
const ATTEMPTS: u32 = 8;
/// How long after the first attempt another is begun.
const ATTEMPTS_FOR: Duration = Duration::from_secs(2);

/// Commits mutations as one transaction. A refused one does not disturb its neighbours.
pub(crate) async fn commit(
    engine: &Engine,
    mutations: &[Mutation],
) -> Result<Vec<Verdict>, CatalogError> {
    let needs = Needs::of(mutations);
    let ids: usize = mutations
        .iter()
        .map(|mutation| 1 + mutation.audit.len() + denials(&mutation.change))
        .sum();
    let ids = Ids {
        of_rows: i64::try_from(ids).unwrap_or(i64::MAX),
        of_changes: i64::try_from(mutations.len()).unwrap_or(i64::MAX),
    };
    let mut attempt = 1;
    let begun = Instant::now();
    loop {
        match attempt_commit(engine, mutations, &needs, &ids).await {
            Err(CatalogError::Database(error))
                if may_be_repeated(&error)
                    // Retry once, however long the first attempt took: this process may have been paused meanwhile.
                    && (attempt == 1 || attempt < ATTEMPTS && begun.elapsed() < ATTEMPTS_FOR) =>
            {
                tracing::debug!(%error, attempt, "trying a batch again");
                attempt += 1;
            }
            answer => return answer,
        }
    }
}

/// Whether a batch that failed before its end may succeed now.
fn may_be_repeated(error: &DatabaseError) -> bool {
    match Fault::of(error) {
        Fault::Conflict | Fault::Silent => true,
        Fault::Answered | Fault::Unavailable => false,
    }
}

async fn attempt_commit(
    engine: &Engine,
    mutations: &[Mutation],
    needs: &Needs,
    ids: &Ids,
) -> Result<Vec<Verdict>, CatalogError> {
    let ids = ids.reserve(engine).await?;
    let mut connection = engine.pools.writer().await?;
    let (state, verdicts) = match prepare(engine, &mut connection, mutations, needs, ids).await {
        Ok(prepared) => prepared,
        Err(error) => {
            connection.roll_back().await;
            return Err(error);
        }
    };
    if verdicts.iter().all(Result::is_err) {
        connection.roll_back().await;
        return Ok(verdicts);
    }
    let latest = mutations.iter().map(|mutation| mutation.at).max();
    let dropped_at = engine.mark_time(latest.unwrap_or_default());
    let plan = plan(connection.dialect(), &state, dropped_at);
    // From before the commit until its rows are in the caches: what a listing shows, a later look-up must show too.
    let _marks = (engine.caches.as_ref()).map(|caches| caches.mark(&state));
    match connection.finish(plan).await {
        Ok(()) => {
            #[cfg(test)]
            engine.after_commit();
            if let Some(caches) = &engine.caches {
                caches.publish(&state);
            }
            if let Some(hints) = &engine.hints {
                hints.publish(&state);
            }
            Ok(verdicts)
        }
        Err(Unfinished::Before(error)) => {
            connection.roll_back().await;
            Err(error.into())
        }
        Err(Unfinished::During(error)) => {
            tracing::error!(%error, "the outcome of a commit is unknown");
            connection.throw_away().await;
            if let Some(caches) = &engine.caches {
                caches.clear();
            }
            Err(CatalogError::OutcomeUnknown)
        }
    }
}

async fn prepare(
    engine: &Engine,
    connection: &mut Connection,
    mutations: &[Mutation],
    needs: &Needs,
    ids: Reserved,
) -> Result<(State, Vec<Verdict>), CatalogError> {
    let mut loader = Loader {
        connection,
        caches: engine.caches.as_ref(),
    };
    let numbers = loader
        .begin(needs, mutations.len(), ids.first_of_changes)
        .await?;
    let mut state = loader.load(needs, ids.first_of_rows).await?;
    let mut verdicts = Vec::with_capacity(mutations.len());
    for (mutation, number) in mutations.iter().zip(numbers) {
        state.change_number = number;
        verdicts.push(judge(&mut state, mutation));
    }
    Ok((state, verdicts))
}

/// How many ids a batch may need.
struct Ids {
    of_rows: i64,
    of_changes: i64,
}

/// The first ids of those that are reserved.
#[derive(Clone, Copy)]
struct Reserved {
    first_of_rows: i64,
    first_of_changes: i64,
}

impl Ids {
    async fn reserve(&self, engine: &Engine) -> Result<Reserved, CatalogError> {
        let first = engine.reserve_ids(self.of_rows + self.of_changes).await?;
        Ok(Reserved {
            first_of_rows: first,
            first_of_changes: first + self.of_rows,
        })
    }
}

/// Rows of denials that a change adds, each with an id.
fn denials(change: &Change) -> usize {
    match change {
        Change::RecordUsage(change) => change.denials.len(),
        _ => 0,
    }
}
