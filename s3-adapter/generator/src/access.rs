//! Writes the access table of the contract, and what a concrete request needs.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::annotations::FieldRule;
use crate::model::{Contract, FieldPath, Rpc, Update};
use crate::source::{Code, ident, is_option, parent, rust_type};

pub(crate) fn source(contract: &Contract) -> String {
    let mut code = Code::default();
    table(contract, &mut code);
    for rpc in &contract.rpcs {
        classified(contract, rpc, &mut code);
    }
    code.finish()
}

fn class(contract: &Contract, number: i32) -> String {
    let found = contract
        .access_classes
        .iter()
        .find(|(known, _)| *known == number);
    let name = found.map_or("Unspecified", |(_, name)| name);
    format!("AccessClass::{name}")
}

fn table(contract: &Contract, code: &mut Code) {
    code.line(
        "/// The access of every RPC, before the fields of a concrete request are looked at.",
    );
    code.block(
        "pub const RPC_ACCESS: &[RpcAccess] = &[",
        |code| {
            for rpc in &contract.rpcs {
                code.line(format!(
                    "RpcAccess {{ service: \"{}.{}\", rpc: {:?}, class: {}, action: {:?} }},",
                    rpc.package,
                    rpc.service,
                    rpc.name,
                    class(contract, rpc.access.class),
                    rpc.access.action
                ));
            }
        },
        "];",
    );
    code.line("/// The fields that make a request need more than its RPC says.");
    code.block(
        "pub const FIELD_ACCESS: &[FieldAccess] = &[",
        |code| {
            for (rpc, rule) in contract
                .rpcs
                .iter()
                .flat_map(|rpc| rpc.access.when.iter().map(move |rule| (rpc, rule)))
            {
                code.line(format!(
                    "FieldAccess {{ rpc: {:?}, field: {:?}, except: {:?}, raised: {} }},",
                    rpc.name,
                    rule.field,
                    rule.except,
                    action(contract, rule.class, &rpc.access.action)
                ));
            }
        },
        "];",
    );
    code.line("/// The access of every path that an update mask may name.");
    code.block(
        "pub const UPDATE_ACCESS: &[UpdateAccess] = &[",
        |code| {
            for (rpc, update) in contract
                .rpcs
                .iter()
                .flat_map(|rpc| rpc.updates.iter().map(move |update| (rpc, update)))
            {
                let access = &update.access;
                code.line(format!(
                    "UpdateAccess {{ rpc: {:?}, path: {:?}, set: {}, clear: {} }},",
                    rpc.name,
                    update.mask,
                    action(contract, access.set, &access.set_action),
                    action(contract, access.clear, &access.clear_action)
                ));
            }
        },
        "];",
    );
    reads(contract, code);
}

fn reads(contract: &Contract, code: &mut Code) {
    code.line("/// The paths of read masks whose access differs from that of their RPC.");
    code.block(
        "pub const READ_ACCESS: &[ReadAccess] = &[",
        |code| {
            for (rpc, read) in contract
                .rpcs
                .iter()
                .flat_map(|rpc| rpc.reads.iter().map(move |read| (rpc, read)))
            {
                code.line(format!(
                    "ReadAccess {{ rpc: {:?}, path: {:?}, read: {} }},",
                    rpc.name,
                    read.mask,
                    action(contract, read.class, &read.action)
                ));
            }
        },
        "];",
    );
}

fn action(contract: &Contract, number: i32, name: &str) -> String {
    format!(
        "ActionAccess {{ class: {}, action: {name:?} }}",
        class(contract, number)
    )
}

/// What the rules start from: the request, or the first message of a client stream.
fn subject(rpc: &Rpc) -> Option<(MessageDescriptor, Option<FieldDescriptor>)> {
    if !rpc.client_streaming {
        return Some((rpc.input.clone(), None));
    }
    let first = rpc.input.fields().next()?;
    match first.kind() {
        Kind::Message(message) => Some((message, Some(first))),
        _ => None,
    }
}

/// The type of the field that names the source of a copy.
const COPY_SOURCE: &str = "bucketry.v1.CopySource";

fn classified(contract: &Contract, rpc: &Rpc, code: &mut Code) {
    let Some((message, first)) = subject(rpc) else {
        return;
    };
    code.block(
        format!("impl Classified for {} {{", rust_type(&message)),
        |code| {
            code.line(format!("const RPC: &'static str = {:?};", rpc.name));
            code.block(
                "fn actions(&self) -> Vec<ActionAccess> {",
                |code| actions(contract, rpc, (&message, first.as_ref()), code),
                "}",
            );
            copy_source(&message, code);
        },
        "}",
    );
}

