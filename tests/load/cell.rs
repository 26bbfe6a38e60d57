//! One measurement: an operation on a number of connections for a while.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::connection::{Connection, PageQuery};
use crate::fault::Fault;
use crate::report::{Report, Subject};
use crate::target::Target;
use crate::usage;

/// No operation takes longer than this, or it has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// A connection gives up after this many failures.
const MOST_ERRORS: u64 = 20;
const LONGEST_NANOSECONDS: u64 = 120_000_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// What every connection does again and again.
#[derive(Clone, Debug)]
pub(crate) enum Workload {
    /// Reads these objects of one size, in turn.
    Get {
        /// The keys; not empty.
        keys: Vec<String>,
        /// Their size in bytes.
        size: u64,
    },
    /// Asks for the headers of these objects of one size, in turn.
    Head {
        /// The keys; not empty.
        keys: Vec<String>,
        /// Their size in bytes.
        size: u64,
    },
    /// Writes under fresh keys.
    Put {
        /// What the keys begin with; used by no earlier measurement.
        prefix: String,
        /// The content.
        content: Bytes,
    },
    /// Lists one page.
    List(PageQuery),
}

/// A measurement to be made.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// Against what.
    pub(crate) target: Target,
    /// Which operation.
    pub(crate) workload: Workload,
    /// How many connections, each with one operation at a time.
    pub(crate) connections: u16,
    /// How many threads of the tool drive them.
    pub(crate) threads: u16,
    /// No operation begins after this.
    pub(crate) duration: Duration,
    /// No more operations than this.
    pub(crate) operations: u64,
    /// The server, if its usage can be read.
    pub(crate) server: Option<u32>,
}

/// What was counted on one connection or on all of them.
pub(crate) struct Tally {
    /// Latencies of the successes in nanoseconds.
    pub(crate) latencies: Histogram<u64>,
    /// Failures.
    pub(crate) errors: u64,
    /// The first of them.
    pub(crate) first_error: Option<String>,
    /// When the last operation ended.
    pub(crate) ended: Instant,
}

/// What the connections of a measurement share.
struct Course {
    cell: Cell,
    left: AtomicU64,
    broken: AtomicBool,
    start: Barrier,
}

/// Makes a measurement. Connecting and one operation on each connection come before the clock starts.
pub(crate) fn measure(cell: Cell) -> Result<Report, Fault> {
    let threads = cell.threads.clamp(1, cell.connections.max(1));
    let course = Arc::new(Course {
        left: AtomicU64::new(cell.operations),
        broken: AtomicBool::new(false),
        start: Barrier::new(usize::from(threads) + 1),
        cell,
    });
    let drivers: Vec<_> = (0..threads)
        .map(|thread| {
            let course = Arc::clone(&course);
            thread::spawn(move || drive_thread(&course, thread, threads))
        })
        .collect();
    course.start.wait();
    let before = Sample::take(course.cell.server);
    // The drivers wait a second time, so that the usage is read before the first operation.
    course.start.wait();
    let started = Instant::now();
    let mut total = Tally::new(started)?;
    for driver in drivers {
        total.add(driver.join().map_err(|_| Fault::Thread)??);
    }
    let after = Sample::take(course.cell.server)?;
    let subject = Subject::of(&course.cell);
    Ok(Report::new(
        subject,
        &total,
        total.ended - started,
        before?.until(after),
    ))
}

fn drive_thread(course: &Arc<Course>, thread: u16, threads: u16) -> Result<Tally, Fault> {
    let prepared = prepare_thread(course, thread, threads);
    if prepared.is_err() {
        course.broken.store(true, Ordering::Relaxed);
    }
    course.start.wait();
    course.start.wait();
    let (runtime, connections) = prepared?;
    let deadline = Instant::now() + course.cell.duration;
    let mut total = Tally::new(Instant::now())?;
    if course.broken.load(Ordering::Relaxed) {
        return Ok(total);
    }
    runtime.block_on(async {
        let mut drivers = JoinSet::new();
        for (number, connection) in connections {
            drivers.spawn(drive(Arc::clone(course), connection, number, deadline));
        }
        while let Some(tally) = drivers.join_next().await {
            total.add(tally.map_err(|_| Fault::Thread)??);
        }
        Ok(total)
    })
}

