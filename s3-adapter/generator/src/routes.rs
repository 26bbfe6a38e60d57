//! Writes the `Operation` enum with its facts, and the routing.

use std::collections::{BTreeMap, BTreeSet};

use crate::annotations::{HttpMethod, Target};
use crate::model::{Change, Contract, Operation, Place};
use crate::source::Code;

pub(crate) fn source(contract: &Contract) -> String {
    let mut code = Code::default();
    operations(contract, &mut code);
    tables(contract, &mut code);
    route(contract, &mut code);
    leftover(contract, &mut code);
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
                "Headers that it takes; a trailing `*` is a prefix.",
                "headers",
                "&'static [&'static str]",
                headers,
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

fn paths(operation: &Operation, change: Change) -> String {
    match operation.mask.as_ref().filter(|mask| mask.change == change) {
        Some(mask) => format!("&[{:?}]", mask.path),
        None => "&[]".to_owned(),
    }
}

fn list(names: impl IntoIterator<Item = String>) -> String {
    let names: BTreeSet<String> = names.into_iter().collect();
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    format!("&[{}]", quoted.join(", "))
}

fn headers(operation: &Operation) -> String {
    let bound = operation
        .request
        .members
        .iter()
        .filter_map(|member| match &member.place {
            Place::Header(name) if name.ends_with('-') => Some(format!("{name}*")),
            Place::Header(name) => Some(name.clone()),
            Place::HeaderPrefix(name) => Some(format!("{name}*")),
            Place::Label(_) | Place::Query(_) => None,
        });
    let conditions = conditions(operation)
        .filter(|when| !when.header.is_empty())
        .map(|when| when.header.clone());
    list(
        bound
            .chain(conditions)
            .chain(operation.headers.iter().cloned()),
    )
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
    list(
        bound
            .chain(conditions)
            .chain(overrides)
            .chain(keys)
            .chain(encoding),
    )
}

fn conditions(operation: &Operation) -> impl Iterator<Item = &crate::annotations::When> {
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
            if let crate::model::Node::Items { shape, .. }
            | crate::model::Node::Struct { shape, .. } = &member.node
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
    code.line(
        "/// Headers of the signature, the body or the transport; a trailing `*` is a prefix.",
    );
    code.line(format!(
        "pub const AMBIENT_HEADERS: &[&str] = &[{}];",
        array(&rest.ambient_header)
    ));
    code.line("/// Headers outside `x-amz-` that an operation must bind or refuse.");
    code.line(format!(
        "pub const MEANINGFUL_HEADERS: &[&str] = &[{}];",
        array(&rest.meaningful_header)
    ));
    code.line("/// Query parameters by which S3 tells operations apart.");
    code.line(format!(
        "pub const SUB_RESOURCES: &[&str] = &[{}];",
        array(&rest.sub_resource)
    ));
    code.block(
        "/// Headers that are taken with these values only (none: with any), because they ask for nothing new.\npub const ACCEPTED_HEADERS: &[(&str, &[&str])] = &[",
        |code| {
            for accepted in &rest.accepted {
                code.line(format!("// {}", accepted.why));
                code.line(format!("({:?}, &[{}]),", accepted.header, array(&accepted.value)));
            }
        },
        "];",
    );
}

/// The operations of a method and target, those with the most conditions first.
fn groups(contract: &Contract) -> BTreeMap<(HttpMethod, Target), Vec<&Operation>> {
    let mut groups: BTreeMap<_, Vec<&Operation>> = BTreeMap::new();
    for operation in &contract.operations {
        groups
            .entry((operation.method, operation.target))
            .or_default()
            .push(operation);
    }
    for group in groups.values_mut() {
        let weight = |operation: &&Operation| {
            let values = operation
                .query
                .iter()
                .filter(|key| key.value.is_some())
                .count();
            std::cmp::Reverse((operation.query.len() + operation.headers.len(), values))
        };
        group.sort_by_key(weight);
    }
    groups
}

fn test(operation: &Operation) -> String {
    let query = operation.query.iter().map(|key| match &key.value {
        Some(value) => format!("view.query_is({:?}, {value:?})", key.name),
        None => format!("view.has_parameter({:?})", key.name),
    });
    let headers = operation
        .headers
        .iter()
        .map(|header| format!("view.has_header({header:?})"));
    query.chain(headers).collect::<Vec<_>>().join(" && ")
}

fn route(contract: &Contract, code: &mut Code) {
    code.block(
        "/// Finds the operation of a request.\n#[must_use]\npub fn route(method: &Method, view: &RequestView<'_>) -> RouteOutcome {",
        |code| {
            code.block(
                "let operation = match (method.as_str(), view.target) {",
                |code| {
                    for ((method, target), operations) in groups(contract) {
                        arm(method, target, &operations, code);
                    }
                    for unrouted in &contract.rest.unrouted {
                        let (method, target) = (unrouted.method().text(), unrouted.target().variant());
                        let refused = format!("RouteOutcome::NotImplemented({:?})", unrouted.operation);
                        code.line(format!("({method:?}, Target::{target} {{ .. }}) => return leftover(None, method, view).unwrap_or({refused}),"));
                    }
                    code.line("_ => return leftover(None, method, view).unwrap_or(RouteOutcome::MethodNotAllowed),");
                },
                "};",
            );
            code.line("leftover(Some(operation), method, view).unwrap_or(RouteOutcome::Operation(operation))");
        },
        "}",
    );
}

fn arm(method: HttpMethod, target: Target, operations: &[&Operation], code: &mut Code) {
    let pattern = match target {
        Target::Unspecified | Target::Service => "Target::Service".to_owned(),
        Target::Bucket | Target::Object => format!("Target::{} {{ .. }}", target.variant()),
    };
    let mut plain = None;
    let mut tests = Vec::new();
    for operation in operations {
        match test(operation) {
            test if test.is_empty() => plain = Some(operation),
            test => tests.push(format!(
                "({:?}, {pattern}) if {test} => Operation::{},",
                method.text(),
                operation.name
            )),
        }
    }
    tests.into_iter().for_each(|test| code.line(test));
    if let Some(operation) = plain {
        code.line(format!(
            "({:?}, {pattern}) => Operation::{},",
            method.text(),
            operation.name
        ));
    }
}

/// A sub-resource that the operation does not take is never ignored: `?acl` must not become a plain listing.
fn leftover(contract: &Contract, code: &mut Code) {
    code.block(
        "fn leftover(operation: Option<Operation>, method: &Method, view: &RequestView<'_>) -> Option<RouteOutcome> {",
        |code| {
            code.line("let taken = operation.map_or(&[][..], Operation::parameters);");
            code.line("let left = SUB_RESOURCES.iter().find(|key| view.has_parameter(key) && !taken.contains(key))?;");
            code.block(
                "let methods: &[&str] = match (view.target, *left) {",
                |code| {
                    for ((target, key), methods) in required(contract) {
                        let variant = target.variant();
                        let pattern = if target == Target::Service { variant.to_owned() } else { format!("{variant} {{ .. }}") };
                        code.line(format!("(Target::{pattern}, {key:?}) => {},", list(methods)));
                    }
                    code.line("_ => &[],");
                },
                "};",
            );
            code.line("let optional = Operation::ALL.iter().any(|other| other.parameters().contains(left));");
            code.block(
                "Some(match methods {",
                |code| {
                    code.line("[] if optional && operation.is_some() && !is_operation_key(left) => RouteOutcome::Unexpected(left),");
                    code.line("[] => RouteOutcome::NotImplemented(left),");
                    code.line("methods if methods.contains(&method.as_str()) => RouteOutcome::Unexpected(left),");
                    code.line("_ => RouteOutcome::MethodNotAllowed,");
                },
                "})",
            );
        },
        "}",
    );
    let keys: BTreeSet<String> = contract
        .operations
        .iter()
        .flat_map(|op| &op.query)
        .map(|key| key.name.clone())
        .collect();
    let keys: Vec<String> = keys.iter().map(|key| format!("{key:?}")).collect();
    code.block(
        "/// Whether some operation is known by the parameter.\nfn is_operation_key(key: &str) -> bool {",
        |code| code.line(format!("matches!(key, {})", keys.join(" | "))),
        "}",
    );
}

fn required(contract: &Contract) -> BTreeMap<(Target, String), Vec<String>> {
    let mut found: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for operation in &contract.operations {
        for key in &operation.query {
            found
                .entry((operation.target, key.name.clone()))
                .or_default()
                .push(operation.method.text().to_owned());
        }
    }
    found
}
