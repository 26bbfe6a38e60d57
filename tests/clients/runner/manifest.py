"""The list of clients: one folder with a `client.toml` each."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

LANES = ("quick", "slow")
SCHEMES = ("http", "https")
ADDRESSINGS = ("path", "virtual")
KEYS = {"name", "lane", "command", "inputs", "addressing", "schemes"}


@dataclass(frozen=True)
class Combination:
    """How a client reaches the server."""

    scheme: str
    addressing: str

    def label(self) -> str:
        return f"{self.scheme}, {self.addressing}"


@dataclass(frozen=True)
class Client:
    """A client program, or a family of variants that one program runs."""

    folder: Path
    name: str
    lane: str
    command: tuple[str, ...]
    addressing: tuple[str, ...]
    schemes: tuple[str, ...]

    def combinations(self, every_style: bool) -> list[Combination]:
        """All of them, or one for each scheme that together use every style that the client has."""
        if every_style:
            return [Combination(scheme, style) for scheme in self.schemes for style in self.addressing]
        last = len(self.addressing) - 1
        return [Combination(scheme, self.addressing[min(at, last)]) for at, scheme in enumerate(self.schemes)]


def clients(root: Path, lane: str, names: list[str]) -> list[Client]:
    """The clients of a lane (`all`: every one), or those whose folders are named."""
    found = {path.parent.name: read(path) for path in sorted(root.glob("*/client.toml"))}
    unknown = [name for name in names if name not in found]
    if unknown:
        raise SystemExit(f"no client {', '.join(unknown)}: there are {', '.join(found)}")
    if names:
        return [found[name] for name in names]
    return [client for client in found.values() if lane == "all" or client.lane == lane]


def read(path: Path) -> Client:
    """Reads a manifest; one that is wrong ends the run."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    if set(data) != KEYS:
        raise SystemExit(f"{path}: the keys are {', '.join(sorted(data))}; expected {', '.join(sorted(KEYS))}")
    if data["lane"] not in LANES:
        raise SystemExit(f"{path}: lane {data['lane']!r} is none of {LANES}")
    for key, known in (("addressing", ADDRESSINGS), ("schemes", SCHEMES)):
        if not data[key] or not set(data[key]) <= set(known):
            raise SystemExit(f"{path}: {key} {data[key]!r} must be some of {known}")
    return Client(
        folder=path.parent,
        name=data["name"],
        lane=data["lane"],
        command=tuple(data["command"]),
        addressing=tuple(data["addressing"]),
        schemes=tuple(data["schemes"]),
    )
