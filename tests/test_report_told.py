"""What the page of a scenario shows of messages: who was told what, by which channel, and who answered."""

from __future__ import annotations

from pathlib import Path

from reports.build import build
from reports.pack import read
from reports.run import told
from reports.run.moments import clock_of
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


def test_the_page_says_what_is_real_and_whose_answer_it_is(tmp_path: Path) -> None:
    """A person's answer is not called stood in for, and of a real channel only that its service took it is known."""
    history = made_real(all_told(), "slack")
    history.drop("message.acknowledged", where=lambda data: data["role"] == LEAD)
    history.answer(CALLED + 6.0, LEAD, attended=True)
    html = build(history.write(tmp_path / "pack", v=2))["index.html"].decode()
    assert "simulated: none; real: slack, where all that is known is what the service took" in html
    assert f"{LEAD}, by slack, after 6.00 s<" in html
    assert "incident commander, by slack, after 1.00 s, stood in for<" in html
