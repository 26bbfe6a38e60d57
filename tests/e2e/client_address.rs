//! The address that IP rules judge: the peer's, behind a dual-stack listener, behind trusted proxies, and what happens
//! to it while requests run. Over gRPC and S3 alike. The PROXY
//! protocol is in `proxy_protocol.rs`.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::time::{Duration, SystemTime};

use bucketry_contract::errors::explain;
use bucketry_contract::v1::token_service_client::TokenServiceClient;
use bucketry_contract::v1::{
    CreateTokenRequest, Credentials, DescribeClientAddressRequest, DescribeClientAddressResponse,
    ListObjectsRequest, ObjectChunk, Permission, PutObjectRequest, PutObjectSpec, Token,
    UpdateTokenRequest, put_object_request,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Connection, Request};
use bucketry_tests::postgres;
use bucketry_tests::server::{Server, ServerOptions, binary};
use bucketry_tests::sigv4::{Payload, Signer};
use bytes::Bytes;
use futures::future::join_all;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

const BUCKET: &str = "client-address-test-bucket";
const LOCALHOST: &str = "127.0.0.1";
/// In which every known address is: only an unknown one is refused.
const EVERYBODY: [&str; 2] = ["0.0.0.0/0", "::/0"];
/// What a running transfer is promised to end within, and what a slow machine may take on top.
const PROMISED: Duration = Duration::from_secs(5);

/// Headers as they are sent: names may repeat.
type Headers<'a> = &'a [(&'a str, &'a str)];

/// The verdict of both front doors on one caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Allowed,
    Refused,
}

/// A server with a bucket, and tokens by their rules.
pub(crate) struct Doors {
    pub(crate) server: Server,
    root: Clients,
    tokens: HashMap<(Vec<String>, Vec<String>), Credentials>,
}

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|&entry| entry.to_owned()).collect()
}

impl Doors {
    pub(crate) async fn open(options: ServerOptions) -> Result<Self, HarnessError> {
        let server = Server::start(options)?;
        let mut root = Clients::root(&server).await?;
        root.create_bucket(BUCKET).await?;
        Ok(Self {
            server,
            root,
            tokens: HashMap::new(),
        })
    }

    /// A server that trusts every proxy on 127.0.0.1 to name the client in this header.
    async fn behind(header: &str) -> Result<Self, HarnessError> {
        let options = ServerOptions::new()
            .argument("--trusted-proxy=127.0.0.1,10.0.0.0/8,2001:db8::/32")
            .argument(format!("--forwarded-header={header}"));
        Self::open(options).await
    }

    async fn create(
        &mut self,
        allow: &[&str],
        deny: &[&str],
    ) -> Result<(Token, Credentials), HarnessError> {
        let request = CreateTokenRequest {
            bucket: BUCKET.to_owned(),
            name: "of an address".to_owned(),
            permission: Permission::ReadWrite.into(),
            allowed_ips: owned(allow),
            disallowed_ips: owned(deny),
            ..Default::default()
        };
        let made = self.root.tokens.create_token(request).await?.into_inner();
        Ok((
            made.token.ok_or(HarnessError::Incomplete("token"))?,
            made.credentials
                .ok_or(HarnessError::Incomplete("credentials"))?,
        ))
    }

    /// The token of these rules, made when it is first asked for.
    pub(crate) async fn token(
        &mut self,
        allow: &[&str],
        deny: &[&str],
    ) -> Result<Credentials, HarnessError> {
        let rules = (owned(allow), owned(deny));
        if !self.tokens.contains_key(&rules) {
            let (_, credentials) = self.create(allow, deny).await?;
            self.tokens.insert(rules.clone(), credentials);
        }
        self.tokens
            .get(&rules)
            .cloned()
            .ok_or(HarnessError::Incomplete("credentials"))
    }

