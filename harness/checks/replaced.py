"""Whether a damaged database server was replaced as it must be: by a copy that was proved, and made anew itself."""

from __future__ import annotations

from typing import Any

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Line

PROVED = "Copies were proved sound before one was let lead"
REBUILT = "What was damaged was made anew"
PROVE, HAND_OVER, REBUILD, PROVE_ALL = (
    "prove-each-copy", "hand-over-the-lead", "rebuild-each-damaged-server", "prove-every-server",
)  # fmt: skip  # a list
MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def copy_proved(evidence: Evidence, expected: Expectation) -> Finding:
    """Who was handed the lead was proved before that, and who leads in the end was proved last."""
    outcome, words = _proved(evidence)
    return expected.finding_of(evidence, PROVED, outcome, words)


def _proved(evidence: Evidence) -> tuple[Outcome, str]:
    proofs = [line for line in evidence.all("step.end") if line.data.get("name") == PROVE]
    if any(not line.data.get("ok") for line in proofs):
        return MISSED, str(_facts(proofs[-1]).get("error"))
    begin = next((line for line in evidence.all("step.begin") if line.data.get("name") == HAND_OVER), None)
    handed = _done(evidence, HAND_OVER)
    if begin is None or handed is None:
        return UNKNOWN, evidence.stopped() or "nobody was handed the lead"
    leads = str(_facts(handed).get("leads"))
    sound = [dict(_facts(line).get("sound") or {}) for line in proofs if line.seq < begin.seq]
    if not any(leads in each for each in sound):
        return MISSED, f"{leads} was handed the lead, and nobody had proved it sound"
    last = evidence.moment("leadership", "after")
    if last is None:
        return UNKNOWN, evidence.stopped() or "nobody looked who leads in the end"
    again = _done(evidence, PROVE_ALL)
    known = {*sound[-1], *(dict(_facts(again).get("sound") or {}) if again else {})}
    if (ends := str(last.data.get("member"))) not in known:
        return MISSED, f"{ends} leads in the end, and nobody has proved it sound"
    looks = "; ".join(f"{look}: {said}" for look, said in sound[-1][leads].items())
    return MET, f"{leads} was proved before it was handed the lead ({looks})"


def server_rebuilt(evidence: Evidence, expected: Expectation) -> Finding:
    """Every server that a fault had damaged was made anew, and proved sound after that."""
    damaged = dict.fromkeys(
        str(line.data["undo"]["member"]) for line in evidence.all("fault.intent") if "member" in line.data["undo"]
    )
    if not damaged:
        return expected.finding_of(evidence, REBUILT, UNKNOWN, "no database server was damaged")
    done, again = _done(evidence, REBUILD), _done(evidence, PROVE_ALL)
    anew = dict(_facts(done).get("rebuilt") or {}) if done else {}
    if left := [name for name in damaged if name not in anew]:
        why = f"{', '.join(left)} was damaged, and was not made anew"
        stopped = evidence.stopped()
        outcome = UNKNOWN if stopped and done is None else MISSED
        return expected.finding_of(evidence, REBUILT, outcome, f"{why} ({stopped})" if stopped else why)
    if done is None or again is None or again.seq < done.seq:
        return expected.finding_of(evidence, REBUILT, MISSED, "nobody has proved that it is sound now")
    words = "; ".join(f"{name}: {anew[name]}, and proved sound" for name in damaged)
    return expected.finding_of(evidence, REBUILT, MET, words)


def _done(evidence: Evidence, step: str) -> Line | None:
    """The last end of a step that went well."""
    ends = [line for line in evidence.all("step.end") if line.data.get("name") == step and line.data.get("ok")]
    return ends[-1] if ends else None


def _facts(line: Line) -> dict[str, Any]:
    return dict(line.data.get("facts") or {})
