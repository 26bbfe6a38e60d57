use std::io::{self, Write};

use bucketry_contract::v1::Credentials;
use prost::Message;
use prost_types::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::CliError;
use super::json::json;
use super::shell_quote::shell_quote;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Text,
    /// The contract's message as JSON
    Json,
}

/// The form of an answer with credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum CredentialOutput {
    /// For people
    #[default]
    Text,
    /// The contract's message as JSON
    Json,
    /// NAME=value lines that a shell can source
    Env,
}

/// Writes `NAME=value` lines that a shell can source.
pub(super) fn write_env(out: &mut dyn Write, pairs: &[(&str, &str)]) -> io::Result<()> {
    for (name, value) in pairs {
        writeln!(out, "{name}={}", shell_quote(value))?;
    }
    Ok(())
}

/// Writes `Name:  value` lines, the values in one column.
pub(super) fn write_fields(out: &mut dyn Write, pairs: &[(&str, &str)]) -> io::Result<()> {
    let width = pairs
        .iter()
        .map(|(name, _)| name.len() + 1)
        .max()
        .unwrap_or(0);
    for (name, value) in pairs {
        let name = format!("{name}:");
        writeln!(
            out,
            "{name:width$}  {}",
            super::table::printable((*value).to_owned())
        )?;
    }
    Ok(())
}

/// Writes an answer that holds credentials. `name` is the answer's name within `bucketry.v1`.
pub(super) fn write_credentials(
    out: &mut dyn Write,
    output: CredentialOutput,
    credentials: Option<&Credentials>,
    answer: &impl Message,
    name: &str,
) -> Result<(), CliError> {
    let credentials = required(credentials, "credentials");
    match output {
        CredentialOutput::Json => writeln!(out, "{}", json(answer, name)?)?,
        CredentialOutput::Env => write_credentials_env(out, credentials?)?,
        CredentialOutput::Text => write_credentials_text(out, credentials?)?,
    }
    Ok(())
}

/// The four values of a token under the names of the S3 tools.
fn write_credentials_env(out: &mut dyn Write, credentials: &Credentials) -> io::Result<()> {
    write_env(
        out,
        &[
            ("AWS_ENDPOINT_URL", &credentials.endpoint_url),
            ("BUCKET_NAME", &credentials.bucket),
            ("AWS_ACCESS_KEY_ID", &credentials.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key),
        ],
    )
}

/// The four values of a token for people.
fn write_credentials_text(out: &mut dyn Write, credentials: &Credentials) -> io::Result<()> {
    write_fields(
        out,
        &[
            ("Endpoint URL", &credentials.endpoint_url),
            ("Bucket name", &credentials.bucket),
            ("AWS access key ID", &credentials.access_key_id),
            ("AWS secret access key", &credentials.secret_access_key),
        ],
    )
}

/// A time as RFC 3339 in whole seconds; `-` for none.
pub(super) fn moment(time: Option<&Timestamp>) -> String {
    time.and_then(|time| OffsetDateTime::from_unix_timestamp(time.seconds).ok())
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| "-".to_owned())
}

/// A field that an answer must have.
pub(super) fn required<T>(value: Option<T>, field: &'static str) -> Result<T, CliError> {
    value.ok_or(CliError::Incomplete { field })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_four_names_of_the_s3_tools() {
        let credentials = Credentials {
            endpoint_url: "http://localhost:9000".into(),
            bucket: "photos".into(),
            access_key_id: "BKTY1".into(),
            secret_access_key: "with space".into(),
        };
        let mut out = Vec::new();
        write_credentials_env(&mut out, &credentials).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "AWS_ENDPOINT_URL=http://localhost:9000\nBUCKET_NAME=photos\nAWS_ACCESS_KEY_ID=BKTY1\n\
             AWS_SECRET_ACCESS_KEY='with space'\n"
        );
    }

    #[test]
    fn times() {
        let time = Timestamp {
            seconds: 1_700_000_000,
            nanos: 5,
        };
        assert_eq!(moment(Some(&time)), "2023-11-14T22:13:20Z");
        assert_eq!(moment(None), "-");
    }
}
