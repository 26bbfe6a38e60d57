//! At the finest level of logs, neither they nor the metrics show a secret, a derived key or a signature.

use std::fs;
use std::time::{Duration, SystemTime};

use aws_sigv4::sign::v4::generate_signing_key;
use bucketry_contract::v1::{
    CloneTokenRequest, CreateSessionRequest, Permission, PutObjectSpec, PutSmallObjectRequest,
    ShowTokenSecretRequest, SuspendTokenRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Request, exchange};
use bucketry_tests::server::{ROOT_SECRET_ACCESS_KEY, Server, ServerOptions};
use bucketry_tests::sigv4::{Chunked, Payload};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;

use super::needles::Needles;
use super::{BUCKET, User, keyring_file, listing, reload};

fn options() -> ServerOptions {
    ServerOptions::new()
        .environment("BUCKETRY_LOG_LEVEL", "trace")
        .argument("--metrics-listen")
        .argument("127.0.0.1:0")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_logs_at_trace_and_metrics_show_no_secret() -> Result<(), HarnessError> {
    nothing_is_shown(options()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_logs_at_trace_and_metrics_show_no_secret() -> Result<(), HarnessError> {
    nothing_is_shown(options().text_logs()).await
}

async fn nothing_is_shown(options: ServerOptions) -> Result<(), HarnessError> {
    let mut server = Server::start(options)?;
    let mut needles = Needles::new();
    needles.text("the root secret", ROOT_SECRET_ACCESS_KEY);
    let keyring =
        fs::read_to_string(keyring_file(&server)).expect("the keyring of the first start");
    needles.keyring(&keyring);

    let user = by_grpc(&server, &mut needles).await?;
    by_s3(&user, &mut needles)?;
    for signer in [&user.signer.secret_access_key, ROOT_SECRET_ACCESS_KEY] {
        // The walk may have gone over midnight.
        for ago in [0, 3600] {
            let time = SystemTime::now() - Duration::from_secs(ago);
            let key = generate_signing_key(signer, time, "us-east-1", "s3");
            needles.raw("a signing key", key.as_ref());
        }
    }
    let metrics = exchange(
        metrics_address(&server.log())?,
        Request::new("GET", "/metrics"),
    )?;
    assert!(metrics.text().contains("bucketry_requests_total"));
    server.stop()?;

    let log = server.log();
    assert!(log.contains("TRACE"), "the log is at the finest level");
    for (place, text) in [
        ("log", log.as_bytes()),
        ("metrics", metrics.body.as_slice()),
    ] {
        let found = needles.found_in(text);
        assert_eq!(
            found,
            [] as [&str; 0],
            "of {} in the {place}",
            needles.count()
        );
    }
    Ok(())
}

/// The address in the line that says where the metrics are, in either form.
fn metrics_address(log: &str) -> Result<std::net::SocketAddr, HarnessError> {
    log.lines()
        .filter(|line| line.contains("INFO") && line.contains("metrics"))
        .find_map(|line| {
            let (_, rest) = line.split_once("127.0.0.1:")?;
            let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
            format!("127.0.0.1:{port}").parse().ok()
        })
        .ok_or(HarnessError::Incomplete("address of the metrics"))
}

/// Tokens are made, shown, cloned, used and refused; sessions are made, used and forged.
async fn by_grpc(server: &Server, needles: &mut Needles) -> Result<User, HarnessError> {
    let mut root = Clients::root(server).await?;
    root.create_bucket(BUCKET).await?;
    let (token, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    needles.text("a token's secret", &credentials.secret_access_key);
    let (bucket, token_id) = (BUCKET.to_owned(), token.token_id);
    let show = ShowTokenSecretRequest {
        bucket: bucket.clone(),
        token_id: token_id.clone(),
    };
    let shown = root.tokens.show_token_secret(show).await?.into_inner();
    let shown = shown.credentials.unwrap_or_default();
    assert_eq!(shown.secret_access_key, credentials.secret_access_key);
    let clone = CloneTokenRequest {
        bucket: bucket.clone(),
        token_id,
        ..Default::default()
    };
    let cloned = root.tokens.clone_token(clone).await?.into_inner();
    let cloned_id = cloned.token.unwrap_or_default().token_id;
    let cloned = cloned.credentials.unwrap_or_default();
    needles.text("a clone's secret", &cloned.secret_access_key);
    let suspend = SuspendTokenRequest {
        bucket,
        token_id: cloned_id,
    };
    root.tokens.suspend_token(suspend).await?;
    reload(&mut root).await?;

    let user = User::with(server, credentials);
    let mut clients = Clients::connect(server, user.bearer()?).await?;
    let put = PutSmallObjectRequest {
        spec: Some(PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: "by gRPC".to_owned(),
            ..Default::default()
        }),
        data: Bytes::from_static(b"content"),
    };
    clients.objects.put_small_object(put).await?;
    let session = clients
        .tokens
        .create_session(CreateSessionRequest {})
        .await?;
    let session = session.into_inner().session_token;
    needles.text("a session", &session);
    let mut by_session = Clients::connect(server, Bearer::session(&session)?).await?;
    by_session.objects.list_objects(listing()).await?;

    let wrong = format!("{}x", user.credentials.secret_access_key);
    needles.text("a wrong secret", &wrong);
    let forged = format!("{session}AAAA");
    for refused in [
        Bearer::token(&cloned)?,
        Bearer::key(&user.credentials.access_key_id, &wrong)?,
        Bearer::key("BKTYNOBODY0000000000", &wrong)?,
        Bearer::session(&forged)?,
    ] {
        let mut clients = Clients::connect(server, refused).await?;
        assert!(clients.objects.list_objects(listing()).await.is_err());
    }
    Ok(user)
}

/// All signatures and framings, right and wrong.
fn by_s3(user: &User, needles: &mut Needles) -> Result<(), HarnessError> {
    let now = SystemTime::now();
    for (method, path, body) in [
        ("PUT", "/k", "content"),
        ("GET", "/k", ""),
        ("HEAD", "/k", ""),
        ("GET", "?list-type=2", ""),
        ("GET", "/absent", ""),
        ("POST", "/k?uploads", ""),
        ("POST", "?delete", "<Delete>"),
        ("PUT", "?versioning", ""),
    ] {
        let request = user.request(method, path, body.as_bytes());
        let signed = user.signer.header(request, now, Payload::Signed)?;
        remember_signature(&signed, needles);
        exchange(user.address, signed)?;
    }
    let mut wrong = user
        .signer
        .header(user.request("GET", "/k", b""), now, Payload::Signed)?;
    for (name, value) in &mut wrong.headers {
        if name.eq_ignore_ascii_case("authorization") {
            // Another digit than the right one.
            let last = if value.ends_with('0') { '1' } else { '0' };
            value.pop();
            value.push(last);
        }
    }
    assert_eq!(exchange(user.address, wrong)?.status, 403);

    let presigned = user.presigned("/k")?;
    let signature = after(&presigned.target, "X-Amz-Signature=");
    needles.text("a presigned URL's signature", &signature);
    assert_eq!(exchange(user.address, presigned.clone())?.status, 200);
    let mut elsewhere = presigned;
    elsewhere.target = elsewhere.target.replace("/k?", "/other?");
    assert_eq!(exchange(user.address, elsewhere)?.status, 403);
    signed_with_version_2(user, needles)?;

    let trailer = ("x-amz-checksum-crc32c".to_owned(), "4waSgw==".to_owned());
    let chunks = [Bytes::from_static(b"123456789")];
    for mode in [
        Chunked::Signed,
        Chunked::SignedTrailer(trailer.0.clone(), trailer.1.clone()),
        Chunked::UnsignedTrailer(trailer.0, trailer.1),
    ] {
        let request = Request::new("PUT", &format!("/{BUCKET}/chunked"))
            .header("host", &user.address.to_string());
        let signed = user.signer.chunked(request, now, &chunks, &mode)?;
        remember_signature(&signed, needles);
        let mut broken = signed.clone();
        assert_eq!(exchange(user.address, signed)?.status, 200, "{mode:?}");
        if let Some(byte) = broken.body.get_mut(3) {
            *byte ^= 1;
        }
        assert_ne!(exchange(user.address, broken)?.status, 200, "{mode:?}");
    }
    Ok(())
}

fn signed_with_version_2(user: &User, needles: &mut Needles) -> Result<(), HarnessError> {
    let expires = SystemTime::now() + Duration::from_secs(60);
    let expires = expires
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let secret = user.signer.secret_access_key.as_bytes();
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(format!("GET\n\n\n{expires}\n/{BUCKET}/k").as_bytes());
    let signature = mac.finalize().into_bytes();
    needles.bytes("a signature of version 2", &signature);
    let signature = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, signature);
    let target = format!(
        "/{BUCKET}/k?AWSAccessKeyId={}&Expires={expires}&Signature={}",
        user.signer.access_key_id,
        utf8_percent_encode(&signature, NON_ALPHANUMERIC)
    );
    assert_eq!(
        exchange(user.address, Request::new("GET", &target))?.status,
        200
    );
    Ok(())
}

/// The signature in the header; the whole header holds it too.
fn remember_signature(request: &Request, needles: &mut Needles) {
    let header = request.find("authorization").unwrap_or_default();
    needles.text("a signature", &after(header, "Signature="));
}

fn after(text: &str, mark: &str) -> String {
    let (_, rest) = text.split_once(mark).unwrap_or_default();
    rest.chars().take_while(char::is_ascii_hexdigit).collect()
}
