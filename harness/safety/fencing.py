"""Healing must not hurt: a database that led never comes back writable after another was promoted.

Before a fault is healed that kept database servers down, silent or frozen, it is asked who leads now, and whether each
of these servers takes writes. Where that is not known to be safe, they stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from harness.errors import DrillError
from harness.faults import LED, Fault, LetsBack, Undo
from harness.stacks import Stack
from harness.stacks.capabilities import find
from harness.stacks.capabilities.database import Cluster, Fenced, Member, Rejoins


def must_stay(stack: Stack, fault: Fault, undo: Undo) -> str:
    """Why the servers that the fault's healing lets back must stay fenced, in words; empty where it is safe."""
    held = let_back(stack, fault, undo)
    if not held:
        return ""
    cluster = find(stack, Fenced)
    if cluster is None:
        return f"nobody can be asked who leads, and healing lets {_names(held)} back"
    leads, unknown = "", ""
    try:
        leads = cluster.holder()
    except DrillError as error:
        unknown = f"who leads cannot be asked ({error.message})"
    said = [_why(cluster, member, leads, unknown, undo.get(LED)) for member in held]
    return "; ".join(filter(None, said))


@runtime_checkable
class ByHand(Protocol):
    """A cluster of somebody else's: what stays fenced there is settled by its owner."""

    def by_hand(self, name: str) -> str:
        """What a person does about that server, in words; empty where it is let back."""

    def lasts(self, name: str) -> bool:
        """Whether it is known to stay fenced, however long somebody waits."""


def rejoin(stack: Stack, fault: Fault, undo: Undo, *, say: Callable[[str], None]) -> None:
    """Have each server that is down while another leads made a copy of that, where its owner says how. `say` is told
    what it waits for.

    Errors: `DrillError` of the first that is none then: it stays fenced.
    """
    cluster = find(stack, Rejoins)
    if cluster is not None:
        for member in let_back(stack, fault, undo):
            cluster.rejoin(member.name, say=say)


def lasts(stack: Stack, fault: Fault, undo: Undo) -> bool:
    """Whether nothing can come of waiting for what must stay fenced."""
    cluster = find(stack, ByHand)
    return cluster is not None and any(cluster.lasts(member.name) for member in let_back(stack, fault, undo))


def what_to_do(stack: Stack, fault: Fault, undo: Undo) -> str:
    """For a person, who knows more than we can ask."""
    held = let_back(stack, fault, undo)
    if (owners := find(stack, ByHand)) is not None:
        return "; ".join(filter(None, (owners.by_hand(member.name) for member in held)))
    names = _names(held)
    return (
        f"stop {names}, the database server too (docs/safety.md says how), see who leads, and heal again: that starts "
        "it, and what was stopped comes back as a copy"
    )


def let_back(stack: Stack, fault: Fault, undo: Undo) -> list[Member]:
    """The database servers that the fault's healing lets back."""
    cluster = find(stack, Cluster)
    if not isinstance(fault, LetsBack) or cluster is None:
        return []
    names = fault.lets_back(undo)
    zones = {undo.get("zone"), undo.get("one"), *undo.get("others", ())}  # the list may be older, or edited
    return [member for member in cluster.members if member.name in names or member.zone in zones]


def several_write(stack: Stack, fault: Fault, undo: Undo) -> str:
    """Which servers take writes, where that is more than one after a healing that let some back; else empty."""
    cluster = find(stack, Cluster)
    fenced = find(stack, Fenced)
    if cluster is None or fenced is None or not let_back(stack, fault, undo):
        return ""
    found = [member.name for member in cluster.members if fenced.writable(member.name)]
    return f"{' and '.join(found)} take writes at once" if len(found) > 1 else ""


def _why(cluster: Fenced, member: Member, leads: str, unknown: str, led: str | None) -> str:
    """`led`: who led when it was frozen; None where it was not, or nobody could say."""
    if leads == member.name:
        why = "" if led is not None else cluster.comes_back_as_copy(member.name)  # what was frozen whole goes on whole
        return f"{leads} leads, and may go on when its lease is over: {why}" if why else ""
    who = unknown or (f"{leads} leads" if leads else "nobody leads")
    writable = cluster.writable(member.name)
    if writable:
        return f"{who}, and {member.name} takes writes"
    if writable is None:
        return f"{who}, and nobody can say whether {member.name} takes writes"
    if unknown and not member.running():
        return f"{who}, and {member.name} is down: what it would come back as is not known"
    if led is not None and led != leads and _is_silent(member):
        return f"{who}, and {member.name} was frozen while {led or 'nobody'} led: it may go on with taking the lead"
    why = cluster.comes_back_as_copy(member.name)
    return f"{who}, and {member.name} may come back as more than a copy: {why}" if why else ""


def _is_silent(member: Member) -> bool:
    """It runs and answers nothing: it is frozen still, or nobody can see that it is not."""
    try:
        member.ask()
    except OSError:
        return member.running()
    return False


def _names(members: list[Member]) -> str:
    return ", ".join(member.name for member in members)
