"""The client: buckets, tokens and objects of one server, with one key."""

from __future__ import annotations

import enum
import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from bucketry import v1
from bucketry._gen.v1.admin_service_pb2_grpc import AdminServiceStub
from bucketry._gen.v1.object_service_pb2_grpc import ObjectServiceStub
from bucketry._gen.v1.token_service_pb2_grpc import TokenServiceStub
from bucketry.errors import Corrupt, from_rpc_error

#: Small enough for processor caches, and under the contract's limit of 2 MiB.
CHUNK_BYTES = 1024 * 1024
#: Room for a chunk of 2 MiB and its frame.
MAX_MESSAGE_BYTES = 4 * 1024 * 1024

Content = bytes | bytearray | memoryview | BinaryIO | Iterable[bytes]
_Answer = TypeVar("_Answer")


class Permission(enum.IntEnum):
    """What a token may do in its bucket."""

    READ_ONLY = v1.PERMISSION_READ_ONLY
    WRITE_ONLY = v1.PERMISSION_WRITE_ONLY
    READ_WRITE = v1.PERMISSION_READ_WRITE


class Client:
    """Calls one server with one key. Safe to share between threads; a context manager.

    `endpoint` is `http://host:port` or `https://host:port`; over `http` the server accepts credentials from its
    own machine only, by default. `timeout` is in seconds and bounds each call but streams of content.
    Every method raises a `BucketryError`.
    """

    def __init__(
        self,
        endpoint: str,
        access_key_id: str,
        secret_access_key: str,
        *,
        timeout: float = 60.0,
        root_certificates: bytes | None = None,
    ) -> None:
        self._channel = _channel(endpoint, root_certificates)
        self._metadata = (("authorization", f"Bearer {access_key_id}.{secret_access_key}"),)
        self._timeout = timeout
        self._objects = ObjectServiceStub(self._channel)
        self._tokens = TokenServiceStub(self._channel)
        self._admin = AdminServiceStub(self._channel)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def create_bucket(self, bucket: str) -> v1.Bucket:
        """Creates a bucket; repeated by its owner it changes nothing."""
        return self._call(self._objects.CreateBucket, v1.CreateBucketRequest(bucket=bucket)).bucket

    def delete_bucket(self, bucket: str) -> None:
        """Deletes an empty bucket."""
        self._call(self._objects.DeleteBucket, v1.DeleteBucketRequest(bucket=bucket))

    def list_buckets(self, prefix: str = "") -> Iterator[v1.Bucket]:
        """The caller's buckets by name; a token sees its one."""
        token = ""
        while True:
            request = v1.ListBucketsRequest(prefix=prefix, page_token=token)
            page = self._call(self._objects.ListBuckets, request)
            yield from page.buckets
            token = page.next_page_token
            if not token:
                return

    def create_account(self, display_name: str) -> v1.CreateAccountResponse:
        """Creates an account with its first administrator key. For operators."""
        return self._call(self._admin.CreateAccount, v1.CreateAccountRequest(display_name=display_name))

    def create_account_key(self, name: str, account_id: str = "") -> v1.CreateAccountKeyResponse:
        """Creates another administrator key of an account: of the caller's own, or, for operators, of the one named."""
        request = v1.CreateAccountKeyRequest(account_id=account_id, name=name)
        return self._call(self._admin.CreateAccountKey, request)

    def list_admin_keys(self, account_id: str = "") -> Iterator[v1.AdminKey]:
        """The keys that the caller administers, oldest first, revoked ones included; or those of the account named."""
        page_token = ""
        while True:
            request = v1.ListAdminKeysRequest(account_id=account_id, page_token=page_token)
            page = self._call(self._admin.ListAdminKeys, request)
            yield from page.keys
            page_token = page.next_page_token
            if not page_token:
                return

    def revoke_admin_key(self, key_id: str) -> v1.AdminKey:
        """Revokes a key permanently, by its id or access key id; an account keeps its last usable administrator key."""
        return self._call(self._admin.RevokeAdminKey, v1.RevokeAdminKeyRequest(key_id=key_id)).key

    def create_token(
        self,
        bucket: str,
        name: str,
        permission: Permission,
        *,
        allowed_ips: Sequence[str] = (),
        disallowed_ips: Sequence[str] = (),
        expires_at: datetime | None = None,
        limits: v1.TokenLimits | None = None,
    ) -> v1.CreateTokenResponse:
        """Creates a token of a bucket; `credentials` in the answer are for its user, `warnings` for the caller."""
        return self._call(
            self._tokens.CreateToken,
            v1.CreateTokenRequest(
                bucket=bucket,
                name=name,
                permission=v1.Permission.Name(int(permission)),
                allowed_ips=allowed_ips,
                disallowed_ips=disallowed_ips,
                expire_time=_timestamp(expires_at),
                limits=limits,
            ),
        )

    def list_tokens(self, bucket: str) -> Iterator[v1.Token]:
        """The tokens of a bucket, oldest first, revoked ones included."""
        page_token = ""
        while True:
            request = v1.ListTokensRequest(bucket=bucket, page_token=page_token)
            page = self._call(self._tokens.ListTokens, request)
            yield from page.tokens
            page_token = page.next_page_token
            if not page_token:
                return

    def get_token(self, bucket: str, token_id: str) -> v1.Token:
        """A token without its secret. Here and below `token_id` may be its access key id, and `bucket` may be empty."""
        return self._call(self._tokens.GetToken, v1.GetTokenRequest(bucket=bucket, token_id=token_id)).token

    def update_token(self, token: v1.Token, *fields: str) -> v1.UpdateTokenResponse:
        """Edits the `fields` (`name`, `allowed_ips`, `disallowed_ips`, `expire_time`, `limits`) as they are in `token`;
        refused by `Conflict` if another edit came since it was read."""
        mask = FieldMask(paths=fields)
        return self._call(self._tokens.UpdateToken, v1.UpdateTokenRequest(token=token, update_mask=mask))

    def clone_token(self, bucket: str, token_id: str, name: str = "") -> v1.CloneTokenResponse:
        """Creates a token with the same settings and a new key: the way to rotate."""
        request = v1.CloneTokenRequest(bucket=bucket, token_id=token_id, name=name)
        return self._call(self._tokens.CloneToken, request)

    def suspend_token(self, bucket: str, token_id: str) -> v1.Token:
        """Suspends a token until it is resumed."""
        request = v1.SuspendTokenRequest(bucket=bucket, token_id=token_id)
        return self._call(self._tokens.SuspendToken, request).token

    def resume_token(self, bucket: str, token_id: str) -> v1.Token:
        """Resumes a suspended token."""
        request = v1.ResumeTokenRequest(bucket=bucket, token_id=token_id)
        return self._call(self._tokens.ResumeToken, request).token

    def token_usage(
        self, bucket: str, token_id: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> v1.GetTokenUsageResponse:
        """What a token has done, by hour; of the last 7 days by default."""
        request = v1.GetTokenUsageRequest(
            bucket=bucket, token_id=token_id, start_time=_timestamp(start), end_time=_timestamp(end)
        )
        return self._call(self._tokens.GetTokenUsage, request)

    def token_denials(self, bucket: str, token_id: str) -> list[v1.TokenDenial]:
        """The latest refused requests of a token, newest first."""
        request = v1.ListTokenDenialsRequest(bucket=bucket, token_id=token_id)
        return list(self._call(self._tokens.ListTokenDenials, request).denials)

    def purge_token(self, bucket: str, token_id: str) -> None:
        """Deletes the record of a token that can no longer be used, with its usage."""
        self._call(self._tokens.PurgeToken, v1.PurgeTokenRequest(bucket=bucket, token_id=token_id))

    def revoke_token(self, bucket: str, token_id: str) -> v1.Token:
        """Revokes a token permanently."""
        return self._call(
            self._tokens.RevokeToken, v1.RevokeTokenRequest(bucket=bucket, token_id=token_id)
        ).token

    def put_object(
        self,
        bucket: str,
        key: str,
        content: Content,
        *,
        content_type: str = "",
        metadata: Mapping[str, str] | None = None,
        precondition: v1.Precondition | None = None,
    ) -> v1.Object:
        """Writes an object from bytes, a binary file or chunks of any size. It becomes visible when the server has
        received all of it and verified its SHA-256."""
        attributes = v1.ObjectAttributes(content_type=content_type, metadata=metadata or {})
        spec = v1.PutObjectSpec(
            bucket=bucket,
            key=key,
            attributes=attributes,
            precondition=precondition,
            checksum_algorithm=v1.CHECKSUM_ALGORITHM_SHA256,
        )
        messages = _put_messages(spec, content)
        return self._stream(self._objects.PutObject, messages).object

    def get_object(
        self,
        bucket: str,
        key: str,
        *,
        start: int = 0,
        end: int | None = None,
        precondition: v1.Precondition | None = None,
    ) -> Download:
        """Begins to read an object, or its bytes from `start` (negative: that many at the end) to `end`, inclusive."""
        request = v1.GetObjectRequest(bucket=bucket, key=key, precondition=precondition)
        if start != 0 or end is not None:
            request.range.start = start
            if end is not None:
                request.range.end = end
        return Download(self._objects.GetObject(request, metadata=self._metadata))

    def head_object(self, bucket: str, key: str) -> v1.Object:
        """An object without its content."""
        request = v1.HeadObjectRequest(object=v1.GetObjectRequest(bucket=bucket, key=key))
        return self._call(self._objects.HeadObject, request).header.object

    def copy_object(self, bucket: str, key: str, source_bucket: str, source_key: str) -> v1.Object:
        """Copies an object on the server, with its attributes."""
        source = v1.CopySource(bucket=source_bucket, key=source_key)
        request = v1.CopyObjectRequest(bucket=bucket, key=key, source=source)
        return self._stream(self._objects.CopyObject, request).object

    def delete_object(
        self, bucket: str, key: str, *, precondition: v1.Precondition | None = None
    ) -> None:
        """Deletes an object. A missing one is a `NotFound`."""
        self._call(
            self._objects.DeleteObject,
            v1.DeleteObjectRequest(bucket=bucket, key=key, precondition=precondition),
        )

    def create_presigned_urls(self, bucket: str, urls: Iterable[v1.PresignedUrlSpec]) -> list[v1.PresignedUrl]:
        """URLs by which others may read or write objects of the bucket without a key, in the order of `urls`; at most
        1,000. A request must have the `headers` of its URL."""
        request = v1.CreatePresignedUrlsRequest(bucket=bucket, urls=urls)
        return list(self._call(self._objects.CreatePresignedUrls, request).urls)

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[v1.Object]:
        """The objects whose keys begin with `prefix`, in byte order; pages are fetched as they are needed."""
        for page in self._pages(v1.ListObjectsRequest(bucket=bucket, prefix=prefix)):
            yield from page.objects

    def search_objects(
        self,
        bucket: str,
        contains: str = "",
        *,
        prefix: str = "",
        ignore_case: bool = False,
        order_by: v1.ObjectOrder = v1.OBJECT_ORDER_KEY,
        descending: bool = False,
        page_size: int | None = None,
    ) -> Iterator[v1.SearchObjectsResponse]:
        """Pages of the objects whose keys begin with `prefix` and contain `contains`, in the order given.

        Each page says how much the server looked at (`coverage`); in key order a page may be empty although others follow.
        """
        request = v1.SearchObjectsRequest(bucket=bucket, prefix=prefix, contains=contains, ignore_case=ignore_case)
        request.order_by, request.descending = order_by, descending
        if page_size is not None:
            request.page_size = page_size
        while True:
            page = self._call(self._objects.SearchObjects, request)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def list_folder(self, bucket: str, prefix: str = "", delimiter: str = "/") -> tuple[list[str], list[v1.Object]]:
        """What lies directly below `prefix`: the rolled-up prefixes and the objects."""
        folders: list[str] = []
        objects: list[v1.Object] = []
        for page in self._pages(v1.ListObjectsRequest(bucket=bucket, prefix=prefix, delimiter=delimiter)):
            folders.extend(page.common_prefixes)
            objects.extend(page.objects)
        return folders, objects

    def _pages(self, request: v1.ListObjectsRequest) -> Iterator[v1.ListObjectsResponse]:
        while True:
            page = self._call(self._objects.ListObjects, request)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def _call(self, method: Callable[..., _Answer], request: Any) -> _Answer:
        return self._bounded(method, request, self._timeout)

    def _stream(self, method: Callable[..., _Answer], request: Any) -> _Answer:
        """A call that lasts as long as its content does."""
        return self._bounded(method, request, None)

    def _bounded(self, method: Callable[..., _Answer], request: Any, timeout: float | None) -> _Answer:
        try:
            return method(request, metadata=self._metadata, timeout=timeout)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from error


class Download:
    """An object being read: iterate over its chunks, or `read` all of it. Used up once read.

    Where the whole object is read and the store has a checksum of it that is known here, the content is verified; a
    difference raises `Corrupt` at the end.
    """

    def __init__(self, answers: Any) -> None:
        self._answers = answers
        header = self._next()
        if header is None or not header.HasField("header"):
            raise Corrupt("", "the answer does not begin with a header", grpc.StatusCode.INTERNAL, {})
        #: What is being read.
        self.object: v1.Object = header.header.object
        #: Bytes that follow.
        self.content_length: int = header.header.content_length
        self._digest = None if header.header.HasField("content_range") else _Digest.of(self.object)

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        while (message := self._next()) is not None:
            data = message.chunk.data
            received += len(data)
            if self._digest is not None:
                self._digest.update(data)
            yield data
        if received != self.content_length:
            raise Corrupt("", "the content is shorter or longer than announced", grpc.StatusCode.DATA_LOSS, {})
        if self._digest is not None:
            self._digest.verify()

    def __enter__(self) -> Download:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self) -> bytes:
        """All of the content."""
        return b"".join(self)

    def close(self) -> None:
        """Cancels what has not been read."""
        self._answers.cancel()

    def _next(self) -> v1.GetObjectResponse | None:
        try:
            return next(self._answers, None)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from error


