"""An image with PostgreSQL and the tools of backups, made on this machine from Debian's packages; root alone can.

`python tests/real/postgres_image.py 18` makes `drdrill-test-postgres:18`, where it is not there yet. Debian forky has
18, bookworm 15. No registry is asked.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from harness.system.environment import with_proxies

REPOSITORY = "drdrill-test-postgres"
SUITES = {18: "forky", 17: "trixie", 15: "bookworm"}
TOOLS = ("pgbackrest", "barman", "barman-cli-cloud", "ca-certificates")
WITHIN = 900.0  # seconds
NO_CLUSTER = (  # the package would make one while it is installed
    'mkdir -p "$1/etc/postgresql-common" && echo "create_main_cluster = false" '
    '>"$1/etc/postgresql-common/createcluster.conf"'
)

STALE = 'Acquire::Check-Valid-Until "false"'  # a mirror may be a copy of some weeks ago; it is signed all the same


def postgres_image(version: int = 18) -> str:
    """The name of the image, which is made in some minutes where it is not there."""
    name = f"{REPOSITORY}:{version}"
    if not _run("docker", "images", "--quiet", name).stdout.strip():
        with tempfile.TemporaryDirectory(prefix="drdrill-image-") as folder:
            tarball = Path(folder) / "image.tar"
            included = ",".join((f"postgresql-{version}", *TOOLS))
            _run(
                "mmdebstrap", "--variant=minbase", f"--include={included}", f"--essential-hook={NO_CLUSTER}",
                f"--aptopt={STALE}",
                SUITES[version], str(tarball),
            )  # fmt: skip  # arguments in groups
            _run("docker", "import", str(tarball), name)
    return name


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        words, capture_output=True, text=True, check=False, env=with_proxies(), timeout=WITHIN, stdin=subprocess.DEVNULL
    )
    assert ended.returncode == 0, f"{words[0]}: {ended.stderr[-2000:]}"
    return ended


if __name__ == "__main__":
    print(postgres_image(int(sys.argv[1]) if sys.argv[1:] else 18))
