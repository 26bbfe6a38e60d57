import datetime

from bucketry._gen.v1 import bucket_pb2 as _bucket_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChecksumAlgorithm(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHECKSUM_ALGORITHM_UNSPECIFIED: _ClassVar[ChecksumAlgorithm]
    CHECKSUM_ALGORITHM_CRC32: _ClassVar[ChecksumAlgorithm]
    CHECKSUM_ALGORITHM_CRC32C: _ClassVar[ChecksumAlgorithm]
    CHECKSUM_ALGORITHM_CRC64NVME: _ClassVar[ChecksumAlgorithm]
    CHECKSUM_ALGORITHM_SHA1: _ClassVar[ChecksumAlgorithm]
    CHECKSUM_ALGORITHM_SHA256: _ClassVar[ChecksumAlgorithm]
    CHECKSUM_ALGORITHM_SHA512: _ClassVar[ChecksumAlgorithm]
    CHECKSUM_ALGORITHM_MD5: _ClassVar[ChecksumAlgorithm]
    CHECKSUM_ALGORITHM_XXHASH64: _ClassVar[ChecksumAlgorithm]
    CHECKSUM_ALGORITHM_XXHASH3: _ClassVar[ChecksumAlgorithm]
    CHECKSUM_ALGORITHM_XXHASH128: _ClassVar[ChecksumAlgorithm]

class ChecksumType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHECKSUM_TYPE_UNSPECIFIED: _ClassVar[ChecksumType]
    CHECKSUM_TYPE_COMPOSITE: _ClassVar[ChecksumType]
    CHECKSUM_TYPE_FULL_OBJECT: _ClassVar[ChecksumType]
CHECKSUM_ALGORITHM_UNSPECIFIED: ChecksumAlgorithm
CHECKSUM_ALGORITHM_CRC32: ChecksumAlgorithm
CHECKSUM_ALGORITHM_CRC32C: ChecksumAlgorithm
CHECKSUM_ALGORITHM_CRC64NVME: ChecksumAlgorithm
CHECKSUM_ALGORITHM_SHA1: ChecksumAlgorithm
CHECKSUM_ALGORITHM_SHA256: ChecksumAlgorithm
CHECKSUM_ALGORITHM_SHA512: ChecksumAlgorithm
CHECKSUM_ALGORITHM_MD5: ChecksumAlgorithm
CHECKSUM_ALGORITHM_XXHASH64: ChecksumAlgorithm
CHECKSUM_ALGORITHM_XXHASH3: ChecksumAlgorithm
CHECKSUM_ALGORITHM_XXHASH128: ChecksumAlgorithm
CHECKSUM_TYPE_UNSPECIFIED: ChecksumType
CHECKSUM_TYPE_COMPOSITE: ChecksumType
CHECKSUM_TYPE_FULL_OBJECT: ChecksumType

class ObjectAttributes(_message.Message):
    __slots__ = ("content_type", "cache_control", "content_disposition", "content_encoding", "content_language", "expires", "website_redirect_location", "metadata", "tagging")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    CACHE_CONTROL_FIELD_NUMBER: _ClassVar[int]
    CONTENT_DISPOSITION_FIELD_NUMBER: _ClassVar[int]
    CONTENT_ENCODING_FIELD_NUMBER: _ClassVar[int]
    CONTENT_LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    WEBSITE_REDIRECT_LOCATION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TAGGING_FIELD_NUMBER: _ClassVar[int]
    content_type: str
    cache_control: str
    content_disposition: str
    content_encoding: str
    content_language: str
    expires: str
    website_redirect_location: str
    metadata: _containers.ScalarMap[str, str]
    tagging: _bucket_pb2.TagSet
    def __init__(self, content_type: _Optional[str] = ..., cache_control: _Optional[str] = ..., content_disposition: _Optional[str] = ..., content_encoding: _Optional[str] = ..., content_language: _Optional[str] = ..., expires: _Optional[str] = ..., website_redirect_location: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ..., tagging: _Optional[_Union[_bucket_pb2.TagSet, _Mapping]] = ...) -> None: ...

class Checksum(_message.Message):
    __slots__ = ("algorithm", "value", "type", "part_count")
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PART_COUNT_FIELD_NUMBER: _ClassVar[int]
    algorithm: ChecksumAlgorithm
    value: bytes
    type: ChecksumType
    part_count: int
    def __init__(self, algorithm: _Optional[_Union[ChecksumAlgorithm, str]] = ..., value: _Optional[bytes] = ..., type: _Optional[_Union[ChecksumType, str]] = ..., part_count: _Optional[int] = ...) -> None: ...

class Object(_message.Message):
    __slots__ = ("bucket", "key", "generation", "version_id", "size", "etag", "modify_time", "attributes", "checksum", "part_count", "owner_id", "owner_display_name")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    MODIFY_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    PART_COUNT_FIELD_NUMBER: _ClassVar[int]
    OWNER_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    key: str
    generation: int
    version_id: str
    size: int
    etag: str
    modify_time: _timestamp_pb2.Timestamp
    attributes: ObjectAttributes
    checksum: Checksum
    part_count: int
    owner_id: str
    owner_display_name: str
    def __init__(self, bucket: _Optional[str] = ..., key: _Optional[str] = ..., generation: _Optional[int] = ..., version_id: _Optional[str] = ..., size: _Optional[int] = ..., etag: _Optional[str] = ..., modify_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attributes: _Optional[_Union[ObjectAttributes, _Mapping]] = ..., checksum: _Optional[_Union[Checksum, _Mapping]] = ..., part_count: _Optional[int] = ..., owner_id: _Optional[str] = ..., owner_display_name: _Optional[str] = ...) -> None: ...

class Precondition(_message.Message):
    __slots__ = ("if_match", "if_none_match", "if_generation_match", "if_generation_not_match", "if_modified_since", "if_unmodified_since")
    IF_MATCH_FIELD_NUMBER: _ClassVar[int]
    IF_NONE_MATCH_FIELD_NUMBER: _ClassVar[int]
    IF_GENERATION_MATCH_FIELD_NUMBER: _ClassVar[int]
    IF_GENERATION_NOT_MATCH_FIELD_NUMBER: _ClassVar[int]
    IF_MODIFIED_SINCE_FIELD_NUMBER: _ClassVar[int]
    IF_UNMODIFIED_SINCE_FIELD_NUMBER: _ClassVar[int]
    if_match: _containers.RepeatedScalarFieldContainer[str]
    if_none_match: _containers.RepeatedScalarFieldContainer[str]
    if_generation_match: int
    if_generation_not_match: int
    if_modified_since: _timestamp_pb2.Timestamp
    if_unmodified_since: _timestamp_pb2.Timestamp
    def __init__(self, if_match: _Optional[_Iterable[str]] = ..., if_none_match: _Optional[_Iterable[str]] = ..., if_generation_match: _Optional[int] = ..., if_generation_not_match: _Optional[int] = ..., if_modified_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., if_unmodified_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ContentDigests(_message.Message):
    __slots__ = ("md5", "sha256", "checksum")
    MD5_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    md5: bytes
    sha256: bytes
    checksum: Checksum
    def __init__(self, md5: _Optional[bytes] = ..., sha256: _Optional[bytes] = ..., checksum: _Optional[_Union[Checksum, _Mapping]] = ...) -> None: ...

class ByteRange(_message.Message):
    __slots__ = ("start", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: int
    end: int
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...
