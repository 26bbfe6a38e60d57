"""CopyObject: content, metadata, tags, conditions."""

from datetime import datetime, timedelta, timezone

from harness import bucket, case, equal, holds, pattern, read, refused, s3

OTHER = '"00000000000000000000000000000000"'


@case
def within_a_bucket():
    name = bucket()
    body = pattern(3_000_000)
    put = s3.put_object(Bucket=name, Key="a/source", Body=body, Metadata={"m": "v"}, ContentType="text/plain")
    answer = s3.copy_object(Bucket=name, Key="target", CopySource={"Bucket": name, "Key": "a/source"})
    equal(answer["CopyObjectResult"]["ETag"], put["ETag"], "ETag")
    holds(answer["CopyObjectResult"]["LastModified"] is not None, "no LastModified")
    got = s3.get_object(Bucket=name, Key="target")
    holds(got["Body"].read() == body, "content differs")
    equal((got["Metadata"], got["ContentType"]), ({"m": "v"}, "text/plain"), "metadata and type")


@case
def between_buckets():
    source, target = bucket(), bucket()
    s3.put_object(Bucket=source, Key="k", Body=b"x")
    s3.copy_object(Bucket=target, Key="k", CopySource=f"{source}/k")
    s3.delete_object(Bucket=source, Key="k")
    equal(read(target, "k"), b"x", "the copy outlives its source")


@case
def of_odd_keys():
    name = bucket()
    for key in ("with space", "plus+and%2F", "ünï/çødé ☃", "a//b", "?query#fragment"):
        s3.put_object(Bucket=name, Key=key, Body=key.encode())
        s3.copy_object(Bucket=name, Key="target", CopySource={"Bucket": name, "Key": key})
        equal(read(name, "target"), key.encode(), key)


@case
def replacing_metadata():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x", Metadata={"old": "1"}, ContentType="text/plain", CacheControl="a")
    s3.copy_object(
        Bucket=name,
        Key="k",
        CopySource=f"{name}/k",
        MetadataDirective="REPLACE",
        Metadata={"new": "2"},
        ContentType="text/css",
    )
    head = s3.head_object(Bucket=name, Key="k")
    equal((head["Metadata"], head["ContentType"]), ({"new": "2"}, "text/css"), "metadata and type")
    holds("CacheControl" not in head, "Cache-Control is still there")
    equal(read(name, "k"), b"x")


@case
def onto_itself_without_a_change():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    with refused(400, "InvalidRequest"):
        s3.copy_object(Bucket=name, Key="k", CopySource=f"{name}/k")


@case
def tags():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x", Tagging="a=1")
    s3.copy_object(Bucket=name, Key="copied", CopySource=f"{name}/k")
    equal(s3.get_object_tagging(Bucket=name, Key="copied")["TagSet"], [{"Key": "a", "Value": "1"}], "tags copied")
    s3.copy_object(Bucket=name, Key="replaced", CopySource=f"{name}/k", TaggingDirective="REPLACE", Tagging="b=2")
    equal(s3.get_object_tagging(Bucket=name, Key="replaced")["TagSet"], [{"Key": "b", "Value": "2"}], "tags replaced")


@case
def conditions_on_the_source():
    name = bucket()
    etag = s3.put_object(Bucket=name, Key="k", Body=b"x")["ETag"]
    past = datetime.now(timezone.utc) - timedelta(days=1)
    future = datetime.now(timezone.utc) + timedelta(days=1)
    for conditions in (
        {"CopySourceIfMatch": etag},
        {"CopySourceIfNoneMatch": OTHER},
        {"CopySourceIfModifiedSince": past},
        {"CopySourceIfUnmodifiedSince": future},
        {"CopySourceIfMatch": etag, "CopySourceIfUnmodifiedSince": past},
    ):
        s3.copy_object(Bucket=name, Key="ok", CopySource=f"{name}/k", **conditions)
    for conditions in (
        {"CopySourceIfMatch": OTHER},
        {"CopySourceIfNoneMatch": etag},
        {"CopySourceIfUnmodifiedSince": past},
        {"CopySourceIfNoneMatch": etag, "CopySourceIfModifiedSince": past},
    ):
        with refused(412, "PreconditionFailed"):
            s3.copy_object(Bucket=name, Key="never", CopySource=f"{name}/k", **conditions)


@case
def conditions_on_the_target():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    first = s3.copy_object(Bucket=name, Key="t", CopySource=f"{name}/k", IfNoneMatch="*")
    with refused(412, "PreconditionFailed"):
        s3.copy_object(Bucket=name, Key="t", CopySource=f"{name}/k", IfNoneMatch="*")
    s3.copy_object(Bucket=name, Key="t", CopySource=f"{name}/k", IfMatch=first["CopyObjectResult"]["ETag"])
    with refused(412, "PreconditionFailed"):
        s3.copy_object(Bucket=name, Key="t", CopySource=f"{name}/k", IfMatch=OTHER)


@case
def of_a_missing_source():
    name = bucket()
    with refused(404, "NoSuchKey"):
        s3.copy_object(Bucket=name, Key="t", CopySource=f"{name}/missing")
    with refused(404, "NoSuchBucket"):
        s3.copy_object(Bucket=name, Key="t", CopySource="suite-no-such-bucket/k")


@case
def with_a_checksum_of_another_kind():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    s3.copy_object(Bucket=name, Key="t", CopySource=f"{name}/k", ChecksumAlgorithm="SHA256")
    head = s3.head_object(Bucket=name, Key="t", ChecksumMode="ENABLED")
    equal(head.get("ChecksumSHA256"), "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=", "checksum")
