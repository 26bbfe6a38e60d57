"""Errors by kind; `reason` is the exact one, a name of `ErrorReason` without its prefix."""

from __future__ import annotations

from collections.abc import Mapping

import grpc
from google.rpc import error_details_pb2, status_pb2

ERROR_DOMAIN = "bucketry"
_DETAILS = "grpc-status-details-bin"


class BucketryError(Exception):
    """A call that the server refused or that did not reach it."""

    def __init__(self, reason: str, message: str, code: grpc.StatusCode, metadata: Mapping[str, str]) -> None:
        super().__init__(f"{reason}: {message}" if reason else f"{code.name}: {message}")
        #: Why, as in `NO_SUCH_KEY`; empty if the refusal is not the server's own.
        self.reason = reason
        #: For people.
        self.message = message
        #: The status of the call.
        self.code = code
        #: What the reason is about.
        self.metadata = dict(metadata)


class NotFound(BucketryError):
    """No such bucket, object, upload or token."""


class AccessDenied(BucketryError):
    """The key may not do this here."""


class InvalidCredentials(BucketryError):
    """No such key, or a wrong secret, or a key that is suspended, expired or revoked."""


class InvalidArgument(BucketryError):
    """The request is not valid."""


class PreconditionFailed(BucketryError):
    """A condition of the request does not hold."""


class Conflict(BucketryError):
    """The request conflicts with the current state, such as an existing name."""


class Unavailable(BucketryError):
    """The server is out of reach or asks to be called later."""


class Corrupt(BucketryError):
    """What was received is not what was stored."""


_BY_CODE: dict[grpc.StatusCode, type[BucketryError]] = {
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.PERMISSION_DENIED: AccessDenied,
    grpc.StatusCode.UNAUTHENTICATED: InvalidCredentials,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.OUT_OF_RANGE: InvalidArgument,
    grpc.StatusCode.FAILED_PRECONDITION: PreconditionFailed,
    grpc.StatusCode.ALREADY_EXISTS: Conflict,
    grpc.StatusCode.ABORTED: Conflict,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Unavailable,
}


def from_rpc_error(error: grpc.RpcError) -> BucketryError:
    """The typed error of a failed call."""
    code = error.code()
    info = _error_info(error)
    kind = _BY_CODE.get(code, BucketryError)
    return kind(info.reason, error.details() or "", code, info.metadata)


def _error_info(error: grpc.RpcError) -> error_details_pb2.ErrorInfo:
    info = error_details_pb2.ErrorInfo()
    for key, value in error.trailing_metadata() or ():
        if key != _DETAILS:
            continue
        for detail in status_pb2.Status.FromString(value).details:
            if detail.Is(info.DESCRIPTOR):
                detail.Unpack(info)
                if info.domain == ERROR_DOMAIN:
                    return info
    return error_details_pb2.ErrorInfo()
