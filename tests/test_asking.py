"""Customers who ask for what they know, against a platform that lies: each answer is what the service has said."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest

from harness.checks.evidence import Line
from harness.errors import DrillError, Refused
from harness.evidence.journal import Journal
from harness.safety.heal import _digest_ledgers
from harness.stacks.parts.tls import make_authority
from harness.system import clock
from harness.system.command import end_labelled
from harness.workload import answers
from harness.workload.client import ClientModule
from harness.workload.ledger import Header, header_line
from harness.workload.readers import Readers
from tests.small_service import SmallService
from tests.test_workload import Trial

pytestmark = pytest.mark.xdist_group("timed")
NAME = "api.quantumnest.com"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[SmallService]:
    authority = make_authority(tmp_path)
    small = SmallService(*authority.issue("api", [NAME]))
    yield small
    small.close()


@pytest.fixture
def trial(tmp_path: Path, service: SmallService) -> Iterator[Trial]:
    one = Trial(tmp_path, service, tmp_path / "ca.pem", rate=60.0)
    yield one
    end_labelled(one.label)


def readers_of(trial: Trial, *, rate: float = 100.0, client: ClientModule | None = None) -> Readers:
    workload = trial.workload
    return Readers(
        workload.place, workload.recorder, workload.commands, workload.folder, client=client or workload.client,
        origin=workload.origin, knows=list(workload.files.values()), rate=rate, logs=workload.logs,
    )  # fmt: skip  # arguments in groups


def eventually(condition: Callable[[], object], *, within: float = 10) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def read(readers: Readers) -> list[answers.Answer]:
    return list(answers.answers(readers.file.read_text().splitlines(keepends=True)))


def test_what_is_asked_is_known_and_what_is_told_is_compared(trial: Trial, service: SmallService) -> None:
    """Accounts and acknowledged transactions of any group; all is right, until the service lies about some."""
    trial.workload.begin()
    readers = readers_of(trial)
    readers.begin()
    eventually(lambda: sum("/transactions/" in path for path in service.asked) > 30)
    before = clock.mono()
    assert readers.complaint(after=0) == ""
    for each in range(1, 10_001):
        service.lies[f"/accounts/{each}"] = (404, '{"found": false}') if each % 2 else (503, "no healthy upstream")
    eventually(lambda: {"wrong", "refused"} <= {each.outcome for each in read(readers)})
    assert readers.complaint(after=before) and not readers.complaint(after=clock.mono())
    for (origin, number), body in list(service.kept.items()):
        service.lies[f"/transactions/{origin}/{number}"] = (200, json.dumps({**body, "amount": "0.99"}))
    eventually(lambda: any(each.outcome == "wrong" and "transaction" in each.about for each in read(readers)))
    totals = readers.end()
    assert readers.end().due == 0  # harmless when repeated
    trial.workload.end()

    told = read(readers)
    assert totals == answers.count(told) and totals.right > 30 and totals.wrong and totals.refused
    assert {each.outcome for each in told if (each.ended or 0) < before} == {"right"}
    accounts = [each for each in told if "account" in each.about and each.outcome != "right"]
    assert {each.told for each in accounts if each.outcome == "wrong"} == {'{"found":false}'}
    assert {each.why for each in accounts if each.outcome == "refused"} == {"503: no healthy upstream"}
    changed = next(each for each in told if each.outcome == "wrong" and "transaction" in each.about)
    assert '"amount":"0.99"' in str(changed.told) and changed.knows != changed.told
    (recorded,) = trial.recorded("answers")
    assert recorded["file"] == "scenarios/s/answers-readers.jsonl"
    (begun,) = trial.recorded("readers.begin")
    assert begun["groups"] == [{"group": "readers", "rate": 100.0, "file": recorded["file"]}]
    assert [entry["wrong"] for entry in trial.recorded("readers.end")] == [totals.wrong]


def test_a_question_without_an_answer_is_neither_right_nor_wrong(trial: Trial, service: SmallService) -> None:
    """Due times go on while nobody listens; nothing is asked twice."""
    trial.workload.begin()
    readers = readers_of(trial)
    readers.begin()
    gone = service.gone()
    time.sleep(0.4)
    back = service.back()
    eventually(lambda: any(each.outcome == "right" and (each.asked or 0) > back for each in read(readers)))
    readers.end()
    trial.workload.end()
    during = [each for each in read(readers) if gone + 20_000_000 < each.due < back - 20_000_000]
    assert len(during) > 20 and {each.outcome for each in during} == {"no_answer"}
    assert all(each.why.startswith("never left: ") for each in during)
    dues = [each.due for each in sorted(read(readers))]
    assert all(abs(later - due - 10_000_000) < 1000 for due, later in pairwise(dues))


def test_customers_who_never_come_leave_a_record_in_which_nothing_was_due(trial: Trial) -> None:
    """So that a check can tell them from a record that is missing."""
    readers = readers_of(trial, rate=0.0)
    readers.begin()
    assert readers.end().due == 0 and read(readers) == []
    assert len(trial.recorded("answers")) == 1


def test_a_client_that_asks_nothing_is_refused_before_anything_starts(trial: Trial, tmp_path: Path) -> None:
    """With what it lacks."""
    (tmp_path / "asks_nothing.py").write_text("CLIENT = object()\n")
    mute = ClientModule(tmp_path, "asks_nothing")
    with pytest.raises(Refused, match="its CLIENT asks nothing") as error:
        readers_of(trial, client=mute).begin()
    assert re.search("question", error.value.hint)


def test_readers_that_die_are_told_and_their_totals_hold(trial: Trial) -> None:
    """As of those who write."""
    trial.workload.begin()
    readers = readers_of(trial)
    readers.begin()
    assert readers._process is not None
    readers._process.send(9)
    eventually(lambda: not readers._running())
    with pytest.raises(DrillError, match="customers readers ended before they were told to"):
        readers.end()
    assert len(trial.recorded("readers.end")) == 1
    trial.workload.end()


class Left:
    """The journal of a run that was killed."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = kinds
        self.recorded: list[str] = []

    def lines(self) -> list[Line]:
        return [Line(at, kind, at, "", {"scenario": "s"}) for at, kind in enumerate(self.kinds)]

    def record(self, kind: str, **data: object) -> None:
        self.recorded.append(kind)


@pytest.mark.parametrize(
    ("kinds", "digested"),
    [
        (("scenario.begin",), ["answers", "readers.end", "ledger", "workload.end"]),
        (("scenario.begin", "readers.end"), ["ledger", "workload.end"]),
        (("scenario.begin", "readers.end", "workload.end"), []),
        (("scenario.begin", "workload.end", "readers.end", "scenario.begin"),
         ["answers", "readers.end", "ledger", "workload.end"]),
        ((), []),
    ],
)  # fmt: skip  # a table
def test_what_killed_customers_wrote_down_is_digested_by_whoever_heals(
    tmp_path: Path, kinds: tuple[str, ...], digested: list[str]
) -> None:
    """Once each: what the scenario itself has digested is not digested again."""
    left = tmp_path / "scenarios" / "s"
    left.mkdir(parents=True)
    for name in ("ledger-outside", "answers-readers"):
        (left / f"{name}.jsonl").write_text(header_line(Header("r/s", "g", 1.0, 5.0)))
    journal = Left(*kinds)
    _digest_ledgers(tmp_path, cast(Journal, journal))
    assert journal.recorded == digested
