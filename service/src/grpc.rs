//! The generated traits, each method handed to the operation of its name.

mod content_body;
mod content_frames;
mod content_server;

use std::sync::Arc;

use bucketry_contract::GetObjectStream;
use bucketry_contract::access_table::Classified;
use bucketry_contract::adapter::v1::adapter_service_server::AdapterService;
use bucketry_contract::adapter::v1::{
    AuthorizeRequest, AuthorizeResponse, EvaluateCorsRequest, EvaluateCorsResponse,
};
use bucketry_contract::v1::admin_service_server::AdminService;
use bucketry_contract::v1::object_service_server::ObjectService;
use bucketry_contract::v1::token_service_server::TokenService;
use bucketry_contract::v1::*;
use bucketry_edge::ConnectionInfo;
use tonic::{Request, Response, Status, Streaming};

pub(crate) use content_server::ObjectServer;

use crate::error::{Error, about_the_edge, to_status};
use crate::ops;
use crate::ops::{admin, edge, tokens};
use crate::request::Service;

/// The service as the contract's servers.
#[derive(Debug, Clone)]
pub struct Server {
    service: Arc<Service>,
}

impl Server {
    /// Serves `service`.
    #[must_use]
    pub fn new(service: Arc<Service>) -> Self {
        Self { service }
    }
}

/// The service for an edge in this process, whose word on the client's address is believed.
#[derive(Debug, Clone)]
pub struct LocalEdge {
    service: Arc<Service>,
}

impl LocalEdge {
    /// Serves `service` to an edge in this process. Not to be registered at a network server.
    #[must_use]
    pub fn new(service: Arc<Service>) -> Self {
        Self { service }
    }
}

fn answered<T>(result: Result<T, Error>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(|error| to_status(&error))
}

/// Each RPC is its operation of the same name.
macro_rules! operations {
    ($($operation:path => $method:ident($request:ty) -> $response:ty;)*) => {
        $(
            fn $method<'life, 'async_trait>(
                &'life self,
                request: Request<$request>,
            ) -> std::pin::Pin<Box<dyn Future<Output = Result<Response<$response>, Status>> + Send + 'async_trait>>
            where
                'life: 'async_trait,
                Self: 'async_trait,
            {
                Box::pin(async move { answered($operation(&self.service, request).await) })
            }
        )*
    };
}

impl ObjectService for Server {
    type GetObjectStream = GetObjectStream;

    operations! {
        ops::get_capabilities => get_capabilities(GetCapabilitiesRequest) -> GetCapabilitiesResponse;
        ops::create_bucket => create_bucket(CreateBucketRequest) -> CreateBucketResponse;
        ops::get_bucket => get_bucket(GetBucketRequest) -> GetBucketResponse;
        ops::head_bucket => head_bucket(HeadBucketRequest) -> HeadBucketResponse;
        ops::update_bucket => update_bucket(UpdateBucketRequest) -> UpdateBucketResponse;
        ops::delete_bucket => delete_bucket(DeleteBucketRequest) -> DeleteBucketResponse;
        ops::list_buckets => list_buckets(ListBucketsRequest) -> ListBucketsResponse;
        ops::put_object => put_object(Streaming<PutObjectRequest>) -> PutObjectResponse;
        ops::put_small_object => put_small_object(PutSmallObjectRequest) -> PutSmallObjectResponse;
        ops::get_object => get_object(GetObjectRequest) -> GetObjectStream;
        ops::get_small_object => get_small_object(GetSmallObjectRequest) -> GetSmallObjectResponse;
        ops::head_object => head_object(HeadObjectRequest) -> HeadObjectResponse;
        ops::get_object_attributes =>
            get_object_attributes(GetObjectAttributesRequest) -> GetObjectAttributesResponse;
        ops::update_object => update_object(UpdateObjectRequest) -> UpdateObjectResponse;
        ops::delete_object => delete_object(DeleteObjectRequest) -> DeleteObjectResponse;
        ops::delete_objects => delete_objects(DeleteObjectsRequest) -> DeleteObjectsResponse;
        ops::copy_object => copy_object(CopyObjectRequest) -> CopyObjectResponse;
        ops::list_objects => list_objects(ListObjectsRequest) -> ListObjectsResponse;
        ops::create_multipart_upload =>
            create_multipart_upload(CreateMultipartUploadRequest) -> CreateMultipartUploadResponse;
        ops::upload_part => upload_part(Streaming<UploadPartRequest>) -> UploadPartResponse;
        ops::upload_part_copy => upload_part_copy(UploadPartCopyRequest) -> UploadPartCopyResponse;
        ops::complete_multipart_upload =>
            complete_multipart_upload(CompleteMultipartUploadRequest) -> CompleteMultipartUploadResponse;
        ops::abort_multipart_upload =>
            abort_multipart_upload(AbortMultipartUploadRequest) -> AbortMultipartUploadResponse;
        ops::list_parts => list_parts(ListPartsRequest) -> ListPartsResponse;
        ops::get_bucket_acl =>
            get_bucket_acl(GetBucketAclRequest) -> GetBucketAclResponse;
        ops::put_bucket_acl =>
            put_bucket_acl(PutBucketAclRequest) -> PutBucketAclResponse;
        ops::get_object_acl =>
            get_object_acl(GetObjectAclRequest) -> GetObjectAclResponse;
        ops::put_object_acl =>
            put_object_acl(PutObjectAclRequest) -> PutObjectAclResponse;
        ops::list_object_versions =>
            list_object_versions(ListObjectVersionsRequest) -> ListObjectVersionsResponse;
        ops::list_multipart_uploads =>
            list_multipart_uploads(ListMultipartUploadsRequest) -> ListMultipartUploadsResponse;
        ops::search_objects => search_objects(SearchObjectsRequest) -> SearchObjectsResponse;
        ops::create_presigned_urls =>
            create_presigned_urls(CreatePresignedUrlsRequest) -> CreatePresignedUrlsResponse;
    }
}

