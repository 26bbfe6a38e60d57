use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::options::{ServerOptions, command};
use super::read_log;
use crate::error::HarnessError;

const READY_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// Where a server says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) scheme: &'static str,
    pub(super) address: SocketAddr,
}

#[derive(Debug)]
pub(super) struct Process {
    pub(super) child: Child,
    pub(super) endpoint: Endpoint,
    pub(super) greeting: Vec<String>,
    /// Lines of standard output; closed when the process has ended.
    output: Receiver<String>,
}

impl Process {
    pub(super) fn start(folder: &Path, options: &ServerOptions) -> Result<Self, HarnessError> {
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

    pub(super) fn stop(&mut self, folder: &Path) -> Result<ExitStatus, HarnessError> {
        self.terminate()?;
        self.wait(folder)
    }

    pub(super) fn terminate(&mut self) -> Result<(), HarnessError> {
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

    pub(super) fn wait(&mut self, folder: &Path) -> Result<ExitStatus, HarnessError> {
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

    pub(super) fn kill(&mut self) -> Result<(), HarnessError> {
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
