"""A killed run is healed where its stack stands, by a process that is started there; and what is its own is removed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from harness.checks import load
from harness.cli import drdrill
from harness.cli.with_reports import heal_run
from harness.errors import Exit, Refused
from harness.evidence import lines
from harness.evidence.journal import Journal
from harness.evidence.run_folder import CONTROL, PROJECT, STACK_FOLDER, UNHEALED
from harness.faults import BY_RECOVERY
from harness.faults.kill_component import KillComponent
from harness.safety import elsewhere, left_hurt, undo
from harness.safety.heal import Healed
from harness.safety.healing import record
from harness.safety.running import held
from harness.stacks.brought_up import HELD, BroughtUp
from harness.stacks.maker import Maker
from tests.made_packs import unfinished

RUN = f"20261129-000000-{os.getpid() % 65536:04x}"  # tests that run at one time end nothing of each other
# A stack of a project: one component, which is up where the file of its name is there.
TINY = """
from pathlib import Path
from types import SimpleNamespace
from harness.errors import NotReady, Refused
from harness.stacks.capabilities.components import Killable, Startable

class Part:
    name, zone = "shop", ""

    def __init__(self, folder):
        self.up, self.broken = folder / "up", folder / "broken"

    def running(self):
        return self.up.exists()

    def start(self):
        if self.broken.exists():
            raise NotReady(self.broken.read_text() or "it is broken", hint="mend it")
        self.up.touch()

    def stop(self): ...
    def kill(self): ...

class Tiny:
    kind, environment, regions, secrets, capabilities = "tiny", "embedded", (), (), (Startable, Killable)

    def __init__(self, folder):
        self.folder = folder

    @classmethod
    def attach(cls, folder, *, recorder):
        if (folder / "gone").exists():
            raise Refused("nobody answers there", hint="look")
        return cls(folder)

    def components(self):
        return {"shop": Part(self.folder)}

    def start(self): ...
    def stop(self):
        (self.folder.parent / "stopped").touch()
"""


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A run that was killed right after its fault was injected."""
    monkeypatch.setenv("DRDRILL_KEY", str(tmp_path / "key.pem"))
    (tmp_path / "tiny.py").write_text(TINY)

    def made(*, on: Path | None = None, faults: int = 1) -> Path:
        folder = unfinished(tmp_path / "e" / RUN, end=False)
        (folder / CONTROL).mkdir()
        standing = {"on": str(on)} if on else {}
        (folder / PROJECT).write_text(
            json.dumps({"kind": "tiny", "place": "tiny:Tiny", "folder": str(tmp_path), **standing})
        )
        ((on or folder) / STACK_FOLDER).mkdir(parents=True, exist_ok=True)
        for injection in range(1, faults + 1):
            undo.write(folder, KillComponent(("shop",)), {"names": ["shop"]}, injection=injection)
        return folder

    return made


def healed(folder: Path) -> tuple[Healed, list[dict[str, Any]]]:
    """By the guardian; and what it recorded of faults."""
    done = heal_run(folder, by="guardian")
    assert done.pack is not None
    found = [line for line in lines.read(done.pack / lines.NAME) if line.kind == "fault.healed"]
    return done, [line.data for line in found if "how" in line.data]


def test_it_is_healed_there_and_only_then_removed(killed: Callable[..., Path], tmp_path: Path) -> None:
    """Of several faults the newest first; what was seen is what the journal says."""
    folder = killed(faults=2)
    done, said = healed(folder)
    assert [(one["injection"], one["ok"], one["how"], one["by"]) for one in said] == [
        (2, True, "healed", "guardian"),
        (1, True, "healed", "guardian"),
    ]
    assert said[0]["earliest"] <= said[0]["latest"]
    assert done.faults == ("kill_component", "kill_component") and not done.unhealed and done.exit is Exit.MET
    assert not list((done.pack or tmp_path).glob("undo/*.json"))


@pytest.mark.parametrize(("what", "why"), [("gone", "nobody answers there"), ("broken", "it is broken")])
def test_the_removal_of_an_own_stack_is_the_last_resort(killed: Callable[..., Path], what: str, why: str) -> None:
    """And is called that."""
    folder = killed()
    (folder / STACK_FOLDER / what).touch()
    done, (said,) = healed(folder)
    assert (said["ok"], said["how"]) == (True, "removal")
    assert why in said["seen"] and said["seen"].endswith("as the last resort the stack that it hurt was removed")
    assert done.exit is Exit.MET


