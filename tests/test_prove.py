"""Which runs a proof asks for; the runs themselves are stand-ins that come out as they must."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from drills import FEATURES, twins
from harness.cli import drdrill
from harness.cli.run import RunRequest, must_be_breakable
from harness.errors import DrillError, Refused
from harness.features import catalog
from harness.features.catalog import name_of
from harness.restores.twins import DRILL
from harness.stacks.attached.proposed.backups_text import Database, ProposedBackups, files_of
from harness.stacks.kinds import Kind
from harness.stacks.maker import Maker
from harness.stacks.needs import Offer
from tests.this_project import PROJECT

COMMAND = importlib.import_module("harness.cli.prove")
HANGS = "An API server hangs"
PORT = "health-checks-look-at-the-port"  # the only twin of that scenario


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[RunRequest]:
    """Every run that was asked for, in order."""
    requests: list[RunRequest] = []

    def carry_out(request: RunRequest, *, quiet: bool) -> Path:
        requests.append(request)
        broken = PROJECT.twin(request.sabotage) if request.sabotage else None
        verdict = min(broken.outcomes) if broken else "MET"
        about = {"scenario": name_of(HANGS), "advisory": False, "reason": f"{request.sabotage} was seen"}
        findings = [{**about, "id": broken.finding, "outcome": verdict}] if broken else []
        found = {"verdict": verdict, "verdicts": {name_of(HANGS): verdict}, "findings": findings}
        pack = tmp_path / f"pack-{len(requests)}"
        pack.mkdir()
        (pack / "findings.json").write_text(json.dumps(found))
        return pack

    monkeypatch.setattr(COMMAND, "carry_out", carry_out)
    return requests


def prove(folder: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(COMMAND.prove, [*words, "--evidence", str(folder / "evidence")])
    if isinstance(done.exception, Refused):
        return 3, str(done.exception)
    return done.exit_code, done.output


def test_what_a_stack_lacks_is_told_before_a_proof_begins(tmp_path: Path, asked: list[RunRequest]) -> None:
    """A scenario that cannot be exercised there is never MET, so nothing could be proved of it."""
    code, said = prove(tmp_path, "network-failover", "--sandbox", "loopback")
    assert code == 3 and asked == []
    assert "not exercised on stacks of the kind local, so nothing can be proved of it: The leader's zone is cut" in said
    assert (
        "A slow link: slow links (it takes zones that are networks: " in said and "A zone loses its power" not in said
    )


def test_what_a_sabotage_lacks_is_told_before_it_begins() -> None:
    """Each twin with what it takes of a stack, which no scenario needs by itself."""
    lacking = {twin.name: Offer("bare", ()).lacking(twin.sabotage.needs) for twin in PROJECT.all_twins()}
    needed = {name: [lack.capability for lack in lacks] for name, lacks in lacking.items() if lacks}
    assert needed["archiving-stalls"] == ["Stallable"] and needed["alert-sink-unreachable"] == ["Deafenable"]
    assert needed["no-sound-backup"] == ["BaseBackups", "ObjectStore", "Damageable"]
    assert ["Unfenced"] in needed.values() and len(needed) < len(lacking)
    stalls = next(twin for twin in PROJECT.all_twins() if twin.name == "archiving-stalls")
    bare = Kind("bare", "embedded", "tests.test_prove:BARE")
    with pytest.raises(Refused, match="bare cannot be sabotaged so: archiving-stalls: stalling the archive"):
        must_be_breakable([stalls], bare, None)


class _Bare(Maker):
    has = ()


BARE = _Bare()


@pytest.mark.parametrize("name", ["application-recovery", "monthly"])
def test_one_scenario_is_proved_with_its_own_twins(name: str, tmp_path: Path, asked: list[RunRequest]) -> None:
    """Once as it is, and once for each way of breaking it; nothing else is run, and nothing else is in the table."""
    code, said = prove(tmp_path, name, "--only", HANGS.lower())
    assert code == 0 and "2 of 2 as they must be" in said
    assert [(request.only.lower(), request.sabotage) for request in asked] == [
        (HANGS.lower(), ""),
        (HANGS.lower(), PORT),
    ]


def test_what_is_not_as_it_must_be_is_said_last(
    tmp_path: Path, asked: list[RunRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what the finding said: of a sound drill that is not MET, and of a twin that nobody noticed."""
    red = {"scenario": name_of(HANGS), "id": "rto", "outcome": "MISSED", "advisory": False, "reason": "93 s"}
    found = {"verdict": "MISSED", "verdicts": {name_of(HANGS): "MISSED"}, "findings": [red]}

    def carry_out(request: RunRequest, *, quiet: bool) -> Path:
        (tmp_path / "findings.json").write_text(json.dumps(found))
        return tmp_path

    monkeypatch.setattr(COMMAND, "carry_out", carry_out)
    code, said = prove(tmp_path, "application-recovery", "--only", HANGS)
    assert code == 1 and "0 of 2 as they must be" in said
    sound, twin = [line for line in said.splitlines() if line.startswith("NOT AS IT MUST BE: ")]
    assert sound == f"NOT AS IT MUST BE: {HANGS}: MISSED: rto MISSED: 93 s"
    assert twin.startswith(f"NOT AS IT MUST BE: {PORT}: ") and twin.endswith("no finding says why")


