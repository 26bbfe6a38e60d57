"""What the runs of client programs share: the settings of a run, files with odd names, and the report.

Only the standard library is used: the programs under test bring what they need themselves.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
BUCKET = os.environ["BUCKET_NAME"]
CA_FILE = os.environ.get("CLIENT_CA_FILE")
CACHE = Path(os.environ["CACHE"])
PATH_STYLE = os.environ["CLIENT_ADDRESSING"] == "path"
NAMES = Path(os.environ["CLIENT_NAMES"]).read_text(encoding="utf-8").removesuffix("\n").split("\n")

# 12 MiB and a bit: three parts of 5 MiB, the last one smaller.
BIG_SIZE = 12 * 1024 * 1024 + 4321


def fail(message: str) -> NoReturn:
    print(f"FAILED: {message}", file=sys.stderr)
    sys.exit(1)


def check(holds: bool, message: str) -> None:
    if not holds:
        fail(message)


def content(name: str, length: int) -> bytes:
    """Bytes that no other name has."""
    return hashlib.shake_256(name.encode()).digest(length)


def small(name: str) -> bytes:
    """The content of the object `name`: up to 3 KiB, and none for a few."""
    encoded = len(name.encode())
    return b"" if encoded % 16 == 0 else content(name, encoded * 37 % 3072)


def names_of_files() -> list[str]:
    """The names that are also paths which a file system can hold as they are: no empty segment, none that means a
    folder, no file where others need a folder, and room for a folder before them and for a suffix behind them."""

    def is_path(name: str) -> bool:
        segments = name.split("/")
        fits = len(name.encode()) <= 950 and all(len(segment.encode()) <= 220 for segment in segments)
        return fits and not any(segment in ("", ".", "..") for segment in segments)

    found = [name for name in NAMES if is_path(name) and not any(other.startswith(name + "/") for other in NAMES)]
    check(len(found) > 100, f"only {len(found)} names are paths")
    return found


def write_files(folder: Path, names: list[str]) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(small(name))


def compare_files(folder: Path, names: list[str], what: str) -> None:
    """Ends the run unless the folder holds exactly these files, with their contents."""
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    missing, more = sorted(set(names) - found), sorted(found - set(names))
    check(not missing and not more, f"{what}: missing {missing}, unexpected {more}")
    for name in names:
        check((folder / name).read_bytes() == small(name), f"{what}: the content of {name!r} differs")


def run(*words: str | Path, expect: int | tuple[int, ...] = 0, **options) -> subprocess.CompletedProcess[bytes]:
    """Runs a program; ends the run unless it exits with `expect`, or with one of them."""
    expected = expect if isinstance(expect, tuple) else (expect,)
    ended = subprocess.run([str(word) for word in words], capture_output=True, check=False, **options)
    if ended.returncode not in expected:
        output = (ended.stdout[-2000:] + ended.stderr[-4000:]).decode(errors="replace")
        fail(f"{' '.join(str(word) for word in words)[:300]}: exit status {ended.returncode}, expected {expected}\n{output}")
    return ended


def report(client: str, version: str, exercised: list[str]) -> None:
    print("RESULT", json.dumps({"client": client, "version": version, "exercised": exercised}), flush=True)
