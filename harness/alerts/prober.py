"""A small monitoring: `python -m harness.alerts.prober --config FILE`.

It asks every target once a second with a real request, and tells a receiver, as Alertmanager does, what was wrong
twice in a row, and when that is over. What the receiver has not taken is told again with the next round. The watchdog
goes along every few seconds: while that comes in, an alert would too.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.alerts import WATCHDOG
from harness.alerts.look import look
from harness.alerts.rules import Looks, Problem, Target, firing
from harness.system import clock
from harness.system.http import DIRECT, NoAnswer

EVERY = timedelta(seconds=1)
PATIENCE = timedelta(seconds=1)
IN_A_ROW = 2  # bad looks before anybody is told
HEARTBEAT = timedelta(seconds=5)
OVER = "0001-01-01T00:00:00Z"  # as Alertmanager says that there is no end yet


@dataclass(frozen=True)
class Config:
    """What a stack tells its prober, as a JSON file.

    Until `armed` (nanoseconds of the monotonic clock), a target that was never seen well says nothing: the stack is
    still starting.
    """

    receiver: str  # URL of the webhook
    armed: int
    targets: tuple[Target, ...]

    def text(self) -> str:
        targets = [vars(target) for target in self.targets]
        return json.dumps({"receiver": self.receiver, "armed": self.armed, "targets": targets}, indent=1)

    @classmethod
    def of(cls, text: str) -> Config:
        """Errors: `ValueError`, `TypeError`, `KeyError`."""
        read = json.loads(text)
        return cls(read["receiver"], int(read["armed"]), tuple(Target(**one) for one in read["targets"]))


@dataclass
class Told:
    """What the receiver has taken: each problem that fires, with when it began. It outlives the prober, in a file."""

    file: Path
    problems: dict[Problem, str] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Told:
        try:
            return cls(file, {Problem(*words): began for *words, began in json.loads(file.read_text())})
        except (OSError, ValueError, TypeError):
            return cls(file)

    def becomes(self, problems: Mapping[Problem, str]) -> None:
        self.problems = dict(problems)
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps([[one.name, one.component, one.zone, at] for one, at in problems.items()]))
        fresh.rename(self.file)


class Prober:
    """Looks, compares with what was told, and tells the difference."""

    def __init__(self, config: Config, *, told: Told) -> None:
        self._config = config
        self._told = told
        self._rounds: deque[Looks] = deque(maxlen=IN_A_ROW)
        self._seen_well: set[Target] = set()
        self._beat = 0  # when the watchdog was taken last
        self._again = True  # after a start, what fires is told again
        self._reached = True
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(config.targets)))

    def run(self, ended: threading.Event) -> None:
        """A round a second until told to end; a round that took longer is followed at once by the next."""
        while not ended.is_set():
            begin = clock.mono()
            self.round()
            ended.wait(max(0.0, (EVERY - clock.since(begin)).total_seconds()))

    def round(self) -> None:
        """One look at everything, and what follows from it."""
        targets = self._config.targets
        seen = dict(zip(targets, self._pool.map(lambda one: look(one, within=PATIENCE), targets), strict=True))
        self._seen_well |= {target for target, one in seen.items() if one.good}
        starting = clock.mono() < self._config.armed
        self._rounds.append({t: one for t, one in seen.items() if not starting or t in self._seen_well})
        now = clock.utc_text(clock.now().utc)
        if len(self._rounds) == IN_A_ROW:
            self._tell(firing(list(self._rounds)), now)
        due = not self._beat or clock.since(self._beat) >= HEARTBEAT
        if due and self._post([_alert(Problem(WATCHDOG), "firing", "an alert would arrive", now)]):
            self._beat = clock.mono()

    def _tell(self, found: Mapping[Problem, str], now: str) -> None:
        before = self._told.problems
        after = {problem: before.get(problem, now) for problem in found}
        news = [
            _alert(problem, "firing", said, after[problem])
            for problem, said in found.items()
            if self._again or problem not in before
        ]
        news += [_alert(one, "resolved", "", began, now) for one, began in before.items() if one not in after]
        if not news:
            self._again = False
        elif self._post(news):
            for one in news:
                labels = one["labels"]
                what = " ".join(word for word in (labels["component"], labels["zone"]) if word)
                say(f"{one['status']}: {labels['alertname']} {what}: {one['annotations']['summary']}")
            self._told.becomes(after)
            self._again = False

    def _post(self, alerts: list[dict[str, Any]]) -> bool:
        """Whether the receiver took it."""
        status = "firing" if any(one["status"] == "firing" for one in alerts) else "resolved"
        sent = {"version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": status, "receiver": "drill",
                "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "",
                "alerts": alerts}  # fmt: skip  # a table
        try:
            answer = DIRECT.ask("POST", self._config.receiver, within=PATIENCE, sends=sent)
            said = answer.body.decode(errors="replace").strip()
            why = "" if answer.status == 200 else f"{answer.status} {said[:200]}"
        except NoAnswer as error:
            why = str(error)
        if bool(why) == self._reached:
            say(f"the receiver does not take alerts: {why}" if why else "the receiver takes alerts again")
        self._reached = not why
        return not why


def _alert(problem: Problem, status: str, summary: str, starts: str, ends: str = OVER) -> dict[str, Any]:
    labels = {"alertname": problem.name, "component": problem.component, "zone": problem.zone}
    said = summary or f"{problem.name} is over"
    return {"status": status, "labels": labels, "annotations": {"summary": said}, "startsAt": starts, "endsAt": ends,
            "generatorURL": "", "fingerprint": "-".join(labels.values())}  # fmt: skip  # a table


def say(what: str) -> None:
    print(f"{clock.utc_text(clock.now().utc)} {what}", file=sys.stderr, flush=True)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="prober", description="Asks everything, and tells what does not answer.")
    parser.add_argument("--config", required=True, type=Path)
    words = parser.parse_args(argv)
    try:
        config = Config.of(words.config.read_text())
    except (OSError, ValueError, TypeError, KeyError) as error:
        print(f"prober: {words.config}: {error!r}", file=sys.stderr)
        return 1
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    say(f"watches {len(config.targets)} targets")
    Prober(config, told=Told.read(words.config.with_suffix(".told"))).run(ended)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
