//! A running HAProxy.

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::error::HarnessError;

/// Not every user's path has the folder in which distributions put it.
const ELSEWHERE: &str = "/usr/sbin/haproxy";
/// Another process may take a port between the look and the start.
const ATTEMPTS: usize = 5;

/// A running HAProxy. Dropping it ends it.
#[derive(Debug)]
pub struct HaProxy {
    process: Child,
    addresses: Vec<SocketAddr>,
    _folder: TempDir,
}

impl HaProxy {
    /// Starts HAProxy with the configuration for `count` free addresses of `host`, and waits until all are bound.
    ///
    /// # Errors
    /// HAProxy is not installed or rejects the configuration.
    pub fn start(
        host: IpAddr,
        count: usize,
        configuration: impl Fn(&[SocketAddr]) -> String,
    ) -> Result<Self, HarnessError> {
        for _ in 0..ATTEMPTS {
            let addresses = (0..count)
                .map(|_| free_address(host))
                .collect::<Result<_, _>>()?;
            if let Some(started) = Self::attempt(addresses, &configuration)? {
                return Ok(started);
            }
        }
        Err(HarnessError::Incomplete("free ports for HAProxy"))
    }

    /// The addresses that the configuration was made for.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// `None` if it ended at once, for want of a port.
    fn attempt(
        addresses: Vec<SocketAddr>,
        configuration: impl Fn(&[SocketAddr]) -> String,
    ) -> Result<Option<Self>, HarnessError> {
        let folder = tempfile::tempdir().map_err(HarnessError::io("make a folder for HAProxy"))?;
        let file = folder.path().join("haproxy.cfg");
        fs::write(&file, configuration(&addresses))
            .map_err(HarnessError::io("write HAProxy's configuration"))?;
        let program = [PathBuf::from(ELSEWHERE)]
            .into_iter()
            .find(|path| path.is_file())
            .unwrap_or_else(|| PathBuf::from("haproxy"));
        let mut process = Command::new(&program)
            .args(["-db", "-q", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .spawn()
            .map_err(|_| HarnessError::NotPrepared(program))?;
        // All ports are bound before any is served.
        while addresses
            .iter()
            .any(|address| TcpStream::connect(address).is_err())
        {
            if !matches!(process.try_wait(), Ok(None)) {
                return Ok(None);
            }
            std::thread::yield_now();
        }
        Ok(Some(Self {
            process,
            addresses,
            _folder: folder,
        }))
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// An address of the host that no one listens on. Another process may take it before the caller does.
///
/// # Errors
/// The host is not this machine.
pub fn free_address(host: IpAddr) -> Result<SocketAddr, HarnessError> {
    TcpListener::bind((host, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(HarnessError::io("find a free port"))
}
