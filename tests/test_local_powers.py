"""What is done to a process of the embedded stack: a full volume, a frozen manager, a power cut."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.stacks.load_balancers.envoy import Envoy
from harness.stacks.local import flap, limits, process
from harness.stacks.local.process import LocalProcess
from harness.system import wait
from harness.system.clock import Moment
from harness.system.command import Commands, labelled
from harness.system.recorder import Memory

# Starts a child; both write whenever they are told to, and so does whatever is started anew.
WRITES = """
import os, pathlib, subprocess, sys, time
folder = pathlib.Path(sys.argv[1])
if len(sys.argv) == 2:
    subprocess.Popen([sys.executable, __file__, str(folder), "child"])
while True:
    for asked in folder.glob("*.asked"):
        if asked.stem == sys.argv[-1] or len(sys.argv) == 2 and asked.stem == "new":
            write = "open(sys.argv[1], 'wb').write(bytes(20_000))"
            words = [sys.executable, "-c", "import sys; " + write, str(folder / "file")]
            said = "written"
            try:
                if asked.stem == "new":
                    subprocess.run(words, check=True)
                else:
                    (folder / "file").write_bytes(bytes(20_000))
            except (OSError, subprocess.CalledProcessError) as error:
                said = "refused"
            asked.unlink()
            (folder / (asked.stem + ".tmp")).write_text(said)
            (folder / (asked.stem + ".tmp")).rename(folder / (asked.stem + ".said"))
    time.sleep(0.01)
"""


def label_of(folder: Path) -> str:
    """Another for each process that tests: those of two workers, or of two users, may run at one time."""
    return f"test-{os.getpid()}-{folder.name}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalProcess]:
    """It and its child run."""
    (tmp_path / "writes.py").write_text(WRITES)
    commands = Commands(Memory(), label=label_of(tmp_path))
    argv = [sys.executable, str(tmp_path / "writes.py"), str(tmp_path)]
    made = LocalProcess(commands, name="server", zone="a", folder=tmp_path, argv=lambda: argv)
    made.start()
    _until(lambda: len(made.family()) == 2)
    yield made
    made.kill()


def _until(condition: Any) -> None:
    wait.until(condition, what="it is so", within=timedelta(seconds=10), recorder=Memory())


def _writes(folder: Path, who: str) -> str:
    said = folder / f"{who}.said"
    said.unlink(missing_ok=True)
    (folder / f"{who}.asked").touch()
    _until(said.exists)
    return said.read_text()


@pytest.mark.parametrize("who", ["child", "new"])
def test_on_a_full_volume_neither_it_nor_what_it_has_started_can_write(
    server: LocalProcess, tmp_path: Path, who: str
) -> None:
    """What is started afterwards cannot either; with room all can again, and both are harmless when repeated."""
    assert _writes(tmp_path, who) == "written" and not server.full()
    for _ in range(2):
        server.fill()
    assert server.full() and _writes(tmp_path, who) == "refused"
    for _ in range(2):
        server.free()
    assert not server.full() and _writes(tmp_path, who) == "written"


@pytest.mark.parametrize("piped", [True, False])
def test_a_log_that_is_written_through_a_pipe_goes_on_where_the_volume_is_full(tmp_path: Path, piped: bool) -> None:
    """Whoever is told to write into it would be killed otherwise, and what it would have said is lost."""
    said = "import pathlib, time\nwhile not pathlib.Path('now').exists(): time.sleep(0.01)\n"
    words = [sys.executable, "-c", f"import os; os.chdir({str(tmp_path)!r})\n{said}print('x' * 20_000, 'the end')"]
    commands = Commands(Memory(), label=label_of(tmp_path))
    made = LocalProcess(commands, name="server", zone="a", folder=tmp_path, argv=lambda: words, piped=piped)
    made.start()
    made.fill()
    (tmp_path / "now").touch()
    _until(lambda: not labelled(label_of(tmp_path)))
    assert ("the end" in made.log.read_text()) is piped


def test_the_limit_of_a_process_that_is_gone_is_nobodys_business() -> None:
    """It is as wanted, whatever is wanted."""
    gone = 2**22 + 1
    assert limits.as_wanted(gone, None) and limits.as_wanted(gone, 8192)
    limits.limit_files([gone], 8192)


def test_only_its_own_process_is_frozen(server: LocalProcess) -> None:
    """What it has started goes on; thawed, all run."""
    for _ in range(2):
        server.freeze_first()
    _until(lambda: [one.paused() for one in sorted(server.family(), key=lambda one: one.started)] == [True, False])
    for _ in range(2):
        server.thaw_first()
    _until(lambda: not any(one.paused() for one in server.family()))


def test_a_power_cut_kills_it_and_what_it_has_started(server: LocalProcess, tmp_path: Path) -> None:
    """And nobody whose name only begins like its own."""
    family = server.family()
    process.kill_together(label_of(tmp_path), ["serve"])
    assert all(one.running() for one in family)
    process.kill_together(label_of(tmp_path), ["server"])
    _until(lambda: not any(one.running() for one in family))


class Killed(Memory):
    """Of a run that is killed as soon as it has recorded what it started."""

    def record(self, kind: str, /, **data: Any) -> None:
        raise KeyboardInterrupt


def test_what_was_started_is_found_again_by_whoever_comes_after_a_kill(tmp_path: Path) -> None:
    """Else another one is started beside it, and ends at once: its port is taken."""

    def found(recorder: Memory) -> LocalProcess:
        commands = Commands(recorder, label=label_of(tmp_path))
        return LocalProcess(commands, name="sleeper", zone="a", folder=tmp_path, argv=lambda: ["sleep", "60"])

    with pytest.raises(KeyboardInterrupt):
        found(Killed()).start()
    after = found(Memory())
    first = after.process
    try:
        after.start()
        assert first is not None and after.process == first and first.running()
    finally:
        after.kill()


class Port:
    """A bridge that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def cut(self, zone: str) -> Moment:
        self.told.append(f"cut {zone}")
        return Moment(7 * len(self.told), 7 * len(self.told) + 1, "the kernel")

    def join(self, zone: str) -> None:
        self.told.append(f"join {zone}")


def test_a_flapping_link_ends_joined_and_is_counted(tmp_path: Path) -> None:
    """Down first; how often it went down, and when it first did, stands in the file."""
    port: Any = Port()
    downs = flap.flap(port, "b", down=0.02, up=0.02, lasting=0.1, file=tmp_path / "flaps", ended=threading.Event())
    assert downs >= 2 and (tmp_path / "flaps").read_text() == f"{downs} 7 8"
    assert port.told[:3] == ["cut b", "join b", "cut b"] and port.told[-1] == "join b"


def test_a_check_of_the_port_alone_makes_no_request(tmp_path: Path) -> None:
    """For sabotage twins; otherwise Envoy asks whether the zone is ready, over TLS."""

    def check(checks: str) -> dict[str, Any]:
        made = Envoy("10.0.0.5", {}, tmp_path, tmp_path, tmp_path, checks)
        found: dict[str, Any] = made.configuration()["static_resources"]["clusters"][0]["health_checks"][0]
        return found

    assert check("ready")["http_health_check"] == {"path": "/ready"}
    assert "http_health_check" not in check("port") and check("port")["tcp_health_check"] == {}
    assert check("port")["transport_socket_match_criteria"] == {"plain": True}
