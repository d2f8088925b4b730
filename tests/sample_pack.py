"""Packs that look like real ones, made from a few numbers, for tests of whatever reads packs.

They follow docs/journal.md; the findings in them are made by the real checks. Nothing is random and no clock is read:
the same call writes the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from drills.reconciliation import RECONCILIATION
from harness.checks import RULES, load
from tests import sample_customers
from tests.histories import groups
from tests.sample_customers import SECOND, ZONES, Stretch
from tests.sample_texts import FEATURE, PLAN

START = datetime(2026, 11, 2, 3, 0, 0, tzinfo=UTC)
BOOT = 5_000_000_000_000  # reading of the monotonic clock at START
RUN = "20261102-030000-database-backup-restoration"
MISTAKE, VOLUMES = "an-operators-mistake", "all-volumes-lost"
TITLES = {MISTAKE: "An operator's mistake", VOLUMES: "All volumes lost"}
FAULTS = {MISTAKE: "destroy_recent_rows", VOLUMES: "lose_volumes"}
TAGS = ["PIT-1", "PIT-2", "PIT-3", "CON-1", "CON-2", "CON-3", "OBJ-5", "OBJ-6", "APP-1", "APP-5"]
PARTS = {
    "PostgreSQL": "18.6",
    "Patroni": "4.1.5",
    "etcd": "3.5.1",
    "Envoy": "1.40.0",
    "Barman": "3.19.1",
    "S3": "Moto 5.2.5",
}
REGIONS = [{"region": "us-east-1", "zones": list(ZONES)}]
DESCRIBED = {
    "words": {"position": "place in the WAL", "history": "timeline", "histories": "timelines"},
    "simulated": ["the object store is Moto, an emulator of the S3 protocol: a simulated store"],
    "logs": {f"patroni-{zone}": [f"postgresql-{zone}"] for zone in ZONES},
}
WAL = 26_000  # bytes a second
COMMIT = "4ce178f0c5a9d1f2b3a4c5d6e7f8091a2b3c4d5e"
CYCLE = 5.0  # seconds between two archived segments
BYTES = 91_226_112


@dataclass
class Writer:
    """Writes a journal as a run would; `at` is seconds since the run began."""

    folder: Path
    lines: list[str] = field(default_factory=list)
    at: float = 0.0

    @staticmethod
    def mono(at: float) -> int:
        return BOOT + round(at * SECOND)

    def fact(self, kind: str, /, **data: Any) -> None:
        seq = len(self.lines)
        line = {
            "v": 2,
            "seq": seq,
            "prev": hashlib.sha256(self.lines[-1].encode()).hexdigest() if self.lines else "0" * 64,
            "salt": hashlib.sha256(f"salt {seq}".encode()).hexdigest()[:32],
            "utc": (START + timedelta(seconds=self.at)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "mono": self.mono(self.at),
            "kind": kind,
            "data": data,
        }
        self.lines.append(json.dumps(line, separators=(",", ":"), ensure_ascii=True))
        self.at = round(self.at + 0.001, 6)

    def close(self) -> None:
        (self.folder / "journal.jsonl").write_text("".join(line + "\n" for line in self.lines))


def conditions() -> list[dict[str, Any]]:
    return [
        {"name": "one leader, two standbys stream", "ok": True, "seen": "pg-a leads; pg-b sync; pg-c quorum"},
        {"name": "every zone serves", "ok": True, "seen": "/ready answered 200 in zones a, b, c"},
        {"name": "archiving works", "ok": True, "seen": "0/5A000000 archived 2.1 s ago"},
    ]


SIZE = {"transactions": 200_412}


def books() -> dict[str, Any]:
    return {
        "history.count": 200_412, "history.sum": "100412881.20", "history.latest": "2026-11-02 03:00:24.118+00",
        "history.digest": "-8123377112", "history.count_24h": 41_236, "history.sum_24h": "20715442.87",
        "invariant.broken_accounts": 0, "balances.sum": "900000.00", "accounts.count": 90, "checksum_failures": 0,
        "last_id": 200_412, "sequences": {"quantumnest.financial_transactions_id_seq": 200_412},
        "extensions": ["amcheck 1.5", "plpgsql 1.0"], "roles": ["operator", "platform", "replicator"],
        "tables": {"financial_transactions": {"inserted": 200_412, "updated": 0, "deleted": 0},
                   "accounts": {"inserted": 90, "updated": 400_824, "deleted": 0}},
    }  # fmt: skip  # a table


def health(ok: bool) -> list[dict[str, Any]]:
    checks = [("API health", 0.021), ("API ready", 0.034), ("application health", 0.019), ("database", 0.004),
              ("test transaction", 0.052)]  # fmt: skip  # a table
    made = [{"name": n, "ok": True, "seconds": s, "limit": 30.0, "seen": "answered as it must"} for n, s in checks]
    if not ok:
        made[1] |= {"ok": False, "seconds": 30.004, "seen": "TimeoutError: no answer within 30 s"}
    return made


STEPS: list[tuple[str, str, str, float, dict[str, Any]]] = [
    ("restore", "stop-the-writers", "Stop the platform's API in every zone", 0.8, {"zones": ["a", "b", "c"]}),
    ("restore", "find-the-mistake", "Find the transaction that destroyed rows, in the database's log and with "
     "pg_waldump, and order recovery to stop just before its commit", 1.2,
     {"transaction": "81234", "lsn": "0/5B2C1A8", "rows": 41236}),
    ("restore", "choose-a-backup", "Compare every object of the newest base backup with the digests recorded when it "
     "was made; where one differs, say so and take the backup before", 2.1,
     {"backup": "20261102T030011", "bytes": 61_000_000, "refused": {}}),
    ("restore", "check-the-archive", "Compare every archived WAL file from there on with its digest", 0.9,
     {"files": 14, "mended": [], "lost": [], "ends before": ""}),
    ("restore", "restore-the-backup", "Restore the base backup into an empty place", 6.4, {"zone": "a"}),
    ("restore", "recover", "Replay the archived WAL up to the ordered point and promote", 4.9,
     {"lsn": "0/5B2C170", "timeline": 2, "bytes": BYTES}),
    ("verify", "verify-structure", "Check every table and index with pg_amcheck", 1.4, {"pg_amcheck": "nothing wrong"}),
    ("verify", "verify-pages", "Stop the database cleanly, check every page with pg_checksums, start it again", 2.6,
     {"pg_checksums": "Bad checksums: 0"}),
    ("verify", "verify-the-books", "Compare the books with the last check before the disaster", 0.3,
     {"compared with": "15 figures of the last check"}),
    ("salvage", "salvage-late-writes", "Copy the transactions that customers committed after the mistake from the "
     "damaged database into the restored one", 0.7, {}),
    ("serve", "put-in-service", "Make the restored database the cluster's leader, clone the other zones from it", 5.2,
     {"member": "pg-a"}),
    ("serve", "start-the-writers", "Start the platform's API in every zone", 1.1, {}),
]  # fmt: skip  # a table
ONLY_MISTAKE = ("find-the-mistake", "salvage-late-writes")


@dataclass(frozen=True)
class Plot:
    """How a sample scenario goes. Times in seconds."""

    name: str = MISTAKE
    title: str = ""
    steady: float = 18.0
    bit: float = 0.3  # after the order
    detected: float = 4.2
    settle: float = 15.0
    rate: float = 16.7  # of each zone
    bites: bool = True
    stop_after: str = ""  # a step after which a person stopped the run
    kill_in: str = ""  # a step in which the harness was killed
    early: float = 0.0  # restored to so many seconds too early
    rto: float = 3600.0  # objectives
    rpo: float = 300.0
    health_ok: bool = True
    pace: float = 1.0  # steps take so many times as long


def write(folder: Path, *plots: Plot, environment: str = "embedded", sandbox: str = "rootless", **begin: Any) -> Path:
    """A whole pack at `folder`: all files that reports read. `begin` replaces fields of the journal's first line."""
    folder.mkdir(parents=True)
    journal = Writer(folder)
    journal.fact("run.begin", **(_begin(plots, environment, sandbox) | begin))
    journal.fact("stack.begin", kind="local", regions=[], seconds=0.0)
    journal.at += 9.4
    journal.fact("stack.ready", kind="local", regions=REGIONS, seconds=9.4, packages=PARTS, **DESCRIBED)
    ended = "completed"
    for plot in plots:
        ended = _Scenario(journal, plot).play()
        if ended in ("stopped", "killed"):
            break
    else:
        ended = "completed"
    journal.fact("run.end", outcome=ended, by="drdrill heal" if ended == "killed" else "drdrill run")
    journal.close()
    (folder / "features/monthly").mkdir(parents=True)
    (folder / "features/monthly/database_backup_restoration.feature").write_text(FEATURE)
    (folder / "plan.yaml").write_text(PLAN)
    (folder / "findings.json").write_bytes(load.findings_json(load.judged(folder)))
    return folder


