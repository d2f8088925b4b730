"""A project without customers: what it may drill, what is proved of it on a platform that stands, and who heals it."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from harness import project
from harness.cli import drdrill
from harness.cli.run import RunRequest
from harness.cli.with_reports import heal_run
from harness.errors import DrillError, Exit, Refused
from harness.plan import load as load_plan
from harness.restores.twins import DRILL, TWINS
from harness.safety import heal
from harness.stacks.attached.maker import AttachedMaker
from harness.stacks.attached.proposed.backups_text import FEATURE, Database, ProposedBackups, files_of
from harness.stacks.maker import Maker
from harness.workload.no_client import NoClient
from tests.made_packs import unfinished

PROVE = importlib.import_module("harness.cli.prove")
FOUND = ProposedBackups(
    "Shop", "us", "staging", "4 h", "24 h", [Database("orders", "pg_basebackup", "/srv/x", system="71", number=2)]
)
SERVED = "features/monthly/served.feature"
WITH_CUSTOMERS = """\
@monthly @TST-M1
Feature: Served
  Customers are served.

  @OBJ-1
  Scenario: They are served
    Given customers ask for what they know
    When the newest backup of each is restored into an empty place beside
    Then each holds what it must
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """As `drdrill init --backups` writes it; what is imported of it is not there for the next test."""
    known = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name, text in files_of(FOUND).items():
        path = tmp_path / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    yield tmp_path / "shop"
    if "twins" not in known:
        sys.modules.pop("twins", None)


def test_nobody_can_write_in_it(shop: Path) -> None:
    """Whoever asks for its client is told what to add."""
    client = project.load(shop).client
    assert isinstance(client, NoClient) and not client.name and not client.secrets and client.rate is None
    assert client.folder == shop and client.told(ValueError()) is None
    with pytest.raises(Refused, match="names no client, so nobody can write") as refused:
        client.load()
    assert "client: client.yaml" in refused.value.hint


def test_a_plan_may_have_no_health(shop: Path) -> None:
    """Where nothing serves, nothing is well or ill."""
    assert load_plan(shop / "plan.yaml").health == ()


def test_a_feature_with_customers_is_refused_with_its_line(shop: Path) -> None:
    """Before anything starts."""
    (shop / SERVED).write_text(WITH_CUSTOMERS)
    plan = shop / "plan.yaml"
    served = "    - {drill: served, title: Served, when: first Monday, demand: TST-M1, at_least: staging}\n"
    plan.write_text(plan.read_text().replace("  monthly:\n", f"  monthly:\n{served}"))
    with pytest.raises(Refused, match=r"has customers, and .* names no client") as refused:
        project.load(shop).drills()
    assert f"{SERVED}:6: " in refused.value.message and "write client: client.yaml there" in refused.value.hint


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[RunRequest]:
    """Every run of a proof, which comes out as it must."""
    requests: list[RunRequest] = []
    twins = {twin.name: twin for twin in TWINS[DRILL]}

    def carry_out(request: RunRequest, *, quiet: bool) -> Path:
        requests.append(request)
        found: dict[str, Any] = {"verdict": "MET", "findings": []}
        if request.sabotage:
            twin = twins[request.sabotage]
            outcome = min(twin.outcomes)
            finding = {"id": twin.finding, "outcome": outcome, "scenario": "", "advisory": False, "reason": "seen"}
            found = {"verdict": outcome, "findings": [finding]}
        made = project.load(request.project).drills()
        found["verdicts"] = {each.name: "MET" for drill in made for each in drill.scenarios}
        pack = tmp_path / f"pack-{len(requests)}"
        pack.mkdir()
        (pack / "findings.json").write_text(json.dumps(found))
        return pack

    monkeypatch.setattr(PROVE, "carry_out", carry_out)
    return requests


