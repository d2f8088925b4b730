"""The image of the container stack: made on this machine, once, from Debian's packages.

Its base is a Debian image where a registry can be reached; elsewhere `mmdebstrap` makes one from packages alone.
The image is named after its recipe, so a changed recipe makes a new one.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness.errors import Refused
from harness.stacks.docker.engine import engine, told
from harness.system.environment import with_proxies

RECIPE = Path(__file__).parent / "Dockerfile"
REPOSITORY = "drdrill-platform"
PUBLIC_BASE = "debian:bookworm-slim"
OWN_BASE = "drdrill-base:bookworm"
IMAGE = "io.drdrill.image"  # label
ROOM = 3_000_000_000  # bytes: the packages, and the base beside them


def name() -> str:
    """`drdrill-platform:<digest of the recipe>`."""
    return f"{REPOSITORY}:{hashlib.sha256(RECIPE.read_bytes()).hexdigest()[:12]}"


def there() -> bool:
    """Whether the engine has the image."""
    with told("looking for the image"):
        return bool(engine().images.list(name=name()))


def make(say: Callable[[str], None]) -> str:
    """Make the image where it is not there; returns its name. Takes one to three minutes.

    Errors: `Refused` where there is no base to be had or the build fails, with its last words.
    """
    if there():
        return name()
    _must_have_room()
    base = debian(say)
    say(f"making the image {name()} from Debian's packages (1 to 3 minutes, once)")
    from docker.errors import BuildError  # noqa: PLC0415  (see engine)

    with told("making the image"):
        try:
            engine().images.build(
                path=str(RECIPE.parent), dockerfile=RECIPE.name, tag=name(), buildargs={"BASE": base}, rm=True,
                forcerm=True, network_mode="host", labels={IMAGE: name()},
            )  # fmt: skip  # arguments in groups
        except BuildError as error:
            said = [line.get("stream", "").strip() for line in error.build_log if line.get("stream", "").strip()]
            raise Refused(
                f"the image cannot be made: {' | '.join(said[-3:])}", hint="can containers reach Debian's packages?"
            ) from None
    return name()


def remove() -> list[str]:
    """Remove every image this project made, also of older recipes; their names. Errors: `DrillError` while in use."""
    with told("removing the images"):
        found = [tag for image in engine().images.list() for tag in image.tags]
        ours = [tag for tag in found if tag.startswith(f"{REPOSITORY}:") or tag == OWN_BASE]
        for tag in ours:
            engine().images.remove(tag)
    return ours


def debian(say: Callable[[str], None]) -> str:
    """The image to begin from: one that is here, one that can be pulled, or one that is made now.

    Errors: `Refused` where there is none, before anything is made.
    """
    from docker.errors import APIError, NotFound  # noqa: PLC0415  (see engine)

    for known in (PUBLIC_BASE, OWN_BASE):
        if engine().images.list(name=known):
            return known
    try:
        engine().images.pull(PUBLIC_BASE)
    except (APIError, NotFound):
        _must_be_able_to_bootstrap()
        say("no image registry can be reached: making a base from packages alone")
        return _bootstrap()
    return PUBLIC_BASE


def _must_be_able_to_bootstrap() -> None:
    """mmdebstrap makes files of many users: as root, or with the user ids that `newuidmap` lends to others."""
    if shutil.which("mmdebstrap") is None:
        raise Refused(
            f"{PUBLIC_BASE} cannot be pulled, and there is no mmdebstrap to make a base with",
            hint="sudo apt install mmdebstrap, or: docker load a Debian 12 image and tag it as the one named here",
        )
    if os.geteuid() and not (shutil.which("newuidmap") and shutil.which("newgidmap")):
        raise Refused(
            f"{PUBLIC_BASE} cannot be pulled, and without newuidmap only root can make a base",
            hint=f"sudo apt install uidmap, and try again; or make the image once as root: {_as_root()}",
        )


def _as_root() -> str:
    """The command that makes the image, for a shell in any folder."""
    return f"sudo {shlex.quote(str(Path(sys.executable).with_name('drdrill')))} stack image"


def _bootstrap() -> str:
    with tempfile.TemporaryDirectory(prefix="drdrill-base-") as folder:
        tarball = Path(folder) / "base.tar"
        made = subprocess.run(
            ["mmdebstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(tarball)],
            capture_output=True, text=True, check=False, env=with_proxies(),
        )  # fmt: skip  # arguments in groups
        if made.returncode != 0:
            said = (made.stderr.strip().splitlines() or ["without a word"])[-1]
            as_root = f"once as root: {_as_root()}; or look whether /etc/subuid and /etc/subgid name you"
            by_hand = "run it by hand: mmdebstrap --variant=minbase bookworm base.tar"
            raise Refused(f"mmdebstrap made no base: {said}", hint=as_root if os.geteuid() else by_hand)
        with told("importing the base"):
            repository, tag = OWN_BASE.split(":")
            engine().api.import_image_from_file(str(tarball), repository=repository, tag=tag)
    return OWN_BASE


def _must_have_room() -> None:
    root = Path(engine().info().get("DockerRootDir", "/"))
    free = shutil.disk_usage(root if root.exists() else "/").free
    if free < ROOM:
        raise Refused(
            f"{free / 1e9:.1f} GB free where the Docker engine keeps its images, {ROOM / 1e9:.0f} GB are needed",
            hint="docker system df shows what takes it",
        )
