"""The names that customers know, in a hosted zone of Route 53: each has addresses in two regions.

Published, a name is a pair of failover records, and health decides which is answered. Switched by hand, it is one plain
record: no health check, of either region, brings the other one back before it is published anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from harness.errors import DrillError, Refused
from harness.stacks.parts.aws import client
from harness.stacks.parts.name_server.zone import PRIMARY, SECONDARY, Record, record_of
from harness.system import clock

TTL = timedelta(seconds=5)  # shorter than AWS's advice for failover (60 s), for a drill has minutes and no hours
EVERY = timedelta(seconds=10)  # the shortest that Route 53 has
THRESHOLD = 2  # looks in a row; its default is 3: one more costs 10 s of the failover, and of the way back
REGION = "us-east-1"  # where this service is, whatever the regions of those that it sends customers to
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "drill", "AWS_SECRET_ACCESS_KEY": "drill"}  # the emulator checks none


@dataclass(frozen=True)
class Side:
    """Where customers come in, in one region."""

    region: str
    addresses: Sequence[str]  # in the order in which customers try them


class HostedZone:
    """One zone behind `url`, trusted by `ca`. `name`: without the dot at its end."""

    def __init__(
        self, name: str, *, url: str, ca: Path, ttl: timedelta = TTL, every: timedelta = EVERY,
        threshold: int = THRESHOLD,
    ) -> None:  # fmt: skip  # parameters in groups
        """`every` and `threshold`: of the health checks that are published."""
        self.name = name
        self._url = url
        self._ca = ca
        self.ttl = ttl
        self._every = every
        self._threshold = threshold
        self._making = Lock()

    @cached_property
    def _made(self) -> Any:
        return client("route53", url=self._url, ca=self._ca, credentials=CREDENTIALS, region=REGION, read_timeout=5)

    @property
    def _client(self) -> Any:
        with self._making:
            return self._made

    def answers(self) -> bool:
        """Whether the API answers a real request."""
        try:
            with self._saying("find it"):
                self._id()
        except DrillError:
            return False
        return True

    def publish(self, names: Sequence[str], *, primary: Side, secondary: Side, port: int, path: str) -> None:
        """From now on each of the names stands for the primary's addresses, while any of them is healthy or none of
        the secondary's is. Ends a switch by hand. Harmless when repeated. `port`, `path`: what health checks ask, by
        HTTPS.
        """
        with self._saying(f"publish {', '.join(names)}"):
            id = self._id() or self._make()
            known = {one["Id"]: one["HealthCheckConfig"] for one in self._checks()}
            checks = [
                self._health_check(names[0], one, port=port, path=path, known=known) for one in (primary, secondary)
            ]
            wanted = []
            for name in names:
                for role, side, check in zip((PRIMARY, SECONDARY), (primary, secondary), checks, strict=True):
                    # The name is a part of the identifier, because Moto deletes by that alone, whatever the name.
                    named = {"SetIdentifier": f"{side.region} {name}", "Failover": role, "HealthCheckId": check}
                    wanted.append(self._record(name, side.addresses) | named)
            self._replace(id, names, wanted, why="published")

    def switch(self, name: str, to: Sequence[str]) -> None:
        """From now on the name stands for these addresses and for no others, healthy or not. Harmless when repeated.

        Errors: `Refused` where the zone has no such name, and nothing is changed.
        """
        if not to:
            raise Refused(f"no addresses to switch {name} to", hint="give at least one")
        with self._saying(f"switch {name} to {', '.join(to)}"):
            id = self._id()
            if not id or not self._raw(id, [name]):
                raise Refused(
                    f"zone {self.name} has no record of {name}", hint="publish the name before it is switched"
                )
            self._replace(id, [name], [self._record(name, to)], why="switched by hand")

    def records(self) -> list[Record]:
        """Of the names, without what the zone has for itself; none where there is no zone."""
        with self._saying("list records"):
            id = self._id()
            found = [record_of(one) for one in self._listed(id)] if id else []
        return [one for one in found if one.type not in ("SOA", "NS")]

    def read(self) -> dict[str, Any] | None:
        """All that a name server needs, as JSON (`zone_of`); None where there is no zone. Errors: `DrillError`."""
        with self._saying("read the zone"):
            id = self._id()
            if not id:
                return None
            records = self._listed(id)  # before the checks: those of a record are there before it is
            checks = [{key: one[key] for key in ("Id", "HealthCheckConfig")} for one in self._checks()]
        return {"id": id, "name": self.name, "records": records, "checks": checks}

    def _id(self) -> str:
        """Empty where there is no such zone."""
        found = self._client.list_hosted_zones_by_name(DNSName=self.name, MaxItems="1")["HostedZones"]
        return next((str(one["Id"]) for one in found if one["Name"].rstrip(".") == self.name), "")

    def _make(self) -> str:
        """With a SOA of our own: Moto's is not one, and that there is no such name would be kept for a day."""
        made = self._client.create_hosted_zone(Name=self.name, CallerReference=_once())
        id, server = str(made["HostedZone"]["Id"]), made["DelegationSet"]["NameServers"][0]
        ttl = int(self.ttl.total_seconds())
        value = {"Value": f"{server}. hostmaster.{self.name}. 1 7200 900 1209600 {ttl}"}
        soa = {"Name": f"{self.name}.", "Type": "SOA", "TTL": 900, "ResourceRecords": [value]}
        self._change(id, [{"Action": "UPSERT", "ResourceRecordSet": soa}], why="made")
        return id

    def _listed(self, id: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=id)
        return [one for page in pages for one in page["ResourceRecordSets"]]

    def _raw(self, id: str, names: Sequence[str]) -> list[dict[str, Any]]:
        return [one for one in self._listed(id) if one["Name"].rstrip(".") in names and one["Type"] == "A"]

    def _checks(self) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_health_checks").paginate()
        return [one for page in pages for one in page["HealthChecks"]]

    def _record(self, name: str, addresses: Sequence[str]) -> dict[str, Any]:
        values = [{"Value": each} for each in addresses]
        return {"Name": f"{name}.", "Type": "A", "TTL": int(self.ttl.total_seconds()), "ResourceRecords": values}

    def _replace(self, id: str, names: Sequence[str], records: Sequence[dict[str, Any]], *, why: str) -> None:
        """In one change, so that nobody meets a name that is half of each."""
        now = self._raw(id, names)
        if not _same(now, records):
            stay = {_key(one) for one in records}
            changes = [{"Action": "DELETE", "ResourceRecordSet": one} for one in now if _key(one) not in stay]
            changes += [{"Action": "UPSERT", "ResourceRecordSet": one} for one in records]
            self._change(id, changes, why=why)

    def _change(self, id: str, changes: Sequence[dict[str, Any]], *, why: str) -> None:
        self._client.change_resource_record_sets(HostedZoneId=id, ChangeBatch={"Comment": why, "Changes": changes})

    def _health_check(self, host: str, side: Side, *, port: int, path: str, known: dict[str, dict[str, Any]]) -> str:
        """The id of a check that is healthy while any of the addresses is. Made where there is none like it."""
        own = {
            "Type": "HTTPS", "Port": port, "ResourcePath": path, "FullyQualifiedDomainName": host, "EnableSNI": True,
            "RequestInterval": int(self._every.total_seconds()), "FailureThreshold": self._threshold,
        }  # fmt: skip  # a table
        each = [self._like({**own, "IPAddress": address}, known) for address in side.addresses]
        if len(each) == 1:
            return each[0]
        return self._like({"Type": "CALCULATED", "ChildHealthChecks": each, "HealthThreshold": 1}, known)

    def _like(self, config: dict[str, Any], known: dict[str, dict[str, Any]]) -> str:
        for id, one in known.items():
            if all(one.get(key) == value for key, value in config.items()):
                return id
        made = self._client.create_health_check(CallerReference=_once(), HealthCheckConfig=config)["HealthCheck"]
        known[made["Id"]] = config
        return str(made["Id"])

    @contextmanager
    def _saying(self, what: str) -> Iterator[None]:
        """Turn the client's errors into ours."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (see `aws`)

        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise DrillError(
                f"Route 53 at {self._url}, zone {self.name}: could not {what}: {error}",
                hint="read the log of route53 in the run's folder; is it running?",
            ) from None


def _once() -> str:
    """A reference that no other request has."""
    return f"drdrill-{clock.mono()}"


def _key(record: dict[str, Any]) -> tuple[str, str]:
    """By which a zone knows it, among those of one type."""
    return record["Name"], record.get("SetIdentifier", "")


def _same(some: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]]) -> bool:
    """Whatever their order."""
    said, other = (sorted(json.dumps(one, sort_keys=True) for one in each) for each in (some, others))
    return said == other
