"""Refusals: codes, statuses, messages and elements, as S3 has them."""

import os
import urllib.error
import urllib.request
from contextlib import contextmanager

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from harness import ENDPOINT, Failure, bucket, case, equal, refused, s3


def as_caller(**options):
    return boto3.client("s3", config=Config(retries={"total_max_attempts": 1}), **options)


@case
def an_unknown_key():
    name = bucket()
    stranger = as_caller(aws_access_key_id="AAAAAAAAAAAAAAAAAAAA", aws_secret_access_key="x" * 40)
    with refused(403, "InvalidAccessKeyId"):
        stranger.list_objects_v2(Bucket=name)


@case
def a_wrong_secret():
    name = bucket()
    impostor = as_caller(aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], aws_secret_access_key="x" * 40)
    with refused(403, "SignatureDoesNotMatch"):
        impostor.list_objects_v2(Bucket=name)
    with refused(403, "403"):
        impostor.head_bucket(Bucket=name)


@case
def nobody():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    anonymous = boto3.client("s3", config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}))
    with refused(403, "AccessDenied"):
        anonymous.get_object(Bucket=name, Key="k")
    with refused(403, "AccessDenied"):
        anonymous.put_object(Bucket=name, Key="k", Body=b"y")


@case
def a_session_token():
    with refused(400, "InvalidToken"):
        as_caller(
            aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
            aws_session_token="there are none",
        ).list_buckets()


@case
def another_region():
    name = bucket()
    # The client follows the region that the refusal names.
    elsewhere = boto3.client("s3", region_name="eu-central-1", config=Config(signature_version="s3v4"))
    with refused(400, "AuthorizationHeaderMalformed"):
        boto3.client(
            "s3",
            region_name="eu-central-1",
            config=Config(signature_version="s3v4", retries={"total_max_attempts": 1}),
        ).list_buckets()
    equal(elsewhere.list_objects_v2(Bucket=name)["KeyCount"], 0, "keys")


@case
def a_version_that_is_none():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    with refused(400, "InvalidArgument"):
        s3.get_object(Bucket=name, Key="k", VersionId="no-such-version")


@contextmanager
def told(status: int, code: str, message: str | None = None, **elements: str):
    """Checks status, code, message and the further elements of a refusal."""
    try:
        yield
    except ClientError as error:
        got = error.response["Error"]
        equal((error.response["ResponseMetadata"]["HTTPStatusCode"], got["Code"]), (status, code), got.get("Message", ""))
        if message is not None:
            equal(got["Message"], message, f"message of {code}")
        for name, value in elements.items():
            equal(got.get(name), value, f"{name} of {code}")
        return
    raise Failure(f"was not refused; wanted {status} {code}")


def put_header(event: str, name: str, value: str):
    """A client that sends one more header with an operation, signed."""
    changed = as_caller()
    changed.meta.events.register(f"before-sign.s3.{event}", lambda request, **_: request.headers.add_header(name, value))
    return changed


@case
def what_does_not_exist():
    name = bucket()
    with told(404, "NoSuchKey", "The specified key does not exist.", Key="missing/key"):
        s3.get_object(Bucket=name, Key="missing/key")
    upload = {"Bucket": name, "Key": "k", "UploadId": "A" * 32}
    text = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    with told(404, "NoSuchUpload", text, UploadId="A" * 32):
        s3.list_parts(**upload)
    with told(404, "NoSuchTagSet", "The TagSet does not exist", BucketName=name):
        s3.get_bucket_tagging(Bucket=name)
    with told(404, "NoSuchCORSConfiguration", "The CORS configuration does not exist", BucketName=name):
        s3.get_bucket_cors(Bucket=name)


@case
def a_bucket_that_is_not_empty():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    with told(409, "BucketNotEmpty", "The bucket you tried to delete is not empty", BucketName=name):
        s3.delete_bucket(Bucket=name)


@case
def numbers_of_a_listing():
    name = bucket()
    for limit, argument, message in (
        (2**31, "max-keys", "Provided max-keys not an integer or within integer range"),
        (-1, "maxKeys", "Argument maxKeys must be an integer between 0 and 2147483647"),
    ):
        with told(400, "InvalidArgument", message, ArgumentName=argument, ArgumentValue=str(limit)):
            s3.list_objects_v2(Bucket=name, MaxKeys=limit)
    with told(400, "InvalidArgument", "The continuation token provided is incorrect", ArgumentName="continuation-token"):
        s3.list_objects_v2(Bucket=name, ContinuationToken="nonsense")
    with told(400, "InvalidArgument", "Invalid Encoding Method specified in Request", ArgumentName="encoding-type"):
        s3.list_objects_v2(Bucket=name, EncodingType="base64")


