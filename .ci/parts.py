"""Which parts of parts.toml a run takes, by the turn and by what has changed; never by the date, never by chance.

    python3 .ci/parts.py plan            a line for each part to run: why, who, seconds, limit, name, command
    python3 .ci/parts.py table RESULTS   what ran and how it went, what was left out and when its turn is
    python3 .ci/parts.py failed RESULTS  of each part that failed what it said of it: for who sees only the end of a log

The parts that rotate are dealt to turns in the order of the file, as many to each as fit in its minutes; after the last
of these turns comes the first again. `.ci/turn` says which turn it is: it is raised once with each piece of work, and
kept when the same work is tried again, so that a red part comes again until it is green.
Needs Python 3.11 and git alone.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).parent.parent
TURN = ".ci/turn"
SLOWEST, GRACE = 3, 60  # a part is ended after three times its seconds, and a minute
FIXED = ("first", "last")
BAD = re.compile(r" *(✗|\? |E   |FAILED|ERROR|error: |HINT: )|.*NOT AS IT MUST BE")  # lines that say what went wrong
TAIL, NAMED, COLUMNS = (
    25,
    35,
    300,
)  # lines of a log's end, of those before it that say what went wrong, and their length


@dataclass(frozen=True)
class Part:
    """A command, how long it takes on two quiet cores, and what it is about."""

    name: str
    run: str
    seconds: int
    user: str = "user"  # or root
    when: str = "turn"  # or every time: first, last
    covers: tuple[str, ...] = ()  # paths, with "!" those that it does not; the last that fits decides

    @property
    def limit(self) -> int:
        """In seconds."""
        return SLOWEST * self.seconds + GRACE

    def covers_any(self, paths: Sequence[str]) -> bool:
        return any(self._covers(path) for path in paths)

    def _covers(self, path: str) -> bool:
        about = [each for each in self.covers if f"{path}/".startswith(f"{each.removeprefix('!')}/")]
        return bool(about) and not about[-1].startswith("!")


@dataclass(frozen=True)
class Parts:
    """All of parts.toml, in its order."""

    parts: tuple[Part, ...]
    all: int  # seconds that a run may take by those of the parts
    turn: int  # of them for the parts whose turn it is

    def fixed(self, when: str) -> list[Part]:
        return [part for part in self.parts if part.when == when]

    def turns(self) -> list[list[Part]]:
        """The parts that rotate, dealt to turns."""
        dealt: list[list[Part]] = [[]]
        for part in self.fixed("turn"):
            if total([*dealt[-1], part]) > self.turn:
                dealt.append([])
            dealt[-1].append(part)
        return dealt

    def plan(self, turn: int, changed: Sequence[str] | None) -> list[tuple[str, Part]]:
        """Why, and what: in the order in which they run. `changed` is None where all may have changed.

        What is not in its turn begins with the part whose turn was longest ago.
        """
        turns = self.turns()
        at = (turn - 1) % len(turns)
        others = [part for number in range(1, len(turns)) for part in turns[(at + number) % len(turns)]]
        about = [part for part in others if changed is None or part.covers_any(changed)]
        chosen = [*(("fixed", part) for part in self.fixed("first")), *(("turn", part) for part in turns[at])]
        room = self.all - total([part for _, part in chosen]) - total(self.fixed("last"))
        wanted = [("changed", part) for part in about] + [("room", part) for part in others if part not in about]
        for why, part in wanted:
            if part.seconds <= room:
                chosen.append((why, part))
                room -= part.seconds
        return [*chosen, *(("fixed", part) for part in self.fixed("last"))]

    def turn_of(self, part: Part, turn: int) -> tuple[int, int]:
        """The last turn of a part that rotates, up to this one, and its next; the last may be before the first."""
        turns = self.turns()
        own = next(number for number, dealt in enumerate(turns) if part in dealt)
        last = turn - (turn - 1 - own) % len(turns)
        return last, last + len(turns)


def total(parts: Sequence[Part]) -> int:
    return sum(part.seconds for part in parts)


def load(path: Path = HOME / ".ci" / "parts.toml") -> Parts:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    sets: dict[str, list[str]] = table["covers"]
    parts = []
    for each in table["part"]:
        covers = [path for word in each.pop("covers", []) for path in sets.get(word, [word])]
        parts.append(Part(**{**each, "run": " ".join(each["run"].split()), "covers": tuple(covers)}))
    return Parts(tuple(parts), all=60 * table["minutes"]["all"], turn=60 * table["minutes"]["turn"])


def present_turn() -> int:
    return int((HOME / TURN).read_text(encoding="utf-8"))


def changed_since_last(home: Path = HOME) -> list[str] | None:
    """Files that differ from the last run that passed; None where that cannot be told.

    That run was of the work before, so of a commit after the one that raised the turn to the value before, wherever in
    that work this was: what differs from there is at least what differs from the run.
    """
    try:
        raised = _git(home, "log", "--format=%H", "--", TURN)
        return _git(home, "diff", "--name-only", "--no-renames", raised[1], "HEAD") if len(raised) > 1 else None
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(home: Path, *words: str) -> list[str]:
    command = ["git", "-c", f"safe.directory={home}", "-c", "core.quotePath=off", *words]
    return subprocess.run(command, cwd=home, check=True, capture_output=True, text=True).stdout.splitlines()


def plan_lines() -> Iterator[str]:
    turn, parts, changed = present_turn(), load(), changed_since_last()
    known = (
        "what has changed since the last run that passed is not known: all of it"
        if changed is None
        else (f"{len(changed)} files may have changed since the last run that passed")
    )
    print(f"turn {turn}; {known}", file=sys.stderr)
    for why, part in parts.plan(turn, changed):
        command = part.run.replace("{turn}", str(turn))
        yield "\t".join([why, part.user, str(part.seconds), str(part.limit), part.name, command])


def table_lines(results: Path) -> Iterator[str]:
    """Of each part what its line in `results` says: why, exit, seconds, name, where its output is."""
    turn, parts = present_turn(), load()
    found = {name: (why, code, seconds) for why, code, seconds, name, _ in _rows(results)}
    width = max(len(part.name) for part in parts.parts)
    yield f"turn {turn}; these parts have {len(parts.turns())} turns, and then the first comes again"
    for part in parts.parts:
        why, code, seconds = found.get(part.name, ("", "", ""))
        when = "every turn"
        if part.when not in FIXED:
            last, following = parts.turn_of(part, turn)
            when = f"turn {last}, next {following}" if last > 0 else f"next turn {following}"
        how = f"exit {code:<8} {seconds:>5} s of {part.seconds:>4} s  {why:<8}" if code else f"{'left out':<37}"
        yield f"{part.name:<{width}}  {how} {when}"


def failed_lines(results: Path) -> Iterator[str]:
    """Of each part that failed: its name, the lines of its output that say what went wrong, and the end of it."""
    for _, code, _, name, log in _rows(results):
        if code == "0":
            continue
        yield f"==== FAILED: {name} (exit {code})"
        lines = [line[:COLUMNS] for line in Path(log).read_text(encoding="utf-8", errors="replace").splitlines()]
        before = [line for line in lines[:-TAIL] if BAD.match(line)]
        yield from before[:NAMED]
        if len(lines) > TAIL:
            more = f", {len(before) - NAMED} such lines more" if len(before) > NAMED else ""
            yield f"…{more} and at its end:"
        yield from lines[-TAIL:]


def _rows(results: Path) -> list[list[str]]:
    return [line.split("\t") for line in results.read_text(encoding="utf-8").splitlines()]


LINES = {"table": table_lines, "failed": failed_lines}

if __name__ == "__main__":
    for line in plan_lines() if sys.argv[1] == "plan" else LINES[sys.argv[1]](Path(sys.argv[2])):
        print(line)
