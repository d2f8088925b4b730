"""What a scenario looks at and writes down without touching it: who leads, what is deployed, what a zone's API says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from harness.stacks import Stack
from harness.stacks.capabilities import find
from harness.stacks.capabilities.clocks import Clocked
from harness.stacks.capabilities.database import Cluster, Member, Positioned
from harness.stacks.capabilities.releases import Releases
from harness.system import clock, wait
from harness.system.recorder import Recorder

OK = 200
LOOKS = timedelta(milliseconds=500)


def leadership(stack: Stack, recorder: Recorder, moment: str) -> Member | None:
    """Record who leads, and on which history; None, and no line, where nobody does, or nothing says who."""
    cluster, positioned = find(stack, Cluster), find(stack, Positioned)
    leader = cluster.leader() if cluster and positioned else None
    if leader is None or positioned is None:
        return None
    recorder.record("leadership", moment=moment, member=leader.name, history=positioned.history(leader))
    return leader


def clocks(stack: Stack, recorder: Recorder) -> None:
    """Record how far the clocks that stamp alerts and commits are ahead of this machine's, as far as it is known."""
    clocked = find(stack, Clocked)
    for each in clocked.clocks() if clocked else ():
        recorder.record("clock", clock=each.clock, offset=each.offset, uncertainty=each.uncertainty, how=each.how)


def release(stack: Stack, recorder: Recorder) -> None:
    """Record what is deployed, and what was before; no line where the stack knows no releases."""
    if releases := find(stack, Releases):
        recorder.record("release", name=releases.current(), history=releases.history())


@dataclass(frozen=True)
class Answer:
    """What a zone's own API said of itself at a path, as an HTTP status, and what it should say."""

    path: str
    wanted: int
    status: int  # 0: no answer


def endpoints(
    zones: Sequence[str], ask: Callable[[str], Sequence[Answer]], recorder: Recorder, *, within: timedelta
) -> None:
    """Record what zones' own APIs say of themselves: once none says that all is well where it is not, or at the end."""
    asked = clock.mono()
    seen = wait.poll(
        lambda: {zone: ask(zone) for zone in zones}, within=within, every=LOOKS,
        enough=lambda found: not any(map(_pretends, found.values())),
    )  # fmt: skip  # arguments in groups
    for zone, answers in seen.items():
        recorder.record("endpoints", zone=zone, asked=asked, answers=[asdict(answer) for answer in answers])


def _pretends(answers: Sequence[Answer]) -> bool:
    return any(answer.status == OK != answer.wanted for answer in answers)
