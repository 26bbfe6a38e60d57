//! XML: what a parser could be made to do.

use std::net::TcpListener;
use std::time::SystemTime;

use bucketry_contract::v1::{Bucket, CorsConfiguration, CorsRule, UpdateBucketRequest};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::{Connection, Request, Response};
use bucketry_tests::server::{ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY};
use bucketry_tests::sigv4::{Payload, Signer};
use prost_types::FieldMask;
use tonic::Code;

use super::super::raw::{digest, io, peak_memory};
use crate::wire::{BUCKET, Wire, refusal, refused, with_body};

/// Far above what any of these documents may cost, far below what they would cost if they were expanded.
const MEMORY_BOUND: u64 = 64 * 1024 * 1024;

fn delete(wire: &Wire, document: &[u8]) -> Result<Response, HarnessError> {
    let request = Request::new("POST", &format!("/{BUCKET}?delete"))
        .header("host", &wire.server.address().to_string())
        .header("x-amz-checksum-sha256", &digest(document));
    wire.send(wire.signed(with_body(request, document))?)
}

fn document(inner: &str) -> Vec<u8> {
    format!("<Delete>{inner}</Delete>").into_bytes()
}

fn utf16(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().flat_map(u16::to_be_bytes);
    [0xfe, 0xff].into_iter().chain(units).collect()
}

fn hostile(listener: &TcpListener) -> Vec<(&'static str, Vec<u8>)> {
    let mut lol = "<!DOCTYPE l [<!ENTITY l0 \"lol\">".to_owned();
    for level in 1..10 {
        let below = format!("&l{};", level - 1).repeat(10);
        lol.push_str(&format!("<!ENTITY l{level} \"{below}\">"));
    }
    lol.push_str("]><Delete><Object><Key>&l9;</Key></Object></Delete>");
    let external = |system: &str| {
        let kind = format!("<!DOCTYPE d [<!ENTITY x SYSTEM \"{system}\">]>");
        [
            kind.into_bytes(),
            document("<Object><Key>&x;</Key></Object>"),
        ]
        .concat()
    };
    let here = listener.local_addr().unwrap();
    let key = |key: &str| document(&format!("<Object><Key>{key}</Key></Object>"));
    let attributes = (0..100_000).map(|number| format!(" a{number}=''"));
    let attributes: String = attributes.collect();
    vec![
        ("a billion laughs", lol.into_bytes()),
        ("a file", external("file:///etc/passwd")),
        ("a page", external(&format!("http://{here}/"))),
        (
            "a definition elsewhere",
            format!("<!DOCTYPE d SYSTEM \"http://{here}/\"><Delete/>").into_bytes(),
        ),
        ("attributes", format!("<Delete{attributes}/>").into_bytes()),
        (
            "attributes within",
            document(&format!("<Object{attributes}/>")),
        ),
        ("levels", "<a>".repeat(10_000).into_bytes()),
        ("levels within", document(&"<a>".repeat(10_000))),
        (
            "UTF-16",
            utf16("<Delete><Object><Key>k</Key></Object></Delete>"),
        ),
        (
            "another root",
            b"<Remove><Object><Key>k</Key></Object></Remove>".to_vec(),
        ),
        ("two roots", [document(""), document("")].concat()),
        ("text around", [b"x".to_vec(), key("k")].concat()),
        ("a control character", key("a\u{1}b")),
        ("a character beyond all", key("&#x110000;")),
        ("half a character", key("&#xd800;")),
        ("an entity of nobody", key("&nbsp;")),
        ("NUL", key("a\0b")),
        (
            "invalid UTF-8",
            [b"<Delete><Object><Key>\xff".to_vec(), document("")].concat(),
        ),
        (
            "an end too few",
            b"<Delete><Object><Key>k</Key></Object>".to_vec(),
        ),
        ("nothing but a beginning", b"<".to_vec()),
        ("an attribute twice", b"<Delete a='1' a='2'/>".to_vec()),
    ]
}

/// Entities, external definitions, masses of attributes, levels and characters: refused, quickly and without memory,
/// and nobody is asked.
#[tokio::test]
async fn hostile_xml_documents_are_refused_cheaply() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let listener = TcpListener::bind("127.0.0.1:0").map_err(io("listen"))?;
    listener.set_nonblocking(true).map_err(io("listen"))?;
    let before = peak_memory(&wire.server);
    for (name, document) in hostile(&listener) {
        let response = delete(&wire, &document)?;
        let shown: String = response.text().chars().take(400).collect();
        assert_eq!(
            refusal(&response),
            refused(400, "MalformedXML"),
            "{name}: {shown}"
        );
        assert!(!shown.contains("root:"), "{name}: {shown}");
    }
    assert!(listener.accept().is_err(), "a document made the server ask");
    let grown = peak_memory(&wire.server) - before;
    assert!(grown < MEMORY_BOUND, "{grown} bytes");
    assert_eq!(wire.get("k")?.body, b"content");
    Ok(())
}

