use bucketry_edge::{ConnectionInfo, Encryption, WebOrigin};
use http::{HeaderValue, Request, header};

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
        if self.0.iter().any(|known| known.is(origin.as_bytes())) {
            return CallingPage::Known(origin.clone());
        }
        match is_of_own_host(request, origin, connection) {
            true => CallingPage::OwnHost,
            false => CallingPage::Foreign,
        }
    }
}

fn is_of_own_host<B>(
    request: &Request<B>,
    origin: &HeaderValue,
    connection: ConnectionInfo,
) -> bool {
    let scheme = match connection.encryption {
        Encryption::Tls => "https://",
        Encryption::Plaintext => "http://",
    };
    let own = (origin.to_str().ok()).and_then(|origin| origin.strip_prefix(scheme));
    let host = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => (request.headers().get(header::HOST)).and_then(|host| host.to_str().ok()),
    };
    own.zip(host)
        .is_some_and(|(own, host)| host.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bucketry_edge::ClientCertificate;

    const CONNECTION: ConnectionInfo = ConnectionInfo {
        peer: None,
        local: None,
        encryption: Encryption::Plaintext,
        client_certificate: ClientCertificate::None,
        relayed: None,
        role: bucketry_edge::ListenerRole::Data,
    };

    fn page(origin: Option<&str>) -> CallingPage {
        let configured: WebOrigin = "https://console.example.com".parse().unwrap();
        let mut request = Request::builder().header(header::HOST, "localhost:9001");
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
            (Some("http://LOCALHOST:9001"), CallingPage::OwnHost),
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
