//! What a token's administrator is told: what was done with it, what was refused and by which rule; and the limits that
//! hold it. All of it exact, by S3 and gRPC.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use bucketry_contract::errors::explain;
use bucketry_contract::v1::{
    CopyObjectRequest, CopySource, CreateSessionRequest, CreateTokenRequest, Credentials,
    DecisionReason, DeleteObjectRequest, DeleteObjectsRequest, GetObjectRequest,
    GetSmallObjectRequest, GetTokenRequest, GetTokenUsageRequest, GetTokenUsageResponse,
    HeadObjectRequest, ListObjectsRequest, ListTokenDenialsRequest, ListTokensRequest, ObjectChunk,
    ObjectIdentifier, Permission, PutObjectRequest, PutObjectSpec, PutSmallObjectRequest,
    RequestClass, ResumeTokenRequest, RevokeTokenRequest, SuspendTokenRequest, Token, TokenDenial,
    TokenLimits, UpdateTokenRequest, put_object_request,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Connection, Request, Response, exchange};
use bucketry_tests::server::{Server, ServerOptions};
use bucketry_tests::sigv4::{Payload, Signer};
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::separate_adapter::Adapter;

const BUCKET: &str = "usage-test-bucket";
const AGENT: &str = "usage-test/1.0";

/// A server, its operator, and one token.
struct Scene {
    server: Server,
    root: Clients,
    token: Token,
    credentials: Credentials,
}

impl Scene {
    async fn start(settings: CreateTokenRequest) -> Result<Self, HarnessError> {
        // What is told must not depend on the interval.
        let options = ServerOptions::new().argument("--usage-interval=1h");
        let server = Server::start(options)?;
        let mut root = Clients::root(&server).await?;
        root.create_bucket(BUCKET).await?;
        let request = CreateTokenRequest {
            bucket: BUCKET.to_owned(),
            name: "metered".to_owned(),
            ..settings
        };
        let made = root.tokens.create_token(request).await?.into_inner();
        Ok(Self {
            server,
            root,
            token: made.token.ok_or(HarnessError::Incomplete("token"))?,
            credentials: (made.credentials).ok_or(HarnessError::Incomplete("credentials"))?,
        })
    }

    async fn with(permission: Permission) -> Result<Self, HarnessError> {
        Self::limited(permission, None).await
    }

    async fn limited(
        permission: Permission,
        limits: Option<TokenLimits>,
    ) -> Result<Self, HarnessError> {
        let settings = CreateTokenRequest {
            permission: permission.into(),
            limits,
            ..Default::default()
        };
        Self::start(settings).await
    }

    async fn clients(&self) -> Result<Clients, HarnessError> {
        Clients::connect(&self.server, Bearer::token(&self.credentials)?).await
    }

    /// A signed request below the bucket, or, with a leading `//`, below the root.
    fn signed(&self, method: &str, path: &str, body: &[u8]) -> Result<Request, HarnessError> {
        self.signed_by(&self.credentials.secret_access_key, method, path, body)
    }

