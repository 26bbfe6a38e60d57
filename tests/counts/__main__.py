"""Counts what one request costs a server: instructions, allocations, system calls and SQL statements.

    python tests/counts --server target/release/bucketry --load target/release/load [--postgres URL] [--operations N]

Prints a Markdown table and, below it, which system calls and statements they are. Each figure is the difference between
a run of N operations and one of 3 N, divided by their number, so that the start, the preparation and the connection do
not count; what an idle server does in that time is subtracted. One connection sends one request at a time: a write shares its transaction with no other.

Instructions and allocations are counted by valgrind's callgrind (user space only; a `realloc` is an allocation), system
calls by strace, statements on SQLite by callgrind as runs of a prepared statement (COMMIT does not count), and
statements on PostgreSQL by a proxy that reads the protocol. `--postgres` names the server by the URL of a user that may create a database, without
TLS; a database of its own is made there and dropped.
"""

import argparse
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from instructions import Callgrind
from server import BUCKET, ROOT, Key, Server, free_port
from statements import StatementProxy
from system_calls import Strace

PAGE = 1_000
FILL_CONNECTIONS = 8
IDLE_SECONDS = 10
# Background work would be counted as part of requests.
QUIET = ["--collect-interval=1h", "--node-lease=3h", "--usage-interval=1h"]
SHOWN = 12

# Counts while it runs the function, and answers with what was counted and what the function answers.
Measure = Callable[[Callable[[], int | None]], tuple[Counter, int | None]]


@dataclass(frozen=True)
class Operation:
    name: str
    arguments: list[str]
    # A page of 1,000 costs as much as many small requests.
    share: float = 1.0


OPERATIONS = [
    Operation("S3 GET 4 KiB", ["--operation", "get"]),
    Operation("S3 HEAD", ["--operation", "head"]),
    Operation("S3 PUT 4 KiB", ["--operation", "put"]),
    Operation("S3 LIST 1,000", ["--operation", "list", "--prefix", "load-put/"], 0.1),
    Operation("gRPC GET 4 KiB", ["--operation", "get", "--front", "grpc"]),
]


@dataclass
class Figures:
    instructions: float = 0.0
    allocations: float = 0.0
    sqlite_statements: float = 0.0
    system_calls: Counter = field(default_factory=Counter)
    postgres_statements: Counter | None = None

    def row(self, name: str) -> str:
        postgres = "–" if self.postgres_statements is None else f"{total(self.postgres_statements):.2f}"
        return (
            f"| {name} | {self.instructions:,.0f} | {self.allocations:,.0f} | {total(self.system_calls):.2f} "
            f"| {self.sqlite_statements:.2f} | {postgres} |"
        )


def total(counter: Counter) -> float:
    return sum(counter.values())


@dataclass(frozen=True)
class Run:
    counted: Counter
    operations: int
    seconds: float

    def per_operation(self, long: "Run", idle: "Run") -> Counter:
        """What one operation adds from this run to a longer one, beyond an idle server's work in the time between."""
        operations = long.operations - self.operations
        if operations <= 0:
            raise SystemExit("counts: the longer run made no more operations than the shorter one")
        idle_share = (long.seconds - self.seconds) / idle.seconds
        return Counter(
            {
                name: (long.counted[name] - self.counted[name] - idle.counted[name] * idle_share) / operations
                for name in long.counted.keys() | self.counted.keys()
            }
        )


