//! What the front tells of the caller.

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;

use crate::response::AmzRequestId;
use crate::sigv4::Scheme;

/// What the front knows of one request's caller. It stands in the request's extensions; the adapter itself never looks at
/// forwarding headers, because only the front knows which peers may be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientInfo {
    /// The caller's address; none: unknown, which IP rules take for "no".
    pub address: Option<IpAddr>,
    /// How the request reached the server.
    pub scheme: Scheme,
    /// The id under which the front logs the request: 1 to 64 letters, digits, `-` and `_`. The answer shows it as
    /// `x-amz-request-id`.
    pub request_id: Arc<str>,
}

/// The client of a call, in the extensions of its request: a separate adapter shares its permits by it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientIp(
    #[cfg_attr(
        not(feature = "program"),
        expect(dead_code, reason = "only the program divides its requests")
    )]
    pub(crate) Option<IpAddr>,
);

/// The longest address of IPv6 with an embedded one of IPv4.
const MAX_ADDRESS_BYTES: usize = 45;

/// The caller of one request, with an id in any case.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: Option<IpAddr>,
    pub(crate) scheme: Scheme,
    pub(crate) request_id: AmzRequestId,
}

impl Client {
    /// Takes what the front has said. Without a word from it the address is unknown and the id is made here.
    pub(crate) fn of(extensions: &http::Extensions) -> Self {
        let info = extensions.get::<ClientInfo>();
        let given = info.and_then(|info| AmzRequestId::from_text(Arc::clone(&info.request_id)));
        Self {
            address: info.and_then(|info| info.address),
            scheme: info.map_or(Scheme::Http, |info| info.scheme),
            request_id: given
                .unwrap_or_else(|| AmzRequestId::from_bytes(uuid::Uuid::new_v4().into_bytes())),
        }
    }

    /// The address as the service reads it; empty: unknown.
    pub(crate) fn address_text(&self) -> String {
        let mut text = String::new();
        if let Some(address) = self.address {
            text.reserve(MAX_ADDRESS_BYTES);
            // Writing to a string does not fail.
            let _ = write!(text, "{address}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_front_the_address_is_unknown() {
        let client = Client::of(&http::Extensions::new());
        assert_eq!(client.address_text(), "");
        assert_eq!(client.request_id.as_str().len(), 32);
    }

    #[test]
    fn the_fronts_id_is_kept_and_a_strange_one_is_not() {
        let mut extensions = http::Extensions::new();
        let mut info = ClientInfo {
            address: Some([10, 0, 0, 7].into()),
            scheme: Scheme::Https,
            request_id: "0192f3a".into(),
        };
        extensions.insert(info.clone());
        let client = Client::of(&extensions);
        assert_eq!(
            (client.request_id.as_str(), client.address_text().as_str()),
            ("0192f3a", "10.0.0.7")
        );
        info.request_id = "a\nb".into();
        extensions.insert(info);
        assert_ne!(Client::of(&extensions).request_id.as_str(), "a\nb");
    }
}
