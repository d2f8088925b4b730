"""How fast a backup is restored beside: `python -m benchmarks.restore [GIGABYTES]`, 5 where nothing is said.

A database of that size is made by pgbench and backed up by pgBackRest. Then, in turn: pgBackRest's own restore by hand,
and a restore beside by drdrill with all of its proof, each into an empty folder, the caches dropped where we may. The
figure is bytes a second of the restore itself; drdrill's memory is that of its own process at its greatest. Bounds:
0.9 of pgBackRest's own rate, 300 MB. Exit code 1 when a bound is not met, 3 where PostgreSQL 15 or pgBackRest lacks.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks import machine
from harness.errors import Exit
from harness.restores.choice import Asked
from harness.restores.described import NEVER, Backup, Backups
from harness.restores.many import Restores
from harness.restores.one import size_of
from harness.system.recorder import Memory

BIN = Path("/usr/lib/postgresql/15/bin")
ACCOUNT = "postgres"  # as whom the server runs where root measures
PER_SCALE = 15.6e6  # bytes that pgbench makes of a unit of its scale
TURNS = 3
RATE, MEMORY = 0.9, 300e6
MAX = str(os.cpu_count() or 1)  # processes of pgBackRest, by hand as by drdrill


def main() -> int:
    if sys.argv[1:2] == ["--one"]:
        return one(Path(sys.argv[2]))
    size = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    if not BIN.is_dir() or not shutil.which("pgbackrest"):
        print("PostgreSQL 15 and pgBackRest are needed: apt install postgresql-15 pgbackrest", file=sys.stderr)
        return Exit.REFUSED
    print(f"A restore of {size:g} GB from pgBackRest, by hand and beside; {machine.facts()}")
    with tempfile.TemporaryDirectory(prefix="drdrill-bench-", dir=os.environ.get("BENCH_FOLDER")) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with backed_up(folder, size):
            pass
        return measured(folder)


def measured(folder: Path) -> int:
    by_hand: list[float] = []
    beside: list[dict[str, Any]] = []
    for turn in range(TURNS):
        by_hand.append(tool_alone(folder, folder / f"by-hand-{turn}"))
        beside.append(drdrill(folder, folder / f"beside-{turn}"))
        parts = "  ".join(f"{part} {seconds:.1f} s" for part, seconds in beside[-1]["parts"].items())
        rates = f"by hand {by_hand[-1] / 1e6:7.0f} MB/s   beside {beside[-1]['rate'] / 1e6:7.0f} MB/s"
        print(f"  {turn + 1}: {rates}   {parts}")
    ratio = max(each["rate"] for each in beside) / max(by_hand)
    memory = max(each["memory"] for each in beside)
    said = f"{memory / 1e6:.0f} MB of memory (bound {MEMORY / 1e6:.0f} MB)"
    print(f"  {beside[0]['size'] / 1e9:.2f} GB; the best of each: {ratio:.2f} of its own rate (bound {RATE}); {said}")
    met = ratio >= RATE and memory <= MEMORY
    print("  MET" if met else "  NOT MET")
    return 0 if met else 1


@contextmanager
def backed_up(folder: Path, size: float) -> Iterator[None]:
    """A repository of one full backup; the server is gone afterwards."""
    data, repository = folder / "data", folder / "repo"
    for each in (data, repository, folder / "log"):
        each.mkdir()
        if os.geteuid() == 0:
            shutil.chown(each, ACCOUNT, ACCOUNT)
    configuration(folder)
    as_server(BIN / "initdb", "-D", data, "-U", "postgres", "-k", "-A", "trust")
    archive = f"pgbackrest --config={folder}/pgbackrest.conf --stanza=bench archive-push %p"
    settings = {"listen_addresses": "", "unix_socket_directories": str(folder / "log"), "fsync": "off",
                "archive_mode": "on", "archive_command": archive, "max_wal_size": "8GB", "checkpoint_timeout": "30min",
                "shared_buffers": "512MB"}  # fmt: skip  # in groups
    options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    as_server(BIN / "pg_ctl", "-D", data, "-l", folder / "log" / "server", "-o", options, "-w", "-s", "start")
    try:
        begin = time.monotonic()
        connect = ("-h", folder / "log", "-U", "postgres")
        as_server(BIN / "pgbench", "-i", "-q", "-s", str(max(1, round(size * 1e9 / PER_SCALE))), *connect, "postgres")
        tool(folder, "stanza-create")
        tool(folder, "--type=full", "backup")
        print(f"  made and backed up in {time.monotonic() - begin:.0f} s")
        yield
    finally:
        as_server(BIN / "pg_ctl", "-D", data, "-m", "fast", "-w", "-s", "stop")
        shutil.rmtree(data)


def configuration(folder: Path) -> None:
    (folder / "pgbackrest.conf").write_text(
        f"[global]\nrepo1-path={folder}/repo\nrepo1-bundle=y\nlog-path={folder}/log\nlock-path={folder}/log\n"
        f"spool-path={folder}/log\nlog-level-file=off\nlog-level-console=warn\nstart-fast=y\nprocess-max={MAX}\n"
        f"compress-type=lz4\n[bench]\npg1-path={folder}/data\npg1-socket-path={folder}/log\npg1-user=postgres\n"
    )


def tool_alone(folder: Path, into: Path) -> float:
    """Bytes a second of pgBackRest's own restore."""
    into.mkdir(mode=0o700)
    drop_caches()
    begin = time.monotonic()
    words = ("pgbackrest", f"--config={folder}/pgbackrest.conf", "--stanza=bench", f"--pg1-path={into}")
    subprocess.run([*words, "--type=none", "restore"], check=True)
    seconds = time.monotonic() - begin
    size = size_of(into)
    shutil.rmtree(into)
    return size / seconds