class _Digest:
    """Computes the checksum that the store has of an object."""

    def __init__(self, wanted: bytes, update: Callable[[bytes], None], value: Callable[[], bytes]) -> None:
        self._wanted = wanted
        self.update = update
        self._value = value

    @classmethod
    def of(cls, stored: v1.Object) -> _Digest | None:
        """Nothing, if the store's checksum is of a kind that Python cannot compute by itself."""
        checksum = stored.checksum
        if checksum.type == v1.CHECKSUM_TYPE_COMPOSITE:
            return None
        if checksum.algorithm == v1.CHECKSUM_ALGORITHM_SHA256:
            digest = hashlib.sha256()
        elif checksum.algorithm == v1.CHECKSUM_ALGORITHM_SHA1:
            digest = hashlib.sha1(usedforsecurity=False)
        elif checksum.algorithm == v1.CHECKSUM_ALGORITHM_SHA512:
            digest = hashlib.sha512()
        elif checksum.algorithm == v1.CHECKSUM_ALGORITHM_MD5:
            digest = hashlib.md5(usedforsecurity=False)
        elif checksum.algorithm == v1.CHECKSUM_ALGORITHM_CRC32:
            return cls._crc32(checksum.value)
        else:
            return None
        return cls(checksum.value, digest.update, digest.digest)

    @classmethod
    def _crc32(cls, wanted: bytes) -> _Digest:
        state = 0

        def update(data: bytes) -> None:
            nonlocal state
            state = zlib.crc32(data, state)

        return cls(wanted, update, lambda: state.to_bytes(4, "big"))

    def verify(self) -> None:
        if self._value() != self._wanted:
            raise Corrupt("", "the content does not have its checksum", grpc.StatusCode.DATA_LOSS, {})


