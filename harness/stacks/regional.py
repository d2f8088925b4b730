"""Two regions of a stack, each asked by its name: who leads, who follows, and how one that is fenced comes back.

Of the region that a drill is about everybody asks the stack; here is what needs the other one, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from harness.errors import DrillError, NotReady, Refused
from harness.stacks import Region, Stack
from harness.stacks.capabilities import find, need
from harness.stacks.capabilities.components import Startable
from harness.stacks.capabilities.database import Cluster, Fenced, Standby
from harness.stacks.capabilities.entrance import Balanced
from harness.stacks.capabilities.regions import RegionFence
from harness.system import wait

STORE_WITHIN = timedelta(seconds=60)


def region(stack: Stack, name: str) -> Region:
    """Errors: `Refused` where the stack has none of that name."""
    found = next((each for each in stack.regions if each.name == name), None)
    if found is None:
        names = ", ".join(each.name for each in stack.regions)
        raise Refused(f"the stack has no region {name!r}", hint=f"it has {names}")
    return found


def other(stack: Stack, name: str) -> Region:
    """The region that takes over from this one. Errors: `Refused` where there is none."""
    found = next((each for each in stack.regions if each.name != name), None)
    if found is None:
        raise Refused(f"the stack has no region beside {name}", hint="make it with two regions")
    return found


@dataclass(frozen=True)
class Alone:
    """A stack of which only one region is seen: for a procedure that knows of no others. Fills the protocol Stack."""

    whole: Stack
    regions: Sequence[Region]

    def __getattr__(self, name: str) -> Any:
        """All else is the stack's own."""
        return getattr(self.whole, name)


def alone(stack: Stack, name: str) -> Stack:
    """Whoever asks it asks that region. Errors: as `region`."""
    return cast(Stack, Alone(stack, [region(stack, name)]))


def parts(stack: Stack, name: str) -> list[str]:
    """The names of its components: of its zones, and its load balancers."""
    own = region(stack, name)
    balanced = find(own, Balanced)
    edge = [each.name for each in (balanced.balancers if balanced else ())]
    return [each for each, part in stack.components().items() if part.zone in own.zones or each in edge]


def servers(stack: Stack, name: str) -> list[str]:
    """The names of its database servers."""
    return [member.name for member in need(region(stack, name), Cluster).members]


def writable(place: Region) -> dict[str, bool | None]:
    """By database server: whether it takes writes, asked beside it, so that no cut hides it; None: nobody can say."""
    return {member.name: need(place, Fenced).writable(member.name) for member in need(place, Cluster).members}


def writers(stack: Stack) -> list[str]:
    """The regions in which a server takes writes, or may."""
    return [each.name for each in stack.regions if any(one is not False for one in writable(each).values())]


def several_write(stack: Stack) -> str:
    """Which regions take writes at once, in words; empty where that is one at most."""
    found = [each.name for each in stack.regions if any(writable(each).values())]
    return f"{' and '.join(found)} take writes at once" if len(found) > 1 else ""


def leads(place: Region) -> bool:
    """Whether it follows nobody, and has a leader."""
    try:
        return not need(place, Standby).follows() and need(place, Cluster).leader() is not None
    except DrillError:
        return False


def follow(stack: Stack, name: str) -> str:
    """Make a region whose database servers are all down follow the one that leads; what was done, in words.

    Errors: `NotReady` where no other leads; those of `Standby.follow`.
    """
    upstream = other(stack, name)
    if not leads(upstream):
        raise NotReady(f"{upstream.name} does not lead, so {name} cannot follow it", hint="see who leads first")
    standby = need(region(stack, name), Standby)
    wait.poll(lambda: _says_whom(standby), within=STORE_WITHIN)
    return standby.follow(need(upstream, Standby).addresses)


def _says_whom(standby: Standby) -> bool:
    """Whether its consensus store answers: it may have just been started."""
    try:
        standby.follows()
    except DrillError:
        return False
    return True


def let_on(stack: Stack, name: str) -> list[str]:
    """End the fence of a region, and start its database servers; their names. Errors: `Refused` where another region
    has led, and they would not follow it."""
    need(stack, RegionFence).unfence_region(name)
    members = need(region(stack, name), Cluster).members
    for member in members:
        if not member.running():
            need(member, Startable).start()
    return [member.name for member in members]


def bring_back(stack: Stack, name: str) -> str:
    """Let the fenced database servers of a region come back as whoever they may be now: as followers where another
    region leads, as they were where none has led. What keeps them fenced, in words; empty where nothing does."""
    fence = need(stack, RegionFence)
    if not fence.region_is_fenced(name):
        return ""
    try:
        if leads(other(stack, name)):
            follow(stack, name)
        let_on(stack, name)
    except DrillError as error:
        return f"the database servers of {name} stay fenced: {error.message}"
    return ""


def let_one_lead(stack: Stack) -> None:
    """Where every region follows another, as they do from the moment at which one that led has been demoted as planned
    until the other is promoted: the one that has received most leads, which has all that was ever told to be stored.

    Nothing where a server takes writes, or may, or does not run, as in a fenced region, or where a region is to lead:
    it does so by itself.
    """
    wait.poll(lambda: not _all_follow(stack) or _all_answer(stack), within=STORE_WITHIN)
    if not _all_follow(stack) or not _all_answer(stack) or writers(stack):
        return
    max((need(each, Standby) for each in stack.regions), key=lambda one: one.received_whole()).promote()


def nobody_is_to_lead(stack: Stack) -> str:
    """That every region follows another, in words; empty where one does not, or none can be asked."""
    names = " and ".join(each.name for each in stack.regions)
    return f"nobody leads: {names} follow each other" if _all_follow(stack) else ""


def _all_follow(stack: Stack) -> bool:
    try:
        return all(need(each, Standby).follows() for each in stack.regions)
    except DrillError:
        return False


def _all_answer(stack: Stack) -> bool:
    """Whether all servers run, and each region says how far it is: one that is down may have what no other has."""
    try:
        for each in stack.regions:
            need(each, Standby).received_whole()
        return all(member.running() for each in stack.regions for member in need(each, Cluster).members)
    except DrillError:
        return False


def why_fenced(stack: Stack, name: str) -> str:
    """That its database servers are kept off, in words; empty where they are not."""
    return f"the database servers of {name} are fenced" if need(stack, RegionFence).region_is_fenced(name) else ""
