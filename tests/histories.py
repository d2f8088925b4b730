"""Histories made up for the tests of the checks: what a run would have left behind, with known wounds.

Times are seconds from the beginning of the scenario. `a_mistake` and `lost_volumes` are sound in every respect; a test
takes one of them and breaks it in one way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from harness.checks.evidence import Evidence, Line, Row
from harness.evidence.format1 import RECONCILIATION_RULES as RULES
from harness.workload.answers import Answer, asked_line, told_line, untold_line
from harness.workload.ledger import Header, Request, end_line, header_line, not_sent_line, sent_line

ZONES = ("a", "b", "c")
START = 7_000_000_000_000  # nanoseconds: the machine had been up for a while
EVERY = 0.1  # seconds between two requests of one zone
LATENCY = 0.01
INTENT, BIT, STOP, REACHED, VERIFIED, SERVING, VERIFY_END, LAST = 30.0, 30.02, 32.0, 40.0, 43.0, 45.0, 47.0, 60.0
CYCLE = 5.0  # seconds between two archived segments
NAME = "the-scenario"
ASKED = (
    ("rto", 60.0), ("rpo", 20.0), ("exactness", None), ("verified", None), ("in-service", None), ("health", None),
    ("consistency", None), ("redundancy", 60.0), ("early-stop", None),
)  # fmt: skip  # a table


def ns(moment: float) -> int:
    """Seconds of the scenario as nanoseconds of the monotonic clock."""
    return START + round(moment * 1_000_000) * 1000


def utc(moment: float) -> str:
    """The stamp of a moment of the scenario."""
    return (datetime(2026, 11, 23, 20, 55, tzinfo=UTC) + timedelta(seconds=moment)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def wal(moment: float) -> int:
    """The position of the database at a moment: it grows by a megabyte a second."""
    return round(moment * 1_000_000) + (1 << 32)


def place(position: int) -> str:
    """As the database writes it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:08X}"


