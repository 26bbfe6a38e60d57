//! Writes rendering: from a typed answer to status, headers and XML.

use crate::annotations::EchoRule;
use crate::codec::Codec;
use crate::derived;
use crate::enums::text_of;
use crate::model::{
    AnswerHeader, Contract, EchoMember, ElementContent, FieldPath, ListForm, Member, Operation,
    Shape,
};
use crate::source::{Code, answer_type, condition, function, is_option, parent, request_type, tag};

pub(crate) fn source(contract: &Contract) -> String {
    let mut code = Code::default();
    // What a hook writes itself has no generated rendering, nor has what is always an error.
    let unset = |operation: &&Operation| {
        let missing = operation.missing.as_ref();
        missing.is_some_and(|missing| missing.field.is_none())
    };
    let rendered = contract
        .operations
        .iter()
        .filter(|operation| operation.answer.hook_elements.is_empty() && !unset(operation));
    rendered.for_each(|operation| render(operation, &mut code));
    code.finish()
}

/// Whether the answer shows something of the request's message.
pub(crate) fn shows_request(operation: &Operation) -> bool {
    operation.answer.root.is_some() && !operation.answer.echo.is_empty()
}

fn request_parameter(operation: &Operation) -> String {
    match shows_request(operation) {
        true => format!("request: &{}, ", request_type(operation)),
        false => String::new(),
    }
}

fn render(operation: &Operation, code: &mut Code) {
    code.line(format!("/// Renders the answer of {}.", operation.name));
    code.block(
        format!(
            "#[must_use]\n#[allow(unused_variables)]\npub fn {}({}answer: &{}, context: &RenderContext<'_>) -> Rendered {{",
            function("render", &operation.name),
            request_parameter(operation),
            answer_type(operation)
        ),
        |code| {
            code.line(format!("let mut out = Rendered::new({});", operation.status));
            for (path, status) in &operation.answer.status_when {
                let (parent, field) = parent("answer", path);
                code.line(format!("if {parent}.is_some_and(|m| m.{field}.is_some()) {{ out.set_status({status}); }}"));
            }
            operation.answer.headers.iter().for_each(|header| self::header(header, code));
            for derived in &operation.answer.derived_headers {
                code.line(format!("out.header({}, {});", owned_header_name(&derived.name), derived::value("answer", derived)));
            }
            for replaced in &operation.answer.overrides {
                code.line(format!("out.replace({}, context.view.query.get({:?}));", owned_header_name(&replaced.header), replaced.query));
            }
            if let Some(root) = &operation.answer.root {
                document(operation, root, code);
            }
            code.line("out");
        },
        "}",
    );
}

fn header(header: &AnswerHeader, code: &mut Code) {
    let name = &header.name;
    let (parent, field) = parent("answer", &header.path);
    let set = match &header.codec {
        Codec::Metadata => format!("out.metadata({name:?}, {parent}.map(|m| &m.{field}));"),
        Codec::Checksum => format!("out.checksum({parent}.and_then(|m| m.{field}.as_ref()));"),
        codec => {
            let form = Style {
                always: header.always,
                xml: false,
            };
            let value = encoded(codec, &header.path, &field, form);
            let name = owned_header_name(name);
            format!("out.header({name}, {parent}.and_then(|m| {value}));")
        }
    };
    match condition(header.when.as_ref()) {
        Some(condition) => code.block(format!("if {condition} {{"), |code| code.line(set), "}"),
        None => code.line(set),
    }
}

/// An expression of type `HeaderName`, evaluated by the compiler.
fn owned_header_name(name: &str) -> String {
    format!("const {{ HeaderName::from_static({name:?}) }}")
}

/// Where a value stands and whether it is shown when empty.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    pub(crate) always: bool,
    pub(crate) xml: bool,
}

/// An expression of type `Option<Text>` on the parent message `m`.
pub(crate) fn encoded(codec: &Codec, path: &FieldPath, field: &str, style: Style) -> String {
    let option = path.leaf().is_some_and(is_option);
    let always = if style.always { "_always" } else { "" };
    match codec {
        Codec::Text => format!("encode::text{always}(&m.{field})"),
        Codec::Bool => format!("encode::flag{always}(m.{field})"),
        Codec::Int32 | Codec::Int64 if option => {
            format!("m.{field}.and_then(|n| encode::int(i64::from(n)))")
        }
        Codec::Int32 | Codec::Int64 if style.xml || style.always => {
            format!("encode::int(i64::from(m.{field}))")
        }
        Codec::Int32 | Codec::Int64 => format!("encode::int_if_set(i64::from(m.{field}))"),
        Codec::Time if style.xml => format!("m.{field}.as_ref().and_then(encode::iso8601)"),
        Codec::Time => format!("m.{field}.as_ref().and_then(encode::http_date)"),
        Codec::Enum(name) => format!("{}(m.{field}).map(Text::Borrowed)", text_of(name)),
        Codec::Etag => format!("encode::etag(&m.{field})"),
        Codec::Base64 => format!("encode::base64(&m.{field})"),
        Codec::Location => format!("encode::location(&m.{field})"),
        Codec::ContentRange => format!("m.{field}.as_ref().map(encode::content_range)"),
        // Written by name, not by value, or refused while the contract is read.
        Codec::EtagList
        | Codec::CommaList(_)
        | Codec::TagQuery
        | Codec::Range
        | Codec::CopySource
        | Codec::CopyRange
        | Codec::Checksum
        | Codec::Metadata
        | Codec::Zero => "None".to_owned(),
    }
}

