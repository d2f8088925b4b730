"""The image of the payments desk that somebody else runs: made of Debian's packages and PyPI's, and found again."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.stacks.docker import image
from harness.stacks.docker.engine import engine

PLATFORM = Path(__file__).parent / "projects" / "paydesk" / "platform"
MADE_OF = ("Dockerfile", "requirements.txt")
DEBIANS = "3.11"  # its Python, which runs what pip puts there
SOURCE_ONLY = ("embit", "http-ece", "pyqrcode", "tlv8")  # plain Python without a wheel: one is made of each here
WHEELS = ("_2_34", "_2_28", "_2_27", "_2_24", "_2_17", "2014", "_2_12", "1")  # kinds of manylinux that it takes


def name() -> str:
    """`paydesk:<digest of what it is made of>`."""
    made_of = b"".join((PLATFORM / each).read_bytes() for each in MADE_OF)
    return f"paydesk:{hashlib.sha256(made_of).hexdigest()[:12]}"


def make() -> str:
    """Make it where it is not there; its name. Takes one to four minutes."""
    if engine().images.list(name=name()):
        return name()
    with tempfile.TemporaryDirectory(prefix="paydesk-image-") as made:
        folder = Path(made)
        for each in MADE_OF:
            shutil.copyfile(PLATFORM / each, folder / each)
        _install(folder / "requirements.txt", folder / "lnbits", folder / "wheels")
        (folder / ".dockerignore").write_text("wheels\n")
        engine().images.build(
            path=str(folder), tag=name(), buildargs={"BASE": image.debian(print)}, rm=True, forcerm=True,
            network_mode="host",
        )  # fmt: skip  # arguments in groups
    return name()


def _install(wanted: Path, into: Path, wheels: Path) -> None:
    """For Debian's Python, whichever runs the tests."""
    pip = [sys.executable, "-m", "pip", "--no-input", "--disable-pip-version-check"]
    platforms = [f"--platform=manylinux{each}_{platform.machine()}" for each in WHEELS]
    _run([*pip, "wheel", "--quiet", "--no-deps", f"--wheel-dir={wheels}", f"--constraint={wanted}", *SOURCE_ONLY])
    _run(
        [*pip, "install", "--quiet", "--no-compile", f"--target={into}", f"--python-version={DEBIANS}",
         "--implementation=cp", *platforms, "--only-binary=:all:", f"--find-links={wheels}", f"--requirement={wanted}"]
    )  # fmt: skip  # arguments in groups


def _run(argv: list[str]) -> None:
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{' '.join(argv)}: {ended.stdout[-2000:]}{ended.stderr[-2000:]}"
