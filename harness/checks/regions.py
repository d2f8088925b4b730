"""Whether another region took over as it must: the lost one fenced, all replayed, ready, and customers led to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Line, Unsound, against, disaster, position, seconds
from harness.checks.rto import missing_ledgers, rto
from harness.checks.steps import begun, done, ended, facts
from harness.workload.ledger import Request

FENCE, REPLAY, PROMOTE, READY, SWITCH = (
    "fence-the-lost-region", "wait-until-all-is-replayed", "promote-the-second-region", "see-every-service-ready",
    "switch-the-names",
)  # fmt: skip  # a list
HAND_BACK = "promote-the-first-region"
VERIFIED, ADOPT = "verify-the-books", "put-in-service"
BY_NAME = "entrance"  # how customers come in whom a name leads
LONGEST_GAP = 10.0  # seconds without a look; behind a longer one a second writer could have come and gone
REPLAYED, FENCED = "All that was received was replayed", "The lost region takes no write"
SWITCHED, ACTIVATED = "Customers are led to the second region", "The second region serves"
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


def region_fenced(evidence: Evidence, expected: Expectation) -> Finding:
    """The fence came before the promotion, and from there until it was handed the lead again no server of the lost
    region took writes: by what was looked at, and by what customers were answered. The figure: looks that saw one."""
    fenced, promoting = done(evidence, FENCE), begun(evidence, PROMOTE)

    def found(outcome: Outcome, words: str, many: float | None = None) -> Finding:
        return expected.finding_of(
            evidence, FENCED, outcome, words, figure=many, low=many, high=many, objective=0.0, unit="looks"
        )

    if promoting is not None and (fenced is None or fenced.seq > promoting.seq):
        return found(MISSED, "the second region was promoted, and the lost one was not fenced")
    if fenced is None or promoting is None:
        return found(UNKNOWN, evidence.stopped() or "nothing was promoted")
    lost = str(facts(fenced).get("region"))
    until = _handed_back(evidence)
    looks = [look for look in _looks(evidence, lost) if fenced.mono <= look[0] and look[1] <= until]
    known = [look for look in looks if look[2] is not None]
    wrote = sum(bool(look[2]) for look in known)
    answered = sum(
        request.sent is not None
        and fenced.mono <= request.sent
        and request.ended is not None
        and request.ended < until  # else it was stored, it may be, once that led again
        for request in answered_by(evidence, servers_of(evidence, lost))
    )
    words = f"{len(looks)} looks at {lost}"
    if answered:
        return found(
            MISSED, f"{answered} writes were acknowledged by {lost} after it was fenced; {words}", float(wrote)
        )
    if wrote:
        which = sorted({each for line in evidence.all("region.looks") for each in line.data.get("servers") or ()})
        return found(MISSED, f"{words}, {wrote} of them saw that {', '.join(which) or 'it'} takes writes", float(wrote))
    if not known:
        return found(UNKNOWN, f"nobody looked whether {lost} takes writes" if not looks else f"{words} saw nothing")
    gap = _longest_gap(known, since=fenced.mono, until=until)
    words += f", none of which saw it take a write; the longest time between two was {gap:.3f} s"
    if unsure := len(looks) - len(known):
        words += f" ({unsure} looks saw nothing, and count as none)"
    return found(UNKNOWN if gap > LONGEST_GAP else MET, words, 0.0)


def names_switched(evidence: Evidence, expected: Expectation) -> Finding:
    """Seconds from the switch of the names until customers of every place whom a name leads, but those in the lost
    region, were answered by the second region's database; of several groups, the last."""
    begin, switched = begun(evidence, SWITCH), done(evidence, SWITCH)
    announced = {step.get("name") for line in evidence.all("procedure") for step in line.data.get("steps") or ()}
    if announced & {FENCE, REPLAY, PROMOTE, READY} and SWITCH not in announced:
        return expected.finding_of(evidence, SWITCHED, MISSED, "the procedure switches no name")
    if begin is None or switched is None:
        outcome = UNKNOWN if evidence.stopped() or begun(evidence, PROMOTE) is None else MISSED
        return expected.finding_of(evidence, SWITCHED, outcome, evidence.stopped() or "no name was switched")
    second = str(facts(switched).get("region"))
    groups = _led_by_name(evidence, facts(done(evidence, FENCE)).get("region"))
    if missing := [group for group in missing_ledgers(evidence) if group in groups]:
        raise Unsound(f"the ledger of customers {', '.join(missing)} is missing")
    servers = servers_of(evidence, second)
    if not groups or not servers:
        why = "no customers come in by name" if not groups else f"nothing says which servers are of {second}"
        return expected.finding_of(evidence, SWITCHED, UNKNOWN, why)
    first = {group: _first_answer(evidence, group, servers, since=begin.mono) for group in groups}
    ttl = facts(switched).get("ttl")
    if ttl is not None and expected.limit is not None and float(ttl) > expected.limit:
        words = f"an answer of a name may be kept for {float(ttl):g} s, and customers have to be led there sooner"
        return expected.finding_of(evidence, SWITCHED, MISSED, words)
    if late := [group for group, answer in first.items() if answer is None]:
        low = seconds(max(0, evidence.observed() - switched.mono))
        words = f"customers {', '.join(late)} were never answered from {second}"
        outcome = against(low, low, expected.limit, lower_bound=True)
        outcome = MISSED if outcome is UNKNOWN and not evidence.stopped() else outcome
        return expected.finding_of(evidence, SWITCHED, outcome, words, figure=low, low=low, lower_bound=True)
    last = max(answer for answer in first.values() if answer is not None)
    low, high = seconds(max(0, last - switched.mono)), seconds(last - begin.mono)
    beside = tuple((group, f"{seconds(answer - begin.mono):.3f} s") for group, answer in first.items() if answer)
    words = f"customers of every place were answered from {second} at most {high:.3f} s after the names were switched"
    words += f"; an answer of a name may be kept for {float(ttl):g} s" if ttl is not None else ""
    outcome = MET if expected.limit is None else against(low, high, expected.limit)
    return expected.finding_of(evidence, SWITCHED, outcome, words, figure=high, low=low, high=high, beside=beside)


