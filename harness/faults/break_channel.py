"""A service by which people are told fails, in one of its ways: it refuses, is silent, or loses what it took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import NotReady, Refused, Unable
from harness.faults import Undo
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.messaging import Interruptible
from harness.stacks.real import real_channels
from harness.system.clock import Moment

UP = "up"


@dataclass(frozen=True)
class BreakChannel:
    """`service`: as the stack calls it; `how`: one of the ways in which that can be.

    It is the service that fails, and not what sends by it.
    """

    service: str
    how: str
    needs: ClassVar[tuple[Any, ...]] = (Interruptible,)
    name = "break_channel"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        """Errors: `Unable` where it is real, `Refused` where it cannot be so, `NotReady` where it is not up."""
        if self.service in real_channels(stack):
            what = f"{self.service} is real here, and nothing breaks what people are reached by"
            raise Unable(what, hint="drill this on a stack in which something stands in for the service")
        services = need(stack, Interruptible)
        if self.how == UP or self.how not in services.ways(self.service):
            known = ", ".join(way for way in services.ways(self.service) if way != UP) or "no such service"
            raise Refused(f"{self.service} cannot be made so: {self.how}", hint=f"there are: {known}")
        if (now := services.service_is(self.service)) != UP:
            raise NotReady(f"{self.service} is {now} already", hint="`drdrill heal`")
        return {"before": UP}

    def affects(self, undo: Undo) -> list[str]:
        """A monitoring of the platform does not see it."""
        return []

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        need(stack, Interruptible).set_service(self.service, self.how)
        return None

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """By a real try, of a message to nobody."""
        seen = need(stack, Interruptible).service_is(self.service)
        return f"{self.service}, tried with a message to nobody: {seen}" if seen == self.how else ""

    def heal(self, stack: Stack, undo: Undo) -> Moment | None:
        need(stack, Interruptible).set_service(self.service, undo["before"])
        return None

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """A message to nobody is taken, and kept."""
        seen = need(stack, Interruptible).service_is(self.service)
        return "" if seen == undo["before"] else f"{self.service}, tried with a message to nobody: {seen}"
