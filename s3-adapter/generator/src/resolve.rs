//! From one binding to its operation.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{Kind, MessageDescriptor, MethodDescriptor};

use crate::annotations::{
    Bind, Binding, Derived, DerivedRule, Direction, Handler, HttpMethod, Target,
};
use crate::codec::Codec;
use crate::model::{
    Body, ContractError, DerivedMember, EchoMember, ElementContent, FieldPath, Mask, MemberPlace,
    Missing, Operation, PathChange, QueryKey, Request, Response, Shape,
};
use crate::read::Options;
use crate::s3_model::RefusedInputs;
use crate::shape::{Found, Room};
use crate::walk::Walk;

/// The field at the end of a dotted path. Empty: the message itself.
pub(crate) fn path(
    message: &MessageDescriptor,
    text: &str,
    operation: &str,
) -> Result<FieldPath, ContractError> {
    let refusal = || ContractError::UnknownField {
        operation: operation.to_owned(),
        field: text.to_owned(),
    };
    let mut found = FieldPath::default();
    let mut message = Some(message.clone());
    for name in text.split('.').filter(|name| !name.is_empty()) {
        let field = message
            .as_ref()
            .and_then(|message| message.get_field_by_name(name))
            .ok_or_else(refusal)?;
        message = match field.kind() {
            Kind::Message(inner) => Some(inner),
            _ => None,
        };
        found = found.with(&field);
    }
    Ok(found)
}

pub(crate) fn message_at(
    message: &MessageDescriptor,
    text: &str,
    operation: &str,
) -> Result<MessageDescriptor, ContractError> {
    let refusal = || ContractError::UnknownField {
        operation: operation.to_owned(),
        field: text.to_owned(),
    };
    let found = path(message, text, operation)?;
    match found.leaf().map(|leaf| leaf.kind()) {
        None => Ok(message.clone()),
        Some(Kind::Message(inner)) => Ok(inner),
        Some(_) => Err(refusal()),
    }
}

pub(crate) fn query_keys(keys: &[String]) -> Vec<QueryKey> {
    let key = |text: &String| match text.split_once('=') {
        Some((name, value)) => QueryKey {
            name: name.to_owned(),
            value: Some(value.to_owned()),
        },
        None => QueryKey {
            name: text.clone(),
            value: None,
        },
    };
    keys.iter().map(key).collect()
}

pub(crate) fn status(given: i32, otherwise: u16) -> u16 {
    u16::try_from(given)
        .ok()
        .filter(|status| *status > 0)
        .unwrap_or(otherwise)
}

pub(crate) fn walk<'a>(
    options: &'a Options,
    operation: &'a str,
    direction: Direction,
    message: &str,
    binds: &'a [Bind],
) -> Walk<'a> {
    Walk {
        options,
        operation,
        direction,
        prefix: if message.is_empty() {
            String::new()
        } else {
            format!("{message}.")
        },
        binds: binds
            .iter()
            .map(|bind| (bind.field.clone(), bind))
            .collect(),
        only: &[],
        encodes_urls: false,
        skip: BTreeSet::new(),
        used: BTreeSet::new(),
        derived: BTreeMap::new(),
    }
}

/// The operation of a binding.
pub(crate) fn operation(
    options: &Options,
    method: &MethodDescriptor,
    binding: &Binding,
) -> Result<Operation, ContractError> {
    let unspecified = |what| ContractError::Unspecified {
        operation: binding.operation.clone(),
        what,
    };
    if binding.operation.is_empty() {
        return Err(ContractError::Unspecified {
            operation: method.name().to_owned(),
            what: "the operation",
        });
    }
    if binding.method() == HttpMethod::Unspecified {
        return Err(unspecified("the method"));
    }
    if binding.target() == Target::Unspecified {
        return Err(unspecified("the target"));
    }
    let mut request = request(options, method, binding)?;
    let mask = read_mask(&mut request);
    Ok(Operation {
        // Known once the whole contract is read.
        refused: RefusedInputs::default(),
        accepted: Vec::new(),
        name: binding.operation.clone(),
        rpc: method.name().to_owned(),
        method: binding.method(),
        target: binding.target(),
        query: query_keys(&binding.query),
        headers: binding.header.clone(),
        status: status(binding.status, 200),
        hook: binding.handler() == Handler::Hook,
        answer: answer(options, method, binding, &request)?,
        request,
        mask,
        missing: (!binding.unset.is_empty()).then(|| Missing {
            field: None,
            reason: binding.unset.clone(),
        }),
        encoding_type: binding.encoding_type,
    })
}

