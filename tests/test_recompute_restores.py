"""Whoever has only the pack and docs/journal.md says of a restore beside what the project says, whatever it was."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks import Finding, load
from harness.checks.restored import DATABASE, TITLES
from tests import recompute_restores
from tests.histories import NAME, History, utc
from tests.made_restores import IDS, NONCE, ORDERS, USERS, backup, sound
from tests.test_house import HOME

DUMPS = [backup(id, -300.0 * (3 - place), form="dump", system="") for place, id in enumerate(IDS)]
CHANGES: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("end", {}, {"outcome": "failed"}), ("end", {}, {"outcome": "cut short", "seconds": 700.0}),
    ("end", {}, {"outcome": "not exercised"}), ("end", {}, {"seconds": 3.0}), ("end", {}, {"seconds": 1e4}),
    ("end", {}, {"removed": False}), ("end", {}, {"removed": False, "kept": "<run>/kept"}), ("end", {}, {"left": "x"}),
    ("catalogue", {}, {"chosen": IDS[0]}), ("catalogue", {}, {"chosen": ""}), ("catalogue", {}, {"backups": []}),
    ("catalogue", {}, {"system_expected": ""}), ("catalogue", {}, {"system_expected": "1"}),
    ("catalogue", {}, {"backups": DUMPS}), ("catalogue", {}, {"backups": [*DUMPS, DUMPS[-1]]}),
    ("catalogue", {}, {"backups": [{**each, "sound": "no WAL"} for each in DUMPS]}),
    ("asked", {}, {"which": "drawn"}), ("asked", {}, {"which": "named", "named": IDS[1]}), ("asked", {}, {"which": ""}),
    ("asked", {}, {"point": "before-it"}), ("reached", {}, {"ordered": {"time": utc(21.0)}}),
    ("reached", {}, {"ordered": {"lsn": "16/B374D849"}}), ("reached", {}, {"ordered": {"name": "release"}}),
    ("reached", {}, {"ended_early": True}), ("reached", {}, {"ended_early": None}), ("reached", {}, {"at": ""}),
    ("reached", {}, {"at": utc(-4000.0)}), ("reached", {}, {"at": utc(900.0)}), ("reached", {}, {"looked": utc(24.0)}),
    ("reached", {}, {"stopped_before": {"time": utc(20.5)}}), ("heartbeat", {}, {"missing": 1}),
    ("heartbeat", {}, {"at": utc(-4000.0), "behind": 4025.0}), ("heartbeat", {}, {"behind": 70.0}),
    ("heartbeat", {}, {"at": utc(35.0), "behind": -10.0}), ("part", {"part": "verify"}, {"part": "tea"}),
    ("part", {"part": "fetch"}, {"seconds": 50.0}), ("part", {"part": "replay"}, {"seconds": -1}),
    ("inventory", {"moment": "after"}, {"changed": ["a was changed"], "digest": "c"}),
    ("inventory", {}, {"read_only": ""}),
    ("inventory", {"moment": "after"}, {"came": ["a is new"], "digest": "c"}), ("inventory", {}, {"digest": ""}),
    ("place", {"moment": "before"}, {"empty": False}), ("place", {"moment": "before"}, {"isolation": ""}),
    ("place", {"moment": "after"}, {"archive_mode": "on"}), ("place", {"moment": "after"}, {"archive_mode": None}),
    ("place", {"moment": "after"}, {"tries": []}), ("place", {"moment": "after"}, {"conninfo_left": ["a.conf"]}),
    ("place", {"moment": "after"}, {"tries": [{"address": "a:1", "became": "refused"}]}),
    *(("look", {"about": about}, {"ok": ok}) for about in ("log", "pages", "structure", "rows", "identity")
      for ok in (False, None)),
    ("look", {"about": "rows"}, {"expected": ""}), ("look", {"about": "rows"}, {"seen": "12"}),
    ("look", {"about": "rows"}, {"about": "place"}), ("look", {"about": "log"}, {"about": "original", "ok": None}),
    ("look", {"name": "databases"}, {"figure": 2.0}), ("look", {"name": "whose it is"}, {"name": "its database"}),
    ("look", {"about": "log"}, {"about": "point", "name": "what came before it is there"}),
    ("look", {"about": "pages"}, {"about": "point", "name": "what came after it is not there"}),
    ("look", {"about": "log"}, {"about": "point", "name": "the archive was replayed to its end"}),
]  # fmt: skip  # a table
CHANGES += [
    ("brought", {}, {"digest": "cd" * 32}),
    ("brought", {}, {"digest_of": "the file"}),
    ("place", {"moment": "after"}, {"tries": [{"address": "a:1", "became": "No route to host; timed out"}]}),
]
KINDS = ("asked", "catalogue", "inventory", "place", "part", "reached", "look", "heartbeat", "end")


def agree(history: History) -> dict[str, Any]:
    """Compare the script with the project on all that the history leaves."""
    with tempfile.TemporaryDirectory() as folder:
        pack = history.write(Path(folder) / "pack", nonce=NONCE, nonce_by="auditor", rules="8")
        said = recompute_restores.recompute(pack)[NAME]
        found = {
            (dict(each.beside).get(DATABASE, ""), each.id): each for each in load.judged(pack) if each.id in TITLES
        }
    for (database, id), each in found.items():
        if database:
            same(said[database][id], each)
    assert sum(map(len, said.values())) == sum(bool(database) for database, _ in found)
    return said


def same(said: dict[str, Any], found: Finding) -> None:
    assert said["outcome"] == found.outcome, (found.id, found.reason, said)
    if found.figure is not None:
        for end in ("low", "figure", "high"):
            if end in said:
                assert said[end] == pytest.approx(getattr(found, end), abs=1e-5), (found.id, end, found.reason)


@settings(max_examples=60, deadline=None)
@given(
    changes=st.lists(st.sampled_from(CHANGES), max_size=3),
    left=st.one_of(st.just(""), st.sampled_from(KINDS)),
    clock=st.one_of(st.none(), st.tuples(st.floats(-30, 30), st.floats(0, 9))),
    cut=st.one_of(st.none(), st.floats(3, 80)),
    pointed=st.booleans(),
)
def test_both_agree_on_whatever_was_recorded(
    *,
    changes: list[tuple[str, dict[str, str], dict[str, Any]]],
    left: str,
    clock: tuple[float, float] | None,
    cut: float | None,
    pointed: bool,
) -> None:
    """Up to three changes, kinds of line left out, clocks apart, runs that were cut short: never another outcome."""
    history = sound(ORDERS, USERS)
    if pointed:
        history.expect("point-in-time")
    for kind, where, more in changes:
        for _, said, data in history.lines:
            if said == f"restore.{kind}" and all(data.get(key) == value for key, value in where.items()):
                data.update(more)
    if left:
        history.drop(f"restore.{left}")
    if clock:
        history.say(1.0, "clock", clock="database", offset=clock[0], uncertainty=clock[1], how="asked")
    if cut is not None:
        history.cut(cut)
        history.say(cut, "stopped", who="somebody", why="enough")
    agree(history)


def test_it_says_what_was_built_in() -> None:
    """Not only do both agree: what they say is what happened."""
    history = sound(ORDERS, USERS)
    history.expect("point-in-time")
    for _, kind, data in history.lines:
        if kind == "restore.end" and data["database"] == USERS:
            data.update(outcome="failed", why="a file is not there")
    said = agree(history)
    assert said[ORDERS]["restore-time"] == {"outcome": "MET", "low": 60.0, "figure": 60.0, "high": 60.0}
    assert said[ORDERS]["backup-age"]["figure"] == pytest.approx(5.0)
    assert said[USERS]["restore-time"]["outcome"] == "MISSED"
    assert [said[ORDERS][id]["outcome"] for id in TITLES if id != "point-in-time"] == ["MET"] * 9


def test_a_stored_pack_is_what_was_sealed(tmp_path: Path) -> None:
    """A real run: each of its findings, and each figure with its bar."""
    shutil.unpack_archive(HOME / "tests" / "packs" / "version-8-restored-beside.tar.xz", tmp_path)
    (pack,) = tmp_path.iterdir()
    ((_, said),) = recompute_restores.recompute(pack).items()
    sealed = [each for each in json.loads((pack / "findings.json").read_bytes())["findings"] if each["id"] in TITLES]
    assert len(sealed) == 9
    for each in sealed:
        found = said["repo"][each["id"]]
        assert found["outcome"] == each["outcome"] == "MET"
        if each["figure"] is not None:
            assert {end: found[end] for end in ("low", "figure", "high")} == pytest.approx(
                {end: each[end] for end in ("low", "figure", "high")}, abs=1e-5
            )


def test_it_imports_nothing_of_the_project_and_runs_alone(tmp_path: Path) -> None:
    """Only modules of Python itself; started by path, in isolation, it prints JSON."""
    script = Path(recompute_restores.__file__)
    tree = ast.parse(script.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
    pack = sound().write(tmp_path / "pack", rules="8")
    argv = [sys.executable, "-I", str(script), str(pack)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert json.loads(done.stdout)[NAME][ORDERS]["pages-sound"] == {"outcome": "MET"}
