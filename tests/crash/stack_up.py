"""A stack that stands, for runs that are killed on it: brought up, watched from the beginning, and taken down."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness.stacks import brought_up
from harness.stacks.brought_up import BroughtUp
from harness.system import clock, wait
from harness.system.command import LABEL
from harness.system.recorder import Memory
from tests.crash import unfenced, writers
from tests.crash.victim import ROOT, Folder, new_folder
from tests.crash.writers import Answer

SCALE = "0.05"
LOOKED = timedelta(seconds=10)  # a server of which nobody has asked for so long may have done anything
STEADY = timedelta(seconds=90)
SOON = timedelta(seconds=20)
SERVERS = {1: 3, 2: 5}  # database servers of a stack of so many regions


@dataclass
class StackUp:
    """The stack, its folder of evidence, and the process that asks its servers."""

    folder: Folder
    held: BroughtUp
    asks: subprocess.Popen[bytes]
    answers: Path

    @property
    def place(self) -> Path:
        return self.held.folder

    def seen(self, *, since: int) -> list[Answer]:
        """What the servers have said since a moment."""
        return writers.read(self.answers, since=since)

    def parts(self) -> dict[str, Any]:
        """The components that run, each with what tells two lives of it apart; looked at after this was called."""
        begin, file = clock.mono(), writers.beside(self.answers)
        wait.until(
            lambda: file.exists() and json.loads(file.read_text())["at"] > begin,
            what="somebody has looked which components run",
            within=SOON,
            recorder=Memory(),
        )
        found: dict[str, Any] = json.loads(file.read_text())["parts"]
        return found

    def must_run(self, names: set[str]) -> None:
        """These components, and no other; of those that do not, what they said last."""
        found = set(self.parts())
        missing = {name: log_end(self.held.stack, name) for name in names - found}
        assert found == names, missing or found - names

    def writes(self, *, but: str = "", since: int) -> str:
        """A server that takes writes, if there is one, now that it is asked; the newest answer counts."""
        last = {answer.server: answer for answer in self.seen(since=since)}
        return next((server for server, answer in last.items() if answer.writable and server != but), "")

    def wrong(self) -> str:
        """Why it is not steady, when it has had its time; empty where it is."""
        return wait.poll(
            lambda: brought_up.wrong(self.held.conditions()),
            within=STEADY,
            every=timedelta(seconds=1),
            enough=lambda said: not said,
        )

    def must_have_had_one_writer(self, *, since: int) -> None:
        """At no moment two, and somebody has looked all the time."""
        answers, end = self.seen(since=since), clock.mono()
        assert not (two := writers.two_writers(answers)), two
        for server in {answer.server for answer in self.seen(since=0)}:
            moments = [since, *(one.answered for one in answers if one.server == server), end]
            longest = max(later - earlier for earlier, later in pairwise(moments))
            assert longest < LOOKED.total_seconds() * 1e9, f"{server} was not asked for {longest / 1e9:.1f} s"

    def there(self, module: str, *words: str) -> None:
        """Run a module of the tests where the stack stands."""
        argv = [sys.executable, "-m", module, self.held.kind.name, str(self.held.stack), *words]
        subprocess.run(
            self.held.kind.maker.join(self.held.stack, argv), cwd=ROOT, env=_environment(self.folder), check=True
        )

    def freeze_manager(self, server: str) -> None:
        """Behind everybody's back."""
        self.there(unfenced.__name__, server)

    def by_hand(self, verb: str, component: str) -> None:
        """As a person starts or stops a part of it."""
        where = ["stack", "exec", "--evidence", str(self.folder.evidence), "--"]
        done = self.folder.drdrill(*where, "python", "-m", "harness.stacks.local.unit", verb, component)
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def stack_up(level: str = "", *, regions: int = 1) -> Iterator[StackUp]:
    """From nothing; afterwards nothing of it is left, however hurt it is."""
    with new_folder(level) as folder:
        own = [*(["--sandbox", level] if level else []), "--regions", str(regions)]
        up = folder.drdrill("stack", "up", "--scale", SCALE, *own, "--evidence", str(folder.evidence))
        asks = None
        try:
            assert up.returncode == 0, up.stdout + up.stderr
            held = brought_up.find(folder.evidence)
            answers = folder.path / "answers.jsonl"
            asks = _asking(folder, held, answers, servers=SERVERS[regions])
            yield StackUp(folder, held, asks, answers)
        finally:
            if asks is not None:
                asks.terminate()
                asks.wait()
            for victim in folder.victims:
                victim.kill()
            folder.drdrill("heal", "--evidence", str(folder.evidence))
            down = folder.drdrill("stack", "down", "--evidence", str(folder.evidence))
            assert down.returncode == 0, down.stdout + down.stderr


def log_end(stack: Path, name: str) -> str:
    """What a component has said last."""
    found = next(iter(stack.glob(f"**/{name}.log")), None)
    return found.read_text(errors="replace")[-3000:] if found else "it has no log"


def _asking(folder: Folder, held: BroughtUp, answers: Path, *, servers: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", writers.__name__, held.kind.name, str(held.stack), str(answers)]
    with (folder.path / "asking.log").open("wb") as log:
        asks = subprocess.Popen(
            held.kind.maker.join(held.stack, words), cwd=ROOT, env=_environment(folder), stdout=log, stderr=log
        )
    wait.until(
        lambda: answers.exists() and len({one.server for one in writers.read(answers) if one.life}) == servers,
        what=f"each of the {servers} servers has answered",
        within=SOON,
        recorder=Memory(),
        last_seen=lambda: (folder.path / "asking.log").read_text()[-1000:],
    )
    return asks


def _environment(folder: Folder) -> dict[str, str]:
    """Nothing in it marks a process as one of a run: nobody who heals ends it."""
    return {name: value for name, value in folder.environment().items() if name != LABEL}
