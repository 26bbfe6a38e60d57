use http::{Extensions, HeaderMap};
use tonic::Request;

use super::effective_address::EffectiveAddress;
use super::request_id::RequestId;
use crate::access::{ClientAddress, Origin};

/// From where a call comes.
pub(crate) fn origin<T>(request: &Request<T>, rpc: &'static str) -> Origin {
    origin_of(request.metadata().as_ref(), request.extensions(), rpc)
}

pub(super) fn origin_of(headers: &HeaderMap, extensions: &Extensions, rpc: &'static str) -> Origin {
    Origin {
        address: extensions
            .get::<EffectiveAddress>()
            .map_or(ClientAddress::UNKNOWN, |client| client.address),
        request_id: extensions
            .get::<RequestId>()
            .map_or_else(|| "unknown".into(), |id| id.as_str().into()),
        operation: rpc.into(),
        user_agent: (headers.get("user-agent"))
            .and_then(|value| value.to_str().ok())
            .and_then(Origin::user_agent),
    }
}
