//! A real server in a process of its own, on a port that the system chooses and a data directory that is gone at the
//! end.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::error::HarnessError;
use crate::secrets::remember;

/// The root access key id that every server of the harness is started with.
pub const ROOT_ACCESS_KEY_ID: &str = "TESTROOTACCESSKEY001";
/// The root secret access key that every server of the harness is started with.
pub const ROOT_SECRET_ACCESS_KEY: &str = "test/root+secret/access+key/of/40/chars/";

/// What seals the secrets of servers that are given their keyring.
pub const KEYRING: &str = "active = 1\n[keys]\n1 = \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"\n";

/// What tests read of their environment.
const TEST_VARIABLES: [&str; 3] = [
    "BUCKETRY_TEST_CACHE",
    "BUCKETRY_TEST_POSTGRES_URL",
    "BUCKETRY_BLESS",
];
/// Lets a server use a PostgreSQL with `fsync=off`, as that of the tests.
pub const ALLOW_UNSAFE_DATABASE: &str = "--allow-unsafe-database";
const READY_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const LOG_LINES_SHOWN: usize = 60;

/// What a server is started with besides a data directory.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    listen: String,
    operator: Operator,
    log_format: &'static str,
    launcher: Vec<OsString>,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

/// Where the operator's key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    /// The harness gives it.
    Root,
    /// The first start makes it.
    FirstStart,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            operator: Operator::Root,
            log_format: "json",
            launcher: Vec::new(),
            arguments: Vec::new(),
            environment: Vec::new(),
        }
    }
}

impl ServerOptions {
    /// Nothing but the defaults: SQLite and a folder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an argument of `bucketry serve`.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Starts the server through a command, which gets the binary and its arguments after its own.
    #[must_use]
    pub fn through(mut self, launcher: &[&str]) -> Self {
        self.launcher = launcher.iter().map(Into::into).collect();
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn environment(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Listens there instead of on a port of 127.0.0.1.
    #[must_use]
    pub fn listen(mut self, address: &str) -> Self {
        self.listen = address.to_owned();
        self
    }

    /// Logs for people instead of JSON.
    #[must_use]
    pub fn text_logs(mut self) -> Self {
        self.log_format = "text";
        self
    }

    /// Starts without the root credentials, so that the first start makes a key of its own.
    #[must_use]
    pub fn without_root(mut self) -> Self {
        self.operator = Operator::FirstStart;
        self
    }

    /// Uses another database than SQLite in the data directory. Such a server does not make its keyring itself.
    #[must_use]
    pub fn database_url(self, url: &str) -> Self {
        self.database(url).environment("BUCKETRY_KEYRING", KEYRING)
    }

    /// As `database_url`, without a keyring.
    #[must_use]
    pub fn database(self, url: &str) -> Self {
        self.argument("--database-url")
            .argument(url)
            // Nothing in the databases of tests needs to survive a crash of the machine.
            .argument(ALLOW_UNSAFE_DATABASE)
    }
}

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

/// Where a server says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Endpoint {
    scheme: &'static str,
    address: SocketAddr,
}

#[derive(Debug)]
struct Process {
    child: Child,
    endpoint: Endpoint,
    greeting: Vec<String>,
    /// Lines of standard output; closed when the process has ended.
    output: Receiver<String>,
}

impl Process {
    fn start(folder: &Path, options: &ServerOptions) -> Result<Self, HarnessError> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.join("server.log"))
            .map_err(HarnessError::io("open the server's log"))?;
        let mut child = command(folder, options)?
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(HarnessError::io("start the server"))?;
        let output = match child.stdout.take() {
            Some(stdout) => lines(stdout),
            None => return Err(HarnessError::Incomplete("stdout")),
        };
        match ready(&output, folder) {
            Ok((endpoint, greeting)) => Ok(Self {
                child,
                endpoint,
                greeting,
                output,
            }),
            Err(error) => {
                // The error that matters is the one above; the process may have ended already.
                child.kill().ok();
                child.wait().ok();
                Err(error)
            }
        }
    }

    fn stop(&mut self, folder: &Path) -> Result<ExitStatus, HarnessError> {
        self.terminate()?;
        self.wait(folder)
    }

    fn terminate(&mut self) -> Result<(), HarnessError> {
        if self.ended()?.is_some() {
            return Ok(());
        }
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM)
                .map_err(std::io::Error::from)
                .map_err(HarnessError::io("send SIGTERM to the server"))?;
        }
        Ok(())
    }

    fn wait(&mut self, folder: &Path) -> Result<ExitStatus, HarnessError> {
        let deadline = Instant::now() + STOP_LIMIT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(_) => {}
                // Its output is closed: it has ended or is about to.
                Err(RecvTimeoutError::Disconnected) => {
                    return self
                        .child
                        .wait()
                        .map_err(HarnessError::io("wait for the server"));
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.kill()?;
                    return Err(HarnessError::NotStopped {
                        limit: STOP_LIMIT,
                        log: read_log(folder),
                    });
                }
            }
        }
    }

    fn kill(&mut self) -> Result<(), HarnessError> {
        if self.ended()?.is_none() {
            self.child
                .kill()
                .map_err(HarnessError::io("kill the server"))?;
            self.child
                .wait()
                .map_err(HarnessError::io("wait for the server"))?;
        }
        Ok(())
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, HarnessError> {
        self.child
            .try_wait()
            .map_err(HarnessError::io("look at the server"))
    }
}

