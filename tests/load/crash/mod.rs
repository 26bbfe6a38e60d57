//! `load crash`: kills a server again and again in the middle of its work, and checks after every restart that all
//! that was acknowledged is there and intact, and that nothing else is.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bucketry_tests::random::Random;
use clap::{Args, value_parser};
use tokio::task::JoinSet;

mod content;
mod drive;
mod model;
mod orphans;
mod verify;

use crate::connection::Connection;
use crate::crash::drive::{Life, Writer, drive};
use crate::crash::model::{Model, Violation};
use crate::crash::orphans::Check;
use crate::fault::Fault;
use crate::matrix::work_directory;
use crate::prepare;
use crate::server::{Launch, Server, launch_below};
use crate::target::{Front, Target};

/// The arguments of `crash`.
#[derive(Args)]
pub(crate) struct Options {
    /// The `bucketry` binary.
    #[arg(long)]
    server: PathBuf,
    /// A further argument of `bucketry serve`; repeatable.
    #[arg(long = "server-argument", allow_hyphen_values = true)]
    server_arguments: Vec<String>,
    /// Where the server keeps its data for the time; the system's temporary directory if not given.
    #[arg(long)]
    work_directory: Option<PathBuf>,
    /// How often the server is killed.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u32).range(1..=100_000))]
    cycles: u32,
    /// Decides what is written and when the server is killed; from the clock if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Writers at a time; they take turns at the fronts.
    #[arg(long, default_value_t = 8, value_parser = value_parser!(u16).range(1..=256))]
    writers: u16,
    /// Keys of each writer.
    #[arg(long, default_value_t = 40, value_parser = value_parser!(u16).range(1..=10_000))]
    keys: u16,
    /// The fronts.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["s3", "grpc"])]
    fronts: Vec<Front>,
    /// The server lives at least this long under load, in milliseconds.
    #[arg(long, default_value_t = 20, value_parser = value_parser!(u64).range(0..=60_000))]
    kill_after_min: u64,
    /// The server lives at most this long under load, in milliseconds.
    #[arg(long, default_value_t = 1500, value_parser = value_parser!(u64).range(1..=60_000))]
    kill_after_max: u64,
    /// How to look for orphans after the last cycle.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["fsck", "files"])]
    checks: Vec<Check>,
    /// How long the collector may take, in seconds.
    #[arg(long, default_value_t = 120, value_parser = value_parser!(u64).range(1..=86_400))]
    collect_within: u64,
}

/// What a run has come to.
struct Course {
    launch: Launch,
    target: Target,
    writers: Vec<Writer>,
    random: Random,
    acknowledged: u64,
    slowest_start: Duration,
}

/// Kills, restarts and checks; leaves the data behind if a promise was broken.
pub(crate) fn run(options: &Options) -> Result<(), Fault> {
    let seed = options.seed.unwrap_or_else(seed_of_the_clock);
    writeln!(io::stdout(), "seed {seed}")?;
    let directory = work_directory(options.work_directory.as_ref())?;
    let launch = launch_below(directory.path(), &options.server, &options.server_arguments);
    let outcome = prepare::runtime()?.block_on(run_cycles(options, launch, seed));
    if outcome.is_err() {
        writeln!(
            io::stderr(),
            "data and log are kept in {}",
            directory.keep().display()
        )?;
    }
    outcome
}

fn seed_of_the_clock() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or_default()
}

async fn run_cycles(options: &Options, launch: Launch, seed: u64) -> Result<(), Fault> {
    let mut server = Server::start(&launch)?;
    let target = prepare::bucket(&server.authority, "load-crash").await?;
    let mut course = Course::new(options, launch, target, seed);
    for cycle in 1..=options.cycles {
        let before = course.acknowledged;
        course.load_until_killed(options, server).await?;
        server = Server::start(&course.launch)?;
        course.slowest_start = course.slowest_start.max(server.ready_after);
        let present = course.verify(options, &server).await?;
        writeln!(
            io::stdout(),
            "cycle {cycle}: {} acknowledged, {present} objects intact, ready after {:.0} ms",
            course.acknowledged - before,
            server.ready_after.as_secs_f64() * 1e3
        )?;
    }
    course.look_for_orphans(options, server).await?;
    writeln!(
        io::stdout(),
        "{} cycles, {} operations acknowledged, none lost; slowest start {:.0} ms",
        options.cycles,
        course.acknowledged,
        course.slowest_start.as_secs_f64() * 1e3
    )?;
    Ok(())
}

