//! The gRPC front: the generated clients over one HTTP/2 connection each.

use std::iter::once;

use bucketry_contract::v1;
use bucketry_contract::v1::admin_service_client::AdminServiceClient;
use bucketry_contract::v1::object_service_client::ObjectServiceClient;
use bucketry_contract::v1::token_service_client::TokenServiceClient;
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::connection::{Listed, Page, PageQuery};
use crate::fault::Fault;
use crate::target::{Authority, Credentials, Secret, Target};

/// The largest object of the unary calls, in bytes.
const SMALL: u64 = 2 * 1024 * 1024;
/// A chunk of a stream: what fits the second-level cache, in bytes.
const CHUNK: usize = 256 * 1024;
/// The most of an object that is kept, in bytes.
const KEPT: usize = 16 * 1024 * 1024;
/// A message may carry a small object and what describes it, or a page of long keys.
const MESSAGE_LIMIT: usize = 4 * 1024 * 1024;
const TOKENS_AT_A_TIME: usize = 32;

/// Adds the bearer to every call.
#[derive(Clone)]
pub(crate) struct Bearer(MetadataValue<Ascii>);

impl Bearer {
    fn new(credentials: &Credentials) -> Result<Self, Fault> {
        let text = format!(
            "Bearer {}.{}",
            credentials.access_key_id,
            credentials.secret.expose()
        );
        let mut value: MetadataValue<Ascii> = text.parse()?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert("authorization", self.0.clone());
        Ok(request)
    }
}

type Authenticated = InterceptedService<Channel, Bearer>;

async fn connect(authority: &Authority) -> Result<Channel, Fault> {
    let endpoint = Endpoint::from_shared(format!("http://{}", authority.as_str()))?;
    Ok(endpoint.tcp_nodelay(true).connect().await?)
}

async fn objects(
    authority: &Authority,
    credentials: &Credentials,
) -> Result<ObjectServiceClient<Authenticated>, Fault> {
    let client =
        ObjectServiceClient::with_interceptor(connect(authority).await?, Bearer::new(credentials)?);
    Ok(client.max_decoding_message_size(MESSAGE_LIMIT))
}

/// Makes a bucket.
pub(crate) async fn create_bucket(
    authority: &Authority,
    administrator: &Credentials,
    bucket: &str,
) -> Result<(), Fault> {
    let request = v1::CreateBucketRequest {
        bucket: bucket.to_owned(),
        region: String::new(),
    };
    objects(authority, administrator)
        .await?
        .create_bucket(request)
        .await?;
    Ok(())
}

/// Makes an account; answers its administrator's key.
pub(crate) async fn create_account(
    authority: &Authority,
    operator: &Credentials,
    name: &str,
) -> Result<Credentials, Fault> {
    let mut client =
        AdminServiceClient::with_interceptor(connect(authority).await?, Bearer::new(operator)?);
    let request = v1::CreateAccountRequest {
        display_name: name.to_owned(),
    };
    let answer = client.create_account(request).await?.into_inner();
    Ok(Credentials {
        access_key_id: answer.access_key_id,
        secret: Secret::new(answer.secret_access_key),
    })
}

/// Makes a token that reads and writes a bucket.
pub(crate) async fn create_token(
    authority: &Authority,
    administrator: &Credentials,
    bucket: &str,
) -> Result<Credentials, Fault> {
    let client = TokenServiceClient::with_interceptor(
        connect(authority).await?,
        Bearer::new(administrator)?,
    );
    issue(client, bucket, "load".to_owned()).await
}

/// Makes `count` tokens that read and write a bucket, several at a time.
pub(crate) async fn create_tokens(
    authority: &Authority,
    administrator: &Credentials,
    bucket: &str,
    count: u64,
) -> Result<Vec<Credentials>, Fault> {
    let client = TokenServiceClient::with_interceptor(
        connect(authority).await?,
        Bearer::new(administrator)?,
    );
    stream::iter(0..count)
        .map(|number| issue(client.clone(), bucket, format!("load-{number}")))
        .buffer_unordered(TOKENS_AT_A_TIME)
        .try_collect()
        .await
}

async fn issue(
    mut client: TokenServiceClient<Authenticated>,
    bucket: &str,
    name: String,
) -> Result<Credentials, Fault> {
    let request = v1::CreateTokenRequest {
        bucket: bucket.to_owned(),
        name,
        permission: v1::Permission::ReadWrite.into(),
        ..Default::default()
    };
    let answer = client.create_token(request).await?.into_inner();
    let credentials = answer.credentials.ok_or(Fault::Lacking("credentials"))?;
    Ok(Credentials {
        access_key_id: credentials.access_key_id,
        secret: Secret::new(credentials.secret_access_key),
    })
}

