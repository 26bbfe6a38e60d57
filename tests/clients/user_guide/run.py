"""Runs one code sample of the user guide as its reader would: with nothing changed but the four values.

The samples are kept as the guide prints them. The values come from AWS_ENDPOINT_URL, BUCKET_NAME, AWS_ACCESS_KEY_ID
and AWS_SECRET_ACCESS_KEY. The working directory is used for the sample's files.
"""

import os
import subprocess
import sys
from pathlib import Path

import boto3

SAMPLES = Path(__file__).resolve().parent
REPORTER = SAMPLES.parent / "node" / "report-answers.js"
VALUES = {
    "your-endpoint-url": os.environ["AWS_ENDPOINT_URL"],
    "your-bucket-name": os.environ["BUCKET_NAME"],
    "your-access-key-id": os.environ["AWS_ACCESS_KEY_ID"],
    "your-secret-access-key": os.environ["AWS_SECRET_ACCESS_KEY"],
}
BUCKET = os.environ["BUCKET_NAME"]
LOCAL = b"what the reader uploads\n"
STORED = b"what was there before\n"

s3 = boto3.client("s3")


def sample(name: str) -> str:
    """The sample with the four values put in."""
    text = (SAMPLES / name).read_text(encoding="utf-8")
    for placeholder, value in VALUES.items():
        text = text.replace(placeholder, value)
    return text


def run(command: list[str], *, without: frozenset[str] = frozenset(), preload: Path | None = None) -> str:
    """What the command prints; fails as it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in without}
    if preload is not None:
        environment["NODE_OPTIONS"] = f"{environment.get('NODE_OPTIONS', '')} --require={preload}".strip()
    ended = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    print(ended.stdout)
    check(ended.returncode == 0, f"the sample exited with {ended.returncode}")
    return ended.stdout


def check(holds: bool, message: str) -> None:
    if not holds:
        sys.exit(f"user guide: {message}")


def stored(key: str) -> bytes:
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def downloaded() -> bytes:
    path = Path("downloaded-file.txt")
    check(path.exists(), "no file was downloaded")
    return path.read_bytes()


def aws_cli() -> None:
    s3.put_object(Bucket=BUCKET, Key="file.txt", Body=STORED)
    # The guide has the reader type the commands one by one: each must succeed.
    Path("sample.sh").write_text("set -e\n" + sample("aws-cli.sh.txt"), encoding="utf-8")
    printed = run(["bash", "sample.sh"], without=frozenset({"AWS_ENDPOINT_URL", "BUCKET_NAME"}))
    check("file.txt" in printed, "the listing does not show file.txt")
    check(stored("local-file.txt") == LOCAL, "the upload is not there")
    check(downloaded() == STORED, "the download differs")


def python_basic() -> None:
    s3.put_object(Bucket=BUCKET, Key="already there.txt", Body=STORED)
    Path("sample.py").write_text(sample("basic.py"), encoding="utf-8")
    printed = run([sys.executable, "sample.py"], without=frozenset(os.environ) - {"PATH"})
    check(" - already there.txt" in printed, "the listing does not show the object")
    check(stored("uploaded-file.txt") == LOCAL, "the upload is not there")
    check(downloaded() == LOCAL, "the download differs")


def python_environment() -> None:
    Path("sample.py").write_text(sample("env.py"), encoding="utf-8")
    run([sys.executable, "sample.py"])


def node_basic() -> None:
    # The sample lists, uploads and downloads at once: its download may come before its upload.
    s3.put_object(Bucket=BUCKET, Key="uploaded-file.txt", Body=STORED)
    Path("sample.js").write_text(sample("basic.js"), encoding="utf-8")
    printed = run(["node", "sample.js"], without=frozenset(key for key in os.environ if key.startswith("AWS_")))
    check("rror:" not in printed, "the sample printed an error")
    check(" - uploaded-file.txt" in printed, "the listing does not show the object")
    check("File uploaded successfully!" in printed, "the upload was not told")
    check("File downloaded successfully!" in printed, "the download was not told")
    check(stored("uploaded-file.txt") == LOCAL, "the upload is not there")
    check(downloaded() in (LOCAL, STORED), "the download differs")


def node_environment() -> None:
    Path(".env").write_text(sample("env.txt"), encoding="utf-8")
    Path("sample.js").write_text(sample("env.js"), encoding="utf-8")
    # The values must come from the file, as the guide says. The sample looks at no answer: the reporter does.
    own = frozenset(key for key in os.environ if key.startswith("AWS_")) | {"BUCKET_NAME"}
    printed = run(["node", "sample.js"], without=own, preload=REPORTER)
    answers = [line.split() for line in printed.splitlines() if line.startswith("answer: ")]
    check([answer[-1] for answer in answers] == ["200"], f"the listing was not answered with 200: {answers}")
    check(answers[0][2].startswith(f"{BUCKET}."), "the bucket was not addressed by the host name")


def main() -> None:
    runs = {
        "aws-cli": aws_cli,
        "python-basic": python_basic,
        "python-environment": python_environment,
        "node-basic": node_basic,
        "node-environment": node_environment,
    }
    if len(sys.argv) != 2 or sys.argv[1] not in runs:
        sys.exit(f"usage: run.py {'|'.join(runs)}")
    Path("local-file.txt").write_bytes(LOCAL)
    runs[sys.argv[1]]()


main()
