//! The services over the network: the server traits, forwarded to the generated clients.

mod decision_permits;

use std::time::Duration;

use bucketry_contract::GetObjectStream;
use bucketry_contract::adapter::v1::adapter_service_client::AdapterServiceClient;
use bucketry_contract::adapter::v1::adapter_service_server::AdapterService;
use bucketry_contract::adapter::v1::{
    AuthorizeRequest, AuthorizeResponse, EvaluateCorsRequest, EvaluateCorsResponse,
};
use bucketry_contract::errors;
use bucketry_contract::v1::object_service_client::ObjectServiceClient;
use bucketry_contract::v1::object_service_server::ObjectService;
use bucketry_contract::v1::*;
use bucketry_sign_in::Sessions;
use futures::{Stream, StreamExt, stream};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Request, Response, Status, Streaming};

use crate::channels::Channels;
use crate::client_info::ClientIp;
use decision_permits::{Claimant, DecisionPermits};

/// How long a decision may take. A service that is gone without a word must not hold the permits of all requests until its
/// connections are noticed to be dead.
const LONGEST_DECISION: Duration = Duration::from_secs(10);

/// The service that judges signatures, over the network.
#[derive(Debug, Clone)]
pub struct RemoteAuthority {
    client: AdapterServiceClient<Channels>,
    sessions: Sessions,
    permits: DecisionPermits,
}

impl RemoteAuthority {
    /// Shows the session in hand with every call, and requests at most `max_decisions` decisions at once.
    #[must_use]
    pub fn new(channels: Channels, sessions: Sessions, max_decisions: usize) -> Self {
        Self {
            client: AdapterServiceClient::new(channels),
            sessions,
            permits: DecisionPermits::new(max_decisions),
        }
    }

    /// Calls with the session in hand. If the service refuses that, as after its keyring was replaced, calls once more
    /// with another one: the adapter's client has nothing to do with it.
    async fn call<M, A, F>(
        &self,
        request: Request<M>,
        call: impl Fn(AdapterServiceClient<Channels>, Request<M>) -> F,
    ) -> Result<Response<A>, Status>
    where
        M: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let (metadata, _, message) = request.into_parts();
        let send = |session: MetadataValue<Ascii>| {
            let mut metadata = metadata.clone();
            metadata.insert("authorization", session);
            let request = Request::from_parts(metadata, http::Extensions::new(), message.clone());
            call(self.client.clone(), request)
        };
        let session = self.session().await?;
        match send(session.clone()).await {
            Err(status) if is_about_the_edge(&status) => {
                self.sessions.refused(&session);
                let answer = send(self.session().await?).await;
                answer.map_err(|status| match is_about_the_edge(&status) {
                    true => refused_by_the_service(&status),
                    false => status,
                })
            }
            answer => answer,
        }
    }

    /// Calls for a decision, when the claimant has a permit.
    async fn decide<M, A, F>(
        &self,
        claimant: &Claimant,
        request: Request<M>,
        call: impl Fn(AdapterServiceClient<Channels>, Request<M>) -> F,
    ) -> Result<Response<A>, Status>
    where
        M: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        // Not while a permit is held: signing in may take its time.
        self.session().await?;
        let _permit = self.permits.permit(claimant).await?;
        let decided = timeout(LONGEST_DECISION, self.call(request, call)).await;
        decided.unwrap_or_else(|_| Err(Status::unavailable("the service does not answer")))
    }

    async fn session(&self) -> Result<MetadataValue<Ascii>, Status> {
        let session = self.sessions.current().await;
        session.map_err(|_| Status::unavailable("the adapter is not signed in to its service"))
    }
}

/// Whether the service refuses the adapter, and not the adapter's client. An outage refuses nobody.
fn is_about_the_edge(status: &Status) -> bool {
    let (name, value) = errors::ABOUT_EDGE;
    let refused = matches!(
        status.code(),
        Code::Unauthenticated | Code::PermissionDenied
    );
    refused
        && errors::explain(status).is_some_and(|explained| {
            explained
                .metadata
                .get(name)
                .is_some_and(|about| about == value)
        })
}

/// The reason is for the operator; the client gets 503 and may try again.
fn refused_by_the_service(status: &Status) -> Status {
    tracing::warn!(error = status.message(), "the service refuses this adapter");
    Status::unavailable("the service refuses this adapter")
}

#[tonic::async_trait]
impl AdapterService for RemoteAuthority {
    async fn authorize(
        &self,
        request: Request<AuthorizeRequest>,
    ) -> Result<Response<AuthorizeResponse>, Status> {
        let call = async |mut client: AdapterServiceClient<Channels>, request| {
            client.authorize(request).await
        };
        let claimant = Claimant::of(request.get_ref());
        let decided = self.decide(&claimant, request, call).await?;
        self.permits.remember(claimant, decided.get_ref());
        Ok(decided)
    }

    async fn evaluate_cors(
        &self,
        request: Request<EvaluateCorsRequest>,
    ) -> Result<Response<EvaluateCorsResponse>, Status> {
        let call = async |mut client: AdapterServiceClient<Channels>, request| {
            client.evaluate_cors(request).await
        };
        let address = request.extensions().get::<ClientIp>();
        let claimant = Claimant::anonymous(address.and_then(|address| address.0));
        self.decide(&claimant, request, call).await
    }
}

/// The service that holds the objects, over the network. Its callers are known by the sessions in their metadata.
#[derive(Debug, Clone)]
pub struct RemoteObjects {
    client: ObjectServiceClient<Channels>,
}

