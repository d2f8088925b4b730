"""What a round of looks at a platform says is wrong. Pure: it knows no clock, no network and no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

# What a target is asked for. `alive` and `ready`: a good answer. `there`: any answer at all, for what stands in front
# of others; `stands`: the same, where these others need not serve. `leads`: a good answer of at least one target.
Asks = Literal["alive", "ready", "there", "stands", "leads"]


@dataclass(frozen=True)
class Target:
    """One address that is asked, and what it stands for."""

    component: str
    zone: str
    url: str
    asks: Asks = "alive"
    host: str = ""  # the name in TLS and in the request, where it is not the address
    ca: str = ""  # path of the authority's certificate, for https


@dataclass(frozen=True)
class Look:
    """What was seen of a target, once."""

    status: int  # of HTTP; 0 where there was no answer
    seen: str  # for people
    taken: bool = True  # whether a connection was made, its TLS included

    @property
    def good(self) -> bool:
        return 200 <= self.status < 400


@dataclass(frozen=True)
class Problem:
    """What an alert is about; two with the same fields are the same problem."""

    name: str
    component: str = ""
    zone: str = ""


Looks = Mapping[Target, Look]


def wrong(looks: Looks) -> dict[Problem, str]:
    """Everything that one round shows to be wrong, with a summary for people."""
    found: dict[Problem, str] = {}
    for target, look in looks.items():
        component, zone = target.component, target.zone
        if target.asks == "alive" and not look.good:
            found[Problem("InstanceDown", component, zone)] = f"{component} does not answer well: {look.seen}"
        elif target.asks in ("there", "stands") and not look.taken:
            found[Problem("InstanceDown", component, zone)] = f"{component} does not answer: {look.seen}"
        elif target.asks == "there" and not look.good:
            # It is there: whatever fails stands behind it, and this cannot say what.
            found[Problem("NotServing")] = f"customers get no good answer at {component}: {look.seen}"
        elif target.asks == "ready" and not look.good and _alive(looks, component):
            found[Problem("NotReady", component, zone)] = f"{component} is alive and not ready: {look.seen}"
    leads = [look for target, look in looks.items() if target.asks == "leads"]
    if leads and not any(look.good for look in leads):
        found[Problem("NobodyLeads")] = "no watched database takes writes"
    for zone in sorted({target.zone for target in looks} - {""}):
        if not any(look.status for target, look in looks.items() if target.zone == zone):
            found[Problem("ZoneUnreachable", "", zone)] = f"nothing of zone {zone} answers"
    return found


def firing(rounds: Sequence[Looks]) -> dict[Problem, str]:
    """What was wrong in every one of the rounds, with the last one's words."""
    found = [wrong(looks) for looks in rounds]
    if not found:
        return {}
    return {problem: said for problem, said in found[-1].items() if all(problem in one for one in found)}


def _alive(looks: Looks, component: str) -> bool:
    """Whether the same component's other question was answered well, where it was asked."""
    asked = [look for target, look in looks.items() if target.component == component and target.asks == "alive"]
    return all(look.good for look in asked)
