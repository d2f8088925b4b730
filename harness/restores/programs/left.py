"""What places leave where a run was killed: found by the file that each wrote before anything of it was started.

A place is ours by that file alone, and it is swept only where the process that made it is gone.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.errors import DrillError
from harness.evidence.run_folder import temporary_prefix
from harness.stacks.local.shared_memory import release_shared_memory
from harness.system import clock, control_files, wait
from harness.system.command import LABEL as LABEL_OF_RUN
from harness.system.command import Process, reap, with_descendants
from harness.system.environment import handed_on

MARK = "drdrill-place.json"
KEY = "DRDRILL_PLACE"  # in the environment of everything that a place starts; its label on containers is below
LABEL = "io.drdrill.place"
ENDS = timedelta(seconds=15)
TEMPORARY = Path("/tmp")  # where the socket folder lies, when the place's own path is too long for one
NAMESPACE = Path("/proc/self/ns/pid")


class Mark:
    """The file of one place. Whoever made it is alive as long as its process is."""

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self.folder = folder
        self.facts = facts

    @classmethod
    def new(cls, folder: Path, *, run: str) -> Mark:
        """Write it. Errors: `OSError`."""
        harness = Process.of(os.getpid())
        facts = {
            "run": run,
            "key": secrets.token_hex(8),
            "boot": clock.boot(),
            "namespace": str(NAMESPACE.readlink()),
            "harness": [harness.pid, harness.started],
            "processes": [],
            "sockets": "",
            "containers": False,
        }
        made = cls(folder, facts)
        made._write()
        return made

    @property
    def key(self) -> str:
        return str(self.facts["key"])

    def note(self, **facts: object) -> None:
        """Add what is to be found again, before it is there."""
        self.facts.update(facts)
        self._write()

    def started(self, process: Process) -> None:
        """A process of the place."""
        self.note(processes=[*self.facts["processes"], [process.pid, process.started]])

    def alive(self) -> bool:
        """Whether the process that made the place is there; where it cannot be seen, whether its sandbox is."""
        if self.facts["boot"] != clock.boot():
            return False
        if self.facts["namespace"] == str(NAMESPACE.readlink()):
            return Process(*self.facts["harness"]).running()
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and str((entry / "ns" / "pid").readlink()) == self.facts["namespace"]:
                    return True
        return False

    def processes(self) -> list[Process]:
        """All of the place's that run: those written down, those that carry its key, tools of a run at
        work in its folder, and what descends from them."""
        if self.facts["boot"] != clock.boot():
            return []
        reap()
        written = [Process(*each) for each in self.facts["processes"]]
        roots = [each for each in written if each.running()] if self._numbers_are_ours() else []
        return with_descendants([*roots, *_marked(f"{KEY}={self.key}"), *_marked(f"{LABEL_OF_RUN}=", self.folder)])

    def _numbers_are_ours(self) -> bool:
        return bool(self.facts["namespace"] == str(NAMESPACE.readlink()))

    def _write(self) -> None:
        control_files.leave(self.folder / MARK, self.facts, private=True)


def read(folder: Path) -> Mark | None:
    """The mark of a place; None where there is none that we, or root, may act on."""
    path = folder / MARK
    try:
        if path.is_symlink() or path.stat().st_uid not in (os.geteuid(), 0) or folder.is_symlink():
            return None
        facts = control_files.read(path)
    except OSError:
        return None
    wanted = {"run", "key", "boot", "namespace", "harness", "processes", "sockets", "containers"}
    return Mark(folder, facts) if facts is not None and wanted <= set(facts) else None


def end(mark: Mark) -> str:
    """End everything of the place, by SIGKILL; what will not, in words. Repeats, since a process may fork meanwhile."""

    def left() -> list[Process]:
        found = mark.processes()
        for process in found:
            with suppress(PermissionError):
                process.send(signal.SIGKILL)
        return found

    refused = end_containers(f"label={LABEL}={mark.key}") if mark.facts["containers"] else ""
    stay = wait.poll(left, within=ENDS, every=timedelta(milliseconds=20), enough=lambda found: not found)
    words = [f"processes {', '.join(str(each.pid) for each in stay)} will not end"] if stay else []
    return "; ".join([*([refused] if refused else []), *words])


def end_containers(found_by: str) -> str:
    """Remove containers by a filter of `docker ps`; what the engine has against it, in words."""
    said = ""

    def none_left() -> bool:
        nonlocal said
        try:
            listed = _docker(["docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", found_by])
            said = listed.stderr.strip() if listed.returncode else ""
            found = listed.stdout.split()
            if found:
                said = _docker(["docker", "rm", "--force", "--volumes", *found]).stderr.strip() or "containers stay"
        except (OSError, subprocess.TimeoutExpired) as error:
            said, found = f"containers cannot be looked for: {error}", []
        return bool(not found and not said)

    return "" if wait.poll(none_left, within=ENDS) else said


def _docker(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, env=handed_on())


def _remove_elsewhere(mark: Mark) -> Path | None:
    """The segment of shared memory, and the folder of the socket file, which is returned where there is one."""
    with suppress(DrillError, OSError):
        release_shared_memory(mark.folder)
    sockets = Path(str(mark.facts["sockets"])) if mark.facts["sockets"] else None
    if sockets is not None and sockets.parent == TEMPORARY and sockets.name.startswith(_prefix(mark)):
        _remove(sockets)
    return sockets


def remove_files(mark: Mark) -> str:
    """Remove the folder, and what of it lies elsewhere; what stays, in words. No link is followed out of it.

    The mark goes last: of a removal that is cut short the rest is found again.
    """
    sockets = _remove_elsewhere(mark)
    for path in mark.folder.iterdir() if mark.folder.is_dir() else ():
        if path.name != MARK:
            _remove(path)
    left = [path for path in (sockets, *mark.folder.glob("*")) if path and path.name != MARK and os.path.lexists(path)]
    if left:
        return f"files are left: {', '.join(map(str, left))}"
    with suppress(FileNotFoundError):
        (mark.folder / MARK).unlink(missing_ok=True)
        mark.folder.rmdir()
    return f"{mark.folder} is left" if mark.folder.exists() else ""


def _prefix(mark: Mark) -> str:
    return temporary_prefix(str(mark.facts["run"]))


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():  # folders that even their owner may not change
        for root, folders, _ in os.walk(path):
            for name in (".", *folders):
                if not Path(root, name).is_symlink():
                    Path(root, name).chmod(0o700)
        shutil.rmtree(path, ignore_errors=True)


def _marked(variable: str, folder: Path | None = None) -> list[Process]:
    """The processes that we may see, with a variable that begins so; and words of their command that name the folder,
    or what is in it: not one beside it, whose name only begins alike."""
    named = re.compile(rb"" if folder is None else re.escape(os.fsencode(folder)) + rb"(?![^/\0,'\"])")
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            process = Process.of(int(entry.name))
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes()
                carried = (entry / "environ").read_bytes().split(b"\0")
                if named.search(words) and any(one.startswith(variable.encode()) for one in carried):
                    found.append(process)
    return [process for process in found if process.running()]


def places(folder: Path) -> Iterator[Mark]:
    """The places below a folder, that we may act on. A place is not searched itself, and no link is followed."""
    for root, folders, files in os.walk(folder):
        if MARK in files:
            folders.clear()
            mark = read(Path(root))
            if mark is not None:
                yield mark


def sweep(folder: Path) -> list[str]:
    """End and remove the places below a folder whose runs were killed; one line for each, and for each that stays."""
    said = []
    for mark in list(places(folder)):
        if mark.alive():
            continue
        left = "; ".join(each for each in (end(mark), remove_files(mark)) if each)
        said.append(f"{mark.folder}, left by run {mark.facts['run']}: {left or 'removed'}")
    return said
