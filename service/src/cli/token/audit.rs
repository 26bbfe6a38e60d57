use bucketry_contract::v1::{ListTokenAuditEventsRequest, ListTokenAuditEventsResponse};
use clap::Args;

use crate::cli::audit::{AuditArgs, page_size, write_events};
use crate::cli::json::json;
use crate::cli::output::Output;
use crate::cli::server_connection::ServerConnection;
use crate::cli::{CliError, Terminal};

/// Whose events to show.
#[derive(Debug, Args)]
pub struct TokenAuditArgs {
    /// The bucket
    #[arg(
        long,
        required_unless_present = "token",
        default_value = "",
        hide_default_value = true
    )]
    pub bucket: String,
    /// The token's ID or access key ID, of a purged token its ID [default: the bucket and all of its tokens]
    #[arg(default_value = "", hide_default_value = true)]
    pub token: String,
    /// How much.
    #[command(flatten)]
    pub audit: AuditArgs,
}

pub(super) async fn audit(
    args: TokenAuditArgs,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let limit = args.audit.limit;
    let mut all = ListTokenAuditEventsResponse::default();
    let mut page_token = String::new();
    loop {
        let request = ListTokenAuditEventsRequest {
            bucket: args.bucket.clone(),
            token_id: args.token.clone(),
            page_size: page_size(limit, all.events.len()),
            page_token,
        };
        let page = connection.answer(connection.tokens().list_token_audit_events(request).await)?;
        all.events.extend(page.events);
        if page.next_page_token.is_empty() || all.events.len() >= limit as usize {
            break;
        }
        page_token = page.next_page_token;
    }
    match args.audit.output {
        Output::Text => write_events(terminal.out, &all.events)?,
        Output::Json => writeln!(
            terminal.out,
            "{}",
            json(&all, "ListTokenAuditEventsResponse")?
        )?,
    }
    Ok(())
}
