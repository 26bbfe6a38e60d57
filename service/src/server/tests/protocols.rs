//! How requests are recognised as gRPC or S3, and what each protocol offers.

use http::{Request, Response, Version};
use http_body_util::Full;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::*;

#[tokio::test]
async fn both_protocols_on_one_port() {
    let server = Server::plain().await;
    let response = http1(server.connect().await)
        .await
        .send_request(put("/x", "abc"))
        .await
        .unwrap();
    let id = response.headers()["x-amz-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(id.len(), 32);
    assert_eq!(text(response).await, format!("HTTP/1.1 Plaintext 3 {id}"));
    let response = http2(server.connect().await)
        .await
        .send_request(put("/x", "abcd"))
        .await
        .unwrap();
    let other = response.headers()["x-amz-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_ne!(id, other);
    assert_eq!(
        text(response).await,
        format!("HTTP/2.0 Plaintext 4 {other}")
    );
}

#[tokio::test]
async fn grpc_has_health_and_both_reflections() {
    let server = Server::plain().await;
    let channel = Endpoint::from_shared(format!("http://{}", server.address))
        .unwrap()
        .connect_lazy();
    let answer = HealthClient::new(channel.clone())
        .check(HealthCheckRequest::default())
        .await
        .unwrap();
    assert_eq!(
        answer
            .metadata()
            .get("x-request-id")
            .unwrap()
            .as_encoded_bytes()
            .len(),
        32
    );
    assert_eq!(answer.into_inner().status(), ServingStatus::Serving);

    {
        use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
        use tonic_reflection::pb::v1::{
            ServerReflectionRequest, server_reflection_request::MessageRequest,
        };
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::FileContainingSymbol(
                "bucketry.v1.TokenService".into(),
            )),
        };
        let stream = ServerReflectionClient::new(channel.clone())
            .server_reflection_info(tokio_stream::once(request))
            .await
            .unwrap();
        let answer = stream.into_inner().message().await.unwrap().unwrap();
        assert!(
            format!("{answer:?}").contains("FileDescriptorResponse"),
            "{answer:?}"
        );
        // The details of every refusal.
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::FileContainingSymbol(
                "google.rpc.ErrorInfo".into(),
            )),
        };
        let stream = ServerReflectionClient::new(channel.clone())
            .server_reflection_info(tokio_stream::once(request))
            .await
            .unwrap();
        let answer = stream.into_inner().message().await.unwrap().unwrap();
        assert!(
            format!("{answer:?}").contains("FileDescriptorResponse"),
            "{answer:?}"
        );
    }
    {
        use tonic_reflection::pb::v1alpha::server_reflection_client::ServerReflectionClient;
        use tonic_reflection::pb::v1alpha::{
            ServerReflectionRequest, server_reflection_request::MessageRequest,
        };
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let stream = ServerReflectionClient::new(channel)
            .server_reflection_info(tokio_stream::once(request))
            .await
            .unwrap();
        let answer = format!(
            "{:?}",
            stream.into_inner().message().await.unwrap().unwrap()
        );
        assert!(
            answer.contains("grpc.health.v1.Health") && !answer.contains("TokenService"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn only_all_signs_together_make_a_request_grpc() {
    const HEALTH: &str = "/grpc.health.v1.Health/Check";
    let server = Server::plain().await;
    let mut h2 = http2(server.connect().await).await;
    let mut h1 = http1(server.connect().await).await;
    let request = |method: &str, path: &str, content_type: &str| {
        Request::builder()
            .method(method)
            .uri(format!("http://localhost{path}"))
            .header("content-type", content_type)
            .body(Full::default())
            .unwrap()
    };
    let grpc = |response: &Response<_>| response.headers().contains_key("grpc-status");
    for path in [
        HEALTH,
        "/grpc.health.v1.Health/NoSuchMethod",
        "/grpc.health.v1.Unknown/Check",
        "/grpc.health.v1.Health",
    ] {
        for content_type in ["application/grpc", "application/grpc+proto"] {
            let response = h2
                .send_request(request("POST", path, content_type))
                .await
                .unwrap();
            assert!(grpc(&response), "{path} {content_type}: {response:?}");
        }
    }
    for (method, path, content_type) in [
        ("PUT", HEALTH, "application/grpc"),
        ("POST", HEALTH, "application/x-grpc"),
        // An S3 upload of that content type, begun in parts.
        ("POST", "/bucket/key?uploads", "application/grpc"),
    ] {
        let response = h2
            .send_request(request(method, path, content_type))
            .await
            .unwrap();
        assert!(!grpc(&response), "{method} {path} {content_type}");
        assert!(text(response).await.starts_with("HTTP/2.0"));
    }
    let response = h1
        .send_request(request("POST", HEALTH, "application/grpc"))
        .await
        .unwrap();
    assert!(text(response).await.starts_with("HTTP/1.1"));
}

#[tokio::test]
async fn tls_offers_both_protocols() {
    let (tls, root) = certificate();
    let server = Server::start(ConnectionLimits::default(), Some(tls)).await;
    for (offer, agreed) in [
        (&[b"h2".as_slice(), b"http/1.1"][..], Some(b"h2".as_slice())),
        (&[b"http/1.1"], Some(b"http/1.1")),
        (&[], None),
    ] {
        let stream = over_tls(&server, &root, offer).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), agreed);
        let response = if agreed == Some(b"h2") {
            http2(stream)
                .await
                .send_request(put("/x", ""))
                .await
                .unwrap()
        } else {
            http1(stream)
                .await
                .send_request(put("/x", ""))
                .await
                .unwrap()
        };
        assert!(text(response).await.contains("Tls"));
    }
}

#[tokio::test]
async fn http1_answers_keep_their_length() {
    let server = Server::plain().await;
    let uri = "http://localhost/x";
    let head = Request::head(uri)
        .header("host", "localhost")
        .body(Full::default())
        .unwrap();
    let response = http1(server.connect().await)
        .await
        .send_request(head)
        .await
        .unwrap();
    assert_eq!(response.version(), Version::HTTP_11);
    assert!(
        response.headers().contains_key("content-length"),
        "{response:?}"
    );
}
