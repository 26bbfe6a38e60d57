use std::time::{Duration, SystemTime};

use bucketry_contract::v1::{GetTokenUsageRequest, GetTokenUsageResponse, RequestClass, UsageHour};
use clap::Args;
use prost_types::Timestamp;

use super::TokenArgs;
use super::chart::{chart, steps};
use super::reason::reason_words;
use super::view::last_use;
use crate::cli::amount::{bytes, count};
use crate::cli::json::json;
use crate::cli::output::Output;
use crate::cli::server_connection::ServerConnection;
use crate::cli::table::{printable, table};
use crate::cli::{CliError, Terminal};
use crate::config::parse_duration;

/// Which usage to show.
#[derive(Debug, Args)]
pub struct UsageArgs {
    /// The token.
    #[command(flatten)]
    pub token: TokenArgs,
    /// How far back, as in 24h or 30d; at most 366d
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = parse_duration)]
    pub since: Duration,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

pub(super) async fn usage(
    args: UsageArgs,
    connection: &ServerConnection,
    now: SystemTime,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let end = Timestamp::from(now);
    let since = i64::try_from(args.since.as_secs()).unwrap_or(i64::MAX);
    let start = end.seconds.saturating_sub(since);
    let request = GetTokenUsageRequest {
        bucket: args.token.bucket,
        token_id: args.token.token,
        // There is no usage before the epoch. The server limits the length of the span.
        start_time: Some(Timestamp {
            seconds: start.max(0),
            nanos: 0,
        }),
        end_time: Some(end),
    };
    let answer = connection.answer(connection.tokens().get_token_usage(request).await)?;
    match args.output {
        Output::Text => write_usage(terminal, &answer, args.since, now)?,
        Output::Json => writeln!(terminal.out, "{}", json(&answer, "GetTokenUsageResponse")?)?,
    }
    Ok(())
}

fn write_usage(
    terminal: &mut Terminal<'_>,
    answer: &GetTokenUsageResponse,
    since: Duration,
    now: SystemTime,
) -> Result<(), CliError> {
    match &answer.last_use {
        None => writeln!(terminal.out, "never used")?,
        Some(used) => writeln!(terminal.out, "last used {}", printable(last_use(used, now)))?,
    }
    write!(
        terminal.out,
        "\n{}",
        chart(&steps(&answer.hours, since, now))
    )?;
    let total = answer.total.clone().unwrap_or_default();
    if !total.counts.is_empty() {
        writeln!(terminal.out)?;
        table(
            terminal.out,
            ["CLASS", "REQUESTS", "BYTES IN", "BYTES OUT"],
            class_rows(&total),
        )?;
    }
    if !total.denials.is_empty() {
        writeln!(terminal.out)?;
        let rows = total.denials.iter().map(|denial| {
            [
                reason_words(denial.reason()).to_owned(),
                count(denial.requests),
            ]
        });
        table(terminal.out, ["REFUSED BECAUSE", "REQUESTS"], rows)?;
    }
    Ok(())
}

fn class_rows(total: &UsageHour) -> Vec<[String; 4]> {
    let mut sum = [0_i64; 3];
    let mut rows: Vec<[String; 4]> = Vec::new();
    for of_class in &total.counts {
        let numbers = [of_class.requests, of_class.bytes_in, of_class.bytes_out];
        for (sum, number) in sum.iter_mut().zip(numbers) {
            *sum = sum.saturating_add(number);
        }
        rows.push(class_row(class_words(of_class.class()), numbers));
    }
    if rows.len() > 1 {
        rows.push(class_row("all", sum));
    }
    rows
}

fn class_row(name: &str, [requests, bytes_in, bytes_out]: [i64; 3]) -> [String; 4] {
    [
        name.to_owned(),
        count(requests),
        bytes(bytes_in),
        bytes(bytes_out),
    ]
}

fn class_words(class: RequestClass) -> &'static str {
    match class {
        RequestClass::Unspecified => "unknown",
        RequestClass::Read => "read",
        RequestClass::List => "list",
        RequestClass::Write => "write",
        RequestClass::Delete => "delete",
        RequestClass::Other => "other",
    }
}
