"""Whether the region that was lost came back as it must: as a follower, and in service again without a loss."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Unsound
from harness.checks.interruption import Interrupted, interrupted
from harness.checks.join import joined
from harness.checks.loss import FINAL, missing_rows, nothing_to_lose, tally
from harness.checks.places import BY_NAME, HAND_BACK, PROMOTE, answered_by, servers_of
from harness.checks.rto import missing_ledgers
from harness.checks.steps import begun, done, ended, facts

FOLLOW, LET_ON, SEE = "make-it-follow", "let-its-servers-on", "see-it-follow"
FOLLOWS = "The lost region follows the second"
LOSSLESS = "The planned switchback loses nothing, and interrupts service once"
SWITCHBACK = "switchback"  # the phase
MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def region_follows(evidence: Evidence, expected: Expectation) -> Finding:
    """It was made to follow before any of its servers was let on, as the histories of both say, and each streams."""
    failed = [line for step in (FOLLOW, LET_ON, SEE) for line in ended(evidence, step) if not line.data.get("ok")]
    if failed:
        return expected.finding_of(evidence, FOLLOWS, MISSED, str(facts(failed[0]).get("error")))
    made, let_on, seen = done(evidence, FOLLOW), begun(evidence, LET_ON), done(evidence, SEE)
    if let_on is not None and (made is None or made.seq > let_on.seq):
        return expected.finding_of(evidence, FOLLOWS, MISSED, "its servers were let on before it was made to follow")
    if made is None or seen is None:
        why = evidence.stopped()
        outcome = UNKNOWN if why or begun(evidence, PROMOTE) is None else MISSED
        return expected.finding_of(evidence, FOLLOWS, outcome, why or "it was not seen to follow")
    region, follows = str(facts(seen).get("region")), str(facts(seen).get("follows"))
    second = str(facts(done(evidence, PROMOTE)).get("region"))
    words = f"{region} follows {follows or 'nobody'}: {facts(made).get('how')}"
    streams = "; ".join(f"{name}: {said}" for name, said in dict(facts(seen).get("seen") or {}).items())
    return expected.finding_of(evidence, FOLLOWS, MET if follows == second else MISSED, f"{words}; {streams}")


def switchback_lossless(evidence: Evidence, expected: Expectation) -> Finding:
    """Not one transaction is missing in the end that was acknowledged since the second region was promoted, customers
    wrote before the planned switchback and after it, and those outside were without service once at most, and were
    served in the end. Nothing says for how long they may be: that stands in the words, and beside for each group.
    """

    def found(outcome: Outcome, words: str, many: float | None = None, **more: object) -> Finding:
        return expected.finding_of(
            evidence, LOSSLESS, outcome, words, figure=many, low=many, high=many, objective=0.0, unit="transactions",
            **more,
        )  # fmt: skip  # arguments in groups

    promoted, handed = begun(evidence, PROMOTE), done(evidence, HAND_BACK)
    steps = [line for line in evidence.all("step.begin") if line.data.get("phase") == SWITCHBACK]
    if promoted is None or not steps or handed is None:
        failed = [line for line in evidence.all("step.end") if line.data.get("phase") == SWITCHBACK]
        wrong = next((str(facts(line).get("error")) for line in failed if not line.data.get("ok")), "")
        return found(MISSED if wrong else UNKNOWN, wrong or evidence.stopped() or "nothing was switched back")
    missing = ", ".join(missing_rows(evidence, FINAL))
    why = f"the final rows of customers {missing} were not read" if missing else ""
    if why := why or nothing_to_lose(evidence, tally(evidence)):
        return found(UNKNOWN, why)
    acknowledged, lost = _kept(evidence, since=promoted.mono)
    words = f"of {acknowledged} transactions acknowledged since the second region led {lost} are lost"
    if lost:
        return found(MISSED, words, float(lost))
    before = _stored(evidence, str(facts(done(evidence, PROMOTE)).get("region")), until=steps[0].mono)
    after = _stored(evidence, str(facts(handed).get("region")), since=handed.mono)
    if not before or not after:
        return found(UNKNOWN, f"nobody wrote {'after' if before else 'before'} it, so nothing could be lost; {words}")
    groups = _interrupted(evidence, steps[0].mono)
    outcome, why = _once(evidence, [each for each in groups if each.group in evidence.outside])
    beside = tuple((f"without service, {each.group}", each.words()) for each in groups)
    return found(outcome, f"{words}; {why}", 0.0, beside=beside)


def _kept(evidence: Evidence, *, since: int) -> tuple[int, int]:
    """How many that were sent from that moment on were acknowledged, and how many of them are lost."""
    acknowledged = lost = 0
    for group in evidence.zones:
        for request, row, again in joined(evidence.requests(group), evidence.rows(FINAL, group)):
            if request is None or again or request.outcome != "acknowledged":
                continue
            if request.sent is not None and request.sent >= since:
                acknowledged += 1
                lost += row is None
    return acknowledged, lost


def _once(evidence: Evidence, outside: list[Interrupted]) -> tuple[Outcome, str]:
    """Whether customers outside were interrupted once at most, and are served."""
    if not any(each.due for each in outside):
        return UNKNOWN, "no customers came in by name outside, so nobody says for how long it interrupted service"
    words = "; ".join(f"customers {each.group} were without service: {each.words()}" for each in outside)
    if any(len(each.found) > 1 for each in outside):
        return MISSED, f"{words}: they had been served again, and what was planned is one interruption"
    served = all(each.served for each in outside)
    return MET if served else UNKNOWN if evidence.stopped() else MISSED, words


def _interrupted(evidence: Evidence, begun: int) -> list[Interrupted]:
    """Every group that comes in by name, since what was planned was to begin. Errors: `Unsound`."""
    groups = [
        str(each["group"])
        for line in evidence.all("workload.begin")
        for each in line.data.get("groups") or ()
        if each.get("via", BY_NAME) == BY_NAME
    ]
    if missing := [group for group in missing_ledgers(evidence) if group in groups]:
        raise Unsound(f"the ledger of customers {', '.join(missing)} is missing")
    planned, end = evidence.last("planned.begin"), evidence.first("workload.end")
    since = begun if planned is None else min(begun, planned.mono)
    until = end.mono if end else evidence.observed()
    return [interrupted(evidence, group, since=since, until=until) for group in groups]


def _stored(evidence: Evidence, region: str, *, since: int = 0, until: int | None = None) -> list[int]:
    """When answers came of that region's database, in a stretch of time."""
    ends = (request.ended for request in answered_by(evidence, servers_of(evidence, region)))
    return [end for end in ends if end is not None and end >= since and (until is None or end <= until)]
