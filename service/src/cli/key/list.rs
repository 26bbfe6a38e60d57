use bucketry_contract::v1::{AdminKey, AdminKeyScope, ListAdminKeysRequest, ListAdminKeysResponse};

use crate::cli::json::json;
use crate::cli::output::{Output, moment};
use crate::cli::server_connection::ServerConnection;
use crate::cli::table::table;
use crate::cli::{CliError, Terminal};

pub(super) async fn list(
    output: Output,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let mut all = ListAdminKeysResponse::default();
    let mut page_token = String::new();
    loop {
        let request = ListAdminKeysRequest {
            page_size: 0,
            page_token,
        };
        let page = connection.answer(connection.admin().list_admin_keys(request).await)?;
        all.keys.extend(page.keys);
        if page.next_page_token.is_empty() {
            break;
        }
        page_token = page.next_page_token;
    }
    match output {
        Output::Text => table(
            terminal.out,
            [
                "NAME",
                "SCOPE",
                "KEY ID",
                "ACCESS KEY ID",
                "CREATED",
                "REVOKED",
            ],
            all.keys.iter().map(row),
        )?,
        Output::Json => writeln!(terminal.out, "{}", json(&all, "ListAdminKeysResponse")?)?,
    }
    Ok(())
}

fn row(key: &AdminKey) -> [String; 6] {
    let scope = match key.scope() {
        AdminKeyScope::Operator => "operator".to_owned(),
        AdminKeyScope::Account => format!("account {}", key.account_id),
        AdminKeyScope::Edge => "edge".to_owned(),
        AdminKeyScope::Unspecified => "unknown".to_owned(),
    };
    [
        key.name.clone(),
        scope,
        key.key_id.clone(),
        key.access_key_id.clone(),
        moment(key.create_time.as_ref()),
        moment(key.revoke_time.as_ref()),
    ]
}
