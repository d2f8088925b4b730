"""Whether a stack has what its kind says that it has: no more, or a drill would be left out that it could have, and no
less, or one would be begun that it cannot have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.errors import Refused
from harness.stacks import Stack
from harness.stacks.capabilities import CAPABILITIES, COMPONENT, Capability, find
from harness.stacks.capabilities.database import Cluster
from harness.stacks.needs import Copies, Need, Number, Regions, Zones

HINT = "docs/add-a-stack.md says how a kind says what it has"


def there(stack: Stack) -> tuple[Need, ...]:
    """What is there, by a look at the stack, its first region, what that holds, and its components."""
    known = [
        each.protocol for each in CAPABILITIES if any(isinstance(one, each.protocol) for one in _where(stack, each))
    ]
    home = list(stack.regions)[:1]
    counted: list[Need] = [Zones(len(home[0].zones))] if home and home[0].zones else []
    if cluster := find(stack, Cluster):
        counted.append(Copies(len(cluster.members) - 1))
    if len(stack.regions) > 1:
        counted.append(Regions(len(stack.regions)))
    return (*counted, *known)


def must_be_as_said(stack: Stack, said: Iterable[Need]) -> None:
    """Errors: `Refused`, naming the verb that is missing, or what is there and was not said."""
    told, found, name = list(said), there(stack), type(stack).__name__
    for each in told:
        if each in found or each == Regions(1):  # every stack has one
            continue
        if isinstance(each, Number):
            number = next((one.number for one in found if isinstance(one, type(each))), 0)
            raise Refused(f"{name} says that it has {each.word}, and has {number}", hint=HINT)
        line = next(one for one in CAPABILITIES if one.protocol is each)
        raise Refused(f"{name} says that it has: {line.word}, and has no {_missing(stack, line)}", hint=HINT)
    for each in found:
        if each not in told:
            called = repr(each) if isinstance(each, Number) else getattr(each, "__name__", str(each))
            raise Refused(f"{name} has {called}, and does not say so", hint=f"add it to its `capabilities`; {HINT}")


def verbs(protocol: type) -> list[str]:
    """What a protocol asks for, in alphabetical order."""
    parts = [vars(each) for each in protocol.__mro__ if getattr(each, "_is_protocol", False)]
    names = {name for part in parts for name in (*part, *part.get("__annotations__", {}))}
    return sorted(name for name in names if not name.startswith("_"))


def _missing(stack: Stack, line: Capability) -> str:
    """The verbs that are missing, of whatever comes closest to having them all."""
    lacking = [[verb for verb in verbs(line.protocol) if not hasattr(one, verb)] for one in _where(stack, line)]
    closest = min(lacking, key=len, default=verbs(line.protocol))
    of = " of a component" if line.whose == COMPONENT else ""
    return ", ".join(f"`{verb}`" for verb in closest) + of


def _where(stack: Stack, line: Capability) -> Sequence[object]:
    """Whoever may have it."""
    if line.whose == COMPONENT:
        return list(stack.components().values())
    home = list(stack.regions)[:1]
    return [stack, *home, *(held for region in home for held in region.holds)]