impl Course {
    fn new(options: &Options, launch: Launch, target: Target, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let writers = (0..options.writers).map(|writer| Writer {
            model: Model::new(
                (0..options.keys).map(|key| format!("writer-{writer:03}/key-{key:04}")),
            ),
            random: Random::new(random.draw()),
        });
        Self {
            launch,
            target,
            writers: writers.collect(),
            random,
            acknowledged: 0,
            slowest_start: Duration::ZERO,
        }
    }

    /// Where a writer goes: the server has a new port after every start.
    fn target(&self, options: &Options, server: &Server, writer: usize) -> Target {
        let front = options
            .fronts
            .iter()
            .copied()
            .cycle()
            .nth(writer % options.fronts.len().max(1));
        Target {
            front: front.unwrap_or(Front::Grpc),
            authority: server.authority.clone(),
            ..self.target.clone()
        }
    }

    async fn load_until_killed(&mut self, options: &Options, server: Server) -> Result<(), Fault> {
        let killed = Arc::new(AtomicBool::new(false));
        let mut connections = Vec::new();
        for writer in 0..self.writers.len() {
            connections.push(Connection::open(&self.target(options, &server, writer)).await?);
        }
        let mut drivers = Vec::new();
        for (writer, connection) in self.writers.drain(..).zip(connections) {
            drivers.push(tokio::spawn(drive(writer, connection, Arc::clone(&killed))));
        }
        let span = options
            .kill_after_max
            .saturating_sub(options.kill_after_min);
        let life = Duration::from_millis(options.kill_after_min + self.random.below(span + 1));
        tokio::time::sleep(life).await;
        killed.store(true, Ordering::SeqCst);
        server.kill();
        let mut violations = Vec::new();
        for driver in drivers {
            let Life {
                writer,
                acknowledged,
                violation,
            } = driver.await.map_err(|_| Fault::Thread)?;
            self.writers.push(writer);
            self.acknowledged += acknowledged;
            violations.extend(violation);
        }
        report(&violations)
    }

    /// Reads everything back and answers with how many objects there are.
    async fn verify(&mut self, options: &Options, server: &Server) -> Result<usize, Fault> {
        let mut readers = JoinSet::new();
        let targets: Vec<_> = (0..self.writers.len())
            .map(|writer| self.target(options, server, writer))
            .collect();
        for (number, (writer, target)) in self.writers.drain(..).zip(targets).enumerate() {
            readers.spawn(async move {
                let Writer { mut model, random } = writer;
                let mut connection = Connection::open(&target).await?;
                let violations = verify::read_back(&mut model, &mut connection).await;
                Ok::<_, Fault>((number, Writer { model, random }, violations))
            });
        }
        // By number: which writer has which keys must not depend on who was ready first.
        let mut writers = BTreeMap::new();
        let mut violations = Vec::new();
        while let Some(read) = readers.join_next().await {
            let (number, writer, found) = read.map_err(|_| Fault::Thread)??;
            writers.insert(number, writer);
            violations.extend(found);
        }
        self.writers = writers.into_values().collect();
        // A listing is judged against what was read: after a broken promise it would only repeat it.
        report(&violations)?;
        let expected = self
            .writers
            .iter()
            .flat_map(|writer| writer.model.present())
            .collect();
        for front in 0..options.fronts.len() {
            let target = self.target(options, server, front);
            report(&verify::list_back(&expected, &target).await?)?;
        }
        Ok(expected.len())
    }

    async fn look_for_orphans(
        &mut self,
        options: &Options,
        mut server: Server,
    ) -> Result<(), Fault> {
        for check in &options.checks {
            match check {
                Check::Fsck => {
                    server.kill();
                    writeln!(io::stdout(), "fsck: {}", orphans::fsck(&self.launch)?)?;
                    server = Server::start(&self.launch)?;
                    self.verify(options, &server).await?;
                }
                Check::Files => {
                    let within = Duration::from_secs(options.collect_within);
                    let keys = self
                        .writers
                        .iter()
                        .flat_map(|writer| writer.model.present().into_keys());
                    let (files, took) =
                        orphans::files(&server, &self.launch, &self.target, keys, within).await?;
                    let took = took.as_secs_f64();
                    writeln!(
                        io::stdout(),
                        "files: {files} blob files after the last delete, none after {took:.1} s"
                    )?;
                }
            }
        }
        Ok(())
    }
}

fn report(violations: &[Violation]) -> Result<(), Fault> {
    for violation in violations {
        writeln!(io::stdout(), "VIOLATION {violation}")?;
    }
    match violations.len() {
        0 => Ok(()),
        count => Err(Fault::Violations { count }),
    }
}
