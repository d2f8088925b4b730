"""The plan's health verification as real requests: what is asked stands in the plan, how it is asked stands here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from harness.errors import DrillError
from harness.plan import HealthCheck as Planned
from harness.procedures.health import HealthCheck
from harness.stacks import Stack
from harness.workload.probe import Probe


class NotHealthy(DrillError):
    """An answer that is not the one the plan wants."""


def health_checks(planned: Sequence[Planned], stack: Stack) -> list[HealthCheck]:
    """One check for each line of the plan."""
    probe = Probe(stack.entrance)

    def ask(line: Planned, within: timedelta) -> str:
        if line.query:
            with stack.cluster.connect() as connection:
                row = connection.execute(line.query.encode()).fetchone()
            return f"{line.query}: {row[0] if row else 'no row'}"
        url = urlsplit(line.url)
        body = json.loads(line.body) if line.body else None
        answer = probe.ask(line.method, url.path, within=within, host=url.hostname or "", body=body)
        if not answer.ok:
            raise NotHealthy(answer.error or f"HTTP {answer.status}", hint="read the API's log")
        if line.method != "POST":
            return f"HTTP {answer.status}"
        written = (answer.body or {}).get("id")
        back = probe.ask("GET", f"{url.path}/{written}", within=within, host=url.hostname or "")
        if not back.ok or (back.body or {}).get("id") != written:
            raise NotHealthy(f"transaction {written} cannot be read back", hint="read the API's log")
        return f"HTTP {answer.status}, transaction {written} read back"

    return [
        HealthCheck(name=line.name, limit=line.within, ask=lambda within, line=line: ask(line, within))  # type: ignore[misc]
        for line in planned
    ]


def look(stack: Stack) -> str:
    """What the monitor of `/ready` would say: empty while all is well."""
    answer = Probe(stack.entrance).ask("GET", "/ready", within=timedelta(seconds=2))
    return "" if answer.ok else f"/ready: {answer.error or f'HTTP {answer.status}'}"
