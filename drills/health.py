"""The plan's health verification as real requests: what is asked stands in the plan, how it is asked stands here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.errors import DrillError
from harness.plan import PlannedCheck
from harness.procedures.health import HealthCheck
from harness.scenario.health import NotHealthy
from harness.scenario.observations import OK, Answer
from harness.stacks import Condition, Entrance, Region, Stack, regional, zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import BaseBackups
from harness.stacks.capabilities.database import Cluster, Connected
from harness.stacks.capabilities.entrance import Balanced, Reachable, ZoneServices

if TYPE_CHECKING:
    from harness.workload.probe import Probe


class QuantumNestHealth:
    """Fills `harness.procedures.health.Health`."""

    def checks(self, planned: Sequence[PlannedCheck], stack: Stack) -> list[HealthCheck]:
        return health_checks(planned, stack)

    def needs(self, planned: Sequence[PlannedCheck]) -> tuple[Any, ...]:
        return Reachable, Balanced, ZoneServices, Cluster, Connected

    def works(self, stack: Stack, name: str) -> str:
        return works(stack, name)


HEALTH = QuantumNestHealth()
PATIENCE = timedelta(seconds=2)  # of one request
LIVE, READY = "/health", "/ready"  # does the API live, can it do its work?
NOT_READY = 503


def health_checks(planned: Sequence[PlannedCheck], stack: Stack) -> list[HealthCheck]:
    """One check for each line of the plan."""
    probe = _probe(need(stack, Reachable).entrance)

    def ask(line: PlannedCheck, within: timedelta) -> str:
        if line.query:
            with need(stack, Connected).connect() as connection:
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

    return [HealthCheck(name=line.name, limit=line.within, ask=partial(ask, line)) for line in planned]


def status(stack: Stack, zone: str, path: str) -> int:
    """What a zone's own API says, as an HTTP status; 0 where it does not answer."""
    return _probe(need(stack, ZoneServices).zone_entrance(zone)).ask("GET", path, within=PATIENCE).status


def without_database(stack: Stack, zone: str) -> list[Answer]:
    """What a zone's own API says of itself, and what it should while its database cannot be used: well, not ready."""
    return [Answer(path, wanted, status(stack, zone, path)) for path, wanted in ((LIVE, OK), (READY, NOT_READY))]


def works(stack: Stack, name: str) -> str:
    """What shows that a component does its work, asked as its users do; empty where it does not."""
    for zone in zones(stack):
        if need(stack, ZoneServices).service(zone).name == name:
            return _takes_requests(stack, zone)
    for balancer in need(stack, Balanced).balancers:
        if balancer.name == name:
            alone = _probe(need(stack, Balanced).balancer_entrance(name))
            return "passes requests on" if alone.ask("GET", LIVE, within=PATIENCE).ok else ""
    for member in need(stack, Cluster).members:
        if member.name == name:
            return next((_said(one) for one in need(stack, Cluster).healthy() if one.ok and _is_of(one, name)), "")
    return "runs" if stack.components()[name].running() else ""


def region_ready(stack: Stack, name: str, *, backups: int = 0) -> dict[str, str]:
    """By service of a region: what shows that it is ready for customers, asked past all names; empty where it is not.

    The API of each zone, each load balancer, the database, which has to take writes, and the store of its backups,
    which has to list so many of these.
    """
    place = regional.region(stack, name)
    services, balanced = need(place, ZoneServices), need(place, Balanced)
    entrances = {f"zone {zone}": services.zone_entrance(zone) for zone in place.zones}
    entrances |= {each.name: balanced.balancer_entrance(each.name) for each in balanced.balancers}
    found = {}
    for what, entrance in entrances.items():
        said = [_probe(entrance).ask("GET", path, within=PATIENCE) for path in (LIVE, READY)]
        found[what] = f"HTTP {OK}" if all(answer.status == OK for answer in said) else ""
    leader = need(place, Cluster).leader()
    return {**found, "database": f"{leader.name} leads" if leader else "", "store": _store(place, backups)}


def _store(place: Region, backups: int) -> str:
    """Whether the backups of a region can be listed, and there are so many at least."""
    try:
        number = len(need(place, BaseBackups).backups())
    except DrillError:
        return ""
    return f"answers, and lists {number} backups" if number >= backups else ""


def _probe(entrance: Entrance) -> Probe:
    from harness.workload.probe import Probe  # noqa: PLC0415  (see drills.steps)

    return Probe(entrance)


def _takes_requests(stack: Stack, zone: str) -> str:
    if any(status(stack, zone, path) != OK for path in (LIVE, READY)):
        return ""
    answers = [
        _probe(need(stack, Reachable).entrance).ask("GET", LIVE, within=PATIENCE).body
        for _ in range(2 * len(zones(stack)))
    ]
    asked = {answer.get("zone") for answer in answers if isinstance(answer, dict)}
    return "ready, and customers are sent to it" if zone in asked else ""


def _is_of(condition: Condition, member: str) -> bool:
    return condition.name == f"{member} replicates" or (condition.name == "leader" and condition.seen == member)


def _said(condition: Condition) -> str:
    return condition.seen if condition.name != "leader" else "leads"