def prove(shop: Path, *words: str) -> tuple[int, str]:
    given = ["--project", str(shop), "prove", DRILL, "--stack", str(shop / "stack.yaml"), *words]
    done = CliRunner().invoke(drdrill, [*given, "--evidence", str(shop.parent / "evidence")])
    if isinstance(done.exception, DrillError):
        return done.exception.exit, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_what_breaks_a_copy_alone_is_proved_on_a_platform_that_stands(shop: Path, asked: list[RunRequest]) -> None:
    """The sound drill, and each twin in a place of its own."""
    code, said = prove(shop)
    assert code == Exit.MET, said
    names = [twin.name for twin in project.load(shop).twins[DRILL]]
    assert [request.sabotage for request in asked] == ["", *names] and "oldest-for-newest" in names
    code, said = prove(shop, "--twin", "way-out")
    assert code == Exit.MET, said


def test_what_breaks_anything_else_is_not(shop: Path, asked: list[RunRequest]) -> None:
    """One such twin among them is enough."""
    twins = shop / "twins.py"
    text = twins.read_text()
    other = 'Twin("other", NEWEST, Sabotage(restore="way out", never_resolve=True), "rows-proved", MISSED, "x")'
    more = f"from harness.restores.twins import MISSED, NEWEST, Sabotage, Twin\nOTHER = {other}\n"
    twins.write_text(f"{text}\n{more}TWINS = {{DRILL: (*TWINS[DRILL], OTHER)}}\n")
    code, said = prove(shop)
    assert code == Exit.REFUSED and "a platform that stands is not broken on purpose" in said
    assert not asked


def test_without_a_twin_nothing_would_be_shown(shop: Path, asked: list[RunRequest]) -> None:
    """So that it is refused as any other proof there."""
    (shop / "twins.py").write_text("TWINS = {}\n")
    code, said = prove(shop)
    assert code == Exit.REFUSED and "a platform that stands is not broken on purpose" in said and not asked


class Removing(Maker):
    """Says what was removed, and in which order."""

    def __init__(self, done: list[tuple[str, str, Path]]) -> None:
        self.done = done

    def remove_beside(self, run: str, folder: Path) -> None:
        self.done.append(("beside", run, folder))

    def remove_left(self, run: str, folder: Path) -> None:
        self.done.append(("left", run, folder))


@pytest.mark.parametrize("stands", [False, True])
def test_whoever_heals_removes_what_was_restored_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stands: bool
) -> None:
    """Whoever owns the stack: one that stands is left, and the places of the killed run are not."""
    done: list[tuple[str, str, Path]] = []
    folder = unfinished(tmp_path / "evidence" / "r1", end=False)
    place = tmp_path / "standing"
    place.mkdir()
    monkeypatch.setattr(heal, "of_run", lambda _: SimpleNamespace(maker=Removing(done)))
    monkeypatch.setattr(heal, "stands_on", lambda _: place if stands else None)
    healed = heal_run(folder, by="a test")
    assert healed.pack is not None and not healed.unhealed
    beside = ("beside", "r1", folder / "stack")
    assert done == [beside] if stands else done == [beside, ("left", "r1", folder / "stack")]


def test_a_platform_of_a_file_removes_by_its_backups(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its file says that places are made; one without backups has none."""
    removed: list[Mapping[str, Any]] = []

    def remove_places(said: object, **given: Any) -> None:
        removed.append({"said": said, **given})

    monkeypatch.setattr("harness.restores.left.remove_places", remove_places)
    maker = project.load(shop).kind(str(shop / "stack.yaml")).maker
    assert isinstance(maker, AttachedMaker)
    maker.remove_beside("r1", tmp_path / "stack")
    assert removed == [{"said": maker.said.backups, "run": "r1", "beside": tmp_path / "stack"}]
    said = yaml.safe_load((shop / "stack.yaml").read_text()) | {
        "backups": "none", "compose": {"project": "x", "stands": "already"}, "components": {"api": {}},
    }  # fmt: skip  # a table
    (shop / "other.yaml").write_text(yaml.safe_dump(said))
    project.load(shop).kind(str(shop / "other.yaml")).maker.remove_beside("r1", tmp_path)
    assert len(removed) == 1 and (shop / FEATURE).is_file()