    fn signed_by(
        &self,
        secret: &str,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<Request, HarnessError> {
        let request = self.request(&self.server.address().to_string(), (method, path, body));
        self.sign(secret, request)
    }

    fn signed_with(
        &self,
        headers: &[(&str, &str)],
        call: (&str, &str, &[u8]),
    ) -> Result<Request, HarnessError> {
        self.signed_at(&self.server.address().to_string(), headers, call)
    }

    /// For another host than the server's.
    fn signed_at(
        &self,
        host: &str,
        headers: &[(&str, &str)],
        call: (&str, &str, &[u8]),
    ) -> Result<Request, HarnessError> {
        let request = self.request(host, call);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        });
        self.sign(&self.credentials.secret_access_key, request)
    }

    fn request(&self, host: &str, (method, path, body): (&str, &str, &[u8])) -> Request {
        let target = match path.strip_prefix("//") {
            Some(rest) => format!("/{rest}"),
            None => format!("/{BUCKET}{path}"),
        };
        Request::new(method, &target)
            .header("host", host)
            .header("user-agent", AGENT)
            .header("content-length", &body.len().to_string())
            .body(body)
    }

    fn sign(&self, secret: &str, request: Request) -> Result<Request, HarnessError> {
        let signer = Signer::new(&self.credentials.access_key_id, secret);
        signer.header(request, SystemTime::now(), Payload::Signed)
    }

    fn send(&self, method: &str, path: &str, body: &[u8]) -> Result<Response, HarnessError> {
        exchange(self.server.address(), self.signed(method, path, body)?)
    }

    /// Sends, and expects a status.
    fn expect(
        &self,
        status: u16,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<Response, HarnessError> {
        let response = self.send(method, path, body)?;
        assert_eq!(
            response.status,
            status,
            "{method} {path}: {}",
            response.text()
        );
        Ok(response)
    }

    async fn usage(&mut self) -> Result<GetTokenUsageResponse, HarnessError> {
        let request = GetTokenUsageRequest {
            bucket: BUCKET.to_owned(),
            token_id: self.token.token_id.clone(),
            ..Default::default()
        };
        Ok(self
            .root
            .tokens
            .get_token_usage(request)
            .await?
            .into_inner())
    }

    async fn denials(&mut self) -> Result<Vec<TokenDenial>, HarnessError> {
        let request = ListTokenDenialsRequest {
            bucket: BUCKET.to_owned(),
            token_id: self.token.token_id.clone(),
        };
        let listed = self.root.tokens.list_token_denials(request).await?;
        Ok(listed.into_inner().denials)
    }

    async fn edit(&mut self, path: &str, token: Token) -> Result<(), HarnessError> {
        let request = UpdateTokenRequest {
            token: Some(Token {
                bucket: BUCKET.to_owned(),
                token_id: self.token.token_id.clone(),
                ..token
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: vec![path.to_owned()],
            }),
        };
        self.root.tokens.update_token(request).await?;
        Ok(())
    }
}

/// Requests, bytes in and bytes out by class.
fn counts(usage: &GetTokenUsageResponse) -> BTreeMap<RequestClass, (i64, i64, i64)> {
    let total = usage.total.as_ref().unwrap();
    (total.counts.iter())
        .map(|count| {
            (
                count.class(),
                (count.requests, count.bytes_in, count.bytes_out),
            )
        })
        .collect()
}

fn refusals(usage: &GetTokenUsageResponse) -> BTreeMap<DecisionReason, i64> {
    let total = usage.total.as_ref().unwrap();
    (total.denials.iter())
        .map(|denial| (denial.reason(), denial.requests))
        .collect()
}

fn get(key: &str) -> GetObjectRequest {
    GetObjectRequest {
        bucket: BUCKET.to_owned(),
        key: key.to_owned(),
        ..Default::default()
    }
}

fn spec(key: &str) -> PutObjectSpec {
    PutObjectSpec {
        bucket: BUCKET.to_owned(),
        key: key.to_owned(),
        ..Default::default()
    }
}

/// A put in messages of these sizes.
fn stream(key: &str, sizes: &[usize]) -> Vec<PutObjectRequest> {
    let message = |message| PutObjectRequest {
        message: Some(message),
    };
    let mut messages = vec![message(put_object_request::Message::Spec(spec(key)))];
    let mut offset = 0;
    for &size in sizes {
        messages.push(message(put_object_request::Message::Chunk(ObjectChunk {
            offset,
            data: Bytes::from(vec![b'x'; size]),
            crc32c: None,
        })));
        offset += size as i64;
    }
    messages
}

/// Reads a download to its end, or to what ends it.
async fn drain(clients: &mut Clients, key: &str) -> Result<usize, tonic::Status> {
    let mut messages = clients.objects.get_object(get(key)).await?.into_inner();
    let mut bytes = 0;
    while let Some(answer) = messages.message().await? {
        if let Some(bucketry_contract::v1::get_object_response::Message::Chunk(chunk)) =
            answer.message
        {
            bytes += chunk.data.len();
        }
    }
    Ok(bytes)
}

fn reason(status: &tonic::Status) -> &'static str {
    explain(status).map_or("none", |explained| explained.reason.as_str_name())
}

