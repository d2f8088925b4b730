"""For a dry run: every message that the chosen scenarios would send, with roles in the place of people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.cli.reached import said
from harness.communications.incident import FIELDS, known
from harness.communications.preview import preview
from harness.features.catalog import Scenario
from harness.plan import Plan
from harness.project import Project
from harness.stacks.capabilities.messaging import Messaged
from harness.stacks.needs import either


def messages(
    project: Project,
    plan: Plan,
    scenarios: Iterable[Scenario],
    *,
    real: Sequence[str] = (),
    attended: bool = False,
    stands_in: bool = True,
) -> list[str]:
    """Lines; none where no sentence tells anybody. `real`: channels of the stack; `attended`: people are called to the
    bridge by people; `stands_in`: something of the stack stands in for all others.

    Errors: `Refused` where a template cannot be filled.
    """
    if not tell_anybody(project, scenarios):
        return []
    attended = attended and has_bridge(plan)
    other = "simulated" if stands_in else "not on this stack"
    found = sorted({*real, *(["bridge"] if attended else [])})
    fields, templates = known(plan.communication), project.load_templates()
    shown = preview(plan.communication, templates, known=fields, filled=FIELDS, real=found, other=other)
    which = f"all channels but {', '.join(found)} are" if found else "every channel is"
    stays = "" if found or not stands_in else ", and none leaves the stack"
    head = f"messages as they would go out, roles for people; {which} {other}{stays}:"
    return [*said(real, attended=attended), head, *(f"  {line}" for line in shown)]


def tell_anybody(project: Project, scenarios: Iterable[Scenario]) -> bool:
    """Whether a sentence of these does."""
    needs = [each for scenario in scenarios for each in project.sentences.needs(scenario.sentences)]
    return any(Messaged in either(each) for each in needs)


def has_bridge(plan: Plan) -> bool:
    """Whether the plan has people called to a conference bridge: by people, where a run is attended."""
    return any(each.by == "bridge" for each in plan.communication.channels)
