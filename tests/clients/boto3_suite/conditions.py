"""Conditions: on reads in the order of RFC 9110, section 13.2.2; on writes and deletes."""

import threading
from datetime import datetime, timedelta, timezone

from botocore.exceptions import ClientError
from harness import bucket, case, client, equal, holds, read, refused, s3

OTHER = '"00000000000000000000000000000000"'
PAST = datetime.now(timezone.utc) - timedelta(days=1)
FUTURE = datetime.now(timezone.utc) + timedelta(days=1)


def stored() -> tuple[str, str]:
    name = bucket()
    return name, s3.put_object(Bucket=name, Key="k", Body=b"x")["ETag"]


@case
def reads_that_match():
    name, etag = stored()
    for conditions in (
        {"IfMatch": etag},
        {"IfMatch": "*"},
        {"IfMatch": f"{OTHER}, {etag}"},
        {"IfNoneMatch": OTHER},
        {"IfModifiedSince": PAST},
        {"IfUnmodifiedSince": FUTURE},
        # If-Match decides; If-Unmodified-Since is not looked at.
        {"IfMatch": etag, "IfUnmodifiedSince": PAST},
        # If-None-Match decides; If-Modified-Since is not looked at.
        {"IfNoneMatch": OTHER, "IfModifiedSince": datetime.now(timezone.utc)},
    ):
        equal(read(name, "k", **conditions), b"x", f"content under {conditions}")
        s3.head_object(Bucket=name, Key="k", **conditions)


@case
def reads_that_fail():
    name, etag = stored()
    for conditions in ({"IfMatch": OTHER}, {"IfUnmodifiedSince": PAST}, {"IfMatch": OTHER, "IfNoneMatch": etag}):
        with refused(412, "PreconditionFailed"):
            s3.get_object(Bucket=name, Key="k", **conditions)
        with refused(412, "412"):
            s3.head_object(Bucket=name, Key="k", **conditions)


@case
def reads_of_what_has_not_changed():
    name, etag = stored()
    modified = s3.head_object(Bucket=name, Key="k")["LastModified"]
    for conditions in (
        {"IfNoneMatch": etag},
        {"IfNoneMatch": "*"},
        {"IfModifiedSince": modified},
        {"IfMatch": etag, "IfNoneMatch": etag},
    ):
        with refused(304, "304"):
            s3.get_object(Bucket=name, Key="k", **conditions)
        with refused(304, "304"):
            s3.head_object(Bucket=name, Key="k", **conditions)


@case
def create_only():
    name = bucket()
    s3.put_object(Bucket=name, Key="new", Body=b"first", IfNoneMatch="*")
    with refused(412, "PreconditionFailed"):
        s3.put_object(Bucket=name, Key="new", Body=b"second", IfNoneMatch="*")
    equal(read(name, "new"), b"first")
    s3.delete_object(Bucket=name, Key="new")
    s3.put_object(Bucket=name, Key="new", Body=b"third", IfNoneMatch="*")
    equal(read(name, "new"), b"third")


@case
def compare_and_swap():
    name, etag = stored()
    second = s3.put_object(Bucket=name, Key="k", Body=b"y", IfMatch=etag)["ETag"]
    with refused(412, "PreconditionFailed"):
        s3.put_object(Bucket=name, Key="k", Body=b"z", IfMatch=etag)
    equal(read(name, "k", IfMatch=second), b"y")
    with refused(404, "NoSuchKey"):
        s3.put_object(Bucket=name, Key="missing", Body=b"z", IfMatch=etag)


@case
def one_of_many_creators_wins():
    name = bucket()
    outcomes = []
    start = threading.Barrier(8)

    def create(number: int) -> None:
        own = client()
        start.wait()
        try:
            own.put_object(Bucket=name, Key="raced", Body=str(number).encode(), IfNoneMatch="*")
            outcomes.append(number)
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [outcome for outcome in outcomes if isinstance(outcome, int)]
    equal(len(winners), 1, f"winners of {outcomes}")
    losers = {outcome for outcome in outcomes if isinstance(outcome, str)}
    holds(losers <= {"PreconditionFailed", "ConditionalRequestConflict"}, f"losers: {losers}")
    equal(read(name, "raced"), str(winners[0]).encode())


@case
def deletes():
    name, etag = stored()
    with refused(412, "PreconditionFailed"):
        s3.delete_object(Bucket=name, Key="k", IfMatch=OTHER)
    equal(read(name, "k"), b"x")
    s3.delete_object(Bucket=name, Key="k", IfMatch=etag)
    with refused(404, "NoSuchKey"):
        s3.get_object(Bucket=name, Key="k")


@case
def deletes_of_many():
    name, etag = stored()
    s3.put_object(Bucket=name, Key="other", Body=b"y")
    objects = [{"Key": "k", "ETag": etag}, {"Key": "other", "ETag": OTHER}]
    answer = s3.delete_objects(Bucket=name, Delete={"Objects": objects})
    equal([entry["Key"] for entry in answer.get("Deleted", [])], ["k"], "deleted")
    equal([(entry["Key"], entry["Code"]) for entry in answer["Errors"]], [("other", "PreconditionFailed")], "errors")
    equal(read(name, "other"), b"y")
