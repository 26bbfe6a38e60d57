//! Group commit: all waiting jobs share one transaction and one fsync. A job never waits for others to join.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use bucketry_edge::task;
use futures::executor::block_on;
use tokio::sync::{mpsc, oneshot};

use super::commit::commit;
use super::submit::Rejection;
use super::waiting::Waiting;
use crate::engine::Engine;
use crate::mutation::{Change, Mutation};
use crate::sql::{DatabaseError, Dialect, Fault};
use crate::{CatalogError, Outcome, Verdict};

/// Mutations in one transaction.
const GROUP_MUTATIONS: usize = 512;
/// The same on Postgres, where each of them takes some locks: fewer keys than those from which on a batch takes their whole
/// bucket.
const GROUP_MUTATIONS_WITH_LOCKS: usize = 200;
/// Rows in one transaction, about: a longer one would keep its neighbours waiting.
const GROUP_ROWS: usize = 1000;
/// Mutations that may wait before those who submit must.
const QUEUE: usize = 4096;
/// A completion of more parts than this goes alone.
const MANY_PARTS: usize = 200;

pub(super) enum Job {
    /// A mutation that goes into the next group.
    One {
        mutation: Box<Mutation>,
        reply: Reply,
    },
    /// Mutations that are one transaction.
    Batch {
        mutations: Vec<Mutation>,
        reply: oneshot::Sender<Result<Vec<Verdict>, CatalogError>>,
    },
    /// No more after this.
    Close,
}

type Reply = oneshot::Sender<Result<Outcome, Rejection>>;

/// The one that writes: on SQLite a thread, which owns the writing connection while it commits, so that no statement changes
/// threads; on Postgres a task. There is one on Postgres too: several would make smaller groups, with a transaction and an fsync
/// each. Nodes commit side by side.
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
    /// Tells that it has ended.
    end: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Writer {
    pub(crate) fn start(engine: &Arc<Engine>) -> Result<Self, CatalogError> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (ended, end) = oneshot::channel();
        let dialect = engine.pools.dialect();
        let write = write(engine.clone(), queue, ended);
        match dialect {
            Dialect::Sqlite => {
                let thread = thread::Builder::new().name("catalog-writer".to_owned());
                let started = thread.spawn(move || block_on(task::named("write_catalog", write)));
                drop(started.map_err(DatabaseError::Thread)?);
            }
            Dialect::Postgres => drop(task::spawn("write_catalog", write)),
        }
        Ok(Self {
            jobs,
            end: Mutex::new(Some(end)),
        })
    }

    pub(super) async fn send(&self, job: Job) -> Result<(), CatalogError> {
        self.jobs.send(job).await.map_err(|_| CatalogError::Closed)
    }

    /// Ends after everything that was submitted before.
    pub(crate) async fn close(&self) {
        // A closed queue is what is asked for.
        let _already = self.jobs.send(Job::Close).await;
        let end = self
            .end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(end) = end
            && end.await.is_err()
        {
            tracing::error!("the writer ended badly");
        }
    }
}

async fn write(engine: Arc<Engine>, queue: mpsc::Receiver<Job>, ended: oneshot::Sender<()>) {
    run(engine, queue).await;
    let _gone = ended.send(());
}

async fn run(engine: Arc<Engine>, mut queue: mpsc::Receiver<Job>) {
    let mut waiting = Waiting::default();
    let mut arrived = Vec::with_capacity(GROUP_MUTATIONS);
    loop {
        if waiting.is_empty() {
            if queue.recv_many(&mut arrived, GROUP_MUTATIONS).await == 0 {
                return;
            }
        } else {
            // What came meanwhile takes part in the next group.
            let room = QUEUE.saturating_sub(waiting.len());
            arrived.extend(std::iter::from_fn(|| queue.try_recv().ok()).take(room));
        }
        if arrived.iter().any(|job| matches!(job, Job::Close)) {
            queue.close();
        }
        let group = waiting.next_group(&mut arrived, GROUP_MUTATIONS);
        work_off(&engine, group).await;
    }
}

