//! What a call needs. Admission, `Authorize`, `ExplainAccess` and the comparison of a call with a local decision all
//! use this module.

use bucketry_contract::access_table::{
    self, AccessClass as ContractClass, ActionAccess, Classified, RPC_ACCESS, RpcAccess,
};
use bucketry_contract::v1::GetObjectRequest;

use crate::access::AccessClass;
use crate::metering::RequestClass;

/// All S3 operations are calls of this service.
pub(crate) const OBJECT_SERVICE: &str = "bucketry.v1.ObjectService";

/// What a requirement is about, by the names in the request. Its existence is checked when the requirement is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource<'a> {
    /// An account or the service as a whole.
    Service,
    /// A bucket.
    Bucket(&'a str),
    /// An object of a bucket.
    Object { bucket: &'a str, key: &'a str },
}

impl<'a> Resource<'a> {
    /// The bucket of this name; the service if the name is empty.
    pub(crate) fn bucket(bucket: &'a str) -> Self {
        match bucket {
            "" => Self::Service,
            bucket => Self::Bucket(bucket),
        }
    }

    /// The object of this name; its bucket if the key is empty.
    pub(crate) fn object(bucket: &'a str, key: &'a str) -> Self {
        match (bucket, key) {
            ("", _) | (_, "") => Self::bucket(bucket),
            (bucket, key) => Self::Object { bucket, key },
        }
    }

    /// The name of the bucket; empty if there is none.
    pub(crate) fn bucket_name(self) -> &'a str {
        match self {
            Self::Service => "",
            Self::Bucket(bucket) | Self::Object { bucket, .. } => bucket,
        }
    }

    /// The key of the object; empty if there is none.
    pub(crate) fn key(self) -> &'a str {
        match self {
            Self::Service | Self::Bucket(_) => "",
            Self::Object { key, .. } => key,
        }
    }
}

/// A [`Resource`] that owns its names, both in one allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ResourceName {
    names: Box<str>,
    bucket_length: usize,
}

impl ResourceName {
    fn new(resource: Resource<'_>) -> Self {
        let (bucket, key) = (resource.bucket_name(), resource.key());
        let mut names = String::with_capacity(bucket.len() + key.len());
        names.push_str(bucket);
        names.push_str(key);
        Self {
            names: names.into_boxed_str(),
            bucket_length: bucket.len(),
        }
    }

    fn resource(&self) -> Resource<'_> {
        let (bucket, key) = self.names.split_at(self.bucket_length);
        Resource::object(bucket, key)
    }
}

/// Something that must be allowed: an access class of an RPC, on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Requirement<'a> {
    /// The RPC, as in `PutObject`.
    pub(crate) rpc: &'static str,
    pub(crate) class: AccessClass,
    pub(crate) resource: Resource<'a>,
}

/// All requirements of one call; at least one.
///
/// All but one are about the resource that the call names, and are judged together before anything else is done. The
/// exception is the source of a copy, which is judged when it is opened: see [`Requirements::of_source`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requirements {
    rpc: &'static str,
    classes: Vec<AccessClass>,
    resource: ResourceName,
    source: Option<ResourceName>,
}

impl Requirements {
    /// The requirements of a request about `resource`.
    pub(crate) fn of<R: Classified>(request: &R, resource: Resource<'_>) -> Self {
        let source = request.copy_source();
        Self {
            source: source
                .map(|source| ResourceName::new(Resource::object(&source.bucket, &source.key))),
            ..Self::new(R::RPC, request.actions(), resource)
        }
    }

    /// The requirements of a hypothetical call. `instead` and `also` are as in [`access_table::needed`].
    pub(crate) fn described(
        access: &'static RpcAccess,
        instead: Vec<ActionAccess>,
        also: Vec<ActionAccess>,
        resource: Resource<'_>,
    ) -> Self {
        let actions = access_table::needed(access.own(), instead, also);
        Self::new(access.rpc, actions, resource)
    }

    /// The requirement of a call whose class is not in the access table, because it depends on more than the request.
    pub(crate) fn of_class(
        rpc: &'static str,
        class: ContractClass,
        resource: Resource<'_>,
    ) -> Self {
        let action = ActionAccess { class, action: "" };
        Self::new(rpc, vec![action], resource)
    }

    fn new(rpc: &'static str, actions: Vec<ActionAccess>, resource: Resource<'_>) -> Self {
        let classes = actions.into_iter();
        Self {
            rpc,
            classes: classes.map(|action| evaluated(action.class)).collect(),
            resource: ResourceName::new(resource),
            source: None,
        }
    }

    /// Arbitrary classes, for tests of the code that judges them.
    #[cfg(test)]
    pub(crate) fn for_tests(
        rpc: &'static str,
        classes: Vec<AccessClass>,
        resource: Resource<'_>,
    ) -> Self {
        Self {
            rpc,
            classes,
            resource: ResourceName::new(resource),
            source: None,
        }
    }

    /// What the source of a copy needs; `None` if the call names no source.
    pub(crate) fn of_source(&self) -> Option<Self> {
        let source = self.source.as_ref()?;
        Some(Self::new(
            GetObjectRequest::RPC,
            vec![access_table::COPY_SOURCE],
            source.resource(),
        ))
    }

