//! `load run`: one measurement against a server that runs.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, value_parser};

use crate::cell::{Cell, Workload, measure};
use crate::connection::PageQuery;
use crate::fault::Fault;
use crate::prepare;
use crate::report::{self, Operation, Output};
use crate::target::{Authority, Credentials, Front, Target};
use crate::usage;

/// The arguments of `run`. The key comes from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
#[derive(Args)]
pub(crate) struct Options {
    /// Where the server listens: http://host:port.
    #[arg(long)]
    endpoint: String,
    /// The bucket; objects to read are written to it first.
    #[arg(long)]
    bucket: String,
    /// The region that signatures name.
    #[arg(long, default_value = prepare::REGION)]
    region: String,
    /// The front door.
    #[arg(long, value_enum, default_value = "s3")]
    front: Front,
    /// The operation.
    #[arg(long, value_enum, default_value = "get")]
    operation: Operation,
    /// Bytes of an object that is read or written.
    #[arg(long, default_value_t = 4096, value_parser = value_parser!(u64).range(0..=1_073_741_824))]
    size: u64,
    /// Connections, each with one operation at a time.
    #[arg(long, default_value_t = 8, value_parser = value_parser!(u16).range(1..=1024))]
    connections: u16,
    /// Threads of the tool.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..=64))]
    threads: u16,
    /// How long to measure.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// No more operations than this.
    #[arg(long, default_value_t = 10_000_000)]
    operations: u64,
    /// The server's process, to read its CPU time and memory.
    #[arg(long)]
    server_pid: Option<u32>,
    /// Of a listing: where keys are rolled up.
    #[arg(long, default_value = "")]
    delimiter: String,
    /// Of a listing: what keys begin with.
    #[arg(long, default_value = "")]
    prefix: String,
    /// Of a listing: after which key it begins.
    #[arg(long, default_value = "")]
    start_after: String,
    /// A table or JSON.
    #[arg(long, value_enum, default_value = "table")]
    output: Output,
}

/// Measures and reports.
pub(crate) fn run(options: &Options) -> Result<(), Fault> {
    let target = Target {
        front: options.front,
        authority: Authority::parse(&options.endpoint)?,
        bucket: options.bucket.clone(),
        credentials: Credentials::from_environment()?,
        region: options.region.clone(),
        tokens: Arc::default(),
    };
    let workload = workload(options, &target)?;
    if let Some(pid) = options.server_pid {
        usage::reset_peak(pid)?;
    }
    let found = measure(Cell {
        target,
        workload,
        connections: options.connections,
        threads: options.threads,
        duration: Duration::from_secs(options.seconds),
        operations: options.operations,
        server: options.server_pid,
    })?;
    let mut sink = io::stdout().lock();
    report::begin(&mut sink, options.output)?;
    report::write(&mut sink, options.output, &found)?;
    report::succeeded(&[found])
}

fn workload(options: &Options, target: &Target) -> Result<Workload, Fault> {
    let size = usize::try_from(options.size).unwrap_or(usize::MAX);
    let keys = || prepare::runtime()?.block_on(prepare::objects(target, &prepare::content(size)));
    Ok(match options.operation {
        Operation::Get => Workload::Get {
            keys: keys()?,
            size: options.size,
        },
        Operation::Head => Workload::Head {
            keys: keys()?,
            size: options.size,
        },
        Operation::Put => Workload::Put {
            prefix: format!("load-put/{}", prepare::run_name()),
            content: prepare::content(size),
        },
        Operation::List => Workload::List(PageQuery {
            prefix: options.prefix.clone(),
            delimiter: options.delimiter.clone(),
            start_after: options.start_after.clone(),
            page_size: 1000,
        }),
    })
}
