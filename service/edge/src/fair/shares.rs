use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::budget::Network;

/// The user of a resource, as opaque numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FairCaller {
    /// The account.
    pub account: u64,
    /// The access key; unique among all accounts.
    pub key: u64,
}

impl FairCaller {
    /// All callers without credentials together. They share one sixteenth of each resource.
    pub const ANONYMOUS: Self = Self { account: 0, key: 0 };

    /// The account of callers of whom nothing is proved and no network is known. Accounts are numbered below.
    pub(crate) const STRANGER: u64 = 1 << 63;

    /// Whether nothing is proved of the caller.
    pub(crate) const fn is_stranger(self) -> bool {
        self.account >= Self::STRANGER
    }

    /// All unauthenticated callers of a network, or those whose network is unknown.
    #[must_use]
    pub fn unproved(network: Option<Network>) -> Self {
        match network {
            Some(network) => Self::stranger(network),
            None => Self {
                account: Self::STRANGER,
                key: 0,
            },
        }
    }

    /// The same caller, distinguished from others of its account by the access key that it claims.
    #[must_use]
    pub fn claiming(self, access_key_id: &str) -> Self {
        // FNV-1a: it is computed for every request, and a caller that finds a collision shares only with itself.
        let key = (access_key_id.bytes()).fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { key, ..self }
    }

    /// All callers of a network of whom nothing is proved.
    #[must_use]
    pub fn stranger(network: Network) -> Self {
        Self {
            account: Self::STRANGER | network.number(),
            key: 0,
        }
    }
}

/// The anonymous share is the total divided by this.
const ANONYMOUS_DIVISOR: u64 = 16;

/// Which bound a request exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareExceeded {
    /// The whole resource is used up.
    #[error("the server is busy")]
    Total,
    /// The account's share is used up.
    #[error("the account's share is used up")]
    Account,
    /// The access key's share is used up.
    #[error("the access key's share is used up")]
    Key,
    /// The share of callers without credentials is used up.
    #[error("the share of anonymous callers is used up")]
    Anonymous,
}

impl ShareExceeded {
    /// A label for metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Account => "account_share",
            Self::Key => "key_share",
            Self::Anonymous => "anonymous_share",
        }
    }
}

/// A countable resource divided among callers.
///
/// The bounds move with what is free. An account may not hold more than is free, so one greedy account gets half of the
/// total, two get a third each, and a new account always finds some left. A key may not hold more than the rest of what
/// its account could still take: a single greedy key gets a third of the total, and further keys of its account find room.
#[derive(Debug)]
pub struct Shares {
    total: u64,
    held: u64,
    accounts: Held<u64>,
    keys: Held<FairCaller>,
}

/// Units by who holds them. Asked several times per request, hence the fast hasher; it has a seed of its own in each process.
type Held<K> = HashMap<K, u64, RandomState>;

impl Shares {
    /// Divides `total` units, at least 1.
    #[must_use]
    pub fn new(total: u64) -> Self {
        Self {
            total: total.max(1),
            held: 0,
            accounts: Held::default(),
            keys: Held::default(),
        }
    }

    /// Units held by all callers.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Takes `amount` units for a caller.
    ///
    /// # Errors
    /// The bound that would be exceeded; nothing is taken then.
    pub fn take(&mut self, caller: FairCaller, amount: u64) -> Result<(), ShareExceeded> {
        self.check(caller, amount)?;
        self.held += amount;
        *self.accounts.entry(caller.account).or_default() += amount;
        *self.keys.entry(caller).or_default() += amount;
        Ok(())
    }

    /// Gives `amount` units back that the caller has taken.
    pub fn give_back(&mut self, caller: FairCaller, amount: u64) {
        self.held = self.held.saturating_sub(amount);
        reduce(&mut self.accounts, caller.account, amount);
        reduce(&mut self.keys, caller, amount);
    }

