"""The backup store of a container stack: S3 by Moto, behind HAProxy's TLS, under a name of its own.

pgBackRest wants a name in the certificate, and an end of each connection that Moto's own TLS does not send.
Moto checks no signature, which is why the credentials are no secret; what it holds dies with it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from harness.stacks.load_balancers.haproxy import quoted
from harness.stacks.parts.bucket import Bucket
from harness.stacks.parts.ground import Runs
from harness.stacks.parts.s3 import CREDENTIALS, REGION
from harness.stacks.parts.tls import Issuer
from harness.stacks.stand_in import BUCKET, NAME

if TYPE_CHECKING:
    from harness.stacks.docker.ground import DockerGround

HOST = f"s3.{NAME}.internal"
PORT = 9000
PLAIN = 9001  # of Moto, inside the pod
CONFIGURATION = """\
defaults
    mode http
    timeout connect 5s
    timeout client 120s
    timeout server 120s
frontend s3
    bind {address}:{port} ssl crt {pem}
    default_backend moto
backend moto
    server moto 127.0.0.1:{plain}
"""


class Store:
    """Two units in the storage's pod of a region."""

    def __init__(self, ground: DockerGround, *, authority: Issuer) -> None:
        self.name = ground.layout.own("s3")
        self.url = f"https://{ground.storage}:{PORT}"
        self.ca = authority.ca
        self.bucket = Bucket(BUCKET, url=self.url, ca=authority.ca, credentials=CREDENTIALS, region=REGION)
        self._ground = ground
        self._authority = authority
        self._folder = ground.folder / self.name
        objects = str(self._folder / "objects")
        self.units = [
            ground.unit(
                self.name,
                runs=Runs.HARNESS,
                place=ground.store_place,
                argv=lambda: [
                    sys.executable,
                    "-P",
                    "-m",
                    "harness.stacks.parts.moto_server",
                    "-H",
                    "127.0.0.1",
                    "-p",
                    str(PLAIN),
                ],
                env=lambda: {"TMPDIR": objects, "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true", "PYTHONUNBUFFERED": "1"},
            ),
            ground.unit(ground.layout.own("s3-tls"), runs=Runs.PART, place=ground.store_place, argv=self._front),
        ]

    def start(self) -> None:
        """Start both; `ready` says when they serve."""
        (self._folder / "objects").mkdir(parents=True, exist_ok=True)
        for unit in self.units:
            unit.start()

    def ready(self) -> bool:
        """Whether it answers a real request; the versioned bucket is there then.

        Errors: `NotReady` when one has ended, with its last log lines.
        """
        for unit in self.units:
            unit.must_run()
        return self.bucket.answers()

    def _front(self) -> list[str]:
        chain, key = self._authority.issue(self.name, [self._ground.storage, HOST])
        pem, file = self._folder / "s3.pem", self._folder / "haproxy.cfg"
        pem.touch(mode=0o600)
        pem.write_text(chain.read_text() + key.read_text())
        file.write_text(CONFIGURATION.format(address=self._ground.storage, port=PORT, pem=quoted(pem), plain=PLAIN))
        return ["haproxy", "-db", "-f", str(file)]
