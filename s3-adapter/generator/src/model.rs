//! The contract after its annotations are resolved: every operation with the place of each of its fields.

use prost_reflect::{FieldDescriptor, MessageDescriptor};

use crate::annotations::{
    Access, DerivedRule, EchoRule, Error, HttpMethod, Label, Override, Rest, Target, UpdateAccess,
    When,
};

use crate::codec::Codec;
use crate::s3_model::{AcceptedHeader, RefusedInputs, S3Model};

/// Why a contract is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum ContractError {
    #[error("not a descriptor set: {0}")]
    Descriptor(String),
    #[error("the contract has no {0}")]
    Missing(&'static str),
    #[error("the option on {on} cannot be read: {why}")]
    Option { on: String, why: String },
    #[error("{rpc} names no access class")]
    NoAccessClass { rpc: String },
    #[error("{rpc}: the access rule on `{field}` has no class")]
    NoRuleClass { rpc: String, field: String },
    #[error("{field} is a sub-resource without access of its update")]
    NoUpdateAccess { field: String },
    #[error("{first} and {second} take the same requests")]
    Tie { first: String, second: String },
    #[error("two bindings are called {0}")]
    SameName(String),
    #[error("{operation}: {what} is not given")]
    Unspecified {
        operation: String,
        what: &'static str,
    },
    #[error("{operation}: `{field}` has no name in XML")]
    UnnamedXml { operation: String, field: String },
    #[error(
        "{operation}: `{field}` has no place in the request or answer; say `unbound` if that is meant"
    )]
    NoPlace { operation: String, field: String },
    #[error("{operation}: {place} is given twice")]
    Duplicate { operation: String, place: String },
    #[error("{operation}: there is no field `{field}`")]
    UnknownField { operation: String, field: String },
    #[error("{operation}: `{field}` cannot be written that way")]
    Form { operation: String, field: String },
    #[error("{0} is called otherwise in Rust")]
    Name(String),
    #[error("{value} has no S3 code, HTTP status or gRPC code")]
    NoErrorRow { value: String },
    #[error("{operation}: there is no reason {reason}")]
    UnknownReason { operation: String, reason: String },
    #[error("{operation}: there is no profile `{profile}`")]
    UnknownProfile { operation: String, profile: String },
    #[error("no binding of {service} uses the profile `{profile}`")]
    UnusedProfile { service: String, profile: String },
    #[error("two profiles of {service} are called `{profile}`")]
    SameProfile { service: String, profile: String },
    #[error("{operation}: there is no RPC {rpc}")]
    UnknownRpc { operation: String, rpc: String },
    #[error("{operation}: header {header} is not in lower case")]
    HeaderCase { operation: String, header: String },
    #[error("{value} has no S3 text, but its enum appears in S3")]
    NoEnumText { value: String },
    #[error("s3-model.json: {0}")]
    S3Model(String),
}

/// Everything that is generated from.
#[derive(Debug)]
pub(crate) struct Contract {
    pub(crate) operations: Vec<Operation>,
    pub(crate) rest: Rest,
    pub(crate) s3: S3Model,
    /// The query parameters by which S3 and this contract tell operations apart.
    pub(crate) operation_keys: Vec<String>,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) rpcs: Vec<Rpc>,
    pub(crate) enums: Vec<WireEnum>,
    /// Numbers and Rust variants of AccessClass.
    pub(crate) access_classes: Vec<(i32, String)>,
    /// Messages and enums of the contract, by name.
    pub(crate) type_names: Vec<String>,
}

/// One value of ErrorReason.
#[derive(Debug)]
pub(crate) struct Reason {
    /// Without prefix, as in `NO_SUCH_KEY`.
    pub(crate) name: String,
    pub(crate) row: Error,
}

