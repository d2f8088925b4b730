"""What watches a platform, and tells operations what has failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from harness.stacks import Condition


@dataclass(frozen=True)
class Alert:
    """What the platform's monitoring told operations, as it came in at the alert receiver."""

    received: int  # nanoseconds of the monotonic clock, when the receiver had it
    starts: str  # UTC, by the monitoring's own clock
    name: str  # of the rule, "ServerDown"
    state: Literal["firing", "resolved"]
    component: str  # what it says has failed, by the stack's name for it; empty where it names none
    zone: str  # where it says that is; empty where it names none
    region: str  # and in which region; empty where it names none
    summary: str  # for people
    fingerprint: str  # the same for every word about one alert, another for each other one, also of the same name


@dataclass(frozen=True)
class Truncated:
    """A notification of the monitoring did not carry all of its alerts: operations were not told of the others."""

    received: int  # nanoseconds of the monotonic clock, when the receiver had it
    group: str  # of alerts that are told together
    count: int  # how many were left out; 0: the group was told whole again


@runtime_checkable
class Monitoring(Protocol):
    """What watches the platform, and the receiver that its alerts go to: a webhook that it knows, or plain JSON."""

    by: str  # what watches, for people

    def alerts(self) -> list[Alert]:
        """All that the receiver has had so far, in order."""

    def truncated(self) -> list[Truncated]:
        """Each time that a notification left alerts out, and that its group was told whole again, in order."""

    def condition(self) -> Condition:
        """Whether everything is watched, and whether an alert would arrive."""
