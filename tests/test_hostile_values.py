"""Whatever values a sealed pack holds, every command that reads packs answers or refuses: none fails."""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.checks import Outcome
from harness.cli import drdrill
from harness.errors import DrillError, Exit
from harness.evidence.seal import newest, seal
from harness.schedule import runs
from tests import sample_pack
from tests.damaged_packs import JOURNAL, lines_of, payload, rechained, resealed
from tests.made_packs import OUR_PRINT, OURS
from tests.sample_pack import Plot

VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 7, 1.5, -0.0, 10**17, -(10**17), 10**30, 10**31, 10**40, 10**400, -(10**400), 1e300, -1e300,
    5e-324, "", "x", "0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z", "1e999999999", "-1E+999999", "NaN",
    "9" * 5000, [], {}, [[]], [None], {"a": {}}, [{"name": None, "seconds": 10**400}], "2026-13-45T99:99:99.000000Z",
    "../../x", "\0",
)  # fmt: skip  # a list
DICE = 20261128
TIMES = 10  # of each kind of file; a thousand of each have been tried
COMMANDS = ("verify", "report", "compare", "gate", "history", "calendar")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two sealed packs of the same run; the second is changed by nobody."""
    evidence = tmp_path_factory.mktemp("pair")
    for name in ("changed", "sound"):
        made = sample_pack.write(evidence / "made", Plot(rate=1.0))
        made.rename(evidence / f"{name}.unfinished")
        shutil.rmtree(evidence / "made", ignore_errors=True)
        seal(evidence / f"{name}.unfinished", evidence / name, key=OURS)
    return evidence


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a value could be changed, from the outside in."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def changed(value: Any, dice: random.Random, *, many: int) -> Any:
    """The same JSON with some of its values replaced."""
    told = copy.deepcopy(value)
    for path in dice.sample(found := list(places(value)), min(many, len(found))):
        inside = told
        try:
            for key in path[:-1]:
                inside = inside[key]
            inside[path[-1]] = copy.deepcopy(dice.choice(VALUES))
        except (TypeError, KeyError, IndexError):
            continue  # what it lay in has just been replaced
    return told


def spoil(pack: Path, where: str, dice: random.Random) -> None:
    """Change values somewhere and seal the pack again, so that everything fits."""
    if where == "findings":
        findings = json.loads((pack / "findings.json").read_bytes())
        (pack / "findings.json").write_text(json.dumps(changed(findings, dice, many=dice.choice((1, 2, 20)))))
    elif where == "journal":
        lines = lines_of(pack)
        for at in dice.sample(range(len(lines)), 12) + dice.sample((0, 1, len(lines) - 1), 2):
            line = json.loads(lines[at])
            line["data"] = changed(line["data"], dice, many=1) if dice.random() < 0.8 else dice.choice(VALUES)
            if dice.random() < 0.2:
                line[dice.choice(("utc", "mono", "kind"))] = dice.choice(VALUES)
            lines[at] = json.dumps(line).encode()
        if dice.random() < 0.2:  # a whole run of another year, or of no time at all
            whole = {dice.choice(("utc", "mono")): dice.choice(VALUES)}
            lines = [json.dumps(json.loads(line) | whole).encode() for line in lines]
        (pack / JOURNAL).write_bytes(rechained(lines))
    elif where == "ledger":
        for path in pack.glob("scenarios/*/*.jsonl"):
            lines = path.read_bytes().splitlines()
            at = dice.randrange(min(40, len(lines)))
            lines[at] = json.dumps(changed(json.loads(lines[at]), dice, many=1)).encode()
            path.write_bytes(b"\n".join(lines))
    predicate = changed(payload(pack)["predicate"], dice, many=3) if where == "statement" else {}
    resealed(pack, change=lambda told: told.update(predicate))


def asked(command: str, evidence: Path, into: Path) -> Result:
    argv = {
        "verify": ["verify", str(evidence), "--key", OUR_PRINT],
        "report": ["report", str(evidence / "changed"), "--into", str(into)],
        "compare": ["compare", str(evidence / "changed"), str(evidence / "sound"), "--output", str(into) + ".html"],
    }.get(command, [command, "--evidence", str(evidence), "--key", OUR_PRINT, "--today", "2026-12-01"])
    return CliRunner().invoke(drdrill, argv)


def failed(result: Result) -> bool:
    """An error of its own that is no refusal, or any other exception."""
    if isinstance(result.exception, DrillError):
        return result.exception.exit == Exit.FAILED
    return result.exception is not None and not isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("where", ["journal", "findings", "statement", "ledger"])
def test_no_value_makes_a_command_fail(pair: Path, tmp_path: Path, where: str) -> None:
    """Figures of 400 digits, the year 1, lists for texts: a clear answer, and never that drdrill itself failed."""
    dice = random.Random(f"{DICE} {where}")
    for n in range(TIMES):
        evidence = shutil.copytree(pair, tmp_path / f"e{n}")
        spoil(evidence / "changed", where, dice)
        for command in COMMANDS:
            result = asked(command, evidence, tmp_path / f"r{n}")
            assert not failed(result), (n, command, result.exc_info)
        shutil.rmtree(evidence)


def test_findings_of_another_version_are_not_read_as_ours(pair: Path, tmp_path: Path) -> None:
    """Of version 99 nothing is known: every verdict is UNKNOWN, and the page says why."""
    evidence = shutil.copytree(pair, tmp_path / "e")
    findings = json.loads((evidence / "changed" / "findings.json").read_bytes())
    (evidence / "changed" / "findings.json").write_text(json.dumps(findings | {"v": 99}))
    resealed(evidence / "changed")
    assert asked("report", evidence, tmp_path / "r").exit_code in (1, 2)
    page = (tmp_path / "r" / "index.html").read_text()
    assert "<title>UNKNOWN" in page and "version 99, of which this drdrill knows nothing" in page
    past = {run.name: run for run in runs.read(evidence).runs}
    assert (past["changed"].verdict, past["sound"].verdict) == (Outcome.UNKNOWN, Outcome.MET)


@pytest.mark.parametrize("name", ["findings.json", "index.html", "journal.jsonl", "pack.dsse.json", "plan.yaml"])
@pytest.mark.parametrize("what", ["pipe", "device", "holes", "folder"])
def test_no_command_waits_or_reads_without_end(pair: Path, tmp_path: Path, name: str, what: str) -> None:
    """A pipe, a link to a device, a terabyte of holes or a folder in the place of any file."""
    evidence = shutil.copytree(pair, tmp_path / "e")
    for path in (evidence / "changed" / name, *(evidence / "changed").glob("scenarios/*/*-database*.jsonl")):
        put_there(path, what)
    for path in (evidence / "changed").rglob("*.feature"):
        put_there(path, what)
    for command in COMMANDS:
        result = asked(command, evidence, tmp_path / "r")
        assert not failed(result), (command, result.exc_info)


def put_there(path: Path, what: str) -> None:
    path.unlink(missing_ok=True)
    if what == "pipe":
        os.mkfifo(path)
    elif what == "device":
        path.symlink_to("/dev/zero")
    elif what == "holes":
        path.touch()
        os.truncate(path, 1 << 40)
    else:
        path.mkdir()


def test_each_file_of_a_folder_of_evidence_may_be_a_pipe(pair: Path, tmp_path: Path) -> None:
    """Also where the next run looks for its number."""
    evidence = shutil.copytree(pair, tmp_path / "e")
    for path in [path for path in (evidence / "changed").rglob("*") if path.is_file()]:
        put_there(path, "pipe")
    for command in COMMANDS:
        assert not failed(asked(command, evidence, tmp_path / "r"))
    assert newest(evidence)[0] >= 1
