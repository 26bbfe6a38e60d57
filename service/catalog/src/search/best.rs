use std::collections::BTreeMap;

use super::{SearchDirection, SearchObjects};
use crate::listing::ABOVE_ALL;
use crate::query::ListedObject;

/// Where an object stands in the order of a search: its size or time, then its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub(super) value: i64,
    pub(super) key: Vec<u8>,
}

/// The first objects of a page and one more, of those seen so far.
pub(super) struct Best {
    direction: SearchDirection,
    most: usize,
    objects: BTreeMap<Rank, ListedObject>,
    /// Only what ranks above this gets in.
    lower: Rank,
    /// Only what ranks below this gets in.
    upper: Rank,
}

impl Best {
    pub(super) fn new(query: &SearchObjects) -> Self {
        let lowest = Rank {
            value: i64::MIN,
            key: Vec::new(),
        };
        let highest = Rank {
            value: i64::MAX,
            key: ABOVE_ALL.to_vec(),
        };
        let after = query.after.as_ref().map(|after| Rank {
            value: after.value,
            key: after.key.clone().into_bytes(),
        });
        let (lower, upper) = match query.direction {
            SearchDirection::Ascending => (after.unwrap_or(lowest), highest),
            SearchDirection::Descending => (lowest, after.unwrap_or(highest)),
        };
        Self {
            direction: query.direction,
            most: query.max as usize + 1,
            objects: BTreeMap::new(),
            lower,
            upper,
        }
    }

    /// The ranks between which an object gets in.
    pub(super) const fn window(&self) -> (&Rank, &Rank) {
        (&self.lower, &self.upper)
    }

    pub(super) fn admits(&self, value: i64, key: &[u8]) -> bool {
        let rank = (value, key);
        (self.lower.value, self.lower.key.as_slice()) < rank
            && rank < (self.upper.value, self.upper.key.as_slice())
    }

    /// Takes an object that [gets in](Self::admits), in place of the last one if there is no more room.
    pub(super) fn insert(&mut self, value: i64, object: ListedObject) {
        let key = object.key.as_bytes().to_vec();
        self.objects.insert(Rank { value, key }, object);
        if self.objects.len() > self.most {
            let _last = match self.direction {
                SearchDirection::Ascending => self.objects.pop_last(),
                SearchDirection::Descending => self.objects.pop_first(),
            };
        }
        if !self.is_full() {
            return;
        }
        match self.direction {
            SearchDirection::Ascending => {
                if let Some((rank, _)) = self.objects.last_key_value() {
                    self.upper.clone_from(rank);
                }
            }
            SearchDirection::Descending => {
                if let Some((rank, _)) = self.objects.first_key_value() {
                    self.lower.clone_from(rank);
                }
            }
        }
    }

    /// Whether there are a page of objects and one more.
    pub(super) fn is_full(&self) -> bool {
        self.objects.len() >= self.most
    }

    /// The objects of the page in order, and the rank of the last one if there is one more.
    pub(super) fn into_page(self) -> (Vec<ListedObject>, Option<Rank>) {
        let is_full = self.is_full();
        let page = self.most - 1;
        let ranked: Vec<_> = match self.direction {
            SearchDirection::Ascending => self.objects.into_iter().take(page).collect(),
            SearchDirection::Descending => self.objects.into_iter().rev().take(page).collect(),
        };
        let next = ranked.last().filter(|_| is_full);
        let next = next.map(|(rank, _)| rank.clone());
        let objects = ranked.into_iter().map(|(_, object)| object);
        (objects.collect(), next)
    }
}