/// What S3 does of the counted script; the comments say what each part adds.
fn script(scene: &Scene) -> Result<(), HarnessError> {
    let large = vec![b'x'; 100_000];
    // By S3: writes 4, bytes in 100,250.
    scene.expect(200, "PUT", "/large", &large)?;
    scene.expect(200, "PUT", "/small", &[b'x'; 250])?;
    scene.expect(200, "PUT", "/empty", b"")?;
    let tags = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    scene.expect(200, "PUT", "/small?tagging", tags)?;
    // Reads 6, bytes out 100,250 + 100.
    scene.expect(200, "GET", "/large", b"")?;
    scene.expect(200, "GET", "/small", b"")?;
    scene.expect(200, "HEAD", "/large", b"")?;
    scene.expect(404, "GET", "/missing", b"")?;
    scene.expect(200, "GET", "/small?tagging", b"")?;
    let part = scene.signed("GET", "/large", b"")?;
    let part = part.header("range", "bytes=100-199");
    assert_eq!(exchange(scene.server.address(), part)?.body.len(), 100);
    // Lists 2, deletes 2, others 2.
    scene.expect(200, "GET", "?list-type=2", b"")?;
    scene.expect(200, "GET", "?uploads", b"")?;
    scene.expect(204, "DELETE", "/small?tagging", b"")?;
    scene.expect(204, "DELETE", "/empty", b"")?;
    scene.expect(200, "HEAD", "", b"")?;
    scene.expect(200, "GET", "//", b"")?;
    Ok(())
}

#[tokio::test]
async fn a_script_is_counted_exactly() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadWrite).await?;
    script(&scene)?;
    // An upload in parts: writes 3, bytes in 6,000, list 1.
    let begun = scene.expect(200, "POST", "/parts?uploads", b"")?;
    let upload = begun.element("UploadId").unwrap();
    let part = format!("/parts?partNumber=1&uploadId={upload}");
    scene.expect(200, "PUT", &part, &[b'x'; 6000])?;
    let upload = format!("/parts?uploadId={upload}");
    scene.expect(200, "GET", &upload, b"")?;
    scene.expect(204, "DELETE", &upload, b"")?;
    // By gRPC: writes 2, bytes in 500 + 30,000.
    let mut clients = scene.clients().await?;
    let small = PutSmallObjectRequest {
        spec: Some(spec("by-grpc")),
        data: Bytes::from(vec![b'x'; 500]),
    };
    clients.objects.put_small_object(small).await?;
    let put = stream("streamed", &[10_000, 20_000]);
    clients.objects.put_object(tokio_stream::iter(put)).await?;
    // Reads 2, bytes out 30,000 + 500.
    assert_eq!(drain(&mut clients, "streamed").await?, 30_000);
    let small = GetSmallObjectRequest {
        object: Some(get("by-grpc")),
    };
    clients.objects.get_small_object(small).await?;
    // A copy is one write, and a deletion of many one delete, whatever they move.
    let copy = CopyObjectRequest {
        bucket: BUCKET.to_owned(),
        key: "copy".to_owned(),
        source: Some(CopySource {
            bucket: BUCKET.to_owned(),
            key: "streamed".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    clients.objects.copy_object(copy).await?;
    let deleted = ["a", "b", "c"].map(|key| ObjectIdentifier {
        key: key.to_owned(),
        ..Default::default()
    });
    let delete = DeleteObjectsRequest {
        bucket: BUCKET.to_owned(),
        objects: deleted.into(),
        allow_missing: true,
    };
    clients.objects.delete_objects(delete).await?;
    // Lists 1, deletes 1, others 1.
    let list = ListObjectsRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    clients.objects.list_objects(list).await?;
    let delete = DeleteObjectRequest {
        bucket: BUCKET.to_owned(),
        key: "by-grpc".to_owned(),
        ..Default::default()
    };
    clients.objects.delete_object(delete).await?;
    clients
        .tokens
        .create_session(CreateSessionRequest {})
        .await?;

    let usage = scene.usage().await?;
    let expected = BTreeMap::from([
        (RequestClass::Read, (8, 0, 130_850)),
        (RequestClass::List, (4, 0, 0)),
        (RequestClass::Write, (10, 136_750, 0)),
        (RequestClass::Delete, (4, 0, 0)),
        (RequestClass::Other, (3, 0, 0)),
    ]);
    assert_eq!(counts(&usage), expected);
    assert_eq!(refusals(&usage), BTreeMap::new());
    let by_hour: i64 = (usage.hours.iter())
        .flat_map(|hour| &hour.counts)
        .map(|count| count.requests)
        .sum();
    assert_eq!(by_hour, 29);
    let last = usage.last_use.unwrap();
    assert_eq!(
        (last.operation.as_str(), last.client_address.as_str()),
        ("CreateSession", "127.0.0.1")
    );
    assert!(last.user_agent.starts_with("tonic/"), "{last:?}");
    Ok(())
}

#[tokio::test]
async fn the_latest_use_and_the_count_are_shown_with_the_token() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadWrite).await?;
    let token = async |scene: &mut Scene| {
        let request = GetTokenRequest {
            bucket: BUCKET.to_owned(),
            token_id: scene.token.token_id.clone(),
        };
        let got = scene.root.tokens.get_token(request).await?.into_inner();
        let request = ListTokensRequest {
            bucket: BUCKET.to_owned(),
            ..Default::default()
        };
        let listed = scene.root.tokens.list_tokens(request).await?.into_inner();
        assert_eq!(listed.tokens, [got.token.clone().unwrap()]);
        Ok::<_, HarnessError>(got.token.unwrap())
    };
    let unused = token(&mut scene).await?;
    assert_eq!((unused.last_use, unused.request_count), (None, 0));
    scene.expect(200, "PUT", "/k", b"content")?;
    scene.expect(200, "HEAD", "/k", b"")?;
    scene.expect(404, "GET", "/k2", b"")?;
    scene.expect(403, "GET", "//another-bucket/k", b"")?;
    let used = token(&mut scene).await?;
    assert_eq!(used.request_count, 3, "refused ones are not counted");
    let last = used.last_use.unwrap();
    assert_eq!(
        (
            last.operation.as_str(),
            last.client_address.as_str(),
            last.user_agent.as_str()
        ),
        ("GetObject", "127.0.0.1", AGENT)
    );
    // An edit shows the same.
    scene
        .edit(
            "name",
            Token {
                name: "renamed".to_owned(),
                ..Token::default()
            },
        )
        .await?;
    let suspend = SuspendTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: scene.token.token_id.clone(),
    };
    let suspended = scene.root.tokens.suspend_token(suspend).await?.into_inner();
    let shown = token(&mut scene).await?;
    assert_eq!(suspended.token, Some(shown));
    Ok(())
}

