use bucketry_contract::v1::PurgeTokenRequest;

use super::ChangeArgs;
use crate::cli::json::json;
use crate::cli::output::Output;
use crate::cli::server_connection::ServerConnection;
use crate::cli::{CliError, Terminal};

pub(super) async fn purge(
    args: ChangeArgs,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let request = PurgeTokenRequest {
        bucket: args.token.bucket,
        token_id: args.token.token.clone(),
    };
    let answer = connection.answer(connection.tokens().purge_token(request).await)?;
    match args.output {
        Output::Text => writeln!(terminal.out, "purged {}", args.token.token)?,
        Output::Json => writeln!(terminal.out, "{}", json(&answer, "PurgeTokenResponse")?)?,
    }
    Ok(())
}
