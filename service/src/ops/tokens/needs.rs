//! What an operation needs, by its name.

use bucketry_contract::access_table::{self, AccessClass, RPC_ACCESS, RpcAccess};
use bucketry_s3_adapter::generated::Operation;

use crate::error::Error;
use crate::request::{OBJECT_SERVICE, Requirements, Resource};

/// The services whose calls anybody may make.
const PUBLIC_PACKAGE: &str = "bucketry.v1.";
/// How alike a name must be to be proposed, from 0 (not at all) to 1 (the same).
const LIKENESS: f64 = 0.85;
const MOST_PROPOSALS: usize = 3;

/// An operation as far as access goes.
#[derive(Debug, Clone, Copy)]
struct Known {
    access: &'static RpcAccess,
    set_paths: &'static [&'static str],
    clear_paths: &'static [&'static str],
    read_paths: &'static [&'static str],
    kind: Kind,
}

/// How an operation was named. Paths of an update mask are chosen by the name of an S3 operation, and by the fields of an
/// RPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    S3,
    Rpc,
}

/// What a request for the operation would need, in the order in which it is judged.
///
/// `fields` are those that the request would have set, as `path` or `path=value`. Without a value, one is assumed that
/// makes the request need more. A path of an update mask with an empty value is cleared. `named` is the object, if the
/// operation is about one.
///
/// # Errors
/// [`Error::InvalidArgument`] for an unknown operation, naming similar ones, and for a field that makes no difference,
/// naming those that do.
pub(super) fn needs(
    operation: &str,
    fields: &[String],
    named: Resource<'_>,
) -> Result<Requirements, Error> {
    let known = find(operation).ok_or_else(|| unknown(operation))?;
    let rpc = known.access.rpc;
    let mut instead = Vec::new();
    let mut updated = Vec::new();
    for field in fields {
        let (path, value) = match field.split_once('=') {
            Some((path, value)) => (path, Some(value)),
            None => (field.as_str(), None),
        };
        let rule = access_table::raising_fields(rpc).find(|rule| is_path(rule.field, path));
        let update = access_table::of_update(rpc, path).filter(|_| known.kind == Kind::Rpc);
        match (rule, update) {
            // Absent and excepted values leave the class as it is.
            (Some(rule), _) => match value {
                Some(value) if value.is_empty() || value == rule.except => {}
                Some(_) | None => instead.push(rule.raised),
            },
            (None, Some(update)) if value == Some("") => updated.push(update.clear),
            (None, Some(update)) => updated.push(update.set),
            (None, None) => return Err(no_difference(operation, known, path)),
        }
    }
    let reads = known.read_paths.iter();
    let reads = reads.map(|path| access_table::of_read(rpc, path));
    instead.extend(reads.map(|read| read.map_or(known.access.own(), |read| read.read)));
    let update = |path: &str| access_table::of_update(rpc, path);
    let set = known.set_paths.iter().filter_map(|path| update(path));
    let cleared = known.clear_paths.iter().filter_map(|path| update(path));
    let mut also: Vec<_> = set.map(|update| update.set).collect();
    also.extend(cleared.map(|update| update.clear));
    also.extend(updated);
    let resource = match is_about_service(known.access.class) {
        true => Resource::Service,
        false => named,
    };
    Ok(Requirements::described(
        known.access,
        instead,
        also,
        resource,
    ))
}

/// Whether an RPC of this class is about the service, not a bucket.
fn is_about_service(class: AccessClass) -> bool {
    match class {
        AccessClass::Public
        | AccessClass::Authenticated
        | AccessClass::Operator
        | AccessClass::Edge
        | AccessClass::Unspecified => true,
        AccessClass::BucketProbe
        | AccessClass::CreateBucket
        | AccessClass::BucketSetting
        | AccessClass::Read
        | AccessClass::List
        | AccessClass::Write
        | AccessClass::ReadWrite
        | AccessClass::Copy
        | AccessClass::Delete
        | AccessClass::ListParts
        | AccessClass::BucketAdmin
        | AccessClass::AccountAdmin => false,
    }
}

