"""What `stack.ready` says of a stack, for findings and reports to say it too."""

from __future__ import annotations

from typing import Any

from harness.stacks import Stack
from harness.stacks.capabilities import find
from harness.stacks.capabilities.database import Cluster, LogReadable, Positioned
from harness.stacks.capabilities.emulated import Emulated
from harness.stacks.capabilities.entrance import Balanced


def described(stack: Stack) -> dict[str, Any]:
    """What it is made of, what of it is simulated, its own words, and which logs are of what a component runs."""
    positioned, emulated = find(stack, Positioned), find(stack, Emulated)
    return {
        "packages": stack.parts(),
        "words": dict(positioned.words) if positioned else {},
        "simulated": list(emulated.simulated) if emulated else [],
        "logs": _logs(stack),
    }


def regions(stack: Stack) -> list[dict[str, Any]]:
    """Where its zones are. Of several regions also the addresses of the database servers, by which answers name them,
    and those of the load balancers, which resolvers say: so that it is known which region either is of."""
    found: list[dict[str, Any]] = [{"region": each.name, "zones": list(each.zones)} for each in stack.regions]
    for said, region in zip(found, stack.regions, strict=True) if len(found) > 1 else ():
        cluster = find(region, Cluster)
        said["servers"] = {each.door[0]: each.name for each in (cluster.members if cluster else ())}
        if balanced := find(region, Balanced):
            entrances = [balanced.balancer_entrance(each.name) for each in balanced.balancers]
            said["entrances"] = [address for each in entrances for address in each.addresses]
    return found


def _logs(stack: Stack) -> dict[str, list[str]]:
    """By component: the names in the pack of what the database server that it runs writes."""
    names = {path: name for name, path in stack.logs().items()}
    servers = [(name, part) for name, part in stack.components().items() if isinstance(part, LogReadable)]
    return {name: [names[part.database_log]] for name, part in servers if part.database_log in names}
