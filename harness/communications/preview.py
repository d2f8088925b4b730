"""Every message as it would go out, before anything is sent: roles for people, and names for what is to come."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from harness.communications.message import CALL_OUT, Kind
from harness.communications.templates import Template
from harness.plan import Communication
from harness.plan.lengths import in_words

KINDS: tuple[Kind, ...] = ("call-out", "initial", "update", "resolution", "report")


def preview(
    planned: Communication, templates: Mapping[str, Template], *, known: Mapping[str, str],
    filled: Collection[str] = (), real: Collection[str] = (), other: str = "simulated",
) -> Iterator[str]:  # fmt: skip  # parameters in groups
    """Lines: to whom, by what, in which order, and the text.

    `known`: values of fields that are known already, such as those of the plan; `filled`: fields that a drill will
    fill, shown as `[name]`. `real`: kinds of the channels by which people read it; `other`: what all others are.
    Errors: `Refused` where nothing fills a field.
    """
    values = {**{name: f"[{name}]" for name in filled}, **known}
    for kind in KINDS:
        if kind in templates:
            whom = "each role" if kind == CALL_OUT else "each group"
            message = templates[kind].message(kind, whom, values)
            said = {by: by if by in real else f"{by} ({other})" for by in _named(planned)}
            yield from (f"{kind} ({templates[kind].name})", *_ways(planned, kind, said))
            lines = (f"Subject: {message.subject}", "", *message.text.splitlines())
            yield from (f"  | {line}".rstrip() for line in lines)


def _ways(planned: Communication, kind: Kind, said: Mapping[str, str]) -> Iterator[str]:
    if kind != CALL_OUT:
        for name, channels in planned.groups.items():
            yield f"  {name}: by {' and '.join(said[by] for by in channels)}"
        return
    order, before = [], None
    for each in planned.channels:
        order.append(f"{f'after {in_words(before)} ' if before else ''}by {said[each.by]}")
        before = each.next_after
    for role in planned.roles:
        yield f"  {role}: {', '.join(order)}"
    if planned.acknowledge_within:
        yield f"  without an acknowledgement after {in_words(planned.acknowledge_within)}: the deputy"


def _named(planned: Communication) -> set[str]:
    return {each.by for each in planned.channels} | {by for each in planned.groups.values() for by in each}
