"""The disaster recovery plan as data. Everything that a drill is measured against is read from here.

`load` either returns a whole plan or raises one `Refused` that names every problem with file, line and field.
It knows the form of a plan, and nothing of whose plan it is.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from harness.errors import Refused
from harness.plan import shape as plan_shape
from harness.plan import text as plan_text
from harness.plan.lengths import length_of_time, percentage
from harness.plan.sizes import size_of_data
from harness.system.lookalikes import unseen

T = TypeVar("T")
MAIN = "main"  # the stream of a plan that declares none
LEAST = "staging"  # the class of environment that counts for an entry of the calendar that names none


@dataclass(frozen=True)
class Objective:
    """What the plan promises for one tier. None where it promises nothing."""

    name: str  # "critical financial data"
    title: str
    rto: timedelta
    rpo: timedelta
    mtd: timedelta | None
    availability: Decimal | None  # percent
    downtime_a_year: timedelta | None
    durability: Decimal | None  # percent
    backup_every: timedelta | None
    demands: Mapping[str, str]  # "rto" to the id of the demand that asks for it


@dataclass(frozen=True)
class Category:
    """A kind of disaster, and how fast the plan answers it."""

    name: str
    title: str
    scope: str
    at_once: tuple[str, ...]  # what the plan wants immediately, with no figure
    limits: Mapping[str, timedelta]  # "detection", "response", "recovery", …
    demands: tuple[str, ...]


@dataclass(frozen=True)
class Duty:
    """One entry of the calendar."""

    drill: str  # "database-backup-restoration"
    title: str
    cadence: str  # monthly, quarterly, annual
    demand: str
    day: tuple[str, str] | None  # ("first", "Monday") of the month
    months: tuple[int, ...]  # 1 is January; empty: every month, or any month of the year
    together_with: tuple[str, ...]
    not_built: str  # why there is no such drill; empty where there is one
    ours: str = ""  # why it is there although the document names no such drill; empty where it does
    at_least: str = LEAST  # the class of environment that does this duty, and each that is nearer to customers
    restored_at_least: int = 0  # bytes that one of its scenarios has to restore; 0: it need not restore any

    @property
    def feature(self) -> str:
        """Where its feature is, under the folder of features: `monthly/database_backup_restoration.feature`."""
        return f"{self.cadence}/{self.drill.replace('-', '_')}.feature"


@dataclass(frozen=True)
class Procedure:
    """What an engineer needs to know to follow a procedure of the plan."""

    name: str
    demands: tuple[str, ...]
    settings: Mapping[str, str]


@dataclass(frozen=True)
class PlannedCheck:
    """One look of the health verification: either a request (`method`, `url`, `body`) or a `query`."""

    name: str
    demand: str
    within: timedelta
    method: str
    url: str
    body: str
    query: str


@dataclass(frozen=True)
class PlannedFinding:
    """What the plan says of a finding that no tier has a figure for."""

    demands: tuple[str, ...] = ()  # those that it answers
    category: str = ""  # of disaster, whose limit it has to keep; empty where it has none
    limit: str = ""  # which of them: "detection", "confirmation", …


@dataclass(frozen=True)
class Channel:
    """One way to people, as the plan orders them."""

    use: str  # primary, secondary, emergency
    name: str
    by: str = ""  # slack, teams, e-mail, pager, bridge or status page; empty in plans of format 1
    next_after: timedelta | None = None  # when the next one is used, too; None in plans of format 1


@dataclass(frozen=True)
class Lasting:
    """Who is told of a failure that lasts longer than a limit of its category."""

    limit: str  # by its name: "confirmation"
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Communication:
    """Who is told, by what, and when. Addresses are elsewhere: whose they are is nobody's business who reads a plan."""

    update_every: timedelta
    report_within: timedelta
    acknowledge_within: timedelta | None  # before the deputy is called; None in plans of format 1
    roles: tuple[str, ...]  # in the order of calling
    channels: tuple[Channel, ...]  # to a person, in the order in which they are tried
    groups: Mapping[str, tuple[str, ...]]  # audiences such as customers, each told by all of these
    templates: Mapping[str, str]  # "initial" to a file's name in the project's folder of templates
    lasting: Mapping[str, Lasting]  # by category of failure
    assumed: frozenset[str]  # which of these fields the document has no word of: what is there is ours


@dataclass(frozen=True)
class Demand:
    """One thing the plan demands. Its id stays for good and is the tag of the scenarios that exercise it."""

    id: str
    says: str
    not_exercised: str  # why no scenario has its tag; empty where one has to