@case
def parts():
    name = bucket()
    target = {"Bucket": name, "Key": "k"}
    target["UploadId"] = s3.create_multipart_upload(**target)["UploadId"]
    number = "Part number must be an integer between 1 and 10000, inclusive"
    with told(400, "InvalidArgument", number, ArgumentName="partNumber", ArgumentValue="10001"):
        s3.upload_part(PartNumber=10001, Body=b"x", **target)
    etags = [s3.upload_part(PartNumber=number, Body=b"x", **target)["ETag"] for number in (1, 2)]
    listed = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    small = {"ProposedSize": "1", "MinSizeAllowed": str(5 << 20), "PartNumber": "1", "ETag": etags[0].strip('"')}
    with told(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", **small):
        s3.complete_multipart_upload(MultipartUpload={"Parts": listed}, **target)
    wrong = {"PartNumber": 1, "ETag": '"00000000000000000000000000000000"'}
    elements = {"UploadId": target["UploadId"], "PartNumber": "1", "ETag": "0" * 32}
    with told(400, "InvalidPart", **elements):
        s3.complete_multipart_upload(MultipartUpload={"Parts": [wrong]}, **target)
    order = "The list of parts was not in ascending order. Parts must be ordered by part number."
    with told(400, "InvalidPartOrder", order):
        s3.complete_multipart_upload(MultipartUpload={"Parts": listed[::-1]}, **target)
    with told(400, "MalformedXML"):
        s3.complete_multipart_upload(**target)
    s3.complete_multipart_upload(MultipartUpload={"Parts": listed[:1]}, **target)
    requested = {"ActualPartCount": "1", "PartNumberRequested": "99"}
    with told(416, "InvalidPartNumber", "The requested partnumber is not satisfiable", **requested):
        s3.get_object(Bucket=name, Key="k", PartNumber=99)
    with refused(416, "416"):
        s3.head_object(Bucket=name, Key="k", PartNumber=99)


@case
def tags_that_break_the_rules():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")

    def tag(*tags: tuple[str, str]) -> None:
        tagging = {"TagSet": [{"Key": key, "Value": value} for key, value in tags]}
        s3.put_object_tagging(Bucket=name, Key="k", Tagging=tagging)

    with told(400, "InvalidTag", "The TagKey you have provided is invalid", TagKey="k" * 129):
        tag(("k" * 129, "v"))
    with told(400, "InvalidTag", "The TagValue you have provided is invalid", TagKey="k", TagValue="v" * 257):
        tag(("k", "v" * 257))
    with told(400, "InvalidTag", "Cannot provide multiple Tags with the same key", TagKey="k"):
        tag(("k", "1"), ("k", "2"))
    with told(400, "BadRequest", "Object tags cannot be greater than 10"):
        tag(*((str(number), "") for number in range(11)))
    tag(("b", "2"), ("a", "1"))
    stored = s3.get_object_tagging(Bucket=name, Key="k")["TagSet"]
    equal([tag["Key"] for tag in stored], ["a", "b"], "order of tags")


@case
def copies_that_make_no_sense():
    name = bucket()
    s3.put_object(Bucket=name, Key="with space", Body=b"x")
    itself = (
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
        "metadata, storage class, website redirect location or encryption attributes."
    )
    with told(400, "InvalidRequest", itself):
        s3.copy_object(Bucket=name, Key="with space", CopySource=f"{name}/with space")
    # A plus sign is a space here, as Java's URLEncoder writes it.
    plus = as_caller()
    plus.meta.events.register(
        "before-sign.s3.CopyObject",
        lambda request, **_: request.headers.replace_header("x-amz-copy-source", f"{name}/with+space"),
    )
    plus.copy_object(Bucket=name, Key="copy", CopySource=f"{name}/with space")
    equal(s3.get_object(Bucket=name, Key="copy")["Body"].read(), b"x", "content")
    target = {"Bucket": name, "Key": "parts"}
    target["UploadId"] = s3.create_multipart_upload(**target)["UploadId"]
    text = "Range specified is not valid for source object of size: 1"
    with told(400, "InvalidArgument", text, ArgumentName="x-amz-copy-source-range"):
        s3.upload_part_copy(PartNumber=1, CopySource=f"{name}/with space", CopySourceRange="bytes=0-9", **target)


@case
def ranges():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"0123456789")
    elements = {"RangeRequested": "bytes=10-", "ActualObjectSize": "10"}
    with told(416, "InvalidRange", "The requested range is not satisfiable", **elements):
        s3.get_object(Bucket=name, Key="k", Range="bytes=10-")


