"""The container that a component is: found by its labels each time, hurt, brought back; never made, never removed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.errors import DrillError, NotReady, Unable
from harness.stacks.attached.addresses import Addresses
from harness.stacks.attached.file.described import Component
from harness.stacks.docker import engine
from harness.stacks.docker.engine import RUN, told
from harness.system.clock import Moment, around

PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"
ONE_OFF = "com.docker.compose.oneoff"  # of `docker compose run`: a container of the service that serves nobody
THERE = ("running", "paused")
AGAIN = ("always", "unless-stopped", "on-failure")  # restart policies
LINES = 20_000  # of a log


class Container:
    """Of one component. Every verb is harmless when repeated."""

    def __init__(self, component: Component, *, project: str, addresses: Addresses) -> None:
        self.name = component.name
        self._component = component
        self._project = project
        self._addresses = addresses

    def look(self) -> Any | None:
        """The container as the engine has it now; None where there is none. Errors: `NotReady` where it is several."""
        one = self._component
        with told(f"looking for {self.name}"):
            if one.container:
                found = [each for each in _listed({"name": f"^/{one.container}$"}) if each.name == one.container]
            elif one.label:
                found = _listed({"label": one.label})
            else:
                both = [f"{PROJECT}={self._project}", f"{SERVICE}={one.service}"]
                found = [each for each in _listed({"label": both}) if each.labels.get(ONE_OFF) != "True"]
        if len(found) > 1:
            names = ", ".join(sorted(each.name for each in found))
            hint = "say in the stack file which one it is: container: NAME; or scale the service to one"
            raise NotReady(f"{self.name} is {len(found)} containers: {names}", hint=hint)
        if found and (at := _address(found[0])):
            self._addresses.keep(self.name, at)
        return found[0] if found else None

    @property
    def id(self) -> str:
        """Errors: `NotReady` where there is none."""
        return str(self._must_be_there().id)

    @property
    def address(self) -> str:
        """Where it is reached, or was before it died. Errors: `NotReady` where that was never seen."""
        found = self.look()
        try:
            return self._addresses.of(self.name)
        except NotReady:
            if found is None or found.status in THERE:
                raise
            raise NotReady(f"{self.name} does not run", hint="see why, before anybody starts it") from None

    @property
    def known_address(self) -> str:
        """The last that was seen, and nobody is asked for it. Errors: as `address`."""
        return self._addresses.of(self.name)

    @property
    def shared_network(self) -> str:
        """Why its network is not its own, in words; empty where it is. Errors: `NotReady` where there is none."""
        mode = str(self._must_be_there().attrs["HostConfig"].get("NetworkMode", ""))
        if mode == "host":
            return f"{self.name} is in this machine's own network"
        return f"{self.name} is in the network of another container" if mode.startswith("container:") else ""

    def must_be_alone(self) -> None:
        """Rules in a network that others share would cut these off, too: on the machine's own, the machine.

        Errors: `Unable`.
        """
        guests = f"container:{self.id}"
        with told(f"looking who is in the network of {self.name}"):
            found = [one for one in _listed({}) if one.attrs["HostConfig"].get("NetworkMode") == guests]
        shared = [one.name for one in found if RUN not in one.labels]
        beside = f"{', '.join(shared)} shares the network of {self.name}" if shared else ""
        if why := self.shared_network or beside:
            raise Unable(f"{why}, so it cannot be cut off alone", hint="say its own `cut` in the stack file")

    def running(self) -> bool:
        found = self.look()
        return found is not None and found.status in THERE

    def kill(self) -> Moment | None:
        """SIGKILL to its first process, and so to all of it. Says what its restart policy did."""
        found = self.look()
        if found is None or found.status not in THERE:
            return None
        with told(f"killing {self.name}"):
            moment = engine.killed(found)
            found.reload()
        policy = (found.attrs["HostConfig"].get("RestartPolicy") or {}).get("Name", "")
        if policy not in AGAIN:
            return moment
        again = "has started it again at once" if found.status in THERE else "does not act on what the engine kills"
        return Moment(moment.earliest, moment.latest, f"{moment.by}; its restart policy ({policy}) {again}")

    def start(self) -> None:
        """The same container, with the address that it is given then. Errors: `DrillError` where it is another one."""
        found = self._must_be_there()
        if found.status in THERE:
            return
        with told(f"starting {self.name}"):
            found.start()
        if (now := self._must_be_there().id) != found.id:
            hint = "somebody else has made it anew: look who, before the next drill"
            raise DrillError(f"{self.name} is another container now: {now[:12]}, and was {found.id[:12]}", hint=hint)

    def stop(self) -> None:
        """As the engine is told to, with its own signal and its own patience."""
        found = self.look()
        if found is not None and found.status in THERE:
            with told(f"stopping {self.name}"):
                found.stop()

    def pause(self) -> Moment | None:
        found = self.look()
        if found is None or found.status != "running":
            return None
        with told(f"pausing {self.name}"):
            return around(found.pause, by="the engine, which was told to freeze it, and said that it was frozen")

    def resume(self) -> Moment | None:
        found = self.look()
        if found is None or found.status != "paused":
            return None
        with told(f"resuming {self.name}"):
            return around(found.unpause, by="the engine, which was told to let it go on, and said that it did")

    def write_log(self, into: Path, *, since: int) -> None:
        """What it has said since then, in seconds of the clock of the day; nothing where it is gone."""
        found = self.look()
        if found is None:
            return
        with told(f"reading the log of {self.name}"):
            said: bytes = found.logs(since=since, tail=LINES, timestamps=True)
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_bytes(said)

    def made_of(self) -> str:
        """Its image, by name and id."""
        image = self._must_be_there().attrs
        return f"{image['Config']['Image']} ({image['Image'].removeprefix('sha256:')[:12]})"

    def _must_be_there(self) -> Any:
        found = self.look()
        if found is None:
            hint = "drdrill makes none of a platform that stands: its owner does"
            raise NotReady(f"there is no container of {self.name}", hint=hint)
        return found


def _listed(filters: dict[str, Any]) -> list[Any]:
    found: list[Any] = engine.engine().containers.list(all=True, filters=filters, ignore_removed=True)
    return found


def _address(container: Any) -> str:
    """The first that it has on any network; of one that shares the machine's network the loopback."""
    settings = container.attrs["NetworkSettings"]
    if "host" in settings["Networks"]:
        return "127.0.0.1" if container.status in THERE else ""
    return next((net["IPAddress"] for net in settings["Networks"].values() if net.get("IPAddress")), "")


def together(acts: list[Callable[[], Moment | None]]) -> list[Moment | None]:
    """Each in a thread of its own, all told at once."""
    return engine.at_once(acts, threads=max(1, len(acts)))