#[tokio::test]
async fn refusals_are_told_with_their_rule_and_circumstances() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadOnly).await?;
    let own = |scene: &Scene, method, path| scene.expect(403, method, path, b"");
    let refused = own(&scene, "PUT", "/a/b")?;
    assert_eq!(refused.element("Code").as_deref(), Some("AccessDenied"));
    assert!(!refused.text().contains("permission"), "{}", refused.text());
    let request_id = refused.find("x-amz-request-id").unwrap().to_owned();
    own(&scene, "GET", "//another-bucket/k")?;
    let wrong = scene.signed_by("not-the-secret-of-this-key", "GET", "/secret", b"")?;
    let wrong = exchange(scene.server.address(), wrong)?;
    assert_eq!(
        wrong.element("Code").as_deref(),
        Some("SignatureDoesNotMatch")
    );
    let mut clients = scene.clients().await?;
    let admin = CreateTokenRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    clients.tokens.create_token(admin).await.unwrap_err();
    let list = |scene: &Scene| scene.expect(403, "GET", "?list-type=2", b"");
    let disallowed = Token {
        disallowed_ips: vec!["127.0.0.0/8".to_owned()],
        ..Token::default()
    };
    scene.edit("disallowed_ips", disallowed).await?;
    list(&scene)?;
    scene.edit("disallowed_ips", Token::default()).await?;
    let allowed = Token {
        allowed_ips: vec!["10.0.0.0/8".to_owned()],
        ..Token::default()
    };
    scene.edit("allowed_ips", allowed).await?;
    list(&scene)?;
    scene.edit("allowed_ips", Token::default()).await?;
    let (bucket, token_id) = (BUCKET.to_owned(), scene.token.token_id.clone());
    let suspend = SuspendTokenRequest {
        bucket: bucket.clone(),
        token_id: token_id.clone(),
    };
    scene.root.tokens.suspend_token(suspend).await?;
    list(&scene)?;
    let resume = ResumeTokenRequest {
        bucket: bucket.clone(),
        token_id: token_id.clone(),
    };
    scene.root.tokens.resume_token(resume).await?;
    scene.expect(200, "GET", "?list-type=2", b"")?;
    let revoke = RevokeTokenRequest { bucket, token_id };
    scene.root.tokens.revoke_token(revoke).await?;
    list(&scene)?;
    list(&scene)?;

    let usage = scene.usage().await?;
    let expected = BTreeMap::from([
        (DecisionReason::Signature, 1),
        (DecisionReason::Suspended, 1),
        (DecisionReason::Revoked, 2),
        (DecisionReason::AddressDisallowed, 1),
        (DecisionReason::AddressNotAllowed, 1),
        (DecisionReason::OtherBucket, 1),
        (DecisionReason::Permission, 1),
        (DecisionReason::AdministratorsOnly, 1),
    ]);
    assert_eq!(refusals(&usage), expected);
    assert_eq!(
        counts(&usage),
        BTreeMap::from([(RequestClass::List, (1, 0, 0))])
    );
    let denials = scene.denials().await?;
    let told: Vec<(&str, &str, &str, &str)> = (denials.iter().rev())
        .map(|denial| {
            let what = (denial.operation.as_str(), denial.bucket.as_str());
            (what.0, what.1, denial.key.as_str(), denial.rule.as_str())
        })
        .collect();
    let of_list = |rule| ("ListObjectsV2", BUCKET, "", rule);
    assert_eq!(
        told,
        [
            (
                "PutObject",
                BUCKET,
                "a/b",
                "permission: read-only lacks WRITE"
            ),
            (
                "GetObject",
                "another-bucket",
                "k",
                "bucket: not this key's own"
            ),
            (
                "GetObject",
                BUCKET,
                "secret",
                "signature: not made with this key's secret"
            ),
            (
                "CreateToken",
                BUCKET,
                "",
                "BUCKET_ADMIN: for administrators, not for tokens"
            ),
            of_list("disallowed_ips: 127.0.0.0/8"),
            of_list("allowed_ips: none holds the address"),
            of_list("state: suspended"),
            of_list("state: revoked"),
            of_list("state: revoked"),
        ]
    );
    assert!(
        denials
            .iter()
            .all(|denial| denial.client_address == "127.0.0.1")
    );
    let first = denials.last().unwrap();
    assert_eq!(
        (first.request_id.as_str(), first.user_agent.as_str()),
        (request_id.as_str(), AGENT)
    );
    assert_eq!(first.reason(), DecisionReason::Permission);
    Ok(())
}

