//! What log lines must not show.

use std::sync::Arc;

use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_level_shows_credentials() {
    const SECRET: &str = "hunter2hunter2";
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // As long as there is one subscriber alone, tracing asks the thread that first meets a log line whether it is wanted,
    // and remembers the answer for all: another test's would be no. With two it asks them both.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    // All of this test runs on this one thread.
    let _logging = tracing::subscriber::set_default(subscriber);
    let (tls, root) = certificate();
    let server = Server::start(ConnectionLimits::default(), Some(tls)).await;
    let request = || {
        let mut request = put(&format!("/debug?X-Amz-Signature={SECRET}"), "");
        for name in [
            "authorization",
            "x-amz-security-token",
            "x-bucketry-session",
            "cookie",
        ] {
            // Marked as no careful client would leave it: the server is what is tested.
            request.headers_mut().insert(name, SECRET.parse().unwrap());
        }
        request
    };
    let plain = over_tls(&server, &root, &[b"http/1.1"]).await;
    let shown = text(http1(plain).await.send_request(request()).await.unwrap()).await;
    assert!(
        shown.contains("Sensitive") && !shown.contains(SECRET),
        "{shown}"
    );
    let multiplexed = over_tls(&server, &root, &[b"h2"]).await;
    let shown = text(
        http2(multiplexed)
            .await
            .send_request(request())
            .await
            .unwrap(),
    )
    .await;
    assert!(
        shown.contains("Sensitive") && !shown.contains(SECRET),
        "{shown}"
    );
    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(
        logged.contains("bucketry::request") && logged.contains("TRACE"),
        "{logged}"
    );
    for line in logged.lines() {
        assert!(!line.contains(SECRET), "{line}");
    }
}
