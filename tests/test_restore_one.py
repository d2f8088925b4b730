"""One restore beside: what is done in which order, how it ends, and that its place is removed however it ends."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from harness.errors import DrillError, NotInTime, NotReady, Refused, Unable
from harness.restores import Look, Point, one
from harness.restores.budget import Budget
from harness.restores.choice import Asked
from harness.restores.one import TOLD, differences, size_of
from harness.system.command import CommandFailed
from tests.restored_beside import NO_WAY, ORIGINAL, ROWS, Restoring, backup, backups, broken_server, kept

OF_FILES = [
    "inventory", "catalogue", "place", "bring", "control", "recover", "prove", "inventory", "remove",
]  # fmt: skip  # a table
OF_A_DUMP = [
    "inventory", "catalogue", "place", "initialise", "start", "bring", "prove", "inventory", "remove",
]  # fmt: skip  # a table
RECORDED = [
    "restore.asked", "restore.inventory", "restore.catalogue", "restore.place", "restore.part", "restore.part",
    "restore.brought", "restore.part", "restore.reached", "restore.look", "restore.heartbeat", "restore.place",
    "restore.part", "restore.inventory", "restore.end",
]  # fmt: skip  # a table


@pytest.fixture
def restoring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Restoring:
    return Restoring(monkeypatch, tmp_path)


def recorded(restoring: Restoring) -> list[str]:
    return [kind for kind, _ in restoring.recorder.facts if kind != "wait"]


def test_files_are_recovered_and_proved_in_one_order(restoring: Restoring) -> None:
    """The repository is listed before and after, and the place is removed last of all."""
    end = restoring.carry_out()
    assert [*restoring.told] == OF_FILES and recorded(restoring) == RECORDED
    assert end["outcome"] == "restored" and end["removed"] and not end["left"] and not end["kept"]
    assert end["size"] == 5_000 and not restoring.left
    parts = {data["part"]: data["bytes"] for data in restoring.lines("restore.part")}
    assert parts == {"fetch": 900, "restore": 5_000, "replay": 100, "verify": 0}


def test_a_dump_is_loaded_into_an_empty_server(restoring: Restoring) -> None:
    """It has no recovery, and so no line of how far that went."""
    restoring.source.has = [kept(form="dump", database="app")]
    assert restoring.carry_out()["outcome"] == "restored"
    assert [*restoring.told] == OF_A_DUMP
    assert not restoring.lines("restore.reached")
    assert [data["part"] for data in restoring.lines("restore.part")] == ["restore", "fetch", "restore", "verify"]


def test_what_a_pack_says_of_the_catalogue_is_whole(restoring: Restoring) -> None:
    """Every backup without what only its source needs, which was chosen and how, and a digest of the list."""
    restoring.source.has = [kept("b1", facts={"path": "/srv/secret"}), kept("b2", days=1)]
    restoring.carry_out(dataclasses.replace(backups(), databases={"orders": backup(system="71")}))
    (said,) = restoring.lines("restore.catalogue")
    assert [each["id"] for each in said["backups"]] == ["b1", "b2"] and "facts" not in said["backups"][0]
    assert said["backups"][0]["ended"].startswith("2026-11-29T03:00:00") and said["backups"][0]["began"] is None
    assert said["chosen"] == "b2" and said["how"] == "the newest of 2" and len(said["digest"]) == 64
    assert said["system_expected"] == "71" and said["tool"] == "pgBackRest 2.45"


def test_the_place_says_what_it_reached(restoring: Restoring) -> None:
    """Before: that it is empty, and its room; after: what became of each address of the original."""
    said = backups()
    restoring.carry_out(dataclasses.replace(said, databases={"orders": backup(original=(ORIGINAL,))}))
    before, after = restoring.lines("restore.place")
    assert before["empty"] and before["moment"] == "before" and before["needed"] == 300_000_000
    assert after["tries"] == [{"address": ORIGINAL, "became": NO_WAY}]
    assert after["archive_mode"] == "off" and after["conninfo_left"] == ()


def test_a_backup_of_no_version_fails_for_what_its_catalogue_says(restoring: Restoring) -> None:
    """No program is missing for it: nobody can restore it."""
    restoring.source.has = [kept("b1", version=0, sound="its entry cannot be read")]
    restoring.carry_out()
    (end,) = restoring.lines("restore.end")
    assert (end["outcome"], end["why"]) == ("failed", "b1 cannot be restored: its entry cannot be read")
    assert restoring.lines("restore.place") == []


def test_a_server_is_told_where_its_archive_is_and_how_far_to_go(restoring: Restoring) -> None:
    """By a restore_command of its own, and by the point that the feature names."""
    said = dataclasses.replace(backups(), databases={"orders": backup(points={"noon": Point(xid="745")})})
    assert restoring.carry_out(said, asked=Asked(point="noon"))["outcome"] == "restored"
    settings = restoring.programs.places[0].settings
    assert settings["recovery_target_xid"] == "745" and settings["recovery_target_action"] == "promote"
    asked, fetched = settings["restore_command"].split(" && ")
    assert asked.startswith('test -f "') and fetched.startswith('cp "') and fetched.endswith('/wal/%f" "%p"')


def test_its_length_is_from_the_first_part_to_the_last(restoring: Restoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository that takes long to be listed again makes no restore slower."""
    seconds = {"now": 0}
    monkeypatch.setattr(one.clock, "mono", lambda: seconds["now"] * 10**9)
    monkeypatch.setattr(one.clock, "since", lambda begin: timedelta(seconds=seconds["now"] - begin / 10**9))
    restoring.told.meanwhile["inventory"] = lambda: seconds.update(now=seconds["now"] + 100)
    restoring.told.meanwhile["bring"] = lambda: seconds.update(now=seconds["now"] + 7)
    assert restoring.carry_out()["seconds"] == 7.0