/// Each thread has a runtime of its own: work that moves between threads costs more than many operations do.
fn prepare_thread(
    course: &Course,
    thread: u16,
    threads: u16,
) -> Result<(Runtime, Vec<(u16, Connection)>), Fault> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let connections = runtime.block_on(async {
        let mut connections = Vec::new();
        for number in (thread..course.cell.connections).step_by(usize::from(threads)) {
            let target = course.cell.target.share(number, course.cell.connections);
            let mut connection = Connection::open(&target).await?;
            warm_up(&mut connection, &course.cell, number).await?;
            connections.push((number, connection));
        }
        Ok::<_, Fault>(connections)
    })?;
    Ok((runtime, connections))
}

async fn warm_up(connection: &mut Connection, cell: &Cell, number: u16) -> Result<(), Fault> {
    match &cell.workload {
        // A small object opens the way as well as a large one, and costs no space.
        Workload::Put { prefix, content } => {
            let little = content.slice(..content.len().min(4096));
            connection
                .put(&format!("{prefix}/warm-{number}"), little)
                .await
        }
        Workload::Get { .. } | Workload::Head { .. } | Workload::List(_) => {
            operate(connection, cell, number, 0).await
        }
    }
}

async fn drive(
    course: Arc<Course>,
    mut connection: Connection,
    number: u16,
    deadline: Instant,
) -> Result<Tally, Fault> {
    let mut tally = Tally::new(Instant::now())?;
    let mut turn = 0_u64;
    while course.take() && tally.errors < MOST_ERRORS {
        let began = Instant::now();
        if began >= deadline {
            break;
        }
        let operation = operate(&mut connection, &course.cell, number, turn);
        let outcome = match tokio::time::timeout(PATIENCE, operation).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Fault::Timeout(PATIENCE)),
        };
        tally.ended = Instant::now();
        match outcome {
            Ok(()) => tally.succeeded(tally.ended - began),
            Err(fault) => tally.failed(&fault),
        }
        turn += 1;
    }
    Ok(tally)
}

async fn operate(
    connection: &mut Connection,
    cell: &Cell,
    number: u16,
    turn: u64,
) -> Result<(), Fault> {
    let key = |keys| key_in_turn(keys, number, cell.connections, turn);
    match &cell.workload {
        Workload::Get { keys, size } => connection.get_discarding(key(keys)?, *size).await,
        Workload::Head { keys, size } => connection.head(key(keys)?, *size).await,
        Workload::Put { prefix, content } => {
            connection
                .put(&format!("{prefix}/{number:03}-{turn:08}"), content.clone())
                .await
        }
        Workload::List(query) => connection.list_discarding(query).await,
    }
}

/// Connections begin as far apart as possible: one that followed another closely would find in the server's caches what
/// the other has just read.
fn key_in_turn(keys: &[String], number: u16, connections: u16, turn: u64) -> Result<&str, Fault> {
    let count = (keys.len() as u64).max(1);
    let apart = (count / u64::from(connections).max(1)).max(1);
    let place = (u64::from(number) * apart + turn) % count;
    usize::try_from(place)
        .ok()
        .and_then(|place| keys.get(place))
        .map(String::as_str)
        .ok_or(Fault::Lacking("a key"))
}

impl Course {
    fn take(&self) -> bool {
        let lowered = |left: u64| left.checked_sub(1);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, lowered)
            .is_ok()
    }
}

impl Tally {
    fn new(ended: Instant) -> Result<Self, Fault> {
        Ok(Self {
            latencies: latencies()?,
            errors: 0,
            first_error: None,
            ended,
        })
    }

    fn succeeded(&mut self, latency: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(LONGEST_NANOSECONDS);
        self.latencies.saturating_record(nanoseconds);
    }

    fn failed(&mut self, fault: &Fault) {
        self.errors += 1;
        self.first_error.get_or_insert_with(|| fault.to_string());
    }

    fn add(&mut self, other: Self) {
        // Both have the same range; another one would only be a lost count of the slowest.
        let _ = self.latencies.add(&other.latencies);
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
        self.ended = self.ended.max(other.ended);
    }
}

