//! Presigned URLs, for people and scripts.

use std::time::Duration;

use bucketry_contract::v1::{
    CreatePresignedUrlsRequest, PresignedMethod, PresignedUrlSpec, ResponseOverrides,
};
use clap::{Args, ValueEnum};
use tonic_types::StatusExt;

use super::json::json;
use super::output::{Output, moment, required};
use super::server_connection::ServerConnection;
use super::{CliError, Terminal};
use crate::config::parse_duration;

/// The operation, object and validity of a presigned URL.
#[derive(Debug, Args)]
pub struct PresignArgs {
    /// The bucket
    #[arg(long)]
    pub bucket: String,
    /// The object's key
    #[arg(long)]
    pub key: String,
    /// What the URL does
    #[arg(long, value_enum, default_value_t)]
    pub method: PresignMethodArg,
    /// How long it is valid, as in 10m or 7d; not longer than the key that signs it [default: 15m]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub expires_in: Option<Duration>,
    /// With put: the media type that the upload must have [default: any]
    #[arg(
        long,
        value_name = "TYPE",
        default_value = "",
        hide_default_value = true
    )]
    pub content_type: String,
    /// With get: the Content-Disposition of the answer, as in 'attachment; filename="a.txt"' [default: the object's]
    #[arg(
        long,
        value_name = "VALUE",
        default_value = "",
        hide_default_value = true
    )]
    pub content_disposition: String,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// [`PresignedMethod`] without `UPLOAD_PART`, which only programs need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum PresignMethodArg {
    /// Read the object
    #[default]
    Get,
    /// Read its attributes
    Head,
    /// Write the object
    Put,
}

impl From<PresignMethodArg> for PresignedMethod {
    fn from(argument: PresignMethodArg) -> Self {
        match argument {
            PresignMethodArg::Get => Self::Get,
            PresignMethodArg::Head => Self::Head,
            PresignMethodArg::Put => Self::Put,
        }
    }
}

impl PresignArgs {
    pub(super) async fn run(
        self,
        connection: &ServerConnection,
        terminal: &mut Terminal<'_>,
    ) -> Result<(), CliError> {
        let Self { bucket, output, .. } = &self;
        let request = CreatePresignedUrlsRequest {
            bucket: bucket.clone(),
            urls: vec![self.spec()],
        };
        let answer = connection.objects().create_presigned_urls(request).await;
        let answer = connection.answer(answer).map_err(explain_denial)?;
        if *output == Output::Json {
            writeln!(
                terminal.out,
                "{}",
                json(&answer, "CreatePresignedUrlsResponse")?
            )?;
            return Ok(());
        }
        let made = required(answer.urls.into_iter().next(), "urls")?;
        writeln!(terminal.out, "{}", made.url)?;
        let until = moment(made.expire_time.as_ref());
        writeln!(terminal.err, "valid until {until}")?;
        for (name, value) in &made.headers {
            writeln!(terminal.err, "required header: {name}: {value}")?;
        }
        Ok(())
    }

    fn spec(&self) -> PresignedUrlSpec {
        let overrides = ResponseOverrides {
            content_disposition: self.content_disposition.clone(),
            ..ResponseOverrides::default()
        };
        PresignedUrlSpec {
            method: PresignedMethod::from(self.method).into(),
            key: self.key.clone(),
            lifetime: self.expires_in.map(lifetime),
            content_type: self.content_type.clone(),
            response_overrides: Some(overrides),
            ..PresignedUrlSpec::default()
        }
    }
}

/// The server refuses what is out of its bounds.
fn lifetime(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or_default(),
    }
}

/// Tokens may call this, so the usual advice for a denial would be wrong.
pub(super) fn explain_denial(error: CliError) -> CliError {
    match error {
        CliError::Refused(status)
            if status
                .get_details_error_info()
                .is_some_and(|info| info.reason == "ACCESS_DENIED") =>
        {
            CliError::PresignDenied
        }
        other => other,
    }
}
