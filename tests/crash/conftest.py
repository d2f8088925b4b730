"""What is killed, and where. All of it takes hours; `--rotate N` takes a few kills of it, other ones for each N.

`--share 1/2` and `--share 2/2` are all cases on a stack that stands, for two processes side by side.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import pytest

from harness.stacks.local import sandbox
from harness.system import clock
from tests.crash.killer import MOMENTS
from tests.crash.victim import Folder, Victim, new_folder

# Kinds of journal lines that only say what was seen or thought: between such a line and the one before nothing was
# started, stopped, written or moved, so killing there is killing at the line before. Every other kind changes state.
ONLY_SAID = frozenset(
    {
        "sentence",  # the words of the feature that come next
        "expect",  # what will be judged
        "wait",  # a poll that reached its end; what it waited for is recorded by itself
        "waiting",  # a poll that goes on
        "exposure.sample",  # a look, by another thread, at any moment
        "alert",  # another thread has heard it
        "clock",  # looks at what is there
        "leadership",
        "release",
        "steady",
        "reconciliation",
        "reconciliation.rules",
        "detected",
        "decided",
        "span.begin",
        "span.end",
        "procedure",  # the list of steps, before the first of them
        "recovery.ordered",
        "verified",
        "health",
        "stack.part",  # how long a part of the start took
    }
)
TORN = ("line/run.begin/1/torn", "line/fault.intent/1/torn", "line/run.end/1/torn")
CHANCES = 10
T = TypeVar("T")


def share(said: str) -> slice:
    """`2/3`: each third case, from the second on."""
    which, _, of = said.partition("/")
    if not (which.isdecimal() and of.isdecimal() and 1 <= int(which) <= int(of)):
        raise ValueError(said)
    return slice(int(which) - 1, None, int(of))


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("crash tests")
    group.addoption("--rotate", type=int, help="a few kills; another number, other kills")
    group.addoption("--point", action="append", help="kill at this line alone, as a failure names it; repeatable")
    group.addoption("--share", type=share, default="1/1", help="of the cases on a stack that stands: 1/2 is each other")
    group.addoption("--seed", type=int, default=secrets.randbelow(10**6), help="of the random moments")


def pytest_report_header(config: pytest.Config) -> str:
    turn = config.option.rotate
    if turn is None:
        return f"crash tests: all of them; random moments of --seed={config.option.seed}"
    return f"crash tests: a rotating part, --rotate={turn}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with a `variant` runs once for each of its module's VARIANTS, on every level; or one of it. What comes on
    the best level alone, with `leads`, is drawn: its turns may be any number of turns apart."""
    turn = metafunc.config.option.rotate
    levels = _levels(metafunc.config.option.level)
    if "variant" in metafunc.fixturenames:
        variants = metafunc.module.VARIANTS
        chosen = variants if turn is None else [variants[turn // len(levels) % len(variants)]]
        metafunc.parametrize("variant", chosen)
    if "leads" in metafunc.fixturenames:
        faults = metafunc.module.OF_WHO_LEADS
        chosen = faults if turn is None else random.Random(turn).sample(faults, 1)
        metafunc.parametrize("leads", chosen[metafunc.config.option.share])
    if "level" in metafunc.fixturenames:
        metafunc.parametrize("level", levels if turn is None else [levels[turn % len(levels)]])


def _levels(forced: str | None) -> list[str]:
    best = sandbox.best_level(forced).name
    return [best] if forced or best == "loopback" else [best, "loopback"]


@dataclass(frozen=True)
class Clean:
    """A run that nobody killed: its journal's lines, in order, and how long it was inside its sandbox."""

    points: list[str]  # line/<kind>/<which>, of those that change state
    length: timedelta


@pytest.fixture(scope="session")
def clean() -> Callable[[str], Clean]:
    """The clean run of a level, made when it is asked for first."""
    runs: dict[str, Clean] = {}

    def of(level: str) -> Clean:
        if level not in runs:
            with new_folder(level) as folder:
                begin = clock.mono()
                victim = Victim.start(folder)
                victim.wait_ended()
                lines = victim.lines()
                ends = [line.data["outcome"] for line in lines if line.kind in ("scenario.end", "run.end")]
                assert ends == ["completed", "completed"], victim.out[-3000:]
                runs[level] = Clean(changing([line.kind for line in lines]), clock.since(begin))
        return runs[level]

    return of


def changing(kinds: list[str]) -> list[str]:
    """`line/<kind>/<which>` of every line that changes state."""
    return [f"line/{kind}/{kinds[: at + 1].count(kind)}" for at, kind in enumerate(kinds) if kind not in ONLY_SAID]


@pytest.fixture
def some(request: pytest.FixtureRequest) -> Callable[[list[T], int], list[T]]:
    """All of a list; with `--rotate` some of it, evenly apart, other ones at every number."""
    turn = request.config.option.rotate

    def choose(full: list[T], count: int) -> list[T]:
        if turn is None:
            return full
        apart = len(full) / count
        return [full[int(turn * 7 + number * apart) % len(full)] for number in range(count)]

    return choose


@pytest.fixture
def folder(level: str) -> Iterator[Folder]:
    with new_folder(level) as made:
        yield made


@pytest.fixture
def points(
    request: pytest.FixtureRequest,
    level: str,
    clean: Callable[[str], Clean],
    some: Callable[[list[str], int], list[str]],
) -> list[str]:
    """Before and after every line that changes state, and in the middle of the most important ones."""
    if request.config.option.point:
        return list(request.config.option.point)
    lines = clean(level).points
    assert {"run.begin", "fault.intent", "step.end", "run.end"} <= {line.split("/")[1] for line in lines}
    return some([*TORN, *(f"{line}/{moment}" for line in lines for moment in MOMENTS)], 2)


@pytest.fixture
def fractions(request: pytest.FixtureRequest, some: Callable[[list[float], int], list[float]]) -> list[float]:
    """Ten moments of a run, 0 is its beginning and 1 its end; by the seed that is printed at the top."""
    option = request.config.option
    chance = random.Random(option.seed if option.rotate is None else option.rotate)
    return some([chance.random() for _ in range(CHANCES)], 1)
