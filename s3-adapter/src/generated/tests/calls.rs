//! Dispatch: generated operations call the service once and render; hooks get the parsed request.

use std::any::Any;
use std::sync::Mutex;

use bucketry_contract::errors::{ErrorReason, explain};
use bucketry_contract::v1::object_service_server::ObjectService;
use bucketry_contract::v1::{self, *};
use http::Method;
use tonic::{Request, Response, Status, Streaming};

use super::Fixture;
use crate::binding::{Call, Handler, RenderContext, Rendered, RouteOutcome};
use crate::generated::{Hooks, Operation, ParsedRequest, dispatch, route};

/// What a service was asked, and the session that came along.
type Seen = (Box<dyn Any + Send>, Option<String>);

/// A service that remembers the message it got and gives the answer it holds.
#[derive(Default)]
struct Fake {
    answer: Mutex<Option<Box<dyn Any + Send>>>,
    seen: Mutex<Option<Seen>>,
}

impl Fake {
    fn answering(answer: impl Any + Send) -> Self {
        Self {
            answer: Mutex::new(Some(Box::new(answer))),
            ..Self::default()
        }
    }

    fn take<Q: Any + Send, A: Any>(&self, request: Request<Q>) -> Result<Response<A>, Status> {
        let session = request
            .metadata()
            .get("x-session")
            .and_then(|value| value.to_str().ok());
        let session = session.map(str::to_owned);
        *self.seen.lock().unwrap() = Some((Box::new(request.into_inner()), session));
        let answer = self.answer.lock().unwrap().take();
        let answer = answer.and_then(|answer| answer.downcast::<A>().ok());
        answer
            .map(|answer| Response::new(*answer))
            .ok_or_else(|| Status::internal("no answer"))
    }
}

macro_rules! fake {
    ($($name:ident: $request:ty => $answer:ty;)*) => {
        #[tonic::async_trait]
        impl ObjectService for Fake {
            type GetObjectStream = tokio_stream::Empty<Result<GetObjectResponse, Status>>;
            async fn get_object(
                &self,
                _: Request<GetObjectRequest>,
            ) -> Result<Response<Self::GetObjectStream>, Status> {
                Err(Status::internal("hooked"))
            }
            $(async fn $name(&self, request: Request<$request>) -> Result<Response<$answer>, Status> {
                self.take(request)
            })*
        }
    };
}

fake! {
    get_capabilities: GetCapabilitiesRequest => GetCapabilitiesResponse;
    create_bucket: CreateBucketRequest => CreateBucketResponse;
    get_bucket: GetBucketRequest => GetBucketResponse;
    head_bucket: HeadBucketRequest => HeadBucketResponse;
    update_bucket: UpdateBucketRequest => UpdateBucketResponse;
    delete_bucket: DeleteBucketRequest => DeleteBucketResponse;
    list_buckets: ListBucketsRequest => ListBucketsResponse;
    put_object: Streaming<PutObjectRequest> => PutObjectResponse;
    put_small_object: PutSmallObjectRequest => PutSmallObjectResponse;
    get_small_object: GetSmallObjectRequest => GetSmallObjectResponse;
    search_objects: SearchObjectsRequest => SearchObjectsResponse;
    create_presigned_urls: CreatePresignedUrlsRequest => CreatePresignedUrlsResponse;
    head_object: HeadObjectRequest => HeadObjectResponse;
    get_object_attributes: GetObjectAttributesRequest => GetObjectAttributesResponse;
    update_object: UpdateObjectRequest => UpdateObjectResponse;
    delete_object: DeleteObjectRequest => DeleteObjectResponse;
    delete_objects: DeleteObjectsRequest => DeleteObjectsResponse;
    copy_object: CopyObjectRequest => CopyObjectResponse;
    list_objects: ListObjectsRequest => ListObjectsResponse;
    create_multipart_upload: CreateMultipartUploadRequest => CreateMultipartUploadResponse;
    upload_part: Streaming<UploadPartRequest> => UploadPartResponse;
    upload_part_copy: UploadPartCopyRequest => UploadPartCopyResponse;
    complete_multipart_upload: CompleteMultipartUploadRequest => CompleteMultipartUploadResponse;
    abort_multipart_upload: AbortMultipartUploadRequest => AbortMultipartUploadResponse;
    list_parts: ListPartsRequest => ListPartsResponse;
    get_bucket_acl: GetBucketAclRequest => GetBucketAclResponse;
    put_bucket_acl: PutBucketAclRequest => PutBucketAclResponse;
    get_object_acl: GetObjectAclRequest => GetObjectAclResponse;
    put_object_acl: PutObjectAclRequest => PutObjectAclResponse;
    list_object_versions: ListObjectVersionsRequest => ListObjectVersionsResponse;
    list_multipart_uploads: ListMultipartUploadsRequest => ListMultipartUploadsResponse;
}

