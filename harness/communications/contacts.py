"""The contacts of a project: which address each role and each group has, and who stands in for whom.

The file is read, and never copied: what it holds is for whoever sends, and for the redactor.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.errors import Refused
from harness.evidence.redact import SHORTEST_SECRET
from harness.plan import Communication, shape, text

HINT = "docs/projects.md says how contacts are written"
KEY = {"bridge": "phone"}  # which address a channel asks for, where it is not called as the channel is

_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII)
_SLACK = re.compile(r"@[a-z0-9._-]{1,80}|[UW][A-Z0-9]{6,}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_PHONE = re.compile(r"\+[0-9](?:[ ()-]{0,2}[0-9]){6,14}", re.ASCII)  # E.164: at most 15 digits
_PAGER = re.compile(r"(?=.*[0-9@])[\w.@-]{8,255}", re.ASCII)  # no ordinary word: a pack has it nowhere


@dataclass(frozen=True)
class Contact:
    """A person's role, or a group; `addresses` by the word of each: slack, teams, e-mail, phone, pager, status page."""

    name: str
    addresses: Mapping[str, str] = field(repr=False)
    deputy: str = ""  # the role that stands in; empty where nobody does, and for a group

    def address(self, channel: str) -> str:
        """For a channel by its kind; empty where it cannot be reached by that."""
        return self.addresses.get(KEY.get(channel, channel), "")


@dataclass(frozen=True)
class Contacts:
    """All of them, by role and by name of group."""

    path: Path
    people: Mapping[str, Contact]
    groups: Mapping[str, Contact]

    def whom(self, name: str) -> Contact | None:
        """The role or group of that name."""
        return self.people.get(name) or self.groups.get(name)


def load(path: Path) -> Contacts:
    """Errors: `Refused`, with every problem of the file, each with its line. No address is repeated in it."""
    read = text.read(path)
    schema = json.loads(resources.files("harness.communications").joinpath("contacts.json").read_text(encoding="utf-8"))
    shape.check(read, schema, of="contacts")
    if not read.problems:
        _examine(read)
    if read.problems:
        raise text.refuse(path, read.problems)
    given = read.values
    return Contacts(
        path,
        {each["role"]: Contact(each["role"], each["channels"], each.get("deputy", "")) for each in given["people"]},
        {each["name"]: Contact(each["name"], each["channels"]) for each in given.get("groups", ())},
    )


def must_reach(contacts: Contacts, planned: Communication) -> None:
    """Every role and group of the plan is there, and can be told by each channel that the plan names for it.

    Errors: `Refused`, with all that is lacking.
    """
    wanted = {role: [each.by for each in planned.channels] for role in planned.roles}
    lacking = []
    for name, channels in {**wanted, **planned.groups}.items():
        found = (contacts.groups if name in planned.groups else contacts.people).get(name)
        if found is None:
            lacking.append(f"{contacts.path}: there is no {name}, whom the plan tells")
            continue
        words = dict.fromkeys(KEY.get(by, by) for by in channels if not found.address(by))
        lacking += [f"{contacts.path}: {name} has no {word}, by which the plan tells it" for word in words]
    for each in planned.channels:
        called = contacts.whom(each.name.lower())
        if each.by == "bridge" and not (called and called.address("bridge")):
            lacking.append(f"{contacts.path}: {each.name.lower()} has no phone, and the plan calls people to it")
    if lacking:
        raise Refused("\n".join(lacking), hint=f"add it there, or take it out of the plan; {HINT}")


def private_words(contacts: Contacts) -> frozenset[str]:
    """Every address, as written and as others write it: what must never come into a pack. For the redactor."""
    words = set()
    for contact in (*contacts.people.values(), *contacts.groups.values()):
        for kind, address in contact.addresses.items():
            words |= {address, address.lower()}
            if kind == "phone":
                digits = re.sub(r"[ ()-]", "", address)
                words |= {digits, re.sub(r"[ ()-]+", " ", address), re.sub(r"[ ()-]+", "-", address)}
    return frozenset(words)


def _examine(read: text.Text) -> None:
    """Names are there once, each has an address that is one, and deputies lead to somebody."""
    seen: dict[str, str] = {}
    for kind, word, at, each in _all(read.values):
        where = (kind, at, word)
        if each[word] in seen:
            read.problem(where, f'"{each[word]}" is there already', hint="give each its own name")
        seen[each[word]] = kind
        if not each["channels"]:
            what = f'"{each[word]}" has no channel: nobody could tell it anything'
            read.problem((kind, at, "channels"), what, hint=f"add an address; {HINT}")
        for channel, address in each["channels"].items():
            sound, hint = ADDRESSES[channel]
            place = (kind, at, "channels", channel)
            if not sound(address):  # what is wrong is not repeated: it may be an address all the same
                read.problem(place, f"is no address for {channel}", hint=hint)
            elif len(address) < SHORTEST_SECRET:
                what = f"has less than {SHORTEST_SECRET} letters, and cannot be told from ordinary words in a pack"
                read.problem(place, what, hint="give a longer one, such as the id of the user")
    _deputies(read)


def _all(values: Mapping[str, Any]) -> Iterator[tuple[str, str, int, Mapping[str, Any]]]:
    for kind, word in (("people", "role"), ("groups", "name")):
        for at, each in enumerate(values.get(kind, ())):
            yield kind, word, at, each


def _deputies(read: text.Text) -> None:
    deputies = {each["role"]: each.get("deputy", "") for each in read.values["people"]}
    for at, each in enumerate(read.values["people"]):
        deputy, where = each.get("deputy", ""), ("people", at, "deputy")
        if deputy and deputy not in deputies:
            read.problem(where, f'there is no role "{deputy}"', hint=f"there are: {', '.join(deputies)}")
            continue
        passed = [each["role"]]
        while deputy and deputy not in passed:
            passed.append(deputy)
            deputy = deputies.get(deputy, "")
        if deputy == each["role"]:
            circle = " → ".join([*passed, deputy])
            read.problem(where, f"goes in a circle: {circle}", hint="leave out the deputy of the last who is called")


def _status_page(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", address)


def _like(*patterns: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda address: any(pattern.fullmatch(address) for pattern in patterns)


ADDRESSES: dict[str, tuple[Callable[[str], bool], str]] = {  # what each looks like, and what to write
    "slack": (_like(_SLACK), "write a user's id such as U024BE7LH, which is told, or a name such as @mira"),
    "teams": (_like(_EMAIL, _ID), "write the name by which they sign in, such as mira@example.com, or their object id"),
    "e-mail": (_like(_EMAIL), "write one address, such as mira@example.com"),
    "phone": (_like(_PHONE), "write a number with its country, such as +49 30 1234567"),
    "pager": (
        _like(_PAGER),
        "write the key of the service, or the name of the user: 8 letters or more, with a digit or @",
    ),
    "status page": (_status_page, "write where people read it, such as https://status.example.com"),
}
