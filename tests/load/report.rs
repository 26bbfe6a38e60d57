//! What a measurement found, as a table for people and as JSON lines for machines.

use std::io::Write;
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use crate::cell::{Cell, Tally, Workload};
use crate::fault::Fault;
use crate::target::Front;

const MEGABYTE: f64 = 1e6;
const GIGABYTE: f64 = 1e9;
const MICROSECOND: f64 = 1e-6;

/// How reports are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A Markdown table.
    Table,
    /// One JSON object a line.
    Json,
}

/// The operations that are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Operation {
    /// Reading whole objects.
    Get,
    /// Asking for the headers of objects.
    Head,
    /// Writing under fresh keys.
    Put,
    /// Listing one page.
    List,
}

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::List => "LIST",
        }
    }
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Subject {
    /// Through which front.
    pub(crate) front: Front,
    /// Which operation.
    pub(crate) operation: Operation,
    /// Bytes of content of one operation; 0 for headers and listings.
    pub(crate) size: u64,
    /// How many connections at a time.
    pub(crate) connections: u16,
}

impl Subject {
    /// The subject of a cell.
    pub(crate) fn of(cell: &Cell) -> Self {
        let (operation, size) = match &cell.workload {
            Workload::Get { size, .. } => (Operation::Get, *size),
            // No content is sent.
            Workload::Head { .. } => (Operation::Head, 0),
            Workload::Put { content, .. } => (Operation::Put, content.len() as u64),
            Workload::List(_) => (Operation::List, 0),
        };
        Self {
            front: cell.target.front,
            operation,
            size,
            connections: cell.connections,
        }
    }
}

/// What a measurement cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// CPU time of the server.
    pub(crate) server_cpu: Option<Duration>,
    /// The most memory that the server had resident, in bytes.
    pub(crate) server_peak_bytes: Option<u64>,
    /// CPU time of the tool.
    pub(crate) tool_cpu: Duration,
}

/// What a measurement found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// What was measured.
    #[serde(flatten)]
    pub(crate) subject: Subject,
    /// Successes.
    pub(crate) operations: u64,
    /// Failures.
    pub(crate) errors: u64,
    /// The first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_error: Option<String>,
    /// From the first operation's begin to the last one's end.
    pub(crate) seconds: f64,
    /// Successes a second.
    pub(crate) operations_per_second: f64,
    /// Content in 10^6 bytes a second.
    pub(crate) megabytes_per_second: f64,
    /// Median latency in milliseconds.
    pub(crate) p50_ms: f64,
    /// 99th percentile in milliseconds.
    pub(crate) p99_ms: f64,
    /// The slowest in milliseconds.
    pub(crate) max_ms: f64,
    /// The server's CPU time of one operation, in microseconds.
    pub(crate) server_cpu_us_per_operation: Option<f64>,
    /// The server's CPU time of 10^9 bytes of content, in seconds.
    pub(crate) server_cpu_s_per_gigabyte: Option<f64>,
    /// The most memory that the server had resident, in 10^6 bytes.
    pub(crate) server_peak_megabytes: Option<f64>,
    /// The tool's own CPU time of one operation, in microseconds.
    pub(crate) tool_cpu_us_per_operation: f64,
}

impl Report {
    /// Works the figures out.
    pub(crate) fn new(subject: Subject, tally: &Tally, elapsed: Duration, cost: Cost) -> Self {
        let operations = tally.latencies.len();
        let bytes = operations as f64 * subject.size as f64;
        let seconds = elapsed.as_secs_f64().max(MICROSECOND);
        let milliseconds = |nanoseconds: u64| nanoseconds as f64 / 1e6;
        let each = |cpu: Duration| cpu.as_secs_f64() / MICROSECOND / (operations.max(1) as f64);
        Self {
            subject,
            operations,
            errors: tally.errors,
            first_error: tally.first_error.clone(),
            seconds,
            operations_per_second: operations as f64 / seconds,
            megabytes_per_second: bytes / MEGABYTE / seconds,
            p50_ms: milliseconds(tally.latencies.value_at_quantile(0.5)),
            p99_ms: milliseconds(tally.latencies.value_at_quantile(0.99)),
            max_ms: milliseconds(tally.latencies.max()),
            server_cpu_us_per_operation: cost.server_cpu.map(each),
            server_cpu_s_per_gigabyte: cost
                .server_cpu
                .filter(|_| bytes > 0.0)
                .map(|cpu| cpu.as_secs_f64() * GIGABYTE / bytes),
            server_peak_megabytes: cost.server_peak_bytes.map(|bytes| bytes as f64 / MEGABYTE),
            tool_cpu_us_per_operation: each(cost.tool_cpu),
        }
    }

