//! Writes `s3-api.json`: what a reviewer and the oracle compare.

use serde::Serialize;

use crate::annotations::When;
use crate::codec::Codec;
use crate::model::{Contract, ElementContent, LabelPart, MemberPlace, Operation, QueryKey, Shape};

#[derive(Serialize)]
struct Table<'a> {
    s3_model: &'a str,
    ambient_headers: &'a [String],
    accepted_headers: Vec<Accepted<'a>>,
    sub_resources: &'a [String],
    operations: Vec<Row>,
}

#[derive(Serialize)]
struct Accepted<'a> {
    header: &'a str,
    values: &'a [String],
    why: &'a str,
}

#[derive(Serialize)]
struct Row {
    operation: String,
    rpc: String,
    handler: &'static str,
    method: &'static str,
    uri: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required_headers: Vec<String>,
    status: u16,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_statuses: Vec<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_mask: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    always_set: Vec<String>,
    request: Vec<Member>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused_headers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused_parameters: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_xml: Option<Document>,
    response: Vec<Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_xml: Option<Document>,
}

#[derive(Serialize)]
struct Member {
    location: &'static str,
    name: String,
    kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    field: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<String>,
}

#[derive(Serialize)]
struct Document {
    root: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    optional: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<String>,
    elements: Vec<Element>,
}

#[derive(Serialize, Default)]
struct Element {
    name: String,
    kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    field: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    flattened: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    elements: Vec<Element>,
}

/// The table as indented JSON with a last newline.
pub(crate) fn table(contract: &Contract) -> String {
    let rest = &contract.rest;
    let accepted = rest.accepted.iter().map(|accepted| Accepted {
        header: &accepted.header,
        values: &accepted.value,
        why: &accepted.why,
    });
    let table = Table {
        s3_model: &contract.s3.source,
        ambient_headers: &rest.ambient_header,
        accepted_headers: accepted.collect(),
        sub_resources: &contract.operation_keys,
        operations: contract.operations.iter().map(row).collect(),
    };
    // Serialising strings and numbers into memory cannot fail.
    let mut text = serde_json::to_string_pretty(&table).unwrap_or_default();
    text.push('\n');
    text
}

/// The URI with its required query, as botocore writes it.
pub(crate) fn uri(operation: &Operation) -> String {
    let key = |key: &QueryKey| match &key.value {
        Some(value) => format!("{}={value}", key.name),
        None => key.name.clone(),
    };
    // A key that is bound to a field is a parameter, not a part of the URI.
    let bound = |name: &str| {
        operation
            .request
            .members
            .iter()
            .any(|member| member.place == MemberPlace::Query(name.to_owned()))
    };
    let keys: Vec<String> = operation
        .query
        .iter()
        .filter(|found| !bound(&found.name))
        .map(key)
        .collect();
    match keys.is_empty() {
        true => operation.target.uri().to_owned(),
        false => format!("{}?{}", operation.target.uri(), keys.join("&")),
    }
}

fn row(operation: &Operation) -> Row {
    let answer = &operation.answer;
    Row {
        operation: operation.name.clone(),
        rpc: operation.rpc.clone(),
        handler: if operation.hook { "hook" } else { "generated" },
        method: operation.method.text(),
        uri: uri(operation),
        required_headers: operation.headers.clone(),
        status: operation.status,
        other_statuses: answer
            .status_when
            .iter()
            .map(|(_, status)| *status)
            .collect(),
        update_mask: operation
            .mask
            .as_ref()
            .map(|mask| format!("{:?} {}", mask.change, mask.path)),
        always_set: operation
            .request
            .constants
            .iter()
            .map(|(path, value)| format!("{} = {value}", path.text()))
            .collect(),
        request: request(operation),
        refused_headers: operation.refused.headers.clone(),
        refused_parameters: operation.refused.parameters.clone(),
        request_xml: operation.request.body.as_ref().map(|body| Document {
            root: body.root.clone(),
            optional: body.optional,
            refused: body.refused.clone(),
            elements: elements(&body.shape, &body.hook_elements),
        }),
        response: response(operation),
        response_xml: answer
            .root
            .as_ref()
            .map(|root| response_document(operation, root)),
    }
}

