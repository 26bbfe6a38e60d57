"""rclone: a folder of files with odd names up, checked, synchronised, moved, down again; one large file by parts."""

import os
import re
import sys
import unicodedata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from programs import BIG_SIZE, BUCKET, CA_FILE, CACHE, ENDPOINT, PATH_STYLE, check, compare_files, content
from programs import names_of_files, report, run, small, write_files

# The distribution's, or the one that `../rclone_newest` built.
NEWEST = sys.argv[1:] == ["newest"]
PROGRAM = str(CACHE / "rclone_newest/rclone") if NEWEST else "rclone"
REMOTE = f"store:{BUCKET}"


def rclone(*words: str, expect: int = 0, **options) -> bytes:
    return run(PROGRAM, *words, expect=expect, **options).stdout


def configure() -> None:
    """What a configuration file would say."""
    settings = {"type": "s3", "provider": "Other", "env_auth": "true", "region": "us-east-1", "endpoint": ENDPOINT}
    if not PATH_STYLE:
        settings["force_path_style"] = "false"
    for name, value in settings.items():
        os.environ[f"RCLONE_CONFIG_STORE_{name.upper()}"] = value
    # The token is of one bucket and makes none.
    os.environ["RCLONE_S3_NO_CHECK_BUCKET"] = "true"
    os.environ["RCLONE_CONFIG"] = "/dev/null"
    if CA_FILE:
        os.environ["RCLONE_CA_CERT"] = CA_FILE


def once_each(names: list[str]) -> list[str]:
    """rclone takes names that differ only in how Unicode composes their characters for one file."""
    return list({unicodedata.normalize("NFC", name): name for name in names}.values())


def folders(names: list[str]) -> None:
    write_files(Path("sent"), names)
    rclone("copy", "sent", f"{REMOTE}/up")
    rclone("check", "--download", "sent", f"{REMOTE}/up")
    listed = rclone("lsf", "--recursive", "--files-only", f"{REMOTE}/up").decode().removesuffix("\n").split("\n")
    check(sorted(listed) == sorted(names), f"lsf shows {set(listed) ^ set(names)}")
    rclone("copy", f"{REMOTE}/up", "received")
    compare_files(Path("received"), names, "copy")

    # The server copies; what has gone here goes there.
    rclone("copy", f"{REMOTE}/up", f"{REMOTE}/copied + here")
    gone, changed = names[0], names[1]
    Path("sent", gone).unlink()
    Path("sent", changed).write_bytes(content("changed", 5000))
    rclone("sync", "sent", f"{REMOTE}/copied + here")
    rclone("check", "--download", "sent", f"{REMOTE}/copied + here")
    rclone("move", f"{REMOTE}/up", f"{REMOTE}/moved")
    rclone("copy", f"{REMOTE}/moved", "moved")
    compare_files(Path("moved"), names, "move")
    check(rclone("lsf", f"{REMOTE}/up") == b"", "move left something")


def single_files(names: list[str]) -> None:
    for name in [name for name in names if "+" in name or "%" in name][:5]:
        rclone("moveto", f"{REMOTE}/moved/{name}", f"{REMOTE}/single/{name}")
        check(rclone("cat", f"{REMOTE}/single/{name}") == small(name), f"moveto of {name!r}: the content differs")
    piped = content("pipe", 70_000)
    rclone("rcat", f"{REMOTE}/from pipe", input=piped)
    check(rclone("cat", f"{REMOTE}/from pipe") == piped, "cat differs from rcat")
    Path("described").write_bytes(b"described")
    rclone("copyto", "--metadata", "--metadata-set", "colour=dark green", "described", f"{REMOTE}/described")
    check(b'"colour":"dark green"' in rclone("lsjson", "--metadata", f"{REMOTE}/described"), "lsjson shows no metadata")


def big_file() -> None:
    big = content("big", BIG_SIZE)
    Path("big").write_bytes(big)
    parts = ("--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M")
    rclone("copyto", *parts, "big", f"{REMOTE}/by parts/big + file")
    check(rclone("cat", f"{REMOTE}/by parts/big + file") == big, "the large file differs")
    rclone("copyto", "--s3-copy-cutoff", "5M", *parts, f"{REMOTE}/by parts/big + file", f"{REMOTE}/by parts/copied")
    check(rclone("cat", f"{REMOTE}/by parts/copied") == big, "the large copy differs")
    span = rclone("cat", "--offset", "5242800", "--count", "161", f"{REMOTE}/by parts/copied")
    check(span == big[5242800:5242961], "the range differs")
    link = rclone("link", f"{REMOTE}/by parts/big + file").decode().strip()
    trust = ["--cacert", CA_FILE] if CA_FILE else []
    check(run("curl", "--silent", "--fail", *trust, link).stdout == big, "what the link gives differs")


def missing() -> None:
    # Other commands take a missing key for an empty folder. 4: object not found; old versions say 1.
    said = run(PROGRAM, "deletefile", "--retries", "1", f"{REMOTE}/missing", expect=(1, 4)).stderr.decode()
    check("object not found" in said or "doesn't exist" in said, f"deletefile of a missing key says {said}")


def main() -> None:
    configure()
    names = once_each(names_of_files())
    folders(names)
    single_files(names)
    big_file()
    missing()
    rclone("delete", REMOTE)
    check(rclone("lsf", "--recursive", REMOTE) == b"", "delete left something")
    version = re.search(r"rclone v([0-9.]+)", rclone("version").decode())
    exercised = ["copy", "check --download", "lsf", "copy on the server", "sync", "move", "moveto", "rcat", "cat", "metadata"]
    exercised += ["multipart by 5 MiB", "multipart copy", "range", "link", "delete", "missing key"]
    report("rclone, newest" if NEWEST else "rclone", version[1] if version else "unknown", exercised)


main()
