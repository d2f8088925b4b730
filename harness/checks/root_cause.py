"""The root cause: the harness drafts a document and lists what a person must answer; it never answers by itself."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation

TITLE = "Root cause investigated"
QUESTIONS = (
    "Why could this failure happen? (The drill caused this one; what would cause it for real?)",
    "Was what failed the first thing that went wrong, or did something before it go wrong?",
    "Why was it not noticed sooner?",
    "Did the alert say the right thing to the right people? What would have helped them more?",
    "What else was affected that this document does not show (other services, partners, reports)?",
    "What slowed the recovery down, and what could have gone worse than it did?",
    "What prevents it, or makes it harmless, from now on?",
    "Who owns each of these actions, and by when are they done?",
    "Who wrote these answers, and who has reviewed them?",
)


def file_of(scenario: str) -> str:
    """The name of a scenario's document in the pack."""
    return f"root-cause-{scenario}.md"


def category(evidence: Evidence) -> str:
    """The plan's category whose demands the scenario exercises; empty where there is none."""
    begin = evidence.first("scenario.begin")
    return str(begin.data.get("category") or "") if begin else ""


def root_cause(evidence: Evidence, expected: Expectation) -> Finding:
    """Always UNKNOWN, and advisory: the open questions are counted, not answered."""
    if not category(evidence):
        words = "no document was drafted: the scenario exercises no category of the plan"
    else:
        document = file_of(evidence.scenario)
        words = f"{document} is drafted from the journal; {len(QUESTIONS)} questions in it wait for a person"
    return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, words, advisory=True)
