//! What must be in the bucket: pure bookkeeping of what was asked, what was acknowledged, and what may be seen.
//!
//! After a crash a key is in the state that was acknowledged last, or in the one state that was asked for and never
//! answered. Anything else is a violation.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::connection::Listed;
use crate::crash::content::{Shape, Version, claimed_sequence, content, size};

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing.
    Absent,
    /// This version.
    Present(Version),
}

/// A broken promise of the server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Violation {
    /// A write that was acknowledged is gone.
    #[error("{key}: sequence {acknowledged} was acknowledged and is gone")]
    Lost { key: String, acknowledged: u64 },
    /// An intact version is there that must not be.
    #[error("{key}: sequence {found} is there, allowed were {allowed:?}")]
    WrongVersion {
        key: String,
        found: u64,
        allowed: Vec<State>,
    },
    /// What is there is no version of the key at all.
    #[error(
        "{key}: {length} bytes that no write had; they claim sequence {claimed:?}, allowed were {allowed:?}"
    )]
    Corrupt {
        key: String,
        length: usize,
        claimed: Option<u64>,
        allowed: Vec<State>,
    },
    /// Reads find it, listings do not.
    #[error("{key}: read back but not listed")]
    NotListed { key: String },
    /// Listings find it, and nobody may have written it.
    #[error("{key}: listed but must not be there")]
    Stranger { key: String },
    /// The listing has another size than the content.
    #[error("{key}: listed with {listed} bytes instead of {expected}")]
    WrongSize {
        key: String,
        listed: u64,
        expected: u64,
    },
    /// The listing is not in byte order, or has a key twice.
    #[error("{key}: listed out of order")]
    OutOfOrder { key: String },
    /// An operation failed while nothing was being killed.
    #[error("{key}: refused while the server was up: {fault}")]
    Refused { key: String, fault: String },
    /// The restarted server does not answer as it must.
    #[error("{key}: cannot be read after the restart: {fault}")]
    Unreadable { key: String, fault: String },
}

#[derive(Clone, Debug)]
struct Record {
    acknowledged: State,
    pending: Option<State>,
    last_sequence: u64,
}

impl Record {
    fn allowed(&self) -> Vec<State> {
        std::iter::once(self.acknowledged)
            .chain(self.pending)
            .collect()
    }
}

/// The keys of one writer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    records: BTreeMap<String, Record>,
}

impl Model {
    /// A model in which these keys are absent.
    pub(crate) fn new(keys: impl IntoIterator<Item = String>) -> Self {
        let record = Record {
            acknowledged: State::Absent,
            pending: None,
            last_sequence: 0,
        };
        Self {
            records: keys.into_iter().map(|key| (key, record.clone())).collect(),
        }
    }

    /// The keys, in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &String> {
        self.records.keys()
    }

    /// What was acknowledged last.
    pub(crate) fn acknowledged(&self, key: &str) -> State {
        self.records
            .get(key)
            .map_or(State::Absent, |record| record.acknowledged)
    }

    /// Notes that a write is about to be sent, and answers with its version.
    pub(crate) fn begin_put(&mut self, key: &str, shape: Shape) -> Option<Version> {
        let record = self.records.get_mut(key)?;
        record.last_sequence += 1;
        let version = Version {
            sequence: record.last_sequence,
            shape,
        };
        record.pending = Some(State::Present(version));
        Some(version)
    }

    /// Notes that a delete is about to be sent.
    pub(crate) fn begin_delete(&mut self, key: &str) {
        if let Some(record) = self.records.get_mut(key) {
            record.pending = Some(State::Absent);
        }
    }

    /// Notes that what was sent last was answered with success.
    pub(crate) fn acknowledge(&mut self, key: &str) {
        if let Some(record) = self.records.get_mut(key)
            && let Some(pending) = record.pending.take()
        {
            record.acknowledged = pending;
        }
    }

    /// Judges what a read found. What it found is from then on what is there: a state that was pending has been
    /// decided one way or the other.
    pub(crate) fn observe(&mut self, key: &str, found: Option<&Bytes>) -> Result<(), Violation> {
        let Some(record) = self.records.get_mut(key) else {
            return Err(Violation::Stranger {
                key: key.to_owned(),
            });
        };
        let allowed = record.allowed();
        let Some(state) = allowed.iter().copied().find(|state| is(key, *state, found)) else {
            return Err(violation(key, record.acknowledged, allowed, found));
        };
        record.acknowledged = state;
        record.pending = None;
        Ok(())
    }

    /// The keys that a listing must show, with their sizes.
    pub(crate) fn present(&self) -> BTreeMap<String, u64> {
        let sized = |(key, record): (&String, &Record)| match record.acknowledged {
            State::Absent => None,
            State::Present(version) => Some((key.clone(), size(key, version))),
        };
        self.records.iter().filter_map(sized).collect()
    }
}

fn is(key: &str, state: State, found: Option<&Bytes>) -> bool {
    match (state, found) {
        (State::Absent, None) => true,
        (State::Present(version), Some(found)) => {
            found.len() as u64 == size(key, version) && *found == content(key, version)
        }
        (State::Absent, Some(_)) | (State::Present(_), None) => false,
    }
}

