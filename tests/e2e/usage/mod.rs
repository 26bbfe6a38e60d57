//! Usage of tokens by S3 and gRPC, which is counted exactly; refused requests with the rule that refused them; limits.

mod counts;
mod limits;
mod refusals;

use std::collections::BTreeMap;
use std::time::SystemTime;

use bucketry_contract::errors::explain;
use bucketry_contract::v1::{
    CreateTokenRequest, Credentials, DecisionReason, GetObjectRequest, GetTokenUsageRequest,
    GetTokenUsageResponse, ListTokenDenialsRequest, ObjectChunk, Permission, PutObjectRequest,
    PutObjectSpec, RequestClass, Token, TokenDenial, TokenLimits, UpdateTokenRequest,
    put_object_request,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Request, Response, exchange};
use bucketry_tests::server::{Server, ServerOptions};
use bucketry_tests::sigv4::{Payload, Signer};
use bytes::Bytes;

const BUCKET: &str = "usage-test-bucket";
const AGENT: &str = "usage-test/1.0";

/// A server, its operator, and one token.
struct Scene {
    server: Server,
    root: Clients,
    token: Token,
    credentials: Credentials,
}

impl Scene {
    async fn start(settings: CreateTokenRequest) -> Result<Self, HarnessError> {
        // Usage is written before it is read, so the interval has no effect.
        let options = ServerOptions::new().argument("--usage-interval=1h");
        let server = Server::start(options)?;
        let mut root = Clients::root(&server).await?;
        root.create_bucket(BUCKET).await?;
        let request = CreateTokenRequest {
            bucket: BUCKET.to_owned(),
            name: "metered".to_owned(),
            ..settings
        };
        let made = root.tokens.create_token(request).await?.into_inner();
        Ok(Self {
            server,
            root,
            token: made.token.ok_or(HarnessError::Incomplete("token"))?,
            credentials: (made.credentials).ok_or(HarnessError::Incomplete("credentials"))?,
        })
    }

    async fn with(permission: Permission) -> Result<Self, HarnessError> {
        Self::limited(permission, None).await
    }

    async fn limited(
        permission: Permission,
        limits: Option<TokenLimits>,
    ) -> Result<Self, HarnessError> {
        let settings = CreateTokenRequest {
            permission: permission.into(),
            limits,
            ..Default::default()
        };
        Self::start(settings).await
    }

    async fn clients(&self) -> Result<Clients, HarnessError> {
        Clients::connect(&self.server, Bearer::token(&self.credentials)?).await
    }

    /// A signed request for a path in the bucket or, with a leading `//`, for an absolute path.
    fn signed(&self, method: &str, path: &str, body: &[u8]) -> Result<Request, HarnessError> {
        self.signed_by(&self.credentials.secret_access_key, method, path, body)
    }

