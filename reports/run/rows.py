"""Rows of words about one scenario: what was hurt, decided and done, and what customers were told who asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.pack import Fact, Facts
from reports.run.moments import NOTHING
from reports.words import as_number, clean, length, plain, quantity


@dataclass(frozen=True)
class StepRow:
    phase: str
    name: str
    does: str
    took: str
    outcome: str
    facts: tuple[tuple[str, str], ...]


def injected(facts: Facts) -> tuple[tuple[str, str, str], ...]:
    """Each fault, what was ordered of it, and what was seen of it: a sentence of the feature may say more."""
    rows = []
    for intent in facts.of("fault.intent"):
        later = (fact for fact in facts.of("fault.effective") if fact.seq > intent.seq)
        effect = next((fact for fact in later if fact.data.get("injection") == intent.data.get("injection")), None)
        seen = "not looked at" if effect is None else plain(effect.data.get("proof"))
        if effect is not None and not effect.data.get("ok"):
            seen = f"it did NOT take effect: {seen}"
        rows.append((plain(intent.data.get("fault")), plain(intent.data.get("settings") or "nothing more"), seen))
    return tuple(rows)


def decision(facts: Facts) -> str:
    decided, asked = facts.of("decided"), facts.of("asked")
    if len(asked) > sum(bool(fact.data.get("attended")) for fact in decided):
        role, question = clean(asked[-1].data.get("role")), clean(asked[-1].data.get("question"))
        return f"The {role} was asked, and nobody decided: {question}"
    if not decided:
        return "No decision of a person is in the journal."
    if all(fact.data.get("attended") for fact in decided):
        return " ".join(_decided(fact) for fact in decided)
    return "Decision time: not exercised (a stand-in decided at once)."


def _decided(fact: Fact) -> str:
    """Who decided what, and when, as claimed."""
    by, role, question = (clean(fact.data.get(name)) for name in ("by", "role", "question"))
    when = f" at {fact.utc:%H:%M:%S} UTC" if fact.utc else ""
    answer = clean(fact.data.get("answer") or "not recorded")
    return f"{by} decided for the {role}{when}: {question} {answer}."


def steps(facts: Facts) -> tuple[StepRow, ...]:
    """Every announced step; those that ran, with what they found."""
    ends: dict[tuple[str, str], Mapping[str, Any]] = {}
    for fact in facts.of("step.begin", "step.end"):
        key = (str(fact.data.get("phase")), str(fact.data.get("name")))
        ends[key] = fact.data
    rows: list[StepRow] = []
    listed = [
        each for fact in facts.of("procedure") for each in list_of(fact.data.get("steps")) if isinstance(each, dict)
    ]
    known = {(str(each.get("phase")), str(each.get("name"))): str(each.get("does", "")) for each in listed}
    known = {
        **known,
        **{key: str(data.get("does", known.get(key, ""))) for key, data in ends.items() if key not in known},
    }
    for (phase, name), does in known.items():
        end = ends.get((phase, name))
        took = length(as_number(end.get("seconds"))) if end and "seconds" in end else ""
        outcome = (
            "not reached" if end is None else "not ended" if "ok" not in end else "done" if end["ok"] else "FAILED"
        )
        found = end.get("facts") if end else None
        said = found.items() if isinstance(found, dict) else ()
        shown = tuple((str(key), plain(value)) for key, value in said if value not in NOTHING)
        rows.append(StepRow(phase, name, does, took, outcome, shown))
    return tuple(rows)


def changes(facts: Facts) -> tuple[tuple[str, str, str], ...]:
    """What the procedure does otherwise than the plan's own script: the plan's way, this way, why."""
    return tuple(
        (plain(each.get("plan")), plain(each.get("here")), plain(each.get("why")))
        for fact in facts.of("procedure")
        for each in list_of(fact.data.get("changes"))
        if isinstance(each, dict)
    )


def recovery_point(facts: Facts, history: str) -> tuple[tuple[str, str], ...]:
    rows: list[tuple[str, str]] = []
    for fact in facts.of("recovery.ordered"):
        side = "including it" if fact.data.get("inclusive") else "stopping just before it"
        rows.append(("ordered", f"{plain(fact.data.get('kind'))} {plain(fact.data.get('value'))}, {side}"))
        rows.append(("why there", plain(fact.data.get("why"))))
    for fact in facts.of("recovery.reached"):
        rows.append(("reached", f"position {plain(fact.data.get('at'))}, {history} {plain(fact.data.get('history'))}"))
        rows.append(("from the backup", plain(fact.data.get("backup"))))
        rows.append(("restored", quantity(as_number(fact.data.get("bytes")), "bytes")))
        if fact.data.get("declared_early"):
            rows.append(("said by the procedure", "recovery ended before the end of what was archived"))
    rows += [
        ("salvaged afterwards", f"{plain(fact.data.get('rows'))} rows, {plain(fact.data.get('amount'))} in money")
        for fact in facts.of("salvaged")
    ]
    return tuple(rows)


ASKED = {
    "due": "Questions due",
    "right": "Answered rightly",
    "wrong": "Answered wrongly: something else than they know",
    "refused": "Refused: an error, of the platform or of something in between",
    "no_answer": "Not answered",
    "not_sent": "Due and not sent: too many were waiting",
}


def asked(facts: Facts) -> tuple[tuple[str, str], ...]:
    """What became of the questions of customers who ask for what they know; empty where there were none."""
    counted = facts.data("readers.end")
    return tuple((words, plain(counted.get(name))) for name, words in ASKED.items()) if counted else ()


def list_of(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
