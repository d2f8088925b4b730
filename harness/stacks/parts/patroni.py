"""The database cluster under Patroni: who leads, and how a restored database is adopted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from harness.errors import NotReady, Refused
from harness.stacks import Component, Condition
from harness.stacks.capabilities.database import Member, RestoreTarget
from harness.stacks.parts import fencing
from harness.stacks.parts.etcd import Etcd
from harness.stacks.parts.ground import Ground
from harness.stacks.parts.member import NAMESPACE, SCOPE, PatroniMember
from harness.stacks.parts.postgres import PORT, Roles, dsn
from harness.stacks.parts.restore_target import PostgresRestoreTarget
from harness.stacks.parts.wal import SPOOL
from harness.system import clock, wait
from harness.system.clock import Moment, around
from harness.system.http import DIRECT, NoAnswer

LEADS_WITHIN = timedelta(seconds=90)
PATIENCE = timedelta(seconds=2)  # for an answer of Patroni's
SWITCHED_WITHIN = timedelta(seconds=60)
REBUILD_ANSWER = timedelta(seconds=10)
REBUILT_WITHIN = timedelta(minutes=10)
DONE, REFUSED = 200, (400, 412)
PATRONI_FILES = ("patroni.dynamic.json", "standby.signal", "recovery.signal", "recovery.conf")


class PatroniCluster:
    """Fills the protocols Cluster, Coordinated, Queried, Restorable, Switched and Rebuilt."""

    def __init__(
        self, ground: Ground, *, members: Sequence[PatroniMember], etcd: Etcd, roles: Roles, synchronous: int
    ) -> None:
        """`synchronous` is how many members a commit may wait for where all is well: fewer is not healthy."""
        self._members = tuple(members)
        self._ground = ground
        self._etcd = etcd
        self._synchronous = synchronous
        self._roles = roles
        self._aside = ground.folder / "aside"

    @property
    def members(self) -> Sequence[Member]:
        return self._members

    def store(self, zone: str) -> Component:
        """The etcd of a zone. Errors: `Refused` where none stands there."""
        found = next((one for one in self._etcd.members if one.zone == zone), None)
        if found is None:
            zones = ", ".join(one.zone for one in self._etcd.members)
            raise Refused(f"no etcd stands in zone {zone}", hint=f"name a zone that has one: {zones}")
        return found

    def leader(self) -> PatroniMember | None:
        """Who holds the leader's lock and takes writes, as Patroni says; None where nobody does."""
        return next((member for member in self._members if _status(f"{member.rest}/primary") == 200), None)

    def connect(self, member: Member | None = None) -> psycopg.Connection[Any]:
        """As the superuser, autocommit; to the leader unless a member is named.

        What it writes waits for no copy: where the copies are gone it would wait for ever, and so would the drill.
        Errors: `NotReady` where nobody leads, `psycopg.OperationalError` where the server does not answer.
        """
        alone = "-c synchronous_commit=local"
        asked = self._member(member.name) if member else self._must_lead()
        return psycopg.connect(asked.dsn, autocommit=True, options=alone)

    def run_as(self, person: str, statements: Sequence[str]) -> Moment | None:
        """Nobody sees anything of it before it commits. Errors: as `connect`, and what the server says."""
        with self.log_in(person) as connection:
            connection.execute("BEGIN")
            for statement in statements:
                connection.execute(statement.encode())
            return around(lambda: connection.execute("COMMIT"), by="the database: the COMMIT, and its answer")

    def answers(self, member: Member, sizes: Sequence[int]) -> list[float]:
        """Over one connection."""
        taken: list[float] = []
        with suppress(psycopg.Error), self.connect(member) as connection:
            for size in sizes:
                begin = clock.mono()
                connection.execute("SELECT repeat('x', %s)", (size,))
                taken.append(clock.since(begin).total_seconds())
        return taken

    def log_in(self, role: str) -> psycopg.Connection[Any]:
        """To the leader, as another role. Errors: as `connect`."""
        address = self._must_lead().address
        return psycopg.connect(
            dsn(address, PORT, role=role, password=self._roles.password(role), application_name="psql"),
            autocommit=True,
        )

    def healthy(self) -> list[Condition]:
        """A leader, every other member streams from it, and as many of them are synchronous as there should be."""
        leader = self.leader()
        if leader is None:
            return [Condition("leader", ok=False, seen="nobody leads")]
        conditions = [Condition("leader", ok=True, seen=leader.name)]
        try:
            with self.connect(leader) as connection:
                rows = connection.execute(
                    "SELECT application_name, state, sync_state FROM pg_stat_replication"
                ).fetchall()
        except psycopg.OperationalError as error:
            return [*conditions, Condition("replication", ok=False, seen=str(error).strip())]
        seen = {name: (state, sync) for name, state, sync in rows}
        for member in self._members:
            if member is not leader:
                state, sync = seen.get(member.zone, ("not there", ""))
                ok = state == "streaming"
                conditions.append(Condition(f"{member.name} replicates", ok=ok, seen=f"{state} {sync}".strip()))
        promised = [name for name, (_, sync) in seen.items() if sync in ("sync", "quorum")]
        said = f"commits wait for {', '.join(promised) or 'nobody'}"
        return [*conditions, Condition("synchronous", ok=len(promised) >= self._synchronous, seen=said)]

    def holder(self) -> str:
        """Who holds the leader's key in etcd, which goes when it is not renewed. Errors: `NotReady`."""
        name = self._etcd.read(f"{NAMESPACE}{SCOPE}/leader")
        return next((member.name for member in self._members if member.zone == name), name)

    def writable(self, name: str) -> bool | None:
        """Asked in its own zone; None where nobody can say."""
        return fencing.writable(self._named(name))

    def comes_back_as_copy(self, name: str) -> str:
        """Patroni starts its server as a copy, and lets it lead only with the key in etcd: unless it cannot."""
        return fencing.why_no_copy(self._named(name))

    def _named(self, name: str) -> PatroniMember:
        return next(member for member in self._members if member.name == name)

    def start(self) -> None:
        """Start all members and wait until one leads and takes writes."""
        for member in self._members:
            member.start()
        self._wait_leader(self._members)

    def stop(self) -> None:
        """Stop all members cleanly, at the same time; harmless where they are stopped."""
        for member in self._members:
            member.ask_to_stop()
        for member in self._members:
            member.wait_stopped()

    def switch(self, to: Member) -> None:
        """By Patroni, which refuses one that lacks what was acknowledged. Errors: `Refused`, `NotInTime`."""
        wanted = self._member(to.name)

        def leads() -> bool:
            leader = self.leader()
            if leader is not wanted:
                self._ask_to_lead(wanted, leader)
            return self.leader() is wanted and _writable(wanted)

        wait.until(
            leads, what=f"{wanted.name} leads and takes writes", within=LEADS_WITHIN,
            recorder=self._ground.commands.recorder, last_seen=self._states,
        )  # fmt: skip  # arguments in groups

    def _ask_to_lead(self, wanted: PatroniMember, leader: PatroniMember | None) -> None:
        """Whether it leads then is seen afterwards: who is asked may die of it, or find nobody good for the moment."""
        verb = "failover" if leader is None else "switchover"
        asked = {"candidate": wanted.zone} | ({"leader": leader.zone} if leader else {})
        with suppress(NoAnswer):
            answer = DIRECT.ask("POST", f"{(leader or wanted).rest}/{verb}", sends=asked, within=SWITCHED_WITHIN)
            if answer.status in REFUSED:
                said = answer.body.decode(errors="replace").strip()
                raise Refused(f"{wanted.name} is not let lead: {said}", hint="name another server that is sound")

    def rebuild(self, member: Member) -> str:
        """By Patroni, which removes its data directory and clones the leader's."""
        found, before = self._member(member.name), self._made(member)
        if self.leader() is found:
            raise Refused(f"{found.name} leads", hint="hand the lead to another server first")
        if not found.running():
            found.start()

        def asked() -> bool:
            with suppress(NoAnswer):
                answer = DIRECT.ask("POST", f"{found.rest}/reinitialize", sends={"force": True}, within=REBUILD_ANSWER)
                return answer.status == DONE
            return False

        def anew() -> str:
            seen = next((one for one in self.healthy() if one.name == f"{found.name} replicates" and one.ok), None)
            return seen.seen if seen and self._made(found) not in ("", before) else ""

        recorder = self._ground.commands.recorder
        wait.until(asked, what=f"{found.name} begins anew", within=LEADS_WITHIN, recorder=recorder)
        seen = wait.until(
            anew, what=f"{found.name} is made anew and follows", within=REBUILT_WITHIN, recorder=recorder,
            last_seen=lambda: _state(found),
        )  # fmt: skip  # arguments in groups
        return f"made anew, {seen}"

    def _made(self, member: Member) -> str:
        """What tells its data from other data; empty where it has none."""
        with suppress(NotReady):
            return self._member(member.name).made
        return ""

    def restore_target(self, zone: str) -> PostgresRestoreTarget:
        """A new, empty place on the zone's volume. What an earlier restoration left there is removed."""
        member = next(member for member in self._members if member.zone == zone)
        member.own_volume()
        return PostgresRestoreTarget.make(member, roles=self._roles)

    def adopt(self, place: RestoreTarget) -> PatroniMember:
        """Put the stopped place's data directory in service as the leader.

        Errors: `Refused` when a member still runs, or the place does; `NotInTime` when it does not take the lead.
        """
        if running := [member.name for member in self._members if member.running()]:
            raise Refused(f"{', '.join(running)} still run", hint="stop the cluster first")
        if (place.data / "postmaster.pid").exists():
            raise Refused("the restored database still runs", hint="stop it cleanly first")
        leader = next(member for member in self._members if member.zone == place.zone)
        self.forget_state()
        self.move_aside(self._members)
        leader.volume.mkdir(parents=True, exist_ok=True)
        shutil.move(place.data, leader.data)
        for name in PATRONI_FILES:
            (leader.data / name).unlink(missing_ok=True)
        shutil.rmtree(leader.data / SPOOL, ignore_errors=True)
        leader.start()
        self._wait_leader([leader])
        for member in self._members:
            member.start()
        self.forget_earlier()
        return leader

    def forget_state(self) -> None:
        """Forget the old cluster's state, and that it followed another region, which its first configuration says."""
        key = f"{NAMESPACE}{SCOPE}/config"
        content = json.loads(self._etcd.read(key) or "{}")
        self._etcd.forget(f"{NAMESPACE}{SCOPE}/")
        if content.pop("standby_cluster", None):
            content.get("postgresql", {}).pop("recovery_conf", None)  # of how it followed
            self._etcd.write(key, json.dumps(content))

    def _member(self, name: str) -> PatroniMember:
        return next(member for member in self._members if member.name == name)

    def _must_lead(self) -> PatroniMember:
        leader = self.leader()
        if leader is None:
            raise NotReady("no member of the cluster leads", hint="read the Patroni logs of this stack")
        return leader

    def move_aside(self, members: Sequence[PatroniMember]) -> None:
        """What these have, until the next time."""
        number = max((int(path.name) for path in self._set_aside()), default=0) + 1
        for member in members:
            if member.data.exists():
                target = self._aside / str(number) / member.zone
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(member.data, target)

    def forget_earlier(self) -> None:
        """What was moved aside before the last time: drills in a row would fill the disk."""
        for earlier in self._set_aside()[:-1]:
            shutil.rmtree(earlier, ignore_errors=True)

    def _set_aside(self) -> list[Path]:
        """What was moved aside, the latest last."""
        return sorted(self._aside.glob("*"), key=lambda path: int(path.name))

    def _wait_leader(self, started: Sequence[PatroniMember]) -> None:
        """Until one of them leads and takes writes. Errors: `NotReady`, `NotInTime`."""

        def takes_writes() -> bool:
            for member in started:
                member.must_run()
            leader = self.leader()
            return leader is not None and _writable(leader)

        wait.until(
            takes_writes, what="a leader takes writes", within=LEADS_WITHIN, recorder=self._ground.commands.recorder,
            last_seen=self._states,
        )  # fmt: skip  # arguments in groups

    def _states(self) -> str:
        return ", ".join(f"{member.name}: {_state(member)}" for member in self._members)


def _writable(member: PatroniMember) -> bool:
    """Whether a transaction that changes something commits there."""
    try:
        with psycopg.connect(member.dsn, autocommit=True) as connection:
            row = connection.execute(
                "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool"
            ).fetchone()
            if row is None or row[0]:
                return False
            connection.execute("SELECT pg_logical_emit_message(true, 'drdrill', 'takes writes')")
    except psycopg.Error:
        return False
    return True


def _status(url: str) -> int:
    """The HTTP status of a Patroni answer; 0 where there is none."""
    try:
        return DIRECT.ask("GET", url, within=PATIENCE).status
    except NoAnswer:
        return 0


def _state(member: PatroniMember) -> str:
    """What it says of itself, whether it is well or not."""
    try:
        found = DIRECT.ask("GET", f"{member.rest}/patroni", within=PATIENCE).json()
    except (NoAnswer, ValueError):
        return "does not answer"
    return f"{found.get('role')} {found.get('state')}"
