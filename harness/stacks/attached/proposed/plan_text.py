"""The plan of a proposal, as text: its objectives, its calendar, and what is asked of a platform that is well."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.stacks.attached.proposed.feature_text import Feature
from harness.stacks.attached.proposed.proposal import Proposal
from harness.stacks.attached.proposed.stack_text import said
from harness.system import clock

TIER = "the platform"
DAYS = ("first Monday", "second Monday", "third Monday")


def plan_text(found: Proposal, features: Sequence[Feature]) -> str:
    """Read by the machine as it is."""
    today = clock.now().utc
    several = found.database is not None and len(found.database.members) > 1
    health = (found.at or "http://platform.example") + found.page
    calendar = "\n".join(
        f"    - drill: {each.drill}\n      title: {each.title}\n      when: {day}\n      demand: {each.demand}"
        for each, day in zip(features, DAYS, strict=False)
    )
    tests = "\n".join(
        f"  {each.demand}: 'Monthly, {day}: {each.title}'" for each, day in zip(features, DAYS, strict=False)
    )
    return f"""\
# What {found.name} promises when something fails, and when that is drilled. Written by `drdrill init`: the figures are
# proposals, and yours to decide. A drill is judged against what stands here, and against nothing else.
format: 2
document:
  id: {plan_id(found.name)}
  name: Recovery of {said(found.name)}
  version: 1
  last_updated: {today:%Y-%m}
  next_review: {today.year + 1}-{today:%m}
  owner: {said(found.owner)}
  approved_by: [{said(found.owner)}]
time_zone: UTC
objectives:
  {TIER}:
    title: {said(found.name)}
    rto: {found.rto}    # within which customers are served again
    rpo: {found.rpo}    # so much of what they were told is stored may be lost, at most
    demands: {{rto: OBJ-1, rpo: OBJ-2}}
categories:
  failure of a part:
    title: A part of the platform fails
    scope: One component
    limits: {{automatic: 30 s, detection: 2 min{", rejoined: 2 min" if several else ""}}}
    demands: [SUP-1]
calendar:
  monthly:
{calendar}
procedures: {{}}
health:    # what is asked at the entrance of a platform that is well again: an answer of 2xx is good
  - name: The platform answers
    request: GET {health}
    within: 5 s
    demand: APP-1
communication:    # nobody is told yet; docs/projects.md says how it is written
  update_every: 30 min
  report_within: 24 h
  acknowledge_within: 5 min
  roles: []
  channels: []
  templates: {{}}
findings:
  automatic: {{category: failure of a part, limit: automatic, demands: [SUP-1]}}
  self-recovery: {{category: failure of a part, limit: automatic, demands: [SUP-1]}}
  back-in-rotation: {{demands: [SUP-1]}}
  no-loss: {{demands: [OBJ-3]}}
{LED if several else ""}{DETECTED if found.alerts else ""}demands:
  OBJ-1: Customers are served again within {found.rto}
  OBJ-2: At most {found.rpo} of what they were told are lost
  OBJ-3: Nothing that was acknowledged is lost when a part fails that stores nothing
  SUP-1: What is left, or the platform by itself, serves within 30 s
  APP-1: The platform answers within 5 s
{"  MON-1: Operations are told within 2 min" + chr(10) if found.alerts else ""}{tests}
"""


LED = """\
  one-leader: {demands: [OBJ-2]}
  rejoined: {category: failure of a part, limit: rejoined, demands: [SUP-1]}
"""
DETECTED = """\
  detection: {category: failure of a part, limit: detection, demands: [MON-1]}
  alert: {demands: [MON-1]}
"""


def plan_id(name: str) -> str:
    """Small letters and hyphens."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return plain if plain[:1].isalpha() else f"platform-{plain}".rstrip("-")
