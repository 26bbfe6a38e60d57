"""What each permission may do, by S3: a walk over the table of operations with three tokens of one bucket.

Each token's key comes from READ_ONLY_*, WRITE_ONLY_* and READ_WRITE_* (ACCESS_KEY_ID and SECRET_ACCESS_KEY), the
bucket from BUCKET_NAME; another bucket, of the same account, from OTHER_BUCKET_NAME.
"""

import os
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = os.environ["BUCKET_NAME"]
OTHER_BUCKET = os.environ["OTHER_BUCKET_NAME"]
PERMISSIONS = ("READ_ONLY", "WRITE_ONLY", "READ_WRITE")
READERS = {"READ_ONLY", "READ_WRITE"}
WRITERS = {"WRITE_ONLY", "READ_WRITE"}
BOTH = {"READ_WRITE"}
ALL = set(PERMISSIONS)
NONE: set[str] = set()


def client(permission: str):
    return boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id=os.environ[f"{permission}_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ[f"{permission}_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


S3 = {permission: client(permission) for permission in PERMISSIONS}
owner = S3["READ_WRITE"]


def prepare() -> dict[str, str]:
    """What every operation finds, made anew so that none depends on another."""
    etag = owner.put_object(Bucket=BUCKET, Key="k", Body=b"content", Tagging="a=1")["ETag"]
    upload = owner.create_multipart_upload(Bucket=BUCKET, Key="upload")["UploadId"]
    part = owner.upload_part(Bucket=BUCKET, Key="upload", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    return {"etag": etag, "upload": upload, "part": part}


def key(name: str = "k") -> dict[str, str]:
    return {"Bucket": BUCKET, "Key": name}


def complete(s3, facts: dict[str, str], **options) -> None:
    parts = {"Parts": [{"PartNumber": 1, "ETag": facts["part"]}]}
    s3.complete_multipart_upload(**key("upload"), UploadId=facts["upload"], MultipartUpload=parts, **options)


HTTP = urllib3.PoolManager(retries=False)


def fetched(method: str, url: str, **options) -> None:
    """Sends a request that carries its signature in its URL or body; a refusal is told as boto3 tells it."""
    response = HTTP.request(method, url, **options)
    if response.status < 300:
        return
    code = str(response.status)
    if response.data:
        code = ElementTree.fromstring(response.data).findtext("Code") or code
    raise ClientError({"Error": {"Code": code}}, method)


def signer(s3, version: str):
    """A client with the same key that signs by this version."""
    credentials = s3._request_signer._credentials
    return boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        config=Config(signature_version=version),
    )


def presigned(operation: str, method: str, version: str = "s3v4", **parameters) -> "Operation":
    """The operation by a presigned URL of this signature version."""

    def send(s3, _) -> None:
        url = signer(s3, version).generate_presigned_url(operation, Params=parameters, ExpiresIn=60)
        fetched(method, url, body=b"x" if method == "PUT" else None)

    return send


def form(version: str | None) -> "Operation":
    """A form whose policy is signed by this version; by that of boto3's choice if none is given."""

    def send(s3, _) -> None:
        client = signer(s3, version) if version else s3
        post = client.generate_presigned_post(BUCKET, "k", ExpiresIn=60)
        fetched("POST", post["url"], fields={**post["fields"], "file": ("f", b"x")})

    return send


Operation = Callable[..., object]
SOURCE = f"{BUCKET}/k"
TAGS = {"TagSet": [{"Key": "b", "Value": "2"}]}
CORS = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}

