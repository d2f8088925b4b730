"""The greatest age of an acknowledged write that was not yet archived: what a disaster could have cost at any moment.

A lucky moment does not pass: the loss that happened may be small because something had just been archived. Between two
samples the age goes on growing, so the gap between samples is in the bar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from harness.checks import Finding, Outcome
from harness.checks.evidence import Disaster, Evidence, Expectation, against, disaster, ineffective, seconds
from harness.checks.reach import AGE, WORST, within_reach
from harness.checks.rto import missing_ledgers
from harness.checks.samples import SECOND_REGION, Oldest, Window, samples, windows

TITLE = "Exposure"
STALLED = 2  # times the longest age that was ever brought to an end: one that is surely later has stopped


class Subject(NamedTuple):
    """What makes a write safe, in words: `what` was sampled, and what is then `done` with a write; `one` such write."""

    what: str
    done: str
    one: str


ARCHIVE = Subject("the archive", "archived", "an archived write")
BEYOND = Subject("the second region", "received in the second region", "a write that was received there")


@dataclass
class Ages:
    """The greatest ages of one window, in nanoseconds, and whether the archive kept up."""

    figure: int = 0
    low: int = 0
    high: int = 0
    cycle: int = 0  # the greatest age of a write at the moment in which it was seen archived; 0: none ever was
    open: int = 0  # age at the end of the window, at most
    surely: int = 0  # and at least: at the window's last sample
    at: int = 0  # when the figure was so great
    seen: int = 0  # the greatest age that could have shown: from the first write to the end of the window


def exposure(evidence: Evidence, expected: Expectation) -> Finding:
    """The greatest age against `expected.limit`, in seconds, with the greatest that could have shown."""
    return archived(evidence, expected, surely)


def exposure_beyond(evidence: Evidence, expected: Expectation) -> Finding:
    """The same of a second region and what it had received: before the disaster, for then it is all that is left.

    Errors: `Unsound` where it is not known that the fault took effect.
    """
    return received(evidence, expected, surely)


def backup_frequency(evidence: Evidence, expected: Expectation) -> Finding:
    """The same as `exposure`, against how often the plan wants a backup."""
    return replace(exposure(evidence, expected), title="Age of the newest safe copy of transaction data")


def surely(ages: Ages) -> int:
    """How long a write had waited at the end without a doubt. A slow sample is none: what it hides is in the bar."""
    return ages.surely


def archived(evidence: Evidence, expected: Expectation, waited: Callable[[Ages], int]) -> Finding:
    """Exposure by what was archived; `waited` says by which age at the end an archive has stopped."""
    hurt = None if ineffective(evidence) else disaster(evidence)
    return _exposure(evidence, expected, hurt, windows(evidence, hurt), of=ARCHIVE, waited=waited)


def received(evidence: Evidence, expected: Expectation, waited: Callable[[Ages], int]) -> Finding:
    """Exposure by what a second region had received before the disaster."""
    hurt = disaster(evidence)
    before = tuple(each for each in samples(evidence, of=SECOND_REGION) if each.told <= hurt.latest)
    found = [Window(before, None, hurt.latest, True)] if before else []
    return _exposure(evidence, expected, hurt, found, of=BEYOND, waited=waited)


def _exposure(
    evidence: Evidence,
    expected: Expectation,
    hurt: Disaster | None,
    found: list[Window],
    *,
    of: Subject,
    waited: Callable[[Ages], int],
) -> Finding:
    if not found or (hurt is not None and hurt.harms_data and not found[0].disaster):
        why = f"{of.what} was not sampled" + (" before the fault" if hurt else "")
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why)
    if missing := missing_ledgers(evidence):
        why = f"the ledger of customers {', '.join(missing)} is missing"
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why)
    writes, measured = _measure(evidence, found)
    if not writes:
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, "no write was acknowledged, so none was exposed")
    worst = max(measured, key=lambda ages: ages.figure)
    figure = worst.figure
    low, high = max(ages.low for ages in measured), max(ages.high for ages in measured)
    cycle = max(ages.cycle for ages in measured)
    stalled = _stalled(found, [(ages, waited(ages)) for ages in measured], cycle, of)
    outcome = against(seconds(low), seconds(high), expected.limit, lower_bound=bool(stalled))
    words = f"the oldest acknowledged write that was not {of.done} was {seconds(figure):.3f} s old"
    when = _when(evidence, hurt, worst.at) if figure else ""
    words += f" at its worst, {when}" if when else ""
    words += f", at most {seconds(high):.3f} s between two samples" if high > figure else ""
    finding = expected.finding_of(
        evidence,
        TITLE,
        outcome,
        f"{words}; {stalled}" if stalled else f"{words}; {of.one} had waited {seconds(cycle):.3f} s at most",
        figure=seconds(figure),
        low=seconds(low),
        high=None if stalled else seconds(high),
        lower_bound=bool(stalled),
        beside=((WORST, when),) if when else (),
    )
    return within_reach(finding, AGE, seconds(max(ages.seen for ages in measured)))


def _when(evidence: Evidence, hurt: Disaster | None, at: int) -> str:
    """When it was at its worst, in words: against what had happened until then; empty where nothing had."""
    planned = evidence.first("planned.begin")
    if hurt is None:
        return ""
    if at <= hurt.latest:
        return "before the fault"
    later = ", once what was planned had begun" if planned and at >= planned.mono else ""
    return f"{seconds(at - hurt.latest):.1f} s after the fault{later}"


def _measure(evidence: Evidence, found: list[Window]) -> tuple[int, list[Ages]]:
    writes = 0
    oldest = [Oldest(window) for window in found]
    for zone in evidence.zones:
        for request in evidence.requests(zone):
            if request.outcome == "acknowledged" and request.sent is not None and request.ended is not None:
                writes += 1
                for each in oldest:
                    each.add(request.sent, request.ended)
    return writes, [_ages(each) for each in oldest]


def _ages(oldest: Oldest) -> Ages:
    oldest.close()
    window, ages = oldest.window, Ages()
    before: int | None = None  # the oldest write not surely archived, at the sample before
    for at, sample in enumerate(window.taken):
        first = oldest.perhaps(sample.safe, at)
        if before is not None and before < sample.asked and (first is None or first > before):
            ages.cycle = max(ages.cycle, sample.told - before)
        before = first
        following = window.taken[at + 1].told if at + 1 < len(window.taken) else max(sample.told, window.end or 0)
        ages.open = max(0, following - first) if first is not None else 0
        ages.high = max(ages.high, ages.open)
        if first is not None and sample.told - first > ages.figure:
            ages.figure, ages.at = sample.told - first, sample.told
        if (oldest_of_all := oldest.first()) is not None:
            ages.seen = max(ages.seen, following - oldest_of_all)
        sure = oldest.surely(sample.safe)
        ages.surely = max(0, sample.asked - sure) if sure is not None else 0
        ages.low = max(ages.low, ages.surely)
    return ages


def _stalled(found: list[Window], measured: list[tuple[Ages, int]], cycle: int, of: Subject) -> str:
    """Why the greatest age may have gone on growing; empty where the archive, or whatever it is, kept up."""
    for window, (ages, waited) in zip(found, measured, strict=True):
        what = "at the fault" if window.disaster else "at the end"
        if not ages.cycle and window is found[0]:
            return f"no acknowledged write was seen to be {of.done}: {of.what} had stopped keeping up, or had not begun"
        if waited > STALLED * cycle:
            return f"{of.what} had stopped keeping up {what}: a write had waited {seconds(waited):.3f} s by then"
    return ""
