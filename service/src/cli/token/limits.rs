use bucketry_contract::v1::TokenLimits;
use clap::Args;

/// What a token may use at most.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct LimitArgs {
    /// The most requests per second, up to 1,000,000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
    pub requests_per_second: Option<i64>,
    /// The most bytes of object data per day (UTC), in and out together
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
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
