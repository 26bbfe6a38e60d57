"""The Python SDK against a real server: BUCKETRY_ENDPOINT, BUCKETRY_ACCESS_KEY_ID and BUCKETRY_SECRET_ACCESS_KEY."""

import io
import os
import sys
from datetime import datetime, timezone
from pathlib import Path
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from bucketry import (  # noqa: E402
    AccessDenied,
    BucketryError,
    Client,
    Conflict,
    InvalidArgument,
    InvalidCredentials,
    NotFound,
    Permission,
    PreconditionFailed,
    v1,
)

ENDPOINT = os.environ["BUCKETRY_ENDPOINT"]
BUCKET = "python-sdk"


def equal(got: object, wanted: object) -> None:
    if got != wanted:
        sys.exit(f"python sdk: got {got!r}, wanted {wanted!r}")


def refused(kind: type[BucketryError], reason: str, call, *arguments, **options) -> None:
    try:
        call(*arguments, **options)
    except kind as error:
        equal(error.reason, reason)
        return
    sys.exit(f"python sdk: was not refused by {reason}")


def objects(store: Client) -> None:
    body = bytes(range(256)) * 20_000
    made = store.put_object(BUCKET, "a/ü.bin", io.BytesIO(body), content_type="x/y", metadata={"m": "v"})
    equal(made.size, len(body))
    download = store.get_object(BUCKET, "a/ü.bin")
    equal((download.object.etag, download.content_length), (made.etag, len(body)))
    equal(download.read() == body, True)
    equal(store.get_object(BUCKET, "a/ü.bin", start=5, end=9).read(), body[5:10])
    equal(store.get_object(BUCKET, "a/ü.bin", start=-3).read(), body[-3:])
    head = store.head_object(BUCKET, "a/ü.bin")
    equal((head.attributes.content_type, dict(head.attributes.metadata)), ("x/y", {"m": "v"}))

    store.put_object(BUCKET, "chunks", (b"x" * 1_500_000 for _ in range(3)))
    equal(len(store.get_object(BUCKET, "chunks").read()), 4_500_000)
    store.put_object(BUCKET, "empty", b"")
    equal(store.get_object(BUCKET, "empty").read(), b"")

    store.copy_object(BUCKET, "copy", BUCKET, "a/ü.bin")
    equal(store.head_object(BUCKET, "copy").etag, made.etag)
    equal([entry.key for entry in store.list_objects(BUCKET)], ["a/ü.bin", "chunks", "copy", "empty"])
    folders, found = store.list_folder(BUCKET)
    equal((folders, [entry.key for entry in found]), (["a/"], ["chunks", "copy", "empty"]))

    presigned(store)
    searches(store)
    absent = v1.Precondition(if_generation_match=0)
    refused(PreconditionFailed, "PRECONDITION_FAILED", store.put_object, BUCKET, "copy", b"", precondition=absent)
    store.delete_object(BUCKET, "copy")
    refused(NotFound, "NO_SUCH_KEY", store.delete_object, BUCKET, "copy")
    refused(NotFound, "NO_SUCH_KEY", store.get_object, BUCKET, "copy")


def presigned(store: Client) -> None:
    put = v1.PresignedUrlSpec(method=v1.PRESIGNED_METHOD_PUT, key="by url", content_type="x/y", content_length=5)
    get = v1.PresignedUrlSpec(method=v1.PRESIGNED_METHOD_GET, key="by url")
    written, read = store.create_presigned_urls(BUCKET, [put, get])
    request = Request(written.url, b"hello", dict(written.headers), method="PUT")
    equal(urlopen(request).status, 200)
    answer = urlopen(read.url)
    equal((answer.read(), answer.headers["content-type"]), (b"hello", "x/y"))
    store.delete_object(BUCKET, "by url")
    nothing = v1.PresignedUrlSpec(key="k")
    refused(InvalidArgument, "INVALID_ARGUMENT", store.create_presigned_urls, BUCKET, [get, nothing])


def searches(store: Client) -> None:
    [page] = store.search_objects(BUCKET, "U", ignore_case=True)
    equal([entry.key for entry in page.objects], ["chunks"])
    equal((page.scanned_count, page.coverage), (4, v1.SEARCH_COVERAGE_COMPLETE))
    by_size = store.search_objects(BUCKET, order_by=v1.OBJECT_ORDER_SIZE, descending=True, page_size=3)
    sizes = [[entry.size for entry in page.objects] for page in by_size]
    equal(([len(page) for page in sizes], sum(sizes, [])), ([3, 1], sorted(sum(sizes, []), reverse=True)))
    refused(InvalidArgument, "INVALID_ARGUMENT", next, store.search_objects(BUCKET, "x" * 1025))