def test_a_stack_that_is_not_its_own_stays(killed: Callable[..., Path], tmp_path: Path) -> None:
    """Healed, and looked at; as long as that is not so, the stack itself says that it is hurt."""
    place = tmp_path / "stack-1"
    folder = killed(on=place)
    assert [path.name for path in (place / UNHEALED).iterdir()] == [f"{RUN}-000-kill_component.json"]
    _, (said,) = healed(folder)
    assert (said["ok"], said["how"]) == (True, "healed")
    assert (place / STACK_FOLDER / "up").exists() and not (place / "stopped").exists()
    assert not list((place / UNHEALED).iterdir()) and not undo.left_on(place)


def test_who_only_a_recovery_could_heal_is_told_so(killed: Callable[..., Path], tmp_path: Path) -> None:
    """The command that heals would say the same again: what ends the stack is named at once."""
    place = tmp_path / "stack-1"
    folder = killed(on=place)
    (place / STACK_FOLDER / "broken").write_text(f"rows come back {BY_RECOVERY}")
    done, _ = healed(folder)
    command = f"drdrill stack down --evidence {tmp_path}"
    assert done.words().endswith(f"what only a recovery does: `{command}`, and bring up a new one")
    (left,) = undo.left_on(place)
    assert json.loads(left.path.read_text())["command"] == command


def test_what_cannot_be_healed_on_it_is_left_to_a_person(killed: Callable[..., Path], tmp_path: Path) -> None:
    """The pack is sealed and says so, the stack stays hurt, and the command that heals it is named."""
    place = tmp_path / "stack-1"
    folder = killed(on=place)
    (place / STACK_FOLDER / "broken").touch()
    done, (said,) = healed(folder)
    assert (said["ok"], said["how"], said["seen"]) == (False, "not healed", "it is broken")
    assert done.exit is Exit.UNKNOWN and done.unhealed == ("kill_component: it is broken",)
    assert done.words().endswith(f"HINT: look at the stack, settle that, then `drdrill heal --on {place}`")
    (left,) = undo.left_on(place)
    kept = json.loads(left.path.read_text())
    assert left.known() == KillComponent(("shop",))
    assert (kept["seen"], kept["command"]) == ("it is broken", undo.command(place))
    assert not (place / "stopped").exists()


