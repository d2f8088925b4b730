"""What a stack that a project brings may lack for now, and how the machine asks for it. All else it must have.

This is the one list of exceptions. Who needs one of these asks by its type here, and says what follows where it is
not there; nothing else of the machine asks a stack whether it has something.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from harness.errors import Refused, Unable
from harness.stacks import Cluster, Component, Entrance, Monitoring, Releases, Stack

MUST_HAVE = (  # and `entrance`, once it has been started
    "kind", "environment", "region", "zones", "folder", "commands", "start", "stop", "stand_outside", "components",
    "steady", "parts", "logs", "secrets",
)  # fmt: skip  # a list
MAY_LACK = (
    "cluster", "backups", "store", "balancers", "releases", "monitoring", "stand_in", "zone_entrance",
    "balancer_entrance", "zone_database", "service", "stall_archiving", "explore",
)  # fmt: skip  # a list


@runtime_checkable
class Clustered(Protocol):
    """A stack with a database cluster."""

    cluster: Cluster


@runtime_checkable
class Watched(Protocol):
    """A stack that something watches, which tells operations what has failed."""

    monitoring: Monitoring


@runtime_checkable
class Released(Protocol):
    """A stack on which releases are deployed."""

    releases: Releases


@runtime_checkable
class Balanced(Protocol):
    """A stack with load balancers at its entrance, each of which can be asked alone."""

    balancers: Sequence[Component]

    def balancer_entrance(self, name: str) -> Entrance: ...


@runtime_checkable
class Readable(Protocol):
    """A stack that says itself what the project's client reads stored transactions from."""

    def reading(self) -> AbstractContextManager[Any]: ...


def must_have_the_rest(stack: object) -> None:
    """Errors: `Refused`, naming everything that a stack must have and this one has not."""
    if missing := [name for name in MUST_HAVE if not hasattr(stack, name)]:
        raise Refused(
            f"{type(stack).__name__} is no stack: it has no {', '.join(missing)}",
            hint="docs/projects.md says what a stack of a project must have",
        )


def source(stack: Stack) -> AbstractContextManager[Any]:
    """What the project's client reads from: what the stack says, else the leader of its cluster. Errors: `Unable`."""
    if isinstance(stack, Readable):
        return stack.reading()
    if isinstance(stack, Clustered):
        return stack.cluster.connect()
    raise without(stack, "nothing that stored transactions can be read from")


def without(stack: Stack, what: str) -> Unable:
    """The error of whoever cannot do without it; `what` begins with "no"."""
    return Unable(
        f"a stack of kind {stack.kind} has {what}",
        hint="leave the sentence out, or drill on a kind that has it: `drdrill run NAME --stack KIND`",
    )
