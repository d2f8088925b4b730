"""Restores broken on purpose touch a copy alone; what a killed run was restoring is removed by its marks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest

from harness.checks import restored_backup
from harness.errors import DrillError, Refused, Unable
from harness.restores import Brought, left
from harness.restores.answering import await_answer, takes_writes
from harness.restores.broken import NOT, PAGE, WAYS
from harness.restores.choice import DRAWN, Asked, Chosen, drawn
from harness.restores.places import places_of
from harness.restores.twins import DRILL, NEWEST, TWINS
from harness.run.run import Run
from harness.run.sabotage import Sabotage
from harness.scenario import restores
from harness.scenario.restores import ScenarioRestores
from harness.sentences import GENERIC
from harness.stacks.attached.kept import KeptBackups
from harness.stacks.attached.proposed.backups_text import FEATURE, Database, ProposedBackups, files_of
from harness.stacks.capabilities.backups import Kept
from tests.restored_beside import FakePlace, Restoring, Told, backup, backups, kept


@pytest.fixture
def place(tmp_path: Path) -> FakePlace:
    return FakePlace(tmp_path / "place", 15, Told())


def test_the_plain_way_breaks_nothing(place: FakePlace) -> None:
    """It is the one of a run that is not sabotaged."""
    assert WAYS[""] is NOT and WAYS[Sabotage().restore] is NOT
    chosen = Chosen(kept(), "the newest of 1")
    assert NOT.asks(backup()) == backup() and NOT.chooses([kept("b0")], chosen) is chosen
    NOT.brings(place, Brought([]))
    NOT.holds(place, ["app"])
    assert NOT.isolated and NOT.removes and not place.told and not place.queries


def test_what_is_asked_of_a_backup_is_broken() -> None:
    """By a value that nothing can have."""
    asked = backup(system="71", roles=("app",))
    assert WAYS["another system"].asks(asked).system == "1"
    assert WAYS["role missing"].asks(asked).roles != asked.roles
    assert WAYS["extension missing"].asks(asked).extensions and not WAYS["nothing expected"].asks(asked).checks
    oldest = WAYS["oldest for newest"].chooses([kept("b1"), kept("b2")], Chosen(kept("b2"), "the newest of 2"))
    assert (oldest.kept.id, oldest.how) == ("b1", "the newest of 2")


def test_the_archive_is_taken_away_from_a_copy(place: FakePlace) -> None:
    """What came with the backup as well; folders stay."""
    own, brought = place.data / "pg_wal", place.folder / "wal"
    for folder in (own, brought):
        (folder / "archive_status").mkdir(parents=True)
        (folder / "000000010000000000000001").write_text("w")
    WAYS["no WAL"].brings(place, Brought([], wal=brought))
    assert [path.name for folder in (own, brought) for path in folder.iterdir()] == ["archive_status"] * 2


@pytest.mark.parametrize(("way", "kind"), [("byte in a table", "r"), ("byte in an index", "i")])
def test_one_byte_is_flipped_while_the_server_is_down(place: FakePlace, way: str, kind: str) -> None:
    """In the first page of the largest one, and the server is begun again."""
    place.answers["pg_relation_filepath"] = [("base/5/16384",)]
    (place.data / "base" / "5").mkdir(parents=True)
    (place.data / "base" / "5" / "16384").write_bytes(bytes(2 * PAGE))
    WAYS[way].holds(place, ["app"])
    written = (place.data / "base" / "5" / "16384").read_bytes()
    assert [at for at, byte in enumerate(written) if byte] == [PAGE - 16] and written[PAGE - 16] == 0xFF
    assert [*place.told] == ["stop", "start"] and place.running()


@pytest.mark.parametrize(
    ("way", "part", "done"),
    [
        ("emptied", "pg_total_relation_size", 'DROP TABLE public."Orders" CASCADE'),
        ("rows gone", "pg_total_relation_size", 'TRUNCATE public."Orders" CASCADE'),
        ("sequences behind", "pg_depend", "SELECT setval('public.\"Orders\"', 1, false)"),
    ],
)
def test_rows_of_each_database_are_broken(place: FakePlace, way: str, part: str, done: str) -> None:
    """By what it has, quoted."""
    place.answers[part] = [('public."Orders"',)]
    WAYS[way].holds(place, ["app", "audit"])
    assert [query for query in place.queries if query[1] == done] == [("app", done), ("audit", done)]


@pytest.mark.parametrize("way", ["byte in a table", "byte in an index", "emptied", "rows gone", "sequences behind"])
def test_what_cannot_be_broken_is_no_proof(place: FakePlace, way: str) -> None:
    """A twin that broke nothing would be a sound restore under another name."""
    with pytest.raises(Unable) as unable:
        WAYS[way].holds(place, ["app"])
    assert unable.value.hint == "prove it with a backup that has some"


def test_a_place_that_is_not_isolated_or_not_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each says so in the journal."""
    restoring = Restoring(monkeypatch, tmp_path)
    restoring.carry_out(broken="way out")
    assert [data["isolation"] for data in restoring.lines("restore.place")] == ["", ""]
    end = restoring.carry_out(broken="left behind")
    assert not end["removed"] and end["left"] == "its place is left, as the twin wants it"
    assert not restoring.left  # once that is written down, it goes all the same


def test_every_twin_is_of_a_way_and_of_a_finding_that_is_promised() -> None:
    """And of the scenario that `drdrill init --backups` writes."""
    twins = TWINS[DRILL]
    assert {twin.sabotage.restore for twin in twins} == set(WAYS) - {""}
    assert len({twin.name for twin in twins}) == len(twins)
    feature = files_of(ProposedBackups("P", "o", "staging", "4 h", "24 h", [Database("a", "pg_dump", "/x")]))[FEATURE]
    assert all(twin.scenario == NEWEST and twin.sabotage.beside_alone for twin in twins) and NEWEST in feature
    assert all(Kept in twin.sabotage.needs for twin in twins)
    assert not Sabotage(restore="way out", never_resolve=True).beside_alone


