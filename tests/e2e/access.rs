//! Tokens over both protocols: IP rules, suspension, what never changes.

use std::time::SystemTime;

use bucketry_contract::v1::{
    CreateTokenRequest, CreateTokenResponse, Credentials, ListObjectsRequest, Permission,
    ResumeTokenRequest, ShowTokenSecretRequest, SuspendTokenRequest, Token, UpdateTokenRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Request, exchange};
use bucketry_tests::server::{Server, ServerOptions};
use bucketry_tests::sigv4::{Payload, Signer};
use tonic_types::StatusExt;

const BUCKET: &str = "access-test-bucket";

struct Access {
    server: Server,
    root: Clients,
}

/// What a listing is answered with over gRPC (the reason, empty if allowed) and over S3 (the status).
#[derive(Debug, PartialEq, Eq)]
struct Answers {
    grpc: String,
    s3: u16,
}

fn allowed() -> Answers {
    Answers {
        grpc: String::new(),
        s3: 200,
    }
}

fn refused(reason: &str) -> Answers {
    Answers {
        grpc: reason.to_owned(),
        s3: 403,
    }
}

impl Access {
    async fn start() -> Result<Self, HarnessError> {
        let server = Server::start(ServerOptions::new())?;
        let mut root = Clients::root(&server).await?;
        root.create_bucket(BUCKET).await?;
        Ok(Self { server, root })
    }

    async fn create(
        &mut self,
        request: CreateTokenRequest,
    ) -> Result<CreateTokenResponse, tonic::Status> {
        let request = CreateTokenRequest {
            bucket: BUCKET.to_owned(),
            name: "token".to_owned(),
            permission: Permission::ReadWrite.into(),
            ..request
        };
        Ok(self.root.tokens.create_token(request).await?.into_inner())
    }

    async fn token(
        &mut self,
        request: CreateTokenRequest,
    ) -> Result<(Token, Credentials), HarnessError> {
        let made = self.create(request).await?;
        Ok((
            made.token.ok_or(HarnessError::Incomplete("token"))?,
            made.credentials
                .ok_or(HarnessError::Incomplete("credentials"))?,
        ))
    }

    async fn update(&mut self, token: Token, path: &str) -> Result<(), tonic::Status> {
        let request = UpdateTokenRequest {
            token: Some(token),
            update_mask: Some(prost_types::FieldMask {
                paths: vec![path.to_owned()],
            }),
            ..Default::default()
        };
        self.root.tokens.update_token(request).await.map(drop)
    }

    async fn answers(&self, credentials: &Credentials) -> Result<Answers, HarnessError> {
        let mut caller = Clients::connect(&self.server, Bearer::token(credentials)?).await?;
        let listing = ListObjectsRequest {
            bucket: BUCKET.to_owned(),
            ..Default::default()
        };
        let grpc = match caller.objects.list_objects(listing).await {
            Ok(_) => String::new(),
            Err(status) => reason(&status),
        };
        let address = self.server.address();
        let request = Request::new("GET", &format!("/{BUCKET}?list-type=2"))
            .header("host", &address.to_string());
        let signer = Signer::new(&credentials.access_key_id, &credentials.secret_access_key);
        let response = exchange(
            address,
            signer.header(request, SystemTime::now(), Payload::Signed)?,
        )?;
        Ok(Answers {
            grpc,
            s3: response.status,
        })
    }
}

fn reason(status: &tonic::Status) -> String {
    status
        .get_details_error_info()
        .map_or_else(|| status.to_string(), |info| info.reason)
}

fn addresses(list: &[&str]) -> Vec<String> {
    list.iter().map(|&entry| entry.to_owned()).collect()
}

