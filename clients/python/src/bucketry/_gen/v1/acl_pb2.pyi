from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AclGranteeType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACL_GRANTEE_TYPE_UNSPECIFIED: _ClassVar[AclGranteeType]
    ACL_GRANTEE_TYPE_CANONICAL_USER: _ClassVar[AclGranteeType]
    ACL_GRANTEE_TYPE_CUSTOMER_BY_EMAIL: _ClassVar[AclGranteeType]
    ACL_GRANTEE_TYPE_GROUP: _ClassVar[AclGranteeType]

class AclPermission(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACL_PERMISSION_UNSPECIFIED: _ClassVar[AclPermission]
    ACL_PERMISSION_FULL_CONTROL: _ClassVar[AclPermission]
    ACL_PERMISSION_WRITE: _ClassVar[AclPermission]
    ACL_PERMISSION_WRITE_ACP: _ClassVar[AclPermission]
    ACL_PERMISSION_READ: _ClassVar[AclPermission]
    ACL_PERMISSION_READ_ACP: _ClassVar[AclPermission]

class CannedAcl(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CANNED_ACL_UNSPECIFIED: _ClassVar[CannedAcl]
    CANNED_ACL_PRIVATE: _ClassVar[CannedAcl]
    CANNED_ACL_PUBLIC_READ: _ClassVar[CannedAcl]
    CANNED_ACL_PUBLIC_READ_WRITE: _ClassVar[CannedAcl]
    CANNED_ACL_AUTHENTICATED_READ: _ClassVar[CannedAcl]
    CANNED_ACL_AWS_EXEC_READ: _ClassVar[CannedAcl]
    CANNED_ACL_BUCKET_OWNER_READ: _ClassVar[CannedAcl]
    CANNED_ACL_BUCKET_OWNER_FULL_CONTROL: _ClassVar[CannedAcl]
    CANNED_ACL_LOG_DELIVERY_WRITE: _ClassVar[CannedAcl]
ACL_GRANTEE_TYPE_UNSPECIFIED: AclGranteeType
ACL_GRANTEE_TYPE_CANONICAL_USER: AclGranteeType
ACL_GRANTEE_TYPE_CUSTOMER_BY_EMAIL: AclGranteeType
ACL_GRANTEE_TYPE_GROUP: AclGranteeType
ACL_PERMISSION_UNSPECIFIED: AclPermission
ACL_PERMISSION_FULL_CONTROL: AclPermission
ACL_PERMISSION_WRITE: AclPermission
ACL_PERMISSION_WRITE_ACP: AclPermission
ACL_PERMISSION_READ: AclPermission
ACL_PERMISSION_READ_ACP: AclPermission
CANNED_ACL_UNSPECIFIED: CannedAcl
CANNED_ACL_PRIVATE: CannedAcl
CANNED_ACL_PUBLIC_READ: CannedAcl
CANNED_ACL_PUBLIC_READ_WRITE: CannedAcl
CANNED_ACL_AUTHENTICATED_READ: CannedAcl
CANNED_ACL_AWS_EXEC_READ: CannedAcl
CANNED_ACL_BUCKET_OWNER_READ: CannedAcl
CANNED_ACL_BUCKET_OWNER_FULL_CONTROL: CannedAcl
CANNED_ACL_LOG_DELIVERY_WRITE: CannedAcl

class AccessControlPolicy(_message.Message):
    __slots__ = ("owner", "grants")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    owner: AclOwner
    grants: _containers.RepeatedCompositeFieldContainer[AclGrant]
    def __init__(self, owner: _Optional[_Union[AclOwner, _Mapping]] = ..., grants: _Optional[_Iterable[_Union[AclGrant, _Mapping]]] = ...) -> None: ...

class AclOwner(_message.Message):
    __slots__ = ("id", "display_name")
    ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    id: str
    display_name: str
    def __init__(self, id: _Optional[str] = ..., display_name: _Optional[str] = ...) -> None: ...

class AclGrant(_message.Message):
    __slots__ = ("grantee", "permission")
    GRANTEE_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    grantee: AclGrantee
    permission: AclPermission
    def __init__(self, grantee: _Optional[_Union[AclGrantee, _Mapping]] = ..., permission: _Optional[_Union[AclPermission, str]] = ...) -> None: ...

class AclGrantee(_message.Message):
    __slots__ = ("type", "id", "display_name", "email_address", "uri")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    EMAIL_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    type: AclGranteeType
    id: str
    display_name: str
    email_address: str
    uri: str
    def __init__(self, type: _Optional[_Union[AclGranteeType, str]] = ..., id: _Optional[str] = ..., display_name: _Optional[str] = ..., email_address: _Optional[str] = ..., uri: _Optional[str] = ...) -> None: ...

class AclUpdate(_message.Message):
    __slots__ = ("canned", "grant_full_control", "grant_read", "grant_read_acp", "grant_write", "grant_write_acp", "policy")
    CANNED_FIELD_NUMBER: _ClassVar[int]
    GRANT_FULL_CONTROL_FIELD_NUMBER: _ClassVar[int]
    GRANT_READ_FIELD_NUMBER: _ClassVar[int]
    GRANT_READ_ACP_FIELD_NUMBER: _ClassVar[int]
    GRANT_WRITE_FIELD_NUMBER: _ClassVar[int]
    GRANT_WRITE_ACP_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    canned: CannedAcl
    grant_full_control: str
    grant_read: str
    grant_read_acp: str
    grant_write: str
    grant_write_acp: str
    policy: AccessControlPolicy
    def __init__(self, canned: _Optional[_Union[CannedAcl, str]] = ..., grant_full_control: _Optional[str] = ..., grant_read: _Optional[str] = ..., grant_read_acp: _Optional[str] = ..., grant_write: _Optional[str] = ..., grant_write_acp: _Optional[str] = ..., policy: _Optional[_Union[AccessControlPolicy, _Mapping]] = ...) -> None: ...
