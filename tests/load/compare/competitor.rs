//! The servers that are compared.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::cell::Workload;
use crate::compare::cell_kind::{CellKind, KeyRange};
use crate::compare::corpus::{ALL_PREFIX, Corpus};
use crate::compare::nginx::Nginx;
use crate::compare::peer::Peer;
use crate::compare::{ComparisonPlan, Options};
use crate::connection::PageQuery;
use crate::fault::Fault;
use crate::grpc;
use crate::prepare;
use crate::report::Operation;
use crate::s3::S3Connection;
use crate::server::{Server, launch_below, root_credentials};
use crate::target::{Authority, Credentials, Front, Target};
use crate::usage;

const BUCKET: &str = "load-compare";
const WRITTEN_BUCKET: &str = "load-compare-written";
/// nginx in the table.
pub(crate) const NGINX: &str = "nginx GET";
const PAGE: u16 = 1_000;

/// What a competitor is.
enum Software {
    /// Static files, for comparison.
    Nginx(Nginx),
    /// Our server.
    Bucketry(Server),
    /// A server that the tool did not start.
    Peer { pid: u32 },
}

/// A server with what is read from it and written to it.
pub(crate) struct Competitor {
    name: String,
    software: Software,
    read: Target,
    written: Target,
    tokens: Arc<[Credentials]>,
    /// Keys that are written begin with it: replacing what an earlier run left costs more than writing.
    run: String,
    population: String,
}

impl Competitor {
    /// nginx with the few objects of each size.
    pub(crate) fn nginx(binary: &Path, directory: &Path, corpus: &Corpus) -> Result<Self, Fault> {
        let files = Nginx::prepare(directory)?.join(BUCKET);
        let nginx = Nginx::start(binary, directory)?;
        let began = Instant::now();
        corpus.write_files(&files)?;
        let authority = Authority::parse(&format!("http://{}", nginx.address()))?;
        let target = target(&authority, root_credentials(), BUCKET);
        Ok(Self {
            name: NGINX.to_owned(),
            population: format!("files written in {:.1} s", began.elapsed().as_secs_f64()),
            run: prepare::run_name(),
            software: Software::Nginx(nginx),
            written: target.clone(),
            read: target,
            tokens: Arc::default(),
        })
    }

    /// Our server on a fresh data directory, with all objects and tokens.
    pub(crate) fn bucketry(
        options: &Options,
        plan: &ComparisonPlan,
        directory: &Path,
        corpus: &Corpus,
    ) -> Result<Self, Fault> {
        let launch = launch_below(directory, &options.server, &options.server_arguments);
        let server = Server::start(&launch)?;
        let idle = resident_megabytes(server.pid())?;
        let name = "bucketry".to_owned();
        let runtime = prepare::runtime()?;
        let root = root_credentials();
        let populate = async {
            let read = prepare::bucket(&server.authority, BUCKET).await?;
            let written = prepare::bucket(&server.authority, WRITTEN_BUCKET).await?;
            let began = Instant::now();
            corpus.write(&read).await?;
            let objects = began.elapsed();
            let tokens = grpc::create_tokens(&server.authority, &root, BUCKET, plan.tokens).await?;
            Ok((read, written, tokens, objects, began.elapsed() - objects))
        };
        let (read, written, tokens, objects, issued) =
            runtime.block_on(within(&name, plan.populate_within, populate))?;
        Ok(Self {
            population: format!(
                "{idle:.0} MB when started; {} objects of 4 KiB written in {:.1} s, {} tokens made in {:.1} s",
                plan.keys,
                objects.as_secs_f64(),
                plan.tokens,
                issued.as_secs_f64()
            ),
            name,
            run: prepare::run_name(),
            software: Software::Bucketry(server),
            read,
            written,
            tokens: tokens.into(),
        })
    }

