//! The settings of limits, the same for the server and the separate adapter. Doc comments here are the help texts.

use std::time::Duration;

use serde::Deserialize;

use crate::budget::BudgetLimits;
use crate::duration::{self, parse_duration};
use crate::{ConnectionLimits, MinRate};

/// Limits of connections and unauthenticated callers.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[command(next_help_heading = "Limits")]
#[serde(rename_all = "kebab-case", default)]
pub struct LimitSettings {
    /// How many connections are served at once; beyond that, the connection that has been idle longest is closed
    /// [default: 10000, or what the limit of open files allows]
    #[arg(long, env = "BUCKETRY_MAX_CONNECTIONS", value_name = "COUNT")]
    pub max_connections: Option<u32>,

    /// How long running requests may take to end after SIGTERM, as in 30s [default: 30s]
    #[arg(long, env = "BUCKETRY_DRAIN_DEADLINE", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub drain_deadline: Option<Duration>,

    /// How long a TLS handshake or a PROXY protocol header may take [default: 10s]
    #[arg(long, env = "BUCKETRY_HANDSHAKE_TIMEOUT", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub handshake_timeout: Option<Duration>,

    /// How long a request's head may take to arrive; also the time from a new connection to its first request
    /// [default: 30s]
    #[arg(long, env = "BUCKETRY_HEAD_TIMEOUT", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub head_timeout: Option<Duration>,

    /// How long a connection may be without a request; set it longer than the idle timeout of a proxy in front
    /// [default: 90s]
    #[arg(long, env = "BUCKETRY_IDLE_TIMEOUT", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub idle_timeout: Option<Duration>,

    /// The minimum rate of a client that sends a body or receives an answer, in bytes per second [default: 1024]
    #[arg(long, env = "BUCKETRY_MIN_RATE", value_name = "BYTES")]
    pub min_rate: Option<u64>,

    /// How far, in time, a client may fall behind --min-rate before its request is ended [default: 30s]
    #[arg(long, env = "BUCKETRY_MIN_RATE_GRACE", value_name = "DURATION", value_parser = parse_duration)]
    #[serde(deserialize_with = "duration::deserialize")]
    pub min_rate_grace: Option<Duration>,

    /// How many handshakes, incomplete heads and HTML forms of unauthenticated callers are held at once; beyond that,
    /// the slowest is ended [default: 2048]
    #[arg(long, env = "BUCKETRY_UNAUTHENTICATED_SLOTS", value_name = "COUNT")]
    pub unauthenticated_slots: Option<usize>,

    /// The same for one client address (IPv6: one /64) [default: 1024]
    #[arg(
        long,
        env = "BUCKETRY_UNAUTHENTICATED_SLOTS_PER_ADDRESS",
        value_name = "COUNT"
    )]
    pub unauthenticated_slots_per_address: Option<usize>,

    /// How many bytes of unauthenticated callers are held at once [default: 67108864]
    #[arg(long, env = "BUCKETRY_UNAUTHENTICATED_BYTES", value_name = "BYTES")]
    pub unauthenticated_bytes: Option<usize>,

    /// The same for one client address (IPv6: one /64) [default: 33554432]
    #[arg(
        long,
        env = "BUCKETRY_UNAUTHENTICATED_BYTES_PER_ADDRESS",
        value_name = "BYTES"
    )]
    pub unauthenticated_bytes_per_address: Option<usize>,

    /// How many requests a second of one client address (IPv6: one /64) are refused without delay, because their
    /// credentials are not accepted or they are denied with them; further refusals are sent at this rate, at most 5 s late
    /// [default: 500]
    #[arg(long, env = "BUCKETRY_REFUSALS_PER_ADDRESS", value_name = "COUNT")]
    pub refusals_per_address: Option<u32>,
}

/// A limit of zero, with which no client could be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} must be {bound}")]
pub struct ZeroLimit {
    /// The setting.
    pub name: &'static str,
    /// The constraint, as in `at least 1`.
    pub bound: &'static str,
}

