//! An adapter over services that answer what a test says and remember what they were asked.

use std::any::Any;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use bucketry_contract::GetObjectStream;
use bucketry_contract::adapter::v1::adapter_service_server::AdapterService;
use bucketry_contract::adapter::v1::{
    AuthorizeRequest, AuthorizeResponse, EvaluateCorsRequest, EvaluateCorsResponse,
};
use bucketry_contract::errors;
use bucketry_contract::v1::object_service_server::ObjectService;
use bucketry_contract::v1::*;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, Request as HttpRequest, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};
use tower::Service;

use crate::client_info::ClientIp;
use crate::settings::AdapterSettings;
use crate::{ClientInfo, S3Adapter};

/// The session that every authorization gives.
pub(crate) const SESSION: &str = "the-session";

/// The signature of signed requests; nobody here verifies it.
pub(crate) const SEED: &str = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

/// The services.
#[derive(Default)]
pub(crate) struct FakeService {
    answers: Mutex<HashMap<&'static str, Box<dyn Any + Send>>>,
    calls: Mutex<Vec<Called>>,
    pub(crate) authorized: Mutex<Vec<AuthorizeRequest>>,
    authorization: Mutex<Option<Result<AuthorizeResponse, Status>>>,
    cors: Mutex<Option<EvaluateCorsResponse>>,
    pub(crate) cors_asked: Mutex<Vec<EvaluateCorsRequest>>,
    /// The clients in the extensions of the same calls.
    pub(crate) cors_clients: Mutex<Vec<Option<IpAddr>>>,
}

struct Called {
    rpc: &'static str,
    session: Option<String>,
    /// The request, or the messages of an upload.
    request: Box<dyn Any + Send>,
}

impl FakeService {
    /// What the next call of an RPC answers.
    pub(crate) fn answers<T: Send + 'static>(&self, rpc: &'static str, answer: Result<T, Status>) {
        self.answers.lock().unwrap().insert(rpc, Box::new(answer));
    }

    /// The messages that the next GetObject streams.
    pub(crate) fn streams(&self, messages: Vec<Result<GetObjectResponse, Status>>) {
        self.answers("GetObject", Ok(messages));
    }

    /// What every further authorization answers.
    pub(crate) fn authorizes(&self, answer: Result<AuthorizeResponse, Status>) {
        *self.authorization.lock().unwrap() = Some(answer);
    }

    pub(crate) fn allows_origins(&self, answer: EvaluateCorsResponse) {
        *self.cors.lock().unwrap() = Some(answer);
    }

    /// The RPCs that were called, with their sessions.
    pub(crate) fn called(&self) -> Vec<(&'static str, Option<String>)> {
        let calls = self.calls.lock().unwrap();
        calls
            .iter()
            .map(|call| (call.rpc, call.session.clone()))
            .collect()
    }

    /// The request of the only call.
    pub(crate) fn request<T: Clone + 'static>(&self) -> T {
        let calls = self.calls.lock().unwrap();
        assert_eq!(
            calls.len(),
            1,
            "{:?}",
            calls.iter().map(|call| call.rpc).collect::<Vec<_>>()
        );
        calls[0].request.downcast_ref::<T>().unwrap().clone()
    }

    fn remember<T: Send + 'static>(&self, rpc: &'static str, metadata: &MetadataMap, request: T) {
        let session = metadata
            .get("x-bucketry-session")
            .map(|value| value.to_str().unwrap().to_owned());
        let request = Box::new(request);
        self.calls.lock().unwrap().push(Called {
            rpc,
            session,
            request,
        });
    }

    fn answer<T: 'static>(&self, rpc: &'static str) -> Result<T, Status> {
        let answer = self.answers.lock().unwrap().remove(rpc);
        match answer {
            Some(answer) => *answer.downcast::<Result<T, Status>>().unwrap(),
            None => Err(Status::internal(format!("the test says nothing of {rpc}"))),
        }
    }

    fn unary<In: Send + 'static, Out: 'static>(
        &self,
        rpc: &'static str,
        request: Request<In>,
    ) -> Result<Response<Out>, Status> {
        let (metadata, _, message) = request.into_parts();
        self.remember(rpc, &metadata, message);
        self.answer(rpc).map(Response::new)
    }

    /// Reads all messages if the answer is a success; only the first if it is a refusal.
    async fn upload<In: Send + 'static, Out: 'static>(
        &self,
        rpc: &'static str,
        request: Request<Streaming<In>>,
    ) -> Result<Response<Out>, Status> {
        let (metadata, _, mut messages) = request.into_parts();
        let answer = self.answer(rpc);
        let mut read = Vec::new();
        while let Some(message) = messages.message().await? {
            read.push(message);
            if answer.is_err() {
                break;
            }
        }
        self.remember(rpc, &metadata, read);
        answer.map(Response::new)
    }
}

