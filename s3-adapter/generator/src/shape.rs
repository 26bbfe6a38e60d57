//! Walks a message and finds the place of each of its fields: in a header, in the query, or in XML.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::annotations::{Bind, Direction, Field, Form, When};
use crate::model::LabelPart;
use crate::model::{
    AnswerHeader, Codec, DerivedMember, FieldPath, Member, Node, Place, Refusal, RequestMember,
    Shape,
};
use crate::read::Options;

/// What a walk knows of its operation.
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

/// The place of one field in one operation.
struct Placed {
    field: Field,
    when: Option<When>,
    explicit: bool,
}

/// Which places an answer has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// Headers alone.
    Headers,
    /// Elements, and headers for what has no element.
    Both,
    /// Elements alone: within a list, or in a request's body.
    Elements,
}

impl<'a> Walk<'a> {
    fn text(&self, path: &FieldPath) -> String {
        format!("{}{}", self.prefix, path.text())
    }

    fn placed(&mut self, field: &FieldDescriptor, text: &str) -> Result<Option<Placed>, Refusal> {
        if let Some(bind) = self.binds.get(text) {
            self.used.insert(text.to_owned());
            let field = bind.r#as.clone().unwrap_or_default();
            return Ok(Some(Placed {
                field,
                when: bind.when.clone(),
                explicit: true,
            }));
        }
        let found = self.options.field(field)?;
        Ok(found.map(|field| Placed {
            field,
            when: None,
            explicit: false,
        }))
    }

