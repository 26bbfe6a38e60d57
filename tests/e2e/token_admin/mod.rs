//! What administrators do with tokens besides using them: edits of expiry and limits, tokens whose bucket is gone,
//! purging, the audit, and explanations that agree with what requests meet. On SQLite and on PostgreSQL.

mod audit;
mod edit;
mod explain;
mod remove;

use std::time::{Duration, SystemTime};

use bucketry_contract::errors::explain;
use bucketry_contract::v1::{
    AuditEvent, CreateTokenRequest, Credentials, GetTokenRequest, ListTokenAuditEventsRequest,
    ListTokensRequest, Permission, PurgeTokenRequest, RevokeTokenRequest, Token,
    UpdateTokenRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::{Request, Response, exchange};
use bucketry_tests::server::{Server, ServerOptions};
use bucketry_tests::sigv4::Payload;
use prost_types::{FieldMask, Timestamp};
use tonic::Status;

use crate::wire::signer;

const BUCKET: &str = "token-admin-bucket";
const OTHER_BUCKET: &str = "token-admin-other-bucket";

/// Makes of each case a test per engine.
macro_rules! on_both_engines {
    ($($case:ident),* $(,)?) => {
        mod on_sqlite {
            use bucketry_tests::error::HarnessError;
            use bucketry_tests::server::ServerOptions;

            use crate::token_admin::Scene;

            $(#[tokio::test]
            async fn $case() -> Result<(), HarnessError> {
                super::$case(&mut Scene::start(ServerOptions::new()).await?).await
            })*
        }

        mod on_postgres {
            use bucketry_tests::error::HarnessError;
            use bucketry_tests::server::ServerOptions;

            use crate::token_admin::Scene;

            $(#[tokio::test]
            async fn $case() -> Result<(), HarnessError> {
                let url = bucketry_tests::postgres::create_database().await?;
                super::$case(&mut Scene::start(ServerOptions::new().database_url(&url)).await?).await
            })*
        }
    };
}

pub(crate) use on_both_engines;

struct Scene {
    server: Server,
    root: Clients,
}

impl Scene {
    async fn start(options: ServerOptions) -> Result<Self, HarnessError> {
        let server = Server::start(options)?;
        let mut root = Clients::root(&server).await?;
        root.create_bucket(BUCKET).await?;
        root.create_bucket(OTHER_BUCKET).await?;
        Ok(Self { server, root })
    }

    async fn make(
        &mut self,
        settings: CreateTokenRequest,
    ) -> Result<(Token, Credentials), HarnessError> {
        let request = CreateTokenRequest {
            bucket: BUCKET.to_owned(),
            name: "token".to_owned(),
            ..settings
        };
        let made = self.root.tokens.create_token(request).await?.into_inner();
        Ok((
            made.token.ok_or(HarnessError::Incomplete("token"))?,
            made.credentials
                .ok_or(HarnessError::Incomplete("credentials"))?,
        ))
    }

    async fn token(
        &mut self,
        permission: Permission,
    ) -> Result<(Token, Credentials), HarnessError> {
        self.make(CreateTokenRequest {
            permission: permission.into(),
            ..Default::default()
        })
        .await
    }

    async fn get(&mut self, bucket: &str, id: &str) -> Result<Token, Status> {
        let request = GetTokenRequest {
            bucket: bucket.to_owned(),
            token_id: id.to_owned(),
        };
        let answer = self.root.tokens.get_token(request).await?.into_inner();
        Ok(answer.token.unwrap_or_default())
    }

    async fn edit(&mut self, token: Token, paths: &[&str]) -> Result<Token, Status> {
        let request = UpdateTokenRequest {
            token: Some(token),
            update_mask: Some(FieldMask {
                paths: paths.iter().map(|&path| path.to_owned()).collect(),
            }),
            ..Default::default()
        };
        let answer = self.root.tokens.update_token(request).await?.into_inner();
        Ok(answer.token.unwrap_or_default())
    }

    async fn revoke(&mut self, id: &str) -> Result<(), Status> {
        let request = RevokeTokenRequest {
            bucket: BUCKET.to_owned(),
            token_id: id.to_owned(),
        };
        self.root.tokens.revoke_token(request).await.map(drop)
    }

    async fn purge(&mut self, bucket: &str, id: &str) -> Result<(), Status> {
        let request = PurgeTokenRequest {
            bucket: bucket.to_owned(),
            token_id: id.to_owned(),
        };
        self.root.tokens.purge_token(request).await.map(drop)
    }

    async fn list(&mut self, bucket: &str) -> Result<Vec<Token>, Status> {
        let request = ListTokensRequest {
            bucket: bucket.to_owned(),
            ..Default::default()
        };
        Ok(self
            .root
            .tokens
            .list_tokens(request)
            .await?
            .into_inner()
            .tokens)
    }

    /// The events of a bucket or token, all of them.
    async fn audit(&mut self, bucket: &str, id: &str) -> Result<Vec<AuditEvent>, Status> {
        let request = ListTokenAuditEventsRequest {
            bucket: bucket.to_owned(),
            token_id: id.to_owned(),
            page_size: 1000,
            page_token: String::new(),
        };
        let answer = self.root.tokens.list_token_audit_events(request).await?;
        Ok(answer.into_inner().events)
    }

    fn s3(&self, credentials: &Credentials, request: Request) -> Result<Response, HarnessError> {
        let request = request.header("host", &self.server.address().to_string());
        let signed = signer(credentials).header(request, SystemTime::now(), Payload::Signed)?;
        exchange(self.server.address(), signed)
    }

    fn head_bucket(&self, credentials: &Credentials) -> Result<u16, HarnessError> {
        let request = Request::new("HEAD", &format!("/{BUCKET}"));
        Ok(self.s3(credentials, request)?.status)
    }
}

fn soon(delay: Duration) -> Timestamp {
    Timestamp::from(SystemTime::now() + delay)
}

fn reason<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    match answer {
        Ok(answer) => format!("allowed: {answer:?}"),
        Err(status) => explain(&status)
            .map(|explained| explained.reason.as_str_name().to_owned())
            .unwrap_or_else(|| format!("no reason: {status:?}")),
    }
}

/// The token as the fields of an edit.
fn of(token: &Token) -> Token {
    Token {
        bucket: token.bucket.clone(),
        token_id: token.token_id.clone(),
        ..Token::default()
    }
}