def drdrill(folder: Path, into: Path) -> dict[str, Any]:
    """As `one` prints it, in a process of its own."""
    into.mkdir()
    drop_caches()
    words = [sys.executable, "-m", "benchmarks.restore", "--one", str(folder)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "INTO": str(into)})
    shutil.rmtree(into)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def one(folder: Path) -> int:
    """Restore beside, with all of its proof; print what it took, as JSON."""
    into, recorder = Path(os.environ["INTO"]), Memory()
    backup = Backup("bench", "pgbackrest", repository=folder / "repo", server="bench")
    said = Backups({"bench": backup}, 1, timedelta(hours=1), None, None, "", NEVER)
    restores = Restores(
        said, names=["bench"], values={}, label="bench", folder=into, kept=into / "kept", recorder=recorder
    )
    restores.carry_out(Asked(), seed="")
    end = next(data for kind, data in recorder.facts if kind == "restore.end")
    if end["outcome"] != "restored":
        print(f"{end['outcome']}: {end['why']}", file=sys.stderr)
        return 1
    parts = {data["part"]: data["seconds"] for kind, data in recorder.facts if kind == "restore.part"}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    size = next(data["bytes"] for kind, data in recorder.facts if kind == "restore.part" and data["part"] == "restore")
    print(json.dumps({"rate": size / parts["restore"], "parts": parts, "memory": memory, "size": end["size"]}))
    return 0


def as_server(*words: str | Path) -> None:
    account = ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups", "--"]
    said = [*(account if os.geteuid() == 0 else []), *map(str, words)]
    subprocess.run(said, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def tool(folder: Path, *words: str) -> None:
    as_server("/usr/bin/pgbackrest", f"--config={folder}/pgbackrest.conf", "--stanza=bench", *words)


def drop_caches() -> None:
    """Both read from the disk then, where we are let."""
    os.sync()
    with suppress(OSError):
        Path("/proc/sys/vm/drop_caches").write_text("3")


if __name__ == "__main__":
    sys.exit(main())
