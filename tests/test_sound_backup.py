"""The last sound backup is found by verification: the search, what is judged of it, and the damage that asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from drills.mistake import old_amounts_altered
from harness.checks import Outcome
from harness.checks.evidence import Expectation
from harness.checks.sound_backup import LOOKS as JUDGED
from harness.checks.sound_backup import SEARCH, sound_backup
from harness.checks.version4.sound_backup import sound_backup as sound_backup_4
from harness.errors import DrillError
from harness.faults import alter_rows
from harness.procedures import find_sound_backup
from harness.procedures.find_sound_backup import LOOKS, FindSoundBackup, NoSoundBackup, Stretch
from harness.procedures.looks import BOOKS, PAGES
from harness.procedures.reconciliation import ReconciledState
from harness.stacks import Stack
from harness.stacks.capabilities.backups import Backup, Damage
from harness.system.recorder import Memory
from tests.histories import History, a_mistake

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN
BEFORE = ReconciledState(last=7, position="0/180", history=1, values={}, size={})


def backup(number: int) -> Backup:
    made = datetime(2026, 11, 28, number, tzinfo=UTC)
    return Backup(str(number), made, made, f"00000002{number:016X}", number << 8, (number << 8) + 16, (), 1)


@dataclass
class Place:
    """Restored from one backup: holds what that one holds."""

    wrong: Sequence[str]
    zone: str = "a"
    targets: list[dict[str, str]] = field(default_factory=list)
    stopped: int = 0
    holds: str = ""

    def recover(self, *, fetch: str, target: dict[str, str]) -> None:
        self.targets.append(target)

    def recovered(self) -> bool:
        return True

    def connect(self) -> Place:
        return self

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None: ...

    def stop(self) -> None:
        self.stopped += 1

    def verify_structure(self) -> str:
        return ""

    def verify_pages(self) -> str:
        if f"{self.holds} {PAGES}" in self.wrong:
            raise DrillError("Bad checksums: 1", hint="take another")
        return "Bad checksums: 0"


@dataclass
class Stack_:
    """Its backups, and what is wrong with which: `2 books`."""

    wrong: Sequence[str]
    place: Place
    damaged: Sequence[str] = ()

    def backups(self) -> list[Backup]:
        return [backup(1), backup(2), backup(3)]

    def check(self, one: Backup) -> list[Damage]:
        return [Damage("data.tar", "digest differs")] if one.id in self.damaged else []

    def restore(self, one: Backup, place: Place) -> None:
        place.holds = one.id

    def restore_target(self, zone: str) -> Place:
        return self.place

    def fetch_command(self) -> str:
        return "fetch"


class Books:
    """Wrong where the place says so."""

    def discrepancies(self, source: Place) -> list[str]:
        return []

    def check(self, source: Place, *, last: int | None = None) -> Place:
        assert last == BEFORE.last
        return source

    def differences(self, before: ReconciledState, found: Place) -> list[str]:
        return ["the sum was 1, is 2"] if f"{found.holds} {BOOKS}" in found.wrong else []


def searched(
    monkeypatch: pytest.MonkeyPatch, *wrong: str, damaged: Sequence[str] = (), unlooked: frozenset[str] = frozenset()
) -> tuple[FindSoundBackup, Memory, Place]:
    place = Place(wrong)
    stack = Stack_(wrong, place, damaged)
    monkeypatch.setattr(find_sound_backup, "need", lambda one, _: one)
    monkeypatch.setattr(find_sound_backup, "zones", lambda _: ["a"])
    recorder = Memory()
    search = FindSoundBackup(cast(Stack, stack), cast(Any, Books()), BEFORE, recorder, unlooked)
    return search, recorder, place


def tried(recorder: Memory) -> list[tuple[str, bool]]:
    return [(fact["backup"], fact["ok"]) for kind, fact in recorder.facts if kind == "backup.tried"]


def test_the_newest_that_is_sound_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Newest first; one whose books differ is passed over, and the damage lies between the two."""
    search, recorder, place = searched(monkeypatch, "3 books")
    assert search.run()["refused"] == {"3": ["books: the sum was 1, is 2"]}
    assert tried(recorder) == [("3", False), ("2", True)]
    assert search.found == backup(2) and search.stretch == Stretch(0x210, 2, 0x310)
    assert place.stopped >= 2