fn command(folder: &Path, options: &ServerOptions) -> Result<Command, HarnessError> {
    let binary = binary()?;
    let mut command = match options.launcher.split_first() {
        None => Command::new(binary),
        Some((launcher, arguments)) => {
            let mut command = Command::new(launcher);
            command.args(arguments).arg(binary);
            command
        }
    };
    command
        .args(["serve", "--log-format", options.log_format, "--listen"])
        .arg(&options.listen)
        .arg("--data-dir")
        .arg(data_dir(folder))
        .args(&options.arguments);
    // Those of the tests themselves, which a server would warn of.
    for name in TEST_VARIABLES {
        command.env_remove(name);
    }
    match options.operator {
        Operator::Root => {
            command
                .env("BUCKETRY_ROOT_ACCESS_KEY_ID", ROOT_ACCESS_KEY_ID)
                .env("BUCKETRY_ROOT_SECRET_ACCESS_KEY", ROOT_SECRET_ACCESS_KEY);
        }
        Operator::FirstStart => {
            command
                .env_remove("BUCKETRY_ROOT_ACCESS_KEY_ID")
                .env_remove("BUCKETRY_ROOT_SECRET_ACCESS_KEY");
        }
    }
    for (name, value) in &options.environment {
        command.env(name, value);
    }
    Ok(command)
}

/// Hands on lines until the writer is gone, so that waiting for one can have a deadline.
fn lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            let Ok(line) = line else { break };
            // The process must not block on a full pipe when nobody listens any more.
            sender.send(line).ok();
        }
    });
    receiver
}

/// Waits for the line that says where the server is, and gives the lines before it too.
fn ready(
    output: &Receiver<String>,
    folder: &Path,
) -> Result<(Endpoint, Vec<String>), HarnessError> {
    let mut greeting = Vec::new();
    let deadline = Instant::now() + READY_LIMIT;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match output.recv_timeout(left) {
            Ok(line) => {
                if let Some(url) = line.strip_prefix("ready ") {
                    return match parse_ready(url) {
                        Some(endpoint) => Ok((endpoint, greeting)),
                        None => Err(HarnessError::ReadyLine(line)),
                    };
                }
                greeting.push(line);
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(HarnessError::EndedEarly {
                    log: read_log(folder),
                });
            }
            Err(RecvTimeoutError::Timeout) => {
                return Err(HarnessError::NotReady {
                    limit: READY_LIMIT,
                    log: read_log(folder),
                });
            }
        }
    }
}

fn parse_ready(url: &str) -> Option<Endpoint> {
    let (scheme, address) = url.trim().split_once("://")?;
    let scheme = ["http", "https"]
        .into_iter()
        .find(|known| *known == scheme)?;
    let address = address.trim_end_matches('/').parse().ok()?;
    Some(Endpoint { scheme, address })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_line_names_the_address() {
        let at = |scheme, address: &str| {
            let address = address.parse().unwrap();
            Some(Endpoint { scheme, address })
        };
        let plain = at("http", "127.0.0.1:4321");
        assert_eq!(parse_ready("http://127.0.0.1:4321"), plain);
        assert_eq!(parse_ready("http://127.0.0.1:4321/\n"), plain);
        assert_eq!(parse_ready("https://[::1]:1"), at("https", "[::1]:1"));
        assert_eq!(parse_ready("ftp://127.0.0.1:4321"), None);
        assert_eq!(parse_ready("127.0.0.1:4321"), None);
        assert_eq!(parse_ready("http://localhost"), None);
    }
}
