"""A database cluster that follows that of another region, by Patroni's `standby_cluster`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import psycopg

from harness.errors import DrillError, NotReady, Refused
from harness.stacks import Condition
from harness.stacks.parts import histories, wal
from harness.stacks.parts.etcd import Etcd
from harness.stacks.parts.fencing import is_copy
from harness.stacks.parts.histories import History
from harness.stacks.parts.member import NAMESPACE, SCOPE, PatroniMember
from harness.stacks.parts.patroni import PatroniCluster
from harness.stacks.parts.postgres import PORT, Roles, dsn
from harness.system import wait
from harness.system.clock import Moment, around
from harness.system.http import DIRECT, NoAnswer

PATIENCE = timedelta(seconds=2)  # for an answer of Patroni's
PROMOTED_WITHIN, DEMOTED_WITHIN = timedelta(seconds=60), timedelta(seconds=90)
DELAYED_WITHIN = timedelta(seconds=30)
OFTEN = timedelta(milliseconds=50)
# Of the log for a region that follows: a slot that nobody uses would fill the disk.
KEPT = {"max_slot_wal_keep_size": "1GB"}
OK = 200
BASE = f"{NAMESPACE}{SCOPE}/"
COMMITS = "SELECT pg_logical_emit_message(true, 'drdrill', 'takes writes')"
RECEIVED = "SELECT COALESCE(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::text"
REPLAYED = "SELECT pg_last_wal_replay_lsn()::text"
DELAYS = "SELECT pg_is_in_recovery() AND setting::bigint > 0 FROM pg_settings WHERE name = 'recovery_min_apply_delay'"
# The first bytes of a record, which say how long it is, from the newest file of that place.
LENGTH = """SELECT pg_read_binary_file('pg_wal/' || name, %s, 4) FROM pg_ls_waldir()
            WHERE length(name) = 24 AND substr(name, 9) = %s ORDER BY name DESC LIMIT 1"""
AGE = "SELECT clock_timestamp() - pg_last_xact_replay_timestamp()"
SENDER = "SELECT sender_host FROM pg_stat_wal_receiver WHERE status = 'streaming'"


def slot_of(region: str) -> str:
    """The name of the replication slot by which a region follows another."""
    return region.replace("-", "_")


def followed_by(regions: Sequence[str]) -> dict[str, Any]:
    """What a cluster's configuration says while these regions follow it; nothing where there are none."""
    return {"slots": {slot_of(region): {"type": "physical"} for region in regions}} if regions else {}


def following(region: str, upstream: Sequence[str]) -> dict[str, Any]:
    """What a region's own says while it follows the cluster at these addresses."""
    return {
        "standby_cluster": {"host": ",".join(upstream), "port": str(PORT), "primary_slot_name": slot_of(region)},
    }


