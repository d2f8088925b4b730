"""A pgBackRest repository of a server that ran in a container of the image: of a version that this machine has not."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real.grounds import MORE, NAME, PGBACKREST, SAMPLE
from tests.real.own_postgres import ACCOUNT, own
from tests.real.postgres_image import postgres_image

PASSED = "passwd"  # PostgreSQL looks up who it runs as, and the image need not know us
SCRIPT = """\
set -eu
cd {folder}/server
PATH=/usr/lib/postgresql/{version}/bin:$PATH
tool="pgbackrest --config={folder}/pgbackrest.conf --stanza={name}"
initdb -D data -U postgres -A trust --data-checksums >/dev/null
cat >>data/postgresql.conf <<END
listen_addresses = ''
unix_socket_directories = '{folder}/server'
fsync = off
archive_mode = on
archive_command = '$tool archive-push %p'
END
pg_ctl -D data -l log -w -s start
asked() {{ psql -h {folder}/server -U postgres -v ON_ERROR_STOP=1 -qAt "$@"; }}
$tool stanza-create
asked -c 'CREATE ROLE app' -c 'CREATE DATABASE {name} OWNER app'
asked -d {name} -f {folder}/sample.sql
$tool --type=full backup
asked -d {name} -f {folder}/more.sql
$tool --type=incr backup
asked -d {name} -c 'INSERT INTO orders (note) VALUES (1)' -c 'SELECT pg_switch_wal()'
pg_ctl -D data -m fast -w -s stop
"""


@contextmanager
def repository(version: int) -> Iterator[Path]:
    """With a full and an incremental backup, and a row in the archive alone. All of it is gone at the end."""
    image = postgres_image(version)
    folder = Path(tempfile.mkdtemp(prefix="drdrill-ground-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        for name in ("server", "server/lock", "repository"):
            own(folder / name)
        where = {"repository": folder / "repository", "folder": folder / "server", "name": NAME}
        (folder / "pgbackrest.conf").write_text(PGBACKREST.format(**where))
        (folder / "sample.sql").write_text(";\n".join([*SAMPLE, ""]))
        (folder / "more.sql").write_text(f"{MORE};\n")
        user = pwd.getpwnam(ACCOUNT) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        (folder / PASSED).write_text(f"postgres:x:{user.pw_uid}:{user.pw_gid}::/tmp:/bin/sh\n")
        script = SCRIPT.format(folder=folder, version=version, name=NAME)
        words = [
            "docker", "run", "--rm", "--interactive", "--pull", "never", "--network", "none",
            "--name", f"drdrill-ground-{os.getpid()}", "--user", f"{user.pw_uid}:{user.pw_gid}",
            "--volume", f"{folder}:{folder}", "--volume", f"{folder / PASSED}:/etc/passwd:ro",
            "--env", "LC_ALL=C.UTF-8", "--entrypoint", "sh", image,
        ]  # fmt: skip  # arguments in groups
        done = subprocess.run(words, input=script, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
        yield folder / "repository"
    finally:
        shutil.rmtree(folder)
