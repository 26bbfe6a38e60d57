use bucketry_contract::v1;

use super::timestamp_from_proto;
use crate::catalog::mutation::{IfMatch, IfNoneMatch, Preconditions};
use crate::domain::{ETag, Generation};
use crate::error::Error;
use crate::rules::read_conditions::ReadConditions;

/// Conditions on what a write replaces; judged when it commits.
pub(crate) fn write_preconditions(sent: Option<v1::Precondition>) -> Result<Preconditions, Error> {
    let sent = sent.unwrap_or_default();
    if sent.if_modified_since.is_some() || sent.if_unmodified_since.is_some() {
        return Err(Error::NotImplemented(
            "a write on condition of a modification time",
        ));
    }
    if sent.if_generation_not_match.is_some() {
        return Err(Error::NotImplemented(
            "a write on condition of if_generation_not_match",
        ));
    }
    Ok(Preconditions {
        if_match: if_match(&sent.if_match),
        if_none_match: if_none_match(&sent.if_none_match),
        if_generation: generation("precondition.if_generation_match", sent.if_generation_match)?,
    })
}

fn if_match(tags: &[String]) -> Option<IfMatch> {
    match tags {
        [] => None,
        tags if tags.iter().any(|tag| tag == "*") => Some(IfMatch::Any),
        tags => Some(IfMatch::OneOf(ours(tags))),
    }
}

fn if_none_match(tags: &[String]) -> Option<IfNoneMatch> {
    match tags {
        [] => None,
        tags if tags.iter().any(|tag| tag == "*") => Some(IfNoneMatch::Any),
        tags => Some(IfNoneMatch::NoneOf(ours(tags))),
    }
}

/// A text that is not an ETag of ours matches nothing, so it may be left out of the list.
fn ours(tags: &[String]) -> Vec<ETag> {
    tags.iter()
        .filter_map(|tag| unquoted(tag).parse().ok())
        .collect()
}

fn unquoted(tag: &str) -> &str {
    tag.strip_prefix('"')
        .and_then(|tag| tag.strip_suffix('"'))
        .unwrap_or(tag)
}

/// Conditions on what a read or a copy finds.
pub(crate) fn read_conditions(sent: Option<v1::Precondition>) -> Result<ReadConditions, Error> {
    let sent = sent.unwrap_or_default();
    let plain = |tags: Vec<String>| tags.iter().map(|tag| unquoted(tag).to_owned()).collect();
    Ok(ReadConditions {
        if_match: plain(sent.if_match),
        if_none_match: plain(sent.if_none_match),
        if_modified_since: sent.if_modified_since.as_ref().map(timestamp_from_proto),
        if_unmodified_since: sent.if_unmodified_since.as_ref().map(timestamp_from_proto),
        if_generation: generation("precondition.if_generation_match", sent.if_generation_match)?,
        if_generation_not: generation(
            "precondition.if_generation_not_match",
            sent.if_generation_not_match,
        )?,
    })
}

fn generation(field: &'static str, sent: Option<i64>) -> Result<Option<Generation>, Error> {
    match sent {
        Some(number) if number < 0 => Err(Error::InvalidArgument {
            field,
            problem: format!("{number} is negative"),
        }),
        other => Ok(other.map(Generation)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_etags_match_nothing_rather_than_anything() {
        let sent = v1::Precondition {
            if_match: vec!["not-an-etag".into()],
            ..Default::default()
        };
        let conditions = write_preconditions(Some(sent)).unwrap();
        assert_eq!(conditions.if_match, Some(IfMatch::OneOf(vec![])));
    }

    #[test]
    fn quotes_do_not_count() {
        let etag = "d41d8cd98f00b204e9800998ecf8427e";
        let sent = v1::Precondition {
            if_none_match: vec![format!("\"{etag}\"")],
            ..Default::default()
        };
        let conditions = write_preconditions(Some(sent.clone())).unwrap();
        let tags = vec![etag.parse().unwrap()];
        assert_eq!(conditions.if_none_match, Some(IfNoneMatch::NoneOf(tags)));
        assert_eq!(read_conditions(Some(sent)).unwrap().if_none_match, [etag]);
    }

    #[test]
    fn a_write_on_a_date_is_refused_not_ignored() {
        let sent = v1::Precondition {
            if_unmodified_since: Some(prost_types::Timestamp::default()),
            ..Default::default()
        };
        assert!(matches!(
            write_preconditions(Some(sent)),
            Err(Error::NotImplemented(_))
        ));
    }
}
