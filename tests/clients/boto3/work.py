"""boto3 with its defaults; `boto3[crt]` as argument: with the transfers done by the AWS Common Runtime."""

import io
import os
import ssl
import sys
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import boto3
import botocore
from boto3.s3.transfer import TransferConfig, create_transfer_manager
from botocore.exceptions import ClientError
from workload import BUCKET, CA_FILE, MIB, MULTIPART_SIZE, content, equal, names, pattern, refused, run, same_names

VARIANT = sys.argv[1]
CRT = VARIANT == "boto3[crt]"
NAMES = names()
LARGE = pattern(MULTIPART_SIZE)

s3 = boto3.client("s3")
config = TransferConfig(preferred_transfer_client="crt") if CRT else TransferConfig()


def version() -> str:
    if not CRT:
        return f"{boto3.__version__} (botocore {botocore.__version__})"
    import awscrt

    return f"{boto3.__version__} (awscrt {awscrt.__version__})"


def read(key: str, **options) -> bytes:
    return s3.get_object(Bucket=BUCKET, Key=key, **options)["Body"].read()


def listed(**options) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, **options)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def small_objects():
    for name in NAMES:
        s3.put_object(Bucket=BUCKET, Key=name, Body=content(name))
    for name in NAMES:
        equal(read(name), content(name), f"content of {name!r}")
    for name in NAMES[::5]:
        equal(s3.head_object(Bucket=BUCKET, Key=name)["ContentLength"], len(content(name)), f"size of {name!r}")


def small_transfers():
    """Names again by the transfer manager: all of them where that is another client, the CRT."""
    some = NAMES if CRT else NAMES[::5]
    for name in some:
        s3.upload_fileobj(io.BytesIO(content(f"again {name}")), BUCKET, name, Config=config)
    for name in some:
        got = io.BytesIO()
        s3.download_fileobj(BUCKET, name, got, Config=config)
        equal(got.getvalue(), content(f"again {name}"), f"transferred content of {name!r}")


def listing():
    wanted = sorted(NAMES, key=str.encode)
    equal(listed(PaginationConfig={"PageSize": 37}), wanted, "ListObjectsV2 by pages of 37")
    pages = s3.get_paginator("list_objects").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 50})
    equal([entry["Key"] for page in pages for entry in page["Contents"]], wanted, "ListObjects by pages of 50")
    answer = s3.list_objects_v2(Bucket=BUCKET, Delimiter="/", Prefix="folder with space/")
    equal([entry["Key"] for entry in answer["Contents"]], ["folder with space/file with space"], "a folder")


def metadata():
    s3.put_object(Bucket=BUCKET, Key="with metadata", Body=b"m", ContentType="text/x-test; charset=utf-8",
                  CacheControl="max-age=60", Metadata={"colour": "dark green", "n": "1"})
    head = s3.head_object(Bucket=BUCKET, Key="with metadata")
    equal(head["Metadata"], {"colour": "dark green", "n": "1"}, "metadata")
    equal((head["ContentType"], head["CacheControl"]), ("text/x-test; charset=utf-8", "max-age=60"), "headers")
    s3.put_object_tagging(Bucket=BUCKET, Key="with metadata", Tagging={"TagSet": [{"Key": "a b", "Value": "+=/@"}]})
    tags = s3.get_object_tagging(Bucket=BUCKET, Key="with metadata")["TagSet"]
    equal(tags, [{"Key": "a b", "Value": "+=/@"}], "tags")


def copies():
    for source in ("plus+sign", "a b+c", "percent%2Fslash", "🦀/" * 204 + "end.", "with metadata"):
        s3.copy_object(Bucket=BUCKET, Key="copied", CopySource={"Bucket": BUCKET, "Key": source})
        equal(read("copied"), read(source), f"copy of {source[:30]!r}")
    equal(s3.head_object(Bucket=BUCKET, Key="copied")["Metadata"], {"colour": "dark green", "n": "1"}, "metadata")
    s3.copy({"Bucket": BUCKET, "Key": "question?mark"}, BUCKET, "copied")
    equal(read("copied"), read("question?mark"), "a managed copy")
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "copied"}, {"Key": "with metadata"}]})


def managed_multipart():
    Path("large").write_bytes(LARGE)
    s3.upload_file("large", BUCKET, "large/by file", Config=config)
    s3.upload_fileobj(io.BytesIO(LARGE), BUCKET, "large/by stream", Config=config)
    for key in ("large/by file", "large/by stream"):
        head = s3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
        equal((head["ContentLength"], head["ETag"][-3:]), (len(LARGE), '-2"'), f"size and kind of {key}")
        s3.download_file(BUCKET, key, "got", Config=config)
        equal(Path("got").read_bytes() == LARGE, True, f"same content of {key}")
    s3.copy({"Bucket": BUCKET, "Key": "large/by file"}, BUCKET, "large/copied",
            Config=TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=6 * MIB))
    equal(read("large/copied") == LARGE, True, "same content of a multipart copy")


