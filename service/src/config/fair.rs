//! How requests and their memory are divided among callers.

use std::time::Duration;

use bucketry_edge::duration::{self, parse_duration};
use bucketry_edge::fair::FairLimits;
use serde::Deserialize;

use super::ConfigError;

const MAX_OPEN_UPLOADS: u32 = 10_000;
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(30);
/// The least `max-message-bytes`: with less, one message of the largest size would exceed every key's share.
const LEAST_MESSAGE_BYTES: u64 = 16 * 1024 * 1024;

/// What callers share.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[command(next_help_heading = "Fair shares")]
#[serde(rename_all = "kebab-case", default)]
pub struct FairSettings {
    /// How many requests run at once. One access key gets at most a third of them, one account half, all anonymous
    /// callers together a sixteenth; further requests wait, then get SlowDown [default: 1024]
    #[arg(long, env = "BUCKETRY_MAX_REQUESTS", value_name = "COUNT")]
    pub max_requests: Option<usize>,

    /// How many bytes of gRPC messages and XML bodies are in memory at once, at least 16 MiB; divided like requests
    /// [default: 134217728]
    #[arg(long, env = "BUCKETRY_MAX_MESSAGE_BYTES", value_name = "BYTES")]
    pub max_message_bytes: Option<u64>,

    /// How long a request beyond its caller's share waits before it gets SlowDown [default: 1s]
    #[arg(long, env = "BUCKETRY_REQUEST_WAIT", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub request_wait: Option<Duration>,

    /// How long the message of a unary gRPC call may take to arrive [default: 30s]
    #[arg(long, env = "BUCKETRY_MESSAGE_TIMEOUT", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub message_timeout: Option<Duration>,

    /// How many multipart uploads of one bucket may be open at once [default: 10000]
    #[arg(long, env = "BUCKETRY_MAX_OPEN_UPLOADS", value_name = "COUNT")]
    pub max_open_uploads: Option<u32>,
}

impl FairSettings {
    /// These settings; those that are not set are taken from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        let Self {
            max_requests,
            max_message_bytes,
            request_wait,
            message_timeout,
            max_open_uploads,
        } = self;
        Self {
            max_requests: max_requests.or(other.max_requests),
            max_message_bytes: max_message_bytes.or(other.max_message_bytes),
            request_wait: request_wait.or(other.request_wait),
            message_timeout: message_timeout.or(other.message_timeout),
            max_open_uploads: max_open_uploads.or(other.max_open_uploads),
        }
    }
}

/// What callers share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FairConfig {
    /// Requests and bytes.
    pub limits: FairLimits,
    /// How long the message of a unary call may take to arrive.
    pub message_timeout: Duration,
    /// Open multipart uploads of one bucket; at least 1.
    pub max_open_uploads: u32,
}

impl FairConfig {
    pub(super) fn resolve(settings: FairSettings) -> Result<Self, ConfigError> {
        let defaults = FairLimits::default();
        let resolved = Self {
            limits: FairLimits {
                requests: settings.max_requests.unwrap_or(defaults.requests),
                bytes: settings.max_message_bytes.unwrap_or(defaults.bytes),
                wait: settings.request_wait.unwrap_or(defaults.wait),
            },
            message_timeout: settings.message_timeout.unwrap_or(MESSAGE_TIMEOUT),
            max_open_uploads: settings.max_open_uploads.unwrap_or(MAX_OPEN_UPLOADS),
        };
        let zero = |name, bound| Err(ConfigError::Zero { name, bound });
        if resolved.limits.requests == 0 {
            return zero("max-requests", "at least 1");
        }
        if resolved.limits.bytes < LEAST_MESSAGE_BYTES {
            return zero("max-message-bytes", "at least 16777216");
        }
        if resolved.message_timeout.is_zero() {
            return zero("message-timeout", "more than 0s");
        }
        if resolved.max_open_uploads == 0 {
            return zero("max-open-uploads", "at least 1");
        }
        Ok(resolved)
    }
}
