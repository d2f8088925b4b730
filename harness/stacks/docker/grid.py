"""The regions of a container stack: cut off from all the rest, without power, and the link between them.

A region is a block of addresses. What cuts it off are rules in each of its pods, which drop what comes from outside of
the block, and what goes there; they are set in all of them at one instant, by the kernel's clock. A blackout kills its
pods, as a zone's loss of power kills one. The customers of its zones live on, cut off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from harness.errors import Unable
from harness.stacks.capabilities.components import Killable, Startable
from harness.stacks.docker import engine
from harness.stacks.docker.links import INTERFACE, LIFT
from harness.stacks.docker.network import DockerNetwork
from harness.stacks.parts.layout import BETWEEN
from harness.system import clock
from harness.system.clock import Moment, spanning

APART = ("INPUT ! -i lo -d {address} ! -s {block} -j DROP", "OUTPUT ! -o lo -s {address} ! -d {block} -j DROP")
DROP = "iptables -w -C {0} 2>/dev/null || iptables -w -A {0}"  # one that is cut off already stays so all the while
FEW = 2  # programs in pods at one time, where nothing has to be at one instant: customers are served beside them
TOGETHER = timedelta(seconds=1)  # until programs in all pods have begun
HELD_BACK = """\
at=$({interface})
tc qdisc del dev $at root 2>/dev/null || true
tc qdisc add dev $at root handle 1: htb default 1
tc class add dev $at parent 1: classid 1:1 htb rate 10gbit quantum 60000
tc class add dev $at parent 1: classid 1:2 htb rate {rate}kbit quantum 60000
tc filter add dev $at parent 1: protocol ip prio 1 u32 match ip dst {block} flowid 1:1
tc filter add dev $at parent 1: protocol ip prio 2 u32 match ip dst 0.0.0.0/0 flowid 1:2
tc qdisc add dev $at parent 1:2 handle 20: netem limit 10000 delay {delay}ms || true"""
AS_BEFORE = "tc qdisc del dev $({interface}) root 2>/dev/null || true"


class DockerGrid:
    """Fills `Grid`."""

    def __init__(
        self, network: DockerNetwork, *, folder: Path, falls_too: Mapping[str, Sequence[Killable]] | None = None
    ) -> None:
        """`folder`: which regions are cut off, for pods of theirs that are started meanwhile. `falls_too`: what stands
        elsewhere, and loses its power with a region: for sabotage."""
        self._network = network
        self._folder = folder
        self._falls_too = falls_too or {}

    def cut_region(self, name: str) -> Moment | None:
        """A pod without power is silent already. None where the engine's kernel is not this one. Errors: `Unable` where
        there is no other region."""
        if not self._several:
            raise Unable(
                f"the region {name} cannot be cut off: the stack has no other", hint="`drdrill stack up --regions 2`"
            )
        self._mark(name).touch()
        return self._cut(name, self._running(name), at=clock.mono() + TOGETHER // timedelta(microseconds=1) * 1000)

    def join_region(self, name: str) -> Moment | None:
        if not self._several:
            return None
        self._mark(name).unlink(missing_ok=True)
        return self._act(name, self._running(name), LIFT, what="joining", threads=FEW)

    def black_out(self, name: str) -> Moment | None:
        """From when the first pod was told to end until the last had ended. None where none had power."""
        running = self._running(name)
        customers = {pod: address for pod, address in running.items() if pod.startswith("customers-")}
        moment = self._network.kill_together(running.keys() - customers.keys())
        for one in self._falls_too.get(name, ()):
            one.kill()
        if self._several:
            self._mark(name).touch()
            self._cut(name, customers)  # whom nobody in the region answers any more
        return moment

    def start(self, parts: Sequence[Startable]) -> None:
        engine.at_once([one.start for one in parts], threads=FEW)

    def light_up(self, name: str) -> None:
        """Rules and queues of the killed pods went with their power."""
        dark = self._network.of_region(name).keys() - self._running(name).keys()
        engine.at_once([partial(self._network.start, pod) for pod in dark], threads=FEW)
        self.join_region(name)
        if self._several:
            self.hold_back(name, dark)

    def lay_links(self) -> None:
        """Between regions; there are none where there is one region."""
        for layout in self._network.places.regions if self._several else ():
            self.hold_back(layout.name, self._network.of_region(layout.name))

    def hold_back_zone(self, zone: str) -> None:
        """Behind a zone whose queues are gone, what leaves its region is as slow as before."""
        for layout in self._network.places.regions if self._several else ():
            if zone in layout.zones:
                behind = (zone, f"customers-{zone}")
                self.hold_back(layout.name, [pod for pod in behind if self._network.runs(pod)])

    def start_zone(self, zone: str) -> None:
        """Its pod, behind the same link as before: cut off with its region before anything runs in it."""
        self._network.start(zone)
        for layout in self._network.places.regions if self._several else ():
            if zone in layout.zones and self._mark(layout.name).exists():
                self._cut(layout.name, {zone: self._network.address(zone)})
        self.hold_back_zone(zone)

    def hold_back(self, name: str, pods: Iterable[str]) -> None:
        """Slow down what leaves the region from these pods, where the kernel has the queues for it; else regions are
        as near as zones. Harmless when repeated."""
        block, rate = self._network.block(name), (BETWEEN.kilobytes or 0) * 8
        delay = f"{(BETWEEN.latency or timedelta()).total_seconds() * 1000:g}"

        def act(pod: str, address: str) -> None:
            interface = INTERFACE.format(address=address)
            slow = HELD_BACK.format(interface=interface, rate=rate, block=block, delay=delay)
            script = f"(set -e; {slow}) 2>/dev/null || {AS_BEFORE.format(interface=interface)}"
            engine.execute(self._network.pod(pod), ["sh", "-c", script], what=f"slowing down {pod}")

        addresses = self._network.of_region(name)
        engine.at_once([partial(act, pod, addresses[pod]) for pod in pods], threads=FEW)

    def _mark(self, name: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f"cut-off-{name}"

    @property
    def _several(self) -> bool:
        return len(self._network.places.regions) > 1

    def _running(self, name: str) -> dict[str, str]:
        pods = self._network.of_region(name)
        there = self._network.running(pods)
        return {pod: address for pod, address in pods.items() if pod in there}

    def _cut(self, name: str, pods: Mapping[str, str], *, at: int = 0) -> Moment | None:
        return self._act(name, pods, DROP, what="cutting off", at=at)

    def _act(
        self, name: str, pods: Mapping[str, str], line: str, *, what: str, at: int = 0, threads: int = 0
    ) -> Moment | None:
        """`threads`: how many pods at one time; all of them at one instant when 0."""
        block = self._network.block(name)

        def act(pod: str, address: str) -> Moment | None:
            rules = [line.format(rule.format(address=address, block=block)) for rule in APART]
            return engine.stamped(self._network.pod(pod), "\n".join(rules), what=f"{what} {pod}", at=at)

        together = [partial(act, pod, address) for pod, address in pods.items()]
        return spanning(engine.at_once(together, threads=threads or len(together) or 1))
