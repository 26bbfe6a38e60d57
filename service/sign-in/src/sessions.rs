use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bucketry_edge::task;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tonic::metadata::{Ascii, MetadataValue};

use crate::client::{Session, SignIn, SignInError};

/// The time limit for one sign-in.
const SIGN_IN_LIMIT: Duration = Duration::from_secs(10);
/// The longest time that a call waits for a session.
const WAIT_LIMIT: Duration = Duration::from_secs(10);
/// The pause after the first failure; doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The shortest time between two sign-ins when the server refuses the sessions that it issued.
const LEAST_INTERVAL: Duration = Duration::from_millis(250);

/// The session of a long-running process. A background task renews it after two thirds of its lifetime, so that calls
/// never wait for a renewal, and there is never more than one renewal at a time. The task ends with the last clone.
#[derive(Clone)]
pub struct Sessions {
    shared: Arc<Shared>,
    _task: Arc<AbortOnDrop>,
}

/// There is no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not signed in; the log has the reason")]
pub struct NotSignedIn;

/// Whether a process is signed in, for what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInStatus {
    /// A sign-in is under way, and it is not known how it will end.
    Pending,
    /// There is a session.
    SignedIn,
    /// The latest sign-in failed, and no earlier session is left: why, in one line.
    Failed(String),
}

struct Shared {
    state: watch::Sender<State>,
    replace: Notify,
}

