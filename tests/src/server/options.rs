use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::{
    ALLOW_UNSAFE_DATABASE, KEYRING, ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, binary, data_dir,
};
use crate::error::HarnessError;

/// What tests read of their environment.
const TEST_VARIABLES: [&str; 3] = [
    "BUCKETRY_TEST_CACHE",
    "BUCKETRY_TEST_POSTGRES_URL",
    "BUCKETRY_BLESS",
];

/// What a server is started with besides a data directory.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    listen: String,
    console: String,
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
            console: "none".to_owned(),
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

    /// Serves the console too, on this address.
    #[must_use]
    pub fn console(mut self, address: &str) -> Self {
        self.console = address.to_owned();
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

/// The command that starts a server in a folder.
pub(super) fn command(folder: &Path, options: &ServerOptions) -> Result<Command, HarnessError> {
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
        .arg("--console-listen")
        .arg(&options.console)
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
