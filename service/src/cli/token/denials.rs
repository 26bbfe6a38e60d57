use std::time::SystemTime;

use bucketry_contract::v1::{ListTokenDenialsRequest, TokenDenial};

use super::ChangeArgs;
use crate::cli::ago::ago;
use crate::cli::json::json;
use crate::cli::output::Output;
use crate::cli::server_connection::ServerConnection;
use crate::cli::table::table;
use crate::cli::{CliError, Terminal};

pub(super) async fn denials(
    args: ChangeArgs,
    connection: &ServerConnection,
    now: SystemTime,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let request = ListTokenDenialsRequest {
        bucket: args.token.bucket,
        token_id: args.token.token,
    };
    let answer = connection.answer(connection.tokens().list_token_denials(request).await)?;
    match args.output {
        Output::Text if answer.denials.is_empty() => {
            writeln!(terminal.out, "no refused requests")?;
        }
        Output::Text => table(
            terminal.out,
            [
                "WHEN",
                "OPERATION",
                "OBJECT",
                "ADDRESS",
                "RULE",
                "REQUEST ID",
            ],
            answer.denials.iter().map(|denial| row(denial, now)),
        )?,
        Output::Json => writeln!(
            terminal.out,
            "{}",
            json(&answer, "ListTokenDenialsResponse")?
        )?,
    }
    Ok(())
}

fn row(denial: &TokenDenial, now: SystemTime) -> [String; 6] {
    let or_dash = |text: &str| match text {
        "" => "-".to_owned(),
        text => text.to_owned(),
    };
    let object = match (denial.bucket.as_str(), denial.key.as_str()) {
        (bucket, "") => or_dash(bucket),
        (bucket, key) => format!("{bucket}/{key}"),
    };
    let address = match denial.client_address.as_str() {
        "" => "unknown".to_owned(),
        known => known.to_owned(),
    };
    [
        ago(denial.time.as_ref(), now),
        or_dash(&denial.operation),
        object,
        address,
        denial.rule.clone(),
        or_dash(&denial.request_id),
    ]
}