#[tokio::test]
async fn strangers_do_not_push_out_other_refusals() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadOnly).await?;
    scene.expect(403, "PUT", "/k", b"")?;
    let wrong = scene.signed_by("a-guess", "GET", "/k", b"")?;
    for _ in 0..120 {
        assert_eq!(exchange(scene.server.address(), wrong.clone())?.status, 403);
    }
    // By gRPC a wrong secret is told before anything is read of what is asked for.
    let bearer = Bearer::key(&scene.credentials.access_key_id, "a-guess")?;
    let mut strangers = Clients::connect(&scene.server, bearer).await?;
    let status = strangers
        .objects
        .head_object(HeadObjectRequest::default())
        .await;
    assert_eq!(
        reason(&status.unwrap_err()),
        "ERROR_REASON_SIGNATURE_DOES_NOT_MATCH"
    );
    let denials = scene.denials().await?;
    assert_eq!(denials.len(), 21);
    assert_eq!(denials[0].rule, "secret: not made with this key's secret");
    assert_eq!(
        (denials[0].operation.as_str(), denials[0].bucket.as_str()),
        ("HeadObject", "")
    );
    assert_eq!(denials[20].reason(), DecisionReason::Permission);
    let expected = BTreeMap::from([
        (DecisionReason::Signature, 121),
        (DecisionReason::Permission, 1),
    ]);
    assert_eq!(refusals(&scene.usage().await?), expected);
    Ok(())
}

