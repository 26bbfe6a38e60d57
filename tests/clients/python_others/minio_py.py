"""minio-py with its defaults."""

import io
from datetime import timedelta
from importlib.metadata import version

import urllib3
from minio import Minio
from minio.commonconfig import ComposeSource, CopySource, Tags
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from workload import (
    ACCESS_KEY_ID, BUCKET, CA_FILE, ENDPOINT, HTTPS, MIB, MULTIPART_SIZE, PATH_STYLE, REGION, SECRET_ACCESS_KEY, content,
    equal, names, pattern, refused, run, same_names,
)

LARGE = pattern(MULTIPART_SIZE)
NAMES = names()
client = Minio(ENDPOINT.partition("://")[2], access_key=ACCESS_KEY_ID, secret_key=SECRET_ACCESS_KEY, secure=HTTPS,
               region=REGION)
if not PATH_STYLE:
    client.enable_virtual_style_endpoint()


def read(name: str, **options) -> bytes:
    response = client.get_object(BUCKET, name, **options)
    try:
        return response.read()
    finally:
        response.close()
        response.release_conn()


def write(name: str, data: bytes, **options):
    return client.put_object(BUCKET, name, io.BytesIO(data), len(data), **options)


def listed(**options) -> list[str]:
    return [entry.object_name for entry in client.list_objects(BUCKET, recursive=True, **options)]


def small_objects():
    for name in NAMES:
        write(name, content(name))
    for name in NAMES:
        equal(read(name), content(name), f"content of {name!r}")
        equal(client.stat_object(BUCKET, name).size, len(content(name)), f"size of {name!r}")


def listing():
    same_names(listed(), NAMES, "a recursive listing")
    same_names(listed(use_api_v1=True), NAMES, "a listing by version 1")
    half = sorted(NAMES, key=str.encode)[100]
    same_names(listed(start_after=half), [name for name in NAMES if name.encode() > half.encode()], "names after one")
    for number in range(1_003):
        write(f"many/{number:04}", b"")
    same_names(listed(prefix="many/"), [f"many/{number:04}" for number in range(1_003)], "a listing of two pages")
    errors = client.remove_objects(BUCKET, (DeleteObject(f"many/{number:04}") for number in range(1_003)))
    equal([str(error) for error in errors], [], "errors of deletion")


def metadata():
    tags = Tags.new_object_tags()
    tags["a b"] = "+=/@"
    write("with metadata", b"m", content_type="text/x-test", metadata={"colour": "dark green"}, tags=tags)
    found = client.stat_object(BUCKET, "with metadata")
    equal((found.content_type, found.metadata["x-amz-meta-colour"]), ("text/x-test", "dark green"), "metadata")
    equal(dict(client.get_object_tags(BUCKET, "with metadata")), {"a b": "+=/@"}, "tags")


def copies():
    for name in ("plus+sign", "a b+c", "percent%2Fslash", "emoji 🪣🦀", "ünïcödé"):
        client.copy_object(BUCKET, "copied", CopySource(BUCKET, name))
        equal(read("copied"), content(name), f"copy of {name!r}")


def multipart():
    result = write("large/sized", LARGE, part_size=5 * MIB)
    equal(result.etag[-2:], "-3", "kind of the entity tag")
    equal(read("large/sized") == LARGE, True, "same content of parts of 5 MiB")
    client.put_object(BUCKET, "large/unknown size", io.BytesIO(LARGE), -1, part_size=5 * MIB)
    equal(read("large/unknown size") == LARGE, True, "same content of an unknown size")
    sources = [ComposeSource(BUCKET, "large/sized"), ComposeSource(BUCKET, "a b+c")]
    client.compose_object(BUCKET, "large/composed", sources)
    equal(read("large/composed") == LARGE + content("a b+c"), True, "same content of a composition")


def ranges():
    equal(read("large/sized", offset=5 * MIB - 10, length=21), LARGE[5 * MIB - 10:5 * MIB + 11], "a range")
    equal(read("large/sized", offset=len(LARGE) - 77), LARGE[-77:], "the end")


def presigned():
    pool = urllib3.PoolManager(ca_certs=CA_FILE)
    for name in ("plain.txt", "a b+c", "percent%2Fslash"):
        url = client.presigned_put_object(BUCKET, name, expires=timedelta(minutes=5))
        equal(pool.request("PUT", url, body=content(name)).status, 200, f"status of a presigned PUT of {name!r}")
        url = client.presigned_get_object(BUCKET, name)
        equal(pool.request("GET", url).data, content(name), f"presigned content of {name!r}")


def errors():
    for action in (lambda: read("missing"), lambda: client.stat_object(BUCKET, "missing")):
        equal(refused(action, S3Error, "a missing key").code, "NoSuchKey", "code")


def deletes():
    client.remove_object(BUCKET, NAMES[0])
    found = client.remove_objects(BUCKET, [DeleteObject(name) for name in listed()])
    equal([str(error) for error in found], [], "errors of deletion")
    equal(listed(), [], "what is left")


def work():
    small_objects()
    yield f"PutObject, GetObject, HeadObject of {len(NAMES)} odd names"
    listing()
    yield "ListObjectsV2, ListObjects by pages"
    metadata()
    yield "metadata, tags"
    copies()
    yield "CopyObject"
    multipart()
    yield "multipart by 5 MiB, of a known and of an unknown size; compose"
    ranges()
    yield "ranges"
    presigned()
    yield "presigned URLs"
    errors()
    yield "typed errors"
    deletes()
    yield "DeleteObject, DeleteObjects"


run("minio-py", version("minio"), work)
