"""Conditions on which a run heals at once are asked from outside, every second; what nobody can answer ends it, too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.errors import NotReady, Refused
from harness.evidence.run_folder import CONTROL
from harness.safety import stopping
from harness.safety.owner import asking, conditions, standpoint, told, windows
from harness.safety.owner.asking import Asking
from harness.safety.owner.control import BEGUN, CHANGES, STATE
from harness.stacks.attached.asking import Seen
from harness.stacks.attached.file.described import StackFile
from harness.stacks.attached.file.read import load
from harness.system import clock, control_files, wait
from harness.system.http import NoAnswer, Response
from harness.system.recorder import Memory
from tests.stack_files import written

ABORT = ("safety", "abort when")
SOON, OFTEN = timedelta(seconds=20), timedelta(milliseconds=20)
ERRORS = {"prometheus": "rate(errors[1m])", "at": "http://prom:9090", "above": "50"}


def said(folder: Path, *changes: Any) -> StackFile:
    return load(written(folder, *changes))


@dataclass
class Answers:
    """Fills `Http`: what it is told to say, or nothing."""

    status: int = 200
    body: str = ""
    silent: bool = False
    asked: list[str] = field(default_factory=list)

    def ask(self, method: str, url: str, **_: object) -> Response:
        self.asked.append(f"{method} {url}")
        if self.silent:
            raise NoAnswer("refused", taken=False)
        return Response(self.status, self.body.encode())


def vector(*values: float) -> str:
    return json.dumps({"data": {"resultType": "vector", "result": [{"value": [1, str(each)]} for each in values]}})


def one(folder: Path, condition: dict[str, str], *, http: Any = None, probed: Any = None) -> conditions.Asked:
    """The only condition of a file."""
    found = said(folder, (ABORT, [condition]))
    (asked,) = conditions.all_of(found, {}, probed or (lambda *_: Seen(True, "fine")), http=http or Answers())
    return asked


@pytest.mark.parametrize(
    ("condition", "body", "state"),
    [
        (ERRORS, vector(1, 49), "clear"),
        (ERRORS, vector(1, 51), "true"),
        (ERRORS, vector(), "not answered"),
        (ERRORS, vector(float("nan")), "not answered"),
        (ERRORS, "<html>", "not answered"),
        ({**ERRORS, "above": None, "below": "2"}, vector(3), "clear"),
        ({**ERRORS, "above": None, "below": "2"}, vector(3, 1), "true"),
        ({**ERRORS, "above": None}, vector(), "clear"),
        ({**ERRORS, "above": None}, vector(0), "true"),
        ({**ERRORS, "above": None}, json.dumps({"data": {"resultType": "scalar", "result": [1, "0"]}}), "clear"),
        ({"url": "https://ops/veto", "says": "^stop"}, "go on", "clear"),
        ({"url": "https://ops/veto", "says": "^stop"}, "stop, says Mira", "true"),
    ],
)
def test_a_query_and_a_url_are_read(tmp_path: Path, condition: dict[str, Any], body: str, state: str) -> None:
    """A query as a rule of alerts, a bound against each value; an answer that is none says nothing."""
    asked = one(tmp_path, {key: value for key, value in condition.items() if value}, http=Answers(body=body))
    asked.once()
    assert asked.state == state and bool(asked.ends) == (state == "true")


def test_an_error_of_the_monitoring_is_no_answer(tmp_path: Path) -> None:
    """Three of them running end the run; one answer between begins anew."""
    http = Answers(status=503, body="later")
    asked = one(tmp_path, ERRORS, http=http)
    for _ in range(2):
        asked.once()
    assert asked.state == "not answered" and not asked.ends
    http.status, http.body = 200, vector(1)
    asked.once()
    assert asked.state == "clear"
    http.silent = True
    for _ in range(3):
        asked.once()
    assert "was not answered 3 times running: refused" in asked.ends and "paydesk.yaml:" in asked.ends


def test_a_file_that_is_there_is_a_veto(tmp_path: Path) -> None:
    """Its first line is the reason; a folder that is gone says nothing, and is no good sign."""
    (tmp_path / "vetoes").mkdir()
    asked = one(tmp_path, {"file": "./vetoes/STOP"})
    asked.once()
    assert asked.state == "clear"
    (tmp_path / "vetoes" / "STOP").write_text("quarter's end\n")
    asked.once()
    assert asked.ends.endswith("it is there and says: quarter's end")
    (tmp_path / "vetoes" / "STOP").unlink()
    (tmp_path / "vetoes").rmdir()
    asked.once()
    assert asked.state == "not answered"


def test_a_probe_has_to_fail_for_so_long_and_of_all(tmp_path: Path) -> None:
    """One that answers again begins anew; one component that answers is enough; what has no address says nothing."""
    down: set[str] = set()

    def probed(_: str, component: str) -> Seen:
        if component == "api-b" and "gone" in down:
            raise NotReady("api-b was never seen", hint="")
        return Seen(component not in down, "HTTP 500" if component in down else "HTTP 200")

    condition = {"probe": "api health", "of": "all", "fails for": "1 s"}
    asked = one(tmp_path, condition, probed=probed)
    down |= {"api-a"}
    asked.once()
    assert asked.state == "clear"
    down |= {"api-b"}
    asked.once()
    assert asked.state == "failing" and not asked.ends
    asked.since = clock.mono() - 2_000_000_000
    asked.once()
    assert asked.state == "true" and "api-a: HTTP 500; api-b: HTTP 500" in asked.ends
    down |= {"gone"}
    asked.once()
    assert asked.state == "not answered"
    down.remove("api-a")
    asked.once()
    assert asked.state == "clear"


def test_a_bug_of_who_asks_is_no_good_answer(tmp_path: Path) -> None:
    """It is not taken for one, and does not end who asks."""

    def breaks(*_: str) -> Seen:
        raise KeyError("x")

    asked = one(tmp_path, {"probe": "batch"}, probed=breaks)
    asked.once()
    assert asked.state == "not answered" and "KeyError" in asked.seen


WRONG: list[tuple[Any, str]] = [
    ({}, "says none of probe, prometheus, file, url"),
    ({"probe": "batch", "file": "x"}, "has probe and file of"),
    ({"probe": "api health"}, "nobody says of whom"),
    ({"probe": "batch", "of": "all"}, "asked where it stands"),
    ({"probe": "api health", "of": "db-1"}, "does not name this probe under alive"),
    ({"prometheus": "up"}, r"at: is missing"),
    ({**ERRORS, "below": "1"}, "is there, and so is above"),
    ({**ERRORS, "timeout": "1 min"}, "is long for what is asked every second"),
    ({"url": "http://x/veto"}, "says: is missing"),
    ({"probe": "batch", "says": "x"}, "is of url, and there is none"),
    ({"file": "nowhere/STOP"}, "nobody could veto|is not there"),
]


@pytest.mark.parametrize(("condition", "what"), WRONG)
def test_a_condition_that_is_wrong_is_told_with_its_line(tmp_path: Path, condition: Any, what: str) -> None:
    """Before anything is asked."""
    with pytest.raises(Refused, match=what):
        said(tmp_path, (ABORT, [condition]))


@pytest.mark.parametrize(
    ("condition", "through"),
    [
        ({"probe": "api health", "of": "all"}, ""),
        ({"probe": "api health", "of": "api-a"}, "api-a"),
        ({**ERRORS, "at": "http://batch:9090"}, "batch"),
        ({**ERRORS, "at": "http://127.0.0.1:9090"}, "batch"),
        ({**ERRORS, "at": "http://10.1.2.3:3000"}, "batch"),
        ({"url": "http://entrance/veto", "says": "no"}, ""),
        (ERRORS, ""),
    ],
)
def test_what_can_only_be_asked_through_what_may_be_hurt_is_told(tmp_path: Path, condition: Any, through: str) -> None:
    """By names in the file, and by what the engine publishes; what is never hurt may stand in between."""
    found = said(tmp_path, (ABORT, [condition]))
    doors = {"batch": [("127.0.0.1", 9090), ("10.1.2.3", 0)]}
    wrong = standpoint.wrong(found, doors=doors)
    assert [each.what.partition("is asked of ")[2] for each in wrong] == (
        [f"{through}, which the drill may hurt"] if through else []
    )
    if through:
        with pytest.raises(Refused, match="nothing was hurt"):
            standpoint.must_stand_outside(found, doors=doors)


def test_all_that_are_asked_may_not_be_hurt_at_one_time(tmp_path: Path) -> None:
    """Where the radius takes in both, nobody is left to be asked."""
    both = {"probe": "api health", "of": "all"}
    assert not standpoint.wrong(said(tmp_path, (ABORT, [both])))
    wide = said(tmp_path, (ABORT, [both]), (("safety", "blast radius"), {"components": "2", "zones": "1"}))
    assert "api-a, api-b" in standpoint.wrong(wide)[0].what


# The window


@pytest.mark.parametrize(
    ("moment", "why"),
    [
        ("2026-12-01T09:00", ""),
        ("2026-12-01T08:59", "it may be drilled Mon-Fri"),
        ("2026-12-01T16:00", "it may be drilled Mon-Fri"),
        ("2026-12-05T10:00", "it may be drilled Mon-Fri"),
        ("2026-12-24T10:00", "not on 2026-12-24..2027-01-02"),
        ("2026-12-26T23:30", "not on 2026-12-24..2027-01-02"),
        ("2026-12-05T23:00", ""),
        ("2026-12-06T02:59", ""),
        ("2026-12-06T03:00", "it may be drilled"),
    ],
)
def test_it_may_be_drilled_in_its_windows_alone(tmp_path: Path, moment: str, why: str) -> None:
    """In the time zone of each; one over midnight is of the day that it begins on; a day that is left out wins."""
    found = said(
        tmp_path,
        (("safety", "windows"), ["Mon-Fri 09:00-16:00 UTC", "Sat 23:00-03:00"]),
        (("safety", "not on"), ["2026-12-24..2027-01-02"]),
        (("safety", "time zone"), "UTC"),
    )
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert why in windows.closed(found, at) and bool(windows.closed(found, at)) == bool(why)
    if why:
        with pytest.raises(Refused, match="may not be drilled now") as caught:
            windows.must_be_open(found, at)
        assert "paydesk.yaml:" in caught.value.hint


def test_a_time_zone_has_its_summer(tmp_path: Path) -> None:
    """The same hour by the wall is another one in UTC."""
    found = said(tmp_path, (("safety", "windows"), ["daily 09:00-10:00 Europe/Berlin"]))
    assert not windows.closed(found, datetime(2026, 7, 1, 7, 30, tzinfo=UTC))
    assert windows.closed(found, datetime(2026, 12, 1, 7, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ((("safety", "windows"), ["Mon-Fri 09:00-16:00"]), "names no time zone"),
        ((("safety", "windows"), ["Mo 09:00-16:00 UTC"]), "is no day of the week"),
        ((("safety", "windows"), ["Mon 09:00-16:00 Mars/Base"]), "not a time zone that this machine knows"),
        ((("safety", "windows"), ["Mon 09:00-09:00 UTC"]), "begins when it ends"),
        ((("safety", "not on"), ["24 Dec"]), "is no day"),
        ((("safety", "not on"), ["2026-12-24..2026-12-01"]), "ends before it begins"),
        ((("safety", "confirm"), "yes"), "is not one of typed name, two people"),
    ],
)
def test_times_that_are_wrong_are_told(tmp_path: Path, change: Any, what: str) -> None:
    """With what to write instead."""
    with pytest.raises(Refused, match=what):
        said(tmp_path, change)


# The one who asks, and the one who listens


@contextmanager
def asks(folder: Path, found: StackFile, http: Any, **more: Any) -> Iterator[Path]:
    """The guardian's side, on a run that has a control folder."""
    run = folder / "r.unfinished"
    (run / CONTROL).mkdir(parents=True, exist_ok=True)
    listed = conditions.all_of(found, {}, lambda *_: Seen(True, "fine"), http=http)

    def ends(why: str) -> None:
        stopping.ask(run, who="guardian", why=why)

    asker = Asking(run, found, listed, ends, every=OFTEN, **{"closed": lambda _: "", **more})
    asker.begin()
    try:
        yield run
    finally:
        asker.end()


