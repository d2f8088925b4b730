"""A pack of a zone cut that looks like a real one: the history of tests.zone_cuts with features, plan and logs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from harness.checks import RULES, load
from tests.histories import INTENT, History, ns, utc
from tests.zone_cuts import HEALTHY, PROMOTED, a_zone_cut, an_alert

TITLE = "The leader's zone is cut off"
FEATURE = f"""\
@monthly @TST-M3
Feature: Network Failover
  On the third Monday of each month parts of the network fail.

  @INF-1 @INF-3 @INF-8
  Scenario: {TITLE}
    Given the platform serves customers, replicates and archives
    When the zone of the database's leader is cut off
    Then the monitoring tells operations what has failed, within the time that the plan gives
    And nobody was told by two leaders that a transaction is stored
"""
PLAN = """\
format: 1
demands:
  INF-1: Monitoring detects the failure within 60 s
  INF-3: Operations are alerted at once
  INF-8: An availability zone may fail
"""
BEGIN = {
    "number": 8, "previous": "none", "drill": ["network-failover"], "stack": "local", "sandbox": "rootless",
    "environment": "embedded", "digests": {}, "harness": {"version": "0.1.0", "commit": "4ce178f", "clean": True},
    "rules": RULES, "operator": "mira", "nonce": "00ff", "nonce_by": "harness", "sabotage": None, "scale": 1.0,
    "rate": 10.0, "packages": {}, "host": {}, "stream": "main", "rehearsal": False,
}  # fmt: skip  # a table


def write(folder: Path, history: History | None = None, *, sabotage: str | None = None) -> Path:
    """The whole pack, judged; as sound as the history is."""
    history = history or told(a_zone_cut())
    folder.mkdir(parents=True)
    history.write(folder, **(BEGIN | {"sabotage": sabotage}))
    (folder / "features/monthly").mkdir(parents=True)
    (folder / "features/monthly/network_failover.feature").write_text(FEATURE)
    (folder / "plan.yaml").write_text(PLAN)
    (folder / "logs").mkdir()
    for name, lines in logs().items():
        (folder / "logs" / f"{name}.log").write_text("".join(f"{line}\n" for line in lines))
    (folder / "findings.json").write_bytes(load.findings_json(load.judged(folder)))
    return folder


def own_answers(health: int, ready: int) -> list[dict[str, Any]]:
    """What a zone's own API said, whose database cannot be used."""
    return [{"path": "/health", "wanted": 200, "status": health}, {"path": "/ready", "wanted": 503, "status": ready}]


def told(history: History) -> History:
    """With everything else that a scenario of the two new drills may say."""
    history.say(2.1, "release", name="7", history=["6", "7"])
    history.say(2.2, "not_exercised", what="latency on the link", why="this kernel has no netem")
    history.say(44, "endpoints", zone="a", asked=ns(43.9), answers=own_answers(200, 503))
    history.say(59, "survey", checks=[{"name": "API ready", "ok": False, "seen": "HTTP 503"}])
    history.say(PROMOTED + 1, "leadership", moment="during", member="db-b", history=4)
    history.say(HEALTHY + 3, "rotation", component="api-a", ok=False, seen="HTTP 503")
    history.say(94, "rotation", component="api-a", ok=True, seen="answers")
    an_alert(history, 80.0, "ZoneDown", zone="a", state="resolved")
    return history


def logs() -> dict[str, list[str]]:
    """As the components write them: each with a clock of its own kind."""
    at = {moment: datetime.fromisoformat(utc(moment)) for moment in (25.0, INTENT, INTENT + 1, INTENT + 20, 95.0)}
    patroni = [f"{each:%Y-%m-%d %H:%M:%S},123 INFO: no action. I am (db-a), the leader" for each in at.values()]
    postgres = [
        f"{each:%Y-%m-%d %H:%M:%S}.118 UTC [41] xid=0 user= app= LOG:  ```a line``` of it" for each in at.values()
    ]
    etcd = [f'{{"level":"warn","ts":"{each:%Y-%m-%dT%H:%M:%S}.004Z","msg":"lost <b>peer</b>"}}' for each in at.values()]
    return {
        "patroni-a": [*patroni[:2], "  with a line that has no time of its own", *patroni[2:]],
        "postgresql-a": postgres,
        "etcd-a": etcd,
        "api-a": [f"something without a time, number {number}" for number in range(40)],
        "api-b": ["not asked for"],
        "lb-1": ["a line of the load balancer that an alert named"],
    }
