//! What a key learns about itself.

use bucketry_contract::v1::{
    CallerKind, CreateAccountRequest, CreateTokenRequest, DescribeCallerRequest,
    DescribeCallerResponse, ListTokenDenialsRequest, Permission,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::server::{ROOT_ACCESS_KEY_ID, Server, ServerOptions};

const BUCKET: &str = "described";

async fn describe(clients: &mut Clients) -> Result<DescribeCallerResponse, HarnessError> {
    let answer = clients.tokens.describe_caller(DescribeCallerRequest {});
    Ok(answer.await?.into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_key_is_described() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    let operator = describe(&mut root).await?;
    assert_eq!(operator.kind(), CallerKind::Operator);
    assert_eq!(operator.access_key_id, ROOT_ACCESS_KEY_ID);
    assert_eq!(
        (operator.account_id.as_str(), operator.bucket.as_str()),
        ("", "")
    );

    let request = CreateAccountRequest {
        display_name: "team".to_owned(),
    };
    let account = root.admin.create_account(request).await?.into_inner();
    let bearer = Bearer::key(&account.access_key_id, &account.secret_access_key)?;
    let mut administrator = Clients::connect(&server, bearer).await?;
    let described = describe(&mut administrator).await?;
    assert_eq!(described.kind(), CallerKind::Account);
    assert_eq!(
        described.account_id,
        account.account.unwrap_or_default().account_id
    );

    administrator.create_bucket(BUCKET).await?;
    for permission in [
        Permission::ReadOnly,
        Permission::WriteOnly,
        Permission::ReadWrite,
    ] {
        let request = CreateTokenRequest {
            bucket: BUCKET.to_owned(),
            name: "user".to_owned(),
            permission: permission.into(),
            ..Default::default()
        };
        let made = administrator
            .tokens
            .create_token(request)
            .await?
            .into_inner();
        let (token, credentials) = (
            made.token.unwrap_or_default(),
            made.credentials.unwrap_or_default(),
        );
        let bearer = Bearer::token(&credentials)?;
        let mut user = Clients::connect(&server, bearer).await?;
        let described = describe(&mut user).await?;
        assert_eq!(described.kind(), CallerKind::Token);
        assert_eq!(described.permission(), permission);
        assert_eq!(
            (described.bucket.as_str(), described.name),
            (BUCKET, token.name)
        );
        let denials = administrator
            .tokens
            .list_token_denials(ListTokenDenialsRequest {
                bucket: BUCKET.to_owned(),
                token_id: token.token_id,
            });
        assert_eq!(denials.await?.into_inner().denials, []);
    }
    Ok(())
}
