"""Writing, reading and deleting objects: bodies, ranges, headers, metadata, tags."""

import hashlib
import io
from datetime import datetime, timedelta, timezone
from pathlib import Path

from boto3.s3.transfer import TransferConfig
from harness import MIB, bucket, case, client, equal, holds, pattern, read, refused, s3


@case
def put_get_head_delete():
    name = bucket()
    body = pattern(100_000)
    put = s3.put_object(Bucket=name, Key="k", Body=body)
    etag = f'"{hashlib.md5(body).hexdigest()}"'
    equal(put["ETag"], etag, "ETag of the put")
    head = s3.head_object(Bucket=name, Key="k")
    equal((head["ContentLength"], head["ETag"]), (len(body), etag), "head")
    got = s3.get_object(Bucket=name, Key="k")
    equal(got["Body"].read(), body, "body")
    equal((got["ETag"], got["AcceptRanges"]), (etag, "bytes"), "headers of the get")
    holds(abs(datetime.now(timezone.utc) - got["LastModified"]) < timedelta(minutes=5), "Last-Modified is not now")
    equal(s3.delete_object(Bucket=name, Key="k")["ResponseMetadata"]["HTTPStatusCode"], 204, "status of the delete")
    with refused(404, "NoSuchKey"):
        s3.get_object(Bucket=name, Key="k")
    with refused(404, "404"):
        s3.head_object(Bucket=name, Key="k")


@case
def empty_body():
    name = bucket()
    put = s3.put_object(Bucket=name, Key="k", Body=b"")
    equal(put["ETag"], '"d41d8cd98f00b204e9800998ecf8427e"', "ETag")
    equal(read(name, "k"), b"")
    equal(s3.head_object(Bucket=name, Key="k")["ContentLength"], 0, "length")


@case
def overwriting_replaces_all():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"old content", Metadata={"a": "1"}, ContentType="text/plain")
    s3.put_object(Bucket=name, Key="k", Body=b"new")
    got = s3.get_object(Bucket=name, Key="k")
    equal(got["Body"].read(), b"new")
    equal((got["Metadata"], got["ContentType"]), ({}, "binary/octet-stream"), "metadata and type")


@case
def bodies_around_the_limits_of_chunks():
    name = bucket()
    for size in (1, 65_535, 65_536, 65_537, MIB, 2 * MIB - 1, 2 * MIB, 2 * MIB + 1, 9 * MIB + 7):
        body = pattern(size, seed=size % 97)
        s3.put_object(Bucket=name, Key=f"k{size}", Body=body)
        holds(read(name, f"k{size}") == body, f"a body of {size} bytes differs")


@case
def a_stream_is_uploaded_in_parts_and_downloaded_in_ranges():
    name = bucket()
    body = pattern(23 * MIB + 5, seed=7)
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB, max_concurrency=4)
    s3.upload_fileobj(io.BytesIO(body), name, "big", Config=config)
    holds(s3.head_object(Bucket=name, Key="big")["ETag"].endswith('-3"'), "the ETag does not tell three parts")
    target = io.BytesIO()
    s3.download_fileobj(name, "big", target, Config=config)
    holds(target.getvalue() == body, "the download differs")


@case
def files():
    name = bucket()
    Path("suite-upload").write_bytes(pattern(300_000))
    s3.upload_file("suite-upload", name, "file", ExtraArgs={"ContentType": "text/csv", "Metadata": {"m": "v"}})
    s3.download_file(name, "file", "suite-download")
    holds(Path("suite-download").read_bytes() == pattern(300_000), "the download differs")
    head = s3.head_object(Bucket=name, Key="file")
    equal((head["ContentType"], head["Metadata"]), ("text/csv", {"m": "v"}), "headers")


@case
def ranges():
    name = bucket()
    body = pattern(10_000)
    s3.put_object(Bucket=name, Key="k", Body=body)
    wanted = {
        "bytes=0-0": (body[:1], "bytes 0-0/10000"),
        "bytes=10-99": (body[10:100], "bytes 10-99/10000"),
        "bytes=9990-": (body[9990:], "bytes 9990-9999/10000"),
        "bytes=-5": (body[-5:], "bytes 9995-9999/10000"),
        "bytes=-20000": (body, "bytes 0-9999/10000"),
        "bytes=9000-20000": (body[9000:], "bytes 9000-9999/10000"),
    }
    for header, (content, content_range) in wanted.items():
        got = s3.get_object(Bucket=name, Key="k", Range=header)
        equal(got["ResponseMetadata"]["HTTPStatusCode"], 206, f"status of {header}")
        equal(got["ContentRange"], content_range, f"Content-Range of {header}")
        equal(got["ContentLength"], len(content), f"length of {header}")
        holds(got["Body"].read() == content, f"content of {header}")
    head = s3.head_object(Bucket=name, Key="k", Range="bytes=10-99")
    equal((head["ContentLength"], head["ResponseMetadata"]["HTTPStatusCode"]), (90, 206), "head with a range")


