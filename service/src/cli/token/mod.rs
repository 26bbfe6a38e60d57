//! Tokens: access keys of one bucket.

mod clone;
mod create;
mod edit;
mod list;
mod resume;
mod revoke;
mod show;
mod suspend;
mod view;

use std::time::SystemTime;

use clap::{Args, Subcommand};

use create::CreateArgs;
use edit::EditArgs;

use super::connection::Connection;
use super::output::{CredentialOutput, Output};
use super::{CliError, Terminal};

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and show its credentials
    Create(CreateArgs),
    /// List the tokens of a bucket, revoked ones included
    List {
        /// The bucket
        #[arg(long)]
        bucket: String,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Show a token, or with --secret its credentials again
    Show(ShowArgs),
    /// Change a token's name or IP lists. Permission, key ID and secret never change: clone the token instead
    Edit(EditArgs),
    /// Make a token with the same settings and new keys: the way to rotate
    Clone {
        /// The token.
        #[command(flatten)]
        token: TokenArgs,
        /// The clone's name [default: the same]
        #[arg(long, default_value = "", hide_default_value = true)]
        name: String,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t)]
        output: CredentialOutput,
    },
    /// Stop a token until it is resumed
    Suspend(ChangeArgs),
    /// Let a suspended token work again
    Resume(ChangeArgs),
    /// End a token for good
    Revoke(ChangeArgs),
}

/// Which token.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// The bucket
    #[arg(long)]
    pub bucket: String,
    /// The token's ID or access key ID
    pub token: String,
}

/// A change without settings.
#[derive(Debug, Args)]
pub struct ChangeArgs {
    /// The token.
    #[command(flatten)]
    pub token: TokenArgs,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// What to show of a token.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The token.
    #[command(flatten)]
    pub token: TokenArgs,
    /// Show the credentials; the server's audit notes it
    #[arg(long)]
    pub secret: bool,
    /// The form of the answer; env needs --secret
    #[arg(long, value_enum, default_value_t)]
    pub output: CredentialOutput,
}

impl TokenCommand {
    pub(super) async fn run(
        self,
        connection: &Connection,
        now: SystemTime,
        terminal: &mut Terminal<'_>,
    ) -> Result<(), CliError> {
        match self {
            Self::Create(args) => create::create(args, connection, now, terminal).await,
            Self::List { bucket, output } => list::list(bucket, output, connection, terminal).await,
            Self::Show(args) => show::show(args, connection, terminal).await,
            Self::Edit(args) => edit::edit(args, connection, terminal).await,
            Self::Clone {
                token,
                name,
                output,
            } => clone::clone(token, name, output, connection, terminal).await,
            Self::Suspend(args) => suspend::suspend(args, connection, terminal).await,
            Self::Resume(args) => resume::resume(args, connection, terminal).await,
            Self::Revoke(args) => revoke::revoke(args, connection, terminal).await,
        }
    }
}
