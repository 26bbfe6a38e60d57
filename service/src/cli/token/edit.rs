use bucketry_contract::v1::{Token, UpdateTokenRequest};
use clap::Args;
use prost_types::FieldMask;

use super::TokenArgs;
use super::view::{write_token, write_warnings};
use crate::cli::connection::Connection;
use crate::cli::json::json;
use crate::cli::output::{Output, required};
use crate::cli::{CliError, Terminal};

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
    /// Only if this is still the token's version, as `show` tells it [default: whatever it is]
    #[arg(long, default_value_t = 0, hide_default_value = true, value_parser = clap::value_parser!(i64).range(0..))]
    pub version: i64,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

pub(super) async fn edit(
    args: EditArgs,
    connection: &Connection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let output = args.output;
    let answer = connection.answer(connection.tokens().update_token(request(args)?).await)?;
    write_warnings(terminal, &answer.warnings)?;
    match output {
        Output::Text => write_token(terminal.out, &required(answer.token, "token")?)?,
        Output::Json => writeln!(terminal.out, "{}", json(&answer, "UpdateTokenResponse")?)?,
    }
    Ok(())
}

/// The request with a mask of exactly what was given.
fn request(args: EditArgs) -> Result<UpdateTokenRequest, CliError> {
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
        version: args.version,
        ..Token::default()
    };
    Ok(UpdateTokenRequest {
        token: Some(token),
        update_mask: Some(FieldMask { paths }),
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

    fn mask(line: &[&str]) -> Result<Vec<String>, CliError> {
        let all = ["edit", "--bucket", "b", "t"].iter().chain(line);
        let args = Line::try_parse_from(all).unwrap().args;
        Ok(request(args)?.update_mask.unwrap().paths)
    }

    #[test]
    fn the_mask_holds_what_was_given_and_nothing_else() {
        assert_eq!(mask(&["--name", ""]).unwrap(), ["name"]);
        assert_eq!(mask(&["--allow-ip", "10.0.0.1"]).unwrap(), ["allowed_ips"]);
        assert_eq!(
            mask(&["--allow-any-ip", "--deny-no-ip"]).unwrap(),
            ["allowed_ips", "disallowed_ips"]
        );
        assert!(matches!(mask(&[]), Err(CliError::NothingToChange)));
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
    }
}
