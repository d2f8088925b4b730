"""What the contract asks of a stack of two regions: `python -m tests.contract.regions SCENE FOLDER`.

Each scene leaves the stack as it was. A scene that fails ends with a traceback and exit code 1.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from harness.errors import Refused, Unable
from harness.stacks import Region, Stack, kinds
from harness.stacks.as_said import there
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import ObjectStore
from harness.stacks.capabilities.database import Cluster, Standby
from harness.stacks.capabilities.entrance import Balanced, Explorable, Reachable, Standpoints, ZoneServices
from harness.stacks.capabilities.network import Powered
from harness.stacks.capabilities.regions import RegionDivisible, RegionFence, RegionPowered
from harness.stacks.parts.visitor import Visitor
from harness.system import clock
from tests.contract.attaching import attached
from tests.contract.patience import until


def whole(stack: Stack) -> None:
    """It has what its kind says; the second region follows the first, has a store of its own, and names of its own."""
    assert set(there(stack)) == set(kinds.KINDS[stack.kind].maker.has)
    first, second = stack.regions
    steady(stack)
    assert need(second, Standby).follows() == first.name and not need(first, Standby).follows()
    assert need(second, Cluster).leader() is None and need(first, Cluster).leader() is not None
    assert not set(first.zones) & set(second.zones)
    names = [member.name for region in stack.regions for member in need(region, Cluster).members]
    assert len(set(names)) == len(names)
    assert need(second, ObjectStore) is not need(first, ObjectStore)
    for component in stack.components().values():
        assert component.running() and stack.logs()[component.name].is_file(), component.name
    assert second.name in need(stack, Explorable).explore()["addresses"]
    for zone in second.zones:
        assert Visitor(need(second, ZoneServices).zone_entrance(zone)).alive("").ok


def cut(stack: Stack) -> None:
    """A region that is cut off is silent to all that is not in it, and goes on within; where none can be cut it says
    so."""
    powers = need(stack, RegionDivisible)
    first, second = stack.regions
    for region in stack.regions:
        powers.join_region(region.name)
    try:
        for _ in range(2):
            powers.cut_region(second.name)
    except Unable as unable:
        assert "loopback" in unable.message
        return
    visitor = Visitor(need(stack, Reachable).entrance)
    assert visitor.ask("POST", "/test/transaction")[0] == 201
    until(lambda: not need(second, Standby).receives(), "nothing comes to the second region any more")
    assert _silent(stack, second) and not _silent(stack, first)
    powers.join_region(second.name)
    steady(stack)
    powers.cut_region(first.name)
    try:
        assert _silent(stack, first) and not _silent(stack, second)
        inside = [*need(stack, Standpoints).stand_in(first.zones[0]), sys.executable, "-m", "tests.contract.reach"]
        for entrance in need(stack, Reachable).entrance.addresses:
            assert stack.commands.run([*inside, entrance, "443"]).out.strip() != "TimeoutError"
    finally:
        for _ in range(2):
            powers.join_region(first.name)
    steady(stack)


def _silent(stack: Stack, region: Region) -> bool:
    """To who stands outside: a database server and a load balancer of it."""
    outside = [*need(stack, Standpoints).stand_outside(), sys.executable, "-m", "tests.contract.reach"]
    balancer = need(region, Balanced).balancer_entrance(need(region, Balanced).balancers[0].name)
    doors = [need(region, Cluster).members[0].door, (balancer.addresses[0], balancer.port)]
    said = {stack.commands.run([*outside, address, str(port)]).out.strip() for address, port in doors}
    assert len(said) == 1, said
    return said == {"TimeoutError"}


def power(stack: Stack) -> None:
    """A region without power is gone whole, and the first serves on; with power it stands by as before."""
    powers, visitor = need(stack, RegionPowered), Visitor(need(stack, Reachable).entrance)
    first, second = stack.regions
    before = {name for name, one in stack.components().items() if one.running()}
    moment = None
    for _ in range(2):
        moment = powers.cut_region_power(second.name) or moment
    assert moment and not powers.region_has_power(second.name) and powers.region_has_power(first.name)
    print(f"gone within {(moment.latest - moment.earliest) / 1e6:.0f} ms")
    gone = before - {name for name, one in stack.components().items() if one.running()}
    assert {f"{part}-{zone}" for part in ("api", "patroni") for zone in second.zones} <= gone
    assert not [name for name in gone if stack.components()[name].zone in first.zones]
    assert visitor.ask("POST", "/test/transaction")[0] == 201
    for _ in range(2):
        begin = clock.mono()
        assert powers.restore_region_power(second.name) == ""
        print(f"power restored in {clock.since(begin).total_seconds():.1f} s")
    assert powers.region_has_power(second.name)
    steady(stack)


def fence(stack: Stack) -> None:
    """Fenced servers stay off whoever starts them, in any process, and when the power returns; through a cut, too."""
    fences, powers = need(stack, RegionFence), need(stack, RegionPowered)
    first, second = stack.regions
    members = need(second, Cluster).members
    fences.unfence_region(second.name)
    try:
        need(stack, RegionDivisible).cut_region(second.name)
    except Unable as unable:
        print(unable)
    for _ in range(2):
        fences.fence_region(second.name)
    assert fences.region_is_fenced(second.name) and not fences.region_is_fenced(first.name)
    need(stack, RegionDivisible).join_region(second.name)
    later = attached(stack.folder)
    assert need(later, RegionFence).region_is_fenced(second.name)
    for member in (*members, *need(later.regions[1], Cluster).members):
        try:
            member.start()
        except Refused as refused:
            assert "fenced" in refused.message
        else:
            raise AssertionError("it was started")
    need(stack, Powered).restore_power(second.zones[0])
    powers.cut_region_power(second.name)
    assert "fenced" in powers.restore_region_power(second.name)
    assert not any(member.running() for member in members) and powers.region_has_power(second.name)
    for _ in range(2):
        fences.unfence_region(second.name)
    assert not fences.region_is_fenced(second.name)
    for member in members:
        member.start()
    steady(stack)


def steady(stack: Stack) -> None:
    until(lambda: all(one.ok for one in stack.steady()), "the stack is steady")


SCENES: dict[str, Callable[[Stack], None]] = {scene.__name__: scene for scene in (whole, cut, power, fence)}

if __name__ == "__main__":
    SCENES[sys.argv[1]](attached(Path(sys.argv[2]) / "stack"))
