//! `x-amz-date` and the day of a credential scope.

use std::fmt;

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use bucketry_domain::Timestamp;

/// A moment as SigV4 writes it, `20130524T000000Z`: UTC, whole seconds, years 0 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AmzDate(OffsetDateTime);

/// A day as a credential scope writes it, `20130524`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeDate(u32);

impl AmzDate {
    /// Reads `YYYYMMDDTHHMMSSZ`; none for anything else or for a day or hour that does not exist.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (day, clock) = text.strip_suffix('Z')?.split_once('T')?;
        if clock.len() != 6 {
            return None;
        }
        let day = ScopeDate::parse(day)?.0;
        let clock = digits(clock)?;
        // Each remainder is below 100 and the quotients below 10,000, so no conversion fails.
        let two = |number: u32, divisor: u32| u8::try_from(number / divisor % 100).ok();
        let date = Date::from_calendar_date(
            i32::try_from(day / 10_000).ok()?,
            Month::try_from(two(day, 100)?).ok()?,
            two(day, 1)?,
        );
        let time = Time::from_hms(two(clock, 10_000)?, two(clock, 100)?, two(clock, 1)?);
        Some(Self(
            PrimitiveDateTime::new(date.ok()?, time.ok()?).assume_utc(),
        ))
    }

    /// The second in which `now` lies; none outside the years 0 to 9999.
    #[must_use]
    pub fn at(now: Timestamp) -> Option<Self> {
        let moment = OffsetDateTime::from_unix_timestamp(now.as_seconds()).ok()?;
        (0..=9999).contains(&moment.year()).then_some(Self(moment))
    }

    /// The moment.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_seconds(self.0.unix_timestamp())
    }

    /// As SigV4 writes it.
    pub(super) fn text(self) -> [u8; 16] {
        let mut text = *b"00000000T000000Z";
        let (day, clock) = text.split_at_mut(9);
        day[..8].copy_from_slice(&self.day().text());
        let parts = [self.0.hour(), self.0.minute(), self.0.second()];
        for (place, part) in clock.chunks_exact_mut(2).zip(parts) {
            place.copy_from_slice(&[b'0' + part / 10, b'0' + part % 10]);
        }
        text
    }

    /// The day, UTC.
    #[must_use]
    pub fn day(self) -> ScopeDate {
        let year = u32::try_from(self.0.year()).unwrap_or(0);
        ScopeDate(
            year * 10_000 + u32::from(u8::from(self.0.month())) * 100 + u32::from(self.0.day()),
        )
    }
}

impl ScopeDate {
    /// As a credential scope writes it.
    pub(super) fn text(self) -> [u8; 8] {
        let mut text = [b'0'; 8];
        let mut rest = self.0;
        for digit in text.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        text
    }

    /// Reads eight digits. Whether there is such a day is judged by comparison with an [`AmzDate`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() == 8 {
            digits(text).map(Self)
        } else {
            None
        }
    }
}

fn digits(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

impl fmt::Display for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}T{:02}{:02}{:02}Z",
            self.day(),
            self.0.hour(),
            self.0.minute(),
            self.0.second()
        )
    }
}

impl fmt::Display for ScopeDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_moments() {
        let date = AmzDate::parse("20130524T000000Z").unwrap();
        assert_eq!(date.timestamp(), Timestamp::from_seconds(1_369_353_600));
        assert_eq!(date.day().to_string(), "20130524");
        assert!(AmzDate::parse("20240229T235959Z").is_some());
        assert_eq!(
            AmzDate::parse("00010203T040506Z").unwrap().to_string(),
            "00010203T040506Z"
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "20130524",
            "20130524T000000",
            "2013-05-24T00:00:00Z",
            "20130524t000000z",
            "20130524T000000+0000",
            "20130229T000000Z",
            "20131301T000000Z",
            "20130500T000000Z",
            "20130524T240000Z",
            "20130524T006000Z",
            "20130524T000060Z",
            "+2013052T000000Z",
            "20130524T00000Z",
            "20130524T0000000Z",
            "２0130524T000000Z",
            " 20130524T000000Z",
        ] {
            assert_eq!(AmzDate::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_and_read_back(seconds in -62_167_219_200_i64..253_402_300_800) {
            let date = AmzDate::at(Timestamp::from_seconds(seconds)).unwrap();
            prop_assert_eq!(date.timestamp(), Timestamp::from_seconds(seconds));
            prop_assert_eq!(AmzDate::parse(&date.to_string()), Some(date));
            prop_assert_eq!(date.text().to_vec(), date.to_string().into_bytes());
            prop_assert_eq!(date.day().text().to_vec(), date.day().to_string().into_bytes());
        }

        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,20}", moment: i64) {
            let _ = AmzDate::parse(&text);
            let _ = AmzDate::at(Timestamp::from_micros(moment));
        }
    }
}
