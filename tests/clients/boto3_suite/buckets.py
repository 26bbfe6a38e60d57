"""Making, finding and deleting buckets; path style and virtual-host style."""

import socket
from urllib.parse import urlsplit

from harness import ENDPOINT, bucket, case, client, equal, holds, read, refused, s3


@case
def is_listed_when_made_and_gone_when_deleted():
    name = bucket()
    holds(name in [entry["Name"] for entry in s3.list_buckets()["Buckets"]], "the bucket is not listed")
    s3.delete_bucket(Bucket=name)
    holds(name not in [entry["Name"] for entry in s3.list_buckets()["Buckets"]], "the bucket is still listed")
    with refused(404, "404"):
        s3.head_bucket(Bucket=name)


@case
def listing_names_the_owner_and_the_time():
    name = bucket()
    listed = s3.list_buckets()
    holds(bool(listed["Owner"]["ID"]), "no owner")
    made = next(entry for entry in listed["Buckets"] if entry["Name"] == name)
    holds(made["CreationDate"] is not None, "no creation date")


@case
def listing_is_paged():
    names = sorted(bucket() for _ in range(3))
    seen = []
    for page in s3.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 1}):
        holds(len(page["Buckets"]) <= 1, "a page holds more than MaxBuckets")
        seen += [entry["Name"] for entry in page["Buckets"]]
    equal(seen, sorted(seen), "order")
    equal([name for name in seen if name in names], names, "buckets")


@case
def listing_by_prefix():
    name = bucket()
    equal([entry["Name"] for entry in s3.list_buckets(Prefix=name)["Buckets"]], [name], "buckets")


@case
def again_by_its_owner_changes_nothing():
    name = bucket()
    s3.put_object(Bucket=name, Key="kept", Body=b"kept")
    s3.create_bucket(Bucket=name)
    equal(read(name, "kept"), b"kept")


@case
def head_tells_the_region():
    name = bucket()
    headers = s3.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPHeaders"]
    equal(headers.get("x-amz-bucket-region"), "us-east-1", "region")
    equal(s3.get_bucket_location(Bucket=name).get("LocationConstraint"), None, "location")


@case
def bad_names_are_refused():
    for name in ("Upper-Case", "under_score", "ab", "192.168.5.4", "two..dots", "-begins"):
        with refused(400, "InvalidBucketName"):
            client(s3={"addressing_style": "path"}).create_bucket(Bucket=name)


@case
def another_region_is_refused():
    elsewhere = {"LocationConstraint": "eu-west-1"}
    with refused(400, "IllegalLocationConstraintException"):
        s3.create_bucket(Bucket="suite-in-another-region", CreateBucketConfiguration=elsewhere)


@case
def a_bucket_with_objects_is_not_deleted():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    with refused(409, "BucketNotEmpty"):
        s3.delete_bucket(Bucket=name)
    s3.delete_object(Bucket=name, Key="k")
    s3.delete_bucket(Bucket=name)


@case
def a_missing_bucket_is_told():
    missing = "suite-no-such-bucket"
    with refused(404, "NoSuchBucket"):
        s3.list_objects_v2(Bucket=missing)
    with refused(404, "NoSuchBucket"):
        s3.put_object(Bucket=missing, Key="k", Body=b"x")
    with refused(404, "NoSuchBucket"):
        s3.delete_bucket(Bucket=missing)
    with refused(404, "NoSuchBucket"):
        s3.get_bucket_location(Bucket=missing)


@case
def virtual_host_style():
    """Names under `localhost` are this machine, though few C libraries know it."""
    name = bucket()
    original = socket.getaddrinfo

    def local(host, *arguments, **options):
        return original("127.0.0.1" if str(host).endswith(".localhost") else host, *arguments, **options)

    socket.getaddrinfo = local
    try:
        virtual = client(s3={"addressing_style": "virtual"})
        hosts = []
        virtual.meta.events.register("before-send.s3", lambda request, **_: hosts.append(urlsplit(request.url).hostname))
        virtual.put_object(Bucket=name, Key="a/b c", Body=b"by host name")
        equal(virtual.get_object(Bucket=name, Key="a/b c")["Body"].read(), b"by host name")
        equal([entry["Key"] for entry in virtual.list_objects_v2(Bucket=name)["Contents"]], ["a/b c"], "keys")
    finally:
        socket.getaddrinfo = original
    equal(set(hosts), {f"{name}.{urlsplit(ENDPOINT).hostname}"}, "hosts")
    equal(read(name, "a/b c"), b"by host name", "the same object by path")


@case
def path_style():
    name = bucket()
    path = client(s3={"addressing_style": "path"})
    path.put_object(Bucket=name, Key="k", Body=b"by path")
    equal(path.get_object(Bucket=name, Key="k")["Body"].read(), b"by path")
