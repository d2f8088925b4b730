"""Which folder speaks for a run where several hold it, and which numbers are missing between the runs. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness.evidence.verify import within


@dataclass(frozen=True)
class Claim:
    """A pack as far as it matters here. `digest`: of its envelope, which is what it is; empty where it has none."""

    name: str
    digest: str
    run: str
    number: int
    sound: bool  # it verifies


def copies(claims: Sequence[Claim]) -> list[str]:
    """For each: the name of the pack that speaks for it; empty where it speaks for itself.

    Of several with one envelope the one that verifies counts, whatever they are called; of several sound ones the one
    that is called after its run. One whose own envelope was
    spoiled, too, is a copy where a sound pack has the same run and number.
    """
    sound = sorted((claim for claim in claims if claim.sound), key=lambda claim: (claim.name != claim.run, claim.name))
    by_digest = {claim.digest: claim.name for claim in reversed(sound) if claim.digest}
    by_run = {(claim.run, claim.number): claim.name for claim in reversed(sound) if claim.number}
    speaking = [
        by_digest.get(claim.digest) or ("" if claim.sound else by_run.get((claim.run, claim.number), ""))
        for claim in claims
    ]
    return ["" if name == claim.name else name for name, claim in zip(speaking, claims, strict=True)]


class Gap(NamedTuple):
    """Numbers of a stream that are missing between its runs."""

    stream: str
    numbers: range

    def between(self, *, above: int = 0, below: int | None = None) -> Gap | None:
        """The part that lies above one number and below another; None where there is none."""
        first, end = max(self.numbers.start, above + 1), self.numbers.stop
        cut = range(first, end if below is None else min(end, below))
        return Gap(self.stream, cut) if cut else None

    def __str__(self) -> str:
        """`run 5 is missing: it was removed, or never sealed`."""
        of, first, last = within(self.stream), self.numbers.start, self.numbers.stop - 1
        if first == last:
            return f"run {first}{of} is missing: it was removed, or never sealed"
        return f"runs {first} to {last}{of} are missing: they were removed, or never sealed"


def gaps(known: Collection[int], top: int) -> tuple[range, ...]:
    """The numbers from 1 to `top` that are not known, as ranges: there may be any number of them."""
    found, expected = [], 1
    for number in sorted({each for each in known if 0 < each <= top} | {top + 1}):
        if number > expected:
            found.append(range(expected, number))
        expected = number + 1
    return tuple(found)