def test_a_condition_that_comes_true_stops_the_run_and_is_recorded(tmp_path: Path) -> None:
    """Who, what and why; each change is a line, and whoever heals a killed run takes in those that are left."""
    found, http, memory = said(tmp_path, (ABORT, [ERRORS])), Answers(body=vector(1)), Memory()
    with asks(tmp_path, found, http) as run:
        listens = told.Told(run, found, memory, looks=OFTEN)
        _open(found, listens)
        assert not stopping.asked(run)
        http.body = vector(99)
        wait.poll(lambda: stopping.asked(run), within=SOON, every=OFTEN)
        listens.end()
    request = stopping.asked(run)
    assert request is not None and request.who == "guardian"
    assert request.why.startswith("abort when the query rate(errors[1m]) above 50 (") and request.why.endswith("): 99")
    assert [data["state"] for kind, data in memory.facts if kind == told.KIND] == ["clear", "true"]
    later = Memory()
    told.take_left(run, later, taken=1)
    assert [data["before"] for _, data in later.facts] == ["clear"]


def _open(found: StackFile, listens: told.Told) -> None:
    """Begin to listen, whatever the clock says of the windows of the file."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(windows, "closed", lambda *_: "")
        listens.begin()


def test_a_condition_that_nobody_can_ask_is_not_waited_for(tmp_path: Path) -> None:
    """Three times running, and the run is stopped; nothing is asked before the harness says that it can be."""
    found, http = said(tmp_path, (ABORT, [ERRORS])), Answers(silent=True)
    with asks(tmp_path, found, http) as run:
        clock.sleep(OFTEN * 5)
        assert not http.asked
        control_files.leave(run / CONTROL / BEGUN, {})
        wait.poll(lambda: stopping.asked(run), within=SOON, every=OFTEN)
    request = stopping.asked(run)
    assert request is not None and "was not answered 3 times running: refused" in request.why


def test_a_window_that_closes_stops_the_run(tmp_path: Path) -> None:
    """With its line."""
    found = said(tmp_path, (ABORT, None))
    with asks(tmp_path, found, Answers(), closed=lambda _: "paydesk.yaml:9: over") as run:
        control_files.leave(run / CONTROL / BEGUN, {})
        wait.poll(lambda: stopping.asked(run), within=SOON, every=OFTEN)
    request = stopping.asked(run)
    assert request is not None and request.why == "its window has closed: paydesk.yaml:9: over"


@pytest.mark.parametrize(
    ("state", "what"),
    [
        (None, "nobody has asked the conditions"),
        ({"at": 1, "oldest": 1, "conditions": []}, "nobody has asked the conditions"),
        ({"conditions": []}, "not every condition"),
        ({"conditions": [{"condition": "x", "state": "failing", "seen": "500"}]}, "x: failing: 500"),
        ({"conditions": [{"condition": "x", "state": "", "seen": ""}]}, "x: not asked yet"),
        ({"conditions": [{"condition": "x", "state": "clear", "seen": ""}]}, ""),
    ],
)
def test_nothing_is_hurt_without_a_fresh_good_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: Any, what: str
) -> None:
    """Of every condition, by somebody who is alive."""
    monkeypatch.setattr(windows, "closed", lambda *_: "")
    found = said(tmp_path, (ABORT, [ERRORS]))
    (tmp_path / CONTROL).mkdir()
    if state is not None:
        fresh = {"at": clock.mono(), "oldest": clock.mono(), **state}
        control_files.leave(tmp_path / CONTROL / STATE, fresh)
    if not what:
        told.must_be_clear(tmp_path, found)
        return
    with pytest.raises(Refused, match=f"{what}.*; nothing was hurt") as caught:
        told.must_be_clear(tmp_path, found)
    assert "paydesk.yaml:" in caught.value.hint


def test_who_asks_and_dies_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness stops the run itself: nobody would know of a veto."""
    monkeypatch.setattr(told, "STALE", timedelta(milliseconds=200))
    monkeypatch.setattr(told, "FIRST", timedelta(0))
    (tmp_path / CONTROL).mkdir()
    listens = told.Told(tmp_path, said(tmp_path, (ABORT, [ERRORS])), Memory(), looks=OFTEN)
    with pytest.raises(Refused):
        _open(said(tmp_path, (ABORT, [ERRORS])), listens)
    wait.poll(lambda: stopping.asked(tmp_path), within=SOON, every=OFTEN)
    request = stopping.asked(tmp_path)
    assert request is not None and request.who == "harness" and "nobody has asked" in request.why


def test_a_line_that_was_cut_off_is_no_change(tmp_path: Path) -> None:
    """Whoever asked was killed in the middle of it."""
    (tmp_path / CONTROL).mkdir()
    (tmp_path / CONTROL / CHANGES).write_text('{"condition": "x"}\n{"cond')
    assert told.changes(tmp_path) == [{"condition": "x"}]
    assert timedelta(seconds=1) == asking.EVERY