/// The mask that is always set, if there is one, taken out of the constants.
fn read_mask(request: &mut Request) -> Option<Mask> {
    let is_mask = |(path, _): &(FieldPath, String)| match path.leaf().map(|leaf| leaf.kind()) {
        Some(Kind::Message(message)) => message.full_name() == "google.protobuf.FieldMask",
        _ => false,
    };
    let place = request.constants.iter().position(is_mask)?;
    let (path, value) = request.constants.remove(place);
    Some(Mask {
        field: path.text(),
        path: value,
        change: PathChange::Read,
    })
}

fn request(
    options: &Options,
    method: &MethodDescriptor,
    binding: &Binding,
) -> Result<Request, ContractError> {
    let operation = &binding.operation;
    let message = message_at(&method.input(), &binding.request_message, operation)?;
    let mut walk = walk(
        options,
        operation,
        Direction::Request,
        &binding.request_message,
        &binding.request,
    );
    let mut constants = Vec::new();
    for constant in &binding.set {
        walk.skip.insert(constant.field.clone());
        constants.push((
            path(&message, &constant.field, operation)?,
            constant.value.clone(),
        ));
    }
    let body = binding.request_xml.as_ref();
    if let Some(body) = body.filter(|body| !body.field.is_empty()) {
        walk.skip.insert(body.field.clone());
    }
    let mut members = Vec::new();
    walk.request(&message, &FieldPath::default(), &mut members)?;
    let body = match body {
        Some(body) => {
            let inside = message_at(&message, &body.field, operation)?;
            if !body.field.is_empty() {
                walk.prefix.push_str(&format!("{}.", body.field));
            }
            let mut found = Found::default();
            walk.shape(&inside, &FieldPath::default(), Room::Elements, &mut found)?;
            Some(Body {
                root: body.root.clone(),
                path: path(&message, &body.field, operation)?,
                optional: body.optional,
                shape: found.shape,
                hook_elements: binding.hook_request_xml.clone(),
                // Known when the whole contract is.
                refused: Vec::new(),
            })
        }
        None => None,
    };
    walk.finish()?;
    let streamed = method.is_client_streaming();
    Ok(Request {
        message,
        streamed,
        members,
        constants,
        body,
    })
}

fn answer(
    options: &Options,
    method: &MethodDescriptor,
    binding: &Binding,
    request: &Request,
) -> Result<Response, ContractError> {
    let operation = &binding.operation;
    let message = message_at(&method.output(), &binding.response_message, operation)?;
    let mut walk = walk(
        options,
        operation,
        Direction::Response,
        &binding.response_message,
        &binding.response,
    );
    walk.only = &binding.response_only;
    walk.encodes_urls = binding.encoding_type;
    for only in &binding.response_only {
        path(&method.output(), only, operation)?;
    }
    let relative = |text: &str| {
        let prefix = format!("{}.", binding.response_message);
        let inner = if binding.response_message.is_empty() {
            Some(text)
        } else {
            text.strip_prefix(&prefix)
        };
        path(&message, inner.unwrap_or(text), operation)
    };
    let mut found = Found::default();
    let mut derived_headers = Vec::new();
    for derived in &binding.derived {
        let member = derived_member(&message, derived, operation, &relative)?;
        if !derived.within.is_empty() {
            walk.derived
                .entry(derived.within.clone())
                .or_default()
                .push(member);
        } else if derived.header.is_empty() {
            found.shape.derived.push(member);
        } else {
            derived_headers.push(member);
        }
    }
    let room = if binding.response_xml.is_empty() {
        Room::Headers
    } else {
        Room::Both
    };
    walk.shape(&message, &FieldPath::default(), room, &mut found)?;
    walk.finish()?;
    let mut status_when = Vec::new();
    for when in &binding.status_when {
        status_when.push((relative(&when.field)?, status(when.status, 200)));
    }
    Ok(Response {
        status_when,
        headers: found.headers,
        root: (!binding.response_xml.is_empty()).then(|| binding.response_xml.clone()),
        shape: found.shape,
        echo: echoes(binding, request)?,
        derived_headers,
        overrides: binding.r#override.clone(),
        hook_elements: binding.hook_response_xml.clone(),
        message,
    })
}