fn document(operation: &Operation, root: &str, code: &mut Code) {
    code.line("let mut xml = XmlWriter::document();");
    code.line(format!("xml.open_root({root:?});"));
    let answer = &operation.answer;
    if let Some((path, codec)) = &answer.shape.text {
        let (parent, field) = parent("answer", path);
        let value = encoded(
            codec,
            path,
            &field,
            Style {
                always: true,
                xml: true,
            },
        );
        code.line(format!(
            "if let Some(text) = {parent}.and_then(|m| {value}) {{ text.write(&mut xml); }}"
        ));
    }
    answer.echo.iter().for_each(|echo| self::echo(echo, code));
    if operation.encoding_type {
        code.line("if context.encodes_urls() { xml.text_element(\"EncodingType\", \"url\"); }");
    }
    shape(&answer.shape, "answer", code);
    code.line("out.document(xml);");
}

fn echo(echo: &EchoMember, code: &mut Code) {
    let (parent, field) = parent("request", &echo.path);
    let value = match echo.codec {
        Codec::Int32 if echo.path.leaf().is_some_and(is_option) => {
            format!(
                "encode::int(i64::from(m.{field}.unwrap_or({0}).min({0})))",
                echo.limit
            )
        }
        Codec::Int32 => format!("encode::int(i64::from(m.{field}))"),
        _ => format!("encode::text_always(&m.{field})"),
    };
    let mut value = format!("{parent}.and_then(|m| {value})");
    if echo.url_encodable {
        value = format!("context.url_encoded({value})");
    }
    let write = element(&echo.element, &value);
    let condition = match (echo.rule, &echo.query) {
        (EchoRule::Present, Some(query)) => Some(format!("context.view.has_parameter({query:?})")),
        (EchoRule::NonEmpty, Some(query)) => Some(format!("context.view.has_query({query:?})")),
        _ => None,
    };
    match condition {
        Some(condition) => code.block(format!("if {condition} {{"), |code| code.line(write), "}"),
        None => code.line(write),
    }
}

/// The elements of a shape, in the order of the contract; `a/b` elements are gathered into one `a`.
fn shape(shape: &Shape, root: &str, code: &mut Code) {
    let mut gathered: Vec<&str> = Vec::new();
    let values: Vec<(Vec<String>, String)> = shape
        .members
        .iter()
        .filter_map(|member| scalar(member, root))
        .collect();
    let derived = shape.derived.iter().map(|derived| {
        let element: Vec<String> = derived.name.split('/').map(str::to_owned).collect();
        (element, derived::value(root, derived))
    });
    let values: Vec<(Vec<String>, String)> = values.into_iter().chain(derived).collect();
    let checksums: Vec<(&str, String)> = shape
        .members
        .iter()
        .filter_map(|member| grouped_checksum(member, root))
        .collect();
    for (element, value) in &values {
        match &element[..] {
            [name] => code.line(self::element(name, value)),
            [outer, ..] if !gathered.contains(&outer.as_str()) => {
                gathered.push(outer);
                group(outer, &values, &checksums, code);
            }
            _ => {}
        }
    }
    for (outer, _) in &checksums {
        if !gathered.contains(outer) {
            group(outer, &values, &checksums, code);
        }
    }
    shape
        .members
        .iter()
        .for_each(|member| nested(member, root, code));
}

/// The element around `a/b` elements, with a checksum among them if there is one.
fn group(
    outer: &str,
    values: &[(Vec<String>, String)],
    checksums: &[(&str, String)],
    code: &mut Code,
) {
    let inner: Vec<String> = values
        .iter()
        .filter(|(other, _)| other.len() > 1 && other.first().is_some_and(|name| name == outer))
        .map(|(element, value)| format!("({}, {value})", tag(&element[1..].join("/"))))
        .collect();
    let checksum = checksums.iter().find(|(around, _)| *around == outer);
    let checksum = checksum.map_or("None", |(_, checksum)| checksum);
    code.line(format!(
        "encode::group(&mut xml, {outer:?}, {checksum}, [{}]);",
        inner.join(", ")
    ));
}

/// A checksum at `a/b`, and the element around it.
fn grouped_checksum<'a>(member: &'a Member, root: &str) -> Option<(&'a str, String)> {
    match (&member.node, &member.element[..]) {
        (ElementContent::Scalar(Codec::Checksum), [outer, _, ..]) => {
            let (parent, field) = parent(root, &member.path);
            let checksum = format!("{parent}.and_then(|m| m.{field}.as_ref())");
            Some((outer, checksum))
        }
        _ => None,
    }
}