fn violation(
    key: &str,
    acknowledged: State,
    allowed: Vec<State>,
    found: Option<&Bytes>,
) -> Violation {
    let key = key.to_owned();
    match (acknowledged, found) {
        (State::Present(version), None) => Violation::Lost {
            key,
            acknowledged: version.sequence,
        },
        // Nothing was acknowledged, nothing is there: that is allowed and never comes here.
        (State::Absent, None) => Violation::Lost {
            key,
            acknowledged: 0,
        },
        (_, Some(found)) => {
            let claimed = claimed_sequence(found);
            let intact = |sequence| {
                [Shape::Single, Shape::Multipart].into_iter().any(|shape| {
                    is(
                        &key,
                        State::Present(Version { sequence, shape }),
                        Some(found),
                    )
                })
            };
            match claimed {
                Some(sequence) if intact(sequence) => Violation::WrongVersion {
                    key,
                    found: sequence,
                    allowed,
                },
                _ => Violation::Corrupt {
                    key,
                    length: found.len(),
                    claimed,
                    allowed,
                },
            }
        }
    }
}

/// Judges a whole listing against the keys that must be in it.
pub(crate) fn judge_listing(expected: &BTreeMap<String, u64>, listed: &[Listed]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (former, latter) in listed.iter().zip(listed.iter().skip(1)) {
        if former.key >= latter.key {
            let key = latter.key.clone();
            violations.push(Violation::OutOfOrder { key });
        }
    }
    let mut missing = expected.clone();
    for entry in listed {
        let key = entry.key.clone();
        missing.remove(&key);
        match expected.get(&key) {
            None => violations.push(Violation::Stranger { key }),
            Some(expected) if *expected != entry.size => violations.push(Violation::WrongSize {
                key,
                listed: entry.size,
                expected: *expected,
            }),
            Some(_) => {}
        }
    }
    violations.extend(missing.into_keys().map(|key| Violation::NotListed { key }));
    violations
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "w0/k0";

    fn model() -> Model {
        Model::new([KEY.to_owned()])
    }

    fn put(model: &mut Model) -> Bytes {
        content(KEY, model.begin_put(KEY, Shape::Single).unwrap())
    }

    #[test]
    fn an_acknowledged_write_must_be_there() {
        let mut model = model();
        let first = put(&mut model);
        model.acknowledge(KEY);
        assert_eq!(
            model.observe(KEY, None),
            Err(Violation::Lost {
                key: KEY.into(),
                acknowledged: 1
            })
        );
        assert_eq!(model.observe(KEY, Some(&first)), Ok(()));
    }

    #[test]
    fn an_unanswered_write_may_or_may_not_be_there_but_not_both() {
        let mut model = model();
        let first = put(&mut model);
        model.acknowledge(KEY);
        let second = put(&mut model);
        assert_eq!(model.clone().observe(KEY, Some(&first)), Ok(()));
        assert_eq!(model.observe(KEY, Some(&second)), Ok(()));
        let returned = model.observe(KEY, Some(&first));
        assert!(
            matches!(returned, Err(Violation::WrongVersion { found: 1, .. })),
            "{returned:?}"
        );
    }

    #[test]
    fn a_deleted_object_must_not_return() {
        let mut model = model();
        let first = put(&mut model);
        model.acknowledge(KEY);
        model.begin_delete(KEY);
        assert_eq!(model.clone().observe(KEY, Some(&first)), Ok(()));
        model.acknowledge(KEY);
        let returned = model.observe(KEY, Some(&first));
        assert!(
            matches!(returned, Err(Violation::WrongVersion { found: 1, .. })),
            "{returned:?}"
        );
        assert_eq!(model.observe(KEY, None), Ok(()));
    }

    proptest! {
        #[test]
        fn any_changed_byte_and_any_cut_is_corruption(place in any::<prop::sample::Index>(), change in 1_u8..) {
            let mut model = model();
            let mut written = put(&mut model).to_vec();
            model.acknowledge(KEY);
            let place = place.index(written.len());
            let cut = Bytes::copy_from_slice(&written[..place]);
            written[place] ^= change;
            for wrong in [cut, written.into()] {
                let judged = model.observe(KEY, Some(&wrong));
                let told = matches!(judged, Err(Violation::Corrupt { .. }));
                prop_assert!(told, "{:?}", judged);
            }
        }
    }

    #[test]
    fn a_listing_must_equal_the_model() {
        let expected: BTreeMap<_, _> = [("a", 1), ("b", 2), ("c", 3)]
            .map(|(key, size)| (key.into(), size))
            .into();
        let entry = |key: &str, size| Listed {
            key: key.into(),
            size,
        };
        let whole = [entry("a", 1), entry("b", 2), entry("c", 3)];
        assert_eq!(judge_listing(&expected, &whole), []);
        let key = |key: &str| key.to_owned();
        assert_eq!(
            judge_listing(&expected, &whole[..2]),
            [Violation::NotListed { key: key("c") }]
        );
        assert_eq!(
            judge_listing(
                &expected,
                &[entry("b", 2), entry("a", 1), entry("c", 4), entry("d", 1)]
            ),
            [
                Violation::OutOfOrder { key: key("a") },
                Violation::WrongSize {
                    key: key("c"),
                    listed: 4,
                    expected: 3
                },
                Violation::Stranger { key: key("d") },
            ]
        );
    }
}
