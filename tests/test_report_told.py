"""What the page of a scenario shows of messages: who was told what, by which channel, and who answered."""

from __future__ import annotations

import json
from pathlib import Path

from harness.cli.live import Live
from reports.build import build
from reports.pack import read
from reports.run import told
from reports.run.moments import WORDS, clock_of
from tests.told_histories import CALLED, Told, all_told, made_real, named

LEAD = "technical lead"


def rows_of(history: Told, folder: Path) -> tuple[told.ToldRow, ...]:
    """As the page has them."""
    (scenario,) = read(history.write(folder)).scenarios
    clock = clock_of(scenario)
    assert clock
    return told.rows(scenario.facts, clock)


def deputy_called() -> Told:
    """The lead is silent by Slack and by Teams, and the deputy answers."""
    history = all_told()
    history.drop("message.acknowledged", where=lambda data: data["role"] == LEAD)
    history.call(CALLED + 2.0, LEAD, by="teams", ok=False)
    history.tell(CALLED + 5.0, "call-out", "incident commander", message=named(LEAD), instead_of=LEAD, acknowledge=True)
    history.answer(CALLED + 6.0, LEAD, by="incident commander")
    return history


def test_each_message_has_a_row(tmp_path: Path) -> None:
    """Whom, what, when, by which channel, and who answered after how long."""
    rows = rows_of(all_told(), tmp_path / "pack")
    assert [row.what for row in rows] == ["call-out", "call-out", "initial", "update", "update", "resolution", "report"]
    assert rows[0] == told.ToldRow(
        "incident commander", "call-out", "+2.00 s", ("slack: took it",),
        "incident commander, by slack, after 1.00 s, stood in for",
    )  # fmt: skip  # a row
    assert rows[2].tried == ("e-mail: took it", "status page: took it") and rows[2].answered == "is only told"


def test_a_deputy_is_shown_as_one(tmp_path: Path) -> None:
    """And a channel that did not take it says why."""
    rows = rows_of(deputy_called(), tmp_path / "pack")
    lead = next(row for row in rows if row.whom == LEAD)
    assert lead.answered == "incident commander, by slack, after 6.00 s, stood in for"
    assert "teams: not taken, refused" in lead.tried
    assert f"incident commander, for the {LEAD}" in [row.whom for row in rows]


def test_the_page_has_table_picture_and_story(tmp_path: Path) -> None:
    """With the pace of the incident's clock, and what was simulated."""
    html = build(all_told().write(tmp_path / "pack", v=2))["index.html"].decode()
    assert "Who was told what, by which channel" in html and "Who was told, until they answered" in html
    assert "60 seconds of the incident passed in each real one; simulated: slack" in html


def test_the_story_says_for_whom_only_of_a_deputy() -> None:
    """Nobody acknowledges for themselves."""
    said = WORDS["message.acknowledged"]
    assert said({"by": LEAD, "role": LEAD, "channel": "slack"}) == f"{LEAD} acknowledged by slack"
    assert said({"by": "deputy", "role": LEAD, "channel": "slack"}) == f"deputy acknowledged by slack, for the {LEAD}"


def test_what_nobody_measured_has_no_card_and_no_zero(tmp_path: Path) -> None:
    """A scenario of calls in which no customer writes has no recovery time, and no row of requests."""
    html = build(all_told().write(tmp_path / "pack", v=2))["index.html"].decode()
    assert '<p class="name">Recovery time' not in html and '<p class="name">Loss in time' not in html
    assert "Requests due" not in html


def test_who_watches_sees_who_is_told_and_who_answers(tmp_path: Path) -> None:
    """And who is reached no more; who is called has one line, once they answer."""
    history = deputy_called()
    history.say(CALLED + 7.0, "message.given_up", role="customers", channels=["e-mail"], why="no")
    said: list[str] = []
    live = Live(tmp_path, say=said.append)
    for text in (history.write(tmp_path / "pack") / "journal.jsonl").read_text().splitlines():
        if (line := json.loads(text))["kind"].startswith("message"):
            live.show(line)
    words = [each.partition(" s  ")[2].strip() for each in said]
    assert "incident commander answers by slack, after 1.0 s" in words
    assert f"incident commander answers for the {LEAD} by slack, after 6.0 s" in words
    assert "initial goes out to customers" in words and not [each for each in words if each.startswith("call-out")]
    assert "customers is NOT reached by e-mail: no" in words


def test_the_page_says_what_is_real_and_whose_answer_it_is(tmp_path: Path) -> None:
    """A person's answer is not called stood in for, and of a real channel only that its service took it is known."""
    history = made_real(all_told(), "slack")
    history.drop("message.acknowledged", where=lambda data: data["role"] == LEAD)
    history.answer(CALLED + 6.0, LEAD, attended=True)
    html = build(history.write(tmp_path / "pack", v=2))["index.html"].decode()
    assert "simulated: none; real: slack, where all that is known is what the service took" in html
    assert f"{LEAD}, by slack, after 6.00 s<" in html
    assert "incident commander, by slack, after 1.00 s, stood in for<" in html


def test_what_resolvers_are_told_and_whether_a_replica_can_be_used_stands_in_the_story() -> None:
    """Also where a line is not whole."""
    told = WORDS["names.told"]
    assert told({"why": "one name was switched by hand", "answered": {"api.example": "west", "app.example": ""}}) == (
        "resolvers are told, while one name was switched by hand: api.example is in west, app.example is in no region"
    )
    assert told({"answered": 3}).endswith(": nothing")
    assert "can NOT be used: it waits" in WORDS["replica"]({"region": "west", "usable": False, "why": "it waits"})
    assert WORDS["names.refused"]({"name": "api.example", "why": "no answer"}).endswith("be switched: no answer")
    assert WORDS["fault.left"]({"fault": "f", "ok": True, "after": "it goes on"}) == (
        "it goes on: f is over, nothing of it is left"
    )
    assert WORDS["fault.left"]({"fault": "f", "ok": False, "after": "it goes on", "seen": "s"}).endswith("not over: s")
