"""A lost region and its way back: each check has a history that turns it red, and one that leaves it open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from harness.checks import Finding, Outcome
from harness.checks.judge import judge
from harness.checks.rules import TABLE
from tests.histories import LATENCY, History, ns, request, row_of
from tests.region_losses import (
    ASKED,
    EAST,
    EAST_SERVER,
    IN_WEST,
    OUTSIDE,
    PLANNED,
    PROMOTED,
    RECEIVED,
    SECOND,
    SEEN,
    SERVED,
    THIRD,
    WEST,
    WEST_SERVER,
    a_region_lost,
    led,
    without_step,
)

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN
LIMITS = dict(ASKED)


def found(name: str, history: History) -> Finding:
    return next(each for each in judge(history.evidence()) if each.id == name)


def answered(
    history: History, at: float, *, server: str, timeline: int, group: str = OUTSIDE, took: float = LATENCY
) -> History:
    """One request that was due then was acknowledged by that server, and is kept."""
    requests = history.requests[group]
    place = next(each.number for each in requests if each.due >= ns(at)) - 1
    due = (requests[place].due - ns(0)) / 1e9
    requests[place] = request(place + 1, due, timeline=timeline, server=server, took=took)
    rows = [row for row in history.rows["final", group] if row.number != place + 1]
    history.rows["final", group] = sorted([*rows, row_of(requests[place])])
    return history


def lost(history: History, at: float, group: str = OUTSIDE) -> History:
    """The row of what was sent then is not there in the end."""
    number = next(each.number for each in history.requests[group] if each.due >= ns(at))
    history.lose(group, number)
    return history


def failed(step: str, error: str) -> History:
    """A step that did not come off, and nothing after it."""
    history = a_region_lost()
    at = next(at for at, kind, data in history.lines if kind == "step.end" and data["name"] == step)
    history.drop("step.begin", "step.end", where=lambda data: data["name"] == step)
    history.lines = [line for line in history.lines if line[0] < at or line[1] not in ("step.begin", "step.end")]
    history.say(at - 0.1, "step.begin", phase="activate", name=step, does="…")
    history.say(at, "step.end", phase="activate", name=step, ok=False, seconds=0.1, facts={"error": error})
    return history


def nothing_done() -> History:
    """Stopped before anybody decided."""
    history = a_region_lost()
    history.cut(38.0)
    history.say(38.0, "stopped", who="an operator", why="a test")
    return history


def looks(*said: tuple[float, Any]) -> History:
    """Only these looks, each of 50 ms."""
    history = a_region_lost()
    history.drop("region.looks")
    for at, writes in said:
        seen = [[ns(at), ns(at + 0.05), writes]]
        history.say(at + 0.1, "region.looks", region=EAST, looks=seen, servers=["patroni-a"] if writes else [])
    return history


def known_by_nobody() -> History:
    history = a_region_lost()
    history.ready = {"regions": [{"region": EAST, "zones": ["a"]}, {"region": WEST, "zones": ["west-a"]}]}
    return history


def never_led_there(*groups: str) -> History:
    """These go on asking the lost region: their resolvers say nothing else."""
    history = a_region_lost()
    for group in groups:
        history.requests[group] = [
            each._replace(outcome="failed", history=None, server="") if each.server == WEST_SERVER else each
            for each in history.requests[group]
        ]
        kept = [each for each in history.requests[group] if each.outcome == "acknowledged"]
        history.rows["final", group] = [row_of(each) for each in kept]
    return history


def idle_from(at: float) -> History:
    """Nobody writes from then on."""
    history = a_region_lost()
    for group, requests in history.requests.items():
        history.requests[group] = [each for each in requests if each.due < ns(at)]
        kept = [each for each in history.requests[group] if each.outcome == "acknowledged"]
        history.rows["final", group] = [row_of(each) for each in kept]
    return history


def asked(name: str) -> History:
    return asked_of(a_region_lost(), name)


def asked_of(history: History, name: str) -> History:
    history.expect(name)
    return history


def by_another_name(*, never: bool = False) -> History:
    """The customers in the second region come in by another name than those outside."""
    history = asked_of(never_led_there(IN_WEST) if never else a_region_lost(), "each-resolver")
    for _, kind, data in history.lines:
        if kind == "workload.begin":
            data["groups"] = [
                {**each, **({"host": "app.example"} if each["group"] == IN_WEST else {})} for each in data["groups"]
            ]
    return history


def restored(
    *, usable: bool | None, at: float = 40.2, steps: Sequence[str] = ("verify-the-books", "put-in-service")
) -> History:
    """What led had been restored by these steps, and somebody had looked at the replica before."""
    history = asked("replica-refused")
    if usable is not None:
        history.say(at, "replica", region=WEST, usable=usable, received=900, replayed=100, age=30.0, why="it waits")
    for place, step in enumerate(steps):
        begin = 42 + place
        history.say(begin, "step.begin", phase="verify", name=step, does="…")
        history.say(begin + 0.5, "step.end", phase="verify", name=step, ok=True, seconds=0.5, facts={})
    return history


def not_asked(service: str) -> History:
    """All others were."""
    ready = {name: said for name, said in SEEN.items() if name != service}
    return led({"ready": ready}, a_region_lost(), "see-every-service-ready")


def weighed(at: float, received: int | None = RECEIVED) -> History:
    history = asked("choice-weighed")
    over = {"choice": "fail over", "position": RECEIVED + 100, "received": received, "age": 0.2}
    history.say(at, "weighed", rule="…", answers=[], choices=[over, {"choice": "repair", "waited": 10.0}])
    return history


def stale(*, never: bool = False) -> History:
    """The customers in the second region have a resolver that lies."""
    history = never_led_there(IN_WEST) if never else a_region_lost()
    history.expect("stale-resolvers")
    for _, kind, data in history.lines:
        if kind == "workload.begin":
            data["groups"] = [
                {**each, **({"keeps": 20.0} if each["group"] == IN_WEST else {})} for each in data["groups"]
            ]
    return history


def unnamed() -> History:
    history = a_region_lost()
    history.requests[OUTSIDE] = [each._replace(history=None) for each in history.requests[OUTSIDE]]
    return history


def without_server() -> History:
    history = a_region_lost()
    history.requests[OUTSIDE] = [each._replace(server="") for each in history.requests[OUTSIDE]]
    return history


def every_look(writes: Any) -> History:
    return looks(*((42.0 + second, writes) for second in range(45)))


def impossible_look() -> History:
    history = a_region_lost()
    history.say(60, "region.looks", region=EAST, looks=[[ns(70), ns(71), False]], servers=[])
    return history


def failed_hand_over() -> History:
    history = a_region_lost()
    for _, kind, data in history.lines:
        if kind == "step.end" and data["name"] == "promote-the-first-region":
            data["ok"], data["facts"] = False, {"error": "nobody leads"}
    return history


Case = tuple[str, str, Callable[[], History], Outcome]
CASES: list[Case] = [
    *((("sound", name, a_region_lost, MET)) for name in LIMITS),
    ("nothing was done", "replayed-all", nothing_done, UNKNOWN),
    ("a standby that replays nothing", "replayed-all",
     lambda: failed("wait-until-all-is-replayed", "4000 bytes that it received are not replayed"), MISSED),
    ("promoted without a proof", "replayed-all",
     lambda: without_step(a_region_lost(), "wait-until-all-is-replayed"), MISSED),
    ("replay stopped early", "replayed-all",
     lambda: led({"replayed": RECEIVED - 1}, a_region_lost(), "wait-until-all-is-replayed"), MISSED),
    ("the new history begins early", "replayed-all",
     lambda: led({"parted": RECEIVED - 1}, a_region_lost(), "promote-the-second-region"), MISSED),
    ("nobody looked", "replica-refused", lambda: restored(usable=None), MISSED),
    ("it was fit", "replica-refused", lambda: restored(usable=True), MISSED),
    ("seen, and restored", "replica-refused", lambda: restored(usable=False), MET),
    ("seen too late", "replica-refused", lambda: restored(usable=False, at=PROMOTED + 1), MISSED),
    ("seen, and led all the same", "replica-refused", lambda: restored(usable=False, steps=()), MISSED),
    ("not verified", "replica-refused", lambda: restored(usable=False, steps=("put-in-service",)), MISSED),
    ("nothing was done", "replica-refused", lambda: asked_of(nothing_done(), "replica-refused"), UNKNOWN),
    ("more was still coming", "replayed-all",
     lambda: led({"receives": True}, a_region_lost(), "wait-until-all-is-replayed"), MISSED),
    ("no position", "replayed-all",
     lambda: led({"received": None}, a_region_lost(), "wait-until-all-is-replayed"), UNKNOWN),
    ("nothing was done", "region-fenced", nothing_done, UNKNOWN),
    ("promotion without fencing", "region-fenced",
     lambda: without_step(a_region_lost(), "fence-the-lost-region"), MISSED),
    ("a look that saw it write", "region-fenced", lambda: looks((43, False), (71, True), (73, False)), MISSED),
    ("a customer whom it answered", "region-fenced",
     lambda: answered(a_region_lost(), 48, server=EAST_SERVER, timeline=1), MISSED),
    ("a customer who waited until it led again", "region-fenced",
     lambda: answered(a_region_lost(), 86.9, server=EAST_SERVER, timeline=THIRD, took=2.0), MET),
    ("nobody looked", "region-fenced", looks, UNKNOWN),
    ("nobody looked for long", "region-fenced", lambda: looks((43, False), (73, False), (86, False)), UNKNOWN),
    ("every look saw nothing", "region-fenced", lambda: every_look(None), UNKNOWN),
    ("a look that cannot have been", "region-fenced",
     impossible_look, UNKNOWN),
    ("nothing was done", "names-switched", nothing_done, UNKNOWN),
    ("a record nobody switched", "names-switched", lambda: without_step(a_region_lost(), "switch-the-names"), MISSED),
    ("resolvers that keep the old answer", "names-switched", lambda: never_led_there(OUTSIDE), MISSED),
    ("those of one place keep it", "names-switched", lambda: never_led_there(IN_WEST), MISSED),
    ("answers are kept for too long", "names-switched",
     lambda: led({"ttl": 3600.0}, a_region_lost(), "switch-the-names"), MISSED),
    ("nothing says whose servers", "names-switched", known_by_nobody, UNKNOWN),
    ("nothing was done", "second-region-activated", nothing_done, UNKNOWN),
    ("one that is not ready", "second-region-activated",
     lambda: failed("see-every-service-ready", "not ready in us-west-2: zone west-b"), MISSED),
    ("one service out of all", "second-region-activated",
     lambda: led({"ready": {"zone west-a": "HTTP 200"}}, a_region_lost(), "see-every-service-ready"), MISSED),
    ("its database was not asked", "second-region-activated", lambda: not_asked("database"), MISSED),
    ("its store was not asked", "second-region-activated", lambda: not_asked("store"), MISSED),
    ("its load balancer was not asked", "second-region-activated", lambda: not_asked("envoy-west"), MISSED),
    ("never asked", "second-region-activated",
     lambda: without_step(a_region_lost(), "see-every-service-ready"), MISSED),
    ("it stored nothing", "second-region-activated", lambda: never_led_there(OUTSIDE, IN_WEST), MISSED),
    ("two databases that were promoted to one timeline", "split-brain",
     lambda: answered(a_region_lost(), 62, server=EAST_SERVER, timeline=SECOND), MISSED),
    ("two databases that were promoted to one timeline", "two-leaders",
     lambda: answered(a_region_lost(), 62, server=EAST_SERVER, timeline=SECOND), MISSED),
    ("the first goes on answering behind the cut", "two-leaders",
     lambda: answered(a_region_lost(), 62, server=EAST_SERVER, timeline=1), MISSED),
    ("what is lost with a region", "two-leaders", lambda: lost(a_region_lost(), 29.5), MET),
    ("what is lost with a region", "split-brain", lambda: lost(a_region_lost(), 29.5), MISSED),
    ("nothing says on which history", "two-leaders", unnamed, UNKNOWN),
    ("nothing says which server it was", "two-leaders", without_server, UNKNOWN),
    ("weighed", "choice-weighed", lambda: weighed(40.2), MET),
    ("weighed too late", "choice-weighed", lambda: weighed(40.8), MISSED),
    ("not weighed", "choice-weighed", lambda: asked("choice-weighed"), MISSED),
    ("a choice without a figure", "choice-weighed", lambda: weighed(40.2, received=None), UNKNOWN),
    ("nobody has such a resolver", "stale-resolvers", lambda: asked("stale-resolvers"), UNKNOWN),
    ("they follow late", "stale-resolvers", stale, MET),
    ("they never follow", "stale-resolvers", lambda: stale(never=True), MISSED),
    ("all have one resolver", "each-resolver", lambda: asked("each-resolver"), UNKNOWN),
    ("nothing was done", "each-resolver", lambda: asked_of(nothing_done(), "each-resolver"), UNKNOWN),
    ("some follow late", "each-resolver", lambda: asked_of(stale(), "each-resolver"), MET),
    ("some never follow", "each-resolver", lambda: asked_of(stale(never=True), "each-resolver"), MISSED),
    ("one name is left behind", "each-resolver", lambda: by_another_name(never=True), MISSED),
    ("by another name", "each-resolver", by_another_name, MET),
    ("resolvers that lie are not promised", "names-switched", lambda: stale(never=True), MET),
    ("nothing was done", "region-follows", nothing_done, UNKNOWN),
    ("it follows nobody", "region-follows", lambda: led({"follows": ""}, a_region_lost(), "see-it-follow"), MISSED),
    ("let on before it follows", "region-follows", lambda: without_step(a_region_lost(), "make-it-follow"), MISSED),
    ("its clone never came", "region-follows", lambda: failed("see-it-follow", "not within 180 s"), MISSED),
    ("nothing was done", "switchback-lossless", nothing_done, UNKNOWN),
    ("the newest writes are dropped", "switchback-lossless", lambda: lost(a_region_lost(), PLANNED - 1), MISSED),
    ("a write in the first region is dropped", "switchback-lossless", lambda: lost(a_region_lost(), 95.0), MISSED),
    ("what was lost in the disaster", "switchback-lossless", lambda: lost(a_region_lost(), 29.5), MET),
    ("nobody wrote after it", "switchback-lossless", lambda: idle_from(PLANNED), UNKNOWN),
    ("the hand-over failed", "switchback-lossless", failed_hand_over, MISSED),
]  # fmt: skip  # a table


@pytest.mark.parametrize(
    ("name", "made", "expected"), [case[1:] for case in CASES], ids=[f"{c[1]}: {c[0]}" for c in CASES]
)
def test_the_outcome(name: str, made: Callable[[], History], expected: Outcome) -> None:
    """Of each history."""
    finding = found(name, made())
    assert finding.outcome is expected, finding.reason


def test_the_recovery_time_ends_before_the_planned_interruption() -> None:
    """Customers are refused for ten seconds more, and that is no recovery."""
    history = a_region_lost()
    assert found("rto", history).figure == pytest.approx(SERVED - 30, abs=0.2)
    history.drop("planned.begin")
    assert (found("rto", history).figure or 0) > 55


def test_what_is_planned_too_early_ends_no_recovery_time() -> None:
    """Good service must have lasted before it."""
    history = a_region_lost()
    history.drop("planned.begin")
    history.say(56.0, "planned.begin", what="the first region takes over again")
    assert found("rto", history).outcome is UNKNOWN


def test_the_switch_is_timed_for_each_place() -> None:
    """From the order until the last group was answered; the lost region's own customers do not count."""
    finding = found("names-switched", a_region_lost())
    assert finding.figure == pytest.approx(SERVED - 50.0, abs=0.2)
    assert [group for group, _ in finding.beside] == [OUTSIDE, IN_WEST]
    assert "kept for 5 s" in finding.reason


