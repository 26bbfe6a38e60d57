use bucketry_contract::v1::TokenLimits;
use clap::Args;

/// What a token may use at most.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct LimitArgs {
    /// The most requests per second, up to 1,000,000
    #[arg(long, value_name = "N", value_parser = requests_per_second)]
    pub requests_per_second: Option<i64>,
    /// The most bytes of object data per day (UTC), in and out together
    #[arg(long, value_name = "N", value_parser = bytes_per_day)]
    pub bytes_per_day: Option<i64>,
}

impl LimitArgs {
    pub(super) fn is_given(self) -> bool {
        self.requests_per_second.is_some() || self.bytes_per_day.is_some()
    }

    /// Whether one limit is given and the other not.
    pub(super) fn is_half(self) -> bool {
        self.requests_per_second.is_some() != self.bytes_per_day.is_some()
    }

    /// The limits of a new token; none if none is given.
    pub(super) fn limits(self) -> Option<TokenLimits> {
        self.is_given().then(|| self.over(None))
    }

    /// What is given, and what is not as it was.
    pub(super) fn over(self, before: Option<TokenLimits>) -> TokenLimits {
        let before = before.unwrap_or_default();
        TokenLimits {
            requests_per_second: self
                .requests_per_second
                .unwrap_or(before.requests_per_second),
            bytes_per_day: self.bytes_per_day.unwrap_or(before.bytes_per_day),
        }
    }
}

fn requests_per_second(text: &str) -> Result<i64, &'static str> {
    text.parse()
        .ok()
        .filter(|number| (1..=1_000_000).contains(number))
        .ok_or("must be a whole number from 1 to 1000000; edit --no-limits lifts limits")
}

fn bytes_per_day(text: &str) -> Result<i64, &'static str> {
    text.parse()
        .ok()
        .filter(|number| *number >= 1)
        .ok_or("must be a whole number of bytes, at least 1, without a unit, as in 1000000000; edit --no-limits lifts limits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_whole_numbers_above_zero() {
        assert_eq!(requests_per_second("1000000"), Ok(1_000_000));
        assert_eq!(bytes_per_day("1000000000000"), Ok(1_000_000_000_000));
        for text in ["", "0", "-1", "1.5", "1000001"] {
            assert!(requests_per_second(text).is_err(), "{text}");
        }
        for text in ["", "0", "-1", "1GB", "9223372036854775808"] {
            assert!(bytes_per_day(text).is_err(), "{text}");
        }
    }
}