    /// The RPC, as in `PutObject`.
    pub(crate) fn rpc(&self) -> &'static str {
        self.rpc
    }

    /// The classes that must be allowed on [`Requirements::resource`].
    pub(crate) fn classes(&self) -> &[AccessClass] {
        &self.classes
    }

    /// The resource that the call names.
    pub(crate) fn resource(&self) -> Resource<'_> {
        self.resource.resource()
    }

    /// Each requirement on [`Requirements::resource`].
    pub(crate) fn iter(&self) -> impl Iterator<Item = Requirement<'_>> {
        let (rpc, resource) = (self.rpc, self.resource());
        self.classes.iter().map(move |&class| Requirement {
            rpc,
            class,
            resource,
        })
    }

    /// Whether these requirements include everything that `call` needs on its resource.
    pub(crate) fn cover(&self, call: &Self) -> bool {
        call.iter()
            .all(|needed| self.iter().any(|decided| decided == needed))
    }

    /// Whether the call creates a bucket and does nothing else.
    pub(crate) fn is_bucket_creation(&self) -> bool {
        self.classes
            .iter()
            .all(|class| *class == AccessClass::CreateBucket)
    }

    /// The kind of request, for usage.
    pub(crate) fn request_class(&self) -> RequestClass {
        let of_rpc = || {
            let found = RPC_ACCESS.iter().find(|access| access.rpc == self.rpc);
            found.map(|access| evaluated(access.class))
        };
        RequestClass::of(&self.classes, of_rpc)
    }
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
        ContractClass::BucketSetting => AccessClass::BucketSetting,
        // Only operators may call an RPC without a class.
        ContractClass::Operator | ContractClass::Unspecified => AccessClass::Operator,
    }
}

#[cfg(test)]
mod tests {
    use bucketry_contract::v1::{
        CopyObjectRequest, CopySource, PutObjectSpec, UpdateObjectRequest, UploadPartCopyRequest,
    };

    use super::*;

    const OBJECT: Resource<'_> = Resource::Object {
        bucket: "photos",
        key: "a/b",
    };

    #[test]
    fn an_empty_name_is_no_name() {
        assert_eq!(Resource::object("photos", "a/b"), OBJECT);
        assert_eq!(Resource::object("photos", ""), Resource::Bucket("photos"));
        assert_eq!(Resource::object("", ""), Resource::Service);
        assert_eq!(Resource::bucket(""), Resource::Service);
        for resource in [Resource::Service, Resource::Bucket("photos"), OBJECT] {
            assert_eq!(ResourceName::new(resource).resource(), resource);
        }
    }

    #[test]
    fn a_requirement_has_rpc_class_and_resource() {
        let needed = Requirements::of(&PutObjectSpec::default(), OBJECT);
        let all: Vec<_> = needed.iter().collect();
        let write = Requirement {
            rpc: "PutObject",
            class: AccessClass::Write,
            resource: OBJECT,
        };
        assert_eq!(all, [write]);
        assert_eq!(needed.of_source(), None);
    }

    #[test]
    fn a_copy_needs_to_read_its_source() {
        let source = Some(CopySource {
            bucket: "other".to_owned(),
            key: "from".to_owned(),
            ..CopySource::default()
        });
        let copy = CopyObjectRequest {
            source: source.clone(),
            ..CopyObjectRequest::default()
        };
        let part = UploadPartCopyRequest {
            source,
            ..UploadPartCopyRequest::default()
        };
        let read = Requirement {
            rpc: "GetObject",
            class: AccessClass::Read,
            resource: Resource::object("other", "from"),
        };
        for needed in [
            Requirements::of(&copy, OBJECT),
            Requirements::of(&part, OBJECT),
        ] {
            assert_eq!(needed.classes(), [AccessClass::Copy]);
            let source = needed.of_source().unwrap();
            assert_eq!(source.iter().collect::<Vec<_>>(), [read]);
        }
    }

    #[test]
    fn a_described_call_needs_what_the_call_needs() {
        let request = UpdateObjectRequest {
            update_mask: Some(prost_types::FieldMask {
                paths: vec!["attributes.tagging".to_owned()],
            }),
            ..UpdateObjectRequest::default()
        };
        let access = access_table::of(OBJECT_SERVICE, "UpdateObject").unwrap();
        let path = access_table::of_update("UpdateObject", "attributes.tagging").unwrap();
        let described = Requirements::described(access, Vec::new(), vec![path.clear], OBJECT);
        assert_eq!(described, Requirements::of(&request, OBJECT));
        assert_eq!(
            described.classes(),
            [AccessClass::Write, AccessClass::Delete]
        );
    }

    #[test]
    fn requirements_cover_those_that_are_among_them() {
        let both = Requirements {
            classes: vec![AccessClass::Write, AccessClass::Delete],
            ..Requirements::of(&UpdateObjectRequest::default(), OBJECT)
        };
        let one = Requirements {
            classes: vec![AccessClass::Delete],
            ..both.clone()
        };
        assert!(both.cover(&both) && both.cover(&one));
        assert!(!one.cover(&both));
        let other_key = Resource::object("photos", "a/c");
        let elsewhere = Requirements::of(&UpdateObjectRequest::default(), other_key);
        assert!(!both.cover(&elsewhere));
    }
}
