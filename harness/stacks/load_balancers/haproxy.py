"""HAProxy at the entrance: TLS for the platform's names, active health checks by real requests, no retries.

An answer that HAProxy makes itself says whether the request can have been stored: 503 means that no server was there
to take it, so that it is not; 502 and 504 that one took it and did not answer, so that nobody knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.stacks.load_balancers import PORT
from harness.stacks.stand_in import HOSTS, IN_DOUBT, NOT_STORED, READY

METRICS = 8405
EVERY, PATIENCE = "500ms", "1500ms"  # of a health check

CONFIGURATION = """\
global
    maxconn 2000
defaults
    mode http
    retries 0
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    timeout check {patience}
{own_answers}
frontend entrance
    bind {address}:{port} ssl crt {pem}
    default_backend api
frontend metrics
    bind {address}:{metrics}
    http-request use-service prometheus-exporter if {{ path /metrics }}
backend api
    balance roundrobin
{check}
    default-server check inter {every}{down_every} fall 2 rise 1 ssl verify required ca-file {ca} sni str({host}) {how}
"""
REQUEST = """\
    option httpchk
    http-check send meth GET uri {asks} ver HTTP/1.1 hdr Host {host}"""


# Status, what it says of the request, and why.
OWN_ANSWERS = (
    (503, NOT_STORED, "no server is ready"),
    (502, IN_DOUBT, "the server broke off"),
    (504, IN_DOUBT, "the server did not answer"),
)


def _own_answers() -> str:
    return "\n".join(
        f"    http-error status {status} content-type application/json string '{json.dumps({**says, 'why': why})}'"
        for status, says, why in OWN_ANSWERS
    )


def quoted(path: Path) -> str:
    """A path as HAProxy's configuration takes it, whatever letters it has."""
    return '"' + re.sub(r'(["\\$])', r"\\\1", str(path)) + '"'


@dataclass(frozen=True)
class HAProxy:
    """Fills `LoadBalancer`. What HAProxy is told: where it listens, what is behind it, and whom it trusts."""

    address: str
    upstreams: Mapping[str, tuple[str, int]]  # name to address and port
    chain: Path
    key: Path
    ca: Path
    checks: str = "ready"  # "port": only whether a connection is taken, for sabotage twins
    asks: str = READY  # the path of a health check
    down_every: str = ""  # between checks of a server that is down, where that is another time ("2s")

    def argv(self, folder: Path) -> list[str]:
        """Write the configuration and return the command."""
        folder.mkdir(parents=True, exist_ok=True)
        pem, file = folder / "entrance.pem", folder / "haproxy.cfg"
        pem.touch(mode=0o600)
        pem.write_text(self.chain.read_text() + self.key.read_text())
        file.write_text(self.configuration(pem))
        return ["haproxy", "-db", "-f", str(file)]

    def configuration(self, pem: Path) -> str:
        values = {"address": self.address, "port": PORT, "metrics": METRICS, "pem": quoted(pem), "ca": quoted(self.ca)}
        asked = self.checks == "ready"
        check, how = (
            (REQUEST.format(host=HOSTS[0], asks=self.asks), f"check-sni {HOSTS[0]}") if asked else ("", "no-check-ssl")
        )
        settings = CONFIGURATION.format(
            host=HOSTS[0],
            every=EVERY,
            down_every=f" downinter {self.down_every}" if self.down_every else "",
            patience=PATIENCE,
            check=check,
            how=how,
            own_answers=_own_answers(),
            **values,
        )
        servers = [f"    server {name} {host}:{port}\n" for name, (host, port) in self.upstreams.items()]
        return settings + "".join(servers)