def test_all_looks_are_made_whatever_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it is seen which of them tells of the damage, and which does not."""
    search, recorder, _ = searched(monkeypatch, "3 books", "2 pages")
    search.run()
    told = [fact["checks"] for kind, fact in recorder.facts if kind == "backup.tried"]
    assert [[check["name"] for check in checks if not check["ok"]] for checks in told] == [["books"], ["pages"], []]
    assert all([check["name"] for check in checks] == list(LOOKS) for checks in told)
    assert set(LOOKS) == set(JUDGED)


def test_a_backup_older_than_the_last_check_is_recovered_up_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its books could not be compared; the damage then lies after that check, on its history."""
    search, _, place = searched(monkeypatch, "3 books", "2 books")
    search.run()
    assert [target.get("recovery_target_lsn", "the end of the backup") for target in place.targets] == [
        "the end of the backup", "the end of the backup", BEFORE.position,
    ]  # fmt: skip  # a table
    timelines = [target.get("recovery_target_timeline") for target in place.targets]
    assert timelines == ["current", "current", None]  # its own end lies on its own history; the check may not
    assert search.stretch == Stretch(0x180, 1, 0x210)


def test_a_backup_with_a_damaged_object_is_not_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says nothing of when the damage came."""
    search, _, place = searched(monkeypatch, damaged=["3"])
    search.run()
    assert search.stretch == Stretch(0x210, 2, None) and len(place.targets) == 1


def test_where_none_is_sound_each_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what was found in it."""
    search, _, _ = searched(monkeypatch, "3 books", "2 books", "1 pages")
    with pytest.raises(NoSoundBackup, match=r"3: books.*2: books.*1: pages: Bad checksums: 1"):
        search.run()


