//! One entry of an IP list. Read where trusted proxies are read too, so that both mean the same by the same text.

pub use bucketry_edge::forwarding::IpEntryProblem;
pub(super) use bucketry_edge::forwarding::parse_ip_entry;
