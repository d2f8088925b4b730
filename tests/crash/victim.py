"""A run that is going to be killed, and what must be true of the world afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.evidence.keys import fingerprint, signing_key
from harness.evidence.lines import Line, read
from harness.evidence.run_folder import UNFINISHED, temporary_prefix
from harness.run.run import new_id
from harness.safety.begin import BEGINNING, FOLDER
from harness.safety.guardian import Guardian
from harness.stacks.brought_up import PREFIX
from harness.stacks.local.shared_memory import LISTED
from harness.system import clock, wait
from harness.system.command import Process, labelled
from harness.system.recorder import Memory
from tests.crash.killer import CRASH, PLUGIN

ROOT = Path(__file__).parents[2]
DRILL, SCENARIO = "database-backup-restoration", "An operator's mistake"
SHORT = "tests/projects/short/features"  # what is drilled on a stack that stands
SCALE, RATE = "0.02", "9"  # 4,000 transactions; three customers a second in each zone
RUN_LIMIT = timedelta(minutes=6)
HEAL_LIMIT = timedelta(minutes=5)  # two database servers that have to be waited for, at most
END_LIMIT = timedelta(seconds=15)
Deeds = Sequence[tuple[str, str]]


@dataclass
class Folder:
    """A folder of evidence with a key of its own; short, for the path of a socket has a limit."""

    path: Path
    level: str
    victims: list[Victim] = field(default_factory=list)

    @property
    def evidence(self) -> Path:
        return self.path / "e"

    @property
    def key(self) -> str:
        return fingerprint(signing_key(self.path / "key.pem").public_key())

    def environment(self) -> dict[str, str]:
        return {**os.environ, "DRDRILL_KEY": str(self.path / "key.pem"), "PYTHONPATH": str(ROOT)}

    def drdrill(self, *words: str, within: timedelta = RUN_LIMIT) -> subprocess.CompletedProcess[str]:
        """One command, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "harness", *words],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=within.total_seconds(),
            check=False,
        )

    def heal(self) -> str:
        """`drdrill heal`; what it said."""
        done = self.drdrill("heal", "--evidence", str(self.evidence))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def heal_and_die(self, unfinished: Path, point: str) -> subprocess.CompletedProcess[str]:
        """A healer that is killed at a point."""
        wanted = json.dumps({"deeds": [(point, "kill")], "mark": str(self.path / "mark-healer")})
        return subprocess.run(
            [sys.executable, "-m", "tests.crash.healer", str(unfinished)],
            cwd=ROOT,
            env={**self.environment(), CRASH: wanted, FOLDER: str(unfinished)},
            capture_output=True,
            text=True,
            timeout=RUN_LIMIT.total_seconds(),
            check=False,
        )


@contextmanager
def new_folder(level: str) -> Iterator[Folder]:
    """It goes with everything in it, also when a test has failed halfway and its run is still there."""
    folder = Folder(Path(tempfile.mkdtemp(prefix="dc-", dir="/tmp")), level)
    try:
        yield folder
    finally:
        for victim in folder.victims:
            victim.kill()
        folder.heal()
        for victim in folder.victims:
            victim.wait_healed()
        shutil.rmtree(folder.path)


