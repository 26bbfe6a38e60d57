//! The operations that resist description, one file each.

mod complete_multipart_upload;
mod copy_object;
mod delete_objects;
mod get_object;
mod head_object;
mod post_object;
mod put_object;
mod upload_part;
mod upload_part_copy;

pub(crate) use get_object::check_read;

use async_trait::async_trait;
use bucketry_contract::v1::{
    CompleteMultipartUploadRequest, CopyObjectRequest, DeleteObjectsRequest, GetObjectRequest,
    HeadObjectRequest, PutObjectSpec, UploadPartCopyRequest, UploadPartSpec,
};

use crate::answer::Answer;
use crate::exchange::{Exchange, RequestFailure};
use crate::generated::Hooks;

/// The hooks, in the order of the generated trait.
pub(crate) struct HandWritten;

#[async_trait]
impl Hooks for HandWritten {
    type Call = Box<Exchange>;
    type Answer = Answer;
    type Error = RequestFailure;

    async fn put_object(
        &self,
        call: Box<Exchange>,
        spec: PutObjectSpec,
    ) -> Result<Answer, RequestFailure> {
        put_object::put_object(call, spec).await
    }

    async fn post_object(
        &self,
        call: Box<Exchange>,
        spec: PutObjectSpec,
    ) -> Result<Answer, RequestFailure> {
        post_object::post_object(call, spec).await
    }

    async fn get_object(
        &self,
        call: Box<Exchange>,
        request: GetObjectRequest,
    ) -> Result<Answer, RequestFailure> {
        get_object::get_object(call, request).await
    }

    async fn head_object(
        &self,
        call: Box<Exchange>,
        request: HeadObjectRequest,
    ) -> Result<Answer, RequestFailure> {
        head_object::head_object(call, request).await
    }

    async fn delete_objects(
        &self,
        call: Box<Exchange>,
        request: DeleteObjectsRequest,
    ) -> Result<Answer, RequestFailure> {
        delete_objects::delete_objects(call, request).await
    }

    async fn copy_object(
        &self,
        call: Box<Exchange>,
        request: CopyObjectRequest,
    ) -> Result<Answer, RequestFailure> {
        copy_object::copy_object(call, request).await
    }

    async fn upload_part(
        &self,
        call: Box<Exchange>,
        spec: UploadPartSpec,
    ) -> Result<Answer, RequestFailure> {
        upload_part::upload_part(call, spec).await
    }

    async fn upload_part_copy(
        &self,
        call: Box<Exchange>,
        request: UploadPartCopyRequest,
    ) -> Result<Answer, RequestFailure> {
        upload_part_copy::upload_part_copy(call, request).await
    }

    async fn complete_multipart_upload(
        &self,
        call: Box<Exchange>,
        request: CompleteMultipartUploadRequest,
    ) -> Result<Answer, RequestFailure> {
        complete_multipart_upload::complete_multipart_upload(call, request).await
    }
}
