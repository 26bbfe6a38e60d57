use bucketry_contract::v1::CloneTokenRequest;

use super::TokenArgs;
use super::create::{write_hint, write_host_advice};
use crate::cli::output::{CredentialOutput, write_credentials};
use crate::cli::server_connection::ServerConnection;
use crate::cli::{CliError, Terminal};

pub(super) async fn clone(
    token: TokenArgs,
    name: String,
    output: CredentialOutput,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let request = CloneTokenRequest {
        bucket: token.bucket,
        token_id: token.token,
        name,
    };
    let answer = connection.answer(connection.tokens().clone_token(request).await)?;
    write_credentials(
        terminal.out,
        output,
        answer.credentials.as_ref(),
        &answer,
        "CloneTokenResponse",
    )?;
    if output == CredentialOutput::Text {
        write_hint(terminal, answer.token.as_ref())?;
    }
    write_host_advice(terminal, answer.credentials.as_ref()).await
}