#[tokio::test]
async fn what_ends_while_it_runs_is_told_once() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadWrite).await?;
    let body = vec![b'x'; 2_000_000];
    let request = scene.signed("PUT", "/late", &body)?;
    let mut connection = Connection::open(scene.server.address())?;
    connection.send(&request.head())?;
    connection.send(&body[..1_000_000])?;
    let revoke = RevokeTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: scene.token.token_id.clone(),
    };
    // Only what was let in can be taken back.
    while counts(&scene.usage().await?).is_empty() {}
    scene.root.tokens.revoke_token(revoke).await?;
    assert_eq!(connection.receive("PUT")?.status, 403);
    let usage = scene.usage().await?;
    assert_eq!(
        refusals(&usage),
        BTreeMap::from([(DecisionReason::Revoked, 1)])
    );
    let (requests, bytes_in, _) = counts(&usage)[&RequestClass::Write];
    assert_eq!(requests, 1);
    assert!(bytes_in <= 1_000_000, "{bytes_in}");
    let denial = &scene.denials().await?[0];
    assert_eq!(
        (
            denial.operation.as_str(),
            denial.key.as_str(),
            denial.user_agent.as_str()
        ),
        ("PutObject", "late", AGENT)
    );
    Ok(())
}

#[tokio::test]
async fn bytes_of_an_upload_that_breaks_off_are_counted() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::WriteOnly).await?;
    let mut clients = scene.clients().await?;
    let (messages, open) = mpsc::channel(4);
    let running = tokio::spawn(async move {
        let messages = ReceiverStream::new(open);
        clients.objects.put_object(messages).await
    });
    for message in stream("broken", &[10_000, 20_000]) {
        messages.send(message).await.unwrap();
    }
    let expected = BTreeMap::from([(RequestClass::Write, (1, 30_000, 0))]);
    while counts(&scene.usage().await?) != expected {
        assert!(!running.is_finished());
    }
    running.abort();
    drop(messages);
    assert!(running.await.unwrap_err().is_cancelled());
    assert_eq!(counts(&scene.usage().await?), expected);
    let listed = scene.root.objects.list_objects(ListObjectsRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    });
    assert!(listed.await?.into_inner().objects.is_empty());
    Ok(())
}

/// The copy was let in, and its source was refused.
#[tokio::test]
async fn a_refused_source_is_told_of() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadWrite).await?;
    let copy = scene.signed_with(
        &[("x-amz-copy-source", "/another-bucket/theirs")],
        ("PUT", "/copy", b""),
    )?;
    assert_eq!(exchange(scene.server.address(), copy)?.status, 403);
    let usage = scene.usage().await?;
    assert_eq!(
        counts(&usage),
        BTreeMap::from([(RequestClass::Write, (1, 0, 0))])
    );
    let expected = BTreeMap::from([(DecisionReason::OtherBucket, 1)]);
    assert_eq!(refusals(&usage), expected);
    let denial = &scene.denials().await?[0];
    assert_eq!(
        (
            denial.operation.as_str(),
            denial.bucket.as_str(),
            denial.key.as_str()
        ),
        ("CopyObject", "another-bucket", "theirs")
    );
    Ok(())
}

/// A request through an edge in another process is counted once, under the name and user agent that the edge saw.
#[tokio::test]
async fn a_bucket_of_another_owner_than_expected_was_not_used() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadWrite).await?;
    let owner = &"0".repeat(64);
    let get = ("GET", "/?list-type=2", &b""[..]);
    let guess = scene.signed_with(&[("x-amz-expected-bucket-owner", owner)], get)?;
    assert_eq!(exchange(scene.server.address(), guess)?.status, 403);
    assert_eq!(counts(&scene.usage().await?), BTreeMap::new());
    scene.expect(200, get.0, get.1, get.2)?;
    let listed = BTreeMap::from([(RequestClass::List, (1, 0, 0))]);
    assert_eq!(counts(&scene.usage().await?), listed);
    Ok(())
}

