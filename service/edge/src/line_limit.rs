//! Bounds the log lines that callers can cause, so that nobody can fill a disk with them.
//!
//! Each place in the code that logs at `info` or above has an allowance of its own. Lines about an access key (those with
//! the field `access_key_id`) are counted apart: one key's lines do not displace another key's, and lines about strangers
//! do not displace those about keys. What is left out is counted, and reported from time to time.

mod log_site;

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt::{Debug, Write as _};
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use self::log_site::LogSite;

/// The field that names the access key a line is about.
const KEY_FIELD: &str = "access_key_id";

/// The target of the lines that report what was left out; they are always written.
const REPORT: &str = "bucketry::line_limit";

/// How often lines that were left out are reported.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// A layer over a subscriber that writes lines. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct LineLimit {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// By the address of the site's metadata, which is static.
    sites: Mutex<HashMap<usize, LogSite>>,
    hasher: RandomState,
}

impl LineLimit {
    /// Reports every 10 seconds how many lines were left out, if any were.
    pub async fn keep_reporting(self) {
        let mut interval = tokio::time::interval(REPORT_INTERVAL);
        loop {
            interval.tick().await;
            self.report();
        }
    }

    /// Writes one line for each site of which lines were left out since the last call.
    pub fn report(&self) {
        for left_out in self.take_left_out() {
            let LeftOut {
                metadata,
                message,
                lines,
            } = left_out;
            tracing::warn!(
                target: REPORT,
                lines,
                level = %metadata.level(),
                of = metadata.target(),
                line = metadata.line(),
                example = message,
                "log lines left out: too many of one kind"
            );
        }
    }

    fn take_left_out(&self) -> Vec<LeftOut> {
        let mut sites = self.sites();
        sites
            .values_mut()
            .filter_map(|site| site.left_out.take())
            .collect()
    }

    fn sites(&self) -> MutexGuard<'_, HashMap<usize, LogSite>> {
        self.shared
            .sites
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a line is written.
    fn admits(&self, event: &Event<'_>, now: Instant) -> bool {
        let metadata = event.metadata();
        let key = text_of(event, KEY_FIELD).map(|key| self.shared.hasher.hash_one(key));
        let mut sites = self.sites();
        let site = sites
            .entry(std::ptr::from_ref(metadata).addr())
            .or_insert_with(|| LogSite::new(now));
        let admitted = site.admits(key, now);
        if !admitted {
            let left_out = site.left_out.get_or_insert_with(|| LeftOut {
                metadata,
                message: text_of(event, "message").unwrap_or_default(),
                lines: 0,
            });
            left_out.lines += 1;
        }
        admitted
    }
}

impl<S: Subscriber> Layer<S> for LineLimit {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        // Whoever asks for debug lines wants all of them.
        *metadata.level() > Level::INFO
            || metadata.target() == REPORT
            || self.admits(event, Instant::now())
    }
}

/// Lines that were not written.
struct LeftOut {
    metadata: &'static Metadata<'static>,
    /// The message of the first one.
    message: String,
    lines: u64,
}

/// The text of a field; none if the event does not have it.
fn text_of(event: &Event<'_>, name: &'static str) -> Option<String> {
    event.metadata().fields().field(name)?;
    let mut found = TextOf { name, text: None };
    event.record(&mut found);
    found.text
}

struct TextOf {
    name: &'static str,
    text: Option<String>,
}

impl Visit for TextOf {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == self.name {
            self.text = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == self.name {
            let mut text = String::new();
            // Writing into a text fails only if the value refuses to be shown.
            if write!(text, "{value:?}").is_ok() {
                self.text = Some(text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Keeps the messages of the lines that are written.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Written {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let message = text_of(event, "message").unwrap();
            let lines = event.metadata().fields().field("lines").is_some();
            let count = if lines {
                text_of(event, "lines").unwrap()
            } else {
                String::new()
            };
            self.0.lock().unwrap().push(message + &count);
        }
    }

    fn written(log: impl FnOnce(&LineLimit)) -> Vec<String> {
        let (limit, lines) = (LineLimit::default(), Written::default());
        let subscriber = tracing_subscriber::registry()
            .with(lines.clone())
            .with(limit.clone());
        tracing::subscriber::with_default(subscriber, || log(&limit));
        let lines = lines.0.lock().unwrap();
        lines.clone()
    }

    fn count(lines: &[String], message: &str) -> usize {
        lines.iter().filter(|line| *line == message).count()
    }

    #[test]
    fn a_flood_of_one_line_is_cut_and_counted() {
        let lines = written(|limit| {
            for _ in 0..10_000 {
                tracing::info!("flood");
            }
            tracing::warn!("another");
            limit.report();
            limit.report();
        });
        let floods = count(&lines, "flood");
        assert!((100..1_000).contains(&floods), "{floods}");
        assert_eq!(count(&lines, "another"), 1);
        let left_out = format!(
            "log lines left out: too many of one kind{}",
            10_000 - floods
        );
        assert_eq!(count(&lines, &left_out), 1, "{lines:?}");
        assert_eq!(lines.len(), floods + 2);
    }

    #[test]
    fn debug_lines_are_not_bounded() {
        let lines = written(|_| {
            for _ in 0..1_000 {
                tracing::debug!("detail");
            }
        });
        assert_eq!(count(&lines, "detail"), 1_000);
    }

    #[test]
    fn the_key_of_a_line_is_read_however_it_was_recorded() {
        let lines = written(|_| {
            for _ in 0..1_000 {
                let key = Some("FLOODING");
                tracing::info!(
                    access_key_id = key.map(tracing::field::display),
                    "displayed"
                );
                tracing::info!(access_key_id = "FLOODING", "text");
            }
        });
        for message in ["displayed", "text"] {
            let admitted = count(&lines, message);
            assert!((20..50).contains(&admitted), "{admitted} {message}");
        }
    }
}
