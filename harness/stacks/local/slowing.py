"""A zone's link made slow by the kernel's own queues: `tbf` for bandwidth, `netem` for latency and loss.

At both ends of the link, so that what goes to the zone and what comes from it are slowed alike. Not every kernel has
`netem`: what it refuses is said in its own words, and the rest is done.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from harness.errors import DrillError, Unable
from harness.stacks.capabilities.network import Slowness
from harness.stacks.local.bridge import netlink

ROOT, FIRST, SECOND = 0xFFFFFFFF, 0x10000, 0x20000  # the top of a link, and the handles of our queues
BELOW_FIRST = 0x10001
BURST = 16_384  # bytes that may pass at once: more than a packet, less than a second of a slow line
QUEUED = "400ms"  # how long a packet may wait; then it is dropped, as by a full router
NOT_THERE = (errno.ENOENT, errno.EINVAL, errno.ENODEV)


def slow(port: str, pid: int | None, how: Slowness, *, far: str = "eth0") -> list[str]:
    """Slow the link between `port` here and `far` in the namespace that `pid` holds; None: here, too.

    Returns what the kernel could not do. Errors: `Unable` where that is all.
    """
    unslow(port, pid, far=far)
    refused: list[str] = []
    done = 0
    for route, index in _ends(port, pid, far):
        below = ROOT
        if how.latency or how.loss:
            delay = round(how.latency / timedelta(microseconds=1))
            said = _try(partial(route.tc, "add", "netem", index, FIRST, delay=delay, loss=how.loss))
            below = ROOT if said else BELOW_FIRST
            done += not said
            refused += [f"{_told(how)}: this kernel does not do netem ({said})"] if said else []
        if how.kilobytes:
            rate = how.kilobytes * 1000
            limits = {"parent": below, "rate": rate, "burst": BURST, "latency": QUEUED}
            said = _try(partial(route.tc, "add", "tbf", index, SECOND, **limits))
            done += not said
            refused += [f"{how.kilobytes} kB/s: this kernel does not do tbf ({said})"] if said else []
    if not done:
        hint = "a kernel with the modules sch_tbf and sch_netem can"
        raise Unable(f"the link cannot be made slow: {'; '.join(sorted(set(refused))) or 'nothing asked'}", hint=hint)
    return sorted(set(refused))


def unslow(port: str, pid: int | None, *, far: str = "eth0") -> None:
    """Harmless where the link is not slow, or gone."""
    for route, index in _ends(port, pid, far):
        try:
            route.tc("del", index=index, parent=ROOT)
        except NetlinkError as error:
            if error.code not in NOT_THERE:
                raise DrillError(f"the link stays slow: {os.strerror(error.code)}", hint="see `tc qdisc`") from None


def slowed(port: str, pid: int | None, *, far: str = "eth0") -> str:
    """What the kernel says of its queues at both ends; empty where none is ours."""
    found = [_queues(route, index) for route, index in _ends(port, pid, far)]
    return f"to it {found[0]}, from it {found[1]}" if all(found) else ""


def netem_missing() -> str:
    """Why this kernel cannot do latency and loss; empty where it can. Tried for real, in a namespace of our own."""
    with netlink() as route:
        index = route.link_lookup(ifname="lo")[0]
        said = _try(lambda: route.tc("add", "netem", index, FIRST, delay=1))
        if not said:
            route.tc("del", index=index, parent=ROOT)
    return said


def _queues(route: IPRoute, index: int) -> str:
    said = []
    for queue in route.get_qdiscs(index=index):
        kind, options = queue.get_attr("TCA_KIND"), queue.get_attr("TCA_OPTIONS")
        if kind == "tbf":
            said.append(f"tbf {options.get_attr('TCA_TBF_PARMS')['rate'] / 1000:g} kB/s")
        elif kind == "netem":
            said.append("netem")
    return " and ".join(said)


def _ends(port: str, pid: int | None, far: str) -> Iterator[tuple[IPRoute, int]]:
    with _end(None, port) as here:
        yield here
    with _end(pid, far) as there:
        yield there


@contextmanager
def _end(pid: int | None, link: str) -> Iterator[tuple[IPRoute, int]]:
    with netlink(pid) as route:
        found = route.link_lookup(ifname=link)
        if not found:
            raise DrillError(f"the link {link} is gone", hint="the stack cannot go on; `drdrill heal`")
        yield route, found[0]


def _try(do: Callable[[], Any]) -> str:
    """What the kernel says; empty where it does it."""
    try:
        do()
    except NetlinkError as error:
        return os.strerror(error.code)
    return ""


def _told(how: Slowness) -> str:
    latency = [f"latency of {how.latency / timedelta(milliseconds=1):g} ms"] if how.latency else []
    return " and ".join([*latency, *([f"loss of {how.loss:g} %"] if how.loss else [])])
