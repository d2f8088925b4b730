"""One restore, from the choice of a backup to the removal of its place. Whatever happens is recorded, and ends it.

The order is the same for every tool: what the repository is like before, which backup, an empty place, the backup
brought into it, recovered, proved, the repository again, and the place removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from stat import S_ISREG
from typing import Any

import psycopg
from psycopg import sql

from harness.errors import DrillError, Exit, NotInTime, NotReady, Refused, quietly
from harness.restores import Brought, Inventory, Kept, Look, Place, Point, Programs, Source, answering
from harness.restores.broken import NOT, Broken
from harness.restores.budget import STOPPED, Budget
from harness.restores.canary import SAID, canary
from harness.restores.choice import Asked, Chosen, choose
from harness.restores.described import Backup
from harness.restores.proof.whole import Proof, words_of
from harness.stacks.parts.logs import last_lines
from harness.system import clock, wait
from harness.system.clock import utc_text
from harness.system.recorder import Recorder

RESTORED, FAILED, NOT_EXERCISED, CUT_SHORT = "restored", "failed", "not exercised", "cut short"
FETCH = 'test -f "{wal}/%f" && cp "{wal}/%f" "%p"'  # cp's word of what is not there would be cut by the server's own
NOTHING = "/bin/false"  # a restore_command has to be there; the backup has all that it needs
LOOKS = timedelta(milliseconds=200)
FULL = "No space left on device"
LEFT = "its place is left, as the twin wants it"
EMPTY = ("--data-checksums", "--encoding=UTF8", "--locale=C")  # a cluster for a dump, which has its own words for these
PACKED = 5  # how much smaller a dump is than its database: more than most are
TOLD = 10  # changes of a repository by their names
PROGRESS = 10.0  # seconds


@dataclass
class OneRestore:
    """Of one database. `folder` is where its place is made, and is not there yet. `keep` gives a place away that is to
    be looked at, and says where it is then."""

    backup: Backup
    source: Source
    programs: Programs
    folder: Path
    asked: Asked
    seed: str
    budget: Budget
    recorder: Recorder
    keep: Callable[[Path], Path] | None = None
    books: Any = None  # the project's, asked of the restored database
    then: Callable[[Place, Sequence[str]], None] = lambda place, names: None  # done last, with what is looked at
    broken: Broken = NOT
    place: Place | None = None  # while there is one: whoever stops the run removes it
    _said: list[str] = field(default_factory=list)  # by the tools
    _seen: datetime = field(default_factory=lambda: clock.now().utc)  # when the archive was looked at
    _looks: list[Look] = field(default_factory=list)
    _begin: int = 0
    _seconds: float | None = None  # from its first part to its last
    _size: int = 0

    def carry_out(self) -> None:
        """Errors: none but of the harness itself: what happened is in `restore.end`."""
        with ExitStack() as room:  # which it takes until its place is removed
            outcome, why = self._outcome(room)
            self._end(outcome, why)

    def _outcome(self, room: ExitStack) -> tuple[str, str]:
        """What became of it, and why."""
        outcome, why = RESTORED, ""
        try:
            self._carry_out(room)
        except NotInTime as error:
            outcome, why = (CUT_SHORT if self._begin else NOT_EXERCISED), error.message
        except DrillError as error:
            could_not_look = error.exit is Exit.UNKNOWN or isinstance(error, Refused)
            outcome, why = (NOT_EXERCISED if could_not_look else FAILED), error.message
        except psycopg.Error as error:
            outcome, why = FAILED, words_of(error)
        except OSError as error:
            outcome, why = FAILED, f"{error.filename or self.folder}: {error.strerror or error}"
        if self.budget.stopped and outcome == FAILED:  # its place was taken away: that says nothing of the backup
            return CUT_SHORT, STOPPED
        if outcome == FAILED and not self.budget.left:  # a tool was ended, for it had no time any more
            return CUT_SHORT, f"{self.budget.over}; {why}"
        if outcome == FAILED and (FULL in why or self.budget.full):  # the ground that it stood on
            return NOT_EXERCISED, f"the disk under its place was full; {why}"
        return outcome, why

    # In order

    def _carry_out(self, room: ExitStack) -> None:
        self.budget.must_go_on()
        before = self.source.inventory()
        self._record(
            "restore.inventory", moment="before", changed=[], came=[], **_summed(before), read_only=self._read_only
        )
        chosen = self._chosen()
        point = self._point()
        needed = room.enter_context(self.budget.room(room_for(chosen.kept)))
        self.place = self._empty_place(chosen.kept, needed)
        self._begin = clock.mono()
        try:
            with self._progress(chosen.kept.size):
                self._brought_and_proved(chosen.kept, point)
        finally:
            self._seconds = clock.since(self._begin).total_seconds()
            self._look_again(before)

    def _brought_and_proved(self, kept: Kept, point: Point) -> None:
        assert self.place is not None
        proof = Proof(self.backup, self.place, kept, within=self.budget.must_go_on)
        if kept.form == "files":
            self._recover(kept, point, proof)
        else:
            self._load(kept, point, proof)
        self._size = size_of(self.place.data)
        self.broken.holds(self.place, proof.names)
        with self._timed("verify"):
            self._prove(proof)

    def _chosen(self) -> Chosen:
        """Errors: `NotReady` where the catalogue is empty: there is nothing to look at."""
        self._seen = clock.now().utc
        catalogue = self.source.catalogue()
        chosen = choose(catalogue, self.asked, seed=self.seed, database=self.backup.name)
        chosen = self.broken.chooses(catalogue, chosen) if chosen else None
        said = [_told(each) for each in catalogue]
        digest = hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
        self._record(
            "restore.catalogue", tool=self.source.tool, read_only=self._read_only, backups=said, digest=digest,
            chosen=chosen.kept.id if chosen else "", how=chosen.how if chosen else "there is none",
            system_expected=self.backup.system,
        )  # fmt: skip  # arguments in groups
        if chosen is None:
            raise NotReady(f"{self.backup.name} has no backup", hint="look at the repository with its tool")
        return chosen

    def _point(self) -> Point:
        """Errors: `Refused` where the stack file has no such point."""
        if not self.asked.point:
            return Point()
        if self.asked.point not in self.backup.points:
            there = ", ".join(self.backup.points) or "none"
            raise Refused(f"{self.backup.name} has no point {self.asked.point}", hint=f"points of it: {there}")
        return self.backup.points[self.asked.point]

    def _empty_place(self, kept: Kept, needed: int) -> Place:
        """Errors: `Unable` where it cannot be had; `DrillError` where the backup does not say its version."""
        if self.folder.exists():
            raise Refused(f"{self.folder} is there already", hint="move it away: a place is empty before")
        if not kept.version:  # an entry that cannot be read: that is the backup's fault, and no program is missing
            raise DrillError(f"{kept.id} cannot be restored: {kept.sound}", hint="restore another backup")
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        place = self.programs.place(self.folder, kept.version, isolated=self.broken.isolated)
        self._record(
            "restore.place", moment="before", version=place.version, programs=self.programs.said,
            isolation=place.isolation, empty=not place.data.exists() or not any(place.data.iterdir()),
            free=shutil.disk_usage(self.folder.parent).free, needed=needed,
        )  # fmt: skip  # arguments in groups
        return place

    def _recover(self, kept: Kept, point: Point, proof: Proof) -> None:
        brought = self._bring(kept, point)
        assert self.place is not None
        self.broken.brings(self.place, brought)
        proof.look_at_control()
        fetch = FETCH.format(wal=brought.wal) if brought.wal else NOTHING
        settings = {"restore_command": fetch, "recovery_target_action": "promote", **point.settings}
        replayed = sum(file.stat().st_size for file in brought.wal.iterdir()) if brought.wal else 0
        with self._timed("replay", replayed):
            self.place.start(settings, recovery=True)
            self._await("the restored database is recovered", within=self.budget.must_go_on())
        looked = utc_text(brought.archive_seen) if brought.archive_seen else ""
        self._record("restore.reached", **proof.reached(point, archive_end=brought.archive_end), looked=looked)

    def _load(self, kept: Kept, point: Point, proof: Proof) -> None:
        """Errors: `Refused` where a point in time is asked of a dump."""
        assert self.place is not None
        if point.given:
            raise Refused("a dump has no point in time but its own", hint="restore it without a point")
        with self._timed("restore"):
            self.place.initialise(*EMPTY)
            self.place.start({})
            self._await("the empty database answers", within=answering.STARTS)
        if self.backup.roles_elsewhere:
            self._make_roles(self.place)
        self._bring(kept, point)

    def _make_roles(self, place: Place) -> None:
        """Those that are kept by other means than this backup."""
        with place.connect() as connection:
            for name in self.backup.roles_elsewhere:
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))
        named = ", ".join(self.backup.roles_elsewhere)
        seen = f"{named}: made by us, for the stack file says that they are kept elsewhere"
        self._looked(Look("structure", "roles kept elsewhere", True, seen))

    def _bring(self, kept: Kept, point: Point) -> Brought:
        assert self.place is not None
        try:
            brought = self.source.bring(kept, self.place, point=point, within=self.budget.must_go_on())
        except NotReady as error:  # it was there a moment ago, and is part of what is restored
            raise DrillError(error.message, hint=error.hint) from None
        for part in brought.parts:
            self._record("restore.part", part=part.name, seconds=part.length.total_seconds(), bytes=part.bytes)
        self._said = list(brought.said)
        self._seen = brought.archive_seen or self._seen
        if brought.digest:
            self._record("restore.brought", digest=brought.digest, digest_of=brought.digest_of)
        return brought

    def _await(self, what: str, *, within: timedelta) -> None:
        """Errors: `NotInTime`; `DrillError` with its last words where the server ends."""
        assert self.place is not None
        place = self.place
        server = answering.Asked(place)

        def recovered() -> bool:
            if not place.running():
                raise DrillError(f"the restored database has ended: {last_lines(place.log)}", hint="read its log")
            return server.takes_writes()

        wait.until(recovered, what=f"{self.backup.name}: {what}", within=within, every=LOOKS, recorder=self.recorder)

    def _prove(self, proof: Proof) -> None:
        assert self.place is not None
        place = self.place
        for look in proof.looks(self._said, project=self.books, last=lambda: self.then(place, proof.names)):
            self._looked(look)
        if (beats := proof.heartbeat(self._seen)) is not None:
            self._record("restore.heartbeat", **beats)
        self._record(
            "restore.place", moment="after", isolation=place.isolation, tries=self._tries(place),
            archive_mode=proof.archive_mode, conninfo_left=proof.strings_left,
        )  # fmt: skip  # arguments in groups

    def _tries(self, place: Place) -> list[dict[str, str]]:
        """From inside: to the original, and to a door of this machine."""
        with canary() as door:
            doors = {SAID: door} if door else {}
            asked = {**doors, **{each: each for each in self.backup.original}}
            return [{"address": name, "became": place.reach(address)} for name, address in asked.items()]

    def _look_again(self, before: Inventory) -> None:
        """Also where it failed. Errors: none; without an inventory nobody can say that it is as it was."""

        def look() -> None:
            after = self.source.inventory()
            changed, came = differences(before, after)
            self._record(
                "restore.inventory", moment="after", changed=changed, came=came, **_summed(after),
                read_only=self._read_only,
            )  # fmt: skip  # arguments in groups

        if wrong := quietly(look):
            self._record("restore.failed", what="the repository cannot be listed again", why=wrong)

    def _end(self, outcome: str, why: str) -> None:
        left, kept, forgotten = "", None, None
        wrong = outcome != RESTORED or any(look.ok is False for look in self._looks)
        if self.place is not None:
            if wrong and self._begin and not self.budget.stopped:
                kept = self._kept(self.place)
            left = self._removed(self.place) if self.broken.removes else LEFT
            forgotten = None if self.broken.removes else self.place
            self.place = None
        self._record(
            "restore.end", outcome=outcome, why=why, seconds=self._seconds or 0.0, size=self._size,
            removed=not left and kept is None, left=left, kept=str(kept) if kept else "",
        )  # fmt: skip  # arguments in groups
        if forgotten is not None:  # by the twin, which is judged by what stands above
            quietly(forgotten.remove)

    def _kept(self, place: Place) -> Path | None:
        """Where it is, for somebody to look at; None where none is kept, or it could not be."""
        if self.keep is None:
            return None
        try:
            quietly(place.stop)
            return self.keep(self.folder)
        except OSError as error:
            self._record("restore.failed", what="the place cannot be kept", why=str(error.strerror or error))
            return None

    def _removed(self, place: Place) -> str:
        """What is left of it, in words."""
        try:
            return place.remove()
        except (DrillError, OSError) as error:
            return f"{self.folder} is not removed: {error.message if isinstance(error, DrillError) else error}"

    # What all of it is recorded by

    @property
    def _read_only(self) -> str:
        return self.source.read_only

    def _looked(self, look: Look) -> None:
        self._looks.append(look)
        self._record("restore.look", **asdict(look))

    def _record(self, kind: str, **data: Any) -> None:
        self.recorder.record(kind, database=self.backup.name, **data)

    @contextmanager
    def _progress(self, size: int) -> Iterator[None]:
        """How much is there is recorded now and then: for whoever waits."""
        over = threading.Event()

        def tell() -> None:
            while not over.wait(PROGRESS):
                if (place := self.place) is not None:
                    with suppress(OSError):
                        there = size_of(place.folder)
                        seconds = clock.since(self._begin).total_seconds()
                        self._record("restore.progress", bytes=there, of=size, seconds=seconds)

        thread = threading.Thread(target=tell, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    @contextmanager
    def _timed(self, part: str, size: int = 0) -> Iterator[None]:
        begin = clock.mono()
        yield
        self._record("restore.part", part=part, seconds=clock.since(begin).total_seconds(), bytes=size)


def _told(kept: Kept) -> dict[str, Any]:
    """As the journal has it."""
    facts = asdict(kept)
    del facts["facts"]
    return {name: utc_text(value) if isinstance(value, datetime) else value for name, value in facts.items()}


def _summed(inventory: Inventory) -> dict[str, Any]:
    listed = "".join(f"{name}\0{inventory[name]}\n" for name in sorted(inventory))
    sizes = [value.partition(" ")[0] for value in inventory.values()]  # a folder, or a link, has none
    return {
        "files": len(inventory),
        "bytes": sum(int(each) for each in sizes if each.isdecimal()),
        "digest": hashlib.sha256(listed.encode()).hexdigest(),
    }


def differences(before: Inventory, after: Inventory) -> tuple[list[str], list[str]]:
    """What is gone or another one, and what is new: the first of each, and how many more."""
    gone = [f"{name} is gone" for name in sorted(before.keys() - after.keys())]
    gone += [f"{name} is another one" for name in sorted(before.keys() & after.keys()) if before[name] != after[name]]
    return _first(gone), _first([f"{name} is new" for name in sorted(after.keys() - before.keys())])


def _first(said: list[str]) -> list[str]:
    return said if len(said) <= TOLD else [*said[:TOLD], f"and {len(said) - TOLD} more"]


def room_for(kept: Kept) -> int:
    """Bytes that it takes once it is restored; of a dump nobody knows, and it is packed."""
    return kept.size or kept.stored * PACKED


def size_of(folder: Path) -> int:
    """Bytes of the files in it. A server that runs there removes some meanwhile."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                found = Path(root, name).lstat()
                total += found.st_size if S_ISREG(found.st_mode) else 0
    return total
