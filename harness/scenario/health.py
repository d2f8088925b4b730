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
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Connected
from harness.stacks.capabilities.entrance import Reachable
from harness.workload.probe import Probe


class NotHealthy(DrillError):
    """An answer that is not the one the plan wants."""


class PlainHealth:
    """Fills `harness.procedures.health.Health`."""

    def checks(self, planned: Sequence[PlannedCheck], stack: Stack) -> list[HealthCheck]:
        """A request is good where its answer is 2xx; a query where the leader of the stack's cluster answers it."""
        return [HealthCheck(line.name, line.within, partial(_ask, line, stack)) for line in planned]

    def needs(self, planned: Sequence[PlannedCheck]) -> tuple[Any, ...]:
        """An entrance for requests, and a database for queries."""
        return tuple(dict.fromkeys(Connected if line.query else Reachable for line in planned))

    def works(self, stack: Stack, name: str) -> str:
        """A component that runs is taken to do its work: nobody has said how it is asked."""
        return "runs" if stack.components()[name].running() else ""


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
        raise NotHealthy(answer.error or f"HTTP {answer.status}", hint="read the log of what answers there")
    return f"HTTP {answer.status}"


PLAIN = PlainHealth()
