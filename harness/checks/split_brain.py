"""Whether two databases were told to customers as one: answers on two histories at one time, or answers that are gone.

Every promotion begins a new history. An acknowledged write was committed at some moment between `sent` and its
answer. A write of an older history that was sent after a write of a newer one was answered is a split brain. Where
the two stretches only touch, nobody can tell. Customers of all groups count, those inside a cut zone above all.

Two databases that were promoted apart from each other give their histories the same number. Where answers name the
server, one history that two servers have written on is a split brain, too, whenever they did.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, seconds
from harness.checks.loss import EARLIEST, LATEST, nothing_to_lose, tally
from harness.checks.rto import missing_ledgers

TITLE = "No split brain"


@dataclass
class Stretch:
    """The acknowledged writes of one history. Times are nanoseconds of the monotonic clock."""

    many: int = 0
    first_sent: int = LATEST
    first_answer: int = LATEST
    last_sent: int = EARLIEST
    last_answer: int = EARLIEST

    def add(self, sent: int, ended: int) -> None:
        self.many += 1
        self.first_sent, self.last_sent = min(self.first_sent, sent), max(self.last_sent, sent)
        self.first_answer, self.last_answer = min(self.first_answer, ended), max(self.last_answer, ended)


@dataclass
class Histories:
    """Which histories the customers' answers are of."""

    stretches: dict[int, Stretch] = field(default_factory=dict)
    servers: dict[int, Counter[str]] = field(default_factory=dict)  # by history: how many answers each one gave
    unnamed: int = 0  # acknowledged, and the answer named no history
    by_group: dict[str, dict[int, Stretch]] = field(default_factory=dict)


def histories(evidence: Evidence) -> Histories:
    """One pass over the ledgers of all groups."""
    found = Histories()
    for group in evidence.zones:
        own = found.by_group.setdefault(group, {})
        for request in evidence.requests(group):
            _, _, sent, ended, outcome, _, _, _, history, server = request
            if outcome != "acknowledged" or sent is None or ended is None:
                continue
            if history is None:
                found.unnamed += 1
            else:
                own.setdefault(history, Stretch()).add(sent, ended)
                found.stretches.setdefault(history, Stretch()).add(sent, ended)
                if server:
                    found.servers.setdefault(history, Counter())[server] += 1
    return found


def split_brain(evidence: Evidence, expected: Expectation) -> Finding:
    """Acknowledged writes that another history contradicts; one is too many."""
    seen = histories(evidence)
    overlapping, words = _overlapping(evidence, seen)
    twofold, which = _twofold(evidence, seen)
    missing = missing_ledgers(evidence)
    if overlapping or twofold:
        why = "; ".join(filter(None, (which, words)))
        return _finding(evidence, expected, Outcome.MISSED, why, overlapping + twofold)
    total = tally(evidence)  # Unsound where the rows were not read
    if total.lost:
        why = f"{total.lost} acknowledged transactions ({total.lost_amount}) are not in the surviving rows; {words}"
        return _finding(evidence, expected, Outcome.MISSED, why, total.lost)
    unknown = _unknown(evidence, seen)
    if missing:
        unknown = f"the ledger of {', '.join(missing)} is missing"
    unknown = unknown or nothing_to_lose(evidence, total) or _touching(evidence, seen)
    if unknown:
        return _finding(evidence, expected, Outcome.UNKNOWN, f"{unknown}; {words}" if words else unknown, None)
    return _finding(evidence, expected, Outcome.MET, words, 0)


def two_leaders(evidence: Evidence, expected: Expectation) -> Finding:
    """The same where acknowledged writes may be lost with a region: what is gone shows no second leader then."""
    seen = histories(evidence)
    overlapping, words = _overlapping(evidence, seen)
    twofold, which = _twofold(evidence, seen)
    if overlapping or twofold:
        why = "; ".join(filter(None, (which, words)))
        return _finding(evidence, expected, Outcome.MISSED, why, overlapping + twofold)
    missing = missing_ledgers(evidence)
    unknown = f"the ledger of {', '.join(missing)} is missing" if missing else _unknown(evidence, seen)
    if not unknown and (many := _serverless(seen)):
        unknown = f"{many} acknowledged writes name no database server: two may have led on one history"
    if unknown := unknown or _touching(evidence, seen):
        return _finding(evidence, expected, Outcome.UNKNOWN, f"{unknown}; {words}" if words else unknown, None)
    return _finding(evidence, expected, Outcome.MET, words, 0)


def _finding(evidence: Evidence, expected: Expectation, outcome: Outcome, words: str, many: int | None) -> Finding:
    figure = None if many is None else float(many)
    return expected.finding_of(
        evidence, TITLE, outcome, words, figure=figure, low=figure, high=figure, objective=0.0, unit="transactions"
    )


def _overlapping(evidence: Evidence, seen: Histories) -> tuple[int, str]:
    """How many writes of an older history were sent after one of a newer was answered; and all histories in words."""
    ordered, called = sorted(seen.stretches), evidence.called["history"]
    words = "; ".join(
        f"{called} {each}: {seen.stretches[each].many} answers in {_length(seen.stretches[each])}" for each in ordered
    )
    # by history: the first answer on any newer one
    newer = {
        each: min((seen.stretches[later].first_answer for later in ordered if later > each), default=LATEST)
        for each in ordered
    }
    if not any(seen.stretches[each].last_sent > newer[each] for each in ordered):
        return 0, words
    many, groups = 0, set[str]()
    for group in evidence.zones:
        for request in evidence.requests(group):
            history, sent = request.history, request.sent
            if request.outcome == "acknowledged" and history is not None and sent is not None and sent > newer[history]:
                many += 1
                groups.add(group)
    return (
        many,
        f"{many} writes of {', '.join(sorted(groups))} were acknowledged on a {called} that another had left; {words}",
    )


def _serverless(seen: Histories) -> int:
    """Acknowledged writes whose answer named a history, and no server."""
    return sum(each.many for each in seen.stretches.values()) - sum(each.total() for each in seen.servers.values())


def _twofold(evidence: Evidence, seen: Histories) -> tuple[int, str]:
    """How many writes were acknowledged by another server than the one that gave most answers on that history."""
    two = {history: servers for history, servers in seen.servers.items() if len(servers) > 1}
    many = sum(servers.total() - max(servers.values()) for servers in two.values())
    called = evidence.called["history"]
    words = [f"{called} {each}: acknowledged by {' and '.join(sorted(two[each]))}" for each in sorted(two)]
    return many, "; ".join(words)


def _length(stretch: Stretch) -> str:
    return f"{seconds(stretch.last_answer - stretch.first_sent):.3f} s"


def _touching(evidence: Evidence, seen: Histories) -> str:
    """Why it cannot be told whether two histories overlap; empty where they surely do not."""
    ordered, many = sorted(seen.stretches), evidence.called["histories"]
    for older in ordered:
        for newer in (each for each in ordered if each > older):
            if seen.stretches[older].last_answer >= seen.stretches[newer].first_sent:
                return f"the answers of {many} {older} and {newer} are too near to each other in time to tell"
    return ""


def _unknown(evidence: Evidence, seen: Histories) -> str:
    """Why the ledgers do not show enough; empty where they do."""
    history = evidence.called["history"]
    if not seen.stretches:
        return f"no answer in the ledgers names a {history}"
    if seen.unnamed:
        return f"{seen.unnamed} acknowledged writes name no {history}"
    if evidence.inside and not any(seen.by_group.get(group) for group in evidence.inside):
        return "no customer inside a zone was answered, so nobody was there to be told two things"
    return ""
