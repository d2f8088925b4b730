"""S3 by Moto's server, over its own TLS: the backup store of the embedded stack.

It keeps objects in memory (large ones in unlinked temporary files of its folder): what it holds dies with it.
It checks no signature, which is why the credentials here are no secret.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version

from harness.stacks.parts.bucket import Bucket
from harness.stacks.parts.ground import Ground, Runs
from harness.stacks.parts.tls import Issuer
from harness.stacks.stand_in import BUCKET

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "drill", "AWS_SECRET_ACCESS_KEY": "drill"}
PORT = 9000


def simulated() -> str:
    """What it is, in words for whoever reads a report."""
    return f"the object store (moto: {version('moto')}) is Moto, an emulator of the S3 protocol: a simulated store"


class S3Server:
    """One Moto server."""

    def __init__(
        self, ground: Ground, *, authority: Issuer, port: int = PORT, name: str = "s3", place: str = ""
    ) -> None:
        """`name`: of the unit and of its folder; `place`: where it stands outside of the zones."""
        self._ground = ground
        self._port = port
        self._authority = authority
        self._folder = ground.folder / name
        self._folder.mkdir(parents=True, exist_ok=True)
        self._profile = self._folder / "aws-config"
        self._profile.write_text(f"[default]\nregion = {REGION}\ns3 =\n  addressing_style = path\n")
        self.url = f"https://{ground.storage}:{port}"
        self.unit = ground.unit(name, runs=Runs.HARNESS, place=place, argv=self._argv, env=self._server_env)
        self.bucket = Bucket(BUCKET, url=self.url, ca=authority.ca, credentials=CREDENTIALS, region=REGION)

    @property
    def name(self) -> str:
        return self.unit.name

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
            "NO_PROXY": self._ground.storage,
            "no_proxy": self._ground.storage,
        }

    def start(self) -> None:
        """Start it; `ready()` says when it serves."""
        self.unit.start()

    def ready(self) -> bool:
        """Whether it answers a real request; the versioned bucket is there then.

        Errors: `NotReady` when the server has ended, with its last log lines.
        """
        self.unit.must_run()
        return self.bucket.answers()

    def _argv(self) -> list[str]:
        chain, key = self._authority.issue(self.unit.name, [self._ground.storage, "localhost"])
        place = ["-H", self._ground.storage, "-p", str(self._port)]
        return [
            sys.executable,
            "-P",
            "-m",
            "harness.stacks.parts.moto_server",
            *place,
            "-c",
            str(chain),
            "-k",
            str(key),
        ]

    def _server_env(self) -> dict[str, str]:
        objects = self._folder / "objects"
        objects.mkdir(exist_ok=True)
        return {"TMPDIR": str(objects), "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true", "PYTHONUNBUFFERED": "1"}
