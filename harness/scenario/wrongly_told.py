"""How a sabotage twin tells people wrongly. It is used only where something stands in for every service."""

from __future__ import annotations

from dataclasses import replace

from harness.communications.contacts import Contacts
from harness.communications.message import FIRST_LINE, MARK, Message


def unmarked(message: Message) -> Message:
    """Without a word that it is an exercise."""
    subject = message.subject.removeprefix(f"{MARK}: ")
    return replace(message, subject=subject, text=message.text.removeprefix(FIRST_LINE).lstrip())


def with_wrong_contact(contacts: Contacts, role: str) -> Contacts:
    """Every address of that role is one at which nobody answers."""
    right = contacts.people[role]
    wrong = replace(right, addresses={kind: _slip(address) for kind, address in right.addresses.items()})
    return replace(contacts, people={**contacts.people, role: wrong})


def _slip(address: str) -> str:
    """One letter of it is another."""
    if "@" in address[1:]:
        return ("x" if address[0] != "x" else "y") + address[1:]
    return address[:-1] + ("9" if address[-1] != "9" else "8")