@dataclass
class History:
    """Journal lines as (moment, kind, data), and requests and rows by zone. Whoever breaks it changes these."""

    lines: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    requests: dict[str, list[Request]] = field(default_factory=dict)
    rows: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    ready: dict[str, Any] = field(default_factory=dict)  # what the run said of its stack, before the scenario

    def say(self, at: float, kind: str, /, **data: Any) -> None:
        self.lines.append((at, kind, data))

    def expect(self, finding: str, limit: float | None = None, **more: Any) -> None:
        self.say(1.5, "expect", finding=finding, objective="", limit=limit, demands=["OBJ-5"], **more)

    def drop(self, *kinds: str, where: Callable[[dict[str, Any]], bool] = lambda data: True) -> None:
        """Leave lines out."""
        self.lines = [line for line in self.lines if line[1] not in kinds or not where(line[2])]

    def cut(self, moment: float) -> None:
        """Nothing happens after this moment."""
        self.lines = [line for line in self.lines if line[0] <= moment]
        for zone, requests in self.requests.items():
            kept = [request for request in requests if request.due <= ns(moment)]
            self.requests[zone] = [ended_by(request, ns(moment)) for request in kept]

    def only_first(self, zone: str, many: int) -> None:
        """The customers of a zone are idle after so many requests."""
        self.requests[zone] = self.requests[zone][:many]

    def lose(self, zone: str, number: int, moment: str = "final") -> None:
        """No row of that number."""
        self.rows[moment, zone] = [row for row in self.rows[moment, zone] if row.number != number]

    def journal(self) -> list[Line]:
        """In order of time. Where a line of a fault does not say when, it took effect between its intent and that line,
        and was healed between the last look at it and that line."""
        ordered = sorted(self.lines, key=lambda line: line[0])
        orders: list[tuple[Any, float]] = []
        looked: dict[int, float] = {}
        for at, kind, data in ordered:
            if kind == "fault.intent":
                orders.append((data.get("fault"), at))
                data.setdefault("injection", len(orders))
            elif kind.startswith("fault."):
                alike = [number for number, (fault, _) in enumerate(orders, 1) if fault == data.get("fault")]
                number = data.setdefault("injection", alike[-1] if alike else 0)
                if kind == "fault.still_active":
                    looked[number] = at
                    continue
                begun = looked.get(number, at) if kind == "fault.healed" else orders[alike[-1] - 1][1] if alike else at
                data.setdefault("earliest", ns(begun))
                data.setdefault("latest", ns(at))
        return [Line(seq, kind, ns(at), utc(at), data) for seq, (at, kind, data) in enumerate(ordered)]

    def evidence(self) -> Evidence:
        """As the checks are given it. Only zones with a ledger count, so empty lists mean idle customers."""
        return Evidence(
            scenario=NAME,
            lines=tuple(self.journal()),
            zones=tuple(sorted(self.requests)),
            moments=frozenset(self.rows),
            requests=lambda zone: iter(self.requests[zone]),
            rows=lambda moment, zone: iter(self.rows[moment, zone]),
            asking=tuple(sorted(self.answers)),
            answers=lambda group: iter(self.answers[group]),
            run=(Line(0, "stack.ready", ns(-1.0), utc(-1.0), self.ready),) if self.ready else (),
        )

    def write(self, folder: Path, **begin: Any) -> Path:
        """As a pack without a seal: journal, ledgers and rows. `begin`: what the first line says besides."""
        place = folder / "scenarios" / NAME
        place.mkdir(parents=True)
        files: list[tuple[str, dict[str, Any]]] = []
        for zone, requests in self.requests.items():
            path = place / f"ledger-{zone}.jsonl"
            path.write_text("".join(ledger_lines(zone, requests)))
            files.append(("ledger", {"file": str(path.relative_to(folder))}))
        for (moment, zone), rows in self.rows.items():
            path = place / f"rows-{moment}-{zone}.jsonl"
            path.write_text("".join([FIRST_OF_ROWS, *(row_line(row) for row in rows)]))
            files.append(("rows", {"file": str(path.relative_to(folder)), "moment": moment}))
        for group, told in self.answers.items():
            path = place / f"answers-{group}.jsonl"
            path.write_text("".join(answer_lines(group, told)))
            files.append(("answers", {"file": str(path.relative_to(folder))}))
        last = max(line[0] for line in self.lines)
        for kind, data in files:
            content = (folder / data["file"]).read_bytes()
            data |= {"sha256": hashlib.sha256(content).hexdigest(), "lines": content.count(b"\n")}
            self.say(last, kind, **data)
        if self.ready:
            self.say(-0.5, "stack.ready", **self.ready)
        self.say(-1.0, "run.begin", run="a-run", scenarios=[NAME], **begin)
        self.say(last + 1, "run.end", outcome="completed", by="harness")
        with (folder / "journal.jsonl").open("w") as out:
            for line in self.journal():
                fact = {"v": 2, "seq": line.seq, "prev": "0" * 64, "salt": "00", "utc": line.utc, "mono": line.mono,
                        "kind": line.kind, "data": line.data}  # fmt: skip  # a table
                out.write(json.dumps(fact, separators=(",", ":")) + "\n")
        return folder


def groups(names: Iterable[str], *, inside: Iterable[str] = ()) -> list[dict[str, Any]]:
    """As `workload.begin` lists them."""
    return [{"group": name, "inside": name in inside, "file": f"ledger-{name}.jsonl"} for name in names]


def ended_by(request: Request, moment: int) -> Request:
    """The request as it stood when its customer was killed at `moment`."""
    if request.ended is None or request.ended <= moment:
        return request
    return request._replace(outcome="in_doubt", ended=None, why="killed")


def ledger_lines(zone: str, requests: Iterable[Request]) -> list[str]:
    """The ledger of a zone, its events in the order in which they happened."""
    events: list[tuple[int, int, str]] = []
    for request in requests:
        n, due = request.number, request.due
        if request.sent is None:
            events.append((request.ended or due, n, not_sent_line(n, due=due, t=request.ended or due, why=request.why)))
            continue
        line = sent_line(n, due=due, t=request.sent, payload=str(request.payload), amount=request.amount)
        events.append((request.sent, n, line))
        if request.ended is not None:
            end = end_line(
                n, request.outcome, t=request.ended, why=request.why, history=request.history, server=request.server
            )
            events.append((request.ended, n, end))
    header = Header(origin=f"a-run/{NAME}", group=zone, rate=1 / EVERY, timeout=5.0)
    return [header_line(header), *(line for _, _, line in _by_number(events))]


