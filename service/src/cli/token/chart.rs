//! Usage as bars of a terminal.

use std::time::{Duration, SystemTime};

use bucketry_contract::v1::UsageHour;
use time::OffsetDateTime;

use crate::cli::amount::{bytes, count};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Up to here a bar is an hour, beyond it a day.
const LONGEST_BY_HOUR: Duration = Duration::from_secs(48 * 3_600);
/// Characters of the longest bar.
const WIDTH: usize = 40;
/// Bars of an eighth of a character, from one to seven.
const EIGHTHS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];
/// More than this are not drawn one by one: times without any usage are left out.
const MOST_EMPTY: usize = 60;

/// The usage of an hour or a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    label: String,
    requests: i64,
    denied: i64,
    bytes: i64,
}

/// One step for each hour (of at most two days) or day (UTC) of the time, also those without usage unless there are too
/// many.
pub(super) fn steps(hours: &[UsageHour], since: Duration, now: SystemTime) -> Vec<Step> {
    let length = if since <= LONGEST_BY_HOUR { HOUR } else { DAY };
    let end = prost_types::Timestamp::from(now).seconds.div_euclid(length);
    let since = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    let start = prost_types::Timestamp::from(now)
        .seconds
        .saturating_sub(since)
        .div_euclid(length);
    let of = |hour: &UsageHour| {
        let seconds = hour.start_time.as_ref().map_or(0, |time| time.seconds);
        seconds.div_euclid(length)
    };
    let mut wanted: Vec<i64> = match usize::try_from(end.saturating_sub(start)) {
        Ok(number) if number <= MOST_EMPTY => (start..=end).collect(),
        _ => hours.iter().map(of).collect(),
    };
    wanted.dedup();
    wanted
        .into_iter()
        .map(|at| {
            let within = hours.iter().filter(|hour| of(hour) == at);
            step(label(at.saturating_mul(length), length), within)
        })
        .collect()
}

fn step<'a>(label: String, hours: impl Iterator<Item = &'a UsageHour>) -> Step {
    let mut step = Step {
        label,
        requests: 0,
        denied: 0,
        bytes: 0,
    };
    for hour in hours {
        for of_class in &hour.counts {
            step.requests = step.requests.saturating_add(of_class.requests);
            step.bytes = step
                .bytes
                .saturating_add(of_class.bytes_in)
                .saturating_add(of_class.bytes_out);
        }
        for denials in &hour.denials {
            step.denied = step.denied.saturating_add(denials.requests);
        }
    }
    step
}

fn label(seconds: i64, length: i64) -> String {
    let Ok(time) = OffsetDateTime::from_unix_timestamp(seconds) else {
        return "?".to_owned();
    };
    let day = time.date();
    if length == HOUR {
        format!("{day} {:02}:00", time.hour())
    } else {
        day.to_string()
    }
}

/// One line a step: label, bar, requests, bytes, refused requests.
pub(super) fn chart(steps: &[Step]) -> String {
    let most = steps.iter().map(|step| step.requests).max().unwrap_or(0);
    let widest = count(most).len();
    let mut text = String::new();
    for step in steps {
        let bar = bar(step.requests, most);
        let padding = " ".repeat(WIDTH.saturating_sub(bar.chars().count()));
        let requests = count(step.requests);
        let mut line = format!("{}  {bar}{padding}  {requests:>widest$}", step.label);
        if step.bytes > 0 {
            line.push_str(&format!("  {}", bytes(step.bytes)));
        }
        if step.denied > 0 {
            line.push_str(&format!("  ({} refused)", count(step.denied)));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A bar in proportion, in eighths of a character; whatever is not 0 shows.
fn bar(value: i64, most: i64) -> String {
    if value <= 0 || most <= 0 {
        return String::new();
    }
    let eighths = (value as f64 / most as f64 * (WIDTH * 8) as f64).round() as usize;
    let eighths = eighths.clamp(1, WIDTH * 8);
    let mut bar = "█".repeat(eighths / 8);
    if let Some(rest) = (eighths % 8).checked_sub(1) {
        bar.extend(EIGHTHS.get(rest));
    }
    bar
}

#[cfg(test)]
mod tests {
    use bucketry_contract::v1::{DenialCount, UsageCount};
    use prost_types::Timestamp;

    use super::*;

    /// 2027-01-15 08:00:00 UTC.
    const NOW: i64 = 1_800_000_000;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW as u64)
    }

    fn used(at: i64, requests: i64, bytes_in: i64, denied: i64) -> UsageHour {
        UsageHour {
            start_time: Some(Timestamp {
                seconds: at,
                nanos: 0,
            }),
            counts: vec![UsageCount {
                requests,
                bytes_in,
                ..UsageCount::default()
            }],
            denials: vec![DenialCount {
                requests: denied,
                ..DenialCount::default()
            }],
        }
    }

    #[test]
    fn days_as_bars() {
        let hours = [
            used(NOW - 2 * DAY, 600, 1 << 20, 0),
            used(NOW - 2 * DAY + HOUR, 400, 0, 0),
            used(NOW, 250, 10, 3),
        ];
        let since = Duration::from_secs(3 * 86_400);
        let text = chart(&steps(&hours, since, now()));
        let full = "█".repeat(40);
        let quarter = format!("{}{}", "█".repeat(10), " ".repeat(30));
        let none = " ".repeat(40);
        assert_eq!(
            text,
            format!(
                "2027-01-12  {none}      0\n\
                 2027-01-13  {full}  1,000  1.0 MiB\n\
                 2027-01-14  {none}      0\n\
                 2027-01-15  {quarter}    250  10 B  (3 refused)\n"
            )
        );
    }

    #[test]
    fn hours_as_bars() {
        let steps = steps(&[used(NOW, 1, 0, 0)], Duration::from_secs(7_200), now());
        let labels: Vec<&str> = steps.iter().map(|step| step.label.as_str()).collect();
        assert_eq!(
            labels,
            ["2027-01-15 06:00", "2027-01-15 07:00", "2027-01-15 08:00"]
        );
        assert_eq!(steps.last().map(|step| step.requests), Some(1));
    }

    #[test]
    fn a_long_time_shows_only_what_was_used() {
        let hours = [used(NOW - 300 * DAY, 1, 0, 0), used(NOW, 1, 0, 0)];
        let since = Duration::from_secs(366 * 86_400);
        assert_eq!(steps(&hours, since, now()).len(), 2);
        assert!(steps(&[], since, now()).is_empty());
        assert_eq!(chart(&[]), "");
    }

    #[test]
    fn what_is_not_nothing_shows() {
        assert_eq!(bar(0, 1_000_000), "");
        assert_eq!(bar(1, 1_000_000), "▏");
        assert_eq!(bar(1_000_000, 1_000_000), "█".repeat(40));
        assert_eq!(bar(3, 16), format!("{}▌", "█".repeat(7)));
    }
}
