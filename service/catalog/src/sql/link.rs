//! A pool of connections whose users give them back without a round trip.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bucketry_edge::task;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, Postgres};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// How long a connection that is not used is kept from the pool.
const KEPT_UNUSED: Duration = Duration::from_secs(60);
/// How long a connection is kept from the pool in all. The pool looks at its age when it is given back.
const KEPT: Duration = Duration::from_secs(10 * 60);

/// A pool, and whether its server still answers.
///
/// The pool of the library tests each connection that is given back: a task and a round trip for every statement. So those
/// whose last statement was answered are kept here.
pub(super) struct Link {
    pool: PgPool,
    /// A place for each connection of the pool, so that whoever has one finds a connection, here or there.
    places: Arc<Semaphore>,
    kept: Mutex<Vec<Kept>>,
    /// Cancelled when the server does not answer, which ends all waiting on this pool.
    pub(super) lost: CancellationToken,
}

struct Kept {
    connection: PoolConnection<Postgres>,
    /// When the pool gave it.
    taken: Instant,
    used: Instant,
}

/// A connection in use, which [`Linked::keep`] or [`Linked::give_back`] ends.
pub(super) struct Linked {
    pub(super) connection: PoolConnection<Postgres>,
    taken: Instant,
    place: OwnedSemaphorePermit,
    link: Arc<Link>,
}

impl Link {
    pub(super) fn new(
        connect: &PgConnectOptions,
        connections: u32,
        acquire_timeout: Duration,
    ) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(acquire_timeout)
            .test_before_acquire(false)
            .connect_lazy_with(connect.clone());
        Self {
            pool,
            places: Arc::new(Semaphore::new(connections as usize)),
            kept: Mutex::default(),
            lost: CancellationToken::new(),
        }
    }

    /// A connection, as soon as there is a place for it.
    pub(super) async fn acquire(self: &Arc<Self>, within: Duration) -> Result<Linked, sqlx::Error> {
        let place = timeout(within, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let place = place.map_err(|_| sqlx::Error::PoolClosed)?;
        // The one that was used last, so that the others fall out of use.
        let kept = self.kept().pop();
        let (connection, taken) = match kept {
            Some(Kept {
                connection, taken, ..
            }) => (connection, taken),
            None => (self.pool.acquire().await?, Instant::now()),
        };
        Ok(Linked {
            connection,
            taken,
            place,
            link: Arc::clone(self),
        })
    }

    /// Gives back to the pool what has not been used lately, or was kept for long.
    pub(super) fn look_through(&self) {
        let now = Instant::now();
        let is_over = |kept: &mut Kept| now >= kept.used + KEPT_UNUSED || now >= kept.taken + KEPT;
        let over: Vec<_> = self.kept().extract_if(.., is_over).collect();
        // Not under the lock.
        drop(over);
    }

    /// Marks the pool as closed, so that its connections are closed when they come back. They are closed when the returned
    /// future ends.
    pub(super) fn close(&self) -> impl Future<Output = ()> + '_ {
        let closed = self.pool.close();
        let kept = std::mem::take(&mut *self.kept());
        drop(kept);
        closed
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Linked {
    pub(super) fn lost(&self) -> &CancellationToken {
        &self.link.lost
    }

    /// Gives a connection back to the pool, which waits for the answer to its last statement.
    pub(super) fn give_back(self) {
        let Self {
            mut connection,
            place,
            ..
        } = self;
        // What dropping it does, but for the place: whoever had it earlier would wait for the pool, and not see what is kept
        // meanwhile.
        let returned = connection.return_to_pool();
        task::spawn("return_connection", async move {
            returned.await;
            drop(place);
        });
    }

    /// Gives back a connection whose last statement was answered, for the next user.
    pub(super) fn keep(self) {
        let Self {
            connection,
            taken,
            place,
            link,
        } = self;
        let used = Instant::now();
        let kept = Kept {
            connection,
            taken,
            used,
        };
        let mut all = link.kept();
        // Under the lock: what comes after the pool was closed is not kept.
        match link.pool.is_closed() {
            true => {
                drop(all);
                drop(kept);
            }
            false => {
                all.push(kept);
                drop(all);
            }
        }
        drop(place);
    }
}
