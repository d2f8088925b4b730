"""Whether an embedded stack can really start here: one etcd and one database under Patroni, asked as a drill asks them.

    python -m harness.stacks.local.trial LABEL FOLDER

inside a sandbox prints why it cannot, and nothing where it can. It is handed what a component is handed, and no more.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from harness.errors import DrillError
from harness.stacks.local.ground import LocalGround
from harness.stacks.local.layout import EAST
from harness.stacks.local.making import make_network
from harness.stacks.local.network import Area
from harness.stacks.local.process import kill_parts
from harness.stacks.local.sandbox import Tried, enter_argv, inside
from harness.stacks.parts.etcd import Etcd
from harness.stacks.parts.first_data import make_first_data
from harness.stacks.parts.lifecycle import remove_files, socket_folder, starting
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.patroni import PatroniCluster
from harness.stacks.parts.postgres import Roles, settings
from harness.system.command import LABEL, Commands, end_labelled, reap
from harness.system.environment import handed_on
from harness.system.recorder import Memory

NAME = "embedded"
ZONE = "a"
PATIENCE = 60.0  # seconds: it takes 4 on a quiet machine
EVERY = timedelta(seconds=5)


def tried(level: str) -> Tried:
    """The parts started on a level that holds, asked, and ended."""
    label = f"doctor-{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory(prefix=f"{label}-") as folder:
        words = [sys.executable, "-m", "harness.stacks.local.trial", label, folder]
        try:
            ended = subprocess.run(
                enter_argv(level, words), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
                check=False, env={**handed_on(), LABEL: label}, start_new_session=True,
            )  # fmt: skip  # arguments in groups
            why = (ended.stdout or ended.stderr).strip().splitlines()[-1:] if ended.returncode else []
        except (subprocess.TimeoutExpired, OSError) as error:
            why = [str(error)]
        finally:
            end_labelled(label)
    lift = "`drdrill stack up` starts all of it, and keeps the logs where it does not"
    return Tried(NAME, ok=not why, why="".join(why), lift=lift if why else "")


def start(label: str, folder: Path) -> None:
    """Errors: `DrillError`s."""
    commands = Commands(Memory(), label=label)
    level, roles = inside() or "loopback", Roles()
    region = replace(EAST, zones={ZONE: EAST.zones[ZONE]})
    network = make_network(level, regions=[region], commands=commands, logs=folder / "logs")
    try:
        with starting(folder):
            ground = LocalGround(folder, commands=commands, network=Area(network, region), zones=[ZONE], level=level)
            etcd = Etcd(ground)
            member = PatroniMember(
                ground, zone=ZONE, sockets=socket_folder(folder, label, [ZONE]) / ZONE, roles=roles,
                stores=etcd.endpoints(), env=dict, synchronous={},
                settings=lambda: settings(archive_command="true", archive_timeout=EVERY),
            )  # fmt: skip  # arguments in groups
            etcd.start()
            make_first_data(ground, [member], roles=roles, transactions=0)
            etcd.wait_ready()
            cluster = PatroniCluster(ground, members=[member], etcd=etcd, roles=roles, synchronous=0)
            cluster.start()
            etcd.forget("/doctor/")  # by etcdctl, which a recovery needs too
    finally:
        network.close()
        kill_parts(label)
        reap()
        remove_files(folder)


def main(label: str, folder: Path) -> int:
    """Returns the exit code."""
    try:
        start(label, folder)
    except DrillError as error:
        print(" ".join(error.message.split()))
        return int(error.exit)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
