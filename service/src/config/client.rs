use std::path::PathBuf;

use super::{PlaintextCredentials, PublicUrl};

/// How the admin client finds its server.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct EndpointSettings {
    /// The server's URL
    #[arg(
        long,
        env = "BUCKETRY_ENDPOINT",
        default_value = "http://127.0.0.1:9000",
        value_name = "URL",
        global = true
    )]
    pub endpoint: PublicUrl,

    /// A PEM file with the certificate authorities to trust beside those of the system
    #[arg(long, env = "BUCKETRY_CA_FILE", value_name = "FILE", global = true)]
    pub ca_file: Option<PathBuf>,
}

/// How the admin client signs in to its server. Credentials come from `BUCKETRY_ACCESS_KEY_ID` and
/// `BUCKETRY_SECRET_ACCESS_KEY`, see [`super::KeyPair::client`].
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct ClientSettings {
    /// Where the server is.
    #[command(flatten)]
    pub server: EndpointSettings,

    /// Where credentials may be sent without TLS
    #[arg(
        long,
        env = "BUCKETRY_PLAINTEXT_CREDENTIALS",
        default_value = "loopback",
        value_name = "WHERE",
        global = true
    )]
    pub plaintext_credentials: PlaintextCredentials,
}
