use std::time::SystemTime;

use prost_types::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

/// How long ago a moment is, in its largest unit: `3m ago`; `never` for none.
pub(super) fn ago(time: Option<&Timestamp>, now: SystemTime) -> String {
    let Some(time) = time else {
        return "never".to_owned();
    };
    let now = Timestamp::from(now).seconds;
    match u64::try_from(now.saturating_sub(time.seconds)) {
        // Clocks differ a little.
        Err(_) | Ok(0) => "just now".to_owned(),
        Ok(seconds) => format!("{} ago", largest_unit(seconds)),
    }
}

/// How far ahead a moment lies, as in `in 29d`; `over` for one that has passed.
pub(super) fn ahead(time: &Timestamp, now: SystemTime) -> String {
    let now = Timestamp::from(now).seconds;
    match u64::try_from(time.seconds.saturating_sub(now)) {
        Err(_) | Ok(0) => "over".to_owned(),
        Ok(seconds) => format!("in {}", largest_unit(seconds)),
    }
}

fn largest_unit(seconds: u64) -> String {
    match seconds {
        ..MINUTE => format!("{seconds}s"),
        MINUTE..HOUR => format!("{}m", seconds / MINUTE),
        HOUR..DAY => format!("{}h", seconds / HOUR),
        DAY..YEAR => format!("{}d", seconds / DAY),
        YEAR.. => format!("{}y", seconds / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW as u64)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp { seconds, nanos: 0 }
    }

    #[test]
    fn the_largest_unit_says_it() {
        for (seconds, text) in [
            (-5, "just now"),
            (0, "just now"),
            (59, "59s ago"),
            (60, "1m ago"),
            (3_599, "59m ago"),
            (3_600, "1h ago"),
            (86_400, "1d ago"),
            (364 * 86_400, "364d ago"),
            (800 * 86_400, "2y ago"),
        ] {
            assert_eq!(ago(Some(&at(NOW - seconds)), now()), text);
        }
        assert_eq!(ago(None, now()), "never");
        assert_eq!(ahead(&at(NOW + 30 * 86_400), now()), "in 30d");
        assert_eq!(ahead(&at(NOW), now()), "over");
        assert_eq!(ago(Some(&at(i64::MIN)), now()), "292471208677y ago");
    }
}