/// The fake behind both traits.
#[derive(Clone, Default)]
pub(crate) struct Fake(pub(crate) Arc<FakeService>);

macro_rules! fake {
    ($($rpc:literal $method:ident($input:ident) -> $output:ident),* $(,)?) => {
        #[tonic::async_trait]
        impl ObjectService for Fake {
            $(async fn $method(&self, request: Request<$input>) -> Result<Response<$output>, Status> {
                self.0.unary($rpc, request)
            })*

            async fn put_object(
                &self,
                request: Request<Streaming<PutObjectRequest>>,
            ) -> Result<Response<PutObjectResponse>, Status> {
                self.0.upload("PutObject", request).await
            }

            async fn upload_part(
                &self,
                request: Request<Streaming<UploadPartRequest>>,
            ) -> Result<Response<UploadPartResponse>, Status> {
                self.0.upload("UploadPart", request).await
            }

            type GetObjectStream = GetObjectStream;

            async fn get_object(
                &self,
                request: Request<GetObjectRequest>,
            ) -> Result<Response<GetObjectStream>, Status> {
                let messages = self.0.unary::<_, Vec<Result<GetObjectResponse, Status>>>("GetObject", request)?;
                Ok(messages.map(|messages| stream::iter(messages).boxed()))
            }
        }
    };
}

fake! {
    "GetCapabilities" get_capabilities(GetCapabilitiesRequest) -> GetCapabilitiesResponse,
    "CreateBucket" create_bucket(CreateBucketRequest) -> CreateBucketResponse,
    "GetBucket" get_bucket(GetBucketRequest) -> GetBucketResponse,
    "HeadBucket" head_bucket(HeadBucketRequest) -> HeadBucketResponse,
    "UpdateBucket" update_bucket(UpdateBucketRequest) -> UpdateBucketResponse,
    "DeleteBucket" delete_bucket(DeleteBucketRequest) -> DeleteBucketResponse,
    "ListBuckets" list_buckets(ListBucketsRequest) -> ListBucketsResponse,
    "PutSmallObject" put_small_object(PutSmallObjectRequest) -> PutSmallObjectResponse,
    "GetSmallObject" get_small_object(GetSmallObjectRequest) -> GetSmallObjectResponse,
    "HeadObject" head_object(HeadObjectRequest) -> HeadObjectResponse,
    "GetObjectAttributes" get_object_attributes(GetObjectAttributesRequest) -> GetObjectAttributesResponse,
    "UpdateObject" update_object(UpdateObjectRequest) -> UpdateObjectResponse,
    "DeleteObject" delete_object(DeleteObjectRequest) -> DeleteObjectResponse,
    "DeleteObjects" delete_objects(DeleteObjectsRequest) -> DeleteObjectsResponse,
    "CopyObject" copy_object(CopyObjectRequest) -> CopyObjectResponse,
    "ListObjects" list_objects(ListObjectsRequest) -> ListObjectsResponse,
    "CreateMultipartUpload" create_multipart_upload(CreateMultipartUploadRequest) -> CreateMultipartUploadResponse,
    "UploadPartCopy" upload_part_copy(UploadPartCopyRequest) -> UploadPartCopyResponse,
    "CompleteMultipartUpload" complete_multipart_upload(CompleteMultipartUploadRequest) -> CompleteMultipartUploadResponse,
    "AbortMultipartUpload" abort_multipart_upload(AbortMultipartUploadRequest) -> AbortMultipartUploadResponse,
    "ListParts" list_parts(ListPartsRequest) -> ListPartsResponse,
    "GetBucketAcl" get_bucket_acl(GetBucketAclRequest) -> GetBucketAclResponse,
    "PutBucketAcl" put_bucket_acl(PutBucketAclRequest) -> PutBucketAclResponse,
    "GetObjectAcl" get_object_acl(GetObjectAclRequest) -> GetObjectAclResponse,
    "PutObjectAcl" put_object_acl(PutObjectAclRequest) -> PutObjectAclResponse,
    "ListObjectVersions" list_object_versions(ListObjectVersionsRequest) -> ListObjectVersionsResponse,
    "ListMultipartUploads" list_multipart_uploads(ListMultipartUploadsRequest) -> ListMultipartUploadsResponse,
    "SearchObjects" search_objects(SearchObjectsRequest) -> SearchObjectsResponse,
    "CreatePresignedUrls" create_presigned_urls(CreatePresignedUrlsRequest) -> CreatePresignedUrlsResponse,
}

