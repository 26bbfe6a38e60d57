"""Client for the bucketry object store.

    from bucketry import Client

    with Client("http://127.0.0.1:9000", access_key_id, secret_access_key) as store:
        store.put_object("my-bucket", "greeting.txt", b"hello")
        print(store.get_object("my-bucket", "greeting.txt").read())

`bucketry.v1` holds the messages of the contract.
"""

from bucketry.client import Client, Download, Permission
from bucketry.errors import (
    AccessDenied,
    BucketryError,
    Conflict,
    Corrupt,
    InvalidArgument,
    InvalidCredentials,
    NotFound,
    PreconditionFailed,
    Unavailable,
)

__all__ = [
    "AccessDenied",
    "BucketryError",
    "Client",
    "Conflict",
    "Corrupt",
    "Download",
    "InvalidArgument",
    "InvalidCredentials",
    "NotFound",
    "Permission",
    "PreconditionFailed",
    "Unavailable",
]
