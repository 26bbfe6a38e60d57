use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};
use serde_json::json;

use crate::config::PublicUrl;

/// The built console. `clients/console` is its source.
#[derive(RustEmbed)]
#[folder = "../clients/console/dist"]
struct Dist;

const INDEX: &str = "index.html";

/// Path of the facts about the server.
const SERVER: &str = "console.json";

/// The folder of files whose names change with their content.
const HASHED: &str = "assets/";

/// The console's files, and the description of the server that it shows.
#[derive(Debug)]
pub struct ConsoleFiles {
    server: Bytes,
    content_security_policy: HeaderValue,
}

impl ConsoleFiles {
    /// Of a server whose objects are at `data`, and whose S3 region is `region`.
    ///
    /// # Errors
    /// If the URL cannot stand in a header.
    pub fn new(data: &PublicUrl, region: &str) -> Result<Self, header::InvalidHeaderValue> {
        let server = json!({
            "endpoint": data.as_str(),
            "region": region,
            "version": env!("CARGO_PKG_VERSION"),
        });
        Ok(Self {
            server: server.to_string().into(),
            content_security_policy: content_security_policy(data.as_str()).parse()?,
        })
    }

    /// The answer to a request for a file.
    pub(crate) fn answer<B>(&self, request: &Request<B>) -> Response<Bytes> {
        let mut response = match *request.method() {
            Method::GET | Method::HEAD => self.file(request.uri().path(), request.headers()),
            _ => {
                let mut refused = empty(StatusCode::METHOD_NOT_ALLOWED);
                let allowed = HeaderValue::from_static("GET, HEAD");
                refused.headers_mut().insert(header::ALLOW, allowed);
                refused
            }
        };
        if *request.method() == Method::HEAD {
            let length = response.body().len().into();
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, length);
            *response.body_mut() = Bytes::new();
        }
        let headers = response.headers_mut();
        let policy = self.content_security_policy.clone();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        for (name, value) in SECURITY {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    fn file(&self, path: &str, headers: &HeaderMap) -> Response<Bytes> {
        let name = match path.strip_prefix('/') {
            Some("") => INDEX,
            Some(name) => name,
            None => return empty(StatusCode::NOT_FOUND),
        };
        if name == SERVER {
            let mut response = Response::new(self.server.clone());
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            let never = HeaderValue::from_static("no-store");
            response.headers_mut().insert(header::CACHE_CONTROL, never);
            return response;
        }
        match Dist::get(name) {
            Some(file) => embedded(name, file, headers),
            None => empty(StatusCode::NOT_FOUND),
        }
    }
}

/// Headers of every answer, besides the content security policy.
const SECURITY: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // For browsers that do not know `frame-ancestors`.
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Only the console's own files run and style the page; only objects come from elsewhere, from the data endpoint.
fn content_security_policy(data: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {data}; \
         img-src 'self' data: blob: {data}; media-src {data}; frame-src {data}; font-src 'self'; form-action 'none'; \
         frame-ancestors 'none'; base-uri 'none'"
    )
}

fn embedded(name: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response<Bytes> {
    let tag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    let unchanged = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = match unchanged {
        true => empty(StatusCode::NOT_MODIFIED),
        false => Response::new(match file.data {
            std::borrow::Cow::Borrowed(data) => Bytes::from_static(data),
            std::borrow::Cow::Owned(data) => Bytes::from(data),
        }),
    };
    let caching = match name.starts_with(HASHED) {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let to = response.headers_mut();
    to.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        to.insert(header::ETAG, tag);
    }
    let kind = match file.metadata.mimetype() {
        text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    };
    if let Ok(kind) = HeaderValue::try_from(kind) {
        to.insert(header::CONTENT_TYPE, kind);
    }
    response
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(method: Method, path: &str, if_none_match: &str) -> Response<Bytes> {
        let data = "http://localhost:9000".parse().unwrap();
        let files = ConsoleFiles::new(&data, "us-east-1").unwrap();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::IF_NONE_MATCH, if_none_match);
        files.answer(&request.body(()).unwrap())
    }

    fn header(response: &Response<Bytes>, name: HeaderName) -> String {
        let value = response.headers().get(&name);
        value.map_or("", |value| value.to_str().unwrap()).to_owned()
    }

    #[test]
    fn the_page_and_the_description_of_the_server_are_served() {
        let page = answer(Method::GET, "/", "");
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(
            header(&page, header::CONTENT_TYPE),
            "text/html; charset=utf-8"
        );
        assert!(page.body().starts_with(b"<!doctype html>"));
        let server = answer(Method::GET, "/console.json", "");
        let described: serde_json::Value = serde_json::from_slice(server.body()).unwrap();
        assert_eq!(described["endpoint"], "http://localhost:9000");
    }

    #[test]
    fn a_page_that_is_known_is_not_sent_again() {
        let tag = header(&answer(Method::GET, "/", ""), header::ETAG);
        let again = answer(Method::GET, "/", &tag);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert!(again.body().is_empty());
    }

    /// Over HTTP/2, content in an answer to HEAD is a protocol error.
    #[test]
    fn head_has_the_length_of_the_page_and_no_content() {
        let page = answer(Method::GET, "/", "");
        let head = answer(Method::HEAD, "/", "");
        assert!(head.body().is_empty());
        let length = header(&head, header::CONTENT_LENGTH);
        assert_eq!(length, page.body().len().to_string());
    }

    #[test]
    fn every_answer_has_the_security_headers() {
        for (method, path, status) in [
            (Method::GET, "/", StatusCode::OK),
            (Method::GET, "/../Cargo.toml", StatusCode::NOT_FOUND),
            (Method::GET, "//index.html", StatusCode::NOT_FOUND),
            (Method::POST, "/", StatusCode::METHOD_NOT_ALLOWED),
        ] {
            let response = answer(method, path, "");
            assert_eq!(response.status(), status, "{path}");
            let policy = header(&response, header::CONTENT_SECURITY_POLICY);
            assert!(policy.contains("frame-ancestors 'none'"), "{path}");
            assert!(policy.contains("connect-src 'self' http://localhost:9000;"));
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(header(&response, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
            assert_eq!(header(&response, header::REFERRER_POLICY), "no-referrer");
        }
    }
}
