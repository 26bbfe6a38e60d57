//! Uploads by HTML form over real sockets: S3's rules on fields, policies and answers, and what must be refused.

mod form;
mod policies;
mod version_2;

use bucketry_contract::v1::{Permission, RevokeTokenRequest};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::{Connection, Request, Response};

use self::form::{BOUNDARY, Form};
use crate::wire::{BUCKET, Wire, refusal, refused, signer};

fn assert_not_stored(wire: &Wire, key: &str) -> Result<(), HarnessError> {
    assert_eq!(refusal(&wire.get(key)?), refused(404, "NoSuchKey"), "{key}");
    Ok(())
}

#[tokio::test]
async fn a_file_with_all_that_a_form_may_say_of_it() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let tags = "<Tagging><TagSet><Tag><Key>t</Key><Value>v</Value></Tag></TagSet></Tagging>";
    let form = Form::new("u/${filename}")
        .open("key", "u/")
        .field("Content-Type", "text/plain")
        .field("Content-Disposition", "attachment")
        .field("Cache-Control", "no-store")
        .field("x-amz-meta-Colour", "blue \u{e9}")
        .field("x-amz-checksum-crc32c", "4waSgw==")
        .field("acl", "private")
        .field("tagging", tags)
        .file("folder\\a b.txt", b"123456789");
    let posted = wire.send(form.signed(&wire.signer))?;
    assert_eq!((posted.status, posted.text().as_str()), (204, ""));
    assert_eq!(posted.find("x-amz-checksum-crc32c"), Some("4waSgw=="));
    let location = posted.find("location").unwrap_or_default().to_owned();
    assert!(
        location.ends_with(&format!("/{BUCKET}/u/a%20b.txt")),
        "{location}"
    );
    let got = wire.get("u/a%20b.txt")?;
    assert_eq!((got.status, got.text().as_str()), (200, "123456789"));
    assert_eq!(got.find("etag"), posted.find("etag"));
    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-disposition", "attachment"),
        ("cache-control", "no-store"),
        ("x-amz-tagging-count", "1"),
    ] {
        assert_eq!(got.find(name), Some(value), "{name}");
    }
    let colour = Some("=?UTF-8?Q?blue_=C3=A9?=");
    assert_eq!(got.find("x-amz-meta-colour"), colour);
    Ok(())
}

/// The policy of S3's own documentation, but for names and dates, and its form with a button behind the file.
#[tokio::test]
async fn the_documented_form() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let form = Form::new("user/user1/${filename}")
        .open("key", "user/user1/")
        .field("acl", "private")
        .field(
            "success_action_redirect",
            "http://example.com/successful_upload.html",
        )
        .open_field("Content-Type", "image/", "image/jpeg")
        .field("x-amz-meta-uuid", "14365123651274")
        .open_field("x-amz-meta-tag", "", "")
        .file("photo.jpg", b"not really")
        .after_file("submit", "Upload to Amazon S3");
    let posted = wire.send(form.signed(&wire.signer))?;
    assert_eq!(posted.status, 303, "{}", posted.text());
    let etag = posted.find("etag").unwrap_or_default().replace('"', "%22");
    let expected = format!(
        "http://example.com/successful_upload.html?bucket={BUCKET}&key=user%2Fuser1%2Fphoto.jpg&etag={etag}"
    );
    assert_eq!(posted.find("location"), Some(expected.as_str()));
    assert_eq!(wire.get("user/user1/photo.jpg")?.text(), "not really");
    Ok(())
}

#[tokio::test]
async fn answers_as_asked_for() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let post = |status: &str| {
        let form = Form::new("a&b")
            .field("success_action_status", status)
            .file("x", b"1");
        wire.send(form.signed(&wire.signer))
    };
    for (asked, status) in [("200", 200), ("204", 204), ("404", 204)] {
        let answer = post(asked)?;
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (status, ""),
            "{asked}"
        );
    }
    let created = post("201")?;
    assert_eq!(created.status, 201);
    for (element, value) in [
        ("Bucket", BUCKET),
        ("Key", "a&amp;b"),
        ("ETag", "&quot;c4ca4238a0b923820dcc509a6f75849b&quot;"),
    ] {
        assert_eq!(created.element(element).as_deref(), Some(value));
    }
    let location = created.element("Location").unwrap_or_default();
    assert!(
        location.ends_with(&format!("/{BUCKET}/a%26b")),
        "{location}"
    );
    Ok(())
}

#[tokio::test]
async fn buckets_in_the_host_name() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut request = Form::new("k").file("x", b"content").signed(&wire.signer);
    request.target = "/".to_owned();
    request.headers.retain(|(name, _)| name != "host");
    let host = format!("{BUCKET}.localhost:{}", wire.server.address().port());
    assert_eq!(wire.send(request.header("host", &host))?.status, 204);
    assert_eq!(wire.get("k")?.text(), "content");
    Ok(())
}

