//! When a signature is valid.

use std::time::Duration;

use super::amz_date::AmzDate;
use super::error::SigV4Error;
use bucketry_domain::Timestamp;

/// Tolerated difference between the client's clock and ours, both ways.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_secs(15 * 60);

/// Longest life of a presigned request in seconds: seven days.
pub const MAX_PRESIGNED_EXPIRES_SECONDS: u32 = 7 * 24 * 60 * 60;

/// A request signed by header is valid while its time lies within [`MAX_CLOCK_SKEW`] of `now`.
pub(super) fn check_header_time(signed: AmzDate, now: Timestamp) -> Result<(), SigV4Error> {
    let (earlier, later) = if signed.timestamp() < now {
        (signed.timestamp(), now)
    } else {
        (now, signed.timestamp())
    };
    if later.since(earlier) <= MAX_CLOCK_SKEW {
        return Ok(());
    }
    Err(SigV4Error::RequestTimeTooSkewed {
        request_time: signed,
        server_time: now,
        max_skew_milliseconds: u64::from(
            u32::try_from(MAX_CLOCK_SKEW.as_millis()).unwrap_or(u32::MAX),
        ),
    })
}

/// A presigned request is valid from its time (less the clock skew) to its time and `expires`, 1 to 604800 seconds.
pub(super) fn check_presigned_time(
    signed: AmzDate,
    expires: i64,
    now: Timestamp,
) -> Result<(), SigV4Error> {
    let seconds = check_expires(expires)?;
    check_window(signed, seconds, Some(seconds), now)
}

/// A form is valid for as long as its policy says; the credential itself ends after seven days.
pub(super) fn check_form_time(signed: AmzDate, now: Timestamp) -> Result<(), SigV4Error> {
    check_window(signed, MAX_PRESIGNED_EXPIRES_SECONDS, None, now)
}

fn check_window(
    signed: AmzDate,
    life_seconds: u32,
    expires_seconds: Option<u32>,
    now: Timestamp,
) -> Result<(), SigV4Error> {
    if signed.timestamp().saturating_sub(MAX_CLOCK_SKEW) > now {
        return Err(SigV4Error::NotYetValid {
            request_time: signed,
            server_time: now,
        });
    }
    let expired_at = signed
        .timestamp()
        .saturating_add(Duration::from_secs(life_seconds.into()));
    if now > expired_at {
        return Err(SigV4Error::Expired {
            expires_seconds,
            expired_at,
            server_time: now,
        });
    }
    Ok(())
}

fn check_expires(given: i64) -> Result<u32, SigV4Error> {
    match u32::try_from(given) {
        Ok(seconds @ 1..=MAX_PRESIGNED_EXPIRES_SECONDS) => Ok(seconds),
        _ => Err(SigV4Error::ExpiresOutOfRange { given }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIGNED: &str = "20130524T000000Z";

    fn signed() -> AmzDate {
        AmzDate::parse(SIGNED).unwrap()
    }

    fn at(offset_seconds: i64) -> Timestamp {
        Timestamp::from_seconds(signed().timestamp().as_seconds() + offset_seconds)
    }

    #[test]
    fn header_time_is_fifteen_minutes_both_ways() {
        for offset in [-900, -899, 0, 840, 900] {
            assert_eq!(check_header_time(signed(), at(offset)), Ok(()), "{offset}");
        }
        for offset in [-960, -901, 901, 960, 86_400] {
            let Err(SigV4Error::RequestTimeTooSkewed {
                request_time,
                server_time,
                max_skew_milliseconds,
            }) = check_header_time(signed(), at(offset))
            else {
                panic!("{offset} was accepted");
            };
            assert_eq!(request_time.to_string(), SIGNED);
            assert_eq!(server_time, at(offset));
            assert_eq!(max_skew_milliseconds, 900_000);
        }
    }

    #[test]
    fn presigned_window() {
        for (offset, expires) in [
            (0, 1),
            (1, 1),
            (-900, 60),
            (86_400, 86400),
            (604_800, 604800),
        ] {
            assert_eq!(
                check_presigned_time(signed(), expires, at(offset)),
                Ok(()),
                "{offset} {expires}"
            );
        }
        for (offset, expires) in [(2, 1), (61, 60), (604_801, 604800)] {
            assert!(
                matches!(
                    check_presigned_time(signed(), expires, at(offset)),
                    Err(SigV4Error::Expired {
                        expires_seconds: Some(_),
                        ..
                    })
                ),
                "{offset} {expires}"
            );
        }
        assert_eq!(
            check_presigned_time(signed(), 60, at(-901)),
            Err(SigV4Error::NotYetValid {
                request_time: signed(),
                server_time: at(-901)
            })
        );
    }

    #[test]
    fn expires_is_one_second_to_seven_days() {
        for given in [i64::MIN, -1, 0, 604_801, 1 << 32, (1 << 32) + 60, i64::MAX] {
            assert_eq!(
                check_presigned_time(signed(), given, at(0)),
                Err(SigV4Error::ExpiresOutOfRange { given })
            );
        }
    }

    #[test]
    fn a_form_ends_with_the_seventh_day() {
        assert_eq!(check_form_time(signed(), at(604_800)), Ok(()));
        assert!(matches!(
            check_form_time(signed(), at(604_801)),
            Err(SigV4Error::Expired {
                expires_seconds: None,
                ..
            })
        ));
        assert!(matches!(
            check_form_time(signed(), at(-901)),
            Err(SigV4Error::NotYetValid { .. })
        ));
    }

    proptest! {
        #[test]
        fn any_clock_and_any_text_is_judged(now: i64, expires: i64) {
            let now = Timestamp::from_micros(now);
            let _ = (check_header_time(signed(), now), check_presigned_time(signed(), expires, now));
        }
    }
}
