//! `load matrix`: starts a server and measures every front, operation, size and number of connections.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use clap::{Args, value_parser};
use tempfile::TempDir;

use crate::cell::{Cell, Workload, measure};
use crate::connection::PageQuery;
use crate::fault::Fault;
use crate::prepare;
use crate::report::{self, Operation, Output, Report};
use crate::server::{Server, launch_below};
use crate::target::{Front, Target};
use crate::usage;

const SIZES: [u64; 4] = [4 * 1024, 64 * 1024, 1024 * 1024, 64 * 1024 * 1024];
/// One cell writes no more than this, so that the disk needs no more than about 30 GB.
const MOST_WRITTEN: u64 = 4 * 1024 * 1024 * 1024;
const LISTED: u64 = 10_000;
/// Bytes of the objects whose headers are asked for.
const HEADED: u64 = 4 * 1024;

/// The arguments of `matrix`.
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
    /// How long to measure each cell.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// The fronts.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["s3", "grpc"])]
    fronts: Vec<Front>,
    /// The operations.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["get", "list", "put"])]
    operations: Vec<Operation>,
    /// The sizes in bytes.
    #[arg(long, value_delimiter = ',', default_values_t = SIZES)]
    sizes: Vec<u64>,
    /// The numbers of connections.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32], value_parser = value_parser!(u16).range(1..=1024))]
    connections: Vec<u16>,
    /// Threads of the tool.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..=64))]
    threads: u16,
    /// A table or JSON lines on standard output.
    #[arg(long, value_enum, default_value = "table")]
    output: Output,
    /// Where JSON lines go besides.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// A temporary directory for the server, removed afterwards.
pub(crate) fn work_directory(parent: Option<&PathBuf>) -> Result<TempDir, Fault> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("bucketry-load-");
    Ok(match parent {
        Some(parent) => builder.tempdir_in(parent)?,
        None => builder.tempdir()?,
    })
}

/// Measures and reports.
pub(crate) fn run(options: &Options) -> Result<(), Fault> {
    let directory = work_directory(options.work_directory.as_ref())?;
    let server = Server::start(&launch_below(
        directory.path(),
        &options.server,
        &options.server_arguments,
    ))?;
    let ready = server.ready_after.as_secs_f64() * 1e3;
    writeln!(io::stderr(), "ready after {ready:.0} ms")?;
    let mut json = options.json.as_ref().map(File::create).transpose()?;
    let mut sink = io::stdout().lock();
    report::begin(&mut sink, options.output)?;
    let mut reports = Vec::new();
    for (target, workload) in courses(options, &server)? {
        for connections in &options.connections {
            let found = one(options, &server, &target, &workload, *connections)?;
            report::write(&mut sink, options.output, &found)?;
            if let Some(json) = &mut json {
                report::write(json, Output::Json, &found)?;
            }
            reports.push(found);
        }
    }
    report::succeeded(&reports)
}

fn one(
    options: &Options,
    server: &Server,
    target: &Target,
    workload: &Workload,
    connections: u16,
) -> Result<Report, Fault> {
    usage::reset_peak(server.pid())?;
    measure(Cell {
        target: target.clone(),
        operations: most_operations(workload),
        workload: freshened(workload, connections),
        connections,
        threads: options.threads,
        duration: Duration::from_secs(options.seconds),
        server: Some(server.pid()),
    })
}

/// Every target with every workload: reads before writes, so that what is written does not slow what is read.
fn courses(options: &Options, server: &Server) -> Result<Vec<(Target, Workload)>, Fault> {
    let runtime = prepare::runtime()?;
    let content = prepare::content(largest(&options.sizes));
    let objects = runtime.block_on(prepare::bucket(&server.authority, "load-objects"))?;
    let listed = runtime.block_on(prepare::bucket(&server.authority, "load-listed"))?;
    let mut courses = Vec::new();
    let on = |front, target: &Target| Target {
        front,
        ..target.clone()
    };
    for operation in &options.operations {
        match operation {
            Operation::Get => {
                for size in &options.sizes {
                    let keys =
                        runtime.block_on(prepare::objects(&objects, &sized(&content, *size)))?;
                    let workload = Workload::Get { keys, size: *size };
                    courses.extend(
                        options
                            .fronts
                            .iter()
                            .map(|front| (on(*front, &objects), workload.clone())),
                    );
                }
            }
            Operation::Head => {
                let content = sized(&content, HEADED);
                let keys = runtime.block_on(prepare::objects(&objects, &content))?;
                let size = content.len() as u64;
                let workload = Workload::Head { keys, size };
                courses.extend(
                    options
                        .fronts
                        .iter()
                        .map(|front| (on(*front, &objects), workload.clone())),
                );
            }
            Operation::List => {
                runtime.block_on(prepare::fill(&listed, LISTED, 32, |number| {
                    format!("listed/{number:08}")
                }))?;
                let workload = Workload::List(PageQuery {
                    page_size: 1000,
                    ..Default::default()
                });
                courses.extend(
                    options
                        .fronts
                        .iter()
                        .map(|front| (on(*front, &listed), workload.clone())),
                );
            }
            Operation::Put => {
                for size in &options.sizes {
                    courses.extend(options.fronts.iter().map(|front| {
                        let prefix = format!("load-put/{}", front.name());
                        let content = sized(&content, *size);
                        (on(*front, &objects), Workload::Put { prefix, content })
                    }));
                }
            }
        }
    }
    courses.sort_by_key(|(_, workload)| matches!(workload, Workload::Put { .. }));
    Ok(courses)
}

fn largest(sizes: &[u64]) -> usize {
    let largest = sizes.iter().copied().max().unwrap_or_default();
    usize::try_from(largest).unwrap_or(usize::MAX)
}

fn sized(content: &Bytes, size: u64) -> Bytes {
    content.slice(
        ..content
            .len()
            .min(usize::try_from(size).unwrap_or(usize::MAX)),
    )
}

/// Each cell writes under keys of its own.
fn freshened(workload: &Workload, connections: u16) -> Workload {
    match workload {
        Workload::Put { prefix, content } => Workload::Put {
            prefix: format!("{prefix}/{}/{connections}", content.len()),
            content: content.clone(),
        },
        Workload::Get { .. } | Workload::Head { .. } | Workload::List(_) => workload.clone(),
    }
}

fn most_operations(workload: &Workload) -> u64 {
    match workload {
        Workload::Put { content, .. } => MOST_WRITTEN / (content.len() as u64).max(1),
        Workload::Get { .. } | Workload::Head { .. } | Workload::List(_) => u64::MAX,
    }
}
