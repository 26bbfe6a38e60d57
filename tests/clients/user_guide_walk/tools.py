"""The command line and the clients, as a reader of the guide has them."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

BINARY = os.environ["BUCKETRY_BINARY"]
SAMPLES = Path(__file__).resolve().parent.parent / "user_guide" / "run.py"


def check(holds: object, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def bucketry(*arguments: str, **environment: str) -> str:
    """What the command prints; fails as it fails."""
    ended = attempt(*arguments, **environment)
    check(ended.returncode == 0, f"bucketry {' '.join(arguments)}: {ended.stderr}")
    return ended.stdout


def refusal(*arguments: str, **environment: str) -> str:
    """What the command says when it fails; that it does not is a failure."""
    ended = attempt(*arguments, **environment)
    check(ended.returncode != 0, f"bucketry {' '.join(arguments)} was not refused")
    return ended.stderr


def attempt(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BINARY, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


@dataclass(frozen=True)
class Token:
    """A token and its four values."""

    bucket: str
    id: str
    endpoint: str
    key: str
    secret: str

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "BUCKET_NAME": self.bucket,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
        }

    def s3(self, **changed: str):
        """A client as the guide makes it, tried once only."""
        arguments = {
            "endpoint_url": self.endpoint,
            "aws_access_key_id": self.key,
            "aws_secret_access_key": self.secret,
            **changed,
        }
        return boto3.client("s3", config=Config(retries={"total_max_attempts": 1}), **arguments)

    def may(self, action: str, bucket: str = "", **changed: str) -> str:
        """The error code of one action; empty if it succeeds."""
        s3, name = self.s3(**changed), bucket or self.bucket
        actions = {
            "read": lambda: s3.get_object(Bucket=name, Key="stored"),
            "list": lambda: s3.list_objects_v2(Bucket=name),
            "write": lambda: s3.put_object(Bucket=name, Key="stored", Body=b"stored"),
            "delete": lambda: s3.delete_object(Bucket=name, Key="other"),
            "missing": lambda: s3.get_object(Bucket=name, Key="mistyped"),
        }
        return code_of(actions[action])


def code_of(action) -> str:
    try:
        action()
    except ClientError as error:
        return error.response["Error"]["Code"]
    except BotoCoreError as error:
        return type(error).__name__
    return ""


def token(bucket: str, name: str, permission: str, *more: str) -> Token:
    made = bucketry(
        "token", "create", "--bucket", bucket, "--name", name, "--permission", permission, *more, "--output", "json"
    )
    return read(json.loads(made))


def read(made: dict) -> Token:
    credentials = made["credentials"]
    return Token(
        credentials["bucket"],
        made["token"]["tokenId"],
        credentials["endpointUrl"],
        credentials["accessKeyId"],
        credentials["secretAccessKey"],
    )


def shown(of: Token) -> dict:
    """The token as an administrator sees it."""
    return json.loads(bucketry("token", "show", "--bucket", of.bucket, of.id, "--output", "json"))["token"]


def run_sample(name: str, of: Token) -> None:
    """Runs a sample of the guide in a folder of its own, with the four values of the token."""
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            [sys.executable, SAMPLES, name],
            cwd=folder,
            env={**os.environ, **of.environment()},
            capture_output=True,
            text=True,
            check=False,
        )
    check(ended.returncode == 0, f"{ended.stdout}{ended.stderr}")
