//! Request id, client address and observation of every request.

use std::net::IpAddr;
use std::sync::Arc;

use bucketry_edge::forwarding::Forwarding;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, header};
use tonic::body::Body;

use super::observe::{Observation, ObservedBody};
use super::{ConnectionInfo, EffectiveAddress, MAX_HEAD_BYTES, RequestBody, RequestId};
use crate::telemetry::metrics::FrontName;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const S3_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");

/// Carries the decision on a call from the S3 edge.
const SESSION: HeaderName = HeaderName::from_static("x-bucketry-session");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// A request with its id and its client's address, observed until its answer has been sent.
pub(super) struct ObservedRequest {
    pub(super) id: RequestId,
    /// The client's address, if it is known.
    pub(super) address: Option<IpAddr>,
    header: HeaderName,
    observation: Observation,
}

impl ObservedRequest {
    /// Names the request and its client, in its extensions too, and hides its credentials from logs.
    pub(super) fn begin(
        request: &mut Request<RequestBody>,
        info: ConnectionInfo,
        forwarding: &Arc<Forwarding>,
        (front, operation): (FrontName, Option<Arc<str>>),
    ) -> Self {
        let id = RequestId::generate();
        let client = EffectiveAddress::derive(&info, forwarding, request.headers());
        let address = client.address.ip();
        request.body().set_client(address);
        let received = request.body().counter();
        let observation =
            Observation::begin(front, operation, id.clone(), info, client.address, received);
        hide_credentials(request.headers_mut());
        request.extensions_mut().insert(info);
        request.extensions_mut().insert(client);
        request.extensions_mut().insert(id.clone());
        Self {
            id,
            address,
            header: match front {
                FrontName::Grpc | FrontName::Console => REQUEST_ID,
                FrontName::S3 => S3_REQUEST_ID,
            },
            observation,
        }
    }

    /// Adds the request's id to the answer, and follows the answer to its end.
    pub(super) fn answered(self, mut response: Response<Body>) -> Response<ObservedBody> {
        if !response.headers().contains_key(&self.header)
            && let Some(value) = self.id.header()
        {
            response.headers_mut().insert(self.header, value);
        }
        self.observation.answered(response)
    }
}

/// Marks credentials, so that no `Debug` of headers, here or in a library, shows them.
fn hide_credentials(headers: &mut HeaderMap) {
    for name in [
        header::AUTHORIZATION,
        header::COOKIE,
        SESSION,
        SECURITY_TOKEN,
    ] {
        if let header::Entry::Occupied(mut values) = headers.entry(name) {
            values
                .iter_mut()
                .for_each(|value| value.set_sensitive(true));
        }
    }
}

/// The status for a head that is too large. What HTTP itself bounds is larger.
pub(super) fn refused_head<B>(request: &Request<B>) -> Option<StatusCode> {
    // A header line is `name: value\r\n`.
    let lines = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4);
    let target = request
        .uri()
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    let head = lines.fold(target, usize::saturating_add);
    (head > MAX_HEAD_BYTES as usize).then_some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
}