@dataclass
class Victim:
    """One run, in a process of its own."""

    folder: Folder
    id: str
    process: subprocess.Popen[bytes]
    mark: Path

    @classmethod
    def start(
        cls,
        folder: Folder,
        deeds: Deeds = (),
        *,
        viewer: bool = False,
        ttl: float | None = None,
        instead: str = "",
        leads: bool = False,
        on: Path | None = None,
        drills: tuple[str, str] | None = None,
    ) -> Victim:
        """Begin a run that does these deeds to itself; with `viewer` by `drdrill run`, which chooses the run's id.

        `instead` names the case of the contract of faults that is injected instead of the scenario's own fault; with
        `leads` into the zone whose database leads. `on`: the stack that stands and is drilled, by a shorter drill where
        `drills` names no other, and no scenario of it.
        """  # fmt: skip  # arguments in groups
        number = len(folder.victims)
        mark = folder.path / f"mark-{number}"
        wanted = {"deeds": list(deeds), "mark": str(mark), "ttl": ttl, "instead": instead, "leads": leads}
        environment = {**folder.environment(), CRASH: json.dumps(wanted)}
        run = "" if viewer else new_id()
        drill, scenario = drills or (DRILL, "" if on else SCENARIO)
        where = ["--on", str(on)] if on else ["--sandbox", folder.level, "--scale", SCALE]
        words = [*(["--only", scenario] if scenario else []), *where, "--evidence", str(folder.evidence)]
        if viewer:
            argv = [sys.executable, "-m", "tests.crash.viewer", "run", drill, *words]
        else:
            features = [SHORT] if on and not drills else ["features", "--drill", drill]
            argv = [sys.executable, "-m", "pytest", *features, "-p", "no:cacheprovider", "-q"]
            argv += [*words, "--rate", RATE, "--run-id", run, *PLUGIN]
        before = folder_names(folder.evidence)
        with (folder.path / f"out-{number}").open("wb") as out:
            process = subprocess.Popen(
                argv, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip  # arguments in groups
        if viewer:
            fresh = _until(
                lambda: [name for name in folder_names(folder.evidence) - before if not name.endswith(BEGINNING)],
                "the run has its folder",
                process,
            )
            run = fresh[0].removesuffix(UNFINISHED)
        victim = cls(folder, run, process, mark)
        folder.victims.append(victim)
        return victim

    @property
    def unfinished(self) -> Path:
        return self.folder.evidence / f"{self.id}{UNFINISHED}"

    @property
    def pack(self) -> Path:
        return self.folder.evidence / self.id

    @property
    def out(self) -> str:
        return (self.folder.path / f"out-{self.mark.name.removeprefix('mark-')}").read_text(errors="replace")

    def wait_marked(self, point: str) -> None:
        """Until it has reached a point."""
        _until(lambda: self.mark.exists() and json.loads(self.mark.read_text())["point"] == point, point, self.process)

    def go_on(self) -> None:
        """Let it go on after a `hold`."""
        self.mark.with_suffix(".go").touch()

    def wait_ended(self) -> int:
        """Until its process has ended; the exit code, 128+n for a signal."""
        code = self.process.wait(RUN_LIMIT.total_seconds())
        return code if code >= 0 else 128 - code

    def kill(self) -> None:
        """SIGKILL to the run: the process that holds its sandbox, or is it; on a stack that stands who went there."""
        for child in _went_inside(self.process.pid):
            child.send(signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def guardian(self) -> Process | None:
        """By the folder that its command line names, and no other."""
        wanted = [b"-m", b"harness.cli.guardian", str(self.unfinished.resolve()).encode()]
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if words[1:4] == wanted:
                    return Process.of(int(entry.name))
        return None

    def wait_guarded(self) -> None:
        """Until it has a guardian that watches; there is no journal yet."""
        _until(lambda: Guardian(self.unfinished).watches(), "it is guarded", self.process)

    def kill_guardian(self) -> None:
        guardian = self.guardian()
        assert guardian is not None and guardian.send(signal.SIGKILL)
        wait.until(lambda: not guardian.running(), what="it is gone", within=HEAL_LIMIT, recorder=Memory())

    def wait_healed(self) -> None:
        """Until the guardian has done its work and is gone."""
        wait.until(
            lambda: not self.unfinished.exists() and self.guardian() is None,
            what="the guardian heals, seals and ends",
            within=HEAL_LIMIT,
            recorder=Memory(),
            last_seen=lambda: self.out[-1000:],
        )

    # Afterwards

    def lines(self) -> list[Line]:
        return read(self.pack / "journal.jsonl")

    def outcome(self) -> str:
        return str(self.lines()[-1].data["outcome"])

    def findings(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.pack / "findings.json").read_text())
        return found

    def must_have_left_nothing(self) -> None:
        """No process, no file, no memory in the kernel; and `drdrill heal` finds nothing to do."""
        what = "the drill's own process, which has sealed, ends"
        wait.until(lambda: not labelled(self.id), what=what, within=END_LIMIT, recorder=Memory())
        assert self.guardian() is None
        assert not list(Path("/tmp").glob(f"{temporary_prefix(self.id)}*"))
        assert "nothing to heal" in self.folder.heal()
        left = folder_names(self.folder.evidence) - {victim.id for victim in self.folder.victims}
        assert not left, left
        if self.mark.exists():
            kept = json.loads(self.mark.read_text())
            listed = {tuple(map(int, line.split()[:2])) for line in LISTED.read_text().splitlines()[1:]}
            assert not listed & {(key, number) for key, number in kept["segments"]}
            assert not [name for name in kept["files"] if Path(name).exists()]

    def must_be_sealed(self, outcome: str, *, healed: bool = True) -> None:
        """A pack under its final name that verifies, says how the run ended, and calls nothing MET that was cut off;
        `healed`: all that was hurt is."""
        assert self.pack.is_dir(), self.out[-2000:]
        done = self.folder.drdrill("verify", str(self.pack), "--key", self.folder.key, "--json")
        answer = json.loads(done.stdout)
        assert (answer["integrity"], answer["authorship"]) == ("MET", "MET"), done.stdout
        lines = self.lines()
        assert self.outcome() == outcome
        whole = {line.data["scenario"] for line in lines if line.kind == "scenario.end"}
        begun = {line.data["scenario"] for line in lines if line.kind == "scenario.begin"}
        verdicts = self.findings()["verdicts"]
        assert not [name for name in begun - whole if verdicts.get(name) == "MET"], verdicts
        hurt = {line.data["fault"] for line in lines if line.kind == "fault.intent"}
        well = {line.data["fault"] for line in lines if line.kind == "fault.healed" and line.data["ok"]}
        assert (hurt <= well) is healed, [line.data for line in lines if line.kind == "fault.healed"]
        assert (not list(self.pack.glob("undo/*.json"))) is healed


def must_be_whole(folder: Folder) -> None:
    """The folder's packs are one chain, without a gap, and a new run takes its place in it."""
    last = Victim.start(folder, [("line/stack.begin/1/before", "ask")])
    last.wait_ended()
    last.wait_healed()
    last.must_be_sealed("stopped")
    last.must_have_left_nothing()
    done = folder.drdrill("verify", str(folder.evidence), "--key", folder.key)
    assert done.returncode == 0 and "the runs follow one another without a gap" in done.stdout, done.stdout
    numbers = [json.loads(path.open().readline())["data"]["number"] for path in journals(folder)]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


def journals(folder: Folder) -> list[Path]:
    return sorted(folder.evidence.glob("*/journal.jsonl"))


def folder_names(evidence: Path) -> set[str]:
    """Of runs; stacks that stand there are none."""
    found = {path.name for path in evidence.iterdir() if path.is_dir()} if evidence.is_dir() else set()
    return {name for name in found if not name.startswith(PREFIX)}


def _went_inside(pid: int) -> list[Process]:
    """What `nsenter` has started: the run, where that is not the process itself that we have started."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [Process.of(int(child)) for child in children] if words[0] == b"nsenter" else []


def _until(condition: Any, what: str, process: subprocess.Popen[bytes]) -> Any:
    begin = clock.mono()
    while not (found := condition()):
        assert process.poll() is None, f"it ended with {process.returncode} before {what}"
        assert clock.since(begin) < RUN_LIMIT, what
        clock.sleep(timedelta(milliseconds=50))
    return found
