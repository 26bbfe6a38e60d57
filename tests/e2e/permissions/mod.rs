//! Who may call what, on every front door: operations by permissions by doors.
//!
//! What is expected stands in the rows ([`grpc_rows`], [`s3_rows`]), written down from the rules of tokens and
//! independently of the contract's annotations; the table that is generated from those is compared with them.

mod blind;
mod doors;
pub(crate) mod grpc;
mod grpc_rows;
mod s3;
mod s3_rows;

use std::net::SocketAddr;

use bucketry_contract::v1::{
    Bucket, CorsConfiguration, CorsRule, CreateAccountRequest, CreateMultipartUploadRequest,
    Credentials, GetObjectRequest, HeadObjectRequest, ListAccountsRequest,
    ListMultipartUploadsRequest, ListObjectsRequest, ObjectChunk, ObjectOwnership,
    OwnershipControls, OwnershipControlsRule, Permission, PutObjectSpec, PutSmallObjectRequest,
    SuspendTokenRequest, Tag, TagSet, UpdateBucketRequest, UploadPartRequest, UploadPartSpec,
    upload_part_request,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::postgres;
use bucketry_tests::server::{Server, ServerOptions};
use bytes::Bytes;
use prost_types::FieldMask;

use crate::separate_adapter::Adapter;

/// The bucket of the tokens, another one of the same account, one of another account, and none. The names of the last
/// three are of one length, so that answers about them can be the same byte for byte.
const BUCKET: &str = "walk-own-bucket";
const SISTER: &str = "walk-foreign-sister";
const FOREIGN: &str = "walk-foreign-absent";
const STRANGE: &str = "walk-foreign-others";
/// A name that nobody ever takes.
const NEW: &str = "walk-bucket-to-make";

const ALL: &[Permission] = &[
    Permission::ReadOnly,
    Permission::WriteOnly,
    Permission::ReadWrite,
];
const READERS: &[Permission] = &[Permission::ReadOnly, Permission::ReadWrite];
const WRITERS: &[Permission] = &[Permission::WriteOnly, Permission::ReadWrite];
const BOTH: &[Permission] = &[Permission::ReadWrite];
const NONE: &[Permission] = &[];

/// Who walks through a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// A token of the bucket that can be used.
    Token(Permission),
    /// A read-write token of the bucket that is suspended.
    Suspended,
    /// Nobody: no credentials at all.
    Anonymous,
}

const EVERYBODY: [Who; 5] = [
    Who::Token(Permission::ReadOnly),
    Who::Token(Permission::WriteOnly),
    Who::Token(Permission::ReadWrite),
    Who::Suspended,
    Who::Anonymous,
];

impl Who {
    fn may(self, permissions: &[Permission]) -> bool {
        matches!(self, Self::Token(permission) if permissions.contains(&permission))
    }
}

/// What rows speak of, in angle brackets.
struct Facts {
    names: Vec<(&'static str, String)>,
}

impl Facts {
    /// A row's text with what it speaks of put in, about this bucket.
    fn fill(&self, text: &str, bucket: &str) -> String {
        let mut filled = text.replace("<BUCKET>", bucket);
        for (name, value) in &self.names {
            filled = filled.replace(name, value);
        }
        filled
    }
}

struct Fixture {
    server: Server,
    /// Where S3 is spoken.
    edge: SocketAddr,
    root: Clients,
    /// The administrator of another account.
    stranger: Bearer,
    /// The keys of those who walk.
    keys: Vec<(Who, Credentials)>,
    /// The token that token operations are about; nobody's key here.
    token: String,
    /// The account of the bucket.
    account: String,
    prepared: usize,
}

impl Fixture {
    async fn start(options: ServerOptions) -> Result<Self, HarnessError> {
        let server = Server::start(options)?;
        let mut root = Clients::root(&server).await?;
        root.create_bucket(BUCKET).await?;
        root.create_bucket(SISTER).await?;
        let stranger = stranger(&mut root).await?;
        let mut strangers = Clients::connect(&server, stranger.clone()).await?;
        strangers.create_bucket(STRANGE).await?;
        for (clients, bucket) in [(&mut root, SISTER), (&mut strangers, STRANGE)] {
            put(clients, bucket, "k").await?;
        }
        let mut keys = Vec::new();
        for who in EVERYBODY {
            let permission = match who {
                Who::Token(permission) => permission,
                Who::Suspended => Permission::ReadWrite,
                Who::Anonymous => continue,
            };
            let (token, credentials) = root.create_token(BUCKET, permission).await?;
            if who == Who::Suspended {
                let request = SuspendTokenRequest {
                    bucket: BUCKET.to_owned(),
                    token_id: token.token_id,
                };
                root.tokens.suspend_token(request).await?;
            }
            keys.push((who, credentials));
        }
        let (token, _) = root.create_token(BUCKET, Permission::ReadOnly).await?;
        configure(&mut root, BUCKET).await?;
        Ok(Self {
            edge: server.address(),
            server,
            stranger,
            keys,
            token: token.token_id,
            account: first_account(&mut root).await?,
            root,
            prepared: 0,
        })
    }

