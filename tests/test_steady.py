"""Steady is what stores: a health page is not believed, and the harness's own transactions are told apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from harness.errors import DrillError, NotReady
from harness.run.steady import must_be_steady, steady
from harness.run.trial import NAME, Trials
from harness.stacks import Condition, Entrance, Stack
from harness.system.http import NoAnswer, Response
from harness.system.recorder import Memory
from harness.system.resolver import Fixed
from harness.workload.client import ClientModule
from harness.workload.workload import HARNESS, Group, Workload

CLIENT = '''
"""Notes, kept by number."""
from harness.workload.client import Acceptance, Message, StoredTransaction

class Notes:
    def draw(self, random):
        return {"note": random.randint(1, 9)}
    def amount(self, payload):
        return None
    def message(self, key, payload):
        return Message("/notes", f"{key.origin} {key.number} {payload['note']}".encode(), content_type="text/plain")
    def judge(self, status, body):
        return Acceptance({200: True, 409: False}.get(status), history=7)
    def rows(self, source, *, origin):
        for at, number, note in source():
            if at == origin:
                yield StoredTransaction(number, {"note": note})

CLIENT = Notes()
'''
SHORT = timedelta(seconds=0.2)


class Unread:
    """A stack that says that it is well, and its entrance; `keeps`: what it does with a note. Nobody can read it."""

    kind = "fake"

    def __init__(self, keeps: str = "all", *, status: int = 200, well: bool = True) -> None:
        self.keeps, self.status, self.well = keeps, status, well
        self.entrance = Entrance("notes.example", Fixed(("10.0.0.1",)), 80, None)
        self.rows: list[tuple[str, int, int]] = []
        self.asked: list[str] = []

    def steady(self) -> list[Condition]:
        return [Condition("its health page", ok=self.well, seen="HTTP 200" if self.well else "HTTP 500")]

    def ask(self, method: str, url: str, *, sends: object = None, content_type: str = "", **_: object) -> Response:
        assert isinstance(sends, bytes) and content_type == "text/plain"
        self.asked.append(f"{method} {url}")
        origin, number, note = sends.decode().split()
        if self.keeps == "cut":
            raise NoAnswer("it breaks off without an answer", taken=True)
        if self.keeps == "gone":
            raise NoAnswer("Connection refused", taken=False)
        if self.keeps != "nothing":
            self.rows.append((origin, int(number), int(note) + (self.keeps == "other")))
        return Response(self.status, b"so it says")


class Platform(Unread):
    """One that can be read."""

    def reading(self) -> AbstractContextManager[Any]:
        return nullcontext(self._read)

    def _read(self) -> Iterator[tuple[str, int, int]]:
        if self.keeps == "unreadable":
            raise OSError("the file is locked")
        return iter(self.rows * 2 if self.keeps == "twice" else self.rows)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> ClientModule:
    folder = tmp_path_factory.mktemp("client")
    (folder / "steady_client.py").write_text(CLIENT)
    return ClientModule(folder, "steady_client")


def looked(platform: Unread, client: ClientModule) -> tuple[bool, Memory]:
    recorder = Memory()
    trials = Trials(client, "r/s", recorder, http=platform, patience=SHORT)
    ok = steady(cast(Stack, platform), recorder, trials, moment="before", within=timedelta(0))
    return ok, recorder


def facts(recorder: Memory, kind: str) -> list[Mapping[str, Any]]:
    return [data for name, data in recorder.facts if name == kind]


def test_a_stack_that_stores_is_steady_and_the_transaction_is_told_apart(client: ClientModule) -> None:
    """Recorded before it leaves, with a key of the harness's own, and at its end."""
    platform = Platform()
    ok, recorder = looked(platform, client)
    assert ok and platform.asked == ["POST http://notes.example:80/notes"]
    assert [kind for kind, _ in recorder.facts] == ["trial.sent", "trial.end", "steady"]
    (sent,), (end,), (line,) = (facts(recorder, kind) for kind in ("trial.sent", "trial.end", "steady"))
    ((origin, number, note),) = platform.rows
    assert (sent["origin"], sent["number"]) == (origin, number) == (f"r/s/{HARNESS}", 1)
    assert json.loads(sent["payload"]) == {"note": note}
    assert (end["outcome"], end["history"], end["read"]) == ("acknowledged", 7, True)
    assert 0 <= end["seconds"] <= end["read_seconds"]
    shown = line["conditions"][-1]
    assert shown["name"] == NAME and shown["ok"] and shown["seen"].startswith("number 1 acknowledged after 0.0")


