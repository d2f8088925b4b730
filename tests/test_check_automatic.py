"""Whether the platform went on by itself, and whether every failure was named: each has a history that is red."""

from __future__ import annotations

from decimal import Decimal

from harness.checks import Finding, Outcome
from harness.checks.automatic import automatic, told_all
from harness.checks.evidence import Expectation
from harness.workload.ledger import Request
from tests.histories import History, groups, ns

HURT, BIT, REPAIR = 10.0, 10.1, 20.0
LIMIT = 300.0


def history(*, bad: tuple[float, float], touched: str = "step.begin") -> History:
    """A request every tenth of a second for half a minute; those due in `bad` fail, and at 20 s somebody repairs."""
    made = History()
    made.say(0.5, "workload.begin", rate=10.0, groups=groups(["outside"]))
    made.say(HURT, "fault.intent", fault="kill_component", settings={}, undo={}, harms_data=False, logical=False)
    made.say(BIT, "fault.effective", fault="kill_component", ok=True, proof="gone")
    if touched:
        made.say(REPAIR, touched, name="start it again", fault="kill_component", ok=True, proof="still gone")
    made.say(31.0, "scenario.end", scenario="s", outcome="completed", error="")
    made.requests["outside"] = [
        Request(
            number,
            ns(due),
            ns(due),
            ns(due + 0.01),
            "failed" if bad[0] <= due < bad[1] else "acknowledged",
            "{}",
            Decimal(1),
            "",
        )
        for number, due in enumerate((1 + step / 10 for step in range(300)), 1)
    ]
    return made


def judged(made: History) -> Finding:
    return automatic(made.evidence(), Expectation("automatic", limit=LIMIT))


def test_service_that_comes_back_by_itself_is_met() -> None:
    """The figure runs from the fault to the first good answer after the last bad request, and holds the bar."""
    found = judged(history(bad=(10.0, 12.0)))
    assert found.outcome is Outcome.MET
    assert found.low is not None and found.figure is not None
    assert abs(found.low - 1.8) < 0.01 and abs(found.figure - 2.01) < 0.01


def test_service_that_a_person_brought_back_is_missed() -> None:
    """It was bad until somebody began to repair, so it was not the platform that went on."""
    for touched in ("step.begin", "fault.still_active"):
        found = judged(history(bad=(10.0, 21.0), touched=touched))
        assert found.outcome is Outcome.MISSED and found.lower_bound


def test_service_that_was_good_for_a_moment_only_is_missed() -> None:
    """Half a second of good answers before the repair may be anybody's."""
    assert judged(history(bad=(10.0, 19.6))).outcome is Outcome.MISSED


def test_service_that_never_came_back_and_was_never_repaired_is_open() -> None:
    """Nobody touched anything, and the scenario ended before service was good: more time might have shown it."""
    assert judged(history(bad=(10.0, 40.0), touched="")).outcome is Outcome.UNKNOWN


def test_a_scenario_that_broke_off_blames_nobody_before_the_objective_is_over() -> None:
    """It was the harness that ended what was hurt; once the objective is over, that no longer matters."""
    for until, outcome in ((21.0, Outcome.UNKNOWN), (200.0, Outcome.MISSED)):
        made = history(bad=(10.0, until), touched="fault.still_active" if until < 100 else "")
        made.drop("scenario.end")
        made.say(21.5 if until < 100 else 300.0, "scenario.end", outcome="failed", error="no monitoring")
        found = automatic(made.evidence(), Expectation("automatic", limit=15.0 if until < 100 else 5.0))
        assert found.outcome is outcome, found.reason


def test_customers_who_were_idle_show_nothing() -> None:
    """Without a request after the fault there is no service to judge."""
    made = history(bad=(10.0, 12.0))
    made.only_first("outside", 50)
    assert judged(made).outcome is Outcome.UNKNOWN


def checks(*ok: bool) -> list[dict[str, object]]:
    return [{"name": f"check {number}", "ok": each, "seen": "seen"} for number, each in enumerate(ok)]


def named(*, asked: list[dict[str, object]] | None, wanted: int = 3) -> Outcome:
    made = History()
    if asked is not None:
        made.say(5.0, "survey", checks=asked)
    made.say(9.0, "health", ok=True, checks=checks(*[True] * wanted))
    return told_all(made.evidence(), Expectation("told-all")).outcome


def test_all_failures_are_named_or_it_is_missed() -> None:
    """One that stops at the first failure, and one that sees none, are red; one that was never made is open."""
    assert named(asked=checks(False, True, False)) is Outcome.MET
    assert named(asked=checks(False)) is Outcome.MISSED
    assert named(asked=checks(True, True, True)) is Outcome.MISSED
    assert named(asked=None) is Outcome.UNKNOWN