/// A connection to the gRPC front.
pub(crate) struct GrpcConnection {
    client: ObjectServiceClient<Authenticated>,
    bucket: String,
}

impl GrpcConnection {
    /// Connects.
    pub(crate) async fn open(target: &Target) -> Result<Self, Fault> {
        Ok(Self {
            client: objects(&target.authority, &target.credentials).await?,
            bucket: target.bucket.clone(),
        })
    }

    /// Writes an object: in one call if it is small, else as a stream.
    pub(crate) async fn put(&mut self, key: &str, content: Bytes) -> Result<(), Fault> {
        let length = content.len() as u64;
        let spec = v1::PutObjectSpec {
            bucket: self.bucket.clone(),
            key: key.to_owned(),
            content_length: i64::try_from(length).ok(),
            ..Default::default()
        };
        if length <= SMALL {
            let request = v1::PutSmallObjectRequest {
                spec: Some(spec),
                data: content,
            };
            self.client.put_small_object(request).await?;
        } else {
            self.client.put_object(put_stream(spec, content)).await?;
        }
        Ok(())
    }

    /// Reads an object and answers with the bytes of content that came.
    pub(crate) async fn get_discarding(&mut self, key: &str, size: u64) -> Result<u64, Fault> {
        let object = v1::GetObjectRequest {
            bucket: self.bucket.clone(),
            key: key.to_owned(),
            ..Default::default()
        };
        if size <= SMALL {
            let request = v1::GetSmallObjectRequest {
                object: Some(object),
            };
            let answer = self.client.get_small_object(request).await?.into_inner();
            return Ok(answer.data.len() as u64);
        }
        let mut stream = self.client.get_object(object).await?.into_inner();
        let mut got = 0;
        while let Some(message) = stream.message().await? {
            if let Some(v1::get_object_response::Message::Chunk(chunk)) = message.message {
                got += chunk.data.len() as u64;
            }
        }
        Ok(got)
    }

    /// Answers with the size of an object, which is not read.
    pub(crate) async fn head(&mut self, key: &str) -> Result<u64, Fault> {
        let object = v1::GetObjectRequest {
            bucket: self.bucket.clone(),
            key: key.to_owned(),
            ..Default::default()
        };
        let request = v1::HeadObjectRequest {
            object: Some(object),
        };
        let answer = self.client.head_object(request).await?.into_inner();
        let header = answer.header.ok_or(Fault::Lacking("header"))?;
        u64::try_from(header.content_length).map_err(|_| Fault::Lacking("content_length"))
    }

    /// Reads a whole object.
    pub(crate) async fn fetch(&mut self, key: &str) -> Result<Bytes, Fault> {
        let object = v1::GetObjectRequest {
            bucket: self.bucket.clone(),
            key: key.to_owned(),
            ..Default::default()
        };
        let mut stream = self.client.get_object(object).await?.into_inner();
        let mut content = BytesMut::new();
        while let Some(message) = stream.message().await? {
            if let Some(v1::get_object_response::Message::Chunk(chunk)) = message.message {
                if content.len() + chunk.data.len() > KEPT {
                    return Err(Fault::TooLong { limit: KEPT });
                }
                content.extend_from_slice(&chunk.data);
            }
        }
        Ok(content.freeze())
    }

    /// Deletes an object.
    pub(crate) async fn delete(&mut self, key: &str) -> Result<(), Fault> {
        let request = v1::DeleteObjectRequest {
            bucket: self.bucket.clone(),
            key: key.to_owned(),
            allow_missing: true,
            ..Default::default()
        };
        self.client.delete_object(request).await?;
        Ok(())
    }

    /// Writes an object of several parts.
    pub(crate) async fn put_multipart(&mut self, key: &str, parts: &[Bytes]) -> Result<(), Fault> {
        let request = v1::CreateMultipartUploadRequest {
            bucket: self.bucket.clone(),
            key: key.to_owned(),
            ..Default::default()
        };
        let begun = self
            .client
            .create_multipart_upload(request)
            .await?
            .into_inner();
        let upload_id = begun.upload.ok_or(Fault::Lacking("upload"))?.upload_id;
        let mut completed = Vec::new();
        for (part_number, part) in (1..).zip(parts) {
            let spec = v1::UploadPartSpec {
                bucket: self.bucket.clone(),
                key: key.to_owned(),
                upload_id: upload_id.clone(),
                part_number,
                content_length: i64::try_from(part.len()).ok(),
                digests: None,
                checksum_algorithm: v1::ChecksumAlgorithm::Unspecified.into(),
            };
            let answer = self
                .client
                .upload_part(part_stream(spec, part.clone()))
                .await?
                .into_inner();
            completed.push(v1::CompletedPart {
                part_number,
                etag: answer.part.ok_or(Fault::Lacking("part"))?.etag,
                checksum: None,
            });
        }
        let request = v1::CompleteMultipartUploadRequest {
            bucket: self.bucket.clone(),
            key: key.to_owned(),
            upload_id,
            parts: completed,
            ..Default::default()
        };
        self.client.complete_multipart_upload(request).await?;
        Ok(())
    }