def _begin(plots: tuple[Plot, ...], environment: str, sandbox: str) -> dict[str, Any]:
    digests = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("plan", "features", "constraints")}
    return {
        "run": RUN, "number": 7, "previous": hashlib.sha256(b"six").hexdigest(),
        "drill": ["database-backup-restoration"], "scenarios": [plot.name for plot in plots],
        "stack": "local", "sandbox": sandbox, "environment": environment, "digests": digests, "rules": RULES,
        "harness": {"version": "0.1.0", "digest": "ab" * 32, "commit": COMMIT, "clean": True},
        "project": {"name": "Sample", "digest": "cd" * 32, "commit": None, "clean": None},
        "stream": "main", "rehearsal": False, "clock": {"name": "machine", "compression": 1},
        "operator": "mira", "boot": "8f1c2d3e-0000-4000-8000-000000000001", "nonce": "00ff" * 8, "nonce_by": "harness",
        "sabotage": None, "scale": 1.0, "rate": 50.1, "packages": {},
        "host": {"cpus": 2, "memory_bytes": 25_276_502_016, "kernel": "6.1", "python": "3.11.7"},
    }  # fmt: skip  # a table


class _Scenario:
    """One scenario as it happens, line by line."""

    def __init__(self, journal: Writer, plot: Plot) -> None:
        self.journal = journal
        self.plot = plot
        self.fault_name = FAULTS[plot.name]
        self.mistake = plot.name == MISTAKE
        self.begin = journal.at
        self.fault = self.begin + plot.steady
        self.base = 0x5000000

    def play(self) -> str:
        """How the run goes on: completed, stopped, killed; `failed` where only the scenario failed."""
        plot, journal = self.plot, self.journal
        journal.fact(
            "scenario.begin",
            scenario=plot.name,
            title=plot.title or TITLES[plot.name],
            tags=TAGS,
            feature="monthly/database_backup_restoration.feature",
            settling=5.0,
        )
        self._expect()
        journal.fact("steady", ok=True, conditions=conditions(), moment="before")
        journal.fact("reconciliation.rules", rules=list(RECONCILIATION.rules))
        journal.fact("reconciliation", moment="before", values=books(), size=SIZE)
        journal.fact("workload.begin", origin=self.origin, rate=plot.rate * 3, groups=groups(ZONES))
        self._samples(self.fault)
        journal.at = self.fault
        journal.fact("fault.intent", fault=self.fault_name, settings={"window": "24 h"}, undo={}, harms_data=True,
                     logical=self.mistake, injection=1, affects=[], ttl=900.0)  # fmt: skip  # arguments in groups
        journal.at = self.fault + plot.bit
        proof = "41,236 rows of the last 24 h are gone" if plot.bites else "no effect was seen"
        journal.fact("fault.effective", injection=1, fault=self.fault_name, ok=plot.bites, proof=proof,
                     earliest=journal.mono(self.fault), latest=journal.mono(journal.at))  # fmt: skip  # in groups
        ended = self._recover() if plot.bites else "failed"
        return self._settle(ended)

    @property
    def origin(self) -> str:
        return f"{RUN}/{self.plot.name}"

    def _recover(self) -> str:
        plot, journal = self.plot, self.journal
        journal.fact("span.begin", span="detect")
        journal.at = self.fault + plot.detected
        journal.fact("detected", by="consistency checks", seen="41,236 rows fewer than a second ago", gap=1.0)
        journal.fact("span.end", span="detect")
        journal.fact("span.begin", span="decide")
        journal.fact("decided", question="restore the database?", role="incident commander",
                     by="stand-in of the harness", attended=False)  # fmt: skip  # arguments in groups
        journal.fact("span.end", span="decide")
        steps = [step for step in STEPS if self.mistake or step[1] not in ONLY_MISTAKE]
        listed = [{"phase": phase, "name": name, "does": does} for phase, name, does, *_ in steps]
        journal.fact("procedure", name="restore-database", steps=listed)
        phases = list(dict.fromkeys(step[0] for step in steps))
        for current in phases:
            journal.fact("span.begin", span="verify" if current == "verify" else "recover")
            for phase, name, does, seconds, facts in steps:
                if phase == current and (ended := self._step(phase, name, does, seconds * plot.pace, facts)):
                    return ended
            journal.fact("span.end", span="verify" if current == "verify" else "recover")
        return "completed"

    def _step(self, phase: str, name: str, does: str, seconds: float, facts: dict[str, Any]) -> str:
        """Returns how the run ended here; empty where it goes on."""
        journal = self.journal
        journal.fact("step.begin", phase=phase, name=name, does=does)
        journal.at += seconds
        if name == self.plot.kill_in:
            journal.at += 30
            return "killed"
        if name == "find-the-mistake":
            stopped = journal.mono(self.fault - self.plot.early)
            journal.fact(
                "recovery.ordered",
                kind="xid",
                value="81234",
                position=None,
                mono=stopped,
                inclusive=False,
                declared_early=False,
                why="transaction 81234 deleted 41236 rows",
            )
        if name == "check-the-archive" and not self.mistake:
            journal.fact(
                "recovery.ordered",
                kind="end of archive",
                value="000000010000000000000005",
                position=6 << 24,
                mono=None,
                inclusive=True,
                declared_early=False,
                why="nothing newer is left",
            )
        if name == "recover":
            reached = self._lsn(self.fault)
            journal.fact("recovery.reached", at=f"0/{reached:X}", position=reached, history=2, bytes=BYTES,
                         backup="20261102T030011", declared_early=False)  # fmt: skip  # arguments in groups
            self.reached = journal.at
        if name == "verify-the-books":
            checks = [
                {"name": "books", "ok": True, "seen": "as at the last check"},
                {"name": "pages, tables and indexes", "ok": True, "seen": "pg_checksums and pg_amcheck found nothing"},
            ]
            journal.fact("verified", ok=True, checks=checks)
        if name == "salvage-late-writes":
            rows, amount = sample_customers.salvaged(self._stretch(math.inf, math.inf), self.fault)
            facts = {"rows": rows, "amount": amount}
            journal.fact("salvaged", **facts)
        if name == "put-in-service":
            journal.fact("in_service", member="pg-a", how="adopted by the cluster as leader")
        journal.fact("step.end", phase=phase, name=name, ok=True, seconds=seconds, facts=facts)
        if name == self.plot.stop_after:
            journal.fact("stopped", who="mira", why="another incident needs the team")
            return "stopped"
        return ""

    def _lsn(self, at: float) -> int:
        return self.base + int((at - self.begin) * WAL)

    def _archived(self, at: float) -> int:
        return self._lsn(self.begin + (at - self.begin) // CYCLE * CYCLE)

    def _samples(self, until: float) -> None:
        """Two a second. The log grows all the time and is archived in steps."""
        while self.journal.at + 0.5 < until:
            self.journal.at = round(self.journal.at + 0.499, 6)
            at = self.journal.at
            self.journal.fact("exposure.sample", position=self._lsn(at), safe=self._archived(at),
                              of="archive", asked=self.journal.mono(at - 0.02))  # fmt: skip  # arguments in groups

    def _healed(self, by: str, seen: str) -> dict[str, Any]:
        at = self.journal.mono(self.journal.at)
        return {
            "injection": 1,
            "fault": self.fault_name,
            "ok": True,
            "by": by,
            "seen": seen,
            "earliest": at,
            "latest": at,
        }

    def _settle(self, ended: str) -> str:
        plot, journal = self.plot, self.journal
        up = journal.at + 0.6 if ended == "completed" else math.inf
        if ended == "completed":
            journal.fact("health", ok=plot.health_ok, checks=health(plot.health_ok))
            self._samples(journal.at + plot.settle)
        self._customers(up)
        if ended != "killed":
            journal.fact("fault.healed", **self._healed("harness", "nothing of it is left"))
        else:
            journal.fact("fault.healed", **self._healed("drdrill heal", "volumes mounted again"))
            return ended
        if ended == "completed":
            journal.fact("steady", ok=True, conditions=conditions(), moment="after")
            journal.fact("reconciliation", moment="after", values=books(), size=SIZE)
        error = "" if ended == "completed" else "the fault did not bite: nothing can be said"
        journal.fact("scenario.end", scenario=plot.name, outcome=ended, error="" if ended == "stopped" else error)
        return ended

    def _stretch(self, end: float, up: float) -> Stretch:
        plot = self.plot
        down = self.fault + (plot.detected + 0.2 if self.mistake else plot.bit - 0.1)
        if not plot.bites:
            down = math.inf
        return Stretch(self.origin, self.begin, end, plot.rate, down, up, self.journal.mono)

    def _customers(self, up: float) -> None:
        plot, journal, fault = self.plot, self.journal, self.fault
        stretch = self._stretch(journal.at, up)
        kept = {}
        if up != math.inf:
            archived = self.begin + (fault - self.begin) // CYCLE * CYCLE
            last = (fault if self.mistake else archived) - plot.early
            kept = {"recovered": lambda at: at < last, "final": lambda at: at < last or at >= up or self.mistake}
            if plot.early:
                kept["final"] = lambda at: at < last or at >= (fault if self.mistake else up)
        facts = sample_customers.write(journal.folder, plot.name, stretch, kept)
        for fact in facts:
            journal.fact(str(fact.pop("kind")), **fact)
        journal.fact("workload.end", **sample_customers.totals(journal.folder, plot.name))

    def _expect(self) -> None:
        plot, journal = self.plot, self.journal
        tier = "critical financial data"
        journal.fact("expect", finding="rto", objective=f"RTO of {tier}", limit=plot.rto, demands=["OBJ-5"])
        journal.fact("expect", finding="loss", objective=f"RPO of {tier}", limit=plot.rpo, demands=["OBJ-6"])
        journal.fact("expect", finding="exposure", objective=f"RPO of {tier}", limit=plot.rpo, demands=["OBJ-6"])
        if self.mistake:
            journal.fact("expect", finding="salvage", objective="the procedure", limit=None, demands=["PIT-3"])
        journal.fact("expect", finding="exactness", objective="the ordered point", limit=None, demands=["PIT-3"])
        journal.fact("expect", finding="consistency", objective="the books", limit=None, demands=["CON-1", "CON-3"])
        journal.fact("expect", finding="health", objective="the health checks", limit=None, demands=["APP-1", "APP-5"])