impl TokenService for Server {
    operations! {
            tokens::create_token => create_token(CreateTokenRequest) -> CreateTokenResponse;
            tokens::get_token => get_token(GetTokenRequest) -> GetTokenResponse;
            tokens::list_tokens => list_tokens(ListTokensRequest) -> ListTokensResponse;
            tokens::update_token => update_token(UpdateTokenRequest) -> UpdateTokenResponse;
            tokens::show_token_secret => show_token_secret(ShowTokenSecretRequest) -> ShowTokenSecretResponse;
            tokens::clone_token => clone_token(CloneTokenRequest) -> CloneTokenResponse;
            tokens::suspend_token => suspend_token(SuspendTokenRequest) -> SuspendTokenResponse;
            tokens::resume_token => resume_token(ResumeTokenRequest) -> ResumeTokenResponse;
            tokens::revoke_token => revoke_token(RevokeTokenRequest) -> RevokeTokenResponse;
    tokens::purge_token => purge_token(PurgeTokenRequest) -> PurgeTokenResponse;
            tokens::get_token_usage => get_token_usage(GetTokenUsageRequest) -> GetTokenUsageResponse;
            tokens::list_token_denials => list_token_denials(ListTokenDenialsRequest) -> ListTokenDenialsResponse;
            tokens::explain_access => explain_access(ExplainAccessRequest) -> ExplainAccessResponse;
            tokens::list_token_audit_events => list_token_audit_events(ListTokenAuditEventsRequest) -> ListTokenAuditEventsResponse;
            tokens::describe_client_address => describe_client_address(DescribeClientAddressRequest) -> DescribeClientAddressResponse;
            tokens::describe_caller => describe_caller(DescribeCallerRequest) -> DescribeCallerResponse;
            tokens::create_session => create_session(CreateSessionRequest) -> CreateSessionResponse;
            tokens::create_challenge => create_challenge(CreateChallengeRequest) -> CreateChallengeResponse;
            tokens::answer_challenge => answer_challenge(AnswerChallengeRequest) -> AnswerChallengeResponse;
        }
}

impl AdminService for Server {
    operations! {
        admin::create_account => create_account(CreateAccountRequest) -> CreateAccountResponse;
        admin::list_accounts => list_accounts(ListAccountsRequest) -> ListAccountsResponse;
        admin::create_account_key => create_account_key(CreateAccountKeyRequest) -> CreateAccountKeyResponse;
        admin::create_operator_key => create_operator_key(CreateOperatorKeyRequest) -> CreateOperatorKeyResponse;
        admin::create_edge_key => create_edge_key(CreateEdgeKeyRequest) -> CreateEdgeKeyResponse;
        admin::list_admin_keys => list_admin_keys(ListAdminKeysRequest) -> ListAdminKeysResponse;
        admin::revoke_admin_key => revoke_admin_key(RevokeAdminKeyRequest) -> RevokeAdminKeyResponse;
        admin::list_audit_events => list_audit_events(ListAuditEventsRequest) -> ListAuditEventsResponse;
        admin::get_keyring => get_keyring(GetKeyringRequest) -> GetKeyringResponse;
        admin::reload_keyring => reload_keyring(ReloadKeyringRequest) -> ReloadKeyringResponse;
    }
}

/// An edge from the network has to sign in before its word is believed.
#[tonic::async_trait]
impl AdapterService for Server {
    async fn authorize(
        &self,
        request: Request<AuthorizeRequest>,
    ) -> Result<Response<AuthorizeResponse>, Status> {
        self.admit_edge(&request).await?;
        let shares = edge::SharedBy::Edge;
        let authorized = edge::authorize(&self.service, request.into_inner(), shares).await;
        answered(authorized.map(|authorized| authorized.response))
    }

    async fn evaluate_cors(
        &self,
        request: Request<EvaluateCorsRequest>,
    ) -> Result<Response<EvaluateCorsResponse>, Status> {
        self.admit_edge(&request).await?;
        answered(edge::evaluate_cors(&self.service, request.into_inner()).await)
    }
}

impl Server {
    async fn admit_edge<T>(&self, request: &Request<T>) -> Result<(), Status>
    where
        T: Classified + Sync,
    {
        let admitted = async {
            let connection = request.extensions().get::<ConnectionInfo>().copied();
            self.service.check_edge_connection(connection)?;
            let caller = self.service.caller(request).await?;
            self.service.admit_account(caller, request.get_ref()).await
        };
        match admitted.await {
            Ok(_) => Ok(()),
            Err(error) => Err(about_the_edge(&error)),
        }
    }
}

#[tonic::async_trait]
impl AdapterService for LocalEdge {
    async fn authorize(
        &self,
        request: Request<AuthorizeRequest>,
    ) -> Result<Response<AuthorizeResponse>, Status> {
        let shares = edge::SharedBy::Service;
        let authorized = edge::authorize(&self.service, request.into_inner(), shares).await;
        let authorized = authorized.map_err(|error| to_status(&error))?;
        let mut response = Response::new(authorized.response);
        if let Some(local) = authorized.local {
            response.extensions_mut().insert(local.slot);
            response.extensions_mut().insert(local.decision);
        }
        Ok(response)
    }

    async fn evaluate_cors(
        &self,
        request: Request<EvaluateCorsRequest>,
    ) -> Result<Response<EvaluateCorsResponse>, Status> {
        answered(edge::evaluate_cors(&self.service, request.into_inner()).await)
    }
}
