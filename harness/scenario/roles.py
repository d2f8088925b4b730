"""Which component is meant by its role, where several have one."""

from __future__ import annotations

from harness.errors import NotReady, Refused
from harness.stacks import Stack
from harness.stacks.capabilities import find
from harness.stacks.capabilities.components import Roled
from harness.stacks.capabilities.database import Cluster


def one_of(stack: Stack, role: str, *, able: type) -> str:
    """The first of that role, in the stack's order, that runs and can have done to it what `able` says. Who leads the
    database is none of several that are alike: a sentence of its own is about it.

    Errors: `Refused` where none has the role, `NotReady` where none of these runs.
    """
    roles = {name: one.role for name, one in stack.components().items() if isinstance(one, Roled)}
    alike = [name for name, its in roles.items() if its == role]
    if not alike:
        known = ", ".join(sorted(set(roles.values()))) or "none"
        raise Refused(f"the stack has no component of the role {role!r}", hint=f"there are: {known}")
    cluster = find(stack, Cluster)
    leader = cluster.leader() if cluster else None
    others = [name for name in alike if leader is None or name != leader.name]
    parts = stack.components()
    for name in others or alike:
        if isinstance(parts[name], able) and parts[name].running():
            return name
    raise NotReady(
        f"no component of the role {role} runs that could be hurt: {', '.join(others or alike)}",
        hint="look why they have ended, and what the stack lets be done to them",
    )
