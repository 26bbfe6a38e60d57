//! Another server, as `--endpoint` names it.

use crate::fault::Fault;
use crate::target::Authority;

/// A server that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The name in the table.
    pub(crate) name: String,
    /// Where it listens.
    pub(crate) authority: Authority,
    /// Its process; the children are counted too.
    pub(crate) pid: u32,
}

impl Peer {
    /// Parses `NAME=http://host:port@PID`.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let refused = || Fault::Peer {
            text: text.to_owned(),
        };
        let (name, rest) = text.split_once('=').ok_or_else(refused)?;
        let (endpoint, pid) = rest.rsplit_once('@').ok_or_else(refused)?;
        if name.is_empty() || name.contains('|') {
            return Err(refused());
        }
        Ok(Self {
            name: name.to_owned(),
            authority: Authority::parse(endpoint)?,
            pid: pid.parse().map_err(|_| refused())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_name_endpoint_and_process() {
        let peer = Peer::parse("minio=http://127.0.0.1:9000@42").unwrap();
        assert_eq!((peer.name.as_str(), peer.pid), ("minio", 42));
        assert_eq!(peer.authority.as_str(), "127.0.0.1:9000");
        for text in [
            "http://127.0.0.1:9000@42",
            "minio=http://127.0.0.1:9000",
            "minio=127.0.0.1:9000@42",
            "=http://127.0.0.1:9000@42",
            "minio=http://127.0.0.1:9000@pid",
        ] {
            assert!(Peer::parse(text).is_err(), "{text}");
        }
    }
}
