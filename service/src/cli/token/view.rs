use std::io::{self, Write};
use std::time::SystemTime;

use bucketry_contract::v1::{Permission, Token, TokenLimits, TokenState, TokenUse};

use crate::cli::ago::{ago, ahead};
use crate::cli::amount::count;
use crate::cli::output::{moment, write_fields};
use crate::cli::{CliError, Terminal};

/// A permission as it is written on the command line.
pub(super) fn permission(token: &Token) -> &'static str {
    match token.permission() {
        Permission::Unspecified => "unknown",
        Permission::ReadOnly => "read-only",
        Permission::WriteOnly => "write-only",
        Permission::ReadWrite => "read-write",
    }
}

/// A token's state in one word.
pub(super) fn state(token: &Token) -> &'static str {
    match token.state() {
        TokenState::Unspecified => "unknown",
        TokenState::Active => "active",
        TokenState::Suspended => "suspended",
        TokenState::Expired => "expired",
        TokenState::Revoked => "revoked",
        TokenState::Orphaned => "orphaned",
    }
}

/// From where a token may be used, in the width of a column: `10.0.0.0/8 +2, not 10.1.0.0/16`.
pub(super) fn short_ips(token: &Token) -> String {
    let short = |entries: &[String]| match entries {
        [] => None,
        [only] => Some(only.clone()),
        [first, rest @ ..] => Some(format!("{first} +{}", rest.len())),
    };
    match (short(&token.allowed_ips), short(&token.disallowed_ips)) {
        (None, None) => "any".to_owned(),
        (Some(allowed), None) => allowed,
        (None, Some(disallowed)) => format!("not {disallowed}"),
        (Some(allowed), Some(disallowed)) => format!("{allowed}, not {disallowed}"),
    }
}

/// A token for people.
pub(super) fn write_token(out: &mut dyn Write, token: &Token, now: SystemTime) -> io::Result<()> {
    let list = |entries: &[String], none: &str| {
        if entries.is_empty() {
            none.to_owned()
        } else {
            entries.join(", ")
        }
    };
    let expires = token.expire_time.as_ref().map_or_else(
        || "never".to_owned(),
        |at| format!("{} ({})", moment(Some(at)), ahead(at, now)),
    );
    let last_used = token
        .last_use
        .as_ref()
        .map_or_else(|| "never".to_owned(), |used| last_use(used, now));
    write_fields(
        out,
        &[
            ("Token", token.token_id.as_str()),
            ("Name", &token.name),
            ("Bucket", &token.bucket),
            ("Permission", permission(token)),
            ("Status", state(token)),
            ("Access key ID", &token.access_key_id),
            ("Allowed IPs", &list(&token.allowed_ips, "any")),
            ("Disallowed IPs", &list(&token.disallowed_ips, "none")),
            ("Limits", &limits(token.limits.as_ref())),
            ("Last used", &last_used),
            ("Requests", &count(token.request_count)),
            (
                "Created",
                &format!(
                    "{} by {}",
                    moment(token.create_time.as_ref()),
                    token.created_by
                ),
            ),
            ("Edited", &moment(token.update_time.as_ref())),
            ("Expires", &expires),
            ("Revoked", &moment(token.revoke_time.as_ref())),
            ("Version", &token.version.to_string()),
        ],
    )
}

/// The latest use: `3m ago: GetObject from 10.1.2.3 by aws-cli/2.0`.
pub(super) fn last_use(used: &TokenUse, now: SystemTime) -> String {
    let mut text = format!("{}: {}", ago(used.time.as_ref(), now), used.operation);
    if !used.client_address.is_empty() {
        text.push_str(&format!(" from {}", used.client_address));
    }
    if !used.user_agent.is_empty() {
        text.push_str(&format!(" by {}", shortened(&used.user_agent)));
    }
    text
}

/// A user agent, cut to the width of a line.
fn shortened(user_agent: &str) -> String {
    const WIDTH: usize = 40;
    match user_agent.char_indices().nth(WIDTH) {
        None => user_agent.to_owned(),
        Some((end, _)) => format!("{}…", user_agent[..end].trim_end()),
    }
}

/// Exact numbers, as they were given.
fn limits(limits: Option<&TokenLimits>) -> String {
    let Some(limits) = limits else {
        return "none".to_owned();
    };
    let requests = (limits.requests_per_second != 0)
        .then(|| format!("{} requests per second", count(limits.requests_per_second)));
    let amount = (limits.bytes_per_day != 0)
        .then(|| format!("{} bytes per day", count(limits.bytes_per_day)));
    let all: Vec<String> = requests.into_iter().chain(amount).collect();
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(", ")
    }
}

/// What the server warns of, beside the answer, so that a script that reads the answer is not disturbed.
pub(super) fn write_warnings(
    terminal: &mut Terminal<'_>,
    warnings: &[String],
) -> Result<(), CliError> {
    for warning in warnings {
        writeln!(terminal.err, "warning: {warning}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(allowed: &[&str], disallowed: &[&str]) -> Token {
        let owned = |entries: &[&str]| entries.iter().map(|&entry| entry.to_owned()).collect();
        Token {
            allowed_ips: owned(allowed),
            disallowed_ips: owned(disallowed),
            ..Token::default()
        }
    }

    #[test]
    fn ips_in_the_width_of_a_column() {
        for (allowed, disallowed, text) in [
            (&[][..], &[][..], "any"),
            (&["10.0.0.1"], &[], "10.0.0.1"),
            (&["10.0.0.0/8", "::1", "192.0.2.1"], &[], "10.0.0.0/8 +2"),
            (&[], &["10.1.0.0/16"], "not 10.1.0.0/16"),
            (
                &["10.0.0.0/8"],
                &["10.1.0.0/16", "::1"],
                "10.0.0.0/8, not 10.1.0.0/16 +1",
            ),
        ] {
            assert_eq!(short_ips(&token(allowed, disallowed)), text);
        }
    }

    #[test]
    fn a_long_user_agent_is_cut_between_characters() {
        assert_eq!(shortened("aws-cli/2"), "aws-cli/2");
        assert_eq!(shortened(&"é".repeat(40)), "é".repeat(40));
        assert_eq!(shortened(&"é".repeat(41)), format!("{}…", "é".repeat(40)));
    }

    #[test]
    fn limits_in_words() {
        let of = |requests_per_second, bytes_per_day| TokenLimits {
            requests_per_second,
            bytes_per_day,
        };
        assert_eq!(limits(None), "none");
        assert_eq!(limits(Some(&of(0, 0))), "none");
        assert_eq!(limits(Some(&of(1500, 0))), "1,500 requests per second");
        assert_eq!(
            limits(Some(&of(5, 1 << 30))),
            "5 requests per second, 1,073,741,824 bytes per day"
        );
    }
}