/// The value of an element that has text, and its place.
fn scalar(member: &Member, root: &str) -> Option<(Vec<String>, String)> {
    let ElementContent::Scalar(codec) = &member.node else {
        return None;
    };
    if *codec == Codec::Checksum || attribute_name(member).is_some() {
        return None;
    }
    let mut value = text_of_member(member, codec, root);
    if member.url_encodable {
        value = format!("context.url_encoded({value})");
    }
    if let Some(condition) = condition(member.when.as_ref()) {
        value = format!("if {condition} {{ {value} }} else {{ None }}");
    }
    Some((member.element.clone(), value))
}

/// A statement that writes an element, if its value is there.
fn element(name: &str, value: &str) -> String {
    format!("encode::element(&mut xml, {}, {value});", tag(name))
}

/// An expression of type `Option<Text>`.
fn text_of_member(member: &Member, codec: &Codec, root: &str) -> String {
    let (parent, field) = parent(root, &member.path);
    let style = Style {
        always: member.always,
        xml: true,
    };
    let value = encoded(codec, &member.path, &field, style);
    format!("{parent}.and_then(|m| {value})")
}

/// The attribute of the element around it that a member is, if it is one.
fn attribute_name(member: &Member) -> Option<&str> {
    member.element.first()?.strip_prefix('@')
}

/// Opens the element of a message, with its attribute if it has one.
fn open(element: &str, shape: &Shape, root: &str, code: &mut Code) {
    let attribute =
        shape
            .members
            .iter()
            .find_map(|member| match (attribute_name(member), &member.node) {
                (Some(name), ElementContent::Scalar(codec)) => {
                    Some((name, text_of_member(member, codec, root)))
                }
                _ => None,
            });
    match attribute {
        None => code.line(format!("xml.open({element:?});")),
        Some((name, value)) => code.line(format!(
            "encode::open_with(&mut xml, {element:?}, {name:?}, {value});"
        )),
    }
}

/// Writes what has no text of its own: lists, messages, and checksums whose element names their algorithm.
fn nested(member: &Member, root: &str, code: &mut Code) {
    let (parent, field) = parent(root, &member.path);
    let element = member.element.join("/");
    match &member.node {
        ElementContent::Scalar(Codec::Checksum) if member.element.len() == 1 => {
            code.line(format!(
                "encode::checksum_element(&mut xml, {parent}.and_then(|m| m.{field}.as_ref()));"
            ));
        }
        ElementContent::Scalar(_) => {}
        ElementContent::Texts {
            codec: Codec::Enum(name),
            ..
        } => {
            let write = format!(
                "if let Some(text) = {}(*item) {{ xml.text_element({element:?}, text); }}",
                text_of(name)
            );
            each_item(member, root, code, |code| code.line(write));
        }
        ElementContent::Texts { list, .. } => texts(member, list, root, code),
        ElementContent::Items { list, shape, .. } => {
            let (outer, each) = list.elements(&element);
            code.line(format!(
                "xml.reserve({parent}.map_or(0, |m| m.{field}.len()) * encode::ITEM_BYTES);"
            ));
            self::list(outer, code, |code| {
                each_item(member, root, code, |code| message(each, shape, code));
            });
        }
        ElementContent::Struct { shape, .. } => code.block(
            format!("if let Some(item) = {parent}.and_then(|m| m.{field}.as_ref()) {{"),
            |code| message(&element, shape, code),
            "}",
        ),
    }
}

/// A list of texts. The items of a flattened list stand in elements within it if the list names them.
fn texts(member: &Member, list: &ListForm, root: &str, code: &mut Code) {
    let element = member.element.join("/");
    let value = match member.url_encodable {
        true => "context.url_encoded(encode::text_always(item))",
        false => "encode::text_always(item)",
    };
    let (outer, each) = list.elements(&element);
    let write = match (list.flattened, &list.item) {
        (true, Some(item)) => {
            format!(
                "xml.open({element:?}); {} xml.close();",
                self::element(item, value)
            )
        }
        _ => self::element(each, value),
    };
    self::list(outer, code, |code| {
        each_item(member, root, code, |code| code.line(write));
    });
}

/// The element of the message `item`.
fn message(element: &str, shape: &Shape, code: &mut Code) {
    open(element, shape, "item", code);
    self::shape(shape, "item", code);
    code.line("xml.close();");
}

/// A loop in which `item` is each item of the member's list.
fn each_item(member: &Member, root: &str, code: &mut Code, inside: impl FnOnce(&mut Code)) {
    let (parent, field) = parent(root, &member.path);
    code.block(
        format!("for item in {parent}.into_iter().flat_map(|m| &m.{field}) {{"),
        inside,
        "}",
    );
}

/// What is inside, in the element around it if there is one.
fn list(outer: Option<&str>, code: &mut Code, inside: impl FnOnce(&mut Code)) {
    if let Some(outer) = outer {
        code.line(format!("xml.open({outer:?});"));
    }
    inside(code);
    if outer.is_some() {
        code.line("xml.close();");
    }
}
