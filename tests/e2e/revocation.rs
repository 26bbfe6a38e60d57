//! When the call that revokes, suspends or edits a token has returned, nothing begins and nothing commits with what it
//! was: by header, presigned URL, session, open multipart upload, running upload, running download.

use std::time::{Duration, SystemTime};

use bucketry_contract::errors::explain;
use bucketry_contract::v1::{
    CreateSessionRequest, CreateTokenRequest, Credentials, GetObjectRequest, ListObjectsRequest,
    ObjectChunk, Permission, PutObjectRequest, PutObjectSpec, ResumeTokenRequest,
    RevokeTokenRequest, SuspendTokenRequest, Token, UpdateTokenRequest, put_object_request,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Connection, Request, Response, exchange};
use bucketry_tests::server::{Server, ServerOptions};
use bucketry_tests::sigv4::{Payload, Signer};
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;

const BUCKET: &str = "revocation-test-bucket";
const CHUNK: usize = 1024 * 1024;
/// What a running transfer is promised to end within, and what a slow machine may take on top.
const PROMISED: Duration = Duration::from_secs(1);
const SLACK: Duration = Duration::from_secs(4);

struct Holder {
    server: Server,
    root: Clients,
    token: Token,
    credentials: Credentials,
    signer: Signer,
}

impl Holder {
    /// A server with a bucket and a token that may read and write.
    async fn start() -> Result<Self, HarnessError> {
        Self::start_at("127.0.0.1:0", CreateTokenRequest::default()).await
    }

    async fn start_at(listen: &str, settings: CreateTokenRequest) -> Result<Self, HarnessError> {
        let server = Server::start(ServerOptions::new().listen(listen))?;
        let mut root = Clients::root(&server).await?;
        root.create_bucket(BUCKET).await?;
        let request = CreateTokenRequest {
            bucket: BUCKET.to_owned(),
            name: "holder".to_owned(),
            permission: Permission::ReadWrite.into(),
            ..settings
        };
        let made = root.tokens.create_token(request).await?.into_inner();
        let token = made.token.ok_or(HarnessError::Incomplete("token"))?;
        let credentials = made
            .credentials
            .ok_or(HarnessError::Incomplete("credentials"))?;
        let signer = Signer::new(&credentials.access_key_id, &credentials.secret_access_key);
        Ok(Self {
            server,
            root,
            token,
            credentials,
            signer,
        })
    }

    async fn clients(&self) -> Result<Clients, HarnessError> {
        Clients::connect(&self.server, Bearer::token(&self.credentials)?).await
    }

    async fn revoke(&mut self) -> Result<(), HarnessError> {
        let request = RevokeTokenRequest {
            bucket: BUCKET.to_owned(),
            token_id: self.token.token_id.clone(),
        };
        self.root.tokens.revoke_token(request).await?;
        Ok(())
    }

    async fn suspend(&mut self) -> Result<(), HarnessError> {
        let request = SuspendTokenRequest {
            bucket: BUCKET.to_owned(),
            token_id: self.token.token_id.clone(),
        };
        self.root.tokens.suspend_token(request).await?;
        Ok(())
    }

    async fn resume(&mut self) -> Result<(), HarnessError> {
        let request = ResumeTokenRequest {
            bucket: BUCKET.to_owned(),
            token_id: self.token.token_id.clone(),
        };
        self.root.tokens.resume_token(request).await?;
        Ok(())
    }

    /// Takes this machine off the token's addresses.
    async fn lock_out(&mut self) -> Result<(), HarnessError> {
        let request = UpdateTokenRequest {
            token: Some(Token {
                disallowed_ips: vec!["127.0.0.0/8".to_owned()],
                version: 0,
                ..self.token.clone()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: vec!["disallowed_ips".to_owned()],
            }),
            ..Default::default()
        };
        self.root.tokens.update_token(request).await?;
        Ok(())
    }

    fn request(&self, method: &str, path: &str, body: &[u8]) -> Request {
        Request::new(method, &format!("/{BUCKET}{path}"))
            .header("host", &self.server.address().to_string())
            .header("content-length", &body.len().to_string())
            .body(body)
    }

