use std::time::SystemTime;

use bucketry_contract::v1::{GetCapabilitiesRequest, GetTokenRequest, ShowTokenSecretRequest};
use clap::Args;

use super::TokenArgs;
use super::snippet::{Setup, Snippet};
use super::view::write_token;
use crate::cli::json::json;
use crate::cli::output::{CredentialOutput, required, write_credentials};
use crate::cli::server_connection::ServerConnection;
use crate::cli::{CliError, Terminal};

/// What to show of a token.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The token.
    #[command(flatten)]
    pub token: TokenArgs,
    /// Show the credentials; recorded in the server's audit
    #[arg(long)]
    pub secret: bool,
    /// Show the settings of a client, with the credentials in them; recorded in the server's audit
    #[arg(long, value_enum, value_name = "CLIENT", conflicts_with_all = ["secret", "output"])]
    pub snippet: Option<Snippet>,
    /// The form of the answer; env needs --secret
    #[arg(long, value_enum, default_value_t)]
    pub output: CredentialOutput,
}

pub(super) async fn show(
    args: ShowArgs,
    connection: &ServerConnection,
    now: SystemTime,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    if let Some(snippet) = args.snippet {
        return show_snippet(snippet, args.token, connection, terminal).await;
    }
    if args.secret {
        return show_secret(args, connection, terminal).await;
    }
    let request = GetTokenRequest {
        bucket: args.token.bucket,
        token_id: args.token.token,
    };
    let answer = match args.output {
        // Before the call: what cannot be shown need not be asked for.
        CredentialOutput::Env => return Err(CliError::EnvNeedsSecret),
        CredentialOutput::Text | CredentialOutput::Json => {
            connection.answer(connection.tokens().get_token(request).await)?
        }
    };
    if args.output == CredentialOutput::Json {
        writeln!(terminal.out, "{}", json(&answer, "GetTokenResponse")?)?;
    } else {
        write_token(terminal.out, &required(answer.token, "token")?, now)?;
    }
    Ok(())
}

async fn show_secret(
    args: ShowArgs,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let request = ShowTokenSecretRequest {
        bucket: args.token.bucket,
        token_id: args.token.token,
    };
    let answer = connection.answer(connection.tokens().show_token_secret(request).await)?;
    write_credentials(
        terminal.out,
        args.output,
        answer.credentials.as_ref(),
        &answer,
        "ShowTokenSecretResponse",
    )
}

async fn show_snippet(
    snippet: Snippet,
    token: TokenArgs,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let request = GetTokenRequest {
        bucket: token.bucket.clone(),
        token_id: token.token.clone(),
    };
    let answer = connection.answer(connection.tokens().get_token(request).await)?;
    let permission = required(answer.token, "token")?.permission();
    let capabilities = connection
        .objects()
        .get_capabilities(GetCapabilitiesRequest {})
        .await;
    let region = connection.answer(capabilities)?.region;
    let request = ShowTokenSecretRequest {
        bucket: token.bucket,
        token_id: token.token,
    };
    let answer = connection.answer(connection.tokens().show_token_secret(request).await)?;
    let setup = Setup {
        credentials: &required(answer.credentials, "credentials")?,
        region: &region,
        permission,
    };
    write!(terminal.out, "{}", snippet.text(&setup)?)?;
    Ok(())
}
