"""A hosted zone as Route 53's API shows it: records, and the health checks that failover records are answered by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

PRIMARY, SECONDARY = "PRIMARY", "SECONDARY"


@dataclass(frozen=True)
class Record:
    """One record set. A name has one, or a primary and a secondary."""

    name: str  # in small letters, without the dot at its end
    type: str
    ttl: timedelta
    values: tuple[str, ...]
    role: str = ""  # PRIMARY or SECONDARY; empty: always answered
    set: str = ""  # its identifier, which only a record with a role has
    check: str = ""  # id of its health check; without one it counts as healthy
    plain: bool = True  # False: answered by a rule that is not known here, such as weights


@dataclass(frozen=True)
class Check:
    """A health check: of one address, or of others."""

    id: str
    every: timedelta
    threshold: int  # looks in a row that turn it, either way
    address: str = ""
    port: int = 0
    host: str = ""  # goes into SNI and Host
    path: str = ""
    of: tuple[str, ...] = ()  # ids; healthy where `least` of them are
    least: int = 0


@dataclass(frozen=True)
class Zone:
    """What names stand for. Pure: it knows no clock and asks nobody."""

    name: str
    records: tuple[Record, ...]
    checks: Mapping[str, Check]

    def at(self, name: str) -> tuple[Record, ...]:
        return tuple(one for one in self.records if one.name == name)

    def holds(self, name: str) -> bool:
        """Whether the name, or one below it, has a record of any type."""
        return any(one.name == name or one.name.endswith(f".{name}") for one in self.records)

    def healthy(self, check: str, looked: Callable[[str], bool]) -> bool:
        """`looked` says it of the check of an address. What is not known, is healthy until something else is seen."""
        found = self.checks.get(check)
        if found is None or not found.of:
            return looked(check)
        return sum(map(looked, found.of)) >= found.least


def answered(records: Sequence[Record], *, healthy: Callable[[Record], bool]) -> Record | None:
    """Which of a name's records of one type is answered: Route 53's rule for failover records.

    The primary while it is healthy, else the secondary if that is; where neither is, the primary. None where they
    follow another rule.
    """
    if len(records) == 1 and records[0].plain:
        return records[0]
    by_role = {one.role: one for one in records}
    if set(by_role) != {PRIMARY, SECONDARY} or len(records) != 2:
        return None
    primary, secondary = by_role[PRIMARY], by_role[SECONDARY]
    return secondary if not healthy(primary) and healthy(secondary) else primary


def zone_of(said: Mapping[str, Any]) -> Zone:
    """Of what `HostedZone.read` returns. Errors: `KeyError`, `TypeError`, `ValueError` where it is something else."""
    return Zone(
        name=_plain(said["name"]),
        records=tuple(record_of(one) for one in said["records"]),
        checks={one["Id"]: _check(one["Id"], one["HealthCheckConfig"]) for one in said["checks"]},
    )


def record_of(one: Mapping[str, Any]) -> Record:
    """A record set as the API has it."""
    return Record(
        name=_plain(one["Name"]),
        type=one["Type"],
        ttl=timedelta(seconds=int(one.get("TTL", 0))),
        values=tuple(each["Value"] for each in one.get("ResourceRecords", ())),
        role=one.get("Failover", ""),
        set=one.get("SetIdentifier", ""),
        check=one.get("HealthCheckId", ""),
        plain=not any(rule in one for rule in ("Weight", "Region", "GeoLocation", "MultiValueAnswer", "AliasTarget")),
    )


def _check(id: str, config: Mapping[str, Any]) -> Check:
    return Check(
        id=id,
        every=timedelta(seconds=int(config.get("RequestInterval", 30))),
        threshold=int(config.get("FailureThreshold", 3)),
        address=config.get("IPAddress", ""),
        port=int(config.get("Port", 443)),
        host=config.get("FullyQualifiedDomainName", ""),
        path=config.get("ResourcePath", "/"),
        of=tuple(config.get("ChildHealthChecks", ())),
        least=int(config.get("HealthThreshold", 0)),
    )


def _plain(name: str) -> str:
    return name.lower().rstrip(".")
