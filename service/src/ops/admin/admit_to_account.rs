//! Admission to operations on the keys of an account.

use bucketry_contract::access_table::Classified;

use crate::access::AccessTarget;
use crate::catalog::model::KeyScope;
use crate::domain::AccountId;
use crate::error::Error;
use crate::request::{
    AccountGrant, Credentials, IdentifiedCaller, Requirements, Resource, Service,
};

/// Admits an administrator to the account that is named, or to the caller's own if none is. Returns the account; `None`
/// if an operator names none.
///
/// Only operators learn whether an account exists.
pub(super) async fn admit_to_account(
    service: &Service,
    caller: Credentials,
    request: &impl Classified,
    named: &str,
) -> Result<(AccountGrant, Option<AccountId>), Error> {
    let requirements = Requirements::of(request, Resource::Service);
    let IdentifiedCaller {
        caller, counting, ..
    } = service.identify(caller, &requirements).await?;
    let whole = service.service_target(&caller).await?;
    // Before the name is parsed: tokens are denied, whatever they send.
    service.decide(&caller, &requirements, whole)?;
    let account = match (named, caller.key().map(|key| key.scope)) {
        ("", Some(KeyScope::Account(own))) => Some(own),
        ("", _) => None,
        (named, _) => Some(account_id(named)?),
    };
    let target = account.map_or(whole, AccessTarget::Account);
    let grant = service.grant_account(caller, requirements, target)?;
    service.count(counting, &grant).await?;
    if let Some(account) = account
        && service.catalog.account(account).await?.is_none()
    {
        return Err(Error::NoSuchAccount {
            account_id: account.to_string(),
        });
    }
    Ok((grant, account))
}

fn account_id(named: &str) -> Result<AccountId, Error> {
    let id = named.parse().map_err(|_| Error::InvalidArgument {
        field: "account_id",
        problem: "must be the id of an account, a number".to_owned(),
    })?;
    Ok(AccountId(id))
}