    fn credentials(&self, who: Who) -> Option<&Credentials> {
        let found = self.keys.iter().find(|(known, _)| *known == who);
        found.map(|(_, credentials)| credentials)
    }

    /// Makes what a row's text speaks of, anew for every call so that none depends on another.
    async fn prepare(&mut self, text: &str) -> Result<Facts, HarnessError> {
        self.prepared += 1;
        let fresh = format!("fresh-{}", self.prepared);
        let (etag, generation) = put(&mut self.root, BUCKET, "k").await?;
        let mut names = vec![
            ("<ETAG>", etag),
            ("<GENERATION>", generation.to_string()),
            ("<TOKEN>", self.token.clone()),
            ("<ACCOUNT>", self.account.clone()),
            ("<SISTER>", SISTER.to_owned()),
            ("<FOREIGN>", FOREIGN.to_owned()),
            ("<NEW>", NEW.to_owned()),
        ];
        for (name, key) in [("<UPLOAD>", fresh.as_str()), ("<OVER>", "k")] {
            if text.contains(name) {
                let (upload, part) = self.upload(key).await?;
                names.extend([(name, upload), ("<PART>", part)]);
            }
        }
        names.push(("<FRESH>", fresh));
        Ok(Facts { names })
    }

    /// An open upload with one part.
    async fn upload(&mut self, key: &str) -> Result<(String, String), HarnessError> {
        let begin = CreateMultipartUploadRequest {
            bucket: BUCKET.to_owned(),
            key: key.to_owned(),
            ..Default::default()
        };
        let begun = self.root.objects.create_multipart_upload(begin).await?;
        let upload = begun.into_inner().upload.unwrap_or_default().upload_id;
        let spec = upload_part_request::Message::Spec(UploadPartSpec {
            bucket: BUCKET.to_owned(),
            key: key.to_owned(),
            upload_id: upload.clone(),
            part_number: 1,
            ..Default::default()
        });
        let chunk = upload_part_request::Message::Chunk(ObjectChunk {
            data: Bytes::from_static(b"part"),
            ..Default::default()
        });
        let messages = [spec, chunk].map(|message| UploadPartRequest {
            message: Some(message),
        });
        let part = self.root.objects.upload_part(tokio_stream::iter(messages));
        let part = part.await?.into_inner().part.unwrap_or_default();
        Ok((upload, part.etag))
    }

