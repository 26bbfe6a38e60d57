//! Cross-origin requests: the preflight, and the headers of an actual answer. The rules are the service's to judge.

use std::collections::BTreeSet;

use bucketry_contract::adapter::v1::{EvaluateCorsRequest, EvaluateCorsResponse};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::answer::Answer;
use crate::client_info::{Client, ClientIp};
use crate::edge::Edge;
use crate::error::S3Error;
use crate::headers::header_value;
use crate::target::Target;

/// A cache must not give one origin's answer to another.
const VARIES: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

/// The methods that a rule can allow.
const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];

/// The most header names that one preflight may ask for: the service's limit too.
const MAX_REQUEST_HEADERS: usize = 100;

const NOT_ENABLED: &str = "CORSResponse: CORS is not enabled for this bucket.";

/// With S3's own misspelling.
const NOT_ALLOWED: &str = "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.";

/// Answers a preflight.
///
/// # Errors
/// `BadRequest` if it is none, `AccessForbidden` if no rule allows it.
pub(crate) async fn preflight(
    edge: &Edge,
    client: &Client,
    target: &Target,
    headers: &HeaderMap,
) -> Result<Answer, S3Error> {
    let header = |name: HeaderName| headers.get(name).and_then(text);
    let origin = header(ORIGIN)
        .ok_or_else(|| bad_request("Insufficient information. Origin request header needed."))?;
    let method = header(ACCESS_CONTROL_REQUEST_METHOD).ok_or_else(|| bad_method("null"))?;
    if !METHODS.contains(&method.as_str()) {
        return Err(bad_method(&method));
    }
    let Some(bucket) = target.bucket() else {
        return Err(forbidden(NOT_ENABLED, &method, target));
    };
    let question = EvaluateCorsRequest {
        bucket: bucket.to_owned(),
        origin,
        method: method.clone(),
        request_headers: requested_headers(headers)?,
    };
    let allowed = evaluate(edge, client, question).await?;
    if !allowed.allowed {
        let text = if allowed.enabled {
            NOT_ALLOWED
        } else {
            NOT_ENABLED
        };
        return Err(forbidden(text, &method, target));
    }
    let mut answer = Answer::empty(StatusCode::OK);
    set_headers(&mut answer.headers, &allowed);
    Ok(answer)
}

/// The CORS headers of the answer to an actual request from `origin`; none if no rule allows it. A failure to find out
/// is the same as "no": the operation has been done, only the page may not see its answer.
pub(crate) async fn actual_headers(
    edge: &Edge,
    client: &Client,
    target: &Target,
    (method, origin): (&http::Method, &HeaderValue),
) -> HeaderMap {
    let mut found = HeaderMap::new();
    let (Some(origin), Some(bucket)) = (text(origin), target.bucket()) else {
        return found;
    };
    let question = EvaluateCorsRequest {
        bucket: bucket.to_owned(),
        origin,
        method: method.as_str().to_owned(),
        request_headers: Vec::new(),
    };
    match evaluate(edge, client, question).await {
        Ok(allowed) if allowed.allowed => set_headers(&mut found, &allowed),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the CORS rules cannot be evaluated"),
    }
    found
}

async fn evaluate(
    edge: &Edge,
    client: &Client,
    question: EvaluateCorsRequest,
) -> Result<EvaluateCorsResponse, S3Error> {
    let mut request = tonic::Request::new(question);
    let address = ClientIp(client.address);
    request.extensions_mut().insert(address);
    Ok(edge.authority.evaluate_cors(request).await?.into_inner())
}

/// The names in `Access-Control-Request-Headers`, in lower case, each once.
///
/// # Errors
/// `BadRequest` if there are more than [`MAX_REQUEST_HEADERS`].
pub(crate) fn requested_headers(headers: &HeaderMap) -> Result<Vec<String>, S3Error> {
    let mut seen = BTreeSet::new();
    for line in headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
        let line = String::from_utf8_lossy(line.as_bytes()).to_ascii_lowercase();
        let names = line.split(',').map(str::trim);
        for name in names.filter(|name| !name.is_empty()) {
            if !seen.contains(name) {
                seen.insert(name.to_owned());
            }
            if seen.len() > MAX_REQUEST_HEADERS {
                return Err(bad_request(format!(
                    "Access-Control-Request-Headers names more than {MAX_REQUEST_HEADERS} headers."
                )));
            }
        }
    }
    Ok(seen.into_iter().collect())
}

fn set_headers(headers: &mut HeaderMap, allowed: &EvaluateCorsResponse) {
    let list = |values: &[String]| (!values.is_empty()).then(|| values.join(", "));
    let credentials = allowed.allow_credentials.then(|| "true".to_owned());
    let max_age = allowed.max_age_seconds.map(|seconds| seconds.to_string());
    let values: [(HeaderName, Option<String>); 6] = [
        (
            ACCESS_CONTROL_ALLOW_ORIGIN,
            Some(allowed.allow_origin.clone()),
        ),
        (ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials),
        (ACCESS_CONTROL_ALLOW_METHODS, list(&allowed.allow_methods)),
        (ACCESS_CONTROL_ALLOW_HEADERS, list(&allowed.allow_headers)),
        (ACCESS_CONTROL_EXPOSE_HEADERS, list(&allowed.expose_headers)),
        (ACCESS_CONTROL_MAX_AGE, max_age),
    ];
    for (name, value) in values {
        if let Some(value) = value.as_deref().and_then(header_value) {
            headers.insert(name, value);
        }
    }
    headers.insert(VARY, HeaderValue::from_static(VARIES));
}

fn text(value: &HeaderValue) -> Option<String> {
    let value = value.to_str().ok()?;
    (!value.is_empty()).then(|| value.to_owned())
}

fn bad_request(message: impl Into<std::borrow::Cow<'static, str>>) -> S3Error {
    S3Error::new("BadRequest", StatusCode::BAD_REQUEST, message)
}

fn bad_method(method: &str) -> S3Error {
    bad_request(format!("Invalid Access-Control-Request-Method: {method}"))
}

fn forbidden(text: &'static str, method: &str, target: &Target) -> S3Error {
    S3Error::new("AccessForbidden", StatusCode::FORBIDDEN, text)
        .with_element("Method", method)
        .with_element("ResourceType", target.resource_type())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(lines: &[&str]) -> Result<Vec<String>, S3Error> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCESS_CONTROL_REQUEST_HEADERS, line.parse().unwrap());
        }
        requested_headers(&headers)
    }

    #[test]
    fn each_requested_header_is_asked_about_once() {
        let repeated = format!("X-A, x-b,,{}", "x-a,".repeat(5_000));
        assert_eq!(asked(&[&repeated, "X-B"]).unwrap(), ["x-a", "x-b"]);
    }

    #[test]
    fn more_than_a_hundred_requested_headers_are_refused() {
        let names = |count: usize| (0..count).map(|n| format!("x-{n}")).collect::<Vec<_>>();
        assert_eq!(asked(&[&names(100).join(",")]).unwrap().len(), 100);
        assert!(asked(&[&names(101).join(",")]).is_err());
    }
}
