//! The budget of unauthenticated callers: a pure data structure that counts its holders and selects those to end.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};

/// The unit of addresses that has one share of a budget: an IPv4 address, or an IPv6 /64, which access networks assign
/// to one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network(IpAddr);

impl Network {
    /// The network of an address; an IPv4-mapped address counts as IPv4.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        const INTERFACE_BITS: u32 = 64;
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.into()),
            IpAddr::V6(address) => {
                let prefix = address.to_bits() >> INTERFACE_BITS << INTERFACE_BITS;
                Self(Ipv6Addr::from_bits(prefix).into())
            }
        }
    }

    /// A number for the network: another for each IPv4 address and each /64 but for the highest bit.
    pub(crate) fn number(self) -> u64 {
        match self.0 {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            IpAddr::V6(address) => {
                const INTERFACE_BITS: u32 = 64;
                (address.to_bits() >> INTERFACE_BITS) as u64
            }
        }
    }
}

/// The size of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetLimits {
    /// Holders in all, at least 1.
    pub slots: usize,
    /// Holders of one [`Network`], at least 1.
    pub slots_per_network: usize,
    /// Bytes of all holders.
    pub bytes: usize,
    /// Bytes of the holders of one [`Network`].
    pub bytes_per_network: usize,
}

/// Which bound was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The share of one network.
    Network,
    /// The whole budget.
    Total,
}

/// For whom a holder waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaitsFor {
    /// For its client, which has sent nothing more, or reads nothing.
    Client,
    /// For the server, which has not come to it yet.
    Server,
}

/// Identifies a holder. The ids of those that wait for their clients come first, then they ascend in the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HolderId(WaitsFor, u64);

#[derive(Debug)]
struct Entry<T> {
    network: Option<Network>,
    bytes: usize,
    holder: T,
}

#[derive(Debug, Default)]
struct Share {
    bytes: usize,
    ids: BTreeSet<HolderId>,
}

/// A budget and who holds it. A newcomer is never refused: when there is no room, the slowest holder is removed and
/// returned, to be ended: of those that wait for their clients the one that came first, and only if there is none, of
/// those that wait for the server. When the whole budget is full that is one of the network that holds most of it,
/// so that a flood from one network ends no slow client of another.
#[derive(Debug)]
pub struct Budget<T> {
    limits: BudgetLimits,
    entries: BTreeMap<HolderId, Entry<T>>,
    shares: HashMap<Network, Share>,
    /// Networks by the number of their holders.
    ranking: BTreeSet<(usize, Network)>,
    bytes: usize,
    next: u64,
}

impl HolderId {
    /// For whom the holder waits.
    pub(crate) const fn waits_for(self) -> WaitsFor {
        self.0
    }
}

impl<T> Budget<T> {
    /// An empty budget.
    #[must_use]
    pub fn new(limits: BudgetLimits) -> Self {
        Self {
            limits,
            entries: BTreeMap::new(),
            shares: HashMap::new(),
            ranking: BTreeSet::new(),
            bytes: 0,
            next: 0,
        }
    }

