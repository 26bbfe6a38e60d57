use std::time::SystemTime;

use bucketry_contract::v1::RevokeTokenRequest;

use super::ChangeArgs;
use super::view::write_token;
use crate::cli::json::json;
use crate::cli::output::{Output, required};
use crate::cli::server_connection::ServerConnection;
use crate::cli::{CliError, Terminal};

pub(super) async fn revoke(
    args: ChangeArgs,
    connection: &ServerConnection,
    now: SystemTime,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let request = RevokeTokenRequest {
        bucket: args.token.bucket,
        token_id: args.token.token,
    };
    let answer = connection.answer(connection.tokens().revoke_token(request).await)?;
    match args.output {
        Output::Text => write_token(terminal.out, &required(answer.token, "token")?, now)?,
        Output::Json => writeln!(terminal.out, "{}", json(&answer, "RevokeTokenResponse")?)?,
    }
    Ok(())
}
