use std::time::{Duration, SystemTime};

use bucketry_contract::v1::{CreateTokenRequest, Credentials, Permission, Token};
use clap::{Args, ValueEnum};
use prost_types::Timestamp;

use super::limits::LimitArgs;
use super::view::write_warnings;
use crate::cli::host_style::{bucket_host, remedies, resolves};
use crate::cli::output::{CredentialOutput, write_credentials};
use crate::cli::server_connection::ServerConnection;
use crate::cli::{CliError, Terminal};
use crate::config::parse_duration;

/// A token to create.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The bucket
    #[arg(long)]
    pub bucket: String,
    /// A name: 1 to 128 characters, not unique
    #[arg(long)]
    pub name: String,
    /// What it may do in its bucket
    #[arg(long, value_enum)]
    pub permission: PermissionArg,
    /// An address or CIDR that it may be used from; repeatable [default: any]
    #[arg(long = "allow-ip", value_name = "CIDR")]
    pub allowed_ips: Vec<String>,
    /// An address or CIDR that it may not be used from; overrides --allow-ip; repeatable
    #[arg(long = "deny-ip", value_name = "CIDR")]
    pub disallowed_ips: Vec<String>,
    /// How long it is valid, as in 30d or 12h [default: no expiry]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub expires_in: Option<Duration>,
    /// What it may use at most.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: CredentialOutput,
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PermissionArg {
    /// Read, download, list
    ReadOnly,
    /// Upload and modify; never read, list or delete
    WriteOnly,
    /// Read, upload, modify, delete
    ReadWrite,
}

impl From<PermissionArg> for Permission {
    fn from(argument: PermissionArg) -> Self {
        match argument {
            PermissionArg::ReadOnly => Self::ReadOnly,
            PermissionArg::WriteOnly => Self::WriteOnly,
            PermissionArg::ReadWrite => Self::ReadWrite,
        }
    }
}

pub(super) async fn create(
    args: CreateArgs,
    connection: &ServerConnection,
    now: SystemTime,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let request = CreateTokenRequest {
        bucket: args.bucket,
        name: args.name,
        permission: Permission::from(args.permission).into(),
        allowed_ips: args.allowed_ips,
        disallowed_ips: args.disallowed_ips,
        expire_time: args
            .expires_in
            .map(|delay| expiry(now, delay))
            .transpose()?,
        limits: args.limits.limits(),
        validate_only: false,
    };
    let answer = connection.answer(connection.tokens().create_token(request).await)?;
    write_warnings(terminal, &answer.warnings)?;
    write_credentials(
        terminal.out,
        args.output,
        answer.credentials.as_ref(),
        &answer,
        "CreateTokenResponse",
    )?;
    if args.output == CredentialOutput::Text {
        write_hint(terminal, answer.token.as_ref())?;
    }
    write_host_advice(terminal, answer.credentials.as_ref()).await
}

/// Warns where clients in virtual-host style will not find the bucket from this machine.
pub(super) async fn write_host_advice(
    terminal: &mut Terminal<'_>,
    credentials: Option<&Credentials>,
) -> Result<(), CliError> {
    let host = credentials.and_then(|made| bucket_host(&made.bucket, &made.endpoint_url));
    match host {
        Some(host) if !resolves(&host).await => {
            writeln!(terminal.err, "\nwarning: {}", remedies(&host))?;
        }
        Some(_) | None => {}
    }
    Ok(())
}

/// How to get at the credentials later, and in which forms.
pub(super) fn write_hint(
    terminal: &mut Terminal<'_>,
    token: Option<&Token>,
) -> Result<(), CliError> {
    let Some(token) = token else {
        return Ok(());
    };
    let show = format!(
        "bucketry token show --bucket {} {}",
        token.bucket, token.access_key_id
    );
    writeln!(
        terminal.err,
        "\nTo see them again: {show} --secret\n\
         To paste them:     {show} --snippet aws-cli|boto3|node-v2|node-v3|rclone|s3cmd|grpcurl|env"
    )?;
    Ok(())
}

/// The time `delay` after `now`, if a timestamp can hold it.
pub(super) fn expiry(now: SystemTime, delay: Duration) -> Result<Timestamp, CliError> {
    /// The end of the year 9999: the last second that a protobuf timestamp may name.
    const LAST_SECOND: i64 = 253_402_300_799;
    let time = now.checked_add(delay).ok_or(CliError::ExpiryTooFar)?;
    let timestamp = Timestamp::from(time);
    if timestamp.seconds > LAST_SECOND {
        return Err(CliError::ExpiryTooFar);
    }
    Ok(timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_counts_from_now_and_ends_with_the_calendar() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let day = Duration::from_secs(86_400);
        assert_eq!(expiry(now, day).unwrap().seconds, 1_700_086_400);
        for delay in [day * 366 * 8_000, Duration::from_secs(u64::MAX)] {
            assert!(matches!(expiry(now, delay), Err(CliError::ExpiryTooFar)));
        }
    }
}
