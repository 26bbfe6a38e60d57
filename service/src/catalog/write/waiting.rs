use std::collections::{HashMap, VecDeque};

use bucketry_edge::fair::{Caller, FairQueue};

use super::writer::Job;
use crate::catalog::mutation::{Change, Guard, Mutation};
use crate::domain::AccessKeyPk;

/// Mutations of one access key in one group while several keys write. A key with a thousand writers must not make the
/// groups so long that a key with few waits for them: a group of two keys takes about twice as long as one of the
/// smaller alone.
const KEY_MUTATIONS: usize = 16;

/// Groups after one of several keys that are kept short. A client that writes one object after the other is not among
/// the waiting when the next group begins.
const SHORT_GROUPS: u32 = 32;

/// Jobs that wait for the writer. Groups are formed round robin by access key.
#[derive(Default)]
pub(super) struct Waiting {
    queue: FairQueue<Job>,
    short_groups: u32,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// The next group, of at most `most` jobs, of what waits and what `arrived`.
    pub(super) fn next_group(&mut self, arrived: &mut Vec<Job>, most: usize) -> VecDeque<Job> {
        let alone = self.short_groups == 0 && self.queue.is_empty() && arrived.len() <= most;
        if alone && are_of_one_key(arrived) {
            return arrived.drain(..).collect();
        }
        for job in arrived.drain(..) {
            let key = key_of(&job).map_or(0, |pk| pk.0.cast_unsigned());
            // The catalog does not know a key's account without reading it.
            self.queue.push(Caller { account: key, key }, job);
        }
        let several = self.queue.accounts() > 1;
        self.short_groups = match several {
            true => SHORT_GROUPS,
            false => self.short_groups.saturating_sub(1),
        };
        let most_of_key = match self.short_groups {
            0 => most,
            _ => KEY_MUTATIONS,
        };
        let mut taken: HashMap<u64, usize> = HashMap::new();
        let mut group = VecDeque::new();
        while group.len() < most {
            let has_room = |caller: Caller, _: &Job| {
                taken.get(&caller.key).copied().unwrap_or(0) < most_of_key
            };
            let Some((caller, job)) = self.queue.pop(has_room) else {
                break;
            };
            *taken.entry(caller.key).or_default() += 1;
            group.push_back(job);
        }
        group
    }
}

fn are_of_one_key(jobs: &[Job]) -> bool {
    let mut keys = jobs.iter().map(key_of);
    let first = keys.next();
    keys.all(|key| Some(key) == first)
}

/// Whose job it is; none if it is the server's own.
fn key_of(job: &Job) -> Option<AccessKeyPk> {
    match job {
        Job::One { mutation, .. } => key_of_mutation(mutation),
        Job::Batch { .. } | Job::Close => None,
    }
}

fn key_of_mutation(mutation: &Mutation) -> Option<AccessKeyPk> {
    let guard = match &mutation.change {
        Change::CreateBucket(change) => change.guard,
        Change::UpdateBucket(change) => change.guard,
        Change::DeleteBucket(change) => change.guard,
        Change::PutObject(change) => change.guard,
        Change::DeleteObject(change) => change.guard,
        Change::UpdateObject(change) => change.guard,
        Change::CreateUpload(change) => change.guard,
        Change::PutPart(change) => change.guard,
        Change::AbortUpload(change) => change.guard,
        Change::CompleteUpload(change) => change.guard,
        Change::CreateAccount(_)
        | Change::UpdateAccount(_)
        | Change::CreateAccessKey(_)
        | Change::UpdateAccessKey(_)
        | Change::ResealAccessKey(_)
        | Change::PurgeAccessKey(_)
        | Change::RecordUsage(_)
        | Change::AppendAudit(_) => mutation.asker?.guard,
    };
    match guard {
        Guard::Key { pk, .. } => Some(pk),
        Guard::System => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::catalog::mutation::DeleteObject;
    use crate::domain::{BucketId, ObjectKey, Timestamp};

    const MOST: usize = 512;

    fn jobs(key: i64, count: usize) -> Vec<Job> {
        let job = |_| {
            let change = DeleteObject {
                bucket: BucketId(1),
                key: ObjectKey::new("k").unwrap(),
                preconditions: Default::default(),
                guard: Guard::Key {
                    pk: AccessKeyPk(key),
                    epoch: 1,
                },
                now: Timestamp::from_micros(0),
            };
            let mutation = Mutation {
                change: Change::DeleteObject(change),
                audit: Vec::new(),
                asker: None,
            };
            let (reply, _) = oneshot::channel();
            Job::One { mutation, reply }
        };
        (0..count).map(job).collect()
    }

    fn keys(group: &VecDeque<Job>) -> Vec<i64> {
        group.iter().map(|job| key_of(job).unwrap().0).collect()
    }

    #[test]
    fn one_key_alone_fills_the_group() {
        let mut waiting = Waiting::default();
        let group = waiting.next_group(&mut jobs(1, 300), MOST);
        assert_eq!((group.len(), waiting.len()), (300, 0));
    }

    #[test]
    fn a_key_with_many_writers_leaves_room_for_others() {
        let mut waiting = Waiting::default();
        let mut arrived = jobs(1, 300);
        arrived.extend(jobs(2, 3));
        let group = keys(&waiting.next_group(&mut arrived, MOST));
        assert_eq!(group[..6], [1, 2, 1, 2, 1, 2]);
        assert_eq!(group.len(), KEY_MUTATIONS + 3);
        // The others' next write finds a short group, too.
        let group = waiting.next_group(&mut Vec::new(), MOST);
        assert_eq!(keys(&group), [1; KEY_MUTATIONS]);
        for _ in 0..SHORT_GROUPS {
            waiting.next_group(&mut Vec::new(), MOST);
        }
        assert!(waiting.is_empty());
        let group = waiting.next_group(&mut jobs(1, 300), MOST);
        assert_eq!(group.len(), 300);
    }
}
