"""Attacks a server for a while beside a well-behaved client of another account, and says what that client noticed.

    python tests/attacks --server target/release/bucketry [--adapter target/release/bucketry-s3-adapter] [NAME ...]

Bars: no refused request of the neighbour, its 99th percentile at most twice the undisturbed one, memory below 400 MiB,
and back to idle within ten seconds. The exit status is 1 if one of them is missed.

The attacker runs on the same machine and takes its processors too. With `--elsewhere` it attacks a second server, of
which the neighbour knows nothing: that ratio is the machine's share in the ratio without.
"""

import argparse
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from catalogue import ATTACKS, Attack
from certificate import certificate
from holders import Count, Holder
from neighbour import Neighbour, Record, connect, exchange
from scene import LARGE, LARGE_BYTES, Party, Scene, descriptors, resident_bytes

UNDISTURBED_SECONDS = 15
IDLE_SECONDS = 10
MAX_RESIDENT_BYTES = 400 * 1024 * 1024
MAX_RATIO = 2.0
# Descriptors that a server keeps for later: pooled files and connections of its own.
IDLE_DESCRIPTORS = 24


@dataclass
class Outcome:
    attack: Attack
    before: Record
    during: Record
    count: Count
    peak_bytes: int
    idle_after: float | None

    def ratio(self) -> float:
        return self.during.percentile(0.99) / self.before.percentile(0.99)

    def misses(self) -> list[str]:
        found = []
        if self.during.failures:
            found.append(f"{len(self.during.failures)} failures, first {self.during.failures[0]}")
        if not self.ratio() <= MAX_RATIO:
            found.append(f"p99 x {self.ratio():.1f}")
        if self.peak_bytes > MAX_RESIDENT_BYTES:
            found.append(f"{self.peak_bytes // 2**20} MiB")
        if self.idle_after is None:
            found.append(f"not idle after {IDLE_SECONDS} s")
        return found

    def __str__(self) -> str:
        milliseconds = [1000 * record.percentile(0.99) for record in (self.before, self.during)]
        idle = "-" if self.idle_after is None else f"{self.idle_after:.1f}"
        counted = f"{self.count.opened}/{self.count.ended}/{self.count.refused}"
        verdict = "; ".join(self.misses()) or "ok"
        return (
            f"{self.attack.name:18} {milliseconds[0]:8.1f} {milliseconds[1]:8.1f} {self.ratio():6.2f} "
            f"{len(self.during.latencies):9} {len(self.during.failures):6} {self.peak_bytes // 2**20:5} {idle:>5} "
            f"{counted:>20} {self.count.answers or ''} {verdict}"
        )


def upload(url: str, party: Party) -> None:
    connection = connect(url)
    exchange(connection, replace(party, key=party.administrator), "PUT", LARGE, bytes(LARGE_BYTES))
    connection.close()


def idle_within(pid: int, base: int) -> float | None:
    began = time.monotonic()
    while (waited := time.monotonic() - began) < IDLE_SECONDS:
        if descriptors(pid) <= base + IDLE_DESCRIPTORS:
            return waited
        time.sleep(0.1)
    return None


def run(attack: Attack, options: argparse.Namespace) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="bucketry-attack-") as name, ExitStack() as scenes:

        def scene(place: str) -> Scene:
            folder = Path(name) / place
            folder.mkdir()
            facing = [*attack.arguments]
            if attack.tls:
                facing += certificate(folder)
            adapter = None if attack.grpc else options.adapter
            made = Scene(folder, options.server, adapter, options.argument, facing, attack.descriptors)
            scenes.callback(made.close)
            return made

        here = scene("here")
        attacked = scene("elsewhere") if options.elsewhere else here
        return measure(attack, here, attacked, options.seconds)


def measure(attack: Attack, scene: Scene, attacked: Scene, seconds: float) -> Outcome:
    neighbour = scene.party("neighbour", "read-write")
    attacker = attacked.party("attacker", attack.permission)
    url = f"{scene.scheme}://{scene.address}"
    upload(f"{attacked.scheme}://{attacked.address}", attacker)
    before = Neighbour(url, neighbour, UNDISTURBED_SECONDS).record()
    base, peak = descriptors(attacked.attacked_pid), 0

    def watch() -> None:
        nonlocal peak
        peak = max(peak, resident_bytes(attacked.attacked_pid), resident_bytes(attacked.pid))

    disturbed = Neighbour(url, neighbour, seconds)
    holder = Holder(attacked.address, attack.held(attacked.address, attacker))
    holder.run(time.monotonic() + seconds, watch)
    holder.close()
    during = disturbed.record()
    return Outcome(attack, before, during, holder.count, peak, idle_within(attacked.attacked_pid, base))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", type=Path, required=True)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--elsewhere", action="store_true", help="attack another server of this machine, for comparison")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--argument", action="append", default=[], help="a further argument of `serve`")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(attack.name for attack in ATTACKS))
    options = parser.parse_args()
    chosen = [attack for attack in ATTACKS if not options.names or attack.name in options.names]
    if unknown := set(options.names) - {attack.name for attack in chosen}:
        parser.error(f"unknown attacks: {', '.join(sorted(unknown))}")
    print("attack             p99 alone   beside  ratio  requests  failed   MiB  idle   opened/ended/refused")
    missed = 0
    for attack in chosen:
        outcome = run(attack, options)
        print(outcome, flush=True)
        missed += bool(outcome.misses())
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
