//! What S3 gives a meaning: `s3-model.json`, which `tests/oracle/s3_model.py` writes from botocore's model. What an
//! operation does not honour of it is refused; all else that a client sends is ignored, as S3 does.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::annotations::Rest;
use crate::model::{Body, ContractError, ElementContent, MemberPlace, Operation, Shape};

/// S3's operations by name.
#[derive(Debug, Deserialize)]
pub(crate) struct S3Model {
    /// Which botocore.
    pub(crate) source: String,
    pub(crate) operations: BTreeMap<String, S3Operation>,
}

/// What one operation of S3 takes.
#[derive(Debug, Deserialize)]
pub(crate) struct S3Operation {
    pub(crate) method: String,
    /// With the query parameters that the operation is known by.
    pub(crate) uri: String,
    /// In lower case, a trailing `*` is a prefix; with their values, if they are enumerated.
    pub(crate) headers: BTreeMap<String, Vec<String>>,
    pub(crate) parameters: BTreeSet<String>,
    /// Of the XML body, at any depth.
    pub(crate) elements: BTreeSet<String>,
}

/// What an operation refuses.
#[derive(Debug, Default)]
pub(crate) struct RefusedInputs {
    /// A trailing `*` is a prefix.
    pub(crate) headers: Vec<String>,
    pub(crate) parameters: Vec<String>,
    pub(crate) elements: Vec<String>,
}

impl S3Model {
    /// Reads the committed extract.
    pub(crate) fn read() -> Result<Self, ContractError> {
        serde_json::from_str(include_str!("../s3-model.json"))
            .map_err(|fault| ContractError::S3Model(fault.to_string()))
    }

    /// The query parameters by which S3 tells operations apart.
    pub(crate) fn operation_keys(&self) -> BTreeSet<String> {
        let queries = self
            .operations
            .values()
            .map(|known| known.uri.split_once('?'));
        let keys = queries.flatten().flat_map(|(_, query)| query.split('&'));
        keys.map(|key| key.split_once('=').map_or(key, |(name, _)| name).to_owned())
            .collect()
    }

    /// What an operation must refuse: what S3 defines for it or for any operation, minus what it honours.
    pub(crate) fn refused(&self, operation: &Operation, rest: &Rest) -> RefusedInputs {
        let Some(known) = self.operations.get(model_name(operation)) else {
            return RefusedInputs {
                headers: rest.meaningful_header.clone(),
                ..RefusedInputs::default()
            };
        };
        let taken = honoured_headers(operation, rest);
        let mut headers: BTreeSet<&String> = known.headers.keys().collect();
        headers.extend(&rest.meaningful_header);
        // The elements of content are headers that the transport or the body has already used.
        headers.retain(|header| is_signed_meaning(header) && !listed(&taken, header));
        let prefixes = rest
            .meaningful_header
            .iter()
            .filter(|name| name.ends_with('*'));
        let prefixes: Vec<String> = prefixes.cloned().collect();
        headers.retain(|header| header.ends_with('*') || !listed(&prefixes, header));
        let parameters = known.parameters.iter();
        let parameters = parameters.filter(|name| !operation.takes_parameter(name));
        RefusedInputs {
            headers: headers.into_iter().cloned().collect(),
            parameters: parameters.cloned().collect(),
            elements: match &operation.request.body {
                Some(body) => refused_elements(known, body),
                None => Vec::new(),
            },
        }
    }
}

/// A header that an operation takes with some values only.
#[derive(Debug)]
pub(crate) struct AcceptedHeader {
    pub(crate) name: String,
    /// The accepted values; if empty, any.
    pub(crate) values: Vec<String>,
    /// The values that S3 knows; empty if S3 does not enumerate them.
    pub(crate) known: Vec<String>,
}

impl S3Model {
    /// The headers that are taken with some values only: those that S3 has for the operation, or that are meaningful with
    /// any. An operation that reads the header judges its values itself.
    pub(crate) fn accepted(&self, operation: &Operation, rest: &Rest) -> Vec<AcceptedHeader> {
        let known = self.operations.get(model_name(operation));
        let taken = operation.taken_headers();
        let mut found = Vec::new();
        for accepted in &rest.accepted {
            let values = known.and_then(|known| known.headers.get(&accepted.header));
            let meaningful = rest.meaningful_header.contains(&accepted.header);
            if (values.is_some() || meaningful) && !listed(&taken, &accepted.header) {
                found.push(AcceptedHeader {
                    name: accepted.header.clone(),
                    values: accepted.value.clone(),
                    known: values.cloned().unwrap_or_default(),
                });
            }
        }
        found
    }
}

/// HTML forms are not part of S3's model. Their fields are the headers of PutObject.
fn model_name(operation: &Operation) -> &str {
    match operation.name.as_str() {
        "PostObject" => "PutObject",
        name => name,
    }
}

/// `x-amz-*` and conditions. All others of the model (`Content-Type`, `Range`) describe content or say what is wanted of
/// it: where an operation has no use for them, HTTP lets it pass over them.
fn is_signed_meaning(header: &str) -> bool {
    header.starts_with("x-amz-") || header.starts_with("if-")
}

fn honoured_headers(operation: &Operation, rest: &Rest) -> Vec<String> {
    let accepted = rest.accepted.iter().map(|accepted| accepted.header.clone());
    let mut taken = operation.taken_headers();
    taken.extend(accepted.chain(rest.ambient_header.iter().cloned()));
    taken
}

/// Whether a list of names and prefixes (`name*`) has the name or prefix.
fn listed(list: &[String], name: &str) -> bool {
    let bare = name.trim_end_matches('*');
    list.iter().any(|known| match known.strip_suffix('*') {
        Some(prefix) => bare.starts_with(prefix),
        None => known == name,
    })
}

fn refused_elements(known: &S3Operation, body: &Body) -> Vec<String> {
    let mut bound: BTreeSet<String> = body.hook_elements.iter().cloned().collect();
    bound_elements(&body.shape, &mut bound);
    let checksums = bound.contains("Checksum");
    let refused = known
        .elements
        .iter()
        .filter(|name| !(bound.contains(*name) || checksums && name.starts_with("Checksum")));
    refused.cloned().collect()
}

fn bound_elements(shape: &Shape, bound: &mut BTreeSet<String>) {
    for member in &shape.members {
        bound.extend(member.element.iter().cloned());
        match &member.node {
            ElementContent::Scalar(_) => {}
            ElementContent::Texts { list, .. } => bound.extend(list.item.clone()),
            ElementContent::Items { list, shape, .. } => {
                bound.extend(list.item.clone());
                bound_elements(shape, bound);
            }
            ElementContent::Struct { shape, .. } => bound_elements(shape, bound),
        }
    }
}

impl Operation {
    /// Whether it reads the query parameter.
    fn takes_parameter(&self, name: &str) -> bool {
        let bound = self
            .request
            .members
            .iter()
            .any(|member| match &member.place {
                MemberPlace::Query(bound) => bound == name,
                MemberPlace::Label(_) | MemberPlace::Header(_) | MemberPlace::HeaderPrefix(_) => {
                    false
                }
            });
        let replaces = self
            .answer
            .overrides
            .iter()
            .any(|replaced| replaced.query == name);
        let key = self.query.iter().any(|key| key.name == name);
        bound
            || replaces
            || key
            || (self.encoding_type && name == "encoding-type")
            || self.conditions_on(name)
    }

    fn conditions_on(&self, parameter: &str) -> bool {
        crate::operations::conditions(self).any(|when| when.query == parameter)
    }
}
