//! The scope and the time that a signature names.

use std::time::{Duration, SystemTime};

use bucketry_tests::error::HarnessError;
use bucketry_tests::sigv4::Payload;
use time::OffsetDateTime;
use time::macros::format_description;

use super::{altered, presigned};
use crate::adversarial::by_hand::sign_with_date;
use crate::wire::{Wire, refusal, refused};

#[tokio::test]
async fn wrong_credential_scopes_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let day = OffsetDateTime::now_utc()
        .format(format_description!("[year][month][day]"))
        .unwrap();
    let id = &wire.signer.access_key_id;
    let good = format!("{id}/{day}/us-east-1/s3/aws4_request");
    for (bad, region) in [
        (format!("{id}/20130524/us-east-1/s3/aws4_request"), None),
        (format!("{id}/29990101/us-east-1/s3/aws4_request"), None),
        (format!("{id}/{day}/xx/s3/aws4_request"), Some("us-east-1")),
        (format!("{id}/{day}/us-east-1/ec2/aws4_request"), None),
        (format!("{id}/{day}/us-east-1/s3/aws5_request"), None),
        (format!("{id}/{day}/us-east-1/s3"), None),
        (format!("{id}/x/{day}/us-east-1/s3/aws4_request"), None),
        (format!("/{day}/us-east-1/s3/aws4_request"), None),
    ] {
        let request = altered(wire.signed(wire.request("GET", "k"))?, &good, &bad);
        let answer = wire.send(request)?;
        assert_eq!(
            refusal(&answer),
            refused(400, "AuthorizationHeaderMalformed"),
            "{bad}"
        );
        assert_eq!(answer.element("Region").as_deref(), region, "{bad}");
        let encoded = |text: &str| text.replace('/', "%2F");
        let request = presigned(&wire, wire.request("GET", "k"))?;
        let answer = wire.send(altered(request, &encoded(&good), &encoded(&bad)))?;
        assert_eq!(
            refusal(&answer),
            refused(400, "AuthorizationQueryParametersError"),
            "{bad}"
        );
    }
    // A region that the server takes besides its own.
    let mut auto = wire.signer.clone();
    auto.region = "auto".to_owned();
    let request = auto.header(wire.request("GET", "k"), SystemTime::now(), Payload::Signed)?;
    assert_eq!(refusal(&wire.send(request)?), refused(404, "NoSuchKey"));
    Ok(())
}

#[tokio::test]
async fn clock_skew_and_malformed_dates_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let now = SystemTime::now();
    let at = |time| {
        wire.signer
            .header(wire.request("GET", "k"), time, Payload::Signed)
    };
    for time in [now - minutes(14), now + minutes(14)] {
        assert_eq!(wire.send(at(time)?)?.status, 404);
    }
    for time in [now - minutes(16), now + minutes(16)] {
        let answer = wire.send(at(time)?)?;
        assert_eq!(refusal(&answer), refused(403, "RequestTimeTooSkewed"));
        assert_eq!(
            answer.element("MaxAllowedSkewMilliseconds").as_deref(),
            Some("900000")
        );
        assert!(answer.element("RequestTime").is_some() && answer.element("ServerTime").is_some());
        assert!(answer.find("date").is_some());
    }
    let nested = format!(
        "Fri, 24 May 2013 {}x{} 00:00:00 GMT",
        "(".repeat(2000),
        ")".repeat(2000)
    );
    for date in [
        "",
        "yesterday",
        "2013-05-24T00:00:00Z",
        "20131324T000000Z",
        "99990101T000000Z",
        "20130524T000000Z0",
        &nested,
    ] {
        let mut request = at(now)?;
        for (name, value) in &mut request.headers {
            if name == "x-amz-date" {
                *value = date.to_owned();
            }
        }
        let answer = wire.send(request)?;
        assert!(
            matches!(answer.status, 400 | 403),
            "{date:.40}: {}",
            answer.text()
        );
    }
    Ok(())
}

/// A `Date` header alone, as the clients that cannot set `x-amz-date` send it.
#[tokio::test]
async fn a_date_header_replaces_x_amz_date() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let request = sign_with_date(&wire.signer, wire.request("GET", "k"), SystemTime::now());
    let answer = wire.send(request.clone())?;
    assert_eq!(answer.text(), "content");
    let mut other = request;
    for (name, value) in &mut other.headers {
        if name == "date" {
            *value = "Fri, 24 May 2013 00:00:00 +0000 (a (nested) comment)".to_owned();
        }
    }
    assert_eq!(refusal(&wire.send(other)?), refused(403, "AccessDenied"));
    Ok(())
}
