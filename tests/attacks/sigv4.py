"""Signature version 4 for S3, in a header and in a URL."""

import hashlib
import hmac
import urllib.parse
from datetime import datetime, timezone

REGION = "us-east-1"
UNSIGNED = "UNSIGNED-PAYLOAD"


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _signature(secret: str, stamp: str, scope: str, canonical: str) -> str:
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return _hmac(key, text).hex()


def _times() -> tuple[str, str]:
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    return stamp, f"{stamp[:8]}/{REGION}/s3/aws4_request"


def headers(key: tuple[str, str], method: str, host: str, path: str) -> dict[str, str]:
    """The headers of a signed request whose body is left out of the signature."""
    stamp, scope = _times()
    signed = {"host": host, "x-amz-content-sha256": UNSIGNED, "x-amz-date": stamp}
    names = ";".join(signed)
    lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
    canonical = "\n".join([method, path, "", lines, names, UNSIGNED])
    signature = _signature(key[1], stamp, scope, canonical)
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key[0]}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return signed


def presigned(key: tuple[str, str], method: str, host: str, path: str) -> str:
    """The target of a presigned request that is valid for an hour."""
    stamp, scope = _times()
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{key[0]}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": "3600",
        "X-Amz-SignedHeaders": "host",
    }
    text = urllib.parse.urlencode(sorted(query.items()), quote_via=urllib.parse.quote, safe="-_.~")
    canonical = "\n".join([method, path, text, f"host:{host}\n", "host", UNSIGNED])
    return f"{path}?{text}&X-Amz-Signature={_signature(key[1], stamp, scope, canonical)}"
