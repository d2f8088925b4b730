"""The bridges of a sandbox, and the links of its zones. Must run inside a sandbox, never in the user's own network."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from harness.errors import DrillError
from harness.system import wait
from harness.system.clock import Moment, around

NETWORKS = 100  # bridges that one sandbox can hold
MOST_REGIONS = 2
STORE = 30  # a zone's etcd has an address of its own, so much above the zone's
NOBODY = "02:77:00:00:ff:ff"  # a hardware address that nobody has: what is sent there is lost without a word
HOLDER = Path(__file__).with_name("zone_holder.py")
CLONE_NEWNET = 0x40000000
SOON, OFTEN = timedelta(seconds=10), timedelta(milliseconds=2)


@dataclass(frozen=True)
class Bridge:
    """Network 10.77.N.0/24. The bridge's name is the claim: two stacks of one sandbox never share it.

    Of a stack of several regions it is the backbone: each region has a bridge of its own, and a trunk to this one.

    Everybody knows everybody's hardware address for good. Were it asked for, a cut would not be silent: measured on
    Linux 6.18, a connection out of a zone whose port is down fails after 3.1 s with "no route to host", for nobody
    answers. With entries that stay it goes on until the caller's own patience ends.
    """

    number: int
    hosts: tuple[int, ...] = (1,)  # what stands on the bridge itself

    @property
    def name(self) -> str:
        return f"drdrill{self.number}"

    def address(self, host: int) -> str:
        return f"10.77.{self.number}.{host}"

    @classmethod
    def claim(cls, *, hosts: tuple[int, ...] = (1,)) -> Bridge:
        """Make the first bridge that is free, with the addresses of what stands on it.

        Errors: `DrillError` when all are taken, or the kernel refuses.
        """
        with netlink() as route:
            for number in range(NETWORKS):
                bridge = cls(number, hosts)
                try:
                    route.link("add", ifname=bridge.name, kind="bridge", address=bridge.hardware(1))
                except NetlinkError as error:
                    if error.code == errno.EEXIST:
                        continue
                    raise _refused("a bridge", error) from None
                index = route.link_lookup(ifname=bridge.name)[0]
                for host in hosts:
                    route.addr("add", index=index, address=bridge.address(host), prefixlen=24)
                route.link("set", index=index, state="up")
                return bridge
        raise DrillError(f"{NETWORKS} bridges are in use", hint="end other stacks of this sandbox")

    def hardware(self, host: int) -> str:
        """The hardware address of a host; those on the bridge share the bridge's."""
        return f"02:77:00:00:{self.number:02x}:{1 if host in self.hosts else host:02x}"

    def holder_argv(self, own: Sequence[int], *, others: Sequence[Sequence[int]]) -> list[str]:
        """The program that holds a place with these addresses; to be run by `unshare --net`. `others`: other places'.

        The hardware address of a place is that of its first one.
        """
        known = [f"{self.address(one)}={self.hardware(one)}" for one in self.hosts]
        known += [f"{self.address(at)}={self.hardware(other[0])}" for other in others for at in other]
        addresses = ",".join(map(self.address, own))
        return [sys.executable, "-I", "-S", str(HOLDER), addresses, *known]

    def port(self, place: str) -> str:
        """The bridge's end of the link of a zone or an edge."""
        return f"z{self.number}{place}"

    def of_region(self, region: int) -> str:
        """The name of a region's own bridge."""
        return f"{self.name}r{region}"

    def trunk(self, region: int) -> tuple[str, str]:
        """The ends of the link between the backbone and a region: on the backbone, and on the region's bridge."""
        return f"t{self.number}r{region}", f"u{self.number}r{region}"

    def lay_trunk(self, region: int) -> None:
        """Make a region's bridge, and its trunk. Errors: `DrillError`."""
        with netlink() as route:
            try:
                route.link("add", ifname=self.of_region(region), kind="bridge")
                here, there = self.trunk(region)
                route.link("add", ifname=here, kind="veth", peer={"ifname": there})
                for link, bridge in ((here, self.name), (there, self.of_region(region))):
                    _plug_in(route, link, bridge)
                route.link("set", index=route.link_lookup(ifname=self.of_region(region))[0], state="up")
            except NetlinkError as error:
                raise _refused("the trunk of a region", error) from None

    def cut(self, zone: str) -> Moment:
        """Drop whatever comes from the zone and goes to it, without a word. Harmless when repeated."""
        return self._set(self.port(zone), "down")

    def join(self, zone: str) -> Moment:
        """End the cut. Harmless where there is none."""
        return self._set(self.port(zone), "up")

    def cut_region(self, region: int) -> Moment:
        """Drop whatever goes between the region and all that is not in it. Harmless when repeated."""
        return self._set(self.trunk(region)[0], "down")

    def join_region(self, region: int) -> Moment:
        """Harmless where there is no cut."""
        return self._set(self.trunk(region)[0], "up")

    def _set(self, link: str, state: str) -> Moment:
        with netlink() as route:
            try:
                index = route.link_lookup(ifname=link)[0]
                act = partial(route.link, "set", index=index, state=state)
                return around(act, by=f"the kernel, which was told that the link is {state}")
            except (NetlinkError, IndexError) as error:
                raise DrillError(f"the link {link}: {error}", hint="run `drdrill doctor`") from None

    def plug(self, place: str, own: Sequence[int], pid: int, *, region: int = 0) -> None:
        """Give the namespace that `pid` holds a link to the bridge of its region; 0: to this one.

        Waits until the namespace is there.
        """
        ours = _namespace(os.getpid())
        if not wait.poll(lambda: _namespace(pid) != ours, within=SOON, every=OFTEN):
            raise DrillError(f"{place} has no network namespace", hint="run `drdrill doctor`")
        with netlink() as route:
            try:
                peer = {"ifname": "eth0", "net_ns_pid": pid, "address": self.hardware(own[0])}
                route.link("add", ifname=self.port(place), kind="veth", peer=peer)
            except NetlinkError as error:
                raise _refused(f"the link of {place}", error) from None
            _plug_in(route, self.port(place), self.of_region(region) if region else self.name)
            backbone = route.link_lookup(ifname=self.name)[0]
            for at in own:
                _know(route, self.address(at), self.hardware(own[0]), index=backbone)

    def tell_apart(self, host: int, pid: int, *, others: Sequence[int]) -> None:
        """In the namespace that `pid` holds, what goes to another zone's etcd comes from this zone's own.

        So all that the members of etcd, and their clients, say to each other bears these addresses, both ways.
        """
        with netlink(pid) as route:
            link = route.link_lookup(ifname="eth0")[0]
            for other in others:
                to = f"{self.address(other + STORE)}/32"
                route.route("replace", dst=to, oif=link, prefsrc=self.address(host + STORE), scope="link")

    def blind(self, pid: int, other: int, *, store_alone: bool) -> Moment:
        """Whatever the namespace that `pid` holds sends to another zone is lost. Harmless when repeated."""
        return self._point(pid, dict.fromkeys((other + STORE,) if store_alone else (other, other + STORE), NOBODY))

    def unblind(self, pid: int, other: int) -> Moment:
        """Harmless where it is not blind."""
        return self._point(pid, {at: self.hardware(other) for at in (other, other + STORE)})

    def _point(self, pid: int, hardware: Mapping[int, str]) -> Moment:
        with netlink(pid) as route:
            link = route.link_lookup(ifname="eth0")[0]

            def act() -> None:
                for at, to in hardware.items():
                    _know(route, self.address(at), to, index=link)

            return around(act, by="the kernel, which was told where the other zone is")

    def drop(self) -> None:
        """Remove the bridges and the links of their zones; harmless when they are gone.

        The kernel takes its time over the namespace of a zone that has ended: its link must not be waited for.
        """
        with netlink() as route:
            for bridge in (self.name, *map(self.of_region, range(1, MOST_REGIONS + 1))):
                for index in route.link_lookup(ifname=bridge):
                    for port in route.link_lookup(master=index):
                        with contextlib.suppress(NetlinkError):  # the kernel was faster
                            route.link("del", index=port)
                    route.link("del", index=index)


