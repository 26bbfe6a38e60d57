//! What a contract must not be, apart from what cannot even be read.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToUpperCamelCase;

use crate::codec::Codec;
use crate::model::{Contract, ContractError, MemberPlace, Missing, Operation};

/// Refuses names that Rust would change, ties, duplicates and unknown reasons.
pub(crate) fn contract(contract: &Contract) -> Result<(), ContractError> {
    names(contract)?;
    ties(&contract.operations)?;
    for rpc in &contract.rpcs {
        if let Some(rule) = rpc.access.when.iter().find(|rule| rule.class == 0) {
            return Err(ContractError::NoRuleClass {
                rpc: rpc.name.clone(),
                field: rule.field.clone(),
            });
        }
        for rule in &rpc.access.when {
            crate::resolve::path(&rpc.input, &rule.field, &rpc.name)?;
        }
    }
    for operation in &contract.operations {
        duplicates(operation)?;
        header_case(operation)?;
        let reasons = || contract.reasons.iter().map(|reason| &reason.name);
        if let Some(Missing { reason, .. }) = &operation.missing
            && !reasons().any(|known| known == reason)
        {
            return Err(ContractError::UnknownReason {
                operation: operation.name.clone(),
                reason: reason.clone(),
            });
        }
    }
    Ok(())
}

/// prost passes names through heck: `ACLGrant` would become `AclGrant`.
fn names(contract: &Contract) -> Result<(), ContractError> {
    let mut seen = BTreeSet::new();
    let operations = contract.operations.iter().map(|operation| &operation.name);
    for name in contract
        .type_names
        .iter()
        .chain(contract.rpcs.iter().map(|rpc| &rpc.name))
        .chain(operations.clone())
    {
        if name.to_upper_camel_case() != *name {
            return Err(ContractError::Name(name.clone()));
        }
    }
    for name in operations {
        if !seen.insert(name) {
            return Err(ContractError::SameName(name.clone()));
        }
    }
    Ok(())
}

fn ties(operations: &[Operation]) -> Result<(), ContractError> {
    let mut seen = BTreeMap::new();
    for operation in operations {
        let query: BTreeSet<_> = operation.query.iter().collect();
        let headers: BTreeSet<_> = operation.headers.iter().collect();
        let key = (operation.method, operation.target, query, headers);
        if let Some(first) = seen.insert(key, &operation.name) {
            return Err(ContractError::Tie {
                first: first.clone(),
                second: operation.name.clone(),
            });
        }
    }
    Ok(())
}

fn duplicates(operation: &Operation) -> Result<(), ContractError> {
    let refusal = |place: String| ContractError::Duplicate {
        operation: operation.name.clone(),
        place,
    };
    let mut places = BTreeSet::new();
    for member in &operation.request.members {
        // Whether a number is 0 stands beside the number.
        if !places.insert((&member.place, member.codec == Codec::Zero)) {
            return Err(refusal(format!("{:?} of the request", member.place)));
        }
    }
    let mut headers = BTreeSet::new();
    let derived = operation
        .answer
        .derived_headers
        .iter()
        .map(|member| &member.name);
    for name in operation
        .answer
        .headers
        .iter()
        .map(|header| &header.name)
        .chain(derived)
    {
        if !headers.insert(name) {
            return Err(refusal(format!("header {name} of the answer")));
        }
    }
    let mut elements = BTreeSet::new();
    let members = operation
        .answer
        .shape
        .members
        .iter()
        .map(|member| member.element.join("/"));
    let echo = operation
        .answer
        .echo
        .iter()
        .map(|echo| echo.element.clone());
    let derived = operation
        .answer
        .shape
        .derived
        .iter()
        .map(|member| member.name.clone());
    for element in members.chain(echo).chain(derived) {
        if !elements.insert(element.clone()) {
            return Err(refusal(format!("element {element} of the answer")));
        }
    }
    Ok(())
}

fn header_case(operation: &Operation) -> Result<(), ContractError> {
    let bound = operation
        .request
        .members
        .iter()
        .filter_map(|member| match &member.place {
            MemberPlace::Header(name) | MemberPlace::HeaderPrefix(name) => Some(name),
            MemberPlace::Label(_) | MemberPlace::Query(_) => None,
        });
    let answer = operation.answer.headers.iter().map(|header| &header.name);
    for header in operation.headers.iter().chain(bound).chain(answer) {
        if *header != header.to_lowercase() {
            return Err(ContractError::HeaderCase {
                operation: operation.name.clone(),
                header: header.clone(),
            });
        }
    }
    Ok(())
}
