//! The first step of every operation: its caller is identified, judged and counted, and gets a grant.

use std::sync::Arc;

use bucketry_contract::access_table::Classified;

use super::counting::Counting;
use super::credentials::Credentials;
use super::current_read::{CurrentRead, NoObject, ObjectRowOf, WholeObject};
use super::grant::{AccountGrant, Authorization, BucketGrant, Grant};
use super::judgement::judge;
use super::presumed::{IdentifiedCaller, PresumedCaller};
use super::requirement::{Requirements, Resource};
use super::service::Service;
use crate::access::{self, AccessTarget};
use crate::catalog::model::{Bucket, BucketState, KeyScope, ObjectRow, StoredObject};
use crate::catalog::{AccessRows, ObjectRead};
use crate::convert::bucket_name;
use crate::domain::ObjectKey;
use crate::error::Error;

/// How often current rows are read because the bucket was deleted and created again meanwhile.
const MAX_READS: usize = 3;

impl Service {
    /// Admits a caller to a bucket or an object in it, for all that the request needs.
    ///
    /// A caller who may not know whether the bucket exists gets the same answer either way.
    pub(crate) async fn admit(
        &self,
        credentials: Credentials,
        request: &impl Classified,
        resource: Resource<'_>,
    ) -> Result<BucketGrant, Error> {
        let requirements = Requirements::of(request, resource);
        let (grant, ()) = self
            .admit_and_read(credentials, requirements, NoObject)
            .await?;
        Ok(grant)
    }

    /// Admits a caller to an object, and reads it: as [`Service::admit`], but the current rows of the key and the bucket
    /// come with the object, in one statement.
    pub(crate) async fn admit_to_object(
        &self,
        credentials: Credentials,
        request: &impl Classified,
        resource: Resource<'_>,
        key: &ObjectKey,
    ) -> Result<(BucketGrant, Option<Arc<StoredObject>>), Error> {
        let requirements = Requirements::of(request, resource);
        self.admit_and_read(credentials, requirements, WholeObject(key))
            .await
    }

    /// As [`Service::admit_to_object`], without the data of the object.
    pub(crate) async fn admit_to_row(
        &self,
        credentials: Credentials,
        request: &impl Classified,
        resource: Resource<'_>,
        key: &ObjectKey,
    ) -> Result<(BucketGrant, Option<Arc<ObjectRow>>), Error> {
        let requirements = Requirements::of(request, resource);
        self.admit_and_read(credentials, requirements, ObjectRowOf(key))
            .await
    }

    /// Presumes the caller and the bucket, reads their current rows with what `wanted` reads, and decides on those.
    async fn admit_and_read<W: CurrentRead>(
        &self,
        credentials: Credentials,
        requirements: Requirements,
        wanted: W,
    ) -> Result<(BucketGrant, W::Object), Error> {
        let mut presumed = self.presume(credentials, &requirements).await?;
        let owners = presumed.owners;
        if presumed.rows.bucket.is_none() {
            let remembered = self.remembered_bucket(&presumed.caller, &requirements);
            presumed.rows.bucket = Some(match remembered {
                Some(bucket) => bucket,
                None => {
                    self.decide_on_bucket(&presumed.caller, &requirements)
                        .await?
                }
            });
        }
        for _ in 0..MAX_READS {
            let ObjectRead { rows, object } = wanted.read(&self.catalog, &presumed.rows).await?;
            let key_row = rows.key.clone();
            let identified = self.by_current_rows(presumed, rows, requirements.resource())?;
            let IdentifiedCaller {
                caller,
                bucket,
                counting,
            } = identified;
            if let Some(bucket) = bucket {
                let grant = self.grant_bucket(caller, requirements, bucket)?;
                let grant = grant.with_expected_owners(owners)?;
                self.count(counting, &grant).await?;
                return Ok((grant, object));
            }
            // The bucket was deleted. There may be another one of its name.
            let bucket = self.decide_on_bucket(&caller, &requirements).await?;
            presumed = PresumedCaller {
                caller,
                rows: AccessRows {
                    key: key_row,
                    bucket: Some(bucket),
                },
                counting,
                owners,
            };
        }
        let problem = "the bucket was deleted and created again several times during a request";
        Err(Error::Unavailable(problem.into()))
    }

