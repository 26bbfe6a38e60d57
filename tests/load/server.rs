//! A server that the tool starts itself and may kill.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::fault::Fault;
use crate::target::{Authority, Credentials, Secret};

const READY_WITHIN: Duration = Duration::from_secs(60);
const READY: &str = "ready ";

/// How a server is started.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// The `bucketry` binary.
    pub(crate) binary: PathBuf,
    /// Where it keeps its data.
    pub(crate) data_directory: PathBuf,
    /// Where its log goes; appended to.
    pub(crate) log: PathBuf,
    /// Further arguments of `serve`.
    pub(crate) arguments: Vec<String>,
}

/// A server that runs. It is killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) authority: Authority,
    /// From the start of the process to its readiness.
    pub(crate) ready_after: Duration,
}

/// The root credentials of every server that the tool starts; it listens on loopback only.
pub(crate) fn root_credentials() -> Credentials {
    Credentials {
        access_key_id: "LOADROOT000000000000".into(),
        secret: Secret::new("load-root-secret-of-a-server-on-loopback".into()),
    }
}

impl Server {
    /// Starts a server on a free port and waits until it says that it is ready.
    pub(crate) fn start(launch: &Launch) -> Result<Self, Fault> {
        let began = Instant::now();
        let mut child = spawn(launch)?;
        let Some(output) = child.stdout.take() else {
            return Err(Fault::Lacking("standard output"));
        };
        // The thread reads on after the ready line, so that the server never blocks on a full pipe.
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(endpoint) = line.strip_prefix(READY) {
                    // The receiver is gone once the first ready line has come.
                    let _ = sender.send(endpoint.trim().to_owned());
                }
            }
        });
        let ready = receiver.recv_timeout(READY_WITHIN);
        let ready_after = began.elapsed();
        let authority = ready
            .map_err(|_| Fault::NotReady {
                log: launch.log.clone(),
            })
            .and_then(|endpoint| Authority::parse(&endpoint));
        match authority {
            Ok(authority) => Ok(Self {
                child,
                authority,
                ready_after,
            }),
            Err(fault) => {
                end(&mut child);
                Err(fault)
            }
        }
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and waits until the process is gone.
    pub(crate) fn kill(mut self) {
        end(&mut self.child);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // Both fail only if the process has already been waited for.
    let _ = child.kill();
    let _ = child.wait();
}

fn spawn(launch: &Launch) -> Result<Child, Fault> {
    let root = root_credentials();
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&launch.log)?;
    Command::new(&launch.binary)
        .args(["serve", "--console-listen", "none"])
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&launch.data_directory)
        .args(&launch.arguments)
        .env("BUCKETRY_ROOT_ACCESS_KEY_ID", root.access_key_id)
        .env("BUCKETRY_ROOT_SECRET_ACCESS_KEY", root.secret.expose())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(|source| Fault::Start {
            binary: launch.binary.clone(),
            source,
        })
}

/// The usual places below a working directory.
pub(crate) fn launch_below(directory: &Path, binary: &Path, arguments: &[String]) -> Launch {
    Launch {
        binary: binary.to_owned(),
        data_directory: directory.join("data"),
        log: directory.join("server.log"),
        arguments: arguments.to_vec(),
    }
}
