"""Login name, home folder and the folders of whoever drills are in no pack, but for the name as claimed."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.with_reports import heal_run
from harness.evidence.journal import Journal
from harness.evidence.places import MACHINE, places
from harness.evidence.redact import Redactor
from harness.evidence.run_folder import KEPT, UNFINISHED, keep_logs
from harness.system import environment as surroundings
from harness.system.command import TAIL, Commands
from harness.system.recorder import Memory
from tests.made_packs import unfinished


@pytest.fixture
def noor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Her home, as the harness's own processes are told of it."""
    monkeypatch.setenv(surroundings.HOME, str(tmp_path / "homes" / "noor"))
    monkeypatch.setenv("LOGNAME", "noor")
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setenv("DRDRILL_KEY", str(tmp_path / "key.pem"))
    return tmp_path / "homes" / "noor"


def test_every_folder_of_a_run_has_a_word(noor: Path) -> None:
    """Finished or not, by its name and by where a link leads, and the homes of the login name."""
    (noor / "disk").mkdir(parents=True)
    (noor / "evidence").symlink_to(noor / "disk")
    run = noor / "evidence" / f"r1{UNFINISHED}"
    redactor = Redactor(places=places(run))
    for path, said in {
        run / "stack": "<run>/stack",
        noor / "evidence" / "r1" / "logs": "<run>/logs",
        noor / "disk" / f"r1{UNFINISHED}" / "x": "<run>/x",
        noor / "evidence" / "r2": "<evidence>/r2",
        noor / ".config": "~/.config",
        Path("/home/noor/x"): "~/x",
        MACHINE / "drills" / "plan.yaml": "<project>/drills/plan.yaml",
        Path("/usr/bin/env"): "/usr/bin/env",
        Path("/tmp/x"): "/tmp/x",
    }.items():
        assert redactor.text(f"at {path}") == f"at {said}"


def test_a_healed_run_names_no_folder(noor: Path) -> None:
    """What a killed run left is cleaned by whoever heals it, in another process; who drilled is said once."""
    folder = unfinished(noor / "evidence" / "r1", end=False)
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "logs" / "s3.log").write_text(f"serving {folder}/objects for {noor}/bin/s3\n")
    with Journal.resume(folder, redactor=Redactor(places=places(folder))) as journal:
        journal.record("command", argv=[f"{noor}/bin/x", f"--to={folder}"], exit=0, seconds=0.0, out="", err="")
    pack = heal_run(folder, by="noor").pack
    assert pack is not None
    left = [path.name for path in pack.rglob("*") if path.is_file() and b"homes/noor" in path.read_bytes()]
    assert left == []
    assert '"argv":["~/bin/x","--to=<run>"]' in (pack / "journal.jsonl").read_text()
    assert '"by":"noor"' in (pack / "journal.jsonl").read_text()


def test_what_is_cut_off_begins_with_a_whole_line(tmp_path: Path) -> None:
    """The rest of a path is a path that nobody knows as one."""
    line = "/home/noor/src/drills/x\n"
    (tmp_path / "a.log").write_text(line * (KEPT // len(line) + 2))
    keep_logs({"a": tmp_path / "a.log"}, tmp_path / "kept")
    assert (tmp_path / "kept" / "a.log").read_text().startswith(line)
    recorder = Memory()
    count = TAIL // len(line) + 2
    Commands(recorder, label="cut-off").run(["sh", "-c", f"yes {line.strip()} | head -n {count}"])
    said = next(data["out"] for kind, data in recorder.facts if kind == "command")
    assert said.startswith(line) and len(said) <= TAIL
