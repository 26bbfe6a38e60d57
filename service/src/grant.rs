//! What an admitted caller holds while the operation runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bucketry_contract::access_table::RPC_ACCESS;

use crate::access::{self, AccessClass, Target};
use crate::catalog::model::{Bucket, KeyScope};
use crate::metering::RequestClass;
use crate::service::evaluated;

/// What a request names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The RPC, as in `PutObject`.
    pub(crate) rpc: &'a str,
    /// The bucket; empty: none.
    pub(crate) bucket: &'a str,
    /// The object key; empty: none.
    pub(crate) key: &'a str,
}

impl Asked<'_> {
    /// The kind of request that this is, for usage.
    pub(crate) fn request_class(&self, classes: &[AccessClass]) -> RequestClass {
        let of_rpc = || {
            let found = RPC_ACCESS.iter().find(|access| access.rpc == self.rpc);
            found.map(|access| evaluated(access.class))
        };
        RequestClass::of(classes, of_rpc)
    }
}

/// A caller who may do what was asked of a bucket.
pub(crate) struct Grant {
    pub(crate) bucket: Arc<Bucket>,
    pub(super) held: Held,
}

/// A caller who may do what was asked of no bucket in particular.
pub(crate) struct AccountGrant {
    pub(super) target: Target,
    pub(super) bucket: Box<str>,
    pub(super) held: Held,
}

/// What both have.
pub(super) struct Held {
    caller: access::Caller,
    classes: Vec<AccessClass>,
    request_class: RequestClass,
    key: Box<str>,
    /// Whether it is noted that the grant was taken back: once for a request.
    withdrawn: AtomicBool,
}

impl Held {
    pub(super) fn new(caller: access::Caller, classes: Vec<AccessClass>, asked: Asked<'_>) -> Self {
        Self {
            request_class: asked.request_class(&classes),
            key: asked.key.into(),
            caller,
            classes,
            withdrawn: AtomicBool::new(false),
        }
    }
}

/// A decision that is made again when the caller's key changes before the commit.
pub(crate) trait Decided: Sync {
    fn caller(&self) -> &access::Caller;
    /// All that must be allowed.
    fn classes(&self) -> &[AccessClass];
    fn target(&self) -> Target;
    /// The kind of request, for usage.
    fn request_class(&self) -> RequestClass;
    /// The bucket and the key that were asked for; empty: none.
    fn named(&self) -> (&str, &str);
    /// To be called when the grant is taken back; answers whether that is news.
    fn withdraw(&self) -> bool;

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

/// The methods that are the same for both.
macro_rules! held {
    () => {
        fn caller(&self) -> &access::Caller {
            &self.held.caller
        }

        fn classes(&self) -> &[AccessClass] {
            &self.held.classes
        }

        fn request_class(&self) -> RequestClass {
            self.held.request_class
        }

        fn withdraw(&self) -> bool {
            !self.held.withdrawn.swap(true, Ordering::Relaxed)
        }
    };
}

impl Decided for Grant {
    held!();

    fn target(&self) -> Target {
        target(&self.bucket)
    }

    fn named(&self) -> (&str, &str) {
        (self.bucket.name.as_str(), &self.held.key)
    }
}

impl Decided for AccountGrant {
    held!();

    fn target(&self) -> Target {
        self.target
    }

    fn named(&self) -> (&str, &str) {
        (&self.bucket, &self.held.key)
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

pub(crate) fn target(bucket: &Bucket) -> Target {
    Target::Bucket {
        bucket: bucket.id,
        account: bucket.account,
    }
}
