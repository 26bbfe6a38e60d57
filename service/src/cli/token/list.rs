use std::time::SystemTime;

use bucketry_contract::v1::{ListTokensRequest, ListTokensResponse, Token};
use clap::Args;

use super::view::{permission, short_ips, state};
use crate::cli::ago::ago;
use crate::cli::amount::count;
use crate::cli::json::json;
use crate::cli::output::Output;
use crate::cli::server_connection::ServerConnection;
use crate::cli::table::table;
use crate::cli::{CliError, Terminal};

/// Which tokens to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The bucket
    #[arg(
        long,
        required_unless_present = "orphaned",
        default_value = "",
        hide_default_value = true
    )]
    pub bucket: String,
    /// List the tokens whose bucket was deleted
    #[arg(long, conflicts_with = "bucket")]
    pub orphaned: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

pub(super) async fn list(
    args: ListArgs,
    connection: &ServerConnection,
    now: SystemTime,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let mut all = ListTokensResponse::default();
    let mut page_token = String::new();
    loop {
        let request = ListTokensRequest {
            bucket: args.bucket.clone(),
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
    match args.output {
        Output::Text if all.tokens.is_empty() => {
            writeln!(terminal.out, "no tokens")?;
        }
        Output::Text => table(
            terminal.out,
            [
                "NAME",
                "PERMISSION",
                "IPS",
                "LAST USED",
                "REQUESTS",
                "STATUS",
                "ACCESS KEY ID",
            ],
            all.tokens.iter().map(|token| row(token, now)),
        )?,
        Output::Json => writeln!(terminal.out, "{}", json(&all, "ListTokensResponse")?)?,
    }
    Ok(())
}

fn row(token: &Token, now: SystemTime) -> [String; 7] {
    let used = token.last_use.as_ref().and_then(|used| used.time.as_ref());
    [
        token.name.clone(),
        permission(token).to_owned(),
        short_ips(token),
        ago(used, now),
        count(token.request_count),
        state(token).to_owned(),
        token.access_key_id.clone(),
    ]
}