/// One RPC with its access.
#[derive(Debug)]
pub(crate) struct Rpc {
    pub(crate) service: String,
    pub(crate) package: String,
    pub(crate) name: String,
    pub(crate) input: MessageDescriptor,
    pub(crate) client_streaming: bool,
    pub(crate) access: Access,
    /// The paths that an update mask may name, with the access of each.
    pub(crate) updates: Vec<Update>,
    /// The paths of the read mask whose access class differs from that of the RPC.
    pub(crate) reads: Vec<Read>,
}

/// One path of a read mask.
#[derive(Debug)]
pub(crate) struct Read {
    /// As the mask names it.
    pub(crate) mask: String,
    /// The field that holds the mask.
    pub(crate) mask_field: String,
    pub(crate) class: i32,
    pub(crate) action: String,
}

/// One path of an update mask.
#[derive(Debug)]
pub(crate) struct Update {
    /// As the mask names it.
    pub(crate) mask: String,
    /// The field of the request that it takes its value from.
    pub(crate) path: FieldPath,
    /// The field that holds the mask.
    pub(crate) mask_field: String,
    pub(crate) access: UpdateAccess,
}

/// An enum that appears in S3.
#[derive(Debug)]
pub(crate) struct WireEnum {
    pub(crate) name: String,
    /// Number and text, the unspecified one left out.
    pub(crate) values: Vec<(i32, String)>,
}

/// One S3 operation.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) rpc: String,
    pub(crate) method: HttpMethod,
    pub(crate) target: Target,
    pub(crate) query: Vec<QueryKey>,
    pub(crate) headers: Vec<String>,
    pub(crate) status: u16,
    pub(crate) hook: bool,
    pub(crate) request: Request,
    pub(crate) answer: Response,
    /// The path of the update or read mask, and what is done to it.
    pub(crate) mask: Option<Mask>,
    /// When the answer is an error though the call succeeds.
    pub(crate) missing: Option<Missing>,
    pub(crate) encoding_type: bool,
    pub(crate) refused: RefusedInputs,
    pub(crate) accepted: Vec<AcceptedHeader>,
}

/// A query parameter that an operation is known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct QueryKey {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

/// The error reason for a setting that is not there.
#[derive(Debug)]
pub(crate) struct Missing {
    /// The field of the answer that tells whether it is there; none: it never is.
    pub(crate) field: Option<FieldPath>,
    pub(crate) reason: String,
}

/// The one path of an update or read.
#[derive(Debug)]
pub(crate) struct Mask {
    pub(crate) field: String,
    pub(crate) path: String,
    pub(crate) change: PathChange,
}

/// What an operation does to its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathChange {
    Set,
    Clear,
    Read,
}

/// What comes in.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) message: MessageDescriptor,
    pub(crate) streamed: bool,
    pub(crate) members: Vec<RequestMember>,
    pub(crate) constants: Vec<(FieldPath, String)>,
    pub(crate) body: Option<Body>,
}

/// The XML body of a request.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) root: String,
    /// What it fills, from the request; empty: the request itself.
    pub(crate) path: FieldPath,
    pub(crate) optional: bool,
    pub(crate) shape: Shape,
    pub(crate) hook_elements: Vec<String>,
    /// Elements that S3 knows and that are not implemented.
    pub(crate) refused: Vec<String>,
}

/// A field that comes from the URI, the query or a header.
#[derive(Debug)]
pub(crate) struct RequestMember {
    pub(crate) path: FieldPath,
    pub(crate) place: MemberPlace,
    pub(crate) codec: Codec,
    pub(crate) url_encodable: bool,
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
}

/// Where a member is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MemberPlace {
    Label(LabelPart),
    Query(String),
    Header(String),
    HeaderPrefix(String),
}

/// A part of the URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LabelPart {
    Bucket,
    Key,
}

impl LabelPart {
    pub(crate) fn of(label: Label) -> Option<Self> {
        match label {
            Label::Unspecified => None,
            Label::Bucket => Some(Self::Bucket),
            Label::Key => Some(Self::Key),
        }
    }
}