OPERATIONS: list[tuple[str, set[str], Operation]] = [
    ("GetObject", READERS, lambda s3, _: s3.get_object(**key())),
    ("GetObject of a range", READERS, lambda s3, _: s3.get_object(**key(), Range="bytes=0-1")),
    ("HeadObject", READERS, lambda s3, _: s3.head_object(**key())),
    (
        "GetObjectAttributes",
        READERS,
        lambda s3, _: s3.get_object_attributes(**key(), ObjectAttributes=["ETag"]),
    ),
    ("GetObjectTagging", READERS, lambda s3, _: s3.get_object_tagging(**key())),
    ("ListObjects", READERS, lambda s3, _: s3.list_objects(Bucket=BUCKET)),
    ("ListObjectsV2", READERS, lambda s3, _: s3.list_objects_v2(Bucket=BUCKET)),
    ("ListObjectVersions", READERS, lambda s3, _: s3.list_object_versions(Bucket=BUCKET)),
    ("ListMultipartUploads", READERS, lambda s3, _: s3.list_multipart_uploads(Bucket=BUCKET)),
    ("HeadBucket", ALL, lambda s3, _: s3.head_bucket(Bucket=BUCKET)),
    ("GetBucketLocation", ALL, lambda s3, _: s3.get_bucket_location(Bucket=BUCKET)),
    ("GetBucketVersioning", ALL, lambda s3, _: s3.get_bucket_versioning(Bucket=BUCKET)),
    ("ListBuckets", ALL, lambda s3, _: s3.list_buckets()),
    ("CreateBucket of its own", ALL, lambda s3, _: s3.create_bucket(Bucket=BUCKET)),
    ("PutObject", WRITERS, lambda s3, _: s3.put_object(**key(), Body=b"x")),
    ("PutObject with tags", WRITERS, lambda s3, _: s3.put_object(**key(), Body=b"x", Tagging="t=1")),
    ("PutObject for its owner", WRITERS, lambda s3, _: s3.put_object(**key(), Body=b"x", ACL="private")),
    ("PutObject by a form", WRITERS, form("s3v4")),
    ("PutObject by a form of boto3's default", WRITERS, form(None)),
    ("GetObject presigned", READERS, presigned("get_object", "GET", **key())),
    ("HeadObject presigned", READERS, presigned("head_object", "HEAD", **key())),
    ("ListObjectsV2 presigned", READERS, presigned("list_objects_v2", "GET", Bucket=BUCKET)),
    ("PutObject presigned", WRITERS, presigned("put_object", "PUT", **key())),
    ("DeleteObject presigned", BOTH, presigned("delete_object", "DELETE", **key())),
    ("GetObject presigned by version 2", READERS, presigned("get_object", "GET", "s3", **key())),
    ("HeadObject presigned by version 2", READERS, presigned("head_object", "HEAD", "s3", **key())),
    ("PutObject presigned by version 2", WRITERS, presigned("put_object", "PUT", "s3", **key())),
    ("PutObject if absent", WRITERS, lambda s3, _: s3.put_object(**key("fresh"), Body=b"x", IfNoneMatch="*")),
    ("PutObject if the same", BOTH, lambda s3, f: s3.put_object(**key(), Body=b"x", IfMatch=f["etag"])),
    ("PutObjectTagging", WRITERS, lambda s3, _: s3.put_object_tagging(**key(), Tagging=TAGS)),
    ("CreateMultipartUpload", WRITERS, lambda s3, _: s3.create_multipart_upload(**key("another"))),
    (
        "UploadPart",
        WRITERS,
        lambda s3, f: s3.upload_part(**key("upload"), UploadId=f["upload"], PartNumber=2, Body=b"x"),
    ),
    ("ListParts", WRITERS, lambda s3, f: s3.list_parts(**key("upload"), UploadId=f["upload"])),
    ("CompleteMultipartUpload", WRITERS, complete),
    ("CompleteMultipartUpload if absent", WRITERS, lambda s3, f: complete(s3, f, IfNoneMatch="*")),
    (
        "AbortMultipartUpload",
        WRITERS,
        lambda s3, f: s3.abort_multipart_upload(**key("upload"), UploadId=f["upload"]),
    ),
    ("CopyObject", BOTH, lambda s3, _: s3.copy_object(**key("copy"), CopySource=SOURCE)),
    (
        "UploadPartCopy",
        BOTH,
        lambda s3, f: s3.upload_part_copy(**key("upload"), UploadId=f["upload"], PartNumber=2, CopySource=SOURCE),
    ),
    ("DeleteObject", BOTH, lambda s3, _: s3.delete_object(**key())),
    ("DeleteObject that is missing", BOTH, lambda s3, _: s3.delete_object(**key("missing"))),
    ("DeleteObjects", BOTH, lambda s3, _: s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "k"}]})),
    ("DeleteObjectTagging", BOTH, lambda s3, _: s3.delete_object_tagging(**key())),
    ("DeleteBucket", NONE, lambda s3, _: s3.delete_bucket(Bucket=BUCKET)),
    ("GetBucketTagging", READERS, lambda s3, _: s3.get_bucket_tagging(Bucket=BUCKET)),
    ("GetBucketCors", READERS, lambda s3, _: s3.get_bucket_cors(Bucket=BUCKET)),
    ("GetBucketOwnershipControls", READERS, lambda s3, _: s3.get_bucket_ownership_controls(Bucket=BUCKET)),
    ("GetBucketPolicy", NONE, lambda s3, _: s3.get_bucket_policy(Bucket=BUCKET)),
    ("GetBucketLogging", NONE, lambda s3, _: s3.get_bucket_logging(Bucket=BUCKET)),
    ("GetPublicAccessBlock", NONE, lambda s3, _: s3.get_public_access_block(Bucket=BUCKET)),
    ("GetBucketAcl", READERS, lambda s3, _: s3.get_bucket_acl(Bucket=BUCKET)),
    ("GetObjectAcl", READERS, lambda s3, _: s3.get_object_acl(**key())),
    ("PutBucketAcl", NONE, lambda s3, _: s3.put_bucket_acl(Bucket=BUCKET, ACL="private")),
    ("PutObjectAcl", BOTH, lambda s3, _: s3.put_object_acl(**key(), ACL="private")),
    ("DeleteBucketTagging", NONE, lambda s3, _: s3.delete_bucket_tagging(Bucket=BUCKET)),
    ("PutBucketTagging", NONE, lambda s3, _: s3.put_bucket_tagging(Bucket=BUCKET, Tagging=TAGS)),
    ("PutBucketCors", NONE, lambda s3, _: s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration=CORS)),
    ("DeleteBucketCors", NONE, lambda s3, _: s3.delete_bucket_cors(Bucket=BUCKET)),
    ("CreateBucket of another name", NONE, lambda s3, _: s3.create_bucket(Bucket="a-bucket-that-is-new")),
    ("ListObjectsV2 elsewhere", NONE, lambda s3, _: s3.list_objects_v2(Bucket=OTHER_BUCKET)),
    ("GetObject elsewhere, presigned", NONE, presigned("get_object", "GET", Bucket=OTHER_BUCKET, Key="k")),
    ("PutObject elsewhere, presigned", NONE, presigned("put_object", "PUT", Bucket=OTHER_BUCKET, Key="k")),
    ("GetObject elsewhere", NONE, lambda s3, _: s3.get_object(Bucket=OTHER_BUCKET, Key="k")),
    ("PutObject elsewhere", NONE, lambda s3, _: s3.put_object(Bucket=OTHER_BUCKET, Key="k", Body=b"x")),
    ("HeadBucket elsewhere", NONE, lambda s3, _: s3.head_bucket(Bucket=OTHER_BUCKET)),
    (
        "CopyObject from elsewhere",
        NONE,
        lambda s3, _: s3.copy_object(**key("copy"), CopySource=f"{OTHER_BUCKET}/k"),
    ),
    ("ListObjectsV2 nowhere", NONE, lambda s3, _: s3.list_objects_v2(Bucket="a-bucket-that-is-not-there")),
]


