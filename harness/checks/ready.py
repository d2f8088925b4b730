"""Short questions to what the drill looked at: the API's own word about itself, what serves again, what is deployed."""

from __future__ import annotations

import math

from harness.checks import NOT_EXERCISED, ON_THIS_STACK, Finding, Outcome
from harness.checks.evidence import BY_SCENARIO, Evidence, Expectation, Line

# What a scenario that is not begun has before its end: what it was to show, and what it lacks.
BEFORE = ("scenario.begin", "expect", "declared", "not_exercised", "disk.full")
MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def honest_ready(evidence: Evidence, expected: Expectation) -> Finding:
    """While the database cannot be used, the API says of itself what it must, each time it was asked."""
    title = "Ready only when it can serve"
    asked = [line for line in evidence.all("endpoints") if line.data["answers"]]
    if not asked:
        why = evidence.stopped() or "the API was not asked while its database could not be used"
        return expected.finding_of(evidence, title, UNKNOWN, why)
    wrong = [line for line in asked if any(each["status"] != each["wanted"] for each in line.data["answers"])]
    shown = list(dict.fromkeys(_answers(line) for line in wrong or asked))
    words = "; ".join(shown)
    if wrong:
        must = " and ".join(f"{each['path']} {each['wanted']}" for each in wrong[0].data["answers"])
        words = f"{len(wrong)} of {len(asked)} times not {must}: {words}"
    return expected.finding_of(evidence, title, MISSED if wrong else MET, words)


def _answers(line: Line) -> str:
    said = ", ".join(f"{each['path']} {each['status'] or 'no answer'}" for each in line.data["answers"])
    return f"zone {line.data.get('zone')}: {said}"


def back_in_rotation(evidence: Evidence, expected: Expectation) -> Finding:
    """Every part that had failed was started again and is used again."""
    title = "Back in rotation"
    latest = {str(line.data["component"]): line for line in evidence.all("rotation")}
    if not latest:
        why = evidence.stopped() or "nobody looked whether what had failed is used again"
        return expected.finding_of(evidence, title, UNKNOWN, why)
    wrong = [name for name, line in latest.items() if not line.data.get("ok")]
    words = "; ".join(f"{name}: {latest[name].data.get('seen')}" for name in (wrong or latest))
    return expected.finding_of(evidence, title, MISSED if wrong else MET, words)


def rolled_back(evidence: Evidence, expected: Expectation) -> Finding:
    """The release is deployed again that was deployed before the fault, and not because the harness cleaned up."""
    title = "Rolled back to the release before"
    releases, hurt = evidence.all("release"), evidence.first("fault.intent")
    before = [line for line in releases if hurt is not None and line.seq < hurt.seq]
    cleaned = next((line.seq for line in evidence.all("fault.healed") if line.data.get("by") != BY_SCENARIO), math.inf)
    after = [line for line in releases if hurt is not None and hurt.seq < line.seq < cleaned]
    if not before or not after:
        which = "after" if before else "before"
        why = evidence.stopped() or f"what is deployed was not looked at {which} the fault"
        return expected.finding_of(evidence, title, UNKNOWN, why)
    first, last = before[0].data["name"], after[-1].data["name"]
    history = ", ".join(str(each) for each in after[-1].data.get("history") or ())
    words = f"{last} is deployed; before the fault it was {first}" + (f"; in order: {history}" if history else "")
    return expected.finding_of(evidence, title, MET if first == last else MISSED, words)


def not_exercised(evidence: Evidence) -> str:
    """What the stack lacks, where the scenario was not begun for that; empty where anything was done in it."""
    lacking = [line.data for line in evidence.all("not_exercised") if line.data.get("capability")]
    end = evidence.last("scenario.end")
    if not lacking or end is None or end.data.get("outcome") != NOT_EXERCISED:
        return ""
    if any(line.kind not in BEFORE for line in evidence.lines[: evidence.lines.index(end)]):
        return ""
    return f"{ON_THIS_STACK}: {', '.join(str(each.get('what')) for each in lacking)}"


def what_it_takes(evidence: Evidence) -> str:
    """What would give a stack what it lacks."""
    return "; ".join(str(line.data.get("given_by")) for line in evidence.all("not_exercised"))


def exercised(evidence: Evidence, expected: Expectation) -> Finding:
    """What this machine could not do of the scenario: never a pass, and it does not change the verdict."""
    left = [f"{line.data.get('what')}: {line.data.get('why')}" for line in evidence.all("not_exercised")]
    words = "; ".join(left) or "nothing was left out"
    return expected.finding_of(evidence, "Not exercised on this machine", UNKNOWN, words, advisory=True)
