//! Keys of account administrators: who creates, lists and revokes them, what a revocation ends, and that an account keeps
//! its last one. On SQLite and on PostgreSQL.

mod last_key;
mod own_account;
mod revocation;

use bucketry_contract::errors::explain;
use bucketry_contract::v1::{
    AdminKey, CreateAccountKeyRequest, CreateAccountRequest, ListAdminKeysRequest,
    RevokeAdminKeyRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::server::{Server, ServerOptions};
use tonic::Status;

/// Makes of each case a test per engine.
macro_rules! on_both_engines {
    ($($case:ident),* $(,)?) => {
        mod on_sqlite {
            use bucketry_tests::error::HarnessError;
            use bucketry_tests::server::ServerOptions;

            use crate::account_keys::Scene;

            $(#[tokio::test]
            async fn $case() -> Result<(), HarnessError> {
                super::$case(&mut Scene::start(ServerOptions::new()).await?).await
            })*
        }

        mod on_postgres {
            use bucketry_tests::error::HarnessError;
            use bucketry_tests::server::ServerOptions;

            use crate::account_keys::Scene;

            $(#[tokio::test]
            async fn $case() -> Result<(), HarnessError> {
                let url = bucketry_tests::postgres::create_database().await?;
                super::$case(&mut Scene::start(ServerOptions::new().database_url(&url)).await?).await
            })*
        }
    };
}

use on_both_engines;

struct Scene {
    server: Server,
    root: Clients,
}

/// A key of an account administrator, and clients that use it.
struct Administrator {
    account: String,
    access_key_id: String,
    bearer: Bearer,
    clients: Clients,
}

impl Scene {
    async fn start(options: ServerOptions) -> Result<Self, HarnessError> {
        let server = Server::start(options)?;
        let root = Clients::root(&server).await?;
        Ok(Self { server, root })
    }

    /// A new account with its first key.
    async fn account(&mut self, name: &str) -> Result<Administrator, HarnessError> {
        let request = CreateAccountRequest {
            display_name: name.to_owned(),
        };
        let made = self.root.admin.create_account(request).await?.into_inner();
        let account = made.account.ok_or(HarnessError::Incomplete("account"))?;
        let pair = (made.access_key_id, made.secret_access_key);
        self.administrator(account.account_id, pair).await
    }

    async fn administrator(
        &self,
        account: String,
        (access_key_id, secret): (String, String),
    ) -> Result<Administrator, HarnessError> {
        let bearer = Bearer::key(&access_key_id, &secret)?;
        Ok(Administrator {
            account,
            access_key_id,
            clients: Clients::connect(&self.server, bearer.clone()).await?,
            bearer,
        })
    }

    /// Another key of an administrator's account, made by that administrator.
    async fn another(&self, of: &mut Administrator) -> Result<Administrator, HarnessError> {
        let (key, secret) = create(&mut of.clients, "", "another").await?;
        self.administrator(key.account_id, (key.access_key_id, secret))
            .await
    }

    /// The usable administrator keys of an account, as the operator sees them.
    async fn usable(&mut self, account: &str) -> Result<Vec<String>, Status> {
        let keys = list(&mut self.root, account).await?.into_iter();
        let usable = keys.filter(|key| key.revoke_time.is_none());
        Ok(usable.map(|key| key.access_key_id).collect())
    }
}

async fn create(
    clients: &mut Clients,
    account: &str,
    name: &str,
) -> Result<(AdminKey, String), Status> {
    let request = CreateAccountKeyRequest {
        account_id: account.to_owned(),
        name: name.to_owned(),
    };
    let made = clients.admin.create_account_key(request).await?;
    let made = made.into_inner();
    Ok((made.key.unwrap_or_default(), made.secret_access_key))
}

async fn list(clients: &mut Clients, account: &str) -> Result<Vec<AdminKey>, Status> {
    let request = ListAdminKeysRequest {
        account_id: account.to_owned(),
        ..Default::default()
    };
    Ok(clients
        .admin
        .list_admin_keys(request)
        .await?
        .into_inner()
        .keys)
}

async fn revoke(clients: &mut Clients, key: &str) -> Result<AdminKey, Status> {
    let request = RevokeAdminKeyRequest {
        key_id: key.to_owned(),
    };
    let answer = clients.admin.revoke_admin_key(request).await?;
    Ok(answer.into_inner().key.unwrap_or_default())
}

fn reason<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    match answer {
        Ok(answer) => format!("allowed: {answer:?}"),
        Err(status) => explain(&status).map_or_else(
            || format!("no reason: {status:?}"),
            |explained| explained.reason.as_str_name().to_owned(),
        ),
    }
}

const ACCESS_DENIED: &str = "ERROR_REASON_ACCESS_DENIED";
const INVALID_ACCESS_KEY_ID: &str = "ERROR_REASON_INVALID_ACCESS_KEY_ID";
const LAST_ADMIN_KEY: &str = "ERROR_REASON_LAST_ADMIN_KEY";
const NO_SUCH_TOKEN: &str = "ERROR_REASON_NO_SUCH_TOKEN";