/// What goes out.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) message: MessageDescriptor,
    pub(crate) status_when: Vec<(FieldPath, u16)>,
    pub(crate) headers: Vec<AnswerHeader>,
    pub(crate) root: Option<String>,
    pub(crate) shape: Shape,
    pub(crate) echo: Vec<EchoMember>,
    pub(crate) derived_headers: Vec<DerivedMember>,
    pub(crate) overrides: Vec<Override>,
    pub(crate) hook_elements: Vec<String>,
}

/// A header of the answer.
#[derive(Debug)]
pub(crate) struct AnswerHeader {
    pub(crate) name: String,
    pub(crate) prefix: bool,
    pub(crate) path: FieldPath,
    pub(crate) codec: Codec,
    pub(crate) always: bool,
    pub(crate) when: Option<When>,
}

/// A repeated part of the request.
#[derive(Debug)]
pub(crate) struct EchoMember {
    pub(crate) element: String,
    pub(crate) path: FieldPath,
    pub(crate) codec: Codec,
    pub(crate) rule: EchoRule,
    pub(crate) limit: i32,
    pub(crate) query: Option<String>,
    pub(crate) url_encodable: bool,
}

/// A derived part of the answer.
#[derive(Debug)]
pub(crate) struct DerivedMember {
    /// Element path or header.
    pub(crate) name: String,
    pub(crate) rule: DerivedRule,
    /// From the answer, or from the item in which it stands.
    pub(crate) paths: Vec<FieldPath>,
    pub(crate) value: String,
    pub(crate) when: Option<When>,
}

/// The elements of an XML element.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    pub(crate) members: Vec<Member>,
    pub(crate) derived: Vec<DerivedMember>,
    /// If the root has text instead of elements.
    pub(crate) text: Option<(FieldPath, Codec)>,
}

/// One element.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its name, after the names of the elements around it.
    pub(crate) element: Vec<String>,
    pub(crate) path: FieldPath,
    pub(crate) node: ElementContent,
    pub(crate) always: bool,
    pub(crate) url_encodable: bool,
    pub(crate) when: Option<When>,
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
}

/// What an element holds.
#[derive(Debug)]
pub(crate) enum ElementContent {
    Scalar(Codec),
    /// Texts: each in `item`, or flattened into the parent (with `item` inside, if there is one).
    Texts {
        codec: Codec,
        list: ListForm,
    },
    /// Elements: each called `item`, or flattened into the parent.
    Items {
        message: MessageDescriptor,
        list: ListForm,
        shape: Shape,
    },
    Struct {
        message: MessageDescriptor,
        shape: Shape,
    },
}

/// How a list is written.
#[derive(Debug)]
pub(crate) struct ListForm {
    /// Its items stand directly in the parent.
    pub(crate) flattened: bool,
    /// The element of an item, or the element within a flattened text.
    pub(crate) item: Option<String>,
}

impl ListForm {
    /// The element around the items, if there is one, and that of each item.
    pub(crate) fn elements<'a>(&'a self, element: &'a str) -> (Option<&'a str>, &'a str) {
        match &self.item {
            Some(item) if !self.flattened => (Some(element), item),
            _ => (None, element),
        }
    }
}

/// A field, by the fields that lead to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FieldPath {
    pub(crate) steps: Vec<FieldDescriptor>,
}

impl FieldPath {
    /// The path one step deeper.
    pub(crate) fn with(&self, field: &FieldDescriptor) -> Self {
        let mut steps = self.steps.clone();
        steps.push(field.clone());
        Self { steps }
    }

    /// As annotations write it.
    pub(crate) fn text(&self) -> String {
        let names: Vec<&str> = self.steps.iter().map(FieldDescriptor::name).collect();
        names.join(".")
    }

    /// The field itself.
    pub(crate) fn leaf(&self) -> Option<&FieldDescriptor> {
        self.steps.last()
    }
}
