//! `load list-scaling`: does a page cost more in a large bucket than in a small one?

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, value_parser};
use serde::Serialize;

use crate::cell::{Cell, Workload, measure};
use crate::connection::{Connection, PageQuery};
use crate::fault::Fault;
use crate::matrix::work_directory;
use crate::prepare;
use crate::report::{self, Output, Report};
use crate::server::{Server, launch_below};
use crate::target::{Front, Target};
use crate::usage;

/// Both buckets have this many folders, so that rolled-up pages are of the same length.
const FOLDERS: u64 = 2_500;
const PAGE: u16 = 1000;

/// The arguments of `list-scaling`.
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
    /// Objects of the small bucket.
    #[arg(long, default_value_t = 10_000, value_parser = value_parser!(u64).range(5_000..=100_000_000))]
    small: u64,
    /// Objects of the large bucket.
    #[arg(long, default_value_t = 1_000_000, value_parser = value_parser!(u64).range(5_000..=100_000_000))]
    large: u64,
    /// Connections that fill the buckets.
    #[arg(long, default_value_t = 64, value_parser = value_parser!(u16).range(1..=1024))]
    fill_connections: u16,
    /// How long to measure each kind of page.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// The front door.
    #[arg(long, value_enum, default_value = "s3")]
    front: Front,
    /// A table or JSON lines.
    #[arg(long, value_enum, default_value = "table")]
    output: Output,
}

/// One kind of page in both buckets.
#[derive(Serialize)]
struct Comparison {
    page: &'static str,
    small_objects: u64,
    large_objects: u64,
    small_p50_ms: f64,
    large_p50_ms: f64,
    p50_ratio: f64,
    small_cpu_us: f64,
    large_cpu_us: f64,
    cpu_ratio: f64,
}

/// Fills, measures and reports.
pub(crate) fn run(options: &Options) -> Result<(), Fault> {
    let directory = work_directory(options.work_directory.as_ref())?;
    let server = Server::start(&launch_below(
        directory.path(),
        &options.server,
        &options.server_arguments,
    ))?;
    let small = filled(options, &server, "load-small", options.small)?;
    let large = filled(options, &server, "load-large", options.large)?;
    let mut sink = io::stdout().lock();
    if options.output == Output::Table {
        writeln!(sink, "{}", head(options))?;
    }
    let mut reports = Vec::new();
    for (name, query) in pages() {
        let of_small = page(options, &server, &small, &query)?;
        let of_large = page(options, &server, &large, &query)?;
        let comparison = compare(options, name, &of_small, &of_large);
        match options.output {
            Output::Table => writeln!(sink, "{}", comparison.row())?,
            Output::Json => writeln!(sink, "{}", serde_json::to_string(&comparison)?)?,
        }
        sink.flush()?;
        reports.extend([of_small, of_large]);
    }
    report::succeeded(&reports)
}

fn filled(options: &Options, server: &Server, name: &str, count: u64) -> Result<Target, Fault> {
    let runtime = prepare::runtime()?;
    let target = runtime.block_on(prepare::bucket(&server.authority, name))?;
    runtime.block_on(prepare::fill(&target, count, options.fill_connections, key))?;
    writeln!(io::stderr(), "{name}: {count} objects")?;
    Ok(Target {
        front: options.front,
        ..target
    })
}

/// Neighbours in time lie apart in the bucket, as they do in life.
fn key(number: u64) -> String {
    format!(
        "folder-{:04}/object-{:08}",
        number % FOLDERS,
        number / FOLDERS
    )
}

fn pages() -> [(&'static str, PageQuery); 4] {
    let middle = format!("folder-{:04}/", FOLDERS / 2);
    let query = |delimiter: &str, start_after: &str| PageQuery {
        prefix: String::new(),
        delimiter: delimiter.to_owned(),
        start_after: start_after.to_owned(),
        page_size: PAGE,
    };
    [
        ("keys, first", query("", "")),
        ("keys, middle", query("", &middle)),
        ("prefixes, first", query("/", "")),
        ("prefixes, middle", query("/", &middle)),
    ]
}

fn page(
    options: &Options,
    server: &Server,
    target: &Target,
    query: &PageQuery,
) -> Result<Report, Fault> {
    let entries = prepare::runtime()?.block_on(async {
        let page = Connection::open(target).await?.list(query).await?;
        Ok::<_, Fault>(page.objects.len() + page.prefixes)
    })?;
    // A short page would be a fast one.
    if entries != usize::from(PAGE) {
        return Err(Fault::Length {
            expected: PAGE.into(),
            got: entries as u64,
        });
    }
    usage::reset_peak(server.pid())?;
    measure(Cell {
        target: target.clone(),
        workload: Workload::List(query.clone()),
        connections: 1,
        threads: 1,
        duration: Duration::from_secs(options.seconds),
        operations: u64::MAX,
        server: Some(server.pid()),
    })
}

fn compare(options: &Options, page: &'static str, small: &Report, large: &Report) -> Comparison {
    let cpu = |report: &Report| report.server_cpu_us_per_operation.unwrap_or_default();
    let ratio = |small: f64, large: f64| if small > 0.0 { large / small } else { f64::NAN };
    Comparison {
        page,
        small_objects: options.small,
        large_objects: options.large,
        small_p50_ms: small.p50_ms,
        large_p50_ms: large.p50_ms,
        p50_ratio: ratio(small.p50_ms, large.p50_ms),
        small_cpu_us: cpu(small),
        large_cpu_us: cpu(large),
        cpu_ratio: ratio(cpu(small), cpu(large)),
    }
}

fn head(options: &Options) -> String {
    let (small, large) = (options.small, options.large);
    format!(
        "| page of {PAGE} | p50 ms of {small} | p50 ms of {large} | ratio | server CPU µs of {small} | \
         server CPU µs of {large} | ratio |\n|---|---|---|---|---|---|---|"
    )
}

impl Comparison {
    fn row(&self) -> String {
        format!(
            "| {} | {:.3} | {:.3} | {:.2} | {:.0} | {:.0} | {:.2} |",
            self.page,
            self.small_p50_ms,
            self.large_p50_ms,
            self.p50_ratio,
            self.small_cpu_us,
            self.large_cpu_us,
            self.cpu_ratio
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_bucket_fills_every_page() {
        let least = 5_000;
        for (name, query) in pages() {
            let mut entries: Vec<_> = (0..least)
                .map(key)
                .filter(|key| *key > query.start_after)
                .collect();
            if !query.delimiter.is_empty() {
                for entry in &mut entries {
                    entry.truncate(entry.find('/').unwrap() + 1);
                }
                entries.retain(|prefix| *prefix > query.start_after);
            }
            entries.sort();
            entries.dedup();
            assert!(
                entries.len() >= usize::from(PAGE),
                "{name}: {}",
                entries.len()
            );
        }
    }
}
