"""What starting, finding and exploring a stack have in common, of whatever kind it is."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from harness.errors import DrillError, Refused
from harness.evidence.run_folder import temporary_prefix
from harness.stacks import Entrance
from harness.stacks.kinds import SAVED
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.postgres import PORT, dsn
from harness.stacks.stand_in import READY
from harness.system import clock
from harness.system.recorder import Recorder

ELSEWHERE = "sockets-elsewhere"  # file: names the folder of the sockets where that is not in the stack's own
SOCKET_PATH_LIMIT = 107 - len("/.s.PGSQL.5432.lock")  # bytes of a unix socket's path, Linux


def save(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write down what another process needs in order to go on with a stack, or to remove it. It holds passwords.

    Whole or not at all: whoever goes on with the stack may be killed meanwhile.
    """
    file = folder / f"{SAVED}.{os.getpid()}.new"
    file.touch(mode=0o600)
    file.write_text(json.dumps({**facts, "boot": clock.boot()}, indent=1))
    file.rename(folder / SAVED)


def saved(folder: Path) -> dict[str, Any]:
    """What was written down. Errors: `Refused` when no stack was started there, or it was removed."""
    try:
        found: dict[str, Any] = json.loads((folder / SAVED).read_text())
    except (OSError, ValueError):
        raise Refused(f"no stack was started in {folder}", hint="`drdrill stack up` starts one") from None
    return found


def socket_folder(folder: Path, label: str, zones: Sequence[str]) -> Path:
    """For unix sockets, whose path has a limit of 107 bytes: in the stack's folder where that is short enough."""
    sockets = folder / "sockets"
    if max(len(str(sockets / zone).encode()) for zone in zones) > SOCKET_PATH_LIMIT:
        sockets = Path(tempfile.mkdtemp(prefix=temporary_prefix(label), dir="/tmp"))
        (folder / ELSEWHERE).write_text(str(sockets))
    sockets.mkdir(exist_ok=True)
    sockets.chmod(0o711)
    return sockets


def remove_files(folder: Path) -> None:
    """Remove what a stack made, but for its logs; also what of it lies elsewhere. Harmless where nothing is left."""
    with suppress(FileNotFoundError):
        _remove(Path((folder / ELSEWHERE).read_text()))
    for path in folder.glob("*"):
        if path.name not in ("logs", "zones"):
            _remove(path)
    for path in folder.glob("zones/*/*"):
        if path.name != "log":
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        while path.exists():  # a command that was just killed may have removed a file of it first
            with suppress(FileNotFoundError):
                shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def starting(folder: Path) -> Iterator[None]:
    """Turn what a full disk or a database says while a stack is started into one clear error. Errors: `DrillError`."""
    try:
        yield
    except (OSError, psycopg.Error) as error:
        said = str(error).strip() or type(error).__name__
        hint = f"is there room on the disk, and may {folder} be written? The logs there say more"
        raise DrillError(f"the stack cannot be started: {said}", hint=hint) from error


@contextmanager
def timed(recorder: Recorder, what: str) -> Iterator[None]:
    """Record how long a part of a stack took to come up."""
    begin = clock.mono()
    yield
    recorder.record("stack.part", part=what, seconds=round(clock.since(begin).total_seconds(), 3))


def logs(folder: Path, zones: Sequence[str]) -> dict[str, Path]:
    """Component name to its log; the ones that exist."""
    found = {path.stem: path for path in sorted((folder / "logs").glob("*.log"))}
    for zone in zones:
        for path in sorted((folder / "zones" / zone / "log").glob("*.log")):
            found[f"{path.stem}-{zone}"] = path
    return found


def commands(entrance: Entrance, members: Sequence[PatroniMember]) -> dict[str, list[str]]:
    """For people: the words with which a stack's database and API are asked, by what they do."""
    where = f"{entrance.host}:{entrance.port}"
    resolved = ["--resolve", f"{where}:{','.join(entrance.addresses)}"]
    return {
        "open psql": ["psql", f'"{database(members)}"'],
        "ask the API": ["curl", "--cacert", str(entrance.ca), *resolved, f"https://{where}{READY}"],
    }


def database(members: Sequence[PatroniMember]) -> str:
    """For people: the DSN of whoever leads; the password comes in the environment."""
    target = dsn(",".join(member.address for member in members), PORT, role="postgres", password="")
    words = [word for word in target.split() if word.startswith(("host=", "port=", "dbname=", "user="))]
    return " ".join([*words, "target_session_attrs=read-write"])


def addresses(entrance: Entrance, members: Sequence[PatroniMember], *, store: str, bucket: str) -> dict[str, str]:
    """For people: where everything is."""
    return {
        "entrance": f"https://{entrance.host}:{entrance.port} at {' and '.join(entrance.addresses)}",
        "storage": f"{store}, bucket {bucket}",
        **{f"zone {member.zone}": f"{member.address}, Patroni {member.rest}" for member in members},
        "database": database(members),
    }
