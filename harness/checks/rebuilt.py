"""Whether what an index was rebuilt from had been proved sound before: it is never more sound than its rows."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation
from harness.checks.steps import begun, ended, facts

TITLE = "The rows were proved sound before an index was rebuilt from them"
PROVE, REBUILD = "prove-the-heap", "rebuild-the-index"


def heap_proved(evidence: Evidence, expected: Expectation) -> Finding:
    """Every table whose index was rebuilt must be among those that a step had proved which ended well before it."""
    begin = begun(evidence, REBUILD)
    if begin is None:
        why = evidence.stopped() or "no index was rebuilt"
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why)
    proofs = [line for line in ended(evidence, PROVE) if line.seq < begin.seq and line.data.get("ok")]
    if not proofs:
        why = "an index was rebuilt from rows that nobody had proved sound"
        return expected.finding_of(evidence, TITLE, Outcome.MISSED, why)
    sound = dict(facts(proofs[-1]).get("sound") or {})
    rebuilt = next((line for line in ended(evidence, REBUILD) if line.seq > begin.seq), None)
    if rebuilt is None or not rebuilt.data.get("ok"):
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, "no index was rebuilt to the end")
    tables = dict(facts(rebuilt).get("rebuilt") or {})
    if unproved := sorted(set(tables.values()) - set(sound)):
        why = f"an index was rebuilt from rows that nobody had proved sound: {', '.join(unproved)}"
        return expected.finding_of(evidence, TITLE, Outcome.MISSED, why)
    words = "; ".join(
        f"{index} from {table}, proved on {', '.join(f'{name} ({said})' for name, said in sound[table].items())}"
        for index, table in tables.items()
    )
    if not words:
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, "it is not said which index was rebuilt")
    return expected.finding_of(evidence, TITLE, Outcome.MET, words)
