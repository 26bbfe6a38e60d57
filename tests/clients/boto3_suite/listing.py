"""ListObjects, ListObjectsV2 and ListObjectVersions: prefix, delimiter, pages, markers, encoding."""

from urllib.parse import unquote_plus

from harness import bucket, case, equal, holds, refused, s3

KEYS = ["a", "a/1", "a/2", "a/b/3", "b", "c/1", "c/2", "d"]


def filled(keys: list[str]) -> str:
    name = bucket()
    for key in keys:
        s3.put_object(Bucket=name, Key=key, Body=key.encode())
    return name


def contents(answer: dict) -> list[str]:
    return [entry["Key"] for entry in answer.get("Contents", [])]


def prefixes(answer: dict) -> list[str]:
    return [entry["Prefix"] for entry in answer.get("CommonPrefixes", [])]


@case
def all_keys():
    name = filled(KEYS)
    answer = s3.list_objects_v2(Bucket=name)
    equal(contents(answer), KEYS, "keys")
    equal((answer["KeyCount"], answer["IsTruncated"], answer["MaxKeys"]), (8, False, 1000), "count, end and limit")
    equal(answer["Name"], name, "name")
    first = answer["Contents"][0]
    equal((first["Size"], first["StorageClass"]), (1, "STANDARD"), "size and class")
    equal(first["ETag"], '"0cc175b9c0f1b6a831c399e269772661"', "ETag")
    holds("Owner" not in first, "an owner that was not asked for")


@case
def owners():
    name = filled(["k"])
    owner = s3.list_buckets()["Owner"]["ID"]
    equal(s3.list_objects_v2(Bucket=name, FetchOwner=True)["Contents"][0]["Owner"]["ID"], owner, "owner in v2")
    equal(s3.list_objects(Bucket=name)["Contents"][0]["Owner"]["ID"], owner, "owner in v1")


@case
def an_empty_bucket():
    name = bucket()
    answer = s3.list_objects_v2(Bucket=name)
    equal((answer["KeyCount"], answer["IsTruncated"]), (0, False), "count and end")
    holds("Contents" not in answer and "CommonPrefixes" not in answer, "there is something")


@case
def rolled_up():
    name = filled(KEYS)
    for listing in (s3.list_objects_v2, s3.list_objects):
        answer = listing(Bucket=name, Delimiter="/")
        equal((contents(answer), prefixes(answer)), (["a", "b", "d"], ["a/", "c/"]), "top")
        answer = listing(Bucket=name, Delimiter="/", Prefix="a/")
        equal((contents(answer), prefixes(answer)), (["a/1", "a/2"], ["a/b/"]), "below a/")
        answer = listing(Bucket=name, Delimiter="/", Prefix="a")
        equal((contents(answer), prefixes(answer)), (["a"], ["a/"]), "that begin with a")
        equal((answer["Prefix"], answer["Delimiter"]), ("a", "/"), "echo")


@case
def delimiters_of_any_kind():
    name = filled(["x--y--z", "x--y", "x-y", "ä☃b", "ä☃c"])
    answer = s3.list_objects_v2(Bucket=name, Delimiter="--")
    equal((contents(answer), prefixes(answer)), (["x-y", "ä☃b", "ä☃c"], ["x--"]), "two characters")
    answer = s3.list_objects_v2(Bucket=name, Delimiter="☃")
    equal(prefixes(answer), ["ä☃"], "not ASCII")
    answer = s3.list_objects_v2(Bucket=name, Delimiter="nowhere")
    equal(len(contents(answer)), 5, "absent")


