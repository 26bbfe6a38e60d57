//! The address that IP rules judge: the peer's, behind a dual-stack listener, behind trusted proxies, and what happens
//! to it while requests run. Over gRPC and S3 alike. The PROXY protocol is in `proxy_protocol.rs`.

mod forwarding;
mod rules;
mod settings;
mod use_time;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use bucketry_contract::errors::explain;
use bucketry_contract::v1::token_service_client::TokenServiceClient;
use bucketry_contract::v1::{
    CreateTokenRequest, Credentials, DescribeClientAddressRequest, DescribeClientAddressResponse,
    ListObjectsRequest, Permission, Token, UpdateTokenRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Connection, Request};
use bucketry_tests::server::{Server, ServerOptions};
use bucketry_tests::sigv4::{Payload, Signer};
use tonic::Status;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue};
use tonic::transport::{Channel, Endpoint};

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
        ..Default::default()
    };
    let answer = root.tokens.update_token(request).await?.into_inner();
    answer
        .token
        .ok_or_else(|| Status::internal("an answer without the token"))
}
