use bucketry_contract::v1::{
    AddressSource as ProtoSource, DescribeClientAddressRequest, DescribeClientAddressResponse,
};
use bucketry_edge::forwarding::{AddressBasis, ForwardedHeader, MAX_FORWARDED_BYTES, MAX_HOPS};
use http::HeaderMap;
use tonic::Request;

use crate::error::Error;
use crate::request::{AddressSource, EffectiveAddress, Service};
use bucketry_edge::{ConnectionInfo, Relayed};

/// The headers in which proxies are used to name the client. Those that this server does not read are named too: one of
/// them is most often why an address is not the expected one.
const USUAL_HEADERS: [&str; 8] = [
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "fly-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
];

/// Credentials are not looked at: whoever is locked out by the rules of a token is the one who asks.
#[allow(clippy::unused_async, reason = "every operation has this shape")]
pub(crate) async fn describe_client_address(
    _service: &Service,
    request: Request<DescribeClientAddressRequest>,
) -> Result<DescribeClientAddressResponse, Error> {
    let extensions = request.extensions();
    let (Some(connection), Some(client)) = (
        extensions.get::<ConnectionInfo>().copied(),
        extensions.get::<EffectiveAddress>().cloned(),
    ) else {
        return Err(Error::internal("a call without a connection"));
    };
    let headers = request.metadata().clone().into_headers();
    let header = client.forwarding.header().map(|header| header.name());
    let peer = connection.peer.map(|peer| peer.ip().to_canonical());
    Ok(DescribeClientAddressResponse {
        client_address: client
            .address
            .ip()
            .map(|address| address.to_string())
            .unwrap_or_default(),
        source: source(client.source).into(),
        peer_address: peer.map(|peer| peer.to_string()).unwrap_or_default(),
        peer_trusted: peer.is_some_and(|peer| client.forwarding.trusts(peer)),
        header_values: header
            .as_ref()
            .map(|name| values(&headers, name.as_str()))
            .unwrap_or_default(),
        header: header.map(|name| name.to_string()).unwrap_or_default(),
        explanation: explanation(&connection, &client, &headers),
    })
}

fn source(source: AddressSource) -> ProtoSource {
    match source {
        AddressSource::Peer => ProtoSource::Peer,
        AddressSource::ProxyProtocol => ProtoSource::ProxyProtocol,
        AddressSource::Header => ProtoSource::Header,
    }
}

fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    (headers.get_all(name).iter())
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect()
}

/// Which address, why, and what to do if it is not the expected one.
fn explanation(
    connection: &ConnectionInfo,
    client: &EffectiveAddress,
    headers: &HeaderMap,
) -> String {
    let socket = match connection.peer {
        Some(peer) => peer.ip().to_canonical().to_string(),
        None => "a socket without an address".to_owned(),
    };
    // Who speaks next after the PROXY protocol, if there is any.
    let (peer, relayed) = match connection.relayed {
        None => (socket.clone(), String::new()),
        Some(Relayed::Local) => {
            return format!(
                "the trusted proxy {socket} opened the connection for itself (PROXY protocol LOCAL): its own address \
                 counts"
            );
        }
        Some(Relayed::Unknown) => {
            return format!(
                "unknown: the PROXY protocol header from {socket} names no IP address, and every IP rule refuses an \
                 unknown address"
            );
        }
        Some(Relayed::From(source)) => (
            source.to_string(),
            format!("the PROXY protocol header from {socket} names {source}; "),
        ),
    };
    format!("{relayed}{}", by_headers(&peer, client, headers))
}

fn by_headers(peer: &str, client: &EffectiveAddress, headers: &HeaderMap) -> String {
    let name = client.forwarding.header().map(|header| header.name());
    let name = name.as_ref().map_or("", |name| name.as_str());
    let address = client.address;
    let others = others(headers, name);
    match client.basis {
        AddressBasis::NoPeer => {
            format!("unknown: {peer} is the other end, and every IP rule refuses it")
        }
        AddressBasis::Peer => match came(headers, name) {
            None => format!("{peer} connected, and no forwarding header came"),
            Some(header) => format!(
                "{peer} connected. The header {header} came, but {peer} is not a trusted proxy, so it is not read. If \
                 {peer} is your proxy, start the server with --trusted-proxy {peer}{}",
                option(header, name)
            ),
        },
        AddressBasis::Header => format!(
            "{peer} is a trusted proxy, and its header {name} names {address}{}",
            match client.forwarding.header() {
                None | Some(ForwardedHeader::Single(_)) => "",
                Some(ForwardedHeader::XForwardedFor | ForwardedHeader::Forwarded) => {
                    ": read from its end, the first that is not a trusted proxy"
                }
            }
        ),
        AddressBasis::HeaderAllTrusted => format!(
            "{peer} is a trusted proxy, and so is every address in its header {name}: the first of them, {address}, \
             counts"
        ),
        AddressBasis::HeaderMissing => format!(
            "unknown, which every IP rule refuses: {peer} is a trusted proxy, but the header {name} did not come{others}. \
             Let the proxy send it, or name with --forwarded-header the one that it sends; if {peer} is a client and no \
             proxy, narrow --trusted-proxy"
        ),
        AddressBasis::HeaderUnreadable => format!(
            "unknown, which every IP rule refuses: {peer} is a trusted proxy, but its header {name} has something \
             other than an address where the client's is expected{others}"
        ),
        AddressBasis::HeaderTooLong => format!(
            "unknown, which every IP rule refuses: the header {name} has more than {MAX_HOPS} hops or \
             {MAX_FORWARDED_BYTES} bytes. Let the proxy overwrite what clients send"
        ),
        AddressBasis::HeaderRepeated => format!(
            "unknown, which every IP rule refuses: the header {name} must hold one address but came twice or as a \
             list. Let the proxy overwrite what clients send, or name with --forwarded-header one that is a list"
        ),
    }
}

