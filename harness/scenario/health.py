"""How the plan's health verification is asked of a platform that says nothing else: each request, at its entrance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from harness.errors import DrillError
from harness.plan import PlannedCheck
from harness.procedures.health import HealthCheck
from harness.stacks import Stack
from harness.stacks.capabilities import find, need
from harness.stacks.capabilities.components import Asked
from harness.stacks.capabilities.database import Cluster, Connected
from harness.stacks.capabilities.entrance import Reachable
from harness.workload.probe import Probe

LOOK = "read the log of what answers there"
ONLY_RUNS = "runs; only that was looked at: nothing says how it is asked"


class NotHealthy(DrillError):
    """An answer that is not the one the plan wants, or a component that does not do its work."""


class PlainHealth:
    """Fills `harness.procedures.health.Health`."""

    def checks(self, planned: Sequence[PlannedCheck], stack: Stack) -> list[HealthCheck]:
        """A request is good where its answer is 2xx; a query where the leader of the stack's cluster answers it."""
        return [HealthCheck(line.name, line.within, partial(_ask, line, stack)) for line in planned]

    def needs(self, planned: Sequence[PlannedCheck]) -> tuple[Any, ...]:
        """An entrance for requests, and a database for queries."""
        return tuple(dict.fromkeys(Connected if line.query else Reachable for line in planned))

    def works(self, stack: Stack, name: str) -> str:
        """It runs, and does all else that can be asked of it: a request where it says how it is asked, a part in the
        database where it has one. Where that is nothing, the words say so. Errors: `NotHealthy`, with what it lacks."""
        part = stack.components()[name]
        if not part.running():
            raise NotHealthy("does not run", hint=LOOK)
        said = []
        if isinstance(part, Asked):
            try:
                part.ask()
            except OSError as error:
                raise NotHealthy(f"runs, and does not answer as it must: {error}", hint=LOOK) from None
            said.append("answers a real request")
        cluster = find(stack, Cluster)
        if cluster is not None and name in {member.name for member in cluster.members}:
            said.append(_part_of(cluster, name))
        return f"runs, and {', and '.join(said)}" if said else ONLY_RUNS


def _part_of(cluster: Cluster, name: str) -> str:
    """What a database server does there. Errors: `NotHealthy` where nobody, or more than one, leads, or it follows
    nobody."""
    found = {one.name: one for one in cluster.healthy()}
    leader, copy = found.get("leader"), found.get(f"{name} replicates")
    if leader is not None and not leader.ok:
        raise NotHealthy(f"runs, but {leader.seen}", hint=LOOK)
    if copy is not None:
        if not copy.ok:
            raise NotHealthy(f"runs, and does not replicate: {copy.seen}", hint=LOOK)
        return f"replicates ({copy.seen})"
    leads = cluster.leader()
    if leads is None or leads.name != name:
        raise NotHealthy("runs, and neither leads nor replicates", hint=LOOK)
    return "leads"


def _ask(line: PlannedCheck, stack: Stack, within: timedelta) -> str:
    if line.query:
        with need(stack, Connected).connect() as connection:
            row = connection.execute(line.query.encode()).fetchone()
        return f"{line.query}: {row[0] if row else 'no row'}"
    url = urlsplit(line.url)
    body = json.loads(line.body) if line.body else None
    answer = Probe(need(stack, Reachable).entrance).ask(
        line.method, url.path, within=within, host=url.hostname or "", body=body
    )
    if not answer.ok:
        raise NotHealthy(answer.error or f"HTTP {answer.status}", hint=LOOK)
    return f"HTTP {answer.status}"


PLAIN = PlainHealth()
