//! Finds the elements and headers of an answer, and the elements of a request's body.

use prost_reflect::{Kind, MessageDescriptor};

use crate::annotations::Form;
use crate::codec::Codec;
use crate::model::{
    AnswerHeader, ContractError, ElementContent, FieldPath, ListForm, Member, Shape,
};
use crate::walk::{Spot, Walk, plain_message};

/// Which places there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// Headers alone.
    Headers,
    /// Elements, and headers for what has no element.
    Both,
    /// Elements alone: within a list, or in a request's body.
    Elements,
}

/// What a walk finds.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) shape: Shape,
    pub(crate) headers: Vec<AnswerHeader>,
}

impl Walk<'_> {
    /// Walks a message of the answer or of a body.
    pub(crate) fn shape(
        &mut self,
        message: &MessageDescriptor,
        path: &FieldPath,
        room: Room,
        found: &mut Found,
    ) -> Result<(), ContractError> {
        for field in message.fields() {
            let here = path.with(&field);
            let text = self.text(&here);
            if self.skip.contains(&text) || !self.is_shown(&text) {
                continue;
            }
            match (self.spot(&here)?, plain_message(&field)) {
                (Some(spot), _) if self.is_elsewhere(&spot) => {}
                (Some(spot), Some(inner)) if spot.place.form() == Form::Fields => {
                    self.shape(&inner, &here, room, found)?;
                }
                (Some(spot), _) => self.place(&spot, room, found)?,
                (None, _) if self.options.sub_resource(&field)?.is_some() => {}
                (None, Some(inner)) => self.shape(&inner, &here, room, found)?,
                (None, None) => {
                    return Err(ContractError::UnnamedXml {
                        operation: self.operation.to_owned(),
                        field: text,
                    });
                }
            }
        }
        Ok(())
    }

    fn place(&mut self, spot: &Spot, room: Room, found: &mut Found) -> Result<(), ContractError> {
        let as_element = !spot.place.xml.is_empty() && room != Room::Headers;
        // Where both would do, a list shows the element; a binding that gives a header means the header.
        let as_header =
            spot.header().is_some() && room != Room::Elements && (!as_element || spot.explicit);
        if as_header {
            found.headers.extend(self.header(spot)?);
        } else if as_element && spot.place.xml == "." {
            found.shape.text = Some((spot.path.clone(), self.codec(spot)?));
        } else if as_element {
            let member = self.element(spot)?;
            found.shape.members.push(member);
        } else {
            return Ok(());
        }
        if spot.place.form() == Form::Checksum {
            for below in self.placed_below(spot)? {
                self.place(&below, room, found)?;
            }
        }
        Ok(())
    }

    fn header(&self, spot: &Spot) -> Result<Option<AnswerHeader>, ContractError> {
        let codec = self.codec(spot)?;
        Ok(spot.header().map(|name| AnswerHeader {
            name: name.clone(),
            prefix: codec == Codec::Metadata,
            path: spot.path.clone(),
            codec,
            always: spot.place.always,
            when: spot.when.clone(),
        }))
    }

    fn element(&mut self, spot: &Spot) -> Result<Member, ContractError> {
        let place = &spot.place;
        Ok(Member {
            node: self.node(spot)?,
            element: place.xml.split('/').map(str::to_owned).collect(),
            path: spot.path.clone(),
            always: place.always,
            url_encodable: place.url_encodable && self.encodes_urls,
            when: spot.when.clone(),
            min: place.min,
            max: place.max,
        })
    }

    fn node(&mut self, spot: &Spot) -> Result<ElementContent, ContractError> {
        let place = &spot.place;
        let list = ListForm {
            flattened: place.flattened,
            item: (!place.item.is_empty()).then(|| place.item.clone()),
        };
        if let (Kind::Message(message), None) =
            (spot.field.kind(), Codec::of(&spot.field, place.form()))
        {
            let shape = self.nested(&message, &spot.text)?;
            return Ok(match spot.field.is_list() {
                true => ElementContent::Items {
                    message,
                    list,
                    shape,
                },
                false => ElementContent::Struct { message, shape },
            });
        }
        Ok(match self.codec(spot)? {
            Codec::CommaList(_) => return Err(self.misfit(&spot.text)),
            Codec::EtagList => ElementContent::Scalar(Codec::EtagList),
            codec if spot.field.is_list() => ElementContent::Texts { codec, list },
            codec => ElementContent::Scalar(codec),
        })
    }

    fn nested(&mut self, message: &MessageDescriptor, text: &str) -> Result<Shape, ContractError> {
        let outer = std::mem::replace(&mut self.prefix, format!("{text}."));
        let mut found = Found::default();
        let walked = self.shape(message, &FieldPath::default(), Room::Elements, &mut found);
        self.prefix = outer;
        walked?;
        found.shape.derived = self.derived.remove(text).unwrap_or_default();
        Ok(found.shape)
    }
}
