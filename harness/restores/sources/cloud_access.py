"""How a tool that speaks to S3 is told of the store: by files that nobody else may read, never on its command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.restores.described import S3
from harness.stacks.attached.file.formats import filled
from harness.system.environment import home

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")  # of the machine's environment, as boto3 heeds them


@dataclass(frozen=True)
class Access:
    """As a stack file has it."""

    s3: S3
    values: Mapping[str, str]

    @property
    def options(self) -> list[str]:
        """Of Barman's cloud tools; older clients know no other way to be told of an endpoint."""
        at = self.s3.endpoint or next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "")
        return ["--endpoint-url", at, "--addressing-style", "path"] if at else []

    def environment(self, folder: Path) -> dict[str, str]:
        """Variables for it, none of which is a secret; what is one lies in files of the folder, which is ours alone."""
        config = folder / "aws-config"
        lines = ["[default]", f"region = {self.s3.region}"]
        if self.s3.ca:
            lines.append(f"ca_bundle = {self.s3.ca.resolve()}")
        _write(config, lines)
        found = {"AWS_CONFIG_FILE": str(config), "AWS_DEFAULT_REGION": self.s3.region, "TMPDIR": str(folder)}
        key, secret = (filled(each, dict(self.values)) for each in (self.s3.key, self.s3.secret))
        credentials = folder / "aws-credentials"
        if key or secret:
            _write(credentials, ["[default]", f"aws_access_key_id = {key}", f"aws_secret_access_key = {secret}"])
        elif os.environ.get("AWS_ACCESS_KEY_ID"):
            kept = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
            given = [f"{name.lower()} = {os.environ[name]}" for name in kept if os.environ.get(name)]
            _write(credentials, ["[default]", *given])
        else:
            credentials = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or home() / ".aws" / "credentials")
        return found | {"AWS_SHARED_CREDENTIALS_FILE": str(credentials)}

    def files(self, env: Mapping[str, str], folder: Path) -> list[Path]:
        """What the tool has to read besides what is in the folder."""
        paths = [Path(env["AWS_SHARED_CREDENTIALS_FILE"]), *([self.s3.ca.resolve()] if self.s3.ca else [])]
        return [path for path in paths if path.is_file() and not path.is_relative_to(folder)]


def _write(path: Path, lines: list[str]) -> None:
    path.touch(mode=0o600)
    path.write_text("".join(f"{line}\n" for line in lines))
