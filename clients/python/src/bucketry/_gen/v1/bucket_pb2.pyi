import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ObjectOwnership(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBJECT_OWNERSHIP_UNSPECIFIED: _ClassVar[ObjectOwnership]
    OBJECT_OWNERSHIP_BUCKET_OWNER_ENFORCED: _ClassVar[ObjectOwnership]
    OBJECT_OWNERSHIP_BUCKET_OWNER_PREFERRED: _ClassVar[ObjectOwnership]
    OBJECT_OWNERSHIP_OBJECT_WRITER: _ClassVar[ObjectOwnership]
OBJECT_OWNERSHIP_UNSPECIFIED: ObjectOwnership
OBJECT_OWNERSHIP_BUCKET_OWNER_ENFORCED: ObjectOwnership
OBJECT_OWNERSHIP_BUCKET_OWNER_PREFERRED: ObjectOwnership
OBJECT_OWNERSHIP_OBJECT_WRITER: ObjectOwnership

class BucketStatistics(_message.Message):
    __slots__ = ("object_count", "size_bytes")
    OBJECT_COUNT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    object_count: int
    size_bytes: int
    def __init__(self, object_count: _Optional[int] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class Bucket(_message.Message):
    __slots__ = ("name", "region", "account_id", "owner_id", "owner_display_name", "create_time", "statistics", "tagging", "cors", "ownership_controls")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    TAGGING_FIELD_NUMBER: _ClassVar[int]
    CORS_FIELD_NUMBER: _ClassVar[int]
    OWNERSHIP_CONTROLS_FIELD_NUMBER: _ClassVar[int]
    name: str
    region: str
    account_id: str
    owner_id: str
    owner_display_name: str
    create_time: _timestamp_pb2.Timestamp
    statistics: BucketStatistics
    tagging: TagSet
    cors: CorsConfiguration
    ownership_controls: OwnershipControls
    def __init__(self, name: _Optional[str] = ..., region: _Optional[str] = ..., account_id: _Optional[str] = ..., owner_id: _Optional[str] = ..., owner_display_name: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., statistics: _Optional[_Union[BucketStatistics, _Mapping]] = ..., tagging: _Optional[_Union[TagSet, _Mapping]] = ..., cors: _Optional[_Union[CorsConfiguration, _Mapping]] = ..., ownership_controls: _Optional[_Union[OwnershipControls, _Mapping]] = ...) -> None: ...

class Tag(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: str
    def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class TagSet(_message.Message):
    __slots__ = ("tags",)
    TAGS_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.RepeatedCompositeFieldContainer[Tag]
    def __init__(self, tags: _Optional[_Iterable[_Union[Tag, _Mapping]]] = ...) -> None: ...

class CorsConfiguration(_message.Message):
    __slots__ = ("rules",)
    RULES_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[CorsRule]
    def __init__(self, rules: _Optional[_Iterable[_Union[CorsRule, _Mapping]]] = ...) -> None: ...

class CorsRule(_message.Message):
    __slots__ = ("id", "allowed_origins", "allowed_methods", "allowed_headers", "expose_headers", "max_age_seconds")
    ID_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ORIGINS_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_METHODS_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_HEADERS_FIELD_NUMBER: _ClassVar[int]
    EXPOSE_HEADERS_FIELD_NUMBER: _ClassVar[int]
    MAX_AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    id: str
    allowed_origins: _containers.RepeatedScalarFieldContainer[str]
    allowed_methods: _containers.RepeatedScalarFieldContainer[str]
    allowed_headers: _containers.RepeatedScalarFieldContainer[str]
    expose_headers: _containers.RepeatedScalarFieldContainer[str]
    max_age_seconds: int
    def __init__(self, id: _Optional[str] = ..., allowed_origins: _Optional[_Iterable[str]] = ..., allowed_methods: _Optional[_Iterable[str]] = ..., allowed_headers: _Optional[_Iterable[str]] = ..., expose_headers: _Optional[_Iterable[str]] = ..., max_age_seconds: _Optional[int] = ...) -> None: ...

class OwnershipControls(_message.Message):
    __slots__ = ("rules",)
    RULES_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[OwnershipControlsRule]
    def __init__(self, rules: _Optional[_Iterable[_Union[OwnershipControlsRule, _Mapping]]] = ...) -> None: ...

class OwnershipControlsRule(_message.Message):
    __slots__ = ("object_ownership",)
    OBJECT_OWNERSHIP_FIELD_NUMBER: _ClassVar[int]
    object_ownership: ObjectOwnership
    def __init__(self, object_ownership: _Optional[_Union[ObjectOwnership, str]] = ...) -> None: ...
