"""Litestream: a database replicated while it is written, restored as it was, replicated further and restored again."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from programs import BUCKET, CA_FILE, CACHE, ENDPOINT, NAMES, PATH_STYLE, check, content, fail, report, run

PROGRAM = CACHE / "litestream/litestream"
DATABASE, SOCKET = str(Path("main.db").resolve()), str(Path("socket").resolve())
REPLICA_PATH = "replicas/of main + ä"


def configure() -> None:
    # JSON is YAML.
    replica = {
        "type": "s3", "bucket": BUCKET, "path": REPLICA_PATH, "endpoint": ENDPOINT, "region": "us-east-1",
        "force-path-style": PATH_STYLE,
    }
    settings = {"socket": {"enabled": True, "path": SOCKET}, "dbs": [{"path": DATABASE, "replica": replica}]}
    Path("litestream.yml").write_text(json.dumps(settings), encoding="utf-8")
    if CA_FILE:
        os.environ["SSL_CERT_FILE"] = CA_FILE


def write(start: int, rounds: int) -> None:
    """Many transactions of small rows, and one of a large one."""
    database = sqlite3.connect(DATABASE)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE IF NOT EXISTS objects (name TEXT NOT NULL, round INTEGER NOT NULL, data BLOB NOT NULL)")
    for number in range(start, start + rounds):
        with database:
            rows = ((name, number, content(f"{number} {name}", 200)) for name in NAMES)
            database.executemany("INSERT INTO objects VALUES (?, ?, ?)", rows)
    with database:
        large = content(f"large {start}", 7 * 1024 * 1024)
        database.execute("INSERT INTO objects VALUES ('large', ?, ?)", (start, large))
    database.close()


def rows_of(path: str) -> list:
    database = sqlite3.connect(path)
    check(database.execute("PRAGMA integrity_check").fetchone() == ("ok",), f"{path} is damaged")
    rows = database.execute("SELECT name, round, data FROM objects ORDER BY round, name").fetchall()
    database.close()
    return rows


@contextmanager
def replication() -> Iterator[None]:
    """Litestream as the daemon that it is; what is written inside goes to the replica."""
    daemon = subprocess.Popen(
        [PROGRAM, "replicate", "-config", "litestream.yml"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = []
    for line in daemon.stdout:
        said.append(line)
        if "control socket listening" in line:
            break
    else:
        fail(f"litestream did not start: {''.join(said)}")
    rest = threading.Thread(target=lambda: said.extend(daemon.stdout), daemon=True)
    rest.start()
    try:
        yield
        run(PROGRAM, "sync", "-wait", "-socket", SOCKET, DATABASE)
    finally:
        daemon.terminate()
        daemon.wait()
        rest.join()
    wrong = [line for line in said if "level=ERROR" in line or "level=WARN" in line]
    check(not wrong, f"litestream says {wrong}")


def restore_and_compare(target: str, rows: int) -> None:
    run(PROGRAM, "restore", "-config", "litestream.yml", "-o", target, DATABASE)
    restored = rows_of(target)
    check(len(restored) == rows, f"{len(restored)} rows were restored, {rows} were written")
    check(restored == rows_of(DATABASE), "the restored rows differ")


def main() -> None:
    configure()
    missing = run(PROGRAM, "restore", "-config", "litestream.yml", "-o", "none.db", DATABASE, expect=1)
    said = (missing.stdout + missing.stderr).decode()
    check("no matching backup" in said or "not found" in said, f"restore of nothing says {said}")
    with replication():
        write(0, 12)
    restore_and_compare("first.db", 12 * len(NAMES) + 1)
    with replication():
        write(12, 5)
        run(PROGRAM, "sync", "-wait", "-socket", SOCKET, DATABASE)
        write(17, 2)
    restore_and_compare("second.db", 19 * len(NAMES) + 3)
    listed = run(PROGRAM, "ltx", "-config", "litestream.yml", DATABASE).stdout.decode()
    check(len(listed.splitlines()) > 2, f"ltx lists {listed}")
    version = run(PROGRAM, "version").stdout.decode().strip().removeprefix("v")
    report("Litestream", version, ["replicate", "restore", "replicate further", "ltx", "restore of a missing replica"])


main()
