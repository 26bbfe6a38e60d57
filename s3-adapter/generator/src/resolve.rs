//! From one binding, or one sub-resource, to operations.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{Kind, MessageDescriptor, MethodDescriptor};

use crate::annotations::{
    Bind, Binding, Derived, DerivedRule, Direction, Handler, HttpMethod, Resource, SubResource,
    Target,
};
use crate::model::{
    Answer, AnswerHeader, Body, Change, Codec, DerivedMember, EchoMember, FieldPath, Mask, Node,
    Operation, Place, QueryKey, Refusal, Request, RequestMember, Shape,
};
use crate::read::Options;
use crate::shape::{Room, Walk};

/// The field at the end of a dotted path. Empty: the message itself.
pub(crate) fn path(
    message: &MessageDescriptor,
    text: &str,
    operation: &str,
) -> Result<FieldPath, Refusal> {
    let refusal = || Refusal::UnknownField {
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

fn message_at(
    message: &MessageDescriptor,
    text: &str,
    operation: &str,
) -> Result<MessageDescriptor, Refusal> {
    let refusal = || Refusal::UnknownField {
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

fn query_keys(keys: &[String]) -> Vec<QueryKey> {
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

fn status(given: i32, otherwise: u16) -> u16 {
    u16::try_from(given)
        .ok()
        .filter(|status| *status > 0)
        .unwrap_or(otherwise)
}

fn walk<'a>(
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
) -> Result<Operation, Refusal> {
    let unspecified = |what| Refusal::Unspecified {
        operation: binding.operation.clone(),
        what,
    };
    if binding.operation.is_empty() {
        return Err(Refusal::Unspecified {
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
    let request = request(options, method, binding)?;
    Ok(Operation {
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
        mask: None,
        missing: None,
        encoding_type: binding.encoding_type,
    })
}

fn request(
    options: &Options,
    method: &MethodDescriptor,
    binding: &Binding,
) -> Result<Request, Refusal> {
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
            let mut shape = Shape::default();
            walk.shape(
                &inside,
                &FieldPath::default(),
                Room::Elements,
                &mut shape,
                &mut Vec::new(),
            )?;
            Some(Body {
                root: body.root.clone(),
                path: path(&message, &body.field, operation)?,
                optional: body.optional,
                shape,
                hook_elements: binding.hook_request_xml.clone(),
                refused: body.refused.clone(),
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
) -> Result<Answer, Refusal> {
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
    let mut shape = Shape::default();
    let mut derived_headers = Vec::new();
    for derived in &binding.derived {
        let member = derived_member(&message, derived, operation, &relative)?;
        if !derived.within.is_empty() {
            walk.derived
                .entry(derived.within.clone())
                .or_default()
                .push(member);
        } else if derived.header.is_empty() {
            shape.derived.push(member);
        } else {
            derived_headers.push(member);
        }
    }
    let mut headers = Vec::new();
    let room = if binding.response_xml.is_empty() {
        Room::Headers
    } else {
        Room::Both
    };
    walk.shape(
        &message,
        &FieldPath::default(),
        room,
        &mut shape,
        &mut headers,
    )?;
    walk.finish()?;
    let mut status_when = Vec::new();
    for when in &binding.status_when {
        status_when.push((relative(&when.field)?, status(when.status, 200)));
    }
    Ok(Answer {
        status_when,
        headers,
        root: (!binding.response_xml.is_empty()).then(|| binding.response_xml.clone()),
        shape,
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
    relative: &dyn Fn(&str) -> Result<FieldPath, Refusal>,
) -> Result<DerivedMember, Refusal> {
    if derived.rule() == DerivedRule::Unspecified {
        return Err(Refusal::Unspecified {
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

fn echoes(binding: &Binding, request: &Request) -> Result<Vec<EchoMember>, Refusal> {
    let mut found = Vec::new();
    for echo in &binding.echo {
        let unknown = || Refusal::UnknownField {
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
                Place::Query(name) => Some(name.clone()),
                Place::Label(_) | Place::Header(_) | Place::HeaderPrefix(_) => None,
            },
            url_encodable: member.url_encodable && binding.encoding_type,
        });
    }
    Ok(found)
}

/// The GET, PUT and DELETE of a sub-resource.
pub(crate) fn sub_resource(
    options: &Options,
    resource: &Resource,
    at: &FieldPath,
    sub_resource: &SubResource,
) -> Result<Vec<Operation>, Refusal> {
    let change = |verb: &str, method, status, change| {
        update(
            options,
            resource,
            at,
            sub_resource,
            &format!("{verb}{}", sub_resource.name),
            method,
            status,
            change,
        )
    };
    Ok(vec![
        get(options, resource, at, sub_resource)?,
        change(
            "Put",
            HttpMethod::Put,
            status(sub_resource.put_status, 200),
            Change::Set,
        )?,
        change(
            "Delete",
            HttpMethod::Delete,
            status(sub_resource.delete_status, 204),
            Change::Clear,
        )?,
    ])
}

fn rpc(options: &Options, name: &str, operation: &str) -> Result<MethodDescriptor, Refusal> {
    let unknown = || Refusal::UnknownRpc {
        operation: operation.to_owned(),
        rpc: name.to_owned(),
    };
    options.rpc(name).ok_or_else(unknown)
}

/// The members of an update's request that say which resource is meant.
fn identity(
    options: &Options,
    resource: &Resource,
    method: &MethodDescriptor,
    operation: &str,
) -> Result<Vec<RequestMember>, Refusal> {
    let base = path(&method.input(), &resource.update_field, operation)?;
    let message = message_at(&method.input(), &resource.update_field, operation)?;
    let mut walk = walk(options, operation, Direction::Request, "", &[]);
    let mut members = Vec::new();
    walk.request(&message, &base, &mut members)?;
    let named = |member: &RequestMember| {
        let last = member.path.steps.len() == base.steps.len() + 1;
        last && member
            .path
            .leaf()
            .is_some_and(|leaf| resource.identify.iter().any(|name| name == leaf.name()))
    };
    members.retain(named);
    Ok(members)
}

fn shown(
    options: &Options,
    resource: &Resource,
    answer: &MessageDescriptor,
    base: &str,
    operation: &str,
) -> Result<Vec<AnswerHeader>, Refusal> {
    let mut found = Vec::new();
    for name in &resource.show {
        let path = path(answer, &format!("{base}.{name}"), operation)?;
        let Some(leaf) = path.leaf() else { continue };
        let field = options.field(leaf)?.unwrap_or_default();
        let codec = Codec::of(leaf, field.form());
        let codec = codec.ok_or_else(|| Refusal::Form {
            operation: operation.to_owned(),
            field: name.clone(),
        })?;
        found.push(AnswerHeader {
            name: field.header,
            prefix: false,
            path,
            codec,
            always: false,
            when: None,
        });
    }
    Ok(found)
}

fn plain_answer(message: MessageDescriptor, headers: Vec<AnswerHeader>) -> Answer {
    Answer {
        message,
        status_when: Vec::new(),
        headers,
        root: None,
        shape: Shape::default(),
        echo: Vec::new(),
        derived_headers: Vec::new(),
        overrides: Vec::new(),
        hook_elements: Vec::new(),
    }
}

fn get(
    options: &Options,
    resource: &Resource,
    at: &FieldPath,
    sub: &SubResource,
) -> Result<Operation, Refusal> {
    let name = format!("Get{}", sub.name);
    let method = rpc(options, &resource.get, &name)?;
    let update = rpc(options, &resource.update, &name)?;
    let places: BTreeSet<Place> = identity(options, resource, &update, &name)?
        .into_iter()
        .map(|member| member.place)
        .collect();
    let mut members = Vec::new();
    walk(options, &name, Direction::Request, "", &[]).request(
        &method.input(),
        &FieldPath::default(),
        &mut members,
    )?;
    members.retain(|member| places.contains(&member.place));

    let full = path(
        &method.output(),
        &format!("{}.{}", resource.get_field, at.text()),
        &name,
    )?;
    let inside = message_at(&method.output(), &full.text(), &name)?;
    let mut shape = Shape::default();
    let mut walked = walk(options, &name, Direction::Response, "", &[]);
    walked.shape(&inside, &full, Room::Elements, &mut shape, &mut Vec::new())?;
    let headers = shown(
        options,
        resource,
        &method.output(),
        &resource.get_field,
        &name,
    )?;
    let mut answer = plain_answer(method.output(), headers);
    answer.root = Some(sub.xml.clone());
    answer.shape = shape;
    Ok(Operation {
        rpc: method.name().to_owned(),
        method: HttpMethod::Get,
        target: resource.target(),
        query: query_keys(std::slice::from_ref(&sub.query)),
        headers: Vec::new(),
        status: 200,
        hook: false,
        request: Request {
            message: method.input(),
            streamed: false,
            members,
            constants: Vec::new(),
            body: None,
        },
        answer,
        mask: None,
        missing: (!sub.missing.is_empty()).then(|| (full, sub.missing.clone())),
        encoding_type: false,
        name,
    })
}

#[allow(clippy::too_many_arguments)]
fn update(
    options: &Options,
    resource: &Resource,
    at: &FieldPath,
    sub: &SubResource,
    name: &str,
    http: HttpMethod,
    status: u16,
    change: Change,
) -> Result<Operation, Refusal> {
    let method = rpc(options, &resource.update, name)?;
    let full = path(
        &method.input(),
        &format!("{}.{}", resource.update_field, at.text()),
        name,
    )?;
    let inside = message_at(&method.input(), &full.text(), name)?;
    let body = match change {
        Change::Clear => None,
        Change::Set => {
            let mut shape = Shape::default();
            let mut walked = walk(options, name, Direction::Request, "", &[]);
            walked.shape(
                &inside,
                &FieldPath::default(),
                Room::Elements,
                &mut shape,
                &mut Vec::new(),
            )?;
            Some(Body {
                root: sub.xml.clone(),
                path: full,
                optional: false,
                shape,
                hook_elements: Vec::new(),
                refused: Vec::new(),
            })
        }
    };
    let headers = shown(
        options,
        resource,
        &method.output(),
        &resource.update_field,
        name,
    )?;
    Ok(Operation {
        name: name.to_owned(),
        rpc: method.name().to_owned(),
        method: http,
        target: resource.target(),
        query: query_keys(std::slice::from_ref(&sub.query)),
        headers: Vec::new(),
        status,
        hook: false,
        request: Request {
            message: method.input(),
            streamed: false,
            members: identity(options, resource, &method, name)?,
            constants: Vec::new(),
            body,
        },
        answer: plain_answer(method.output(), headers),
        mask: Some(Mask {
            field: resource.mask_field.clone(),
            path: at.text(),
            change,
        }),
        missing: None,
        encoding_type: false,
    })
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
    let name = |codec: &Codec| match codec {
        Codec::Enum(name) => Some(name.clone()),
        _ => None,
    };
    codecs.into_iter().filter_map(name).collect()
}

fn shape_codecs<'a>(shape: &'a Shape, found: &mut Vec<&'a Codec>) {
    for member in &shape.members {
        match &member.node {
            Node::Scalar(codec) | Node::Texts { codec, .. } => found.push(codec),
            Node::Items { shape, .. } | Node::Struct { shape, .. } => shape_codecs(shape, found),
        }
    }
}