@pytest.mark.parametrize(
    ("platform", "end", "why"),
    [
        (Platform("nothing"), ("acknowledged", False), "not read back within 0.2 s: there is nothing"),
        (Platform("other"), ("acknowledged", False), "not read back"),
        (Platform("twice"), ("acknowledged", False), " and "),
        (Platform("unreadable"), ("acknowledged", False), "OSError: the file is locked"),
        (Platform(status=409), ("failed", None), "409: so it says"),
        (Platform(status=500), ("in_doubt", None), "500: so it says"),
        (Platform("cut"), ("in_doubt", None), "breaks off"),
        (Platform("gone"), ("failed", None), "refused"),
    ],
    ids=["nothing", "other", "twice", "unreadable", "refused", "unsure", "cut", "gone"],
)
def test_a_health_page_alone_is_not_believed(
    client: ClientModule, platform: Platform, end: tuple[str, bool | None], why: str
) -> None:
    """One that answers 200 and stores nothing, or something else, or stores nothing that can be read."""
    ok, recorder = looked(platform, client)
    (said,), (line,) = facts(recorder, "trial.end"), facts(recorder, "steady")
    assert not ok and not line["ok"] and (said["outcome"], said["read"]) == end
    assert why in said["why"] and line["conditions"][0]["ok"] and why in line["conditions"][-1]["seen"]


def test_nothing_is_hurt_on_a_stack_that_stores_nothing(client: ClientModule) -> None:
    """The error says what was seen; each try has a number of its own."""
    recorder, platform = Memory(), Platform("nothing")
    trials = Trials(client, "r/s", recorder, http=platform, patience=timedelta(0))
    with pytest.raises(NotReady, match=f"nothing was hurt: {NAME}: number 2 acknowledged .* there is nothing"):
        must_be_steady(cast(Stack, platform), recorder, trials, within=timedelta(seconds=0.1))
    assert [fact["number"] for fact in facts(recorder, "trial.sent")] == [1, 2]


def test_a_stack_that_says_that_it_is_not_well_is_sent_nothing(client: ClientModule) -> None:
    """It is not steady already."""
    platform = Platform(well=False)
    ok, recorder = looked(platform, client)
    assert not ok and platform.asked == [] and [kind for kind, _ in recorder.facts] == ["steady"]


def test_where_nothing_can_be_read_the_platforms_word_is_taken_and_that_is_said(client: ClientModule) -> None:
    """What was read is none of yes and no."""
    ok, recorder = looked(Unread(), client)
    (end,), (line,) = facts(recorder, "trial.end"), facts(recorder, "steady")
    assert ok and end["read"] is None and "nothing to read it back from" in line["conditions"][-1]["seen"]


@pytest.mark.parametrize("method", ["draw", "message", "judge"])
def test_a_client_that_breaks_is_told_with_its_line(tmp_path: Path, method: str) -> None:
    """It says nothing about the stack."""
    name = f"broken_in_{method}"
    broken = f"def {method}(self, *_):\n        return 1 / 0\n    def _("
    (tmp_path / f"{name}.py").write_text(CLIENT.replace(f"def {method}(", broken))
    with pytest.raises(DrillError, match=rf"{name}\.py:\d+: ZeroDivisionError") as told:
        looked(Platform(), ClientModule(tmp_path, name))
    assert "mend the client" in told.value.hint


def test_no_customers_have_the_harness_own_name(client: ClientModule, tmp_path: Path) -> None:
    """So a row of that name is nobody else's."""
    with pytest.raises(AssertionError, match="the harness writes by that name"):
        Workload(
            cast(Any, None), Memory(), cast(Any, None), tmp_path, client=client, origin="r/s",
            groups=[Group(HARNESS, 1.0)],
        )  # fmt: skip  # arguments in groups
