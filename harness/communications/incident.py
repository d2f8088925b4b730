"""What is said of an incident: the fields of templates, and which of them there are at all."""

from __future__ import annotations

from dataclasses import dataclass

from harness.plan import Communication
from harness.plan.lengths import for_people

FIELDS = frozenset({
    "category", "what_happened", "role", "began", "current_status", "estimated_resolution", "affected_services",
    "update_every", "number", "resolution_time", "root_cause", "preventive_measures", "report_within",
})  # fmt: skip  # a list
OPEN = "Under investigation; the post-incident report will say it."


@dataclass(frozen=True)
class Incident:
    """As people are told of it. Moments are UTC, in words."""

    category: str
    what_happened: str
    began: str
    affected_services: str
    estimated_resolution: str
    current_status: str = "Our technical team is working on it."
    resolution_time: str = "not yet"
    root_cause: str = OPEN
    preventive_measures: str = OPEN

    def fields(self, planned: Communication, *, role: str = "", number: int = 0) -> dict[str, str]:
        """A value for each of `FIELDS`. `role`: who is called; `number`: of an update."""
        return {
            "category": self.category, "what_happened": self.what_happened, "role": role, "began": self.began,
            "current_status": self.current_status, "estimated_resolution": self.estimated_resolution,
            "affected_services": self.affected_services, "number": str(number),
            "resolution_time": self.resolution_time, "root_cause": self.root_cause,
            "preventive_measures": self.preventive_measures, **known(planned),
        }  # fmt: skip  # a table


def known(planned: Communication) -> dict[str, str]:
    """What the plan fills in, whatever happens. A plan of format 1 names no lengths that are not there."""
    return {"update_every": for_people(planned.update_every), "report_within": for_people(planned.report_within)}
