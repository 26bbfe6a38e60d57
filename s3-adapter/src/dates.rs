//! Dates of answers, written into buffers of their own: a listing has a thousand of them.

use std::ops::Deref;

/// `1994-11-06T08:49:37.000Z`, or `Sun, 06 Nov 1994 08:49:37 GMT`, which is the longest.
const MAX_BYTES: usize = 29;

const SECONDS_PER_DAY: i64 = 86_400;
/// 0000-01-01T00:00:00Z.
const EARLIEST: i64 = -62_167_219_200;
/// 9999-12-31T23:59:59Z.
const LATEST: i64 = 253_402_300_799;

const WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// A date as text.
pub struct DateText {
    /// ASCII.
    bytes: [u8; MAX_BYTES],
    length: usize,
}

impl Deref for DateText {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

/// ISO 8601 in UTC with milliseconds, as S3 writes times in XML (some parsers insist on the fraction). Times outside of
/// the years 0 to 9999 become the nearest.
#[must_use]
pub fn iso8601(unix_seconds: i64, nanoseconds: u32) -> DateText {
    let moment = Moment::of(unix_seconds);
    let mut text = DateText::empty();
    text.number(moment.year, 4);
    text.push(b"-");
    text.number(moment.month, 2);
    text.push(b"-");
    text.number(moment.day, 2);
    text.push(b"T");
    text.clock(moment.second_of_day);
    text.push(b".");
    text.number(nanoseconds / 1_000_000 % 1000, 3);
    text.push(b"Z");
    text
}

/// An HTTP date (RFC 9110, 5.6.7), as in `Last-Modified`. Times before 1970 or after 9999 become the nearest.
#[must_use]
pub fn http_date(unix_seconds: i64) -> DateText {
    let moment = Moment::of(unix_seconds.max(0));
    let mut text = DateText::empty();
    text.push(WEEKDAYS[(moment.day_since_epoch.rem_euclid(7)) as usize]);
    text.push(b", ");
    text.number(moment.day, 2);
    text.push(b" ");
    text.push(MONTHS[moment.month as usize - 1]);
    text.push(b" ");
    text.number(moment.year, 4);
    text.push(b" ");
    text.clock(moment.second_of_day);
    text.push(b" GMT");
    text
}

impl DateText {
    const fn empty() -> Self {
        Self {
            bytes: [0; MAX_BYTES],
            length: 0,
        }
    }

    fn push(&mut self, text: &[u8]) {
        let end = self.length + text.len();
        self.bytes[self.length..end].copy_from_slice(text);
        self.length = end;
    }

    /// Writes a number of `width` digits.
    fn number(&mut self, number: u32, width: usize) {
        let end = self.length + width;
        let mut rest = number;
        for digit in self.bytes[self.length..end].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.length = end;
    }

    fn clock(&mut self, second_of_day: u32) {
        self.number(second_of_day / 3600, 2);
        self.push(b":");
        self.number(second_of_day / 60 % 60, 2);
        self.push(b":");
        self.number(second_of_day % 60, 2);
    }
}

/// A second in the calendar.
struct Moment {
    day_since_epoch: i64,
    year: u32,
    /// 1 to 12.
    month: u32,
    /// 1 to 31.
    day: u32,
    second_of_day: u32,
}

impl Moment {
    /// The proleptic Gregorian calendar, in eras of 400 years that begin on 1 March, so that the leap day is the last day
    /// of a year: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    fn of(unix_seconds: i64) -> Self {
        const DAYS_PER_ERA: i64 = 146_097;
        /// From 0000-03-01 to 1970-01-01.
        const DAYS_BEFORE_EPOCH: i64 = 719_468;
        let seconds = unix_seconds.clamp(EARLIEST, LATEST);
        let day_since_epoch = seconds.div_euclid(SECONDS_PER_DAY);
        let shifted = day_since_epoch + DAYS_BEFORE_EPOCH;
        let era = shifted.div_euclid(DAYS_PER_ERA);
        let day_of_era = shifted.rem_euclid(DAYS_PER_ERA);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        // All are within their ranges, since the year is.
        Self {
            day_since_epoch,
            year: year as u32,
            month: month as u32,
            day: (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32,
            second_of_day: seconds.rem_euclid(SECONDS_PER_DAY) as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use proptest::prelude::*;
    use time::OffsetDateTime;
    use time::macros::format_description;

    use super::*;

    proptest! {
        #[test]
        fn iso_dates_are_those_of_the_library(seconds in EARLIEST..=LATEST, nanoseconds in 0_u32..1_000_000_000) {
            let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
            let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap().replace_nanosecond(nanoseconds).unwrap();
            prop_assert_eq!(&*iso8601(seconds, nanoseconds), time.format(format).unwrap());
        }

        #[test]
        fn http_dates_are_those_of_the_library(seconds in 0..=LATEST) {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs());
            prop_assert_eq!(&*http_date(seconds), httpdate::fmt_http_date(time));
        }

        #[test]
        fn every_number_is_a_date(seconds: i64, nanoseconds: u32) {
            prop_assert_eq!(iso8601(seconds, nanoseconds).len(), 24);
            prop_assert_eq!(http_date(seconds).len(), MAX_BYTES);
        }
    }

    #[test]
    fn times_beyond_the_format_become_the_nearest() {
        assert_eq!(&*iso8601(i64::MAX, 0), "9999-12-31T23:59:59.000Z");
        assert_eq!(&*iso8601(i64::MIN, 0), "0000-01-01T00:00:00.000Z");
        assert_eq!(&*http_date(-1), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
