"""Which backup is restored, in which time and room, and what earlier runs and the machine itself say of it."""

from __future__ import annotations

import json
import socket
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from harness.checks import restored_backup
from harness.errors import NotInTime, Refused, Unable
from harness.restores import Point, canary
from harness.restores.budget import LEAST, Budget
from harness.restores.choice import DRAWN, NAMED, Asked, choose, drawn
from harness.restores.earlier import MOST, Earlier, earlier
from tests.restored_beside import ENDED, kept

THREE = [kept("b1"), kept("b2", days=1), kept("b3", days=2)]
SOON = 10.0  # seconds until a test that hangs says so
HOUR = timedelta(hours=1)


def test_the_newest_is_the_last_of_the_catalogue() -> None:
    """Whatever the catalogue has against it: that is a finding, and no reason for an older one."""
    chosen = choose([*THREE, kept("b4", days=3, sound="an error")], Asked(), seed="s", database="orders")
    assert chosen and chosen.kept.id == "b4" and chosen.how == "the newest of 4"


def test_one_is_named() -> None:
    """And a name that is not there is refused, with those that are."""
    chosen = choose(THREE, Asked(NAMED, named="b2"), seed="s", database="orders")
    assert chosen and chosen.kept.id == "b2" and chosen.how == "named by the feature, of 3"
    with pytest.raises(Refused, match="orders has no backup b9") as refused:
        choose([kept("b0"), *THREE], Asked(NAMED, named="b9"), seed="s", database="orders")
    assert refused.value.hint == "the newest are: b1, b2, b3"


def test_nothing_is_chosen_of_nothing() -> None:
    """Whatever is asked for."""
    for asked in (Asked(), Asked(NAMED, named="b1"), Asked(DRAWN)):
        assert choose([], asked, seed="s", database="orders") is None


def test_an_auditor_can_draw_again() -> None:
    """By the nonce, the scenario and the database: the judge comes to the same one, and each is drawn at times."""
    for nonce in map(str, range(40)):
        for database in ("orders", "users"):
            ours = drawn(f"{nonce} the-scenario", database, 7)
            assert ours == restored_backup.drawn(nonce, "the-scenario", database, 7)
    assert {drawn(f"{nonce} s", "orders", 3) for nonce in range(40)} == {0, 1, 2}
    chosen = choose(THREE, Asked(DRAWN), seed="n s", database="orders")
    at = drawn("n s", "orders", 3)
    assert chosen and chosen.kept is THREE[at]
    assert chosen.how == f"number {at + 1} of 3 from the oldest on, drawn by the run's seed"


def test_a_point_says_how_far() -> None:
    """In the words of postgresql.conf and in those of people; nothing is the end of the archive."""
    for point, settings, said in (
        (Point(), {}, "the end of the archive"),
        (
            Point(time=ENDED),
            {"recovery_target_time": "2026-11-29 03:00:00+00:00"},
            "the time 2026-11-29 03:00:00+00:00",
        ),
        (Point(lsn="0/3000148"), {"recovery_target_lsn": "0/3000148"}, "the position 0/3000148"),
        (Point(xid="745"), {"recovery_target_xid": "745"}, "the transaction 745"),
        (Point(name="before"), {"recovery_target_name": "before"}, "the restore point before"),
    ):
        assert (point.settings, point.said, point.given) == (settings, said, bool(settings))


def test_a_budget_gives_twice_the_size_and_takes_it_back(tmp_path: Path) -> None:
    """A database that is nearly empty takes some, too."""
    budget = Budget(tmp_path, HOUR, most=2 * LEAST)
    with budget.room(LEAST) as most:
        assert most == 2 * LEAST
    with budget.room(10) as first, budget.room(10) as second:
        assert first == second == LEAST


def test_a_budget_refuses_what_will_never_fit(tmp_path: Path) -> None:
    """At once, with the two ways to have more."""
    with pytest.raises(Unable) as unable, Budget(tmp_path, HOUR, most=400_000_000).room(500_000_000):
        pass
    assert unable.value.message == "it takes 1.00 GB, twice its size, and 400 MB may be used"
    assert "backups: folder, room" in unable.value.hint


