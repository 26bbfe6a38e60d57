//! Preflight requests, and the CORS headers of answers.

use bucketry_contract::adapter::v1::EvaluateCorsResponse;

use crate::fixture::Bench;

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