def tokens(operator: Client) -> None:
    far = datetime(2100, 1, 1, tzinfo=timezone.utc)
    made = operator.create_token(BUCKET, "reader", Permission.READ_ONLY, expires_at=far, allowed_ips=["127.0.0.1", "::1"])
    key = made.credentials
    with Client(ENDPOINT, key.access_key_id, key.secret_access_key) as reader:
        equal(reader.get_object(BUCKET, "empty").read(), b"")
        equal([bucket.name for bucket in reader.list_buckets()], [BUCKET])
        refused(AccessDenied, "ACCESS_DENIED", reader.put_object, BUCKET, "k", b"")
        token_edits(operator, reader, made.token)
        operator.revoke_token(BUCKET, made.token.token_id)
        refused(InvalidCredentials, "INVALID_ACCESS_KEY_ID", reader.get_object, BUCKET, "empty")
    equal([token.state for token in operator.list_tokens(BUCKET)], [v1.TOKEN_STATE_REVOKED])
    operator.purge_token(BUCKET, made.token.token_id)
    equal(list(operator.list_tokens(BUCKET)), [])


def token_edits(operator: Client, reader: Client, token: v1.Token) -> None:
    operator.suspend_token(BUCKET, token.access_key_id)
    refused(InvalidCredentials, "INVALID_ACCESS_KEY_ID", reader.get_object, BUCKET, "empty")
    operator.resume_token(BUCKET, token.access_key_id)
    refused(Conflict, "VERSION_CONFLICT", operator.update_token, token, "name")
    current = operator.get_token("", token.token_id)
    current.name = "edited"
    current.limits.requests_per_second = 500
    edited = operator.update_token(current, "name", "limits").token
    equal((edited.name, edited.limits.requests_per_second), ("edited", 500))
    clone = operator.clone_token(BUCKET, token.token_id)
    equal((clone.token.name, clone.token.limits), ("edited", edited.limits))
    operator.revoke_token("", clone.token.token_id)
    operator.purge_token("", clone.token.token_id)
    usage = operator.token_usage(BUCKET, token.token_id)
    equal(sum(count.requests for count in usage.total.counts), operator.get_token(BUCKET, token.token_id).request_count)
    reasons = {denial.reason for denial in operator.token_denials(BUCKET, token.token_id)}
    equal(reasons, {v1.DECISION_REASON_PERMISSION, v1.DECISION_REASON_SUSPENDED})


def account_keys(operator: Client) -> None:
    made = operator.create_account("python team")
    account, first = made.account.account_id, made.access_key_id
    with Client(ENDPOINT, first, made.secret_access_key) as administrator:
        refused(PreconditionFailed, "LAST_ADMIN_KEY", administrator.revoke_admin_key, first)
        second = administrator.create_account_key("laptop").key
        equal((second.account_id, second.created_by), (account, first))
        refused(AccessDenied, "ACCESS_DENIED", administrator.create_account_key, "n", "1")
        equal([key.name for key in administrator.list_admin_keys()], ["administrator", "laptop"])
        equal(administrator.revoke_admin_key(first).state, v1.TOKEN_STATE_REVOKED)
        refused(InvalidCredentials, "INVALID_ACCESS_KEY_ID", administrator.create_account_key, "n")
    third = operator.create_account_key("spare", account).key
    operator.revoke_admin_key(second.key_id)
    usable = [key.key_id for key in operator.list_admin_keys(account) if not key.HasField("revoke_time")]
    equal(usable, [third.key_id])


def main() -> None:
    with Client(ENDPOINT, os.environ["BUCKETRY_ACCESS_KEY_ID"], os.environ["BUCKETRY_SECRET_ACCESS_KEY"]) as operator:
        operator.create_bucket(BUCKET)
        objects(operator)
        tokens(operator)
        account_keys(operator)
        for entry in list(operator.list_objects(BUCKET)):
            operator.delete_object(BUCKET, entry.key)
        operator.delete_bucket(BUCKET)
        equal([bucket.name for bucket in operator.list_buckets()], [])
    print("python sdk: all passed")


main()