fn derived_member(
    message: &MessageDescriptor,
    derived: &Derived,
    operation: &str,
    relative: &dyn Fn(&str) -> Result<FieldPath, ContractError>,
) -> Result<DerivedMember, ContractError> {
    if derived.rule() == DerivedRule::Unspecified {
        return Err(ContractError::Unspecified {
            operation: operation.to_owned(),
            what: "the rule of a derived part",
        });
    }
    let inside = if derived.within.is_empty() {
        None
    } else {
        Some(message_at(message, &derived.within, operation)?)
    };
    let resolve = |text: &String| match &inside {
        Some(item) => path(item, text, operation),
        None => relative(text),
    };
    Ok(DerivedMember {
        name: if derived.header.is_empty() {
            derived.xml.clone()
        } else {
            derived.header.clone()
        },
        rule: derived.rule(),
        paths: derived
            .field
            .iter()
            .map(resolve)
            .collect::<Result<_, _>>()?,
        value: derived.value.clone(),
        when: derived.when.clone(),
    })
}

fn echoes(binding: &Binding, request: &Request) -> Result<Vec<EchoMember>, ContractError> {
    let mut found = Vec::new();
    for echo in &binding.echo {
        let unknown = || ContractError::UnknownField {
            operation: binding.operation.clone(),
            field: echo.field.clone(),
        };
        let member = request
            .members
            .iter()
            .find(|member| member.path.text() == echo.field)
            .ok_or_else(unknown)?;
        found.push(EchoMember {
            element: echo.xml.clone(),
            path: member.path.clone(),
            codec: member.codec.clone(),
            rule: echo.rule(),
            limit: echo.limit,
            query: match &member.place {
                MemberPlace::Query(name) => Some(name.clone()),
                MemberPlace::Label(_) | MemberPlace::Header(_) | MemberPlace::HeaderPrefix(_) => {
                    None
                }
            },
            url_encodable: member.url_encodable && binding.encoding_type,
        });
    }
    Ok(found)
}

/// The enums that an operation reads or writes.
pub(crate) fn enum_names(operation: &Operation) -> Vec<String> {
    let mut codecs: Vec<&Codec> = operation
        .request
        .members
        .iter()
        .map(|member| &member.codec)
        .collect();
    codecs.extend(operation.answer.headers.iter().map(|header| &header.codec));
    if let Some(body) = &operation.request.body {
        shape_codecs(&body.shape, &mut codecs);
    }
    shape_codecs(&operation.answer.shape, &mut codecs);
    let names = codecs.into_iter().filter_map(Codec::enum_name);
    names.map(str::to_owned).collect()
}

fn shape_codecs<'a>(shape: &'a Shape, found: &mut Vec<&'a Codec>) {
    for member in &shape.members {
        match &member.node {
            ElementContent::Scalar(codec) | ElementContent::Texts { codec, .. } => {
                found.push(codec)
            }
            ElementContent::Items { shape, .. } | ElementContent::Struct { shape, .. } => {
                shape_codecs(shape, found)
            }
        }
    }
}
