//! Whose work the current task does, for resources deep below that are shared fairly.

use std::cell::Cell;
use std::net::IpAddr;

use futures::future::Either;

use super::shares::FairCaller;
use crate::budget::Network;

tokio::task_local! {
    static CALLER: Cell<FairCaller>;
}

/// Runs the work of a request from an address, of whose caller nothing is known yet.
pub fn scope<F: Future>(
    address: Option<IpAddr>,
    work: F,
) -> impl Future<Output = F::Output> + use<F> {
    CALLER.scope(Cell::new(unknown(address)), work)
}

/// Continues the current request, or the server's own work, in another task.
pub(crate) fn inherit<F: Future>(work: F) -> impl Future<Output = F::Output> + use<F> {
    match current() {
        Some(caller) => Either::Left(CALLER.scope(Cell::new(caller), work)),
        None => Either::Right(work),
    }
}

/// The request comes from another address than its connection's peer: a separate adapter names its client.
pub fn set_address(address: Option<IpAddr>) {
    set(unknown(address));
}

/// The request claims to be of an access key: so that the claims of one network share by key.
pub fn set_claim(access_key_id: &str) {
    // Outside of a request there is no caller to record.
    let _ = CALLER.try_with(|caller| caller.set(caller.get().claiming(access_key_id)));
}

/// The caller is proved.
pub fn set(proved: FairCaller) {
    // Outside of a request there is no caller to record.
    let _ = CALLER.try_with(|caller| caller.set(proved));
}

/// Whose request the current task works on; `None`: the server's own work.
#[must_use]
pub fn current() -> Option<FairCaller> {
    CALLER.try_with(Cell::get).ok()
}

fn unknown(address: Option<IpAddr>) -> FairCaller {
    FairCaller::unproved(address.map(Network::of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_is_of_its_network_then_of_its_claim_then_of_its_caller() {
        assert_eq!(current(), None);
        let address = [192, 0, 2, 1].into();
        scope(Some(address), async {
            let network = FairCaller::stranger(Network::of(address));
            assert_eq!(current(), Some(network));
            set_claim("AKIAEXAMPLE");
            let claim = current().unwrap();
            assert_eq!(claim.account, network.account);
            assert_ne!(claim.key, network.key);
            let proved = FairCaller { account: 7, key: 8 };
            set(proved);
            assert_eq!(current(), Some(proved));
        })
        .await;
        set(FairCaller::ANONYMOUS);
        assert_eq!(current(), None);
    }
}