impl Call for Fixture {
    fn request<T>(&mut self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request
            .metadata_mut()
            .insert("x-session", "s".parse().unwrap());
        request
    }

    fn context(&self) -> RenderContext<'_> {
        Fixture::context(self)
    }
}

/// Hooks that answer with the name of the operation.
struct Named;

macro_rules! named {
    ($($name:ident: $request:ty;)*) => {
        #[async_trait::async_trait]
        impl Hooks for Named {
            type Call = Fixture;
            type Answer = Rendered;
            type Error = Status;
            $(async fn $name(&self, _: Fixture, _: $request) -> Result<Rendered, Status> {
                let mut rendered = Rendered::new(299);
                rendered.header("x-hook", Some(stringify!($name).into()));
                Ok(rendered)
            })*
        }
    };
}

named! {
    put_object: PutObjectSpec;
    post_object: PutObjectSpec;
    get_object: GetObjectRequest;
    head_object: HeadObjectRequest;
    delete_objects: DeleteObjectsRequest;
    copy_object: CopyObjectRequest;
    upload_part: UploadPartSpec;
    upload_part_copy: UploadPartCopyRequest;
    complete_multipart_upload: CompleteMultipartUploadRequest;
}

async fn dispatched(method: Method, path: &str, service: &Fake) -> Result<Rendered, Status> {
    let call = Fixture::new(path);
    let RouteOutcome::Operation(operation) = route(&method, &call.view()) else {
        panic!("{path}")
    };
    let parsed = ParsedRequest::parse(operation, &call.view()).unwrap();
    assert_eq!(parsed.operation(), operation);
    dispatch(Box::new(parsed), service, &Named, call).await
}

#[tokio::test]
async fn a_generated_operation_calls_and_renders() {
    let service = Fake::answering(HeadBucketResponse { region: "r".into() });
    let answer = dispatched(Method::HEAD, "/b", &service).await.unwrap();
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(answer.headers.get("x-amz-bucket-region").unwrap(), "r");
    let (request, session) = service.seen.lock().unwrap().take().unwrap();
    assert_eq!(
        request.downcast_ref(),
        Some(&HeadBucketRequest { bucket: "b".into() })
    );
    assert_eq!(session.as_deref(), Some("s"));
}

#[tokio::test]
async fn a_hook_gets_its_operation() {
    let answer = dispatched(Method::PUT, "/b/k", &Fake::default())
        .await
        .unwrap();
    assert_eq!(answer.headers.get("x-hook").unwrap(), "put_object");
    let hooks = Operation::ALL
        .into_iter()
        .filter(|operation| operation.handler() == Handler::Hook);
    assert_eq!(hooks.count(), 9);
}

