//! Finds the members of a request that are not in its body.

use prost_reflect::MessageDescriptor;

use crate::annotations::Form;
use crate::model::{ContractError, FieldPath, LabelPart, MemberPlace, RequestMember};
use crate::walk::{Spot, Walk, plain_message};

impl Walk<'_> {
    /// Walks a message of the request.
    pub(crate) fn request(
        &mut self,
        message: &MessageDescriptor,
        path: &FieldPath,
        found: &mut Vec<RequestMember>,
    ) -> Result<(), ContractError> {
        for field in message.fields() {
            let here = path.with(&field);
            if self.skip.contains(&self.text(&here)) {
                continue;
            }
            match (self.spot(&here)?, plain_message(&field)) {
                (Some(spot), _) if self.is_elsewhere(&spot) => {}
                (Some(spot), Some(inner)) if spot.place.form() == Form::Fields => {
                    self.request(&inner, &here, found)?;
                }
                (Some(spot), _) => {
                    found.extend(self.member(&spot)?);
                    for below in self.placed_below(&spot)? {
                        found.extend(self.member(&below)?);
                    }
                }
                (None, _) if self.options.sub_resource(&field)?.is_some() => {}
                (None, Some(inner)) => self.request(&inner, &here, found)?,
                (None, None) => {
                    return Err(ContractError::NoPlace {
                        operation: self.operation.to_owned(),
                        field: self.text(&here),
                    });
                }
            }
        }
        Ok(())
    }

    /// The member, unless its place is in a body or nowhere.
    fn member(&self, spot: &Spot) -> Result<Option<RequestMember>, ContractError> {
        let place = &spot.place;
        let place = if let Some(label) = LabelPart::of(place.label()) {
            MemberPlace::Label(label)
        } else if !place.header_prefix.is_empty() {
            MemberPlace::HeaderPrefix(place.header_prefix.clone())
        } else if !place.query.is_empty() {
            MemberPlace::Query(place.query.clone())
        } else if !place.header.is_empty() {
            MemberPlace::Header(place.header.clone())
        } else {
            return Ok(None);
        };
        Ok(Some(RequestMember {
            path: spot.path.clone(),
            place,
            codec: self.codec(spot)?,
            url_encodable: spot.place.url_encodable,
            min: spot.place.min,
            max: spot.place.max,
        }))
    }
}
