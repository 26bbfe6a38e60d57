//! What every operation works with, and the two steps that every operation takes: to be admitted, and to commit.

use std::sync::Arc;

use bucketry_contract::access_table::{AccessClass as ContractClass, Classified};
use moka::sync::Cache;

use crate::access::{
    self, AccessClass, Decision, Denial, Keyring, PolicyVerdict, Question, Target,
};
use crate::blobs::BlobStore;
use crate::catalog::model::{AuditEntry, Bucket, KeyScope};
use crate::catalog::mutation::{Guard, IfNoneMatch, Preconditions};
use crate::catalog::{Catalog, CatalogError, Refusal, TypedChange};
use crate::clock::Clock;
use crate::config::PlaintextCredentials;
use crate::convert::{Owner, bucket_name};
use crate::domain::{AccountId, ObjectKey, Timestamp};
use crate::error::Error;
use crate::gate::{self, Caller};
use crate::page_tokens::PageTokens;
use crate::placement::Placement;

/// How often a commit is decided again because the caller's key was edited meanwhile.
const MAX_DECISIONS: usize = 5;

/// The service: catalog, blobs, keys.
pub struct Service {
    pub(crate) catalog: Catalog,
    pub(crate) blobs: BlobStore,
    pub(crate) placement: Placement,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) signing_keys: access::sigv4::SigningKeyCache,
    pub(crate) page_tokens: PageTokens,
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    pub(crate) owners: Cache<AccountId, Owner>,
}

/// What the operator chose.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The URL that clients use.
    pub endpoint_url: String,
    /// The region that S3 clients sign for.
    pub region: String,
    /// From where credentials may come without TLS.
    pub plaintext_credentials: PlaintextCredentials,
    /// The account that exists from the first start; what an operator makes belongs to it.
    pub first_account: AccountId,
}

/// A caller who may do what was asked of a bucket.
pub(crate) struct Grant {
    pub(crate) bucket: Arc<Bucket>,
    caller: access::Caller,
    classes: Vec<AccessClass>,
}

/// A caller who may do what was asked of no bucket in particular.
pub(crate) struct AccountGrant {
    caller: access::Caller,
    classes: Vec<AccessClass>,
    target: Target,
}

/// A decision that is made again when the caller's key changes before the commit.
pub(crate) trait Decided: Sync {
    fn caller(&self) -> &access::Caller;
    /// All that must be allowed.
    fn classes(&self) -> &[AccessClass];
    fn target(&self) -> Target;

    fn scope(&self) -> Option<KeyScope> {
        self.caller().key().map(|key| key.scope)
    }

    /// Who it is, for the records.
    fn actor(&self) -> String {
        self.caller().key().map_or_else(
            || "anonymous".to_owned(),
            |key| key.access_key_id.to_string(),
        )
    }
}

impl Decided for Grant {
    fn caller(&self) -> &access::Caller {
        &self.caller
    }

    fn classes(&self) -> &[AccessClass] {
        &self.classes
    }

    fn target(&self) -> Target {
        target(&self.bucket)
    }
}

impl Decided for AccountGrant {
    fn caller(&self) -> &access::Caller {
        &self.caller
    }

    fn classes(&self) -> &[AccessClass] {
        &self.classes
    }

    fn target(&self) -> Target {
        self.target
    }
}

impl Grant {
    pub(crate) fn actor(&self) -> String {
        Decided::actor(self)
    }
}

impl AccountGrant {
    pub(crate) fn scope(&self) -> Option<KeyScope> {
        Decided::scope(self)
    }
}

fn target(bucket: &Bucket) -> Target {
    Target::Bucket {
        bucket: bucket.id,
        account: bucket.account,
    }
}

fn question(
    caller: &access::Caller,
    class: AccessClass,
    target: Target,
    now: Timestamp,
) -> Question<'_> {
    Question {
        subject: caller.subject(),
        class,
        target,
        policy: PolicyVerdict::Silent,
        now,
    }
}

/// Whether all of `classes` is allowed.
pub(crate) fn judge(
    caller: &access::Caller,
    classes: &[AccessClass],
    target: Target,
    now: Timestamp,
) -> Result<(), Error> {
    classes
        .iter()
        .try_for_each(|&class| decide(&question(caller, class, target, now)))
}