#[tonic::async_trait]
impl AdapterService for Fake {
    async fn authorize(
        &self,
        request: Request<AuthorizeRequest>,
    ) -> Result<Response<AuthorizeResponse>, Status> {
        self.0.authorized.lock().unwrap().push(request.into_inner());
        let answer = self.0.authorization.lock().unwrap().clone();
        let session = SESSION.to_owned();
        let otherwise = AuthorizeResponse {
            session,
            ..Default::default()
        };
        answer.unwrap_or(Ok(otherwise)).map(Response::new)
    }

    async fn evaluate_cors(
        &self,
        request: Request<EvaluateCorsRequest>,
    ) -> Result<Response<EvaluateCorsResponse>, Status> {
        let client = request.extensions().get::<ClientIp>();
        let client = client.and_then(|client| client.0);
        self.0.cors_clients.lock().unwrap().push(client);
        self.0.cors_asked.lock().unwrap().push(request.into_inner());
        let answer = self.0.cors.lock().unwrap().clone();
        Ok(Response::new(answer.unwrap_or_default()))
    }
}

/// An adapter and the services behind it.
pub(crate) struct Bench {
    pub(crate) fake: Fake,
    pub(crate) adapter: S3Adapter,
}

/// An answer as the client sees it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status and S3 code of an error.
    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, code: &str) {
        let element = format!("<Code>{code}</Code>");
        assert!(
            self.status == status && self.text().contains(&element),
            "{self:?}"
        );
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_settings(AdapterSettings::default())
    }

    pub(crate) fn with_settings(settings: AdapterSettings) -> Self {
        let fake = Fake::default();
        let services = (Arc::new(fake.clone()), Arc::new(fake.clone()));
        let adapter = S3Adapter::new(services.0, services.1, settings);
        Self { fake, adapter }
    }

    pub(crate) fn service(&self) -> &FakeService {
        &self.fake.0
    }

    /// Sends a signed request with a body of known length.
    pub(crate) async fn send_signed(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Seen {
        let names = headers
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| name.starts_with("x-amz-"));
        let has_hash = headers
            .iter()
            .any(|(name, _)| *name == "x-amz-content-sha256");
        let mut signed: Vec<&str> = names.chain(["host", "x-amz-date"]).collect();
        let mut all = headers.to_vec();
        if !has_hash {
            signed.push("x-amz-content-sha256");
            all.push(("x-amz-content-sha256", "UNSIGNED-PAYLOAD"));
        }
        signed.sort_unstable();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders={}, Signature={SEED}",
            signed.join(";")
        );
        all.push(("x-amz-date", "20130524T000000Z"));
        all.push(("authorization", &authorization));
        self.send(method, target, &all, body).await
    }

    /// Sends a request with a body of known length.
    pub(crate) async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Seen {
        let body = body.into();
        let length = body.len().to_string();
        let mut all = headers.to_vec();
        if !body.is_empty() || ["PUT", "POST"].contains(&method) {
            all.push(("content-length", &length));
        }
        self.send_body(method, target, &all, Full::new(body)).await
    }

    /// Sends a request with any body.
    pub(crate) async fn send_body<B>(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: B,
    ) -> Seen
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let response = self.response(method, target, headers, body).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Seen {
            status: head.status,
            headers: head.headers,
            body,
        }
    }

    /// As [`Bench::send_body`], with the body of the answer unread.
    pub(crate) async fn response<B>(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: B,
    ) -> http::Response<crate::AnswerBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut request = HttpRequest::builder()
            .method(method)
            .uri(target)
            .header("host", "127.0.0.1:9000");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(ClientInfo {
            address: Some([192, 0, 2, 7].into()),
            scheme: crate::sigv4::Scheme::Http,
            request_id: "request-1".into(),
        });
        self.adapter.clone().call(request).await.unwrap()
    }
}

/// A status as the service makes it.
pub(crate) fn refusal(reason: ErrorReason) -> Status {
    errors::status_of(reason)
}

/// A small object of the bucket `b`.
pub(crate) fn object(key: &str) -> Object {
    Object {
        bucket: "b".to_owned(),
        key: key.to_owned(),
        size: 11,
        etag: "5eb63bbbe01eeed093cb22bb8f5acdc3".to_owned(),
        modify_time: Some(prost_types::Timestamp {
            seconds: 1_369_353_600,
            nanos: 0,
        }),
        ..Object::default()
    }
}
