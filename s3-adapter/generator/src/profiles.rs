//! Profiles: what several bindings of a service share, declared once on the service. They are expanded before anything
//! else reads a binding, so that an operation cannot tell what came from a profile.

use std::collections::{BTreeMap, BTreeSet};

use crate::annotations::{Bind, Binding, Profile};
use crate::model::ContractError;

/// The profiles of one service, and which of them bindings have named.
pub(crate) struct Profiles<'a> {
    service: &'a str,
    declared: BTreeMap<String, Profile>,
    used: BTreeSet<String>,
}

impl<'a> Profiles<'a> {
    pub(crate) fn new(service: &'a str, declared: Vec<Profile>) -> Result<Self, ContractError> {
        let mut by_name = BTreeMap::new();
        for profile in declared {
            if let Some(same) = by_name.insert(profile.name.clone(), profile) {
                return Err(ContractError::SameProfile {
                    service: service.to_owned(),
                    profile: same.name,
                });
            }
        }
        Ok(Self {
            service,
            declared: by_name,
            used: BTreeSet::new(),
        })
    }

    /// The binding with the lists of its profiles ahead of its own.
    pub(crate) fn expand(&mut self, mut binding: Binding) -> Result<Binding, ContractError> {
        // Each goes ahead of those after it.
        for name in std::mem::take(&mut binding.profile).into_iter().rev() {
            let Some(profile) = self.declared.get(&name) else {
                return Err(ContractError::UnknownProfile {
                    operation: binding.operation,
                    profile: name,
                });
            };
            add(profile, &mut binding);
            self.used.insert(name);
        }
        one_place_each(&binding.operation, &binding.request)?;
        one_place_each(&binding.operation, &binding.response)?;
        Ok(binding)
    }

    /// Refuses a profile that no binding has named: it would look like a rule that holds.
    pub(crate) fn finish(self) -> Result<(), ContractError> {
        let mut names = self.declared.into_keys();
        match names.find(|name| !self.used.contains(name)) {
            None => Ok(()),
            Some(profile) => Err(ContractError::UnusedProfile {
                service: self.service.to_owned(),
                profile,
            }),
        }
    }
}

fn add(profile: &Profile, binding: &mut Binding) {
    let Profile {
        name: _,
        status_when,
        request,
        response,
        response_only,
        derived,
        r#override,
    } = profile;
    prepend(status_when, &mut binding.status_when);
    prepend(request, &mut binding.request);
    prepend(response, &mut binding.response);
    prepend(response_only, &mut binding.response_only);
    prepend(derived, &mut binding.derived);
    prepend(r#override, &mut binding.r#override);
}

fn prepend<T: Clone>(first: &[T], list: &mut Vec<T>) {
    list.splice(0..0, first.iter().cloned());
}

/// Refuses a field with two places, of which one would be ignored.
fn one_place_each(operation: &str, binds: &[Bind]) -> Result<(), ContractError> {
    let mut seen = BTreeSet::new();
    match binds.iter().find(|bind| !seen.insert(&bind.field)) {
        None => Ok(()),
        Some(bind) => Err(ContractError::Duplicate {
            operation: operation.to_owned(),
            place: format!("the place of `{}`", bind.field),
        }),
    }
}
