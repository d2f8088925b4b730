"""A run as lines for a person, read from the journal as it grows: what happens, since when, against which objective."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from harness.checks import NOT_EXERCISED, Finding, Outcome, Verdict
from harness.checks.alerts import names_any
from harness.checks.called import called
from harness.checks.evidence import BY_SCENARIO, disaster_of
from harness.checks.judge import judge
from harness.checks.load import evidence
from harness.errors import Refused
from harness.evidence.first_line import marks
from harness.evidence.lines import NAME as JOURNAL
from harness.evidence.receipts import announced
from harness.evidence.run_folder import PROOF, UNFINISHED
from harness.plan.lengths import in_words
from harness.scenario.alert_listener import NAMED
from harness.system import clock
from harness.system.growing import Growing
from reports.judged import figure_of, reach
from reports.run.moments import WORDS, alert, words_of
from reports.run.text import first_of, name_of
from reports.verdicts import short
from reports.words import clean, plain

LONG = 3.0  # seconds: a wait shorter than this is not worth a line
ROOM = 60  # letters: a fact of a step that takes more has a line of its own
MOST = 160  # letters of a fact that are shown; the journal has all of it


class Follower:
    """Reads whole lines from a journal that may not be there yet, or is being renamed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._growing = Growing()

    def lines(self) -> list[dict[str, Any]]:
        """What was added since the last call; lines that are damaged are left out."""
        found = []
        for line in self._added():
            with suppress(ValueError):
                found.append(json.loads(line))
        return [line for line in found if isinstance(line, dict) and "kind" in line]

    def texts(self) -> list[str]:
        """The same, as it is written."""
        return [line.decode(errors="replace") for line in self._added()]

    def _added(self) -> list[bytes]:
        return self._growing.lines(whereabouts(self.folder) / JOURNAL)


def whereabouts(folder: Path) -> Path:
    """The folder of a run, or the pack that it has become."""
    return folder if folder.is_dir() else folder.with_name(folder.name.removesuffix(UNFINISHED))


class Order(NamedTuple):
    """Of a fault."""

    mono: int
    data: dict[str, Any]