def answer(operation: Operation, s3, facts: dict[str, str]) -> str:
    """`allowed`, or the code of the refusal."""
    try:
        operation(s3, facts)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        # A HEAD has no body to tell the code in.
        return "AccessDenied" if code == "403" else code
    return "allowed"


def clean() -> None:
    for upload in owner.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
        owner.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
    found = [{"Key": entry["Key"]} for entry in owner.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
    if found:
        owner.delete_objects(Bucket=BUCKET, Delete={"Objects": found})


def same_refusal() -> list[str]:
    """A foreign bucket and one that is not there are told from each other by nothing."""
    told = []
    for name in (OTHER_BUCKET, "a-bucket-that-is-not-there"):
        try:
            owner.list_objects_v2(Bucket=name)
        except ClientError as error:
            facts = error.response["Error"]
            told.append((error.response["ResponseMetadata"]["HTTPStatusCode"], facts["Code"], facts["Message"]))
    return [] if len(told) == 2 and told[0] == told[1] else [f"a foreign and a missing bucket differ: {told}"]


def write_only_learns_nothing() -> list[str]:
    """Present and absent keys give a write-only token the same answer."""
    prepare()
    told = {answer(lambda s3, _, name=name: s3.head_object(**key(name)), S3["WRITE_ONLY"], {}) for name in ("k", "no")}
    return [] if told == {"AccessDenied"} else [f"a write-only token learns which keys are there: {told}"]


def own_bucket_only() -> list[str]:
    faults = []
    for permission, s3 in S3.items():
        names = [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
        if names != [BUCKET]:
            faults.append(f"{permission} lists {names}")
    return faults


def main() -> int:
    faults = []
    checked = 0
    for name, allowed, operation in OPERATIONS:
        for permission in PERMISSIONS:
            facts = prepare()
            got = answer(operation, S3[permission], facts)
            wanted = "allowed" if permission in allowed else "AccessDenied"
            checked += 1
            if got != wanted:
                faults.append(f"{name} with {permission}: got {got}, wanted {wanted}")
            clean()
    for check in (same_refusal, write_only_learns_nothing, own_bucket_only):
        checked += 1
        faults += check()
    for fault in faults:
        print(f"FAILED {fault}")
    print(f"{checked - len(faults)} passed, {len(faults)} failed")
    return 1 if faults else 0


sys.exit(main())
