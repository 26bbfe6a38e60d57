//! The messages of `bucketry/s3/v1/annotations.proto` and `bucketry/access/v1/access.proto` as Rust types. They are
//! written by hand because the contract crate, which has generated ones, is built by this crate.

macro_rules! messages {
    ($($name:ident { $($field:ident: $type:ty = [$($kind:tt)*];)* })*) => {$(
        #[derive(Clone, PartialEq, prost::Message)]
        pub(crate) struct $name { $(#[prost($($kind)*)] pub(crate) $field: $type,)* }
    )*

    /// Each message with its fields and their attributes.
    #[cfg(test)]
    const MESSAGES: &[(&str, &[(&str, &str)])] = &[
        $((stringify!($name), &[$((stringify!($field), stringify!($($kind)*)),)*]),)*
    ];};
}

messages! {
    Field {
        header: String = [string, tag = "1"];
        header_prefix: String = [string, tag = "2"];
        query: String = [string, tag = "3"];
        xml: String = [string, tag = "4"];
        flattened: bool = [bool, tag = "5"];
        item: String = [string, tag = "6"];
        label: i32 = [enumeration = "Label", tag = "7"];
        form: i32 = [enumeration = "Form", tag = "8"];
        url_encodable: bool = [bool, tag = "9"];
        always: bool = [bool, tag = "10"];
        unbound: bool = [bool, tag = "11"];
        direction: i32 = [enumeration = "Direction", tag = "12"];
        min: Option<i64> = [int64, optional, tag = "13"];
        max: Option<i64> = [int64, optional, tag = "14"];
    }
    When {
        query: String = [string, tag = "1"];
        header: String = [string, tag = "2"];
        value: String = [string, tag = "3"];
    }
    Bind {
        field: String = [string, tag = "1"];
        r#as: Option<Field> = [message, optional, tag = "2"];
        when: Option<When> = [message, optional, tag = "3"];
    }
    XmlBody {
        root: String = [string, tag = "1"];
        field: String = [string, tag = "2"];
        optional: bool = [bool, tag = "3"];
    }
    StatusWhen {
        field: String = [string, tag = "1"];
        status: i32 = [int32, tag = "2"];
    }
    Echo {
        field: String = [string, tag = "1"];
        xml: String = [string, tag = "2"];
        rule: i32 = [enumeration = "EchoRule", tag = "3"];
        limit: i32 = [int32, tag = "4"];
    }
    Derived {
        xml: String = [string, tag = "1"];
        header: String = [string, tag = "2"];
        rule: i32 = [enumeration = "DerivedRule", tag = "3"];
        field: Vec<String> = [string, repeated, tag = "4"];
        value: String = [string, tag = "5"];
        within: String = [string, tag = "6"];
        when: Option<When> = [message, optional, tag = "7"];
    }
    Constant {
        field: String = [string, tag = "1"];
        value: String = [string, tag = "2"];
    }
    Override {
        query: String = [string, tag = "1"];
        header: String = [string, tag = "2"];
    }
    Binding {
        operation: String = [string, tag = "1"];
        method: i32 = [enumeration = "HttpMethod", tag = "2"];
        target: i32 = [enumeration = "Target", tag = "3"];
        query: Vec<String> = [string, repeated, tag = "4"];
        header: Vec<String> = [string, repeated, tag = "5"];
        status: i32 = [int32, tag = "6"];
        status_when: Vec<StatusWhen> = [message, repeated, tag = "7"];
        handler: i32 = [enumeration = "Handler", tag = "8"];
        request_message: String = [string, tag = "9"];
        response_message: String = [string, tag = "10"];
        request_xml: Option<XmlBody> = [message, optional, tag = "11"];
        response_xml: String = [string, tag = "12"];
        request: Vec<Bind> = [message, repeated, tag = "13"];
        response: Vec<Bind> = [message, repeated, tag = "14"];
        response_only: Vec<String> = [string, repeated, tag = "15"];
        echo: Vec<Echo> = [message, repeated, tag = "16"];
        derived: Vec<Derived> = [message, repeated, tag = "17"];
        set: Vec<Constant> = [message, repeated, tag = "18"];
        r#override: Vec<Override> = [message, repeated, tag = "19"];
        encoding_type: bool = [bool, tag = "20"];
        hook_request_xml: Vec<String> = [string, repeated, tag = "21"];
        hook_response_xml: Vec<String> = [string, repeated, tag = "22"];
        unset: String = [string, tag = "23"];
        profile: Vec<String> = [string, repeated, tag = "24"];
    }
    Profile {
        name: String = [string, tag = "1"];
        status_when: Vec<StatusWhen> = [message, repeated, tag = "2"];
        request: Vec<Bind> = [message, repeated, tag = "3"];
        response: Vec<Bind> = [message, repeated, tag = "4"];
        response_only: Vec<String> = [string, repeated, tag = "5"];
        derived: Vec<Derived> = [message, repeated, tag = "6"];
        r#override: Vec<Override> = [message, repeated, tag = "7"];
    }
    Resource {
        target: i32 = [enumeration = "Target", tag = "1"];
        get: String = [string, tag = "2"];
        get_field: String = [string, tag = "3"];
        update: String = [string, tag = "4"];
        update_field: String = [string, tag = "5"];
        mask_field: String = [string, tag = "6"];
        identify: Vec<String> = [string, repeated, tag = "7"];
        show: Vec<String> = [string, repeated, tag = "8"];
        get_mask_field: String = [string, tag = "9"];
    }
    SubResource {
        query: String = [string, tag = "1"];
        name: String = [string, tag = "2"];
        xml: String = [string, tag = "3"];
        missing: String = [string, tag = "4"];
        put_status: i32 = [int32, tag = "5"];
        delete_status: i32 = [int32, tag = "6"];
        delete: String = [string, tag = "7"];
    }
    Accepted {
        header: String = [string, tag = "1"];
        value: Vec<String> = [string, repeated, tag = "2"];
        why: String = [string, tag = "3"];
    }
    Unrouted {
        method: i32 = [enumeration = "HttpMethod", tag = "1"];
        target: i32 = [enumeration = "Target", tag = "2"];
        operation: String = [string, tag = "3"];
        query: String = [string, tag = "4"];
    }
    Rest {
        ambient_header: Vec<String> = [string, repeated, tag = "1"];
        accepted: Vec<Accepted> = [message, repeated, tag = "2"];
        meaningful_header: Vec<String> = [string, repeated, tag = "3"];
        sub_resource: Vec<String> = [string, repeated, tag = "4"];
        unrouted: Vec<Unrouted> = [message, repeated, tag = "5"];
    }
    Error {
        code: String = [string, tag = "1"];
        status: i32 = [int32, tag = "2"];
        grpc: i32 = [int32, tag = "3"];
    }
    FieldRule {
        field: String = [string, tag = "1"];
        class: i32 = [int32, tag = "2"];
        except: String = [string, tag = "3"];
    }
    Access {
        class: i32 = [int32, tag = "1"];
        action: String = [string, tag = "2"];
        when: Vec<FieldRule> = [message, repeated, tag = "3"];
    }
    UpdateAccess {
        set: i32 = [int32, tag = "1"];
        clear: i32 = [int32, tag = "2"];
        set_action: String = [string, tag = "3"];
        clear_action: String = [string, tag = "4"];
        read: i32 = [int32, tag = "5"];
        read_action: String = [string, tag = "6"];
    }
}

macro_rules! enums {
    ($($name:ident { $($value:ident = $number:literal,)* })*) => {$(
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
        #[repr(i32)]
        pub(crate) enum $name { $($value = $number,)* }
    )*

    /// Each enum with the numbers of its values.
    #[cfg(test)]
    const ENUMS: &[(&str, &[i32])] = &[$((stringify!($name), &[$($number,)*]),)*];};
}

enums! {
    HttpMethod { Unspecified = 0, Get = 1, Head = 2, Put = 3, Post = 4, Delete = 5, }
    Target { Unspecified = 0, Service = 1, Bucket = 2, Object = 3, }
    Handler { Unspecified = 0, Generated = 1, Hook = 2, }
    Label { Unspecified = 0, Bucket = 1, Key = 2, }
    Form {
        Unspecified = 0, Fields = 1, Etag = 2, EtagList = 3, Base64 = 4, TagQuery = 5, Range = 6, CopySource = 7,
        CopyRange = 8, Checksum = 9, ContentRange = 10, Location = 11, CommaList = 12,
        Zero = 13,
    }
    Direction { Unspecified = 0, Request = 1, Response = 2, }
    EchoRule { Unspecified = 0, Always = 1, Present = 2, NonEmpty = 3, }
    DerivedRule {
        Unspecified = 0, NonEmpty = 1, Count = 2, CountIfAny = 3, Constant = 4, Field = 5, ResourcePath = 6,
        ResourceUrl = 7,
    }
}

impl HttpMethod {
    /// The method's name on the wire.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Unspecified => "",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

impl Target {
    /// The variant of the adapter's `Target`.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::Unspecified | Self::Service => "Service",
            Self::Bucket => "Bucket",
            Self::Object => "Object",
        }
    }

    /// The URI in botocore's writing.
    pub(crate) fn uri(self) -> &'static str {
        match self {
            Self::Unspecified | Self::Service => "/",
            Self::Bucket => "/{Bucket}",
            Self::Object => "/{Bucket}/{Key+}",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use prost_reflect::{DescriptorPool, MessageDescriptor};

    use super::*;

    /// Enums of which only the number is read.
    const BY_NUMBER: [&str; 2] = ["GrpcCode", "AccessClass"];

    fn pool() -> DescriptorPool {
        let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
        let mut compiler = protox::Compiler::new([protos]).unwrap();
        for file in ["s3/v1/annotations", "access/v1/access"] {
            compiler
                .open_file(format!("bucketry/{file}.proto"))
                .unwrap();
        }
        compiler.include_imports(true).descriptor_pool()
    }

    fn is_ours(package: &str) -> bool {
        ["bucketry.s3.v1", "bucketry.access.v1"].contains(&package)
    }

    fn fields(message: &MessageDescriptor) -> BTreeSet<(String, String)> {
        let fields = message.fields();
        fields
            .map(|field| (field.name().to_owned(), field.number().to_string()))
            .collect()
    }

    /// An option that is declared and not read would be ignored in silence.
    #[test]
    fn every_option_that_is_declared_is_read() {
        let read: BTreeMap<_, BTreeSet<_>> = MESSAGES
            .iter()
            .map(|(name, fields)| {
                let field = |(name, kind): &(&str, &str)| {
                    let tag = kind.split('"').rev().nth(1).unwrap();
                    (name.trim_start_matches("r#").to_owned(), tag.to_owned())
                };
                ((*name).to_owned(), fields.iter().map(field).collect())
            })
            .collect();
        let declared: BTreeMap<_, _> = pool()
            .all_messages()
            .filter(|message| is_ours(message.package_name()))
            .map(|message| (message.name().to_owned(), fields(&message)))
            .collect();
        assert_eq!(read, declared);
    }

    #[test]
    fn every_value_that_is_declared_is_read() {
        let read: BTreeMap<_, BTreeSet<_>> = ENUMS
            .iter()
            .map(|(name, numbers)| ((*name).to_owned(), numbers.iter().copied().collect()))
            .collect();
        let declared: BTreeMap<_, BTreeSet<_>> = pool()
            .all_enums()
            .filter(|found| is_ours(found.package_name()) && !BY_NUMBER.contains(&found.name()))
            .map(|found| {
                let numbers = found.values().map(|value| value.number()).collect();
                (found.name().to_owned(), numbers)
            })
            .collect();
        assert_eq!(read, declared);
    }
}
