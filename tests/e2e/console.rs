//! The console's listener: its files, and calls by gRPC-Web.

use std::net::SocketAddr;

use bucketry_contract::v1::{
    CreateBucketRequest, CreateChallengeRequest, ListBucketsRequest, ListBucketsResponse,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::{Request, Response, exchange};
use bucketry_tests::server::{ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server, ServerOptions};
use prost::Message;

/// Flags a frame of gRPC-Web that holds trailers.
const TRAILERS: u8 = 0x80;

pub(crate) fn console(server: &Server) -> Result<SocketAddr, HarnessError> {
    let mut lines = server.greeting().iter();
    lines
        .find_map(|line| line.strip_prefix("# The console: http://localhost:"))
        .and_then(|port| format!("127.0.0.1:{port}").parse().ok())
        .ok_or(HarnessError::Incomplete("address of the console"))
}

fn start() -> Result<Server, HarnessError> {
    Server::start(ServerOptions::new().console("127.0.0.1:0"))
}

fn call(method: &str, message: &impl Message) -> Request {
    let encoded = message.encode_to_vec();
    let mut body = vec![0];
    body.extend(u32::try_from(encoded.len()).unwrap().to_be_bytes());
    body.extend(encoded);
    Request::new("POST", &format!("/bucketry.v1.{method}"))
        .header("content-type", "application/grpc-web+proto")
        .header("content-length", &body.len().to_string())
        .body(body)
}

fn list() -> Request {
    call("ObjectService/ListBuckets", &ListBucketsRequest::default())
}

fn as_root(request: Request) -> Request {
    let bearer = format!("Bearer {ROOT_ACCESS_KEY_ID}.{ROOT_SECRET_ACCESS_KEY}");
    request.header("authorization", &bearer)
}

/// The frames of an answer, each with its flag.
fn frames(response: &Response) -> Vec<(u8, Vec<u8>)> {
    let mut rest = response.body.as_slice();
    let mut found = Vec::new();
    while let [flag, a, b, c, d, tail @ ..] = rest {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let (content, next) = tail.split_at(length);
        found.push((*flag, content.to_vec()));
        rest = next;
    }
    found
}

/// The status of a call: in the trailers' frame, or among the headers if it was refused at once.
fn status(response: &Response) -> String {
    assert_eq!(response.status, 200);
    if let Some(status) = response.find("grpc-status") {
        return status.to_owned();
    }
    let frames = frames(response);
    let (_, trailers) = frames.iter().find(|(flag, _)| *flag == TRAILERS).unwrap();
    let trailers = String::from_utf8_lossy(trailers).into_owned();
    let line = trailers
        .lines()
        .find_map(|line| line.strip_prefix("grpc-status:"));
    line.unwrap().trim().to_owned()
}

#[test]
fn a_page_of_the_console_calls_the_services() -> Result<(), HarnessError> {
    let server = start()?;
    let address = console(&server)?;
    let origin = format!("http://{address}");
    let create = CreateBucketRequest {
        bucket: "from-a-page".to_owned(),
        ..Default::default()
    };
    let create = as_root(call("ObjectService/CreateBucket", &create)).header("origin", &origin);
    let created = exchange(address, create)?;
    assert_eq!(status(&created), "0");
    let kind = created.find("content-type").unwrap_or("");
    assert!(kind.starts_with("application/grpc-web"), "{kind}");
    assert!(created.find("x-request-id").is_some());
    let listed = exchange(address, as_root(list()).header("origin", &origin))?;
    let frames = frames(&listed);
    let answer = ListBucketsResponse::decode(frames[0].1.as_slice()).expect("a message");
    assert_eq!(answer.buckets[0].name, "from-a-page");
    Ok(())
}

#[test]
fn refusals_reach_the_page_with_their_status() -> Result<(), HarnessError> {
    let server = start()?;
    let address = console(&server)?;
    let anonymous = exchange(address, list())?;
    assert_eq!(status(&anonymous), "16");
    assert!(anonymous.find("x-request-id").is_some());
    let unknown = call("ObjectService/Nothing", &ListBucketsRequest::default());
    assert_eq!(status(&exchange(address, as_root(unknown))?), "12");
    // A challenge needs no credentials, only a nonce of the right length.
    let challenge = CreateChallengeRequest {
        access_key_id: ROOT_ACCESS_KEY_ID.to_owned(),
        client_nonce: vec![7; 31].into(),
    };
    let refused = exchange(address, call("TokenService/CreateChallenge", &challenge))?;
    assert_eq!(status(&refused), "3");
    Ok(())
}

#[test]
fn pages_of_other_origins_cannot_call() -> Result<(), HarnessError> {
    let server = start()?;
    let address = console(&server)?;
    for origin in ["http://evil.example", "null", "https://localhost:9001"] {
        let refused = exchange(address, as_root(list()).header("origin", origin))?;
        assert_eq!(refused.status, 403, "{origin}");
        assert_eq!(refused.find("access-control-allow-origin"), None);
    }
    Ok(())
}

#[test]
fn the_console_serves_no_objects_and_the_data_listener_no_console() -> Result<(), HarnessError> {
    let server = start()?;
    let address = console(&server)?;
    let page = exchange(address, Request::new("GET", "/"))?;
    assert_eq!(page.status, 200);
    assert!(
        page.text().starts_with("<!doctype html>"),
        "{}",
        page.text()
    );
    let policy = page.find("content-security-policy").unwrap_or("");
    let data = format!(
        "connect-src 'self' http://localhost:{};",
        server.address().port()
    );
    assert!(policy.contains(&data), "{policy}");
    let object = exchange(address, Request::new("GET", "/bucket/key"))?;
    assert_eq!((object.status, object.text()), (404, String::new()));
    let on_data = exchange(server.address(), as_root(list()))?;
    assert_ne!(on_data.status, 200);
    let native = Request::new("POST", "/bucketry.v1.ObjectService/ListBuckets")
        .header("content-type", "application/grpc");
    assert_eq!(exchange(address, as_root(native))?.status, 405);
    Ok(())
}

#[test]
fn an_address_that_is_taken_is_named_with_its_setting() -> Result<(), HarnessError> {
    let server = start()?;
    let taken = console(&server)?;
    let second = Server::start(ServerOptions::new().console(&taken.to_string()));
    let refused = second.expect_err("the address is taken").to_string();
    assert!(refused.contains(&taken.to_string()), "{refused}");
    Ok(())
}

#[test]
fn a_configured_origin_may_call_on_both_listeners() -> Result<(), HarnessError> {
    const ORIGIN: &str = "https://console.example.com";
    let options = ServerOptions::new()
        .console("127.0.0.1:0")
        .argument(format!("--grpc-web-origin={ORIGIN}"));
    let server = Server::start(options)?;
    for address in [console(&server)?, server.address()] {
        let preflight = Request::new("OPTIONS", "/bucketry.v1.ObjectService/ListBuckets")
            .header("origin", ORIGIN)
            .header("access-control-request-method", "POST");
        let allowed = exchange(address, preflight)?;
        assert_eq!(allowed.status, 204);
        assert_eq!(allowed.find("access-control-allow-origin"), Some(ORIGIN));
        let names = allowed.find("access-control-allow-headers").unwrap_or("");
        assert!(names.contains("authorization"), "{names}");
        for (request, expected) in [(as_root(list()), "0"), (list(), "16")] {
            let answer = exchange(address, request.header("origin", ORIGIN))?;
            assert_eq!(status(&answer), expected);
            assert_eq!(answer.find("access-control-allow-origin"), Some(ORIGIN));
            let names = answer.find("access-control-expose-headers").unwrap_or("");
            assert!(names.contains("grpc-status-details-bin"), "{names}");
        }
        let foreign = exchange(
            address,
            as_root(list()).header("origin", "https://evil.example"),
        )?;
        assert_ne!(foreign.status, 200);
        assert_eq!(foreign.find("access-control-allow-origin"), None);
    }
    Ok(())
}
