"""Instructions, allocations and SQLite statements, by valgrind's callgrind."""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

PROFILE = "callgrind.out"
VGDB_SECONDS = 120
# The entries of the C library, mimalloc and jemalloc. What an allocator calls within itself does not count.
ALLOCATE = re.compile(r"^(_rjem_|mi_)?(malloc|zalloc|calloc|realloc|mallocx|rallocx|memalign|posix_memalign|aligned_alloc)(_aligned)?$")
ALLOCATOR = re.compile(r"^_?(_rjem_|je_|mi_)|^_?(_libc_)?(malloc|calloc|realloc|memalign|posix_memalign|aligned_alloc)$|^_int_(malloc|realloc|memalign)")
# A run of a prepared statement that reads or writes the database calls it once, whether it is run to its end or not.
STATEMENT, STATEMENT_CALLER = "sqlite3BtreeBeginTrans", "sqlite3VdbeExec"
NAME = re.compile(r"^c?fn=\(?\d*\)?\s*([^@']*)")


class Callgrind:
    """A server that `wrapper` has started."""

    def __init__(self, pid: int, folder: Path):
        self._pid, self._folder = pid, folder

    @staticmethod
    def wrapper(folder: Path) -> list[str]:
        for program in ("valgrind", "vgdb"):
            if not shutil.which(program):
                raise SystemExit(f"counts: {program} is needed: install the Debian package `valgrind`")
        return [
            "valgrind",
            "--quiet",
            "--tool=callgrind",
            "--compress-strings=no",
            "--compress-pos=no",
            "--fair-sched=yes",
            f"--callgrind-out-file={folder / PROFILE}",
        ]

    def measure(self, action: Callable[[], int | None]) -> tuple[Counter, int | None]:
        for profile in self._folder.glob(f"{PROFILE}.*"):
            profile.unlink()
        self._command("zero")
        answer = action()
        self._command("dump")
        profiles = list(self._folder.glob(f"{PROFILE}.*"))
        if len(profiles) != 1:
            raise SystemExit(f"counts: callgrind wrote {len(profiles)} profiles, not one")
        return counted(profiles[0].read_text(errors="replace").splitlines()), answer

    def _command(self, command: str) -> None:
        words = ["vgdb", f"--pid={self._pid}", command]
        subprocess.run(words, check=True, capture_output=True, timeout=VGDB_SECONDS)


def counted(lines: list[str]) -> Counter:
    """The figures of a profile. A call is `cfn=NAME` and `calls=NUMBER …` below the `fn=NAME` of its caller."""
    figures, caller, callee = Counter(), "", ""
    for line in lines:
        if line.startswith("fn="):
            caller = NAME.match(line)[1]
        elif line.startswith("cfn="):
            callee = NAME.match(line)[1]
        elif line.startswith("calls="):
            calls = int(line[6:].split()[0])
            if ALLOCATE.match(callee) and not ALLOCATOR.search(caller):
                figures["allocations"] += calls
            elif callee == STATEMENT and caller.startswith(STATEMENT_CALLER):
                figures["statements"] += calls
        elif line.startswith("totals:"):
            figures["instructions"] += int(line.split()[1])
    return figures