    /// The number of holders.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.entries.len()
    }

    /// The bytes that they hold.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a holder. `None` is a trusted proxy, whose connections are those of many clients: it is bounded by the
    /// whole budget only. Returns those to end.
    pub fn enter(
        &mut self,
        network: Option<Network>,
        waits_for: WaitsFor,
        holder: T,
    ) -> (HolderId, Vec<(T, Full)>) {
        let mut ended = Vec::new();
        if let Some(network) = network
            && let Some(share) = self.shares.get(&network)
            && share.ids.len() >= self.limits.slots_per_network
            && let Some(&slowest) = share.ids.first()
        {
            ended.extend(self.leave(slowest).map(|holder| (holder, Full::Network)));
        }
        if self.entries.len() >= self.limits.slots
            && let Some(slowest) = self.slowest_of_heaviest()
        {
            ended.extend(self.leave(slowest).map(|holder| (holder, Full::Total)));
        }
        let id = HolderId(waits_for, self.next);
        self.next += 1;
        let entry = Entry {
            network,
            bytes: 0,
            holder,
        };
        self.entries.insert(id, entry);
        if let Some(network) = network {
            let share = self.shares.entry(network).or_default();
            self.ranking.remove(&(share.ids.len(), network));
            share.ids.insert(id);
            self.ranking.insert((share.ids.len(), network));
        }
        (id, ended)
    }

    /// Counts bytes that a holder has made the server keep. Returns those to end; never the holder itself, unless it
    /// alone exceeds what its network may hold.
    pub fn grow(&mut self, id: HolderId, bytes: usize) -> Vec<(T, Full)> {
        let Some(entry) = self.entries.get_mut(&id) else {
            return Vec::new();
        };
        entry.bytes = entry.bytes.saturating_add(bytes);
        let network = entry.network;
        self.bytes = self.bytes.saturating_add(bytes);
        if let Some(share) = network.and_then(|network| self.shares.get_mut(&network)) {
            share.bytes = share.bytes.saturating_add(bytes);
        }
        let mut ended = Vec::new();
        while let Some((slowest, full)) = self.exceeding(network, id) {
            ended.extend(self.leave(slowest).map(|holder| (holder, full)));
        }
        ended
    }

    /// A holder waits for another than before. Returns its id from now on.
    pub fn wait_for(&mut self, id: HolderId, waits_for: WaitsFor) -> HolderId {
        let HolderId(_, number) = id;
        let waiting = HolderId(waits_for, number);
        if waiting != id
            && let Some(entry) = self.entries.remove(&id)
        {
            let share = entry.network.and_then(|of| self.shares.get_mut(&of));
            if let Some(share) = share {
                share.ids.remove(&id);
                share.ids.insert(waiting);
            }
            self.entries.insert(waiting, entry);
        }
        waiting
    }

    /// Removes a holder, which is returned if it was still there.
    pub fn leave(&mut self, id: HolderId) -> Option<T> {
        let entry = self.entries.remove(&id)?;
        self.bytes -= entry.bytes;
        if let Some(network) = entry.network
            && let Some(share) = self.shares.get_mut(&network)
        {
            self.ranking.remove(&(share.ids.len(), network));
            share.ids.remove(&id);
            share.bytes -= entry.bytes;
            if share.ids.is_empty() {
                self.shares.remove(&network);
            } else {
                self.ranking.insert((share.ids.len(), network));
            }
        }
        Some(entry.holder)
    }

    /// Removes the holder to end if room is needed elsewhere.
    pub fn pop_slowest(&mut self) -> Option<T> {
        let slowest = self.slowest_of_heaviest()?;
        self.leave(slowest)
    }

    fn exceeding(&self, network: Option<Network>, grown: HolderId) -> Option<(HolderId, Full)> {
        let share = network.and_then(|network| self.shares.get(&network));
        if let Some(share) = share
            && share.bytes > self.limits.bytes_per_network
        {
            let slowest = first_with_bytes(&self.entries, share.ids.iter(), grown);
            return Some((slowest.unwrap_or(grown), Full::Network));
        }
        if self.bytes > self.limits.bytes {
            let slowest = first_with_bytes(&self.entries, self.entries.keys(), grown);
            return Some((slowest.unwrap_or(grown), Full::Total));
        }
        None
    }

    fn slowest_of_heaviest(&self) -> Option<HolderId> {
        /// One network has reached its share and gives up a holder.
        const HEAVY: usize = 4;
        let heaviest = self.ranking.last();
        let heavy = heaviest.filter(|(slots, _)| slots.saturating_mul(HEAVY) >= self.limits.slots);
        let of_heavy = heavy
            .and_then(|(_, network)| self.shares.get(network))
            .and_then(|share| share.ids.first());
        of_heavy.or_else(|| self.entries.keys().next()).copied()
    }
}