async fn work_off(engine: &Engine, mut jobs: VecDeque<Job>) {
    let most = match engine.pools.dialect() {
        Dialect::Sqlite => GROUP_MUTATIONS,
        Dialect::Postgres => GROUP_MUTATIONS_WITH_LOCKS,
    };
    let mut group = Group::default();
    while let Some(job) = jobs.pop_front() {
        match job {
            // The caller's wait has timed out or was cancelled: the job is not begun.
            Job::One { reply, .. } if reply.is_closed() => {}
            Job::One { mutation, reply } => {
                if group.replies.len() >= most || !group.has_room(&mutation) {
                    std::mem::take(&mut group).commit(engine).await;
                }
                group.add(*mutation, reply);
            }
            Job::Batch { mutations, reply } => {
                std::mem::take(&mut group).commit(engine).await;
                // Whoever asked may have gone away; the batch is committed all the same.
                let _gone = reply.send(commit(engine, &mutations).await);
            }
            Job::Close => {}
        }
    }
    group.commit(engine).await;
}

/// Mutations that share a transaction.
#[derive(Default)]
struct Group {
    mutations: Vec<Mutation>,
    replies: Vec<Reply>,
    rows: usize,
    alone: bool,
}

impl Group {
    fn has_room(&self, mutation: &Mutation) -> bool {
        let fits = self.rows + rows_of(&mutation.change) <= GROUP_ROWS
            && !self.alone
            && !goes_alone(&mutation.change);
        self.mutations.is_empty() || fits
    }

    fn add(&mut self, mutation: Mutation, reply: Reply) {
        self.rows += rows_of(&mutation.change) + mutation.audit.len();
        self.alone = goes_alone(&mutation.change);
        self.mutations.push(mutation);
        self.replies.push(reply);
    }

    async fn commit(self, engine: &Engine) {
        if self.mutations.is_empty() {
            return;
        }
        match commit(engine, &self.mutations).await {
            Ok(verdicts) => {
                let answers = verdicts.into_iter().zip(self.mutations);
                for (reply, (verdict, mutation)) in self.replies.into_iter().zip(answers) {
                    let _gone = reply.send(answer(verdict, mutation));
                }
            }
            // One value that the database does not take must not fail the others.
            Err(CatalogError::Database(error))
                if Fault::of(&error) == Fault::Answered && self.replies.len() > 1 =>
            {
                for (mutation, reply) in self.mutations.into_iter().zip(self.replies) {
                    let _gone = reply.send(commit_one(engine, mutation).await);
                }
            }
            Err(error) => {
                for reply in self.replies {
                    let _gone = reply.send(Err(Rejection::without_mutation(error.clone())));
                }
            }
        }
    }
}

async fn commit_one(engine: &Engine, mutation: Mutation) -> Result<Outcome, Rejection> {
    let committed = commit(engine, std::slice::from_ref(&mutation)).await;
    match committed.map(|verdicts| verdicts.into_iter().next()) {
        Ok(Some(verdict)) => answer(verdict, mutation),
        Ok(None) => Err(Rejection::without_mutation(CatalogError::Closed)),
        Err(error) => Err(Rejection::without_mutation(error)),
    }
}

fn answer(verdict: Verdict, mutation: Mutation) -> Result<Outcome, Rejection> {
    verdict.map_err(|refusal| Rejection {
        error: CatalogError::Refused(refusal),
        mutation: Some(Box::new(mutation)),
    })
}

/// Whether a change must not have neighbours: it looked at more than rows that are tracked, or is large.
fn goes_alone(change: &Change) -> bool {
    match change {
        Change::DeleteBucket(_) => true,
        Change::CompleteUpload(change) => change.parts.len() > MANY_PARTS,
        _ => false,
    }
}

/// About how many rows a change writes.
fn rows_of(change: &Change) -> usize {
    match change {
        Change::CompleteUpload(change) => 4 + 2 * change.parts.len(),
        Change::RecordUsage(change) => {
            change.usage.len() + change.last_uses.len() + change.denials.len()
        }
        Change::PutObject(_) | Change::PutPart(_) | Change::DeleteObject(_) => 2,
        _ => 1,
    }
}
