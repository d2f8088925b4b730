"""For people who follow a runbook on the embedded stack: where everything is, as variables of a shell."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.stacks.local.ground import POSTGRES
from harness.stacks.local.parts import Parts
from harness.stacks.parts.naming import Naming

FOLDER = "STACK_FOLDER"


def environment(parts: Parts, folder: Path, *, regions: Mapping[str, Parts], naming: Naming | None) -> dict[str, str]:
    """The variables that `drdrill stack exec` sets for a runbook; those that end in `_a` are of zone a.

    `parts`: of the region in service. `regions`: of all, by their names; zone west-a has the end `_west_a`.

    STACK_ON_a holds the words before a command that has to run on that zone's database server, as the database's user.
    """
    entrance, members = parts.entrance, parts.members
    found = {
        **parts.s3.env(),
        "PATRONICTL_CONFIG_FILE": str(members[0].configuration),
        "PATH": f"{POSTGRES}:{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        FOLDER: str(folder),
        "STACK_ZONES": " ".join(member.zone for member in members),
        "STACK_ENTRANCE": f"{entrance.addresses[0]}:{entrance.port}",
        "STACK_CA": str(entrance.ca),
        "STACK_BUCKET": parts.vault.bucket.name,
        "STACK_FETCH": parts.backups.fetch_program(),
        "ETCDCTL_ENDPOINTS": ",".join(parts.etcd.endpoints()),
        "ETCDCTL_API": "3",
    }
    for member in (member for one in regions.values() for member in one.members):
        zone = member.zone.replace("-", "_")
        found[f"STACK_ADDRESS_{zone}"] = member.address
        found[f"STACK_ON_{zone}"] = shlex.join(member.words())
        found[f"STACK_VOLUME_{zone}"] = str(member.volume)
        found[f"STACK_LOG_{zone}"] = str(member.database_log)
    return found | (_of_regions(regions, naming) if naming else {})


def _of_regions(regions: Mapping[str, Parts], naming: Naming) -> dict[str, str]:
    """Where both regions are, by their names: what ends in `_us_east_1` is of that one."""
    resolver = naming.server.resolver
    found = {
        "STACK_REGIONS": " ".join(regions),
        "STACK_ROUTE53": naming.route53.url,
        "STACK_NAME_SERVER": f"{resolver.server}:{resolver.port}",
    }
    for name, parts in regions.items():
        end = name.replace("-", "_")
        found[f"STACK_ZONES_{end}"] = " ".join(member.zone for member in parts.members)
        found[f"STACK_PATRONI_{end}"] = str(parts.members[0].configuration)
        found[f"STACK_ETCD_{end}"] = ",".join(parts.etcd.endpoints())
        alone = parts.balancer_entrances.values()  # and not what the name stands for, which customers of both resolve
        found[f"STACK_BALANCERS_{end}"] = " ".join(each.addresses[0] for each in alone)
        found[f"STACK_STORE_{end}"] = f"{parts.s3.url}/{parts.vault.bucket.name}"
    return found