def test_what_is_not_looked_at_is_not_in_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the twins: by its age alone, and by pages alone."""
    search, recorder, place = searched(monkeypatch, "3 books", unlooked=frozenset(LOOKS))
    search.run()
    assert tried(recorder) == [("3", True)] and place.targets == []
    search, recorder, _ = searched(monkeypatch, "3 books", unlooked=frozenset({BOOKS}))
    search.run()
    assert tried(recorder) == [("3", True)]


# What is judged


def look(history: History, at: float, name: str, *bad: str, made: str = "", looks: Sequence[str] = LOOKS) -> None:
    checks = [{"name": each, "ok": each not in bad, "seen": "wrong" if each in bad else "sound"} for each in looks]
    history.say(at, "backup.tried", backup=name, made=made or name, begin=1, end=2, ok=not bad, checks=checks)


def story(*, first: bool = True, reached: str = "1", later: bool = True) -> History:
    """A backup `1` was taken before the mistake, and `2` after it; what was tried is added by the test."""
    history = a_mistake()
    history.lines = [
        (at, kind, {**data, "backup": reached} if kind == "recovery.reached" else data)
        for at, kind, data in history.lines
        if kind != "backup"
    ]
    if first:
        history.say(2, "backup", backup="1", bytes=1, begin=1)
    if later:
        history.say(31, "backup", backup="2", bytes=1, begin=1)
    return history


def as_it_must_be() -> History:
    history = story()
    look(history, 33, "2", BOOKS)
    look(history, 34, "1")
    return history


def built(change: Callable[[History], None], **more: Any) -> History:
    history = story(**more)
    change(history)
    return history


def by_pages(history: History) -> None:
    look(history, 33, "2", looks=[PAGES])


def oldest_first(history: History) -> None:
    look(history, 33, "1", made="1")
    look(history, 33.5, "2", BOOKS, made="2")
    look(history, 34, "1", made="1")


def newest_left_out(history: History) -> None:
    look(history, 34, "1")


def passed_over_for_nothing(history: History) -> None:
    look(history, 33, "2")
    look(history, 34, "1")


def both(history: History) -> None:
    look(history, 33, "2", BOOKS)
    look(history, 34, "1")


def cut_in_the_search(history: History) -> None:
    """The newest is refused, and the run ends before the next one is looked at."""
    history.drop("recovery.reached", "scenario.end")
    look(history, 33, "2", BOOKS)


def cut_after_a_leap(history: History) -> None:
    cut_in_the_search(history)
    history.say(32.5, "backup", backup="3", bytes=1, begin=1)


def none_sound(history: History) -> None:
    """As `NoSoundBackup` leaves it: the step has an end, and so has the scenario."""
    both(history)
    history.drop("recovery.reached", "scenario.end", "backup.tried")
    look(history, 33, "2", BOOKS)
    look(history, 34, "1", PAGES)
    history.say(35, "step.end", phase="restore", name=SEARCH, ok=False, facts={"error": "no base backup is sound"})
    history.say(36, "scenario.end", scenario="x", outcome="failed", error="no base backup is sound")


def only_the_first(history: History) -> None:
    look(history, 34, "1")


CASES: list[tuple[str, Callable[[], History], Outcome, str]] = [
    ("sound", as_it_must_be, MET, "2 refused (books: wrong); 1 verified sound"),
    ("by its age", lambda: built(lambda each: look(each, 33, "2", looks=[]), reached="2"), MISSED, "after the damage"),
    ("by its pages", lambda: built(by_pages, reached="2"), MISSED, "nobody looked at its objects"),
    ("oldest first", lambda: built(oldest_first), MISSED, "not tried newest first"),
    ("newest left out", lambda: built(newest_left_out), MISSED, "the newer 2 was not tried"),
    ("passed over", lambda: built(passed_over_for_nothing), MISSED, "with nothing found in it"),
    ("another restored", lambda: built(both, reached="2"), MISSED, "restored was 2"),
    ("none tried", lambda: built(lambda each: None), MISSED, "nobody verified"),
    (
        "cut short",
        lambda: built(cut_in_the_search),
        UNKNOWN,
        "inside the search, after 2 refused (books: wrong) (",
    ),
    ("cut short, badly searched", lambda: built(cut_after_a_leap), MISSED, "cut short: and the newer 3 was not tried"),
    ("none is sound", lambda: built(none_sound), MISSED, "no backup was found sound; 2 refused (books: wrong); 1 refu"),
    ("no later backup", lambda: built(only_the_first, later=False), UNKNOWN, "age was sound"),
    ("not known when", lambda: built(both, first=False), UNKNOWN, "does not say when 1 was taken"),
]


@pytest.mark.parametrize(("made", "outcome", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_story_has_its_outcome(made: Callable[[], History], outcome: Outcome, said: str) -> None:
    """Sound is MET, red is MISSED, and what is not known is UNKNOWN."""
    finding = sound_backup(made().evidence(), Expectation("sound-backup"))
    assert (finding.outcome, said in finding.reason) == (outcome, True), finding.reason


def test_a_search_that_was_cut_short_took_nothing() -> None:
    """Up to version 4 the backup that it had refused last was taken for the one that it had taken."""
    finding = sound_backup_4(built(cut_in_the_search).evidence(), Expectation("sound-backup"))
    assert finding.outcome is MISSED and "was taken for the last sound one" in finding.reason


# The damage


def test_rows_are_altered_on_every_server_or_it_has_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that has not got it would be a sound one, and another drill."""
    digests = {"": "old", "one": "old", "two": "old"}

    class Connection:
        def __init__(self, member: SimpleNamespace | None) -> None:
            self.name = member.name if member else ""

        def __enter__(self) -> Connection:
            return self

        def __exit__(self, *_: object) -> None: ...

        def execute(self, query: bytes, words: object) -> Connection:
            return self

        def fetchone(self) -> tuple[str]:
            return (digests[self.name],)

    stack = SimpleNamespace(
        connect=lambda member=None: Connection(member), members=[SimpleNamespace(name=each) for each in ("one", "two")]
    )
    monkeypatch.setattr(alter_rows, "need", lambda one, _: one)
    monkeypatch.setattr(alter_rows, "REPLAYED_WITHIN", timedelta(0))
    fault, on = old_amounts_altered(), cast(Stack, stack)
    undo = fault.prepare(on)
    assert fault.took_effect(on, undo) == "" and fault.still_hurt(on, undo) == ""
    digests.update({"": "new", "one": "new"})
    assert fault.took_effect(on, undo) == ""
    digests["two"] = "new"
    assert fault.took_effect(on, undo).endswith("is another than before on one, two")
    assert "come back by the recovery alone" in fault.still_hurt(on, undo)


def test_what_is_altered_tells_nothing_by_itself() -> None:
    """Balances move along, and accounts are locked in the order in which the platform locks them."""
    lock, balances, amounts = old_amounts_altered().statements
    assert "ORDER BY id FOR NO KEY UPDATE" in lock and "SET balance" in balances and "amount + 1" in amounts
    assert Path(alter_rows.__file__).stem == old_amounts_altered().name
