use bucketry_edge::{ConnectionInfo, WebOrigin};
use http::{HeaderValue, Request, header};

use crate::endpoints::is_own_endpoint;

/// The origins of pages that may call the services by gRPC-Web: the console's own, and those that are configured.
///
/// A call needs credentials that no other page has, so this is a second line of defence.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<WebOrigin>);

/// The page that sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallingPage {
    /// None: a program that sends no origin.
    None,
    /// A page of this host; its browser sends no preflight.
    OwnHost,
    /// A configured origin; the response must name it.
    Known(HeaderValue),
    /// Any other.
    Foreign,
}

impl Origins {
    /// `known`: configured origins. A page's own host is always allowed.
    #[must_use]
    pub fn new(known: &[WebOrigin]) -> Self {
        Self(known.to_vec())
    }

    /// Which page sends a request.
    pub(crate) fn page_of<B>(
        &self,
        request: &Request<B>,
        connection: ConnectionInfo,
    ) -> CallingPage {
        let Some(origin) = request.headers().get(header::ORIGIN) else {
            return CallingPage::None;
        };
        if self.holds(origin) {
            return CallingPage::Known(origin.clone());
        }
        // Not by the host that the request names: a name of someone else may resolve to this address.
        let own = origin
            .to_str()
            .is_ok_and(|origin| is_own_endpoint(origin, &connection));
        match own {
            true => CallingPage::OwnHost,
            false => CallingPage::Foreign,
        }
    }

    /// Whether a request comes from a page of a configured origin.
    pub(crate) fn are_configured_for<B>(&self, request: &Request<B>) -> bool {
        let origin = request.headers().get(header::ORIGIN);
        origin.is_some_and(|origin| self.holds(origin))
    }

    fn holds(&self, origin: &HeaderValue) -> bool {
        self.0.iter().any(|known| known.is(origin.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};

    use super::*;
    use bucketry_edge::{ClientCertificate, Encryption};

    const CONNECTION: ConnectionInfo = ConnectionInfo {
        peer: None,
        local: Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9001)),
        encryption: Encryption::Plaintext,
        client_certificate: ClientCertificate::None,
        relayed: None,
        role: bucketry_edge::ListenerRole::Data,
    };

    fn page(origin: Option<&str>) -> CallingPage {
        let configured: WebOrigin = "https://console.example.com".parse().unwrap();
        let mut request = Request::builder().header(header::HOST, "rebound.example:9001");
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        Origins::new(&[configured]).page_of(&request.body(()).unwrap(), CONNECTION)
    }

    #[test]
    fn pages_of_this_host_and_configured_ones_are_known() {
        let configured = HeaderValue::from_static("https://console.example.com");
        for (origin, expected) in [
            (None, CallingPage::None),
            (Some("http://localhost:9001"), CallingPage::OwnHost),
            (Some("http://127.0.0.1:9001"), CallingPage::OwnHost),
            (
                Some("https://console.example.com"),
                CallingPage::Known(configured),
            ),
        ] {
            assert_eq!(page(origin), expected, "{origin:?}");
        }
    }

    #[test]
    fn pages_of_other_origins_are_foreign() {
        for origin in [
            "http://localhost:9000",
            "http://rebound.example:9001",
            "https://localhost:9001",
            "http://localhost",
            "http://evil.example",
            "https://console.example.com.evil.example",
            "null",
            "",
        ] {
            assert_eq!(page(Some(origin)), CallingPage::Foreign, "{origin}");
        }
    }
}
