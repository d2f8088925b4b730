"""Whether customers were told what is wrong, how many of them, and for how long.

Some customers ask for what they know. An answer is wrong where it says something else than they know; an error, and no
answer, tell nothing wrong, and are counted apart. The figure is the time from the fault's effect to the last wrong
answer, and 0 where none was wrong: answers that were given are counted, not those that somebody else might have got.
An answer was made at some moment between the question and when it came: that, and the two ends of the fault's effect,
are the bar.

Where every answer until the repair was right, nothing shows that anybody asked for what was damaged. Then nothing is
known, and it is not met.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.checks import Finding, Outcome
from harness.checks.evidence import Disaster, Evidence, Expectation, against, disaster, seconds
from harness.workload.answers import Answer

TITLE = "What customers were told was right"
HIT = ("wrong", "refused", "no_answer")


@dataclass
class Tally:
    """What became of the questions of all groups. Times are nanoseconds of the monotonic clock."""

    asked: int = 0  # due from the fault's effect on, as all that follow
    right: int = 0
    wrong: int = 0
    refused: int = 0
    no_answer: int = 0
    not_sent: int = 0
    hit: int = 0  # not answered rightly, and asked before anybody repaired anything
    before: int = 0  # wrong, and answered before the fault
    after: int = 0  # wrong, and asked when what was repaired had been verified
    first: Answer | None = None  # of the wrong ones
    last: Answer | None = None
    about: set[str] = field(default_factory=set)  # what wrong answers were about


def tally(evidence: Evidence, hurt: Disaster) -> Tally:
    """One pass over the records of all groups. Errors: `Unsound` where one is no record."""
    total = Tally()
    repaired = next((line.mono for line in evidence.all("step.begin") if line.mono >= hurt.latest), None)
    verified = [line for line in evidence.all("verified") if line.mono >= hurt.latest]
    sound = verified[-1].mono if verified and verified[-1].data.get("ok") else None
    for group in evidence.asking:
        for answer in evidence.answers(group):
            _add(total, answer, hurt, repaired, sound)
    return total


def _add(total: Tally, answer: Answer, hurt: Disaster, repaired: int | None, sound: int | None) -> None:
    """An answer that had come before the fault can tell nothing of it."""
    if answer.ended is not None and answer.ended < hurt.earliest:
        total.before += answer.outcome == "wrong"
        return
    total.asked += 1
    setattr(total, answer.outcome, getattr(total, answer.outcome) + 1)
    if answer.asked is None:
        return
    if answer.outcome in HIT and answer.ended is not None and (repaired is None or answer.asked < repaired):
        total.hit += 1
    if answer.outcome == "wrong":
        total.about.add(answer.about)
        total.after += sound is not None and answer.asked > sound
        if total.first is None or _ended(answer) < _ended(total.first):
            total.first = answer
        if total.last is None or _ended(answer) > _ended(total.last):
            total.last = answer


def _ended(answer: Answer) -> int:
    assert answer.ended is not None, "a wrong answer has come"
    return answer.ended


def wrong_answers(evidence: Evidence, expected: Expectation) -> Finding:
    """Seconds from the fault's effect to the last wrong answer, against `expected.limit`.

    Errors: `Unsound` when it is not known that the fault took effect.
    """
    hurt = disaster(evidence)
    if why := nobody_asked(evidence):
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why)
    total = tally(evidence, hurt)
    beside = _beside(total, hurt)
    if total.before:
        why = f"{total.before} answers were wrong before the fault, so what came after it says nothing of it"
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why, beside=beside)
    if total.last is None or total.first is None:
        return _none_wrong(evidence, expected, total, beside)
    assert total.last.asked is not None
    low, high = seconds(max(0, total.last.asked - hurt.latest)), seconds(_ended(total.last) - hurt.earliest)
    words = (
        f"{total.wrong} of {total.asked} answers were wrong, about {_many(total.about)}, the first one at most "
        f"{_since(total.first, hurt)} after the fault and the last one {high:.3f} s after it: {_told(total.last)}"
    )
    if total.after:
        words = f"{total.after} answers were wrong when what was repaired had been verified; {words}"
        return expected.finding_of(
            evidence, TITLE, Outcome.MISSED, words, figure=high, low=low, high=high, beside=beside
        )
    stopped = evidence.stopped()
    outcome = against(low, high, expected.limit, lower_bound=bool(stopped))
    if stopped:
        words += f"; more may have followed ({stopped})"
    return expected.finding_of(
        evidence,
        TITLE,
        outcome,
        words,
        figure=low if stopped else high,
        low=low,
        high=None if stopped else high,
        lower_bound=bool(stopped),
        beside=beside,
    )


def _none_wrong(
    evidence: Evidence, expected: Expectation, total: Tally, beside: tuple[tuple[str, str], ...]
) -> Finding:
    if not total.hit:
        why = f"all {total.right} answers until the repair were right: nobody asked for what was damaged"
        why = why if total.right else "nobody asked anything after the fault"
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why, beside=beside)
    words = f"of {total.asked} answers none was wrong; {total.refused} were refused, {total.no_answer} did not come"
    if stopped := evidence.stopped():
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, f"{words} ({stopped})", beside=beside)
    return expected.finding_of(evidence, TITLE, Outcome.MET, words, figure=0.0, low=0.0, high=0.0, beside=beside)


def nobody_asked(evidence: Evidence) -> str:
    """Why there is nothing to count; empty where there is."""
    begun = {str(group["group"]) for line in evidence.all("readers.begin") for group in line.data.get("groups") or ()}
    if missing := sorted(begun - set(evidence.asking)):
        return f"the record of customers {', '.join(missing)}, who asked, is missing"
    return "" if evidence.asking else "no customer asked for what he knows"


def _beside(total: Tally, hurt: Disaster) -> tuple[tuple[str, str], ...]:
    first = () if total.first is None else (("first wrong answer", f"{_since(total.first, hurt)} after the fault"),)
    return (
        ("wrong answers", f"{total.wrong:,} of {total.asked:,}"),
        *first,
        ("refused", f"{total.refused:,}"),
        ("no answer", f"{total.no_answer:,}"),
    )


def _since(answer: Answer, hurt: Disaster) -> str:
    return f"{seconds(_ended(answer) - hurt.earliest):.3f} s"


def _many(about: set[str]) -> str:
    return min(about) if len(about) == 1 else f"{len(about)} things"


def _told(answer: Answer) -> str:
    return f"{answer.about}, of which {answer.knows} is known, and {answer.told} was told"
