//! `load compare`: nginx, our server and others measured in turns within one run, over many keys and tokens. Machines
//! differ and drift; the ratios to nginx within a run can be compared.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, value_parser};

mod cell_kind;
mod comparison_table;
mod competitor;
mod corpus;
mod nginx;
mod peer;

pub(crate) use crate::compare::comparison_table::median;

use crate::cell::{Cell, measure};
use crate::compare::cell_kind::CellKind;
use crate::compare::competitor::Competitor;
use crate::compare::corpus::Corpus;
use crate::compare::peer::Peer;
use crate::fault::Fault;
use crate::matrix::work_directory;
use crate::report::{self, Report};
use crate::usage;

/// The arguments of `compare`. The key to the servers of `--endpoint` comes from `AWS_ACCESS_KEY_ID` and
/// `AWS_SECRET_ACCESS_KEY`.
#[derive(Args)]
pub(crate) struct Options {
    /// The `bucketry` binary.
    #[arg(long)]
    server: PathBuf,
    /// A further argument of `bucketry serve`; repeatable.
    #[arg(long = "server-argument", allow_hyphen_values = true)]
    server_arguments: Vec<String>,
    /// The nginx binary.
    #[arg(long, default_value = "/usr/sbin/nginx")]
    nginx: PathBuf,
    /// Another S3 server that runs, with its process: NAME=http://host:port@PID; repeatable. The buckets `load-compare`
    /// and `load-compare-written` are made there and stay.
    #[arg(long = "endpoint", value_name = "NAME=URL@PID")]
    endpoints: Vec<String>,
    /// Objects of 4 KiB in the bucket that is read and listed [default: 100000]
    #[arg(long, value_parser = value_parser!(u64).range(1_000..=100_000_000))]
    keys: Option<u64>,
    /// Tokens of that bucket, used in turn by the cells over all keys [default: 10000]
    #[arg(long, value_parser = value_parser!(u64).range(1..=1_000_000))]
    tokens: Option<u64>,
    /// How often each server is measured with each cell; the medians are shown [default: 3]
    #[arg(long, value_parser = value_parser!(u16).range(1..=99))]
    turns: Option<u16>,
    /// How long to measure each time [default: 3]
    #[arg(long, value_parser = value_parser!(u64).range(1..=60))]
    seconds: Option<u64>,
    /// The numbers of connections.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32], value_parser = value_parser!(u16).range(1..=1024))]
    connections: Vec<u16>,
    /// The cells; all if not given.
    #[arg(long, value_enum, value_delimiter = ',')]
    cells: Vec<CellKind>,
    /// A small run, to try the tool: 1,000 keys, 100 tokens, one turn of one second, unless given otherwise.
    #[arg(long)]
    quick: bool,
    /// How long writing the objects and making the tokens may take on each server, in seconds.
    #[arg(long, default_value_t = 900, value_parser = value_parser!(u64).range(1..=86_400))]
    populate_within: u64,
    /// Where nginx and the server keep their data during the run; the system's temporary directory if not given.
    #[arg(long)]
    work_directory: Option<PathBuf>,
}

/// The options with their defaults.
struct ComparisonPlan {
    keys: u64,
    tokens: u64,
    turns: u16,
    duration: Duration,
    populate_within: Duration,
    cells: Vec<CellKind>,
}

impl ComparisonPlan {
    fn of(options: &Options) -> Self {
        let (keys, tokens, turns, seconds) = if options.quick {
            (1_000, 100, 1, 1)
        } else {
            (100_000, 10_000, 3, 3)
        };
        Self {
            keys: options.keys.unwrap_or(keys),
            tokens: options.tokens.unwrap_or(tokens),
            turns: options.turns.unwrap_or(turns),
            duration: Duration::from_secs(options.seconds.unwrap_or(seconds)),
            populate_within: Duration::from_secs(options.populate_within),
            cells: if options.cells.is_empty() {
                CellKind::ALL.to_vec()
            } else {
                CellKind::ALL
                    .into_iter()
                    .filter(|kind| options.cells.contains(kind))
                    .collect()
            },
        }
    }
}

/// Starts, populates, measures in turns and prints.
pub(crate) fn run(options: &Options) -> Result<(), Fault> {
    let plan = ComparisonPlan::of(options);
    let peers: Vec<Peer> = options
        .endpoints
        .iter()
        .map(|text| Peer::parse(text))
        .collect::<Result<_, _>>()?;
    let directory = work_directory(options.work_directory.as_ref())?;
    let corpus = Corpus::new(plan.keys);
    // The competitors end before their directory is removed.
    let mut competitors = vec![Competitor::nginx(
        &options.nginx,
        &directory.path().join("nginx"),
        &corpus,
    )?];
    competitors.push(Competitor::bucketry(
        options,
        &plan,
        directory.path(),
        &corpus,
    )?);
    for peer in peers {
        competitors.push(Competitor::peer(peer, &plan, &corpus)?);
    }
    let mut sink = io::stdout().lock();
    for competitor in &competitors {
        writeln!(sink, "{}", competitor.summary()?)?;
    }
    writeln!(sink, "\n{}", comparison_table::HEAD)?;
    let mut reports = Vec::new();
    for kind in &plan.cells {
        for connections in &options.connections {
            let measured = take_turns(&plan, &competitors, &corpus, *kind, *connections)?;
            for row in comparison_table::rows(*kind, *connections, &measured) {
                writeln!(sink, "{row}")?;
            }
            sink.flush()?;
            reports.extend(measured.into_iter().flat_map(|(_, reports)| reports));
        }
    }
    writeln!(sink)?;
    for competitor in &competitors {
        let resident = usage::read_tree(competitor.pid())?.resident_bytes as f64 / 1e6;
        writeln!(sink, "{} at the end: {resident:.0} MB", competitor.name())?;
    }
    report::succeeded(&reports)
}

/// Measures the competitors alternately, so that drift in speed affects all alike.
fn take_turns<'a>(
    plan: &ComparisonPlan,
    competitors: &'a [Competitor],
    corpus: &Corpus,
    kind: CellKind,
    connections: u16,
) -> Result<Vec<(&'a str, Vec<Report>)>, Fault> {
    let mut measured: Vec<_> = competitors
        .iter()
        .filter(|competitor| competitor.serves(kind.front()))
        .map(|competitor| (competitor, Vec::new()))
        .collect();
    for turn in 0..plan.turns {
        let mut order: Vec<_> = measured.iter_mut().collect();
        // Going first may help or hurt on a given machine.
        if turn % 2 == 1 {
            order.reverse();
        }
        for (competitor, reports) in order {
            let (target, workload) = competitor.work(kind, corpus, connections, turn);
            usage::reset_peak(competitor.pid())?;
            reports.push(measure(Cell {
                target,
                workload,
                connections,
                threads: 1,
                duration: plan.duration,
                operations: kind.most_operations(),
                server: Some(competitor.pid()),
            })?);
        }
    }
    Ok(measured
        .into_iter()
        .map(|(competitor, reports)| (competitor.name(), reports))
        .collect())
}