def test_a_twin_of_another_scenario_is_refused(tmp_path: Path, asked: list[RunRequest]) -> None:
    """The hint has those that there are, before anything is run."""
    code, said = prove(tmp_path, "application-recovery", "--only", HANGS, "--twin", "never-rolled-back")
    assert code == 3 and f"there are: {PORT}" in said
    code, said = prove(tmp_path, "application-recovery", "--only", "A host dies", "--twin", PORT)
    assert code == 3 and "there are: none" in said
    assert asked == []


def test_a_twin_of_no_scenario_is_refused(
    tmp_path: Path, asked: list[RunRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would never be run, and nobody would miss it."""
    (twin, *_) = twins.TWINS["network-failover"]
    monkeypatch.setitem(twins.TWINS, "network-failover", (replace(twin, scenario="The active balancer dies"),))
    code, said = prove(tmp_path, "network-failover")
    assert code == 3 and "'The active balancer dies'" in said and "it has: The leader's zone is cut off; " in said
    assert asked == []


def test_every_twin_is_of_a_drill_that_is_built() -> None:
    """And is named once over all of them."""
    assert set(twins.TWINS) <= {drill.name for drill in catalog.drills(FEATURES)}
    names = [twin.name for listed in twins.TWINS.values() for twin in listed]
    assert len(set(names)) == len(names)


def test_a_scenario_that_there_is_not_is_refused(tmp_path: Path, asked: list[RunRequest]) -> None:
    """As `drdrill run` refuses it."""
    assert prove(tmp_path, "network-failover", "--only", HANGS)[0] == 3
    assert asked == []


def test_a_proof_without_a_twin_shows_nothing(
    tmp_path: Path, asked: list[RunRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drill is MET, and whether it can fail is not known."""
    monkeypatch.setattr(twins, "TWINS", {})
    code, said = prove(tmp_path, "application-recovery", "--only", HANGS)
    assert code == 2 and said.endswith("nothing was sabotaged: that the drill can fail is not shown\n")
    assert [request.sabotage for request in asked] == [""]


def test_twins_of_a_drill_that_is_not_there_are_refused(
    tmp_path: Path, asked: list[RunRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would never be run, and nobody would notice."""
    monkeypatch.setattr(twins, "TWINS", {"application-recoverie": twins.TWINS["application-recovery"]})
    code, said = prove(tmp_path, "application-recovery", "--only", HANGS)
    assert code == 3 and "'application-recoverie', which the calendar does not have" in said and not asked


@pytest.mark.parametrize("outcomes", ["MISSED", frozenset({"MET"}), frozenset({"MISSED", "red"})])
def test_what_a_twin_must_say_is_a_set_of_outcomes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcomes: object
) -> None:
    """A text would be read as its letters, and a twin that may be MET shows nothing."""
    twin = replace(PROJECT.twin(PORT), outcomes=outcomes)
    monkeypatch.setattr(twins, "TWINS", {"application-recovery": [twin]})
    code, said = prove(tmp_path, "application-recovery", "--only", HANGS)
    assert code == 3 and f"the outcomes of the twin {PORT}" in said


def test_a_platform_that_stands_is_held_with_the_file_that_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every run of the proof takes it as `drdrill run` does: else it would go by what another run has left there."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    one = Database("shop", "pg_dump", str(tmp_path / "dumps"))
    files = files_of(ProposedBackups("Shop", "Ann", "staging", "4 h", "24 h", [one]))
    for name, text in files.items():
        (tmp_path / "it" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "it" / name).write_text(text)
    asked: list[RunRequest] = []

    def carry_out(request: RunRequest, *, quiet: bool) -> Path:
        asked.append(request)
        raise DrillError("no run of it is needed here", hint="-")

    monkeypatch.setattr(COMMAND, "carry_out", carry_out)
    words = ["--project", str(tmp_path / "it"), "prove", DRILL, "--stack", str(tmp_path / "it" / "stack.yaml")]
    CliRunner().invoke(drdrill, [*words, "--evidence", str(tmp_path / "evidence")])
    sys.modules.pop("twins", None)
    assert len(asked) > 1
    for request in asked:
        assert request.on is not None and request.on.folder.parent == tmp_path / "state" / "drdrill" / "platforms"
        assert request.stack.file == tmp_path / "it" / "stack.yaml"
