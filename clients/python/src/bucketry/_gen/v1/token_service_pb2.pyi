import datetime

from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Permission(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERMISSION_UNSPECIFIED: _ClassVar[Permission]
    PERMISSION_READ_ONLY: _ClassVar[Permission]
    PERMISSION_WRITE_ONLY: _ClassVar[Permission]
    PERMISSION_READ_WRITE: _ClassVar[Permission]

class TokenState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TOKEN_STATE_UNSPECIFIED: _ClassVar[TokenState]
    TOKEN_STATE_ACTIVE: _ClassVar[TokenState]
    TOKEN_STATE_SUSPENDED: _ClassVar[TokenState]
    TOKEN_STATE_EXPIRED: _ClassVar[TokenState]
    TOKEN_STATE_REVOKED: _ClassVar[TokenState]
    TOKEN_STATE_ORPHANED: _ClassVar[TokenState]

class DecisionReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_REASON_UNSPECIFIED: _ClassVar[DecisionReason]
    DECISION_REASON_PERMITTED: _ClassVar[DecisionReason]
    DECISION_REASON_FOR_ANY_KEY: _ClassVar[DecisionReason]
    DECISION_REASON_SIGNATURE: _ClassVar[DecisionReason]
    DECISION_REASON_SUSPENDED: _ClassVar[DecisionReason]
    DECISION_REASON_REVOKED: _ClassVar[DecisionReason]
    DECISION_REASON_EXPIRED: _ClassVar[DecisionReason]
    DECISION_REASON_ADDRESS_UNKNOWN: _ClassVar[DecisionReason]
    DECISION_REASON_ADDRESS_DISALLOWED: _ClassVar[DecisionReason]
    DECISION_REASON_ADDRESS_NOT_ALLOWED: _ClassVar[DecisionReason]
    DECISION_REASON_OTHER_BUCKET: _ClassVar[DecisionReason]
    DECISION_REASON_PERMISSION: _ClassVar[DecisionReason]
    DECISION_REASON_ADMINISTRATORS_ONLY: _ClassVar[DecisionReason]
    DECISION_REASON_OPERATORS_ONLY: _ClassVar[DecisionReason]
    DECISION_REASON_POLICY: _ClassVar[DecisionReason]
    DECISION_REASON_REQUEST_LIMIT: _ClassVar[DecisionReason]
    DECISION_REASON_BYTE_LIMIT: _ClassVar[DecisionReason]

class RequestClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REQUEST_CLASS_UNSPECIFIED: _ClassVar[RequestClass]
    REQUEST_CLASS_READ: _ClassVar[RequestClass]
    REQUEST_CLASS_LIST: _ClassVar[RequestClass]
    REQUEST_CLASS_WRITE: _ClassVar[RequestClass]
    REQUEST_CLASS_DELETE: _ClassVar[RequestClass]
    REQUEST_CLASS_OTHER: _ClassVar[RequestClass]

class AddressSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ADDRESS_SOURCE_UNSPECIFIED: _ClassVar[AddressSource]
    ADDRESS_SOURCE_PEER: _ClassVar[AddressSource]
    ADDRESS_SOURCE_PROXY_PROTOCOL: _ClassVar[AddressSource]
    ADDRESS_SOURCE_HEADER: _ClassVar[AddressSource]

class CallerKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALLER_KIND_UNSPECIFIED: _ClassVar[CallerKind]
    CALLER_KIND_OPERATOR: _ClassVar[CallerKind]
    CALLER_KIND_ACCOUNT: _ClassVar[CallerKind]
    CALLER_KIND_TOKEN: _ClassVar[CallerKind]
    CALLER_KIND_EDGE: _ClassVar[CallerKind]

class SessionPurpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SESSION_PURPOSE_UNSPECIFIED: _ClassVar[SessionPurpose]
    SESSION_PURPOSE_CLIENT: _ClassVar[SessionPurpose]
    SESSION_PURPOSE_ADAPTER: _ClassVar[SessionPurpose]
PERMISSION_UNSPECIFIED: Permission
PERMISSION_READ_ONLY: Permission
PERMISSION_WRITE_ONLY: Permission
PERMISSION_READ_WRITE: Permission
TOKEN_STATE_UNSPECIFIED: TokenState
TOKEN_STATE_ACTIVE: TokenState
TOKEN_STATE_SUSPENDED: TokenState
TOKEN_STATE_EXPIRED: TokenState
TOKEN_STATE_REVOKED: TokenState
TOKEN_STATE_ORPHANED: TokenState
DECISION_REASON_UNSPECIFIED: DecisionReason
DECISION_REASON_PERMITTED: DecisionReason
DECISION_REASON_FOR_ANY_KEY: DecisionReason
DECISION_REASON_SIGNATURE: DecisionReason
DECISION_REASON_SUSPENDED: DecisionReason
DECISION_REASON_REVOKED: DecisionReason
DECISION_REASON_EXPIRED: DecisionReason
DECISION_REASON_ADDRESS_UNKNOWN: DecisionReason
DECISION_REASON_ADDRESS_DISALLOWED: DecisionReason
DECISION_REASON_ADDRESS_NOT_ALLOWED: DecisionReason
DECISION_REASON_OTHER_BUCKET: DecisionReason
DECISION_REASON_PERMISSION: DecisionReason
DECISION_REASON_ADMINISTRATORS_ONLY: DecisionReason
DECISION_REASON_OPERATORS_ONLY: DecisionReason
DECISION_REASON_POLICY: DecisionReason
DECISION_REASON_REQUEST_LIMIT: DecisionReason
DECISION_REASON_BYTE_LIMIT: DecisionReason
REQUEST_CLASS_UNSPECIFIED: RequestClass
REQUEST_CLASS_READ: RequestClass
REQUEST_CLASS_LIST: RequestClass
REQUEST_CLASS_WRITE: RequestClass
REQUEST_CLASS_DELETE: RequestClass
REQUEST_CLASS_OTHER: RequestClass
ADDRESS_SOURCE_UNSPECIFIED: AddressSource
ADDRESS_SOURCE_PEER: AddressSource
ADDRESS_SOURCE_PROXY_PROTOCOL: AddressSource
ADDRESS_SOURCE_HEADER: AddressSource
CALLER_KIND_UNSPECIFIED: CallerKind
CALLER_KIND_OPERATOR: CallerKind
CALLER_KIND_ACCOUNT: CallerKind
CALLER_KIND_TOKEN: CallerKind
CALLER_KIND_EDGE: CallerKind
SESSION_PURPOSE_UNSPECIFIED: SessionPurpose
SESSION_PURPOSE_CLIENT: SessionPurpose
SESSION_PURPOSE_ADAPTER: SessionPurpose

class Token(_message.Message):
    __slots__ = ("token_id", "bucket", "name", "permission", "allowed_ips", "disallowed_ips", "access_key_id", "state", "version", "create_time", "update_time", "expire_time", "revoke_time", "created_by", "limits", "last_use", "request_count")
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_IPS_FIELD_NUMBER: _ClassVar[int]
    DISALLOWED_IPS_FIELD_NUMBER: _ClassVar[int]
    ACCESS_KEY_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    REVOKE_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    LAST_USE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_COUNT_FIELD_NUMBER: _ClassVar[int]
    token_id: str
    bucket: str
    name: str
    permission: Permission
    allowed_ips: _containers.RepeatedScalarFieldContainer[str]
    disallowed_ips: _containers.RepeatedScalarFieldContainer[str]
    access_key_id: str
    state: TokenState
    version: int
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    revoke_time: _timestamp_pb2.Timestamp
    created_by: str
    limits: TokenLimits
    last_use: TokenUse
    request_count: int
    def __init__(self, token_id: _Optional[str] = ..., bucket: _Optional[str] = ..., name: _Optional[str] = ..., permission: _Optional[_Union[Permission, str]] = ..., allowed_ips: _Optional[_Iterable[str]] = ..., disallowed_ips: _Optional[_Iterable[str]] = ..., access_key_id: _Optional[str] = ..., state: _Optional[_Union[TokenState, str]] = ..., version: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revoke_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., created_by: _Optional[str] = ..., limits: _Optional[_Union[TokenLimits, _Mapping]] = ..., last_use: _Optional[_Union[TokenUse, _Mapping]] = ..., request_count: _Optional[int] = ...) -> None: ...

class TokenLimits(_message.Message):
    __slots__ = ("requests_per_second", "bytes_per_day")
    REQUESTS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    BYTES_PER_DAY_FIELD_NUMBER: _ClassVar[int]
    requests_per_second: int
    bytes_per_day: int
    def __init__(self, requests_per_second: _Optional[int] = ..., bytes_per_day: _Optional[int] = ...) -> None: ...

class TokenUse(_message.Message):
    __slots__ = ("time", "client_address", "user_agent", "operation")
    TIME_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    USER_AGENT_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    client_address: str
    user_agent: str
    operation: str
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., client_address: _Optional[str] = ..., user_agent: _Optional[str] = ..., operation: _Optional[str] = ...) -> None: ...

