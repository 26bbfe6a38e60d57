//! The objects that are read: many of 4 KiB, and a few of each size.

use std::fs;
use std::path::Path;

use bucketry_tests::random::Random;
use bytes::Bytes;

use crate::compare::cell_kind::CellKind;
use crate::fault::Fault;
use crate::prepare;
use crate::target::Target;

/// Bytes of each of the many objects.
const SMALL: u64 = 4 * 1024;
/// What their keys begin with.
pub(crate) const ALL_PREFIX: &str = "all/";
const FOLDER: u64 = 1_000;
/// Connections that write the many, and the few large ones.
const WRITERS: u16 = 64;
const WRITERS_OF_LARGE: u16 = 4;

/// The names and the content of the objects.
pub(crate) struct Corpus {
    all: Vec<String>,
    content: Bytes,
}

impl Corpus {
    /// A corpus with this many objects of 4 KiB.
    pub(crate) fn new(keys: u64) -> Self {
        let largest = sizes().into_iter().max().unwrap_or(SMALL);
        let mut all: Vec<String> = (0..keys).map(key).collect();
        shuffle(&mut all);
        Self {
            all,
            content: prepare::content(usize::try_from(largest).unwrap_or(usize::MAX)),
        }
    }

    /// The keys of the many objects, in the order in which they are read: without locality.
    pub(crate) fn all(&self) -> Vec<String> {
        self.all.clone()
    }

    /// The keys of the few objects of a size.
    pub(crate) fn hot(size: u64) -> Vec<String> {
        (0..prepare::objects_of(size))
            .map(|number| format!("hot/{size}/{number:04}"))
            .collect()
    }

    /// The content of an object of a size.
    pub(crate) fn content(&self, size: u64) -> Bytes {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        self.content.slice(..self.content.len().min(size))
    }

    /// Writes all objects.
    pub(crate) async fn write(&self, target: &Target) -> Result<(), Fault> {
        for size in sizes() {
            let keys = Self::hot(size);
            let content = self.content(size);
            let object = move |number: u64| {
                let key = usize::try_from(number)
                    .ok()
                    .and_then(|place| keys.get(place));
                (key.cloned().unwrap_or_default(), content.clone())
            };
            let count = prepare::objects_of(size) as u64;
            prepare::write(target, count, WRITERS_OF_LARGE, object).await?;
        }
        let content = self.content(SMALL);
        let object = move |number| (key(number), content.clone());
        prepare::write(target, self.all.len() as u64, WRITERS, object).await
    }

    /// Writes the few of each size as files below a directory.
    pub(crate) fn write_files(&self, directory: &Path) -> Result<(), Fault> {
        for size in sizes() {
            for key in Self::hot(size) {
                let file = directory.join(key);
                if let Some(parent) = file.parent() {
                    fs::create_dir_all(parent)?;
                }
                fs::write(file, self.content(size))?;
            }
        }
        Ok(())
    }
}

fn key(number: u64) -> String {
    format!("{ALL_PREFIX}{:05}/{number:08}", number / FOLDER)
}

/// Every size that a cell reads, or that nginx reads for comparison.
fn sizes() -> Vec<u64> {
    let mut sizes: Vec<u64> = CellKind::ALL.map(CellKind::size).into();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// Fisher–Yates; the same in every run.
fn shuffle(keys: &mut [String]) {
    let mut random = Random::of("corpus", keys.len() as u64);
    for last in (1..keys.len()).rev() {
        let other = random.below(last as u64 + 1);
        keys.swap(last, usize::try_from(other).unwrap_or(last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_are_read_in_no_order() {
        let all = Corpus::new(2_000).all();
        assert!(!all.is_sorted());
        let mut sorted = all.clone();
        sorted.sort();
        assert_eq!(sorted, (0..2_000).map(key).collect::<Vec<_>>());
    }

    #[test]
    fn every_cell_finds_objects_of_its_size() {
        for kind in CellKind::ALL {
            assert!(sizes().contains(&kind.size()), "{kind:?}");
        }
    }
}
