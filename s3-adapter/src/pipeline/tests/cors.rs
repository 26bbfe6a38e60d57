//! Preflight requests, and the CORS headers of answers.

use bucketry_contract::adapter::v1::EvaluateCorsResponse;

use crate::fixture::Bench;
use crate::settings::AdapterSettings;

fn allowed() -> EvaluateCorsResponse {
    EvaluateCorsResponse {
        enabled: true,
        allowed: true,
        allow_origin: "https://app.example".into(),
        allow_credentials: true,
        allow_methods: vec!["GET".into(), "PUT".into()],
        allow_headers: vec!["x-a".into()],
        expose_headers: vec!["etag".into()],
        max_age_seconds: Some(3000),
    }
}

#[tokio::test]
async fn a_preflight_is_answered_by_the_rules_of_the_bucket() {
    let bench = Bench::new();
    let headers = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "X-A, x-b"),
    ];
    let rules = |enabled| EvaluateCorsResponse {
        enabled,
        ..EvaluateCorsResponse::default()
    };
    for (enabled, text) in [
        (false, "CORS is not enabled for this bucket."),
        (true, "This CORS request is not allowed."),
    ] {
        bench.service().allows_origins(rules(enabled));
        let seen = bench.send("OPTIONS", "/b/k", &headers, "").await;
        seen.assert_error(403, "AccessForbidden");
        assert!(seen.text().contains(text), "{seen:?}");
    }
    bench.service().allows_origins(allowed());
    let seen = bench.send("OPTIONS", "/b/k", &headers, "").await;
    assert_eq!(seen.status, 200);
    for (name, value) in [
        ("access-control-allow-origin", "https://app.example"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "GET, PUT"),
        ("access-control-allow-headers", "x-a"),
        ("access-control-max-age", "3000"),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
    assert!(seen.header("vary").unwrap().contains("Origin"));
    let asked = bench.service().cors_asked.lock().unwrap().remove(0);
    assert_eq!(
        (asked.method.as_str(), asked.request_headers),
        ("PUT", vec!["x-a".into(), "x-b".into()])
    );
    bench
        .send("OPTIONS", "/b/k", &headers[..1], "")
        .await
        .assert_error(400, "BadRequest");
    let seen = bench
        .send(
            "OPTIONS",
            "/b/k",
            &[headers[0], ("access-control-request-method", "BREW")],
            "",
        )
        .await;
    seen.assert_error(400, "BadRequest");
    let text = "Invalid Access-Control-Request-Method: BREW";
    assert!(seen.text().contains(text), "{seen:?}");
    assert!(bench.service().authorized.lock().unwrap().is_empty());
}

/// A separate adapter shares its permits by client.
#[tokio::test]
async fn the_rules_are_requested_for_the_client_of_the_request() {
    let bench = Bench::new();
    let headers = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "PUT"),
    ];
    bench.send("OPTIONS", "/b/k", &headers, "").await;
    bench.send("GET", "/b?inventory", &headers[..1], "").await;
    let clients = bench.service().cors_clients.lock().unwrap().clone();
    assert_eq!(clients, [Some([192, 0, 2, 7].into()); 2]);
}

#[tokio::test]
async fn an_answer_tells_the_browser_who_may_read_it_even_an_error() {
    let bench = Bench::new();
    bench.service().allows_origins(allowed());
    let origin = [("origin", "https://app.example")];
    let seen = bench.send("GET", "/b?inventory", &origin, "").await;
    assert_eq!(seen.status, 501);
    assert_eq!(
        seen.header("access-control-allow-origin"),
        Some("https://app.example")
    );
    assert_eq!(seen.header("access-control-expose-headers"), Some("etag"));
    let seen = bench.send("GET", "/b?inventory", &[], "").await;
    assert_eq!(seen.header("access-control-allow-origin"), None);
}

const CONSOLE: &str = "https://console.example:9001";
const PRESIGNED: &str = "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256\
     &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z\
     &X-Amz-Expires=60&X-Amz-SignedHeaders=host\
     &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

fn with_console() -> Bench {
    Bench::with_settings(AdapterSettings {
        console_origins: vec![CONSOLE.parse().unwrap()],
        ..AdapterSettings::default()
    })
}

#[tokio::test]
async fn a_console_may_send_presigned_requests_to_any_bucket() {
    let bench = with_console();
    let headers = [
        ("origin", CONSOLE),
        ("access-control-request-method", "PUT"),
        (
            "access-control-request-headers",
            "content-type,x-amz-checksum-crc32",
        ),
    ];
    let seen = bench.send("OPTIONS", PRESIGNED, &headers, "").await;
    assert_eq!(seen.status, 200);
    for (name, value) in [
        ("access-control-allow-origin", CONSOLE),
        ("access-control-allow-methods", "GET, HEAD, PUT"),
        (
            "access-control-allow-headers",
            "content-type, x-amz-checksum-crc32",
        ),
        ("access-control-max-age", "600"),
        ("vary", "Origin"),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
    assert_eq!(seen.header("access-control-allow-credentials"), None);
    // The rules of the bucket are not read.
    assert!(bench.service().cors_asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_console_may_read_the_answer_even_an_error() {
    let bench = with_console();
    let origin = [("origin", CONSOLE)];
    let malformed = "/b/k?x=%zz&X-Amz-Signature=0";
    let too_long = format!("{PRESIGNED}&x={}", "x".repeat(20_000));
    for (method, target, status) in [
        ("GET", PRESIGNED, 500),
        ("HEAD", PRESIGNED, 500),
        ("GET", malformed, 400),
        ("GET", &too_long, 400),
    ] {
        let seen = bench.send(method, target, &origin, "").await;
        assert_eq!(seen.status, status, "{seen:?}");
        assert_eq!(seen.header("access-control-allow-origin"), Some(CONSOLE));
        assert_eq!(seen.header("vary"), Some("Origin"));
        let exposed = seen.header("access-control-expose-headers").unwrap();
        assert!(exposed.contains("etag") && exposed.contains("x-amz-request-id"));
    }
    assert!(bench.service().cors_asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn everything_else_is_judged_by_the_rules_of_the_bucket() {
    let bench = with_console();
    let method = ("access-control-request-method", "PUT");
    for (target, origin, method) in [
        ("/b/k", CONSOLE, method),
        (PRESIGNED, "https://console.example", method),
        (PRESIGNED, "http://console.example:9001", method),
        (PRESIGNED, "null", method),
        (PRESIGNED, CONSOLE, (method.0, "DELETE")),
    ] {
        let headers = [("origin", origin), method];
        let seen = bench.send("OPTIONS", target, &headers, "").await;
        seen.assert_error(403, "AccessForbidden");
        let asked = bench.service().cors_asked.lock().unwrap().pop();
        assert_eq!(asked.unwrap().origin, origin);
    }
    let seen = bench
        .send("GET", "/b?inventory", &[("origin", CONSOLE)], "")
        .await;
    assert_eq!(seen.header("access-control-allow-origin"), None);
    assert_eq!(bench.service().cors_asked.lock().unwrap().len(), 1);
}