def test_what_customers_of_each_resolver_saw_is_a_figure_each() -> None:
    """From the disaster until their first answer from there, with how many requests were not good meanwhile."""
    finding = found("each-resolver", asked_of(stale(), "each-resolver"))
    assert finding.figure == pytest.approx(SERVED - 30, abs=0.3)
    assert [group for group, _ in finding.beside] == [OUTSIDE, IN_WEST]
    assert all(said.endswith("requests were not good meanwhile") for _, said in finding.beside)


def test_the_longest_time_between_two_looks_is_told() -> None:
    """With how many there were."""
    finding = found("region-fenced", a_region_lost())
    assert (finding.figure, finding.unit) == (0.0, "looks")
    assert "the longest time between two was 0." in finding.reason


def test_loss_in_a_disaster_is_counted_up_to_the_promotion() -> None:
    """The last second before the blackout is gone: a second, and not the length of the outage."""
    history = a_region_lost()
    for each in history.requests[OUTSIDE]:
        if ns(29.0) <= each.due < ns(30.0) and each.outcome == "acknowledged":
            history.lose(OUTSIDE, each.number)
    finding = found("rpo-beyond", history)
    assert finding.outcome is MET and finding.figure == pytest.approx(1.0, abs=0.2)


def test_exposure_of_the_archive_takes_no_sample_of_a_second_region() -> None:
    """And the other way round: a stalled archive is not the second region's."""
    history = a_region_lost()
    history.expect("exposure", 900.0)
    assert found("exposure", history).reason == "the archive was not sampled before the fault"
    assert found("exposure-beyond", history).outcome is MET
    history.drop("exposure.sample")
    assert "the second region was not sampled before the fault" in found("rpo-beyond", history).reason


def test_a_second_region_that_fell_behind_is_no_lucky_loss() -> None:
    """It received nothing for ten seconds before the blackout: how far it would have come to is not known."""
    history = a_region_lost()
    for at, kind, data in history.lines:
        if kind == "exposure.sample" and at > 20:
            data["safe"] = 3_990
    finding = found("rpo-beyond", history)
    assert finding.outcome is UNKNOWN and "the second region had stopped keeping up at the fault" in finding.reason


def test_no_older_rules_know_these() -> None:
    """They are asked by new promises alone."""
    new = {"replayed-all", "region-fenced", "names-switched", "second-region-activated", "response", "region-follows",
           "switchback-lossless", "rpo-beyond"}  # fmt: skip  # a list
    assert [version for version, rules in TABLE.items() if new & set(rules.checks)] == ["5", "6", "7", "8"]
    assert PROMOTED < SERVED