def test_places_lie_beside_the_run_or_where_the_file_says(tmp_path: Path) -> None:
    """There in a folder of the run's own."""
    assert places_of(backups(), run="r1", beside=tmp_path) == tmp_path / "places"
    assert places_of(backups(folder=Path("/srv")), run="r1", beside=tmp_path) == Path("/srv/drdrill-r1")


def test_what_a_killed_run_left_is_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By its marks; where there is none of it nothing is done, and what will not go is told."""
    left.remove_places(backups(), run="r1", beside=tmp_path / "none")
    folder = tmp_path / "places"
    (folder / "orders").mkdir(parents=True)
    swept: list[Path] = []

    def sweep(there: Path) -> list[str]:
        swept.append(there)
        return [f"{there / 'orders'}, left by run r1: processes 7 will not end"]

    monkeypatch.setattr(left, "sweep", sweep)
    with pytest.raises(DrillError, match=r"a place of run r1 is not removed: .*processes 7 will not end") as wrong:
        left.remove_places(backups(), run="r1", beside=tmp_path)
    assert wrong.value.hint == f"remove {folder} by hand" and swept == [folder]
    (folder / "orders").rmdir()
    left.remove_places(backups(), run="r1", beside=tmp_path)
    assert not folder.exists()


def test_a_server_answers_once_it_takes_writes(place: FakePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that recovers, and one that lets nobody in yet, do not."""
    assert takes_writes(place)
    place.answers["pg_is_in_recovery"] = [(False,)]
    assert not takes_writes(place)
    answers = iter([psycopg.OperationalError("the database system is starting up"), None])

    def connect(database: str = "postgres") -> Any:
        if error := next(answers):
            raise error
        place.answers["pg_is_in_recovery"] = [(True,)]
        return FakePlace.connect(place)

    monkeypatch.setattr(place, "connect", connect)
    await_answer(place, "it answers")
    assert next(answers, "over") == "over"


class Made:
    """In the stead of `Restores`."""

    all: Sequence[Made] = ()

    def __init__(self, said: object, **given: Any) -> None:
        self.given = given
        Made.all = [self]

    def carry_out(self, asked: Asked, *, seed: str) -> None:
        self.asked, self.seed = asked, seed


def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScenarioRestores:
    stack = SimpleNamespace(capabilities=())
    kept_backups = KeptBackups(backups("orders", "users"), {"secret:x": "y"}, tmp_path)
    monkeypatch.setattr(restores, "need", lambda stack, capability: kept_backups)
    monkeypatch.setattr(restores, "fetch", lambda name: Made)
    run = SimpleNamespace(
        stack=stack, id="r1", nonce="n", folder=tmp_path / "r1.unfinished", journal=None, books=None,
        options=SimpleNamespace(sabotage=Sabotage(restore="way out")),
    )  # fmt: skip  # in groups
    return ScenarioRestores(cast(Run, run), "the-scenario")


def test_a_scenario_is_about_every_database_or_about_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that nobody described is refused, with those that are there."""
    found = scenario(tmp_path, monkeypatch)
    found.of_all()
    found.carry_out(Asked(DRAWN))
    (made,) = Made.all
    assert made.given["names"] == ["orders", "users"] and made.given["broken"] == "way out"
    assert made.given["kept"] == tmp_path / "kept-places" / "r1" and made.given["values"] == {"secret:x": "y"}
    assert drawn(made.seed, "orders", 9) == restored_backup.drawn("n", "the-scenario", "orders", 9)
    found.of("users")
    found.carry_out(Asked())
    assert Made.all[0].given["names"] == ["users"]
    with pytest.raises(Refused, match="no backups of a database named nobody") as refused:
        found.of("nobody")
    assert refused.value.hint == "the stack file has: orders, users"


def test_a_stack_is_steady_where_a_place_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There has to be room where it is made; the folder itself may come later."""
    found = KeptBackups(backups(), {}, tmp_path / "r1" / "stack")
    assert found.condition().ok
    full = SimpleNamespace(free=10)
    monkeypatch.setattr("harness.stacks.attached.kept.shutil.disk_usage", lambda _: full)
    condition = found.condition()
    assert not condition.ok and condition.seen == "10 bytes free"
    monkeypatch.setattr("harness.stacks.attached.kept.os.access", lambda *_: False)
    assert found.condition().seen == "nothing can be written there"
    assert dataclasses.replace(found, described=backups(folder=tmp_path)).described.folder == tmp_path


@pytest.mark.parametrize(
    ("kind", "sentence", "given"),
    [
        ("given", "the backups of every database", {}),
        ("given", "the backups of the database orders", {"database": "orders"}),
        ("when", "the newest backup of each is restored into an empty place beside", {}),
        ("when", "the backup named 20261122F is restored into an empty place beside", {"name": "20261122F"}),
        ("when", "a backup that the auditor's seed draws is restored into an empty place beside", {}),
        ("when", "the newest backup is restored into an empty place beside, as of the point noon", {"point": "noon"}),
        ("then", "it was recovered to that point, and no further", {}),
    ],
)
def test_sentences_of_backups_mean_one_thing(kind: str, sentence: str, given: dict[str, str]) -> None:
    """Each is known once, and fills what it names."""
    assert [found.filled(sentence) for found in GENERIC.matching(kind, sentence)] == [given]
