use bucketry_contract::v1::{ExplainAccessRequest, ExplainAccessResponse};
use clap::Args;
use prost_types::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::TokenArgs;
use super::reason::reason_words;
use crate::cli::json::json;
use crate::cli::output::{Output, write_fields};
use crate::cli::server_connection::ServerConnection;
use crate::cli::{CliError, Terminal};

/// A request that is not made.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The token.
    #[command(flatten)]
    pub token: TokenArgs,
    /// The S3 operation or RPC, as in GetObject or ListObjectsV2
    #[arg(long)]
    pub operation: String,
    /// The bucket of the request [default: the token's own]
    #[arg(long, default_value = "", hide_default_value = true)]
    pub target_bucket: String,
    /// The key of the request
    #[arg(long, default_value = "", hide_default_value = true)]
    pub key: String,
    /// The client address of the request [default: unknown, which every IP rule refuses]
    #[arg(long, value_name = "IP", default_value = "", hide_default_value = true)]
    pub address: String,
    /// The time of the request, as in 2030-01-31T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub at: Option<Timestamp>,
    /// A field of the request that requires a further permission, as in precondition.if_match or
    /// precondition.if_none_match=*; repeatable
    #[arg(long = "field", value_name = "FIELD[=VALUE]")]
    pub fields: Vec<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    let time = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|problem| format!("{problem}; a time looks like 2030-01-31T12:00:00Z"))?;
    Ok(Timestamp {
        seconds: time.unix_timestamp(),
        // Below 1,000,000,000.
        nanos: i32::try_from(time.nanosecond()).unwrap_or_default(),
    })
}

pub(super) async fn explain(
    args: ExplainArgs,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let request = ExplainAccessRequest {
        bucket: args.token.bucket,
        token_id: args.token.token,
        operation: args.operation,
        target_bucket: args.target_bucket,
        key: args.key,
        client_address: args.address,
        time: args.at,
        fields: args.fields,
    };
    let answer = connection.answer(connection.tokens().explain_access(request).await)?;
    match args.output {
        Output::Text => write_explanation(terminal, &answer)?,
        Output::Json => writeln!(terminal.out, "{}", json(&answer, "ExplainAccessResponse")?)?,
    }
    Ok(())
}

fn write_explanation(
    terminal: &mut Terminal<'_>,
    answer: &ExplainAccessResponse,
) -> Result<(), CliError> {
    let verdict = if answer.allowed { "allowed" } else { "denied" };
    let address = match answer.client_address.as_str() {
        "" => "unknown",
        known => known,
    };
    write_fields(
        terminal.out,
        &[
            ("Answer", verdict),
            ("Because", reason_words(answer.reason())),
            ("Rule", &answer.rule),
            ("Address", address),
        ],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_zone() {
        let time = parse_time("2023-11-14T23:13:20.5+01:00").unwrap();
        assert_eq!((time.seconds, time.nanos), (1_700_000_000, 500_000_000));
        for wrong in ["", "2023-11-14", "2023-11-14T22:13:20", "now", "1700000000"] {
            assert!(
                parse_time(wrong).unwrap_err().contains("looks like"),
                "{wrong}"
            );
        }
    }
}
