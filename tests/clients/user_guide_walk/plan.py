"""Which lines of the guide each step claims."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

GUIDE = Path(__file__).resolve().parent.parent / "user_guide"


@dataclass(frozen=True)
class Step:
    """Some lines of the guide that follow one another, and what proves them.

    `lines` are the beginnings of the lines, of a sample the whole lines.
    """

    kind: str
    lines: tuple[str, ...]
    proof: Callable[[], None] | None


PLAN: list[Step] = []


def proves(*lines: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """The function proves the lines that begin so."""

    def add(proof: Callable[[], None]) -> Callable[[], None]:
        PLAN.append(Step("proof", lines, proof))
        return proof

    return add


def heading(*lines: str) -> None:
    """Lines that say nothing that could be true or false."""
    PLAN.append(Step("heading", lines, None))


def elsewhere(*lines: str) -> None:
    """Lines about what happens neither here nor at the server: other systems' package managers, other pages."""
    PLAN.append(Step("elsewhere", lines, None))


def sample(name: str, first: int, last: int | None, proof: Callable[[], None] | None) -> None:
    """Lines of a code sample, as it is run from the file of that name; blank ones and indentation do not count: the
    guide lost them."""
    lines = [line.strip() for line in (GUIDE / name).read_text(encoding="utf-8").splitlines() if line.strip()]
    PLAN.append(Step("sample", tuple(lines[first:last]), proof))


def claim() -> list[tuple[Step, list[str]]]:
    """Each step with its lines; every line of the guide belongs to one step, in the guide's order."""
    guide = [line.strip() for line in (GUIDE / "guide.txt").read_text(encoding="utf-8").splitlines() if line.strip()]
    position = 0
    claimed = []
    for step in PLAN:
        lines = guide[position : position + len(step.lines)]
        for wanted in step.lines:
            found = guide[position] if position < len(guide) else "the end"
            holds = found == wanted if step.kind == "sample" else found.startswith(wanted)
            if not holds:
                raise SystemExit(f"user guide: line {position + 1} is {found!r}, not {wanted!r}")
            position += 1
        claimed.append((step, lines))
    if position != len(guide):
        raise SystemExit(f"user guide: nothing claims {guide[position]!r}")
    return claimed