def test_no_more_than_is_free_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the stack file lets."""
    monkeypatch.setattr("harness.restores.budget.shutil.disk_usage", lambda _: type("Usage", (), {"free": LEAST - 1}))
    with pytest.raises(Unable), Budget(tmp_path, HOUR, most=10 * LEAST).room(1):
        pass


def test_a_budget_waits_for_room(tmp_path: Path) -> None:
    """Until another has given its back."""
    budget, waits, got = Budget(tmp_path, HOUR, most=LEAST), threading.Event(), threading.Event()

    def second() -> None:
        waits.set()
        with budget.room(1):
            got.set()

    thread = threading.Thread(target=second, daemon=True)
    with budget.room(1):
        thread.start()
        assert waits.wait(SOON) and not got.wait(0.05)
    assert got.wait(SOON)
    thread.join(SOON)


def test_nobody_waits_for_room_once_it_is_stopped(tmp_path: Path) -> None:
    """Nor is given any."""
    budget, said, waits = Budget(tmp_path, HOUR, most=LEAST), [], threading.Event()

    def second() -> None:
        waits.set()
        try:
            with budget.room(1):
                pass
        except NotInTime as error:
            said.append(error.message)

    thread = threading.Thread(target=second, daemon=True)
    with budget.room(1):
        thread.start()
        assert waits.wait(SOON)
        budget.stop()
        thread.join(SOON)
    assert said == ["the run was stopped"] and budget.stopped
    with pytest.raises(NotInTime), budget.room(1):
        pass


def test_time_that_is_over_is_said_with_how_much_there_was(tmp_path: Path) -> None:
    """What is left is never less than nothing."""
    budget = Budget(tmp_path, timedelta(0))
    assert budget.left == timedelta(0)
    with pytest.raises(NotInTime, match="the time for all restores is over: 0 s") as over:
        budget.must_go_on()
    assert over.value.hint == "give them more: backups: within"
    assert timedelta(0) < Budget(tmp_path, HOUR).must_go_on() <= HOUR


def pack(evidence: Path, run: str, *ends: object) -> None:
    (evidence / run).mkdir(parents=True)
    lines = [{"kind": "run.begin", "data": {}}, *({"kind": "restore.end", "data": end} for end in ends)]
    (evidence / run / "journal.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")


def end(seconds: float = 60.2, database: str = "orders", outcome: str = "restored") -> dict[str, object]:
    return {"database": database, "outcome": outcome, "seconds": seconds, "size": 5_000}


def test_the_last_restore_that_went_well_is_remembered(tmp_path: Path) -> None:
    """Of that database, from the newest pack that has one."""
    pack(tmp_path, "20261101", end(10.0))
    pack(tmp_path, "20261102", end(30.0), end(99.0, "users"), end(5.0, outcome="failed"))
    pack(tmp_path, "20261103", end(7.0, outcome="not exercised"))
    assert earlier(tmp_path, "orders") == Earlier(30.0, 5_000)
    assert earlier(tmp_path, "users") == Earlier(99.0, 5_000)
    assert earlier(tmp_path, "nobody") is None and earlier(tmp_path / "none", "orders") is None
    assert Earlier(60.2, 1).length == timedelta(seconds=60)


@pytest.mark.parametrize("text", ["[1]", '"restore.end"', "{", '{"kind": "restore.end", "data": {"database": 1}}'])
def test_a_pack_that_cannot_be_read_is_passed_over(tmp_path: Path, text: str) -> None:
    """Nothing is judged by it."""
    pack(tmp_path, "20261101", end(10.0))
    (tmp_path / "20261102").mkdir()
    (tmp_path / "20261102" / "journal.jsonl").write_text(f"{text} restore.end" if text == "{" else f"{text}\n")
    (tmp_path / "20261103").mkdir()
    (tmp_path / "20261103" / "journal.jsonl").write_bytes(b"restore.end \xff")
    assert earlier(tmp_path, "orders") == Earlier(10.0, 5_000)


def test_only_the_newest_packs_are_read(tmp_path: Path) -> None:
    """Years of them take no time."""
    pack(tmp_path, "20261101", end(10.0))
    for at in range(MOST):
        pack(tmp_path, f"202612{at:02}")
    assert earlier(tmp_path, "orders") is None


def test_the_door_of_this_machine_lets_in_who_has_a_way_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it is open."""
    monkeypatch.setattr(canary, "_own_address", lambda: "127.0.0.1")
    with canary.canary() as address:
        host, _, port = address.partition(":")
        with socket.create_connection((host, int(port)), timeout=SOON):
            pass
    with pytest.raises(OSError), socket.create_connection((host, int(port)), timeout=SOON):
        pass


def test_there_is_no_door_where_the_machine_has_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of loopback is in every network, and would be reached by nobody."""
    monkeypatch.setattr(canary, "_own_address", str)
    with canary.canary() as address:
        assert address == ""
    monkeypatch.undo()
    assert not canary._own_address().startswith("127.")
