//! Durations as operators write them, as in `1h30m`.

use std::time::Duration;

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// The text is empty.
    #[error("a duration is a number with a unit, as in 30s, 15m, 12h, 30d or 1h30m")]
    Empty,
    /// A number is missing or not followed by a unit.
    #[error("`{0}`: a duration is numbers with units, as in 30s, 15m, 12h, 30d or 1h30m")]
    Form(String),
    /// The unit is not one of ms, s, m, h, d, w.
    #[error("unknown unit of time `{0}`; the units are ms, s, m, h, d and w")]
    Unit(String),
    /// The sum overflows.
    #[error("`{0}` is longer than can be counted")]
    TooLong(String),
}

/// Reads a duration such as `30d`, `12h` or `1h30m`: whole numbers, each with a unit of `ms`, `s`, `m`, `h`, `d`
/// (24 hours) or `w` (7 days). Zero is allowed; a number without a unit is not.
///
/// # Errors
/// [`DurationError`] for any other text.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    if text.is_empty() {
        return Err(DurationError::Empty);
    }
    let mut rest = text;
    let mut millis = 0_u64;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let letters = after.len()
            - after
                .trim_start_matches(|c: char| !c.is_ascii_digit())
                .len();
        let (unit, next) = after.split_at(letters);
        if number.is_empty() || unit.is_empty() {
            return Err(DurationError::Form(text.to_owned()));
        }
        let too_long = || DurationError::TooLong(text.to_owned());
        let count: u64 = number.parse().map_err(|_| too_long())?;
        millis = count
            .checked_mul(millis_of(unit)?)
            .and_then(|part| millis.checked_add(part))
            .ok_or_else(too_long)?;
        rest = next;
    }
    Ok(Duration::from_millis(millis))
}

fn millis_of(unit: &str) -> Result<u64, DurationError> {
    match unit {
        "ms" => Ok(1),
        "s" => Ok(1000),
        "m" => Ok(60 * 1000),
        "h" => Ok(60 * 60 * 1000),
        "d" => Ok(24 * 60 * 60 * 1000),
        "w" => Ok(7 * 24 * 60 * 60 * 1000),
        other => Err(DurationError::Unit(other.to_owned())),
    }
}

/// Deserializes a duration of the configuration file.
///
/// # Errors
/// That of [`parse_duration`].
pub fn deserialize<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
    parse_duration(&text)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_unit() {
        for (text, seconds) in [
            ("0s", 0),
            ("30s", 30),
            ("15m", 900),
            ("12h", 43_200),
            ("30d", 2_592_000),
            ("2w", 1_209_600),
            ("1h30m", 5_400),
            ("1d1s", 86_401),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_secs(seconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn milliseconds() {
        assert_eq!(parse_duration("1500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_duration("1s500ms"), Ok(Duration::from_millis(1500)));
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        assert_eq!(parse_duration(""), Err(DurationError::Empty));
        for form in ["30", "d", "1h30", " 30d", "-1d", "+1d"] {
            assert_eq!(
                parse_duration(form),
                Err(DurationError::Form(form.into())),
                "{form}"
            );
        }
        for (text, unit) in [
            ("30y", "y"),
            ("5 m", " m"),
            ("1us", "us"),
            ("1.5h", "."),
            ("3D", "D"),
            ("٣d", ""),
        ] {
            let expected = if unit.is_empty() {
                DurationError::Form(text.into())
            } else {
                DurationError::Unit(unit.into())
            };
            assert_eq!(parse_duration(text), Err(expected), "{text}");
        }
        for long in ["99999999999999999999s", "18446744073709551615w"] {
            assert_eq!(
                parse_duration(long),
                Err(DurationError::TooLong(long.into())),
                "{long}"
            );
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = parse_duration(&text);
        }

        #[test]
        fn parts_add_up(hours in 0_u64..10_000, minutes in 0_u64..10_000) {
            prop_assert_eq!(
                parse_duration(&format!("{hours}h{minutes}m")),
                Ok(Duration::from_secs(hours * 3_600 + minutes * 60))
            );
        }
    }
}
