//! A real server in a process of its own, on a port that the system chooses and a data directory that is gone at the
//! end.

mod options;
mod process;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::thread;

use tempfile::TempDir;

use crate::error::HarnessError;
use crate::secrets::remember;

pub use options::ServerOptions;

use process::Process;

/// The root access key id that every server of the harness is started with.
pub const ROOT_ACCESS_KEY_ID: &str = "TESTROOTACCESSKEY001";
/// The root secret access key that every server of the harness is started with.
pub const ROOT_SECRET_ACCESS_KEY: &str = "test/root+secret/access+key/of/40/chars/";

/// What seals the secrets of servers that are given their keyring.
pub const KEYRING: &str = "active = 1\n[keys]\n1 = \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"\n";

/// Lets a server use a PostgreSQL with `fsync=off`, as that of the tests.
pub const ALLOW_UNSAFE_DATABASE: &str = "--allow-unsafe-database";
const LOG_LINES_SHOWN: usize = 60;

/// A running server. Dropping it stops it and removes its data.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    options: ServerOptions,
    process: Process,
}

impl Server {
    /// Starts a server and waits until it listens.
    ///
    /// # Errors
    /// The binary is missing, or the server was not ready within 60 seconds.
    pub fn start(options: ServerOptions) -> Result<Self, HarnessError> {
        let folder = tempfile::Builder::new()
            .prefix("bucketry-test-")
            .tempdir()
            .map_err(HarnessError::io("make a data directory"))?;
        remember(ROOT_SECRET_ACCESS_KEY);
        let process = Process::start(folder.path(), &options)?;
        Ok(Self {
            folder,
            options,
            process,
        })
    }

    /// The address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.process.endpoint.address
    }

    /// The S3 and gRPC endpoint, with the address as host.
    #[must_use]
    pub fn endpoint_url(&self) -> String {
        format!("{}://{}", self.process.endpoint.scheme, self.address())
    }

    /// The endpoint with `localhost` as host: what clients that put the bucket into the host name are given.
    #[must_use]
    pub fn localhost_url(&self) -> String {
        format!(
            "{}://localhost:{}",
            self.process.endpoint.scheme,
            self.address().port()
        )
    }

    /// What the server printed before it said that it is ready.
    #[must_use]
    pub fn greeting(&self) -> &[String] {
        &self.process.greeting
    }

    /// Starts another server on the same data directory, and stops it if that succeeds.
    ///
    /// # Errors
    /// Why it did not start.
    pub fn start_second(&self) -> Result<(), HarnessError> {
        let mut second = Process::start(self.folder.path(), &self.options)?;
        second.stop(self.folder.path()).map(drop)
    }

    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        data_dir(self.folder.path())
    }

    /// The server's process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// All that the server has written to its standard error.
    #[must_use]
    pub fn log(&self) -> String {
        read_log(self.folder.path())
    }

    /// Asks the server to end.
    ///
    /// # Errors
    /// The signal could not be sent.
    pub fn terminate(&mut self) -> Result<(), HarnessError> {
        self.process.terminate()
    }

    /// Waits until the server has ended.
    ///
    /// # Errors
    /// It did not end within 30 seconds (it is then killed).
    pub fn wait(&mut self) -> Result<ExitStatus, HarnessError> {
        self.process.wait(self.folder.path())
    }

    /// Asks the server to end and waits until it has.
    ///
    /// # Errors
    /// It did not end within 30 seconds (it is then killed).
    pub fn stop(&mut self) -> Result<ExitStatus, HarnessError> {
        self.process.stop(self.folder.path())
    }

    /// Ends the server as a power cut would end its process: no drain, nothing flushed.
    ///
    /// # Errors
    /// The signal could not be sent.
    pub fn kill9(&mut self) -> Result<(), HarnessError> {
        self.process.kill()
    }

    /// Starts the server again, if need be after stopping it, on the same data directory. The port is a new one.
    ///
    /// # Errors
    /// As `start` and `stop`.
    pub fn restart(&mut self) -> Result<(), HarnessError> {
        self.process.stop(self.folder.path())?;
        self.process = Process::start(self.folder.path(), &self.options)?;
        Ok(())
    }

    /// As `restart`, with other options from now on.
    ///
    /// # Errors
    /// As `start` and `stop`.
    pub fn restart_with(&mut self, options: ServerOptions) -> Result<(), HarnessError> {
        self.options = options;
        self.restart()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Not asked to end: it would wait for connections whose runtime waits here.
        let stopped = self.process.kill();
        if thread::panicking() || stopped.is_err() {
            show_log(self.folder.path());
        } else {
            refuse_leak(&self.log());
        }
    }
}

/// A test whose server has shown a secret has failed, whatever else it found.
#[expect(
    clippy::panic,
    reason = "a test fails by it, and a drop has no other way"
)]
fn refuse_leak(log: &str) {
    if let Some(leak) = crate::secrets::find(log) {
        panic!("the server's log shows {leak}");
    }
}

#[expect(
    clippy::print_stderr,
    reason = "a failing test shows what its server said"
)]
fn show_log(folder: &Path) {
    let log = read_log(folder);
    let lines: Vec<&str> = log.lines().collect();
    let first = lines.len().saturating_sub(LOG_LINES_SHOWN);
    eprintln!("--- the server's last lines");
    for line in lines.iter().skip(first) {
        eprintln!("{line}");
    }
}

fn data_dir(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn read_log(folder: &Path) -> String {
    // A log that cannot be read must not hide the fault that it was wanted for.
    fs::read(folder.join("server.log"))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// The server's binary: it lies beside the folder `deps` that the test's own binary lies in.
///
/// # Errors
/// It has not been built.
pub fn binary() -> Result<PathBuf, HarnessError> {
    let own = std::env::current_exe().map_err(HarnessError::io("find the test's own binary"))?;
    let folder = own.parent().unwrap_or(Path::new("."));
    let folder = match folder.file_name() {
        Some(name) if name == "deps" => folder.parent().unwrap_or(folder),
        _ => folder,
    };
    let path = folder.join(format!("bucketry{}", std::env::consts::EXE_SUFFIX));
    if path.is_file() {
        Ok(path)
    } else {
        Err(HarnessError::MissingBinary(path))
    }
}
