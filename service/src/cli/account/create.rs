use bucketry_contract::v1::{CreateAccountRequest, GetCapabilitiesRequest};

use crate::cli::json::json;
use crate::cli::output::{CredentialOutput, required, write_env, write_fields};
use crate::cli::server_connection::ServerConnection;
use crate::cli::{CliError, Terminal};

pub(super) async fn create(
    name: String,
    output: CredentialOutput,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    // Asked first: after the account is made nothing may fail before its secret is shown.
    let capabilities = connection
        .objects()
        .get_capabilities(GetCapabilitiesRequest {})
        .await;
    let endpoint = connection.answer(capabilities)?.endpoint_url;
    // A server without an endpoint of its own is reached by ours.
    let endpoint = if endpoint.is_empty() {
        connection.endpoint()
    } else {
        &endpoint
    };
    let request = CreateAccountRequest { display_name: name };
    let answer = connection.answer(connection.admin().create_account(request).await)?;
    if output == CredentialOutput::Json {
        writeln!(terminal.out, "{}", json(&answer, "CreateAccountResponse")?)?;
        return Ok(());
    }
    let account = required(answer.account, "account")?;
    match output {
        CredentialOutput::Json => {}
        CredentialOutput::Text => write_fields(
            terminal.out,
            &[
                ("Account", account.display_name.as_str()),
                ("Account ID", &account.account_id),
                ("Owner ID", &account.owner_id),
                ("Endpoint URL", endpoint),
                ("AWS access key ID", &answer.access_key_id),
                ("AWS secret access key", &answer.secret_access_key),
            ],
        )?,
        CredentialOutput::Env => write_env(
            terminal.out,
            &[
                ("ACCOUNT_ID", account.owner_id.as_str()),
                ("DISPLAY_NAME", &account.display_name),
                ("AWS_ENDPOINT_URL", endpoint),
                ("AWS_ACCESS_KEY_ID", &answer.access_key_id),
                ("AWS_SECRET_ACCESS_KEY", &answer.secret_access_key),
            ],
        )?,
    }
    Ok(())
}
