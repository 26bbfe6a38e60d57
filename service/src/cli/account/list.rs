use bucketry_contract::v1::{Account, ListAccountsRequest, ListAccountsResponse};

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
    let mut all = ListAccountsResponse::default();
    let mut page_token = String::new();
    loop {
        let request = ListAccountsRequest {
            page_size: 0,
            page_token,
        };
        let page = connection.answer(connection.admin().list_accounts(request).await)?;
        all.accounts.extend(page.accounts);
        if page.next_page_token.is_empty() {
            break;
        }
        page_token = page.next_page_token;
    }
    match output {
        Output::Text => {
            let row = |account: &Account| {
                [
                    account.display_name.clone(),
                    account.account_id.clone(),
                    moment(account.create_time.as_ref()),
                ]
            };
            table(
                terminal.out,
                ["NAME", "ACCOUNT ID", "CREATED"],
                all.accounts.iter().map(row),
            )?;
        }
        Output::Json => writeln!(terminal.out, "{}", json(&all, "ListAccountsResponse")?)?,
    }
    Ok(())
}