fn decide(question: &Question<'_>) -> Result<(), Error> {
    match access::decide(question) {
        Decision::Allow { .. } => Ok(()),
        Decision::Deny(denial) => {
            let key = question.subject.key;
            tracing::info!(
                ?denial,
                access_key_id = key.map(|key| tracing::field::display(&key.access_key_id)),
                address = %question.subject.address,
                class = ?question.class,
                "denied"
            );
            Err(match denial {
                Denial::KeyUnusable(_) => Error::InvalidAccessKeyId {
                    access_key_id: key
                        .map(|key| key.access_key_id.to_string())
                        .unwrap_or_default(),
                },
                Denial::Anonymous => Error::CredentialsRequired,
                Denial::Address(_)
                | Denial::Policy
                | Denial::OtherBucket
                | Denial::OtherAccount
                | Denial::PermissionLacks(_)
                | Denial::AdministratorsOnly
                | Denial::OperatorsOnly
                | Denial::NoBucketNamed => Error::AccessDenied,
            })
        }
    }
}

impl Service {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Random bytes for an id.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).map_err(|error| Error::Internal(Box::new(error)))?;
        Ok(bytes)
    }

    /// An account as S3 shows it.
    pub(crate) async fn owner(&self, account: AccountId) -> Result<Owner, Error> {
        if let Some(owner) = self.owners.get(&account) {
            return Ok(owner);
        }
        let row = self.catalog.account(account).await?;
        let owner = Owner::from(&row.ok_or_else(|| Error::internal("an owner without a row"))?);
        self.owners.insert(account, owner.clone());
        Ok(owner)
    }

    /// Admits a caller to a bucket, for all that the request needs. `key` is empty if the operation has none.
    ///
    /// A caller who may not know whether the bucket exists gets the same answer either way.
    pub(crate) async fn admit(
        &self,
        caller: Caller,
        request: &impl Classified,
        bucket: &str,
        key: &str,
    ) -> Result<Grant, Error> {
        let caller = self.proven(caller, bucket, key).await?;
        self.admit_proven(caller, classes(request), bucket).await
    }

    pub(crate) async fn admit_proven(
        &self,
        caller: access::Caller,
        classes: Vec<AccessClass>,
        bucket: &str,
    ) -> Result<Grant, Error> {
        let name = bucket_name(bucket)?;
        let found = self.catalog.bucket_by_name(&name).await?;
        let about = found.as_deref().map_or(Target::AbsentBucket, target);
        self.decide_all(&caller, &classes, about)?;
        let bucket = found.ok_or_else(|| Error::NoSuchBucket {
            bucket: bucket.to_owned(),
        })?;
        Ok(Grant {
            bucket,
            caller,
            classes,
        })
    }

    /// Admits a caller to a bucket that is found already, be it gone: nothing of it is told before this.
    pub(crate) fn admit_found(
        &self,
        caller: access::Caller,
        classes: Vec<AccessClass>,
        bucket: Arc<Bucket>,
    ) -> Result<Grant, Error> {
        self.decide_all(&caller, &classes, target(&bucket))?;
        Ok(Grant {
            bucket,
            caller,
            classes,
        })
    }

    /// Admits a caller to make a bucket, which is not there yet, or is.
    pub(crate) async fn admit_bucket_creation(
        &self,
        caller: Caller,
        request: &impl Classified,
        bucket: &str,
    ) -> Result<AccountGrant, Error> {
        let caller = self.proven(caller, bucket, "").await?;
        self.bucket_creation(caller, classes(request), bucket).await
    }

    pub(crate) async fn bucket_creation(
        &self,
        caller: access::Caller,
        classes: Vec<AccessClass>,
        bucket: &str,
    ) -> Result<AccountGrant, Error> {
        let found = self.catalog.bucket_by_name(&bucket_name(bucket)?).await?;
        let token = caller
            .key()
            .is_some_and(|key| matches!(key.scope, KeyScope::Bucket { .. }));
        let target = match &found {
            Some(found) if token => target(found),
            None if token => Target::AbsentBucket,
            // Whose the bucket of this name is decides the commit, and S3 has an answer of its own for it.
            Some(_) | None => Target::AbsentBucket,
        };
        self.admit_target(caller, classes, target)
    }

    /// Admits a caller to an operation that is about no bucket.
    pub(crate) async fn admit_account(
        &self,
        caller: Caller,
        request: &impl Classified,
    ) -> Result<AccountGrant, Error> {
        let caller = self.proven(caller, "", "").await?;
        self.admit_target(caller, classes(request), Target::Service)
    }

    pub(crate) fn admit_target(
        &self,
        caller: access::Caller,
        classes: Vec<AccessClass>,
        target: Target,
    ) -> Result<AccountGrant, Error> {
        self.decide_all(&caller, &classes, target)?;
        Ok(AccountGrant {
            caller,
            classes,
            target,
        })
    }

    /// Admits the caller of a copy to read its source.
    pub(crate) async fn admit_source(
        &self,
        grant: &Grant,
        bucket: &str,
    ) -> Result<Arc<Bucket>, Error> {
        let source = self
            .admit_proven(grant.caller.clone(), vec![AccessClass::Read], bucket)
            .await?;
        Ok(source.bucket)
    }

    fn decide_all(
        &self,
        caller: &access::Caller,
        classes: &[AccessClass],
        target: Target,
    ) -> Result<(), Error> {
        // Nothing needed would be everything allowed.
        if classes.is_empty() {
            return Err(Error::internal("an operation without an access class"));
        }
        judge(caller, classes, target, self.now())
    }

    /// Looks whether a write is bound to fail, before its body is read. The commit decides; this saves an upload.
    pub(crate) async fn foresee(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        preconditions: &Preconditions,
    ) -> Result<(), Error> {
        if preconditions.if_none_match == Some(IfNoneMatch::Any)
            && self.catalog.object(bucket.id, key).await?.is_some()
        {
            return Err(Error::PreconditionFailed {
                condition: "If-None-Match",
            });
        }
        Ok(())
    }

    /// Commits a change in the caller's name. If the caller's key was edited since it was admitted, it is decided
    /// again: an edit that leaves the caller its right does not disturb it, a revocation ends it.
    pub(crate) async fn commit<C: TypedChange>(
        &self,
        decided: &impl Decided,
        change: impl Fn(Guard) -> C,
    ) -> Result<C::Answer, CatalogError> {
        self.commit_audited(decided, change, &[]).await
    }

    /// As [`Service::commit`], with records for the audit that are written if and only if the change is made.
    pub(crate) async fn commit_audited<C: TypedChange>(
        &self,
        decided: &impl Decided,
        change: impl Fn(Guard) -> C,
        audit: &[AuditEntry],
    ) -> Result<C::Answer, CatalogError> {
        let submit = |guard| self.catalog.submit_audited(change(guard), audit.to_vec());
        let Some(facts) = decided.caller().key() else {
            return submit(Guard::System).await;
        };
        let mut facts = Arc::clone(facts);
        for _ in 0..MAX_DECISIONS {
            let guard = Guard::Key {
                pk: facts.pk,
                epoch: facts.epoch,
            };
            let refused = match submit(guard).await {
                Err(CatalogError::Refused(Refusal::EpochMoved { pk, epoch })) => {
                    Refusal::EpochMoved { pk, epoch }
                }
                other => return other,
            };
            let inactive = || {
                CatalogError::Refused(Refusal::KeyNotActive {
                    pk: facts.pk,
                    state: None,
                })
            };
            let current = self.catalog.access_key(&facts.access_key_id).await?;
            let current = current.ok_or_else(inactive)?;
            let current = Arc::new(access::KeyFacts::from(current.as_ref()));
            let caller = decided.caller().with_current_facts(Arc::clone(&current));
            let caller = caller.ok_or_else(inactive)?;
            let now = self.now();
            let still = decided.classes().iter().all(|&class| {
                access::decide(&question(&caller, class, decided.target(), now)).is_allowed()
            });
            if !still {
                return Err(inactive());
            }
            if current.epoch == facts.epoch {
                return Err(refused.into());
            }
            facts = current;
        }
        Err(CatalogError::Refused(Refusal::EpochMoved {
            pk: facts.pk,
            epoch: facts.epoch,
        }))
    }
}