@dataclass(frozen=True)
class Plan:
    """The whole plan. `digest` is the SHA-256 of the file's bytes."""

    path: Path
    digest: str
    name: str
    version: str
    last_updated: date  # the first day of it, where the plan gives a month
    next_review: date  # the last day of it, where the plan gives a month
    owner: str
    approved_by: tuple[str, ...]
    time_zone: ZoneInfo
    objectives: Mapping[str, Objective]
    categories: Mapping[str, Category]
    calendar: tuple[Duty, ...]
    procedures: Mapping[str, Procedure]
    health: tuple[PlannedCheck, ...]
    communication: Communication
    demands: Mapping[str, Demand]
    streams: Mapping[str, str]  # series of runs, each with numbers of its own, and what each is
    findings: Mapping[str, PlannedFinding] = field(default_factory=dict)  # by their ids
    id: str = ""  # what this plan is called for good, in the calendars of people; empty where it does not say

    def objective(self, tier: str) -> Objective:
        """The objectives of a tier. Errors: `Refused` when the plan has no such tier."""
        return self._named("tier", tier, self.objectives)

    def category(self, name: str) -> Category:
        """Errors: `Refused` when the plan has no such category."""
        return self._named("category", name, self.categories)

    def procedure(self, name: str) -> Procedure:
        """Errors: `Refused` when the plan has no such procedure."""
        return self._named("procedure", name, self.procedures)

    def demand(self, id: str) -> Demand:
        """Errors: `Refused` when the plan has no such demand."""
        return self._named("demand", id, self.demands)

    def finding(self, id: str) -> PlannedFinding:
        """What the plan says of a finding; nothing, where it does not name it."""
        return self.findings.get(id, PlannedFinding())

    def time_for(self, finding: str) -> timedelta:
        """The time that the plan gives a finding. Errors: `Refused` where it gives none."""
        said = self.finding(finding)
        if not said.limit:
            raise Refused(
                f"{self.path}: the plan gives no time for {finding}",
                hint=f'say it under "findings": {finding}: {{category: …, limit: …}}; docs/write-a-drill.md',
            )
        return self.category(said.category).limits[said.limit]

    def drill(self, name: str) -> Duty:
        """The entry of the calendar. Errors: `Refused` when no drill has that name."""
        return self._named("drill", name, {duty.drill: duty for duty in self.calendar})

    def stream(self, name: str = "") -> str:
        """The stream of that name; without one `main`, or the only one. Errors: `Refused` where there is none."""
        if not name and MAIN not in self.streams and len(self.streams) > 1:
            hint = f"name one with --stream: {', '.join(self.streams)}"
            raise Refused(f"{self.path}: the plan has several streams, and none is called {MAIN}", hint=hint)
        wanted = name or (MAIN if MAIN in self.streams else next(iter(self.streams)))
        self._named("stream", wanted, self.streams)
        return wanted

    def cadence(self, name: str) -> tuple[Duty, ...]:
        """The duties that are monthly, quarterly or annual, in the plan's order."""
        return tuple(duty for duty in self.calendar if duty.cadence == name)

    def _named(self, kind: str, name: str, among: Mapping[str, T]) -> T:
        if name in among:
            return among[name]
        near = difflib.get_close_matches(name, among, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"it has: {', '.join(among)}"
        if near and (odd := unseen(near[0]) or unseen(name)):
            hint += f" There is {odd}"
        raise Refused(f'{self.path}: the plan has no {kind} "{name}"', hint=hint)


def load(path: Path, *, features: Path | None = None) -> Plan:
    """Read the plan; with `features`, each drill of its calendar has its feature there, or says why it has none.

    Errors: `Refused`, with every problem of the file in one message.
    """
    found = _examined(path, plan_text.content_of(path))
    text = replace(found, problems=[*found.problems])
    if features is not None and not text.problems:
        _must_be_built(text, features)
    if text.problems:
        raise plan_text.refuse(path, text.problems)
    return _plan(text)


@lru_cache(maxsize=8)
def _examined(path: Path, content: bytes) -> plan_text.Text:
    """What is written, and what is wrong with it. A command asks for its plan dozens of times; the same bytes are read
    once, and nobody changes what is found. Errors: `Refused`.
    """
    text = plan_text.parse(path, content)
    plan_shape.examine(text)
    return text


def _must_be_built(text: plan_text.Text, features: Path) -> None:
    names = [path.stem.replace("_", "-") for path in sorted(features.glob("*/*.feature"))]
    for cadence, duties in text.values["calendar"].items():
        for at, given in enumerate(duties):
            duty = _duty(cadence, given)
            built = (features / duty.feature).is_file()
            if duty.not_built and built:
                text.problem(
                    ("calendar", cadence, at, "not_built"),
                    f"{duty.drill} is said not to be built, and there is {features.name}/{duty.feature}",
                    hint="take not_built away; what is not to be drilled yet is waived in waivers.yaml",
                )
            if duty.not_built or built:
                continue
            near = difflib.get_close_matches(duty.drill, [name for name in names if name != duty.drill], n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            text.problem(
                ("calendar", cadence, at, "drill"),
                f"there is no {features.name}/{duty.feature}, and no not_built{meant}",
                hint="correct the name, write the feature, or say under not_built why there is none",
            )


def _plan(text: plan_text.Text) -> Plan:
    written: dict[str, Any] = text.values
    document = written["document"]
    reasons = {demand: group["why"] for group in written.get("not_exercised", []) for demand in group["demands"]}
    return Plan(
        path=text.path,
        digest=text.digest,
        name=document["name"],
        id=document.get("id", ""),
        version=document["version"],
        last_updated=plan_shape.first_day(document["last_updated"]),
        next_review=plan_shape.last_day(document["next_review"]),
        owner=document["owner"],
        approved_by=tuple(document["approved_by"]),
        time_zone=ZoneInfo(written["time_zone"]),
        streams=written.get("streams", {MAIN: "all runs"}),
        objectives={name: _objective(name, given) for name, given in written["objectives"].items()},
        categories={name: _category(name, given) for name, given in written["categories"].items()},
        calendar=tuple(_duty(cadence, given) for cadence, duties in written["calendar"].items() for given in duties),
        procedures={
            name: Procedure(name=name, demands=tuple(given["demands"]), settings=given["settings"])
            for name, given in written["procedures"].items()
        },
        health=tuple(_health(given) for given in written.get("health", ())),
        communication=_communication(written["communication"]),
        demands={
            id: Demand(id=id, says=says, not_exercised=reasons.get(id, "")) for id, says in written["demands"].items()
        },
        findings={
            id: PlannedFinding(tuple(said.get("demands", ())), said.get("category", ""), said.get("limit", ""))
            for id, said in written.get("findings", {}).items()
        },
    )


def _objective(name: str, given: Mapping[str, Any]) -> Objective:
    lengths = _each(length_of_time, given, ("rto", "rpo", "mtd", "downtime_a_year", "backup_every"))
    shares = _each(percentage, given, ("availability", "durability"))
    return Objective(name=name, title=given["title"], demands=given["demands"], **lengths, **shares)


def _each(read: Any, given: Mapping[str, str], names: Iterable[str]) -> dict[str, Any]:
    return {name: read(given[name]) if name in given else None for name in names}


def _category(name: str, given: Mapping[str, Any]) -> Category:
    return Category(
        name=name,
        title=given["title"],
        scope=given["scope"],
        at_once=tuple(given.get("at_once", ())),
        limits={what: length_of_time(limit) for what, limit in given["limits"].items()},
        demands=tuple(given["demands"]),
    )


def _duty(cadence: str, given: Mapping[str, Any]) -> Duty:
    return Duty(
        drill=given["drill"],
        title=given["title"],
        cadence=cadence,
        demand=given["demand"],
        day=plan_shape.weekday_of_month(given["when"]) if "when" in given else None,
        months=tuple(plan_shape.month(name) for name in given.get("months", ())),
        together_with=tuple(given.get("with", ())),
        not_built=given.get("not_built", ""),
        ours=given.get("ours", ""),
        at_least=given.get("at_least", LEAST),
        restored_at_least=size_of_data(given["restored_at_least"]) if "restored_at_least" in given else 0,
    )


def _health(given: Mapping[str, Any]) -> PlannedCheck:
    method, url = plan_shape.request(given["request"]) if "request" in given else ("", "")
    return PlannedCheck(
        name=given["name"],
        demand=given["demand"],
        within=length_of_time(given["within"]),
        method=method,
        url=url,
        body=given.get("body", ""),
        query=given.get("query", ""),
    )


def _communication(given: Mapping[str, Any]) -> Communication:
    """Of format 1, only what it says of roles and channels: its contacts and texts are used by nobody any more."""
    within = given.get("acknowledge_within")
    return Communication(
        update_every=length_of_time(given["update_every"]),
        report_within=length_of_time(given["report_within"]),
        acknowledge_within=length_of_time(within) if within else None,
        roles=tuple(given["roles"] if "roles" in given else (contact["role"] for contact in given["contacts"])),
        channels=tuple(_channel(each) for each in given["channels"]),
        groups={name: tuple(by) for name, by in given.get("groups", {}).items()},
        templates={kind: file for kind, file in given["templates"].items() if isinstance(file, str)},
        lasting={
            name: Lasting(each["limit"], tuple(each["groups"])) for name, each in given.get("lasting", {}).items()
        },
        assumed=frozenset(given.get("assumed", ())),
    )


def _channel(given: Mapping[str, str]) -> Channel:
    after = given.get("next_after")
    return Channel(given["use"], given["name"], given.get("by", ""), length_of_time(after) if after else None)
