"""A release that cannot start is deployed everywhere: all API servers crash at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import NotReady
from harness.faults import Undo, _probes
from harness.stacks import Stack, zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Startable
from harness.stacks.capabilities.entrance import ZoneServices
from harness.stacks.capabilities.releases import Publishing, Releases
from harness.system import wait
from harness.system.clock import Moment

CRASHES = timedelta(seconds=20)


@dataclass(frozen=True)
class PoisonRelease:
    """`release` is the name under which it is published: the release that is deployed, with all its settings empty."""

    release: str
    needs: ClassVar[tuple[Any, ...]] = (Releases, Publishing, ZoneServices, Startable)
    name = "poison_release"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        before = need(stack, Releases).current()
        if before == self.release:
            raise NotReady(f"release {before} is deployed already", hint="`drdrill heal`")
        return {"before": before, "services": [need(stack, ZoneServices).service(zone).name for zone in zones(stack)]}

    def affects(self, undo: Undo) -> list[str]:
        return list(undo["services"])

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Returns when the last one has crashed. None of them serves any more as soon as the last one of the release
        before has ended."""
        settings = need(stack, Publishing).content(undo["before"])
        need(stack, Publishing).publish(self.release, dict.fromkeys(settings))
        moment = need(stack, Releases).deploy(self.release)
        what = f"{', '.join(undo['services'])} crash"
        wait.until(
            lambda: not _probes.still_running(stack, undo["services"]),
            what=what,
            within=CRASHES,
            recorder=stack.commands.recorder,
        )
        return moment

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """It is deployed, and nobody runs or answers; one that crashes may be started again and again."""
        if need(stack, Releases).current() != self.release:
            return ""
        doors = [_probes.door(stack, name) for name in undo["services"]]
        if _probes.still_running(stack, undo["services"]) or any(door and door.answers() for door in doors):
            return ""
        return f"release {self.release} is deployed, and {', '.join(undo['services'])} have ended"

    def heal(self, stack: Stack, undo: Undo) -> None:
        """Deploys the release before, unless a rollback has done that; what it left stopped half-way is started."""
        if need(stack, Releases).current() == self.release:
            need(stack, Releases).deploy(undo["before"])
        for name in undo["services"]:
            if not (found := _probes.component(stack, name)).running():
                need(found, Startable).start()

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """Another release is deployed, and each of the servers answers a real request."""
        if need(stack, Releases).current() == self.release:
            return f"release {self.release} is deployed"
        if said := _probes.not_running(stack, undo["services"]):
            return said
        doors = {name: _probes.door(stack, name) for name in undo["services"]}
        return ", ".join(f"{name} answers no request" for name, door in doors.items() if door and not door.answers())
