//! Runs a schedule against a cluster under load.

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;

use super::{Fault, Schedule, Span, Step, VICTIM};
use crate::cluster::signals::send;
use crate::cluster::{BUCKET, Checked, Cluster, NODES};
use crate::error::HarnessError;
use crate::workload::{Client, Clock, Load, Record, Registry, Target};

const LOAD: Load = Load {
    clients: 8,
    pause: Duration::from_millis(30),
    seed: 1,
};
/// A node is in a commit if a transaction waits for it for so long.
const IN_COMMIT: Duration = Duration::from_millis(200);
/// How often a node is stopped in the hope to meet it in a commit.
const ATTEMPTS: usize = 200;

/// What happened.
#[derive(Debug)]
pub struct Course {
    /// The faults with the time from their begin until all parts worked again.
    pub faults: Vec<(Step, Span)>,
    /// All operations, those of the last reads included.
    pub records: Vec<Record>,
    /// The check beside running nodes, and the check after they were stopped.
    pub checks: [Checked; 2],
}

/// Runs the schedule, reads every key by every node, and checks the data.
///
/// # Errors
/// A part of the cluster could not be started, or a node did not end when it was asked to.
pub fn run(schedule: &Schedule) -> Result<Course, HarnessError> {
    let mut cluster = Cluster::start(schedule.node_arguments)?;
    let target = Target {
        address: cluster.address(),
        bucket: BUCKET,
        registry: Arc::new(Registry::default()),
        clock: Clock::default(),
    };
    let load = LOAD.start(&target);
    sleep(schedule.settle);
    let mut faults = Vec::new();
    for step in &schedule.steps {
        let mut start = target.clock.now();
        if step.fault == Fault::PauseCommit {
            start = stop_in_commit(&cluster, target.clock)?;
        }
        apply(&mut cluster, *step)?;
        faults.push((*step, start..target.clock.now()));
        sleep(schedule.settle);
    }
    let mut records = load.finish()?;
    let keys = keys(&records);
    for (number, node) in (LOAD.clients..).zip(&cluster.nodes) {
        let target = Target {
            address: node.address(),
            ..target.clone()
        };
        let mut reader = Client::new(number, target);
        for key in &keys {
            reader.get(key)?;
        }
        records.extend(reader.into_records());
    }
    let beside = cluster.fsck()?;
    for node in &mut cluster.nodes {
        node.terminate()?;
    }
    for node in &mut cluster.nodes {
        node.wait()?;
    }
    let after = cluster.fsck()?;
    Ok(Course {
        faults,
        records,
        checks: [beside, after],
    })
}

fn keys(records: &[Record]) -> Vec<String> {
    let effects = records.iter().flat_map(|record| &record.effects);
    let mut keys: Vec<_> = effects.map(|effect| effect.key.clone()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Lets it happen and ends it; returns when all parts work again.
fn apply(cluster: &mut Cluster, Step { fault, lasts }: Step) -> Result<(), HarnessError> {
    match fault {
        Fault::KillNode => {
            cluster.nodes[VICTIM].kill9()?;
            sleep(lasts);
            cluster.nodes[VICTIM].restart()
        }
        Fault::PauseNode | Fault::PauseCommit => paused(cluster.nodes[VICTIM].pid(), lasts),
        Fault::SkewClock(seconds) => {
            cluster.skew(seconds)?;
            sleep(lasts);
            cluster.skew(0)
        }
        Fault::StopPostgres => {
            cluster.postgres.stop()?;
            sleep(lasts);
            cluster.postgres.start_again()
        }
        Fault::KillPostgres => {
            cluster.postgres.kill9()?;
            sleep(lasts);
            cluster.postgres.start_again()
        }
        Fault::HangPostgres => {
            cluster.postgres.hang()?;
            sleep(lasts);
            cluster.postgres.resume()
        }
        Fault::HangStore => paused(cluster.store.pid(), lasts),
        Fault::KillStore => {
            cluster.store.kill9()?;
            sleep(lasts);
            cluster.store.restart()
        }
        Fault::RollingRestart => {
            for number in 0..NODES {
                cluster.restart_node(number)?;
            }
            Ok(())
        }
    }
}

/// Stops the victim inside a commit, and answers when.
fn stop_in_commit(cluster: &Cluster, clock: Clock) -> Result<u64, HarnessError> {
    let node = cluster.nodes[VICTIM].pid();
    for _ in 0..ATTEMPTS {
        let start = clock.now();
        send(node, Signal::STOP)?;
        // The transactions of the other nodes go on.
        sleep(IN_COMMIT * 2);
        if cluster.postgres.idle_transactions(IN_COMMIT)? > 0 {
            return Ok(start);
        }
        send(node, Signal::CONT)?;
        sleep(IN_COMMIT);
    }
    Err(HarnessError::Incomplete(
        "commit that a node was stopped in",
    ))
}

fn paused(process: u32, lasts: Duration) -> Result<(), HarnessError> {
    send(process, Signal::STOP)?;
    sleep(lasts);
    send(process, Signal::CONT)
}
