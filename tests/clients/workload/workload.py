"""What every Python client's work is made of: odd names, contents to be checked byte by byte, one result line."""

import hashlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

MIB = 1024 * 1024
MULTIPART_SIZE = 13 * MIB + 4_321

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
BUCKET = os.environ["BUCKET_NAME"]
REGION = os.environ["AWS_REGION"]
ACCESS_KEY_ID = os.environ["AWS_ACCESS_KEY_ID"]
SECRET_ACCESS_KEY = os.environ["AWS_SECRET_ACCESS_KEY"]
PATH_STYLE = os.environ["CLIENT_ADDRESSING"] == "path"
CA_FILE = os.environ.get("CLIENT_CA_FILE")
HTTPS = ENDPOINT.startswith("https://")


class Failure(AssertionError):
    """The client got something other than expected."""


def equal(got, wanted, what: str) -> None:
    if got != wanted:
        raise Failure(f"{what}: got {_short(got)}, wanted {_short(wanted)}")


def same_names(got: Iterable[str], wanted: Iterable[str], what: str) -> None:
    """Compares two listings without regard to order: a missing, an invented or a repeated name is a failure."""
    got, wanted = list(got), set(wanted)
    missing, invented = wanted - set(got), set(got) - wanted
    if missing or invented or len(got) != len(wanted):
        raise Failure(
            f"{what}: {len(got)} names instead of {len(wanted)}; missing {_short(sorted(missing))}, "
            f"not expected {_short(sorted(invented))}"
        )


def refused(action: Callable[[], object], error: type[BaseException], what: str) -> BaseException:
    """Checks that the action raises this type of error, and gives the error."""
    try:
        action()
    except error as caught:
        return caught
    except Exception as other:
        raise Failure(f"{what}: raised {type(other).__name__}: {other}; wanted {error.__name__}") from other
    raise Failure(f"{what}: was not refused; wanted {error.__name__}")


def _short(value) -> str:
    text = repr(value)
    return text if len(text) <= 500 else f"{text[:500]}… ({len(text)} characters)"


def names(excluded: Callable[[str], bool] = lambda name: False) -> list[str]:
    """The odd names, without those that the client cannot express."""
    text = Path(os.environ["CLIENT_NAMES"]).read_text(encoding="utf-8")
    found = [name for name in text.split("\n") if name and not excluded(name)]
    if len(found) < 150:
        raise Failure(f"only {len(found)} names are left to test with")
    return found


def content(name: str) -> bytes:
    """The content of a small object: of its own, 0 to about 12 KiB."""
    digest = hashlib.sha256(name.encode()).digest()
    return digest * (digest[0] + digest[1] // 2) if digest[0] > 10 else b""


def pattern(size: int, seed: int = 1) -> bytes:
    """Bytes that do not repeat, so that a swapped or shifted part is noticed."""
    return hashlib.shake_128(seed.to_bytes(8, "big")).digest(size)


def run(client: str, version: str, work: Callable[[], Iterable[str]]) -> None:
    """Runs one client's work, which gives what it exercised as it goes, and prints the result or exits with 1."""
    begin, exercised = time.monotonic(), []
    try:
        for step in work():
            exercised.append(step)
    except BaseException:
        traceback.print_exc()
        after = exercised[-1] if exercised else "the start"
        sys.exit(f"FAILED {client} {version}, in the step after: {after}")
    print(f"{client}: {time.monotonic() - begin:.1f} s", file=sys.stderr)
    line = {"client": client, "version": version, "exercised": exercised}
    print("RESULT " + json.dumps(line, ensure_ascii=False), flush=True)
