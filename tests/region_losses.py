"""The history of a lost region, made up for the tests of the checks: sound in every respect, to be broken in one way.

us-east-1 has a blackout at 30 s. It is fenced at 41 s, us-west-2 is promoted at 47 s, the names are switched at 50 s,
and customers are served from there at 55 s. The lost region returns at 70 s as a follower; from 80 s on it takes over
again as planned, for which customers are without an answer until 90 s.
"""

from __future__ import annotations

from typing import Any

from harness.workload.ledger import Request
from tests.histories import INTENT, NAME, History, groups, ns, request, row_of

EAST, WEST = "us-east-1", "us-west-2"
OUTSIDE, IN_EAST, IN_WEST = "outside", "in-us-east-1", "in-us-west-2"
EAST_SERVER, WEST_SERVER = "10.0.0.11", "10.0.0.14"
BIT, FENCED, REPLAYED, PROMOTED, SWITCHED, SERVED, VERIFIED = 30.1, 41.5, 46.0, 47.0, 50.2, 55.0, 60.0
RETURNS, PLANNED, HANDED, BACK, LAST = 70.0, 80.0, 88.0, 90.0, 110.0
FIRST, SECOND, THIRD = 1, 2, 3  # timelines
EVERY = 0.1
RECEIVED = 5_000
ASKED = (
    ("rto", 60.0), ("response", 7200.0), ("rpo-beyond", 300.0), ("replayed-all", None), ("region-fenced", None),
    ("names-switched", 60.0), ("second-region-activated", None), ("split-brain", None), ("two-leaders", None),
    ("region-follows", None), ("switchback-lossless", None), ("health", None),
)  # fmt: skip  # a table
READY = {
    "regions": [
        {"region": EAST, "zones": ["a", "b", "c"], "servers": {EAST_SERVER: "patroni-a", "10.0.0.12": "patroni-b"}},
        {
            "region": WEST,
            "zones": ["west-a", "west-b"],
            "servers": {WEST_SERVER: "patroni-west-a"},
            "entrances": ["10.0.0.7"],
        },
    ]
}
SEEN = {
    "zone west-a": "HTTP 200", "zone west-b": "HTTP 200", "envoy-west": "HTTP 200",
    "database": "patroni-west-a leads", "store": "answers, and lists 1 backups",
}  # fmt: skip  # a table
GOOD = [{"name": "serves", "ok": True, "seen": "200"}]
HEALTH = [{"name": "/health", "ok": True, "seconds": 0.2, "limit": 30.0, "seen": "200"}]
FAILOVER = (
    ("fence", "fence-the-lost-region", 41.0, FENCED, {"region": EAST, "fenced": True, "servers": {"patroni-a": False}}),
    ("activate", "wait-until-all-is-replayed", 41.6, REPLAYED,
     {"region": WEST, "receives": False, "received": RECEIVED, "replayed": RECEIVED, "age": 16.0}),
    ("activate", "promote-the-second-region", 46.1, PROMOTED,
     {"region": WEST, "leads": "patroni-west-a", "parted": RECEIVED, "history": SECOND, "promotion": 0.4}),
    ("activate", "see-every-service-ready", 47.2, 49.0, {"region": WEST, "ready": SEEN}),
    ("switch", "switch-the-names", 50.0, SWITCHED, {"region": WEST, "recorded": {}, "ttl": 5.0}),
    ("switch", "see-what-resolvers-say", 50.3, 51.0, {"region": WEST, "answered": {}, "seconds": 0.5}),
)  # fmt: skip  # a table
FAILBACK = (
    ("return", "restore-the-region", RETURNS, 71.0, {"region": EAST, "left": ""}),
    ("return", "make-it-follow", 71.1, 72.0, {"region": EAST, "how": "the histories have parted: cloned anew"}),
    ("return", "let-its-servers-on", 72.1, 72.5, {"region": EAST, "started": ["patroni-a", "patroni-b"]}),
    ("return", "see-it-follow", 72.6, 78.0, {"region": EAST, "follows": WEST, "seen": {"patroni-a": "streaming"}}),
    ("switchback", "stop-the-writers", PLANNED + 0.1, 81.0, {"stopped": ["api-west-a"]}),
    ("switchback", "demote-the-second-region", 82.0, 85.0, {"region": WEST, "how": "as planned", "position": 9_000}),
    ("switchback", "see-that-all-has-come", 85.1, 86.0, {"position": 9_000, "replayed": 9_000}),
    ("switchback", "promote-the-first-region", 87.0, HANDED,
     {"region": EAST, "leads": "patroni-a", "parted": 9_000, "history": THIRD, "promotion": 0.4}),
)  # fmt: skip  # a table


