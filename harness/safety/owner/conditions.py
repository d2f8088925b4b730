"""The conditions on which a run heals at once and ends: each asked once, and what became of it over time.

A condition is asked from this machine, and never of what the drill itself says.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from harness.errors import DrillError
from harness.stacks.attached.asking import Seen
from harness.stacks.attached.file.described import ALL, Condition, StackFile
from harness.stacks.attached.file.formats import filled
from harness.stacks.attached.secrets import words
from harness.system import clock
from harness.system.http import DIRECT, Http, NoAnswer

CLEAR, FAILING, TRUE, SILENT = "clear", "failing", "true", "not answered"  # states; failing: not yet for so long
PATIENCE = 3  # times running that one is not answered, until that counts as true
SAID = 200  # letters of what was seen
Probed = Callable[[str, str], Seen]  # by a probe, of a component or of none


class NotAnswered(Exception):
    """Nobody could say whether it is true."""


class Answer(NamedTuple):
    """Whether it holds just now, and what was seen."""

    holds: bool
    seen: str


@dataclass
class Asked:
    """One condition over time. `where`: file and line of it."""

    condition: Condition
    where: str
    ask: Callable[[], Answer]
    state: str = ""  # empty: not asked yet
    seen: str = ""
    since: int | None = None  # mono: since when it holds without a break
    silent: int = 0  # times running

    def once(self) -> bool:
        """Ask once; whether the state has changed."""
        before, begun = self.state, clock.mono()
        try:
            answer = self.ask()
        except Exception as error:  # a bug of the one who asks is no answer either
            why = str(error) if isinstance(error, NotAnswered) else f"{type(error).__name__}: {error}"
            self.silent += 1
            self.state, self.seen, self.since = SILENT, why[:SAID], None
            return before != self.state
        self.silent, self.seen = 0, answer.seen[:SAID]
        self.since = (self.since or begun) if answer.holds else None
        if self.since is None:
            self.state = CLEAR
        else:
            self.state = TRUE if clock.since(self.since) >= self.condition.fails_for else FAILING
        return before != self.state

    def forget(self) -> None:
        """As if it was never asked."""
        self.state, self.seen, self.since, self.silent = "", "", None, 0

    @property
    def ends(self) -> str:
        """Why the run has to end, in words; empty where it may go on."""
        if self.state == TRUE:
            return f"{self.condition.text} ({self.where}): {self.seen}"
        if self.silent >= PATIENCE:
            return f"{self.condition.text} ({self.where}) was not answered {self.silent} times running: {self.seen}"
        return ""


def all_of(said: StackFile, secrets: Mapping[str, str], probed: Probed, *, http: Http = DIRECT) -> list[Asked]:
    """The conditions of a file, none of them asked yet."""
    values = words(secrets)
    return [
        Asked(one, said.where("safety", "abort when", at), _way(one, said, values, probed, http))
        for at, one in enumerate(said.safety.abort_when)
    ]


def _way(
    one: Condition, said: StackFile, values: Mapping[str, str], probed: Probed, http: Http
) -> Callable[[], Answer]:
    if one.probe:
        whom = [each.name for each in said.components.values() if each.alive == one.probe]
        return lambda: _by_probe(one, whom if one.of == ALL else [one.of], probed)
    if one.file is not None:
        return lambda: _by_file(one)
    headers = {name: filled(value, dict(values)) for name, value in one.headers.items()}
    if one.prometheus:
        return lambda: _by_query(one, headers, http)
    return lambda: _by_url(one, headers, http)


def _by_probe(one: Condition, whom: Sequence[str], probed: Probed) -> Answer:
    """It fails where all fail that are asked. What cannot be reached fails; of what has no address nobody can say."""

    silent: list[str] = []

    def ask(component: str) -> Seen:
        try:
            found = probed(one.probe, component)
        except (DrillError, OSError) as error:
            silent.append(error.message if isinstance(error, DrillError) else str(error))
            return Seen(False, silent[-1])
        return Seen(found.ok, f"{component}: {found.said}" if component else found.said)

    with ThreadPoolExecutor(max_workers=len(whom)) as threads:  # all of them take no longer than the slowest
        seen = list(threads.map(ask, whom))
    good = [each.said for each in seen if each.ok]
    if silent and not good:
        raise NotAnswered("; ".join(silent))
    return Answer(not good, good[0] if good else "; ".join(each.said for each in seen))


def _by_file(one: Condition) -> Answer:
    assert one.file is not None
    try:
        if not one.file.parent.is_dir():
            raise NotAnswered("its folder is not there")
        with one.file.open(encoding="utf-8", errors="replace") as veto:
            first = veto.readline().strip()
    except FileNotFoundError:
        return Answer(False, "it is not there")
    except IsADirectoryError:
        return Answer(True, "it is there, and a folder")
    except OSError as error:
        raise NotAnswered(error.strerror or str(error)) from None
    return Answer(True, f"it is there{f' and says: {first}' if first else ''}")


def _by_url(one: Condition, headers: Mapping[str, str], http: Http) -> Answer:
    text = _read(one, one.url, headers, http)
    found = re.search(one.says, text)
    return Answer(found is not None, f"it says {found[0]!r}" if found else "no veto is in the answer")


def _by_query(one: Condition, headers: Mapping[str, str], http: Http) -> Answer:
    """As a rule of alerts: true where the answer is not empty; with a bound, where a value is beyond it."""
    url = f"{one.at}/api/v1/query?{urlencode({'query': one.prometheus})}"
    values = _values(_read(one, url, headers, http))
    bound = one.above if one.above is not None else one.below
    if bound is None:
        return Answer(bool(values), f"{len(values)} values" if values else "the answer is empty")
    if not values or any(map(math.isnan, values)):
        raise NotAnswered("the answer is empty" if not values else "a value is no number")
    worst = max(values) if one.above is not None else min(values)
    return Answer(worst > bound if one.above is not None else worst < bound, f"{worst:g}")


def _read(one: Condition, url: str, headers: Mapping[str, str], http: Http) -> str:
    """The body of a valid answer. Errors: `NotAnswered`."""
    try:
        answer = http.ask("GET", url, within=one.timeout, headers=headers)
    except (NoAnswer, DrillError, ValueError) as error:
        raise NotAnswered(str(error)) from None
    text = answer.body.decode(errors="replace")
    if not 200 <= answer.status < 300:
        raise NotAnswered(f"HTTP {answer.status}: {text[:80]}")
    return text


def _values(text: str) -> list[float]:
    """Of an answer of Prometheus: a vector, or a scalar; a scalar 0 is an empty answer. Errors: `NotAnswered`."""
    try:
        data: Any = json.loads(text)["data"]
        if data["resultType"] == "scalar":
            return [value] if (value := float(data["result"][1])) else []
        return [float(each["value"][1]) for each in data["result"]]
    except (ValueError, KeyError, TypeError, IndexError):
        raise NotAnswered("the answer is none of Prometheus's") from None
