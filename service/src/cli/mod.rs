//! The command line: `serve`, and the admin client that talks gRPC to a server.

mod account;
mod ago;
mod amount;
mod audit;
mod bucket;
mod doctor;
mod error;
mod fsck;
mod host_style;
mod json;
mod key;
mod keyring;
mod output;
mod presign;
mod server_connection;
mod shell_quote;
mod table;
mod token;
mod variables;

use std::io::Write;
use std::time::SystemTime;

use clap::{Parser, Subcommand};

pub use account::AccountCommand;
pub use audit::AuditArgs;
pub use bucket::BucketCommand;
pub use doctor::DoctorCommand;
pub use error::CliError;
pub use fsck::{CheckError, FsckArgs};
pub use key::KeyCommand;
pub use keyring::KeyringCommand;
pub use presign::{PresignArgs, PresignMethodArg};
pub use token::TokenCommand;
pub use variables::unknown_process_variables;

use crate::config::{ClientSettings, KeyPair, ServeArgs};
use server_connection::ServerConnection;

/// An object store: gRPC and S3 on one port, with access by tokens of a bucket.
#[derive(Debug, Parser)]
#[command(name = "bucketry", version, after_help = EXAMPLES, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  bucketry serve
      Serves on 127.0.0.1:9000, data in ./bucketry-data. The first start prints the operator's key.
  bucketry bucket create photos
  bucketry token create --bucket photos --name web --permission read-only
  bucketry token create --bucket photos --name backup --permission write-only \\
      --allow-ip 10.0.0.0/8 --expires-in 30d --output env
  bucketry token show --bucket photos TOKEN --snippet boto3
  bucketry token explain --bucket photos TOKEN --operation GetObject --address 10.1.2.3
  bucketry token revoke --bucket photos TOKEN
  bucketry presign --bucket photos --key holiday.jpg --expires-in 10m
  bucketry fsck --data-dir ./bucketry-data --verify

bucket, token, presign, account, key, audit, doctor ip and host, and keyring status and reload talk to a running
server.
BUCKETRY_ENDPOINT names it; BUCKETRY_ACCESS_KEY_ID and BUCKETRY_SECRET_ACCESS_KEY sign in, else
BUCKETRY_ROOT_ACCESS_KEY_ID and BUCKETRY_ROOT_SECRET_ACCESS_KEY.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve gRPC and S3
    Serve(Box<ServeArgs>),
    /// Check the data of a stopped server: whether catalog and blobs agree
    Fsck(Box<FsckArgs>),
    /// Show the version
    Version,
    /// A command that a running server executes.
    #[command(flatten)]
    Client(ClientCommand),
}

/// The commands that a running server executes.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Create, list and delete buckets
    Bucket {
        /// What to do.
        #[command(subcommand)]
        command: BucketCommand,
        /// Where the server is.
        #[command(flatten)]
        connection: ClientSettings,
    },
    /// Create, show, edit and revoke tokens: S3 access keys of one bucket
    Token {
        /// What to do.
        #[command(subcommand)]
        command: Box<TokenCommand>,
        /// Where the server is.
        #[command(flatten)]
        connection: ClientSettings,
    },
    /// Make a presigned URL of an object: whoever has it needs no key
    Presign {
        /// The URL to create.
        #[command(flatten)]
        presign: PresignArgs,
        /// Where the server is.
        #[command(flatten)]
        connection: ClientSettings,
    },
    /// Rotate the keys that seal secrets: edit the keyring file, reload it, show the progress
    Keyring {
        /// What to do.
        #[command(subcommand)]
        command: KeyringCommand,
    },
    /// Check how clients reach a server, and its database; without a subcommand: list the checks
    Doctor {
        /// What to look at.
        #[command(subcommand)]
        command: Option<DoctorCommand>,
    },
    /// Show what administrators and operators did
    Audit {
        /// What to show.
        #[command(flatten)]
        audit: AuditArgs,
        /// Where the server is.
        #[command(flatten)]
        connection: ClientSettings,
    },
    /// Create, list and revoke keys of account administrators, operators and separate S3 adapters
    Key {
        /// What to do.
        #[command(subcommand)]
        command: KeyCommand,
        /// Where the server is.
        #[command(flatten)]
        connection: ClientSettings,
    },
    /// Create and list accounts, the owners of buckets
    Account {
        /// What to do.
        #[command(subcommand)]
        command: AccountCommand,
        /// Where the server is.
        #[command(flatten)]
        connection: ClientSettings,
    },
}

/// Where a command writes.
pub struct Terminal<'a> {
    /// The result.
    pub out: &'a mut dyn Write,
    /// Warnings and hints.
    pub err: &'a mut dyn Write,
}

impl ClientCommand {
    /// Executes the command. Relative times count from `now`.
    ///
    /// # Errors
    /// [`CliError`]: the server's refusal, or why it was not reached.
    pub async fn run(
        self,
        credentials: Option<KeyPair>,
        now: SystemTime,
        terminal: &mut Terminal<'_>,
    ) -> Result<(), CliError> {
        match self {
            Self::Bucket {
                command,
                connection,
            } => {
                command
                    .run(
                        &ServerConnection::open(&connection, credentials).await?,
                        terminal,
                    )
                    .await
            }
            Self::Token {
                command,
                connection,
            } => {
                command
                    .run(
                        &ServerConnection::open(&connection, credentials).await?,
                        now,
                        terminal,
                    )
                    .await
            }
            Self::Presign {
                presign,
                connection,
            } => {
                presign
                    .run(
                        &ServerConnection::open(&connection, credentials).await?,
                        terminal,
                    )
                    .await
            }
            Self::Keyring { command } => command.run(credentials, terminal).await,
            Self::Doctor { command: None } => doctor::list(terminal),
            Self::Doctor {
                command: Some(command),
            } => command.run(terminal).await,
            Self::Audit { audit, connection } => {
                audit
                    .run(
                        &ServerConnection::open(&connection, credentials).await?,
                        terminal,
                    )
                    .await
            }
            Self::Key {
                command,
                connection,
            } => {
                command
                    .run(
                        &ServerConnection::open(&connection, credentials).await?,
                        now,
                        terminal,
                    )
                    .await
            }
            Self::Account {
                command,
                connection,
            } => {
                command
                    .run(
                        &ServerConnection::open(&connection, credentials).await?,
                        terminal,
                    )
                    .await
            }
        }
    }
}

#[cfg(test)]
mod tests;
