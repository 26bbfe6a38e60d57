//! File descriptors: how many the process may open, and how many of them are for connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The least for a start: listeners, catalog and log alone need about 50.
const LEAST: u64 = 128;

/// The default number of connections.
pub const DEFAULT_MAX_CONNECTIONS: u32 = 10_000;

/// Raises the soft limit of open files to the hard limit.
///
/// Returns how many files the process may have open; `None` if there is no known limit.
#[must_use]
pub fn raise() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return limit.current;
    }
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, soft = limit.current, hard = limit.maximum, "cannot raise the limit of open files");
            limit.current
        }
    }
}

/// Too few file descriptors to start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this process may open {available} files, and needs at least {needed}: raise the limit with `ulimit -n` or \
     LimitNOFILE= of the systemd unit"
)]
pub struct TooFewDescriptors {
    /// The number of files that it may open.
    pub available: u64,
    /// The number that it needs at least.
    pub needed: u64,
}

/// The number of connections that fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// The most connections at once.
    pub max_connections: u32,
    /// How many descriptors would be needed for the requested number of connections; `None` if they fit.
    pub needed: Option<u64>,
}

/// Fits a number of connections into `available` descriptors, of which `reserve` are for other files. Of a small number
/// half is reserved.
///
/// # Errors
/// [`TooFewDescriptors`] below 128.
pub fn fit(available: u64, reserve: u64, wanted: u32) -> Result<Fit, TooFewDescriptors> {
    if available < LEAST {
        return Err(TooFewDescriptors {
            available,
            needed: LEAST,
        });
    }
    let room = available - reserve.min(available / 2);
    Ok(match u32::try_from(room) {
        Ok(room) if room < wanted => Fit {
            max_connections: room,
            needed: Some(u64::from(wanted).saturating_add(reserve)),
        },
        _ => Fit {
            max_connections: wanted,
            needed: None,
        },
    })
}

/// Raises the limit of open files, and finds how many connections fit: the number that is set, or
/// [`DEFAULT_MAX_CONNECTIONS`], unless there are too few descriptors, which is logged.
///
/// # Errors
/// [`TooFewDescriptors`] below 128.
pub fn fit_connections(given: Option<u32>, reserve: u64) -> Result<u32, TooFewDescriptors> {
    let wanted = given.unwrap_or(DEFAULT_MAX_CONNECTIONS);
    let Some(available) = raise() else {
        return Ok(wanted);
    };
    let fitted = fit(available, reserve, wanted)?;
    let Fit {
        max_connections,
        needed: Some(needed),
    } = fitted
    else {
        return Ok(fitted.max_connections);
    };
    const REMEDY: &str = "raise the limit with `ulimit -n` or LimitNOFILE= of the systemd unit";
    if given.is_some() {
        tracing::warn!(
            open_files = available,
            needed,
            reserve,
            "--max-connections {wanted} is lowered to {max_connections}: this process may open too few files; {REMEDY}"
        );
    } else {
        tracing::info!(
            open_files = available,
            needed,
            reserve,
            "at most {max_connections} connections instead of {wanted}: this process may open too few files for more; {REMEDY}"
        );
    }
    Ok(max_connections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_fit_what_the_reserve_leaves() {
        for (available, reserve, wanted, expected, needed) in [
            (1 << 20, 2_048, 10_000, 10_000, None),
            (12_048, 2_048, 10_000, 10_000, None),
            (12_047, 2_048, 10_000, 9_999, Some(12_048)),
            // Half of a small number.
            (1_024, 2_048, 10_000, 512, Some(12_048)),
            (1_024, 64, 10_000, 960, Some(10_064)),
            (128, 2_048, 10_000, 64, Some(12_048)),
            (128, 2_048, 10, 10, None),
        ] {
            let fit = fit(available, reserve, wanted).unwrap();
            let expected = Fit {
                max_connections: expected,
                needed,
            };
            assert_eq!(fit, expected, "{available} {reserve} {wanted}");
        }
        let error = fit(127, 0, 1).unwrap_err();
        assert!(error.to_string().contains("127") && error.to_string().contains("128"));
    }
}