def stale_resolvers(evidence: Evidence, expected: Expectation) -> Finding:
    """Customers whose resolvers keep an answer for longer than they may: the last group; each one stands beside."""
    title = "Customers whose resolvers lie"
    begin, switched = begun(evidence, SWITCH), done(evidence, SWITCH)
    groups = _led_by_name(evidence, facts(done(evidence, FENCE)).get("region"), lie=True)
    if begin is None or switched is None or not groups:
        why = evidence.stopped() or ("no name was switched" if groups else "no customers have such a resolver")
        return expected.finding_of(evidence, title, UNKNOWN, why)
    servers = servers_of(evidence, str(facts(switched).get("region")))
    first = {group: _first_answer(evidence, group, servers, since=begin.mono) for group in groups}
    known = {group: answer for group, answer in first.items() if answer is not None}
    beside = tuple((group, f"{seconds(answer - begin.mono):.3f} s") for group, answer in known.items())
    if late := [group for group in first if group not in known]:
        words = f"customers {', '.join(late)} never followed the name"
        return expected.finding_of(
            evidence, title, MISSED, words, beside=(*beside, *((each, "never") for each in late))
        )
    high = seconds(max(known.values()) - begin.mono)
    low = seconds(max(0, max(known.values()) - switched.mono))
    words = f"they were led to the second region {high:.3f} s after the names were switched"
    outcome = MET if expected.limit is None else against(low, high, expected.limit)
    return expected.finding_of(evidence, title, outcome, words, figure=high, low=low, high=high, beside=beside)


def each_resolver(evidence: Evidence, expected: Expectation) -> Finding:
    """How long customers of each resolver and of each name went without an answer of the second region: the last group;
    each one stands beside. Nobody is promised anything by it, but that they all are led there in the end."""
    title = "What customers of each resolver saw"
    promoted, fenced = done(evidence, PROMOTE), done(evidence, FENCE)
    if promoted is None or fenced is None:
        return expected.finding_of(evidence, title, UNKNOWN, evidence.stopped() or "nothing was promoted")
    lost = facts(fenced).get("region")
    groups = [*_led_by_name(evidence, lost), *_led_by_name(evidence, lost, lie=True)]
    if missing := [group for group in missing_ledgers(evidence) if group in groups]:
        raise Unsound(f"the ledger of customers {', '.join(missing)} is missing")
    servers, hurt = servers_of(evidence, str(facts(promoted).get("region"))), disaster(evidence)
    if len(_ways(evidence, groups)) < 2 or not servers:
        why = "all customers are led there by one name, and by one resolver" if servers else "no server is known there"
        return expected.finding_of(evidence, title, UNKNOWN, why)
    first = {group: _first_answer(evidence, group, servers, since=hurt.earliest) for group in groups}
    known = {group: answer for group, answer in first.items() if answer is not None}
    beside = tuple((group, _without(evidence, group, hurt.earliest, known.get(group))) for group in groups)
    if late := [group for group in groups if group not in known]:
        outcome, words = UNKNOWN if evidence.stopped() else MISSED, f"customers {', '.join(late)} were never led there"
        return expected.finding_of(evidence, title, outcome, words, beside=beside)
    low, high = (seconds(max(0, max(known.values()) - moment)) for moment in (hurt.latest, hurt.earliest))
    words = f"the last of them were answered there {high:.3f} s after the disaster"
    return expected.finding_of(evidence, title, MET, words, figure=high, low=low, high=high, beside=beside)


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


