"""System calls, by strace."""

import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ATTACH_SECONDS = 30
POLL_SECONDS = 0.02


class Strace:
    """Counts the calls of all threads of a process."""

    def __init__(self, pid: int, summary: Path):
        if not shutil.which("strace"):
            raise SystemExit("counts: strace is needed: install the Debian package `strace`")
        self._pid, self._summary = pid, summary

    def measure(self, action: Callable[[], int | None]) -> tuple[Counter, int | None]:
        words = ["strace", "-f", "-c", "-q", "-U", "name,calls", "-o", str(self._summary), "-p", str(self._pid)]
        tracer = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            self._until_attached(tracer)
            answer = action()
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(timeout=ATTACH_SECONDS)
        return counted(self._summary.read_text().splitlines()), answer

    def _until_attached(self, tracer: subprocess.Popen) -> None:
        deadline = time.monotonic() + ATTACH_SECONDS
        while time.monotonic() < deadline:
            if tracer.poll() is not None:
                raise SystemExit(f"counts: strace: {tracer.stderr.read()}")
            statuses = list(Path(f"/proc/{self._pid}/task").glob("*/status"))
            if all(f"TracerPid:\t{tracer.pid}\n" in status.read_text() for status in statuses):
                return
            time.sleep(POLL_SECONDS)
        raise SystemExit("counts: strace did not attach to the server")


def counted(lines: list[str]) -> Counter:
    """The calls of a summary with the columns name and calls."""
    figures = Counter()
    for line in lines:
        words = line.split()
        if len(words) == 2 and words[1].isdigit() and words[0] != "total":
            figures[words[0]] += int(words[1])
    return figures
