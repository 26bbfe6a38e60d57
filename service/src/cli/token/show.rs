use bucketry_contract::v1::{GetTokenRequest, ShowTokenSecretRequest};

use super::ShowArgs;
use super::view::write_token;
use crate::cli::connection::Connection;
use crate::cli::json::json;
use crate::cli::output::{CredentialOutput, required, write_credentials};
use crate::cli::{CliError, Terminal};

pub(super) async fn show(
    args: ShowArgs,
    connection: &Connection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
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
        write_token(terminal.out, &required(answer.token, "token")?)?;
    }
    Ok(())
}

async fn show_secret(
    args: ShowArgs,
    connection: &Connection,
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
