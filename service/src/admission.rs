//! The first step of every operation: its caller is proved, judged, counted, and gets a grant.

use std::sync::Arc;

use bucketry_contract::access_table::Classified;
use bucketry_contract::v1::CopyObjectRequest;

use crate::access::{self, AccessClass, Target};
use crate::catalog::model::{Bucket, BucketState, KeyScope};
use crate::convert::bucket_name;
use crate::error::Error;
use crate::gate::{Caller, Counting};
use crate::grant::{AccountGrant, Asked, Decided, Grant, Held, target};
use crate::judgement::judge;
use crate::service::{Service, classes};

impl Service {
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
        let (rpc, counting) = (caller.rpc(), caller.counting());
        let asked = Asked { rpc, bucket, key };
        let found = caller.decided_bucket();
        let caller = self.proven(caller, bucket, key).await?;
        let grant = match found {
            Some(found) => self.admit_found(caller, classes(request), found, asked)?,
            None => self.admit_proven(caller, classes(request), asked).await?,
        };
        self.count(counting, &grant).await?;
        Ok(grant)
    }

    pub(crate) async fn admit_proven(
        &self,
        caller: access::Caller,
        classes: Vec<AccessClass>,
        asked: Asked<'_>,
    ) -> Result<Grant, Error> {
        let name = bucket_name(asked.bucket)?;
        let found = self.catalog.bucket_by_name(&name).await?;
        let about = found.as_deref().map_or(Target::AbsentBucket, target);
        self.decide_all(&caller, &classes, about, asked)?;
        let bucket = found.ok_or_else(|| Error::NoSuchBucket {
            bucket: asked.bucket.to_owned(),
        })?;
        Ok(Grant {
            bucket,
            held: Held::new(caller, classes, asked),
        })
    }

    /// Admits a caller to a bucket that is found already, be it gone: nothing of it is told before this.
    pub(crate) fn admit_found(
        &self,
        caller: access::Caller,
        classes: Vec<AccessClass>,
        bucket: Arc<Bucket>,
        asked: Asked<'_>,
    ) -> Result<Grant, Error> {
        self.decide_all(&caller, &classes, target(&bucket), asked)?;
        Ok(Grant {
            bucket,
            held: Held::new(caller, classes, asked),
        })
    }

    /// Admits a caller to make a bucket, which is not there yet, or is.
    pub(crate) async fn admit_bucket_creation(
        &self,
        caller: Caller,
        request: &impl Classified,
        bucket: &str,
    ) -> Result<AccountGrant, Error> {
        let (rpc, counting) = (caller.rpc(), caller.counting());
        let asked = Asked {
            rpc,
            bucket,
            key: "",
        };
        let caller = self.proven(caller, bucket, "").await?;
        let grant = self
            .bucket_creation(caller, classes(request), asked)
            .await?;
        self.count(counting, &grant).await?;
        Ok(grant)
    }

    pub(crate) async fn bucket_creation(
        &self,
        caller: access::Caller,
        classes: Vec<AccessClass>,
        asked: Asked<'_>,
    ) -> Result<AccountGrant, Error> {
        let name = bucket_name(asked.bucket)?;
        let found = self.catalog.bucket_by_name(&name).await?;
        let token = caller
            .key()
            .is_some_and(|key| matches!(key.scope, KeyScope::Bucket { .. }));
        let target = match &found {
            Some(found) if token => target(found),
            None if token => Target::AbsentBucket,
            // Whose the bucket of this name is decides the commit, and S3 has an answer of its own for it.
            Some(_) | None => Target::AbsentBucket,
        };
        self.admit_target(caller, classes, target, asked)
    }

    /// Admits a caller to an operation that is about no bucket.
    pub(crate) async fn admit_account(
        &self,
        caller: Caller,
        request: &impl Classified,
    ) -> Result<AccountGrant, Error> {
        let (rpc, counting) = (caller.rpc(), caller.counting());
        let asked = Asked {
            rpc,
            bucket: "",
            key: "",
        };
        let caller = self.proven(caller, "", "").await?;
        let target = self.service_target(&caller).await?;
        let grant = self.admit_target(caller, classes(request), target, asked)?;
        self.count(counting, &grant).await?;
        Ok(grant)
    }

    /// The service as a target. A token needs its bucket: without it the token reaches nothing.
    pub(crate) async fn service_target(&self, caller: &access::Caller) -> Result<Target, Error> {
        let Some(KeyScope::Bucket { bucket, .. }) = caller.key().map(|key| key.scope) else {
            return Ok(Target::Service);
        };
        let found = self.catalog.bucket(bucket).await?;
        Ok(match found.map(|bucket| bucket.state) {
            Some(BucketState::Alive) => Target::Service,
            Some(BucketState::Deleted) | None => Target::ServiceOfOrphan,
        })
    }

    pub(crate) fn admit_target(
        &self,
        caller: access::Caller,
        classes: Vec<AccessClass>,
        target: Target,
        asked: Asked<'_>,
    ) -> Result<AccountGrant, Error> {
        self.decide_all(&caller, &classes, target, asked)?;
        Ok(AccountGrant {
            target,
            bucket: asked.bucket.into(),
            held: Held::new(caller, classes, asked),
        })
    }

    /// Admits the caller of a copy to read its source. It is part of the copy, and not counted as a request of its own;
    /// a refusal is.
    pub(crate) async fn admit_source(
        &self,
        grant: &Grant,
        bucket: &str,
        key: &str,
    ) -> Result<Arc<Bucket>, Error> {
        let asked = Asked {
            rpc: CopyObjectRequest::RPC,
            bucket,
            key,
        };
        let source = self
            .admit_proven(grant.caller().clone(), vec![AccessClass::Read], asked)
            .await?;
        Ok(source.bucket)
    }

    fn decide_all(
        &self,
        caller: &access::Caller,
        classes: &[AccessClass],
        target: Target,
        asked: Asked<'_>,
    ) -> Result<(), Error> {
        // Nothing needed would be everything allowed.
        if classes.is_empty() {
            return Err(Error::internal("an operation without an access class"));
        }
        judge(caller, classes, target, self.now()).map_err(|refused| {
            self.ledger
                .refuse(caller, refused, (asked.bucket, asked.key))
        })
    }

    /// Counts a request that was let in, unless its edge has done so already.
    ///
    /// # Errors
    /// The limit that the key has reached: the request is refused after all.
    pub(crate) async fn count(
        &self,
        counting: Counting,
        decided: &impl Decided,
    ) -> Result<(), Error> {
        match counting {
            Counting::AtTheEdge => Ok(()),
            Counting::Here => {
                let class = decided.request_class();
                self.ledger
                    .request(&self.catalog, decided.caller(), class, decided.named())
                    .await
            }
        }
    }
}
