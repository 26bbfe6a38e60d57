//! Callers by gRPC: a channel to a server and clients that carry a key as bearer credentials.

use bucketry_contract::v1::admin_service_client::AdminServiceClient;
use bucketry_contract::v1::object_service_client::ObjectServiceClient;
use bucketry_contract::v1::token_service_client::TokenServiceClient;
use bucketry_contract::v1::{
    CreateBucketRequest, CreateTokenRequest, Credentials, Permission, Token,
};
use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::error::HarnessError;
use crate::server::{ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server};

/// A channel whose calls carry credentials.
pub type Caller = InterceptedService<Channel, Bearer>;

/// Adds `authorization: Bearer <access key id>.<secret access key>` to each call.
#[derive(Debug, Clone)]
pub struct Bearer {
    header: MetadataValue<Ascii>,
}

impl Bearer {
    /// The credentials of an access key.
    ///
    /// # Errors
    /// The key has characters that no header can carry.
    pub fn key(access_key_id: &str, secret_access_key: &str) -> Result<Self, HarnessError> {
        Self::session(&format!("{access_key_id}.{secret_access_key}"))
    }

    /// The session token of `CreateSession`.
    ///
    /// # Errors
    /// The token has characters that no header can carry.
    pub fn session(token: &str) -> Result<Self, HarnessError> {
        crate::secrets::remember(token);
        let mut header: MetadataValue<Ascii> = format!("Bearer {token}").parse()?;
        header.set_sensitive(true);
        Ok(Self { header })
    }

    /// The root key of the servers that this harness starts.
    ///
    /// # Errors
    /// Never: the key is fit for a header.
    pub fn root() -> Result<Self, HarnessError> {
        Self::key(ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY)
    }

    /// The key that a token was made with.
    ///
    /// # Errors
    /// The key has characters that no header can carry.
    pub fn token(credentials: &Credentials) -> Result<Self, HarnessError> {
        Self::key(&credentials.access_key_id, &credentials.secret_access_key)
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert("authorization", self.header.clone());
        Ok(request)
    }
}

/// A connection to the server.
///
/// # Errors
/// The server is not there.
pub async fn channel(server: &Server) -> Result<Channel, HarnessError> {
    Ok(Endpoint::from_shared(server.endpoint_url())?
        .connect()
        .await?)
}

/// The clients of all public services, with one key.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Buckets, objects and uploads.
    pub objects: ObjectServiceClient<Caller>,
    /// Tokens.
    pub tokens: TokenServiceClient<Caller>,
    /// Accounts and operator keys.
    pub admin: AdminServiceClient<Caller>,
}

impl Clients {
    /// Clients over a new connection.
    ///
    /// # Errors
    /// The server is not there.
    pub async fn connect(server: &Server, bearer: Bearer) -> Result<Self, HarnessError> {
        let channel = channel(server).await?;
        Ok(Self {
            objects: ObjectServiceClient::with_interceptor(channel.clone(), bearer.clone()),
            tokens: TokenServiceClient::with_interceptor(channel.clone(), bearer.clone()),
            admin: AdminServiceClient::with_interceptor(channel, bearer),
        })
    }

    /// Clients with the root key, over a new connection.
    ///
    /// # Errors
    /// The server is not there.
    pub async fn root(server: &Server) -> Result<Self, HarnessError> {
        Self::connect(server, Bearer::root()?).await
    }

    /// Makes a bucket.
    ///
    /// # Errors
    /// The server refused.
    pub async fn create_bucket(&mut self, bucket: &str) -> Result<(), HarnessError> {
        self.objects
            .create_bucket(CreateBucketRequest {
                bucket: bucket.to_owned(),
                ..Default::default()
            })
            .await?;
        Ok(())
    }

    /// Makes a token without IP rules.
    ///
    /// # Errors
    /// The server refused, or its answer lacks a field.
    pub async fn create_token(
        &mut self,
        bucket: &str,
        permission: Permission,
    ) -> Result<(Token, Credentials), HarnessError> {
        let made = self
            .tokens
            .create_token(CreateTokenRequest {
                bucket: bucket.to_owned(),
                name: format!("test {}", permission.as_str_name()),
                permission: permission.into(),
                ..Default::default()
            })
            .await?
            .into_inner();
        Ok((
            made.token.ok_or(HarnessError::Incomplete("token"))?,
            made.credentials
                .ok_or(HarnessError::Incomplete("credentials"))?,
        ))
    }
}

/// Calls any method, named by its path, with one message as it is on the wire; gives the messages of the answer.
///
/// # Errors
/// The status that the server refused with.
pub async fn call(
    channel: Channel,
    bearer: Option<&Bearer>,
    path: &str,
    message: Bytes,
) -> Result<Vec<Bytes>, Status> {
    call_stream(channel, bearer, path, vec![message]).await
}

/// As [`call`], with any number of messages.
///
/// # Errors
/// The status that the server refused with.
pub async fn call_stream(
    channel: Channel,
    bearer: Option<&Bearer>,
    path: &str,
    messages: Vec<Bytes>,
) -> Result<Vec<Bytes>, Status> {
    let path: PathAndQuery = path
        .parse()
        .map_err(|_| Status::invalid_argument("not a path"))?;
    let mut request = Request::new(tokio_stream::iter(messages));
    if let Some(bearer) = bearer {
        request
            .metadata_mut()
            .insert("authorization", bearer.header.clone());
    }
    let mut client = tonic::client::Grpc::new(channel);
    client
        .ready()
        .await
        .map_err(|error| Status::unavailable(error.to_string()))?;
    // A call with one message is the same on the wire, whether or not there may be more.
    let mut answers = client.streaming(request, path, Raw).await?.into_inner();
    let mut messages = Vec::new();
    while let Some(answer) = answers.message().await? {
        messages.push(answer);
    }
    Ok(messages)
}

/// Messages as they are on the wire.
#[derive(Debug, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, target: &mut EncodeBuf<'_>) -> Result<(), Status> {
        target.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(source.copy_to_bytes(source.remaining())))
    }
}
