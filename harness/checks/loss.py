"""What customers lost: the ledgers compared with the rows at the end, one stream beside the other.

*Lost* is a transaction that was acknowledged and has no row. *In doubt* (sent, never answered) is listed apart and is
neither lost nor kept. The loss in time runs from the acknowledgement of the oldest lost transaction to the last
acknowledgement before service stopped, or to that of the last lost one where that came later. Where nothing was
recovered, and another server went on, service stopped when the last fault took effect. Since the comparison is
with the rows at the very end, what was acknowledged between a logical error and its detection counts as lost unless
it was salvaged.

An acknowledgement is stamped when the customer has the answer; the commit lies between `sent` and that. The bar of the
loss in time comes from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Unsound, against, seconds
from harness.checks.join import joined, same
from harness.checks.reach import LOSS, within_reach
from harness.checks.rto import missing_ledgers

TITLE = "Lost transactions"
BY_WHOM = "lost, by customers"
OTHERWISE = "are stored otherwise than they were sent"
FINAL = "final"
EARLIEST = -(1 << 62)
LATEST = 1 << 62


@dataclass
class Tally:
    """The ledgers of all zones against the final rows. Times are nanoseconds of the monotonic clock."""

    due: int = 0
    acknowledged: int = 0
    failed: int = 0
    in_doubt: int = 0
    not_sent: int = 0
    lost: int = 0
    lost_amount: Decimal = Decimal(0)
    money: bool = True  # each transaction that was sent moves an amount, as far as its customers know
    in_doubt_stored: int = 0
    failed_stored: int = 0
    not_sent_stored: int = 0
    duplicates: int = 0  # rows beyond the first of their number
    changed: int = 0  # rows that differ from what was sent
    strangers: int = 0  # rows whose number nobody sent
    first_acknowledged: int = LATEST
    last_sent: int = EARLIEST  # of the requests acknowledged before service stopped
    last_acknowledged: int = EARLIEST  # before service stopped
    oldest_lost: int = LATEST  # acknowledgement
    oldest_lost_sent: int = LATEST
    last_lost: int = EARLIEST
    last_lost_sent: int = EARLIEST
    lost_by: dict[str, int] = field(default_factory=dict)  # by group; of none that lost nothing
    lost_numbers: dict[str, list[list[int]]] = field(default_factory=dict)  # by group: the first and last of each row


def service_stopped(evidence: Evidence) -> int:
    """A moment at which the platform no longer served from the old database and not yet from the recovered one."""
    for kind in ("recovery.reached", "in_service"):
        line = evidence.first(kind)
        if line is not None:
            return line.mono
    return LATEST


def tally(evidence: Evidence) -> Tally:
    """Compare every zone, as streams, once. Errors: `Unsound` when one is missing or out of order."""
    return evidence.once("tally", lambda: _tally(evidence))


def _tally(evidence: Evidence) -> Tally:
    if missing := missing_rows(evidence, FINAL):
        raise Unsound(f"the final rows of customers {', '.join(missing)} were not read")
    total = Tally()
    stopped = service_stopped(evidence)
    for zone in evidence.zones:
        before = total.lost
        _zone(evidence, zone, stopped, total)
        if lost := total.lost - before:
            total.lost_by[zone] = lost
    return total


def _zone(evidence: Evidence, zone: str, stopped: int, total: Tally) -> None:
    """One zone. The usual case, acknowledged and stored as sent, is dealt with first and with locals only."""
    acknowledged = 0
    first, last, last_sent = total.first_acknowledged, total.last_acknowledged, total.last_sent
    for request, row, again in joined(evidence.requests(zone), evidence.rows(FINAL, zone)):
        if request is None:
            total.strangers += 1
            continue
        if again:
            total.duplicates += 1
            total.changed += row is not None and not same(request, row)
            continue
        _, _, sent, ended, outcome, _, amount, _, _, _ = request
        if amount is None and sent is not None:
            total.money = False
        if outcome != "acknowledged":
            _unacknowledged(total, outcome, stored=row is not None)
        else:
            assert sent is not None and ended is not None
            acknowledged += 1
            if ended < first:  # noqa: PLR1730  min() costs three times as much, a million times over
                first = ended
            if ended < stopped:
                if ended > last:  # noqa: PLR1730  as above
                    last = ended
                if sent > last_sent:  # noqa: PLR1730  as above
                    last_sent = sent
            if row is None:
                _lost(total, sent, ended, amount)
                _numbered(total.lost_numbers.setdefault(zone, []), request.number)
                continue
        if row is not None and outcome != "not_sent" and not same(request, row):
            total.changed += 1
    total.due += acknowledged
    total.acknowledged += acknowledged
    total.first_acknowledged, total.last_acknowledged, total.last_sent = first, last, last_sent


def _gone(evidence: Evidence) -> int | None:
    """When the database that lost something ended to answer, where nothing was recovered: as the last fault took
    effect. None where something was, or nothing took effect."""
    known = (line.data.get("latest") for line in evidence.all("fault.effective"))
    effective = [moment for moment in known if type(moment) is int]
    return max(effective) if effective and service_stopped(evidence) == LATEST else None


def _last_before(evidence: Evidence, gone: int) -> tuple[int, int]:
    """The last `sent` and the last answer of what was acknowledged by then."""
    last_sent, last = EARLIEST, EARLIEST
    for zone in evidence.zones:
        for request in evidence.requests(zone):
            _, _, sent, ended, outcome, *_ = request
            if outcome == "acknowledged" and sent is not None and ended is not None and ended < gone:
                last_sent, last = max(last_sent, sent), max(last, ended)
    return last_sent, last


def _unacknowledged(total: Tally, outcome: str, *, stored: bool) -> None:
    total.due += 1
    if outcome == "in_doubt":
        total.in_doubt += 1
        total.in_doubt_stored += stored
    elif outcome == "failed":
        total.failed += 1
        total.failed_stored += stored
    else:
        total.not_sent += 1
        total.not_sent_stored += stored


def _lost(total: Tally, sent: int, ended: int, amount: Decimal | None) -> None:
    total.lost += 1
    total.lost_amount += amount or 0
    total.oldest_lost = min(total.oldest_lost, ended)
    total.oldest_lost_sent = min(total.oldest_lost_sent, sent)
    total.last_lost = max(total.last_lost, ended)
    total.last_lost_sent = max(total.last_lost_sent, sent)


def _numbered(rows: list[list[int]], number: int) -> None:
    """They come in their order."""
    if rows and rows[-1][1] == number - 1:
        rows[-1][1] = number
    else:
        rows.append([number, number])


def _amount(total: Tally) -> str:
    return f", amount {total.lost_amount}" if total.money else ""


def _beside(total: Tally) -> tuple[tuple[str, str], ...]:
    money = (("lost money", f"{total.lost_amount:,}"),) if total.money else ()
    whom = ", ".join(f"{group} {many:,}" for group, many in total.lost_by.items())
    return (("lost transactions", f"{total.lost:,}"), *money, *(((BY_WHOM, whom),) if whom else ()))


def loss(evidence: Evidence, expected: Expectation) -> Finding:
    """The loss in time against `expected.limit`, in seconds; a limit of 0 allows no lost transaction at all."""
    total = tally(evidence)
    sent, answered = total.last_sent, total.last_acknowledged
    if total.lost and (gone := _gone(evidence)) is not None:
        sent, answered = _last_before(evidence, gone)
    return spanning(evidence, expected, sent=sent, answered=answered)


def spanning(evidence: Evidence, expected: Expectation, *, sent: int, answered: int) -> Finding:
    """Where the database that was lost was `sent` and `answered` the last of its acknowledged transactions then."""
    total = tally(evidence)
    if why := nothing_to_lose(evidence, total):
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why)
    words = [
        f"of {total.acknowledged} acknowledged transactions {total.lost} are lost{_amount(total)}",
        f"in doubt {total.in_doubt}, of which {total.in_doubt_stored} are stored",
    ]
    end = max(answered, total.last_lost)
    window = greatest_loss(total)
    reach = f"customers' writes reach back {window:.3f} s, so a longer loss could not have shown in this run"
    beside = _beside(total)
    if not total.lost:
        words.append(reach)
        outcome = Outcome.UNKNOWN if expected.limit is None else Outcome.MET
        return expected.finding_of(
            evidence, TITLE, outcome, "; ".join(words), figure=0.0, low=0.0, high=0.0, beside=beside
        )
    figure = seconds(end - total.oldest_lost)
    low = seconds(max(0, max(sent, total.last_lost_sent) - total.oldest_lost))
    high = seconds(end - total.oldest_lost_sent)
    whole = total.oldest_lost <= total.first_acknowledged
    outcome = against(low, high, expected.limit, lower_bound=whole)
    if expected.limit is not None and expected.limit <= 0:
        outcome = Outcome.MISSED
    words.append(f"the loss spans {figure:.3f} s; the bar comes from commits that lie between `sent` and the answer")
    words.append(f"it reaches back to the first acknowledgement, so it is {figure:.3f} s or more" if whole else reach)
    return expected.finding_of(
        evidence,
        TITLE,
        outcome,
        "; ".join(words),
        figure=figure,
        low=low,
        high=None if whole else high,
        lower_bound=whole,
        beside=beside,
    )


def loss_seen(evidence: Evidence, expected: Expectation) -> Finding:
    """`loss`, with the longest loss that could have shown beside it."""
    return seen(evidence, loss(evidence, expected))


def seen(evidence: Evidence, found: Finding) -> Finding:
    """What was found of a loss, with that beside it."""
    return found if found.figure is None else within_reach(found, LOSS, greatest_loss(tally(evidence)))


def greatest_loss(total: Tally) -> float:
    """The longest loss, in seconds, that could have shown: as far as acknowledged writes reach back."""
    return seconds(max(0, max(total.last_acknowledged, total.last_lost) - total.first_acknowledged))


def no_loss(evidence: Evidence, expected: Expectation) -> Finding:
    """Not one acknowledged transaction may be missing, of any group of customers."""
    total = tally(evidence)
    title = "No acknowledged transaction is lost"
    if why := nothing_to_lose(evidence, total):
        return expected.finding_of(evidence, title, Outcome.UNKNOWN, why, objective=0.0, unit="transactions")
    figure = float(total.lost)
    words = (
        f"of {total.acknowledged} acknowledged transactions {total.lost} are lost{_amount(total)}; "
        f"in doubt {total.in_doubt}, of which {total.in_doubt_stored} are stored"
    )
    return expected.finding_of(
        evidence,
        title,
        Outcome.MISSED if total.lost else Outcome.MET,
        words,
        figure=figure,
        low=figure,
        high=figure,
        objective=0.0,
        unit="transactions",
        beside=_beside(total),
    )


def nothing_to_lose(evidence: Evidence, total: Tally) -> str:
    """Why nothing can be said about loss; empty where something can."""
    if not evidence.zones:
        return "the scenario has no ledger"
    if missing := missing_ledgers(evidence):
        return f"the ledger of customers {', '.join(missing)} is missing"
    if not total.acknowledged:
        return "no write was acknowledged, so none could be lost"
    return ""


def missing_rows(evidence: Evidence, moment: str) -> list[str]:
    """Zones with a ledger and without rows of that moment."""
    return [zone for zone in evidence.zones if (moment, zone) not in evidence.moments]


def ledger_agreement(evidence: Evidence, expected: Expectation) -> Finding:
    """Whether the database and the customers tell the same story, apart from what was lost."""
    total = tally(evidence)
    title = "What is stored is what the ledger says"
    if why := nothing_to_lose(evidence, total):
        return expected.finding_of(evidence, title, Outcome.UNKNOWN, why, objective=0.0, unit="transactions")
    wrong = {
        "came back though they had failed": total.failed_stored,
        "are stored though they were not sent": total.not_sent_stored,
        "are stored more than once": total.duplicates,
        OTHERWISE: total.changed,
        "were sent by nobody": total.strangers,
    }
    count = float(sum(wrong.values()))
    words = [f"{many} {what}" for what, many in wrong.items() if many]
    words += _miscounted(evidence, total)
    return expected.finding_of(
        evidence,
        title,
        Outcome.MISSED if words else Outcome.MET,
        "; ".join(words) or f"{total.due} requests and their rows agree, losses apart",
        figure=count,
        low=count,
        high=count,
        objective=0.0,
        unit="transactions",
    )


def _miscounted(evidence: Evidence, total: Tally) -> list[str]:
    """Where the customers' own count at the end is not what their ledgers hold."""
    end = evidence.last("workload.end")
    if end is None:
        return []
    counts = ("due", "acknowledged", "failed", "in_doubt", "not_sent")
    return [
        f"the customers counted {end.data[name]} {name.replace('_', ' ')}, their ledgers hold {getattr(total, name)}"
        for name in counts
        if name in end.data and end.data[name] != getattr(total, name)
    ]
