//! What a refusal tells: nothing of buckets that are another's, nothing of objects that may not be read.

use bucketry_contract::v1::{
    Bucket, CorsConfiguration, CorsRule, CreateBucketRequest, ListBucketsRequest, Object,
    ObjectAttributes, Permission, Tag, TagSet, UpdateBucketRequest, UpdateObjectRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Request, Response};
use bucketry_tests::postgres;
use bucketry_tests::server::ServerOptions;
use prost_types::FieldMask;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::doors::{Door, doors};
use super::s3::{rows, send};
use super::s3_rows::{READS, Row};
use super::{ALL, BUCKET, FOREIGN, Fixture, SISTER, STRANGE, Who, put};
use crate::wire::with_body;

/// An answer without what differs between any two, and with `name` left out of it: all headers in their order, the
/// length among them, and the body.
fn bare(response: &Response, name: &str) -> (u16, Vec<(String, String)>, String) {
    let mut headers = response.headers.clone();
    let own = ["x-amz-request-id", "x-amz-id-2", "date"];
    headers.retain(|(name, _)| !own.contains(&name.as_str()));
    let mut body = response.text();
    for element in ["RequestId", "HostId"] {
        let value = response.element(element).unwrap_or_default();
        body = body.replace(&format!("<{element}>{value}</{element}>"), "");
    }
    (response.status, headers, body.replace(name, "*"))
}

/// Whether a bucket that is not the token's is there, in its own account or another's, changes no byte of the answer.
/// (But for what its administrator has said to browsers: a preflight carries no credentials, so that CORS rules are
/// public.)
#[tokio::test]
async fn a_foreign_bucket_looks_like_a_missing_one() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start(ServerOptions::new()).await?;
    let mut compared = 0;
    for row in rows().filter(|row| row.target.contains("<BUCKET>")) {
        for permission in ALL {
            for &door in doors(row.operation) {
                let facts = fixture.prepare(&row.text()).await?;
                let mut seen = Vec::new();
                for bucket in [SISTER, STRANGE, FOREIGN] {
                    let request = row.request(&fixture, &facts, bucket);
                    let own = door.own_refusal(&request);
                    let response = send(&fixture, Who::Token(*permission), door, request)?;
                    let status = own.map_or(403, |(status, _)| status);
                    assert_eq!(response.status, status, "{row:?} of {bucket} by {door:?}");
                    seen.push(bare(&response, bucket));
                }
                assert!(seen.iter().all(|one| *one == seen[0]), "{row:?}: {seen:#?}");
                compared += 1;
            }
        }
    }
    assert!(compared > 400, "{compared}");
    Ok(())
}

fn refused_to_writers() -> impl Iterator<Item = Row> {
    rows().filter(|row| {
        row.target.starts_with("/<BUCKET>/k") && !row.may.contains(&Permission::WriteOnly)
    })
}

/// Whether a key is there changes no byte of what a write-only token is answered, but for the one row that the rules
/// name: `If-None-Match: *`, which it may send.
#[tokio::test]
async fn a_write_only_token_does_not_learn_which_keys_exist() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start(ServerOptions::new()).await?;
    let mut compared = 0;
    for row in refused_to_writers() {
        for &door in doors(row.operation) {
            let facts = fixture.prepare(&row.text()).await?;
            let present = row.request(&fixture, &facts, BUCKET);
            let own = format!("/{BUCKET}/k");
            let absent = Request {
                target: present.target.replace(&own, &format!("/{BUCKET}/m")),
                ..present.clone()
            };
            let refused = door.own_refusal(&present).map_or(403, |(status, _)| status);
            let who = Who::Token(Permission::WriteOnly);
            let there = send(&fixture, who, door, present)?;
            let not_there = send(&fixture, who, door, absent)?;
            assert_eq!(there.status, refused, "{row:?} by {door:?}");
            let there = bare(&there, &own);
            let not_there = bare(&not_there, &format!("/{BUCKET}/m"));
            let key = |(status, headers, body): (u16, Vec<(String, String)>, String)| {
                let body = body.replace("<Key>m</Key>", "<Key>k</Key>");
                (status, headers, body)
            };
            assert_eq!(there, key(not_there), "{row:?} by {door:?}");
            compared += 1;
        }
    }
    assert!(compared > 30, "{compared}");
    Ok(())
}