@case
def ranges_that_cannot_be_met():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"0123456789")
    for header in ("bytes=10-", "bytes=10-20", "bytes=-0"):
        with refused(416, "InvalidRange"):
            s3.get_object(Bucket=name, Key="k", Range=header)
    s3.put_object(Bucket=name, Key="empty", Body=b"")
    with refused(416, "InvalidRange"):
        s3.get_object(Bucket=name, Key="empty", Range="bytes=0-0")


@case
def ranges_that_cannot_be_read_are_ignored():
    """RFC 9110, section 14.2: an invalid Range header is ignored."""
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"0123456789")
    for header in ("bytes=5-2", "lines=1-2", "bytes=a-b"):
        got = s3.get_object(Bucket=name, Key="k", Range=header)
        equal(got["ResponseMetadata"]["HTTPStatusCode"], 200, f"status of {header}")
        equal(got["Body"].read(), b"0123456789", f"content of {header}")


@case
def content_headers_come_back():
    name = bucket()
    expires = datetime(2031, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
    given = {
        "ContentType": "text/html; charset=utf-8",
        "CacheControl": "max-age=60, private",
        "ContentDisposition": 'attachment; filename="a b.txt"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de, en",
        "WebsiteRedirectLocation": "/elsewhere",
    }
    s3.put_object(Bucket=name, Key="k", Body=b"x", Expires=expires, **given)
    for answer in (s3.head_object(Bucket=name, Key="k"), s3.get_object(Bucket=name, Key="k")):
        equal({field: answer.get(field) for field in given}, given, "headers")
        equal(answer["ResponseMetadata"]["HTTPHeaders"]["expires"], "Tue, 06 May 2031 07:08:09 GMT", "Expires")


@case
def aws_chunked_is_not_stored():
    name = bucket()
    s3.put_object(Bucket=name, Key="plain", Body=b"x")
    holds("ContentEncoding" not in s3.head_object(Bucket=name, Key="plain"), "an encoding was stored")
    s3.put_object(Bucket=name, Key="encoded", Body=b"x", ContentEncoding="br")
    equal(s3.head_object(Bucket=name, Key="encoded")["ContentEncoding"], "br", "Content-Encoding")


@case
def response_headers_are_overridden_on_request():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x", ContentType="text/plain")
    got = s3.get_object(
        Bucket=name,
        Key="k",
        ResponseContentType="application/x-other",
        ResponseContentDisposition="inline",
        ResponseCacheControl="no-store",
        ResponseContentEncoding="identity",
        ResponseContentLanguage="fr",
    )
    equal(got["ContentType"], "application/x-other", "type")
    equal((got["ContentDisposition"], got["CacheControl"]), ("inline", "no-store"), "disposition and cache control")
    equal((got["ContentEncoding"], got["ContentLanguage"]), ("identity", "fr"), "encoding and language")


@case
def user_metadata():
    name = bucket()
    given = {"plain": "value", "with-dash": "a b  c", "empty": "", "symbols": "~!@#$%^&*()_+={}[]|:;'<>?,./"}
    s3.put_object(Bucket=name, Key="k", Body=b"x", Metadata=given)
    equal(s3.head_object(Bucket=name, Key="k")["Metadata"], given, "metadata")
    s3.put_object(Bucket=name, Key="upper", Body=b"x", Metadata={"MixedCase": "Kept"})
    equal(s3.head_object(Bucket=name, Key="upper")["Metadata"], {"mixedcase": "Kept"}, "names in lower case")
    with refused(400, "MetadataTooLarge"):
        s3.put_object(Bucket=name, Key="large", Body=b"x", Metadata={"m": "v" * 2048})


@case
def delete_is_quiet_about_what_is_not_there():
    name = bucket()
    equal(s3.delete_object(Bucket=name, Key="never")["ResponseMetadata"]["HTTPStatusCode"], 204, "status")


@case
def delete_objects():
    name = bucket()
    keys = [f"dir/key {number}" for number in range(12)] + ["a&b<c>", "ü", "missing"]
    for key in keys[:-1]:
        s3.put_object(Bucket=name, Key=key, Body=b"x")
    answer = s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": key} for key in keys]})
    equal(sorted(entry["Key"] for entry in answer["Deleted"]), sorted(keys), "deleted")
    holds("Errors" not in answer, "there are errors")
    equal(s3.list_objects_v2(Bucket=name)["KeyCount"], 0, "keys left")


@case
def delete_objects_quietly():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    answer = s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "k"}], "Quiet": True})
    holds("Deleted" not in answer and "Errors" not in answer, "a quiet delete tells what it deleted")
    equal(s3.list_objects_v2(Bucket=name)["KeyCount"], 0, "keys left")


