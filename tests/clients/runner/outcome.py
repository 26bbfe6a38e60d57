"""What clients reported, and how it compares with the committed results."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from manifest import Client, Combination

PREFIX = "RESULT "


@dataclass
class Outcome:
    """One run of one client."""

    client: Client
    combination: Combination
    seconds: float
    reports: list[dict] = field(default_factory=list)
    failure: str | None = None

    def label(self) -> str:
        return f"{self.client.folder.name} ({self.combination.label()})"

    def line(self) -> str:
        verdict = "ok    " if self.failure is None else "FAILED"
        return f"{verdict}  {self.label()}, {self.seconds:.1f} s"


def reports(printed: str) -> list[dict]:
    """The reports in what a client printed. Raises ValueError for one that is not as agreed."""
    found = []
    for line in printed.splitlines():
        if not line.startswith(PREFIX):
            continue
        report = json.loads(line.removeprefix(PREFIX))
        if set(report) != {"client", "version", "exercised"} or not all(report.values()):
            raise ValueError(f"a report must have client, version and exercised: {line}")
        found.append(report)
    if not found:
        raise ValueError("the client succeeded and reported nothing")
    return found


def merge(outcomes: list[Outcome]) -> list[dict]:
    """One entry for each variant of a client, with the ways in which it ran."""
    entries: dict[tuple[str, str], dict] = {}
    for outcome in outcomes:
        for report in outcome.reports:
            key = (outcome.client.folder.name, report["client"])
            entry = entries.setdefault(key, {"folder": key[0], "lane": outcome.client.lane, **report, "runs": []})
            entry["exercised"] = sorted(set(entry["exercised"]) | set(report["exercised"]))
            entry["runs"].append(outcome.combination.label())
    for entry in entries.values():
        entry["runs"].sort()
    return [entries[key] for key in sorted(entries)]


def load(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def write(path: Path, results: list[dict], whole: bool) -> None:
    """Replaces the file, or, after a run of some clients, only their entries."""
    if not whole:
        folders = {entry["folder"] for entry in results}
        results = results + [entry for entry in load(path) if entry["folder"] not in folders]
    results.sort(key=lambda entry: (entry["folder"], entry["client"]))
    path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def compare(path: Path, results: list[dict], versions: bool) -> list[str]:
    """How the results differ from the committed ones. A run of some clients in some ways must be part of them."""
    known = {(entry["folder"], entry["client"]): entry for entry in load(path)}
    differences = []
    for entry in results:
        name = f"{entry['folder']}: {entry['client']}"
        committed = known.get((entry["folder"], entry["client"]))
        if committed is None:
            differences.append(f"{name} is not listed")
            continue
        if not set(entry["runs"]) <= set(committed["runs"]):
            differences.append(f"{name} ran by {entry['runs']}, listed are {committed['runs']}")
        if not set(entry["exercised"]) <= set(committed["exercised"]):
            differences.append(f"{name} exercised {entry['exercised']}, listed are {committed['exercised']}")
        if versions and entry["version"] != committed["version"]:
            differences.append(f"{name} is {entry['version']}, listed is {committed['version']}")
    return differences
