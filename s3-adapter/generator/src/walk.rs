//! What a walk over a message knows: the operation, the places that its binding gives, what has been used of them.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::annotations::{Bind, Direction, Field, Form, When};
use crate::codec::Codec;
use crate::model::{ContractError, DerivedMember, FieldPath};
use crate::read::Options;

/// A walk over the request or the answer of one operation.
pub(crate) struct Walk<'a> {
    pub(crate) options: &'a Options,
    pub(crate) operation: &'a str,
    pub(crate) direction: Direction,
    /// The field that the walk begins at, with a dot, as annotations write paths.
    pub(crate) prefix: String,
    pub(crate) binds: BTreeMap<String, &'a Bind>,
    pub(crate) only: &'a [String],
    /// Whether the operation takes `encoding-type`.
    pub(crate) encodes_urls: bool,
    /// Paths that have their value from elsewhere.
    pub(crate) skip: BTreeSet<String>,
    pub(crate) used: BTreeSet<String>,
    /// Derived members by the list in whose items they stand.
    pub(crate) derived: BTreeMap<String, Vec<DerivedMember>>,
}

/// A field with its place in the operation.
pub(crate) struct Spot {
    pub(crate) field: FieldDescriptor,
    pub(crate) path: FieldPath,
    /// The path as annotations write it.
    pub(crate) text: String,
    pub(crate) place: Field,
    pub(crate) when: Option<When>,
    /// Whether the binding gives the place, not the field.
    pub(crate) explicit: bool,
}

impl Spot {
    /// The header, or header prefix, if it has one.
    pub(crate) fn header(&self) -> Option<&String> {
        let given = |name: &&String| !name.is_empty();
        let prefix = Some(&self.place.header_prefix).filter(given);
        prefix.or_else(|| Some(&self.place.header).filter(given))
    }

    /// The message, if the field is one message.
    pub(crate) fn message(&self) -> Option<MessageDescriptor> {
        match self.field.kind() {
            Kind::Message(message) if !self.field.is_list() && !self.field.is_map() => {
                Some(message)
            }
            _ => None,
        }
    }
}

impl Walk<'_> {
    /// The path of a field as annotations write it.
    pub(crate) fn text(&self, path: &FieldPath) -> String {
        format!("{}{}", self.prefix, path.text())
    }

    /// The field with its place: from the binding, else from the field itself.
    pub(crate) fn spot(&mut self, path: &FieldPath) -> Result<Option<Spot>, ContractError> {
        let Some(field) = path.leaf().cloned() else {
            return Ok(None);
        };
        let text = self.text(path);
        let bind = self.binds.get(&text).copied();
        let place = match bind {
            Some(bind) => {
                self.used.insert(text.clone());
                Some(bind.r#as.clone().unwrap_or_default())
            }
            None => self.options.field(&field)?,
        };
        Ok(place.map(|place| Spot {
            field,
            path: path.clone(),
            text,
            place,
            when: bind.and_then(|bind| bind.when.clone()),
            explicit: bind.is_some(),
        }))
    }

    /// Whether the answer shows the field, or something in it.
    pub(crate) fn is_shown(&self, text: &str) -> bool {
        let within = |outer: &str, inner: &str| {
            let rest = inner.strip_prefix(outer);
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        let listed = |only: &String| only == text || within(only, text) || within(text, only);
        self.only.is_empty() || self.only.iter().any(listed)
    }

    /// Whether the place does not hold in this direction, or nowhere in S3.
    pub(crate) fn is_elsewhere(&self, spot: &Spot) -> bool {
        let direction = spot.place.direction();
        spot.place.unbound || (direction != Direction::Unspecified && direction != self.direction)
    }

    /// How the field is written.
    pub(crate) fn codec(&self, spot: &Spot) -> Result<Codec, ContractError> {
        if !spot.place.header_prefix.is_empty() {
            return Ok(Codec::Metadata);
        }
        let codec = Codec::of(&spot.field, spot.place.form());
        let fits = |codec: &Codec| match self.direction {
            Direction::Response => codec.is_writable(),
            Direction::Unspecified | Direction::Request => codec.is_readable(),
        };
        codec.filter(fits).ok_or_else(|| self.misfit(&spot.text))
    }

    /// The refusal of a form that does not fit.
    pub(crate) fn misfit(&self, field: &str) -> ContractError {
        ContractError::Form {
            operation: self.operation.to_owned(),
            field: field.to_owned(),
        }
    }

    /// What the binding places inside a message that has a value of its own, as `source.precondition.if_match`.
    pub(crate) fn placed_below(&mut self, spot: &Spot) -> Result<Vec<Spot>, ContractError> {
        let Some(message) = spot.message() else {
            return Ok(Vec::new());
        };
        let start = format!("{}.", spot.text);
        let deeper = self
            .binds
            .keys()
            .filter_map(|text| text.strip_prefix(&start));
        let deeper: Vec<String> = deeper.map(str::to_owned).collect();
        let mut found = Vec::new();
        for rest in deeper {
            let inner = crate::resolve::path(&message, &rest, self.operation)?;
            let mut full = spot.path.clone();
            full.steps.extend(inner.steps);
            found.extend(self.spot(&full)?);
        }
        Ok(found)
    }

    /// Refuses places and derived parts that the walk has not met.
    pub(crate) fn finish(&self) -> Result<(), ContractError> {
        let unknown = self.binds.keys().find(|text| !self.used.contains(*text));
        match unknown.or_else(|| self.derived.keys().next()) {
            None => Ok(()),
            Some(field) => Err(ContractError::UnknownField {
                operation: self.operation.to_owned(),
                field: field.clone(),
            }),
        }
    }
}

/// The message of a field that has no value of its own: its fields are bound one by one.
pub(crate) fn plain_message(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message) if !field.is_list() && !field.is_map() => {
            let scalar = Codec::of(field, Form::Unspecified).is_some();
            (!scalar).then_some(message)
        }
        _ => None,
    }
}