#[tokio::test]
async fn a_large_file_in_pieces_and_the_connection_goes_on() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    // Full of what could be the beginning of a boundary.
    let content = format!("\r\n--{BOUNDARY}").into_bytes();
    let content: Vec<u8> = content[..content.len() - 1].repeat(400_000);
    let request = Form::new("large").file("x", &content).signed(&wire.signer);
    let request = request.header("host", &wire.server.address().to_string());
    let mut connection = Connection::open(wire.server.address())?;
    assert_eq!(connection.exchange(&request)?.status, 204);
    let got = connection.exchange(&wire.signed(wire.request("GET", "large"))?)?;
    assert_eq!(got.body.len(), content.len());
    assert!(got.body == content);
    let refused_form = Form::new("v")
        .open("key", "u/")
        .file("x", b"1")
        .signed(&wire.signer);
    let refused_form = refused_form.header("host", &wire.server.address().to_string());
    assert_eq!(connection.exchange(&refused_form)?.status, 403);
    assert_eq!(connection.exchange(&request)?.status, 204);
    Ok(())
}

#[tokio::test]
async fn a_form_that_breaks_off_stores_nothing() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let request = Form::new("k")
        .file("x", b"content of the file")
        .signed(&wire.signer);
    let request = request.header("host", &wire.server.address().to_string());
    let step = request.body.len() / 40;
    for cut in (0..request.body.len()).step_by(step) {
        let mut connection = Connection::open(wire.server.address())?;
        connection.send(&request.head())?;
        connection.send(&request.body[..cut])?;
        drop(connection);
        // The same bytes as a whole request: the form ends too early.
        let mut short = request.clone();
        short.body.truncate(cut);
        short.headers.retain(|(name, _)| name != "content-length");
        let short = short.header("content-length", &cut.to_string());
        assert_eq!(
            refusal(&wire.send(short)?),
            refused(400, "MalformedPOSTRequest"),
            "{cut}"
        );
    }
    assert_not_stored(&wire, "k")
}

