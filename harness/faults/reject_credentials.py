"""The database refuses the platform's role: its password is no longer valid, and its sessions are ended."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import NotReady
from harness.faults import Undo
from harness.stacks import Stack, zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Guarded
from harness.stacks.capabilities.entrance import ZoneServices
from harness.system.clock import Moment


@dataclass(frozen=True)
class RejectCredentials:
    role: str
    needs: ClassVar[tuple[Any, ...]] = (Guarded, ZoneServices)
    name = "reject_credentials"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        """Until when the password was valid, and nothing more: no password leaves the stack."""
        database = need(stack, Guarded)
        until = database.valid_until(self.role)
        if database.refusal(self.role):
            raise NotReady(f"the database refuses {self.role} already", hint="`drdrill heal`")
        return {"until": until, "services": [need(stack, ZoneServices).service(zone).name for zone in zones(stack)]}

    def affects(self, undo: Undo) -> list[str]:
        """Who can no longer do their work: a monitoring sees that, and not the reason."""
        return list(undo["services"])

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Returns when the last session of the role has ended: until then a server may go on with what it has open."""
        return need(stack, Guarded).expire(self.role)

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        said = ""
        with suppress(NotReady, OSError):  # a database that is away refuses nobody
            said = need(stack, Guarded).refusal(self.role)
        return f"the database says to {self.role}: {said}" if said else ""

    def heal(self, stack: Stack, undo: Undo) -> Moment | None:
        """The password is valid as long as it was."""
        return need(stack, Guarded).renew(self.role, undo["until"])

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """The database lets the role in. Errors: `NotReady`, `OSError` where it is away."""
        said = need(stack, Guarded).refusal(self.role)
        return f"the database says to {self.role}: {said}" if said else ""