impl RemoteObjects {
    /// Forwards over the connections.
    #[must_use]
    pub fn new(channels: Channels) -> Self {
        Self {
            client: ObjectServiceClient::new(channels),
        }
    }
}

/// The extensions are of this process; only message and metadata travel.
fn outgoing<T>(request: Request<T>) -> Request<T> {
    let (metadata, _, message) = request.into_parts();
    Request::from_parts(metadata, http::Extensions::new(), message)
}

/// A client stream on its way. The generated client knows no failure of what it sends: it would take one for the end.
/// So after a failure the stream never ends, and `failure` tells the caller to give the call up.
fn forwarded<T: Send + 'static>(
    messages: Streaming<T>,
) -> (
    impl Stream<Item = T> + Send + 'static,
    oneshot::Receiver<Status>,
) {
    let (failed, failure) = oneshot::channel();
    let state = (messages, Some(failed));
    let stream = stream::unfold(state, |(mut messages, mut failed)| async move {
        match messages.next().await? {
            Ok(message) => Some((message, (messages, failed))),
            Err(status) => {
                if let Some(failed) = failed.take() {
                    let _ = failed.send(status);
                }
                std::future::pending().await
            }
        }
    });
    (stream, failure)
}

/// The answer of a call whose messages are forwarded, or the failure of the messages.
async fn unless_failed<T>(
    call: impl Future<Output = Result<T, Status>>,
    failure: oneshot::Receiver<Status>,
) -> Result<T, Status> {
    let failure = async {
        match failure.await {
            Ok(status) => status,
            // The stream is gone without a failure: the call alone decides.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        answer = call => answer,
        status = failure => Err(status),
    }
}

/// Writes the implementation: one line an RPC, so that a new RPC without its line does not compile.
macro_rules! forward {
    (unary: $($unary:ident($unary_in:ident) -> $unary_out:ident),* $(,)?;
     uploads: $($upload:ident($upload_in:ident) -> $upload_out:ident),* $(,)?;) => {
        #[tonic::async_trait]
        impl ObjectService for RemoteObjects {
            $(async fn $unary(
                &self,
                request: Request<$unary_in>,
            ) -> Result<Response<$unary_out>, Status> {
                self.client.clone().$unary(outgoing(request)).await
            })*

            $(async fn $upload(
                &self,
                request: Request<Streaming<$upload_in>>,
            ) -> Result<Response<$upload_out>, Status> {
                let (metadata, _, messages) = request.into_parts();
                let (messages, failure) = forwarded(messages);
                let request = Request::from_parts(metadata, http::Extensions::new(), messages);
                let mut client = self.client.clone();
                unless_failed(client.$upload(request), failure).await
            })*

            type GetObjectStream = GetObjectStream;

            async fn get_object(
                &self,
                request: Request<GetObjectRequest>,
            ) -> Result<Response<GetObjectStream>, Status> {
                let answer = self.client.clone().get_object(outgoing(request)).await?;
                Ok(answer.map(StreamExt::boxed))
            }
        }
    };
}

forward! {
    unary:
        get_capabilities(GetCapabilitiesRequest) -> GetCapabilitiesResponse,
        create_bucket(CreateBucketRequest) -> CreateBucketResponse,
        get_bucket(GetBucketRequest) -> GetBucketResponse,
        head_bucket(HeadBucketRequest) -> HeadBucketResponse,
        update_bucket(UpdateBucketRequest) -> UpdateBucketResponse,
        delete_bucket(DeleteBucketRequest) -> DeleteBucketResponse,
        list_buckets(ListBucketsRequest) -> ListBucketsResponse,
        put_small_object(PutSmallObjectRequest) -> PutSmallObjectResponse,
        get_small_object(GetSmallObjectRequest) -> GetSmallObjectResponse,
        search_objects(SearchObjectsRequest) -> SearchObjectsResponse,
        create_presigned_urls(CreatePresignedUrlsRequest) -> CreatePresignedUrlsResponse,
        head_object(HeadObjectRequest) -> HeadObjectResponse,
        get_object_attributes(GetObjectAttributesRequest) -> GetObjectAttributesResponse,
        update_object(UpdateObjectRequest) -> UpdateObjectResponse,
        delete_object(DeleteObjectRequest) -> DeleteObjectResponse,
        delete_objects(DeleteObjectsRequest) -> DeleteObjectsResponse,
        copy_object(CopyObjectRequest) -> CopyObjectResponse,
        list_objects(ListObjectsRequest) -> ListObjectsResponse,
        create_multipart_upload(CreateMultipartUploadRequest) -> CreateMultipartUploadResponse,
        upload_part_copy(UploadPartCopyRequest) -> UploadPartCopyResponse,
        complete_multipart_upload(CompleteMultipartUploadRequest) -> CompleteMultipartUploadResponse,
        abort_multipart_upload(AbortMultipartUploadRequest) -> AbortMultipartUploadResponse,
        list_parts(ListPartsRequest) -> ListPartsResponse,
        get_bucket_acl(GetBucketAclRequest) -> GetBucketAclResponse,
        put_bucket_acl(PutBucketAclRequest) -> PutBucketAclResponse,
        get_object_acl(GetObjectAclRequest) -> GetObjectAclResponse,
        put_object_acl(PutObjectAclRequest) -> PutObjectAclResponse,
        list_object_versions(ListObjectVersionsRequest) -> ListObjectVersionsResponse,
        list_multipart_uploads(ListMultipartUploadsRequest) -> ListMultipartUploadsResponse;
    uploads:
        put_object(PutObjectRequest) -> PutObjectResponse,
        upload_part(UploadPartRequest) -> UploadPartResponse;
}

#[cfg(test)]
mod tests;