#[tokio::test]
async fn signatures() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let form = || Form::new("k").file("x", b"1");
    let mut stranger = wire.signer.clone();
    stranger.secret_access_key.push('x');
    let answer = wire.send(form().signed(&stranger))?;
    assert_eq!(refusal(&answer), refused(403, "SignatureDoesNotMatch"));
    assert!(answer.element("StringToSign").is_some());
    assert_eq!(answer.element("CanonicalRequest"), None);
    let mut unknown = wire.signer.clone();
    unknown.access_key_id = "BKTYUNKNOWN123456789".to_owned();
    assert_eq!(
        refusal(&wire.send(form().signed(&unknown))?),
        refused(403, "InvalidAccessKeyId")
    );
    let mut elsewhere = wire.signer.clone();
    elsewhere.region = "xx".to_owned();
    let answer = wire.send(form().signed(&elsewhere))?;
    assert_eq!(refusal(&answer), refused(400, "InvalidArgument"));
    assert_eq!(answer.element("Region").as_deref(), Some("us-east-1"));
    for (name, value, status) in [
        ("x-amz-algorithm", "AWS4-HMAC-SHA512", 400),
        ("x-amz-credential", "nothing", 400),
        ("x-amz-date", "yesterday", 400),
        ("x-amz-signature", "not hex", 403),
    ] {
        let answer = wire.send(form().signed(&wire.signer.clone()).clone())?;
        assert_eq!(answer.status, 204);
        let answer = wire.send(form().signed_but(&wire.signer, name, Some(value)))?;
        if status == 403 {
            assert_eq!(refusal(&answer), refused(403, "SignatureDoesNotMatch"));
            assert_eq!(answer.element("SignatureProvided").as_deref(), Some(value));
        } else {
            assert_eq!(refusal(&answer), refused(400, "InvalidArgument"), "{name}");
            assert_eq!(answer.element("ArgumentName").as_deref(), Some(name));
        }
        let answer = wire.send(form().signed_but(&wire.signer, name, None))?;
        assert_eq!(
            refusal(&answer),
            refused(400, "InvalidArgument"),
            "without {name}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn other_mechanisms_and_none() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let form = || Form::new("k").file("x", b"1");
    assert_eq!(
        refusal(&wire.send(form().unsigned())?),
        refused(403, "AccessDenied")
    );
    let old = form()
        .loose("AWSAccessKeyId", "AK")
        .loose("signature", "c2ln")
        .signed(&wire.signer);
    assert_eq!(refusal(&wire.send(old)?), refused(400, "InvalidArgument"));
    let token = form()
        .field("x-amz-security-token", "t")
        .signed(&wire.signer);
    assert_eq!(refusal(&wire.send(token)?), refused(400, "InvalidToken"));
    let both = form()
        .signed(&wire.signer)
        .header("authorization", "AWS AK:c2ln");
    assert_eq!(refusal(&wire.send(both)?), refused(400, "InvalidArgument"));
    let header = form().signed(&wire.signer).header("x-amz-acl", "private");
    let answer = wire.send(header)?;
    assert_eq!(refusal(&answer), refused(403, "AccessDenied"));
    assert_eq!(
        answer.element("HeadersNotSigned").as_deref(),
        Some("x-amz-acl")
    );
    let foreign = form()
        .signed(&wire.signer)
        .header("authorization", "Bearer x");
    assert_eq!(wire.send(foreign)?.status, 204);
    Ok(())
}

#[tokio::test]
async fn what_is_no_form() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for content_type in [
        None,
        Some("application/json"),
        Some("multipart/form-data"),
        Some("multipart/mixed; boundary=a"),
    ] {
        let mut request = Request::new("POST", &format!("/{BUCKET}")).header("content-length", "0");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        assert_eq!(
            refusal(&wire.send(request)?),
            refused(412, "PreconditionFailed"),
            "{content_type:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn values_that_are_not_honoured_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    for (name, value, status, code) in [
        ("acl", "public-read", 400, "AccessControlListNotSupported"),
        ("x-amz-storage-class", "GLACIER", 501, "NotImplemented"),
        (
            "x-amz-server-side-encryption",
            "AES256",
            501,
            "NotImplemented",
        ),
        ("If-None-Match", "*", 501, "NotImplemented"),
        ("x-amz-checksum-crc32c", "AAAAAA==", 400, "BadDigest"),
        ("x-amz-checksum-crc32c", "x", 400, "InvalidRequest"),
        ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==", 400, "BadDigest"),
        ("tagging", "<Tagging>", 400, "MalformedXML"),
        (
            "x-amz-meta-a",
            "x\r\nset-cookie: a=b",
            400,
            "InvalidArgument",
        ),
    ] {
        let form = Form::new("k").field(name, value).file("x", b"content");
        let answer = wire.send(form.signed(&wire.signer))?;
        assert_eq!(refusal(&answer), refused(status, code), "{name}: {value}");
    }
    assert_not_stored(&wire, "k")
}

#[tokio::test]
async fn permissions_and_addresses() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    let form = |key: &str| Form::new(key).file("x", b"1");
    let (_, write_only) = root.create_token(BUCKET, Permission::WriteOnly).await?;
    assert_eq!(
        wire.send(form("wo").signed(&signer(&write_only)))?.status,
        204
    );
    let (_, read_only) = root.create_token(BUCKET, Permission::ReadOnly).await?;
    let answer = wire.send(form("ro").signed(&signer(&read_only)))?;
    assert_eq!(refusal(&answer), refused(403, "AccessDenied"));
    root.create_bucket("another-form-bucket").await?;
    let (_, other) = root
        .create_token("another-form-bucket", Permission::ReadWrite)
        .await?;
    let answer = wire.send(form("other").signed(&signer(&other)))?;
    assert_eq!(refusal(&answer), refused(403, "AccessDenied"));
    let (token, limited) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    form::forbid_loopback(&mut root, &token).await?;
    let answer = wire.send(form("ip").signed(&signer(&limited)))?;
    assert_eq!(refusal(&answer), refused(403, "AccessDenied"));
    for key in ["ro", "other", "ip"] {
        assert_not_stored(&wire, key)?;
    }
    Ok(())
}

/// The file is on its way when its token is revoked: it is never stored.
#[tokio::test]
async fn a_revocation_stops_a_form_on_its_way() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    let (token, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    let content = vec![b'x'; 1 << 20];
    let request = Form::new("k")
        .file("x", &content)
        .signed(&signer(&credentials));
    let request = request.header("host", &wire.server.address().to_string());
    let mut connection = Connection::open(wire.server.address())?;
    connection.send(&request.head())?;
    let (first, rest) = request.body.split_at(request.body.len() / 2);
    connection.send(first)?;
    root.tokens
        .revoke_token(RevokeTokenRequest {
            bucket: BUCKET.to_owned(),
            token_id: token.token_id.clone(),
        })
        .await?;
    // The server may have closed the connection by now.
    connection.send(rest).ok();
    if let Ok(answer) = connection.receive("POST") {
        assert_eq!(answer.status, 403, "{}", answer.text());
    }
    assert_not_stored(&wire, "k")?;
    let after = Form::new("k").file("x", b"1").signed(&signer(&credentials));
    assert_eq!(wire.send(after)?.status, 403);
    Ok(())
}

fn message(response: &Response) -> String {
    response.element("Message").unwrap_or_default()
}