    /// Aborts every open upload of the bucket and answers with how many there were.
    pub(crate) async fn abort_uploads(&mut self) -> Result<usize, Fault> {
        let mut aborted = 0;
        loop {
            let request = v1::ListMultipartUploadsRequest {
                bucket: self.bucket.clone(),
                ..Default::default()
            };
            let open = self
                .client
                .list_multipart_uploads(request)
                .await?
                .into_inner()
                .uploads;
            if open.is_empty() {
                return Ok(aborted);
            }
            aborted += open.len();
            for upload in open {
                let request = v1::AbortMultipartUploadRequest {
                    bucket: self.bucket.clone(),
                    key: upload.key,
                    upload_id: upload.upload_id,
                };
                self.client.abort_multipart_upload(request).await?;
            }
        }
    }

    /// Lists a page.
    pub(crate) async fn list(&mut self, query: &PageQuery) -> Result<Page, Fault> {
        let request = v1::ListObjectsRequest {
            bucket: self.bucket.clone(),
            prefix: query.prefix.clone(),
            delimiter: query.delimiter.clone(),
            start_after: query.start_after.clone(),
            page_size: Some(query.page_size.into()),
            validate_only: false,
            view: v1::ObjectView::Basic.into(),
            page_token: String::new(),
        };
        let answer = self.client.list_objects(request).await?.into_inner();
        let objects = answer.objects.into_iter().map(|object| Listed {
            size: u64::try_from(object.size).unwrap_or_default(),
            key: object.key,
        });
        Ok(Page {
            objects: objects.collect(),
            prefixes: answer.common_prefixes.len(),
            more: !answer.next_page_token.is_empty(),
        })
    }
}

fn put_stream(
    spec: v1::PutObjectSpec,
    content: Bytes,
) -> impl Stream<Item = v1::PutObjectRequest> + Send + 'static {
    use v1::put_object_request::Message;
    let messages = once(Message::Spec(spec)).chain(chunks(content).map(Message::Chunk));
    stream::iter(messages.map(|message| v1::PutObjectRequest {
        message: Some(message),
    }))
}

fn part_stream(
    spec: v1::UploadPartSpec,
    content: Bytes,
) -> impl Stream<Item = v1::UploadPartRequest> + Send + 'static {
    use v1::upload_part_request::Message;
    let messages = once(Message::Spec(spec)).chain(chunks(content).map(Message::Chunk));
    stream::iter(messages.map(|message| v1::UploadPartRequest {
        message: Some(message),
    }))
}

fn chunks(content: Bytes) -> impl Iterator<Item = v1::ObjectChunk> + Send + 'static {
    (0..content.len()).step_by(CHUNK).map(move |offset| {
        let end = content.len().min(offset + CHUNK);
        v1::ObjectChunk {
            offset: i64::try_from(offset).unwrap_or(i64::MAX),
            data: content.slice(offset..end),
            crc32c: None,
        }
    })
}

#[cfg(test)]
mod tests {
    use v1::put_object_request::Message;

    use super::*;

    #[tokio::test]
    async fn a_stream_is_the_spec_and_then_every_byte_in_order() {
        let content: Bytes = (0..CHUNK * 2 + 5)
            .map(|byte| (byte % 251) as u8)
            .collect::<Vec<_>>()
            .into();
        let messages: Vec<_> = put_stream(v1::PutObjectSpec::default(), content.clone())
            .collect()
            .await;
        let mut together = Vec::new();
        for (number, message) in messages.into_iter().enumerate() {
            match message.message.unwrap() {
                Message::Spec(_) => assert_eq!(number, 0),
                Message::Chunk(chunk) => {
                    assert_eq!(chunk.offset, together.len() as i64);
                    together.extend_from_slice(&chunk.data);
                }
                Message::Digests(_) => panic!("no digests are sent"),
            }
        }
        assert_eq!(together, content);
    }
}
