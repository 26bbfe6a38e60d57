//! Allocations per S3 request. Unlike times and instructions they are the same on every machine:
//!
//! ```sh
//! cargo bench -p bucketry --bench allocations
//! ```
//!
//! This binary is also the server that it measures: its allocator counts, and the count is written when the server ends.
//! The difference between two numbers of requests leaves out what starting and ending allocate.

use std::error::Error;
use std::process::ExitCode;
use std::time::SystemTime;

use bucketry_tests::http1::{Connection, Request};
use bucketry_tests::server::{ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server, ServerOptions};
use bucketry_tests::sigv4::{Payload, Signer};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

const LISTED_KEYS: usize = 1000;
const OBJECT_BYTES: usize = 4096;
/// Precedes the count in the server's log.
const COUNT: &str = "allocations: ";

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("serve") => serve(),
        Some(_) | None => measure(),
    }
}

#[expect(clippy::print_stderr, reason = "the count is read from the log")]
fn serve() -> ExitCode {
    let code = bucketry::program::main();
    let stats = ALLOCATOR.stats();
    eprintln!("{COUNT}{} {}", stats.allocations, stats.bytes_allocated);
    code
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the result")]
fn measure() -> ExitCode {
    match try_measure() {
        Ok(lines) => {
            lines.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A request, and how many of it are sent.
struct Case {
    name: &'static str,
    request: Request,
    repetitions: usize,
}

fn cases() -> [Case; 4] {
    let case = |name, request, repetitions| Case {
        name,
        request,
        repetitions,
    };
    [
        case("GET 4 KiB", Request::new("GET", "/counted/key-0500"), 200),
        case("HEAD", Request::new("HEAD", "/counted/key-0500"), 200),
        case("PUT 4 KiB", put("key-0500"), 50),
        case(
            "LIST 1,000 keys",
            Request::new("GET", "/counted?list-type=2"),
            10,
        ),
    ]
}

fn try_measure() -> Result<Vec<String>, Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let own = own.to_str().ok_or("the path of this binary is not UTF-8")?;
    // The harness appends the path of its own binary and that binary's arguments.
    let launcher = ["sh", "-c", "own=$0; shift; exec \"$own\" \"$@\"", own];
    let mut server = Server::start(ServerOptions::new().through(&launcher))?;
    send(&server, &Request::new("PUT", "/counted"), 1)?;
    for number in 0..LISTED_KEYS {
        send(&server, &put(&format!("key-{number:04}")), 1)?;
    }
    let mut lines = Vec::new();
    for case in cases() {
        let few = count(&mut server, &case.request, case.repetitions)?;
        let many = count(&mut server, &case.request, 2 * case.repetitions)?;
        let per_request = |few, many| (many - few) / case.repetitions as f64;
        lines.push(format!(
            "{:16} {:9.1} allocations {:11.0} bytes",
            case.name,
            per_request(few.0, many.0),
            per_request(few.1, many.1)
        ));
    }
    Ok(lines)
}

fn put(key: &str) -> Request {
    Request::new("PUT", &format!("/counted/{key}"))
        .header("content-length", &OBJECT_BYTES.to_string())
        .body(vec![b'x'; OBJECT_BYTES])
}

/// Allocations and their bytes in the life of a server that answers a request so many times.
fn count(
    server: &mut Server,
    request: &Request,
    repetitions: usize,
) -> Result<(f64, f64), Box<dyn Error>> {
    server.restart()?;
    send(server, request, repetitions)?;
    server.stop()?;
    let log = server.log();
    let line = log.lines().rev().find_map(|line| line.strip_prefix(COUNT));
    let (allocations, bytes) = line
        .and_then(|line| line.split_once(' '))
        .ok_or("the server has not written its count")?;
    Ok((allocations.parse()?, bytes.parse()?))
}

fn send(server: &Server, request: &Request, repetitions: usize) -> Result<(), Box<dyn Error>> {
    let signer = Signer::new(ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY);
    let mut connection = Connection::open(server.address())?;
    #[expect(
        clippy::disallowed_methods,
        reason = "the server compares the signature with its clock"
    )]
    let now = SystemTime::now();
    let request = request
        .clone()
        .header("host", &server.address().to_string())
        .header("user-agent", "allocations");
    let signed = signer.header(request, now, Payload::Signed)?;
    for _ in 0..repetitions {
        let response = connection.exchange(&signed)?;
        if response.status >= 300 {
            return Err(format!("{}: {}", response.status, response.text()).into());
        }
    }
    Ok(())
}
