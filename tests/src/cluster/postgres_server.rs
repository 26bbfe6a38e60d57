//! A PostgreSQL server of one test, which may stop, kill and hang it.

use std::fs::{self, File, Permissions};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use super::signals::{await_end, children, send};
use crate::error::HarnessError;
use crate::haproxy::free_address;

const VERSIONS: &str = "/usr/lib/postgresql";
const USER: &str = "postgres";
const READY_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// A PostgreSQL server with an empty database. Dropping it ends it and removes its data.
#[derive(Debug)]
pub struct PostgresServer {
    folder: TempDir,
    programs: PathBuf,
    /// User and group that it runs as, since it refuses to run as root.
    owner: Option<(u32, u32)>,
    address: SocketAddr,
    process: Child,
}

impl PostgresServer {
    /// Makes a cluster and starts its server on a free port of `host`.
    ///
    /// # Errors
    /// PostgreSQL is not installed, or was not ready within 60 seconds.
    pub fn start(host: IpAddr) -> Result<Self, HarnessError> {
        let folder = tempfile::Builder::new()
            .prefix("bucketry-postgres-")
            .permissions(Permissions::from_mode(0o711))
            .tempdir()
            .map_err(HarnessError::io("make a folder for PostgreSQL"))?;
        let programs = programs()?;
        let owner = owner()?;
        let data = data(&folder);
        fs::create_dir(&data).map_err(HarnessError::io("make a folder for PostgreSQL"))?;
        if let Some((user, group)) = owner {
            chown(&data, Some(user), Some(group))
                .map_err(HarnessError::io("give a folder to PostgreSQL"))?;
        }
        let status = command(&programs.join("initdb"), owner)
            .arg("-D")
            .arg(&data)
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
            .arg("--no-sync")
            .stdout(Stdio::null())
            .status()
            .map_err(HarnessError::io("run initdb"))?;
        if !status.success() {
            return Err(HarnessError::Incomplete("success of initdb"));
        }
        let address = free_address(host)?;
        let process = launch(&folder, &programs, owner, address)?;
        let server = Self {
            folder,
            programs,
            owner,
            address,
            process,
        };
        server.await_ready()?;
        Ok(server)
    }

    /// The database's URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://{USER}@{}/postgres", self.address)
    }

    /// Ends the server: connections are closed, transactions rolled back.
    ///
    /// # Errors
    /// The signal could not be sent.
    pub fn stop(&mut self) -> Result<(), HarnessError> {
        // SIGINT is the fast shutdown.
        send(self.process.id(), Signal::INT)?;
        self.process
            .wait()
            .map(drop)
            .map_err(HarnessError::io("wait for PostgreSQL"))
    }

    /// Kills all of its processes.
    ///
    /// # Errors
    /// A signal could not be sent.
    pub fn kill9(&mut self) -> Result<(), HarnessError> {
        let backends = children(self.process.id())?;
        for process in std::iter::once(self.process.id()).chain(backends.iter().copied()) {
            send(process, Signal::KILL)?;
        }
        self.process
            .wait()
            .map_err(HarnessError::io("wait for PostgreSQL"))?;
        backends.into_iter().for_each(await_end);
        Ok(())
    }

    /// Starts the server again after `stop` or `kill9`, and waits until it takes connections.
    ///
    /// # Errors
    /// It was not ready within 60 seconds.
    pub fn start_again(&mut self) -> Result<(), HarnessError> {
        self.process = launch(&self.folder, &self.programs, self.owner, self.address)?;
        self.await_ready()
    }

    /// Stops all of its processes in their tracks: connections stay open, and the system accepts new ones.
    ///
    /// # Errors
    /// A signal could not be sent.
    pub fn hang(&self) -> Result<(), HarnessError> {
        // First the one that starts the others.
        send(self.process.id(), Signal::STOP)?;
        for process in children(self.process.id())? {
            send(process, Signal::STOP)?;
        }
        Ok(())
    }

    /// Undoes `hang`.
    ///
    /// # Errors
    /// A signal could not be sent.
    pub fn resume(&self) -> Result<(), HarnessError> {
        for process in children(self.process.id())? {
            send(process, Signal::CONT)?;
        }
        send(self.process.id(), Signal::CONT)
    }

    /// The number of transactions whose client has sent nothing for this time.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub fn idle_transactions(&self, since: Duration) -> Result<u64, HarnessError> {
        let query = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' \
             AND state_change < clock_timestamp() - interval '{} ms'",
            since.as_millis()
        );
        let output = Command::new(self.programs.join("psql"))
            .args([
                "--no-psqlrc",
                "--tuples-only",
                "--no-align",
                "--command",
                &query,
            ])
            .arg(self.url())
            .output()
            .map_err(HarnessError::io("run psql"))?;
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse()
            .map_err(|_| HarnessError::Incomplete("number of transactions"))
    }

    fn await_ready(&self) -> Result<(), HarnessError> {
        let deadline = Instant::now() + READY_LIMIT;
        while Instant::now() < deadline {
            let status = Command::new(self.programs.join("pg_isready"))
                .args(["--quiet", "--host", &self.address.ip().to_string()])
                .args(["--port", &self.address.port().to_string()])
                .status()
                .map_err(HarnessError::io("run pg_isready"))?;
            if status.success() {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        Err(HarnessError::NotReady {
            limit: READY_LIMIT,
            log: fs::read_to_string(self.folder.path().join("log")).unwrap_or_default(),
        })
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            self.kill9().ok();
        }
    }
}

fn data(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

fn launch(
    folder: &TempDir,
    programs: &Path,
    owner: Option<(u32, u32)>,
    address: SocketAddr,
) -> Result<Child, HarnessError> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.path().join("log"))
        .map_err(HarnessError::io("open the log of PostgreSQL"))?;
    // Nothing in it needs to survive a crash of the machine.
    let settings = [
        format!("listen_addresses={}", address.ip()),
        format!("port={}", address.port()),
        "unix_socket_directories=".to_owned(),
        "fsync=off".to_owned(),
        "max_connections=200".to_owned(),
    ];
    let mut command = command(&programs.join("postgres"), owner);
    command.arg("-D").arg(data(folder));
    for setting in settings {
        command.args(["-c", &setting]);
    }
    command
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(HarnessError::io("start PostgreSQL"))
}

fn command(program: &Path, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).current_dir("/");
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command
}

/// The folder of the newest version's programs.
fn programs() -> Result<PathBuf, HarnessError> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(VERSIONS)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, programs)| programs.join("initdb").is_file())
        .collect();
    versions.sort_unstable();
    let path = std::env::var_os("PATH").unwrap_or_default();
    versions
        .pop()
        .map(|(_, programs)| programs)
        .or_else(|| std::env::split_paths(&path).find(|folder| folder.join("initdb").is_file()))
        .ok_or_else(|| HarnessError::NotPrepared(PathBuf::from("initdb")))
}

/// Whom it runs as: nobody else unless this is root.
fn owner() -> Result<Option<(u32, u32)>, HarnessError> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let id = |which: &str| {
        let output = Command::new("id")
            .args([which, USER])
            .output()
            .map_err(HarnessError::io("run id"))?;
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse()
            .map_err(|_| HarnessError::Incomplete("a user for PostgreSQL"))
    };
    Ok(Some((id("-u")?, id("-g")?)))
}