enum State {
    /// The task is about to sign in.
    Pending,
    Ready {
        authorization: MetadataValue<Ascii>,
        ends: Instant,
    },
    /// The last sign-in failed, and no earlier session is left.
    Failed { cause: String },
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Sessions {
    /// Begins to sign in. Must be called within a runtime.
    #[must_use]
    pub fn start(sign_in: SignIn) -> Self {
        let sign_in = Arc::new(sign_in);
        Self::of(move || {
            let sign_in = Arc::clone(&sign_in);
            async move { sign_in.session().await }
        })
    }

    /// As [`Sessions::start`], with a given sign-in function.
    #[must_use]
    pub fn of<F>(sign_in: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Session, SignInError>> + Send + 'static,
    {
        let shared = Arc::new(Shared {
            state: watch::Sender::new(State::Pending),
            replace: Notify::new(),
        });
        let task = task::spawn("keep_session", keep(Arc::clone(&shared), sign_in));
        Self {
            shared,
            _task: Arc::new(AbortOnDrop(task.abort_handle())),
        }
    }

    /// The value of `authorization` for a call. Waits, at most 10 seconds, only while there is no session and the sign-in
    /// under way may still give one.
    ///
    /// # Errors
    /// [`NotSignedIn`] when the latest sign-in failed and no earlier session is left, or the wait was too long.
    pub async fn current(&self) -> Result<MetadataValue<Ascii>, NotSignedIn> {
        if let Some(known) = self.shared.state.borrow().known() {
            return known;
        }
        let mut state = self.shared.state.subscribe();
        let changed = timeout(WAIT_LIMIT, state.wait_for(|state| state.known().is_some()));
        match changed.await {
            Ok(Ok(state)) => state.known().unwrap_or(Err(NotSignedIn)),
            Ok(Err(_)) | Err(_) => Err(NotSignedIn),
        }
    }

    /// Whether there is a session now; does not wait.
    #[must_use]
    pub fn condition(&self) -> SignInStatus {
        match &*self.shared.state.borrow() {
            State::Ready { ends, .. } if Instant::now() < *ends => SignInStatus::SignedIn,
            State::Ready { .. } | State::Pending => SignInStatus::Pending,
            State::Failed { cause } => SignInStatus::Failed(cause.clone()),
        }
    }

    /// To be called when the server refused a session before its end, as after the key's revocation or when its keyring
    /// was replaced: the next calls wait for another one.
    pub fn refused(&self, authorization: &MetadataValue<Ascii>) {
        let replaced = self.shared.state.send_if_modified(|state| match state {
            State::Ready {
                authorization: held,
                ..
            } if held == authorization => {
                *state = State::Pending;
                true
            }
            State::Ready { .. } | State::Pending | State::Failed { .. } => false,
        });
        if replaced {
            self.shared.replace.notify_one();
        }
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sessions")
    }
}

impl State {
    /// The result for calls; `None`: they have to wait.
    fn known(&self) -> Option<Result<MetadataValue<Ascii>, NotSignedIn>> {
        match self {
            Self::Ready {
                authorization,
                ends,
            } if Instant::now() < *ends => Some(Ok(authorization.clone())),
            Self::Ready { .. } | Self::Pending => None,
            Self::Failed { .. } => Some(Err(NotSignedIn)),
        }
    }
}

/// Signs in until it succeeds, and again before each session ends.
async fn keep<F>(shared: Arc<Shared>, sign_in: impl Fn() -> F)
where
    F: Future<Output = Result<Session, SignInError>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        let started = Instant::now();
        let failure = match timeout(SIGN_IN_LIMIT, sign_in()).await {
            Ok(Ok(session)) => {
                pause = FIRST_PAUSE;
                let lifetime = session.lifetime;
                shared.state.send_replace(State::Ready {
                    authorization: session.authorization,
                    // Counted from before the sign-in, so that the session never ends later here than at the server.
                    ends: started + lifetime,
                });
                tracing::debug!(lifetime = ?lifetime, "signed in to the service");
                tokio::select! {
                    () = sleep_until(started + lifetime * 2 / 3) => {}
                    () = shared.replace.notified() => sleep_until(started + LEAST_INTERVAL).await,
                }
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", SIGN_IN_LIMIT.as_secs()),
        };
        tracing::warn!(error = %failure, retry_in = ?pause, "cannot sign in to the service");
        shared.state.send_if_modified(|state| {
            let lasts = matches!(state, State::Ready { ends, .. } if Instant::now() < *ends);
            if !lasts {
                *state = State::Failed {
                    cause: one_line(&failure),
                };
            }
            !lasts
        });
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The beginning of a message that another process may have written.
fn one_line(message: &str) -> String {
    const LONGEST: usize = 300;
    let readable = |character: char| match character.is_control() {
        true => ' ',
        false => character,
    };
    message.chars().take(LONGEST).map(readable).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tonic::Status;

    use super::*;

    const LIFETIME: Duration = Duration::from_secs(900);

    fn session(number: usize) -> Session {
        Session {
            authorization: format!("Bearer {number}").parse().unwrap(),
            lifetime: LIFETIME,
        }
    }

    fn failure() -> SignInError {
        SignInError::Refused(Box::new(Status::unavailable("down")))
    }

    /// Sign-ins are numbered from 1; those that `fails` names fail.
    fn numbered(fails: fn(usize) -> bool) -> (Sessions, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let sessions = Sessions::of(move || {
            let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
            async move {
                // A slow network.
                sleep(Duration::from_millis(50)).await;
                if fails(number) {
                    Err(failure())
                } else {
                    Ok(session(number))
                }
            }
        });
        (sessions, count)
    }

    async fn shown(sessions: &Sessions) -> String {
        match sessions.current().await {
            Ok(value) => value.to_str().unwrap().to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_call_waits_and_later_ones_find_a_session() {
        let (sessions, count) = numbered(|_| false);
        let calls = (0..100).map(|_| {
            let sessions = sessions.clone();
            tokio::spawn(async move { shown(&sessions).await })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), "Bearer 1");
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_renewed_before_its_end_and_no_call_waits_for_that() {
        let (sessions, _) = numbered(|_| false);
        assert_eq!(shown(&sessions).await, "Bearer 1");
        sleep(Duration::from_secs(599)).await;
        assert_eq!(shown(&sessions).await, "Bearer 1");
        sleep(Duration::from_secs(1)).await;
        let before = Instant::now();
        assert_eq!(shown(&sessions).await, "Bearer 1");
        assert_eq!(Instant::now(), before);
        sleep(Duration::from_millis(100)).await;
        assert_eq!(shown(&sessions).await, "Bearer 2");
    }

    #[tokio::test(start_paused = true)]
    async fn while_renewals_fail_the_session_serves_to_its_end() {
        let (sessions, _) = numbered(|number| number > 1);
        assert_eq!(shown(&sessions).await, "Bearer 1");
        sleep(Duration::from_secs(899)).await;
        assert_eq!(shown(&sessions).await, "Bearer 1");
        sleep(Duration::from_secs(10)).await;
        assert_eq!(shown(&sessions).await, NotSignedIn.to_string());
    }

    #[tokio::test(start_paused = true)]
    async fn it_comes_back_after_failures() {
        let (sessions, _) = numbered(|number| number < 10);
        assert_eq!(shown(&sessions).await, NotSignedIn.to_string());
        sleep(LONGEST_PAUSE * 10).await;
        assert_eq!(shown(&sessions).await, "Bearer 10");
    }

    #[tokio::test(start_paused = true)]
    async fn its_condition_names_why_a_sign_in_failed() {
        let (sessions, _) = numbered(|number| number > 1 && number < 10);
        assert_eq!(sessions.condition(), SignInStatus::Pending);
        let first = sessions.current().await.unwrap();
        assert_eq!(sessions.condition(), SignInStatus::SignedIn);
        sessions.refused(&first);
        assert_eq!(sessions.condition(), SignInStatus::Pending);
        assert_eq!(shown(&sessions).await, NotSignedIn.to_string());
        assert_eq!(
            sessions.condition(),
            SignInStatus::Failed("down".to_owned())
        );
        sleep(LONGEST_PAUSE * 10).await;
        assert_eq!(sessions.condition(), SignInStatus::SignedIn);
        assert_eq!(one_line("two\nlines"), "two lines");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_session_is_replaced_once() {
        let (sessions, count) = numbered(|_| false);
        let first = sessions.current().await.unwrap();
        for _ in 0..10 {
            sessions.refused(&first);
        }
        assert_eq!(shown(&sessions).await, "Bearer 2");
        sessions.refused(&first);
        assert_eq!(shown(&sessions).await, "Bearer 2");
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_answer_holds_a_call_for_ten_seconds() {
        let sessions = Sessions::of(std::future::pending);
        let before = Instant::now();
        assert_eq!(shown(&sessions).await, NotSignedIn.to_string());
        assert_eq!(before.elapsed(), WAIT_LIMIT);
    }
}