    fn row(&self) -> String {
        let some = |value: Option<f64>, digits: usize| match value {
            Some(value) => format!("{value:.digits$}"),
            None => "–".to_owned(),
        };
        format!(
            "| {} | {} | {} | {} | {:.0} | {} | {:.3} | {:.3} | {} | {} | {} | {:.0} | {} |",
            self.subject.front.name(),
            self.subject.operation.name(),
            size_name(self.subject.size),
            self.subject.connections,
            self.operations_per_second,
            some(
                Some(self.megabytes_per_second).filter(|_| self.subject.size > 0),
                1
            ),
            self.p50_ms,
            self.p99_ms,
            some(self.server_cpu_us_per_operation, 1),
            some(self.server_cpu_s_per_gigabyte, 2),
            some(self.server_peak_megabytes, 0),
            self.tool_cpu_us_per_operation,
            self.errors,
        )
    }
}

/// The head of the table.
const HEAD: &str = "\
| front | operation | size | connections | operations/s | MB/s | p50 ms | p99 ms | server CPU µs/operation | \
server CPU s/GB | peak MB | tool CPU µs/operation | errors |
|---|---|---|---|---|---|---|---|---|---|---|---|---|";

/// A size as people say it: `4 KiB`, `64 MiB`.
pub(crate) fn size_name(bytes: u64) -> String {
    const KIBIBYTE: u64 = 1024;
    const MEBIBYTE: u64 = 1024 * KIBIBYTE;
    match bytes {
        0 => "–".to_owned(),
        _ if bytes.is_multiple_of(MEBIBYTE) => format!("{} MiB", bytes / MEBIBYTE),
        _ if bytes.is_multiple_of(KIBIBYTE) => format!("{} KiB", bytes / KIBIBYTE),
        _ => format!("{bytes} B"),
    }
}

/// Writes the head of the table; JSON has none.
pub(crate) fn begin(sink: &mut impl Write, output: Output) -> Result<(), Fault> {
    match output {
        Output::Table => writeln!(sink, "{HEAD}")?,
        Output::Json => {}
    }
    Ok(())
}

/// Writes one report.
pub(crate) fn write(sink: &mut impl Write, output: Output, report: &Report) -> Result<(), Fault> {
    match output {
        Output::Table => writeln!(sink, "{}", report.row())?,
        Output::Json => writeln!(sink, "{}", serde_json::to_string(report)?)?,
    }
    sink.flush()?;
    Ok(())
}

/// A run in which operations failed is a failure of the run.
pub(crate) fn succeeded(reports: &[Report]) -> Result<(), Fault> {
    let errors = reports.iter().map(|report| report.errors).sum();
    match reports.iter().find_map(|report| report.first_error.clone()) {
        Some(first) => Err(Fault::Failed { errors, first }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::cell::latencies;

    fn report() -> Report {
        let mut histogram = latencies().unwrap();
        for milliseconds in 1..=100_u64 {
            histogram.record(milliseconds * 1_000_000).unwrap();
        }
        let tally = Tally {
            latencies: histogram,
            errors: 2,
            first_error: Some("first".into()),
            ended: Instant::now(),
        };
        let subject = Subject {
            front: Front::S3,
            operation: Operation::Get,
            size: 1_000_000,
            connections: 8,
        };
        let cost = Cost {
            server_cpu: Some(Duration::from_millis(50)),
            server_peak_bytes: Some(30_000_000),
            tool_cpu: Duration::from_millis(10),
        };
        Report::new(subject, &tally, Duration::from_secs(2), cost)
    }

    #[test]
    fn figures_are_in_their_units() {
        let report = report();
        let close = |value: f64, expected: f64| (value - expected).abs() <= expected * 0.001;
        assert!(close(report.operations_per_second, 50.0));
        assert!(close(report.megabytes_per_second, 50.0));
        assert!(close(report.p50_ms, 50.0), "{}", report.p50_ms);
        assert!(close(report.p99_ms, 99.0), "{}", report.p99_ms);
        assert!(close(report.server_cpu_us_per_operation.unwrap(), 500.0));
        assert!(close(report.server_cpu_s_per_gigabyte.unwrap(), 0.5));
        assert!(close(report.server_peak_megabytes.unwrap(), 30.0));
        assert!(close(report.tool_cpu_us_per_operation, 100.0));
    }

    #[test]
    fn a_row_has_as_many_columns_as_the_head() {
        let columns = |line: &str| line.matches('|').count();
        let row = report().row();
        assert!(
            HEAD.lines().all(|line| columns(line) == columns(&row)),
            "{row}"
        );
    }

    #[test]
    fn failures_fail_the_run() {
        assert!(succeeded(&[report()]).is_err());
        let clean = Report {
            errors: 0,
            first_error: None,
            ..report()
        };
        assert!(succeeded(&[clean]).is_ok());
    }

    #[test]
    fn sizes_have_names() {
        let names = [0, 100, 4096, 1 << 20, 64 << 20].map(size_name);
        assert_eq!(names, ["–", "100 B", "4 KiB", "1 MiB", "64 MiB"]);
    }
}