/// The forwarding header that came: the one that is read before the usual ones.
fn came<'a>(headers: &HeaderMap, name: &'a str) -> Option<&'a str> {
    std::iter::once(name)
        .chain(USUAL_HEADERS)
        .find(|name| !name.is_empty() && headers.contains_key(*name))
}

/// What must be given besides the proxy, so that this header is the one that is read.
fn option(header: &str, read: &str) -> String {
    let default = USUAL_HEADERS[0];
    let unsaid = header == read || (read.is_empty() && header == default);
    if unsaid {
        String::new()
    } else {
        format!(" --forwarded-header {header}")
    }
}

/// The usual headers that came and are not read.
fn others(headers: &HeaderMap, name: &str) -> String {
    let others: Vec<&str> = USUAL_HEADERS
        .into_iter()
        .filter(|other| *other != name && headers.contains_key(*other))
        .collect();
    if others.is_empty() {
        String::new()
    } else {
        format!(" ({} came, but is not read)", others.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bucketry_edge::forwarding::Forwarding;

    use super::*;
    use crate::access::ClientAddress;
    use bucketry_edge::{ClientCertificate, Encryption};

    /// The explanation of a call from 10.0.0.7.
    fn explained(
        relayed: Option<Relayed>,
        trusted: bool,
        address: Option<&str>,
        basis: AddressBasis,
        names: &[&'static str],
    ) -> String {
        let proxies = ["10.0.0.7".parse().unwrap()];
        let forwarding = if trusted {
            Forwarding::new(&proxies, None).unwrap()
        } else {
            Forwarding::default()
        };
        let client = EffectiveAddress {
            address: address.map_or(ClientAddress::UNKNOWN, |address| {
                ClientAddress::known(address.parse().unwrap())
            }),
            source: AddressSource::Peer,
            basis,
            forwarding: Arc::new(forwarding),
        };
        let connection = ConnectionInfo {
            peer: Some("[::ffff:10.0.0.7]:1".parse().unwrap()),
            local: None,
            encryption: Encryption::Plaintext,
            client_certificate: ClientCertificate::None,
            relayed,
            role: bucketry_edge::ListenerRole::Data,
        };
        let headers = names
            .iter()
            .map(|name| (name.parse().unwrap(), "192.0.2.1".parse().unwrap()))
            .collect();
        explanation(&connection, &client, &headers)
    }

    #[test]
    fn a_header_in_vain_comes_with_the_option_that_makes_it_read() {
        let text = |names: &[&'static str]| {
            explained(None, false, Some("10.0.0.7"), AddressBasis::Peer, names)
        };
        assert_eq!(
            text(&[]),
            "10.0.0.7 connected, and no forwarding header came"
        );
        for (name, option) in [
            ("x-forwarded-for", "--trusted-proxy 10.0.0.7"),
            (
                "forwarded",
                "--trusted-proxy 10.0.0.7 --forwarded-header forwarded",
            ),
            (
                "cf-connecting-ip",
                "--trusted-proxy 10.0.0.7 --forwarded-header cf-connecting-ip",
            ),
        ] {
            let text = text(&[name]);
            assert!(
                text.contains(&format!("The header {name} came, but 10.0.0.7 is not")),
                "{text}"
            );
            assert!(text.ends_with(option), "{text}");
        }
    }

    #[test]
    fn what_a_trusted_proxy_said() {
        let text =
            |address, basis, names: &[&'static str]| explained(None, true, address, basis, names);
        let found = text(Some("192.0.2.1"), AddressBasis::Header, &[]);
        assert!(found.contains("x-forwarded-for names 192.0.2.1"), "{found}");
        let other = text(None, AddressBasis::HeaderMissing, &["x-real-ip"]);
        assert!(
            other.starts_with("unknown") && other.contains("(x-real-ip came, but is not read)"),
            "{other}"
        );
    }

    #[test]
    fn the_proxy_protocol_is_told_of() {
        let text = |relayed| explained(Some(relayed), true, None, AddressBasis::Peer, &[]);
        let from = text(Relayed::From([192, 0, 2, 1].into()));
        assert!(
            from.starts_with("the PROXY protocol header from 10.0.0.7 names 192.0.2.1; "),
            "{from}"
        );
        assert!(text(Relayed::Local).contains("LOCAL"));
        assert!(text(Relayed::Unknown).starts_with("unknown"));
    }
}