    fn is_shown(&self, text: &str) -> bool {
        let within = |outer: &str, inner: &str| {
            inner
                .strip_prefix(outer)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        let listed = |only: &String| only == text || within(only, text) || within(text, only);
        self.only.is_empty() || self.only.iter().any(listed)
    }

    fn is_elsewhere(&self, placed: &Placed) -> bool {
        let direction = placed.field.direction();
        placed.field.unbound || (direction != Direction::Unspecified && direction != self.direction)
    }

    fn codec(&self, field: &FieldDescriptor, placed: &Field, text: &str) -> Result<Codec, Refusal> {
        let refusal = || Refusal::Form {
            operation: self.operation.to_owned(),
            field: text.to_owned(),
        };
        let codec = Codec::of(field, placed.form()).ok_or_else(refusal)?;
        let fits = match self.direction {
            Direction::Response => codec.is_writable(),
            Direction::Unspecified | Direction::Request => codec.is_readable(),
        };
        if fits { Ok(codec) } else { Err(refusal()) }
    }

    /// Members of a request that are not in its body.
    pub(crate) fn request(
        &mut self,
        message: &MessageDescriptor,
        path: &FieldPath,
        found: &mut Vec<RequestMember>,
    ) -> Result<(), Refusal> {
        for field in message.fields() {
            let here = path.with(&field);
            let text = self.text(&here);
            if self.skip.contains(&text) {
                continue;
            }
            match self.placed(&field, &text)? {
                Some(placed) if self.is_elsewhere(&placed) => {}
                Some(placed) if placed.field.form() == Form::Fields => {
                    self.request(&inner(&field), &here, found)?;
                }
                Some(placed) => {
                    if let Some(member) = self.member(&field, &here, &placed.field, &text)? {
                        found.push(member);
                    }
                    self.below(&field, &here, &text, found)?;
                }
                None if self.options.sub_resource(&field)?.is_some() => {}
                None if is_plain_message(&field) => self.request(&inner(&field), &here, found)?,
                None => {
                    return Err(Refusal::NoPlace {
                        operation: self.operation.to_owned(),
                        field: text,
                    });
                }
            }
        }
        Ok(())
    }

    /// Members bound one by one inside a message that has a value of its own, as `source.precondition.if_match`.
    fn below(
        &mut self,
        field: &FieldDescriptor,
        path: &FieldPath,
        text: &str,
        found: &mut Vec<RequestMember>,
    ) -> Result<(), Refusal> {
        let Kind::Message(message) = field.kind() else {
            return Ok(());
        };
        if field.is_list() || field.is_map() {
            return Ok(());
        }
        let start = format!("{text}.");
        let deeper: Vec<String> = self
            .binds
            .keys()
            .filter(|bound| bound.starts_with(&start))
            .cloned()
            .collect();
        for bound in deeper {
            let rest = bound.strip_prefix(&start).unwrap_or_default();
            let inner = crate::resolve::path(&message, rest, self.operation)?;
            let mut steps = path.steps.clone();
            steps.extend(inner.steps);
            let full = FieldPath { steps };
            let Some(leaf) = full.leaf().cloned() else {
                continue;
            };
            if let Some(placed) = self.placed(&leaf, &bound)?
                && let Some(member) = self.member(&leaf, &full, &placed.field, &bound)?
            {
                found.push(member);
            }
        }
        Ok(())
    }

    fn member(
        &self,
        field: &FieldDescriptor,
        path: &FieldPath,
        placed: &Field,
        text: &str,
    ) -> Result<Option<RequestMember>, Refusal> {
        let place = if let Some(label) = LabelPart::of(placed.label()) {
            Place::Label(label)
        } else if !placed.header_prefix.is_empty() {
            Place::HeaderPrefix(placed.header_prefix.clone())
        } else if !placed.query.is_empty() {
            Place::Query(placed.query.clone())
        } else if !placed.header.is_empty() {
            Place::Header(placed.header.clone())
        } else {
            return Ok(None);
        };
        let codec = match &place {
            Place::HeaderPrefix(_) => Codec::Metadata,
            Place::Label(_) | Place::Query(_) | Place::Header(_) => {
                self.codec(field, placed, text)?
            }
        };
        Ok(Some(RequestMember {
            path: path.clone(),
            place,
            codec,
            url_encodable: placed.url_encodable,
            min: placed.min,
            max: placed.max,
        }))
    }

    /// Elements and headers of an answer, or elements of a request's body.
    pub(crate) fn shape(
        &mut self,
        message: &MessageDescriptor,
        path: &FieldPath,
        room: Room,
        shape: &mut Shape,
        headers: &mut Vec<AnswerHeader>,
    ) -> Result<(), Refusal> {
        for field in message.fields() {
            let here = path.with(&field);
            let text = self.text(&here);
            if self.skip.contains(&text) || !self.is_shown(&text) {
                continue;
            }
            let Some(placed) = self.placed(&field, &text)? else {
                if self.options.sub_resource(&field)?.is_some() {
                    continue;
                }
                if !is_plain_message(&field) {
                    return Err(Refusal::UnnamedXml {
                        operation: self.operation.to_owned(),
                        field: text,
                    });
                }
                self.shape(&inner(&field), &here, room, shape, headers)?;
                continue;
            };
            if self.is_elsewhere(&placed) {
                continue;
            }
            self.place(&field, &here, &text, &placed, room, shape, headers)?;
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn place(
        &mut self,
        field: &FieldDescriptor,
        path: &FieldPath,
        text: &str,
        placed: &Placed,
        room: Room,
        shape: &mut Shape,
        headers: &mut Vec<AnswerHeader>,
    ) -> Result<(), Refusal> {
        let place = &placed.field;
        let has_header = !place.header.is_empty() || !place.header_prefix.is_empty();
        let as_element = !place.xml.is_empty() && room != Room::Headers;
        let as_header = has_header && room != Room::Elements && (!as_element || placed.explicit);
        if place.form() == Form::Fields {
            return self.shape(&inner(field), path, room, shape, headers);
        }
        if as_header {
            headers.push(self.header(field, path, text, placed)?);
        } else if as_element && place.xml == "." {
            shape.text = Some((path.clone(), self.codec(field, place, text)?));
        } else if as_element {
            let member = self.element(field, path, text, placed)?;
            shape.members.push(member);
        } else {
            return Ok(());
        }
        // What is bound one by one inside a message that has a value of its own.
        if let (Kind::Message(message), Codec::Checksum) = (
            field.kind(),
            self.codec(field, place, text).unwrap_or(Codec::Text),
        ) {
            let bound: Vec<FieldDescriptor> = message
                .fields()
                .filter(|child| self.binds.contains_key(&format!("{text}.{}", child.name())))
                .collect();
            for child in bound {
                let here = path.with(&child);
                let text = self.text(&here);
                if let Some(placed) = self.placed(&child, &text)? {
                    self.place(&child, &here, &text, &placed, room, shape, headers)?;
                }
            }
        }
        Ok(())
    }

    fn header(
        &self,
        field: &FieldDescriptor,
        path: &FieldPath,
        text: &str,
        placed: &Placed,
    ) -> Result<AnswerHeader, Refusal> {
        let prefix = !placed.field.header_prefix.is_empty();
        let name = if prefix {
            &placed.field.header_prefix
        } else {
            &placed.field.header
        };
        let codec = if prefix {
            Codec::Metadata
        } else {
            self.codec(field, &placed.field, text)?
        };
        Ok(AnswerHeader {
            name: name.clone(),
            prefix,
            path: path.clone(),
            codec,
            always: placed.field.always,
            when: placed.when.clone(),
        })
    }

    fn element(
        &mut self,
        field: &FieldDescriptor,
        path: &FieldPath,
        text: &str,
        placed: &Placed,
    ) -> Result<Member, Refusal> {
        let place = &placed.field;
        let item = (!place.item.is_empty()).then(|| place.item.clone());
        let scalar = Codec::of(field, place.form());
        if scalar.is_some() {
            self.codec(field, place, text)?;
        }
        let node = match (field.kind(), field.is_list(), scalar) {
            (_, true, Some(Codec::EtagList)) => Node::Scalar(Codec::EtagList),
            (_, true, Some(codec)) => Node::Texts {
                codec,
                flattened: place.flattened,
                item,
            },
            (_, false, Some(codec)) => Node::Scalar(codec),
            (Kind::Message(message), true, None) => {
                let shape = self.nested(&message, text)?;
                Node::Items {
                    message,
                    flattened: place.flattened,
                    item,
                    shape,
                }
            }
            (Kind::Message(message), false, None) => {
                let shape = self.nested(&message, text)?;
                Node::Struct { message, shape }
            }
            _ => {
                return Err(Refusal::Form {
                    operation: self.operation.to_owned(),
                    field: text.to_owned(),
                });
            }
        };
        Ok(Member {
            element: place.xml.split('/').map(str::to_owned).collect(),
            path: path.clone(),
            node,
            always: place.always,
            url_encodable: place.url_encodable && self.encodes_urls,
            when: placed.when.clone(),
            min: place.min,
            max: place.max,
        })
    }

    fn nested(&mut self, message: &MessageDescriptor, text: &str) -> Result<Shape, Refusal> {
        let outer = std::mem::replace(&mut self.prefix, format!("{text}."));
        let mut shape = Shape::default();
        let walked = self.shape(
            message,
            &FieldPath::default(),
            Room::Elements,
            &mut shape,
            &mut Vec::new(),
        );
        self.prefix = outer;
        walked?;
        shape.derived = self.derived.remove(text).unwrap_or_default();
        Ok(shape)
    }

    /// Refuses binds that no walk has met.
    pub(crate) fn finish(&self) -> Result<(), Refusal> {
        let unknown = self.binds.keys().find(|text| !self.used.contains(*text));
        let unknown = unknown.or_else(|| self.derived.keys().next());
        match unknown {
            Some(field) => Err(Refusal::UnknownField {
                operation: self.operation.to_owned(),
                field: field.clone(),
            }),
            None => Ok(()),
        }
    }
}

fn is_plain_message(field: &FieldDescriptor) -> bool {
    matches!(field.kind(), Kind::Message(_))
        && !field.is_list()
        && !field.is_map()
        && Codec::of(field, Form::Unspecified).is_none()
}

fn inner(field: &FieldDescriptor) -> MessageDescriptor {
    match field.kind() {
        Kind::Message(message) => message,
        _ => field.parent_message().clone(),
    }
}
