//! Who may call what, as the annotations say: the access of every RPC, of every path of an update mask, and of a
//! concrete request.

pub use crate::access::v1::AccessClass;

mod table {
    use super::{
        AccessClass, ActionAccess, Classified, FieldAccess, ReadAccess, RpcAccess, UpdateAccess,
        needed,
    };
    use crate::generated::bucketry::{adapter, v1};
    include!(concat!(env!("OUT_DIR"), "/access_table.rs"));
}
pub use table::{FIELD_ACCESS, READ_ACCESS, RPC_ACCESS, UPDATE_ACCESS};

use crate::v1::CopySource;

/// What the source of a copy must be allowed: the same as `GetObject`.
pub const COPY_SOURCE: ActionAccess = ActionAccess {
    class: AccessClass::Read,
    action: "s3:GetObject",
};

/// The access of an RPC, before the fields of a concrete request are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RpcAccess {
    /// The service with its package, as in `bucketry.v1.ObjectService`.
    pub service: &'static str,
    /// The RPC, as in `PutObject`.
    pub rpc: &'static str,
    /// Its class.
    pub class: AccessClass,
    /// The S3 policy action, as in `s3:PutObject`; empty where S3 has none.
    pub action: &'static str,
}

impl RpcAccess {
    /// What a request of this RPC needs if none of its fields says otherwise.
    #[must_use]
    pub const fn own(&self) -> ActionAccess {
        ActionAccess {
            class: self.class,
            action: self.action,
        }
    }
}

/// A field that makes a request need more than its RPC says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldAccess {
    /// The RPC, as in `PutObject`.
    pub rpc: &'static str,
    /// The field's path from the request, as in `spec.precondition.if_match`.
    pub field: &'static str,
    /// A value that does not make it need more, as in `*`; empty: none.
    pub except: &'static str,
    /// What it then needs in place of what the RPC says.
    pub raised: ActionAccess,
}

/// The access of one path of an update mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpdateAccess {
    /// The RPC, as in `UpdateBucket`.
    pub rpc: &'static str,
    /// The path, as in `tagging`.
    pub path: &'static str,
    /// To set it.
    pub set: ActionAccess,
    /// To clear it.
    pub clear: ActionAccess,
}

/// The access of one path of a read mask, where it is not that of its RPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadAccess {
    /// The RPC, as in `GetBucket`.
    pub rpc: &'static str,
    /// The path, as in `tagging`.
    pub path: &'static str,
    /// What reading it alone needs, in place of what the RPC needs.
    pub read: ActionAccess,
}

/// An action that must be allowed, with its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionAccess {
    /// The class.
    pub class: AccessClass,
    /// The S3 policy action; empty where S3 has none.
    pub action: &'static str,
}

/// A request that knows what it needs. Implemented for the request of every RPC; of a client stream, for its first
/// message's spec.
pub trait Classified {
    /// The RPC's name, as in `PutObject`.
    const RPC: &'static str;

    /// All that must be allowed on the resource that the request is about; never empty. See [`needed`].
    fn actions(&self) -> Vec<ActionAccess>;

    /// The object that the request copies from. [`COPY_SOURCE`] must be allowed on it in addition.
    fn copy_source(&self) -> Option<&CopySource> {
        None
    }
}

/// All that a request needs of an RPC that by itself needs `own`; never empty.
///
/// `instead` is what fields of the request need in place of that: those of [`FIELD_ACCESS`], and the paths of a read
/// mask. `also` is what the paths of an update mask need in addition.
#[must_use]
pub fn needed(
    own: ActionAccess,
    instead: Vec<ActionAccess>,
    also: Vec<ActionAccess>,
) -> Vec<ActionAccess> {
    let mut all = instead;
    if all.is_empty() {
        all.push(own);
    }
    all.extend(also);
    all
}

/// The access of an RPC. `service` is given with its package.
#[must_use]
pub fn of(service: &str, rpc: &str) -> Option<&'static RpcAccess> {
    RPC_ACCESS
        .iter()
        .find(|access| access.service == service && access.rpc == rpc)
}

/// The access of a path of an update mask.
#[must_use]
pub fn of_update(rpc: &str, path: &str) -> Option<&'static UpdateAccess> {
    UPDATE_ACCESS
        .iter()
        .find(|access| access.rpc == rpc && access.path == path)
}

/// The access of a path of a read mask; `None` if the path needs what the RPC needs.
#[must_use]
pub fn of_read(rpc: &str, path: &str) -> Option<&'static ReadAccess> {
    READ_ACCESS
        .iter()
        .find(|access| access.rpc == rpc && access.path == path)
}

