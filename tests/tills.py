"""A till that somebody else runs: its containers are made here as compose would make them, and removed at the end."""

from __future__ import annotations

import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from harness.stacks.docker import image
from harness.stacks.docker.engine import engine
from harness.system import wait
from harness.system.http import DIRECT, NoAnswer

PROJECT = Path(__file__).parent / "projects" / "till"
SERVES_WITHIN = timedelta(seconds=60)
NAMES = {"project": "com.docker.compose.project", "service": "com.docker.compose.service"}


@dataclass(frozen=True)
class Till:
    """Where it is."""

    folder: Path  # of the project, a copy
    name: str  # of the compose project
    port: int

    @property
    def file(self) -> Path:
        """The stack file."""
        return self.folder / "platform" / "stack.yaml"

    @property
    def compose(self) -> Path:
        return self.folder / "platform" / "compose.yaml"

    def container(self, service: str) -> Any:
        return engine().containers.get(f"{self.name}-{service}-1")

    def serves(self) -> bool:
        try:
            sent = {"key": f"look/{secrets.token_hex(4)}", "cents": "1"}
            return DIRECT.ask("POST", f"http://127.0.0.1:{self.port}/payments", within=SOON, sends=sent).status == 201
        except NoAnswer:
            return False

    def copies(self) -> bool:
        """Whether its second database server streams from the first one."""
        asked = ["psql", "-XAt", "-h", "127.0.0.1", "-U", "postgres", "-c", "SELECT status FROM pg_stat_wal_receiver"]
        return bool(self.container("db-2").exec_run(asked).output.strip() == b"streaming")


SOON = timedelta(seconds=3)


def written(folder: Path, *, stands: str = "already") -> Till:
    """The files of one that nobody has brought up yet."""
    image.make(print)
    name = f"till-{secrets.token_hex(3)}"
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    copied = folder / "till"
    shutil.copytree(PROJECT, copied, ignore=shutil.ignore_patterns("__pycache__"))
    values = {"IMAGE": image.name(), "PROJECT": name, "PORT": str(port), "NAME": name, "STANDS": stands}
    for path in (copied / "platform" / "compose.yaml", copied / "platform" / "stack.yaml"):
        text = path.read_text()
        for word, value in values.items():
            text = text.replace(word, value)
        path.write_text(text)
    return Till(copied, name, port)


@contextmanager
def standing(folder: Path) -> Iterator[Till]:
    """One that serves; it and all of it is gone afterwards."""
    till = written(folder)
    try:
        _up(till)
        for is_so, what in ((till.serves, "serve"), (till.copies, "copy its database")):
            assert wait.poll(is_so, within=SERVES_WITHIN), f"the till does not {what}"
        yield till
    finally:
        remove(till.name)


def _up(till: Till) -> None:
    """As compose does: a network, volumes, and a container each service, known by its labels and by its name there."""
    client, said = engine(), yaml.safe_load(till.compose.read_text())
    ours = {NAMES["project"]: till.name}
    network = client.networks.create(f"{till.name}_default", labels=ours)
    for name in said["volumes"]:
        client.volumes.create(f"{till.name}_{name}", labels=ours)
    for name, service in said["services"].items():
        volumes = [_volume(each, till) for each in service["volumes"]]
        ports = {f"{inside}/tcp": (at, int(port)) for at, port, inside in map(_port, service.get("ports", []))}
        more = {"restart_policy": {"Name": service["restart"]}} if "restart" in service else {}
        config = client.api.create_endpoint_config(aliases=[name])
        client.containers.run(
            service["image"], service["command"], name=f"{till.name}-{name}-1", detach=True, volumes=volumes,
            ports=ports, user=service.get("user"), stop_signal=service.get("stop_signal"), network=network.name,
            networking_config={network.name: config},
            labels={**ours, NAMES["service"]: name, "com.docker.compose.oneoff": "False"}, **more,
        )  # fmt: skip  # arguments in groups


def _volume(said: str, till: Till) -> str:
    source, rest = said.split(":", 1)
    return f"{till.compose.parent if source == '.' else f'{till.name}_{source}'}:{rest}"


def _port(said: str) -> tuple[str, str, str]:
    at, port, inside = said.split(":")
    return at, port, inside


def left(name: str) -> list[str]:
    """The names of all that carries the label of the project."""
    client, ours = engine(), {"label": f"{NAMES['project']}={name}"}
    found = [*client.containers.list(all=True, filters=ours), *client.networks.list(filters=ours)]
    return [one.name for one in [*found, *client.volumes.list(filters=ours)]]


def remove(name: str) -> None:
    """All of it. Harmless where nothing is left."""
    client, ours = engine(), {"label": f"{NAMES['project']}={name}"}
    for one in client.containers.list(all=True, filters=ours):
        one.remove(force=True, v=True)
    for one in [*client.networks.list(filters=ours), *client.volumes.list(filters=ours)]:
        one.remove()
