//! `load regress OLD NEW`: alternates two binaries within one run, so that drift in speed affects both alike.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, value_parser};
use tempfile::TempDir;

use crate::cell::{Cell, Workload, measure};
use crate::compare::median;
use crate::connection::PageQuery;
use crate::fault::Fault;
use crate::matrix::work_directory;
use crate::prepare;
use crate::report::{self, Report};
use crate::server::{Server, launch_below};
use crate::target::{Front, Target};

/// Objects of the bucket that is listed, and of a page of it.
const LISTED: u64 = 1000;
const PAGE: u16 = 1000;

/// The arguments of `regress`.
#[derive(Args)]
pub(crate) struct Options {
    /// The old `bucketry` binary.
    old: PathBuf,
    /// The new `bucketry` binary.
    new: PathBuf,
    /// How often each binary is measured with each operation; the medians are compared.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u16).range(1..=99))]
    turns: u16,
    /// How long to measure each time.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Bytes of the objects that are read and written.
    #[arg(long, default_value_t = 4096, value_parser = value_parser!(u64).range(0..=67_108_864))]
    size: u64,
    /// Connections, each with one operation at a time.
    #[arg(long, default_value_t = 8, value_parser = value_parser!(u16).range(1..=1024))]
    connections: u16,
    /// The front.
    #[arg(long, value_enum, default_value = "s3")]
    front: Front,
    /// Fail if the server's CPU time of an operation is more than this multiple of what it was.
    #[arg(long, value_name = "RATIO")]
    limit: Option<f64>,
    /// Where the servers keep their data during the run; the system's temporary directory if not given.
    #[arg(long)]
    work_directory: Option<PathBuf>,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Get,
    List,
    Put,
}

impl Operation {
    const ALL: [Self; 3] = [Self::Get, Self::List, Self::Put];

    fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::List => "LIST",
            Self::Put => "PUT",
        }
    }
}

/// A server of one of the binaries, with what is read from it.
struct Contender {
    // Ended before its directory is removed.
    server: Server,
    target: Target,
    /// A bucket with a page of objects.
    listed: Target,
    keys: Vec<String>,
    _directory: TempDir,
}

impl Contender {
    fn start(options: &Options, binary: &Path) -> Result<Self, Fault> {
        let directory = work_directory(options.work_directory.as_ref())?;
        let server = Server::start(&launch_below(directory.path(), binary, &[]))?;
        let runtime = prepare::runtime()?;
        let bucket = runtime.block_on(prepare::bucket(&server.authority, "load-regress"))?;
        let content = prepare::content(usize::try_from(options.size).unwrap_or(usize::MAX));
        let keys = runtime.block_on(prepare::objects(&bucket, &content))?;
        let listed = runtime.block_on(prepare::bucket(&server.authority, "load-regress-listed"))?;
        runtime.block_on(prepare::fill(&listed, LISTED, 32, |number| {
            format!("listed/{number:08}")
        }))?;
        let on = |bucket| Target {
            front: options.front,
            ..bucket
        };
        Ok(Self {
            server,
            target: on(bucket),
            listed: on(listed),
            keys,
            _directory: directory,
        })
    }

    /// Microseconds of the server's CPU time for one operation.
    fn cost(&self, options: &Options, operation: Operation, turn: u16) -> Result<f64, Fault> {
        let size = options.size;
        let workload = match operation {
            Operation::Get => Workload::Get {
                keys: self.keys.clone(),
                size,
            },
            Operation::List => Workload::List(PageQuery {
                page_size: PAGE,
                ..PageQuery::default()
            }),
            Operation::Put => Workload::Put {
                prefix: format!("load-put/{turn}"),
                content: prepare::content(usize::try_from(size).unwrap_or(usize::MAX)),
            },
        };
        let target = match operation {
            Operation::Get | Operation::Put => &self.target,
            Operation::List => &self.listed,
        };
        let found: Report = measure(Cell {
            target: target.clone(),
            workload,
            connections: options.connections,
            threads: 1,
            duration: Duration::from_secs(options.seconds),
            operations: u64::MAX,
            server: Some(self.server.pid()),
        })?;
        let cost = found.server_cpu_us_per_operation;
        report::succeeded(&[found])?;
        cost.ok_or(Fault::Lacking("the server's CPU time"))
    }
}

/// Measures in turns and compares.
pub(crate) fn run(options: &Options) -> Result<(), Fault> {
    let old = Contender::start(options, &options.old)?;
    let new = Contender::start(options, &options.new)?;
    let mut sink = io::stdout().lock();
    writeln!(sink, "server CPU in µs per operation, {} B", options.size)?;
    for operation in Operation::ALL {
        let mut costs = (Vec::new(), Vec::new());
        for turn in 0..options.turns {
            let old_cost = |costs: &mut Vec<f64>| -> Result<(), Fault> {
                costs.push(old.cost(options, operation, turn)?);
                Ok(())
            };
            let new_cost = |costs: &mut Vec<f64>| -> Result<(), Fault> {
                costs.push(new.cost(options, operation, turn)?);
                Ok(())
            };
            // Going first may help or hurt on a given machine: each binary goes first equally often.
            if turn % 2 == 0 {
                old_cost(&mut costs.0)?;
                new_cost(&mut costs.1)?;
            } else {
                new_cost(&mut costs.1)?;
                old_cost(&mut costs.0)?;
            }
        }
        let medians = median(costs.0.clone()).zip(median(costs.1.clone()));
        let (before, now) = medians.ok_or(Fault::Lacking("a turn"))?;
        let ratio = now / before;
        writeln!(
            sink,
            "{:4} old {before:7.1}  new {now:7.1}  new/old {ratio:.3}   old {:.1?}  new {:.1?}",
            operation.name(),
            costs.0,
            costs.1
        )?;
        if let Some(limit) = options.limit.filter(|limit| ratio > *limit) {
            return Err(Fault::Regressed {
                operation: operation.name(),
                ratio,
                limit,
            });
        }
    }
    Ok(())
}
