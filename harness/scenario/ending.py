"""How a scenario ends, however it went: what is hurt is healed, and what was measured is judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from harness.checks import NOT_EXERCISED, Verdict
from harness.checks.evidence import Evidence
from harness.checks.judge import judge
from harness.checks.load import evidence
from harness.errors import quietly
from harness.features.declared import Declaration
from harness.run.steady import STEADY_LIMIT, steady
from harness.scenario import observations
from harness.stacks.needs import Lack
from harness.system import clock

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun


def finish(scenario: ScenarioRun, *, outcome: str, error: str) -> Verdict:
    """Let service settle, heal, see all steady and served, end the customers, read their rows, and judge.

    A failed clean-up is recorded.

    Errors: KeyboardInterrupt when the run was stopped meanwhile; all that is above has been done then, too.
    """
    run, faults, declined = scenario.run, scenario.faults, scenario.decisions.declined
    hurt = faults.any
    _look_at_room(scenario)
    try:
        if outcome == "completed" and scenario.verified and scenario.customers.any:
            _quietly(scenario, "service did not settle", scenario.customers.settle)
            _look_at_room(scenario)
        if outcome == "failed" and not faults.touched:
            _quietly(scenario, "nobody can say whether it still bites", faults.still_active)
        if outcome == "completed" and hurt and not run.guardian.watches():
            outcome, error = "failed", "the guardian was gone: what was hurt was not watched to its end"
        with run.listener.shield():
            faults.heal()
        if outcome not in ("stopped", "aborted") and hurt and not declined:
            waits = (scenario.verified or outcome == "completed") and not faults.unhealed
            within = STEADY_LIMIT if waits else timedelta(0)  # nothing comes back that nobody started, or lets back
            _quietly(
                scenario,
                "not steady",
                lambda: steady(scenario.stack, scenario.journal, scenario.trials, moment="after", within=within),
            )
            _look_at_room(scenario)
        if outcome == "completed" and hurt and not declined and scenario.customers.any:
            ended = (
                faults.ended_by_sentence if scenario.verified else faults.ended
            )  # what is healed after it ends no clock
            _quietly(scenario, "service did not settle", lambda: scenario.customers.settle(ended=ended))
            _look_at_room(scenario)
    except KeyboardInterrupt:
        outcome = "stopped"
    with run.listener.shield():
        faults.heal()
        left = outcome == "aborted" or declined
        stopped = outcome == "stopped" or run.listener.stopping
        _end(scenario, looked=not ((stopped or left) and hurt and not scenario.verified))
        _look_at_room(scenario)
        if stopped:
            request = run.listener.why()
            scenario.journal.record("stopped", who=request.who, why=request.why)
        outcome = "stopped" if stopped else outcome
        scenario.journal.record("scenario.end", scenario=scenario.name, outcome=outcome, error=error)
        run.ended.append(scenario.name)
        seen = next(found for found in evidence(run.folder) if found.scenario == scenario.name)
        if not stopped and _left_unsteady(seen):
            run.spoilt()
        return Verdict.of(judge(seen))


def not_exercised(scenario: ScenarioRun, lacking: Sequence[Lack], *, declared: Declaration | None = None) -> Verdict:
    """It is not begun on this stack, and ends with that: nothing was started for it, and nothing looked at.

    `declared`: that the platform cannot run it; then the verdict of the run leaves it out. Errors: as `finish`.
    """
    if declared is not None:
        scenario.journal.record(
            "declared",
            scenario=scenario.name,
            environment=declared.environment,
            who=declared.who,
            why=declared.why,
            until=str(declared.until),
            ends=clock.utc_text(declared.ends(scenario.run.plan.time_zone)),
        )
    for each in lacking:
        scenario.journal.record("not_exercised", **each._asdict())
    return finish(scenario, outcome=NOT_EXERCISED, error=", ".join(each.what for each in lacking))


def _end(scenario: ScenarioRun, *, looked: bool) -> None:
    """`looked`: rows and books are read; what was hurt, and left before it was recovered, says nothing."""
    customers, data = scenario.customers, scenario.data
    scenario.lasting.end()
    scenario.second_writer.end()
    _quietly(scenario, "messages ended badly", scenario.communications.end)
    _quietly(scenario, "customers ended badly", customers.end)
    if customers.any and looked:
        _quietly(scenario, "rows cannot be read", lambda: data.export("final"))
        if data.checked:
            _quietly(scenario, "books cannot be checked", data.check_again)
    customers.end_sampling()
    _quietly(scenario, "the alert receiver cannot be read", scenario.detection.end)
    if scenario.faults.any and looked:
        _quietly(scenario, "nobody leads", scenario.leader.look_again)
        _quietly(
            scenario,
            "the release cannot be read",
            lambda: observations.release(scenario.stack, scenario.journal),
        )
    _quietly(scenario, "what the drill has written cannot be counted or removed", scenario.marks.end)
    scenario.leaders.end()


def _left_unsteady(seen: Evidence) -> bool:
    """Whether its stack was not steady when somebody looked last, or nobody has looked since it was hurt."""
    last, hurt = seen.last("steady"), seen.first("fault.intent")
    return last is not None and (not last.data["ok"] or (hurt is not None and last.seq < hurt.seq))


def _look_at_room(scenario: ScenarioRun) -> None:
    """After each of what lasts minutes: a disk that fills meanwhile is not the platform's failure.

    Where not even the journal has room, what is hurt is healed all the same.
    """
    quietly(scenario.look_at_room)


def _quietly(scenario: ScenarioRun, what: str, action: Callable[[], object]) -> None:
    if wrong := quietly(action):
        scenario.journal.record("failed", what=what, error=wrong)