fn actions(
    contract: &Contract,
    rpc: &Rpc,
    (message, first): (&MessageDescriptor, Option<&FieldDescriptor>),
    code: &mut Code,
) {
    let own = action(contract, rpc.access.class, &rpc.access.action);
    if rpc.access.when.is_empty() && rpc.updates.is_empty() && rpc.reads.is_empty() {
        code.line(format!("vec![{own}]"));
        return;
    }
    let replaced = !rpc.access.when.is_empty() || !rpc.reads.is_empty();
    code.line(list("instead", replaced));
    for rule in &rpc.access.when {
        let path = first
            .and_then(|first| rule.field.strip_prefix(&format!("{}.", first.name())))
            .unwrap_or(&rule.field);
        if let Ok(path) = crate::resolve::path(message, path, &rpc.name) {
            let raised = action(contract, rule.class, &rpc.access.action);
            code.line(format!(
                "if {} {{ instead.push({raised}); }}",
                applies(&path, rule)
            ));
        }
    }
    masked_reads(contract, rpc, &own, code);
    code.line(list("also", !rpc.updates.is_empty()));
    updates(contract, rpc, code);
    code.line(format!("needed({own}, instead, also)"));
}

/// Declares a list, mutable only if something is added to it.
fn list(name: &str, grows: bool) -> String {
    let mutable = if grows { "mut " } else { "" };
    format!("let {mutable}{name} = Vec::new();")
}

fn copy_source(message: &MessageDescriptor, code: &mut Code) {
    let is_source = |field: &FieldDescriptor| match field.kind() {
        Kind::Message(kind) => !field.is_list() && kind.full_name() == COPY_SOURCE,
        _ => false,
    };
    let Some(field) = message.fields().find(is_source) else {
        return;
    };
    code.block(
        "fn copy_source(&self) -> Option<&v1::CopySource> {",
        |code| code.line(format!("self.{}.as_ref()", ident(field.name()))),
        "}",
    );
}

/// Whether the field has a value that raises the class.
fn applies(path: &FieldPath, rule: &FieldRule) -> String {
    let (parent, field) = parent("self", path);
    let Some(leaf) = path.leaf() else {
        return "false".to_owned();
    };
    let text = matches!(leaf.kind(), Kind::String);
    let except = &rule.except;
    let test = match (leaf.is_list(), is_option(leaf)) {
        (true, _) if text && !except.is_empty() => {
            format!("m.{field}.iter().any(|value| value != {except:?})")
        }
        (true, _) => format!("!m.{field}.is_empty()"),
        (false, true) if except.is_empty() => format!("m.{field}.is_some()"),
        (false, true) if text => {
            format!("m.{field}.as_deref().is_some_and(|value| value != {except:?})")
        }
        (false, true) => format!("m.{field}.is_some_and(|value| value != {except})"),
        (false, false) if text => format!("!m.{field}.is_empty() && m.{field} != {except:?}"),
        (false, false) => format!("m.{field} != Default::default()"),
    };
    format!("{parent}.is_some_and(|m| {test})")
}

/// What the paths of a read mask need in place of the whole.
fn masked_reads(contract: &Contract, rpc: &Rpc, own: &str, code: &mut Code) {
    let Some(read) = rpc.reads.first() else {
        return;
    };
    let mask = ident(&read.mask_field);
    code.block(
        format!("for path in self.{mask}.iter().flat_map(|mask| &mask.paths) {{"),
        |code| {
            code.block(
                "instead.push(match path.as_str() {",
                |code| {
                    for read in &rpc.reads {
                        let read_alone = action(contract, read.class, &read.action);
                        code.line(format!("{:?} => {read_alone},", read.mask));
                    }
                    code.line("// A path without an entry needs what the whole RPC needs.");
                    code.line(format!("_ => {own},"));
                },
                "});",
            );
        },
        "}",
    );
}

fn updates(contract: &Contract, rpc: &Rpc, code: &mut Code) {
    let Some(update) = rpc.updates.first() else {
        return;
    };
    let mask = ident(&update.mask_field);
    code.block(
        format!("for path in self.{mask}.iter().flat_map(|mask| &mask.paths) {{"),
        |code| {
            code.block(
                "match path.as_str() {",
                |code| {
                    rpc.updates
                        .iter()
                        .for_each(|update| code.line(change(contract, update)));
                    code.line("// The service refuses paths that it does not know.");
                    code.line("_ => {}");
                },
                "}",
            );
        },
        "}",
    );
}

fn change(contract: &Contract, update: &Update) -> String {
    let (parent, field) = parent("self", &update.path);
    let access = &update.access;
    format!(
        "{:?} if {parent}.is_some_and(|m| m.{field}.is_some()) => also.push({}),\n                    {:?} => also.push({}),",
        update.mask,
        action(contract, access.set, &access.set_action),
        update.mask,
        action(contract, access.clear, &access.clear_action)
    )
}
