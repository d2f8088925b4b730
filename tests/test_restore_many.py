"""The restores of several databases: some at a time, within a time and a room, and none left where it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.cli import screen
from harness.errors import DrillError, Unable
from harness.evidence.places import places
from harness.evidence.redact import Redactor
from harness.evidence.run_folder import KEPT_PLACES
from harness.restores import Look, many
from harness.restores.described import ON_FAILURE
from harness.restores.programs.left import MARK, sweep
from tests.restored_beside import ROWS, FakeSource, Restoring, backups, kept

SOON = 10.0  # seconds until a test that hangs says so
WRONG = Look("rows", "orders", False, "3", expected="at least 5")


@pytest.fixture
def restoring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Restoring:
    return Restoring(monkeypatch, tmp_path)


def test_what_is_asked_is_written_down_first(restoring: Restoring) -> None:
    """Of all databases in one line, before anything is looked at."""
    restoring.carry_out(backups("orders", "users", at_once=2))
    kind, data = restoring.recorder.facts[0]
    assert kind == "restore.asked" and data["databases"] == ["orders", "users"] and data["which"] == "newest"
    assert (data["at_once"], data["within"], data["keep"]) == (2, 3600.0, "never")
    assert set(restoring.ends()) == {"orders", "users"} and not restoring.left
    assert not (restoring.folder / "r1.unfinished" / "stack" / "places").exists()


def test_one_that_cannot_be_begun_keeps_no_other_from_its_restore(restoring: Restoring) -> None:
    """It has an end of its own, which says whether that is unknown or wrong."""
    for error, outcome, why in (
        (Unable("there is no barman here", hint="-"), "not exercised", "there is no barman here"),
        (DrillError("it is broken", hint="-"), "failed", "it is broken"),
        (
            PermissionError(13, "Permission denied", "/etc/pgb.conf"),
            "not exercised",
            "/etc/pgb.conf: Permission denied",
        ),
    ):
        restoring.sources["users"] = error
        restoring.carry_out(backups("users", "orders"))
        ends = restoring.ends()
        assert (ends["users"]["outcome"], ends["users"]["why"]) == (outcome, why) and ends["users"]["removed"]
        assert ends["orders"]["outcome"] == "restored"


def test_so_many_at_a_time_and_no_more(restoring: Restoring) -> None:
    """Two are in it at once, and the third waits for one of them."""
    together, inside, most = threading.Barrier(2), 0, 0
    lock = threading.Lock()

    def meet() -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        together.wait(SOON)
        with lock:
            inside -= 1

    restoring.told.meanwhile["bring"] = meet
    restoring.carry_out(backups("a", "b", "c", "d", at_once=2))
    assert most == 2 and {end["outcome"] for end in restoring.ends().values()} == {"restored"}


def test_one_waits_for_the_room_of_another_until_its_place_is_removed(restoring: Restoring) -> None:
    """Two may run at once, and the room is for one: the second begins once nothing of the first is left."""
    left: list[int] = []
    restoring.told.meanwhile["place"] = lambda: left.append(len(restoring.left))
    ends_with = restoring.carry_out(backups("a", "b", at_once=2, room=400_000_000))
    assert ends_with["outcome"] == "restored" and left == [0, 0]


def test_more_than_the_room_is_not_begun(restoring: Restoring) -> None:
    """It says how much it takes, and how much there is."""
    restoring.source.has = [kept(size=500_000_000)]
    end = restoring.carry_out(backups(room=400_000_000))
    assert end["outcome"] == "not exercised" and end["why"].startswith("it takes 1.00 GB, twice its size, and 400 MB")
    assert "place" not in restoring.told


def test_what_is_not_begun_in_time_is_not_exercised(restoring: Restoring) -> None:
    """And what was begun is cut short; each says so."""
    end = restoring.carry_out(backups(within=timedelta(0)))
    assert end["outcome"] == "not exercised" and end["why"] == "the time for all restores is over: 0 s"
    over = threading.Event()
    restoring.told.meanwhile["bring"] = lambda: over.wait(0.3) and None
    restoring.carry_out(backups("a", "b", within=timedelta(seconds=0.2)))
    ends = restoring.ends()
    assert ends["a"]["outcome"] == "cut short" and ends["b"]["outcome"] == "not exercised" and not restoring.left


def test_an_interrupt_leaves_no_place(restoring: Restoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops the run: places that are there are removed, those that wait are not begun, and none is called
    failed for that."""
    begun, gone = threading.Event(), threading.Event()

    def hangs() -> None:
        begun.set()
        assert gone.wait(SOON)
        raise DrillError("the tool was killed", hint="-")

    restoring.told.meanwhile["bring"] = hangs

    class Waited:
        def result(self) -> None:
            assert begun.wait(SOON)
            raise KeyboardInterrupt

    class Interrupted(many.ThreadPoolExecutor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            super().submit(fn, *args, **kwargs)
            return Waited()

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            if wait:
                gone.set()
            super().shutdown(wait, cancel_futures=cancel_futures)

    monkeypatch.setattr(many, "ThreadPoolExecutor", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        restoring.carry_out(backups("a", "b", at_once=1, keep=ON_FAILURE))
    assert not restoring.left and [*restoring.told].count("place") == 1
    ends = restoring.ends()
    assert set(ends) == {"a"} and (ends["a"]["outcome"], ends["a"]["why"]) == ("cut short", "the run was stopped")
    assert not ends["a"]["kept"]


def test_what_breaks_in_the_harness_leaves_no_place(restoring: Restoring) -> None:
    """An error that is no restore's own goes on to whoever runs it, and the place goes first."""
    restoring.told.fails["prove"] = AssertionError("of the harness itself")
    with pytest.raises(AssertionError):
        restoring.carry_out()
    assert not restoring.left and not restoring.ends()


def test_a_place_is_kept_where_that_is_asked_for(restoring: Restoring, tmp_path: Path) -> None:
    """Of a restore that failed, or of which something is wrong: out of the way, without the mark by which a later
    sweep would remove it."""
    there = tmp_path / "kept-places" / "r1" / "orders"
    restoring.proof.found = (WRONG,)
    end = restoring.carry_out(backups(keep=ON_FAILURE))
    assert end["outcome"] == "restored" and (end["kept"], end["removed"], end["left"]) == (str(there), False, "")
    assert (there / "data" / "table").is_file() and not (there / MARK).exists() and not restoring.left
    assert [*restoring.told][-3:] == ["inventory", "stop", "remove"]
    assert sweep(tmp_path) == [] and there.is_dir()


def test_a_second_one_of_a_run_is_kept_beside_the_first(restoring: Restoring, tmp_path: Path) -> None:
    """Another scenario of it restores the same database: neither lies inside of the other."""
    restoring.proof.found = (WRONG,)
    for name in ("orders", "orders-2", "orders-3"):
        end = restoring.carry_out(backups(keep=ON_FAILURE))
        assert end["kept"] == str(tmp_path / "kept-places" / "r1" / name)
    assert sorted(each.name for each in (tmp_path / "kept-places" / "r1").iterdir()) == [
        "orders",
        "orders-2",
        "orders-3",
    ]


def test_a_sound_one_is_not_kept_nor_one_of_which_nothing_was_begun(restoring: Restoring, tmp_path: Path) -> None:
    """There is nothing to be looked at."""
    assert restoring.carry_out(backups(keep=ON_FAILURE))["kept"] == ""
    restoring.told.fails["place"] = Unable("no room", hint="-")
    assert restoring.carry_out(backups(keep=ON_FAILURE))["kept"] == ""
    assert not (tmp_path / "kept-places").exists()


def test_without_being_asked_nothing_is_kept(restoring: Restoring, tmp_path: Path) -> None:
    """Also where it failed."""
    restoring.told.fails["bring"] = DrillError("a piece is missing", hint="-")
    end = restoring.carry_out()
    assert (end["outcome"], end["kept"], end["removed"]) == ("failed", "", True) and not restoring.left


def test_what_cannot_be_kept_is_removed_and_said(restoring: Restoring, tmp_path: Path) -> None:
    """A full disk erases no end."""
    (tmp_path / "kept-places").write_text("in the way")
    restoring.proof.found = (WRONG,)
    end = restoring.carry_out(backups(keep=ON_FAILURE))
    assert (end["outcome"], end["kept"], end["removed"]) == ("restored", "", True) and not restoring.left
    assert [data["what"] for data in restoring.lines("restore.failed")] == ["the place cannot be kept"]


def test_a_pack_names_no_folder_of_the_machine_for_what_is_kept(tmp_path: Path) -> None:
    """It lies beside the packs, which a pack calls by a word."""
    evidence = tmp_path / "evidence"
    masked = Redactor(places=places(evidence / "r1.unfinished")).mask(
        {"kept": str(evidence / "kept-places" / "r1" / "orders")}
    )
    assert masked == {"kept": "<evidence>/kept-places/r1/orders"}


def test_places_go_where_the_stack_file_says(restoring: Restoring, tmp_path: Path) -> None:
    """In a folder of the run's own there, which goes with them."""
    seen: list[Path] = []
    restoring.told.meanwhile["bring"] = lambda: seen.append(restoring.programs.places[0].folder)
    (tmp_path / "srv").mkdir()
    restoring.carry_out(backups(folder=tmp_path / "srv"))
    assert seen == [tmp_path / "srv" / "drdrill-r1" / "orders"] and not [*(tmp_path / "srv").iterdir()]


def test_whoever_looks_besides_is_given_the_place(restoring: Restoring) -> None:
    """While it runs, with the databases that are looked at."""
    seen: list[tuple[bool, list[str]]] = []
    restoring.carry_out(then=lambda place, names: seen.append((place.running(), [*names])))
    assert seen == [(True, ["app"])]


def test_each_database_has_a_source_of_its_own(restoring: Restoring) -> None:
    """What one lacks says nothing of the other."""
    restoring.sources["users"] = FakeSource(restoring.told, kept("u1"), kept("u2", days=1))
    restoring.carry_out(backups("orders", "users"))
    assert {each["database"]: each["chosen"] for each in restoring.lines("restore.catalogue")} == {
        "orders": "b1", "users": "u2",
    }  # fmt: skip  # a table
    assert all(data["ok"] is ROWS.ok for data in restoring.lines("restore.look"))


def test_whoever_ran_it_is_told_where_a_kept_place_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the path that the pack does not have, and that nobody but them removes it."""
    monkeypatch.setattr(screen, "summary", lambda pack: "")
    monkeypatch.setattr(screen, "left_of", lambda pack: None)
    monkeypatch.setattr(screen, "_ended_of", lambda pack: 0)
    monkeypatch.setattr(screen.left_hurt, "said_in", lambda pack: ())
    (tmp_path / "r1").mkdir()
    screen.closing(tmp_path / "r1")
    assert "kept:" not in capsys.readouterr().out
    (tmp_path / KEPT_PLACES / "r1").mkdir(parents=True)
    screen.closing(tmp_path / "r1")
    assert f"kept:     {tmp_path / KEPT_PLACES / 'r1'}: " in capsys.readouterr().out
