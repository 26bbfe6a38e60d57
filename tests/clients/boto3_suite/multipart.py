"""Multipart uploads: parts, order, copies, lists, conditions."""

import hashlib

from harness import MIB, MIN_PART, bucket, case, equal, holds, pattern, read, refused, s3

PARTS = [pattern(MIN_PART, seed=3), pattern(MIN_PART + 1, seed=5), pattern(1000, seed=9)]


def begin(name: str, key: str = "k", **options) -> dict:
    return {"Bucket": name, "Key": key, "UploadId": s3.create_multipart_upload(Bucket=name, Key=key, **options)["UploadId"]}


def upload(target: dict, number: int, body: bytes) -> dict:
    return {"PartNumber": number, "ETag": s3.upload_part(PartNumber=number, Body=body, **target)["ETag"]}


def complete(target: dict, parts: list[dict], **options) -> dict:
    return s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **target, **options)


def etag_of(parts: list[bytes]) -> str:
    digest = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()
    return f'"{digest}-{len(parts)}"'


@case
def parts_become_the_object():
    name = bucket()
    target = begin(name, Metadata={"m": "v"}, ContentType="text/plain", Tagging="a=1")
    # Out of order and with gaps between the numbers: only their order at the end counts.
    parts = [upload(target, number, body) for number, body in reversed(list(zip((1, 7, 10_000), PARTS)))]
    with refused(404, "NoSuchKey"):
        s3.get_object(Bucket=name, Key="k")
    done = complete(target, parts[::-1])
    equal((done["ETag"], done["Bucket"], done["Key"]), (etag_of(PARTS), name, "k"), "answer")
    holds("/k" in done["Location"], f"location: {done['Location']}")
    got = s3.get_object(Bucket=name, Key="k")
    holds(got["Body"].read() == b"".join(PARTS), "content differs")
    equal((got["ETag"], got["Metadata"], got["ContentType"]), (etag_of(PARTS), {"m": "v"}, "text/plain"), "headers")
    equal(s3.get_object_tagging(Bucket=name, Key="k")["TagSet"], [{"Key": "a", "Value": "1"}], "tags")


@case
def completing_again_answers_the_same():
    name = bucket()
    target = begin(name)
    parts = [upload(target, 1, b"only")]
    equal(complete(target, parts)["ETag"], complete(target, parts)["ETag"], "ETag")
    # What is completed cannot be completed as something else.
    other = [{"PartNumber": 1, "ETag": f'"{hashlib.md5(b"other").hexdigest()}"'}]
    with refused(400, "InvalidPart"):
        complete(target, other)
    again = {**target, "MultipartUpload": {"Parts": parts}}
    with refused(400, "BadDigest"):
        s3.complete_multipart_upload(**again, ChecksumCRC64NVME="AAAAAAAAAAA=")
    with refused(400, "InvalidRequest"):
        s3.complete_multipart_upload(**again, MpuObjectSize=999)


@case
def attributes_show_the_parts():
    name = bucket()
    target = begin(name, ChecksumAlgorithm="SHA256")
    parts = []
    for number, body in zip((1, 7, 10_000), PARTS):
        done = s3.upload_part(PartNumber=number, Body=body, ChecksumAlgorithm="SHA256", **target)
        parts.append({"PartNumber": number, "ETag": done["ETag"], "ChecksumSHA256": done["ChecksumSHA256"]})
    complete(target, parts)
    wanted = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    found = s3.get_object_attributes(Bucket=name, Key="k", ObjectAttributes=wanted, MaxParts=2)
    equal(found["ETag"], etag_of(PARTS).strip('"'), "ETag, without quotes here")
    equal((found["ObjectSize"], found["StorageClass"]), (sum(map(len, PARTS)), "STANDARD"), "size and class")
    head = s3.head_object(Bucket=name, Key="k", ChecksumMode="ENABLED")
    equal(found["Checksum"]["ChecksumSHA256"] + "-3", head["ChecksumSHA256"], "checksum, without the number of parts here")
    equal(found["Checksum"]["ChecksumType"], "COMPOSITE", "checksum type")
    page = found["ObjectParts"]
    equal((page["TotalPartsCount"], page["IsTruncated"], page["NextPartNumberMarker"]), (3, True, 7), "page")
    shown = [(part["PartNumber"], part["Size"], part["ChecksumSHA256"]) for part in page["Parts"]]
    expected = [(part["PartNumber"], len(body), part["ChecksumSHA256"]) for part, body in zip(parts, PARTS)]
    equal(shown, expected[:2], "parts")
    rest = s3.get_object_attributes(Bucket=name, Key="k", ObjectAttributes=["ObjectParts"], PartNumberMarker=7)
    equal([part["PartNumber"] for part in rest["ObjectParts"]["Parts"]], [10_000], "the other page")
    equal(rest["ObjectParts"]["IsTruncated"], False, "the end")
    holds("ETag" not in rest and "ObjectSize" not in rest, "what was not asked for is shown")