/// A document announced with 50 MB is read as far as documents go, then refused; it is never held.
#[tokio::test]
async fn a_document_of_50_megabytes_is_not_held() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let before = peak_memory(&wire.server);
    let document = document(&" ".repeat(50_000_000));
    let request = Request::new("POST", &format!("/{BUCKET}?delete"))
        .header("host", &wire.server.address().to_string())
        .header("x-amz-checksum-sha256", &digest(&document));
    let request = wire.signed(with_body(request, &document))?;
    let mut connection = Connection::open(wire.server.address())?;
    connection.send(&request.head())?;
    connection.send(&document[..3 * 1024 * 1024])?;
    let answer = connection.receive("POST")?;
    assert_eq!(
        refusal(&answer),
        refused(400, "MaxMessageLengthExceeded"),
        "{}",
        answer.text()
    );
    assert_eq!(answer.find("connection"), Some("close"));
    let grown = peak_memory(&wire.server) - before;
    assert!(grown < 32 * 1024 * 1024, "{grown} bytes");
    Ok(())
}

/// What clients send is taken: the namespace, a prefix, none, a byte-order mark, comments, elements nobody knows.
#[tokio::test]
async fn documents_as_clients_write_them_are_accepted() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let object = "<Object><Key>k</Key></Object>";
    let prefixed = "<s:Object><s:Key>k</s:Key></s:Object>";
    let namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    for document in [
        format!("<Delete xmlns=\"{namespace}\">{object}</Delete>"),
        format!("<s:Delete xmlns:s=\"{namespace}\">{prefixed}</s:Delete>"),
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Delete>{object}</Delete>\n"),
        format!("\u{feff}<Delete><!-- a comment -->{object}</Delete>"),
        "<Delete><Object><Key><![CDATA[k]]></Key></Object></Delete>".to_owned(),
    ] {
        wire.put("k", b"content")?;
        let response = delete(&wire, document.as_bytes())?;
        assert_eq!(response.status, 200, "{document}: {}", response.text());
        assert_eq!(wire.get("k")?.status, 404, "{document}");
    }
    // Keys may have characters that XML has no other way to say.
    let odd = wire.request("PUT", "a%01b");
    assert_eq!(wire.send(wire.signed(with_body(odd, b"x"))?)?.status, 200);
    let by_number = b"<Delete><Object><Key>a&#1;b</Key></Object></Delete>";
    assert_eq!(delete(&wire, by_number)?.status, 200);
    assert_eq!(wire.get("a%01b")?.status, 404);
    Ok(())
}

/// A rule that would write a header of its own into every answer.
#[tokio::test]
async fn line_ends_in_cors_rules_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let signer = Signer::new(ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY);
    let rule = |origin: &str, method: &str, header: &str, expose: &str| {
        format!(
            "<CORSConfiguration><CORSRule><AllowedOrigin>{origin}</AllowedOrigin>\
             <AllowedMethod>{method}</AllowedMethod><AllowedHeader>{header}</AllowedHeader>\
             <ExposeHeader>{expose}</ExposeHeader></CORSRule></CORSConfiguration>"
        )
    };
    let put = |document: &str| {
        let request = Request::new("PUT", &format!("/{BUCKET}?cors"))
            .header("host", &wire.server.address().to_string());
        let request = with_body(request, document.as_bytes());
        let now = SystemTime::now();
        wire.send(signer.header(request, now, Payload::Signed)?)
    };
    assert_eq!(put(&rule("*", "GET", "x-a", "x-b"))?.status, 200);
    let injected = "x&#13;&#10;Set-Cookie: a=b";
    for document in [
        rule(injected, "GET", "x-a", "x-b"),
        rule("*", injected, "x-a", "x-b"),
        rule("*", "GET", injected, "x-b"),
        rule("*", "GET", "x-a", injected),
        rule("*", "GET", "x-a", "x\ny"),
    ] {
        let response = put(&document)?;
        assert_eq!(response.status, 400, "{document}: {}", response.text());
    }
    let mut root = Clients::root(&wire.server).await?;
    let request = |expose: &str| UpdateBucketRequest {
        bucket: Some(Bucket {
            name: BUCKET.to_owned(),
            cors: Some(CorsConfiguration {
                rules: vec![CorsRule {
                    allowed_origins: vec!["*".to_owned()],
                    allowed_methods: vec!["GET".to_owned()],
                    expose_headers: vec![expose.to_owned()],
                    ..Default::default()
                }],
            }),
            ..Default::default()
        }),
        update_mask: Some(FieldMask {
            paths: vec!["cors".to_owned()],
        }),
    };
    let refused = root
        .objects
        .update_bucket(request("x\r\nSet-Cookie: a=b"))
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    let asked = wire
        .request("GET", "k")
        .header("origin", "http://example.com");
    let answer = wire.send(wire.signed(asked)?)?;
    assert_eq!(answer.find("access-control-expose-headers"), Some("x-b"));
    assert_eq!(answer.find("set-cookie"), None);
    Ok(())
}