/// An S3 operation first: where an RPC has the same name, it is the same.
fn find(name: &str) -> Option<Known> {
    let s3 = Operation::ALL
        .into_iter()
        .find(|operation| operation.name() == name);
    if let Some(operation) = s3 {
        let access = access_table::of(OBJECT_SERVICE, operation.rpc())?;
        return Some(Known {
            access,
            set_paths: operation.set_paths(),
            clear_paths: operation.clear_paths(),
            read_paths: operation.read_paths(),
            kind: Kind::S3,
        });
    }
    let access = rpcs().find(|access| access.rpc == name)?;
    Some(Known {
        access,
        set_paths: &[],
        clear_paths: &[],
        read_paths: &[],
        kind: Kind::Rpc,
    })
}

fn rpcs() -> impl Iterator<Item = &'static RpcAccess> {
    RPC_ACCESS
        .iter()
        .filter(|access| access.service.starts_with(PUBLIC_PACKAGE))
}

/// Some RPCs have their request's head in a field of its own, which S3 does not know.
fn is_path(field: &str, path: &str) -> bool {
    field == path || field.strip_prefix("spec.") == Some(path)
}

fn unknown(name: &str) -> Error {
    let s3 = Operation::ALL.into_iter().map(Operation::name);
    let mut alike: Vec<(f64, &str)> = s3
        .chain(rpcs().map(|access| access.rpc))
        .map(|known| (likeness(known, name), known))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .collect();
    alike.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
    alike.dedup_by_key(|(_, known)| *known);
    let alike: Vec<&str> = alike.iter().map(|(_, known)| *known).collect();
    let proposal = match alike.as_slice() {
        [] => "such are GetObject, PutObject and ListObjectsV2".to_owned(),
        [only] => format!("did you mean {only}?"),
        [first, rest @ ..] => {
            let most = rest.len().min(MOST_PROPOSALS - 1);
            format!("did you mean {first} or {}?", rest[..most].join(" or "))
        }
    };
    Error::InvalidArgument {
        field: "operation",
        problem: format!(
            "{:?} is no operation of S3 that is served here, and no RPC; {proposal}",
            name.chars().take(80).collect::<String>()
        ),
    }
}

fn likeness(known: &str, name: &str) -> f64 {
    strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase())
}

