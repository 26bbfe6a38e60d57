use std::time::Duration;

use tokio::time::Instant;

use super::load::Loader;
use super::plan::plan;
use crate::catalog::engine::Engine;
use crate::catalog::judge::{Needs, State, judge};
use crate::catalog::mutation::{Change, Mutation};
use crate::catalog::sql::{Connection, Fault, Unfinished};
use crate::catalog::{CatalogError, Verdict};
use crate::domain::Timestamp;

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
    let ids = i64::try_from(ids).unwrap_or(i64::MAX);
    let mut attempt = 1;
    let begun = Instant::now();
    loop {
        match attempt_commit(engine, mutations, &needs, ids).await {
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
fn may_be_repeated(error: &sqlx::Error) -> bool {
    match Fault::of(error) {
        Fault::Conflict | Fault::Silent => true,
        Fault::Answered | Fault::Unavailable => false,
    }
}

async fn attempt_commit(
    engine: &Engine,
    mutations: &[Mutation],
    needs: &Needs,
    ids: i64,
) -> Result<Vec<Verdict>, CatalogError> {
    let first_id = engine.reserve_ids(ids).await?;
    let mut connection = engine.pools.writer().await?;
    let (state, verdicts) = match prepare(engine, &mut connection, mutations, needs, first_id).await
    {
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
    let dropped_at = engine.mark_time(now(mutations));
    let plan = plan(connection.dialect(), &state, dropped_at);
    match connection.finish(plan).await {
        Ok(()) => {
            if let Some(caches) = &engine.caches {
                caches.publish(&state);
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
    first_id: i64,
) -> Result<(State, Vec<Verdict>), CatalogError> {
    connection.begin().await?;
    let mut state = Loader {
        connection,
        caches: engine.caches.as_ref(),
    }
    .load(needs, first_id)
    .await?;
    let verdicts = mutations
        .iter()
        .map(|mutation| judge(&mut state, mutation))
        .collect();
    Ok((state, verdicts))
}

/// Rows of denials that a change adds, each with an id.
fn denials(change: &Change) -> usize {
    match change {
        Change::RecordUsage(change) => change.denials.len(),
        _ => 0,
    }
}

/// When the data that a batch drops is dropped.
fn now(mutations: &[Mutation]) -> Timestamp {
    mutations
        .iter()
        .filter_map(|mutation| moment(&mutation.change))
        .max()
        .unwrap_or_default()
}

/// The time of a change that can drop data.
fn moment(change: &Change) -> Option<Timestamp> {
    match change {
        Change::PutObject(change) => Some(change.now),
        Change::DeleteObject(change) => Some(change.now),
        Change::PutPart(change) => Some(change.now),
        Change::AbortUpload(change) => Some(change.now),
        Change::CompleteUpload(change) => Some(change.now),
        Change::CreateAccount(_)
        | Change::UpdateAccount(_)
        | Change::CreateAccessKey(_)
        | Change::UpdateAccessKey(_)
        | Change::ResealAccessKey(_)
        | Change::PurgeAccessKey(_)
        | Change::CreateBucket(_)
        | Change::UpdateBucket(_)
        | Change::DeleteBucket(_)
        | Change::UpdateObject(_)
        | Change::CreateUpload(_)
        | Change::RecordUsage(_)
        | Change::AppendAudit(_) => None,
    }
}