#[tokio::test]
async fn a_separate_adapter_changes_nothing() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadWrite).await?;
    let adapter = Adapter::start(&scene.server, &[]).await?;
    let address = adapter.address.to_string();
    let send = |scene: &Scene, call: (&str, &str, &[u8])| {
        let signed = scene.signed_at(&address, &[], call)?;
        exchange(adapter.address, signed)
    };
    assert_eq!(send(&scene, ("PUT", "/k", &[b'x'; 9000]))?.status, 200);
    assert_eq!(send(&scene, ("GET", "/k", b""))?.body.len(), 9000);
    let tags = b"<Tagging><TagSet></TagSet></Tagging>";
    assert_eq!(send(&scene, ("PUT", "/k?tagging", tags))?.status, 200);
    assert_eq!(
        send(&scene, ("GET", "//another-bucket/k", b""))?.status,
        403
    );
    let usage = scene.usage().await?;
    let expected = BTreeMap::from([
        (RequestClass::Read, (1, 0, 9000)),
        (RequestClass::Write, (2, 9000, 0)),
    ]);
    assert_eq!(counts(&usage), expected);
    let last = usage.last_use.unwrap();
    assert_eq!(
        (last.operation.as_str(), last.user_agent.as_str()),
        ("PutObjectTagging", AGENT)
    );
    let denial = &scene.denials().await?[0];
    assert_eq!(
        (denial.operation.as_str(), denial.client_address.as_str()),
        ("GetObject", "127.0.0.1")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_is_there_after_a_restart() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadOnly).await?;
    scene.expect(404, "GET", "/k", b"")?;
    scene.expect(403, "PUT", "/k", b"")?;
    // Written by the stop: the interval is an hour.
    scene.server.restart()?;
    scene.root = Clients::root(&scene.server).await?;
    let expected = BTreeMap::from([(RequestClass::Read, (1, 0, 0))]);
    assert_eq!(counts(&scene.usage().await?), expected);
    // And what was told once is not lost by a kill.
    scene.expect(404, "GET", "/k", b"")?;
    let expected = BTreeMap::from([(RequestClass::Read, (2, 0, 0))]);
    assert_eq!(counts(&scene.usage().await?), expected);
    scene.server.kill9()?;
    scene.server.restart()?;
    scene.root = Clients::root(&scene.server).await?;
    let usage = scene.usage().await?;
    assert_eq!(counts(&usage), expected);
    assert_eq!(
        refusals(&usage),
        BTreeMap::from([(DecisionReason::Permission, 1)])
    );
    assert_eq!(scene.denials().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn requests_per_second_refuse_and_recover() -> Result<(), HarnessError> {
    let limits = TokenLimits {
        requests_per_second: 2,
        bytes_per_day: 0,
    };
    let mut scene = Scene::limited(Permission::ReadOnly, Some(limits)).await?;
    let begin = Instant::now();
    let (mut let_in, mut refused) = (0, 0);
    while refused < 3 {
        let response = scene.send("HEAD", "", b"")?;
        match response.status {
            200 => let_in += 1,
            503 => refused += 1,
            status => panic!("{status}"),
        }
        let most = 2 + 2 * (begin.elapsed().as_secs() + 1);
        assert!(let_in <= most, "{let_in} in {:?}", begin.elapsed());
    }
    let body = scene.send("GET", "?location", b"")?;
    if body.status == 503 {
        assert_eq!(body.element("Code").as_deref(), Some("SlowDown"));
        refused += 1;
    } else {
        let_in += 1;
    }
    // By gRPC it is the same limit.
    let mut clients = scene.clients().await?;
    loop {
        match clients.tokens.create_session(CreateSessionRequest {}).await {
            Ok(_) => let_in += 1,
            Err(status) => {
                assert_eq!(status.code(), tonic::Code::ResourceExhausted);
                assert_eq!(reason(&status), "ERROR_REASON_SLOW_DOWN");
                refused += 1;
                break;
            }
        }
    }
    // It recovers by itself.
    let deadline = begin + Duration::from_secs(60);
    while scene.send("HEAD", "", b"")?.status != 200 {
        refused += 1;
        assert!(Instant::now() < deadline);
    }
    let_in += 1;
    let usage = scene.usage().await?;
    let expected = BTreeMap::from([(DecisionReason::RequestLimit, refused)]);
    assert_eq!(refusals(&usage), expected);
    let counted = counts(&usage)[&RequestClass::Other].0;
    assert_eq!(counted, i64::try_from(let_in).unwrap());
    assert_eq!(
        scene.denials().await?[0].rule,
        "limits.requests_per_second: 2"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_per_day_end_what_would_pass_them() -> Result<(), HarnessError> {
    let limits = |bytes_per_day| {
        Some(TokenLimits {
            requests_per_second: 0,
            bytes_per_day,
        })
    };
    let mut scene = Scene::limited(Permission::ReadWrite, limits(50_000)).await?;
    scene.expect(200, "PUT", "/k", &[b'x'; 30_000])?;
    // 20,000 are left: the upload ends, and nothing is stored of it.
    let refused = scene.expect(403, "PUT", "/late", &[b'x'; 40_000])?;
    assert_eq!(refused.element("Code").as_deref(), Some("AccessDenied"));
    assert!(refused.text().contains("50000"), "{}", refused.text());
    // What came was used: now nothing at all is let in, by neither protocol.
    scene.expect(403, "HEAD", "/k", b"")?;
    let mut clients = scene.clients().await?;
    let status = drain(&mut clients, "k").await.unwrap_err();
    assert_eq!(reason(&status), "ERROR_REASON_BYTE_LIMIT_EXCEEDED");
    let listed = scene.root.objects.list_objects(ListObjectsRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    });
    let keys: Vec<String> = (listed.await?.into_inner().objects.into_iter())
        .map(|object| object.key)
        .collect();
    assert_eq!(keys, ["k"]);
    // A higher limit holds at once. 30,000 of the 110,000 may be read.
    let used = counts(&scene.usage().await?)[&RequestClass::Write].1;
    assert!((50_001..=70_000).contains(&used), "{used}");
    let higher = limits(used + 40_000);
    scene
        .edit(
            "limits",
            Token {
                limits: higher,
                ..Token::default()
            },
        )
        .await?;
    assert_eq!(drain(&mut clients, "k").await?, 30_000);
    // 10,000 are left: a download that is longer is let in, and ends.
    let status = drain(&mut clients, "k").await.unwrap_err();
    assert_eq!(reason(&status), "ERROR_REASON_BYTE_LIMIT_EXCEEDED");
    let usage = scene.usage().await?;
    let (requests, _, bytes_out) = counts(&usage)[&RequestClass::Read];
    assert_eq!((requests, bytes_out), (2, 30_000));
    let expected = BTreeMap::from([(DecisionReason::ByteLimit, 4)]);
    assert_eq!(refusals(&usage), expected);
    // The day is the catalog's: a restart gives nothing back.
    scene.server.restart()?;
    scene.root = Clients::root(&scene.server).await?;
    let lower = limits(used + 30_000);
    scene
        .edit(
            "limits",
            Token {
                limits: lower,
                ..Token::default()
            },
        )
        .await?;
    scene.expect(403, "HEAD", "/k", b"")?;
    scene.edit("limits", Token::default()).await?;
    scene.expect(200, "HEAD", "/k", b"")?;
    Ok(())
}

#[tokio::test]
async fn spans_are_checked() -> Result<(), HarnessError> {
    let mut scene = Scene::with(Permission::ReadOnly).await?;
    let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let ask = |start, end| GetTokenUsageRequest {
        bucket: BUCKET.to_owned(),
        token_id: scene.token.token_id.clone(),
        start_time: start,
        end_time: end,
    };
    let wrong = [
        ask(at(2), at(1)),
        ask(at(0), at(367 * 24 * 3600)),
        ask(at(i64::MIN), at(i64::MAX)),
    ];
    let earlier = ask(at(0), at(3600));
    for request in wrong {
        let status = scene.root.tokens.get_token_usage(request).await;
        let status = status.unwrap_err();
        assert_eq!(reason(&status), "ERROR_REASON_INVALID_ARGUMENT");
        assert!(status.message().contains("start_time"), "{status:?}");
    }
    scene.expect(200, "HEAD", "", b"")?;
    let usage = scene.root.tokens.get_token_usage(earlier).await?;
    let usage = usage.into_inner();
    assert!(usage.hours.is_empty() && counts(&usage).is_empty());
    assert!(usage.last_use.is_some());
    let foreign = GetTokenUsageRequest {
        bucket: BUCKET.to_owned(),
        token_id: "1".to_owned(),
        ..Default::default()
    };
    let status = scene.root.tokens.get_token_usage(foreign).await;
    assert_eq!(reason(&status.unwrap_err()), "ERROR_REASON_NO_SUCH_TOKEN");
    Ok(())
}