/// The slowest of these that holds bytes and is not `grown`.
fn first_with_bytes<'a, T>(
    entries: &BTreeMap<HolderId, Entry<T>>,
    mut ids: impl Iterator<Item = &'a HolderId>,
    grown: HolderId,
) -> Option<HolderId> {
    let holds = |id: &HolderId| entries.get(id).is_some_and(|entry| entry.bytes > 0);
    ids.find(|&&id| id != grown && holds(&id)).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: BudgetLimits = BudgetLimits {
        slots: 8,
        slots_per_network: 3,
        bytes: 100,
        bytes_per_network: 50,
    };

    fn network(text: &str) -> Option<Network> {
        Some(Network::of(text.parse().unwrap()))
    }

    fn enter(
        budget: &mut Budget<&'static str>,
        address: &str,
        name: &'static str,
    ) -> Vec<(&'static str, Full)> {
        budget.enter(network(address), WaitsFor::Client, name).1
    }

    #[test]
    fn ipv6_counts_by_64_bits_and_mapped_ipv4_as_ipv4() {
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:0:0:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }

    #[test]
    fn a_full_network_loses_its_slowest_and_admits_the_newcomer() {
        let mut budget = Budget::new(LIMITS);
        for (address, name) in [
            ("192.0.2.1", "other"),
            ("2001:db8::1", "first"),
            ("2001:db8::2", "second"),
            ("2001:db8::3", "third"),
        ] {
            assert!(enter(&mut budget, address, name).is_empty(), "{name}");
        }
        let ended = enter(&mut budget, "2001:db8::4", "fourth");
        assert_eq!(ended, [("first", Full::Network)]);
        let ended = enter(&mut budget, "2001:db8::4", "fifth");
        assert_eq!(ended, [("second", Full::Network)]);
        assert_eq!(budget.slots(), 4);
    }

    #[test]
    fn a_full_budget_ends_one_of_the_heaviest_network() {
        let mut budget = Budget::new(LIMITS);
        assert!(enter(&mut budget, "192.0.2.1", "slow but alone").is_empty());
        for name in ["a", "b", "c"] {
            assert!(enter(&mut budget, "192.0.2.9", name).is_empty());
        }
        for address in ["192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"] {
            assert!(enter(&mut budget, address, "single").is_empty());
        }
        assert_eq!(
            enter(&mut budget, "192.0.2.6", "newcomer"),
            [("a", Full::Total)]
        );
    }

    #[test]
    fn a_full_budget_of_single_addresses_ends_the_slowest() {
        let mut budget = Budget::new(LIMITS);
        for last in 0..8 {
            assert!(
                enter(
                    &mut budget,
                    &format!("192.0.2.{last}"),
                    if last == 0 { "first" } else { "later" }
                )
                .is_empty()
            );
        }
        assert_eq!(
            enter(&mut budget, "192.0.2.8", "newcomer"),
            [("first", Full::Total)]
        );
    }

    #[test]
    fn those_that_the_server_has_not_come_to_stay_while_others_wait_for_their_clients() {
        let mut budget = Budget::new(LIMITS);
        let address = network("192.0.2.1");
        let (_unread, _) = budget.enter(address, WaitsFor::Server, "unread");
        let (read, _) = budget.enter(address, WaitsFor::Server, "read");
        let read = budget.wait_for(read, WaitsFor::Client);
        assert_eq!(budget.wait_for(read, WaitsFor::Client), read);
        let (_late, _) = budget.enter(address, WaitsFor::Server, "late");
        let (_, ended) = budget.enter(address, WaitsFor::Server, "newcomer");
        assert_eq!(ended, [("read", Full::Network)]);
        let (_, ended) = budget.enter(address, WaitsFor::Server, "another");
        assert_eq!(ended, [("unread", Full::Network)]);
        assert_eq!(budget.leave(read), None);
        assert_eq!(budget.slots(), 3);
    }

    #[test]
    fn a_trusted_proxy_has_no_share_of_its_own() {
        let mut budget = Budget::new(LIMITS);
        for _ in 0..8 {
            assert!(budget.enter(None, WaitsFor::Client, "relayed").1.is_empty());
        }
        let (_, ended) = budget.enter(None, WaitsFor::Client, "relayed");
        assert_eq!(ended, [("relayed", Full::Total)]);
    }

    #[test]
    fn bytes_end_the_slowest_other_that_holds_some() {
        let mut budget = Budget::new(LIMITS);
        let address = network("192.0.2.1");
        let (_empty, _) = budget.enter(address, WaitsFor::Client, "empty");
        let (old, _) = budget.enter(address, WaitsFor::Client, "old");
        let (new, _) = budget.enter(address, WaitsFor::Client, "new");
        assert!(budget.grow(old, 30).is_empty());
        assert_eq!(budget.grow(new, 30), [("old", Full::Network)]);
        assert_eq!(budget.bytes(), 30);
        // It exceeds its network's share alone.
        assert_eq!(budget.grow(new, 30), [("new", Full::Network)]);
        assert_eq!((budget.bytes(), budget.slots()), (0, 1));
        assert!(budget.grow(old, 1).is_empty() && budget.leave(old).is_none());
    }

    #[test]
    fn bytes_of_all_are_bounded_too() {
        let mut budget = Budget::new(LIMITS);
        for (address, name, expected) in [
            ("192.0.2.1", "first", None),
            ("192.0.2.2", "second", None),
            ("192.0.2.3", "third", Some(("first", Full::Total))),
        ] {
            let (id, _) = budget.enter(network(address), WaitsFor::Client, name);
            assert_eq!(budget.grow(id, 40).into_iter().next(), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn limits_hold_and_nothing_leaks(steps in prop::collection::vec((0_u8..4, 0_u8..6, 0_usize..40), 0..200)) {
            let mut budget = Budget::new(LIMITS);
            let mut ids = Vec::new();
            for (step, which, bytes) in steps {
                match step {
                    0 => ids.push(budget.enter(network(&format!("192.0.2.{which}")), WaitsFor::Server, ()).0),
                    2 => if let Some(id) = ids.get_mut(usize::from(which)) {
                        *id = budget.wait_for(*id, if bytes % 2 == 0 { WaitsFor::Client } else { WaitsFor::Server });
                    },
                    1 => if let Some(&id) = ids.get(usize::from(which)) { budget.grow(id, bytes); },
                    _ => if !ids.is_empty() { budget.leave(ids.remove(usize::from(which) % ids.len())); },
                }
                prop_assert!(budget.slots() <= LIMITS.slots && budget.bytes() <= LIMITS.bytes);
                prop_assert!(budget.shares.values().all(|share| share.ids.len() <= LIMITS.slots_per_network
                    && share.bytes <= LIMITS.bytes_per_network));
                prop_assert_eq!(budget.ranking.len(), budget.shares.len());
            }
            for id in ids { budget.leave(id); }
            prop_assert!(budget.slots() == 0 && budget.bytes() == 0 && budget.shares.is_empty());
        }
    }
}
