//! A mixed load of S3 operations on a few contended and many quiet keys, in which every operation is recorded with its
//! times and outcome. Nothing is retried.

mod client;
mod content;
mod reads;
mod record;
mod writes;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

pub use client::Client;
pub use record::{Answer, Clock, Effect, Kind, Record, Registry};

use crate::error::HarnessError;
use crate::random::Random;

/// Keys that all clients write.
const CONTENDED: u64 = 5;
/// Keys that are written now and then.
const QUIET: u64 = 200;
/// The most operations of a client.
const OPERATIONS: usize = 100_000;

/// The shape of a load.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Clients, each with a connection and a thread of its own.
    pub clients: u32,
    /// The mean pause of a client between two operations.
    pub pause: Duration,
    /// Decides what the clients do.
    pub seed: u64,
}

/// Where a load goes.
#[derive(Debug, Clone)]
pub struct Target {
    /// The server or proxy.
    pub address: SocketAddr,
    /// The bucket.
    pub bucket: &'static str,
    /// Shared by all clients of one history.
    pub registry: Arc<Registry>,
    /// The clock of the history.
    pub clock: Clock,
}

/// A load that runs.
#[derive(Debug)]
pub struct Running {
    stop: Arc<AtomicBool>,
    clients: Vec<thread::JoinHandle<Result<Vec<Record>, HarnessError>>>,
}

impl Load {
    /// Starts the clients.
    #[must_use]
    pub fn start(self, target: &Target) -> Running {
        let stop = Arc::new(AtomicBool::new(false));
        let clients = (0..self.clients)
            .map(|number| {
                let (stop, target) = (Arc::clone(&stop), target.clone());
                thread::spawn(move || self.drive(Client::new(number, target), &stop))
            })
            .collect();
        Running { stop, clients }
    }

    fn drive(self, mut client: Client, stop: &AtomicBool) -> Result<Vec<Record>, HarnessError> {
        let mut random = Random::new(self.seed ^ u64::from(client.number()).wrapping_mul(0x9E37));
        let most = u64::try_from(self.pause.as_micros()).unwrap_or(u64::MAX) * 2;
        for _ in 0..OPERATIONS {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            operate(&mut client, &mut random)?;
            thread::sleep(Duration::from_micros(random.below(most)));
        }
        Ok(client.into_records())
    }
}

impl Running {
    /// Ends the load after the operations that run, and answers all records.
    ///
    /// # Errors
    /// A client could not make a request.
    pub fn finish(self) -> Result<Vec<Record>, HarnessError> {
        self.stop.store(true, Ordering::Relaxed);
        let mut records = Vec::new();
        for client in self.clients {
            let made = client
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            records.extend(made);
        }
        Ok(records)
    }
}

fn operate(client: &mut Client, random: &mut Random) -> Result<(), HarnessError> {
    let key = match random.below(2) {
        0 => format!("contended/{}", random.below(CONTENDED)),
        _ => format!("quiet/{:03}", random.below(QUIET)),
    };
    match random.below(100) {
        0..25 => client.get(&key),
        25..33 => client.head(&key),
        33..58 => client.put(&key),
        58..66 => client.put_if_absent(&key),
        66..74 => client.put_if_match(&key),
        74..84 => client.delete(&key),
        84..90 => client.copy(&key),
        90..95 => client.upload(&key),
        95..98 => client.list("contended/", |number| format!("{number}"), CONTENDED),
        _ => {
            let tens = random.below(QUIET / 10);
            let prefix = format!("quiet/{tens:02}");
            client.list(&prefix, |number| format!("{number}"), 10)
        }
    }
}