    /// Decides on a caller by the current rows of those that it was presumed by. Returns the caller and the current rows.
    pub(crate) async fn confirm(
        &self,
        presumed: PresumedCaller,
        requirements: &Requirements,
    ) -> Result<(access::Caller, AccessRows), Error> {
        let current = self.catalog.current_rows(&presumed.rows).await?;
        let key = current.key.clone();
        let identified = self.by_current_rows(presumed, current, requirements.resource())?;
        let IdentifiedCaller { caller, bucket, .. } = identified;
        let bucket = match bucket {
            Some(bucket) => {
                self.decide(&caller, requirements, target(&bucket))?;
                bucket
            }
            None => self.decide_on_bucket(&caller, requirements).await?,
        };
        let bucket = Some(bucket);
        Ok((caller, AccessRows { key, bucket }))
    }

    /// The bucket that a call names, as the catalog remembers it, if the call is allowed on it. It may be outdated, so
    /// that nothing is denied, recorded or answered by it.
    pub(crate) fn remembered_bucket(
        &self,
        caller: &access::Caller,
        requirements: &Requirements,
    ) -> Option<Arc<Bucket>> {
        let name = requirements.resource().bucket_name().parse().ok()?;
        let bucket = self.catalog.remembered_bucket(&name)?;
        let classes = requirements.classes();
        let allowed = judge(caller, classes, target(&bucket), self.now()).is_ok();
        (allowed && !classes.is_empty()).then_some(bucket)
    }

    /// Admits a caller to a bucket that has been found already; it may be deleted. No answer may reveal anything about
    /// the bucket before this.
    pub(crate) fn grant_bucket(
        &self,
        caller: access::Caller,
        requirements: Requirements,
        bucket: Arc<Bucket>,
    ) -> Result<BucketGrant, Error> {
        self.decide(&caller, &requirements, target(&bucket))?;
        Ok(bucket_grant(caller, requirements, bucket))
    }

    /// Finds the bucket that a call names, and decides on it.
    pub(crate) async fn decide_on_bucket(
        &self,
        caller: &access::Caller,
        requirements: &Requirements,
    ) -> Result<Arc<Bucket>, Error> {
        let named = requirements.resource().bucket_name();
        let found = self.catalog.bucket_by_name(&bucket_name(named)?).await?;
        let target = found.as_deref().map_or(AccessTarget::AbsentBucket, target);
        self.decide(caller, requirements, target)?;
        found.ok_or_else(|| Error::NoSuchBucket {
            bucket: named.to_owned(),
        })
    }

    /// Admits a caller to create a bucket, whether or not there is one of that name.
    pub(crate) async fn admit_bucket_creation(
        &self,
        credentials: Credentials,
        request: &impl Classified,
        bucket: &str,
    ) -> Result<AccountGrant, Error> {
        let requirements = Requirements::of(request, Resource::bucket(bucket));
        let IdentifiedCaller {
            caller, counting, ..
        } = self.identify(credentials, &requirements).await?;
        let target = self.creation_target(&caller, &requirements).await?;
        let grant = self.grant_account(caller, requirements, target)?;
        self.count(counting, &grant).await?;
        Ok(grant)
    }

    /// The target of bucket creation. A token may "create" its own bucket. For all other callers the commit checks who
    /// owns an existing bucket, because S3 has an error of its own for that.
    pub(crate) async fn creation_target(
        &self,
        caller: &access::Caller,
        requirements: &Requirements,
    ) -> Result<AccessTarget, Error> {
        let name = bucket_name(requirements.resource().bucket_name())?;
        let scope = caller.key().map(|key| key.scope);
        let found = match scope {
            Some(KeyScope::Bucket { .. }) => self.catalog.bucket_by_name(&name).await?,
            Some(KeyScope::Everything | KeyScope::Account(_) | KeyScope::Edge) | None => None,
        };
        Ok(found.as_deref().map_or(AccessTarget::AbsentBucket, target))
    }