class Credentials(_message.Message):
    __slots__ = ("endpoint_url", "bucket", "access_key_id", "secret_access_key")
    ENDPOINT_URL_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    ACCESS_KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SECRET_ACCESS_KEY_FIELD_NUMBER: _ClassVar[int]
    endpoint_url: str
    bucket: str
    access_key_id: str
    secret_access_key: str
    def __init__(self, endpoint_url: _Optional[str] = ..., bucket: _Optional[str] = ..., access_key_id: _Optional[str] = ..., secret_access_key: _Optional[str] = ...) -> None: ...

class CreateTokenRequest(_message.Message):
    __slots__ = ("bucket", "name", "permission", "allowed_ips", "disallowed_ips", "expire_time", "limits", "validate_only")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_IPS_FIELD_NUMBER: _ClassVar[int]
    DISALLOWED_IPS_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    name: str
    permission: Permission
    allowed_ips: _containers.RepeatedScalarFieldContainer[str]
    disallowed_ips: _containers.RepeatedScalarFieldContainer[str]
    expire_time: _timestamp_pb2.Timestamp
    limits: TokenLimits
    validate_only: bool
    def __init__(self, bucket: _Optional[str] = ..., name: _Optional[str] = ..., permission: _Optional[_Union[Permission, str]] = ..., allowed_ips: _Optional[_Iterable[str]] = ..., disallowed_ips: _Optional[_Iterable[str]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., limits: _Optional[_Union[TokenLimits, _Mapping]] = ..., validate_only: bool = ...) -> None: ...

class CreateTokenResponse(_message.Message):
    __slots__ = ("token", "credentials", "warnings")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    token: Token
    credentials: Credentials
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, token: _Optional[_Union[Token, _Mapping]] = ..., credentials: _Optional[_Union[Credentials, _Mapping]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class GetTokenRequest(_message.Message):
    __slots__ = ("bucket", "token_id")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    token_id: str
    def __init__(self, bucket: _Optional[str] = ..., token_id: _Optional[str] = ...) -> None: ...

class GetTokenResponse(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: Token
    def __init__(self, token: _Optional[_Union[Token, _Mapping]] = ...) -> None: ...

class ListTokensRequest(_message.Message):
    __slots__ = ("bucket", "page_size", "page_token")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    page_size: int
    page_token: str
    def __init__(self, bucket: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTokensResponse(_message.Message):
    __slots__ = ("tokens", "next_page_token")
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tokens: _containers.RepeatedCompositeFieldContainer[Token]
    next_page_token: str
    def __init__(self, tokens: _Optional[_Iterable[_Union[Token, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateTokenRequest(_message.Message):
    __slots__ = ("token", "update_mask", "validate_only")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    token: Token
    update_mask: _field_mask_pb2.FieldMask
    validate_only: bool
    def __init__(self, token: _Optional[_Union[Token, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., validate_only: bool = ...) -> None: ...

class UpdateTokenResponse(_message.Message):
    __slots__ = ("token", "warnings")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    token: Token
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, token: _Optional[_Union[Token, _Mapping]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class ShowTokenSecretRequest(_message.Message):
    __slots__ = ("bucket", "token_id")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    token_id: str
    def __init__(self, bucket: _Optional[str] = ..., token_id: _Optional[str] = ...) -> None: ...

class ShowTokenSecretResponse(_message.Message):
    __slots__ = ("credentials",)
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    credentials: Credentials
    def __init__(self, credentials: _Optional[_Union[Credentials, _Mapping]] = ...) -> None: ...

class CloneTokenRequest(_message.Message):
    __slots__ = ("bucket", "token_id", "name")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    token_id: str
    name: str
    def __init__(self, bucket: _Optional[str] = ..., token_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class CloneTokenResponse(_message.Message):
    __slots__ = ("token", "credentials")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    token: Token
    credentials: Credentials
    def __init__(self, token: _Optional[_Union[Token, _Mapping]] = ..., credentials: _Optional[_Union[Credentials, _Mapping]] = ...) -> None: ...

class SuspendTokenRequest(_message.Message):
    __slots__ = ("bucket", "token_id")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    token_id: str
    def __init__(self, bucket: _Optional[str] = ..., token_id: _Optional[str] = ...) -> None: ...

class SuspendTokenResponse(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: Token
    def __init__(self, token: _Optional[_Union[Token, _Mapping]] = ...) -> None: ...

class ResumeTokenRequest(_message.Message):
    __slots__ = ("bucket", "token_id")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    token_id: str
    def __init__(self, bucket: _Optional[str] = ..., token_id: _Optional[str] = ...) -> None: ...

class ResumeTokenResponse(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: Token
    def __init__(self, token: _Optional[_Union[Token, _Mapping]] = ...) -> None: ...

class RevokeTokenRequest(_message.Message):
    __slots__ = ("bucket", "token_id")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    token_id: str
    def __init__(self, bucket: _Optional[str] = ..., token_id: _Optional[str] = ...) -> None: ...

class RevokeTokenResponse(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: Token
    def __init__(self, token: _Optional[_Union[Token, _Mapping]] = ...) -> None: ...

class PurgeTokenRequest(_message.Message):
    __slots__ = ("bucket", "token_id")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    token_id: str
    def __init__(self, bucket: _Optional[str] = ..., token_id: _Optional[str] = ...) -> None: ...

class PurgeTokenResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetTokenUsageRequest(_message.Message):
    __slots__ = ("bucket", "token_id", "start_time", "end_time")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    token_id: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, bucket: _Optional[str] = ..., token_id: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetTokenUsageResponse(_message.Message):
    __slots__ = ("hours", "total", "last_use")
    HOURS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    LAST_USE_FIELD_NUMBER: _ClassVar[int]
    hours: _containers.RepeatedCompositeFieldContainer[UsageHour]
    total: UsageHour
    last_use: TokenUse
    def __init__(self, hours: _Optional[_Iterable[_Union[UsageHour, _Mapping]]] = ..., total: _Optional[_Union[UsageHour, _Mapping]] = ..., last_use: _Optional[_Union[TokenUse, _Mapping]] = ...) -> None: ...

class UsageHour(_message.Message):
    __slots__ = ("start_time", "counts", "denials")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    DENIALS_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    counts: _containers.RepeatedCompositeFieldContainer[UsageCount]
    denials: _containers.RepeatedCompositeFieldContainer[DenialCount]
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., counts: _Optional[_Iterable[_Union[UsageCount, _Mapping]]] = ..., denials: _Optional[_Iterable[_Union[DenialCount, _Mapping]]] = ...) -> None: ...

class UsageCount(_message.Message):
    __slots__ = ("requests", "bytes_in", "bytes_out")
    CLASS_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    BYTES_IN_FIELD_NUMBER: _ClassVar[int]
    BYTES_OUT_FIELD_NUMBER: _ClassVar[int]
    requests: int
    bytes_in: int
    bytes_out: int
    def __init__(self, requests: _Optional[int] = ..., bytes_in: _Optional[int] = ..., bytes_out: _Optional[int] = ..., **kwargs) -> None: ...

class DenialCount(_message.Message):
    __slots__ = ("reason", "requests")
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    reason: DecisionReason
    requests: int
    def __init__(self, reason: _Optional[_Union[DecisionReason, str]] = ..., requests: _Optional[int] = ...) -> None: ...

class ListTokenDenialsRequest(_message.Message):
    __slots__ = ("bucket", "token_id")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    token_id: str
    def __init__(self, bucket: _Optional[str] = ..., token_id: _Optional[str] = ...) -> None: ...

class ListTokenDenialsResponse(_message.Message):
    __slots__ = ("denials",)
    DENIALS_FIELD_NUMBER: _ClassVar[int]
    denials: _containers.RepeatedCompositeFieldContainer[TokenDenial]
    def __init__(self, denials: _Optional[_Iterable[_Union[TokenDenial, _Mapping]]] = ...) -> None: ...

class TokenDenial(_message.Message):
    __slots__ = ("time", "reason", "rule", "client_address", "operation", "bucket", "key", "user_agent", "request_id")
    TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    USER_AGENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    reason: DecisionReason
    rule: str
    client_address: str
    operation: str
    bucket: str
    key: str
    user_agent: str
    request_id: str
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[_Union[DecisionReason, str]] = ..., rule: _Optional[str] = ..., client_address: _Optional[str] = ..., operation: _Optional[str] = ..., bucket: _Optional[str] = ..., key: _Optional[str] = ..., user_agent: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ExplainAccessRequest(_message.Message):
    __slots__ = ("bucket", "token_id", "operation", "target_bucket", "key", "client_address", "time", "fields")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    TARGET_BUCKET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    token_id: str
    operation: str
    target_bucket: str
    key: str
    client_address: str
    time: _timestamp_pb2.Timestamp
    fields: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, bucket: _Optional[str] = ..., token_id: _Optional[str] = ..., operation: _Optional[str] = ..., target_bucket: _Optional[str] = ..., key: _Optional[str] = ..., client_address: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., fields: _Optional[_Iterable[str]] = ...) -> None: ...

class ExplainAccessResponse(_message.Message):
    __slots__ = ("allowed", "reason", "rule", "client_address")
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    allowed: bool
    reason: DecisionReason
    rule: str
    client_address: str
    def __init__(self, allowed: bool = ..., reason: _Optional[_Union[DecisionReason, str]] = ..., rule: _Optional[str] = ..., client_address: _Optional[str] = ...) -> None: ...

class ListTokenAuditEventsRequest(_message.Message):
    __slots__ = ("bucket", "token_id", "page_size", "page_token")
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    bucket: str
    token_id: str
    page_size: int
    page_token: str
    def __init__(self, bucket: _Optional[str] = ..., token_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTokenAuditEventsResponse(_message.Message):
    __slots__ = ("events", "next_page_token")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[AuditEvent]
    next_page_token: str
    def __init__(self, events: _Optional[_Iterable[_Union[AuditEvent, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AuditEvent(_message.Message):
    __slots__ = ("event_id", "time", "actor", "client_address", "action", "token_id", "request_id", "details", "bucket_id")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    BUCKET_ID_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    time: _timestamp_pb2.Timestamp
    actor: str
    client_address: str
    action: str
    token_id: str
    request_id: str
    details: str
    bucket_id: str
    def __init__(self, event_id: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., actor: _Optional[str] = ..., client_address: _Optional[str] = ..., action: _Optional[str] = ..., token_id: _Optional[str] = ..., request_id: _Optional[str] = ..., details: _Optional[str] = ..., bucket_id: _Optional[str] = ...) -> None: ...

class DescribeClientAddressRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeClientAddressResponse(_message.Message):
    __slots__ = ("client_address", "source", "peer_address", "peer_trusted", "header", "header_values", "explanation")
    CLIENT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PEER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PEER_TRUSTED_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    HEADER_VALUES_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    client_address: str
    source: AddressSource
    peer_address: str
    peer_trusted: bool
    header: str
    header_values: _containers.RepeatedScalarFieldContainer[str]
    explanation: str
    def __init__(self, client_address: _Optional[str] = ..., source: _Optional[_Union[AddressSource, str]] = ..., peer_address: _Optional[str] = ..., peer_trusted: bool = ..., header: _Optional[str] = ..., header_values: _Optional[_Iterable[str]] = ..., explanation: _Optional[str] = ...) -> None: ...

class DescribeCallerRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeCallerResponse(_message.Message):
    __slots__ = ("access_key_id", "kind", "account_id", "bucket", "permission", "name", "expire_time")
    ACCESS_KEY_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    access_key_id: str
    kind: CallerKind
    account_id: str
    bucket: str
    permission: Permission
    name: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, access_key_id: _Optional[str] = ..., kind: _Optional[_Union[CallerKind, str]] = ..., account_id: _Optional[str] = ..., bucket: _Optional[str] = ..., permission: _Optional[_Union[Permission, str]] = ..., name: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateSessionRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CreateSessionResponse(_message.Message):
    __slots__ = ("session_token", "expire_time")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, session_token: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateChallengeRequest(_message.Message):
    __slots__ = ("access_key_id", "client_nonce")
    ACCESS_KEY_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_NONCE_FIELD_NUMBER: _ClassVar[int]
    access_key_id: str
    client_nonce: bytes
    def __init__(self, access_key_id: _Optional[str] = ..., client_nonce: _Optional[bytes] = ...) -> None: ...

class CreateChallengeResponse(_message.Message):
    __slots__ = ("server_nonce",)
    SERVER_NONCE_FIELD_NUMBER: _ClassVar[int]
    server_nonce: bytes
    def __init__(self, server_nonce: _Optional[bytes] = ...) -> None: ...

class AnswerChallengeRequest(_message.Message):
    __slots__ = ("access_key_id", "client_nonce", "server_nonce", "endpoint", "purpose", "signature")
    ACCESS_KEY_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_NONCE_FIELD_NUMBER: _ClassVar[int]
    SERVER_NONCE_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    access_key_id: str
    client_nonce: bytes
    server_nonce: bytes
    endpoint: str
    purpose: SessionPurpose
    signature: bytes
    def __init__(self, access_key_id: _Optional[str] = ..., client_nonce: _Optional[bytes] = ..., server_nonce: _Optional[bytes] = ..., endpoint: _Optional[str] = ..., purpose: _Optional[_Union[SessionPurpose, str]] = ..., signature: _Optional[bytes] = ...) -> None: ...

class AnswerChallengeResponse(_message.Message):
    __slots__ = ("session_token", "expire_time", "lifetime_seconds", "server_proof")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    LIFETIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SERVER_PROOF_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    expire_time: _timestamp_pb2.Timestamp
    lifetime_seconds: int
    server_proof: bytes
    def __init__(self, session_token: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lifetime_seconds: _Optional[int] = ..., server_proof: _Optional[bytes] = ...) -> None: ...
