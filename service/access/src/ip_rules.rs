//! IP rules: which addresses a key may be used from.

use std::net::IpAddr;

use ipnet::IpNet;

use super::client_address::ClientAddress;
use super::ip_entry::{IpEntryProblem, parse_ip_entry};

/// Most entries of one list.
pub const MAX_IP_ENTRIES: usize = 100;

/// Allowed and disallowed addresses of one key: each list sorted, free of duplicates, at most [`MAX_IP_ENTRIES`] long.
///
/// Disallowed beats allowed. An empty allowed list allows all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IpRules {
    allowed: Vec<IpNet>,
    disallowed: Vec<IpNet>,
}

/// One of the two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpList {
    /// The addresses from which the key may be used.
    Allowed,
    /// The addresses from which it may not.
    Disallowed,
}

/// Why lists are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IpRulesError {
    /// One entry cannot be read.
    #[error("entry {entry:?} of the {list} list: {problem}")]
    Entry {
        /// The list concerned.
        list: IpList,
        /// Place in the list, from 0.
        index: usize,
        /// The entry as given, cut after 64 characters.
        entry: String,
        /// What is wrong with it.
        problem: IpEntryProblem,
    },
    /// More than [`MAX_IP_ENTRIES`] entries, counted before duplicates are removed.
    #[error("the {list} list has {count} entries; at most {MAX_IP_ENTRIES} are possible")]
    TooMany {
        /// The list concerned.
        list: IpList,
        /// Its number of entries.
        count: usize,
    },
}

impl IpRulesError {
    /// The list concerned.
    #[must_use]
    pub fn list(&self) -> IpList {
        match self {
            Self::Entry { list, .. } | Self::TooMany { list, .. } => *list,
        }
    }
}

/// What the rules say about one address, and which rule said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpVerdict {
    /// Allowed: no list refuses it, and there is no allowed list.
    Unrestricted,
    /// Allowed by this entry.
    Allowed(IpNet),
    /// Refused by this entry of the disallowed list.
    Disallowed(IpNet),
    /// Refused: the allowed list does not hold it.
    NotListed,
    /// Refused: there are rules, and the address is unknown.
    UnknownAddress,
}

/// Something in new rules that is probably not meant. Never a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpRulesWarning {
    /// The editor's own address could not use the key.
    LocksOutEditor,
    /// Every allowed address is disallowed too: nobody can use the key.
    AllowsNobody,
    /// This allowed entry has no effect, since it is disallowed too.
    AllowedEntryCovered(IpNet),
    /// Allowed lists IPv4 only: clients using IPv6 are refused.
    AllowsIpv4Only,
    /// Allowed lists IPv6 only: clients using IPv4 are refused.
    AllowsIpv6Only,
}

impl IpRules {
    /// Reads both lists: addresses or CIDR blocks of either family.
    ///
    /// # Errors
    /// [`IpRulesError`] naming the first entry that cannot be read, or the list that is too long.
    pub fn parse<A, D>(allowed: &[A], disallowed: &[D]) -> Result<Self, IpRulesError>
    where
        A: AsRef<str>,
        D: AsRef<str>,
    {
        Ok(Self {
            allowed: parse_list(IpList::Allowed, allowed)?,
            disallowed: parse_list(IpList::Disallowed, disallowed)?,
        })
    }

    /// Takes over blocks that were read before, as the catalog keeps them.
    #[must_use]
    pub fn from_nets(allowed: &[IpNet], disallowed: &[IpNet]) -> Self {
        Self {
            allowed: in_order(allowed.to_vec()),
            disallowed: in_order(disallowed.to_vec()),
        }
    }

    /// The allowed blocks, IPv4 first, ascending.
    #[must_use]
    pub fn allowed(&self) -> &[IpNet] {
        &self.allowed
    }

    /// The disallowed blocks, IPv4 first, ascending.
    #[must_use]
    pub fn disallowed(&self) -> &[IpNet] {
        &self.disallowed
    }

    /// Whether there is no rule at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.allowed.is_empty() && self.disallowed.is_empty()
    }

    /// Judges an address. A hundred blocks are compared in well under a microsecond: no index is kept.
    #[must_use]
    pub fn judge(&self, address: ClientAddress) -> IpVerdict {
        if self.is_empty() {
            return IpVerdict::Unrestricted;
        }
        let Some(address) = address.ip() else {
            return IpVerdict::UnknownAddress;
        };
        if let Some(net) = first_containing(&self.disallowed, address) {
            return IpVerdict::Disallowed(net);
        }
        if self.allowed.is_empty() {
            return IpVerdict::Unrestricted;
        }
        first_containing(&self.allowed, address).map_or(IpVerdict::NotListed, IpVerdict::Allowed)
    }

    /// Warnings for an editor at `editor`, before these rules take effect.
    #[must_use]
    pub fn warnings(&self, editor: ClientAddress) -> Vec<IpRulesWarning> {
        let mut warnings = Vec::new();
        if !self.judge(editor).is_allowed() {
            warnings.push(IpRulesWarning::LocksOutEditor);
        }
        let covered = self.covered();
        if !covered.is_empty() && covered.len() == self.allowed.len() {
            warnings.push(IpRulesWarning::AllowsNobody);
        } else {
            warnings.extend(covered.into_iter().map(IpRulesWarning::AllowedEntryCovered));
        }
        let ipv4 = self
            .allowed
            .iter()
            .filter(|net| matches!(net, IpNet::V4(_)))
            .count();
        match (ipv4, self.allowed.len() - ipv4) {
            (1.., 0) => warnings.push(IpRulesWarning::AllowsIpv4Only),
            (0, 1..) => warnings.push(IpRulesWarning::AllowsIpv6Only),
            _ => {}
        }
        warnings
    }

    /// The allowed blocks that the disallowed ones cover completely, together if need be.
    fn covered(&self) -> Vec<IpNet> {
        // Merged blocks are maximal, so a block is covered by the union only if one merged block contains it.
        let merged = IpNet::aggregate(&self.disallowed);
        self.allowed
            .iter()
            .copied()
            .filter(|net| merged.iter().any(|block| block.contains(net)))
            .collect()
    }
}

impl IpVerdict {
    /// Whether the address may use the key.
    #[must_use]
    pub fn is_allowed(self) -> bool {
        match self {
            Self::Unrestricted | Self::Allowed(_) => true,
            Self::Disallowed(_) | Self::NotListed | Self::UnknownAddress => false,
        }
    }
}

impl std::fmt::Display for IpList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Allowed => "allowed",
            Self::Disallowed => "disallowed",
        })
    }
}

fn first_containing(nets: &[IpNet], address: IpAddr) -> Option<IpNet> {
    nets.iter().copied().find(|net| net.contains(&address))
}

fn parse_list<T: AsRef<str>>(list: IpList, entries: &[T]) -> Result<Vec<IpNet>, IpRulesError> {
    if entries.len() > MAX_IP_ENTRIES {
        return Err(IpRulesError::TooMany {
            list,
            count: entries.len(),
        });
    }
    let mut nets = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let entry = entry.as_ref();
        let net = parse_ip_entry(entry).map_err(|problem| IpRulesError::Entry {
            list,
            index,
            entry: entry.chars().take(64).collect(),
            problem,
        })?;
        nets.push(net);
    }
    Ok(in_order(nets))
}

fn in_order(mut nets: Vec<IpNet>) -> Vec<IpNet> {
    nets.sort_unstable();
    nets.dedup();
    nets
}

#[cfg(test)]
mod tests;
