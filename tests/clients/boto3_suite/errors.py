"""Refusals that are about who asks and how."""

import os

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from harness import bucket, case, equal, refused, s3


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