class Counting:
    def __init__(self, arguments: argparse.Namespace, folder: Path):
        self._arguments, self._folder = arguments, folder
        self._deadline = time.monotonic() + arguments.within
        self._data = folder / "data"

    def left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise SystemExit(f"counts: not done within {self._arguments.within} s; raise --within or lower --operations")
        return left

    def start(self, wrapper: list[str] | None = None, arguments: list[str] | None = None) -> Server:
        words = [*(wrapper or []), self._arguments.server, "serve", "--console-listen", "none"]
        words += ["--listen", "127.0.0.1:0", "--data-dir", self._data]
        return Server(words + QUIET + (arguments or []), self._folder / "server.log", self.left())

    def load(self, server: Server, key: Key, words: list[str]) -> int:
        """Runs the load tool and answers with the number of operations."""
        command = [self._arguments.load, "run", "--endpoint", server.url, "--bucket", BUCKET, "--output", "json"]
        return key.run_load([*command, "--seconds", "60", *words], self.left())

    def each(self, server: Server, key: Key, measure: Measure) -> Iterator[tuple[str, Counter]]:
        """What `measure` counts of one operation of each kind, without what the server does by itself."""
        runs = [(operation.name, self.runs(server, key, operation, measure)) for operation in OPERATIONS]
        # At the end: a server that has just started has work of its own.
        idle = timed(measure, lambda: time.sleep(min(IDLE_SECONDS, self.left())))
        for name, (short, long) in runs:
            yield name, short.per_operation(long, idle)

    def runs(self, server: Server, key: Key, operation: Operation, measure: Measure) -> tuple["Run", "Run"]:
        """A run of the operation, and one of three times its length."""
        count = max(2, round(self._arguments.operations * operation.share))
        words = [*operation.arguments, "--connections", "1", "--operations"]
        make = lambda number: self.load(server, key, [*words, str(number)])
        # The first requests fill caches, and the objects to read are new.
        make(count)
        return timed(measure, lambda: make(count)), timed(measure, lambda: make(3 * count))

    def prepare(self, server: Server) -> Key:
        """Makes the bucket, a token, and the objects to be listed."""
        key = Key(self._arguments.server, server.url, ROOT).token(BUCKET)
        words = ["--operation", "put", "--front", "grpc", "--connections", str(FILL_CONNECTIONS)]
        self.load(server, key, [*words, "--operations", str(PAGE)])
        return key

    def count(self) -> dict[str, Figures]:
        figures = {operation.name: Figures() for operation in OPERATIONS}
        with self.start() as server:
            key = self.prepare(server)
            strace = Strace(server.pid, self._folder / "strace.txt")
            for name, counted in self.each(server, key, strace.measure):
                figures[name].system_calls = counted
        with self.start(Callgrind.wrapper(self._folder)) as server:
            key = key.at(server.url)
            callgrind = Callgrind(server.pid, self._folder)
            for name, counted in self.each(server, key, callgrind.measure):
                found = figures[name]
                found.instructions = counted["instructions"]
                found.allocations = counted["allocations"]
                found.sqlite_statements = counted["statements"]
        if self._arguments.postgres:
            self._count_postgres(figures)
        return figures

    def _count_postgres(self, figures: dict[str, Figures]) -> None:
        url = urlsplit(self._arguments.postgres)
        name = f"counts_{free_port()}_{time.time_ns()}"
        with ExitStack() as stack:
            psql(self._arguments.postgres, f"CREATE DATABASE {name}")
            stack.callback(psql, self._arguments.postgres, f"DROP DATABASE {name} WITH (FORCE)")
            proxy = stack.enter_context(StatementProxy(url.hostname, url.port or 5432))
            user = url.netloc.rpartition("@")[0]
            netloc = f"{user}@127.0.0.1:{proxy.port}" if user else f"127.0.0.1:{proxy.port}"
            keyring = self._data / "keyring"
            kept = self._folder / "keyring"
            kept.write_bytes(keyring.read_bytes())
            kept.chmod(0o600)
            self._data = self._folder / "postgres-data"
            database = urlunsplit(url._replace(netloc=netloc, path=f"/{name}"))
            words = ["--database-url", database, "--keyring-file", str(kept), "--allow-unsafe-database"]
            server = stack.enter_context(self.start(arguments=words))
            key = self.prepare(server)
            for name, counted in self.each(server, key, proxy.measure):
                figures[name].postgres_statements = counted


def timed(measure: Measure, action: Callable[[], int | None]) -> "Run":
    began = time.monotonic()
    counted, operations = measure(action)
    return Run(counted, operations or 0, time.monotonic() - began)


def psql(url: str, statement: str) -> None:
    subprocess.run(["psql", url, "--quiet", "--no-psqlrc", "--command", statement], check=True, timeout=60)


def shown(title: str, counters: dict[str, Counter]) -> None:
    print(f"\n{title}:\n")
    for name, counter in counters.items():
        most = [(what, number) for what, number in counter.most_common(SHOWN) if number >= 0.05]
        print(f"- {name}: " + "; ".join(f"{what} {number:.2f}" for what, number in most))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", type=Path, required=True, help="the bucketry binary")
    parser.add_argument("--load", type=Path, required=True, help="the load tool's binary")
    parser.add_argument("--postgres", metavar="URL", help="counts statements on this PostgreSQL too")
    parser.add_argument("--operations", type=int, default=200, help="operations of the shorter run [200]")
    parser.add_argument("--within", type=int, default=1800, help="seconds after which it gives up [1800]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bucketry-counts-") as folder:
        figures = Counting(arguments, Path(folder)).count()
    print("| operation | instructions | allocations | system calls | SQLite statements | PostgreSQL statements |")
    print("|---|---|---|---|---|---|")
    for name, found in figures.items():
        print(found.row(name))
    shown("System calls of one operation", {name: found.system_calls for name, found in figures.items()})
    if arguments.postgres:
        shown("PostgreSQL statements of one operation", {name: found.postgres_statements for name, found in figures.items()})


if __name__ == "__main__":
    main()