# What the journal says of regions, and the ledgers of who answered


def servers_of(evidence: Evidence, region: str) -> frozenset[str]:
    """The addresses of its database servers, by which answers name them; empty where nothing says them."""
    return frozenset(address for each in _regions(evidence, region) for address in each.get("servers") or {})


def answered_by(evidence: Evidence, servers: frozenset[str]) -> Iterator[Request]:
    """Every acknowledged write, of all groups, that one of these stored."""
    for group in evidence.zones:
        for request in evidence.requests(group):
            if request.outcome == "acknowledged" and request.server in servers:
                yield request


def _regions(evidence: Evidence, name: str) -> list[dict[str, Any]]:
    return [each for each in evidence.stack.get("regions") or () if each.get("region") == name]


def _zones(evidence: Evidence, region: str) -> list[str]:
    return [zone for each in _regions(evidence, region) for zone in each.get("zones") or ()]


def _unasked(evidence: Evidence, region: str, ready: Mapping[str, str]) -> list[str]:
    """Services of a region that nobody asked. What its load balancers are called is not said, only how many it has."""
    one_each = [*(f"zone {zone}" for zone in _zones(evidence, region)), "database", "store"]
    missing = [each for each in one_each if each not in ready]
    balancers = sum(len(each.get("entrances") or ()) for each in _regions(evidence, region))
    asked = len([each for each in ready if each not in one_each])
    return missing + ([f"{balancers - asked} of {balancers} load balancers"] if asked < balancers else [])


def _ways(evidence: Evidence, groups: list[str]) -> set[tuple[object, object]]:
    """By which name these come in, and for how long their resolvers keep it, each once."""
    listed = [group for line in evidence.all("workload.begin") for group in line.data.get("groups") or ()]
    return {(each.get("host"), each.get("keeps")) for each in listed if each["group"] in groups}


def _without(evidence: Evidence, group: str, since: int, until: int | None) -> str:
    """How long a group was without an answer, and how many of its requests were not good meanwhile, in words."""
    sent = [each for each in evidence.requests(group) if each.sent is not None and each.sent >= since]
    bad = sum(each.outcome != "acknowledged" for each in sent if until is None or (each.sent or 0) < until)
    how_long = "never answered there" if until is None else f"{seconds(until - since):.3f} s"
    return f"{how_long}, {bad} requests were not good meanwhile"


def _led_by_name(evidence: Evidence, lost: object, *, lie: bool = False) -> list[str]:
    """Groups of customers whom a name leads, and who do not stand in the lost region; those whose resolvers keep what
    they were told for longer than they may, or all others."""
    gone = _zones(evidence, str(lost))
    return [
        str(group["group"])
        for line in evidence.all("workload.begin")
        for group in line.data.get("groups") or ()
        if group.get("zone") not in gone and group.get("via", BY_NAME) == BY_NAME and bool(group.get("keeps")) == lie
    ]


def _first_answer(evidence: Evidence, group: str, servers: frozenset[str], *, since: int) -> int | None:
    """When a group was first answered by one of these, of what was sent from that moment on."""
    ends = (
        request.ended
        for request in evidence.requests(group)
        if request.outcome == "acknowledged" and request.server in servers
        and request.sent is not None and request.sent >= since and request.ended is not None
    )  # fmt: skip  # a condition in groups
    return min(ends, default=None)


def _handed_back(evidence: Evidence) -> int:
    """When the lost region began to be handed the lead again; else the last moment at which the drill looked on."""
    begin: Line | None = begun(evidence, HAND_BACK)
    return begin.mono if begin else max(evidence.observed(), disaster(evidence).latest)


def _looks(evidence: Evidence, region: str) -> list[tuple[int, int, bool | None]]:
    """In order. Errors: `Unsound` where one cannot have been."""
    found = []
    for line in evidence.all("region.looks"):
        if line.data.get("region") != region:
            continue
        for asked, told, writes in line.data.get("looks") or ():
            if type(asked) is not int or type(told) is not int or not asked <= told <= line.mono:
                raise Unsound(f"line {line.seq + 1} has a look that cannot have been")
            found.append((asked, told, writes))
    return found


def _longest_gap(looks: list[tuple[int, int, bool | None]], *, since: int, until: int) -> float:
    """From the end of one look to the beginning of the next, and at both ends."""
    ends, begins = [since, *(told for _, told, _ in looks)], [*(asked for asked, _, _ in looks), until]
    return seconds(max(begin - end for end, begin in zip(ends, begins, strict=True)))