    fn signed_by(
        &self,
        secret: &str,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<Request, HarnessError> {
        let request = self.request(&self.server.address().to_string(), (method, path, body));
        self.sign(secret, request)
    }

    fn signed_with(
        &self,
        headers: &[(&str, &str)],
        call: (&str, &str, &[u8]),
    ) -> Result<Request, HarnessError> {
        self.signed_at(&self.server.address().to_string(), headers, call)
    }

    /// For another host than the server's.
    fn signed_at(
        &self,
        host: &str,
        headers: &[(&str, &str)],
        call: (&str, &str, &[u8]),
    ) -> Result<Request, HarnessError> {
        let request = self.request(host, call);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        });
        self.sign(&self.credentials.secret_access_key, request)
    }

    fn request(&self, host: &str, (method, path, body): (&str, &str, &[u8])) -> Request {
        let target = match path.strip_prefix("//") {
            Some(rest) => format!("/{rest}"),
            None => format!("/{BUCKET}{path}"),
        };
        Request::new(method, &target)
            .header("host", host)
            .header("user-agent", AGENT)
            .header("content-length", &body.len().to_string())
            .body(body)
    }

    fn sign(&self, secret: &str, request: Request) -> Result<Request, HarnessError> {
        let signer = Signer::new(&self.credentials.access_key_id, secret);
        signer.header(request, SystemTime::now(), Payload::Signed)
    }

    fn send(&self, method: &str, path: &str, body: &[u8]) -> Result<Response, HarnessError> {
        exchange(self.server.address(), self.signed(method, path, body)?)
    }

    /// Sends, and expects a status.
    fn expect(
        &self,
        status: u16,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<Response, HarnessError> {
        let response = self.send(method, path, body)?;
        assert_eq!(
            response.status,
            status,
            "{method} {path}: {}",
            response.text()
        );
        Ok(response)
    }

    async fn usage(&mut self) -> Result<GetTokenUsageResponse, HarnessError> {
        let request = GetTokenUsageRequest {
            bucket: BUCKET.to_owned(),
            token_id: self.token.token_id.clone(),
            ..Default::default()
        };
        Ok(self
            .root
            .tokens
            .get_token_usage(request)
            .await?
            .into_inner())
    }

    async fn denials(&mut self) -> Result<Vec<TokenDenial>, HarnessError> {
        let request = ListTokenDenialsRequest {
            bucket: BUCKET.to_owned(),
            token_id: self.token.token_id.clone(),
        };
        let listed = self.root.tokens.list_token_denials(request).await?;
        Ok(listed.into_inner().denials)
    }

    async fn edit(&mut self, path: &str, token: Token) -> Result<(), HarnessError> {
        let request = UpdateTokenRequest {
            token: Some(Token {
                bucket: BUCKET.to_owned(),
                token_id: self.token.token_id.clone(),
                ..token
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: vec![path.to_owned()],
            }),
            ..Default::default()
        };
        self.root.tokens.update_token(request).await?;
        Ok(())
    }
}

/// Requests, bytes in and bytes out by class.
fn counts(usage: &GetTokenUsageResponse) -> BTreeMap<RequestClass, (i64, i64, i64)> {
    let total = usage.total.as_ref().unwrap();
    (total.counts.iter())
        .map(|count| {
            (
                count.class(),
                (count.requests, count.bytes_in, count.bytes_out),
            )
        })
        .collect()
}

fn refusals(usage: &GetTokenUsageResponse) -> BTreeMap<DecisionReason, i64> {
    let total = usage.total.as_ref().unwrap();
    (total.denials.iter())
        .map(|denial| (denial.reason(), denial.requests))
        .collect()
}

fn get(key: &str) -> GetObjectRequest {
    GetObjectRequest {
        bucket: BUCKET.to_owned(),
        key: key.to_owned(),
        ..Default::default()
    }
}

fn spec(key: &str) -> PutObjectSpec {
    PutObjectSpec {
        bucket: BUCKET.to_owned(),
        key: key.to_owned(),
        ..Default::default()
    }
}

/// A put in messages of these sizes.
fn stream(key: &str, sizes: &[usize]) -> Vec<PutObjectRequest> {
    let message = |message| PutObjectRequest {
        message: Some(message),
    };
    let mut messages = vec![message(put_object_request::Message::Spec(spec(key)))];
    let mut offset = 0;
    for &size in sizes {
        messages.push(message(put_object_request::Message::Chunk(ObjectChunk {
            offset,
            data: Bytes::from(vec![b'x'; size]),
            crc32c: None,
        })));
        offset += size as i64;
    }
    messages
}

/// Reads a download until it ends or fails.
async fn drain(clients: &mut Clients, key: &str) -> Result<usize, tonic::Status> {
    let mut messages = clients.objects.get_object(get(key)).await?.into_inner();
    let mut bytes = 0;
    while let Some(answer) = messages.message().await? {
        if let Some(bucketry_contract::v1::get_object_response::Message::Chunk(chunk)) =
            answer.message
        {
            bytes += chunk.data.len();
        }
    }
    Ok(bytes)
}

fn reason(status: &tonic::Status) -> &'static str {
    explain(status).map_or("none", |explained| explained.reason.as_str_name())
}
