"""The secrets that a client names: asked of the stack by whoever begins customers, and handed on to their process.

They go in its environment, never on a command line, and into no file: what customers write down is masked.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence

from harness.errors import Refused
from harness.stacks.capabilities import find, lacking
from harness.stacks.capabilities.entrance import Entrusted
from harness.system.masking import forms
from harness.workload.client import HINT, Secrets

VARIABLE = "DRDRILL_CLIENT_SECRETS"
MASKED = "[redacted: known secret]"
Mask = Callable[[str], str]


def secrets_of(place: object) -> Secrets:
    """Those that a stack knows.

    Errors, of whoever asks for one: `Unable` where it knows none; `Refused` where it does not know that one, or what it
    has is empty.
    """
    known = find(place, Entrusted)

    def secret(name: str) -> str:
        if known is None:
            raise lacking(place, Entrusted)
        value = known.secret(name)
        if not value.strip():
            raise Refused(
                f"the secret {name} is empty", hint="nobody would be let in with it: look where it comes from"
            )
        return value

    return secret


def environment(names: Sequence[str], place: object) -> dict[str, str]:
    """What the process of customers has to have in its environment; nothing where the client names no secret.

    Errors: as `secrets_of`.
    """
    ask = secrets_of(place)
    return {VARIABLE: json.dumps({name: ask(name) for name in names})} if names else {}


def handed_on() -> Mapping[str, str]:
    """What this process was handed, by name; once."""
    said = json.loads(os.environ.pop(VARIABLE, "{}"))
    return {str(name): str(value) for name, value in said.items()}


def secrets_in(known: Mapping[str, str]) -> Secrets:
    """Of these, by name."""

    def secret(name: str) -> str:
        if name not in known:
            raise Refused(f"the secret {name} was not handed on to these customers", hint=HINT)
        return known[name]

    return secret


def mask(known: Mapping[str, str]) -> Mask:
    """What hides each of them in a text, however it is written there."""
    hidden = sorted({form for value in known.values() for form in forms(value)}, key=len, reverse=True)

    def masked(text: str) -> str:
        for form in hidden:
            text = text.replace(form, MASKED)
        return text

    return masked
