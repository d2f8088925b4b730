"""Whether another region took over as it must: all was replayed before it led, and it was ready for customers."""

from __future__ import annotations

from collections.abc import Mapping

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, position
from harness.checks.places import (
    PROMOTE,
    READY,
    REPLAY,
    SWITCH,
    answered_by,
    regions_of,
    servers_of,
    zones_of,
)
from harness.checks.rto import rto
from harness.checks.steps import begun, done, ended, facts

VERIFIED, ADOPT = "verify-the-books", "put-in-service"
REPLAYED, ACTIVATED = "All that was received was replayed", "The second region serves"
MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def replayed_all(evidence: Evidence, expected: Expectation) -> Finding:
    """Nothing was received any more, all of it was replayed before the promotion, and the new history begins behind it.
    The figure: bytes that were received and are not in the new history."""

    def found(outcome: Outcome, words: str, many: float | None = None) -> Finding:
        return expected.finding_of(
            evidence, REPLAYED, outcome, words, figure=many, low=many, high=many, objective=0.0, unit="bytes"
        )

    failed = [line for line in ended(evidence, REPLAY) if not line.data.get("ok")]
    if failed:
        return found(MISSED, str(facts(failed[-1]).get("error")))
    proof, promoted, begin = done(evidence, REPLAY), done(evidence, PROMOTE), begun(evidence, PROMOTE)
    if begin is not None and (proof is None or proof.seq > begin.seq):
        return found(MISSED, "it was promoted without a proof that all was replayed")
    if proof is None or promoted is None:
        return found(UNKNOWN, evidence.stopped() or "nothing was promoted")
    said = facts(proof)
    received, replayed = position(said.get("received")), position(said.get("replayed"))
    parted = position(facts(promoted).get("parted"))
    missing = received - min(replayed, parted)
    words = f"received up to {received}, replayed up to {replayed}, and the new history begins at {parted}"
    if said.get("receives"):
        return found(MISSED, f"more was still coming when it was promoted; {words}")
    return found(MISSED if missing > 0 else MET, words, float(max(0, missing)))


def replica_refused(evidence: Evidence, expected: Expectation) -> Finding:
    """That the second region's replica cannot be used was seen before anything led there, and what led had been
    restored and verified. The figure: how old the newest was, in seconds, of what the replica had replayed."""
    title = "A replica that cannot be used does not lead"
    line, promoting = evidence.last("replica"), begun(evidence, PROMOTE)
    if promoting is None or line is None:
        outcome = UNKNOWN if promoting is None else MISSED
        why = evidence.stopped() or "nothing led in the second region"
        return expected.finding_of(evidence, title, outcome, "nobody looked at the replica" if promoting else why)
    served = [each for each in (done(evidence, VERIFIED), done(evidence, ADOPT)) if each and each.seq < promoting.seq]
    said = f"received up to {line.data.get('received')}, replayed up to {line.data.get('replayed')}"
    if line.data.get("usable") is not False or line.seq > promoting.seq:
        return expected.finding_of(evidence, title, MISSED, f"it was not seen before it led that it cannot: {said}")
    if len(served) < 2:
        return expected.finding_of(evidence, title, MISSED, f"it led, and nothing restored and verified had; {said}")
    age = line.data.get("age")
    figure = None if age is None else float(age)
    words = f"{line.data.get('why')}; what led was restored from the backups there, and verified"
    return expected.finding_of(evidence, title, MET, words, figure=figure, low=figure, high=figure)


def choice_weighed(evidence: Evidence, expected: Expectation) -> Finding:
    """What each choice would cost was measured, by the plan's rule, before somebody was asked to choose."""
    title = "Each choice was weighed"
    line, asked = evidence.last("weighed"), evidence.first("decided")
    if line is None:
        if asked is None:
            return expected.finding_of(evidence, title, UNKNOWN, evidence.stopped() or "nobody chose")
        return expected.finding_of(evidence, title, MISSED, "somebody chose, and nobody had said what it costs")
    choices = {str(each.get("choice")): each for each in line.data.get("choices") or ()}
    over, repair = choices.get("fail over", {}), choices.get("repair", {})
    behind = max(0, position(over.get("position")) - position(over.get("received")))
    words = f"to fail over: what the second region had not received, {behind} bytes"
    words += f"; to repair: longer than the {float(repair['waited']):.3f} s that customers had waited"
    words += f"; the rule: {line.data.get('rule')}"
    late = asked is not None and asked.seq < line.seq
    return expected.finding_of(evidence, title, MISSED if late or not line.data.get("rule") else MET, words)


def second_region_activated(evidence: Evidence, expected: Expectation) -> Finding:
    """Every service of the second region was seen ready before customers were sent there: that of each of its zones,
    as many load balancers as it has, its database and its store; and that database stored what customers wrote."""
    failed = [line for line in ended(evidence, READY) if not line.data.get("ok")]
    if failed:
        return expected.finding_of(evidence, ACTIVATED, MISSED, str(facts(failed[-1]).get("error")))
    seen, sent = done(evidence, READY), begun(evidence, SWITCH)
    if sent is not None and (seen is None or seen.seq > sent.seq):
        return expected.finding_of(evidence, ACTIVATED, MISSED, "customers were sent there before it was seen ready")
    if seen is None:
        return expected.finding_of(evidence, ACTIVATED, UNKNOWN, evidence.stopped() or "it was not activated")
    second, ready = str(facts(seen).get("region")), dict(facts(seen).get("ready") or {})
    unasked = _unasked(evidence, second, ready)
    late = [name for name, said in ready.items() if not said]
    if unasked or late or not ready:
        why = f"not asked: {', '.join(unasked)}" if unasked else f"not ready: {', '.join(late) or 'nothing asked'}"
        return expected.finding_of(evidence, ACTIVATED, MISSED, why)
    stored = sum(1 for _ in answered_by(evidence, servers_of(evidence, second)))
    words = f"{', '.join(ready)} of {second} were ready, and its database stored {stored} transactions"
    return expected.finding_of(evidence, ACTIVATED, MET if stored else MISSED, words)


def response(evidence: Evidence, expected: Expectation) -> Finding:
    """The plan's time to respond, read as strictly as it can be: from the disaster's effect until service is good."""
    found = rto(evidence, expected)
    reason = f"counted until service is good again, and not until somebody begins; {found.reason}"
    return expected.finding_of(
        evidence, "Response to the disaster", found.outcome, reason, figure=found.figure, low=found.low,
        high=found.high, lower_bound=found.lower_bound, parts=found.parts, beside=found.beside,
    )  # fmt: skip  # arguments in groups


def _unasked(evidence: Evidence, region: str, ready: Mapping[str, str]) -> list[str]:
    """Services of a region that nobody asked. What its load balancers are called is not said, only how many it has."""
    one_each = [*(f"zone {zone}" for zone in zones_of(evidence, region)), "database", "store"]
    missing = [each for each in one_each if each not in ready]
    balancers = sum(len(each.get("entrances") or ()) for each in regions_of(evidence, region))
    asked = len([each for each in ready if each not in one_each])
    return missing + ([f"{balancers - asked} of {balancers} load balancers"] if asked < balancers else [])
