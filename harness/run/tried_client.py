"""Whether a project's client and a platform fit: one numbered transaction is stored and read back, and what is none is
no transaction. Asked before a run, of a platform that nothing was done to.

An empty key once had every write answered by 401, and "nothing was lost": so what is not acknowledged has to be seen
as that, too.
"""

from __future__ import annotations

import random
import re
from typing import Any

from harness.run.run import new_id
from harness.run.trial import PATIENCE, Trials
from harness.stacks import Stack
from harness.stacks.attached.checking.line import Line
from harness.stacks.capabilities import find
from harness.stacks.capabilities.entrance import Reachable
from harness.system.http import DIRECT, NoAnswer
from harness.system.recorder import Memory
from harness.workload.client import Client, ClientSource, Key, Payload, RemovingClient, judged
from harness.workload.handed import secrets_of

PART = "client"
SCENARIO = "stack-check"  # in the key of what is sent
PAGE = b"<html><body>hello</body></html>"  # of something in between
NO_ACKNOWLEDGEMENT = ((401, b""), (403, b"{}"), (404, PAGE), (429, b""), (500, b"{}"), (502, PAGE), (503, b""))
NOBODYS = Key("nobody/stack-check/nobody", 1)
WRONG_KEYS = {"a wrong key": "drdrill-wrong-key", "an empty key": ""}


def try_client(source: ClientSource, stack: Stack) -> list[Line]:
    """What was found, a line each. Errors: `DrillError` where the client itself breaks."""
    origin = f"{new_id()}/{SCENARIO}"
    client = source.load(secrets_of(stack))
    lines = [*_stored(source, stack, origin), _not_taken_for_stored(client)]
    lines += _without_its_key(source, stack, origin) if source.secrets else []
    return [*lines, *_cannot_remove(client)]


def _stored(source: ClientSource, stack: Stack, origin: str) -> list[Line]:
    what = "a numbered transaction is stored and read back"
    facts = Memory()
    found = Trials(source, origin, facts).conditions(stack)
    if not found:
        hint = 'add "customers" to the stack file'
        return [Line(PART, what, None, "nobody has said where customers come in", hint)]
    end = next(data for kind, data in facts.facts if kind == "trial.end")
    if end["outcome"] == "acknowledged" and end["read"] is None:
        hint = 'add "database" to the stack file, or read by requests; without it loss is UNKNOWN'
        return [Line(PART, what, None, found[0].seen, hint)]
    return [Line(PART, what, found[0].ok, found[0].seen, "" if found[0].ok else _why(end))]


def _why(end: dict[str, Any]) -> str:
    """Where to look."""
    if end["outcome"] == "acknowledged":
        return "it is stored, and not where the client reads: is it the right database, and the same key?"
    if re.match("2[0-9]{2}: ", end["why"]):
        return "the answer came, and the client does not take it for stored: what does it say counts as stored?"
    return "the platform did not take it: the request, its key and the entrance, in this order"


def _not_taken_for_stored(client: Client) -> Line:
    """By answers that no platform means it by."""
    what = "an answer that acknowledges nothing is not taken for one"
    payload = client.draw(random.SystemRandom())
    taken = [status for status, body in NO_ACKNOWLEDGEMENT if _counts(client, NOBODYS, payload, status, body)]
    if taken:
        hint = "the client has to tell what counts as stored from all else: by status, and by what the body says"
        return Line(PART, what, False, f"HTTP {', '.join(map(str, taken))} counts as stored", hint)
    codes = ", ".join(str(status) for status, _ in NO_ACKNOWLEDGEMENT)
    return Line(PART, what, True, f"HTTP {codes}, some with a page of something in between")


def _cannot_remove(client: Client) -> list[Line]:
    """Nothing where it removes nothing, or does so as its customers write."""
    if not isinstance(client, RemovingClient) or client.removes() != "SQL":
        return []
    seen, hint = "the database is only read", "`clean up` by a request, or leave it out: what drills write stays then"
    return [Line(PART, "what drills have written can be removed", False, seen, hint)]


def _without_its_key(source: ClientSource, stack: Stack, origin: str) -> list[Line]:
    """The same request with secrets that are none: whatever is acknowledged then, a wrong key would not be noticed."""
    if (reached := find(stack, Reachable)) is None:
        return []
    seen = {said: _sent(source, reached, Key(f"{origin}-{at}", 1), value)
            for at, (said, value) in enumerate(WRONG_KEYS.items())}  # fmt: skip  # a table
    stored = [said for said, (taken, _) in seen.items() if taken]
    hint = "the platform takes it from anybody, or the client does not send its key" if stored else ""
    told = "; ".join(f"{said}: {answer}" for said, (_, answer) in seen.items())
    return [Line(PART, "an empty or wrong key is noticed", not stored, told, hint)]


def _sent(source: ClientSource, reached: Reachable, key: Key, secret: str) -> tuple[bool, str]:
    """Whether it was acknowledged, and the answer."""
    client = source.load(lambda name: secret)
    payload = client.draw(random.SystemRandom())
    message = client.message(key, payload)
    entrance = reached.entrance
    try:
        answer = DIRECT.ask(
            message.method, entrance.url(message.path), within=PATIENCE, sends=message.body, ca=entrance.ca,
            resolver=entrance.resolver, content_type=message.content_type, headers=message.headers,
        )  # fmt: skip  # arguments in groups
    except NoAnswer as error:
        return False, str(error)
    return _counts(client, key, payload, answer.status, answer.body), f"HTTP {answer.status}"


def _counts(client: Client, key: Key, payload: Payload, status: int, body: bytes) -> bool:
    """Whether it counts as stored."""
    return bool(judged(client, key, payload, status=status, body=body).stored)