    /// The verdict on a caller from `source`, the same over both protocols.
    async fn verdict(
        &mut self,
        rules: (&[&str], &[&str]),
        source: &str,
        headers: Headers<'_>,
    ) -> Result<Verdict, HarnessError> {
        let credentials = self.token(rules.0, rules.1).await?;
        let s3 = self.s3(&credentials, source, headers).await?;
        let grpc = grpc_verdict(self.channel(source).await?, &credentials, headers).await?;
        assert_eq!(
            s3, grpc,
            "S3 and gRPC about {rules:?} from {source} with {headers:?}"
        );
        Ok(s3)
    }

    async fn s3(
        &self,
        credentials: &Credentials,
        source: &str,
        headers: Headers<'_>,
    ) -> Result<Verdict, HarnessError> {
        let mut request = listing(credentials, self.server.address())?;
        // Proxies add them after the client has signed.
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut connection = connect(source, self.to(source)).await?;
        s3_verdict(&mut connection, &request)
    }

    /// Where a client with this address reaches the server.
    fn to(&self, source: &str) -> SocketAddr {
        let mut address = self.server.address();
        if address.ip().is_unspecified() {
            address.set_ip(if source.contains(':') {
                IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])
            } else {
                IpAddr::from([127, 0, 0, 1])
            });
        }
        address
    }

    async fn channel(&self, source: &str) -> Result<Channel, HarnessError> {
        let source: IpAddr = source.parse().expect("an address");
        Ok(
            Endpoint::from_shared(format!("http://{}", self.to(&source.to_string())))?
                .local_address(Some(source))
                .connect()
                .await?,
        )
    }

    /// Whether the client is taken for exactly this address over both protocols; none: for an unknown one.
    async fn seen(
        &mut self,
        address: Option<&str>,
        headers: Headers<'_>,
    ) -> Result<(), HarnessError> {
        let described = describe(self.channel(LOCALHOST).await?, headers).await?;
        assert_eq!(
            described.client_address,
            address.unwrap_or_default(),
            "{headers:?}: {described:?}"
        );
        let (rules, wanted) = match &address {
            Some(address) => (std::slice::from_ref(address), Verdict::Allowed),
            None => (&EVERYBODY[..], Verdict::Refused),
        };
        let verdict = self.verdict((rules, &[]), LOCALHOST, headers).await?;
        assert_eq!(verdict, wanted, "{address:?} by {headers:?}");
        Ok(())
    }
}

/// Connects from an address of this machine.
async fn connect(source: &str, to: SocketAddr) -> Result<Connection, HarnessError> {
    Connection::open_from(source.parse().expect("an address"), to).await
}

/// A signed request for the keys of the bucket.
pub(crate) fn listing(
    credentials: &Credentials,
    host: SocketAddr,
) -> Result<Request, HarnessError> {
    let request =
        Request::new("GET", &format!("/{BUCKET}?list-type=2")).header("host", &host.to_string());
    let signer = Signer::new(&credentials.access_key_id, &credentials.secret_access_key);
    signer.header(request, SystemTime::now(), Payload::Signed)
}

/// Whether a listing is answered 200; else it must be the refusal that every address rule gives.
fn s3_verdict(connection: &mut Connection, request: &Request) -> Result<Verdict, HarnessError> {
    let response = connection.exchange(request)?;
    if response.status == 200 {
        return Ok(Verdict::Allowed);
    }
    let code = response.element("Code");
    assert_eq!(
        (response.status, code.as_deref()),
        (403, Some("AccessDenied")),
        "{}",
        response.text()
    );
    Ok(Verdict::Refused)
}

fn with<T>(message: T, headers: Headers<'_>) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    for (name, value) in headers {
        let name: AsciiMetadataKey = name.to_ascii_lowercase().parse().expect("a header name");
        let value: AsciiMetadataValue = value.parse().expect("a header value");
        request.metadata_mut().append(name, value);
    }
    request
}

