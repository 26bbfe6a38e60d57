//! Texts of statements that are put together from constants. Each is made once and kept: there are as many as there are
//! constants, tables and numbers of rows that a statement may have.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use super::Dialect;

/// What a text is made of. Constants are compared by where they are, which tells them apart without reading them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Ingredients {
    dialect: Dialect,
    rows: usize,
    parts: [(usize, usize); 3],
}

impl Ingredients {
    /// `rows`: how many the text is for, if it has placeholders for each.
    pub(super) fn new(dialect: Dialect, rows: usize, parts: [&'static str; 3]) -> Self {
        Self {
            dialect,
            rows,
            parts: parts.map(|part| (part.as_ptr().addr(), part.len())),
        }
    }
}

static TEXTS: RwLock<Option<HashMap<Ingredients, &'static str>>> = RwLock::new(None);

/// The text of these ingredients, which `make` makes the first time.
pub(super) fn text(ingredients: Ingredients, make: impl FnOnce() -> String) -> &'static str {
    let known = TEXTS.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(text) = known.as_ref().and_then(|texts| texts.get(&ingredients)) {
        return text;
    }
    drop(known);
    let mut texts = TEXTS.write().unwrap_or_else(PoisonError::into_inner);
    let texts = texts.get_or_insert_with(HashMap::new);
    texts
        .entry(ingredients)
        .or_insert_with(|| Box::leak(make().into_boxed_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_made_once() {
        const PARTS: [&str; 3] = ["a text that is made once", "", ""];
        let of_rows = |rows| Ingredients::new(Dialect::Sqlite, rows, PARTS);
        let first = text(of_rows(1), || "one".to_owned());
        let again = text(of_rows(1), || panic!("made again"));
        assert!(std::ptr::eq(first, again));
        assert_eq!(text(of_rows(2), || "two".to_owned()), "two");
        let other = Ingredients::new(Dialect::Postgres, 1, PARTS);
        assert_eq!(text(other, || "three".to_owned()), "three");
    }
}
