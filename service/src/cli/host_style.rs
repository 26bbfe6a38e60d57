//! Whether clients that put the bucket into the host name, as the AWS SDKs do by default, find the server.

use std::net::IpAddr;

use http::Uri;

/// The host of a bucket in virtual-host style; `None` if the endpoint is an IP address, which has no subdomains.
pub(super) fn bucket_host(bucket: &str, endpoint_url: &str) -> Option<String> {
    let endpoint: Uri = endpoint_url.parse().ok()?;
    let host = endpoint.host()?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(_) => None,
        Err(_) => Some(format!("{bucket}.{host}")),
    }
}

/// Whether this machine finds an address for the name.
pub(super) async fn resolves(host: &str) -> bool {
    match tokio::net::lookup_host((host, 0)).await {
        Ok(mut addresses) => addresses.next().is_some(),
        Err(_) => false,
    }
}

/// What to do where the name has no address.
pub(super) fn remedies(host: &str) -> String {
    let domain = host.split_once('.').map_or(host, |(_, domain)| domain);
    format!(
        "{host} does not resolve on this machine. Clients that put the bucket into the host name need one of:\n\
         - a DNS wildcard *.{domain}, or {host} in the hosts file of the client's machine\n\
         - path style: s3ForcePathStyle (aws-sdk v2), forcePathStyle (v3), addressing_style=path (AWS CLI, boto3)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_host_names_have_subdomains() {
        let host = |endpoint| bucket_host("photos", endpoint);
        assert_eq!(
            host("http://localhost:9000").as_deref(),
            Some("photos.localhost")
        );
        assert_eq!(
            host("https://s3.example.com").as_deref(),
            Some("photos.s3.example.com")
        );
        for address in ["http://127.0.0.1:9000", "http://[::1]:9000", "not a URL"] {
            assert_eq!(host(address), None, "{address}");
        }
    }

    #[tokio::test]
    async fn a_reserved_name_never_resolves() {
        // RFC 6761, section 6.4.
        assert!(!resolves("photos.invalid").await);
        assert!(remedies("photos.s3.invalid").contains("*.s3.invalid"));
    }
}
