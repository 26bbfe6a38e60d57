import datetime

from bucketry._gen.v1 import acl_pb2 as _acl_pb2
from bucketry._gen.v1 import bucket_pb2 as _bucket_pb2
from bucketry._gen.v1 import object_pb2 as _object_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ObjectAttribute(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBJECT_ATTRIBUTE_UNSPECIFIED: _ClassVar[ObjectAttribute]
    OBJECT_ATTRIBUTE_ETAG: _ClassVar[ObjectAttribute]
    OBJECT_ATTRIBUTE_CHECKSUM: _ClassVar[ObjectAttribute]
    OBJECT_ATTRIBUTE_PARTS: _ClassVar[ObjectAttribute]
    OBJECT_ATTRIBUTE_STORAGE_CLASS: _ClassVar[ObjectAttribute]
    OBJECT_ATTRIBUTE_SIZE: _ClassVar[ObjectAttribute]

class CopyDirective(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COPY_DIRECTIVE_UNSPECIFIED: _ClassVar[CopyDirective]
    COPY_DIRECTIVE_COPY: _ClassVar[CopyDirective]
    COPY_DIRECTIVE_REPLACE: _ClassVar[CopyDirective]

class ObjectView(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBJECT_VIEW_UNSPECIFIED: _ClassVar[ObjectView]
    OBJECT_VIEW_BASIC: _ClassVar[ObjectView]
    OBJECT_VIEW_FULL: _ClassVar[ObjectView]

class ObjectOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBJECT_ORDER_UNSPECIFIED: _ClassVar[ObjectOrder]
    OBJECT_ORDER_KEY: _ClassVar[ObjectOrder]
    OBJECT_ORDER_SIZE: _ClassVar[ObjectOrder]
    OBJECT_ORDER_MODIFY_TIME: _ClassVar[ObjectOrder]

class SearchCoverage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEARCH_COVERAGE_UNSPECIFIED: _ClassVar[SearchCoverage]
    SEARCH_COVERAGE_COMPLETE: _ClassVar[SearchCoverage]
    SEARCH_COVERAGE_BOUNDED: _ClassVar[SearchCoverage]

class PresignedMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRESIGNED_METHOD_UNSPECIFIED: _ClassVar[PresignedMethod]
    PRESIGNED_METHOD_GET: _ClassVar[PresignedMethod]
    PRESIGNED_METHOD_HEAD: _ClassVar[PresignedMethod]
    PRESIGNED_METHOD_PUT: _ClassVar[PresignedMethod]
    PRESIGNED_METHOD_UPLOAD_PART: _ClassVar[PresignedMethod]
OBJECT_ATTRIBUTE_UNSPECIFIED: ObjectAttribute
OBJECT_ATTRIBUTE_ETAG: ObjectAttribute
OBJECT_ATTRIBUTE_CHECKSUM: ObjectAttribute
OBJECT_ATTRIBUTE_PARTS: ObjectAttribute
OBJECT_ATTRIBUTE_STORAGE_CLASS: ObjectAttribute
OBJECT_ATTRIBUTE_SIZE: ObjectAttribute
COPY_DIRECTIVE_UNSPECIFIED: CopyDirective
COPY_DIRECTIVE_COPY: CopyDirective
COPY_DIRECTIVE_REPLACE: CopyDirective
OBJECT_VIEW_UNSPECIFIED: ObjectView
OBJECT_VIEW_BASIC: ObjectView
OBJECT_VIEW_FULL: ObjectView
OBJECT_ORDER_UNSPECIFIED: ObjectOrder
OBJECT_ORDER_KEY: ObjectOrder
OBJECT_ORDER_SIZE: ObjectOrder
OBJECT_ORDER_MODIFY_TIME: ObjectOrder
SEARCH_COVERAGE_UNSPECIFIED: SearchCoverage
SEARCH_COVERAGE_COMPLETE: SearchCoverage
SEARCH_COVERAGE_BOUNDED: SearchCoverage
PRESIGNED_METHOD_UNSPECIFIED: PresignedMethod
PRESIGNED_METHOD_GET: PresignedMethod
PRESIGNED_METHOD_HEAD: PresignedMethod
PRESIGNED_METHOD_PUT: PresignedMethod
PRESIGNED_METHOD_UPLOAD_PART: PresignedMethod

class GetCapabilitiesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetCapabilitiesResponse(_message.Message):
    __slots__ = ("version", "max_chunk_bytes", "max_put_bytes", "max_object_bytes", "max_parts", "min_part_bytes", "max_key_bytes", "max_metadata_bytes", "checksum_algorithms", "endpoint_url", "region")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MAX_CHUNK_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_PUT_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_OBJECT_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_PARTS_FIELD_NUMBER: _ClassVar[int]
    MIN_PART_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_METADATA_BYTES_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_URL_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    version: str
    max_chunk_bytes: int
    max_put_bytes: int
    max_object_bytes: int
    max_parts: int
    min_part_bytes: int
    max_key_bytes: int
    max_metadata_bytes: int
    checksum_algorithms: _containers.RepeatedScalarFieldContainer[_object_pb2.ChecksumAlgorithm]
    endpoint_url: str
    region: str
    def __init__(self, version: _Optional[str] = ..., max_chunk_bytes: _Optional[int] = ..., max_put_bytes: _Optional[int] = ..., max_object_bytes: _Optional[int] = ..., max_parts: _Optional[int] = ..., min_part_bytes: _Optional[int] = ..., max_key_bytes: _Optional[int] = ..., max_metadata_bytes: _Optional[int] = ..., checksum_algorithms: _Optional[_Iterable[_Union[_object_pb2.ChecksumAlgorithm, str]]] = ..., endpoint_url: _Optional[str] = ..., region: _Optional[str] = ...) -> None: ...

class CreateBucketRequest(_message.Message):
    __slots__ = ("bucket", "region")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    region: str
    def __init__(self, bucket: _Optional[str] = ..., region: _Optional[str] = ...) -> None: ...

class CreateBucketResponse(_message.Message):
    __slots__ = ("bucket",)
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    bucket: _bucket_pb2.Bucket
    def __init__(self, bucket: _Optional[_Union[_bucket_pb2.Bucket, _Mapping]] = ...) -> None: ...

class GetBucketRequest(_message.Message):
    __slots__ = ("bucket", "read_mask")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, bucket: _Optional[str] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class GetBucketResponse(_message.Message):
    __slots__ = ("bucket",)
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    bucket: _bucket_pb2.Bucket
    def __init__(self, bucket: _Optional[_Union[_bucket_pb2.Bucket, _Mapping]] = ...) -> None: ...

class HeadBucketRequest(_message.Message):
    __slots__ = ("bucket",)
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    def __init__(self, bucket: _Optional[str] = ...) -> None: ...

class HeadBucketResponse(_message.Message):
    __slots__ = ("region",)
    REGION_FIELD_NUMBER: _ClassVar[int]
    region: str
    def __init__(self, region: _Optional[str] = ...) -> None: ...

class UpdateBucketRequest(_message.Message):
    __slots__ = ("bucket", "update_mask")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    bucket: _bucket_pb2.Bucket
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, bucket: _Optional[_Union[_bucket_pb2.Bucket, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class UpdateBucketResponse(_message.Message):
    __slots__ = ("bucket",)
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    bucket: _bucket_pb2.Bucket
    def __init__(self, bucket: _Optional[_Union[_bucket_pb2.Bucket, _Mapping]] = ...) -> None: ...

class DeleteBucketRequest(_message.Message):
    __slots__ = ("bucket",)
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    def __init__(self, bucket: _Optional[str] = ...) -> None: ...

class DeleteBucketResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListBucketsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "prefix")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    prefix: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., prefix: _Optional[str] = ...) -> None: ...

class ListBucketsResponse(_message.Message):
    __slots__ = ("buckets", "next_page_token", "owner_id", "owner_display_name")
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    OWNER_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    buckets: _containers.RepeatedCompositeFieldContainer[_bucket_pb2.Bucket]
    next_page_token: str
    owner_id: str
    owner_display_name: str
    def __init__(self, buckets: _Optional[_Iterable[_Union[_bucket_pb2.Bucket, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., owner_id: _Optional[str] = ..., owner_display_name: _Optional[str] = ...) -> None: ...

class GetBucketAclRequest(_message.Message):
    __slots__ = ("bucket",)
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    def __init__(self, bucket: _Optional[str] = ...) -> None: ...

class GetBucketAclResponse(_message.Message):
    __slots__ = ("policy",)
    POLICY_FIELD_NUMBER: _ClassVar[int]
    policy: _acl_pb2.AccessControlPolicy
    def __init__(self, policy: _Optional[_Union[_acl_pb2.AccessControlPolicy, _Mapping]] = ...) -> None: ...

class PutBucketAclRequest(_message.Message):
    __slots__ = ("bucket", "acl")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    ACL_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    acl: _acl_pb2.AclUpdate
    def __init__(self, bucket: _Optional[str] = ..., acl: _Optional[_Union[_acl_pb2.AclUpdate, _Mapping]] = ...) -> None: ...

class PutBucketAclResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetObjectAclRequest(_message.Message):
    __slots__ = ("bucket", "key", "version_id")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    version_id: str
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., version_id: _Optional[str] = ...) -> None: ...

class GetObjectAclResponse(_message.Message):
    __slots__ = ("policy",)
    POLICY_FIELD_NUMBER: _ClassVar[int]
    policy: _acl_pb2.AccessControlPolicy
    def __init__(self, policy: _Optional[_Union[_acl_pb2.AccessControlPolicy, _Mapping]] = ...) -> None: ...

class PutObjectAclRequest(_message.Message):
    __slots__ = ("bucket", "key", "version_id", "acl")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    ACL_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    version_id: str
    acl: _acl_pb2.AclUpdate
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., version_id: _Optional[str] = ..., acl: _Optional[_Union[_acl_pb2.AclUpdate, _Mapping]] = ...) -> None: ...

class PutObjectAclResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PutObjectSpec(_message.Message):
    __slots__ = ("bucket", "key", "attributes", "precondition", "content_length", "digests", "checksum_algorithm")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    PRECONDITION_FIELD_NUMBER: _ClassVar[int]
    CONTENT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    attributes: _object_pb2.ObjectAttributes
    precondition: _object_pb2.Precondition
    content_length: int
    digests: _object_pb2.ContentDigests
    checksum_algorithm: _object_pb2.ChecksumAlgorithm
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., attributes: _Optional[_Union[_object_pb2.ObjectAttributes, _Mapping]] = ..., precondition: _Optional[_Union[_object_pb2.Precondition, _Mapping]] = ..., content_length: _Optional[int] = ..., digests: _Optional[_Union[_object_pb2.ContentDigests, _Mapping]] = ..., checksum_algorithm: _Optional[_Union[_object_pb2.ChecksumAlgorithm, str]] = ...) -> None: ...

class ObjectChunk(_message.Message):
    __slots__ = ("offset", "data", "crc32c")
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    offset: int
    data: bytes
    crc32c: int
    def __init__(self, offset: _Optional[int] = ..., data: _Optional[bytes] = ..., crc32c: _Optional[int] = ...) -> None: ...

class PutObjectRequest(_message.Message):
    __slots__ = ("spec", "chunk", "digests")
    SPEC_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    spec: PutObjectSpec
    chunk: ObjectChunk
    digests: _object_pb2.ContentDigests
    def __init__(self, spec: _Optional[_Union[PutObjectSpec, _Mapping]] = ..., chunk: _Optional[_Union[ObjectChunk, _Mapping]] = ..., digests: _Optional[_Union[_object_pb2.ContentDigests, _Mapping]] = ...) -> None: ...

class PutObjectResponse(_message.Message):
    __slots__ = ("object",)
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    object: _object_pb2.Object
    def __init__(self, object: _Optional[_Union[_object_pb2.Object, _Mapping]] = ...) -> None: ...

class PutSmallObjectRequest(_message.Message):
    __slots__ = ("spec", "data")
    SPEC_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    spec: PutObjectSpec
    data: bytes
    def __init__(self, spec: _Optional[_Union[PutObjectSpec, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class PutSmallObjectResponse(_message.Message):
    __slots__ = ("object",)
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    object: _object_pb2.Object
    def __init__(self, object: _Optional[_Union[_object_pb2.Object, _Mapping]] = ...) -> None: ...

class GetObjectRequest(_message.Message):
    __slots__ = ("bucket", "key", "version_id", "range", "part_number", "precondition")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    PART_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PRECONDITION_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    version_id: str
    range: _object_pb2.ByteRange
    part_number: int
    precondition: _object_pb2.Precondition
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., version_id: _Optional[str] = ..., range: _Optional[_Union[_object_pb2.ByteRange, _Mapping]] = ..., part_number: _Optional[int] = ..., precondition: _Optional[_Union[_object_pb2.Precondition, _Mapping]] = ...) -> None: ...

class ContentRange(_message.Message):
    __slots__ = ("start", "end", "size")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    start: int
    end: int
    size: int
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ..., size: _Optional[int] = ...) -> None: ...

class ObjectHeader(_message.Message):
    __slots__ = ("object", "content_range", "content_length", "range_checksum")
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_RANGE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    RANGE_CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    object: _object_pb2.Object
    content_range: ContentRange
    content_length: int
    range_checksum: _object_pb2.Checksum
    def __init__(self, object: _Optional[_Union[_object_pb2.Object, _Mapping]] = ..., content_range: _Optional[_Union[ContentRange, _Mapping]] = ..., content_length: _Optional[int] = ..., range_checksum: _Optional[_Union[_object_pb2.Checksum, _Mapping]] = ...) -> None: ...

class GetObjectResponse(_message.Message):
    __slots__ = ("header", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: ObjectHeader
    chunk: ObjectChunk
    def __init__(self, header: _Optional[_Union[ObjectHeader, _Mapping]] = ..., chunk: _Optional[_Union[ObjectChunk, _Mapping]] = ...) -> None: ...

class GetSmallObjectRequest(_message.Message):
    __slots__ = ("object",)
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    object: GetObjectRequest
    def __init__(self, object: _Optional[_Union[GetObjectRequest, _Mapping]] = ...) -> None: ...

class GetSmallObjectResponse(_message.Message):
    __slots__ = ("header", "data")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    header: ObjectHeader
    data: bytes
    def __init__(self, header: _Optional[_Union[ObjectHeader, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class HeadObjectRequest(_message.Message):
    __slots__ = ("object",)
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    object: GetObjectRequest
    def __init__(self, object: _Optional[_Union[GetObjectRequest, _Mapping]] = ...) -> None: ...

class HeadObjectResponse(_message.Message):
    __slots__ = ("header",)
    HEADER_FIELD_NUMBER: _ClassVar[int]
    header: ObjectHeader
    def __init__(self, header: _Optional[_Union[ObjectHeader, _Mapping]] = ...) -> None: ...

class GetObjectAttributesRequest(_message.Message):
    __slots__ = ("bucket", "key", "version_id", "attributes", "page_size", "part_number_marker")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PART_NUMBER_MARKER_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    version_id: str
    attributes: _containers.RepeatedScalarFieldContainer[ObjectAttribute]
    page_size: int
    part_number_marker: int
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., version_id: _Optional[str] = ..., attributes: _Optional[_Iterable[_Union[ObjectAttribute, str]]] = ..., page_size: _Optional[int] = ..., part_number_marker: _Optional[int] = ...) -> None: ...

class ObjectPart(_message.Message):
    __slots__ = ("part_number", "size", "checksum")
    PART_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    part_number: int
    size: int
    checksum: _object_pb2.Checksum
    def __init__(self, part_number: _Optional[int] = ..., size: _Optional[int] = ..., checksum: _Optional[_Union[_object_pb2.Checksum, _Mapping]] = ...) -> None: ...

class ObjectParts(_message.Message):
    __slots__ = ("part_count", "part_number_marker", "next_part_number_marker", "page_size", "truncated", "parts")
    PART_COUNT_FIELD_NUMBER: _ClassVar[int]
    PART_NUMBER_MARKER_FIELD_NUMBER: _ClassVar[int]
    NEXT_PART_NUMBER_MARKER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    part_count: int
    part_number_marker: int
    next_part_number_marker: int
    page_size: int
    truncated: bool
    parts: _containers.RepeatedCompositeFieldContainer[ObjectPart]
    def __init__(self, part_count: _Optional[int] = ..., part_number_marker: _Optional[int] = ..., next_part_number_marker: _Optional[int] = ..., page_size: _Optional[int] = ..., truncated: bool = ..., parts: _Optional[_Iterable[_Union[ObjectPart, _Mapping]]] = ...) -> None: ...

class GetObjectAttributesResponse(_message.Message):
    __slots__ = ("version_id", "modify_time", "etag", "checksum", "parts", "storage_class", "size")
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    MODIFY_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    STORAGE_CLASS_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    version_id: str
    modify_time: _timestamp_pb2.Timestamp
    etag: str
    checksum: _object_pb2.Checksum
    parts: ObjectParts
    storage_class: str
    size: int
    def __init__(self, version_id: _Optional[str] = ..., modify_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., checksum: _Optional[_Union[_object_pb2.Checksum, _Mapping]] = ..., parts: _Optional[_Union[ObjectParts, _Mapping]] = ..., storage_class: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class UpdateObjectRequest(_message.Message):
    __slots__ = ("object", "update_mask")
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    object: _object_pb2.Object
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, object: _Optional[_Union[_object_pb2.Object, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class UpdateObjectResponse(_message.Message):
    __slots__ = ("object",)
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    object: _object_pb2.Object
    def __init__(self, object: _Optional[_Union[_object_pb2.Object, _Mapping]] = ...) -> None: ...

class DeleteObjectRequest(_message.Message):
    __slots__ = ("bucket", "key", "version_id", "precondition", "allow_missing")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    PRECONDITION_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MISSING_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    version_id: str
    precondition: _object_pb2.Precondition
    allow_missing: bool
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., version_id: _Optional[str] = ..., precondition: _Optional[_Union[_object_pb2.Precondition, _Mapping]] = ..., allow_missing: bool = ...) -> None: ...

class DeleteObjectResponse(_message.Message):
    __slots__ = ("version_id", "delete_marker")
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    DELETE_MARKER_FIELD_NUMBER: _ClassVar[int]
    version_id: str
    delete_marker: bool
    def __init__(self, version_id: _Optional[str] = ..., delete_marker: bool = ...) -> None: ...

class ObjectIdentifier(_message.Message):
    __slots__ = ("key", "version_id", "precondition")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    PRECONDITION_FIELD_NUMBER: _ClassVar[int]
    key: str
    version_id: str
    precondition: _object_pb2.Precondition
    def __init__(self, key: _Optional[str] = ..., version_id: _Optional[str] = ..., precondition: _Optional[_Union[_object_pb2.Precondition, _Mapping]] = ...) -> None: ...

class DeleteObjectsRequest(_message.Message):
    __slots__ = ("bucket", "objects", "allow_missing")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    OBJECTS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MISSING_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    objects: _containers.RepeatedCompositeFieldContainer[ObjectIdentifier]
    allow_missing: bool
    def __init__(self, bucket: _Optional[str] = ..., objects: _Optional[_Iterable[_Union[ObjectIdentifier, _Mapping]]] = ..., allow_missing: bool = ...) -> None: ...

class DeleteObjectResult(_message.Message):
    __slots__ = ("key", "version_id", "deleted", "error_reason", "error_message")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    ERROR_REASON_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    key: str
    version_id: str
    deleted: bool
    error_reason: str
    error_message: str
    def __init__(self, key: _Optional[str] = ..., version_id: _Optional[str] = ..., deleted: bool = ..., error_reason: _Optional[str] = ..., error_message: _Optional[str] = ...) -> None: ...

class DeleteObjectsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[DeleteObjectResult]
    def __init__(self, results: _Optional[_Iterable[_Union[DeleteObjectResult, _Mapping]]] = ...) -> None: ...

class CopySource(_message.Message):
    __slots__ = ("bucket", "key", "version_id", "precondition")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    PRECONDITION_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    version_id: str
    precondition: _object_pb2.Precondition
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., version_id: _Optional[str] = ..., precondition: _Optional[_Union[_object_pb2.Precondition, _Mapping]] = ...) -> None: ...

class CopyObjectRequest(_message.Message):
    __slots__ = ("bucket", "key", "source", "attributes", "metadata_directive", "tagging_directive", "precondition", "checksum_algorithm")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    METADATA_DIRECTIVE_FIELD_NUMBER: _ClassVar[int]
    TAGGING_DIRECTIVE_FIELD_NUMBER: _ClassVar[int]
    PRECONDITION_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    source: CopySource
    attributes: _object_pb2.ObjectAttributes
    metadata_directive: CopyDirective
    tagging_directive: CopyDirective
    precondition: _object_pb2.Precondition
    checksum_algorithm: _object_pb2.ChecksumAlgorithm
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., source: _Optional[_Union[CopySource, _Mapping]] = ..., attributes: _Optional[_Union[_object_pb2.ObjectAttributes, _Mapping]] = ..., metadata_directive: _Optional[_Union[CopyDirective, str]] = ..., tagging_directive: _Optional[_Union[CopyDirective, str]] = ..., precondition: _Optional[_Union[_object_pb2.Precondition, _Mapping]] = ..., checksum_algorithm: _Optional[_Union[_object_pb2.ChecksumAlgorithm, str]] = ...) -> None: ...

class CopyObjectResponse(_message.Message):
    __slots__ = ("object", "source_version_id")
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    object: _object_pb2.Object
    source_version_id: str
    def __init__(self, object: _Optional[_Union[_object_pb2.Object, _Mapping]] = ..., source_version_id: _Optional[str] = ...) -> None: ...

class ListObjectsRequest(_message.Message):
    __slots__ = ("bucket", "prefix", "delimiter", "start_after", "page_size", "page_token", "validate_only", "view")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    DELIMITER_FIELD_NUMBER: _ClassVar[int]
    START_AFTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    prefix: str
    delimiter: str
    start_after: str
    page_size: int
    page_token: str
    validate_only: bool
    view: ObjectView
    def __init__(self, bucket: _Optional[str] = ..., prefix: _Optional[str] = ..., delimiter: _Optional[str] = ..., start_after: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., validate_only: bool = ..., view: _Optional[_Union[ObjectView, str]] = ...) -> None: ...

class ListObjectsResponse(_message.Message):
    __slots__ = ("objects", "common_prefixes", "next_page_token", "next_start_after")
    OBJECTS_FIELD_NUMBER: _ClassVar[int]
    COMMON_PREFIXES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    NEXT_START_AFTER_FIELD_NUMBER: _ClassVar[int]
    objects: _containers.RepeatedCompositeFieldContainer[_object_pb2.Object]
    common_prefixes: _containers.RepeatedScalarFieldContainer[str]
    next_page_token: str
    next_start_after: str
    def __init__(self, objects: _Optional[_Iterable[_Union[_object_pb2.Object, _Mapping]]] = ..., common_prefixes: _Optional[_Iterable[str]] = ..., next_page_token: _Optional[str] = ..., next_start_after: _Optional[str] = ...) -> None: ...

class SearchObjectsRequest(_message.Message):
    __slots__ = ("bucket", "prefix", "contains", "ignore_case", "order_by", "descending", "page_size", "page_token")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    CONTAINS_FIELD_NUMBER: _ClassVar[int]
    IGNORE_CASE_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    DESCENDING_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    prefix: str
    contains: str
    ignore_case: bool
    order_by: ObjectOrder
    descending: bool
    page_size: int
    page_token: str
    def __init__(self, bucket: _Optional[str] = ..., prefix: _Optional[str] = ..., contains: _Optional[str] = ..., ignore_case: bool = ..., order_by: _Optional[_Union[ObjectOrder, str]] = ..., descending: bool = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class SearchObjectsResponse(_message.Message):
    __slots__ = ("objects", "next_page_token", "scanned_count", "coverage")
    OBJECTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SCANNED_COUNT_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    objects: _containers.RepeatedCompositeFieldContainer[_object_pb2.Object]
    next_page_token: str
    scanned_count: int
    coverage: SearchCoverage
    def __init__(self, objects: _Optional[_Iterable[_Union[_object_pb2.Object, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., scanned_count: _Optional[int] = ..., coverage: _Optional[_Union[SearchCoverage, str]] = ...) -> None: ...

class ListObjectVersionsRequest(_message.Message):
    __slots__ = ("bucket", "prefix", "delimiter", "key_marker", "version_id_marker", "page_size", "validate_only")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    DELIMITER_FIELD_NUMBER: _ClassVar[int]
    KEY_MARKER_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_MARKER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    prefix: str
    delimiter: str
    key_marker: str
    version_id_marker: str
    page_size: int
    validate_only: bool
    def __init__(self, bucket: _Optional[str] = ..., prefix: _Optional[str] = ..., delimiter: _Optional[str] = ..., key_marker: _Optional[str] = ..., version_id_marker: _Optional[str] = ..., page_size: _Optional[int] = ..., validate_only: bool = ...) -> None: ...

class ObjectVersion(_message.Message):
    __slots__ = ("object", "version_id", "is_latest")
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    IS_LATEST_FIELD_NUMBER: _ClassVar[int]
    object: _object_pb2.Object
    version_id: str
    is_latest: bool
    def __init__(self, object: _Optional[_Union[_object_pb2.Object, _Mapping]] = ..., version_id: _Optional[str] = ..., is_latest: bool = ...) -> None: ...

class ListObjectVersionsResponse(_message.Message):
    __slots__ = ("versions", "common_prefixes", "next_key_marker", "next_version_id_marker")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    COMMON_PREFIXES_FIELD_NUMBER: _ClassVar[int]
    NEXT_KEY_MARKER_FIELD_NUMBER: _ClassVar[int]
    NEXT_VERSION_ID_MARKER_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[ObjectVersion]
    common_prefixes: _containers.RepeatedScalarFieldContainer[str]
    next_key_marker: str
    next_version_id_marker: str
    def __init__(self, versions: _Optional[_Iterable[_Union[ObjectVersion, _Mapping]]] = ..., common_prefixes: _Optional[_Iterable[str]] = ..., next_key_marker: _Optional[str] = ..., next_version_id_marker: _Optional[str] = ...) -> None: ...

class CreateMultipartUploadRequest(_message.Message):
    __slots__ = ("bucket", "key", "attributes", "checksum_algorithm", "checksum_type")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_TYPE_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    attributes: _object_pb2.ObjectAttributes
    checksum_algorithm: _object_pb2.ChecksumAlgorithm
    checksum_type: _object_pb2.ChecksumType
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., attributes: _Optional[_Union[_object_pb2.ObjectAttributes, _Mapping]] = ..., checksum_algorithm: _Optional[_Union[_object_pb2.ChecksumAlgorithm, str]] = ..., checksum_type: _Optional[_Union[_object_pb2.ChecksumType, str]] = ...) -> None: ...

class CreateMultipartUploadResponse(_message.Message):
    __slots__ = ("upload",)
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    upload: MultipartUpload
    def __init__(self, upload: _Optional[_Union[MultipartUpload, _Mapping]] = ...) -> None: ...

class MultipartUpload(_message.Message):
    __slots__ = ("bucket", "key", "upload_id", "create_time", "checksum_algorithm", "checksum_type", "owner_id", "owner_display_name")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_TYPE_FIELD_NUMBER: _ClassVar[int]
    OWNER_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    upload_id: str
    create_time: _timestamp_pb2.Timestamp
    checksum_algorithm: _object_pb2.ChecksumAlgorithm
    checksum_type: _object_pb2.ChecksumType
    owner_id: str
    owner_display_name: str
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., upload_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., checksum_algorithm: _Optional[_Union[_object_pb2.ChecksumAlgorithm, str]] = ..., checksum_type: _Optional[_Union[_object_pb2.ChecksumType, str]] = ..., owner_id: _Optional[str] = ..., owner_display_name: _Optional[str] = ...) -> None: ...

class UploadPartSpec(_message.Message):
    __slots__ = ("bucket", "key", "upload_id", "part_number", "content_length", "digests", "checksum_algorithm")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    PART_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CONTENT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    upload_id: str
    part_number: int
    content_length: int
    digests: _object_pb2.ContentDigests
    checksum_algorithm: _object_pb2.ChecksumAlgorithm
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., upload_id: _Optional[str] = ..., part_number: _Optional[int] = ..., content_length: _Optional[int] = ..., digests: _Optional[_Union[_object_pb2.ContentDigests, _Mapping]] = ..., checksum_algorithm: _Optional[_Union[_object_pb2.ChecksumAlgorithm, str]] = ...) -> None: ...

class UploadPartRequest(_message.Message):
    __slots__ = ("spec", "chunk", "digests")
    SPEC_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    spec: UploadPartSpec
    chunk: ObjectChunk
    digests: _object_pb2.ContentDigests
    def __init__(self, spec: _Optional[_Union[UploadPartSpec, _Mapping]] = ..., chunk: _Optional[_Union[ObjectChunk, _Mapping]] = ..., digests: _Optional[_Union[_object_pb2.ContentDigests, _Mapping]] = ...) -> None: ...

class Part(_message.Message):
    __slots__ = ("part_number", "size", "etag", "modify_time", "checksum")
    PART_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    MODIFY_TIME_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    part_number: int
    size: int
    etag: str
    modify_time: _timestamp_pb2.Timestamp
    checksum: _object_pb2.Checksum
    def __init__(self, part_number: _Optional[int] = ..., size: _Optional[int] = ..., etag: _Optional[str] = ..., modify_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., checksum: _Optional[_Union[_object_pb2.Checksum, _Mapping]] = ...) -> None: ...

class UploadPartResponse(_message.Message):
    __slots__ = ("part",)
    PART_FIELD_NUMBER: _ClassVar[int]
    part: Part
    def __init__(self, part: _Optional[_Union[Part, _Mapping]] = ...) -> None: ...

class UploadPartCopyRequest(_message.Message):
    __slots__ = ("bucket", "key", "upload_id", "part_number", "source", "source_range")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    PART_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_RANGE_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    upload_id: str
    part_number: int
    source: CopySource
    source_range: _object_pb2.ByteRange
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., upload_id: _Optional[str] = ..., part_number: _Optional[int] = ..., source: _Optional[_Union[CopySource, _Mapping]] = ..., source_range: _Optional[_Union[_object_pb2.ByteRange, _Mapping]] = ...) -> None: ...

class UploadPartCopyResponse(_message.Message):
    __slots__ = ("part", "source_version_id")
    PART_FIELD_NUMBER: _ClassVar[int]
    SOURCE_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    part: Part
    source_version_id: str
    def __init__(self, part: _Optional[_Union[Part, _Mapping]] = ..., source_version_id: _Optional[str] = ...) -> None: ...

class CompletedPart(_message.Message):
    __slots__ = ("part_number", "etag", "checksum")
    PART_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    part_number: int
    etag: str
    checksum: _object_pb2.Checksum
    def __init__(self, part_number: _Optional[int] = ..., etag: _Optional[str] = ..., checksum: _Optional[_Union[_object_pb2.Checksum, _Mapping]] = ...) -> None: ...

class CompleteMultipartUploadRequest(_message.Message):
    __slots__ = ("bucket", "key", "upload_id", "parts", "precondition", "checksum", "object_size")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    PRECONDITION_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    OBJECT_SIZE_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    upload_id: str
    parts: _containers.RepeatedCompositeFieldContainer[CompletedPart]
    precondition: _object_pb2.Precondition
    checksum: _object_pb2.Checksum
    object_size: int
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., upload_id: _Optional[str] = ..., parts: _Optional[_Iterable[_Union[CompletedPart, _Mapping]]] = ..., precondition: _Optional[_Union[_object_pb2.Precondition, _Mapping]] = ..., checksum: _Optional[_Union[_object_pb2.Checksum, _Mapping]] = ..., object_size: _Optional[int] = ...) -> None: ...

class CompleteMultipartUploadResponse(_message.Message):
    __slots__ = ("object",)
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    object: _object_pb2.Object
    def __init__(self, object: _Optional[_Union[_object_pb2.Object, _Mapping]] = ...) -> None: ...

class AbortMultipartUploadRequest(_message.Message):
    __slots__ = ("bucket", "key", "upload_id")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    upload_id: str
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., upload_id: _Optional[str] = ...) -> None: ...

class AbortMultipartUploadResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPartsRequest(_message.Message):
    __slots__ = ("bucket", "key", "upload_id", "page_size", "part_number_marker", "validate_only")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PART_NUMBER_MARKER_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    upload_id: str
    page_size: int
    part_number_marker: int
    validate_only: bool
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., upload_id: _Optional[str] = ..., page_size: _Optional[int] = ..., part_number_marker: _Optional[int] = ..., validate_only: bool = ...) -> None: ...

class ListPartsResponse(_message.Message):
    __slots__ = ("upload", "parts", "next_part_number_marker")
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PART_NUMBER_MARKER_FIELD_NUMBER: _ClassVar[int]
    upload: MultipartUpload
    parts: _containers.RepeatedCompositeFieldContainer[Part]
    next_part_number_marker: int
    def __init__(self, upload: _Optional[_Union[MultipartUpload, _Mapping]] = ..., parts: _Optional[_Iterable[_Union[Part, _Mapping]]] = ..., next_part_number_marker: _Optional[int] = ...) -> None: ...

class ListMultipartUploadsRequest(_message.Message):
    __slots__ = ("bucket", "prefix", "delimiter", "key_marker", "upload_id_marker", "page_size", "validate_only")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    DELIMITER_FIELD_NUMBER: _ClassVar[int]
    KEY_MARKER_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_MARKER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    prefix: str
    delimiter: str
    key_marker: str
    upload_id_marker: str
    page_size: int
    validate_only: bool
    def __init__(self, bucket: _Optional[str] = ..., prefix: _Optional[str] = ..., delimiter: _Optional[str] = ..., key_marker: _Optional[str] = ..., upload_id_marker: _Optional[str] = ..., page_size: _Optional[int] = ..., validate_only: bool = ...) -> None: ...

class ListMultipartUploadsResponse(_message.Message):
    __slots__ = ("uploads", "common_prefixes", "next_key_marker", "next_upload_id_marker")
    UPLOADS_FIELD_NUMBER: _ClassVar[int]
    COMMON_PREFIXES_FIELD_NUMBER: _ClassVar[int]
    NEXT_KEY_MARKER_FIELD_NUMBER: _ClassVar[int]
    NEXT_UPLOAD_ID_MARKER_FIELD_NUMBER: _ClassVar[int]
    uploads: _containers.RepeatedCompositeFieldContainer[MultipartUpload]
    common_prefixes: _containers.RepeatedScalarFieldContainer[str]
    next_key_marker: str
    next_upload_id_marker: str
    def __init__(self, uploads: _Optional[_Iterable[_Union[MultipartUpload, _Mapping]]] = ..., common_prefixes: _Optional[_Iterable[str]] = ..., next_key_marker: _Optional[str] = ..., next_upload_id_marker: _Optional[str] = ...) -> None: ...

class ResponseOverrides(_message.Message):
    __slots__ = ("content_type", "content_language", "expires", "cache_control", "content_disposition", "content_encoding")
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CACHE_CONTROL_FIELD_NUMBER: _ClassVar[int]
    CONTENT_DISPOSITION_FIELD_NUMBER: _ClassVar[int]
    CONTENT_ENCODING_FIELD_NUMBER: _ClassVar[int]
    content_type: str
    content_language: str
    expires: str
    cache_control: str
    content_disposition: str
    content_encoding: str
    def __init__(self, content_type: _Optional[str] = ..., content_language: _Optional[str] = ..., expires: _Optional[str] = ..., cache_control: _Optional[str] = ..., content_disposition: _Optional[str] = ..., content_encoding: _Optional[str] = ...) -> None: ...

class PresignedUrlSpec(_message.Message):
    __slots__ = ("method", "key", "upload_id", "part_number", "lifetime", "content_type", "content_length", "checksum", "response_overrides")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    PART_NUMBER_FIELD_NUMBER: _ClassVar[int]
    LIFETIME_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_OVERRIDES_FIELD_NUMBER: _ClassVar[int]
    method: PresignedMethod
    key: str
    upload_id: str
    part_number: int
    lifetime: _duration_pb2.Duration
    content_type: str
    content_length: int
    checksum: _object_pb2.Checksum
    response_overrides: ResponseOverrides
    def __init__(self, method: _Optional[_Union[PresignedMethod, str]] = ..., key: _Optional[str] = ..., upload_id: _Optional[str] = ..., part_number: _Optional[int] = ..., lifetime: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., content_type: _Optional[str] = ..., content_length: _Optional[int] = ..., checksum: _Optional[_Union[_object_pb2.Checksum, _Mapping]] = ..., response_overrides: _Optional[_Union[ResponseOverrides, _Mapping]] = ...) -> None: ...

class CreatePresignedUrlsRequest(_message.Message):
    __slots__ = ("bucket", "urls")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    URLS_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    urls: _containers.RepeatedCompositeFieldContainer[PresignedUrlSpec]
    def __init__(self, bucket: _Optional[str] = ..., urls: _Optional[_Iterable[_Union[PresignedUrlSpec, _Mapping]]] = ...) -> None: ...

class PresignedUrl(_message.Message):
    __slots__ = ("url", "headers", "expire_time")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    URL_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    url: str
    headers: _containers.ScalarMap[str, str]
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, url: _Optional[str] = ..., headers: _Optional[_Mapping[str, str]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreatePresignedUrlsResponse(_message.Message):
    __slots__ = ("urls",)
    URLS_FIELD_NUMBER: _ClassVar[int]
    urls: _containers.RepeatedCompositeFieldContainer[PresignedUrl]
    def __init__(self, urls: _Optional[_Iterable[_Union[PresignedUrl, _Mapping]]] = ...) -> None: ...
