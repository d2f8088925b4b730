"""A payments desk that somebody else runs: compose brings it up as its file says, and all of it is gone at the end."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from harness.stacks.docker import image
from harness.stacks.docker.engine import engine
from harness.system import wait
from harness.system.http import DIRECT, NoAnswer
from tests import paydesk_image, tills
from tests.tills import Till

PROJECT = Path(__file__).parent / "projects" / "paydesk"
SOON = timedelta(seconds=5)
AGAIN = timedelta(seconds=60)  # until it serves, or a copy streams
DATA = "/var/lib/postgresql"
STREAMS = "select count(*) from pg_stat_wal_receiver where status = 'streaming'"


@dataclass(frozen=True)
class Desk(Till):
    """Where it is."""

    @property
    def key(self) -> str:
        return (self.folder / "platform" / "api.key").read_text().strip()

    def serves(self) -> bool:
        """A payment is taken."""
        key = f"look/{secrets.token_hex(4)}"
        sent = {"out": False, "internal": True, "amount": 7, "memo": "look", "external_id": key}
        at = f"http://127.0.0.1:{self.port}/api/v1/payments"
        try:
            answer = DIRECT.ask("POST", at, within=SOON, sends=sent, headers={"X-Api-Key": self.key})
        except NoAnswer:
            return False
        return answer.status == 201

    def asks(self, server: str, sql: str) -> list[str]:
        """The lines that a database server answers with."""
        code, said = self.container(server).exec_run(["psql", "-XAt", "-h", "127.0.0.1", "-c", sql, "lnbits"])
        assert code == 0, said
        return said.decode().splitlines()


def written(folder: Path, *, stands: str = "already") -> Desk:
    """The files of one that nobody has brought up yet."""
    name = f"paydesk-{secrets.token_hex(3)}"
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    image.make(print)  # what cuts
    copied = folder / "paydesk"
    shutil.copytree(PROJECT, copied)
    values = {
        "paydesk:1": paydesk_image.make(), "name: paydesk": f"name: {name}", "project: paydesk": f"project: {name}",
        "18080": str(port), "stands: already": f"stands: {stands}",
    }  # fmt: skip  # a table
    for path in (copied / "platform" / "compose.yaml", copied / "platform" / "stack.yaml"):
        text = path.read_text()
        for word, value in values.items():
            text = text.replace(word, value)
        path.write_text(text)
    (copied / "platform" / "api.key").write_text(f"{secrets.token_hex(16)}\n")
    return Desk(copied, name, port)


@contextmanager
def standing(folder: Path) -> Iterator[Desk]:
    """One that serves; it and all of it is gone afterwards."""
    desk = written(folder)
    try:
        _compose(desk, "up", "--detach", "--wait")
        wait.poll(desk.serves, within=AGAIN)
        assert desk.serves(), "the payments desk does not serve"
        yield desk
    finally:
        tills.remove(desk.name)


def _compose(desk: Desk, *words: str) -> None:
    """As its owner calls it: Docker's own plugin, or the one of PyPI, which is a program by itself."""
    found = find_spec("compose")
    own = Path(str(found.origin)).parent / "docker-compose" if found else None
    begin = [str(own)] if own else ["docker", "compose"]
    argv = [*begin, "--progress", "plain", "--file", str(desk.compose), *words]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]


def rebuild(desk: Desk, server: str, leader: str) -> None:
    """As its owner brings back a server that led: what it has is thrown away, and taken anew from who leads."""
    container = desk.container(server)
    container.stop()
    config = container.attrs["Config"]
    clone = f"rm -rf $PGDATA && pg_basebackup -h {leader} -U postgres -D $PGDATA -R -X stream -c fast"
    engine().containers.run(
        config["Image"], ["bash", "-c", clone], user=config["User"], environment=config["Env"], remove=True,
        volumes={f"{desk.name}_{server}": {"bind": DATA}}, network=f"{desk.name}_default", entrypoint=[],
    )  # fmt: skip  # arguments in groups
    container.start()

    def back() -> bool:
        code, said = desk.container(server).exec_run(["psql", "-XAt", "-h", "127.0.0.1", "-c", STREAMS, "postgres"])
        return code == 0 and said.strip() == b"1"

    assert wait.poll(back, within=AGAIN), f"{server} does not follow {leader}"
    assert wait.poll(desk.serves, within=AGAIN), "the payments desk does not serve"


def kept_by(desk: Desk, server: str, sql: str) -> list[str]:
    """What a server that is dead has on its disk, asked where nobody else reaches it."""
    config = desk.container(server).attrs["Config"]
    ask = (
        "pg_ctl -D $PGDATA -w -o '-c listen_addresses= -c unix_socket_directories=/tmp' start >/dev/null"
        f' && psql -XAt -h /tmp -c "{sql}" lnbits && pg_ctl -D $PGDATA -w -m fast stop >/dev/null'
    )
    said = engine().containers.run(
        config["Image"], ["bash", "-c", ask], user=config["User"], environment=config["Env"], remove=True,
        volumes={f"{desk.name}_{server}": {"bind": DATA}}, network_mode="none", entrypoint=[],
    )  # fmt: skip  # arguments in groups
    return said.decode().splitlines()
