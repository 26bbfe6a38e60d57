//! The keyring: its file, and what servers do with it.

mod edit;
mod list;
mod status;

use std::path::PathBuf;

use clap::Subcommand;

use super::output::Output;
use super::server_connection::ServerConnection;
use super::{CliError, Terminal};
use crate::access::{KekId, KeyringEdit};
use crate::config::{ClientSettings, KeyPair};

/// What to do with the keyring.
#[derive(Debug, Subcommand)]
#[command(after_help = ROTATION)]
pub enum KeyringCommand {
    /// Create a keyring file with one random key
    Create {
        /// Where the file is.
        #[command(flatten)]
        file: KeyringPlace,
    },
    /// Add a random key to the file; it seals nothing until it is made active
    Add {
        /// Its number, which must never have been used before, not even by a key that was removed [default: one more than
        /// the highest in the file]
        #[arg(long, value_name = "NUMBER", value_parser = kek_id)]
        number: Option<KekId>,
        /// Where the file is.
        #[command(flatten)]
        file: KeyringPlace,
    },
    /// Make a key of the file the active one, which seals
    Activate {
        /// The key's number
        #[arg(value_name = "NUMBER", value_parser = kek_id)]
        key: KekId,
        /// Where the file is.
        #[command(flatten)]
        file: KeyringPlace,
    },
    /// Remove a key from the file; do it only when status shows 0 for it
    Remove {
        /// The key's number
        #[arg(value_name = "NUMBER", value_parser = kek_id)]
        key: KekId,
        /// Where the file is.
        #[command(flatten)]
        file: KeyringPlace,
    },
    /// List the keys of the file, without the keys themselves
    List {
        /// Where the file is.
        #[command(flatten)]
        file: KeyringPlace,
    },
    /// Show which keys a server has, and how many secrets each seals
    Status {
        /// The form of the answer
        #[arg(long, value_enum, default_value_t)]
        output: Output,
        /// Where the server is.
        #[command(flatten)]
        connection: ClientSettings,
    },
    /// Reload the keyring file of a server
    Reload {
        /// The form of the answer
        #[arg(long, value_enum, default_value_t)]
        output: Output,
        /// Where the server is.
        #[command(flatten)]
        connection: ClientSettings,
    },
}

const ROTATION: &str = "\
To rotate:
  1. bucketry keyring add                 then reload
  2. bucketry keyring activate NUMBER     then reload
  3. bucketry keyring status              until the former key seals 0 secrets
  4. bucketry keyring remove NUMBER       then reload; sessions of the key last 15 minutes
A reload is bucketry keyring reload, or SIGHUP to the server. Nodes that share a database share
the file's content: edit it once, copy it to all, and reload each of them before the next edit.";

/// Where a keyring file is.
#[derive(Debug, Clone, clap::Args)]
pub struct KeyringPlace {
    /// The keyring file [default: keyring in DATA-DIR]
    #[arg(long, env = "BUCKETRY_KEYRING_FILE", value_name = "FILE")]
    keyring_file: Option<PathBuf>,

    /// The server's data directory
    #[arg(
        long,
        env = "BUCKETRY_DATA_DIR",
        value_name = "DIRECTORY",
        default_value = "./bucketry-data"
    )]
    data_dir: PathBuf,
}

impl KeyringPlace {
    fn path(self) -> PathBuf {
        self.keyring_file
            .unwrap_or_else(|| self.data_dir.join("keyring"))
    }
}

fn kek_id(text: &str) -> Result<KekId, &'static str> {
    KekId::parse(text).ok_or("a key's number is from 1 to 4294967295")
}

impl KeyringCommand {
    pub(super) async fn run(
        self,
        credentials: Option<KeyPair>,
        terminal: &mut Terminal<'_>,
    ) -> Result<(), CliError> {
        match self {
            Self::Create { file } => edit::create(&file.path(), terminal),
            Self::Add { number, file } => {
                edit::edit(&file.path(), KeyringEdit::Add(number), terminal)
            }
            Self::Activate { key, file } => {
                edit::edit(&file.path(), KeyringEdit::Activate(key), terminal)
            }
            Self::Remove { key, file } => {
                edit::edit(&file.path(), KeyringEdit::Remove(key), terminal)
            }
            Self::List { file } => list::list(&file.path(), terminal),
            Self::Status { output, connection } => {
                status::status(
                    output,
                    &ServerConnection::open(&connection, credentials).await?,
                    terminal,
                )
                .await
            }
            Self::Reload { output, connection } => {
                status::reload(
                    output,
                    &ServerConnection::open(&connection, credentials).await?,
                    terminal,
                )
                .await
            }
        }
    }
}