    fn check(&self, caller: FairCaller, amount: u64) -> Result<(), ShareExceeded> {
        let free = self.total.saturating_sub(self.held);
        if amount > free {
            return Err(ShareExceeded::Total);
        }
        let of_account = self.accounts.get(&caller.account).copied().unwrap_or(0);
        if caller == FairCaller::ANONYMOUS {
            let most = (self.total / ANONYMOUS_DIVISOR).max(1);
            return match of_account + amount <= most.min(free) {
                true => Ok(()),
                false => Err(ShareExceeded::Anonymous),
            };
        }
        if of_account + amount > free {
            return Err(ShareExceeded::Account);
        }
        let of_key = self.keys.get(&caller).copied().unwrap_or(0);
        // Not `of_key + amount`, with which no key could take an account's last unit.
        if of_key > 0 && of_key + amount > free - of_account {
            return Err(ShareExceeded::Key);
        }
        Ok(())
    }
}

/// Idle callers leave no entry behind.
fn reduce<K: std::hash::Hash + Eq>(held: &mut Held<K>, of: K, amount: u64) {
    if let Some(units) = held.get_mut(&of) {
        *units = units.saturating_sub(amount);
        if *units == 0 {
            held.remove(&of);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn caller(account: u64, key: u64) -> FairCaller {
        FairCaller { account, key }
    }

    fn fill(shares: &mut Shares, caller: FairCaller) -> u64 {
        (0..).take_while(|_| shares.take(caller, 1).is_ok()).count() as u64
    }

    #[test]
    fn one_key_gets_a_third_and_its_account_half() {
        let mut shares = Shares::new(1024);
        assert_eq!(fill(&mut shares, caller(1, 1)), 342);
        assert_eq!(shares.take(caller(1, 1), 1), Err(ShareExceeded::Key));
        for key in 2..100 {
            fill(&mut shares, caller(1, key));
        }
        assert_eq!(shares.held(), 512);
        assert_eq!(shares.take(caller(1, 200), 1), Err(ShareExceeded::Account));
    }

    #[test]
    fn two_greedy_accounts_leave_a_third() {
        let mut shares = Shares::new(1024);
        for turn in 0..1024 {
            for account in [1, 2] {
                let _refused_later = shares.take(caller(account, account * 1000 + turn % 50), 1);
            }
        }
        assert!((660..=684).contains(&shares.held()), "{}", shares.held());
        assert_eq!(shares.take(caller(3, 3), 1), Ok(()));
    }

    #[test]
    fn anonymous_callers_share_a_sixteenth() {
        let mut shares = Shares::new(1024);
        assert_eq!(fill(&mut shares, FairCaller::ANONYMOUS), 64);
        let refused = shares.take(FairCaller::ANONYMOUS, 1);
        assert_eq!(refused, Err(ShareExceeded::Anonymous));
        assert!(shares.take(caller(1, 1), 1).is_ok());
    }

    #[test]
    fn a_total_of_one_serves_one_request_at_a_time() {
        let mut shares = Shares::new(1);
        assert_eq!(shares.take(caller(1, 1), 1), Ok(()));
        assert_eq!(shares.take(caller(2, 2), 1), Err(ShareExceeded::Total));
        shares.give_back(caller(1, 1), 1);
        assert_eq!(shares.take(caller(2, 2), 1), Ok(()));
    }

    proptest! {
        /// The total is never exceeded; a new account is admitted unless the total is shared by that many accounts
        /// already; and returning everything leaves no entry behind.
        #[test]
        fn the_total_holds_and_newcomers_get_in(
            total in 1_u64..200,
            steps in prop::collection::vec((1_u64..6, 1_u64..4, any::<bool>()), 0..400),
        ) {
            let mut shares = Shares::new(total);
            let mut taken = Vec::new();
            for (account, key, gives_back) in steps {
                let who = caller(account, account * 10 + key);
                if gives_back && !taken.is_empty() {
                    shares.give_back(taken.swap_remove(0), 1);
                } else if shares.take(who, 1).is_ok() {
                    taken.push(who);
                }
                prop_assert_eq!(shares.held(), taken.len() as u64);
                prop_assert!(shares.held() <= total);
                // Five accounts bisect what is free at most five times.
                if total >= 64 {
                    let newcomer = caller(99, 99);
                    prop_assert!(shares.take(newcomer, 1).is_ok());
                    shares.give_back(newcomer, 1);
                }
            }
            for who in taken {
                shares.give_back(who, 1);
            }
            prop_assert!(shares.held() == 0 && shares.accounts.is_empty() && shares.keys.is_empty());
        }
    }
}
