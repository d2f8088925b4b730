"""S3 by Moto's server, over TLS: the backup store of the embedded stack.

It keeps objects in memory (large ones in unlinked temporary files of its folder): what it holds dies with it.
It checks no signature, which is why the credentials here are no secret.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.command import Commands
from harness.errors import DrillError
from harness.stacks.local.bucket import Bucket
from harness.stacks.local.process import LocalProcess
from harness.stacks.local.tls import Issuer

BUCKET = "quantumnest-backups-prod"
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "drill", "AWS_SECRET_ACCESS_KEY": "drill"}


class S3Server:
    """One Moto server, a component.

    `inside` are the words that put a command into the server's zone (`nsenter ...`), none on loopback. They must end
    in an exec, so that the pid started is the server's own. `folder` is the stack's.
    """

    def __init__(
        self,
        *,
        address: str,
        port: int,
        authority: Issuer,
        folder: Path,
        commands: Commands,
        bucket: str = BUCKET,
        inside: Sequence[str] = (),
        name: str = "s3",
        zone: str = "",
    ) -> None:
        self.name = name
        self.zone = zone
        self.url = f"https://{address}:{port}"
        self._address = address
        self._port = port
        self._authority = authority
        self._folder = folder / name
        self._inside = tuple(inside)
        self._made = False
        self._folder.mkdir(parents=True, exist_ok=True)
        self._profile = self._folder / "aws-config"
        self._profile.write_text(f"[default]\nregion = {REGION}\ns3 =\n  addressing_style = path\n")
        self._process = LocalProcess(
            commands, name=name, zone=zone, folder=folder, argv=self._argv, env=self._server_env
        )
        self.bucket = Bucket(bucket, url=self.url, ca=authority.ca, credentials=CREDENTIALS, region=REGION)

    @property
    def log(self) -> Path:
        return self._process.log

    def env(self) -> dict[str, str]:
        """What any S3 client needs to reach this store, and nothing of the user's own AWS settings or proxy."""
        return {
            **CREDENTIALS,
            "AWS_SESSION_TOKEN": "",
            "AWS_PROFILE": "default",
            "AWS_CONFIG_FILE": str(self._profile),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_CA_BUNDLE": str(self._authority.ca),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "2",
            "NO_PROXY": self._address,
            "no_proxy": self._address,
        }

    def start(self) -> None:
        """Start it; `ready()` says when it serves."""
        if not self.running():
            self._made = False
            self._process.start()

    def ready(self) -> bool:
        """Whether it answers a real request; makes the versioned bucket the first time it does.

        Errors: `NotReady` when the server has ended, with its last log lines.
        """
        self._process.must_run()
        if not self._made:
            try:
                self.bucket.make()
            except DrillError:
                return False  # it does not listen yet
            self._made = True
        return True

    def running(self) -> bool:
        return self._process.running()

    def stop(self) -> None:
        self._process.stop()

    def kill(self) -> None:
        self._process.kill()

    def _argv(self) -> list[str]:
        chain, key = self._authority.issue(self.name, [self._address, "localhost"])
        place = ["-H", self._address, "-p", str(self._port)]
        return [*self._inside, sys.executable, "-P", "-m", "moto.server", *place, "-c", str(chain), "-k", str(key)]

    def _server_env(self) -> dict[str, str]:
        objects = self._folder / "objects"
        objects.mkdir(exist_ok=True)
        return {"TMPDIR": str(objects), "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true", "PYTHONUNBUFFERED": "1"}
