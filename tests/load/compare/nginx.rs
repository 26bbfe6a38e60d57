//! An nginx that serves the objects as static files: the limit of what a server can do.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::fault::Fault;

/// Another process may take a port between the look and the start.
const ATTEMPTS: usize = 5;
const LISTENS_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);
const ROOT_USER: u32 = 0;
/// Below the directory of an nginx: the files that it serves.
const FILES: &str = "files";
const ERRORS: &str = "error.log";

/// A running nginx with two workers. Dropping it ends it.
pub(crate) struct Nginx {
    process: Child,
    address: SocketAddr,
}

impl Nginx {
    /// Makes the directory and answers with the folder for the files to be served.
    pub(crate) fn prepare(directory: &Path) -> Result<PathBuf, Fault> {
        let files = directory.join(FILES);
        fs::create_dir_all(&files)?;
        Ok(files)
    }

    /// Starts nginx and waits until it listens. All its files are below the directory.
    pub(crate) fn start(binary: &Path, directory: &Path) -> Result<Self, Fault> {
        if !binary.is_file() {
            return Err(Fault::NoNginx {
                path: binary.to_owned(),
            });
        }
        for _ in 0..ATTEMPTS {
            let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
            let process = spawn(binary, directory, address)?;
            let mut nginx = Self { process, address };
            if nginx.listens()? {
                return Ok(nginx);
            }
        }
        let said = fs::read_to_string(directory.join(ERRORS)).unwrap_or_default();
        Err(Fault::NginxEnded { said })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The parent of its workers.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Whether it listens; not if it has ended.
    fn listens(&mut self) -> Result<bool, Fault> {
        let deadline = Instant::now() + LISTENS_WITHIN;
        while Instant::now() < deadline {
            if self.process.try_wait()?.is_some() {
                return Ok(false);
            }
            if TcpStream::connect(self.address).is_ok() {
                return Ok(true);
            }
            thread::sleep(POLL);
        }
        Ok(false)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let pid = i32::try_from(self.process.id()).ok();
        // SIGKILL would leave the workers.
        match pid.and_then(Pid::from_raw) {
            Some(pid) if matches!(self.process.try_wait(), Ok(None)) => {
                kill_process(pid, Signal::TERM).ok();
            }
            Some(_) | None => {}
        }
        self.process.wait().ok();
    }
}

fn spawn(binary: &Path, directory: &Path, address: SocketAddr) -> Result<Child, Fault> {
    let file = directory.join("nginx.conf");
    fs::write(&file, configuration(directory, address)?)?;
    Command::new(binary)
        .arg("-p")
        .arg(directory)
        .arg("-e")
        .arg(directory.join(ERRORS))
        .arg("-c")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(directory.join("stderr.log"))?)
        .spawn()
        .map_err(|source| Fault::Start {
            binary: binary.to_owned(),
            source,
        })
}

fn configuration(directory: &Path, address: SocketAddr) -> Result<String, Fault> {
    // The directory is readable by its owner only, and the workers of root would be another user.
    let user = match fs::metadata(directory)?.uid() {
        ROOT_USER => "user root;\n",
        _ => "",
    };
    let folder = directory.display();
    Ok(format!(
        "{user}daemon off;
worker_processes 2;
pid \"{folder}/nginx.pid\";
error_log \"{folder}/{ERRORS}\";
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  default_type application/octet-stream;
  client_body_temp_path \"{folder}/client-body\";
  proxy_temp_path \"{folder}/proxy\";
  fastcgi_temp_path \"{folder}/fastcgi\";
  uwsgi_temp_path \"{folder}/uwsgi\";
  scgi_temp_path \"{folder}/scgi\";
  server {{
    listen {address};
    root \"{folder}/{FILES}\";
  }}
}}
"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_nginx_names_package_and_option() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("nginx");
        let refused = Nginx::start(&missing, directory.path());
        let said = refused.err().map(|fault| fault.to_string()).unwrap();
        assert!(
            said.contains("`nginx`") && said.contains("--nginx"),
            "{said}"
        );
    }

    #[test]
    fn everything_is_below_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 8080));
        let text = configuration(directory.path(), address).unwrap();
        let folder = directory.path().display().to_string();
        let paths = text.lines().filter(|line| line.contains('/'));
        for line in paths.filter(|line| !line.contains("default_type")) {
            assert!(line.contains(&folder), "{line}");
        }
        assert!(text.contains("listen 127.0.0.1:8080;"));
    }
}