@case
def ranges_over_parts():
    name = bucket()
    target = begin(name)
    parts = [upload(target, number, body) for number, body in enumerate(PARTS, 1)]
    complete(target, parts)
    whole = b"".join(PARTS)
    edge = MIN_PART
    got = s3.get_object(Bucket=name, Key="k", Range=f"bytes={edge - 10}-{edge + 9}")
    equal(got["Body"].read(), whole[edge - 10 : edge + 10], "range over an edge")
    for number, body in enumerate(PARTS, 1):
        got = s3.get_object(Bucket=name, Key="k", PartNumber=number)
        equal((got["PartsCount"], got["ContentLength"]), (3, len(body)), f"part {number}")
        holds(got["Body"].read() == body, f"content of part {number}")
    with refused(416, "InvalidPartNumber", "InvalidRange"):
        s3.get_object(Bucket=name, Key="k", PartNumber=4)


@case
def a_part_sent_again_replaces_the_former():
    name = bucket()
    target = begin(name)
    upload(target, 1, b"former")
    latter = upload(target, 1, b"latter")
    complete(target, [latter])
    equal(read(name, "k"), b"latter")


@case
def parts_that_are_left_out():
    name = bucket()
    target = begin(name)
    upload(target, 1, b"left out")
    complete(target, [upload(target, 2, b"taken")])
    equal(read(name, "k"), b"taken")


@case
def faults_at_completion():
    name = bucket()
    target = begin(name)
    first, second = upload(target, 1, PARTS[0]), upload(target, 2, b"small")
    with refused(400, "InvalidPartOrder"):
        complete(target, [second, first])
    with refused(400, "InvalidPart"):
        complete(target, [first, {"PartNumber": 3, "ETag": second["ETag"]}])
    with refused(400, "InvalidPart"):
        complete(target, [first, {"PartNumber": 2, "ETag": first["ETag"]}])
    with refused(400, "EntityTooSmall"):
        third = upload(target, 3, b"last")
        complete(target, [first, second, third])
    with refused(400, "MalformedXML"):
        complete(target, [])
    complete(target, [first, second])
    equal(s3.head_object(Bucket=name, Key="k")["ContentLength"], MIN_PART + 5, "length")


@case
def uploads_that_are_not_there():
    name = bucket()
    missing = {"Bucket": name, "Key": "k", "UploadId": "no-such-upload"}
    with refused(404, "NoSuchUpload"):
        upload(missing, 1, b"x")
    with refused(404, "NoSuchUpload"):
        complete(missing, [{"PartNumber": 1, "ETag": '"x"'}])
    with refused(404, "NoSuchUpload"):
        s3.abort_multipart_upload(**missing)
    with refused(404, "NoSuchUpload"):
        s3.list_parts(**missing)
    target = begin(name, "one")
    with refused(404, "NoSuchUpload"):
        upload({**target, "Key": "another"}, 1, b"x")


@case
def part_numbers_out_of_range():
    target = begin(bucket())
    for number in (0, 10_001):
        with refused(400, "InvalidArgument"):
            upload(target, number, b"x")


@case
def aborting():
    name = bucket()
    target = begin(name)
    upload(target, 1, b"x")
    s3.abort_multipart_upload(**target)
    with refused(404, "NoSuchUpload"):
        s3.list_parts(**target)
    with refused(404, "NoSuchKey"):
        s3.get_object(Bucket=name, Key="k")
    s3.delete_bucket(Bucket=name)


@case
def parts_are_listed():
    name = bucket()
    target = begin(name)
    for number in (5, 1, 3):
        upload(target, number, b"p" * number)
    answer = s3.list_parts(**target)
    equal([(part["PartNumber"], part["Size"]) for part in answer["Parts"]], [(1, 1), (3, 3), (5, 5)], "parts")
    equal((answer["IsTruncated"], answer["StorageClass"]), (False, "STANDARD"), "end and class")
    equal(answer["Parts"][0]["ETag"], f'"{hashlib.md5(b"p").hexdigest()}"', "ETag")
    page = s3.list_parts(MaxParts=2, **target)
    equal(([part["PartNumber"] for part in page["Parts"]], page["IsTruncated"]), ([1, 3], True), "first page")
    page = s3.list_parts(MaxParts=2, PartNumberMarker=page["NextPartNumberMarker"], **target)
    equal(([part["PartNumber"] for part in page["Parts"]], page["IsTruncated"]), ([5], False), "second page")


