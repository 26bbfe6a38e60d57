//! Pages of lists, cut to what fits into one answer: the size of a row may be its owner's choice.

use prost::Message;

use crate::catalog::query::{Listed, ListedObject, More, ObjectPage, Page};
use bucketry_contract::v1;

/// The most bytes of the items of one answer. Clients of gRPC take messages of up to 4 MiB by default; the rest is for
/// what an answer has besides items.
pub(crate) const MAX_ITEM_BYTES: usize = 3 * 1024 * 1024;

/// An upper bound for the field number and length that precede an item.
const ITEM_FRAME_BYTES: usize = 8;

/// A page that fits into one answer.
#[derive(Debug)]
pub(crate) struct FittingPage<T, M> {
    /// The items for the wire.
    pub(crate) shown: Vec<M>,
    /// The last item shown, if there is more after it.
    pub(crate) last_before_more: Option<T>,
}

/// Cuts a page to what fits. `shown` has the page's items for the wire, one for each. The first item always stays, so
/// that a list makes progress.
pub(crate) fn fitting<T, M: Message>(page: Page<T>, mut shown: Vec<M>) -> FittingPage<T, M> {
    let mut items = page.items;
    let fit = fit_count(shown.iter().map(Message::encoded_len));
    let more = if fit < shown.len() {
        More::Yes
    } else {
        page.more
    };
    shown.truncate(fit);
    items.truncate(fit);
    FittingPage {
        shown,
        last_before_more: match more {
            More::Yes => items.pop(),
            More::No => None,
        },
    }
}

/// Cuts a page of objects to what fits.
pub(crate) fn fitting_objects(
    page: ObjectPage,
    show: impl Fn(ListedObject) -> v1::Object,
) -> (Vec<Listed<v1::Object>>, Option<String>) {
    let show = |entry| match entry {
        Listed::Entry(object) => Listed::Entry(show(object)),
        Listed::CommonPrefix(prefix) => Listed::CommonPrefix(prefix),
    };
    let mut shown: Vec<Listed<v1::Object>> = page.entries.into_iter().map(show).collect();
    let fit = fit_count(shown.iter().map(|entry| match entry {
        Listed::Entry(object) => object.encoded_len(),
        Listed::CommonPrefix(prefix) => prefix.len(),
    }));
    if fit == shown.len() {
        return (shown, page.next);
    }
    shown.truncate(fit);
    let next = shown.last().map(|last| match last {
        Listed::Entry(object) => object.key.clone(),
        Listed::CommonPrefix(prefix) => prefix.clone(),
    });
    (shown, next)
}

/// How many of the first items, given by their bytes, fit together; at least one, if there are any.
fn fit_count(items: impl Iterator<Item = usize>) -> usize {
    let mut total = 0_usize;
    items
        .enumerate()
        .take_while(|(position, bytes)| {
            total = total.saturating_add(bytes + ITEM_FRAME_BYTES);
            *position == 0 || total <= MAX_ITEM_BYTES
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(count: usize, bytes: usize) -> ObjectPage {
        let prefix = |n: usize| Listed::CommonPrefix(format!("{n:0bytes$}"));
        ObjectPage {
            entries: (0..count).map(prefix).collect(),
            next: None,
        }
    }

    fn page(items: &[&'static str], more: More) -> Page<&'static str> {
        Page {
            items: items.to_vec(),
            more,
        }
    }

    #[test]
    fn a_page_that_fits_stays_as_it_is() {
        let whole = fitting(page(&["a", "b"], More::No), vec![String::new(); 2]);
        assert_eq!((whole.shown.len(), whole.last_before_more), (2, None));
        let first = fitting(page(&["a", "b"], More::Yes), vec![String::new(); 2]);
        assert_eq!((first.shown.len(), first.last_before_more), (2, Some("b")));
    }

    #[test]
    fn a_page_of_large_items_is_cut_and_goes_on_after_the_last_one_shown() {
        let large = vec!["x".repeat(MAX_ITEM_BYTES / 2 - 100); 3];
        let cut = fitting(page(&["a", "b", "c"], More::No), large);
        assert_eq!((cut.shown.len(), cut.last_before_more), (2, Some("b")));
        let huge = vec!["x".repeat(2 * MAX_ITEM_BYTES); 2];
        let cut = fitting(page(&["a", "b"], More::No), huge);
        assert_eq!((cut.shown.len(), cut.last_before_more), (1, Some("a")));
    }

    #[test]
    fn an_answer_of_the_longest_rows_stays_below_four_mebibytes() {
        let (shown, next) = fitting_objects(prefixes(1_000, 10_000), |_| v1::Object::default());
        let Some(Listed::CommonPrefix(last)) = shown.last() else {
            panic!("nothing is shown");
        };
        assert!(shown.len() * 10_000 > 2 << 20 && shown.len() * 10_000 < 4 << 20);
        assert_eq!(next.as_ref(), Some(last));
        let (shown, next) = fitting_objects(prefixes(1_000, 100), |_| v1::Object::default());
        assert_eq!((shown.len(), next), (1_000, None));
    }
}
