//! `x-amz-expected-bucket-owner` holds for the bucket that an operation works on, not only for the one that had its name
//! when the request came.

use std::net::SocketAddr;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketry_contract::v1::{
    CreateAccountRequest, DeleteBucketRequest, HeadObjectRequest, PutObjectSpec,
    PutSmallObjectRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Connection, Request, exchange};
use bucketry_tests::server::{ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY, Server, ServerOptions};
use bucketry_tests::sigv4::{Payload, Signer};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::separate_adapter::Adapter;

const BUCKET: &str = "expected-owner-test-bucket";
const DELETE: &[u8] = b"<Delete><Object><Key>k</Key></Object></Delete>";

/// The administrator of an account.
struct Administrator {
    clients: Clients,
    signer: Signer,
}

impl Administrator {
    async fn new(server: &Server, root: &mut Clients, name: &str) -> Result<Self, HarnessError> {
        let display_name = name.to_owned();
        let request = CreateAccountRequest { display_name };
        let made = root.admin.create_account(request).await?.into_inner();
        let bearer = Bearer::key(&made.access_key_id, &made.secret_access_key)?;
        Ok(Self {
            clients: Clients::connect(server, bearer).await?,
            signer: Signer::new(&made.access_key_id, &made.secret_access_key),
        })
    }

    /// The account as S3 names it.
    fn owner(&self, address: SocketAddr) -> Result<String, HarnessError> {
        let request = Request::new("GET", "/").header("host", &address.to_string());
        let signed = self
            .signer
            .header(request, SystemTime::now(), Payload::Signed)?;
        let id = exchange(address, signed)?.element("ID");
        id.ok_or(HarnessError::Incomplete("ID"))
    }

    async fn put(&mut self) -> Result<(), HarnessError> {
        let spec = PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: "k".to_owned(),
            ..Default::default()
        };
        let request = PutSmallObjectRequest {
            spec: Some(spec),
            data: Bytes::from_static(b"content"),
        };
        self.clients.objects.put_small_object(request).await?;
        Ok(())
    }

    async fn has_object(&mut self) -> bool {
        let request = HeadObjectRequest {
            object: Some(bucketry_contract::v1::GetObjectRequest {
                bucket: BUCKET.to_owned(),
                key: "k".to_owned(),
                ..Default::default()
            }),
        };
        self.clients.objects.head_object(request).await.is_ok()
    }

    async fn delete_bucket(&mut self) -> Result<(), HarnessError> {
        let bucket = BUCKET.to_owned();
        let request = DeleteBucketRequest { bucket };
        self.clients.objects.delete_bucket(request).await?;
        Ok(())
    }
}

/// An operator's batch of deletes that expects an owner.
fn delete_objects(edge: SocketAddr, owner: &str) -> Result<Request, HarnessError> {
    let request = Request::new("POST", &format!("/{BUCKET}?delete"))
        .header("host", &edge.to_string())
        .header("expect", "100-continue")
        .header("content-length", &DELETE.len().to_string())
        .header("x-amz-expected-bucket-owner", owner)
        .header(
            "x-amz-checksum-sha256",
            &STANDARD.encode(Sha256::digest(DELETE)),
        )
        .body(DELETE);
    let signer = Signer::new(ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY);
    signer.header(request, SystemTime::now(), Payload::Signed)
}

/// The bucket is replaced by that of another account while the body of a request is still to come.
async fn the_bucket_is_replaced(server: &Server, edge: SocketAddr) -> Result<(), HarnessError> {
    let mut root = Clients::root(server).await?;
    let mut first = Administrator::new(server, &mut root, "first").await?;
    let mut second = Administrator::new(server, &mut root, "second").await?;
    let owner = first.owner(server.address())?;
    first.clients.create_bucket(BUCKET).await?;

    let request = delete_objects(edge, &owner)?;
    let mut connection = Connection::open(edge)?;
    connection.send(&request.head())?;
    // The body is asked for once the request has been authorized.
    assert_eq!(connection.receive("POST")?.status, 100);
    first.delete_bucket().await?;
    second.clients.create_bucket(BUCKET).await?;
    second.put().await?;
    connection.send(&request.body)?;
    let answer = connection.receive("POST")?;
    let code = answer.element("Code");
    assert_eq!(code.as_deref(), Some("AccessDenied"), "{}", answer.text());
    assert!(second.has_object().await);

    let expected = delete_objects(edge, &second.owner(server.address())?)?;
    let answer = Connection::open(edge)?.exchange(&expected)?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!second.has_object().await);
    second.delete_bucket().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expected_owner_holds_for_a_bucket_that_is_replaced_meanwhile()
-> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    the_bucket_is_replaced(&server, server.address()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expected_owner_holds_through_a_separate_adapter() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let adapter = Adapter::start(&server, &[]).await?;
    the_bucket_is_replaced(&server, adapter.address).await
}
