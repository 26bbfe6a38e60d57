//! The client's address behind proxies.
//!
//! A header that names the client can be forged by the sender. It is used only if the other end of the
//! connection is a proxy that the operator trusts, and only as far back as trusted proxies wrote it. Everything that
//! cannot be read for certain makes the address unknown, which every IP rule refuses.
//!
//! Pure: addresses and header lines in, an address and the reason for it out. The server and the separate adapter
//! decide by it alike.

mod client_address;
mod forwarded;
mod ip_entry;
mod node;
mod trusted_proxies;

pub use client_address::{
    AddressBasis, DerivedAddress, MAX_FORWARDED_BYTES, MAX_HOPS, client_address, client_address_of,
};
pub use ip_entry::{IpEntryProblem, parse_ip_entry};
pub use trusted_proxies::{
    ForwardedHeader, ForwardedHeaderError, Forwarding, ForwardingError, TrustedProxy,
    TrustedProxyError,
};