@dataclass
class Live:
    """Turns journal lines into lines of text, and keeps what a status line needs."""

    folder: Path
    say: Callable[[str], None]
    objective: tuple[str, float] | None = None  # "RTO of …", seconds
    doing: str = "starting"
    since: int = field(default_factory=clock.mono)
    hurt: int | None = None  # mono of the fault whose recovery is measured
    intents: list[Order] = field(default_factory=list)  # of this scenario's faults
    begin: int | None = None
    scenario: str = ""  # its title
    marks: tuple[str, ...] = ()  # what stands with each verdict
    planned: list[str] = field(default_factory=list)  # names of scenarios still to come
    shown: dict[str, str] = field(default_factory=dict)  # a procedure's list: the scenario it was printed in
    stands: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # who leads, what is deployed
    affected: list[dict[str, Any]] = field(default_factory=list)  # what an alert of this scenario has to name
    alerts: set[tuple[str, ...]] = field(default_factory=set)  # of this scenario, that were told
    left: list[str] = field(default_factory=list)  # what this scenario left out, and why
    told: int | None = None  # mono of the first alert that names what was hurt
    before: str = ""  # kind of the line before
    names: dict[str, str] = field(default_factory=lambda: called({}))  # a `history`, in its keepers' word
    stopping: bool = False
    asked: bool = False  # to stop; unlike `stopping` it stays so until the pack is sealed

    def stop(self) -> None:
        """Somebody asked the run to stop: from here on nothing else is going on."""
        self.asked = True
        if not self.stopping:
            self.doing, self.since, self.stopping = "stopping: what is hurt is healed", clock.mono(), True

    def show(self, line: dict[str, Any]) -> None:
        """Say what this line means, if it means something to a person."""
        self.begin = self.begin if self.begin is not None else line["mono"]
        told = getattr(self, "_" + re.sub(r"\W", "_", line["kind"]), None)
        if told is not None:
            told(line["data"], line)
        self.before = line["kind"]

    def status(self) -> str:
        """One line: the outage's clock against its objective, and what is going on."""
        doing = f"{self.doing} ({_seconds(clock.since(self.since))})"
        if self.hurt is None or self.objective is None:
            return doing
        name, limit = self.objective
        objective = f"{name} is {in_words(timedelta(seconds=limit))}"
        return f"{_seconds(clock.since(self.hurt))} since the fault, {objective} | {doing}"

    def _at(self, line: dict[str, Any], text: str) -> None:
        assert self.begin is not None
        self.say(f"{(line['mono'] - self.begin) / 1e9:7.1f} s  {text}")

    def _now(self, line: dict[str, Any], doing: str) -> None:
        if not self.stopping:
            self.doing, self.since = doing, line["mono"]

    def _run_begin(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self.planned = list(data["scenarios"])
        broken = [f"SABOTAGED: {data['sabotage']}"] if data["sabotage"] else []
        self.marks = marks(data)
        said = "".join(f", {mark}" for mark in (*broken, *(mark.upper() for mark in self.marks)))
        place = f"{data['environment']}, sandbox {data['sandbox']}"
        self._at(line, f"run {data['run']} on stack {data['stack']} ({place}){said}")
        if "number" in data and not self.folder.parent.name.startswith(PROOF):  # proofs are a series of their own
            self.say(f"receipt for your auditor: {announced(line).line}")

    def _stack_begin(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        what = "the stack starts" if data.get("owned", True) else "it goes to the stack that stands"
        self._now(line, what)
        self._at(line, what)

    def _stack_ready(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self.names = called(data)
        zoned = [each for each in data["regions"] if each["zones"]]
        where = "; ".join(f"zones {', '.join(each['zones'])} of {each['region']}" for each in zoned)
        self._at(line, f"the stack is ready{f': {where}' if where else ''}")

    def _stack_left(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        wrong = "; ".join(f"{each['name']}: {each['seen']}" for each in data["conditions"] if not each["ok"])
        self._at(line, f"the stack is left running, {f'and is not steady: {wrong}' if wrong else 'and steady'}")

    def _scenario_begin(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self.objective, self.hurt, self.told = None, None, None
        self.intents, self.affected, self.alerts, self.left = [], [], set(), []
        self.scenario = data["title"]
        self.planned = [name for name in self.planned if name != data["scenario"]]
        self.say("")
        self._at(line, f"SCENARIO {data['title']}")

    def _expect(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        if data["finding"] == "rto":
            self.objective = (data["objective"], data["limit"])

    def _sentence(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self._now(line, data["text"])
        self._at(line, f"{data['keyword']} {data['text']}")

    def _waiting(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        if data["what"] != NAMED:
            limit = f", at most {data['within']:g} s" if "within" in data else ""
            self._at(line, f"    waits: {data['what']}{limit}")

    def _wait(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        if data["outcome"] != "reached":
            self._at(line, f"    NOT in {data['seconds']:.1f} s: {data['what']}")
        elif data["seconds"] >= LONG and data["what"] != NAMED:  # `alert.awaited` says that one
            self._at(line, f"    after {data['seconds']:.1f} s: {data['what']}")

    def _fault_intent(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self.intents.append(Order(line["mono"], data))
        disaster = disaster_of(self.intents)
        self.hurt = disaster.mono if disaster else None
        self.affected += data["affects"]
        self._at(line, f"  ! {data['fault']}: the undo is on disk, now it hurts")

    def _fault_effective(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self._at(line, f"  ! it {'took effect' if data['ok'] else 'did NOT take effect'}: {data['proof']}")

    def _detected(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        if self.before == "alert.awaited":  # that said it
            return
        self._at(line, f"    noticed by the {data['by']}: {data['seen']}")

    def _asked(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self._now(line, "waits for an answer")
        limit = in_words(timedelta(seconds=round(data["within"])))
        self._at(line, f"  ? the {data['role']} is asked: {data['question']}")
        self._at(line, f"    answer within {limit}: yes or no, here or by `drdrill decide`")

    def _decided(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self._now(line, "the decision is carried out")
        if data["attended"]:
            self._at(line, f"    {data['by']} decides for the {data['role']}: {data.get('answer', 'not recorded')}")
            return
        how = f"at once by the {data['by']}; decision time: not exercised"
        self._at(line, f"    the {data['role']} is asked: {data['question']} Decided {how}")

    def _message(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        if not data["acknowledge"]:  # who is called has a line once they answer
            self._at(line, f"    {data['what']} goes out to {data['whom']}")

    def _message_acknowledged(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        for_whom = "" if data["by"] == data["role"] else f" for the {data['role']}"
        self._at(line, f"    {data['by']} answers{for_whom} by {data['channel']}, after {data['after']:.1f} s")

    def _message_given_up(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self._at(line, f"    {data['role']} is NOT reached by {', '.join(data['channels'])}: {_short(data['why'])}")

    def _procedure(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        listed = [f"{number:2}. {step['name']}: {step['does']}" for number, step in enumerate(data["steps"], 1)]
        before = self.shown.setdefault("\n".join(listed), self.scenario)
        if before != self.scenario:
            self._at(line, f"    procedure {data['name']}: the {len(listed)} steps listed in “{before}”")
            return
        self._at(line, f"    procedure {data['name']}:")
        for step in listed:
            self.say(f"{'':14}{step}")

    def _step_begin(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self._now(line, data["name"])

    def _step_end(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        facts = [f"{name}: {_short(value)}" for name, value in data["facts"].items() if value not in ("", [], {})]
        short = "; ".join(fact for fact in facts if len(fact) <= ROOM)
        done = "done" if data["ok"] else "FAILED"
        self._at(line, f"    {done} {data['name']} ({data['seconds']:.1f} s)  {short}".rstrip())
        for fact in facts:
            if len(fact) > ROOM:
                self.say(f"{'':16}{fact}")

    def _salvaged(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self._at(line, f"    salvaged {data['rows']} transactions")

    def _health(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        checks = data["checks"]
        failed = [check for check in checks if not check["ok"]]
        for check in failed:
            words = (
                f"{check['name']}, {check['seconds']:.2f} s of {check['limit']:g} s: {_short(check.get('seen', ''))}"
            )
            self._at(line, f"    health FAILED: {words}")
        if checks and not failed:
            longest = max(checks, key=lambda check: float(check["seconds"] / check["limit"]))
            words = f"the slowest is {longest['name']}, {longest['seconds']:.2f} s of {longest['limit']:g} s"
            good = f"all {len(checks)} checks are good" if len(checks) > 1 else "the one check is good"
            self._at(line, f"    health: {good}; {words}")

    def _in_service(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self._now(line, "service settles")

    def _fault_held(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        if not data["ok"]:
            self._at(line, f"  ! {data['fault']} had ENDED by itself: {data['proof']}")

    def _fault_healed(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        if not data["ok"]:
            self._at(line, f"    NOT healed: {data['fault']}: {data['seen']}")
        elif data.get("by") == BY_SCENARIO:
            self._story(data, line)

    def _alert(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        """Once each: what names something that was hurt; of the others, which are symptoms, the first of each name."""
        if data["state"] != "firing":
            return
        right = names_any(data, self.affected)
        if right and self.told is None and self.hurt is not None and data["received"] >= self.hurt:
            self.told = data["received"]
        known = (data["name"], data["component"], data["zone"]) if right else (data["name"],)
        if known in self.alerts:
            return
        self.alerts.add(known)
        named = alert(data) if data["component"] or data["zone"] else data["name"]
        words = _short(f"{named}: {data['summary']}")
        self._at(line, f"    alert {words}")

    def _alerts_truncated(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self._at(line, f"    {WORDS['alerts.truncated'](data)}")

    def _alert_awaited(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        if not data["named"]:
            self._at(line, f"    NOBODY was told what was hurt, within {data['within']:g} s")
            return
        after = ""
        if self.told is not None and self.hurt is not None:
            after = f", {(self.told - self.hurt) / 1e9:.1f} s after the fault"
        self._at(line, f"    operations were told what was hurt{after}")

    def _survey(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        for check in data["checks"]:
            mark = "ok" if check["ok"] else "FAILED"
            self._at(line, f"    ask: {mark}: {check['name']}: {_short(check['seen'])}")

    def _disk_full(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        left = data["free"] / 1e6
        self._at(line, f"  ! THE DISK IS FULL, {left:.0f} MB are left: nothing can be said of this scenario")

    def _declared(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self._at(line, f"    LEFT OUT of the verdict: {_short(WORDS['declared'](data))}")

    def _not_exercised(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        if "capability" in data:  # the stack lacks it, and nothing of the scenario is done
            self._at(line, f"    NOT EXERCISED on this stack: {data['what']} (it takes {data['given_by']})")
            return
        self.left.append(f"{data['what']}: {data['why']}")
        self._at(line, f"    NOT EXERCISED {self.left[-1]}")

    def _story(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        """What the page says in the same words."""
        self._at(line, f"    {_short(words_of(line['kind'], data, self.names['history']))}")

    _endpoints = _rotation = _rejoined = _story
    _restore_asked = _restore_catalogue = _restore_part = _restore_reached = _restore_end = _story

    def _leadership(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        if self._changed("leadership", data["member"], data["history"]):
            self._story(data, line)

    def _release(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        first = "release" not in self.stands
        if self._changed("release", data["name"]) and not first:
            self._story(data, line)

    def _changed(self, what: str, *now: Any) -> bool:
        before, self.stands[what] = self.stands.get(what), now
        return before != now

    def _failed(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self._at(line, f"    {data['what']}: {data['error']}")

    def _stopped(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self.stop()
        self._at(line, f"STOPPED by {data['who']}: {data['why']}; healed")

    def _scenario_end(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self.hurt = None
        if data["error"] and data["outcome"] != NOT_EXERCISED:  # what is lacking has been said
            self._at(line, f"    {data['outcome']}: {data['error'].splitlines()[0]}")
        verdict = self._verdict(data["scenario"])
        said = ", ".join((short(verdict.outcome, self.left), *self.marks))
        self._at(line, f"{said}  {self.scenario}")
        for left in self.left:
            self._at(line, f"    not exercised: {_short(left)}")
        figures = [_figure(each) for each in first_of(verdict.findings) if each.figure is not None]
        if figures:
            self._at(line, f"    {'; '.join(figures)}")
        for finding in verdict.findings:
            if finding.outcome is not Outcome.MET and not finding.advisory and data["outcome"] != NOT_EXERCISED:
                self._at(line, f"    {finding.outcome}: {finding.title}")
        self._now(line, "the next scenario is prepared" if self.planned else "the stack is taken down")

    def _verdict(self, scenario: str) -> Verdict:
        """Whoever watches may come to this line when the run is just being sealed, and its folder gets another name."""
        found: list[Finding] = []
        for where in (self.folder, self.folder.with_name(self.folder.name.removesuffix(UNFINISHED))):
            with suppress(Refused):
                found = judge([one for one in evidence(where) if one.scenario == scenario][-1])
            if where.is_dir():
                break
        return Verdict.of(found)

    def _run_end(self, data: dict[str, Any], line: dict[str, Any]) -> None:
        self.stopping = False
        self._now(line, "the pack is sealed")


def _figure(finding: Finding) -> str:
    words = f"{name_of(finding)}: {figure_of(finding)}"
    return ", ".join(filter(None, (words, reach(finding.outcome, finding.beside))))


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.0f} s"


def _short(value: Any) -> str:
    text = " ".join(clean(plain(value)).split())
    return text if len(text) <= MOST else text[: MOST - 1] + "…"