@pytest.mark.parametrize("at", ["bring", "control", "recover", "prove"])
@pytest.mark.parametrize(
    ("error", "outcome", "why"),
    [
        (DrillError("a piece is missing", hint="-"), "failed", "a piece is missing"),
        (broken_server(), "failed", "the restored database: server closed the connection unexpectedly"),
        (
            OSError(28, "No space left on device", "/srv/x"),
            "not exercised",
            "the disk under its place was full; /srv/x: No space left on device",
        ),
        (Unable("no such extension", hint="-"), "not exercised", "no such extension"),
        (Refused("not so", hint="-"), "not exercised", "not so"),
        (NotInTime("not within 3 s", hint="-"), "cut short", "not within 3 s"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_however_it_ends_nothing_is_left(
    restoring: Restoring, at: str, error: Exception, outcome: str, why: str
) -> None:
    """The repository is listed again, the place is removed, and the end says why."""
    restoring.told.fails[at] = error
    end = restoring.carry_out()
    assert (end["outcome"], end["why"]) == (outcome, why) and end["removed"]
    assert [*restoring.told][-2:] == ["inventory", "remove"] and not restoring.left
    assert [data["moment"] for data in restoring.lines("restore.inventory")] == ["before", "after"]


def test_a_tool_that_is_ended_as_the_time_is_over_says_nothing_of_the_backup(
    restoring: Restoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was cut short."""
    no_time = property(lambda _: timedelta(0))
    restoring.told.meanwhile["bring"] = lambda: monkeypatch.setattr(Budget, "left", no_time)
    restoring.told.fails["bring"] = CommandFailed("pgbackrest: not done within 2 s", hint="-")
    end = restoring.carry_out()
    assert end["outcome"] == "cut short" and end["why"].startswith("the time for all restores is over")
    assert end["why"].endswith("; pgbackrest: not done within 2 s")


@pytest.mark.parametrize("at", ["inventory", "catalogue", "place"])
def test_what_cannot_be_looked_at_is_not_exercised(restoring: Restoring, at: str) -> None:
    """A repository that cannot be read is no empty one, and a place that cannot be had is no failed restore."""
    restoring.told.fails[at] = NotReady("it is not there", hint="-")
    end = restoring.carry_out()
    assert (end["outcome"], end["why"], end["removed"]) == ("not exercised", "it is not there", True)
    assert "remove" not in restoring.told


def test_a_backup_that_goes_while_it_is_fetched_fails(restoring: Restoring) -> None:
    """It was in the catalogue: that it cannot be read any more says something of it."""
    restoring.told.fails["bring"] = NotReady("b1 is not there any more", hint="-")
    assert restoring.carry_out()["outcome"] == "failed"


def test_an_empty_catalogue_is_recorded(restoring: Restoring) -> None:
    """Nothing was chosen, which is for a finding to judge, and no place is made."""
    restoring.source.has = []
    end = restoring.carry_out()
    assert (end["outcome"], end["why"]) == ("not exercised", "orders has no backup")
    (said,) = restoring.lines("restore.catalogue")
    assert (said["chosen"], said["how"], said["backups"]) == ("", "there is none", [])
    assert "place" not in restoring.told


def test_a_point_that_nobody_wrote_down_is_refused(restoring: Restoring) -> None:
    """With the points that there are; and a dump has none but its own."""
    end = restoring.carry_out(asked=Asked(point="noon"))
    assert (end["outcome"], end["why"]) == ("not exercised", "orders has no point noon")
    restoring.source.has = [kept(form="dump")]
    said = dataclasses.replace(backups(), databases={"orders": backup(points={"noon": Point(xid="745")})})
    end = restoring.carry_out(said, asked=Asked(point="noon"))
    assert (end["outcome"], end["why"]) == ("not exercised", "a dump has no point in time but its own")
    assert not restoring.left


def test_a_server_that_ends_by_itself_says_its_last_words(restoring: Restoring) -> None:
    """It is not waited for any longer."""

    def dies() -> None:
        place = restoring.programs.places[0]
        place.log.write_text("FATAL: could not locate required checkpoint record\n")
        place.dies = True

    restoring.told.meanwhile["recover"] = dies
    end = restoring.carry_out()
    assert end["outcome"] == "failed" and "could not locate required checkpoint record" in end["why"]


def test_a_folder_that_is_there_already_is_no_empty_place(restoring: Restoring, tmp_path: Path) -> None:
    """It is somebody's, and stays as it is."""
    there = tmp_path / "r1.unfinished" / "stack" / "places" / "orders"
    there.mkdir(parents=True)
    assert restoring.carry_out()["why"] == f"{there} is there already" and there.is_dir()


def test_a_place_that_will_not_go_is_said(restoring: Restoring) -> None:
    """By what is left, or by why it could not be removed; the restore itself was well."""
    restoring.told.meanwhile["prove"] = lambda: setattr(restoring.programs.places[0], "left", "process 7 will not end")
    end = restoring.carry_out()
    assert (end["outcome"], end["removed"], end["left"]) == ("restored", False, "process 7 will not end")

    def refuses() -> None:
        raise PermissionError(13, "Permission denied", "/srv/places")

    restoring.told.meanwhile["prove"] = lambda: setattr(restoring.programs.places[-1], "remove", refuses)
    end = restoring.carry_out()
    assert end["outcome"] == "restored" and not end["removed"] and "Permission denied" in end["left"]


def test_a_repository_that_changed_meanwhile_is_told_by_name(restoring: Restoring) -> None:
    """What is gone or another one is listed apart from what came: somebody may make a backup meanwhile."""
    restoring.source.listed = [{"a": "1 x", "b": "2 x"}, {"b": "3 y", "c": "4 z"}]
    restoring.carry_out()
    before, after = restoring.lines("restore.inventory")
    assert (before["files"], before["bytes"]) == (2, 3) and before["digest"] != after["digest"]
    assert after["changed"] == ["a is gone", "b is another one"] and after["came"] == ["c is new"]
    many = {str(at): "1" for at in range(TOLD + 5)}
    changed, came = differences(many, {})
    assert len(changed) == TOLD + 1 and changed[-1] == "and 5 more" and not came


def test_a_repository_that_cannot_be_listed_again_is_said(restoring: Restoring) -> None:
    """Without an inventory afterwards nobody can say that it is as it was, and the restore ends all the same."""

    def gone() -> None:
        restoring.told.fails["inventory"] = NotReady("no answer", hint="-")

    restoring.told.meanwhile["prove"] = gone
    assert restoring.carry_out()["outcome"] == "restored"
    assert restoring.lines("restore.failed") == [
        {"database": "orders", "what": "the repository cannot be listed again", "why": "no answer"}
    ]
    assert [data["moment"] for data in restoring.lines("restore.inventory")] == ["before"]


def test_looks_go_into_the_journal_as_they_are(restoring: Restoring) -> None:
    """Also one that could not be looked at: that is for a finding to judge."""
    restoring.proof.found = (ROWS, Look("pages", "checksums", None, "they are off"))
    assert restoring.carry_out()["outcome"] == "restored"
    first, second = restoring.lines("restore.look")
    assert (first["name"], first["ok"], first["seen"], first["expected"]) == ("orders", True, "7", "at least 5")
    assert (second["about"], second["ok"]) == ("pages", None)


def test_files_that_a_server_removes_meanwhile_are_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link is not followed, and one that is gone since it was listed is no error."""
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("/etc/passwd")
    walked = [(str(tmp_path), [], ["a", "link", "gone"])]
    monkeypatch.setattr(one.os, "walk", lambda _: walked)
    assert size_of(tmp_path) == 5


def test_an_error_of_a_row_is_not_repeated() -> None:
    """What a server says of a value is left out of the end."""
    error = psycopg.errors.UniqueViolation("duplicate key value (mail)=(a@b.example)")
    assert "a@b.example" not in one.words_of(error) or error.sqlstate is None
