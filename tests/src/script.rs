//! Runs the scripts of real clients, each in a folder of its own, with nothing of this machine's configuration.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bucketry_contract::v1::Credentials;
use tempfile::TempDir;
use tokio::process::Command;

use crate::error::HarnessError;
use crate::server::{ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server, binary};

const LIMIT: Duration = Duration::from_secs(300);

/// What a script is run by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interpreter {
    /// Python with the pinned packages.
    Python,
    /// Node.js with the pinned packages.
    Node,
    /// Bash, with `aws` and `grpcurl` on the path.
    Bash,
}

/// A script and its arguments.
#[derive(Debug)]
pub struct Script {
    path: PathBuf,
    interpreter: Interpreter,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Script {
    /// A script of the repository, by its path from the top.
    #[must_use]
    pub fn new(interpreter: Interpreter, path: &str) -> Self {
        Self {
            path: repository().join(path),
            interpreter,
            arguments: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn environment(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Gives the four values that a token is made of, and the endpoint by the name `localhost`, so that clients that
    /// put the bucket into the host name find it.
    #[must_use]
    pub fn token(self, server: &Server, credentials: &Credentials) -> Self {
        self.environment("AWS_ENDPOINT_URL", server.localhost_url())
            .environment("BUCKET_NAME", &credentials.bucket)
            .environment("AWS_ACCESS_KEY_ID", &credentials.access_key_id)
            .environment("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key)
    }

    /// Gives the root key under S3's names and no bucket.
    #[must_use]
    pub fn root_as_s3(self, server: &Server) -> Self {
        self.environment("AWS_ENDPOINT_URL", server.localhost_url())
            .environment("AWS_ACCESS_KEY_ID", ROOT_ACCESS_KEY_ID)
            .environment("AWS_SECRET_ACCESS_KEY", ROOT_SECRET_ACCESS_KEY)
    }

    /// Gives the endpoint and the root key under bucketry's own names.
    #[must_use]
    pub fn operator(self, server: &Server) -> Self {
        self.environment("BUCKETRY_ENDPOINT", server.endpoint_url())
            .environment("BUCKETRY_ACCESS_KEY_ID", ROOT_ACCESS_KEY_ID)
            .environment("BUCKETRY_SECRET_ACCESS_KEY", ROOT_SECRET_ACCESS_KEY)
    }

    /// Runs the script to its end and gives what it printed.
    ///
    /// # Errors
    /// It exited with another status than 0, or ran longer than five minutes.
    pub async fn run(self) -> Result<String, HarnessError> {
        let folder = tempfile::Builder::new()
            .prefix("bucketry-script-")
            .tempdir()
            .map_err(HarnessError::io("make a folder for the script"))?;
        let name = self
            .path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let command = self.command(&folder)?.output();
        let output = tokio::time::timeout(LIMIT, command)
            .await
            .map_err(|_| HarnessError::ScriptTimeout {
                name: name.clone(),
                limit: LIMIT,
            })?
            .map_err(HarnessError::io("run the script"))?;
        finish(name, output.status, &output.stdout, &output.stderr)
    }

    fn command(&self, folder: &TempDir) -> Result<Command, HarnessError> {
        let cache = cache();
        let program = match self.interpreter {
            Interpreter::Python => prepared(cache.join("venv/bin/python"))?,
            Interpreter::Node => PathBuf::from("node"),
            Interpreter::Bash => PathBuf::from("bash"),
        };
        let path = search_path(&cache)?;
        let mut command = Command::new(program);
        command
            .arg(&self.path)
            .args(&self.arguments)
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", folder.path())
            .env("LANG", "C.UTF-8")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONUNBUFFERED", "1")
            .env("BUCKETRY_BINARY", binary()?)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command.env("NODE_PATH", node_packages()?);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }
}

/// The samples need not know where their packages are.
fn node_packages() -> Result<PathBuf, HarnessError> {
    prepared(repository().join("tests/clients/node/node_modules"))
}

fn search_path(cache: &Path) -> Result<OsString, HarnessError> {
    let own = [cache.join("venv/bin"), cache.join("bin")];
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let folders = own.into_iter().chain(std::env::split_paths(&inherited));
    std::env::join_paths(folders)
        .map_err(std::io::Error::other)
        .map_err(HarnessError::io("make a search path"))
}

fn finish(
    name: String,
    status: ExitStatus,
    stdout: &[u8],
    stderr: &[u8],
) -> Result<String, HarnessError> {
    let text = String::from_utf8_lossy(stdout).into_owned();
    if status.success() {
        return Ok(text);
    }
    Err(HarnessError::Script {
        name,
        status,
        output: format!("{text}{}", String::from_utf8_lossy(stderr)),
    })
}

fn prepared(path: PathBuf) -> Result<PathBuf, HarnessError> {
    if path.exists() {
        Ok(path)
    } else {
        Err(HarnessError::NotPrepared(path))
    }
}

/// The top of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// Where `tests/prepare` puts things.
#[must_use]
pub fn cache() -> PathBuf {
    match std::env::var_os("BUCKETRY_TEST_CACHE")
        .as_deref()
        .filter(|value| *value != OsStr::new(""))
    {
        Some(folder) => PathBuf::from(folder),
        None => repository().join(".cache"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn a_failing_script_shows_all_that_it_printed() {
        let error = finish(
            "x.py".to_owned(),
            ExitStatus::from_raw(256),
            b"out\n",
            b"err\n",
        )
        .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("x.py") && text.contains("out\nerr\n"),
            "{text}"
        );
    }

    #[test]
    fn the_search_path_begins_with_the_prepared_tools() {
        let path = search_path(Path::new("/prepared")).unwrap();
        let first = std::env::split_paths(&path).next();
        assert_eq!(first, Some(PathBuf::from("/prepared/venv/bin")));
    }
}
