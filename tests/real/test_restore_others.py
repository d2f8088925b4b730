"""Repositories that drdrill had no part in, by their owners' configurations: what habits have made of them."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.barman_servers import WITHIN as SOON
from tests.real.barman_servers import Server as Barmans
from tests.real.barman_servers import run as said
from tests.real.by_command import run_drill
from tests.real.first_verdict import comes_out_met
from tests.real.own_postgres import Server, everybodys, own, run

DRAWN = "A backup that nobody chose can be restored"
# Two repositories of one stanza: one encrypted and bundled, one neither; and options that are none of ours.
THEIRS = """\
# of the shop, since 2023
[global]
repo1-path = {first}
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass=their own pass phrase = with a sign
repo1-bundle=y
repo1-retention-full=1
repo2-path={second}
repo2-retention-full=4
repo2-retention-full-type=count
compress-type=zst
process-max=2
start-fast=y
log-level-file=off
log-path={folder}/lock
lock-path={folder}/lock
spool-path={folder}/lock

[global:archive-push]
compress-level=1

[shop]
pg1-path={folder}/data
pg1-socket-path={folder}
pg1-user=postgres
"""
BACKUPS = ((1, "full"), (1, "diff"), (1, "incr"), (2, "full"), (1, "full"), (1, "incr"), (2, "diff"))
ROWS = "INSERT INTO orders (note) SELECT g FROM generate_series(1, 500) g"


@pytest.fixture(scope="module")
def theirs() -> Iterator[tuple[Path, dict[int, int]]]:
    """The configuration, and how many backups each repository has: the first full one and its own have expired."""
    with everybodys() as top:
        folder, first, second = own(top / "server"), own(top / "repo"), own(top / "second")
        own(folder / "lock")
        config = top / "pgbackrest.conf"
        config.write_text(THEIRS.format(first=first, second=second, folder=folder))
        tool = f"pgbackrest --config={config} --stanza=shop"
        server = Server(folder, {"archive_mode": "on", "archive_command": f"{tool} archive-push %p"})
        try:
            server.make()
            run(*tool.split(), "stanza-create")
            server.sql("CREATE TABLE orders (id bigserial PRIMARY KEY, note text)")
            for repo, kind in (
                (1, "full"),
                (1, "diff"),
                (1, "incr"),
                (2, "full"),
                (1, "full"),
                (1, "incr"),
                (2, "diff"),
            ):
                server.sql(ROWS)
                run(*tool.split(), f"--repo={repo}", f"--type={kind}", "backup")
            server.sql(ROWS)
            server.switch()
            yield config, {1: 2, 2: 2}
        finally:
            server.stop()


def test_an_owners_repositories_of_pgbackrest(theirs: tuple[Path, dict[int, int]], tmp_path: Path) -> None:
    """The newest of both, by their configuration, and those that the auditor's words draw, of whatever kind."""
    config, number = theirs
    text = config.read_text()
    given: list[str | Path] = ["--config", config, "--server", "shop"]
    project = comes_out_met("pgbackrest", given, tmp_path, seen=r"orders takes .* and has 4000 rows now")
    assert f"{sum(number.values())} backups of PostgreSQL 15" in (project / "stack.yaml").read_text()
    taken = set()
    for word in ("one", "another", "a third"):
        verdict = run_drill(project, "--only", DRAWN, "--nonce", word)
        assert verdict.not_met("shop") == {}, verdict.ended.said
        taken.add(dict(verdict.findings["shop"]["backup-identity"]["beside"])["backup"])
    assert len(taken) > 1 and config.read_text() == text


# Barman of Debian 12


OLD = """\
[barman]
barman_home = {home}
barman_user = {user}
log_file = {home}/barman.log
immediate_checkpoint = true
compression = gzip
minimum_redundancy = 1
"""
ONE = """\
[{name}]
description = {name}
conninfo = host={folder} user=postgres dbname=postgres
backup_method = postgres
archiver = on
path_prefix = {bin}
{more}
"""
DEBIANS = "/usr/bin/python3"  # with python3-barman: whose programs are in no PATH, where drdrill would take them
MAIN = "import sys; from barman.cli import main; sys.exit(main())"


@pytest.fixture(scope="module")
def barman() -> Iterator[Path]:
    """Its configuration: two servers, each with two backups after one that was deleted; the second's are packed."""
    folder = Path(tempfile.mkdtemp(prefix="drdrill-barmans-", dir="/tmp"))
    folder.chmod(0o755)
    home, made = folder / "home", []
    try:
        config = folder / "barman.conf"
        config.write_text(OLD.format(home=home, user=pwd.getpwuid(os.geteuid()).pw_name))
        for name, more in (("orders", ""), ("users", "backup_compression = gzip")):
            server = Barmans(name, 15, folder / name, home / name / "incoming")
            server.incoming.mkdir(parents=True)
            server.incoming.chmod(0o777)
            made.append(server)
            server.make()
            with config.open("a") as file:
                file.write(ONE.format(name=name, folder=server.folder, bin=server.bin, more=more))
        for server in made:
            _back_up(server, config)
        yield config
    finally:
        for server in made:
            server.stop()
        shutil.rmtree(folder)


def _back_up(server: Barmans, config: Path) -> None:
    def barman(*words: str) -> str:
        return said(DEBIANS, "-W", "ignore", "-c", MAIN, "-c", config, *words, PYTHONPATH="")

    assert "3.4" in barman("--version")
    server.switch()
    barman("archive-wal", server.name)
    for _ in range(3):
        barman("backup", "--wait", "--wait-timeout", str(int(SOON.total_seconds())), server.name)
        server.sql("INSERT INTO t SELECT id, 'y' FROM generate_series(1, 500) id")
        server.switch()
        barman("archive-wal", server.name)
    barman("delete", server.name, "oldest")


@pytest.mark.parametrize("by", ["repository", "config"])
def test_two_servers_of_an_older_barman(barman: Path, tmp_path: Path, by: str) -> None:
    """Each is found and has a verdict of its own; the newest, and those that are drawn."""
    given: list[str | Path] = ["--repository", barman.parent / "home"]
    if by == "config":
        given = ["--config", barman, "--server", "orders", "--server", "users"]
    project = comes_out_met("barman", given, tmp_path, seen=r"t takes .* and has 2500 rows now")
    assert (project / "stack.yaml").read_text().count("2 backups of PostgreSQL 15") == 2