async fn grpc_verdict(
    channel: Channel,
    credentials: &Credentials,
    headers: Headers<'_>,
) -> Result<Verdict, HarnessError> {
    let bearer = Bearer::token(credentials)?;
    let mut objects =
        bucketry_contract::v1::object_service_client::ObjectServiceClient::with_interceptor(
            channel, bearer,
        );
    let listing = ListObjectsRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    match objects.list_objects(with(listing, headers)).await {
        Ok(_) => Ok(Verdict::Allowed),
        Err(status) => {
            assert_eq!(reason(&status), "ERROR_REASON_ACCESS_DENIED", "{status:?}");
            Ok(Verdict::Refused)
        }
    }
}

/// Asks without credentials.
pub(crate) async fn describe(
    channel: Channel,
    headers: Headers<'_>,
) -> Result<DescribeClientAddressResponse, HarnessError> {
    let asked = with(DescribeClientAddressRequest {}, headers);
    let mut tokens = TokenServiceClient::new(channel);
    Ok(tokens.describe_client_address(asked).await?.into_inner())
}

fn reason(status: &Status) -> String {
    explain(status).map_or_else(
        || format!("{status:?}"),
        |explained| explained.reason.as_str_name().to_owned(),
    )
}

/// Whether the token is to be refused from an address, by its lists.
const RULES: [(&[&str], &[&str], &str, Verdict); 9] = [
    (&["10.0.0.0/8"], &[], "127.0.0.1", Verdict::Refused),
    (&["127.0.0.0/8"], &[], "127.0.0.1", Verdict::Allowed),
    (&["127.0.0.0/8"], &[], "127.1.2.3", Verdict::Allowed),
    (
        &["127.0.0.0/8"],
        &["127.1.0.0/16"],
        "127.1.2.3",
        Verdict::Refused,
    ),
    (
        &["127.0.0.0/8"],
        &["127.1.0.0/16"],
        "127.2.0.1",
        Verdict::Allowed,
    ),
    (&["127.2.0.1"], &[], "127.2.0.2", Verdict::Refused),
    (
        &["::ffff:127.0.0.0/104"],
        &[],
        "127.2.0.1",
        Verdict::Allowed,
    ),
    (&["::/0"], &[], "127.0.0.1", Verdict::Refused),
    (&[], &["::/0"], "127.0.0.1", Verdict::Allowed),
];

