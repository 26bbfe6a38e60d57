//! What page tokens of searches hold.

use crate::catalog::search::{SearchObjects, SearchPosition};

/// The search that a token belongs to. Texts of any characters stand at the end, after their length.
pub(super) fn described(query: &SearchObjects) -> String {
    format!(
        "search\0{}\0{:?}\0{:?}\0{:?}\0{}\0{}{}",
        query.bucket,
        query.letter_case,
        query.order,
        query.direction,
        query.prefix.len(),
        query.prefix,
        query.contains
    )
}

/// A position: its value, the length of its key, the key, and where the search ends, if it does before the last key.
pub(super) fn to_text(position: &SearchPosition) -> String {
    let end = position.end.as_deref().unwrap_or_default();
    let SearchPosition { value, key, .. } = position;
    format!("{value} {} {key}{end}", key.len())
}

pub(super) fn from_text(text: &str) -> Option<SearchPosition> {
    let (value, rest) = text.split_once(' ')?;
    let (length, keys) = rest.split_once(' ')?;
    let (key, end) = keys.split_at_checked(length.parse().ok()?)?;
    Some(SearchPosition {
        value: value.parse().ok()?,
        key: key.to_owned(),
        // No key is empty.
        end: Some(end.to_owned()).filter(|end| !end.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::search::{LetterCase, SearchBounds, SearchDirection, SearchOrder};
    use crate::domain::BucketId;

    proptest! {
        #[test]
        fn any_position_comes_back(value: i64, key in "[ -~\\x00ÿ]{0,9}", end in "[ -~\\x00ÿ]{0,9}") {
            let end = Some(end).filter(|end| !end.is_empty());
            let position = SearchPosition { value, key, end };
            prop_assert_eq!(from_text(&to_text(&position)), Some(position));
        }

        #[test]
        fn any_text_is_read_without_panic(text in "[0-9 ÿ-]{0,12}") {
            let _position = from_text(&text);
        }
    }

    #[test]
    fn each_search_is_described_differently() {
        let query = |prefix: &str, contains: &str| SearchObjects {
            bucket: BucketId(1),
            prefix: prefix.to_owned(),
            contains: contains.to_owned(),
            letter_case: LetterCase::Exact,
            order: SearchOrder::Key,
            direction: SearchDirection::Ascending,
            after: None,
            max: 1,
            bounds: SearchBounds {
                keys: 1,
                time: std::time::Duration::ZERO,
            },
        };
        let base = query("a\0", "b");
        let others = [
            query("a", "\0b"),
            query("a\0b", ""),
            SearchObjects {
                bucket: BucketId(2),
                ..base.clone()
            },
            SearchObjects {
                letter_case: LetterCase::Ignored,
                ..base.clone()
            },
            SearchObjects {
                order: SearchOrder::Size,
                ..base.clone()
            },
            SearchObjects {
                direction: SearchDirection::Descending,
                ..base.clone()
            },
        ];
        for other in others {
            assert_ne!(described(&other), described(&base), "{other:?}");
        }
        // The size of a page may change.
        let larger = SearchObjects {
            max: 9,
            ..base.clone()
        };
        assert_eq!(described(&larger), described(&base));
    }
}
