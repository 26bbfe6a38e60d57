use bucketry_contract::v1::{ListTokensRequest, ListTokensResponse, Token};

use super::view::{permission, state};
use crate::cli::connection::Connection;
use crate::cli::json::json;
use crate::cli::output::{Output, moment};
use crate::cli::table::table;
use crate::cli::{CliError, Terminal};

pub(super) async fn list(
    bucket: String,
    output: Output,
    connection: &Connection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let mut all = ListTokensResponse::default();
    let mut page_token = String::new();
    loop {
        let request = ListTokensRequest {
            bucket: bucket.clone(),
            page_size: 0,
            page_token,
        };
        let page = connection.answer(connection.tokens().list_tokens(request).await)?;
        all.tokens.extend(page.tokens);
        if page.next_page_token.is_empty() {
            break;
        }
        page_token = page.next_page_token;
    }
    match output {
        Output::Text => table(
            terminal.out,
            [
                "TOKEN",
                "NAME",
                "PERMISSION",
                "STATE",
                "ACCESS KEY ID",
                "CREATED",
                "EXPIRES",
            ],
            all.tokens.iter().map(row),
        )?,
        Output::Json => writeln!(terminal.out, "{}", json(&all, "ListTokensResponse")?)?,
    }
    Ok(())
}

fn row(token: &Token) -> [String; 7] {
    [
        token.token_id.clone(),
        token.name.clone(),
        permission(token).to_owned(),
        state(token).to_owned(),
        token.access_key_id.clone(),
        moment(token.create_time.as_ref()),
        moment(token.expire_time.as_ref()),
    ]
}
