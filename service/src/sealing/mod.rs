//! What seals secrets while a node runs: the keyring, which can be replaced as a whole, its canaries, and the work that
//! seals anew what an older key sealed.
//!
//! Invariant: a node works with a keyring only after every one of its keys has opened its canary.

mod canary;
mod error;
mod load;
mod reload;
mod reseal;
mod status;

use tokio::sync::{Mutex, watch};

pub use error::SealingError;
pub(crate) use load::load;
pub(crate) use reseal::reseal_for_ever;

use crate::access::{self, Keyring, OpenError};
use crate::catalog::model::AccessKey;
use crate::config::KeyringSource;

/// The keyring that a node works with. Whoever seals or opens takes it anew each time.
pub(crate) struct LiveKeyring {
    current: watch::Sender<Keyring>,
    source: KeyringSource,
    /// Held by a reload, so that two of them cannot judge the same keyring.
    reloading: Mutex<()>,
}

impl LiveKeyring {
    /// A keyring that [`load`] has proved.
    pub(crate) fn new(keyring: Keyring, source: KeyringSource) -> Self {
        Self {
            current: watch::Sender::new(keyring),
            source,
            reloading: Mutex::new(()),
        }
    }

    /// The keyring of this moment. Cheap: the keys are shared.
    pub(crate) fn current(&self) -> Keyring {
        self.current.borrow().clone()
    }

    /// Checks the seal of a row under the keyring of this moment: see [`access::check_row`].
    ///
    /// # Errors
    /// As there.
    pub(crate) fn check_seal(&self, row: &AccessKey) -> Result<(), OpenError> {
        access::check_row(&self.current.borrow(), row)
    }

    /// Tells of every keyring that replaces this one.
    fn subscribe(&self) -> watch::Receiver<Keyring> {
        self.current.subscribe()
    }
}
