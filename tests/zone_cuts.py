"""The history of a zone cut, made up for the tests of the checks: sound in every respect, to be broken in one way.

The zone of the leader, a, is cut at 30 s. Customers outside are served again at 52 s, by another leader on the next
timeline. Those inside zone a, at its own API and directly at its database, wait in vain until the zone is joined
again at 75 s; then the old leader comes back as a copy.
"""

from __future__ import annotations

from typing import Any

from tests.histories import INTENT, NAME, History, groups, ns, request, row_of, utc

OUTSIDE, API_A, DATABASE_A, API_B = "outside", "zone-a", "database-a", "zone-b"
INSIDE = (API_A, DATABASE_A, API_B)
BIT, TOLD, PROMOTED, HEALTHY, HELD, JOINED, REJOINED, LAST = 30.2, 41.0, 52.0, 58.0, 74.9, 75.1, 93.0, 100.0
OLD, NEW = 3, 4  # timelines
EVERY = 0.1  # seconds between two requests of a group
ASKED = (
    ("rto", 60.0), ("no-loss", None), ("split-brain", None), ("detection", 60.0), ("alert", None),
    ("confirmation", 300.0), ("rejoined", 60.0), ("failovers", 1.0),
)  # fmt: skip  # a table
GOOD = [{"name": "serves", "ok": True, "seen": "200"}]
HEALTH = [{"name": "/health", "ok": True, "seconds": 0.2, "limit": 30.0, "seen": "200"}]


def a_zone_cut() -> History:
    """The whole of it."""
    history = History()
    for group in (OUTSIDE, *INSIDE):
        history.requests[group] = [_request(group, number) for number in range(1, round((LAST - 2) / EVERY) + 1)]
        stored = [each for each in history.requests[group] if each.outcome == "acknowledged"]
        history.rows["final", group] = [row_of(each) for each in stored]
    say = history.say
    say(0, "scenario.begin", scenario=NAME, title="The leader's zone is cut off", tags=[], feature="f", settling=5.0,
        category="infrastructure failure")  # fmt: skip  # arguments in groups
    say(1, "steady", ok=True, conditions=GOOD, moment="before")
    for finding, limit in ASKED:
        history.expect(finding, limit)
    say(1.9, "workload.begin", origin=f"a-run/{NAME}", rate=1 / EVERY, 
        groups=groups([OUTSIDE, *INSIDE], inside=INSIDE))  # fmt: skip  # arguments in groups
    say(29, "leadership", moment="before", member="db-a", history=OLD)
    say(INTENT, "fault.intent", fault="cut_zone", settings={"zone": "a"}, undo={}, harms_data=False, logical=False,
        affects=[{"zone": "a"}], ttl=600.0)  # fmt: skip  # arguments in groups
    say(BIT, "fault.effective", fault="cut_zone", ok=True, proof="no packet of zone a arrives")
    say(30.3, "span.begin", span="detect")
    an_alert(history, 36.0, "Slow", component="lb-1")
    an_alert(history, TOLD, "ZoneDown", zone="a")
    say(41.2, "alert.awaited", within=60.0, seconds=11.0, named=True)
    say(41.2, "span.end", span="detect")
    say(57, "span.begin", span="verify")
    say(HEALTHY, "health", ok=True, checks=HEALTH)
    say(HEALTHY, "span.end", span="verify")
    say(HELD, "fault.still_active", fault="cut_zone", ok=True, proof="still no packet of zone a arrives")
    say(JOINED, "fault.healed", fault="cut_zone", ok=True, by="scenario", seen="healed")
    say(REJOINED, "rejoined", member="db-a", ok=True, seen="streams on timeline 4")
    say(95, "leadership", moment="after", member="db-b", history=NEW)
    say(96, "steady", ok=True, conditions=GOOD, moment="after")
    say(LAST + 1, "scenario.end", scenario=NAME, outcome="completed", error="")
    return history


def an_alert(history: History, received: float, name: str, *, read: float = 41.1, **names: Any) -> None:
    """One alert that came in at `received` and was read at the receiver later."""
    data = {"state": "firing", "component": "", "zone": "", "summary": f"{name} is firing", "by": "the prober",
            "starts": utc(received - 0.5)} | names  # fmt: skip  # a table
    history.say(max(read, received), "alert", received=ns(received), name=name, **data)


def _request(group: str, number: int) -> Any:
    due = 2 + (OUTSIDE, *INSIDE).index(group) * EVERY / 4 + (number - 1) * EVERY
    back = {OUTSIDE: PROMOTED, API_B: PROMOTED, API_A: JOINED + 2, DATABASE_A: LAST + 1}[group]
    if due < INTENT - 0.02:
        return request(number, due, timeline=OLD)
    return request(number, due, timeline=NEW) if due >= back else request(number, due, "in_doubt", took=5.0)
