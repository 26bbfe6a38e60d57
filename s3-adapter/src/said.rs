//! What a request says of itself: who sends it, which operation it is, and on what.

use std::borrow::Cow;
use std::sync::Arc;

use bucketry_contract::v1::ErrorReason;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, header};

use crate::binding::{RequestView, RouteOutcome};
use crate::client_info::Client;
use crate::edge::Edge;
use crate::effective_headers::effective_headers;
use crate::error::{S3Error, empty_version};
use crate::fault::of_reason;
use crate::form::{self, Form, FormError};
use crate::generated::{Operation, route};
use crate::intake::Intake;
use crate::query::Query;
use crate::sigv4::{Authentication, RequestHead, authenticate, authenticate_form};
use crate::target::{Addressed, Target};

/// What a request says of itself and of its caller.
pub(crate) struct Said {
    pub(crate) authentication: Authentication,
    /// The headers where they are not those received: with what a presigned URL carries in its query, or a form in its
    /// fields, and without the framing of the transfer.
    pub(crate) headers: Option<HeaderMap>,
    /// With the key that a form names.
    pub(crate) addressed: Arc<Addressed>,
    pub(crate) form: Option<Form>,
    pub(crate) operation: Operation,
}

/// The head as its signature covers it.
pub(crate) fn signed_head<'a>(
    edge: &'a Edge,
    head: &'a Parts,
    client: &Client,
    (host, addressed, query): (&'a str, &'a Addressed, &'a Query),
) -> RequestHead<'a> {
    RequestHead {
        method: head.method.as_str(),
        host,
        scheme: client.scheme,
        public_hosts: &edge.settings.public_hosts,
        path: head.uri.path(),
        query,
        headers: &head.headers,
        addressed,
    }
}

/// What stands in the head of a request, or in the fields of its form. `known` is set as soon as the operation is.
///
/// # Errors
/// Faults of signature, form and address; operations that there are not.
pub(crate) async fn said(
    edge: &Edge,
    signed: &RequestHead<'_>,
    addressed: &Arc<Addressed>,
    known: &mut Option<Operation>,
    intake: &mut Intake,
) -> Result<Said, S3Error> {
    if form::is_form(signed) {
        *known = Some(Operation::PostObject);
        // Rare and large: it would make the future of every request larger.
        return Box::pin(said_in_form(edge, signed, intake)).await;
    }
    let authentication = authenticate(signed)?;
    let headers = effective_headers(signed.headers, authentication.hoisted_headers());
    let operation = routed(signed, &headers)?;
    *known = Some(operation);
    Ok(Said {
        headers: changed(headers),
        authentication,
        addressed: Arc::clone(addressed),
        form: None,
        operation,
    })
}

/// Of a form all that stands in its fields. The body is polled here, and only here, before the caller is known.
async fn said_in_form(
    edge: &Edge,
    signed: &RequestHead<'_>,
    intake: &mut Intake,
) -> Result<Said, S3Error> {
    let idle = edge.settings.limits.body_idle;
    let form = form::receive(intake, signed.headers, idle).await?;
    let fault = |fault| S3Error::from(FormError::Field(fault));
    let key = form.fields.key().map_err(fault)?.to_owned();
    let bucket = signed.addressed.target.bucket().unwrap_or_default();
    let headers = form.fields.headers().map_err(fault)?;
    let headers = effective_headers(&headers, None).into_owned();
    let addressed = Addressed {
        target: Target::object(bucket, key)?,
        style: signed.addressed.style,
    };
    Ok(Said {
        authentication: authenticate_form(signed, &form.fields)?,
        headers: Some(headers),
        addressed: Arc::new(addressed),
        form: Some(form),
        operation: Operation::PostObject,
    })
}

fn changed(headers: Cow<'_, HeaderMap>) -> Option<HeaderMap> {
    match headers {
        Cow::Borrowed(_) => None,
        Cow::Owned(headers) => Some(headers),
    }
}

fn routed(signed: &RequestHead<'_>, headers: &HeaderMap) -> Result<Operation, S3Error> {
    let view = &RequestView {
        target: &signed.addressed.target,
        query: signed.query,
        headers,
    };
    let method = Method::from_bytes(signed.method.as_bytes()).map_err(|_| S3Error::internal())?;
    match route(&method, view) {
        RouteOutcome::Operation(operation) => Ok(operation),
        RouteOutcome::NotImplemented(what) => Err(S3Error::not_implemented(
            "A header or query you provided implies functionality that is not implemented",
        )
        .with_element("Header", what)),
        RouteOutcome::MethodNotAllowed => {
            let error = of_reason(ErrorReason::MethodNotAllowed, "")
                .with_element("Method", method.as_str())
                .with_element("ResourceType", view.target.resource_type());
            Err(error.with_header(header::ALLOW, allowed(view)))
        }
        RouteOutcome::Unexpected(parameter) => Err(unexpected(parameter, view)),
    }
}

fn unexpected(parameter: &str, view: &RequestView<'_>) -> S3Error {
    let value = view.query.get(parameter).unwrap_or_default();
    let message = match parameter {
        "versionId" if value.is_empty() => return empty_version(),
        "versionId" => "This operation does not accept a version-id.",
        _ => "This operation does not take this query parameter.",
    };
    S3Error::invalid_argument(parameter, value, message)
}

/// The methods that the same target and query take (RFC 9110, 15.5.6).
fn allowed(view: &RequestView<'_>) -> HeaderValue {
    let methods = [
        Method::GET,
        Method::HEAD,
        Method::PUT,
        Method::POST,
        Method::DELETE,
    ];
    let taken: Vec<&str> = methods
        .iter()
        .filter(|method| matches!(route(method, view), RouteOutcome::Operation(_)))
        .map(Method::as_str)
        .collect();
    HeaderValue::try_from(taken.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
}
