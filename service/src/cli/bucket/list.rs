use bucketry_contract::v1::{ListBucketsRequest, ListBucketsResponse};

use crate::cli::amount::{bytes, count};
use crate::cli::json::json;
use crate::cli::output::{Output, moment};
use crate::cli::server_connection::ServerConnection;
use crate::cli::table::table;
use crate::cli::{CliError, Terminal};

pub(super) async fn list(
    prefix: String,
    output: Output,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let mut all = ListBucketsResponse::default();
    let mut page_token = String::new();
    loop {
        let request = ListBucketsRequest {
            page_size: 0,
            page_token,
            prefix: prefix.clone(),
        };
        let page = connection.answer(connection.objects().list_buckets(request).await)?;
        all.buckets.extend(page.buckets);
        all.owner_id = page.owner_id;
        all.owner_display_name = page.owner_display_name;
        if page.next_page_token.is_empty() {
            break;
        }
        page_token = page.next_page_token;
    }
    match output {
        Output::Text => {
            let row = |bucket: &bucketry_contract::v1::Bucket| {
                let held = bucket.statistics.unwrap_or_default();
                [
                    bucket.name.clone(),
                    moment(bucket.create_time.as_ref()),
                    count(held.object_count),
                    bytes(held.size_bytes),
                ]
            };
            table(
                terminal.out,
                ["NAME", "CREATED", "OBJECTS", "SIZE"],
                all.buckets.iter().map(row),
            )?;
        }
        Output::Json => writeln!(terminal.out, "{}", json(&all, "ListBucketsResponse")?)?,
    }
    Ok(())
}