def test_a_stack_that_another_run_drills_is_not_touched(
    killed: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its healing must wait; the killed run stays as it is."""
    place = tmp_path / "stack-1"
    folder = killed(on=place)
    monkeypatch.setattr(left_hurt, "MOMENT", timedelta(0))
    with held(place), pytest.raises(Refused, match="drilled by another run"):
        heal_run(folder, by="guardian")
    assert folder.is_dir() and undo.pending(folder)


# A stack that stands, of which the packs are sealed


def of(place: Path, *faults: str) -> None:
    (place / STACK_FOLDER).mkdir(parents=True)
    (place / UNHEALED).mkdir()
    (place / HELD).write_text(json.dumps({"kind": "local"}))
    for fault in faults:
        content = {"fault": fault, "settings": {}, "undo": {}, "expires": 0, "boot": "b", "seen": "it was broken"}
        (place / UNHEALED / f"run-000-{fault}.json").write_text(json.dumps(content))


def test_a_person_heals_what_was_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is healed is no longer listed; what is not says why, and the exit code is 2."""
    place = tmp_path / "stack-1"
    of(place, "cut_zone", "noop")

    def there(maker: Maker, place: Path, pending: Any, **_: Any) -> Any:
        one = elsewhere.Healing(True, "healed", "nothing of it is left", 1, 2)
        other = elsewhere.Healing(False, "left fenced", "patroni-b leads", 1, 2)
        return [(each, one if each.fault == "noop" else other) for each in reversed(pending)]

    monkeypatch.setattr(left_hurt, "healed_there", there)
    done = CliRunner().invoke(drdrill, ["heal", "--on", str(place)])
    assert done.exit_code == Exit.UNKNOWN
    assert "noop: healed" in done.output and "cut_zone: NOT healed: patroni-b leads" in done.output
    assert [left.fault for left in undo.left_on(place)] == ["cut_zone"]
    assert json.loads(undo.left_on(place)[0].path.read_text())["seen"] == "patroni-b leads"


def test_where_no_stack_was_brought_up(tmp_path: Path) -> None:
    """It is refused, and a busy one, too."""
    done = CliRunner().invoke(drdrill, ["heal", "--on", str(tmp_path)])
    assert isinstance(done.exception, Refused) and "no stack was brought up" in done.exception.message
    of(tmp_path / "stack-1")
    assert left_hurt.heal_stack(BroughtUp(tmp_path / "stack-1")) == []
    with held(tmp_path / "stack-1"), pytest.raises(Refused, match="busy"):
        left_hurt.heal_stack(BroughtUp(tmp_path / "stack-1"))


# Whoever heals


class Words(Maker):
    """Whose stacks stand where these words lead."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def join(self, folder: Path, words: Any) -> list[str]:
        return list(self.words)


def asked(maker: Maker, tmp_path: Path) -> str:
    """What is said of a fault that nobody has said anything of."""
    pending = undo.Pending(tmp_path / "000-noop.json", "noop", {}, {}, 0, "b", 1)
    ((_, healing),) = elsewhere.healed_there(maker, tmp_path, [pending], of=tmp_path, label=f"test-{os.getpid()}")
    assert (healing.ok, healing.how) == (False, "not healed")
    return healing.seen


def test_whoever_should_heal_may_end_without_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is healed, with what is known of it."""
    assert asked(Words("sh", "-c", "kill -9 $$"), tmp_path) == "nobody could look: who should heal it ended with -9"
    assert "could look: no-such-program: " in asked(Words("no-such-program"), tmp_path)
    said = """printf '%s\\n' 'a word' 5 '{"error": "no stack was started there"}'; exit 3"""
    assert asked(Words("sh", "-c", said), tmp_path) == "nobody could look: no stack was started there"
    monkeypatch.setattr(elsewhere, "EACH", timedelta(seconds=0.5))
    assert "had not ended within" in asked(Words("sleep", "60"), tmp_path)


def test_what_was_said_before_it_was_killed_counts(tmp_path: Path) -> None:
    """One fault was healed; of the other nobody knows."""
    line = json.dumps(
        {"file": "001-noop.json", "ok": True, "how": "healed", "seen": "nothing", "earliest": 1, "latest": 2}
    )
    pending = [undo.Pending(tmp_path / f"00{at}-noop.json", "noop", {}, {}, 0, "b", at) for at in (0, 1)]
    maker = Words("sh", "-c", f"echo '{line}'; kill -9 $$")
    found = elsewhere.healed_there(maker, tmp_path, pending, of=tmp_path, label=f"test-{os.getpid()}")
    assert [(left.injection, healing.ok) for left, healing in found] == [(1, True), (0, False)]


def test_what_an_earlier_scenario_has_left_names_that_one(tmp_path: Path) -> None:
    """Its number is one of that scenario's faults; the last scenario's line needs no name."""
    said = [
        ("scenario.begin", {"scenario": "one"}), ("fault.intent", {}), ("fault.intent", {}),
        ("scenario.begin", {"scenario": "two"}), ("fault.intent", {}),
    ]  # fmt: skip  # a table
    began: Any = [SimpleNamespace(kind=kind, data=data) for kind, data in said]
    pending = [undo.Pending(tmp_path / f"00{at}-noop.json", "noop", {}, {}, 0, "b") for at in range(4)]
    assert [undo.earlier_scenario(each, began) for each in pending] == ["one", "one", "", ""]


def test_the_healing_of_an_earlier_scenario_is_judged_with_it(tmp_path: Path) -> None:
    """Whoever reads the journal gives the line to the scenario that it names, and any other to the last that began."""
    with Journal.create(tmp_path) as journal:
        journal.record("run.begin", run="r", rules="7")
        for name in ("one", "two"):
            journal.record("scenario.begin", scenario=name, title=name)
            journal.record("fault.intent", injection=1, fault="noop")
        removal = elsewhere.Healing(True, "removal", "its stack was removed", 1, 2)
        record(journal, removal, injection=1, fault="noop", by="guardian", scenario="one")
        record(journal, removal, injection=1, fault="noop", by="guardian")
    kinds = {each.scenario: [line.kind for line in each.lines] for each in load.evidence(tmp_path)}
    assert kinds == {name: ["scenario.begin", "fault.intent", "fault.healed"] for name in ("one", "two")}