    /// What a refused call must leave as it was: the object, and which keys and uploads there are.
    async fn state(&mut self) -> Result<(i64, Vec<String>), HarnessError> {
        let object = GetObjectRequest {
            bucket: BUCKET.to_owned(),
            key: "k".to_owned(),
            ..Default::default()
        };
        let head = HeadObjectRequest {
            object: Some(object),
        };
        let head = self.root.objects.head_object(head).await?.into_inner();
        let object = head.header.and_then(|header| header.object);
        let generation = object.map_or(0, |object| object.generation);
        let listing = ListObjectsRequest {
            bucket: BUCKET.to_owned(),
            ..Default::default()
        };
        let objects = self.root.objects.list_objects(listing).await?.into_inner();
        let listing = ListMultipartUploadsRequest {
            bucket: BUCKET.to_owned(),
            ..Default::default()
        };
        let uploads = self.root.objects.list_multipart_uploads(listing).await?;
        let mut names: Vec<String> = objects.objects.into_iter().map(|o| o.key).collect();
        let uploads = uploads.into_inner().uploads.into_iter();
        names.extend(uploads.map(|upload| upload.upload_id));
        Ok((generation, names))
    }
}

/// Sets every setting of a bucket, so that there is something to see.
pub(crate) async fn configure(root: &mut Clients, bucket: &str) -> Result<(), HarnessError> {
    let settings = Bucket {
        name: bucket.to_owned(),
        tagging: Some(TagSet {
            tags: vec![Tag {
                key: "team".to_owned(),
                value: "one".to_owned(),
            }],
        }),
        cors: Some(CorsConfiguration {
            rules: vec![CorsRule {
                allowed_origins: vec!["https://example.com".to_owned()],
                allowed_methods: vec!["GET".to_owned()],
                ..Default::default()
            }],
        }),
        ownership_controls: Some(OwnershipControls {
            rules: vec![OwnershipControlsRule {
                object_ownership: ObjectOwnership::BucketOwnerEnforced.into(),
            }],
        }),
        ..Default::default()
    };
    let paths = ["tagging", "cors", "ownership_controls"].map(str::to_owned);
    let request = UpdateBucketRequest {
        bucket: Some(settings),
        update_mask: Some(FieldMask {
            paths: paths.to_vec(),
        }),
    };
    root.objects.update_bucket(request).await?;
    Ok(())
}

/// The account in which an operator creates buckets: the oldest one.
async fn first_account(root: &mut Clients) -> Result<String, HarnessError> {
    let listed = root.admin.list_accounts(ListAccountsRequest::default());
    let accounts = listed.await?.into_inner().accounts;
    let first = accounts.into_iter().next();
    Ok(first.ok_or(HarnessError::Incomplete("account"))?.account_id)
}

/// The administrator of another account.
async fn stranger(root: &mut Clients) -> Result<Bearer, HarnessError> {
    let request = CreateAccountRequest {
        display_name: "stranger".to_owned(),
    };
    let made = root.admin.create_account(request).await?.into_inner();
    Bearer::key(&made.access_key_id, &made.secret_access_key)
}

/// Puts an object; its ETag and generation.
async fn put(
    clients: &mut Clients,
    bucket: &str,
    key: &str,
) -> Result<(String, i64), HarnessError> {
    let spec = PutObjectSpec {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        ..Default::default()
    };
    let request = PutSmallObjectRequest {
        spec: Some(spec),
        data: Bytes::from_static(b"content"),
    };
    let put = clients.objects.put_small_object(request).await?;
    let object = put.into_inner().object;
    let object = object.ok_or(HarnessError::Incomplete("object"))?;
    Ok((object.etag, object.generation))
}

/// The walk: every operation with every permission through every door, and nothing changed by what is refused.
#[expect(clippy::print_stdout, reason = "how much was walked is a result")]
async fn walk(what: &str, options: ServerOptions) -> Result<(), HarnessError> {
    let mut fixture = Fixture::start(options).await?;
    let (by_s3, mut faults) = s3::walk(&mut fixture).await?;
    let (by_grpc, faults_of_grpc) = grpc::walk(&mut fixture).await?;
    faults.extend(faults_of_grpc);
    let cells = by_s3 + by_grpc;
    println!("cells walked: {cells} on {what} ({by_s3} by S3, {by_grpc} by gRPC)");
    none(cells, &faults);
    Ok(())
}

fn none(cells: usize, faults: &[String]) {
    assert!(
        faults.is_empty(),
        "{} of {cells} cells:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[tokio::test]
async fn each_permission_allows_what_the_rules_say() -> Result<(), HarnessError> {
    walk("SQLite", ServerOptions::new()).await
}

#[tokio::test]
async fn each_permission_allows_what_the_rules_say_on_postgres() -> Result<(), HarnessError> {
    let url = postgres::create_database().await?;
    walk("PostgreSQL", ServerOptions::new().database_url(&url)).await
}

/// The edge in a process of its own decides nothing by itself.
#[tokio::test]
async fn each_permission_allows_what_the_rules_say_by_a_separate_adapter()
-> Result<(), HarnessError> {
    let mut fixture = Fixture::start(ServerOptions::new()).await?;
    let adapter = Adapter::start(&fixture.server, &[]).await?;
    fixture.edge = adapter.address;
    let (cells, faults) = s3::walk(&mut fixture).await?;
    println!("cells walked: {cells} by S3 through a separate adapter");
    none(cells, &faults);
    Ok(())
}