fn no_difference(operation: &str, known: Known, path: &str) -> Error {
    let rpc = known.access.rpc;
    let raising = access_table::raising_fields(rpc)
        .map(|rule| rule.field.strip_prefix("spec.").unwrap_or(rule.field));
    let updates = access_table::UPDATE_ACCESS
        .iter()
        .filter(|update| known.kind == Kind::Rpc && update.rpc == rpc)
        .map(|update| update.path);
    let all: Vec<&str> = raising.chain(updates).collect();
    let those = if all.is_empty() {
        "no field does".to_owned()
    } else {
        format!("those that do: {}", all.join(", "))
    };
    Error::InvalidArgument {
        field: "fields",
        problem: format!(
            "{:?} makes no difference to what {operation} needs; {those}",
            path.chars().take(80).collect::<String>()
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::access::AccessClass::{
        self, BucketAdmin, BucketProbe, BucketSetting, Copy, Delete, List, Operator, Public, Read,
        ReadWrite, Write,
    };

    use super::{Operation, Resource, needs, rpcs};

    const OBJECT: Resource<'_> = Resource::Object {
        bucket: "photos",
        key: "a/b",
    };

    fn needed(operation: &str, fields: &[&str]) -> Vec<AccessClass> {
        let fields: Vec<String> = fields.iter().map(|&field| field.to_owned()).collect();
        needs(operation, &fields, OBJECT)
            .unwrap()
            .classes()
            .to_vec()
    }

    fn refusal(operation: &str, fields: &[&str]) -> String {
        let fields: Vec<String> = fields.iter().map(|&field| field.to_owned()).collect();
        needs(operation, &fields, OBJECT).unwrap_err().to_string()
    }

    #[test]
    fn every_operation_of_s3_and_every_rpc_is_known() {
        for operation in Operation::ALL {
            assert!(!needed(operation.name(), &[]).is_empty(), "{operation:?}");
        }
        for access in rpcs() {
            assert!(!needed(access.rpc, &[]).is_empty(), "{access:?}");
        }
    }

    #[test]
    fn names_of_s3_and_of_rpcs() {
        assert_eq!(needed("GetObject", &[]), [Read]);
        assert_eq!(needed("ListObjectsV2", &[]), [List]);
        assert_eq!(needed("GetBucketLocation", &[]), [BucketProbe]);
        assert_eq!(needed("CopyObject", &[]), [Copy]);
        assert_eq!(needed("PutSmallObject", &[]), [Write]);
        assert_eq!(needed("CreateToken", &[]), [BucketAdmin]);
        assert_eq!(needed("GetCapabilities", &[]), [Public]);
        assert_eq!(needed("CreateAccount", &[]), [Operator]);
        assert_eq!(needed("PutObjectTagging", &[]), [Write, Write]);
        assert_eq!(needed("DeleteObjectTagging", &[]), [Write, Delete]);
        assert_eq!(needed("PutBucketCors", &[]), [BucketAdmin, BucketAdmin]);
        assert_eq!(needed("GetBucketCors", &[]), [BucketSetting]);
        assert_eq!(needed("GetBucket", &[]), [BucketAdmin]);
    }

    #[test]
    fn what_names_no_bucket_is_about_the_service() {
        for (operation, resource) in [
            ("ListBuckets", Resource::Service),
            ("CreateAccount", Resource::Service),
            ("DeleteBucket", OBJECT),
            ("GetObject", OBJECT),
        ] {
            let needed = needs(operation, &[], OBJECT).unwrap();
            assert_eq!(needed.resource(), resource, "{operation}");
        }
    }

    #[test]
    fn fields_raise_what_is_needed_by_their_values() {
        let path = "precondition.if_none_match";
        assert_eq!(needed("PutObject", &[path]), [ReadWrite]);
        assert_eq!(
            needed("PutObject", &["precondition.if_none_match=*"]),
            [Write]
        );
        assert_eq!(
            needed("PutObject", &["precondition.if_none_match="]),
            [Write]
        );
        assert_eq!(
            needed("PutSmallObject", &["spec.precondition.if_match=\"e\""]),
            [ReadWrite]
        );
        assert_eq!(
            needed(
                "CompleteMultipartUpload",
                &["precondition.if_generation_match=0"]
            ),
            [Write]
        );
        assert_eq!(
            needed("UpdateObject", &["attributes.tagging"]),
            [Write, Write]
        );
        assert_eq!(
            needed("UpdateObject", &["attributes.tagging="]),
            [Write, Delete]
        );
    }

    #[test]
    fn what_is_unknown_is_named_with_what_is_like_it() {
        let text = refusal("getobject", &[]);
        assert!(text.contains("did you mean GetObject"), "{text}");
        let text = refusal("ListObjectV2", &[]);
        assert!(
            text.contains("\"ListObjectV2\"") && text.contains("ListObjectsV2"),
            "{text}"
        );
        let text = refusal("Frobnicate", &[]);
        assert!(text.contains("such are"), "{text}");
        assert!(refusal("", &[]).contains("such are"));
        // What only an edge calls is nobody's to ask about.
        assert!(refusal("Authorize", &[]).contains("no RPC"));
        let text = refusal("PutObject", &["attributes.content_type"]);
        assert!(text.contains("precondition.if_match"), "{text}");
        assert!(refusal("GetObject", &["range"]).contains("no field does"));
        // The name of the S3 operation says what is set; a field cannot add to it.
        assert!(refusal("PutObjectTagging", &["attributes.tagging"]).contains("no field does"));
    }
}