    fn send(&self, method: &str, path: &str, body: &[u8]) -> Result<Response, HarnessError> {
        let request = self.request(method, path, body);
        let signed = self
            .signer
            .header(request, SystemTime::now(), Payload::Signed)?;
        exchange(self.server.address(), signed)
    }

    fn presigned(&self, path: &str) -> Result<Request, HarnessError> {
        let request = Request::new("GET", &format!("/{BUCKET}{path}"))
            .header("host", &self.server.address().to_string());
        self.signer
            .presign(request, SystemTime::now(), Duration::from_secs(600))
    }

    fn visit(&self, request: &Request) -> Result<u16, HarnessError> {
        Ok(exchange(self.server.address(), request.clone())?.status)
    }

    /// The keys in the bucket, as the operator sees them.
    async fn keys(&mut self) -> Result<Vec<String>, HarnessError> {
        let listed = self.root.objects.list_objects(listing()).await?;
        let objects = listed.into_inner().objects;
        Ok(objects.into_iter().map(|object| object.key).collect())
    }
}

fn listing() -> ListObjectsRequest {
    ListObjectsRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    }
}

fn spec(key: &str) -> PutObjectRequest {
    PutObjectRequest {
        message: Some(put_object_request::Message::Spec(PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: key.to_owned(),
            ..Default::default()
        })),
    }
}

fn chunk(number: usize) -> PutObjectRequest {
    PutObjectRequest {
        message: Some(put_object_request::Message::Chunk(ObjectChunk {
            offset: (number * CHUNK) as i64,
            data: Bytes::from(vec![b'x'; CHUNK]),
            crc32c: None,
        })),
    }
}

async fn reason(clients: &mut Clients) -> String {
    match clients.objects.list_objects(listing()).await {
        Ok(_) => "allowed".to_owned(),
        Err(status) => explain(&status).map_or_else(
            || format!("{status:?}"),
            |explained| explained.reason.as_str_name().to_owned(),
        ),
    }
}

#[tokio::test]
async fn every_door_closes() -> Result<(), HarnessError> {
    let mut holder = Holder::start().await?;
    assert_eq!(holder.send("PUT", "/k", b"content")?.status, 200);
    let presigned = holder.presigned("/k")?;
    assert_eq!(holder.visit(&presigned)?, 200);
    let upload = holder
        .send("POST", "/parts?uploads", b"")?
        .element("UploadId")
        .ok_or(HarnessError::Incomplete("UploadId"))?;
    let part = format!("/parts?partNumber=1&uploadId={upload}");
    let etag = holder.send("PUT", &part, b"part")?;
    let etag = etag.find("etag").unwrap_or_default().to_owned();
    let mut by_key = holder.clients().await?;
    let session = by_key
        .tokens
        .create_session(CreateSessionRequest {})
        .await?;
    let session = Bearer::session(&session.into_inner().session_token)?;
    let mut by_session = Clients::connect(&holder.server, session).await?;
    assert_eq!(reason(&mut by_key).await, "allowed");
    assert_eq!(reason(&mut by_session).await, "allowed");

    holder.revoke().await?;

    let ended = "ERROR_REASON_INVALID_ACCESS_KEY_ID";
    assert_eq!(reason(&mut by_key).await, ended);
    assert_eq!(reason(&mut by_session).await, ended);
    assert_eq!(holder.visit(&presigned)?, 403);
    let complete = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    for (method, path, body) in [
        ("GET", "/k", ""),
        ("HEAD", "/k", ""),
        ("PUT", "/new", "late"),
        ("DELETE", "/k", ""),
        ("PUT", &part, "late"),
        ("POST", &format!("/parts?uploadId={upload}"), &complete),
        ("DELETE", &format!("/parts?uploadId={upload}"), ""),
        ("GET", "?list-type=2", ""),
    ] {
        let response = holder.send(method, path, body.as_bytes())?;
        assert_eq!(response.status, 403, "{method} {path}: {}", response.text());
        if method != "HEAD" {
            assert_eq!(
                response.element("Code").as_deref(),
                Some("InvalidAccessKeyId"),
                "{method} {path}"
            );
        }
    }
    assert_eq!(holder.keys().await?, ["k"]);
    Ok(())
}

