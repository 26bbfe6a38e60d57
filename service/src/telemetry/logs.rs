//! Log lines on standard error.

use bucketry_edge::LineLimit;
use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Why logging cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter cannot be read.
    #[error("log filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something in this process logs already.
    #[error("logging: {0}")]
    Taken(#[from] tracing_subscriber::util::TryInitError),
}

/// Logs the events of this process to standard error from now on, as far as the limit admits them. The caller has it
/// report what it leaves out.
///
/// # Errors
/// [`LogError`] if the filter cannot be read or this was called before.
pub fn install(filter: &str, format: LogFormat) -> Result<LineLimit, LogError> {
    let limit = LineLimit::default();
    subscriber(filter, format, limit.clone(), std::io::stderr)?.try_init()?;
    Ok(limit)
}

fn subscriber<W>(
    filter: &str,
    format: LogFormat,
    limit: LineLimit,
    writer: W,
) -> Result<Box<dyn tracing::Subscriber + Send + Sync>, LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder().parse(filter)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    Ok(match format {
        LogFormat::Text => Box::new(builder.with_ansi(false).finish().with(limit)),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish().with(limit)),
    })
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str) -> String {
        logged_by(format, filter, || {
            tracing::info!(answer = 42, "first");
            tracing::debug!("second");
        })
    }

    fn logged_by(format: LogFormat, filter: &str, log: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let limit = LineLimit::default();
        let subscriber = subscriber(filter, format, limit, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, log);
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn json_is_one_object_a_line() {
        let text = logged(LogFormat::Json, "info");
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(
            (&line["message"], &line["answer"]),
            (&"first".into(), &42.into())
        );
    }

    #[test]
    fn a_flood_of_one_line_is_bounded_in_either_format() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let text = logged_by(format, "info", || {
                (0..10_000).for_each(|_| tracing::info!("flood"));
            });
            let lines = text.lines().count();
            assert!((100..1_000).contains(&lines), "{lines} lines");
        }
    }

    #[test]
    fn text_is_filtered() {
        let info = logged(LogFormat::Text, "info");
        assert!(
            info.contains("first answer=42") && !info.contains("second"),
            "{info}"
        );
        assert!(logged(LogFormat::Text, "debug").contains("second"));
    }
}
