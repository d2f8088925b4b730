"""For a dry run: every message that the chosen scenarios would send, with roles in the place of people."""

from __future__ import annotations

from collections.abc import Iterable

from harness.communications.incident import FIELDS, known
from harness.communications.preview import preview
from harness.features.catalog import Scenario
from harness.plan import Plan
from harness.project import Project
from harness.stacks.capabilities.messaging import Messaged


def messages(project: Project, plan: Plan, scenarios: Iterable[Scenario]) -> list[str]:
    """Lines; none where no sentence tells anybody. Errors: `Refused` where a template cannot be filled."""
    if not any(Messaged in project.sentences.needs(each.sentences) for each in scenarios):
        return []
    shown = preview(plan.communication, project.load_templates(), known=known(plan.communication), filled=FIELDS)
    return ["messages as they would go out, roles for people; every channel is simulated, and none leaves the stack:",
            *(f"  {line}" for line in shown)]  # fmt: skip  # a list
