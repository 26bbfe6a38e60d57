//! Writes the `Operation` enum with its facts, and the tables that hold for all operations.

use std::collections::BTreeMap;

use crate::annotations::When;
use crate::model::{Contract, ElementContent, MemberPlace, Operation, PathChange};
use crate::s3_model::AcceptedHeader;
use crate::source::{Code, string_list};

pub(crate) fn source(contract: &Contract) -> String {
    let mut code = Code::default();
    operations(contract, &mut code);
    tables(contract, &mut code);
    code.finish()
}

fn operations(contract: &Contract, code: &mut Code) {
    let operations = &contract.operations;
    variants(operations, code);
    code.block(
        "impl Operation {",
        |code| {
            all(operations, code);
            FACTS.iter().for_each(|fact| fact.write(operations, code));
        },
        "}",
    );
}

fn variants(operations: &[Operation], code: &mut Code) {
    code.line("/// An S3 operation.");
    code.line("#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]");
    code.block(
        "pub enum Operation {",
        |code| {
            for operation in operations {
                code.line(format!("/// S3's {}.", operation.name));
                code.line(format!("{},", operation.name));
            }
        },
        "}",
    );
}

fn all(operations: &[Operation], code: &mut Code) {
    let names: Vec<String> = operations.iter().map(self_variant).collect();
    code.line("/// All of them, by name.");
    code.line(format!(
        "pub const ALL: [Self; {}] = [{}];",
        names.len(),
        names.join(", ")
    ));
}

fn self_variant(operation: &Operation) -> String {
    format!("Self::{}", operation.name)
}

/// Something that is known of every operation: a method of `Operation`.
struct Fact {
    doc: &'static str,
    name: &'static str,
    returns: &'static str,
    value: fn(&Operation) -> String,
}

const TEXT: &str = "&'static str";
const TEXTS: &str = "&'static [&'static str]";

const FACTS: [Fact; 12] = [
    Fact {
        doc: "S3's name.",
        name: "name",
        returns: TEXT,
        value: |operation| format!("{:?}", operation.name),
    },
    Fact {
        doc: "The RPC that it calls.",
        name: "rpc",
        returns: TEXT,
        value: |operation| format!("{:?}", operation.rpc),
    },
    Fact {
        doc: "Who handles it.",
        name: "handler",
        returns: "Handler",
        value: handler,
    },
    Fact {
        doc: "What its body is.",
        name: "body",
        returns: "BodyKind",
        value: body,
    },
    Fact {
        doc: "Update mask paths that it sets.",
        name: "set_paths",
        returns: TEXTS,
        value: |operation| paths(operation, PathChange::Set),
    },
    Fact {
        doc: "Update mask paths that it clears.",
        name: "clear_paths",
        returns: TEXTS,
        value: |operation| paths(operation, PathChange::Clear),
    },
    Fact {
        doc: "Read mask paths that it reads.",
        name: "read_paths",
        returns: TEXTS,
        value: |operation| paths(operation, PathChange::Read),
    },
    Fact {
        doc: "Headers that it takes; a trailing `*` is a prefix.",
        name: "headers",
        returns: TEXTS,
        value: |operation| string_list(operation.taken_headers()),
    },
    Fact {
        doc: "Headers that have a meaning with it in S3 and are not honoured; a trailing `*` is a prefix.",
        name: "refused_headers",
        returns: TEXTS,
        value: |operation| string_list(operation.refused.headers.clone()),
    },
    Fact {
        doc: "Headers that it takes with some values only.",
        name: "accepted_headers",
        returns: "&'static [AcceptedHeader]",
        value: |operation| accepted_headers(&operation.accepted),
    },
    Fact {
        doc: "Query parameters that have a meaning with it in S3 and are not honoured.",
        name: "refused_parameters",
        returns: TEXTS,
        value: |operation| string_list(operation.refused.parameters.clone()),
    },
    Fact {
        doc: "Query parameters that it takes.",
        name: "parameters",
        returns: TEXTS,
        value: parameters,
    },
];

impl Fact {
    /// Writes one arm for each value, with all operations that have it.
    fn write(&self, operations: &[Operation], code: &mut Code) {
        let mut by_value: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for operation in operations {
            by_value
                .entry((self.value)(operation))
                .or_default()
                .push(self_variant(operation));
        }
        code.line(format!("/// {}", self.doc));
        code.line("#[must_use]");
        code.block(
            format!("pub fn {}(self) -> {} {{", self.name, self.returns),
            |code| {
                code.block(
                    "match self {",
                    |code| {
                        for (value, operations) in by_value {
                            code.line(format!("{} => {value},", operations.join(" | ")));
                        }
                    },
                    "}",
                );
            },
            "}",
        );
    }
}

fn handler(operation: &Operation) -> String {
    let handler = if operation.hook { "Hook" } else { "Generated" };
    format!("Handler::{handler}")
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

fn paths(operation: &Operation, change: PathChange) -> String {
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
            MemberPlace::Header(name) if name.ends_with('-') => Some(format!("{name}*")),
            MemberPlace::Header(name) => Some(name.clone()),
            MemberPlace::HeaderPrefix(name) => Some(format!("{name}*")),
            MemberPlace::Label(_) | MemberPlace::Query(_) => None,
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
            MemberPlace::Query(name) => Some(name.clone()),
            MemberPlace::Label(_) | MemberPlace::Header(_) | MemberPlace::HeaderPrefix(_) => None,
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
            if let ElementContent::Items { shape, .. } | ElementContent::Struct { shape, .. } =
                &member.node
            {
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