/// A refusal takes one way, whatever is there: it comes before any object is looked for. Shown by taking the tables of
/// objects away, under which every read fails and every refusal is the same as before.
#[tokio::test]
async fn a_refusal_comes_before_any_look_at_objects() -> Result<(), HarnessError> {
    let url = postgres::create_database().await?;
    let mut fixture = Fixture::start(ServerOptions::new().database_url(&url)).await?;
    let facts = fixture.prepare("<UPLOAD> <OVER>").await?;
    let mut database = PgConnection::connect(&url).await?;
    for table in [
        "objects",
        "object_versions",
        "object_data",
        "uploads",
        "parts",
    ] {
        let rename = format!("ALTER TABLE {table} RENAME TO {table}_away");
        database.execute(AssertSqlSafe(rename)).await?;
    }
    let status = |row: &Row, permission, bucket| {
        let request = row.request(&fixture, &facts, bucket);
        let door = doors(row.operation)[0];
        let response = send(&fixture, Who::Token(permission), door, request)?;
        Ok::<u16, HarnessError>(response.status)
    };
    for row in READS
        .iter()
        .filter(|row| row.target.starts_with("/<BUCKET>/k"))
    {
        // That the tables are missed at all.
        let read = status(row, Permission::ReadOnly, BUCKET)?;
        assert!(read >= 500, "{row:?}: {read}");
    }
    for row in rows().filter(|row| row.target.contains("<BUCKET>")) {
        for &permission in ALL {
            // Whose source a copy has is asked after the upload, which is the token's own, has been found.
            let copies = permission == Permission::ReadWrite && row.operation == "UploadPartCopy";
            if !row.may.contains(&permission) && !copies {
                assert_eq!(
                    status(&row, permission, BUCKET)?,
                    403,
                    "{row:?} {permission:?}"
                );
            }
            for bucket in [SISTER, STRANGE, FOREIGN] {
                assert_eq!(
                    status(&row, permission, bucket)?,
                    403,
                    "{row:?} of {bucket}"
                );
            }
        }
    }
    Ok(())
}

/// What a write-only token is answered when it sets tags: what it has written, nothing of the object that it may not
/// read.
#[tokio::test]
async fn an_update_shows_only_what_was_written() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start(ServerOptions::new()).await?;
    put(&mut fixture.root, BUCKET, "k").await?;
    for permission in [Permission::WriteOnly, Permission::ReadWrite] {
        let credentials = fixture.credentials(Who::Token(permission));
        let bearer = Bearer::token(credentials.ok_or(HarnessError::Incomplete("token"))?)?;
        let mut clients = Clients::connect(&fixture.server, bearer).await?;
        let tagging = TagSet {
            tags: vec![Tag {
                key: "a".to_owned(),
                value: "b".to_owned(),
            }],
        };
        let written = Object {
            bucket: BUCKET.to_owned(),
            key: "k".to_owned(),
            attributes: Some(ObjectAttributes {
                tagging: Some(tagging),
                ..Default::default()
            }),
            ..Default::default()
        };
        let request = UpdateObjectRequest {
            object: Some(written.clone()),
            update_mask: Some(FieldMask {
                paths: vec!["attributes.tagging".to_owned()],
            }),
        };
        let shown = clients.objects.update_object(request).await?.into_inner();
        let shown = shown.object.unwrap_or_default();
        match permission {
            Permission::WriteOnly => assert_eq!(shown, written),
            _ => assert!(shown.size == 7 && !shown.etag.is_empty(), "{shown:?}"),
        }
    }
    Ok(())
}

