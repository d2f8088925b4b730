"""What a scenario looks at and writes down without touching it: who leads, what is deployed, what a zone's API says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from harness.stacks import Member, Stack
from harness.stacks.lacking import Clustered, Released
from harness.system import clock, wait
from harness.system.recorder import Recorder

OK = 200
LOOKS = timedelta(milliseconds=500)
TIMELINE = "SELECT pg_walfile_name(pg_current_wal_lsn())"  # its first 8 hex digits


def leadership(stack: Stack, recorder: Recorder, moment: str) -> Member | None:
    """Record who leads, and on which timeline; None, and no line, where nobody does, or there is nothing to lead."""
    if not isinstance(stack, Clustered):
        return None
    leader = stack.cluster.leader()
    if leader is None:
        return None
    with stack.cluster.connect(leader) as connection:
        row = connection.execute(TIMELINE).fetchone()
    recorder.record("leadership", moment=moment, member=leader.name, history=int(row[0][:8], 16) if row else 0)
    return leader


def release(stack: Stack, recorder: Recorder) -> None:
    """Record what is deployed, and what was before; no line where the stack knows no releases."""
    if not isinstance(stack, Released):
        return
    recorder.record("release", name=stack.releases.current(), history=stack.releases.history())


def endpoints(
    zones: Sequence[str], ask: Callable[[str], tuple[int, int]], recorder: Recorder, *, within: timedelta
) -> None:
    """Record what `/health` and `/ready` of zones' own APIs say: once none is ready any more, or at the end.

    `ask` returns both statuses, 0 where there is no answer.
    """
    asked = clock.mono()
    seen = wait.poll(
        lambda: {zone: ask(zone) for zone in zones}, within=within, every=LOOKS,
        enough=lambda found: all(ready != OK for _, ready in found.values()),
    )  # fmt: skip  # arguments in groups
    for zone, (health, ready) in seen.items():
        recorder.record("endpoints", zone=zone, health=health, ready=ready, asked=asked)