def answer_lines(group: str, told: Iterable[Answer]) -> list[str]:
    """The record of a group, its events in the order in which they happened; numbers are given anew."""
    events: list[tuple[int, int, str]] = []
    for n, each in enumerate(sorted(told, key=lambda each: each.due), 1):
        if each.asked is None:
            events.append((each.due, n, not_sent_line(n, due=each.due, t=each.due, why=each.why)))
            continue
        line = asked_line(n, due=each.due, t=each.asked, about=each.about, knows=each.knows)
        events.append((each.asked, n, line))
        if each.ended is not None and each.told is not None:
            events.append((each.ended, n, told_line(n, t=each.ended, told=each.told)))
        elif each.ended is not None:
            how = "refused" if each.outcome == "refused" else "no_answer"
            events.append((each.ended, n, untold_line(n, how, t=each.ended, why=each.why)))
    header = Header(origin=f"a-run/{NAME}", group=group, rate=1 / EVERY, timeout=5.0)
    return [header_line(header), *(line for _, _, line in _by_number(events))]


def _by_number(events: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """In order of time; a request is sent, or found not to be sendable, in order of number."""
    return sorted(events, key=lambda event: (event[0], event[1]))


FIRST_OF_ROWS = '{"v":2}\n'


def row_line(row: Row) -> str:
    fact = {"n": row.number, "payload": row.payload, "amount": str(row.amount)}
    return json.dumps(fact, separators=(",", ":")) + "\n"


def payment(number: int, amount: Decimal) -> str:
    """What a request says, as canonical JSON."""
    return f'{{"amount":"{amount}","from":{number % 50},"to":{number % 50 + 1}}}'


def request(
    number: int, due: float, outcome: str = "acknowledged", *, took: float = LATENCY, timeline: int | None = None,
    server: str = "",
) -> Request:  # fmt: skip  # parameters in groups
    """One request, sent when it was due."""
    at = ns(due)
    if outcome == "not_sent":
        return Request(number, at, None, at, "not_sent", None, None, "clients full")
    amount = Decimal(number % 977) / 100 + 1
    end = at + round(took * 1_000_000_000)
    timeline = timeline if outcome == "acknowledged" else None
    server = server if outcome == "acknowledged" else ""
    return Request(number, at, at, end, outcome, payment(number, amount), amount, "", timeline, server)


def row_of(request: Request) -> Row:
    return Row(request.number, request.payload, request.amount)


def a_mistake() -> History:
    """An operator's mistake, well recovered from: customers wrote on until the stop, and that was salvaged."""
    history = _customers(until=STOP)
    history.say(INTENT, "fault.intent", fault="destroy", settings={}, undo={}, harms_data=True, logical=True)
    history.say(38.0, "recovery.ordered", kind="xid", value="812", position=None, mono=ns(INTENT + 0.005),
                inclusive=False, why="found", declared_early=False)  # fmt: skip  # arguments in groups
    history.say(44.0, "salvaged", rows=_late(history), amount="1.00")
    history.say(
        REACHED,
        "recovery.reached",
        at=place(wal(INTENT)),
        position=wal(INTENT),
        history=2,
        backup="1",
        bytes=1,
        declared_early=False,
    )
    history.expect("salvage")
    for zone in ZONES:
        acknowledged = [each for each in history.requests[zone] if each.outcome == "acknowledged"]
        history.rows["recovered", zone] = [row_of(each) for each in acknowledged if (each.ended or 0) <= ns(INTENT)]
        history.rows["final", zone] = [row_of(each) for each in acknowledged]
    return history


def lost_volumes() -> History:
    """All volumes lost, well recovered from: what had not been archived is gone, and that is little enough."""
    history = _customers(until=INTENT)
    history.say(INTENT, "fault.intent", fault="lose", settings={}, undo={}, harms_data=True, logical=False)
    history.say(38.0, "recovery.ordered", kind="end of archive", value="", position=None, mono=None,
                inclusive=True, why="all", declared_early=False)  # fmt: skip  # arguments in groups
    history.say(
        REACHED,
        "recovery.reached",
        at=place(wal(25.2)),
        position=wal(25.2),
        history=2,
        backup="1",
        bytes=1,
        declared_early=False,
    )
    for zone in ZONES:
        acknowledged = [each for each in history.requests[zone] if each.outcome == "acknowledged"]
        history.rows["recovered", zone] = [row_of(each) for each in acknowledged if (each.ended or 0) <= ns(25.2)]
        after = [row_of(each) for each in acknowledged if (each.ended or 0) >= ns(SERVING)]
        history.rows["final", zone] = history.rows["recovered", zone] + after
    return history


def _late(history: History) -> int:
    late = range(ns(INTENT) + 1, ns(REACHED))
    return sum(
        each.outcome == "acknowledged" and each.ended in late for zone in ZONES for each in history.requests[zone]
    )


@cache
def _requests(zone: str, until: float) -> tuple[Request, ...]:
    """Those of a zone, which are refused from `until` on; made once, for nobody can change one."""
    made = []
    for number in range(1, round((LAST - 2) / EVERY) + 1):
        due = 2 + ZONES.index(zone) * EVERY / 3 + (number - 1) * EVERY
        outcome = "acknowledged" if due + LATENCY < until or due >= SERVING else "failed"
        made.append(request(number, due, outcome))
    return tuple(made)


def _customers(*, until: float) -> History:
    """Everything but what tells the two disasters apart; customers are refused from `until` on."""
    history = History(requests={zone: list(_requests(zone, until)) for zone in ZONES})
    history.say(0, "scenario.begin", scenario=NAME, title="A disaster", tags=[], feature="f", settling=5.0)
    good = [{"name": "serves", "ok": True, "seen": "200"}, {"name": "archives", "ok": True, "seen": "12"}]
    history.say(1, "steady", ok=True, conditions=good, moment="before")
    for finding, limit in ASKED:
        history.expect(finding, limit)
    history.say(1.9, "workload.begin", origin=f"a-run/{NAME}", rate=len(ZONES) / EVERY, groups=groups(ZONES))
    history.say(2, "reconciliation.rules", rules=RULES)
    history.say(2, "reconciliation", moment="before", values=books())
    history.say(BIT, "fault.effective", fault="destroy" if until > INTENT else "lose", ok=True, proof="all gone")
    for span, begin, end in (("detect", 30.5, 31.5), ("decide", 31.5, 31.6), ("recover", 31.7, 45.1),
                             ("verify", 45.1, VERIFY_END)):  # fmt: skip  # a list
        history.say(begin, "span.begin", span=span)
        history.say(end, "span.end", span=span)
    history.say(31.5, "detected", by="the checks", seen="rows are gone", gap=0.5)
    history.say(31.6, "decided", question="restore?", role="commander", by="stand-in", attended=False)
    steps = [
        {"phase": "restore", "name": "restore-the-backup", "does": "…"},
        {"phase": "serve", "name": "put-in-service", "does": "…"},
    ]
    history.say(31.8, "procedure", name="restore", steps=steps)
    for step, ended in zip(steps, (39.5, SERVING), strict=True):
        history.say(ended, "step.end", phase=step["phase"], name=step["name"], ok=True, seconds=1.0, facts={})
    history.say(VERIFIED, "verified", ok=True, checks=[{"name": "books", "ok": True, "seen": "as before"}])
    history.say(SERVING, "in_service", member="db-a", how="adopted")
    health = [{"name": "/health", "ok": True, "seconds": 0.2, "limit": 30.0, "seen": "200"}]
    history.say(46.5, "health", ok=True, checks=health)
    for tick in range(2 * 2, round(LAST) * 2):
        moment = tick / 2
        if moment <= INTENT or moment > SERVING:
            archived = wal(max(0.0, moment // CYCLE * CYCLE - (0 if moment % CYCLE else CYCLE)) + 0.3)
            history.say(moment, "exposure.sample", position=wal(moment), safe=archived, asked=ns(moment - 0.01))
    history.say(57, "fault.healed", fault="destroy" if until > INTENT else "lose", ok=True, by="harness", seen="")
    history.say(58, "steady", ok=True, conditions=good, moment="after")
    history.say(59, "reconciliation", moment="after", values=books())
    history.say(LAST + 1, "scenario.end", outcome="completed", error="")
    return history


def books() -> dict[str, Any]:
    """The books of a sound platform."""
    return {
        "history.count": 200000,
        "history.sum": "1234567.89",
        "history.latest": "2026-11-23T20:55:01Z",
        "history.digest": "abc",
        "invariant.broken_accounts": 0,
        "balances.sum": "5000.00",
        "sequences": {"transactions_id_seq": 200100},
        "the greatest id in use": {"transactions_id_seq": 200090},
        "extensions": ["amcheck", "plpgsql"],
        "roles": ["app", "operator"],
        "tables": {"accounts": {"inserts": 3}, "financial_transactions": {"inserts": 7}},
    }