impl LimitSettings {
    /// These settings; those that are not set are taken from `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let Self {
            max_connections,
            drain_deadline,
            handshake_timeout,
            head_timeout,
            idle_timeout,
            min_rate,
            min_rate_grace,
            unauthenticated_slots: slots,
            unauthenticated_slots_per_address: slots_per_address,
            unauthenticated_bytes: bytes,
            unauthenticated_bytes_per_address: bytes_per_address,
            refusals_per_address,
        } = self;
        Self {
            max_connections: max_connections.or(other.max_connections),
            drain_deadline: drain_deadline.or(other.drain_deadline),
            handshake_timeout: handshake_timeout.or(other.handshake_timeout),
            head_timeout: head_timeout.or(other.head_timeout),
            idle_timeout: idle_timeout.or(other.idle_timeout),
            min_rate: min_rate.or(other.min_rate),
            min_rate_grace: min_rate_grace.or(other.min_rate_grace),
            unauthenticated_slots: slots.or(other.unauthenticated_slots),
            unauthenticated_slots_per_address: slots_per_address
                .or(other.unauthenticated_slots_per_address),
            unauthenticated_bytes: bytes.or(other.unauthenticated_bytes),
            unauthenticated_bytes_per_address: bytes_per_address
                .or(other.unauthenticated_bytes_per_address),
            refusals_per_address: refusals_per_address.or(other.refusals_per_address),
        }
    }

    /// The limits, with defaults for what is not set.
    ///
    /// # Errors
    /// [`ZeroLimit`] for a limit of zero; only `drain-deadline` may be zero.
    pub fn resolve(&self) -> Result<ConnectionLimits, ZeroLimit> {
        let default = ConnectionLimits::default();
        let time = |name, given: Option<Duration>, default| {
            let time = given.unwrap_or(default);
            (!time.is_zero()).then_some(time).ok_or(ZeroLimit {
                name,
                bound: "more than 0s",
            })
        };
        let count = |name, given: Option<usize>, default| {
            let count = given.unwrap_or(default);
            (count > 0).then_some(count).ok_or(ZeroLimit {
                name,
                bound: "at least 1",
            })
        };
        let zero = |name| ZeroLimit {
            name,
            bound: "at least 1",
        };
        let max_connections = self.max_connections.unwrap_or(default.max_connections);
        let rate = self.min_rate.unwrap_or(default.min_rate.bytes_per_second);
        if max_connections == 0 {
            return Err(zero("max-connections"));
        }
        if rate == 0 {
            return Err(zero("min-rate"));
        }
        let refusals = self.refusals_per_address;
        let refusals_per_network = refusals.unwrap_or(default.refusals_per_network);
        if refusals_per_network == 0 {
            return Err(zero("refusals-per-address"));
        }
        let of = default.unauthenticated;
        Ok(ConnectionLimits {
            max_connections,
            handshake_timeout: time(
                "handshake-timeout",
                self.handshake_timeout,
                default.handshake_timeout,
            )?,
            head_timeout: time("head-timeout", self.head_timeout, default.head_timeout)?,
            idle_timeout: time("idle-timeout", self.idle_timeout, default.idle_timeout)?,
            min_rate: MinRate {
                bytes_per_second: rate,
                grace: time(
                    "min-rate-grace",
                    self.min_rate_grace,
                    default.min_rate.grace,
                )?,
            },
            unauthenticated: BudgetLimits {
                slots: count(
                    "unauthenticated-slots",
                    self.unauthenticated_slots,
                    of.slots,
                )?,
                slots_per_network: count(
                    "unauthenticated-slots-per-address",
                    self.unauthenticated_slots_per_address,
                    of.slots_per_network,
                )?,
                bytes: count(
                    "unauthenticated-bytes",
                    self.unauthenticated_bytes,
                    of.bytes,
                )?,
                bytes_per_network: count(
                    "unauthenticated-bytes-per-address",
                    self.unauthenticated_bytes_per_address,
                    of.bytes_per_network,
                )?,
            },
            refusals_per_network,
            drain_deadline: self.drain_deadline.unwrap_or(default.drain_deadline),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_has_its_default() {
        assert_eq!(
            LimitSettings::default().resolve(),
            Ok(ConnectionLimits::default())
        );
    }

    #[test]
    fn zero_is_no_limit() {
        let settings = LimitSettings {
            min_rate: Some(0),
            ..LimitSettings::default()
        };
        assert_eq!(
            settings.resolve().unwrap_err().to_string(),
            "min-rate must be at least 1"
        );
        let settings = LimitSettings {
            idle_timeout: Some(Duration::ZERO),
            ..LimitSettings::default()
        };
        assert_eq!(
            settings.resolve().unwrap_err().to_string(),
            "idle-timeout must be more than 0s"
        );
    }
}
