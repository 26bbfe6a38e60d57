use std::time::Instant;

use super::best::{Best, Rank};
use super::needle::Needle;
use super::{SearchBounds, SearchCoverage, SearchObjects, SearchOrder, SearchPage, SearchPosition};
use crate::CatalogError;

/// A search under way.
pub(super) struct Run {
    order: SearchOrder,
    pub(super) needle: Needle,
    pub(super) best: Best,
    pub(super) scanned: u64,
    /// The last key that was looked at.
    pub(super) last: Vec<u8>,
    bounds: SearchBounds,
    /// Since the first key: the wait for a connection or thread does not count.
    began: Option<Instant>,
    is_bounded: bool,
    /// The bound that an earlier page reached.
    end: Option<String>,
}

impl Run {
    pub(super) fn new(query: &SearchObjects) -> Self {
        Self {
            order: query.order,
            needle: Needle::of(query),
            best: Best::new(query),
            scanned: 0,
            last: Vec::new(),
            bounds: query.bounds,
            began: None,
            is_bounded: false,
            end: query.after.as_ref().and_then(|after| after.end.clone()),
        }
    }

    /// Whether no further key can change the page.
    pub(super) fn is_page_full(&self) -> bool {
        self.order == SearchOrder::Key && self.best.is_full()
    }

    /// How many keys may still be looked at.
    pub(super) const fn keys_left(&self) -> u64 {
        self.bounds.keys.saturating_sub(self.scanned)
    }

    /// Whether the time is over. The first call begins it.
    pub(super) fn is_time_over(&mut self) -> bool {
        let began = *self.began.get_or_insert_with(Instant::now);
        began.elapsed() >= self.bounds.time
    }

    /// Notes that there are keys beyond the bound.
    pub(super) const fn reach_bound(&mut self) {
        self.is_bounded = true;
    }

    pub(super) fn into_page(self) -> Result<SearchPage, CatalogError> {
        let (objects, next) = self.best.into_page();
        let text = |key| String::from_utf8(key).map_err(|_| CatalogError::Corrupt("objects.key"));
        let mut page = SearchPage {
            objects,
            next: None,
            scanned: self.scanned,
            coverage: SearchCoverage::Complete,
        };
        let position = |Rank { value, key }, end| {
            let key = text(key)?;
            Ok::<_, CatalogError>(SearchPosition { value, key, end })
        };
        match self.order {
            SearchOrder::Key => {
                let at_bound = self.is_bounded.then_some(Rank {
                    value: 0,
                    key: self.last,
                });
                if at_bound.is_some() {
                    page.coverage = SearchCoverage::Bounded;
                }
                let next = at_bound.or(next).map(|rank| position(rank, None));
                page.next = next.transpose()?;
            }
            SearchOrder::Size | SearchOrder::Modified => {
                let end = match self.is_bounded {
                    // The least key above it.
                    true => Some(text(self.last)? + "\0"),
                    false => self.end,
                };
                if end.is_some() {
                    page.coverage = SearchCoverage::Bounded;
                }
                page.next = next.map(|rank| position(rank, end)).transpose()?;
            }
        }
        Ok(page)
    }
}
