//! Writes typed parsing: from the URI, query and headers first (enough to authorize), then from the XML body.

use crate::codec::Codec;
use crate::enums::value_of;
use crate::model::{
    Body, Change, Contract, FieldPath, LabelPart, Member, Node, Operation, Place, RequestMember,
    Shape,
};
use crate::source::{Code, function, ident, is_option, place, request_type, rust_type};

pub(crate) fn source(contract: &Contract) -> String {
    let mut code = Code::default();
    parsed_request(contract, &mut code);
    for operation in &contract.operations {
        head(operation, &mut code);
        if let Some(body) = &operation.request.body {
            whole_body(operation, body, &mut code);
        }
    }
    code.finish()
}

fn parsed_request(contract: &Contract, code: &mut Code) {
    let operations = &contract.operations;
    code.line("/// The request of an operation, typed.");
    code.line("#[derive(Debug, Clone, PartialEq)]");
    code.block(
        "pub enum ParsedRequest {",
        |code| {
            for operation in operations {
                code.line(format!(
                    "/// Of {0}.\n    {0}({1}),",
                    operation.name,
                    request_type(operation)
                ));
            }
        },
        "}",
    );
    code.block(
        "impl ParsedRequest {",
        |code| {
            arms(code, PARSE, operations, |op| {
                format!(
                    "Operation::{0} => {1}(view).map(Self::{0}),",
                    op.name,
                    function("parse", &op.name)
                )
            });
            arms(code, READ_BODY, operations, |op| match op.request.body {
                Some(_) => format!(
                    "Self::{}(request) => {}(request, root),",
                    op.name,
                    function("read", &op.name)
                ),
                None => format!("Self::{}(_) => Ok(()),", op.name),
            });
            arms(code, OPERATION, operations, |op| {
                format!("Self::{0}(_) => Operation::{0},", op.name)
            });
            arms(code, REQUIREMENTS, operations, |op| {
                format!("Self::{}(request) => request.requirements(),", op.name)
            });
        },
        "}",
    );
}