async fn rules_hold(listen: &str) -> Result<(), HarnessError> {
    let mut doors = Doors::open(ServerOptions::new().listen(listen)).await?;
    for (allow, deny, source, wanted) in RULES {
        let verdict = doors.verdict((allow, deny), source, &[]).await?;
        assert_eq!(verdict, wanted, "{source}: {allow:?} but not {deny:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_disallowed_list_overrides_the_allowed_one() -> Result<(), HarnessError> {
    rules_hold("127.0.0.1:0").await
}

#[tokio::test]
async fn a_dual_stack_listener_judges_ipv4_as_ipv4() -> Result<(), HarnessError> {
    rules_hold("[::]:0").await?;
    let mut doors = Doors::open(ServerOptions::new().listen("[::]:0")).await?;
    let described = describe(doors.channel(LOCALHOST).await?, &[]).await?;
    assert_eq!(
        (
            described.client_address.as_str(),
            described.peer_address.as_str()
        ),
        (LOCALHOST, LOCALHOST)
    );
    for (allow, wanted) in [("::1", Verdict::Allowed), ("127.0.0.0/8", Verdict::Refused)] {
        assert_eq!(
            doors.verdict((&[allow], &[]), "::1", &[]).await?,
            wanted,
            "{allow}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn rules_are_normalised_or_refused_by_name() -> Result<(), HarnessError> {
    let mut doors = Doors::open(ServerOptions::new()).await?;
    for (entry, shown) in [
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("10.0.0.5/24", "10.0.0.0/24"),
        ("10.0.0.5", "10.0.0.5/32"),
        ("2001:DB8::1/32", "2001:db8::/32"),
    ] {
        for (allow, deny) in [(&[entry][..], &[][..]), (&[], &[entry])] {
            let (token, _) = doors.create(allow, deny).await?;
            let lists = [token.allowed_ips, token.disallowed_ips].concat();
            let shown_shortly = shown.trim_end_matches("/32");
            assert!(
                lists == [shown] || lists == [shown_shortly],
                "{entry} is shown as {lists:?}"
            );
        }
    }
    for (entry, why) in [
        ("010.0.0.1", "leading zero"),
        ("0x7f.1", "hexadecimal"),
        ("127.1", "four numbers"),
        ("１２７.0.0.1", "outside ASCII"),
        ("fe80::1%eth0", "zone id"),
        ("1.2.3.4/33", "out of range"),
        ("::/129", "out of range"),
        ("::ffff:10.0.0.0/95", "96 or more"),
        ("1.2.3.4:80", "port"),
        ("10.0.0.1-10.0.0.9", "range"),
        ("10.0.0.*", "wildcard"),
        ("10.0.0.0/255.0.0.0", "netmask"),
        ("[::1]", "brackets"),
        ("example.com", "host name"),
        ("", "empty"),
    ] {
        for (allow, deny) in [(&[entry][..], &[][..]), (&[], &[entry])] {
            let Err(HarnessError::Refused(status)) = doors.create(allow, deny).await else {
                panic!("{entry} was not refused");
            };
            assert_eq!(reason(&status), "ERROR_REASON_INVALID_ARGUMENT", "{entry}");
            let message = status.message();
            assert!(
                message.contains(entry) && message.contains(why),
                "{entry}: {message}"
            );
        }
    }
    let hundred_and_one: Vec<String> = (0..101).map(|n| format!("10.0.0.{n}")).collect();
    let list: Vec<&str> = hundred_and_one.iter().map(String::as_str).collect();
    assert!(doors.create(&list[..100], &[]).await.is_ok());
    let Err(HarnessError::Refused(status)) = doors.create(&list, &[]).await else {
        panic!("101 entries were not refused");
    };
    assert!(status.message().contains("at most 100"), "{status:?}");
    Ok(())
}

#[tokio::test]
async fn forwarding_headers_of_untrusted_peers_are_ignored() -> Result<(), HarnessError> {
    const CLAIMED: &str = "192.0.2.1";
    let elsewhere = ServerOptions::new().argument("--trusted-proxy=10.0.0.7,127.0.0.2");
    for options in [ServerOptions::new(), elsewhere] {
        let mut doors = Doors::open(options).await?;
        for name in [
            "X-Forwarded-For",
            "Forwarded",
            "X-Real-IP",
            "True-Client-IP",
            "CF-Connecting-IP",
            "X-Client-IP",
            "X-Cluster-Client-IP",
            "Fly-Client-IP",
            "X-Forwarded",
            "Forwarded-For",
        ] {
            let element = format!("for={CLAIMED}");
            let value = if name == "Forwarded" {
                &element
            } else {
                CLAIMED
            };
            let headers = [(name, value), (name, value)];
            for headers in [&headers[..1], &headers[..]] {
                for (rule, wanted) in [(CLAIMED, Verdict::Refused), (LOCALHOST, Verdict::Allowed)] {
                    let verdict = doors.verdict((&[rule], &[]), LOCALHOST, headers).await?;
                    assert_eq!(verdict, wanted, "{rule} with {headers:?}");
                }
            }
            let described = describe(doors.channel(LOCALHOST).await?, &[(name, value)]).await?;
            assert_eq!(described.client_address, LOCALHOST);
            assert!(!described.peer_trusted);
        }
    }
    Ok(())
}

#[tokio::test]
async fn x_forwarded_for_from_a_trusted_proxy() -> Result<(), HarnessError> {
    const NAME: &str = "x-forwarded-for";
    let mut doors = Doors::behind("x-forwarded-for").await?;
    for (lines, address) in [
        (&["192.0.2.1"][..], Some("192.0.2.1")),
        // The allowed address first, the attacker's own as the proxy saw it last.
        (&["192.0.2.1, 203.0.113.66"], Some("203.0.113.66")),
        (&["192.0.2.1", "203.0.113.66"], Some("203.0.113.66")),
        (
            &["203.0.113.66, 10.1.2.3", "10.1.2.4"],
            Some("203.0.113.66"),
        ),
        (&["203.0.113.66 \t,\t 10.1.2.3"], Some("203.0.113.66")),
        (&["203.0.113.66:4711"], Some("203.0.113.66")),
        (&["[2001:db9::66]:4711"], Some("2001:db9::66")),
        (&["[2001:db9::66]"], Some("2001:db9::66")),
        (&["2001:db9::66, 2001:db8::1"], Some("2001:db9::66")),
        (&["::ffff:203.0.113.66"], Some("203.0.113.66")),
        (&["10.1.2.3, 10.1.2.4"], Some("10.1.2.3")),
        (&["unknown, 203.0.113.66"], Some("203.0.113.66")),
        (&[], None),
        (&["unknown"], None),
        (&["192.0.2.1, unknown"], None),
        (&["192.0.2.1, _hidden, 10.1.2.3"], None),
        (&["192.0.2.1,"], None),
        (&["192.0.2.1,,10.1.2.3"], None),
        (&["192.0.2.1", ""], None),
        (&["fe80::1%eth0"], None),
        (&["203.0.113.066"], None),
        (&["localhost"], None),
    ] {
        let headers: Vec<_> = lines.iter().map(|line| (NAME, *line)).collect();
        doors.seen(address, &headers).await?;
    }
    // An unknown address is refused by any rule, and by nothing else.
    let unknown = [(NAME, "unknown")];
    for (deny, wanted) in [
        (&["198.51.100.1"][..], Verdict::Refused),
        (&[], Verdict::Allowed),
    ] {
        let verdict = doors.verdict((&[], deny), LOCALHOST, &unknown).await?;
        assert_eq!(verdict, wanted, "{deny:?}");
    }
    // Nothing but the one header is read.
    let others = [
        (NAME, "192.0.2.1"),
        ("forwarded", "for=203.0.113.66"),
        ("x-real-ip", "203.0.113.66"),
    ];
    doors.seen(Some("192.0.2.1"), &others).await?;
    doors.seen(None, &others[1..]).await?;
    Ok(())
}

#[tokio::test]
async fn long_forwarding_headers_from_a_trusted_proxy() -> Result<(), HarnessError> {
    let mut doors = Doors::behind("x-forwarded-for").await?;
    let thousand = vec!["192.0.2.1"; 1000].join(",");
    doors.seen(None, &[("x-forwarded-for", &thousand)]).await?;
    let twenty_one = vec!["192.0.2.1"; 21].join(",");
    doors
        .seen(None, &[("x-forwarded-for", &twenty_one)])
        .await?;

    let huge = "192.0.2.1,".repeat(100 * 1024);
    let credentials = doors.token(&[], &[]).await?;
    let request = listing(&credentials, doors.server.address())?.header("x-forwarded-for", &huge);
    let mut connection = Connection::open(doors.server.address())?;
    // The server need not read all of it.
    let answer = connection
        .send(&request.head())
        .and_then(|()| connection.receive("GET"));
    if let Ok(response) = answer {
        // Above the limit of what is read at all, the HTTP library answers.
        assert_eq!(response.status, 431, "{}", response.text());
    }
    let refused = describe(
        doors.channel(LOCALHOST).await?,
        &[("x-forwarded-for", &huge)],
    )
    .await;
    assert!(
        matches!(refused, Err(HarnessError::Refused(_))),
        "{refused:?}"
    );
    doors
        .seen(Some("192.0.2.1"), &[("x-forwarded-for", "192.0.2.1")])
        .await
}

#[tokio::test]
async fn forwarded_from_a_trusted_proxy() -> Result<(), HarnessError> {
    let mut doors = Doors::behind("forwarded").await?;
    for (lines, address) in [
        (&["for=192.0.2.1"][..], Some("192.0.2.1")),
        (
            &["for=192.0.2.1, For=203.0.113.66;proto=http"],
            Some("203.0.113.66"),
        ),
        (
            &["for=192.0.2.1", "FOR=\"203.0.113.66:80\"; by=10.0.0.1"],
            Some("203.0.113.66"),
        ),
        (
            &["host=\"a;for=192.0.2.1,b\";for=\"[2001:db9::66]:4711\""],
            Some("2001:db9::66"),
        ),
        (
            &["for=unknown, for=203.0.113.66, for=10.0.0.8"],
            Some("203.0.113.66"),
        ),
        (&["for=192.0.2.1, for=unknown"], None),
        (&["for=192.0.2.1, for=_hidden"], None),
        (&["for=192.0.2.1, proto=https"], None),
        (&["for=192.0.2.1,"], None),
        (&["for=\"192.0.2.1"], None),
        // An open quote must not hide what the proxy adds.
        (&["for=192.0.2.1;x=\"", "for=203.0.113.66"], None),
        (&["for=192.0.2.1;x=\", for=203.0.113.66;by=\"_p\""], None),
        (&["192.0.2.1"], None),
        (&[], None),
    ] {
        let headers: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
        doors.seen(address, &headers).await?;
    }
    doors.seen(None, &[("x-forwarded-for", "192.0.2.1")]).await
}

#[tokio::test]
async fn a_header_of_one_address_from_a_trusted_proxy() -> Result<(), HarnessError> {
    let mut doors = Doors::behind("CF-Connecting-IP").await?;
    for (lines, address) in [
        (&["192.0.2.1"][..], Some("192.0.2.1")),
        (&["2001:db8::7"], Some("2001:db8::7")),
        (&["192.0.2.1", "192.0.2.1"], None),
        (&["192.0.2.1, 192.0.2.2"], None),
        (&["192.0.2.1:80"], None),
        (&["unknown"], None),
        (&[], None),
    ] {
        let headers: Vec<_> = lines
            .iter()
            .map(|line| ("cf-connecting-ip", *line))
            .collect();
        doors.seen(address, &headers).await?;
    }
    Ok(())
}

#[tokio::test]
async fn each_request_of_a_connection_has_its_own_client() -> Result<(), HarnessError> {
    let mut doors = Doors::behind("x-forwarded-for").await?;
    let credentials = doors.token(&["192.0.2.1"], &[]).await?;
    let mut connection = Connection::open(doors.server.address())?;
    let channel = doors.channel(LOCALHOST).await?;
    for (address, wanted) in [
        ("192.0.2.1", Verdict::Allowed),
        ("192.0.2.2", Verdict::Refused),
        ("192.0.2.1", Verdict::Allowed),
    ] {
        let request =
            listing(&credentials, doors.server.address())?.header("x-forwarded-for", address);
        assert_eq!(s3_verdict(&mut connection, &request)?, wanted, "{address}");
        let headers = [("x-forwarded-for", address)];
        let grpc = grpc_verdict(channel.clone(), &credentials, &headers).await?;
        assert_eq!(grpc, wanted, "{address}");
    }
    Ok(())
}

// A long upload whose token's rules are edited meanwhile is not committed:
// revocation.rs::a_running_s3_upload_does_not_commit ("lock out").
#[tokio::test]
async fn a_presigned_url_is_judged_by_the_address_that_uses_it() -> Result<(), HarnessError> {
    let mut doors = Doors::open(ServerOptions::new()).await?;
    let credentials = doors.token(&[], &["127.0.0.2"]).await?;
    let address = doors.server.address();
    let request =
        Request::new("GET", &format!("/{BUCKET}?list-type=2")).header("host", &address.to_string());
    let signer = Signer::new(&credentials.access_key_id, &credentials.secret_access_key);
    let url = signer.presign(request, SystemTime::now(), Duration::from_secs(600))?;
    for (source, wanted) in [
        (LOCALHOST, Verdict::Allowed),
        ("127.0.0.2", Verdict::Refused),
        ("127.0.0.3", Verdict::Allowed),
    ] {
        let mut connection = connect(source, address).await?;
        assert_eq!(s3_verdict(&mut connection, &url)?, wanted, "{source}");
        let claiming = url.clone().header("x-forwarded-for", LOCALHOST);
        assert_eq!(s3_verdict(&mut connection, &claiming)?, wanted, "{source}");
    }
    Ok(())
}

/// Edits one list of a token, at the version that is given or, with 0, at any.
async fn disallow(root: &mut Clients, token: &Token, address: &str) -> Result<Token, Status> {
    let request = UpdateTokenRequest {
        token: Some(Token {
            disallowed_ips: owned(&[address]),
            ..token.clone()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: owned(&["disallowed_ips"]),
        }),
    };
    let answer = root.tokens.update_token(request).await?.into_inner();
    answer
        .token
        .ok_or_else(|| Status::internal("an answer without the token"))
}

#[tokio::test]
async fn an_open_stream_is_judged_again_when_rules_change() -> Result<(), HarnessError> {
    for end in ["the stream goes on", "the stream is silent"] {
        let mut doors = Doors::open(ServerOptions::new()).await?;
        let (token, credentials) = doors.create(&[], &[]).await?;
        let mut clients = Clients::connect(&doors.server, Bearer::token(&credentials)?).await?;
        let (messages, stream) = mpsc::channel(1);
        let message = |message| PutObjectRequest {
            message: Some(message),
        };
        let spec = message(put_object_request::Message::Spec(PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: "late".to_owned(),
            ..Default::default()
        }));
        let chunk = |offset: i64| {
            message(put_object_request::Message::Chunk(ObjectChunk {
                offset,
                data: Bytes::from_static(b"0123456789"),
                crc32c: None,
            }))
        };
        let mut caller = clients.clone();
        let running =
            tokio::spawn(
                async move { caller.objects.put_object(ReceiverStream::new(stream)).await },
            );
        messages.send(spec).await.ok();
        for number in 0..4 {
            messages.send(chunk(number * 10)).await.ok();
        }
        // All but the last is on its way, and what is asked now over the same connection comes after it.
        let listing = ListObjectsRequest {
            bucket: BUCKET.to_owned(),
            ..Default::default()
        };
        clients.objects.list_objects(listing.clone()).await?;
        disallow(&mut doors.root, &token, LOCALHOST).await?;
        let open = if end == "the stream goes on" {
            messages.send(chunk(40)).await.ok();
            drop(messages);
            None
        } else {
            Some(messages)
        };
        let ended = timeout(PROMISED, running)
            .await
            .map_err(|_| HarnessError::Incomplete("end of the upload"))?;
        let status = ended.expect("the call does not panic").unwrap_err();
        drop(open);
        assert_eq!(status.code(), Code::PermissionDenied, "{end}: {status:?}");
        let later = clients
            .objects
            .list_objects(listing.clone())
            .await
            .unwrap_err();
        assert_eq!(reason(&later), "ERROR_REASON_ACCESS_DENIED", "{end}");
        let left = doors.root.objects.list_objects(listing).await?.into_inner();
        assert!(left.objects.is_empty(), "{end}: {:?}", left.objects);
    }
    Ok(())
}

async fn one_edit_wins(options: ServerOptions) -> Result<(), HarnessError> {
    const ADMINISTRATORS: usize = 16;
    let mut doors = Doors::open(options).await?;
    let (token, _) = doors.create(&[], &[]).await?;
    let edits = (0..ADMINISTRATORS).map(|number| {
        let (mut root, token) = (doors.root.clone(), token.clone());
        async move {
            let address = format!("10.0.0.{number}/32");
            disallow(&mut root, &token, &address)
                .await
                .map(|token| token.disallowed_ips)
        }
    });
    let answers = join_all(edits).await;
    let won: Vec<_> = answers.iter().flatten().collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    for status in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(reason(status), "ERROR_REASON_VERSION_CONFLICT");
    }
    let kept = bucketry_contract::v1::GetTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: token.token_id,
    };
    let kept = doors.root.tokens.get_token(kept).await?.into_inner();
    let kept = kept.token.ok_or(HarnessError::Incomplete("token"))?;
    assert_eq!(&kept.disallowed_ips, won[0]);
    Ok(())
}

#[tokio::test]
async fn one_of_two_simultaneous_edits_wins() -> Result<(), HarnessError> {
    one_edit_wins(ServerOptions::new()).await
}

#[tokio::test]
async fn one_of_two_simultaneous_edits_wins_on_postgres() -> Result<(), HarnessError> {
    let url = postgres::create_database().await?;
    one_edit_wins(ServerOptions::new().database_url(&url)).await
}

/// What the command prints, without credentials.
fn doctor(server: &Server, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(binary().expect("the binary"));
    command.arg("doctor").args(arguments);
    for name in [
        "BUCKETRY_ACCESS_KEY_ID",
        "BUCKETRY_SECRET_ACCESS_KEY",
        "BUCKETRY_ROOT_ACCESS_KEY_ID",
        "BUCKETRY_ROOT_SECRET_ACCESS_KEY",
    ] {
        command.env_remove(name);
    }
    command.env("BUCKETRY_ENDPOINT", server.endpoint_url());
    let output = command.output().expect("the command to run");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[tokio::test]
async fn doctor_ip_tells_the_address_and_why() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let (done, text) = doctor(&server, &["ip"]);
    assert!(
        done && text.contains("Your address:   127.0.0.1\n"),
        "{text}"
    );
    assert!(
        text.contains("127.0.0.1 connected, and no forwarding header came"),
        "{text}"
    );
    let (done, text) = doctor(&server, &["ip", "--output", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert!(done);
    assert_eq!(answer["clientAddress"], LOCALHOST);
    assert_eq!(answer["source"], "ADDRESS_SOURCE_PEER");
    let (done, text) = doctor(&server, &[]);
    assert!(done && text.contains("bucketry doctor ip"), "{text}");

    let header = [("x-forwarded-for", "192.0.2.1")];
    let channel = Endpoint::from_shared(server.endpoint_url())?
        .connect()
        .await?;
    let described = describe(channel, &header).await?;
    assert!(
        described
            .explanation
            .ends_with("start the server with --trusted-proxy 127.0.0.1"),
        "{described:?}"
    );

    let trusting = Server::start(ServerOptions::new().argument("--trusted-proxy=127.0.0.1"))?;
    let (done, text) = doctor(&trusting, &["ip"]);
    assert!(done && text.contains("Your address:   unknown\n"), "{text}");
    assert!(text.contains("Trusted proxy:  yes"), "{text}");
    let channel = Endpoint::from_shared(trusting.endpoint_url())?
        .connect()
        .await?;
    let described = describe(channel, &header).await?;
    assert_eq!(described.client_address, "192.0.2.1");
    assert_eq!(described.header, "x-forwarded-for");
    assert_eq!(described.header_values, ["192.0.2.1"]);
    assert!(described.peer_trusted);
    Ok(())
}

#[tokio::test]
async fn settings_of_proxies_that_cannot_work_are_refused() -> Result<(), HarnessError> {
    for (arguments, why) in [
        (
            &["--forwarded-header=forwarded"][..],
            "forwarded-header without trusted-proxy",
        ),
        (
            &["--proxy-listen=127.0.0.1:0"],
            "proxy-listen needs trusted-proxy",
        ),
        (&["--trusted-proxy=0.0.0.0/0"], "is everybody"),
        (&["--trusted-proxy=proxy.example.com"], "host name"),
        (
            &["--trusted-proxy=10.0.0.7", "--forwarded-header=x y"],
            "not a header name",
        ),
    ] {
        let options = arguments
            .iter()
            .fold(ServerOptions::new(), |options, argument| {
                options.argument(*argument)
            });
        match Server::start(options) {
            Ok(_) => panic!("{arguments:?} was taken"),
            Err(error) => assert!(error.to_string().contains(why), "{arguments:?}: {error}"),
        }
    }
    Ok(())
}
