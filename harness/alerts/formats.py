"""What a monitoring posts, turned into lines of the alert file: Alertmanager's webhook, and plain JSON.

What comes in is data: it is checked and cut to size, and means nothing to the receiver.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness import clock

LONGEST = 500  # characters of any value
STATES = ("firing", "resolved")
Line = dict[str, str]


@dataclass(frozen=True)
class Parsed:
    """The alerts that could be read, and what is wrong with the others, each in a few words."""

    lines: Sequence[Line]
    wrong: Sequence[str] = ()


def from_alertmanager(body: bytes) -> Parsed:
    """Alertmanager's webhook, version 4: what failed is in the labels `component` and `zone` of each alert."""
    sent = _object(body)
    if isinstance(sent, str):
        return Parsed([], [sent])
    if sent.get("version") != "4":
        return Parsed([], [f"this is not version 4 of Alertmanager's webhook but {_short(sent.get('version'))}"])
    alerts = sent.get("alerts")
    if not isinstance(alerts, list):
        return Parsed([], ["there is no list of alerts"])
    return _each(alerts, _of_alertmanager)


def from_plain(body: bytes) -> Parsed:
    """One alert: `name` and `state`, and where known `component`, `zone`, `summary`, `starts`."""
    sent = _object(body)
    if isinstance(sent, str):
        return Parsed([], [sent])
    return _each([sent], _of_plain)


def _object(body: bytes) -> dict[str, Any] | str:
    """The JSON object, or what is wrong with it."""
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as error:
        return f"this is not JSON: {_short(str(error))}"
    return sent if isinstance(sent, dict) else "this is JSON, but no object"


def _each(alerts: Sequence[Any], read: Callable[[dict[str, Any]], Line]) -> Parsed:
    lines, wrong = [], []
    for number, alert in enumerate(alerts, start=1):
        try:
            if not isinstance(alert, dict):
                raise ValueError("no object")
            lines.append(read(alert))
        except ValueError as error:
            wrong.append(f"alert {number} of {len(alerts)}: {error}")
    return Parsed(lines, wrong)


def _of_alertmanager(alert: dict[str, Any]) -> Line:
    labels, annotations = (_texts(alert, name) for name in ("labels", "annotations"))
    return _line(
        name=labels.get("alertname", ""), state=alert.get("status"), component=labels.get("component", ""),
        zone=labels.get("zone", ""), starts=alert.get("startsAt", ""),
        summary=annotations.get("summary") or annotations.get("description", ""),
    )  # fmt: skip


def _of_plain(alert: dict[str, Any]) -> Line:
    known = {name: alert.get(name, "") for name in ("name", "component", "zone", "summary", "starts")}
    return _line(state=alert.get("state"), **known)


def _texts(alert: dict[str, Any], name: str) -> dict[str, Any]:
    found = alert.get(name) or {}
    if not isinstance(found, dict):
        raise ValueError(f"{name} is no object")
    return found


def _line(*, name: Any, state: Any, starts: Any, **more: Any) -> Line:
    if state not in STATES:
        raise ValueError(f"its state is {_short(state)}, and neither firing nor resolved")
    line = {"name": _text("name", name), "state": state, "starts": _moment(starts)}
    if not line["name"]:
        raise ValueError("it has no name")
    return {**line, **{field: _text(field, value) for field, value in more.items()}}


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{field} is no text")
    sound = value.encode("utf-8", errors="replace").decode()  # a lone surrogate cannot be written
    return sound if len(sound) <= LONGEST else f"{sound[: LONGEST - 1]}…"


def _moment(value: Any) -> str:
    """As the journal writes it, or empty where none is given. RFC 3339, with any number of digits."""
    text = _text("starts", value)
    if not text:
        return ""
    try:
        given = datetime.fromisoformat(text)
        return clock.utc_text(given if given.tzinfo else given.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ValueError(f"{_short(text)} is no moment; write 2026-11-23T20:55:01Z") from None


def _short(value: Any) -> str:
    return repr(value)[:60]
