"""Walks the user guide, line by line in its order, and proves each of them against a running server.

What the guide has its reader do in a browser is done by the command line; its code samples run as they are printed but
for the four values. The guide is `../user_guide/guide.txt`: a line that no step claims, or a step that claims a line
which is not there, fails the walk. The server and the operator's key come from BUCKETRY_ENDPOINT,
BUCKETRY_ACCESS_KEY_ID and BUCKETRY_SECRET_ACCESS_KEY, the command line from BUCKETRY_BINARY.
"""

import sys
from collections import Counter

import plan
import steps  # noqa: F401  (fills the plan)


def main() -> None:
    claimed = plan.claim()
    counts: Counter[str] = Counter()
    for step, lines in claimed:
        counts[step.kind] += len(lines)
        if step.proof is not None:
            try:
                step.proof()
            except Exception as error:
                for line in lines:
                    print(f"FAILED  {line}", file=sys.stderr)
                print(f"        {step.proof.__name__}: {error}", file=sys.stderr)
                raise
        mark = {"proof": "ok", "sample": "ran", "heading": "--", "elsewhere": "n/a"}[step.kind]
        for line in lines:
            print(f"{mark:4} {line}")
    print(
        f"user guide: {counts['proof']} lines of prose proved, {counts['sample']} lines of samples run, "
        f"{counts['heading']} headings, {counts['elsewhere']} lines about other places"
    )


main()
