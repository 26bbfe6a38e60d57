use std::collections::{HashMap, VecDeque};

use super::shares::FairCaller;

/// Waiting entries, served round robin by account, then by key, each key first in, first out.
#[derive(Debug)]
pub struct FairQueue<T> {
    /// The accounts with entries; the front is served next.
    ring: VecDeque<u64>,
    accounts: HashMap<u64, OfAccount<T>>,
    length: usize,
}

#[derive(Debug)]
struct OfAccount<T> {
    /// The keys with entries; the front is served next.
    ring: VecDeque<u64>,
    keys: HashMap<u64, VecDeque<T>>,
    length: usize,
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self {
            ring: VecDeque::new(),
            accounts: HashMap::new(),
            length: 0,
        }
    }
}

impl<T> FairQueue<T> {
    /// How many entries wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How many accounts have entries that wait.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// How many callers have entries that wait.
    #[must_use]
    pub fn callers(&self) -> usize {
        let callers = self.accounts.values().map(|waiting| waiting.keys.len());
        callers.sum()
    }

    /// How many entries of an account wait.
    #[must_use]
    pub fn of_account(&self, account: u64) -> usize {
        (self.accounts.get(&account)).map_or(0, |waiting| waiting.length)
    }

    /// Appends an entry to those of the same caller.
    pub fn push(&mut self, caller: FairCaller, entry: T) {
        let ring = &mut self.ring;
        let account = self.accounts.entry(caller.account).or_insert_with(|| {
            ring.push_back(caller.account);
            OfAccount {
                ring: VecDeque::new(),
                keys: HashMap::new(),
                length: 0,
            }
        });
        let keys = &mut account.ring;
        let waiting = account.keys.entry(caller.key).or_insert_with(|| {
            keys.push_back(caller.key);
            VecDeque::new()
        });
        waiting.push_back(entry);
        account.length += 1;
        self.length += 1;
    }

    /// Removes the next entry that `admits` accepts. At most the first entry of each caller is tried.
    pub fn pop(&mut self, admits: impl FnMut(FairCaller, &T) -> bool) -> Option<(FairCaller, T)> {
        self.pop_of(|_| true, admits)
    }

    /// As [`FairQueue::pop`], for the accounts that `admits_account` accepts: the keys of others are skipped.
    pub fn pop_of(
        &mut self,
        mut admits_account: impl FnMut(u64) -> bool,
        mut admits: impl FnMut(FairCaller, &T) -> bool,
    ) -> Option<(FairCaller, T)> {
        for _ in 0..self.ring.len() {
            let account = self.ring.pop_front()?;
            if !admits_account(account) {
                self.ring.push_back(account);
                continue;
            }
            let Some(waiting) = self.accounts.get_mut(&account) else {
                continue;
            };
            let popped = waiting.pop(|key, entry| admits(FairCaller { account, key }, entry));
            if waiting.length == 0 {
                self.accounts.remove(&account);
            } else {
                self.ring.push_back(account);
            }
            if let Some((key, entry)) = popped {
                self.length -= 1;
                return Some((FairCaller { account, key }, entry));
            }
        }
        None
    }
}

impl<T> OfAccount<T> {
    fn pop(&mut self, mut admits: impl FnMut(u64, &T) -> bool) -> Option<(u64, T)> {
        for _ in 0..self.ring.len() {
            let key = self.ring.pop_front()?;
            let Some(waiting) = self.keys.get_mut(&key) else {
                continue;
            };
            let entry = waiting.pop_front_if(|entry| admits(key, entry));
            if waiting.is_empty() {
                self.keys.remove(&key);
            } else {
                self.ring.push_back(key);
            }
            if let Some(entry) = entry {
                self.length -= 1;
                return Some((key, entry));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn caller(account: u64, key: u64) -> FairCaller {
        FairCaller { account, key }
    }

    fn drain(queue: &mut FairQueue<u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop(|_, _| true).map(|(_, entry)| entry)).collect()
    }

    #[test]
    fn accounts_take_turns_and_within_them_keys() {
        let mut queue = FairQueue::default();
        for (account, key, entry) in [
            (1, 10, 1),
            (1, 10, 2),
            (1, 10, 3),
            (1, 11, 4),
            (2, 20, 5),
            (2, 20, 6),
        ] {
            queue.push(caller(account, key), entry);
        }
        assert_eq!((queue.len(), queue.of_account(1)), (6, 4));
        assert_eq!(drain(&mut queue), [1, 5, 4, 6, 2, 3]);
        assert!(queue.is_empty() && queue.accounts.is_empty() && queue.ring.is_empty());
    }

    #[test]
    fn an_entry_that_is_not_admitted_does_not_block_others() {
        let mut queue = FairQueue::default();
        queue.push(caller(1, 10), 1);
        queue.push(caller(1, 11), 2);
        queue.push(caller(2, 20), 3);
        let popped = queue.pop(|who, _| who.key != 10);
        assert_eq!(popped, Some((caller(1, 11), 2)));
        assert_eq!(
            queue.pop(|who, _| who.account == 2),
            Some((caller(2, 20), 3))
        );
        assert_eq!(queue.pop(|_, _| false), None);
        assert_eq!(queue.len(), 1);
    }

    proptest! {
        /// Between two entries of one account every other waiting account is served once; a key is first in, first out.
        #[test]
        fn no_caller_is_served_twice_before_others(
            pushed in prop::collection::vec((1_u64..5, 1_u64..4), 1..100),
        ) {
            let mut queue = FairQueue::default();
            for (entry, (account, key)) in (0..).zip(&pushed) {
                queue.push(caller(*account, account * 10 + key), entry);
            }
            let mut served: Vec<(FairCaller, usize)> = Vec::new();
            while let Some(popped) = queue.pop(|_, _| true) {
                served.push(popped);
            }
            prop_assert_eq!(served.len(), pushed.len());
            for (at, (who, entry)) in served.iter().enumerate() {
                let later = &served[at + 1..];
                prop_assert!(later.iter().all(|(other, later)| other != who || later > entry));
                if let Some(again) = later.iter().position(|(other, _)| other.account == who.account) {
                    let between = &later[..again];
                    let waiting: Vec<u64> = later.iter().map(|(other, _)| other.account).collect();
                    for account in waiting.iter().filter(|account| **account != who.account) {
                        prop_assert!(between.iter().any(|(other, _)| other.account == *account));
                    }
                }
            }
        }
    }
}
