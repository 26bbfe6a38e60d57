use bucketry_contract::v1::{
    AdminKey, CreateAccountKeyRequest, CreateEdgeKeyRequest, CreateOperatorKeyRequest,
};
use prost::Message;

use super::KeyKind;
use crate::cli::json::json;
use crate::cli::output::{CredentialOutput, required, write_env, write_fields};
use crate::cli::server_connection::ServerConnection;
use crate::cli::{CliError, Terminal};

pub(super) async fn create(
    kind: KeyKind,
    account: Option<String>,
    output: CredentialOutput,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let mut admin = connection.admin();
    match (kind.administrator, kind.edge, kind.operator) {
        (Some(name), _, _) => {
            let account_id = account.unwrap_or_default();
            let request = CreateAccountKeyRequest { account_id, name };
            let answer = connection.answer(admin.create_account_key(request).await)?;
            let made = (&answer, "CreateAccountKeyResponse");
            let pair = (answer.key.as_ref(), answer.secret_access_key.as_str());
            write(output, made, pair, terminal)
        }
        (None, Some(name), _) => {
            let request = CreateEdgeKeyRequest { name };
            let answer = connection.answer(admin.create_edge_key(request).await)?;
            let made = (&answer, "CreateEdgeKeyResponse");
            let pair = (answer.key.as_ref(), answer.secret_access_key.as_str());
            write(output, made, pair, terminal)
        }
        (None, None, name) => {
            let name = name.unwrap_or_default();
            let request = CreateOperatorKeyRequest { name };
            let answer = connection.answer(admin.create_operator_key(request).await)?;
            let made = (&answer, "CreateOperatorKeyResponse");
            let pair = (answer.key.as_ref(), answer.secret_access_key.as_str());
            write(output, made, pair, terminal)
        }
    }
}

/// Writes an answer and its name within `bucketry.v1`, or the key and secret that it holds.
fn write(
    output: CredentialOutput,
    (answer, name): (&impl Message, &str),
    (key, secret): (Option<&AdminKey>, &str),
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let key = required(key, "key");
    match output {
        CredentialOutput::Json => writeln!(terminal.out, "{}", json(answer, name)?)?,
        CredentialOutput::Text => {
            let key = key?;
            write_fields(
                terminal.out,
                &[
                    ("Name", key.name.as_str()),
                    ("Key ID", &key.key_id),
                    ("Access key ID", &key.access_key_id),
                    ("Secret access key", secret),
                ],
            )?;
        }
        CredentialOutput::Env => write_env(
            terminal.out,
            &[
                ("BUCKETRY_ACCESS_KEY_ID", key?.access_key_id.as_str()),
                ("BUCKETRY_SECRET_ACCESS_KEY", secret),
            ],
        )?,
    }
    Ok(())
}
