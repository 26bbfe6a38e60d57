"""s5cmd: a folder of files with odd names up, moved within the bucket, down again; one large file by parts."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from programs import BIG_SIZE, BUCKET, CA_FILE, CACHE, ENDPOINT, check, compare_files, content, names_of_files, report, run, write_files

PROGRAM = CACHE / "s5cmd/s5cmd/bin/s5cmd"
S3 = f"s3://{BUCKET}"


def s5cmd(*words: str, expect: int = 0, **options) -> str:
    return run(PROGRAM, *words, expect=expect, **options).stdout.decode()


def prepare_environment() -> None:
    os.environ["S3_ENDPOINT_URL"] = ENDPOINT
    if CA_FILE:
        os.environ["AWS_CA_BUNDLE"] = CA_FILE


def folders(names: list[str]) -> None:
    write_files(Path("sent"), names)
    s5cmd("cp", "sent/", f"{S3}/up/")
    lines = s5cmd("--json", "ls", f"{S3}/up/*").strip().split("\n")
    listed = [json.loads(line)["key"].removeprefix(f"{S3}/up/") for line in lines]
    check(sorted(listed) == sorted(names), f"ls shows {len(listed)} of {len(names)} files: {set(listed) ^ set(names)}")
    s5cmd("cp", f"{S3}/up/*", "received/")
    compare_files(Path("received"), names, "cp")
    check(s5cmd("sync", "--size-only", "sent/", f"{S3}/up/") == "", "sync copies what is there already")

    # On the server: a copy and a delete for each name.
    s5cmd("mv", f"{S3}/up/*", f"{S3}/moved/")
    s5cmd("ls", f"{S3}/up/*", expect=1)
    s5cmd("cp", f"{S3}/moved/*", "moved/")
    compare_files(Path("moved"), names, "mv")
    s5cmd("cp", f"{S3}/moved/*", f"{S3}/copied/")
    s5cmd("sync", "--delete", "sent/", f"{S3}/copied/")
    s5cmd("cp", f"{S3}/copied/*", "copied/")
    compare_files(Path("copied"), names, "cp on the server")


def single_files(names: list[str]) -> None:
    """Names given as they are, one by one, as a script would."""
    for name in [name for name in names if "+" in name or " " in name or "%" in name]:
        s5cmd("mv", "--raw", f"{S3}/copied/{name}", f"{S3}/single/{name}")
        s5cmd("cp", "--raw", f"{S3}/single/{name}", "single")
        check(Path("single").read_bytes() == Path("sent", name).read_bytes(), f"mv of {name!r}: the content differs")
    from_pipe = content("pipe", 70_000)
    run(PROGRAM, "pipe", "--metadata", "colour=dark green", f"{S3}/from pipe", input=from_pipe)
    check(run(PROGRAM, "cat", f"{S3}/from pipe").stdout == from_pipe, "cat differs from pipe")
    check('"colour":"dark green"' in s5cmd("head", f"{S3}/from pipe").replace('": "', '":"').replace("Colour", "colour"), "no metadata")


def big_file() -> None:
    big = content("big", BIG_SIZE)
    Path("big").write_bytes(big)
    s5cmd("cp", "--part-size", "5", "--concurrency", "3", "big", f"{S3}/by parts/big + file")
    s5cmd("cp", "--part-size", "5", f"{S3}/by parts/big + file", "big back")
    check(Path("big back").read_bytes() == big, "the large file differs")
    s5cmd("mv", "--raw", f"{S3}/by parts/big + file", f"{S3}/by parts/big + moved")
    check(run(PROGRAM, "cat", f"{S3}/by parts/big + moved").stdout == big, "the moved large file differs")
    link = s5cmd("presign", f"{S3}/by parts/big + moved").strip()
    trust = ["--cacert", CA_FILE] if CA_FILE else []
    check(run("curl", "--silent", "--fail", *trust, link).stdout == big, "what the presigned URL gives differs")


def missing() -> None:
    for words in (("cp", f"{S3}/missing", "x"), ("cat", f"{S3}/missing"), ("head", f"{S3}/missing")):
        said = run(PROGRAM, *words, expect=1).stderr.decode()
        check("not found" in said.lower() or "NoSuchKey" in said or "404" in said, f"{words[0]} of a missing key says {said}")
        check("AccessDenied" not in said, f"{words[0]} of a missing key says {said}")


def main() -> None:
    prepare_environment()
    names = names_of_files()
    folders(names)
    single_files(names)
    big_file()
    missing()
    s5cmd("rm", f"{S3}/*")
    s5cmd("ls", f"{S3}/*", expect=1)
    exercised = ["cp", "ls", "mv on the server", "cp on the server", "sync", "sync --delete", "pipe", "cat", "head", "metadata"]
    exercised += ["multipart by 5 MiB", "ranges", "presign", "rm", "missing key"]
    report("s5cmd", s5cmd("version").strip().removeprefix("v").split("-")[0], exercised)


main()