pub(crate) fn classes(request: &impl Classified) -> Vec<AccessClass> {
    let needed = request.requirements();
    needed
        .into_iter()
        .map(|needed| evaluated(needed.class))
        .collect()
}

/// The contract's class as the evaluator knows it. Exhaustive, so that the two cannot drift apart.
pub(crate) fn evaluated(class: ContractClass) -> AccessClass {
    match class {
        ContractClass::Public => AccessClass::Public,
        ContractClass::Authenticated => AccessClass::Authenticated,
        ContractClass::BucketProbe => AccessClass::BucketProbe,
        ContractClass::Read => AccessClass::Read,
        ContractClass::List => AccessClass::List,
        ContractClass::Write => AccessClass::Write,
        ContractClass::ReadWrite => AccessClass::ReadWrite,
        ContractClass::Delete => AccessClass::Delete,
        ContractClass::ListParts => AccessClass::ListParts,
        ContractClass::BucketAdmin => AccessClass::BucketAdmin,
        ContractClass::AccountAdmin => AccessClass::AccountAdmin,
        ContractClass::Edge => AccessClass::Edge,
        ContractClass::CreateBucket => AccessClass::CreateBucket,
        ContractClass::Copy => AccessClass::Copy,
        // An unnamed class is for nobody but the operator.
        ContractClass::Operator | ContractClass::Unspecified => AccessClass::Operator,
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

pub(crate) use gate::session_use;
