"""What the checks of a stack file share: names, alternatives, and which of its components are containers."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from harness.plan.text import Text, Where
from harness.stacks.attached.file.described import VERBS


def service(name: str, given: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    """The compose service that a component is; empty where it is none."""
    other = {"container", "label", "log", *VERBS} & set(given)
    return str(given.get("service", name if "compose" in whole and not other else ""))


def is_container(name: str, whole: Mapping[str, Any]) -> bool:
    """Whether the engine knows it, so that it has an address and can be hurt without a word of the file."""
    given = whole["components"].get(name, {})
    return bool(service(name, given, whole) or given.get("container") or given.get("label"))


def one_of(read: Text, where: Where, given: Mapping[str, Any], words: Collection[str]) -> None:
    """Exactly one of these fields is there."""
    found = [word for word in words if word in given]
    if len(found) != 1:
        what = f"has {' and '.join(found)}" if found else "says none"
        read.problem(where, f"{what} of {', '.join(words)}, and needs one", hint=f"write one of {', '.join(words)}")


def known(read: Text, where: Where, name: str, among: Collection[str], what: str) -> bool:
    """Whether it is among these names; else it is a problem."""
    if name in among:
        return True
    near = difflib.get_close_matches(name, list(among), n=1)
    there = f"there are: {', '.join(among)}" if among else f"say it under {what}s"
    read.problem(where, f'there is no {what} "{name}"', hint=f'did you mean "{near[0]}"?' if near else there)
    return False


def texts(value: Any, where: Where = ()) -> Iterator[tuple[Where, str]]:
    """Every text of it, and where it stands."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts(inner, (*where, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from texts(inner, (*where, at))
