"""Runs the Python samples of README.md in order, as one program, and compares what it prints with their comments.

Needs BUCKETRY_ENDPOINT, BUCKETRY_ACCESS_KEY_ID and BUCKETRY_SECRET_ACCESS_KEY of an operator.
"""

import contextlib
import io
import os
import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PACKAGE / "src"))

from bucketry import Client, Permission  # noqa: E402

BUCKET = "python-readme"


def main() -> None:
    text = (PACKAGE / "README.md").read_text(encoding="utf-8")
    program = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    wanted = re.findall(r"^ *print\(.*\) +# (.*)$", program, re.MULTILINE)
    endpoint = os.environ["BUCKETRY_ENDPOINT"]
    with Client(endpoint, os.environ["BUCKETRY_ACCESS_KEY_ID"], os.environ["BUCKETRY_SECRET_ACCESS_KEY"]) as operator:
        operator.create_bucket(BUCKET)
        key = operator.create_token(BUCKET, "app", Permission.READ_WRITE).credentials
        os.environ["AWS_ENDPOINT_URL"] = endpoint
        os.environ["BUCKET_NAME"] = BUCKET
        os.environ["AWS_ACCESS_KEY_ID"] = key.access_key_id
        os.environ["AWS_SECRET_ACCESS_KEY"] = key.secret_access_key
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(program, "README.md", "exec"), {})
        got = printed.getvalue().splitlines()
        if not wanted or got != wanted:
            sys.exit(f"README.md: printed {got}, but says {wanted}")
    print(f"python readme: {len(wanted)} lines as printed")


main()