fn request(operation: &Operation) -> Vec<Member> {
    let mut found: Vec<Member> = operation
        .request
        .members
        .iter()
        .map(|member| {
            let (location, name) = match &member.place {
                MemberPlace::Label(LabelPart::Bucket) => ("uri", "Bucket".to_owned()),
                MemberPlace::Label(LabelPart::Key) => ("uri", "Key".to_owned()),
                MemberPlace::Query(name) => ("querystring", name.clone()),
                MemberPlace::Header(name) => ("header", name.clone()),
                MemberPlace::HeaderPrefix(name) => ("headers", name.clone()),
            };
            Member {
                location,
                name,
                kind: member.codec.name().to_owned(),
                field: member.path.text(),
                when: None,
            }
        })
        .collect();
    let known: Vec<String> = found.iter().map(|member| member.name.clone()).collect();
    let extra = |location: &'static str, name: String, kind: &str| Member {
        location,
        name,
        kind: kind.to_owned(),
        field: String::new(),
        when: None,
    };
    if operation.encoding_type {
        found.push(extra("querystring", "encoding-type".to_owned(), "switch"));
    }
    for replaced in &operation.answer.overrides {
        found.push(extra("querystring", replaced.query.clone(), "override"));
    }
    let mut conditions: Vec<&When> = operation
        .answer
        .headers
        .iter()
        .filter_map(|header| header.when.as_ref())
        .collect();
    shape_conditions(&operation.answer.shape, &mut conditions);
    for when in conditions {
        let (location, name) = if when.query.is_empty() {
            ("header", &when.header)
        } else {
            ("querystring", &when.query)
        };
        if !known.contains(name) && !found.iter().any(|member| member.name == *name) {
            found.push(extra(location, name.clone(), "switch"));
        }
    }
    found
}

fn shape_conditions<'a>(shape: &'a Shape, found: &mut Vec<&'a When>) {
    for member in &shape.members {
        found.extend(member.when.as_ref());
        if let ElementContent::Items { shape, .. } | ElementContent::Struct { shape, .. } =
            &member.node
        {
            shape_conditions(shape, found);
        }
    }
}

fn when_text(when: Option<&When>) -> Option<String> {
    let when = when?;
    let name = if when.query.is_empty() {
        format!("header {}", when.header)
    } else {
        format!("?{}", when.query)
    };
    Some(if when.value.is_empty() {
        name
    } else {
        format!("{name}={}", when.value)
    })
}

fn response(operation: &Operation) -> Vec<Member> {
    let answer = &operation.answer;
    let headers = answer.headers.iter().map(|header| Member {
        location: if header.prefix { "headers" } else { "header" },
        name: header.name.clone(),
        kind: header.codec.name().to_owned(),
        field: header.path.text(),
        when: when_text(header.when.as_ref()),
    });
    let derived = answer.derived_headers.iter().map(|derived| Member {
        location: "header",
        name: derived.name.clone(),
        kind: "derived".to_owned(),
        field: String::new(),
        when: when_text(derived.when.as_ref()),
    });
    headers.chain(derived).collect()
}

fn response_document(operation: &Operation, root: &str) -> Document {
    let answer = &operation.answer;
    let mut found = elements(&answer.shape, &answer.hook_elements);
    for echo in &answer.echo {
        found.push(Element {
            name: echo.element.clone(),
            kind: "echo".to_owned(),
            field: echo.path.text(),
            ..Element::default()
        });
    }
    if operation.encoding_type {
        found.push(Element {
            name: "EncodingType".to_owned(),
            kind: "echo".to_owned(),
            ..Element::default()
        });
    }
    if answer.shape.text.is_some() {
        found.push(Element {
            name: ".".to_owned(),
            kind: Codec::Location.name().to_owned(),
            ..Element::default()
        });
    }
    Document {
        root: root.to_owned(),
        optional: false,
        refused: Vec::new(),
        elements: found,
    }
}

fn elements(shape: &Shape, hook: &[String]) -> Vec<Element> {
    let members = shape.members.iter().map(|member| {
        let mut element = Element {
            name: member.element.join("/"),
            field: member.path.text(),
            when: when_text(member.when.as_ref()),
            ..Element::default()
        };
        match &member.node {
            ElementContent::Scalar(codec) => element.kind = codec.name().to_owned(),
            ElementContent::Texts { codec, list } => {
                element.kind = format!("list of {}", codec.name());
                element.flattened = list.flattened;
                element.item = list.item.clone();
            }
            ElementContent::Items { list, shape, .. } => {
                element.kind = "list".to_owned();
                element.flattened = list.flattened;
                element.item = list.item.clone();
                element.elements = elements(shape, &[]);
            }
            ElementContent::Struct { shape, .. } => {
                element.kind = "structure".to_owned();
                element.elements = elements(shape, &[]);
            }
        }
        element
    });
    let named = |name: &String, kind: &str| Element {
        name: name.clone(),
        kind: kind.to_owned(),
        ..Element::default()
    };
    let derived = shape
        .derived
        .iter()
        .map(|derived| named(&derived.name, "derived"));
    members
        .chain(derived)
        .chain(hook.iter().map(|name| named(name, "hook")))
        .collect()
}
