"""Programs of an image: each tool in a container of its own, and a place whose server runs in one without a network.

Paths are the same inside. Everything is made by the command line of the engine, so that a tool is a command like any
other: its output, its time limit and its journal line are those of `Commands`.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from harness.errors import Unable
from harness.restores.programs import left
from harness.restores.programs.container import ContainerRoom, bound
from harness.restores.programs.place import OwnPlace
from harness.stacks.docker.engine import labels
from harness.system.command import Commands, Done

VERSION = "${version}"
PART = "restore"  # label
SOON = timedelta(seconds=60)
WITHOUT = "start the Docker engine, and join the group docker; or leave `image` out, for programs of this machine"
PROGRAM_MISSING = 3
READ_ONLY = "mounted read-only in the tool's container"
# Prints the folder of PostgreSQL's program $2 of version $1, or where the tool $2 is.
FINDS = f"""
if [ "$1" = 0 ]; then command -v "$2" || exit {PROGRAM_MISSING}; exit 0; fi
for folder in "/usr/lib/postgresql/$1/bin" "/usr/pgsql-$1/bin" $(echo "$PATH" | tr : ' '); do
  [ -x "$folder/$2" ] || continue
  case "$("$folder/$2" --version)" in *"(PostgreSQL) $1"|*"(PostgreSQL) $1"[!0-9]*) echo "$folder"; exit 0 ;; esac
done
exit {PROGRAM_MISSING}
"""
# What sources hand to tools by the environment; one that is not set stays so inside.
FORWARDED = (
    "PGBACKREST_REPO1_CIPHER_PASS", "PGBACKREST_REPO1_S3_KEY", "PGBACKREST_REPO1_S3_KEY_SECRET",
    "PGBACKREST_REPO1_S3_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION",
    "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE",
    "AWS_ENDPOINT_URL", "PGPASSWORD", "PGPASSFILE", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS",
    "PGSSLMODE", "LC_ALL", "TZ", "HOME",
)  # fmt: skip  # names in groups


class Image:
    """Fills `Programs`. `name` may hold `${version}`, the major version of the backup."""

    read_only = READ_ONLY

    def __init__(self, name: str, commands: Commands) -> None:
        self._name = name
        self._commands = commands
        self._found: dict[tuple[str, str, int], str] = {}

    @property
    def said(self) -> str:
        return f"the image {self._name}"

    def words(
        self, program: str, *, version: int = 0, reads: Sequence[Path] = (), writes: Sequence[Path] = (),
        network: bool = False,
    ) -> list[str]:  # fmt: skip  # parameters in groups
        image = self._image(version)
        found = self._where(image, program, version)
        inside = f"{found}/{program}" if version else found
        mounts = [word for path in dict.fromkeys(writes) for word in bound(path)]
        mounts += [word for path in dict.fromkeys(reads) if path not in writes for word in bound(path, read_only=True)]
        return [
            "docker", "run", "--rm", "--interactive", "--pull", "never", "--network", "host" if network else "none",
            "--user", f"{os.geteuid()}:{os.getegid()}", *_groups(), "--workdir", "/",
            "--security-opt", "no-new-privileges", "--security-opt", "label=disable",
            *self._labels(writes), *mounts, *(word for name in FORWARDED for word in ("--env", name)),
            "--entrypoint", inside, image,
        ]  # fmt: skip  # arguments in groups

    def place(self, folder: Path, version: int) -> OwnPlace:
        image = self._image(version)
        room = ContainerRoom(
            image, Path(self._where(image, "postgres", version)), labels=self._labels(()), commands=self._commands
        )
        return OwnPlace(folder, version, room=room, commands=self._commands)

    def _labels(self, writes: Sequence[Path]) -> list[str]:
        """As everything of the run carries, and the key of the place that a tool works for."""
        marks = [left.read(folder) for path in writes for folder in (path, *path.parents)]
        keys = [(left.LABEL, mark.key) for mark in marks if mark is not None]
        given = [*labels(self._commands.label, PART).items(), *keys]
        return [word for name, value in given for word in ("--label", f"{name}={value}")]

    def _image(self, version: int) -> str:
        """For a tool of no version of PostgreSQL: the image of the newest version that is here. Errors: `Unable`."""
        if version or VERSION not in self._name:
            name = self._name.replace(VERSION, str(version))
            shown = self._docker("image", "inspect", "--format", "{{.Id}}", name)
            if not shown.ok:
                raise Unable(f"there is no image {name} here", hint=f"docker pull {name}, or build it")
            return name
        listed = self._docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").out.split()
        wanted = re.compile(r"(\d+)".join(re.escape(part) for part in self._name.split(VERSION)))
        found = {int(match[1]): name for name in listed if (match := wanted.fullmatch(name))}
        if not found:
            hint = f"docker pull {self._name}, with the version of your backups"
            raise Unable(f"there is no image {self._name} here, of any version", hint=hint)
        return found[max(found)]

    def _where(self, image: str, program: str, version: int) -> str:
        """Of a program of PostgreSQL its folder, of a tool its path, both inside. Errors: `Unable`."""
        key = (image, program, version)
        if key not in self._found:
            words = ("--rm", "--pull", "never", "--network", "none", *self._labels(()), "--entrypoint", "sh", image)
            done = self._docker("run", *words, "-c", FINDS, "sh", str(version), program)
            if done.exit == PROGRAM_MISSING:
                what = f"{program} of PostgreSQL {version}" if version else program
                raise Unable(f"the image {image} has no {what}", hint="name an image under `backups` that has it")
            if not done.ok:
                raise Unable(f"the image {image} does not run: {_last(done)}", hint=f"docker run --rm {image} true")
            self._found[key] = done.out.strip()
        return self._found[key]

    def _docker(self, *words: str) -> Done:
        """Errors: `Unable` where there is no engine, or it does not answer."""
        if shutil.which("docker") is None:
            raise Unable("there is no docker on this machine", hint=WITHOUT)
        done = self._commands.run(["docker", *words], within=SOON, check=False, quiet=True)
        said = _last(done)
        if not done.ok and "connect" in said and "daemon" in said:  # as it says it of a permission, too
            raise Unable(f"the Docker engine does not answer: {said}", hint=WITHOUT)
        return done


def _groups() -> list[str]:
    """Ours, by which a repository may be readable."""
    return [word for group in os.getgroups() if group != os.getegid() for word in ("--group-add", str(group))]


def _last(done: Done) -> str:
    return ((done.err or done.out).strip().splitlines() or ["without a word"])[-1]
