"""Files that a database server loses: they lie beside its volume, and are put back where that is still right."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import NotReady
from harness.faults import lose_files
from harness.faults.lose_files import LoseFiles
from harness.stacks.capabilities.database import FilesLost
from harness.stacks.parts.lost_files import LostFiles
from harness.system.clock import Moment

NOWHERE = "host=127.0.0.1 port=1 connect_timeout=1"  # nobody has to be asked for what it has lost
BOTH: tuple[FilesLost, ...] = ("control file", "log of changes")


def made(data: Path) -> str:
    if not data.exists():
        raise NotReady("there is no database", hint="")
    return (data / "PG_VERSION").read_text()


@pytest.fixture
def files(tmp_path: Path) -> LostFiles:
    fill(tmp_path / "data", "first")
    return LostFiles(tmp_path / "data", tmp_path / "aside", NOWHERE, lambda: made(tmp_path / "data"))


def fill(data: Path, made: str) -> None:
    (data / "global").mkdir(parents=True)
    (data / "global" / "pg_control").write_text(made)
    (data / "pg_wal").mkdir()
    (data / "pg_wal" / "000000010000000000000001").write_text(made)
    (data / "PG_VERSION").write_text(made)


@dataclass
class Server:
    """It loses files, and comes up `comes_after` looks at whether it leads."""

    name: str = "patroni-a"
    zone: str = "a"
    kept: bool = True
    lost: str = "pg_wal is gone"
    comes_after: int = 3
    looks: int = 0
    kill = start = staticmethod(lambda: None)
    lose_files = running = staticmethod(lambda *_: None)
    door = ("10.0.0.1", 5432)

    def return_files(self, which: FilesLost) -> Moment | None:
        if not self.kept:
            return None
        self.lost = ""
        return Moment(1, 2, "the kernel")

    def files_lost(self, which: FilesLost) -> str:
        return self.lost

    def ask(self) -> None:
        if self.looks < self.comes_after:
            raise OSError("Connection refused")

    def leads(self) -> Server | None:
        self.looks += not self.lost
        return self if not self.lost and self.looks >= self.comes_after else None


def healed(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is still seen of it right after."""
    monkeypatch.setattr(lose_files, "need", lambda one, _: one)
    monkeypatch.setattr(lose_files, "SERVES_WITHIN", timedelta(seconds=1))
    stack: Any = SimpleNamespace(components=lambda: {server.name: server}, leader=server.leads)
    fault = LoseFiles("log of changes")
    fault.heal(stack, {"member": server.name})
    return fault.still_hurt(stack, {"member": server.name})


def test_healed_is_where_a_server_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are back are not enough: it is waited for, and what does not come is told."""
    assert healed(Server(), monkeypatch) == ""
    assert healed(Server(comes_after=10**6), monkeypatch) == "no database server leads"


def test_what_only_a_recovery_brings_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing could be put back nobody comes up by himself."""
    server = Server(kept=False, lost="the server has no data at all now")
    assert healed(server, monkeypatch) == "patroni-a: the server has no data at all now"
    assert server.looks == 0


def test_a_lead_that_does_not_answer_does_not_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its manager may say so for a while."""
    server = Server(comes_after=1)
    monkeypatch.setattr(server, "ask", lambda: (_ for _ in ()).throw(OSError("timeout\nexpired")))
    assert healed(server, monkeypatch) == "patroni-a leads, and does not answer: timeout"


@pytest.mark.parametrize("which", BOTH)
def test_what_is_lost_comes_back_as_it_was(files: LostFiles, which: FilesLost) -> None:
    """Twice is harmless, and so is putting back what was never lost."""
    assert files.lost(which) == "" and files.put_back(which) is None
    for _ in range(2):
        assert files.lose(which) or files.lost(which)
        assert files.lost(which).endswith(" is gone")
    other = next(each for each in BOTH if each != which)
    assert files.lost(other) == ""
    assert files.put_back(which) is not None and files.put_back(which) is None
    assert files.lost(which) == ""
    assert (files.data / "pg_wal" / "000000010000000000000001").read_text() == "first"


def test_nothing_is_put_into_data_that_was_made_anew(files: LostFiles) -> None:
    """It has files of its own; while there is none at all, that is told."""
    files.lose("control file")
    shutil.rmtree(files.data)
    assert files.lost("control file") == "the server has no data at all now" and files.put_back("control file") is None
    fill(files.data, "second")
    assert files.lost("control file") == "" and files.put_back("control file") is None
    assert (files.data / "global" / "pg_control").read_text() == "second"
    assert files.lose("control file") and files.lost("control file") == "pg_control is gone"
    files.put_back("control file")
    assert (files.data / "global" / "pg_control").read_text() == "second"


def test_another_file_in_its_place_is_told(files: LostFiles) -> None:
    """Somebody has made one by hand: it is left as it is."""
    files.lose("control file")
    (files.data / "global" / "pg_control").write_text("by pg_resetwal")
    assert "is another one than was lost" in files.lost("control file")
    assert files.put_back("control file") is None
    assert (files.data / "global" / "pg_control").read_text() == "by pg_resetwal"
