"""The well-behaved client of another account: paced requests, every one of them timed and checked."""

import http.client
import multiprocessing
import ssl
import threading
import time
from dataclasses import dataclass, field

import sigv4
from scene import Party

CONNECTIONS = 4
PACE_SECONDS = 0.02
CONTENT = bytes(range(256)) * 16
TIMEOUT_SECONDS = 30


@dataclass
class Record:
    """Latencies in seconds and what failed, of one connection or of all."""

    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def connect(url: str) -> http.client.HTTPConnection:
    scheme, address = url.split("://")
    if scheme == "https":
        # Whose certificate it is was checked when the scene was made.
        context = ssl._create_unverified_context()
        return http.client.HTTPSConnection(address, timeout=TIMEOUT_SECONDS, context=context)
    return http.client.HTTPConnection(address, timeout=TIMEOUT_SECONDS)


def exchange(connection: http.client.HTTPConnection, party: Party, method: str, name: str, body: bytes = b"") -> bytes:
    path = f"/{party.bucket}/{name}"
    host = f"{connection.host}:{connection.port}"
    connection.request(method, path, body, sigv4.headers(party.key, method, host, path))
    response = connection.getresponse()
    content = response.read()
    if response.status != 200:
        raise RuntimeError(f"{method} {response.status}: {content[:200]!r}")
    return content


def _drive(url: str, party: Party, number: int, until: float, record: Record) -> None:
    connection = connect(url)
    turn = 0
    while time.monotonic() < until:
        name = f"{number}-{turn % 16}"
        began = time.monotonic()
        try:
            if turn % 4 == 0 or turn < 16:
                exchange(connection, party, "PUT", name, CONTENT)
            elif exchange(connection, party, "GET", name) != CONTENT:
                raise RuntimeError("other content")
            record.latencies.append(time.monotonic() - began)
        except (OSError, http.client.HTTPException, RuntimeError) as error:
            record.failures.append(f"{type(error).__name__}: {error}")
            connection.close()
        turn += 1
        time.sleep(max(0.0, PACE_SECONDS - (time.monotonic() - began)))


def _work(url: str, party: Party, seconds: float, results) -> None:
    until = time.monotonic() + seconds
    records = [Record() for _ in range(CONNECTIONS)]
    threads = [
        threading.Thread(target=_drive, args=(url, party, number, until, record))
        for number, record in enumerate(records)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(
        Record(
            [latency for record in records for latency in record.latencies],
            [failure for record in records for failure in record.failures],
        )
    )


class Neighbour:
    """Works for some seconds in a process of its own."""

    def __init__(self, url: str, party: Party, seconds: float):
        self._results = multiprocessing.Queue()
        self._process = multiprocessing.Process(target=_work, args=(url, party, seconds, self._results))
        self._process.start()

    def record(self) -> Record:
        found = self._results.get()
        self._process.join()
        return found
