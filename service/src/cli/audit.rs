//! The audit, for people.

use std::io::{self, Write};

use bucketry_contract::v1::{AuditEvent, ListAuditEventsRequest, ListAuditEventsResponse};
use clap::Args;
use serde_json::Value;

use super::json::json;
use super::output::{Output, moment};
use super::server_connection::ServerConnection;
use super::table::table;
use super::{CliError, Terminal};

/// The most events of one call.
const PAGE: i32 = 1000;

/// What to show of the audit.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// The most events to show, the newest
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

impl AuditArgs {
    pub(super) async fn run(
        self,
        connection: &ServerConnection,
        terminal: &mut Terminal<'_>,
    ) -> Result<(), CliError> {
        let mut all = ListAuditEventsResponse::default();
        let mut page_token = String::new();
        loop {
            let request = ListAuditEventsRequest {
                page_size: page_size(self.limit, all.events.len()),
                page_token,
            };
            let page = connection.answer(connection.admin().list_audit_events(request).await)?;
            all.events.extend(page.events);
            if page.next_page_token.is_empty() || all.events.len() >= self.limit as usize {
                break;
            }
            page_token = page.next_page_token;
        }
        match self.output {
            Output::Text => write_events(terminal.out, &all.events)?,
            Output::Json => writeln!(terminal.out, "{}", json(&all, "ListAuditEventsResponse")?)?,
        }
        Ok(())
    }
}

/// What to ask for when `had` of `limit` events have come.
pub(super) fn page_size(limit: u32, had: usize) -> i32 {
    let rest = (limit as usize).saturating_sub(had);
    i32::try_from(rest).unwrap_or(PAGE).min(PAGE)
}

/// A line for each event.
pub(super) fn write_events(out: &mut dyn Write, events: &[AuditEvent]) -> io::Result<()> {
    if events.is_empty() {
        return writeln!(out, "no events");
    }
    table(
        out,
        [
            "TIME",
            "ACTION",
            "TOKEN",
            "BY",
            "FROM",
            "REQUEST ID",
            "DETAILS",
        ],
        events.iter().map(row),
    )
}

fn row(event: &AuditEvent) -> [String; 7] {
    let or_dash = |text: &str| match text {
        "" => "-".to_owned(),
        text => text.to_owned(),
    };
    [
        moment(event.time.as_ref()),
        event.action.clone(),
        or_dash(&event.token_id),
        event.actor.clone(),
        or_dash(&event.client_address),
        or_dash(&event.request_id),
        details(&event.details),
    ]
}

/// Details in words: of an edit only what changed, as in `name: "a" → "b"`.
fn details(text: &str) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(text) else {
        return text.to_owned();
    };
    let words: Vec<String> = match (fields.get("before"), fields.get("after")) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => after
            .iter()
            .filter(|(name, value)| before.get(*name) != Some(value))
            .map(|(name, value)| {
                let was = before.get(name).unwrap_or(&Value::Null);
                format!("{name}: {} → {}", without_empty(was), without_empty(value))
            })
            .collect(),
        _ => fields
            .iter()
            .filter(|(_, value)| !is_empty(value))
            .map(|(name, value)| format!("{name}: {}", without_empty(value)))
            .collect(),
    };
    words.join(", ")
}

/// A value without the fields of it that are not set.
fn without_empty(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !is_empty(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        other => other.clone(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_in_words() {
        for (text, words) in [
            ("{}", ""),
            (r#"{"name":"web"}"#, r#"name: "web""#),
            (
                r#"{"before":{"name":"a","limits":{"x":null}},"after":{"name":"b","limits":{"x":null}}}"#,
                r#"name: "a" → "b""#,
            ),
            (
                r#"{"name":"web","allowed_ips":[],"expire_time":null,"limits":{"bytes_per_day":null}}"#,
                r#"name: "web""#,
            ),
            (
                r#"{"before":{"limits":{"a":null,"b":null}},"after":{"limits":{"a":5,"b":null}}}"#,
                r#"limits: {} → {"a":5}"#,
            ),
            ("not JSON", "not JSON"),
        ] {
            assert_eq!(details(text), words);
        }
    }

    #[test]
    fn no_more_is_asked_for_than_wanted() {
        assert_eq!(page_size(5, 0), 5);
        assert_eq!(page_size(u32::MAX, 0), 1000);
        assert_eq!(page_size(1_500, 1_000), 500);
    }
}
