//! Checks: what a server sees of its caller, how its buckets are reached, and its database.

mod database;

use bucketry_contract::v1::{
    AddressSource, DescribeClientAddressRequest, DescribeClientAddressResponse,
    GetCapabilitiesRequest,
};
use clap::Subcommand;

use super::host_style::{bucket_host, remedies, resolves};
use super::json::json;
use super::output::{Output, write_fields};
use super::server_connection::ServerConnection;
use super::{CliError, Terminal};
use crate::config::EndpointSettings;
use database::DatabaseArgs;

/// The check to run.
#[derive(Debug, Subcommand)]
pub enum DoctorCommand {
    /// Show the client address that the server sees, its source and why; needs no credentials
    Ip {
        /// The form of the answer
        #[arg(long, value_enum, default_value_t)]
        output: Output,
        /// Where the server is.
        #[command(flatten)]
        server: EndpointSettings,
    },
    /// Check the database of a server, which may run or not, by the settings of serve; changes nothing
    Database(DatabaseArgs),
    /// Check whether virtual-host style clients on this machine find a bucket; needs no credentials
    Host {
        /// The bucket
        bucket: String,
        /// Where the server is.
        #[command(flatten)]
        server: EndpointSettings,
    },
}

/// The checks, each with its description.
const CHECKS: [(&str, &str); 3] = [
    (
        "bucketry doctor ip",
        "the client address that the server sees, and why",
    ),
    (
        "bucketry doctor host BUCKET",
        "whether BUCKET.HOST resolves, which virtual-host style clients need",
    ),
    (
        "bucketry doctor database",
        "whether the database keeps what a server writes to it",
    ),
];

impl DoctorCommand {
    pub(super) async fn run(self, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
        match self {
            Self::Ip { output, server } => {
                ip(output, &ServerConnection::anonymous(&server)?, terminal).await
            }
            Self::Database(args) => args.run(terminal).await,
            Self::Host { bucket, server } => {
                host(&bucket, &ServerConnection::anonymous(&server)?, terminal).await
            }
        }
    }
}

/// Lists the checks, without a server.
pub(super) fn list(terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    writeln!(terminal.out, "Checks:")?;
    for (command, about) in CHECKS {
        writeln!(terminal.out, "  {command}  {about}")?;
    }
    Ok(())
}

async fn ip(
    output: Output,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let asked = DescribeClientAddressRequest {};
    let answer = connection.answer(connection.tokens().describe_client_address(asked).await)?;
    match output {
        Output::Json => writeln!(
            terminal.out,
            "{}",
            json(&answer, "DescribeClientAddressResponse")?
        )?,
        Output::Text => write_text(&answer, terminal)?,
    }
    Ok(())
}

async fn host(
    bucket: &str,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let mut objects = connection.objects();
    let capabilities = objects.get_capabilities(GetCapabilitiesRequest {});
    let endpoint = connection.answer(capabilities.await)?.endpoint_url;
    let verdict = match bucket_host(bucket, &endpoint) {
        None => format!("{endpoint} is an address: clients must use path style"),
        Some(name) if resolves(&name).await => format!("{name} resolves on this machine"),
        Some(name) => remedies(&name),
    };
    writeln!(terminal.out, "{verdict}")?;
    Ok(())
}

fn write_text(
    answer: &DescribeClientAddressResponse,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let or = |text: &str, otherwise: &str| {
        let chosen = if text.is_empty() { otherwise } else { text };
        chosen.to_owned()
    };
    let trusted = if answer.peer_trusted { "yes" } else { "no" };
    let header = or(&answer.header, "none is read");
    let values = or(&answer.header_values.join(" | "), "none");
    write_fields(
        terminal.out,
        &[
            ("Your address", &or(&answer.client_address, "unknown")),
            ("From", source(answer.source())),
            ("Peer", &or(&answer.peer_address, "unknown")),
            ("Trusted proxy", trusted),
            ("Header", &header),
            ("Header values", &values),
            ("Why", &answer.explanation),
        ],
    )?;
    Ok(())
}

fn source(source: AddressSource) -> &'static str {
    match source {
        AddressSource::Unspecified => "unknown to this version of bucketry",
        AddressSource::Peer => "the connection",
        AddressSource::ProxyProtocol => "the PROXY protocol header of the connection",
        AddressSource::Header => "a forwarding header of a trusted proxy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_for_people() {
        let answer = DescribeClientAddressResponse {
            client_address: String::new(),
            source: AddressSource::Header.into(),
            peer_address: "10.0.0.7".into(),
            peer_trusted: true,
            header: "x-forwarded-for".into(),
            header_values: vec!["192.0.2.1".into(), "\u{1b}[2J".into()],
            explanation: "because".into(),
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut terminal = Terminal {
            out: &mut out,
            err: &mut err,
        };
        write_text(&answer, &mut terminal).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "Your address:   unknown\n\
             From:           a forwarding header of a trusted proxy\n\
             Peer:           10.0.0.7\n\
             Trusted proxy:  yes\n\
             Header:         x-forwarded-for\n\
             Header values:  192.0.2.1 | \\u{1b}[2J\n\
             Why:            because\n"
        );
    }
}