def multipart():
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="large/by parts")["UploadId"]
    parts = []
    for number, at in enumerate(range(0, len(LARGE), 5 * MIB), 1):
        part = s3.upload_part(Bucket=BUCKET, Key="large/by parts", UploadId=upload, PartNumber=number,
                              Body=LARGE[at:at + 5 * MIB])
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    seen = s3.list_parts(Bucket=BUCKET, Key="large/by parts", UploadId=upload)["Parts"]
    equal([part["Size"] for part in seen], [5 * MIB, 5 * MIB, len(LARGE) - 10 * MIB], "sizes of the parts")
    s3.complete_multipart_upload(Bucket=BUCKET, Key="large/by parts", UploadId=upload,
                                 MultipartUpload={"Parts": parts})
    equal(read("large/by parts") == LARGE, True, "same content of parts of 5 MiB")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="large/aborted")["UploadId"]
    s3.upload_part(Bucket=BUCKET, Key="large/aborted", UploadId=upload, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(Bucket=BUCKET, Key="large/aborted", UploadId=upload)
    equal(s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []), [], "uploads left")


def ranges():
    equal(read("large/by parts", Range="bytes=5242870-5242890"), LARGE[5242870:5242891], "a range over two parts")
    equal(read("large/by parts", Range="bytes=-77"), LARGE[-77:], "the last 77 bytes")
    second = s3.get_object(Bucket=BUCKET, Key="large/by parts", PartNumber=2)
    equal(second["Body"].read() == LARGE[5 * MIB:10 * MIB], True, "same content of part 2")


def presigned():
    trust = ssl.create_default_context(cafile=os.environ.get("CLIENT_CA_FILE")) if CA_FILE else None
    for name in ("plain.txt", "a+b c", "percent%2Fslash", "💧 new"):
        url = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": name})
        stored = urllib.request.Request(url, content(name), {"Content-Type": ""}, method="PUT")
        urllib.request.urlopen(stored, context=trust)
        url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": name})
        equal(urllib.request.urlopen(url, context=trust).read(), content(name), f"presigned {name!r}")
    post = s3.generate_presigned_post(BUCKET, "posted ü")
    boundary = uuid.uuid4().hex
    fields = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                     for name, value in post["fields"].items())
    fields += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nposted\r\n'
    fields += f"--{boundary}--\r\n"
    request = urllib.request.Request(post["url"], fields.encode(),
                                     {"Content-Type": f"multipart/form-data; boundary={boundary}"})
    try:
        urllib.request.urlopen(request, context=trust)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"form refused: {error.code} {error.read().decode()}") from error
    equal(read("posted ü"), b"posted", "content of a form")
    s3.delete_object(Bucket=BUCKET, Key="💧 new")
    s3.delete_object(Bucket=BUCKET, Key="posted ü")


def conditions():
    etag = s3.put_object(Bucket=BUCKET, Key="condition", Body=b"1", IfNoneMatch="*")["ETag"]
    error = refused(lambda: s3.put_object(Bucket=BUCKET, Key="condition", Body=b"2", IfNoneMatch="*"), ClientError,
                    "a second creation")
    equal(error.response["Error"]["Code"], "PreconditionFailed", "code")
    s3.put_object(Bucket=BUCKET, Key="condition", Body=b"2", IfMatch=etag)
    equal(read("condition"), b"2", "content")
    s3.delete_object(Bucket=BUCKET, Key="condition")


def deletes():
    s3.delete_object(Bucket=BUCKET, Key=NAMES[0])
    gone = [{"Key": name} for name in listed() if name != NAMES[0]]
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": gone})
    same_names([entry["Key"] for entry in answer["Deleted"]], [entry["Key"] for entry in gone], "deleted")
    equal(answer.get("Errors", []), [], "errors")
    equal(listed(), [], "what is left")


def errors():
    refused(lambda: s3.get_object(Bucket=BUCKET, Key="missing"), s3.exceptions.NoSuchKey, "a missing key")
    error = refused(lambda: s3.head_object(Bucket=BUCKET, Key="missing"), ClientError, "HEAD of a missing key")
    equal(error.response["Error"]["Code"], "404", "code of HEAD")
    error = refused(lambda: s3.download_file(BUCKET, "missing", "got", Config=config), ClientError, "a download")
    equal(error.response["Error"]["Code"], "404", "code of a download")
    refused(lambda: s3.abort_multipart_upload(Bucket=BUCKET, Key="k", UploadId="unknown"), s3.exceptions.NoSuchUpload,
            "an unknown upload")


def work():
    if CRT:
        manager = type(create_transfer_manager(s3, config)).__name__
        equal(manager, "CRTTransferManager", "what does the transfers")
    small_objects()
    yield f"PutObject, GetObject, HeadObject of {len(NAMES)} odd names"
    small_transfers()
    yield "upload_fileobj, download_fileobj" + (" by the CRT" if CRT else "")
    listing()
    yield "ListObjectsV2, ListObjects by pages"
    metadata()
    yield "metadata, tags"
    copies()
    yield "CopyObject"
    managed_multipart()
    yield "multipart by the transfer manager, UploadPartCopy"
    multipart()
    yield "multipart by 5 MiB"
    ranges()
    yield "ranges, one part"
    presigned()
    yield "presigned URLs and form"
    conditions()
    yield "conditional writes"
    errors()
    yield "typed errors"
    deletes()
    yield "DeleteObject, DeleteObjects"


run(VARIANT, version(), work)
