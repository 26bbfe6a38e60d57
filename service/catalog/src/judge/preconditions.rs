use crate::model::ObjectRow;
use crate::mutation::{IfMatch, IfNoneMatch, Preconditions};
use crate::{Condition, Refusal};
use bucketry_domain::Generation;

impl Preconditions {
    /// Whether all conditions hold on the current version of a key.
    pub(super) fn check(&self, current: Option<&ObjectRow>) -> Result<(), Refusal> {
        match (&self.if_match, current) {
            (None | Some(IfMatch::Any), Some(_)) | (None, None) => {}
            // S3 answers a conditional write to a missing key with NoSuchKey, not with PreconditionFailed.
            (Some(_), None) => return Err(Refusal::ObjectNotFound),
            (Some(IfMatch::OneOf(tags)), Some(row)) if tags.contains(&row.meta.etag) => {}
            (Some(IfMatch::OneOf(_)), Some(_)) => {
                return Err(Refusal::Precondition(Condition::IfMatch));
            }
        }
        match (&self.if_none_match, current) {
            (None, _) | (Some(_), None) => {}
            (Some(IfNoneMatch::NoneOf(tags)), Some(row)) if !tags.contains(&row.meta.etag) => {}
            (Some(_), Some(_)) => return Err(Refusal::Precondition(Condition::IfNoneMatch)),
        }
        let generation = current.map_or(Generation(0), |row| row.generation);
        match self.if_generation {
            Some(wanted) if wanted != generation => {
                Err(Refusal::Precondition(Condition::Generation(generation)))
            }
            _ => Ok(()),
        }
    }
}
