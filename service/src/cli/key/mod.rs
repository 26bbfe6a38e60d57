//! Keys of operators, account administrators and separate S3 adapters.

mod create;
mod list;
mod revoke;

use std::time::SystemTime;

use clap::Subcommand;

use super::output::{CredentialOutput, Output};
use super::server_connection::ServerConnection;
use super::{CliError, Terminal};

/// What to do with the keys of operators, account administrators and adapters.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Create a key; its secret is shown only once
    #[command(after_help = ROTATION)]
    Create {
        /// What the key may do.
        #[command(flatten)]
        kind: KeyKind,
        /// The id of the account that the key administers; without it: the account of the key that signs in. Operators
        /// must name one
        #[arg(long, value_name = "ACCOUNT", conflicts_with_all = ["edge", "operator"])]
        account: Option<String>,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t)]
        output: CredentialOutput,
    },
    /// List keys: operators see the keys of operators, adapters and account administrators; account administrators see
    /// those of their account
    List {
        /// List only the administrator keys of this account, by its id
        #[arg(long, value_name = "ACCOUNT")]
        account: Option<String>,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Revoke a key permanently
    ///
    /// Account administrators may revoke the keys of their account, that which signs in included, except the last usable
    /// one. Operators may revoke every key but that which signs in.
    #[command(after_help = ROTATION)]
    Revoke {
        /// The key's id or access key id
        #[arg(value_name = "KEY")]
        key: String,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
}

const ROTATION: &str = "\
An account administrator replaces the key that signs in:
  old=$BUCKETRY_ACCESS_KEY_ID
  bucketry key create --administrator NAME --output env > key.env
  set -a; . ./key.env; set +a
  bucketry key revoke \"$old\"";

/// What a new key may do, and its name.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
pub struct KeyKind {
    /// Create an account administrator key of this name, which may call everything that is about the account and its
    /// buckets
    #[arg(long, value_name = "NAME")]
    administrator: Option<String>,
    /// Create an edge key of this name, with which a separate S3 adapter signs in; it can be used for nothing else
    #[arg(long, value_name = "NAME")]
    edge: Option<String>,
    /// Create an operator key of this name, which may call everything but the adapter's service
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
}

impl KeyCommand {
    pub(super) async fn run(
        self,
        connection: &ServerConnection,
        now: SystemTime,
        terminal: &mut Terminal<'_>,
    ) -> Result<(), CliError> {
        match self {
            Self::Create {
                kind,
                account,
                output,
            } => create::create(kind, account, output, connection, terminal).await,
            Self::List { account, output } => {
                list::list(account, output, connection, now, terminal).await
            }
            Self::Revoke { key, output } => revoke::revoke(key, output, connection, terminal).await,
        }
    }
}