@case
def delete_objects_of_a_whole_page():
    name = bucket()
    keys = [f"{number:04}" for number in range(1000)]
    answer = s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": key} for key in keys]})
    equal(len(answer["Deleted"]), 1000, "deleted")
    with refused(400, "MalformedXML"):
        s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": key} for key in [*keys, "one more"]]})


@case
def tags_of_an_object():
    name = bucket()
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b c", "Value": "x=y/z"}]
    s3.put_object(Bucket=name, Key="k", Body=b"x", Tagging="a=1&b%20c=x%3Dy%2Fz")
    stored = s3.get_object_tagging(Bucket=name, Key="k")["TagSet"]
    equal(sorted(stored, key=lambda tag: tag["Key"]), tags, "tags of the put")
    equal(s3.head_object(Bucket=name, Key="k").get("TagCount"), 2, "count")
    s3.put_object_tagging(Bucket=name, Key="k", Tagging={"TagSet": [{"Key": "only", "Value": "é"}]})
    equal(s3.get_object_tagging(Bucket=name, Key="k")["TagSet"], [{"Key": "only", "Value": "é"}], "tags set later")
    equal(read(name, "k"), b"x", "content is untouched")
    s3.delete_object_tagging(Bucket=name, Key="k")
    equal(s3.get_object_tagging(Bucket=name, Key="k")["TagSet"], [], "tags deleted")


@case
def tags_that_break_the_rules():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    eleven = [{"Key": str(number), "Value": "v"} for number in range(11)]
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    long = [{"Key": "k" * 129, "Value": "v"}]
    for tags in (eleven, twice, long):
        with refused(400, "InvalidTag", "BadRequest"):
            s3.put_object_tagging(Bucket=name, Key="k", Tagging={"TagSet": tags})
    with refused(404, "NoSuchKey"):
        s3.get_object_tagging(Bucket=name, Key="missing")


@case
def signed_bodies():
    """Without a checksum trailer boto3 signs the hash of the body."""
    name = bucket()
    signing = client(
        request_checksum_calculation="when_required", s3={"payload_signing_enabled": True, "addressing_style": "path"}
    )
    signing.put_object(Bucket=name, Key="k", Body=pattern(200_000))
    holds(read(name, "k") == pattern(200_000), "content differs")


@case
def attributes_without_the_content():
    name = bucket()
    put = s3.put_object(Bucket=name, Key="k", Body=b"hello", ChecksumAlgorithm="SHA1")
    wanted = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    found = s3.get_object_attributes(Bucket=name, Key="k", ObjectAttributes=wanted)
    equal((found["ETag"], found["ObjectSize"]), (put["ETag"].strip('"'), 5), "ETag and size")
    equal(found["Checksum"], {"ChecksumSHA1": put["ChecksumSHA1"], "ChecksumType": "FULL_OBJECT"}, "checksum")
    holds("ObjectParts" not in found, "what was sent whole has parts")
    holds("LastModified" in found, "no time")
    s3.put_object(Bucket=name, Key="empty", Body=b"")
    equal(s3.get_object_attributes(Bucket=name, Key="empty", ObjectAttributes=["ObjectSize"])["ObjectSize"], 0, "size")
    with refused(404, "NoSuchKey"):
        s3.get_object_attributes(Bucket=name, Key="none", ObjectAttributes=["ETag"])
    with refused(400, "InvalidArgument"):
        s3.get_object_attributes(Bucket=name, Key="k", ObjectAttributes=["Colour"])
