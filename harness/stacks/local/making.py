"""How the network of an embedded stack is made: bridges, trunks, and a namespace for each zone; or addresses alone."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from harness.errors import DrillError, NotReady, Unable
from harness.stacks.local import slowing
from harness.stacks.local.bridge import HOLDER, STORE, Bridge
from harness.stacks.local.network import Bridged, Loopback, Network, end, on_the_bridge
from harness.stacks.parts.layout import BETWEEN, Layout
from harness.system import wait
from harness.system.command import PART, Commands, Process, reap

CLAIM_PORT = 7077
NETWORKS = 64 * 256  # 127.64.0.0 to 127.127.255.0: the lower part is used by resolvers and the like
SOON = timedelta(seconds=20)


def make_network(level: str, *, regions: Sequence[Layout], commands: Commands, logs: Path) -> Network:
    """A network for one stack. Errors: `DrillError` when none can be had, `NotReady` when a zone does not come up."""
    if level == "loopback":
        return _claim_loopback(regions, commands, logs)
    bridge = Bridge.claim(hosts=on_the_bridge(regions))
    holders: dict[str, Process] = {}
    places = _places(regions)
    try:
        for number in range(1, len(regions) + 1) if len(regions) > 1 else ():
            bridge.lay_trunk(number)
        for place, (own, _) in places.items():
            others = [one for one, _ in places.values() if one is not own]
            words = ["unshare", "--net", "--", *bridge.holder_argv(own, others=others)]
            holders[place] = commands.start(words, log=logs / f"zone-{place}.log", env=_mark(commands))
        for place, (own, number) in places.items():
            bridge.plug(place, own, holders[place].pid, region=number)
        for place, holder in holders.items():
            _said_ready(holder, logs / f"zone-{place}.log", commands)
        for region in regions:
            for zone, host in region.zones.items():
                apart = [one for one in region.zones.values() if one != host]
                bridge.tell_apart(host, holders[zone].pid, others=apart)
    except DrillError:
        end(holders.values())
        bridge.drop()
        raise
    for number in {number for _, number in places.values()} - {0}:
        with suppress(Unable):  # then regions are as near as zones
            here, far = bridge.trunk(number)
            slowing.slow(here, None, BETWEEN, far=far)
    return Bridged(bridge, regions, holders)


def _places(regions: Sequence[Layout]) -> dict[str, tuple[tuple[int, ...], int]]:
    """The namespaces to be: name to the last numbers of their addresses, and the number of the trunk they are behind,
    0 where there is none."""
    found: dict[str, tuple[tuple[int, ...], int]] = {}
    for number, one in enumerate(regions, start=1):
        trunk = number if len(regions) > 1 else 0
        found |= {zone: ((host, host + STORE), trunk) for zone, host in one.zones.items()}
        found |= {one.edge: ((*one.balancers.values(), one.storage), trunk)} if trunk else {}
    return found


def _claim_loopback(regions: Sequence[Layout], commands: Commands, logs: Path) -> Loopback:
    first = int.from_bytes(hashlib.sha256(commands.label.encode()).digest()[:4], "big")
    for attempt in range(20):
        number = (first + attempt * 257) % NETWORKS
        prefix = f"127.{64 + number // 256}.{number % 256}"
        log = logs / f"claim-{attempt}.log"
        words = [sys.executable, "-I", "-S", str(HOLDER), "--claim", f"{prefix}.1", str(CLAIM_PORT)]
        holder = commands.start(words, log=log, env=_mark(commands))
        if _said_ready(holder, log, commands, needed=False):
            return Loopback(prefix, regions, holder)
    raise DrillError("20 networks of 127/8 are in use or refused", hint="end other stacks: `drdrill stack down`")


def _said_ready(holder: Process, log: Path, commands: Commands, *, needed: bool = True) -> bool:
    """Whether the holder reached its "ready"; False where it ended and that is allowed."""

    def said() -> str:
        words = log.read_text().split() if log.exists() else []
        if words[-1:] == ["ready"]:
            return "ready"
        return "" if holder.running() else "ended"

    what = log.stem
    every = timedelta(milliseconds=5)
    if wait.until(said, what=what, within=SOON, recorder=commands.recorder, every=every) == "ready":
        return True
    reap()
    if needed:
        raise NotReady(f"{what}: {log.read_text().strip() or 'ended'}", hint="run `drdrill doctor`")
    return False


def _mark(commands: Commands) -> dict[str, str]:
    """By which a stack's removal finds the holders."""
    return {PART: f"{commands.label}/network"}
