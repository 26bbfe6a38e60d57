"""What every case of the boto3 suite stands on: clients, a bucket of its own, and checks that say what they wanted."""

import itertools
import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import contextmanager

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
MIB = 1024 * 1024
MIN_PART = 5 * MIB

CASES: dict[str, Callable[[], None]] = {}
_numbers = itertools.count(1)


class Failure(AssertionError):
    """A case that did not get what it wanted."""


def client(**options):
    """A client. Nothing is retried: the first answer is what a case is about."""
    options.setdefault("retries", {"total_max_attempts": 1})
    return boto3.client("s3", region_name="us-east-1", config=Config(**options))


s3 = client()


def case(function: Callable[[], None]) -> Callable[[], None]:
    """Registers a case."""
    CASES[f"{function.__module__}.{function.__name__}"] = function
    return function


def bucket() -> str:
    """A new bucket of the case's own."""
    name = f"suite-{os.getpid()}-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


def equal(got, wanted, what: str = "value") -> None:
    if got != wanted:
        raise Failure(f"{what}: got {_short(got)}, wanted {_short(wanted)}")


def holds(condition: bool, what: str) -> None:
    if not condition:
        raise Failure(what)


def _short(value) -> str:
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:400]}… ({len(text)} characters)"


@contextmanager
def refused(status: int, *codes: str):
    """Checks that the block is refused with this HTTP status and one of these codes.

    A HEAD answer has no body, so its code is the status itself.
    """
    try:
        yield
    except ClientError as error:
        got_status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        got_code = error.response["Error"]["Code"]
        equal(got_status, status, f"status ({got_code}: {error.response['Error'].get('Message', '')})")
        holds(got_code in codes, f"code: got {got_code}, wanted {' or '.join(codes)}")
        return
    raise Failure(f"was not refused; wanted {status} {' or '.join(codes)}")


def read(name: str, key: str, **options) -> bytes:
    return s3.get_object(Bucket=name, Key=key, **options)["Body"].read()


def pattern(size: int, seed: int = 1) -> bytes:
    """Bytes that do not repeat soon, so that a swapped part is noticed."""
    block = bytes((index * (seed * 2 + 1) + (index >> 8) * seed) & 0xFF for index in range(65_536 + seed))
    return (block * (size // len(block) + 1))[:size]


def main(wanted: list[str]) -> int:
    chosen = {name: run for name, run in CASES.items() if not wanted or any(part in name for part in wanted)}
    if not chosen:
        print(f"no case has a name that contains {' or '.join(wanted)}", file=sys.stderr)
        return 2
    failed = []
    for name, run in chosen.items():
        begin = time.monotonic()
        try:
            run()
        except Exception as error:
            failed.append(name)
            print(f"FAILED {name}: {error}")
            if not isinstance(error, Failure):
                traceback.print_exc(file=sys.stdout)
            else:
                line = traceback.extract_tb(error.__traceback__)[1]
                print(f"       {line.filename}:{line.lineno}: {line.line}")
        else:
            print(f"ok     {name} ({time.monotonic() - begin:.2f} s)")
    print(f"{len(chosen) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0
