//! Accounts.

mod create;
mod list;

use clap::Subcommand;

use super::output::{CredentialOutput, Output};
use super::server_connection::ServerConnection;
use super::{CliError, Terminal};

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Create an account; its administrator's secret is shown only once
    Create {
        /// Its display name: 1 to 64 characters, unique
        name: String,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t)]
        output: CredentialOutput,
    },
    /// List all accounts
    List {
        /// The form of the answer
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
}

impl AccountCommand {
    pub(super) async fn run(
        self,
        connection: &ServerConnection,
        terminal: &mut Terminal<'_>,
    ) -> Result<(), CliError> {
        match self {
            Self::Create { name, output } => {
                create::create(name, output, connection, terminal).await
            }
            Self::List { output } => list::list(output, connection, terminal).await,
        }
    }
}
