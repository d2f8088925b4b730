"""What monitoring tells is taken into the journal once, in order, and it is waited for by what it names."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from harness.checks.alerts import names_any
from harness.scenario.alert_listener import AlertListener
from harness.stacks import Condition
from harness.stacks.capabilities.monitoring import Alert, Truncated
from harness.system import clock
from harness.system.recorder import Memory

SHORT = timedelta(milliseconds=300)
LONG_AGO = 1


def alert(
    component: str = "", *, zone: str = "", state: str = "firing", received: int | None = None, which: str = ""
) -> Alert:
    moment = clock.mono() if received is None else received
    which = which or f"{component} {zone}"
    began = "2026-11-25T03:00:00Z"
    return Alert(moment, began, "InstanceDown", state, component, zone, "", "it is down", which)


class Told:
    """A monitoring that has told what a test gives it."""

    by = "a test"

    def __init__(self, *told: Alert) -> None:
        self.told = list(told)
        self.cut: list[Truncated] = []
        self.broken = False

    def alerts(self) -> list[Alert]:
        if self.broken:
            raise OSError("the receiver's file is gone")
        return list(self.told)

    def truncated(self) -> list[Truncated]:
        return list(self.cut)

    def condition(self) -> Condition:
        return Condition("watched", ok=True, seen="")

    def lose_receiver(self) -> None:
        """Nothing is lost here."""


def recorded(memory: Memory, kind: str) -> list[dict[str, object]]:
    return [data for found, data in memory.facts if found == kind]


def test_what_was_told_before_it_began_is_not_its_own() -> None:
    """Each alert after that is recorded once, however often it is listened to."""
    monitoring, memory = Told(alert("api-a")), Memory()
    watch = AlertListener(monitoring, memory)
    monitoring.told += [alert("api-b"), alert("api-c")]
    assert [one.component for one in watch.listen()] == ["api-b", "api-c"]
    watch.listen()
    watch.end()
    assert [one["component"] for one in recorded(memory, "alert")] == ["api-b", "api-c"]
    assert recorded(memory, "alert")[0]["by"] == "a test"


def test_it_hears_by_itself() -> None:
    """What is told while nobody asks is in the journal when it ends."""
    monitoring, memory = Told(), Memory()
    watch = AlertListener(monitoring, memory)
    monitoring.told.append(alert("api-b"))
    watch.end()
    assert len(recorded(memory, "alert")) == 1


@pytest.mark.parametrize(
    ("told", "named"),
    [
        (alert("api-b"), True),
        (alert(zone="b"), True),
        (alert("api-a", zone="a"), False),
        (alert("api-b", state="resolved"), False),
        (alert("api-b", received=LONG_AGO), False),  # before anything was hurt
    ],
)
def test_only_a_firing_alert_that_names_what_was_hurt_is_waited_for(told: Alert, named: bool) -> None:
    """It says whether one came, and how long was waited, whatever comes of it."""
    monitoring, memory = Told(), Memory()
    watch = AlertListener(monitoring, memory)
    hurt = clock.mono()
    monitoring.told.append(told if told.received == LONG_AGO else replace(told, received=clock.mono()))
    assert watch.wait_named([{"component": "api-b"}, {"zone": "b"}], since=hurt, within=SHORT) is named
    watch.end()
    (line,) = recorded(memory, "alert.awaited")
    assert line["named"] is named and line["within"] == SHORT.total_seconds()


def test_what_is_said_to_be_well_again_has_not_failed_any_more() -> None:
    """The last word on each component counts; alerts that name none are nobody's to repair."""
    monitoring = Told()
    watch = AlertListener(monitoring, Memory())
    monitoring.told += [alert("api-a"), alert("api-b"), alert(zone="c"), alert("api-a", state="resolved")]
    assert watch.unresolved() == ["api-b"]
    watch.end()


def test_one_of_two_alerts_about_a_component_is_taken_back_and_the_other_stays() -> None:
    """Two rules, or two instances of one rule, are two alerts: the component has failed until both are over."""
    monitoring = Told()
    watch = AlertListener(monitoring, Memory())
    both = [alert("api-a", which="its port"), alert("api-a", which="its disk")]
    monitoring.told += [*both, alert("api-a", which="its disk", state="resolved")]
    assert watch.unresolved() == ["api-a"]
    monitoring.told.append(alert("api-a", which="its port", state="resolved"))
    assert watch.unresolved() == []
    watch.end()


def test_what_the_monitoring_left_out_is_in_the_journal() -> None:
    """Once each, also its end; what was so before the watch began is not its own."""
    monitoring, memory = Told(), Memory()
    monitoring.cut.append(Truncated(LONG_AGO, "g", 1))
    watch = AlertListener(monitoring, memory)
    monitoring.cut += [Truncated(clock.mono(), "g", 3), Truncated(clock.mono(), "g", 0)]
    watch.listen()
    watch.end()
    assert [(one["group"], one["count"], one["by"]) for one in recorded(memory, "alerts.truncated")] == [
        ("g", 3, "a test"),
        ("g", 0, "a test"),
    ]


def test_a_receiver_that_cannot_be_read_is_said_at_the_end() -> None:
    """Whatever was heard before stays heard."""
    monitoring = Told()
    watch = AlertListener(monitoring, Memory())
    monitoring.broken = True
    with pytest.raises(OSError, match="gone"):
        watch.end()


def test_an_alert_names_a_component_or_a_zone() -> None:
    """One that names neither names nothing that was hurt."""
    api, zone = {"component": "api-a"}, {"zone": "a"}
    assert names_any({"component": "api-a", "zone": ""}, [api]) and names_any({"zone": "a"}, [api, zone])
    assert not names_any({"component": "", "zone": ""}, [api, zone]) and not names_any({**api, **zone}, [])
    assert not names_any({"component": "", "zone": ""}, [{"component": ""}, {"zone": ""}])
    assert not names_any({"component": None, "zone": None}, [{}])


def test_a_region_must_be_the_same_where_both_say_one() -> None:
    """Zones of two regions may have one name."""
    here = {"zone": "a", "region": "east"}
    assert names_any({"zone": "a"}, [here]) and names_any({"zone": "a", "region": "east"}, [here])
    assert not names_any({"zone": "a", "region": "west"}, [here])
