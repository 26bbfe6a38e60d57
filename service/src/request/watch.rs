//! Running uploads and downloads end when the right to them ends: after a revocation, a suspension or an edit of IP
//! rules within one second, at a key's expiry likewise.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, Stream};
use tokio::time::{Sleep, sleep};

use super::grant::{BucketGrant, Grant};
use super::judgement::judge;
use super::key_row::current_facts;
use super::ledger::Ledger;
use super::service::Service;
use crate::access::KeyFacts;
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::error::Error;
use crate::metering::Direction;
use crate::sealing::LiveKeyring;

/// How often a running transfer is judged again. Twice in the second that is promised, so that the judgement itself has
/// time.
const INTERVAL: Duration = Duration::from_millis(500);

/// A grant that is checked repeatedly.
struct Watch<'a> {
    catalog: &'a Catalog,
    keyring: &'a LiveKeyring,
    clock: &'a Clock,
    ledger: &'a Ledger,
    grant: &'a BucketGrant,
}

impl Watch<'_> {
    /// Whether what was granted would be granted now.
    async fn judge(&self) -> Result<(), Error> {
        let Some(known) = self.grant.caller().key() else {
            return Ok(());
        };
        let gone = || Error::InvalidAccessKeyId {
            access_key_id: known.access_key_id.to_string(),
        };
        let facts: Arc<KeyFacts> = current_facts(self.catalog, self.keyring, &known.access_key_id)
            .await?
            .ok_or_else(gone)?;
        let caller = self.grant.caller().with_current_facts(facts);
        judge(
            &caller.ok_or_else(gone)?,
            self.grant.classes(),
            self.grant.target(),
            self.clock.now(),
        )
        .map_err(|denial| self.ledger.withdraw(self.grant, denial))?;
        self.ledger.renew_day(self.catalog, known).await
    }

    /// Why the right ended; pends as long as it has not.
    async fn ended(&self) -> Error {
        loop {
            sleep(INTERVAL).await;
            match self.judge().await {
                Ok(()) => {}
                // An outage ends nothing: the commit decides.
                Err(Error::Unavailable(_)) => {}
                Err(error) => return error,
            }
        }
    }
}

impl Service {
    /// Does work in the name of a grant, and ends it when the grant ends.
    pub(crate) async fn while_granted<T>(
        &self,
        grant: &BucketGrant,
        work: Pin<&mut impl Future<Output = Result<T, Error>>>,
    ) -> Result<T, Error> {
        let watch = Watch {
            catalog: &self.catalog,
            keyring: &self.keyring,
            clock: &self.clock,
            ledger: &self.ledger,
            grant,
        };
        tokio::select! {
            // The work first: most is done before the watch need be set up.
            biased;
            done = work => done,
            error = watch.ended() => Err(error),
        }
    }

    /// A download in the name of a grant; it ends with an error when the grant ends.
    pub(crate) fn watched<S, T>(&self, grant: BucketGrant, download: S) -> Watched<S>
    where
        S: Stream<Item = Result<T, Error>>,
    {
        Watched {
            download,
            catalog: self.catalog.clone(),
            keyring: Arc::clone(&self.keyring),
            clock: self.clock.clone(),
            ledger: self.ledger.clone(),
            grant: Arc::new(grant),
            state: State::Running(Box::pin(sleep(INTERVAL))),
        }
    }
}

/// See [`Service::watched`].
pub(crate) struct Watched<S> {
    download: S,
    catalog: Catalog,
    keyring: Arc<LiveKeyring>,
    clock: Clock,
    ledger: Ledger,
    grant: Arc<BucketGrant>,
    state: State,
}

/// A message of a download.
pub(crate) trait Payload {
    /// How many bytes of object data it carries.
    fn payload(&self) -> usize;
}

enum State {
    Running(Pin<Box<Sleep>>),
    /// Nothing is handed out meanwhile.
    Judging(BoxFuture<'static, Result<(), Error>>),
    Ended,
}

impl<S> Watched<S> {
    /// Counts what is handed out; nothing is that would pass the key's limit, and nothing after it.
    fn counted<T: Payload>(&mut self, item: Result<T, Error>) -> Result<T, Error> {
        let item = item?;
        let counted = self
            .ledger
            .bytes(&self.grant, Direction::Out, item.payload());
        counted
            .map(|()| item)
            .inspect_err(|_| self.state = State::Ended)
    }

    fn judgement(&self) -> BoxFuture<'static, Result<(), Error>> {
        let (catalog, keyring) = (self.catalog.clone(), Arc::clone(&self.keyring));
        let (clock, ledger) = (self.clock.clone(), self.ledger.clone());
        let grant = Arc::clone(&self.grant);
        async move {
            let watch = Watch {
                catalog: &catalog,
                keyring: &keyring,
                clock: &clock,
                ledger: &ledger,
                grant: &grant,
            };
            watch.judge().await
        }
        .boxed()
    }
}

impl<S, T> Stream for Watched<S>
where
    S: Stream<Item = Result<T, Error>> + Unpin,
    T: Payload,
{
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match &mut self.state {
                State::Running(until) => {
                    if until.as_mut().poll(context).is_pending() {
                        let next = ready!(Pin::new(&mut self.download).poll_next(context));
                        return Poll::Ready(next.map(|item| self.counted(item)));
                    }
                    self.state = State::Judging(self.judgement());
                }
                State::Judging(judgement) => match ready!(judgement.poll_unpin(context)) {
                    Ok(()) => self.state = State::Running(Box::pin(sleep(INTERVAL))),
                    Err(error) => {
                        self.state = State::Ended;
                        return Poll::Ready(Some(Err(error)));
                    }
                },
                State::Ended => return Poll::Ready(None),
            }
        }
    }
}