def a_region_lost() -> History:
    """The whole of it."""
    history = History(ready=READY)
    for group in (OUTSIDE, IN_EAST, IN_WEST):
        history.requests[group] = [_request(group, number) for number in range(1, round((LAST - 2) / EVERY) + 1)]
        stored = [each for each in history.requests[group] if each.outcome == "acknowledged"]
        history.rows["final", group] = [row_of(each) for each in stored]
    say = history.say
    say(0, "scenario.begin", scenario=NAME, title="Blackout of the primary region", tags=[], feature="f", settling=5.0,
        category="regional disaster")  # fmt: skip  # arguments in groups
    say(1, "steady", ok=True, conditions=GOOD, moment="before")
    for finding, limit in ASKED:
        history.expect(finding, limit)
    where = {OUTSIDE: None, IN_EAST: "a", IN_WEST: "west-a"}
    told = [
        {**each, "zone": where[each["group"]], "via": "entrance"} for each in groups(where, inside=(IN_EAST, IN_WEST))
    ]
    say(1.9, "workload.begin", origin=f"a-run/{NAME}", rate=1 / EVERY, groups=told)
    for tick in range(5, 59):
        say(tick / 2, "exposure.sample", position=tick * 100, safe=tick * 100 - 10, of="second region",
            asked=ns(tick / 2 - 0.01))  # fmt: skip  # arguments in groups
    say(INTENT, "fault.intent", fault="black_out_region", settings={"region": EAST}, undo={}, harms_data=True,
        logical=False, affects=[{"component": "api-a"}], ttl=1200.0)  # fmt: skip  # arguments in groups
    say(BIT, "fault.effective", fault="black_out_region", ok=True, proof="nothing of it runs")
    for span, begin, end in (("detect", 30.3, 39.0), ("decide", 40.0, 40.5), ("recover", 40.9, 51.1),
                             ("verify", 56.0, VERIFIED)):  # fmt: skip  # a list
        say(begin, "span.begin", span=span)
        say(end, "span.end", span=span)
    say(40.5, "decided", question="declare?", role="incident commander", by="stand-in", attended=False)
    for name, steps in (("regional-failover", FAILOVER), ("regional-failback", FAILBACK)):
        listed = [{"phase": phase, "name": step, "does": "…"} for phase, step, *_ in steps]
        say(steps[0][2] - 0.05, "procedure", name=name, steps=listed, changes=[])
        for phase, step, begin, end, facts in steps:
            say(begin, "step.begin", phase=phase, name=step, does="…")
            say(end, "step.end", phase=phase, name=step, ok=True, seconds=end - begin, facts=dict(facts))
    say(PROMOTED - 0.1, "verified", ok=True, checks=[{"name": "received", "ok": True, "seen": "all of it"}])
    say(PROMOTED - 0.05, "in_service", member="patroni-west-a", how="promoted")
    for second in range(42, 88):
        seen = [[ns(second - 1 + tick / 5), ns(second - 1 + tick / 5 + 0.05), False] for tick in range(5)]
        say(second, "region.looks", region=EAST, looks=seen, servers=[])
    say(VERIFIED, "health", ok=True, checks=HEALTH)
    say(PLANNED, "planned.begin", what="the first region takes over again")
    say(100, "fault.healed", fault="black_out_region", ok=True, by="harness", seen="nothing of it is left")
    say(101, "steady", ok=True, conditions=GOOD, moment="after")
    say(LAST + 1, "scenario.end", scenario=NAME, outcome="completed", error="")
    return history


def led(facts: dict[str, Any], history: History, step: str) -> History:
    """What a step found is something else."""
    for _, kind, data in history.lines:
        if kind == "step.end" and data["name"] == step:
            data["facts"] = {**data["facts"], **facts}
    return history


def without_step(history: History, *steps: str) -> History:
    """Left out, and not announced either."""
    history.drop("step.begin", "step.end", where=lambda data: data["name"] in steps)
    for _, kind, data in history.lines:
        if kind == "procedure":
            data["steps"] = [each for each in data["steps"] if each["name"] not in steps]
    return history


def _request(group: str, number: int) -> Request:
    due = 2 + (OUTSIDE, IN_EAST, IN_WEST).index(group) * EVERY / 4 + (number - 1) * EVERY
    if due < INTENT - 0.02:
        return request(number, due, timeline=FIRST, server=EAST_SERVER)
    if (group == IN_EAST and due < BACK) or due < SERVED or PLANNED < due < BACK:
        return request(number, due, "failed")
    if due < BACK:
        return request(number, due, timeline=SECOND, server=WEST_SERVER)
    return request(number, due, timeline=THIRD, server=EAST_SERVER)
