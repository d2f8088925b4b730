"""The secrets of a stack file: read when a run begins, kept where nobody else can read them, and in no pack."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from harness.errors import Refused
from harness.evidence.redact import SHORTEST_SECRET
from harness.stacks.attached.file.described import Secret, StackFile
from harness.stacks.attached.file.formats import SECRET
from harness.system import control_files

FILE = ".drdrill-secrets.json"  # beside the copy of the stack file
WITHIN = 30.0  # seconds that a command may take to say one


def read(said: StackFile) -> dict[str, str]:
    """By name, as they are now. Errors: `Refused`, which names the one that cannot be had and repeats none."""
    return {name: read_one(name, secret, said) for name, secret in said.secrets.items()}


def kept(said: StackFile) -> dict[str, str]:
    """As the run that is about this copy of the file has read them; as they are now, where there is no such run."""
    found = control_files.read(said.path.parent / FILE)
    if found is not None and set(found) >= set(said.secrets):
        return {name: str(found[name]) for name in said.secrets}
    return read(said)


def keep(folder: Path, values: Mapping[str, str]) -> None:
    """For whoever heals, who may have neither the environment nor the file."""
    control_files.leave(folder / FILE, dict(values), private=True)


def forget(folder: Path) -> None:
    (folder / FILE).unlink(missing_ok=True)


def words(values: Mapping[str, str]) -> dict[str, str]:
    """As `${…}` names them."""
    return {f"{SECRET}{name}": value for name, value in values.items()}


def read_one(name: str, secret: Secret, said: StackFile) -> str:
    """One of them. Errors: as `read`."""
    where = said.where("secrets", name)
    if secret.env:
        found = os.environ.get(secret.env)
        if found is None:
            raise Refused(
                f"{where}: the variable {secret.env} is not set", hint=f"export {secret.env}=…, and try again"
            )
    elif secret.file is not None:
        try:
            found = secret.file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "is no text"
            raise Refused(f"{where}: {secret.file}: {why}", hint="put it there, for you alone to read") from None
    else:
        found = _said_by(secret.command, where)
    if len(found) < SHORTEST_SECRET:
        hint = f"give it {SHORTEST_SECRET} characters or more: a shorter one cannot be masked"
        raise Refused(f'{where}: the secret "{name}" has {len(found)} characters', hint=hint)
    return found


def _said_by(command: tuple[str, ...], where: str) -> str:
    """It runs as whoever drills would run it: a keyring and an agent are theirs."""
    try:
        done = subprocess.run(
            command, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=WITHIN
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = error.strerror if isinstance(error, OSError) else f"not done within {WITHIN:g} s"
        raise Refused(f"{where}: {command[0]}: {why}", hint="run it by hand") from None
    if done.returncode != 0:
        raise Refused(f"{where}: {command[0]} exited {done.returncode}", hint="run it by hand")
    return done.stdout.rstrip("\r\n")
