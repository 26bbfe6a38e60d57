//! Every way into a node, with a token that is ended while it is in use.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use bucketry_contract::v1::object_service_client::ObjectServiceClient;
use bucketry_contract::v1::{
    CreateSessionRequest, CreateTokenRequest, Credentials, Permission, RevokeTokenRequest,
    SuspendTokenRequest, Token, UpdateTokenRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Caller, Clients};
use bucketry_tests::http1::{Request, Response, exchange};
use bucketry_tests::sigv4::{Payload, Signer};
use tonic::transport::Channel;

use super::{BUCKET, Way, listing, reason};

/// How a token is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Revoke,
    Suspend,
    LockOut,
}

pub(super) const ENDS: [End; 3] = [End::Revoke, End::Suspend, End::LockOut];

impl End {
    pub(super) async fn apply(self, root: &mut Clients, token: &Token) -> Result<(), HarnessError> {
        let (bucket, token_id) = (BUCKET.to_owned(), token.token_id.clone());
        match self {
            Self::Revoke => {
                let request = RevokeTokenRequest { bucket, token_id };
                root.tokens.revoke_token(request).await?;
            }
            Self::Suspend => {
                let request = SuspendTokenRequest { bucket, token_id };
                root.tokens.suspend_token(request).await?;
            }
            Self::LockOut => {
                let request = UpdateTokenRequest {
                    token: Some(Token {
                        disallowed_ips: vec!["127.0.0.0/8".to_owned()],
                        version: 0,
                        ..token.clone()
                    }),
                    update_mask: Some(prost_types::FieldMask {
                        paths: vec!["disallowed_ips".to_owned()],
                    }),
                    ..Default::default()
                };
                root.tokens.update_token(request).await?;
            }
        }
        Ok(())
    }

    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Revoke | Self::Suspend => "ERROR_REASON_INVALID_ACCESS_KEY_ID",
            Self::LockOut => "ERROR_REASON_ACCESS_DENIED",
        }
    }

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Revoke | Self::Suspend => "InvalidAccessKeyId",
            Self::LockOut => "AccessDenied",
        }
    }
}

/// A token made on one node, and the way to the node that it is used on.
pub(super) struct Holder {
    pub(super) token: Token,
    pub(super) credentials: Credentials,
    pub(super) signer: Signer,
    pub(super) address: SocketAddr,
    pub(super) channel: Channel,
}

impl Holder {
    pub(super) async fn new(root: &mut Clients, way: &Way) -> Result<Self, HarnessError> {
        let request = CreateTokenRequest {
            bucket: BUCKET.to_owned(),
            name: "holder".to_owned(),
            permission: Permission::ReadWrite.into(),
            ..Default::default()
        };
        let made = root.tokens.create_token(request).await?.into_inner();
        let credentials = made
            .credentials
            .ok_or(HarnessError::Incomplete("credentials"))?;
        Ok(Self {
            token: made.token.ok_or(HarnessError::Incomplete("token"))?,
            signer: Signer::new(&credentials.access_key_id, &credentials.secret_access_key),
            credentials,
            address: way.address,
            channel: way.channel.clone(),
        })
    }

    pub(super) fn request(&self, method: &str, path: &str, body: &[u8]) -> Request {
        Request::new(method, &format!("/{BUCKET}{path}"))
            .header("host", &self.address.to_string())
            .header("content-length", &body.len().to_string())
            .body(body)
    }

    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<Response, HarnessError> {
        let request = self.request(method, path, body);
        let signed = self
            .signer
            .header(request, SystemTime::now(), Payload::Signed)?;
        exchange(self.address, signed)
    }

    pub(super) fn presigned(&self, method: &str, path: &str) -> Result<Request, HarnessError> {
        let request = Request::new(method, &format!("/{BUCKET}{path}"))
            .header("host", &self.address.to_string());
        self.signer
            .presign(request, SystemTime::now(), Duration::from_secs(600))
    }

    pub(super) fn objects(&self, bearer: Bearer) -> ObjectServiceClient<Caller> {
        ObjectServiceClient::with_interceptor(self.channel.clone(), bearer)
    }

    pub(super) fn by_key(&self) -> Result<ObjectServiceClient<Caller>, HarnessError> {
        Ok(self.objects(Bearer::token(&self.credentials)?))
    }

    pub(super) async fn session(&self) -> Result<Bearer, HarnessError> {
        let bearer = Bearer::token(&self.credentials)?;
        let mut tokens =
            bucketry_contract::v1::token_service_client::TokenServiceClient::with_interceptor(
                self.channel.clone(),
                bearer,
            );
        let made = tokens.create_session(CreateSessionRequest {}).await?;
        Bearer::session(&made.into_inner().session_token)
    }
}

/// A way in that was used before, to be tried again.
pub(super) enum Door {
    Header,
    Presigned(Request),
    Bearer(ObjectServiceClient<Caller>),
    Session(ObjectServiceClient<Caller>),
    Complete { path: String, body: String },
}

pub(super) const DOORS: usize = 5;

impl Door {
    /// Uses the way once, so that whatever the node remembers, it remembers.
    pub(super) async fn open(number: usize, holder: &Holder) -> Result<Self, HarnessError> {
        Ok(match number % DOORS {
            0 => {
                assert_eq!(holder.send("GET", "/k", b"")?.status, 200);
                Self::Header
            }
            1 => {
                let request = holder.presigned("GET", "/k")?;
                assert_eq!(exchange(holder.address, request.clone())?.status, 200);
                Self::Presigned(request)
            }
            2 => {
                let mut client = holder.by_key()?;
                client.list_objects(listing("")).await?;
                Self::Bearer(client)
            }
            3 => {
                let mut client = holder.objects(holder.session().await?);
                client.list_objects(listing("")).await?;
                Self::Session(client)
            }
            _ => {
                let upload = holder
                    .send("POST", "/parts?uploads", b"")?
                    .element("UploadId");
                let upload = upload.ok_or(HarnessError::Incomplete("UploadId"))?;
                let part = format!("/parts?partNumber=1&uploadId={upload}");
                let answer = holder.send("PUT", &part, b"part")?;
                let etag = answer.find("etag").unwrap_or_default();
                Self::Complete {
                    path: format!("/parts?uploadId={upload}"),
                    body: format!(
                        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>\
                         </CompleteMultipartUpload>"
                    ),
                }
            }
        })
    }

    /// What the way says now: S3's code or the reason of the status.
    pub(super) async fn try_again(&mut self, holder: &Holder) -> Result<String, HarnessError> {
        let s3 = |response: Response| match response.status {
            403 => response.element("Code").unwrap_or_default(),
            status => format!("{status}: {}", response.text()),
        };
        Ok(match self {
            Self::Header => s3(holder.send("GET", "/k", b"")?),
            Self::Presigned(request) => s3(exchange(holder.address, request.clone())?),
            Self::Complete { path, body } => s3(holder.send("POST", path, body.as_bytes())?),
            Self::Bearer(client) | Self::Session(client) => {
                match client.list_objects(listing("")).await {
                    Ok(_) => "allowed".to_owned(),
                    Err(status) => reason(&status),
                }
            }
        })
    }

    pub(super) fn expected(&self, end: End) -> &'static str {
        match self {
            Self::Bearer(_) | Self::Session(_) => end.reason(),
            Self::Header | Self::Presigned(_) | Self::Complete { .. } => end.code(),
        }
    }
}
