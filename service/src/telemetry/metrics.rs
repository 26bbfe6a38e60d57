//! Prometheus metrics: what is counted, and the answers that show it.

use std::time::Duration;

use bucketry_catalog::DATABASE_UP;
use bucketry_edge::fair::Load;
use bucketry_edge::health::Health;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use metrics::{
    SharedString, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tonic::Code;

const REQUESTS: &str = "bucketry_requests_total";
const DURATION: &str = "bucketry_request_duration_seconds";
const RECEIVED: &str = "bucketry_received_bytes_total";
const SENT: &str = "bucketry_sent_bytes_total";
const IN_FLIGHT: &str = "bucketry_requests_in_flight";
const REFUSED: &str = "bucketry_requests_refused_total";
const SLOTS: &str = "bucketry_request_slots";
const WAITING: &str = "bucketry_requests_waiting";
const MESSAGE_BYTES: &str = "bucketry_request_message_bytes";
const BUILD_INFO: &str = "bucketry_build_info";
/// 1 if the database answers, else 0.
/// Seconds by which this node's clock is ahead of the database's.
pub(crate) const CLOCK_OFFSET: &str = "bucketry_database_clock_offset_seconds";
pub(crate) const READY: &str = "bucketry_ready";
pub(crate) const PROBE_FAILURES: &str = "bucketry_probe_failures_total";

/// From a cached small read to a slow large upload, in seconds.
const DURATION_BUCKETS: [f64; 14] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0, 60.0,
];

/// The content type of the text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How often old samples are folded into the histograms, so that they do not grow while nobody asks.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// A front of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrontName {
    /// gRPC.
    Grpc,
    /// S3 REST.
    S3,
    /// The files of the console.
    Console,
}

impl FrontName {
    /// The label's value.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::S3 => "s3",
            Self::Console => "console",
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOutcome {
    /// With an HTTP status.
    Http(StatusCode),
    /// With a gRPC status.
    Grpc(Code),
    /// The client went away first.
    Cancelled,
}

impl RequestOutcome {
    /// The label's value: the class of an HTTP status, the name of a gRPC status.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Http(status) => match status.as_u16() / 100 {
                1 => "1xx",
                2 => "2xx",
                3 => "3xx",
                4 => "4xx",
                _ => "5xx",
            },
            Self::Grpc(code) => code_name(code),
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the server is to blame, so that the operator should see it.
    #[must_use]
    pub fn is_server_fault(self) -> bool {
        match self {
            // 501 is an answer about the client's wish.
            Self::Http(status) => status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED,
            Self::Grpc(code) => matches!(
                code,
                Code::Internal
                    | Code::Unknown
                    | Code::Unavailable
                    | Code::DataLoss
                    | Code::DeadlineExceeded
            ),
            Self::Cancelled => false,
        }
    }
}

fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// One request that has ended.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    /// Where it came in.
    pub front: FrontName,
    /// What it did, one of a bounded set of names: never text of the client.
    pub operation: SharedString,
    /// How it ended.
    pub outcome: RequestOutcome,
    /// From its head to the end of its answer.
    pub duration: Duration,
    /// Body bytes received.
    pub received_bytes: u64,
    /// Body bytes sent.
    pub sent_bytes: u64,
}

/// Counts a request.
pub fn record_request(record: &RequestRecord) {
    let front = record.front.label();
    let operation = || record.operation.clone();
    let outcome = record.outcome.label();
    counter!(REQUESTS, "front" => front, "operation" => operation(), "outcome" => outcome)
        .increment(1);
    histogram!(DURATION, "front" => front, "operation" => operation()).record(record.duration);
    if record.received_bytes > 0 {
        counter!(RECEIVED, "front" => front, "operation" => operation())
            .increment(record.received_bytes);
    }
    if record.sent_bytes > 0 {
        counter!(SENT, "front" => front, "operation" => operation()).increment(record.sent_bytes);
    }
}

/// Counts a request that was refused because a resource was used up; `reason` names the resource.
pub(crate) fn count_refusal(reason: &'static str) {
    counter!(REFUSED, "reason" => reason).increment(1);
}

/// Shows what of the shared resources is in use.
pub(crate) fn show_load(load: Load) {
    gauge!(SLOTS).set(load.slots as f64);
    gauge!(WAITING).set(load.waiting as f64);
    gauge!(MESSAGE_BYTES).set(load.bytes as f64);
}

/// Counts a request as running until dropped.
#[derive(Debug)]
pub struct InFlight(FrontName);

impl InFlight {
    /// A request has begun.
    #[must_use]
    pub fn begin(front: FrontName) -> Self {
        gauge!(IN_FLIGHT, "front" => front.label()).increment(1.0);
        Self(front)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        gauge!(IN_FLIGHT, "front" => self.0.label()).decrement(1.0);
    }
}

/// Why metrics cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The recorder refuses its settings.
    #[error("metrics: {0}")]
    Build(#[from] BuildError),
    /// Something in this process records metrics already.
    #[error("metrics are recorded already")]
    Taken,
}

/// Records the metrics of this process from now on; the handle shows them.
///
/// # Errors
/// [`MetricsError::Taken`] if this was called before.
pub fn install() -> Result<PrometheusHandle, MetricsError> {
    let recorder = builder()?.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| MetricsError::Taken)?;
    describe();
    Ok(handle)
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), &DURATION_BUCKETS)
}