    /// Admits a caller to an operation on an account or the service as a whole.
    pub(crate) async fn admit_account(
        &self,
        credentials: Credentials,
        request: &impl Classified,
    ) -> Result<AccountGrant, Error> {
        let requirements = Requirements::of(request, Resource::Service);
        let IdentifiedCaller {
            caller, counting, ..
        } = self.identify(credentials, &requirements).await?;
        let target = self.service_target(&caller).await?;
        let grant = self.grant_account(caller, requirements, target)?;
        self.count(counting, &grant).await?;
        Ok(grant)
    }

    /// The service as a target. A token needs its bucket: without it the token reaches nothing.
    pub(crate) async fn service_target(
        &self,
        caller: &access::Caller,
    ) -> Result<AccessTarget, Error> {
        let Some(KeyScope::Bucket { bucket, .. }) = caller.key().map(|key| key.scope) else {
            return Ok(AccessTarget::Service);
        };
        let found = self.catalog.bucket(bucket).await?;
        Ok(match found.map(|bucket| bucket.state) {
            Some(BucketState::Alive) => AccessTarget::Service,
            Some(BucketState::Deleted) | None => AccessTarget::ServiceOfOrphan,
        })
    }

    pub(crate) fn grant_account(
        &self,
        caller: access::Caller,
        requirements: Requirements,
        target: AccessTarget,
    ) -> Result<AccountGrant, Error> {
        self.decide(&caller, &requirements, target)?;
        Ok(AccountGrant {
            authorization: Authorization::new(caller, requirements, target),
        })
    }

    /// Admits the caller of a copy to read its source. This is part of the copy and not counted as a request of its own;
    /// a denial is recorded.
    pub(crate) async fn admit_source(&self, copy: &BucketGrant) -> Result<Arc<Bucket>, Error> {
        let requirements = copy.requirements().of_source();
        let requirements =
            requirements.ok_or_else(|| Error::internal("a copy without a source"))?;
        let bucket = self.decide_on_bucket(copy.caller(), &requirements).await?;
        copy.check_source_owner(&bucket)?;
        Ok(bucket)
    }

    /// Judges what a call needs on its target, and records a denial.
    pub(crate) fn decide(
        &self,
        caller: &access::Caller,
        requirements: &Requirements,
        target: AccessTarget,
    ) -> Result<(), Error> {
        let classes = requirements.classes();
        // Without a requirement everything would be allowed.
        if classes.is_empty() {
            return Err(Error::internal("an operation without an access class"));
        }
        judge(caller, classes, target, self.now())
            .map_err(|denial| self.ledger.deny(caller, denial, requirements.resource()))
    }

    /// Counts a request that was let in, unless its edge has done so already.
    ///
    /// # Errors
    /// The limit that the key has reached: the request is refused after all.
    pub(crate) async fn count(&self, counting: Counting, grant: &impl Grant) -> Result<(), Error> {
        match counting {
            Counting::AtTheEdge | Counting::ByDecision => Ok(()),
            Counting::Here => {
                let class = grant.request_class();
                self.ledger
                    .request(&self.catalog, grant.caller(), class, grant.resource())
                    .await
            }
        }
    }
}

/// Call this only after the decision.
fn bucket_grant(
    caller: access::Caller,
    requirements: Requirements,
    bucket: Arc<Bucket>,
) -> BucketGrant {
    BucketGrant {
        authorization: Authorization::new(caller, requirements, target(&bucket)),
        bucket,
        source_owner: None,
    }
}

fn target(bucket: &Bucket) -> AccessTarget {
    AccessTarget::Bucket {
        bucket: bucket.id,
        account: bucket.account,
    }
}
