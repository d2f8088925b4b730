"""What counts for a duty: the least class of environment, and the least that has to be restored. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from harness.evidence.environments import CLASSES
from harness.plan import Duty
from harness.plan.sizes import exactly, measured
from harness.schedule.past import Past


@dataclass(frozen=True)
class Lesser:
    """A whole run of a drill that does no duty, for a machine: what it was, and what would count."""

    run: str
    began: str
    verdict: str
    environment: str
    restored_bytes: int
    counts: dict[str, str | int | None]


def counts(run: Past, duty: Duty) -> bool:
    """Whether the run does the duty; for which date, `harness.schedule.standing` says."""
    return run.counts_for(duty.drill, at_least=duty.at_least, restored=duty.restored_at_least)


def falls_short(run: Past, duty: Duty) -> bool:
    """Whether it is a whole run of the drill that does no duty for where it was, or for how little it restored."""
    return run.counts_for(duty.drill) and not counts(run, duty)


def what_counts(duty: Duty) -> str:
    """`staging at least, with at least 500 GB restored`."""
    best = duty.at_least == CLASSES[-1]
    size = f", with at least {exactly(duty.restored_at_least)} restored" if duty.restored_at_least else ""
    return f"{duty.at_least}{'' if best else ' at least'}{size}"


def short_in_words(run: Past, duty: Duty) -> str:
    """`on embedded, with 9.79 MB restored; what counts is staging at least, with at least 500 GB restored`."""
    restored = run.restored_of(duty.drill)
    size = f", with {measured(restored) if restored else 'nothing'} restored" if duty.restored_at_least else ""
    return f"on {run.likeness.environment}{size}; what counts is {what_counts(duty)}"


def lesser_in_words(run: Past, duty: Duty) -> str:
    """`the run 20261102-… (MET) does no duty: on embedded; what counts is staging at least`."""
    return f"the run {run.name} ({run.said_of(duty.drill)}) does no duty: {short_in_words(run, duty)}"


def for_a_machine(duty: Duty) -> dict[str, str | int | None]:
    """The same as `what_counts`; `restored_bytes` is null where nothing has to be restored."""
    return {"environment": duty.at_least, "restored_bytes": duty.restored_at_least or None}


def lesser(run: Past, duty: Duty) -> Lesser:
    return Lesser(
        run=run.name,
        began=str(run.began),
        verdict=run.verdict_of(duty.drill),
        environment=run.likeness.environment,
        restored_bytes=run.restored_of(duty.drill),
        counts=for_a_machine(duty),
    )