@case
def uploads_are_listed():
    name = bucket()
    started = [begin(name, key) for key in ("b/1", "a", "b/2", "a", "c d+ü")]
    answer = s3.list_multipart_uploads(Bucket=name)
    equal([entry["Key"] for entry in answer["Uploads"]], ["a", "a", "b/1", "b/2", "c d+ü"], "keys")
    equal(
        sorted(entry["UploadId"] for entry in answer["Uploads"]),
        sorted(target["UploadId"] for target in started),
        "ids",
    )
    holds(answer["Uploads"][0]["Initiated"] is not None, "no time")
    equal([entry["Key"] for entry in s3.list_multipart_uploads(Bucket=name, Prefix="b/")["Uploads"]],
          ["b/1", "b/2"], "keys below b/")
    rolled = s3.list_multipart_uploads(Bucket=name, Delimiter="/")
    equal([entry["Prefix"] for entry in rolled["CommonPrefixes"]], ["b/"], "rolled up")
    equal([entry["Key"] for entry in rolled["Uploads"]], ["a", "a", "c d+ü"], "keys beside")
    complete(started[0], [upload(started[0], 1, b"x")])
    equal(len(s3.list_multipart_uploads(Bucket=name)["Uploads"]), 4, "open uploads")


@case
def uploads_are_listed_in_pages():
    name = bucket()
    ids = sorted((target["Key"], target["UploadId"]) for target in [begin(name, key) for key in "aabbc"])
    seen = []
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=name, PaginationConfig={"PageSize": 2}):
        holds(len(page["Uploads"]) <= 2, "a page holds more than MaxUploads")
        seen += [(entry["Key"], entry["UploadId"]) for entry in page["Uploads"]]
    equal(sorted(seen), ids, "uploads")


@case
def parts_are_copied():
    name = bucket()
    source = PARTS[0] + PARTS[1]
    s3.put_object(Bucket=name, Key="source", Body=source)
    target = begin(name)
    first = s3.upload_part_copy(PartNumber=1, CopySource=f"{name}/source", CopySourceRange=f"bytes=0-{MIN_PART - 1}", **target)
    second = s3.upload_part_copy(PartNumber=2, CopySource={"Bucket": name, "Key": "source"}, **target)
    equal(first["CopyPartResult"]["ETag"], f'"{hashlib.md5(PARTS[0]).hexdigest()}"', "ETag")
    parts = [{"PartNumber": number, "ETag": part["CopyPartResult"]["ETag"]} for number, part in ((1, first), (2, second))]
    complete(target, parts)
    holds(read(name, "k") == PARTS[0] + source, "content differs")


@case
def part_copies_that_are_refused():
    name = bucket()
    etag = s3.put_object(Bucket=name, Key="source", Body=b"0123456789")["ETag"]
    target = begin(name)

    def copy(**options) -> None:
        s3.upload_part_copy(PartNumber=1, CopySource=f"{name}/source", **options, **target)

    with refused(412, "PreconditionFailed"):
        copy(CopySourceIfMatch='"00000000000000000000000000000000"')
    with refused(412, "PreconditionFailed"):
        copy(CopySourceIfNoneMatch=etag)
    for header in ("bytes=5-20", "bytes=-5", "0-3"):
        with refused(400, "InvalidArgument", "InvalidRange"):
            copy(CopySourceRange=header)
    with refused(404, "NoSuchKey"):
        s3.upload_part_copy(PartNumber=1, CopySource=f"{name}/missing", **target)


@case
def conditions_at_completion():
    name = bucket()
    etag = s3.put_object(Bucket=name, Key="k", Body=b"there")["ETag"]
    target = begin(name)
    parts = [upload(target, 1, b"new")]
    with refused(412, "PreconditionFailed"):
        complete(target, parts, IfNoneMatch="*")
    with refused(412, "PreconditionFailed"):
        complete(target, parts, IfMatch='"00000000000000000000000000000000"')
    complete(target, parts, IfMatch=etag)
    equal(read(name, "k"), b"new")
    target = begin(name, "fresh")
    complete(target, [upload(target, 1, b"x")], IfNoneMatch="*")
    equal(read(name, "fresh"), b"x")


@case
def the_whole_size_is_checked():
    name = bucket()
    target = begin(name)
    parts = [upload(target, 1, b"12345")]
    with refused(400, "InvalidRequest", "InvalidArgument"):
        complete(target, parts, MpuObjectSize=6)
    complete(target, parts, MpuObjectSize=5)


@case
def copies_of_multipart_objects():
    name = bucket()
    target = begin(name)
    complete(target, [upload(target, number, body) for number, body in enumerate(PARTS, 1)])
    s3.copy_object(Bucket=name, Key="copy", CopySource=f"{name}/k")
    s3.delete_object(Bucket=name, Key="k")
    holds(read(name, "copy") == b"".join(PARTS), "content differs")
    equal(s3.head_object(Bucket=name, Key="copy")["ContentLength"], 10 * MIB + 1 + 1000, "length")