@case
def pages_of_v2():
    name = filled(KEYS)
    for size in (1, 2, 3, 7, 8, 9):
        seen, token, pages = [], {}, 0
        while True:
            answer = s3.list_objects_v2(Bucket=name, MaxKeys=size, **token)
            seen += contents(answer)
            pages += 1
            holds(answer["KeyCount"] <= size, "a page holds more than MaxKeys")
            if not answer["IsTruncated"]:
                holds("NextContinuationToken" not in answer, "a token after the end")
                break
            token = {"ContinuationToken": answer["NextContinuationToken"]}
        equal((seen, pages), (KEYS, -(-len(KEYS) // size)), f"keys and pages of {size}")


@case
def pages_of_v1():
    name = filled(KEYS)
    seen, marker = [], ""
    while True:
        answer = s3.list_objects(Bucket=name, MaxKeys=3, Marker=marker)
        seen += contents(answer)
        if not answer["IsTruncated"]:
            break
        # NextMarker is promised only with a delimiter; otherwise the last key is the marker.
        marker = answer["Contents"][-1]["Key"]
    equal(seen, KEYS, "keys")


@case
def pages_with_a_delimiter():
    name = filled(KEYS)
    wanted = ["a", "a/", "b", "c/", "d"]
    for size in (1, 2, 3, 4, 5):
        seen = []
        for page in s3.get_paginator("list_objects_v2").paginate(
            Bucket=name, Delimiter="/", PaginationConfig={"PageSize": size}
        ):
            holds(page["KeyCount"] == len(contents(page)) + len(prefixes(page)) <= size, "count")
            seen += sorted(contents(page) + prefixes(page))
        equal(seen, wanted, f"v2 in pages of {size}")
        seen = []
        for page in s3.get_paginator("list_objects").paginate(
            Bucket=name, Delimiter="/", PaginationConfig={"PageSize": size}
        ):
            seen += sorted(contents(page) + prefixes(page))
        equal(seen, wanted, f"v1 in pages of {size}")


@case
def begins_after():
    name = filled(KEYS)
    equal(contents(s3.list_objects_v2(Bucket=name, StartAfter="a/2")), KEYS[3:], "after a key")
    equal(contents(s3.list_objects_v2(Bucket=name, StartAfter="a/22")), KEYS[3:], "after what is not there")
    equal(contents(s3.list_objects_v2(Bucket=name, StartAfter="zzz")), [], "after all")
    equal(contents(s3.list_objects(Bucket=name, Marker="b")), KEYS[5:], "marker of v1")


@case
def no_keys_asked_for():
    name = filled(["k"])
    answer = s3.list_objects_v2(Bucket=name, MaxKeys=0)
    equal((contents(answer), answer["IsTruncated"], answer["KeyCount"]), ([], False, 0), "answer")


@case
def more_than_a_page_asked_for():
    name = filled(["k"])
    holds(s3.list_objects_v2(Bucket=name, MaxKeys=5000)["MaxKeys"] in (1000, 5000), "MaxKeys")
    with refused(400, "InvalidArgument"):
        s3.list_objects_v2(Bucket=name, MaxKeys=-1)


@case
def a_token_that_is_none():
    name = filled(["k"])
    with refused(400, "InvalidArgument"):
        s3.list_objects_v2(Bucket=name, ContinuationToken="made up")


@case
def encoded_on_request():
    name = filled(["a b/ü+&", "a b/ü+/x"])
    raw = s3.list_objects_v2(Bucket=name, EncodingType="url", Delimiter="/", Prefix="a b/")
    # Asked for by the caller, boto3 leaves the encoding to the caller.
    equal(raw["EncodingType"], "url", "EncodingType")
    for got, wanted in ((contents(raw)[0], "a b/ü+&"), (prefixes(raw)[0], "a b/ü+/"), (raw["Prefix"], "a b/")):
        holds(not set(got) & set(" ü&"), f"{got} is not encoded")
        equal(unquote_plus(got), wanted, "decoded")


@case
def over_a_thousand_keys():
    keys = [f"{number:05}" for number in range(1_003)]
    name = filled(keys)
    first = s3.list_objects_v2(Bucket=name)
    equal((first["KeyCount"], first["IsTruncated"]), (1000, True), "the first page")
    second = s3.list_objects_v2(Bucket=name, ContinuationToken=first["NextContinuationToken"])
    equal(contents(first) + contents(second), keys, "keys")


def versions(answer: dict) -> list[str]:
    return [entry["Key"] for entry in answer.get("Versions", [])]


@case
def every_object_is_its_null_version():
    name = filled(KEYS)
    answer = s3.list_object_versions(Bucket=name)
    equal(versions(answer), KEYS, "keys")
    equal((answer["Name"], answer["IsTruncated"], answer["MaxKeys"]), (name, False, 1000), "name, end and limit")
    equal((answer["KeyMarker"], answer["VersionIdMarker"]), ("", ""), "markers")
    holds("DeleteMarkers" not in answer and "NextKeyMarker" not in answer, "what there is not")
    first = answer["Versions"][0]
    equal((first["VersionId"], first["IsLatest"]), ("null", True), "version")
    equal((first["Size"], first["StorageClass"]), (1, "STANDARD"), "size and class")
    equal(first["ETag"], '"0cc175b9c0f1b6a831c399e269772661"', "ETag")
    equal((first["ChecksumAlgorithm"], first["ChecksumType"]), (["CRC32"], "FULL_OBJECT"), "checksum")
    equal(first["Owner"]["ID"], s3.list_buckets()["Owner"]["ID"], "owner")


@case
def versions_rolled_up():
    name = filled(KEYS)
    answer = s3.list_object_versions(Bucket=name, Delimiter="/")
    equal((versions(answer), prefixes(answer)), (["a", "b", "d"], ["a/", "c/"]), "top")
    answer = s3.list_object_versions(Bucket=name, Delimiter="/", Prefix="a/")
    equal((versions(answer), prefixes(answer)), (["a/1", "a/2"], ["a/b/"]), "below a/")
    equal((answer["Prefix"], answer["Delimiter"]), ("a/", "/"), "echo")


@case
def pages_of_versions():
    name = filled([*KEYS, "ä b"])
    found, pages = [], 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name, PaginationConfig={"PageSize": 2}):
        found += versions(page)
        pages += 1
        if page["IsTruncated"]:
            equal(page["NextVersionIdMarker"], "null", "marker")
    equal((found, pages), ([*KEYS, "ä b"], 5), "all pages")
    first = s3.list_object_versions(Bucket=name, Delimiter="/", MaxKeys=2)
    equal((versions(first), prefixes(first)), (["a"], ["a/"]), "first page")
    equal((first["NextKeyMarker"], first.get("NextVersionIdMarker")), ("a/", None), "after a prefix")
    second = s3.list_object_versions(Bucket=name, Delimiter="/", MaxKeys=2, KeyMarker="a/")
    equal((versions(second), prefixes(second)), (["b"], ["c/"]), "second page")
    none = s3.list_object_versions(Bucket=name, MaxKeys=0)
    equal((versions(none), none["IsTruncated"]), ([], False), "a page of nothing")


@case
def markers_of_versions():
    name = filled(KEYS)
    after = s3.list_object_versions(Bucket=name, KeyMarker="b", VersionIdMarker="null")
    equal((versions(after), after["KeyMarker"], after["VersionIdMarker"]), (["c/1", "c/2", "d"], "b", "null"), "after b")
    with refused(400, "InvalidArgument"):
        s3.list_object_versions(Bucket=name, VersionIdMarker="null")
    with refused(400, "InvalidArgument"):
        s3.list_object_versions(Bucket=name, KeyMarker="b", VersionIdMarker="nothing")


@case
def the_null_version_is_the_object():
    name = filled(["k", "l"])
    null = {"Bucket": name, "Key": "k", "VersionId": "null"}
    equal(s3.get_object(**null)["Body"].read(), b"k", "content")
    equal(s3.head_object(**null)["ContentLength"], 1, "size")
    equal(s3.get_object_attributes(**null, ObjectAttributes=["ObjectSize"])["ObjectSize"], 1, "attributes")
    s3.put_object_tagging(**null, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    equal(s3.get_object_tagging(**null)["TagSet"], [{"Key": "a", "Value": "1"}], "tags")
    s3.copy_object(Bucket=name, Key="copy", CopySource={"Bucket": name, "Key": "k", "VersionId": "null"})
    holds(s3.get_object_acl(**null)["Grants"], "no grants")
    for unknown, status, code in (("nothing", 400, "InvalidArgument"), ("3HL4kqtJvjVBH40Nrjfkd_HY.XdnIbrH", 404, "NoSuchVersion")):
        version = {"Bucket": name, "Key": "k", "VersionId": unknown}
        for call in (s3.get_object, s3.get_object_tagging, s3.get_object_acl, s3.delete_object):
            with refused(status, code):
                call(**version)
    s3.delete_object_tagging(**null)
    equal(s3.get_object_tagging(Bucket=name, Key="k")["TagSet"], [], "tags")
    s3.delete_object(**null)
    listed = {"Objects": [{"Key": "l", "VersionId": "null"}, {"Key": "copy", "VersionId": "nothing"}]}
    answer = s3.delete_objects(Bucket=name, Delete=listed)
    equal([(entry["Key"], entry["VersionId"]) for entry in answer["Deleted"]], [("l", "null")], "deleted")
    equal([entry["Key"] for entry in answer["Errors"]], ["copy"], "not deleted")
    equal(versions(s3.list_object_versions(Bucket=name)), ["copy"], "what is left")
