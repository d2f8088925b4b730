"""A name server for unit tests: in this process, at a free port of this machine, with a zone written down here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.stacks.parts.name_server.__main__ import Answers, Tcp, Udp
from harness.stacks.parts.name_server.log import FILE, Lines, Log
from harness.stacks.parts.name_server.zone import Zone, zone_of
from tests.receivers import free_ports

ZONE, NAME = "example.test", "api.example.test"
FIRST, SECOND = ("127.0.0.5", "127.0.0.6"), ("127.0.0.7",)


def record(name: str, type: str, *values: str, ttl: int = 1, **more: Any) -> dict[str, Any]:
    return {"Name": f"{name}.", "Type": type, "TTL": ttl, "ResourceRecords": [{"Value": one} for one in values], **more}


def pair(name: str = NAME, *, ttl: int = 1) -> list[dict[str, Any]]:
    """Failover records, each with a health check by the name of its region."""
    return [
        record(name, "A", *values, ttl=ttl, SetIdentifier=set, Failover=role, HealthCheckId=set)
        for set, role, values in (("r2", "SECONDARY", SECOND), ("r1", "PRIMARY", FIRST))
    ]


def zone(*records: dict[str, Any], name: str = ZONE) -> Zone:
    own = [
        record(name, "SOA", f"ns1.{name}. hostmaster.{name}. 1 7200 900 1209600 5", ttl=900),
        record(name, "NS", f"ns1.{name}", f"ns2.{name}", ttl=172800),
    ]
    return zone_of({"id": "/hostedzone/Z1", "name": name, "records": [*own, *records], "checks": []})


@dataclass
class Serving:
    """What the server goes by may be changed while it serves. Fills both what it holds and what it knows of health."""

    folder: Path
    zone: Zone | None = field(default_factory=lambda: zone(*pair()))
    ill: set[str] = field(default_factory=set)
    port: int = field(default_factory=lambda: free_ports(1)[0])

    def healthy(self, check: str) -> bool:
        return check not in self.ill

    def __post_init__(self) -> None:
        self.log = Lines(self.folder / FILE)

    @contextmanager
    def serves(self) -> Iterator[Serving]:
        answer = Answers(self, self, Log(self.folder / FILE))
        servers = [kind(("127.0.0.1", self.port), answer) for kind in (Udp, Tcp)]
        threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in servers]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            for server, thread in zip(servers, threads, strict=True):
                server.shutdown()
                thread.join()
                server.server_close()