#[tokio::test]
async fn addresses_decide_over_both_protocols() -> Result<(), HarnessError> {
    let mut access = Access::start().await?;
    for (allow, deny, wanted) in [
        (&["127.0.0.1"][..], &[][..], allowed()),
        (&["127.0.0.0/8", "::1"], &[], allowed()),
        (&["::ffff:127.0.0.1"], &[], allowed()),
        (&["10.0.0.0/8"], &[], refused("ACCESS_DENIED")),
        (&[], &["127.0.0.1"], refused("ACCESS_DENIED")),
        (&["127.0.0.1"], &["127.0.0.0/8"], refused("ACCESS_DENIED")),
        (&[], &["10.0.0.0/8"], allowed()),
    ] {
        let request = CreateTokenRequest {
            allowed_ips: addresses(allow),
            disallowed_ips: addresses(deny),
            ..Default::default()
        };
        let (_, credentials) = access.token(request).await?;
        assert_eq!(
            access.answers(&credentials).await?,
            wanted,
            "allowed {allow:?}, disallowed {deny:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn addresses_that_are_none_are_refused_by_name() -> Result<(), HarnessError> {
    let mut access = Access::start().await?;
    for entry in [
        "127.0.0.01",
        "0x7f000001",
        "127.1",
        "localhost",
        "127.0.0.1:80",
        "fe80::1%eth0",
        "10.0.0.0/33",
    ] {
        let request = CreateTokenRequest {
            allowed_ips: addresses(&[entry]),
            ..Default::default()
        };
        let status = access.create(request).await.unwrap_err();
        assert_eq!(reason(&status), "INVALID_ARGUMENT", "{entry}");
        assert!(
            status.message().contains(entry),
            "{entry} is not named in: {}",
            status.message()
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_edit_of_addresses_holds_at_once() -> Result<(), HarnessError> {
    let mut access = Access::start().await?;
    let (token, credentials) = access.token(CreateTokenRequest::default()).await?;
    assert_eq!(access.answers(&credentials).await?, allowed());
    let edited = Token {
        disallowed_ips: addresses(&["127.0.0.1"]),
        ..token.clone()
    };
    access.update(edited, "disallowed_ips").await?;
    assert_eq!(
        access.answers(&credentials).await?,
        refused("ACCESS_DENIED")
    );
    let stale = Token {
        name: "late".to_owned(),
        ..token
    };
    assert_eq!(
        reason(&access.update(stale, "name").await.unwrap_err()),
        "VERSION_CONFLICT"
    );
    Ok(())
}

#[tokio::test]
async fn permission_and_keys_never_change() -> Result<(), HarnessError> {
    let mut access = Access::start().await?;
    let (token, _) = access.token(CreateTokenRequest::default()).await?;
    for path in ["permission", "access_key_id"] {
        let edited = Token {
            permission: Permission::ReadOnly.into(),
            access_key_id: "AAAAAAAAAAAAAAAAAAAA".to_owned(),
            ..token.clone()
        };
        let status = access.update(edited, path).await.unwrap_err();
        assert_eq!(reason(&status), "IMMUTABLE_FIELD");
        assert!(
            status.message().contains(path),
            "{path} is not named in: {}",
            status.message()
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_suspended_token_works_again_when_resumed() -> Result<(), HarnessError> {
    let mut access = Access::start().await?;
    let (token, credentials) = access.token(CreateTokenRequest::default()).await?;
    let suspend = SuspendTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: token.token_id.clone(),
    };
    access.root.tokens.suspend_token(suspend).await?;
    assert_eq!(
        access.answers(&credentials).await?,
        refused("INVALID_ACCESS_KEY_ID")
    );
    let resume = ResumeTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: token.token_id,
    };
    access.root.tokens.resume_token(resume).await?;
    assert_eq!(access.answers(&credentials).await?, allowed());
    Ok(())
}

#[tokio::test]
async fn credentials_can_be_shown_again() -> Result<(), HarnessError> {
    let mut access = Access::start().await?;
    let (token, credentials) = access.token(CreateTokenRequest::default()).await?;
    let show = ShowTokenSecretRequest {
        bucket: BUCKET.to_owned(),
        token_id: token.token_id,
    };
    let shown = access
        .root
        .tokens
        .show_token_secret(show)
        .await?
        .into_inner();
    assert_eq!(shown.credentials, Some(credentials));
    Ok(())
}
