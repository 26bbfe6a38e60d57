use bucketry_contract::v1::RevokeAdminKeyRequest;

use crate::cli::json::json;
use crate::cli::output::{Output, required};
use crate::cli::server_connection::ServerConnection;
use crate::cli::{CliError, Terminal};

pub(super) async fn revoke(
    key: String,
    output: Output,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let request = RevokeAdminKeyRequest { key_id: key };
    let answer = connection.answer(connection.admin().revoke_admin_key(request).await)?;
    match output {
        Output::Json => writeln!(terminal.out, "{}", json(&answer, "RevokeAdminKeyResponse")?)?,
        Output::Text => {
            let key = required(answer.key, "key")?;
            writeln!(terminal.out, "revoked {}", key.access_key_id)?;
        }
    }
    Ok(())
}
