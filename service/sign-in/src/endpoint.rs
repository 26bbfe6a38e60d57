use std::net::IpAddr;

use http::Uri;

/// The form in which endpoints are signed and compared: scheme, host and port in lower case, the port only if it is not
/// the scheme's own, addresses in their canonical form, no path. None if the text is not the URL of an endpoint.
#[must_use]
pub fn normalized_endpoint(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let own_port = match scheme.as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let authority = uri.authority()?;
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    if !matches!(path, "" | "/") || authority.as_str().contains('@') {
        return None;
    }
    let host = normalized_host(authority.host())?;
    Some(match authority.port_u16() {
        Some(port) if port != own_port => format!("{scheme}://{host}:{port}"),
        Some(_) | None => format!("{scheme}://{host}"),
    })
}

fn normalized_host(host: &str) -> Option<String> {
    let bare = host.trim_matches(['[', ']']);
    match bare.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => Some(address.to_string()),
        Ok(IpAddr::V6(address)) => Some(format!("[{address}]")),
        Err(_) if bare.is_empty() => None,
        Err(_) => Some(bare.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_endpoint_has_one_form() {
        for (given, normal) in [
            ("http://localhost:9000", "http://localhost:9000"),
            ("HTTP://LocalHost:9000/", "http://localhost:9000"),
            ("http://example.com:80", "http://example.com"),
            ("https://example.com:443/", "https://example.com"),
            ("https://example.com:80", "https://example.com:80"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://[0:0:0:0:0:0:0:1]:9000", "http://[::1]:9000"),
            ("http://[::ffff:10.0.0.1]:9000", "http://10.0.0.1:9000"),
        ] {
            assert_eq!(normalized_endpoint(given).as_deref(), Some(normal));
            assert_eq!(normalized_endpoint(normal).as_deref(), Some(normal));
        }
        for other in [
            "",
            "localhost:9000",
            "ftp://localhost",
            "http://user@localhost",
            "http://localhost/path",
            "http://localhost/?query",
        ] {
            assert_eq!(normalized_endpoint(other), None, "{other}");
        }
    }
}
