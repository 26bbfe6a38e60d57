//! Buckets.

mod create;
mod delete;
mod list;

use clap::Subcommand;

use super::output::Output;
use super::server_connection::ServerConnection;
use super::{CliError, Terminal};

/// What to do with buckets.
#[derive(Debug, Subcommand)]
pub enum BucketCommand {
    /// Create a bucket
    Create {
        /// Its name: 3 to 63 of a-z, 0-9, '-' and '.'
        name: String,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// List your buckets
    List {
        /// Only names with this prefix
        #[arg(long, default_value = "")]
        prefix: String,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Delete an empty bucket
    Delete {
        /// Its name
        name: String,
    },
}

impl BucketCommand {
    pub(super) async fn run(
        self,
        connection: &ServerConnection,
        terminal: &mut Terminal<'_>,
    ) -> Result<(), CliError> {
        match self {
            Self::Create { name, output } => {
                create::create(name, output, connection, terminal).await
            }
            Self::List { prefix, output } => list::list(prefix, output, connection, terminal).await,
            Self::Delete { name } => delete::delete(name, connection, terminal).await,
        }
    }
}
