//! Writes the routing: a `match`, the bindings with most conditions first.

use std::collections::{BTreeMap, BTreeSet};

use crate::annotations::{HttpMethod, Target, Unrouted};
use crate::model::{Contract, Operation};
use crate::source::{Code, header_name, string_list};

pub(crate) fn source(contract: &Contract) -> String {
    let mut code = Code::default();
    route(contract, &mut code);
    leftover(contract, &mut code);
    code.finish()
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
        .map(|header| format!("view.has_header({})", header_name(header)));
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
                    for unrouted in contract.rest.unrouted.iter().filter(|known| known.query.is_empty()) {
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
            unrouted(contract, code);
            code.block(
                "let methods: &[&str] = match (view.target, *left) {",
                |code| {
                    for ((target, key), methods) in required(contract) {
                        let variant = target.variant();
                        let pattern = if target == Target::Service { variant.to_owned() } else { format!("{variant} {{ .. }}") };
                        code.line(format!("(Target::{pattern}, {key:?}) => {},", string_list(methods)));
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

/// Methods on sub-resources of which the contract has others.
fn unrouted(contract: &Contract, code: &mut Code) {
    let with_query = |known: &&Unrouted| !known.query.is_empty();
    for known in contract.rest.unrouted.iter().filter(with_query) {
        code.line(format!("// {}", known.operation));
        let (method, target, key) = (
            known.method().text(),
            known.target().variant(),
            &known.query,
        );
        code.block(
            format!("if *left == {key:?} && method.as_str() == {method:?} && matches!(view.target, Target::{target} {{ .. }}) {{"),
            |code| code.line("return Some(RouteOutcome::NotImplemented(left));"),
            "}",
        );
    }
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