@case
def conditions_name_themselves():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    text = "At least one of the pre-conditions you specified did not hold"
    with told(412, "PreconditionFailed", text, Condition="If-None-Match"):
        s3.put_object(Bucket=name, Key="k", Body=b"y", IfNoneMatch="*")
    with told(412, "PreconditionFailed", text, Condition="If-Match"):
        s3.get_object(Bucket=name, Key="k", IfMatch='"other"')
    not_implemented = "A header you provided implies functionality that is not implemented"
    with told(501, "NotImplemented", not_implemented, Header="If-None-Match"):
        s3.put_object(Bucket=name, Key="k", Body=b"y", IfNoneMatch='"other"')


@case
def rules_of_cors():
    name = bucket()
    for rule, code, message in (
        (
            {"AllowedOrigins": ["*"], "AllowedMethods": ["PATCH"]},
            "InvalidRequest",
            "Found unsupported HTTP method in CORS config. Unsupported method is PATCH",
        ),
        (
            {"AllowedOrigins": ["http://*.*.com"], "AllowedMethods": ["GET"]},
            "InvalidRequest",
            'AllowedOrigin "http://*.*.com" can not have more than one wildcard.',
        ),
        ({"AllowedOrigins": [], "AllowedMethods": ["GET"]}, "MalformedXML", None),
    ):
        with told(400, code, message):
            s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule]})


@case
def attributes_of_an_object():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    text = (
        "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty"
    )
    with told(400, "InvalidRequest", text):
        s3.get_object_attributes(Bucket=name, Key="k", ObjectAttributes=[])
    with told(400, "InvalidArgument", "Invalid attribute name specified.", ArgumentName="x-amz-object-attributes"):
        s3.get_object_attributes(Bucket=name, Key="k", ObjectAttributes=["Colour"])


@case
def redirects():
    name = bucket()
    text = "The website redirect location must have a prefix of 'http://' or 'https://' or '/'."
    with told(400, "InvalidRedirectLocation", text):
        s3.put_object(Bucket=name, Key="k", Body=b"x", WebsiteRedirectLocation="elsewhere")


@case
def metadata_beyond_ascii():
    name = bucket()
    value = "J\u00fcrgen \u5009"
    changed = put_header("PutObject", "x-amz-meta-name", value)
    changed.put_object(Bucket=name, Key="k", Body=b"x")
    got = s3.head_object(Bucket=name, Key="k")["ResponseMetadata"]["HTTPHeaders"]["x-amz-meta-name"]
    equal(got, "=?UTF-8?Q?J=C3=BCrgen_=E5=80=89?=", "metadata")


@case
def encodings_come_back_as_sent():
    name = bucket()
    for sent, stored in (("deflate, gzip", "deflate, gzip"), ("gzip, aws-chunked", "gzip")):
        s3.put_object(Bucket=name, Key="k", Body=b"x", ContentEncoding=sent)
        equal(s3.head_object(Bucket=name, Key="k")["ContentEncoding"], stored, f"encoding of {sent}")


@case
def overrides_beyond_latin_1():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    text = "Header value cannot be represented using ISO-8859-1."
    with told(400, "InvalidArgument", text, ArgumentName="response-content-disposition"):
        s3.get_object(Bucket=name, Key="k", ResponseContentDisposition="attachment; filename=\u5009")


@case
def the_region_is_told_to_strangers():
    name = bucket()
    answers = []
    for path in (name, "a-bucket-that-does-not-exist"):
        try:
            urllib.request.urlopen(urllib.request.Request(f"{ENDPOINT}/{path}", method="HEAD"))
        except urllib.error.HTTPError as error:
            answers.append((error.code, error.headers["x-amz-bucket-region"], error.read()))
    equal(answers, [(403, "us-east-1", b"")] * 2, "answers")