/// An empty histogram of latencies in nanoseconds, at most two minutes, of bounded memory.
pub(crate) fn latencies() -> Result<Histogram<u64>, Fault> {
    Ok(Histogram::new_with_bounds(
        1,
        LONGEST_NANOSECONDS,
        SIGNIFICANT_DIGITS,
    )?)
}

/// The usage of server and tool at one moment.
struct Sample {
    server: Option<usage::Usage>,
    tool: usage::Usage,
}

impl Sample {
    fn take(server: Option<u32>) -> Result<Self, Fault> {
        Ok(Self {
            server: server.map(usage::read_tree).transpose()?,
            tool: usage::read(std::process::id())?,
        })
    }

    fn until(self, after: Self) -> crate::report::Cost {
        let used = |before: usage::Usage, after: usage::Usage| after.cpu.saturating_sub(before.cpu);
        crate::report::Cost {
            server_cpu: self
                .server
                .zip(after.server)
                .map(|(before, after)| used(before, after)),
            server_peak_bytes: after.server.map(|usage| usage.peak_resident_bytes),
            tool_cpu: used(self.tool, after.tool),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::net::{SocketAddr, TcpListener};

    use http::{Response, StatusCode};
    use http_body_util::Full;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;

    use super::*;
    use crate::target::{Authority, Credentials, Front, Secret};

    const SIZE: u64 = 100_000;

    /// A server that answers everything with the same content, but every `failing`th request with an error.
    fn serve(failing: u64) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let requests = Arc::new(AtomicU64::new(0));
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let requests = Arc::clone(&requests);
                    let answer = service_fn(move |_| {
                        let number = requests.fetch_add(1, Ordering::Relaxed) + 1;
                        let mut answer =
                            Response::new(Full::new(Bytes::from(vec![7; SIZE as usize])));
                        if number.is_multiple_of(failing) {
                            *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                        }
                        async { Ok::<_, Infallible>(answer) }
                    });
                    tokio::spawn(
                        http1::Builder::new().serve_connection(TokioIo::new(stream), answer),
                    );
                }
            });
        });
        address
    }

    fn cell(server: SocketAddr, size: u64) -> Cell {
        Cell {
            target: Target {
                front: Front::S3,
                authority: Authority::parse(&format!("http://{server}")).unwrap(),
                bucket: "bucket".into(),
                credentials: Credentials {
                    access_key_id: "ID".into(),
                    secret: Secret::new("secret".into()),
                },
                region: "us-east-1".into(),
                tokens: Arc::default(),
            },
            workload: Workload::Get {
                keys: vec!["a".into(), "b".into()],
                size,
            },
            connections: 3,
            threads: 2,
            duration: Duration::from_secs(60),
            operations: 50,
            server: Some(std::process::id()),
        }
    }

    #[test]
    fn the_operations_asked_for_are_made_and_no_more() {
        let report = measure(cell(serve(u64::MAX), SIZE)).unwrap();
        assert_eq!((report.operations, report.errors), (50, 0));
        assert!(report.p50_ms > 0.0 && report.p50_ms <= report.p99_ms);
        assert!(report.server_peak_megabytes.is_some());
    }

    #[test]
    fn failures_are_counted_apart_and_told() {
        // The first three answers are those of the warm-up.
        let report = measure(cell(serve(5), SIZE)).unwrap();
        assert_eq!((report.operations, report.errors), (40, 10));
        assert!(report.first_error.unwrap().contains("503"));
    }

    #[test]
    fn connections_spread_over_all_keys() {
        let keys: Vec<String> = (0..100).map(|number| format!("{number:02}")).collect();
        let place = |number, turn| key_in_turn(&keys, number, 4, turn).unwrap();
        assert_eq!(
            (0..4).map(|number| place(number, 0)).collect::<Vec<_>>(),
            ["00", "25", "50", "75"]
        );
        assert_eq!((place(3, 24), place(3, 25)), ("99", "00"));
        assert_eq!(key_in_turn(&keys[..2], 5, 8, 0).unwrap(), "01");
        assert!(key_in_turn(&[], 0, 1, 0).is_err());
    }

    #[test]
    fn content_of_another_size_is_a_failure() {
        let measured = measure(cell(serve(u64::MAX), SIZE + 1));
        assert!(
            matches!(measured, Err(Fault::Length { got: SIZE, .. })),
            "{measured:?}"
        );
    }
}
