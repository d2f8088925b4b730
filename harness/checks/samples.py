"""The samples of the database's position and of its archive: what was surely archived at which moment.

A sample asks the database for its position and the archive for how far it goes. That takes a while: both
answers were true at some moment between `asked` and the line's own stamp. The same is sampled of a second region, and
of what it has received.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.checks.evidence import Disaster, Evidence, Unsound, position

ARCHIVE, SECOND_REGION = "archive", "second region"  # what a sample says to be safe `of`


@dataclass(frozen=True)
class Sample:
    asked: int  # nanoseconds; before this sample's questions, and after every write it is sure to cover
    told: int  # nanoseconds; when both answers were there
    position: int
    safe: int  # all below this is in the archive


def samples(evidence: Evidence, of: str = ARCHIVE) -> list[Sample]:
    """All of one subject. Where a line does not say when it asked, it asked after the sample before it was told."""
    found: list[Sample] = []
    for line in evidence.all("exposure.sample"):
        if line.data.get("position") in (None, "") or line.data.get("of", ARCHIVE) != of:
            continue  # the database did not answer, or it is of something else
        asked = line.data.get("asked")
        if not isinstance(asked, int):
            asked = found[-1].told if found else 0
        found.append(Sample(asked, line.mono, position(line.data["position"]), position(line.data.get("safe") or 0)))
    return found


def covered_until(taken: Sequence[Sample], place: int) -> int | None:
    """The latest moment of which every write acknowledged until then surely lies below `place`."""
    asked = [sample.asked for sample in taken if sample.position <= place]
    return max(asked, default=None)


@dataclass(frozen=True)
class Window:
    """Samples over which the position only grows, with the stretch of time in which writes count."""

    taken: tuple[Sample, ...]
    begin: int | None  # writes acknowledged before this do not count
    end: int | None  # nor those acknowledged after this; None: the last sample ends it
    disaster: bool  # whether it is ended by the disaster


def windows(evidence: Evidence, hurt: Disaster | None) -> list[Window]:
    """Before the disaster and after the recovery apart: the position may begin anew in between.

    Samples in between count in no window, also where a damage let customers write on: what was exposed then is not
    judged. A fault that harms no data ends nothing: then all samples are one window.
    Errors: `Unsound` where the position goes back in one, or the archive holds what the database has not yet written.
    """
    found = _windows(evidence, hurt)
    for window in found:
        for one, next_one in zip(window.taken, window.taken[1:], strict=False):
            if next_one.position < one.position:
                raise Unsound(f"the {evidence.called['position']} goes back although nothing was recovered")
            if one.safe > next_one.position:
                raise Unsound(f"the archive is ahead of the database: it is of another {evidence.called['history']}")
    return found


def _windows(evidence: Evidence, hurt: Disaster | None) -> list[Window]:
    taken = samples(evidence)
    if hurt is None or not hurt.harms_data:
        return [Window(tuple(taken), None, None, False)] if taken else []
    before = tuple(sample for sample in taken if sample.told <= hurt.latest)
    found = [Window(before, None, hurt.latest, True)] if before else []
    serving = [line.mono for line in evidence.all("in_service") if line.mono >= hurt.latest]
    if serving:
        after = [sample for sample in taken if sample.asked >= serving[-1]]
        found += [Window(tuple(_of_its_own(after)), serving[-1], None, False)] if after else []
    return found


def _of_its_own(taken: Sequence[Sample]) -> list[Sample]:
    """Samples whose archive is ahead of the database tell of the history before: then nothing is surely archived."""
    following = [*taken[1:], *taken[-1:]]
    return [
        replace(one, safe=0) if one.safe > after.position else one for one, after in zip(taken, following, strict=True)
    ]


class Oldest:
    """The oldest acknowledged write beyond a sample, out of a stream of writes, in memory as small as the samples."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._asked = [sample.asked for sample in window.taken]
        self._told = [sample.told for sample in window.taken]
        self._positions = [sample.position for sample in window.taken]
        self._by_answer: list[int | None] = [None] * (len(window.taken) + 1)
        self._by_sent: list[int | None] = [None] * (len(window.taken) + 1)

    def add(self, sent: int, ended: int) -> None:
        """One acknowledged write."""
        begin, end = self.window.begin, self.window.end
        if (begin is not None and ended < begin) or (end is not None and ended > end):
            return
        _least(self._by_answer, bisect_left(self._asked, ended), ended)
        _least(self._by_sent, bisect_right(self._told, sent), ended)

    def close(self) -> None:
        """After the last write: make each entry the oldest of itself and all later ones."""
        for oldest in (self._by_answer, self._by_sent):
            for at in range(len(oldest) - 2, -1, -1):
                later = oldest[at + 1]
                if later is not None:
                    _least(oldest, at, later)

    def first(self) -> int | None:
        """The oldest answer of the window."""
        return self._by_answer[0]

    def perhaps(self, safe: int, upto: int) -> int | None:
        """The oldest answer that may lie beyond `safe`, as far as the samples up to number `upto` can tell."""
        surely = bisect_right(self._positions, safe, hi=upto + 1)
        return self._by_answer[surely]

    def surely(self, safe: int) -> int | None:
        """The oldest answer that lies beyond `safe` without a doubt."""
        at = bisect_left(self._positions, safe)
        return self._by_sent[at + 1] if at < len(self._positions) else None


def _least(slots: list[int | None], at: int, moment: int) -> None:
    held = slots[at]
    if held is None or moment < held:
        slots[at] = moment
