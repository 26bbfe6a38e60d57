//! Keys of operators and separate S3 adapters.

mod create;
mod list;
mod revoke;

use clap::Subcommand;

use super::output::{CredentialOutput, Output};
use super::server_connection::ServerConnection;
use super::{CliError, Terminal};

/// What to do with the keys of operators and adapters.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Create a key; its secret is shown only once
    Create {
        /// What the key may do.
        #[command(flatten)]
        kind: KeyKind,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t)]
        output: CredentialOutput,
    },
    /// List the keys of operators, adapters and account administrators
    List {
        /// The form of the answer
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Revoke a key permanently
    Revoke {
        /// The key's id or access key id
        #[arg(value_name = "KEY")]
        key: String,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
}

/// What a new key may do, and its name.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
pub struct KeyKind {
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
        terminal: &mut Terminal<'_>,
    ) -> Result<(), CliError> {
        match self {
            Self::Create { kind, output } => {
                create::create(kind, output, connection, terminal).await
            }
            Self::List { output } => list::list(output, connection, terminal).await,
            Self::Revoke { key, output } => revoke::revoke(key, output, connection, terminal).await,
        }
    }
}