#[tokio::test]
async fn a_presigned_url_follows_its_token() -> Result<(), HarnessError> {
    let mut holder = Holder::start().await?;
    assert_eq!(holder.send("PUT", "/k", b"content")?.status, 200);
    let presigned = holder.presigned("/k")?;
    assert_eq!(holder.visit(&presigned)?, 200);
    holder.suspend().await?;
    assert_eq!(holder.visit(&presigned)?, 403);
    holder.resume().await?;
    assert_eq!(holder.visit(&presigned)?, 200);
    // It is judged by the address that uses it.
    holder.lock_out().await?;
    assert_eq!(holder.visit(&presigned)?, 403);
    Ok(())
}

#[tokio::test]
async fn a_session_follows_its_token() -> Result<(), HarnessError> {
    let mut holder = Holder::start().await?;
    let mut by_key = holder.clients().await?;
    let session = by_key
        .tokens
        .create_session(CreateSessionRequest {})
        .await?;
    let session = Bearer::session(&session.into_inner().session_token)?;
    let mut by_session = Clients::connect(&holder.server, session).await?;
    holder.suspend().await?;
    assert_eq!(
        reason(&mut by_session).await,
        "ERROR_REASON_INVALID_ACCESS_KEY_ID"
    );
    holder.resume().await?;
    assert_eq!(reason(&mut by_session).await, "allowed");
    holder.lock_out().await?;
    assert_eq!(reason(&mut by_session).await, "ERROR_REASON_ACCESS_DENIED");
    // Its holder is told to make another, rather than that it may not do this.
    let mut forged = Clients::connect(&holder.server, Bearer::session("none-of-ours")?).await?;
    assert_eq!(reason(&mut forged).await, "ERROR_REASON_INVALID_TOKEN");
    Ok(())
}

#[tokio::test]
async fn a_running_s3_upload_does_not_commit() -> Result<(), HarnessError> {
    for stop in ["revoke", "suspend", "lock out"] {
        let mut holder = Holder::start().await?;
        let body = vec![b'x'; 2 * CHUNK];
        let request = holder.request("PUT", "/late", &body);
        let signed = holder
            .signer
            .header(request, SystemTime::now(), Payload::Unsigned)?;
        let mut connection = Connection::open(holder.server.address())?;
        connection.send(&signed.head())?;
        connection.send(&body[..CHUNK])?;
        match stop {
            "revoke" => holder.revoke().await?,
            "suspend" => holder.suspend().await?,
            _ => holder.lock_out().await?,
        }
        // The server may have answered and closed by now.
        connection.send(&body[CHUNK..]).ok();
        assert_eq!(connection.receive("PUT")?.status, 403, "{stop}");
        assert_eq!(holder.keys().await?, [] as [&str; 0], "{stop}");
    }
    Ok(())
}