#[tokio::test]
async fn a_sub_resource_that_is_not_set_has_its_error() {
    let holding = |bucket: v1::Bucket| {
        Fake::answering(GetBucketResponse {
            bucket: Some(bucket),
        })
    };
    let cases = [
        ("/b?tagging", ErrorReason::NoSuchTagSet),
        ("/b?cors", ErrorReason::NoSuchCorsConfiguration),
        (
            "/b?ownershipControls",
            ErrorReason::OwnershipControlsNotFound,
        ),
    ];
    for (path, reason) in cases {
        let service = holding(v1::Bucket::default());
        let status = dispatched(Method::GET, path, &service).await.unwrap_err();
        assert_eq!(
            explain(&status).map(|explained| explained.reason),
            Some(reason),
            "{path}"
        );
    }
    let tagging = Some(TagSet {
        tags: vec![Tag {
            key: "k".into(),
            value: String::new(),
        }],
    });
    let service = holding(v1::Bucket {
        tagging,
        ..Default::default()
    });
    let set = dispatched(Method::GET, "/b?tagging", &service)
        .await
        .unwrap();
    let document = std::str::from_utf8(&set.body).unwrap();
    let tags = "<TagSet><Tag><Key>k</Key><Value></Value></Tag></TagSet></Tagging>";
    assert!(document.ends_with(tags), "{document}");
}

#[tokio::test]
async fn reading_a_setting_that_cannot_be_set_returns_its_error() {
    for (path, reason, mask) in [
        (
            "/b?lifecycle",
            ErrorReason::NoSuchLifecycleConfiguration,
            Some("name"),
        ),
        ("/b?policy", ErrorReason::NoSuchBucketPolicy, None),
    ] {
        let service = Fake::answering(GetBucketResponse::default());
        let status = dispatched(Method::GET, path, &service).await.unwrap_err();
        let explained = explain(&status).map(|explained| explained.reason);
        assert_eq!(explained, Some(reason), "{path}");
        let (request, _) = service.seen.lock().unwrap().take().unwrap();
        let asked: &GetBucketRequest = request.downcast_ref().unwrap();
        let paths = asked.read_mask.as_ref().map(|mask| mask.paths.join(","));
        assert_eq!((asked.bucket.as_str(), paths.as_deref()), ("b", mask));
    }
}

#[tokio::test]
async fn an_object_without_tags_has_an_empty_set() {
    let object = Object {
        version_id: "v".into(),
        ..Default::default()
    };
    let header = ObjectHeader {
        object: Some(object),
        ..Default::default()
    };
    let service = Fake::answering(HeadObjectResponse {
        header: Some(header),
    });
    let answer = dispatched(Method::GET, "/b/k?tagging&versionId=v", &service)
        .await
        .unwrap();
    let document = std::str::from_utf8(&answer.body).unwrap();
    assert!(document.contains("<TagSet></TagSet>"), "{document}");
    assert_eq!(answer.headers.get("x-amz-version-id").unwrap(), "v");
    let (request, _) = service.seen.lock().unwrap().take().unwrap();
    let asked = request
        .downcast_ref::<HeadObjectRequest>()
        .and_then(|asked| asked.object.clone());
    let asked = asked.unwrap();
    assert_eq!((asked.key.as_str(), asked.version_id.as_str()), ("k", "v"));
}

#[tokio::test]
async fn statuses_are_those_of_s3() {
    let bucket = || Fake::answering(UpdateBucketResponse::default());
    let object = || Fake::answering(UpdateObjectResponse::default());
    let cases = [
        (Method::PUT, "/b?tagging", bucket(), 204),
        (Method::DELETE, "/b?tagging", bucket(), 204),
        (Method::PUT, "/b?cors", bucket(), 200),
        (Method::PUT, "/b/k?tagging", object(), 200),
        (Method::DELETE, "/b/k?tagging", object(), 204),
        (
            Method::DELETE,
            "/b",
            Fake::answering(DeleteBucketResponse::default()),
            204,
        ),
    ];
    for (method, path, service, status) in cases {
        let answer = dispatched(method.clone(), path, &service).await.unwrap();
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
    }
}
