//! How values of fields are written in S3.

use prost_reflect::{FieldDescriptor, Kind};

use crate::annotations::Form;

/// How a value is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Codec {
    Text,
    Bool,
    Int32,
    Int64,
    Time,
    Enum(String),
    Etag,
    EtagList,
    CommaList(Box<Codec>),
    Base64,
    TagQuery,
    Range,
    CopySource,
    CopyRange,
    Checksum,
    ContentRange,
    Location,
    Metadata,
    Zero,
}

impl Codec {
    /// The codec of a field, if its type and form fit.
    pub(crate) fn of(field: &FieldDescriptor, form: Form) -> Option<Self> {
        let kind = field.kind();
        let message = match &kind {
            Kind::Message(message) => message.full_name().to_owned(),
            _ => String::new(),
        };
        let is_text = matches!(kind, Kind::String);
        let fits = |condition: bool, codec: Self| condition.then_some(codec);
        match form {
            Form::Etag => fits(is_text && !field.is_list(), Self::Etag),
            Form::EtagList => fits(is_text && field.is_list(), Self::EtagList),
            Form::Location => fits(is_text, Self::Location),
            Form::Base64 => fits(matches!(kind, Kind::Bytes), Self::Base64),
            Form::TagQuery => fits(message.ends_with(".TagSet"), Self::TagQuery),
            Form::Range => fits(message.ends_with(".ByteRange"), Self::Range),
            Form::CopyRange => fits(message.ends_with(".ByteRange"), Self::CopyRange),
            Form::CopySource => fits(message.ends_with(".CopySource"), Self::CopySource),
            Form::Checksum => fits(message.ends_with(".Checksum"), Self::Checksum),
            Form::ContentRange => fits(message.ends_with(".ContentRange"), Self::ContentRange),
            Form::CommaList if !field.is_list() => None,
            Form::CommaList => match Self::of(field, Form::Unspecified) {
                Some(item @ (Self::Text | Self::Enum(_))) => Some(Self::CommaList(Box::new(item))),
                _ => None,
            },
            Form::Zero => fits(matches!(kind, Kind::Bool), Self::Zero),
            Form::Fields => None,
            Form::Unspecified => match kind {
                Kind::String => Some(Self::Text),
                Kind::Bool => Some(Self::Bool),
                Kind::Int32 => Some(Self::Int32),
                Kind::Int64 => Some(Self::Int64),
                Kind::Enum(of) => Some(Self::Enum(of.name().to_owned())),
                Kind::Message(_) if message == "google.protobuf.Timestamp" => Some(Self::Time),
                _ => None,
            },
        }
    }

    /// Whether an answer can show it.
    pub(crate) fn is_writable(&self) -> bool {
        !matches!(
            self,
            Self::EtagList
                | Self::CommaList(_)
                | Self::TagQuery
                | Self::Range
                | Self::CopySource
                | Self::CopyRange
                | Self::Zero
        )
    }

    /// Whether a request can give it.
    pub(crate) fn is_readable(&self) -> bool {
        !matches!(self, Self::ContentRange | Self::Location)
    }

    /// The enum whose S3 texts it reads or writes.
    pub(crate) fn enum_name(&self) -> Option<&str> {
        match self {
            Self::Enum(name) => Some(name),
            Self::CommaList(item) => item.enum_name(),
            _ => None,
        }
    }

    /// Its name in the golden table.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Text => "string",
            Self::Bool => "boolean",
            Self::Int32 => "integer",
            Self::Int64 => "long",
            Self::Time => "timestamp",
            Self::Enum(name) => name,
            Self::Etag => "etag",
            Self::EtagList => "etag list",
            Self::CommaList(_) => "comma list",
            Self::Base64 => "base64",
            Self::TagQuery => "tag query",
            Self::Range => "range",
            Self::CopySource => "copy source",
            Self::CopyRange => "copy range",
            Self::Checksum => "checksum",
            Self::ContentRange => "content range",
            Self::Location => "location",
            Self::Metadata => "map",
            Self::Zero => "integer",
        }
    }
}
