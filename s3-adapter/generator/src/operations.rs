//! Writes the `Operation` enum with its facts, and the tables that hold for all operations.

use std::collections::BTreeMap;

use crate::annotations::When;
use crate::model::{Change, Contract, Node, Operation, Place};
use crate::s3_model::AcceptedHeader;
use crate::source::{Code, string_list};

pub(crate) fn source(contract: &Contract) -> String {
    let mut code = Code::default();
    operations(contract, &mut code);
    tables(contract, &mut code);
    code.finish()
}

fn operations(contract: &Contract, code: &mut Code) {
    code.line("/// An S3 operation.");
    code.line("#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]");
    code.block(
        "pub enum Operation {",
        |code| {
            for operation in &contract.operations {
                code.line(format!("/// S3's {0}.\n    {0},", operation.name));
            }
        },
        "}",
    );
    code.block(
        "impl Operation {",
        |code| {
            let names: Vec<String> = contract
                .operations
                .iter()
                .map(|op| format!("Self::{}", op.name))
                .collect();
            code.line("/// All of them, by name.");
            code.line(format!(
                "pub const ALL: [Self; {}] = [{}];",
                names.len(),
                names.join(", ")
            ));
            fact(contract, code, "S3's name.", "name", "&'static str", |op| {
                format!("{:?}", op.name)
            });
            fact(
                contract,
                code,
                "The RPC that it calls.",
                "rpc",
                "&'static str",
                |op| format!("{:?}", op.rpc),
            );
            fact(
                contract,
                code,
                "Who handles it.",
                "handler",
                "Handler",
                |op| format!("Handler::{}", if op.hook { "Hook" } else { "Generated" }),
            );
            fact(
                contract,
                code,
                "What its body is.",
                "body",
                "BodyKind",
                body,
            );
            fact(
                contract,
                code,
                "Update mask paths that it sets.",
                "set_paths",
                "&'static [&'static str]",
                |op| paths(op, Change::Set),
            );
            fact(
                contract,
                code,
                "Update mask paths that it clears.",
                "clear_paths",
                "&'static [&'static str]",
                |op| paths(op, Change::Clear),
            );
            fact(
                contract,
                code,
                "Read mask paths that it reads.",
                "read_paths",
                "&'static [&'static str]",
                |op| paths(op, Change::Read),
            );
            fact(
                contract,
                code,
                "Headers that it takes; a trailing `*` is a prefix.",
                "headers",
                "&'static [&'static str]",
                |op| string_list(op.taken_headers()),
            );
            fact(
                contract,
                code,
                "Headers that have a meaning with it in S3 and are not honoured; a trailing `*` is a prefix.",
                "refused_headers",
                "&'static [&'static str]",
                |op| string_list(op.refused.headers.clone()),
            );
            fact(
                contract,
                code,
                "Headers that it takes with some values only.",
                "accepted_headers",
                "&'static [AcceptedHeader]",
                |op| accepted_headers(&op.accepted),
            );
            fact(
                contract,
                code,
                "Query parameters that have a meaning with it in S3 and are not honoured.",
                "refused_parameters",
                "&'static [&'static str]",
                |op| string_list(op.refused.parameters.clone()),
            );
            fact(
                contract,
                code,
                "Query parameters that it takes.",
                "parameters",
                "&'static [&'static str]",
                parameters,
            );
        },
        "}",
    );
}

fn fact(
    contract: &Contract,
    code: &mut Code,
    doc: &str,
    name: &str,
    of: &str,
    value: impl Fn(&Operation) -> String,
) {
    let mut by_value: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for operation in &contract.operations {
        by_value
            .entry(value(operation))
            .or_default()
            .push(format!("Self::{}", operation.name));
    }
    code.line(format!("/// {doc}"));
    code.block(
        format!("#[must_use]\n    pub fn {name}(self) -> {of} {{\n        match self {{"),
        |code| {
            for (value, operations) in by_value {
                code.line(format!("    {} => {value},", operations.join(" | ")));
            }
        },
        "    }\n    }",
    );
}