/// A token that "makes" its own bucket is told that it is there, and none of its settings, which are for
/// administrators.
#[tokio::test]
async fn creating_the_own_bucket_shows_no_settings() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start(ServerOptions::new()).await?;
    let tags = vec![Tag {
        key: "cost-centre".to_owned(),
        value: "secret".to_owned(),
    }];
    let rules = vec![CorsRule {
        allowed_origins: vec!["http://inner.example".to_owned()],
        allowed_methods: vec!["GET".to_owned()],
        ..Default::default()
    }];
    let bucket = Bucket {
        name: BUCKET.to_owned(),
        tagging: Some(TagSet { tags }),
        cors: Some(CorsConfiguration { rules }),
        ..Default::default()
    };
    let request = UpdateBucketRequest {
        bucket: Some(bucket),
        update_mask: Some(FieldMask {
            paths: vec!["tagging".to_owned(), "cors".to_owned()],
        }),
    };
    fixture.root.objects.update_bucket(request).await?;
    let make = || CreateBucketRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    let of_owner = fixture.root.objects.create_bucket(make()).await?;
    assert!(
        of_owner
            .into_inner()
            .bucket
            .unwrap_or_default()
            .cors
            .is_some()
    );
    for &permission in ALL {
        let credentials = fixture.credentials(Who::Token(permission));
        let bearer = Bearer::token(credentials.ok_or(HarnessError::Incomplete("token"))?)?;
        let mut clients = Clients::connect(&fixture.server, bearer).await?;
        let made = clients.objects.create_bucket(make()).await?.into_inner();
        let listed = clients.objects.list_buckets(ListBucketsRequest::default());
        let listed = listed.await?.into_inner().buckets;
        assert_eq!(listed.len(), 1);
        for bucket in made.bucket.into_iter().chain(listed) {
            assert_eq!(bucket.name, BUCKET);
            assert_eq!(
                (bucket.tagging, bucket.cors),
                (None, None),
                "{permission:?}"
            );
            assert_eq!(bucket.ownership_controls, None, "{permission:?}");
        }
    }
    Ok(())
}

/// Whose a bucket is may be asked of one's own only: a guess at the owner of another's, right or wrong, is answered as
/// for one that is not there.
#[tokio::test]
async fn a_guessed_owner_reveals_nothing() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start(ServerOptions::new()).await?;
    put(&mut fixture.root, BUCKET, "k").await?;
    let who = Who::Token(Permission::ReadWrite);
    let ask = |method: &str, target: &str, headers: &[(&str, &str)]| {
        let mut request = Request::new(method, target).header("host", &fixture.edge.to_string());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = match method {
            "PUT" => with_body(request, b""),
            _ => request,
        };
        send(&fixture, who, Door::Header, request)
    };
    // The sister belongs to the same account, and a token is told whose its own bucket is.
    let owner = ask("GET", "/", &[])?.element("ID").unwrap_or_default();
    assert!(!owner.is_empty());
    let wrong = "0".repeat(owner.len());
    for guess in [owner.as_str(), wrong.as_str()] {
        let of_bucket: Vec<_> = [SISTER, STRANGE, FOREIGN]
            .into_iter()
            .map(|bucket| {
                let headers = [("x-amz-expected-bucket-owner", guess)];
                let answer = ask("GET", &format!("/{bucket}/k"), &headers)?;
                assert_eq!(answer.status, 403);
                Ok(bare(&answer, bucket))
            })
            .collect::<Result<_, HarnessError>>()?;
        assert!(
            of_bucket.iter().all(|one| *one == of_bucket[0]),
            "{of_bucket:#?}"
        );
        let of_source: Vec<_> = [SISTER, STRANGE, FOREIGN]
            .into_iter()
            .map(|bucket| {
                let source = format!("/{bucket}/k");
                let headers = [
                    ("x-amz-copy-source", source.as_str()),
                    ("x-amz-source-expected-bucket-owner", guess),
                ];
                let answer = ask("PUT", &format!("/{BUCKET}/copy"), &headers)?;
                assert_eq!(answer.status, 403);
                Ok(bare(&answer, bucket))
            })
            .collect::<Result<_, HarnessError>>()?;
        assert!(
            of_source.iter().all(|one| *one == of_source[0]),
            "{guess}: {of_source:#?}"
        );
    }
    Ok(())
}
