use std::time::SystemTime;

use bucketry_contract::v1::{AdminKey, AdminKeyScope, ListAdminKeysRequest, ListAdminKeysResponse};

use crate::cli::ago::ago;
use crate::cli::json::json;
use crate::cli::output::{Output, moment};
use crate::cli::server_connection::ServerConnection;
use crate::cli::table::table;
use crate::cli::{CliError, Terminal};

/// Lists all keys that the caller administers, or the administrator keys of an account.
pub(super) async fn list(
    account: Option<String>,
    output: Output,
    connection: &ServerConnection,
    now: SystemTime,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let mut all = ListAdminKeysResponse::default();
    let mut page_token = String::new();
    loop {
        let request = ListAdminKeysRequest {
            page_size: 0,
            page_token,
            account_id: account.clone().unwrap_or_default(),
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
                "LAST USED",
                "REVOKED",
            ],
            all.keys.iter().map(|key| row(key, now)),
        )?,
        Output::Json => writeln!(terminal.out, "{}", json(&all, "ListAdminKeysResponse")?)?,
    }
    Ok(())
}

fn row(key: &AdminKey, now: SystemTime) -> [String; 7] {
    let scope = match key.scope() {
        AdminKeyScope::Operator => "operator".to_owned(),
        AdminKeyScope::Account => format!("account {}", key.account_id),
        AdminKeyScope::Edge => "edge".to_owned(),
        AdminKeyScope::Unspecified => "unknown".to_owned(),
    };
    let used = key.last_use.as_ref().and_then(|used| used.time.as_ref());
    [
        key.name.clone(),
        scope,
        key.key_id.clone(),
        key.access_key_id.clone(),
        moment(key.create_time.as_ref()),
        ago(used, now),
        moment(key.revoke_time.as_ref()),
    ]
}
