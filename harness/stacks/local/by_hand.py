"""For people who follow a runbook on the embedded stack: where everything is, as variables of a shell."""

from __future__ import annotations

import shlex
from pathlib import Path

from harness.stacks.local.parts import Parts

FOLDER = "STACK_FOLDER"


def environment(parts: Parts, folder: Path) -> dict[str, str]:
    """The variables that `drdrill stack exec` sets for a runbook; those that end in `_a` are of zone a.

    STACK_ON_a holds the words before a command that has to run on that zone's database server, as the database's user.
    """
    entrance, members = parts.entrance, parts.members
    found = {
        FOLDER: str(folder),
        "STACK_ZONES": " ".join(member.zone for member in members),
        "STACK_ENTRANCE": f"{entrance.addresses[0]}:{entrance.port}",
        "STACK_CA": str(entrance.ca),
        "STACK_BUCKET": parts.vault.bucket.name,
        "STACK_FETCH": parts.backups.fetch_program(),
        "ETCDCTL_ENDPOINTS": ",".join(parts.etcd.endpoints()),
        "ETCDCTL_API": "3",
    }
    for member in members:
        found[f"STACK_ADDRESS_{member.zone}"] = member.address
        found[f"STACK_ON_{member.zone}"] = shlex.join(member.words())
        found[f"STACK_VOLUME_{member.zone}"] = str(member.volume)
        found[f"STACK_LOG_{member.zone}"] = str(member.database_log)
    return found