    /// Another server, with all objects; one key reads them.
    pub(crate) fn peer(peer: Peer, plan: &ComparisonPlan, corpus: &Corpus) -> Result<Self, Fault> {
        let credentials = Credentials::from_environment()?;
        let read = target(&peer.authority, credentials.clone(), BUCKET);
        let written = target(&peer.authority, credentials, WRITTEN_BUCKET);
        let began = Instant::now();
        let populate = async {
            for bucket in [&read, &written] {
                S3Connection::open(bucket).await?.create_bucket().await?;
            }
            corpus.write(&read).await
        };
        prepare::runtime()?.block_on(within(&peer.name, plan.populate_within, populate))?;
        Ok(Self {
            population: format!(
                "{} objects of 4 KiB written in {:.1} s",
                plan.keys,
                began.elapsed().as_secs_f64()
            ),
            name: peer.name,
            run: prepare::run_name(),
            software: Software::Peer { pid: peer.pid },
            read,
            written,
            tokens: Arc::default(),
        })
    }

    /// The name in the table.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The process; its children are counted too.
    pub(crate) fn pid(&self) -> u32 {
        match &self.software {
            Software::Nginx(nginx) => nginx.pid(),
            Software::Bucketry(server) => server.pid(),
            Software::Peer { pid } => *pid,
        }
    }

    /// Whether it is measured with cells through this front. nginx is, with its own way to the same size.
    pub(crate) fn serves(&self, front: Front) -> bool {
        match (&self.software, front) {
            (Software::Nginx(_) | Software::Bucketry(_), _)
            | (Software::Peer { .. }, Front::S3) => true,
            (Software::Peer { .. }, Front::Grpc) => false,
        }
    }

    /// How it was populated, and its memory now.
    pub(crate) fn summary(&self) -> Result<String, Fault> {
        let (name, population) = (&self.name, &self.population);
        let resident = resident_megabytes(self.pid())?;
        Ok(format!("{name}: {population}; {resident:.0} MB"))
    }

    /// What it does in a cell. For nginx that is always a GET of hot objects of the same size.
    pub(crate) fn work(
        &self,
        kind: CellKind,
        corpus: &Corpus,
        connections: u16,
        turn: u16,
    ) -> (Target, Workload) {
        let size = kind.size();
        let hot = || Workload::Get {
            keys: Corpus::hot(size),
            size,
        };
        let workload = match (&self.software, kind.operation(), kind.scope()) {
            (Software::Nginx(_), _, _) => return (self.read.clone(), hot()),
            (_, Operation::Get, KeyRange::Hot) => hot(),
            (_, Operation::Get, KeyRange::All) => Workload::Get {
                keys: corpus.all(),
                size,
            },
            (_, Operation::Head, _) => Workload::Head {
                keys: corpus.all(),
                size,
            },
            (_, Operation::List, _) => Workload::List(PageQuery {
                prefix: ALL_PREFIX.to_owned(),
                page_size: PAGE,
                ..PageQuery::default()
            }),
            (_, Operation::Put, _) => Workload::Put {
                prefix: format!("{}/{size}/{connections}/{turn}", self.run),
                content: corpus.content(size),
            },
        };
        let target = match kind.operation() {
            Operation::Put => &self.written,
            Operation::Get | Operation::Head | Operation::List => &self.read,
        };
        let tokens = match kind.scope() {
            KeyRange::All => Arc::clone(&self.tokens),
            KeyRange::Hot => Arc::default(),
        };
        let target = Target {
            front: kind.front(),
            tokens,
            ..target.clone()
        };
        (target, workload)
    }
}

fn target(authority: &Authority, credentials: Credentials, bucket: &str) -> Target {
    Target {
        front: Front::S3,
        authority: authority.clone(),
        bucket: bucket.to_owned(),
        credentials,
        region: prepare::REGION.to_owned(),
        tokens: Arc::default(),
    }
}

fn resident_megabytes(pid: u32) -> Result<f64, Fault> {
    Ok(usage::read_tree(pid)?.resident_bytes as f64 / 1e6)
}

async fn within<T>(
    server: &str,
    limit: Duration,
    populate: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    match timeout(limit, populate).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault::Population {
            server: server.to_owned(),
            within: limit,
        }),
    }
}