class PatroniStandby:
    """Fills the protocols Standby and Delayable."""

    def __init__(
        self, cluster: PatroniCluster, members: Sequence[PatroniMember], *, etcd: Etcd, roles: Roles, region: str,
        others: Mapping[str, Sequence[str]], led: Callable[[], object] = bool,
    ) -> None:  # fmt: skip  # parameters in groups
        """`others`: the database servers of the other regions, by the region's name. `led`: told once it leads."""
        self._cluster = cluster
        self._members = tuple(members)
        self._etcd = etcd
        self._roles = roles
        self._region = region
        self._others = others
        self._led = led
        self._recorder = etcd.recorder

    @property
    def addresses(self) -> Sequence[str]:
        return [member.address for member in self._members]

    def follows(self) -> str:
        upstream = self._upstream()
        known = {tuple(addresses): name for name, addresses in self._others.items()}
        return known.get(upstream, ", ".join(upstream))

    def follow(self, upstream: Sequence[str]) -> str:
        if any(member.alive() for member in self._members):
            return self._demote(upstream)
        theirs, before = self._history_at(upstream), self._upstream() == tuple(upstream)
        gone = [one for one in self._members if one.has_data() and not _goes_on(one, theirs, equal=before)]
        content = {**self._configuration(), **following(self._region, upstream)}
        content.pop("slots", None)
        self._etcd.write(f"{BASE}config", json.dumps(content))
        for key in ("leader", "sync", "failover"):  # of a time that is over; nobody runs who could use them
            self._etcd.forget(f"{BASE}{key}")
        self._cluster.move_aside(gone)
        self._cluster.forget_earlier()
        if not any(member.has_data() for member in self._members):
            self._etcd.forget(f"{BASE}initialize")  # or all wait for ever for one who has data
        names = ", ".join(member.name for member in gone)
        return f"cloned anew once started: {names}; what they had is kept aside" if gone else "what it has is kept"

    def goes_on(self, upstream: Sequence[str]) -> bool:
        theirs = self._history_at(upstream)
        return all(_goes_on(member, theirs, equal=True) for member in self._members if member.has_data())

    def follow_unlooked(self, upstream: Sequence[str]) -> None:
        """For sabotage only: who leads is told to follow, whatever either has written."""
        leader = self._cluster.leader()
        if leader is None:
            raise NotReady(f"nobody leads in {self._region}", hint="let it lead first")
        self._patch(leader, following(self._region, upstream))

    def promote(self) -> Moment | None:
        if (leads := self._cluster.leader()) is not None:
            self._patch(leads, followed_by(list(self._others)))  # one that was restored knows of nobody who may follow
            self._led()
            return None
        leader = self._standby_leader()

        def lead() -> None:
            self._patch(leader, {"standby_cluster": None, **followed_by(list(self._others))})
            wait.until(
                lambda: _commits(leader), what=f"{leader.name} takes writes", within=PROMOTED_WITHIN, every=OFTEN,
                recorder=self._recorder,
            )  # fmt: skip  # arguments in groups

        moment = around(lead, by="Patroni, which was told to lead, and the database, which answered a COMMIT")
        self._led()
        return moment

    def hold_replay(self) -> None:
        self._delay("1d", len(self._members))

    def release_replay(self) -> None:
        self._delay(None, 0)

    def holds_replay(self) -> list[str]:
        return [member.name for member in self._members if self._holds(member)]

    def give_to_replay(self) -> None:
        for address in self._upstream():
            with suppress(psycopg.Error), psycopg.connect(self._dsn(address), autocommit=True) as connection:
                connection.execute(COMMITS)  # one that leads not refuses it

    def _delay(self, length: str | None, wanted: int) -> None:
        """By Patroni, which takes out again what it has not set itself."""
        change = {"postgresql": {"recovery_conf": {"recovery_min_apply_delay": length}}}
        asked = next((member for member in self._members if member.running()), self._members[0])
        self._patch(asked, change)
        what = f"{self._region} {'holds back' if length else 'replays'} what it receives"
        wait.until(
            lambda: len(self.holds_replay()) == wanted, what=what, within=DELAYED_WITHIN, recorder=self._recorder
        )

    def _holds(self, member: PatroniMember) -> bool:
        try:
            with self._cluster.connect(member) as connection:
                row = connection.execute(DELAYS).fetchone()
        except psycopg.Error as error:
            raise NotReady(f"{member.name} does not answer: {error}", hint=f"read {member.log}") from None
        return bool(row and row[0])

    def received(self) -> int:
        return max(map(wal.position, self._asked(RECEIVED)))

    def received_whole(self) -> int:
        found = []
        for member in self._members:
            with suppress(psycopg.Error), self._cluster.connect(member) as connection:
                received, replayed = (_position(connection, query) for query in (RECEIVED, REPLAYED))
                found.append(_whole(connection, received, replayed) if received > replayed else received)
        if not found:
            raise NotReady(f"no database server of {self._region} says it", hint="read the logs of Patroni")
        return max(found)

    def replayed(self) -> int:
        return max(map(wal.position, self._asked(REPLAYED)))

    def receives(self) -> bool:
        upstream = {address for addresses in self._others.values() for address in addresses}
        with suppress(NotReady):
            return bool(upstream & set(self._asked(SENDER)))
        return False

    def parted(self) -> int:
        with self._cluster.connect() as connection:
            past = histories.of_leader(connection).past
        return past[-1].until if past else 0

    def replay_age(self) -> timedelta | None:
        with suppress(NotReady):
            youngest: timedelta = min(self._asked(AGE))
            return youngest
        return None

    def standing_by(self) -> list[Condition]:
        try:
            upstream = self.follows()
        except DrillError as error:
            return [Condition(f"{self._region} follows", ok=False, seen=error.message)]
        said = {member.name: _said(member) for member in self._members}
        leads = [name for name, one in said.items() if one.get("role") == "standby_leader"]
        seen = f"{upstream or 'nobody'}, by {leads[0] if leads else 'none of its servers'}"
        streams = {name: str(one.get("replication_state")) for name, one in said.items()}
        found = [Condition(f"{self._region} follows", ok=bool(upstream and leads), seen=seen)]
        return found + [
            Condition(f"{name} replicates", ok=state == "streaming", seen=state) for name, state in streams.items()
        ]

    def _demote(self, upstream: Sequence[str]) -> str:
        """Patroni stops the leader cleanly, so that whoever follows it has all of it, and lets it follow."""
        if self.follows():
            return "it follows already"
        if self._leads_at(upstream):
            both = f"{self._region} and {', '.join(upstream)} lead"
            raise Refused(f"{both}: two databases", hint="fence the one that is to follow")
        leader = self._cluster.leader()
        if leader is None:
            raise Refused(f"nobody leads in {self._region}", hint="stop its database servers, or wait for a leader")
        self._patch(leader, following(self._region, upstream))

        def demoted() -> bool:
            with suppress(NotReady):
                return self._standby_leader() is not None
            return False

        wait.until(demoted, what=f"{self._region} is demoted", within=DEMOTED_WITHIN, recorder=self._recorder)
        self._patch(self._standby_leader(), {"slots": None})  # not before: they were needed for the last of the log
        return "demoted as planned"

    def _patch(self, member: PatroniMember, change: Mapping[str, Any]) -> None:
        """Errors: `NotReady` where Patroni does not take it."""
        try:
            answer = DIRECT.ask("PATCH", f"{member.rest}/config", sends=change, within=5 * PATIENCE)
        except NoAnswer as error:
            raise NotReady(f"{member.name} does not answer: {error}", hint=f"read {member.log}") from None
        if answer.status != OK:
            raise NotReady(f"{member.name}: {answer.body.decode(errors='replace')}", hint=f"read {member.log}")

    def _standby_leader(self) -> PatroniMember:
        for member in self._members:
            with suppress(NoAnswer):
                if DIRECT.ask("GET", f"{member.rest}/standby-leader", within=PATIENCE).status == OK:
                    return member
        raise NotReady(f"no database server of {self._region} stands by to lead", hint="read the logs of Patroni")

    def _upstream(self) -> tuple[str, ...]:
        hosts: str = (self._configuration().get("standby_cluster") or {}).get("host", "")
        return tuple(filter(None, hosts.split(",")))

    def _configuration(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._etcd.read(f"{BASE}config") or "{}")
        return found

    def _asked(self, query: str) -> list[Any]:
        """What each server answers that can be asked, and is not null. Errors: `NotReady` where there is none."""
        found = []
        for member in self._members:
            with suppress(psycopg.Error), self._cluster.connect(member) as connection:
                found += [row[0] for row in connection.execute(query.encode()).fetchall() if row[0] is not None]
        if not found:
            raise NotReady(f"no database server of {self._region} says it", hint="read the logs of Patroni")
        return found

    def _leads_at(self, upstream: Sequence[str]) -> bool:
        with suppress(Refused):
            return self._history_at(upstream) is not None
        return False

    def _dsn(self, address: str) -> str:
        """Of a server of another region, as who runs the database."""
        return dsn(address, PORT, role="postgres", password=self._roles.postgres)

    def _history_at(self, upstream: Sequence[str]) -> History:
        for address in upstream:
            with suppress(psycopg.Error), psycopg.connect(self._dsn(address), autocommit=True) as connection:
                return histories.of_leader(connection)
        raise Refused(f"none of {', '.join(upstream)} leads", hint="whoever is to be followed has to lead first")


