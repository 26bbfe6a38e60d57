//! Liveness and readiness of a process, and the HTTP answers that report them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Method, StatusCode};
use tokio::time::Instant;

/// Consecutive failed probes of a part that make the process not ready. A single slow answer does not.
const FAILURES: u32 = 2;

/// The interval at which the main runtime signals that it runs.
const BEAT_INTERVAL: Duration = Duration::from_secs(1);

/// After this time without a signal the runtime counts as hung.
const SILENCE: Duration = Duration::from_secs(10);

/// The health of this process. Clones share it.
#[derive(Clone, Debug)]
pub struct Health {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Outside the lock: every request reads it.
    draining: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    beat: Instant,
    parts: BTreeMap<&'static str, PartHealth>,
}

#[derive(Debug, Default)]
struct PartHealth {
    failures: u32,
    /// The latest outcome; `None` before the first.
    latest: Option<Result<(), Cow<'static, str>>>,
}

impl PartHealth {
    fn fault(&self) -> Option<&str> {
        match &self.latest {
            None => Some("has not been probed yet"),
            Some(Err(fault)) if self.failures >= FAILURES => Some(fault),
            Some(_) => None,
        }
    }
}

/// An answer about health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthAnswer {
    /// 200, 405 or 503.
    pub status: StatusCode,
    /// `ok`, or one line for each reason.
    pub text: String,
}

impl Health {
    /// Becomes ready when a probe of each of `parts` has succeeded.
    #[must_use]
    pub fn new(parts: &[&'static str]) -> Self {
        let parts = parts.iter().map(|part| (*part, PartHealth::default()));
        Self {
            shared: Arc::new(Shared {
                draining: AtomicBool::new(false),
                state: Mutex::new(State {
                    beat: Instant::now(),
                    parts: parts.collect(),
                }),
            }),
        }
    }

    /// Signals, until dropped, that the runtime runs on which this is spawned.
    pub async fn beat(self) {
        let mut ticks = tokio::time::interval(BEAT_INTERVAL);
        loop {
            ticks.tick().await;
            self.state().beat = Instant::now();
        }
    }

    /// Notes the outcome of a probe; a fault is a short text such as `does not answer`, which is public.
    /// Answers whether the process is ready.
    pub fn report(&self, part: &'static str, outcome: Result<(), &'static str>) -> bool {
        self.report_cause(part, outcome.map_err(Cow::Borrowed))
    }

    /// As [`Health::report`], for a fault that names its cause.
    pub fn report_cause(&self, part: &'static str, outcome: Result<(), Cow<'static, str>>) -> bool {
        let mut state = self.state();
        let noted = state.parts.entry(part).or_default();
        let was_known = noted.latest.is_some();
        let before = noted.fault().is_some();
        // A part that has never answered is not ready after one failure.
        noted.failures = match (&outcome, &noted.latest) {
            (Ok(()), _) => 0,
            (Err(_), None) => FAILURES,
            (Err(_), Some(_)) => noted.failures.saturating_add(1),
        };
        noted.latest = Some(outcome);
        match (was_known && before, noted.fault()) {
            (false, Some(fault)) => tracing::warn!(part, fault, "not ready"),
            (true, None) => tracing::info!(part, "ready again"),
            (false, None) | (true, Some(_)) => {}
        }
        drop(state);
        self.is_ready()
    }

    /// The process is about to stop: not ready from now on.
    pub fn drain(&self) {
        self.shared.draining.store(true, Ordering::Relaxed);
    }

    /// Completes `delay` after `signal`, when the process is to stop taking requests. It is not ready in between.
    pub async fn drained(self, signal: impl Future<Output = ()>, delay: Duration) {
        signal.await;
        self.drain();
        tokio::time::sleep(delay).await;
    }

    /// Whether [`drain`](Self::drain) was called.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.shared.draining.load(Ordering::Relaxed)
    }

