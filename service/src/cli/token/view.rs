use std::io::{self, Write};

use bucketry_contract::v1::{Permission, Token, TokenState};

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

/// A token for people.
pub(super) fn write_token(out: &mut dyn Write, token: &Token) -> io::Result<()> {
    let list = |entries: &[String], none: &str| {
        if entries.is_empty() {
            none.to_owned()
        } else {
            entries.join(", ")
        }
    };
    write_fields(
        out,
        &[
            ("Token", token.token_id.as_str()),
            ("Name", &token.name),
            ("Bucket", &token.bucket),
            ("Permission", permission(token)),
            ("State", state(token)),
            ("Access key ID", &token.access_key_id),
            ("Allowed IPs", &list(&token.allowed_ips, "any")),
            ("Disallowed IPs", &list(&token.disallowed_ips, "none")),
            ("Created", &moment(token.create_time.as_ref())),
            ("Edited", &moment(token.update_time.as_ref())),
            ("Expires", &moment(token.expire_time.as_ref())),
            ("Revoked", &moment(token.revoke_time.as_ref())),
            ("Version", &token.version.to_string()),
        ],
    )
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