/// The caller is judged before the body is read, and the operation begins after it. A GET's body has no meaning, but is
/// read all the same.
#[tokio::test]
async fn an_operation_does_not_begin_after_its_body() -> Result<(), HarnessError> {
    for (method, path) in [("GET", "/k"), ("GET", "?list-type=2"), ("DELETE", "/k")] {
        for stop in ["revoke", "suspend", "lock out"] {
            let mut holder = Holder::start().await?;
            assert_eq!(holder.send("PUT", "/k", b"content")?.status, 200);
            let request = holder
                .request(method, path, b"body")
                .header("expect", "100-continue");
            let request = holder
                .signer
                .header(request, SystemTime::now(), Payload::Unsigned)?;
            let mut connection = Connection::open(holder.server.address())?;
            connection.send(&request.head())?;
            // From here on the server waits for the body.
            assert_eq!(connection.receive(method)?.status, 100);
            match stop {
                "revoke" => holder.revoke().await?,
                "suspend" => holder.suspend().await?,
                _ => holder.lock_out().await?,
            }
            connection.send(&request.body)?;
            let status = connection.receive(method)?.status;
            assert_eq!(status, 403, "{method} {path}, {stop}");
            assert_eq!(holder.keys().await?, ["k"], "{method} {path}, {stop}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_running_grpc_upload_ends_by_itself() -> Result<(), HarnessError> {
    let mut holder = Holder::start().await?;
    let mut clients = holder.clients().await?;
    let (messages, stream) = mpsc::channel(4);
    let running = tokio::spawn(async move {
        clients
            .objects
            .put_object(ReceiverStream::new(stream))
            .await
    });
    messages.send(spec("late")).await.ok();
    messages.send(chunk(0)).await.ok();
    // Only what has begun can end: the server takes the second chunk's place in the queue when the first is sent.
    for number in 1..8 {
        messages.send(chunk(number)).await.ok();
    }
    holder.revoke().await?;
    // Nothing more is sent, and the stream stays open.
    let ended = timeout(PROMISED + SLACK, running)
        .await
        .map_err(|_| HarnessError::Incomplete("end of the upload"))?;
    let status = ended.expect("the call does not panic").unwrap_err();
    assert_eq!(
        explain(&status).map(|explained| explained.reason.as_str_name()),
        Some("ERROR_REASON_INVALID_ACCESS_KEY_ID"),
        "{status:?}"
    );
    drop(messages);
    assert_eq!(holder.keys().await?, [] as [&str; 0]);
    Ok(())
}

#[tokio::test]
async fn a_running_download_ends_within_a_second() -> Result<(), HarnessError> {
    const CHUNKS: usize = 64;
    let mut holder = Holder::start().await?;
    let mut clients = holder.clients().await?;
    let upload: Vec<_> = std::iter::once(spec("large"))
        .chain((0..CHUNKS).map(chunk))
        .collect();
    clients
        .objects
        .put_object(tokio_stream::iter(upload))
        .await?;
    let get = GetObjectRequest {
        bucket: BUCKET.to_owned(),
        key: "large".to_owned(),
        ..Default::default()
    };
    let mut download = clients.objects.get_object(get).await?.into_inner();
    let first = download.message().await?;
    assert!(first.is_some());
    holder.revoke().await?;
    // The promise is about time. Meanwhile nothing is read, so that the server cannot be done before.
    sleep(PROMISED).await;
    let mut read = 0;
    let status = loop {
        match download.message().await {
            Ok(Some(_)) => read += 1,
            Ok(None) => panic!("the download ran to its end in {read} messages"),
            Err(status) => break status,
        }
    };
    assert_eq!(
        explain(&status).map(|explained| explained.reason.as_str_name()),
        Some("ERROR_REASON_INVALID_ACCESS_KEY_ID"),
        "{status:?}"
    );
    Ok(())
}

#[tokio::test]
async fn ipv6_addresses_decide_over_both_protocols() -> Result<(), HarnessError> {
    for (allow, deny, allowed) in [
        (&["::1"][..], &[][..], true),
        (&["::/0"], &[], true),
        (&["127.0.0.0/8", "::/64"], &[], true),
        (&["127.0.0.1"], &[], false),
        (&["2001:db8::/32"], &[], false),
        (&[], &["::1"], false),
        (&["::1"], &["::/16"], false),
        (&[], &["::2/128", "10.0.0.0/8"], true),
    ] {
        let list = |entries: &[&str]| entries.iter().map(|&entry| entry.to_owned()).collect();
        let settings = CreateTokenRequest {
            allowed_ips: list(allow),
            disallowed_ips: list(deny),
            ..Default::default()
        };
        let holder = Holder::start_at("[::1]:0", settings).await?;
        let mut clients = holder.clients().await?;
        let grpc = reason(&mut clients).await;
        let s3 = holder.send("GET", "?list-type=2", b"")?.status;
        let wanted = if allowed {
            ("allowed", 200)
        } else {
            ("ERROR_REASON_ACCESS_DENIED", 403)
        };
        assert_eq!((grpc.as_str(), s3), wanted, "{allow:?} but {deny:?}");
    }
    Ok(())
}