fn body(operation: &Operation) -> String {
    match &operation.request.body {
        Some(body) => {
            let need = if body.optional {
                "Optional"
            } else {
                "Required"
            };
            format!(
                "BodyKind::Xml {{ root: {:?}, need: Need::{need} }}",
                body.root
            )
        }
        None if operation.request.streamed => "BodyKind::Content".to_owned(),
        None => "BodyKind::None".to_owned(),
    }
}

fn accepted_headers(accepted: &[AcceptedHeader]) -> String {
    let one = |header: &AcceptedHeader| {
        format!(
            "AcceptedHeader {{ name: {:?}, values: {}, known: {} }}",
            header.name,
            string_list(header.values.clone()),
            string_list(header.known.clone())
        )
    };
    let all: Vec<String> = accepted.iter().map(one).collect();
    format!("&[{}]", all.join(", "))
}

fn paths(operation: &Operation, change: Change) -> String {
    match operation.mask.as_ref().filter(|mask| mask.change == change) {
        Some(mask) => format!("&[{:?}]", mask.path),
        None => "&[]".to_owned(),
    }
}

impl Operation {
    /// The headers that it reads; a trailing `*` is a prefix.
    pub(crate) fn taken_headers(&self) -> Vec<String> {
        let members = self.request.members.iter();
        let bound = members.filter_map(|member| match &member.place {
            Place::Header(name) if name.ends_with('-') => Some(format!("{name}*")),
            Place::Header(name) => Some(name.clone()),
            Place::HeaderPrefix(name) => Some(format!("{name}*")),
            Place::Label(_) | Place::Query(_) => None,
        });
        let required = self.headers.iter().cloned();
        bound.chain(required).collect()
    }
}

fn parameters(operation: &Operation) -> String {
    let bound = operation
        .request
        .members
        .iter()
        .filter_map(|member| match &member.place {
            Place::Query(name) => Some(name.clone()),
            Place::Label(_) | Place::Header(_) | Place::HeaderPrefix(_) => None,
        });
    let conditions = conditions(operation)
        .filter(|when| !when.query.is_empty())
        .map(|when| when.query.clone());
    let overrides = operation
        .answer
        .overrides
        .iter()
        .map(|replaced| replaced.query.clone());
    let keys = operation.query.iter().map(|key| key.name.clone());
    let encoding = operation.encoding_type.then(|| "encoding-type".to_owned());
    string_list(
        bound
            .chain(conditions)
            .chain(overrides)
            .chain(keys)
            .chain(encoding),
    )
}

/// The conditions on the request under which parts of the answer are shown.
pub(crate) fn conditions(operation: &Operation) -> impl Iterator<Item = &When> {
    let headers = operation
        .answer
        .headers
        .iter()
        .filter_map(|header| header.when.as_ref());
    let mut found: Vec<_> = headers.collect();
    let mut open = vec![&operation.answer.shape];
    while let Some(shape) = open.pop() {
        found.extend(
            shape
                .derived
                .iter()
                .filter_map(|derived| derived.when.as_ref()),
        );
        for member in &shape.members {
            found.extend(member.when.as_ref());
            if let Node::Items { shape, .. } | Node::Struct { shape, .. } = &member.node {
                open.push(shape);
            }
        }
    }
    found.into_iter()
}

fn tables(contract: &Contract, code: &mut Code) {
    let rest = &contract.rest;
    let array = |names: &[String]| {
        names
            .iter()
            .map(|name| format!("{name:?}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    code.line("/// Headers that mean the same for every operation; a trailing `*` is a prefix.");
    code.line(format!(
        "pub const AMBIENT_HEADERS: &[&str] = &[{}];",
        array(&rest.ambient_header)
    ));
    code.line("/// Query parameters by which S3 tells operations apart.");
    code.line(format!(
        "pub const SUB_RESOURCES: &[&str] = &[{}];",
        array(&contract.operation_keys)
    ));
}
