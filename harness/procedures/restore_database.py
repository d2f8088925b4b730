"""Restore the database from its backups into an empty place, verify it, and put it in service.

Two forms: `after_mistake` finds the transaction that destroyed rows and stops just before it, then salvages what
customers wrote after it; `to_end_of_archive` restores all that was archived. The same list of steps as
`drills/runbooks/database-backup-restoration.md`, which a person can follow by hand. Where a mistake may be in the
newest backup, too, `search` finds the last sound one by verification first, and between which places the mistake lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import DrillError
from harness.procedures import Change, Facts, Procedure, Step
from harness.procedures.find_mistake import Mistake, find_mistake
from harness.procedures.find_sound_backup import FindSoundBackup
from harness.procedures.looks import AS_BEFORE
from harness.procedures.reconciliation import ReconciledState, Reconciliation, unlike
from harness.stacks import Stack, zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import Archive, Backup, BaseBackups, Branch
from harness.stacks.capabilities.clocks import DATABASE
from harness.stacks.capabilities.components import Startable
from harness.stacks.capabilities.database import Cluster, Member, Positioned, Queried, Restorable, RestoreTarget
from harness.stacks.capabilities.entrance import ZoneServices
from harness.stacks.needs import Zones
from harness.stacks.parts import wal
from harness.system import clock, wait
from harness.system.recorder import Recorder

RECOVERY_LIMIT = timedelta(minutes=30)
ARCHIVE_LIMIT = timedelta(minutes=2)
# A commit takes its time before its place in the log: one that follows the mistake there may have the earlier time.
# What is looked at too early is in the restored database already, and not carried over.
COMMITS_OVERLAP = timedelta(minutes=1)


class RecoveryFailed(DrillError):
    """The database cannot be restored as ordered; what is missing is named."""


@dataclass
class RestoreDatabase:
    """One restoration under way. `before` is the last check of the data before the disaster.

    `skip`, `earlier` and `silent` exist for sabotage twins alone: steps left out, a recovery point that much too early,
    and an early end of which nothing is said.
    """

    needs: ClassVar[tuple[Any, ...]] = (
        Zones(1), Cluster, Queried, Positioned, Restorable, BaseBackups, Archive, ZoneServices, Startable,
    )  # fmt: skip  # a list; where it has to find a mistake, `LogReadable` too
    stack: Stack
    reconciliation: Reconciliation
    before: ReconciledState
    recorder: Recorder
    mistaken: str = ""  # the table whose rows somebody destroyed, with its schema; empty: nobody made a mistake
    search: FindSoundBackup | None = None  # where a backup's age says nothing of what is in it; with `mistaken`
    changes: Sequence[Change] = ()  # against the plan's own script
    skip: frozenset[str] = frozenset()
    earlier: timedelta = timedelta(0)
    silent: bool = False
    restored: RestoreTarget = field(init=False)
    _damaged: Member | None = field(init=False, default=None)
    _mistake: Mistake | None = field(init=False, default=None)
    _backup: Backup | None = field(init=False, default=None)
    _newest: int = field(init=False, default=0)  # the timeline that recovery follows
    _usable: list[str] = field(init=False, default_factory=list)  # the archived WAL segments on its way, in order
    _before: str = field(init=False, default="")  # first WAL segment that must not be used

    def procedure(self) -> Procedure:
        """The list of steps, made as data."""
        search = [
            Step(
                "restore",
                "find-the-last-sound-backup",
                "Newest first, restore each base backup into a place beside and check its pages, tables, indexes and "
                "books; where one is wrong, say so and take the backup before",
                self._find_sound_backup,
            )
        ]
        choose = [
            Step("restore", "choose-a-backup", "Compare every object of the newest base backup with the digests of "
                 "when it was made; where one differs, say so and take the backup before", self._choose_backup),
        ]  # fmt: skip  # a table
        mistake = [
            Step(
                "restore",
                "keep-the-damaged-database",
                "Keep the damaged leader running, for what must be salvaged "
                "from it, and have its write-ahead log archived up to now",
                self._archive_all,
            ),
            *(search if self.search else []),
            Step(
                "restore",
                "find-the-mistake",
                "Find the transaction that destroyed rows, in the database's log and "
                "with pg_waldump, and order recovery to stop just before its commit",
                self._find_mistake,
            ),
        ]
        salvage = [
            Step(
                "salvage",
                "salvage-late-writes",
                "Copy the transactions that customers committed after the mistake "
                "from the damaged database into the restored one",
                self._salvage,
            ),
        ]
        steps = [
            Step("restore", "stop-the-writers", "Stop the platform's API in every zone", self._stop_writers),
            *(mistake if self.mistaken else []),
            *([] if self.search else choose),
            Step("restore", "check-the-archive", "Compare every archived WAL file from there on with its digest; bring "
                 "back an object's sound earlier version, or else end recovery before the damage", self._check_archive),
            Step("restore", "restore-the-backup", "Restore the base backup into an empty place", self._restore_backup),
            Step("restore", "recover", "Replay the archived WAL up to the ordered point and promote", self._recover),
            Step("verify", "verify-structure", "Check every table and index with pg_amcheck", self._verify_structure),
            Step("verify", "verify-pages", "Stop the database cleanly, check every page with pg_checksums, start it "
                 "again", self._verify_pages),
            Step("verify", "verify-the-books", "Compare the books with the last check before the disaster",
                 self._verify_reconciled),
            *(salvage if self.mistaken else []),
            Step("serve", "put-in-service", "Stop what is left of the old cluster, make the restored database its "
                 "leader, clone the other zones from it", self._put_in_service),
            Step("serve", "start-the-writers", "Start the platform's API in every zone", self._start_writers),
        ]  # fmt: skip  # a table
        kept = [step for step in steps if step.name not in self.skip and step.phase not in self.skip]
        return Procedure("restore-database", kept, recorder=self.recorder, changes=self.changes)

    def _stop_writers(self) -> Facts:
        for zone in zones(self.stack):
            need(need(self.stack, ZoneServices).service(zone), Startable).stop()
        return {"zones": list(zones(self.stack))}

    def _archive_all(self) -> Facts:
        leader = need(self.stack, Cluster).leader()
        if leader is None:
            raise RecoveryFailed("no leader is left to keep", hint="restore to the end of the archive instead")
        self._damaged = leader
        until = need(self.stack, Positioned).hand_over()
        wait.until(
            lambda: need(self.stack, Archive).archived() >= until,
            what=f"the archive reaches {wal.lsn(until)}",
            within=ARCHIVE_LIMIT,
            recorder=self.recorder,
            every=timedelta(milliseconds=250),
        )
        return {"leader": leader.name, "archived until": wal.lsn(until)}

    def _find_mistake(self) -> Facts:
        assert self._damaged is not None
        found = find_mistake(
            self.stack,
            self._damaged,
            table=self.mistaken,
            **self._where_it_came(),
        )
        self._mistake = found
        stamp = clock.now()
        ordered = found.committed - self.earlier
        self.recorder.record(
            "recovery.ordered",
            kind="xid",
            value=found.xid,
            position=None,  # the database alone knows where its transaction ended
            inclusive=False,
            mono=stamp.mono - int((stamp.utc - ordered) / timedelta(microseconds=1)) * 1000,
            clock=DATABASE,  # it has stamped the commit
            why=f"transaction {found.xid} changed or deleted {found.rows} rows of {self.mistaken} "
            f"and committed at {clock.utc_text(found.committed)}, LSN {found.commit_lsn}",
            declared_early=False,
        )
        return {"transaction": found.xid, "committed": clock.utc_text(found.committed), "lsn": found.commit_lsn,
                "rows": found.rows, "log": list(found.logged)}  # fmt: skip  # a table

    def _where_it_came(self) -> dict[str, Any]:
        """Between which places of the log the mistake is looked for: since the books were last known to be sound."""
        if self.search is None or self.search.stretch is None:
            return {"since_lsn": self.before.position, "timeline": self.before.history}
        since, history, until = self.search.stretch
        return {"since_lsn": wal.lsn(since), "timeline": history, "until_lsn": wal.lsn(until) if until else ""}

    def _find_sound_backup(self) -> Facts:
        assert self.search is not None
        found = self.search.run()
        self._backup = self.search.found
        return found

    def _choose_backup(self) -> Facts:
        refused: dict[str, list[str]] = {}
        for backup in reversed(need(self.stack, BaseBackups).backups()):
            if self._mistake and self._is_late(backup, self._mistake):
                refused[backup.id] = ["made after the point to recover to"]
                continue
            damages = need(self.stack, BaseBackups).check(backup)
            if not damages:
                self._backup = backup
                return {"backup": backup.id, "made": clock.utc_text(backup.ended), "bytes": backup.size,
                        "refused": refused}  # fmt: skip  # a table
            refused[backup.id] = [f"{damage.key}: {damage.what}" for damage in damages]
        raise RecoveryFailed(
            "no sound base backup: "
            + ("; ".join(f"{id}: {', '.join(why)}" for id, why in refused.items()) or "none at all"),
            hint="look for copies of the backups elsewhere before anything else is changed",
        )

    def _is_late(self, backup: Backup, mistake: Mistake) -> bool:
        """By position, for the clocks of two machines differ; by time only where a time is what is recovered to."""
        if self.earlier:
            return backup.ended >= mistake.committed - self.earlier
        return backup.end >= wal.position(mistake.commit_lsn)

    def _check_archive(self) -> Facts:
        assert self._backup is not None
        archive = need(self.stack, Archive)
        files = archive.archive(since=self._backup.first_file)
        mended, lost, useless = [], [], set()
        for file in files:
            if file.damage and file.sound_version:
                archive.restore_version(file)
                mended.append(f"{file.name}: {file.damage}; its sound earlier version is used")
            elif file.damage:
                lost.append(f"{file.name}: {file.damage}, and no sound earlier version")
                useless.add(file.name)
                if file.name.endswith(".history"):
                    raise RecoveryFailed(
                        f"{lost[-1]}: recovery would stay on the timeline before it and not say so",
                        hint="write it anew: a line is the older timeline, the position of the change, and a reason",
                    )
        histories = {wal.history_of(file.name): file.past for file in files if file.past}
        self._newest = max(histories, default=wal.segment_at(self._backup.first_file)[0])
        path = wal.on_path([file.name for file in files], newest=self._newest, past=histories.get(self._newest, ()))
        self._before = next((name for name in path if name in useless), "")
        self._usable = path[: path.index(self._before)] if self._before else path
        if not self.mistaken:
            why = f"recovery must end before {self._before}: damaged" if self._before else "nothing newer is left"
            self.recorder.record(
                "recovery.ordered",
                kind="end of archive",
                value=self._usable[-1] if self._usable else "",
                position=wal.end_of(self._usable[-1]) if self._usable else None,
                inclusive=True,
                mono=None,
                clock=None,
                why=why,
                declared_early=bool(self._before) and not self.silent,
            )
        return {"files": len(files), "mended": mended, "lost": lost, "ends before": self._before}

    def _restore_backup(self) -> Facts:
        assert self._backup is not None
        self.restored = need(self.stack, Restorable).restore_target(zones(self.stack)[0])
        need(self.stack, BaseBackups).restore(self._backup, self.restored)
        return {"zone": self.restored.zone, "bytes": self.restored.size()}

    def _recover(self) -> Facts:
        assert self._backup is not None
        target: dict[str, str] = {}
        if self._mistake and self.earlier:
            moment = self._mistake.committed - self.earlier
            target = {"recovery_target_time": moment.isoformat(), "recovery_target_inclusive": "off"}
        elif self._mistake:
            target = {"recovery_target_xid": self._mistake.xid, "recovery_target_inclusive": "off"}
        self.restored.recover(
            fetch=need(self.stack, Archive).fetch_command(before=self._before),
            target={**target, "recovery_target_action": "promote"} if target else {},
        )
        wait.until(
            self.restored.recovered,
            what="the restored database takes writes",
            within=RECOVERY_LIMIT,
            recorder=self.recorder,
            last_seen=lambda: _last_line(self.restored),
        )
        with self.restored.connect() as connection:
            row = connection.execute(
                "SELECT pg_last_wal_replay_lsn()::text, (SELECT timeline_id FROM pg_control_checkpoint()),"
                " pg_database_size(current_database()),"
                " pg_read_file('pg_wal/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) ||"
                " '.history', 0, 1000000, true)"
            ).fetchone()
        lsn, timeline, size, history = row if row else ("0/0", 0, 0, "")
        self._must_have_reached(lsn, wal.branches(history or ""))
        self.recorder.record(
            "recovery.reached", at=lsn, position=wal.position(lsn), history=timeline, bytes=size,
            backup=self._backup.id,
            declared_early=bool(self._before) and not self.silent,
        )  # fmt: skip  # arguments in groups
        return {"lsn": lsn, "timeline": timeline, "bytes": size}

    def _must_have_reached(self, lsn: str, past: Sequence[Branch]) -> None:
        """Recovery that ends early says nothing by itself: compare with what the archive holds on its timeline.

        `past` is what the restored database descends from.
        """
        if self.mistaken:
            return  # PostgreSQL itself refuses to end before an ordered point
        followed = past[-1].history if past else 0
        if followed != self._newest:
            raise RecoveryFailed(
                f"recovery followed timeline {followed}, and the archive's newest is {self._newest}",
                hint=f"the restored database's log says why: {_last_line(self.restored)}",
            )
        newest = self._usable[-1] if self._usable else ""
        if newest and wal.position(lsn) < wal.start_of(newest):
            raise RecoveryFailed(
                f"recovery ended at {lsn}, before the last archived segment {newest}",
                hint=f"the restored database's log says why: {_last_line(self.restored)}",
            )

    def _verify_structure(self) -> Facts:
        return {"pg_amcheck": self.restored.verify_structure()}

    def _verify_pages(self) -> Facts:
        self.restored.stop()
        said = self.restored.verify_pages()
        self.restored.start()
        return {"pg_checksums": said}

    def _verify_reconciled(self) -> Facts:
        with self.restored.connect() as connection:
            wrong = unlike(self.reconciliation, connection, self.before)
        self.recorder.record(
            "verified",
            ok=not wrong,
            checks=[
                {"name": "pages, tables and indexes", "ok": True, "seen": "pg_checksums and pg_amcheck found nothing"},
                {"name": "books", "ok": not wrong, "seen": "; ".join(wrong) or AS_BEFORE},
            ],
        )
        if wrong:
            raise RecoveryFailed(f"the restored books are wrong: {'; '.join(wrong)}", hint="restore an earlier backup")
        return {"compared with": f"{len(self.before.values)} figures of the last check"}

    def _salvage(self) -> Facts:
        assert self._damaged is not None and self._mistake is not None
        since = self._mistake.committed - COMMITS_OVERLAP
        with need(self.stack, Queried).connect(self._damaged) as damaged, self.restored.connect() as restored:
            salvaged = self.reconciliation.salvage(damaged, restored, since=since)
            wrong = self.reconciliation.discrepancies(restored)
        found = {"rows": salvaged.rows, "amount": str(salvaged.amount)}
        self.recorder.record("salvaged", **found)
        if wrong:
            raise RecoveryFailed(f"after the salvage the books are wrong: {'; '.join(wrong)}", hint="do not serve this")
        return found

    def _put_in_service(self) -> Facts:
        self.restored.stop()
        need(self.stack, Restorable).stop()
        leader = need(self.stack, Restorable).adopt(self.restored)
        return {"leader": leader.name}

    def _start_writers(self) -> Facts:
        for zone in zones(self.stack):
            need(need(self.stack, ZoneServices).service(zone), Startable).start()
        leader = need(self.stack, Cluster).leader()
        self.recorder.record("in_service", member=leader.name if leader else "", how="adopted by the cluster as leader")
        return {"zones": list(zones(self.stack))}


def _last_line(restored: RestoreTarget) -> str:
    lines = restored.log.read_text(errors="replace").strip().splitlines() if restored.log.exists() else []
    return lines[-1] if lines else ""
