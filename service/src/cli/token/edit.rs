use std::time::{Duration, SystemTime};

use bucketry_contract::v1::{GetTokenRequest, Token, UpdateTokenRequest};
use clap::Args;
use prost_types::FieldMask;

use super::TokenArgs;
use super::create::expiry;
use super::limits::LimitArgs;
use super::view::{write_token, write_warnings};
use crate::cli::json::json;
use crate::cli::output::{Output, required};
use crate::cli::server_connection::ServerConnection;
use crate::cli::{CliError, Terminal};
use crate::config::parse_duration;

/// A change of a token. An IP list that is given replaces the whole list.
#[derive(Debug, Args)]
pub struct EditArgs {
    /// The token.
    #[command(flatten)]
    pub token: TokenArgs,
    /// A new name
    #[arg(long)]
    pub name: Option<String>,
    /// The addresses or CIDRs that it may be used from, in place of the present ones; repeatable
    #[arg(long = "allow-ip", value_name = "CIDR")]
    pub allowed_ips: Vec<String>,
    /// Let it be used from any address
    #[arg(long, conflicts_with = "allowed_ips")]
    pub allow_any_ip: bool,
    /// The addresses or CIDRs that it may not be used from, in place of the present ones; repeatable
    #[arg(long = "deny-ip", value_name = "CIDR")]
    pub disallowed_ips: Vec<String>,
    /// Empty the list of disallowed addresses
    #[arg(long, conflicts_with = "disallowed_ips")]
    pub deny_no_ip: bool,
    /// How long it is valid from now on, as in 30d or 12h; an expired token becomes valid again
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub expires_in: Option<Duration>,
    /// Remove the expiry
    #[arg(long, conflicts_with = "expires_in")]
    pub no_expiry: bool,
    /// What it may use at most; a limit that is not given stays.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Lift all limits
    #[arg(long, conflicts_with_all = ["requests_per_second", "bytes_per_day"])]
    pub no_limits: bool,
    /// Refused: it never changes.
    #[arg(long, hide = true, value_parser = never_changes)]
    pub permission: Option<String>,
    /// Refused: it never changes.
    #[arg(long, hide = true, value_parser = never_changes)]
    pub access_key_id: Option<String>,
    /// Refused: it never changes.
    #[arg(long, hide = true, value_parser = never_changes)]
    pub secret_access_key: Option<String>,
    /// Edit only if the token still has this version, as `show` prints it [default: any version]
    #[arg(long, default_value_t = 0, hide_default_value = true, value_parser = clap::value_parser!(i64).range(0..))]
    pub version: i64,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// Rejects the flag and says what to do instead.
fn never_changes(_: &str) -> Result<String, String> {
    Err(
        "a token's permission and keys never change: make a new token, or clone this one to get new keys".to_owned(),
    )
}

pub(super) async fn edit(
    args: EditArgs,
    connection: &ServerConnection,
    now: SystemTime,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let output = args.output;
    // The limits are one field: one of them is changed in what both were, and only if they still are that.
    let before = if args.limits.is_half() {
        let request = GetTokenRequest {
            bucket: args.token.bucket.clone(),
            token_id: args.token.token.clone(),
        };
        connection
            .answer(connection.tokens().get_token(request).await)?
            .token
    } else {
        None
    };
    let request = request(args, before.as_ref(), now)?;
    let answer = connection.answer(connection.tokens().update_token(request).await)?;
    write_warnings(terminal, &answer.warnings)?;
    match output {
        Output::Text => write_token(terminal.out, &required(answer.token, "token")?, now)?,
        Output::Json => writeln!(terminal.out, "{}", json(&answer, "UpdateTokenResponse")?)?,
    }
    Ok(())
}

/// The request with a mask of exactly what was given. `before` is the token, where it was read.
fn request(
    args: EditArgs,
    before: Option<&Token>,
    now: SystemTime,
) -> Result<UpdateTokenRequest, CliError> {
    let paths: Vec<String> = [
        ("name", args.name.is_some()),
        (
            "allowed_ips",
            args.allow_any_ip || !args.allowed_ips.is_empty(),
        ),
        (
            "disallowed_ips",
            args.deny_no_ip || !args.disallowed_ips.is_empty(),
        ),
        ("expire_time", args.no_expiry || args.expires_in.is_some()),
        ("limits", args.no_limits || args.limits.is_given()),
    ]
    .into_iter()
    .filter(|(_, given)| *given)
    .map(|(path, _)| path.to_owned())
    .collect();
    if paths.is_empty() {
        return Err(CliError::NothingToChange);
    }
    let token = Token {
        token_id: args.token.token,
        bucket: args.token.bucket,
        name: args.name.unwrap_or_default(),
        allowed_ips: args.allowed_ips,
        disallowed_ips: args.disallowed_ips,
        version: match (args.version, before) {
            (0, Some(before)) => before.version,
            (given, _) => given,
        },
        expire_time: (args.expires_in)
            .map(|delay| expiry(now, delay))
            .transpose()?,
        limits: (args.limits.is_given())
            .then(|| args.limits.over(before.and_then(|before| before.limits))),
        ..Token::default()
    };
    Ok(UpdateTokenRequest {
        token: Some(token),
        update_mask: Some(FieldMask { paths }),
        validate_only: false,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: EditArgs,
    }

    fn asked(line: &[&str], before: Option<&Token>) -> Result<UpdateTokenRequest, CliError> {
        let all = ["edit", "--bucket", "b", "t"].iter().chain(line);
        let args = Line::try_parse_from(all).unwrap().args;
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        request(args, before, now)
    }

    fn mask(line: &[&str]) -> Result<Vec<String>, CliError> {
        Ok(asked(line, None)?.update_mask.unwrap().paths)
    }

    #[test]
    fn the_mask_holds_what_was_given_and_nothing_else() {
        assert_eq!(mask(&["--name", ""]).unwrap(), ["name"]);
        assert_eq!(mask(&["--allow-ip", "10.0.0.1"]).unwrap(), ["allowed_ips"]);
        assert_eq!(
            mask(&["--allow-any-ip", "--deny-no-ip"]).unwrap(),
            ["allowed_ips", "disallowed_ips"]
        );
        assert_eq!(mask(&["--no-expiry"]).unwrap(), ["expire_time"]);
        assert_eq!(mask(&["--expires-in", "1h"]).unwrap(), ["expire_time"]);
        assert_eq!(mask(&["--no-limits"]).unwrap(), ["limits"]);
        assert_eq!(mask(&["--bytes-per-day", "5"]).unwrap(), ["limits"]);
        assert!(matches!(mask(&[]), Err(CliError::NothingToChange)));
    }

    #[test]
    fn an_expiry_counts_from_now_and_a_limit_keeps_the_other() {
        use bucketry_contract::v1::TokenLimits;

        let asked = |line: &[&str], before| asked(line, before).unwrap().token.unwrap();
        let expiry = asked(&["--expires-in", "1h"], None).expire_time.unwrap();
        assert_eq!(expiry.seconds, 4_600);
        assert_eq!(asked(&["--no-expiry"], None).expire_time, None);
        let before = Token {
            limits: Some(TokenLimits {
                requests_per_second: 7,
                bytes_per_day: 8,
            }),
            version: 3,
            ..Token::default()
        };
        let edited = asked(&["--bytes-per-day", "9"], Some(&before));
        let limits = TokenLimits {
            requests_per_second: 7,
            bytes_per_day: 9,
        };
        assert_eq!((edited.limits, edited.version), (Some(limits), 3));
        let at = asked(&["--bytes-per-day", "9", "--version", "2"], Some(&before));
        assert_eq!(at.version, 2);
        assert_eq!(asked(&["--no-limits"], None).limits, None);
    }

    #[test]
    fn what_never_changes_is_told_so() {
        for field in ["--permission", "--access-key-id", "--secret-access-key"] {
            let line = ["edit", "--bucket", "b", "t", field, "read-write"];
            let refused = Line::try_parse_from(line).err().unwrap();
            assert_eq!(refused.exit_code(), 2);
            assert!(refused.to_string().contains("clone this one"), "{refused}");
        }
    }

    #[test]
    fn a_list_cannot_be_set_and_emptied() {
        let line = [
            "edit",
            "--bucket",
            "b",
            "t",
            "--allow-ip",
            "10.0.0.1",
            "--allow-any-ip",
        ];
        assert!(Line::try_parse_from(line).is_err());
        for line in [
            ["--no-expiry", "--expires-in", "1h"],
            ["--no-limits", "--bytes-per-day", "1"],
            ["--requests-per-second", "0", "--no-expiry"],
        ] {
            let all = ["edit", "--bucket", "b", "t"].iter().chain(&line);
            assert!(Line::try_parse_from(all).is_err(), "{line:?}");
        }
    }
}
