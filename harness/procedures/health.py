"""The plan's health verification, mended: every check is made, all failures are told, each against its limit.

A transaction counts only when it can be read back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from harness.errors import DrillError
from harness.system import clock, wait
from harness.system.recorder import Recorder

if TYPE_CHECKING:
    from harness.plan import PlannedCheck
    from harness.stacks import Stack


@dataclass(frozen=True)
class HealthCheck:
    """`ask` returns what it saw, or raises; the good answer must have come within `limit`."""

    name: str
    limit: timedelta
    ask: Callable[[timedelta], str]


class Health(Protocol):
    """How the health of a platform is asked, where the plan says what of it: a project's own, or the machine's."""

    def checks(self, planned: Sequence[PlannedCheck], stack: Stack) -> list[HealthCheck]:
        """One for each line of the plan."""

    def needs(self, planned: Sequence[PlannedCheck]) -> tuple[Any, ...]:
        """What these, and `works`, take of a stack, as `harness.stacks.needs` has it."""

    def works(self, stack: Stack, name: str) -> str:
        """What shows that a component does its work, asked as its users do; empty where it does not. Errors: a
        `DrillError` where it does not, and it can be said why."""


LOOKS = timedelta(milliseconds=250)  # between two tries of a check that was not good yet


def verify_health(checks: Sequence[HealthCheck], *, recorder: Recorder) -> bool:
    """Run all of them at once, each until it is good or its time is up; record `health`; say whether all were good."""
    results = _at_once(checks, _carry_out)
    ok = all(result["ok"] for result in results)
    recorder.record("health", ok=ok, checks=results)
    return ok


def survey(checks: Sequence[HealthCheck], *, recorder: Recorder) -> None:
    """Ask each once, while something fails: all of them are told, not only the first. Recorded as `survey`."""
    recorder.record("survey", checks=_at_once(checks, lambda check: _carry_out(check, patient=False)))


def _at_once(checks: Sequence[HealthCheck], make: Callable[[HealthCheck], dict[str, Any]]) -> list[dict[str, Any]]:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (steps are light to import: a list has them all)

    with ThreadPoolExecutor(len(checks)) as pool:
        return list(pool.map(make, checks))


def _carry_out(check: HealthCheck, *, patient: bool = True) -> dict[str, Any]:
    """`patient`: until it is good or its time is up, and not only once."""
    begin = clock.mono()
    within = check.limit - LOOKS if patient else timedelta(0)  # a last try has to end in time, too
    seen, answered = wait.poll(lambda: _ask(check), within=within, every=LOOKS, enough=lambda found: found[1])
    length = clock.since(begin)
    return {
        "name": check.name,
        "ok": answered and length <= check.limit,
        "seconds": length.total_seconds(),
        "limit": check.limit.total_seconds(),
        "seen": seen,
    }


def _ask(check: HealthCheck) -> tuple[str, bool]:
    try:
        return check.ask(check.limit), True
    except DrillError as error:
        return error.message[:300], False
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300], False
