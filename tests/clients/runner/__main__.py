"""Runs the real clients against real servers: `tests/clients/*/client.toml` says which, and how each is started.

    python tests/clients/runner [--lane quick|all] [--client NAME]… [--scheme http|https] [--postgres URL]
        [--adapter PATH] [--binary PATH] [--jobs N] [--bless]

Every combination of client, scheme and addressing gets a server, a bucket and a read-write token of its own. A client
prints one `RESULT {…}` line for each variant whose checks passed. `results.json` holds what the last run of all clients
found; the compatibility page shows it. A run of all clients fails where its results differ from that file, and
`--bless` rewrites it.
"""

import argparse
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from manifest import Client, Combination, clients
from outcome import Outcome, compare, merge, write
from scene import Scene, make_authority

REPOSITORY = Path(__file__).resolve().parents[3]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/clients/runner")
    parser.add_argument("--lane", choices=["quick", "all"], default="quick")
    parser.add_argument("--client", action="append", default=[], help="a folder of tests/clients; repeatable")
    parser.add_argument("--scheme", choices=["http", "https"], help="only over this one")
    parser.add_argument("--binary", type=Path, default=REPOSITORY / "target/debug/bucketry")
    parser.add_argument("--adapter", type=Path, help="go through this separate adapter over HTTP")
    parser.add_argument("--postgres", help="URL of a PostgreSQL server: each bucketry gets a database there")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--bless", action="store_true", help="rewrite results.json")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    chosen = clients(REPOSITORY / "tests/clients", options.lane, options.client)
    every_style = options.lane == "all" or bool(options.client)
    work = [(client, one) for client in chosen for one in client.combinations(every_style)]
    work = [item for item in work if options.scheme in (None, item[1].scheme)]
    with tempfile.TemporaryDirectory(prefix="bucketry-clients-") as folder:
        authority = make_authority(Path(folder))
        scene = Scene(REPOSITORY, options.binary.resolve(), options.adapter, options.postgres, authority)

        def run(item: tuple[Client, Combination]) -> Outcome:
            outcome = scene.run(*item)
            print(outcome.line(), flush=True)
            return outcome

        with ThreadPoolExecutor(max_workers=options.jobs) as pool:
            outcomes = list(pool.map(run, work))
    failed = [outcome for outcome in outcomes if outcome.failure is not None]
    for outcome in failed:
        print(f"\n--- {outcome.label()}\n{outcome.failure}", file=sys.stderr)
    print(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed")
    if failed or not outcomes:
        return 1
    results = merge(outcomes)
    committed = REPOSITORY / "tests/clients/results.json"
    if options.bless:
        write(committed, results, whole=options.lane == "all" and not options.client)
        return 0
    differences = compare(committed, results, versions=options.lane == "all")
    for difference in differences:
        print(f"results.json: {difference}", file=sys.stderr)
    if differences:
        print("results.json is out of date: `tests/run clients --bless`, review it, then write the page anew:", file=sys.stderr)
        print("BUCKETRY_BLESS=1 cargo test -p bucketry-s3-generator", file=sys.stderr)
    return 1 if differences else 0


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