def _plug_in(route: IPRoute, link: str, bridge: str) -> None:
    index = route.link_lookup(ifname=link)[0]
    route.link("set", index=index, master=route.link_lookup(ifname=bridge)[0])
    route.link("set", index=index, state="up")


def _know(route: IPRoute, address: str, hardware: str, *, index: int) -> None:
    route.neigh("replace", dst=address, lladdr=hardware, ifindex=index, state="permanent")


def netlink(pid: int | None = None) -> IPRoute:
    """To the kernel, about this namespace, or about the one that `pid` holds. Errors: `DrillError`."""
    try:
        return IPRoute(fileno=_socket_in(pid).detach()) if pid else IPRoute()
    except OSError as error:
        raise DrillError(f"netlink: {error.strerror}", hint="run `drdrill doctor`") from None


def _socket_in(pid: int) -> socket.socket:
    """A netlink socket of the namespace that `pid` holds, made by a thread that goes there and ends.

    pyroute2's own way forks this process, and what fails in the child comes up through the parent's frames.
    Errors: `OSError`.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/proc/{pid}/ns/net").open("rb") as namespace, ThreadPoolExecutor(1) as there:

        def go() -> socket.socket:
            if libc.setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            return socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, socket.NETLINK_ROUTE)

        return there.submit(go).result()


def _refused(what: str, error: NetlinkError) -> DrillError:
    return DrillError(f"{what}: {os.strerror(error.code)}", hint="run `drdrill doctor`")


def _namespace(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError as error:
        raise DrillError(f"process {pid} of a zone is gone: {error.strerror}", hint="run `drdrill doctor`") from None
