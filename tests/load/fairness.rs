//! `load fairness`: how much of its rate an account with few connections keeps beside one with many.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::{Args, value_parser};

use crate::cell::{Cell, Workload, measure};
use crate::fault::Fault;
use crate::matrix::work_directory;
use crate::prepare;
use crate::report::{self, Operation, Output, Report};
use crate::server::{Server, launch_below};
use crate::target::{Front, Target};

/// The arguments of `fairness`.
#[derive(Args)]
pub(crate) struct Options {
    /// The `bucketry` binary.
    #[arg(long)]
    server: PathBuf,
    /// Connections of the account with few.
    #[arg(long, default_value_t = 8, value_parser = value_parser!(u16).range(1..=1024))]
    few: u16,
    /// Connections of the account with many.
    #[arg(long, default_value_t = 1000, value_parser = value_parser!(u16).range(1..=1024))]
    many: u16,
    /// How long to measure each time.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Bytes of the objects that are read and written.
    #[arg(long, default_value_t = 4096, value_parser = value_parser!(u64).range(0..=67_108_864))]
    size: u64,
    /// The front.
    #[arg(long, value_enum, default_value = "s3")]
    front: Front,
    /// Send the requests of the account with many connections to a second server, unknown to the measured one;
    /// any loss then comes from sharing the machine.
    #[arg(long)]
    elsewhere: bool,
    /// Fail if the account with few connections keeps less than this part of its rate.
    #[arg(long, value_name = "RATIO")]
    least: Option<f64>,
    /// Where the server keeps its data during the run; the system's temporary directory if not given.
    #[arg(long)]
    work_directory: Option<PathBuf>,
}

/// One account, with what it reads.
struct Party {
    target: Target,
    keys: Vec<String>,
    connections: u16,
}

impl Party {
    fn new(
        options: &Options,
        server: &Server,
        name: &str,
        connections: u16,
    ) -> Result<Self, Fault> {
        let runtime = prepare::runtime()?;
        let target = runtime.block_on(prepare::account(&server.authority, name))?;
        let content = prepare::content(usize::try_from(options.size).unwrap_or(usize::MAX));
        let keys = runtime.block_on(prepare::objects(&target, &content))?;
        Ok(Self {
            target: Target {
                front: options.front,
                ..target
            },
            keys,
            connections,
        })
    }

    fn cell(&self, options: &Options, operation: Operation, turn: &str) -> Cell {
        let size = options.size;
        let workload = match operation {
            Operation::Get | Operation::Head | Operation::List => Workload::Get {
                keys: self.keys.clone(),
                size,
            },
            Operation::Put => Workload::Put {
                prefix: format!("load-put/{turn}"),
                content: prepare::content(usize::try_from(size).unwrap_or(usize::MAX)),
            },
        };
        Cell {
            target: self.target.clone(),
            workload,
            connections: self.connections,
            threads: 1,
            duration: Duration::from_secs(options.seconds),
            operations: u64::MAX,
            server: None,
        }
    }
}

/// Measures the account with few connections alone and beside the other, and compares.
pub(crate) fn run(options: &Options) -> Result<(), Fault> {
    let directory = work_directory(options.work_directory.as_ref())?;
    let server = Server::start(&launch_below(directory.path(), &options.server, &[]))?;
    let elsewhere = if options.elsewhere {
        let below = directory.path().join("elsewhere");
        fs::create_dir(&below)?;
        Some(Server::start(&launch_below(&below, &options.server, &[]))?)
    } else {
        None
    };
    let few = Party::new(options, &server, "load-few", options.few)?;
    let many = Party::new(
        options,
        elsewhere.as_ref().unwrap_or(&server),
        "load-many",
        options.many,
    )?;
    let mut sink = io::stdout().lock();
    report::begin(&mut sink, Output::Table)?;
    let mut least: f64 = f64::INFINITY;
    for operation in [Operation::Get, Operation::Put] {
        let alone = measure(few.cell(options, operation, "alone"))?;
        let of_many = many.cell(options, operation, "many");
        let beside = thread::spawn(move || measure(of_many));
        let together = measure(few.cell(options, operation, "together"))?;
        let beside = beside.join().map_err(|_| Fault::Thread)??;
        for found in [&alone, &together, &beside] {
            report::write(&mut sink, Output::Table, found)?;
        }
        least = least.min(ratio(&together, &alone));
        // The account with many connections may be told to slow down.
        report::succeeded(&[alone, together])?;
    }
    writeln!(
        sink,
        "\nthe least of its rate that the account with few connections kept: {least:.2}"
    )?;
    match options.least {
        Some(limit) if least < limit => Err(Fault::Unfair {
            ratio: least,
            least: limit,
        }),
        Some(_) | None => Ok(()),
    }
}

fn ratio(together: &Report, alone: &Report) -> f64 {
    together.operations_per_second / alone.operations_per_second
}
