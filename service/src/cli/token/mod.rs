//! Tokens: access keys of one bucket.

mod audit;
mod chart;
mod clone;
mod create;
mod denials;
mod edit;
mod explain;
mod limits;
mod list;
mod purge;
mod reason;
mod resume;
mod revoke;
mod show;
mod snippet;
mod suspend;
mod usage;
mod view;

use std::time::SystemTime;

use clap::{Args, Subcommand};

use audit::TokenAuditArgs;
use create::CreateArgs;
use edit::EditArgs;
use explain::ExplainArgs;
use list::ListArgs;
use show::ShowArgs;
use usage::UsageArgs;

use super::output::{CredentialOutput, Output};
use super::server_connection::ServerConnection;
use super::{CliError, Terminal};

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Create a token and show its credentials
    Create(CreateArgs),
    /// List the tokens of a bucket, revoked ones included, or those whose bucket was deleted
    List(ListArgs),
    /// Show a token, or with --secret its credentials again, or with --snippet what to paste for a client
    Show(ShowArgs),
    /// Change a token's name, IP lists, expiry or limits. Permission, key ID and secret never change: clone the token
    /// instead
    Edit(EditArgs),
    /// Create a token with the same settings and a new key: the way to rotate
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
    /// Suspend a token until it is resumed
    Suspend(ChangeArgs),
    /// Resume a suspended token
    Resume(ChangeArgs),
    /// Revoke a token permanently
    Revoke(ChangeArgs),
    /// Delete the record of a token that can no longer be used: revoked, expired, or of a deleted bucket
    Purge(ChangeArgs),
    /// Show whether a token may do something, and the rule that decides, without doing it
    Explain(ExplainArgs),
    /// Show what a token has done
    Usage(UsageArgs),
    /// Show the latest refused requests of a token, and the rule that refused each
    Denials(ChangeArgs),
    /// Show what administrators did to a bucket and its tokens
    Audit(TokenAuditArgs),
}

/// Which token.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// The bucket [default: the token's bucket, even if it was deleted]
    #[arg(long, default_value = "", hide_default_value = true)]
    pub bucket: String,
    /// The token's ID or access key ID
    pub token: String,
}

/// A token and nothing else.
#[derive(Debug, Args)]
pub struct ChangeArgs {
    /// The token.
    #[command(flatten)]
    pub token: TokenArgs,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

impl TokenCommand {
    pub(super) async fn run(
        self,
        connection: &ServerConnection,
        now: SystemTime,
        terminal: &mut Terminal<'_>,
    ) -> Result<(), CliError> {
        match self {
            Self::Create(args) => create::create(args, connection, now, terminal).await,
            Self::List(args) => list::list(args, connection, now, terminal).await,
            Self::Show(args) => show::show(args, connection, now, terminal).await,
            Self::Edit(args) => edit::edit(args, connection, now, terminal).await,
            Self::Clone {
                token,
                name,
                output,
            } => clone::clone(token, name, output, connection, terminal).await,
            Self::Suspend(args) => suspend::suspend(args, connection, now, terminal).await,
            Self::Resume(args) => resume::resume(args, connection, now, terminal).await,
            Self::Revoke(args) => revoke::revoke(args, connection, now, terminal).await,
            Self::Purge(args) => purge::purge(args, connection, terminal).await,
            Self::Explain(args) => explain::explain(args, connection, terminal).await,
            Self::Usage(args) => usage::usage(args, connection, now, terminal).await,
            Self::Denials(args) => denials::denials(args, connection, now, terminal).await,
            Self::Audit(args) => audit::audit(args, connection, terminal).await,
        }
    }
}