def _channel(endpoint: str, root_certificates: bytes | None) -> grpc.Channel:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not an endpoint such as https://host:port: {endpoint!r}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    target = f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    options = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.primary_user_agent", "bucketry-python/0.1.0"),
    ]
    if parts.scheme == "http":
        return grpc.insecure_channel(target, options=options)
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(root_certificates), options=options)


def _put_messages(spec: v1.PutObjectSpec, content: Content) -> Iterator[v1.PutObjectRequest]:
    yield v1.PutObjectRequest(spec=spec)
    digest = hashlib.sha256()
    offset = 0
    for data in _chunks(content):
        digest.update(data)
        yield v1.PutObjectRequest(chunk=v1.ObjectChunk(offset=offset, data=data))
        offset += len(data)
    checksum = v1.Checksum(
        algorithm=v1.CHECKSUM_ALGORITHM_SHA256, value=digest.digest(), type=v1.CHECKSUM_TYPE_FULL_OBJECT
    )
    yield v1.PutObjectRequest(digests=v1.ContentDigests(checksum=checksum))


def _chunks(content: Content) -> Iterator[bytes]:
    """Pieces that a message may carry."""
    if isinstance(content, (bytes, bytearray, memoryview)):
        whole: Iterable[bytes] = (bytes(content),)
    elif hasattr(content, "read"):
        whole = iter(lambda: content.read(CHUNK_BYTES), b"")
    else:
        whole = content
    for piece in whole:
        view = memoryview(piece)
        for at in range(0, len(view), CHUNK_BYTES):
            yield bytes(view[at : at + CHUNK_BYTES])


def _timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    if time.tzinfo is None:
        raise ValueError("a time without a time zone")
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp

