use std::collections::{HashMap, VecDeque};

use bucketry_edge::fair::{FairCaller, FairQueue};

use super::writer::Job;
use crate::mutation::Guard;

/// Mutations of one account in one group while several accounts write, and of one access key while several keys do. One
/// with a thousand writers must not make the groups so long that one with few waits for them: a group of two takes about
/// twice as long as one of the smaller alone.
const SHARE_MUTATIONS: usize = 16;

/// Groups after one of several accounts, or of several keys, that are kept short. A client that writes one object after
/// the other is not among the waiting when the next group begins.
const SHORT_GROUPS: u32 = 32;

/// All operators' keys count as one account.
const OPERATORS: u64 = u64::MAX;

/// The server itself, as one who shares.
const SERVER: FairCaller = FairCaller { account: 0, key: 0 };

/// Jobs that wait for the writer. Groups are formed round robin by account, then by access key.
#[derive(Default)]
pub(super) struct Waiting {
    queue: FairQueue<Job>,
    /// Groups that are still kept short for the sake of other accounts.
    short_for_accounts: u32,
    /// Groups that are still kept short for the sake of other keys.
    short_for_keys: u32,
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
        let is_short = self.short_for_accounts > 0 || self.short_for_keys > 0;
        let alone = !is_short && self.queue.is_empty() && arrived.len() <= most;
        if alone && are_of_one_caller(arrived) {
            return arrived.drain(..).collect();
        }
        for job in arrived.drain(..) {
            self.queue.push(caller_of(&job), job);
        }
        let (accounts, callers) = (self.queue.accounts(), self.queue.callers());
        let most_of_account = share(&mut self.short_for_accounts, accounts, most);
        let most_of_key = share(&mut self.short_for_keys, callers, most);
        self.take(most, most_of_account, most_of_key)
    }

    fn take(&mut self, most: usize, most_of_account: usize, most_of_key: usize) -> VecDeque<Job> {
        let mut of_accounts: HashMap<u64, usize> = HashMap::new();
        let mut of_keys: HashMap<u64, usize> = HashMap::new();
        let mut group = VecDeque::new();
        while group.len() < most {
            let popped = self.queue.pop_of(
                |account| taken(&of_accounts, account) < most_of_account,
                |caller, _| taken(&of_keys, caller.key) < most_of_key,
            );
            let Some((caller, job)) = popped else {
                break;
            };
            *of_accounts.entry(caller.account).or_default() += 1;
            *of_keys.entry(caller.key).or_default() += 1;
            group.push_back(job);
        }
        group
    }
}

/// What each of those that wait may have of the next group. `short_groups` are still kept short.
fn share(short_groups: &mut u32, waiting: usize, most: usize) -> usize {
    *short_groups = match waiting {
        0 | 1 => short_groups.saturating_sub(1),
        _ => SHORT_GROUPS,
    };
    match *short_groups {
        0 => most,
        _ => SHARE_MUTATIONS,
    }
}

fn taken(of: &HashMap<u64, usize>, who: u64) -> usize {
    of.get(&who).copied().unwrap_or(0)
}

fn are_of_one_caller(jobs: &[Job]) -> bool {
    let mut callers = jobs.iter().map(caller_of);
    let first = callers.next();
    callers.all(|caller| Some(caller) == first)
}

/// Whose job it is.
fn caller_of(job: &Job) -> FairCaller {
    match job {
        Job::One { mutation, .. } => match mutation.caller {
            Guard::Key { pk, account, .. } => FairCaller {
                account: account.map_or(OPERATORS, |account| account.0.cast_unsigned()),
                key: pk.0.cast_unsigned(),
            },
            Guard::System => SERVER,
        },
        Job::Batch { .. } | Job::Close => SERVER,
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::mutation::{Change, DeleteObject, Mutation};
    use bucketry_domain::{AccessKeyPk, AccountId, BucketId, ObjectKey, Timestamp};

    const MOST: usize = 512;

    /// Of keys 1 to 9 of account 0, 11 to 19 of account 1, and so on.
    fn jobs(key: i64, count: usize) -> Vec<Job> {
        let job = |_| {
            let change = DeleteObject {
                bucket: BucketId(1),
                key: ObjectKey::new("k").unwrap(),
                preconditions: Default::default(),
            };
            let mutation = Box::new(Mutation {
                caller: Guard::Key {
                    pk: AccessKeyPk(key),
                    epoch: 1,
                    account: Some(AccountId(key / 10)),
                },
                policy: None,
                at: Timestamp::from_micros(0),
                change: Change::DeleteObject(change),
                audit: Vec::new(),
            });
            let (reply, _) = oneshot::channel();
            Job::One { mutation, reply }
        };
        (0..count).map(job).collect()
    }

    fn keys(group: &VecDeque<Job>) -> Vec<u64> {
        group.iter().map(|job| caller_of(job).key).collect()
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
        assert_eq!(group.len(), SHARE_MUTATIONS + 3);
        // The others' next write finds a short group, too.
        let group = waiting.next_group(&mut Vec::new(), MOST);
        assert_eq!(keys(&group), [1; SHARE_MUTATIONS]);
        for _ in 0..SHORT_GROUPS {
            waiting.next_group(&mut Vec::new(), MOST);
        }
        assert!(waiting.is_empty());
        let group = waiting.next_group(&mut jobs(1, 300), MOST);
        assert_eq!(group.len(), 300);
    }

    #[test]
    fn an_account_with_many_keys_has_no_more_turns_than_one_with_one() {
        let mut waiting = Waiting::default();
        let mut arrived: Vec<Job> = (11..20).flat_map(|key| jobs(key, 100)).collect();
        arrived.extend(jobs(21, 3));
        let group = keys(&waiting.next_group(&mut arrived, MOST));
        assert_eq!(group[..6], [11, 21, 12, 21, 13, 21]);
        assert_eq!(group.len(), SHARE_MUTATIONS + 3);
        // The keys of the account that were not served come next.
        let group = keys(&waiting.next_group(&mut Vec::new(), MOST));
        assert_eq!(group[..3], [18, 19, 11]);
        assert_eq!(group.len(), SHARE_MUTATIONS);
    }

    #[test]
    fn the_keys_of_an_account_alone_share_long_groups() {
        let mut waiting = Waiting::default();
        let mut arrived: Vec<Job> = (11..20).flat_map(|key| jobs(key, 100)).collect();
        let group = waiting.next_group(&mut arrived, MOST);
        assert_eq!(group.len(), 9 * SHARE_MUTATIONS);
    }
}
