use bucketry_contract::adapter::v1::{EvaluateCorsRequest, EvaluateCorsResponse};

use crate::domain::{BucketName, BucketSetting, CorsRule};
use crate::error::Error;
use crate::request::Service;
use crate::rules::cors::{MAX_REQUEST_HEADERS, first_match};

/// The CORS headers of an answer. The cost is bounded, since strangers ask. A bucket that is not there allows nothing, like one without rules.
pub(crate) async fn evaluate_cors(
    service: &Service,
    asked: EvaluateCorsRequest,
) -> Result<EvaluateCorsResponse, Error> {
    if asked.request_headers.len() > MAX_REQUEST_HEADERS {
        return Err(Error::InvalidArgument {
            field: "request_headers",
            problem: format!("more than {MAX_REQUEST_HEADERS} headers"),
        });
    }
    let Ok(name) = asked.bucket.parse::<BucketName>() else {
        return Ok(EvaluateCorsResponse::default());
    };
    let settings = (service.catalog)
        .setting_by_bucket_name(&name, BucketSetting::Cors)
        .await?;
    let rules = settings.cors().map_or(&[][..], Vec::as_slice);
    let matched = first_match(rules, &asked.origin, &asked.method, &asked.request_headers);
    let refused = EvaluateCorsResponse {
        enabled: !rules.is_empty(),
        ..EvaluateCorsResponse::default()
    };
    Ok(matched.map_or(refused, |rule| {
        headers(rule, asked.origin, asked.request_headers)
    }))
}

/// A rule for every origin answers `*`, without credentials: to reflect the origin there would open it to all.
fn headers(rule: &CorsRule, origin: String, request_headers: Vec<String>) -> EvaluateCorsResponse {
    let everyone = rule.allowed_origins.iter().any(|allowed| allowed == "*");
    EvaluateCorsResponse {
        enabled: true,
        allowed: true,
        allow_origin: if everyone { "*".to_owned() } else { origin },
        allow_credentials: !everyone,
        allow_methods: rule.allowed_methods.clone(),
        allow_headers: request_headers,
        expose_headers: rule.expose_headers.clone(),
        max_age_seconds: rule
            .max_age_seconds
            .map(|seconds| i32::try_from(seconds).unwrap_or(i32::MAX)),
    }
}