fn describe() {
    describe_counter!(REQUESTS, "Requests that have ended.");
    describe_histogram!(
        DURATION,
        "Seconds from a request's head to the end of its answer."
    );
    describe_counter!(RECEIVED, "Body bytes received.");
    describe_counter!(SENT, "Body bytes sent.");
    describe_gauge!(IN_FLIGHT, "Requests that are running.");
    bucketry_edge::describe_metrics();
    describe_counter!(REFUSED, "Requests refused because a resource was used up.");
    describe_gauge!(SLOTS, "Slots held by authenticated requests.");
    describe_gauge!(WAITING, "Requests waiting for a slot.");
    describe_gauge!(
        MESSAGE_BYTES,
        "Bytes reserved for gRPC messages and XML bodies."
    );
    describe_gauge!(READY, "1 while the node is ready, else 0.");
    describe_counter!(
        PROBE_FAILURES,
        "Probes of the catalog and the store that failed or timed out."
    );
    describe_gauge!(BUILD_INFO, "Always 1; the labels describe the build.");
    describe_gauge!(DATABASE_UP, "1 if the database answers (Postgres).");
    describe_gauge!(
        CLOCK_OFFSET,
        "Seconds by which this node's clock is ahead of the database's (Postgres)."
    );
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// Folds old samples into the histograms until dropped.
pub async fn keep(handle: PrometheusHandle) {
    let mut upkeep = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        upkeep.tick().await;
        handle.run_upkeep();
    }
}

/// Answers `/metrics`, and `/livez` and `/readyz` by `health`.
#[must_use]
pub fn answer(
    request: &Request<Incoming>,
    handle: &PrometheusHandle,
    health: &Health,
) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let (status, text) = match (health.answer(request.method(), path), request.method()) {
        (Some(answer), _) => (answer.status, answer.text),
        (None, _) if path != "/metrics" => (StatusCode::NOT_FOUND, String::new()),
        (None, &Method::GET | &Method::HEAD) => (StatusCode::OK, handle.render()),
        (None, _) => (StatusCode::METHOD_NOT_ALLOWED, String::new()),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(TEXT_FORMAT),
    );
    response
}

#[cfg(test)]
mod tests {
    use bucketry_edge::side_door::answer_requests;
    use http_body_util::{BodyExt, Empty};
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn requests_are_counted_by_front_operation_and_outcome() {
        let recorder = builder().unwrap().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe();
            let running = InFlight::begin(FrontName::S3);
            for outcome in [
                RequestOutcome::Http(StatusCode::PARTIAL_CONTENT),
                RequestOutcome::Cancelled,
            ] {
                record_request(&RequestRecord {
                    front: FrontName::S3,
                    operation: SharedString::const_str("GetObject"),
                    outcome,
                    duration: Duration::from_micros(300),
                    received_bytes: 0,
                    sent_bytes: 7,
                });
            }
            let text = handle.render();
            for line in [
                r#"bucketry_requests_total{front="s3",operation="GetObject",outcome="2xx"} 1"#,
                r#"bucketry_requests_total{front="s3",operation="GetObject",outcome="cancelled"} 1"#,
                r#"bucketry_sent_bytes_total{front="s3",operation="GetObject"} 14"#,
                r#"bucketry_request_duration_seconds_bucket{front="s3",operation="GetObject",le="0.0005"} 2"#,
                r#"bucketry_request_duration_seconds_bucket{front="s3",operation="GetObject",le="0.00025"} 0"#,
                r#"bucketry_requests_in_flight{front="s3"} 1"#,
                r#"bucketry_build_info{version="0.1.0"} 1"#,
            ] {
                assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
            }
            assert!(!text.contains("bucketry_received_bytes_total{"), "{text}");
            drop(running);
            assert!(handle.render().contains(r#"in_flight{front="s3"} 0"#));
        });
    }

    #[test]
    fn only_the_servers_own_faults_are_loud() {
        for loud in [
            RequestOutcome::Http(StatusCode::INTERNAL_SERVER_ERROR),
            RequestOutcome::Http(StatusCode::SERVICE_UNAVAILABLE),
            RequestOutcome::Grpc(Code::Internal),
            RequestOutcome::Grpc(Code::DataLoss),
        ] {
            assert!(loud.is_server_fault(), "{loud:?}");
        }
        for quiet in [
            RequestOutcome::Http(StatusCode::FORBIDDEN),
            RequestOutcome::Http(StatusCode::NOT_IMPLEMENTED),
            RequestOutcome::Grpc(Code::NotFound),
            RequestOutcome::Cancelled,
        ] {
            assert!(!quiet.is_server_fault(), "{quiet:?}");
        }
    }

    #[tokio::test]
    async fn shown_at_one_path() {
        let recorder = builder().unwrap().build_recorder();
        metrics::with_local_recorder(&recorder, describe);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (handle, health) = (recorder.handle(), Health::new(&["store"]));
        let answered = health.clone();
        let server = tokio::spawn(answer_requests(listener, move |request| {
            answer(request, &handle, &answered)
        }));
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        let get = |path: &str| client.get(format!("http://{address}{path}").parse().unwrap());
        let shown = get("/metrics").await.unwrap();
        assert_eq!(
            (shown.status(), &shown.headers()["content-type"]),
            (StatusCode::OK, &TEXT_FORMAT.parse().unwrap())
        );
        let text = shown.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&text).contains("bucketry_build_info"));
        assert_eq!(get("/").await.unwrap().status(), StatusCode::NOT_FOUND);
        assert_eq!(get("/livez").await.unwrap().status(), StatusCode::OK);
        let unready = get("/readyz").await.unwrap();
        assert_eq!(unready.status(), StatusCode::SERVICE_UNAVAILABLE);
        health.report("store", Ok(()));
        assert_eq!(get("/readyz").await.unwrap().status(), StatusCode::OK);
        server.abort();
    }
}