    /// Whether requests should be sent here.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.reasons().is_empty()
    }

    /// The answer at a path: `/livez` (whether the process should be left running) and `/readyz` (whether requests
    /// should be sent); none at others.
    #[must_use]
    pub fn answer(&self, method: &Method, path: &str) -> Option<HealthAnswer> {
        let reasons = match path {
            "/livez" => self.state().silence().into_iter().collect(),
            "/readyz" => self.reasons(),
            _ => return None,
        };
        if !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Some(HealthAnswer {
                status: StatusCode::METHOD_NOT_ALLOWED,
                text: String::new(),
            });
        }
        Some(if reasons.is_empty() {
            HealthAnswer {
                status: StatusCode::OK,
                text: "ok\n".to_owned(),
            }
        } else {
            HealthAnswer {
                status: StatusCode::SERVICE_UNAVAILABLE,
                text: reasons.join("\n") + "\n",
            }
        })
    }

    /// Why requests should not be sent.
    fn reasons(&self) -> Vec<String> {
        let draining = self.is_draining().then(|| "stopping".to_owned());
        let state = self.state();
        let parts = state.parts.iter().filter_map(|(name, part)| {
            let fault = part.fault()?;
            Some(format!("{name} {fault}"))
        });
        draining
            .into_iter()
            .chain(state.silence())
            .chain(parts)
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn silence(&self) -> Option<String> {
        (self.beat.elapsed() > SILENCE).then(|| "runtime does not answer".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(health: &Health) -> (u16, String) {
        let answer = health.answer(&Method::GET, "/readyz").unwrap();
        (answer.status.as_u16(), answer.text)
    }

    #[tokio::test(start_paused = true)]
    async fn readiness_follows_each_part() {
        let health = Health::new(&["catalog", "store"]);
        assert_eq!(ready(&health).0, 503);
        assert!(!health.report("catalog", Ok(())));
        assert_eq!(
            ready(&health),
            (503, "store has not been probed yet\n".to_owned())
        );
        assert!(health.report("store", Ok(())));
        assert_eq!(ready(&health), (200, "ok\n".to_owned()));
        // One failure does not count, two do.
        assert!(health.report("store", Err("does not answer")));
        assert!(!health.report("store", Err("does not answer")));
        assert_eq!(ready(&health), (503, "store does not answer\n".to_owned()));
        assert!(health.report("store", Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_is_alive_and_not_ready() {
        let health = Health::new(&[]);
        assert!(health.is_ready());
        health.drain();
        assert_eq!(ready(&health), (503, "stopping\n".to_owned()));
        let live = health.answer(&Method::GET, "/livez").unwrap();
        assert_eq!(live.status, StatusCode::OK);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_runtime_is_neither_alive_nor_ready() {
        let health = Health::new(&[]);
        let beating = tokio::spawn(health.clone().beat());
        tokio::time::sleep(SILENCE * 3).await;
        assert_eq!(ready(&health).0, 200);
        beating.abort();
        tokio::time::sleep(SILENCE * 2).await;
        assert_eq!(
            ready(&health),
            (503, "runtime does not answer\n".to_owned())
        );
        let live = health.answer(&Method::GET, "/livez").unwrap();
        assert_eq!(live.status, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test(start_paused = true)]
    async fn not_ready_through_the_delay() {
        let health = Health::new(&[]);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let signal = async {
            stopped.await.unwrap();
        };
        let drained = tokio::spawn(health.clone().drained(signal, Duration::from_secs(5)));
        tokio::task::yield_now().await;
        assert!(health.is_ready());
        let begun = Instant::now();
        stop.send(()).unwrap();
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert!(!health.is_ready() && !drained.is_finished());
        drained.await.unwrap();
        assert_eq!(begun.elapsed(), Duration::from_secs(5));
    }

    #[test]
    fn other_paths_and_methods() {
        let health = Health::new(&[]);
        assert_eq!(health.answer(&Method::GET, "/"), None);
        let refused = health.answer(&Method::POST, "/livez").unwrap();
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}
