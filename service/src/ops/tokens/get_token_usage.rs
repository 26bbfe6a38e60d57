use std::time::Duration;

use bucketry_contract::v1::{GetTokenUsageRequest, GetTokenUsageResponse};
use tonic::Request;

use super::admit_token;
use crate::convert::timestamp_from_proto;
use crate::domain::Timestamp;
use crate::error::Error;
use crate::metering::{last_use_to_proto, usage_to_proto};
use crate::request::Service;

const DAY: Duration = Duration::from_secs(24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);
/// The span shown if no start is given.
const DEFAULT_SPAN: Duration = DAY.saturating_mul(7);
/// The longest span of one answer.
const MAX_SPAN: Duration = DAY.saturating_mul(366);

pub(crate) async fn get_token_usage(
    service: &Service,
    request: Request<GetTokenUsageRequest>,
) -> Result<GetTokenUsageResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let (_, token) = admit_token(service, caller, &asked, &asked.bucket, &asked.token_id).await?;
    let (start, end) = span(&asked, service.now())?;
    service.ledger.flush(&service.catalog).await?;
    let until = end.hour().saturating_add(HOUR);
    let rows = service.catalog.usage(token.pk, start.hour(), until).await?;
    let uses = service.catalog.last_uses(&[token.pk]).await?;
    let (hours, total) = usage_to_proto(&rows);
    Ok(GetTokenUsageResponse {
        hours,
        total: Some(total),
        last_use: uses.get(&token.pk).map(last_use_to_proto),
    })
}

/// The requested start and end, both inclusive, or the defaults.
fn span(asked: &GetTokenUsageRequest, now: Timestamp) -> Result<(Timestamp, Timestamp), Error> {
    let end = asked.end_time.as_ref().map_or(now, timestamp_from_proto);
    let start = (asked.start_time.as_ref())
        .map_or_else(|| end.saturating_sub(DEFAULT_SPAN), timestamp_from_proto);
    let refused = |problem: &str| Error::InvalidArgument {
        field: "start_time",
        problem: problem.to_owned(),
    };
    if start > end {
        return Err(refused("must not lie after end_time"));
    }
    if end.since(start) > MAX_SPAN {
        return Err(refused("must lie at most 366 days before end_time"));
    }
    Ok((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn asked(start: Option<i64>, end: Option<i64>) -> GetTokenUsageRequest {
        let time = |seconds| prost_types::Timestamp { seconds, nanos: 0 };
        GetTokenUsageRequest {
            start_time: start.map(time),
            end_time: end.map(time),
            ..Default::default()
        }
    }

    #[test]
    fn the_last_seven_days_by_default() {
        let (start, end) = span(&asked(None, None), NOW).unwrap();
        assert_eq!((end, end.since(start)), (NOW, DEFAULT_SPAN));
        let (start, end) = span(&asked(None, Some(1_000_000_000)), NOW).unwrap();
        assert_eq!(end, Timestamp::from_seconds(1_000_000_000));
        assert_eq!(end.since(start), DEFAULT_SPAN);
    }

    #[test]
    fn spans_that_are_none_or_too_long_are_refused() {
        let year = 366 * 24 * 3600;
        assert!(span(&asked(Some(0), Some(year)), NOW).is_ok());
        for (start, end) in [(0, year + 1), (5, 4), (i64::MIN, i64::MAX)] {
            let refused = span(&asked(Some(start), Some(end)), NOW);
            let named = Err::<(), _>(refused.unwrap_err());
            assert!(matches!(
                named,
                Err(Error::InvalidArgument {
                    field: "start_time",
                    ..
                })
            ));
        }
        assert!(span(&asked(Some(NOW.as_seconds() + 1), None), NOW).is_err());
    }
}