def _goes_on(member: PatroniMember, theirs: History, *, equal: bool) -> bool:
    """Whether what it has is a beginning of the other's. One that has led may have what nobody else has, and one that
    followed it may have received some of that. Either could be rewound; that takes all of the other's log over the link
    between the regions: measured, 38 s for one alone, where a clone of all took less."""
    own = histories.on_disk(member.data)
    if not is_copy(member) or not own.begins(theirs, equal=equal):
        return False
    left = own.left_at(theirs)
    return left is None or not member.has_written(own.timeline, past=left)


def _position(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return wal.position(row[0]) if row and row[0] else 0


def _whole(connection: psycopg.Connection[Any], received: int, replayed: int) -> int:
    """`replayed`, where all that is behind it is the beginning of one record; else `received`."""
    begin = wal.record_begin(replayed)
    if begin >= received:
        return replayed
    name = wal.segment_name(0, begin // wal.SEGMENT)[8:]
    row = connection.execute(LENGTH, (begin % wal.SEGMENT, name)).fetchone()
    length = int.from_bytes(row[0], sys.byteorder) if row else 0
    return replayed if length and wal.record_end(begin, length) > received else received


def _commits(member: PatroniMember) -> bool:
    try:
        with psycopg.connect(member.dsn, autocommit=True) as connection:
            connection.execute(COMMITS)
    except psycopg.Error:
        return False
    return True


def _said(member: PatroniMember) -> Mapping[str, Any]:
    with suppress(NoAnswer, ValueError):
        found = DIRECT.ask("GET", f"{member.rest}/patroni", within=PATIENCE).json()
        return found if isinstance(found, dict) else {}
    return {}
