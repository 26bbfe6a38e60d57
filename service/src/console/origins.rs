use bucketry_edge::{ConnectionInfo, Encryption, WebOrigin};
use http::{Request, header};

/// The origins of pages that may call the services by gRPC-Web: the console's own, and those that are configured.
///
/// A call needs credentials that no other page has, so this is a second line of defence.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<WebOrigin>);

impl Origins {
    /// Those that are known from the start; a page's own host is allowed besides.
    #[must_use]
    pub fn new(known: &[WebOrigin]) -> Self {
        Self(known.to_vec())
    }

    /// Whether the page that sends the request may: one of this host, a configured one, or no page at all but a program
    /// that sends no origin.
    pub(crate) fn allow<B>(&self, request: &Request<B>, connection: ConnectionInfo) -> bool {
        let Some(origin) = request.headers().get(header::ORIGIN) else {
            return true;
        };
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        let scheme = match connection.encryption {
            Encryption::Tls => "https",
            Encryption::Plaintext => "http",
        };
        let authority = match request.uri().authority() {
            Some(authority) => Some(authority.as_str()),
            None => (request.headers().get(header::HOST)).and_then(|host| host.to_str().ok()),
        };
        let own = origin
            .strip_prefix(scheme)
            .and_then(|rest| rest.strip_prefix("://"));
        let is_own =
            own.is_some_and(|own| authority.is_some_and(|it| it.eq_ignore_ascii_case(own)));
        is_own || self.0.iter().any(|known| known.is(origin.as_bytes()))
    }
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

    fn allowed(origin: Option<&str>) -> bool {
        let configured: WebOrigin = "https://console.example.com".parse().unwrap();
        let mut request = Request::builder().header(header::HOST, "localhost:9001");
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        Origins::new(&[configured]).allow(&request.body(()).unwrap(), CONNECTION)
    }

    #[test]
    fn pages_of_the_console_and_configured_ones_may_call() {
        for origin in [
            None,
            Some("http://localhost:9001"),
            Some("http://LOCALHOST:9001"),
            Some("https://console.example.com"),
        ] {
            assert!(allowed(origin), "{origin:?}");
        }
    }

    #[test]
    fn pages_of_other_origins_may_not() {
        for origin in [
            "http://localhost:9000",
            "https://localhost:9001",
            "http://localhost",
            "http://evil.example",
            "https://console.example.com.evil.example",
            "null",
            "",
        ] {
            assert!(!allowed(Some(origin)), "{origin}");
        }
    }
}
