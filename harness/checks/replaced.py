"""Whether a damaged database server was replaced as it must be: by a copy that was proved, and made anew itself."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Line
from harness.checks.steps import begun, done, ended, facts

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
    proofs = ended(evidence, PROVE)
    if any(not line.data.get("ok") for line in proofs):
        return MISSED, str(facts(proofs[-1]).get("error"))
    begin, handed = begun(evidence, HAND_OVER), done(evidence, HAND_OVER)
    if begin is None or handed is None:
        return UNKNOWN, evidence.stopped() or "nobody was handed the lead"
    leads = str(facts(handed).get("leads"))
    sound = {name: looks for line in proofs if line.seq < begin.seq for name, looks in _sound(line).items()}
    if leads not in sound:
        return MISSED, f"{leads} was handed the lead, and nobody had proved it sound"
    last = evidence.moment("leadership", "after")
    if last is None:
        return UNKNOWN, evidence.stopped() or "nobody looked who leads in the end"
    known = {*sound, *_sound(done(evidence, PROVE_ALL))}
    if (ends := str(last.data.get("member"))) not in known:
        return MISSED, f"{ends} leads in the end, and nobody has proved it sound"
    looks = "; ".join(f"{look}: {said}" for look, said in sound[leads].items())
    return MET, f"{leads} was proved before it was handed the lead ({looks})"


def _sound(line: Line | None) -> dict[str, dict[str, str]]:
    """Which servers a step proved, and what each look at them saw."""
    return dict(facts(line).get("sound") or {})


def server_rebuilt(evidence: Evidence, expected: Expectation) -> Finding:
    """Every server that a fault had damaged was made anew, and proved sound after that."""
    damaged = dict.fromkeys(
        str(line.data["undo"]["member"]) for line in evidence.all("fault.intent") if "member" in line.data["undo"]
    )
    if not damaged:
        return expected.finding_of(evidence, REBUILT, UNKNOWN, "no database server was damaged")
    rebuilt, again = done(evidence, REBUILD), done(evidence, PROVE_ALL)
    anew = dict(facts(rebuilt).get("rebuilt") or {})
    if left := [name for name in damaged if name not in anew]:
        why = f"{', '.join(left)} was damaged, and was not made anew"
        stopped = evidence.stopped()
        outcome = UNKNOWN if stopped and rebuilt is None else MISSED
        return expected.finding_of(evidence, REBUILT, outcome, f"{why} ({stopped})" if stopped else why)
    if rebuilt is None or again is None or again.seq < rebuilt.seq:
        return expected.finding_of(evidence, REBUILT, MISSED, "nobody has proved that it is sound now")
    words = "; ".join(f"{name}: {anew[name]}, and proved sound" for name in damaged)
    return expected.finding_of(evidence, REBUILT, MET, words)