const PARSE: &str =
    "/// Reads URI, query and headers: all that authorization needs. What S3 gives a meaning and
    /// the operation does not honour is refused.
    ///
    /// # Errors
    /// [`ParseError`].
    pub fn parse(operation: Operation, view: &RequestView<'_>) -> Result<Self, ParseError> {
        view.refuse_unsupported(operation)?;
        match operation {";
const READ_BODY: &str = "/// Reads the XML body of an operation whose [`Operation::body`] is XML.
    ///
    /// # Errors
    /// [`ParseError`].
    pub fn read_body(&mut self, root: Option<&Element>) -> Result<(), ParseError> {
        match self {";
const OPERATION: &str = "/// The operation.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {";
const REQUIREMENTS: &str = "/// The access that it needs: all of it must be allowed.
    #[must_use]
    pub fn requirements(&self) -> Vec<Requirement> {
        match self {";

fn arms(code: &mut Code, open: &str, operations: &[Operation], arm: impl Fn(&Operation) -> String) {
    code.block(
        open,
        |code| {
            operations
                .iter()
                .for_each(|operation| code.line(format!("    {}", arm(operation))))
        },
        "    }\n    }",
    );
}

fn head(operation: &Operation, code: &mut Code) {
    let request = &operation.request;
    code.line(format!(
        "/// Reads the head of a {} request.\n///\n/// # Errors\n/// [`ParseError`].",
        operation.name
    ));
    code.block(
        format!(
            "pub fn {}(view: &RequestView<'_>) -> Result<{of}, ParseError> {{\n    let mut request = {of}::default();",
            function("parse", &operation.name),
            of = request_type(operation)
        ),
        |code| {
            request.members.iter().for_each(|member| self::member(member, code));
            for (path, value) in &request.constants {
                let value = match path.leaf().and_then(|leaf| Codec::of(leaf, crate::annotations::Form::Unspecified)) {
                    Some(Codec::Text) => format!("{value:?}.to_owned()"),
                    _ => value.clone(),
                };
                code.line(format!("{} = {value};", place("request", path)));
            }
            if let Some(mask) = &operation.mask {
                code.line(format!(
                    "request.{}.get_or_insert_default().paths.push({:?}.to_owned());",
                    ident(&mask.field),
                    mask.path
                ));
            }
            if let (Some(body), Some(Change::Set)) = (&request.body, operation.mask.as_ref().map(|mask| mask.change)) {
                code.line("// The body fills it later; until then it must not look cleared.");
                code.line(format!("{}.get_or_insert_default();", place("request", &body.path)));
            }
            if operation.encoding_type {
                code.line("view.encoding_type()?;");
            }
            for replaced in &operation.answer.overrides {
                code.line(format!("view.replaced_header({:?})?;", replaced.query));
            }
            code.line("Ok(request)");
        },
        "}",
    );
}

fn member(member: &RequestMember, code: &mut Code) {
    let target = place("request", &member.path);
    match &member.place {
        Place::Label(LabelPart::Bucket) => code.line(format!("{target} = view.bucket();")),
        Place::Label(LabelPart::Key) => code.line(format!("{target} = view.key();")),
        Place::HeaderPrefix(prefix) => {
            code.line(format!("let metadata = view.metadata({prefix:?})?;"));
            code.block(
                "if !metadata.is_empty() {",
                |code| code.line(format!("{target} = metadata;")),
                "}",
            );
        }
        Place::Header(_) if member.codec == Codec::Checksum => {
            code.block(
                "if let Some(checksum) = decode::checksum_headers(view)? {",
                |code| code.line(format!("{target} = Some(checksum);")),
                "}",
            );
        }
        Place::Header(name) => {
            let source = format!("Source::Header({name:?})");
            code.block(
                format!("if let Some(value) = view.header({name:?})? {{"),
                |code| assign(member, &target, &source, code),
                "}",
            );
        }
        Place::Query(name) => {
            let source = format!("Source::Query({name:?})");
            code.block(
                format!("if let Some(value) = view.query.get({name:?}) {{"),
                |code| assign(member, &target, &source, code),
                "}",
            );
        }
    }
}

fn assign(member: &RequestMember, target: &str, source: &str, code: &mut Code) {
    let value = decoded(&member.codec, source, "&value", member.min, member.max);
    match &member.codec {
        Codec::CommaList(item) => {
            let item = decoded(item, source, "item", member.min, member.max);
            code.line(format!(
                "for item in decode::comma_list(&value) {{ {target}.push({item}?); }}"
            ));
        }
        // Nothing is set where S3 ignores the value.
        Codec::Int32 | Codec::Int64 | Codec::Time | Codec::Range => {
            let some = member.path.leaf().is_some_and(is_option);
            let number = if some { "Some(found)" } else { "found" };
            code.line(format!(
                "if let Some(found) = {value}? {{ {target} = {number}; }}"
            ));
        }
        _ if member.path.leaf().is_some_and(is_option) => {
            code.line(format!("{target} = Some({value}?);"))
        }
        _ => code.line(format!("{target} = {value}?;")),
    }
}

/// An expression of a `Result` with the value.
fn decoded(codec: &Codec, source: &str, value: &str, min: Option<i64>, max: Option<i64>) -> String {
    let plain = |name: &str| format!("decode::{name}({source}, {value})");
    let bound = |bound: Option<i64>, otherwise: &str| {
        bound.map_or(otherwise.to_owned(), |bound| bound.to_string())
    };
    match codec {
        Codec::Text => plain("text"),
        Codec::Bool => plain("flag"),
        Codec::Int32 => format!(
            "decode::int32({source}, {value}, {}, {})",
            bound(min, "i32::MIN"),
            bound(max, "i32::MAX")
        ),
        Codec::Int64 => format!(
            "decode::int64({source}, {value}, {}, {})",
            bound(min, "i64::MIN"),
            bound(max, "i64::MAX")
        ),
        Codec::Time => plain("time"),
        Codec::Enum(name) => format!("decode::choice({source}, {value}, {})", value_of(name)),
        Codec::Etag => plain("etag"),
        Codec::EtagList => plain("etag_list"),
        Codec::Base64 => plain("base64"),
        Codec::TagQuery => plain("tag_query"),
        Codec::Range => plain("range"),
        Codec::CopySource => plain("copy_source"),
        Codec::CopyRange => plain("copy_range"),
        Codec::Zero => plain("is_zero"),
        // Checksums and metadata are bound by name, comma lists item by item: see `member`. The others are refused.
        Codec::Checksum
        | Codec::Metadata
        | Codec::ContentRange
        | Codec::Location
        | Codec::CommaList(_) => plain("text"),
    }
}

fn whole_body(operation: &Operation, body: &Body, code: &mut Code) {
    let name = function("read", &operation.name);
    let mut shapes = vec![(
        format!("{name}_root"),
        message_of(operation, &body.path),
        &body.shape,
        &body.hook_elements[..],
    )];
    let none: &[String] = &[];
    code.block(
        format!(
            "fn {name}(request: &mut {}, root: Option<&Element>) -> Result<(), ParseError> {{",
            request_type(operation)
        ),
        |code| {
            let missing = if body.optional {
                "Ok(())"
            } else {
                "Err(ParseError::MissingBody)"
            };
            code.line(format!(
                "let Some(root) = root else {{ return {missing} }};"
            ));
            code.line(format!("decode::expect_root(root, {:?})?;", body.root));
            let target = if body.path.steps.is_empty() {
                "request".to_owned()
            } else {
                format!("{}.get_or_insert_default()", place("request", &body.path))
            };
            code.line(format!("{name}_root(root, {target})"));
        },
        "}",
    );
    let mut number = 0;
    while let Some((name, message, shape, hook)) = shapes.pop() {
        code.block(
            format!("fn {name}(element: &Element, out: &mut {message}) -> Result<(), ParseError> {{\n    {}for child in &element.children {{\n        match child.name.as_str() {{", attributes(shape)),
            |code| {
                for member in shape.members.iter().filter(|member| !is_attribute(member)) {
                    let mut nested = |message: String, inner| {
                        number += 1;
                        let inner_name = format!("{}_{number}", function("read", &operation.name));
                        shapes.push((inner_name.clone(), message, inner, none));
                        inner_name
                    };
                    element(member, &mut nested, code);
                }
                for name in hook {
                    code.line(format!("        // The hook reads it.\n            {name:?} => {{}}"));
                }
                for name in &body.refused {
                    code.line(format!(
                        "        {name:?} => return Err(decode::unsupported_element(child)),"
                    ));
                }
                code.line("        _ => return Err(decode::unknown_element(child)),");
            },
            "        }\n    }\n    Ok(())\n}",
        );
    }
}

/// Reads the attributes of an element, by their local names.
fn attributes(shape: &Shape) -> String {
    let read = |member: &Member| {
        let name = member.element.first()?.strip_prefix('@')?;
        let local = name.rsplit(':').next().unwrap_or(name);
        let Node::Scalar(codec) = &member.node else {
            return None;
        };
        let source = format!("Source::Element({name:?})");
        let value = decoded(codec, &source, "value", member.min, member.max);
        let target = place("out", &member.path);
        Some(format!(
            "if let Some(value) = element.attribute({local:?}) {{ {target} = {value}?; }}\n    "
        ))
    };
    shape.members.iter().filter_map(read).collect()
}

fn is_attribute(member: &Member) -> bool {
    member
        .element
        .first()
        .is_some_and(|name| name.starts_with('@'))
}

fn message_of(operation: &Operation, path: &FieldPath) -> String {
    match path.leaf().map(|leaf| leaf.kind()) {
        Some(prost_reflect::Kind::Message(message)) => rust_type(&message),
        _ => request_type(operation),
    }
}

fn element<'a>(
    member: &'a Member,
    nested: &mut dyn FnMut(String, &'a Shape) -> String,
    code: &mut Code,
) {
    let name = member.element.join("/");
    let target = place("out", &member.path);
    let source = format!("Source::Element({name:?})");
    let leaf_is_option = member.path.leaf().is_some_and(is_option);
    let value = |codec: &Codec, of: &str| decoded(codec, &source, of, member.min, member.max);
    let arm = match &member.node {
        Node::Scalar(Codec::Checksum) => {
            let read = "decode::checksum_element(name, &child.text)?";
            code.line(format!(
                "        name if decode::is_checksum_element(name) => {target} = Some({read}),"
            ));
            return;
        }
        Node::Scalar(codec @ (Codec::Int32 | Codec::Int64 | Codec::Time)) => {
            let found = if leaf_is_option {
                "Some(found)"
            } else {
                "found"
            };
            format!(
                "if let Some(found) = {}? {{ {target} = {found}; }}",
                value(codec, "&child.text")
            )
        }
        Node::Scalar(codec) if leaf_is_option => {
            format!("{target} = Some({}?);", value(codec, "&child.text"))
        }
        Node::Scalar(codec) => format!("{target} = {}?;", value(codec, "&child.text")),
        Node::Texts {
            codec,
            flattened: true,
            item: None,
        } => format!("{target}.push({}?);", value(codec, "&child.text")),
        Node::Texts { codec, item, .. } => {
            let item = item.clone().unwrap_or_default();
            format!(
                "for entry in decode::items(child, {item:?})? {{ {target}.push({}?); }}",
                value(codec, "&entry.text")
            )
        }
        Node::Items {
            message,
            flattened,
            item,
            shape,
        } => {
            let message = rust_type(message);
            let function = nested(message.clone(), shape);
            let read = |of: &str| {
                format!(
                    "let mut item = {message}::default(); {function}({of}, &mut item)?; {target}.push(item);"
                )
            };
            match (flattened, item) {
                (true, _) | (false, None) => read("child"),
                (false, Some(item)) => format!(
                    "for entry in decode::items(child, {item:?})? {{ {} }}",
                    read("entry")
                ),
            }
        }
        Node::Struct { message, shape } => {
            let function = nested(rust_type(message), shape);
            format!("{function}(child, {target}.get_or_insert_default())?;")
        }
    };
    code.line(format!("        {name:?} => {{ {arm} }}"));
}