/// The fields that make a request of this RPC need more.
pub fn raising_fields(rpc: &str) -> impl Iterator<Item = &'static FieldAccess> {
    FIELD_ACCESS.iter().filter(move |access| access.rpc == rpc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1;
    use prost_types::FieldMask;

    fn classes(request: &impl Classified) -> Vec<AccessClass> {
        request
            .actions()
            .into_iter()
            .map(|needed| needed.class)
            .collect()
    }

    fn put(precondition: v1::Precondition) -> v1::PutObjectSpec {
        v1::PutObjectSpec {
            precondition: Some(precondition),
            ..Default::default()
        }
    }

    #[test]
    fn finds_rpcs_by_service_and_name() {
        let access = of("bucketry.v1.ObjectService", "DeleteObject").unwrap();
        assert_eq!(
            (access.class, access.action),
            (AccessClass::Delete, "s3:DeleteObject")
        );
        assert_eq!(of("bucketry.v1.TokenService", "DeleteObject"), None);
        assert!(
            RPC_ACCESS
                .iter()
                .all(|access| access.class != AccessClass::Unspecified)
        );
    }

    #[test]
    fn a_condition_that_tells_only_existence_stays_a_write() {
        let absent = v1::Precondition {
            if_none_match: vec!["*".into()],
            if_generation_match: Some(0),
            ..Default::default()
        };
        assert_eq!(classes(&put(absent)), [AccessClass::Write]);
        assert_eq!(classes(&v1::PutObjectSpec::default()), [AccessClass::Write]);
    }

    #[test]
    fn a_condition_that_reveals_raises_the_class() {
        let revealing = [
            v1::Precondition {
                if_match: vec!["*".into()],
                ..Default::default()
            },
            v1::Precondition {
                if_none_match: vec!["*".into(), "a".into()],
                ..Default::default()
            },
            v1::Precondition {
                if_generation_match: Some(7),
                ..Default::default()
            },
            v1::Precondition {
                if_generation_not_match: Some(0),
                ..Default::default()
            },
        ];
        for precondition in revealing {
            assert_eq!(
                classes(&put(precondition.clone())),
                [AccessClass::ReadWrite],
                "{precondition:?}"
            );
        }
    }

    /// Each field of the table raises the class of a request that has it, and its exception does not.
    #[test]
    fn the_table_of_fields_is_what_requests_need() {
        let set = |path: &str, value: &str| match path {
            "spec.precondition.if_match" => v1::Precondition {
                if_match: vec![value.into()],
                ..Default::default()
            },
            "spec.precondition.if_none_match" => v1::Precondition {
                if_none_match: vec![value.into()],
                ..Default::default()
            },
            "spec.precondition.if_generation_match" => v1::Precondition {
                if_generation_match: value.parse().ok(),
                ..Default::default()
            },
            "spec.precondition.if_generation_not_match" => v1::Precondition {
                if_generation_not_match: value.parse().ok(),
                ..Default::default()
            },
            other => panic!("{other}"),
        };
        let fields: Vec<_> = raising_fields("PutObject").collect();
        assert_eq!(fields.len(), 4);
        for access in fields {
            assert_eq!(
                classes(&put(set(access.field, "7"))),
                [access.raised.class],
                "{access:?}"
            );
            if !access.except.is_empty() {
                assert_eq!(
                    classes(&put(set(access.field, access.except))),
                    [AccessClass::Write],
                    "{access:?}"
                );
            }
        }
    }

    #[test]
    fn clearing_tags_is_a_delete_and_setting_them_a_write() {
        let request = |tagging| v1::UpdateObjectRequest {
            object: Some(v1::Object {
                attributes: Some(v1::ObjectAttributes {
                    tagging,
                    ..Default::default()
                }),
                ..Default::default()
            }),
            update_mask: Some(FieldMask {
                paths: vec!["attributes.tagging".into()],
            }),
        };
        assert_eq!(
            classes(&request(Some(v1::TagSet::default()))),
            [AccessClass::Write, AccessClass::Write]
        );
        assert_eq!(
            classes(&request(None)),
            [AccessClass::Write, AccessClass::Delete]
        );
        let cleared = v1::UpdateObjectRequest {
            update_mask: Some(FieldMask {
                paths: vec!["attributes.tagging".into()],
            }),
            object: None,
        };
        assert_eq!(classes(&cleared), [AccessClass::Write, AccessClass::Delete]);
    }

    #[test]
    fn the_source_of_a_copy_is_read() {
        let source = v1::CopySource {
            bucket: "source".into(),
            key: "from".into(),
            ..Default::default()
        };
        let copy = v1::CopyObjectRequest {
            source: Some(source.clone()),
            ..Default::default()
        };
        let part = v1::UploadPartCopyRequest {
            source: Some(source.clone()),
            ..Default::default()
        };
        assert_eq!(copy.copy_source(), Some(&source));
        assert_eq!(part.copy_source(), Some(&source));
        assert_eq!(v1::PutObjectSpec::default().copy_source(), None);
        let get = of("bucketry.v1.ObjectService", "GetObject").unwrap();
        assert_eq!(COPY_SOURCE, get.own());
    }

    #[test]
    fn bucket_settings_are_for_administrators() {
        for path in ["tagging", "cors", "ownership_controls"] {
            let access = of_update("UpdateBucket", path).unwrap();
            assert_eq!(access.set.class, AccessClass::BucketAdmin);
            assert_eq!(access.clear.class, AccessClass::BucketAdmin);
        }
    }
}
