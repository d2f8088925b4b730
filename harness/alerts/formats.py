"""What a monitoring posts, turned into lines of the alert file: the webhooks of Alertmanager and Grafana, plain JSON.

What comes in is data: it is checked and cut to size, and means nothing to the receiver.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.system import clock

LONGEST = 500  # characters of any value
STATES = ("firing", "resolved")
VERSIONS = ("4", "1")  # of the webhook: Alertmanager's, and Grafana's, which has the same fields and some more
USUAL = {name: name for name in ("component", "zone", "region")}  # which label says what has failed
MOST_LEFT_OUT = 1_000_000_000  # alerts; a larger number is none
Line = dict[str, str | int]


@dataclass(frozen=True)
class Parsed:
    """The alerts that could be read, and what is wrong with the others, each in a few words."""

    lines: Sequence[Line]
    wrong: Sequence[str] = ()


def named(words: Sequence[str]) -> dict[str, str]:
    """`["component=service"]`: which label says it, for each of component, zone and region."""
    return USUAL | dict(word.split("=", 1) for word in words if "=" in word)


def from_webhook(body: bytes, names: Mapping[str, str] = USUAL) -> Parsed:
    """The webhook of Alertmanager (version 4) or of Grafana Alerting (version 1).

    What failed is in the labels of each alert that `names` gives for component, zone and region. The state of the whole
    notification is not looked at: each alert has its own.
    """
    sent = _object(body)
    if isinstance(sent, str):
        return Parsed([], [sent])
    alerts = sent.get("alerts")
    if "ruleName" in sent or "evalMatches" in sent:
        return Parsed([], ["this is the webhook of Grafana's legacy alerting; Grafana Alerting's own is taken"])
    if sent.get("version") not in VERSIONS:
        known = "neither version 4 of Alertmanager's webhook nor version 1 of Grafana's"
        return Parsed([], [f"this is {known}, but {_short(sent.get('version'))}"])
    if not isinstance(alerts, list):
        return Parsed([], ["there is no list of alerts"])
    parsed = _each(alerts, lambda alert: _of_webhook(alert, names))
    group = _digest(sent.get("orgId"), sent.get("receiver"), sent.get("groupKey"))
    lines, wrong = [{**line, "group": group} for line in parsed.lines], list(parsed.wrong)
    try:
        if left_out := _left_out(sent.get("truncatedAlerts")):
            lines.insert(0, {"truncated": left_out, "group": group})
    except ValueError as error:
        wrong.append(str(error))
    return Parsed(lines, wrong)


def from_api(body: bytes, names: Mapping[str, str] = USUAL) -> Parsed:
    """What Alertmanager's API (version 2) says at `/api/v2/alerts`: all that fire now."""
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as error:
        return Parsed([], [f"this is not JSON: {_short(str(error))}"])
    if not isinstance(sent, list):
        return Parsed([], ["this is JSON, but no list of alerts"])
    return _each(sent, lambda alert: _of_webhook({**alert, "status": "firing"}, names))


def from_plain(body: bytes) -> Parsed:
    """One alert: `name` and `state`, and where known `component`, `zone`, `region`, `summary`, `starts`.

    `fingerprint` tells it from others of the same name, component, zone and region.
    """
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


def _of_webhook(alert: dict[str, Any], names: Mapping[str, str]) -> Line:
    labels, annotations = (_texts(alert, name) for name in ("labels", "annotations"))
    failed = {field: labels.get(names.get(field, field), "") for field in USUAL}
    return _line(
        name=labels.get("alertname", ""), state=alert.get("status"), **failed, starts=alert.get("startsAt", ""),
        summary=annotations.get("summary") or annotations.get("description", ""),
        fingerprint=_digest(labels, alert.get("fingerprint")),
    )  # fmt: skip  # arguments in groups


def _of_plain(alert: dict[str, Any]) -> Line:
    known = {name: alert.get(name, "") for name in ("name", "component", "zone", "region", "summary", "starts")}
    which = _digest(known["name"], known["component"], known["zone"], known["region"], alert.get("fingerprint"))
    return _line(state=alert.get("state"), fingerprint=which, **known)


def _digest(*identity: Any) -> str:
    """Of everything that makes an alert the one it is: two rules or two instances of one name are not the same."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def _left_out(value: Any) -> int:
    """How many alerts the notification did not carry; older Alertmanagers say nothing of it."""
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_LEFT_OUT:
        raise ValueError(f"truncatedAlerts is {_short(value)}, and no number of alerts")
    return value


def _texts(alert: dict[str, Any], name: str) -> dict[str, Any]:
    found = alert.get(name) or {}
    if not isinstance(found, dict):
        raise ValueError(f"{name} is no object")
    return found


def _line(*, name: Any, state: Any, starts: Any, **more: Any) -> Line:
    if state not in STATES:
        raise ValueError(f"its state is {_short(state)}, and neither firing nor resolved")
    line: Line = {"name": _text("name", name), "state": state, "starts": _moment(starts)}
    if not line["name"]:
        raise ValueError("it has no name")
    return {**line, **{field: _text(field, value) for field, value in more.items()}}


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{field} is no text")
    sound = value.encode("utf-8", errors="replace").decode()  # a lone surrogate cannot be written
    return sound if len(sound) <= LONGEST else f"{sound[: LONGEST - 1]}…"


def _moment(value: Any) -> str:
    """As the journal writes it, or empty where none is given. RFC 3339, with any number of digits.

    The year 1 is how Go writes that there is none.
    """
    text = _text("starts", value)
    if not text or text.startswith("0001-01-01T00:00:00"):
        return ""
    try:
        given = datetime.fromisoformat(text)
        return clock.utc_text(given if given.tzinfo else given.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ValueError(f"{_short(text)} is no moment; write 2026-11-23T20:55:01Z") from None


def _short(value: Any) -> str:
    return repr(value)[:60]
