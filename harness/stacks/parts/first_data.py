"""The data directories of a new stack: made once, loaded, and copied while the database is cleanly stopped.

So that a stack starts fast: three members begin with the same bytes, and Patroni finds them as it finds the
directories of a cluster that was switched off. fsync is off only in here, before anything is promised to anybody.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import timedelta

import psycopg

from harness.stacks.parts.ground import Ground, Runs
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.postgres import PORT, Roles, dsn, logging
from harness.stacks.stand_in import DATABASE, history
from harness.system import wait

LOAD_LIMIT = timedelta(minutes=10)
START_LIMIT = timedelta(seconds=30)
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "1GB",
    "wal_keep_size": "0",
    "min_wal_size": "32MB",
    "maintenance_work_mem": "256MB",
    "work_mem": "128MB",
    "shared_buffers": "128MB",
    "track_commit_timestamp": "on",
    "wal_log_hints": "on",
    "max_connections": "100",
    "autovacuum": "off",
    "password_encryption": "scram-sha-256",
}


def make_first_data(
    ground: Ground, members: Sequence[PatroniMember], *, roles: Roles, transactions: int, checksums: bool = True
) -> None:
    """Fill the data directory of every member. Errors: `CommandFailed`, `NotInTime`."""
    first, *others = members
    _initdb(ground, first, roles)
    values = {**FAST, **logging("postgresql.log"), "listen_addresses": ground.listen(first.zone), "port": str(PORT),
              "unix_socket_directories": str(first.sockets),
              "log_directory": str(first.database_log.parent)}  # fmt: skip  # a table
    with (first.data / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 0.0.0.0/0 scram-sha-256\n")
    words = [word for key, value in values.items() for word in ("-c", f"{key}={value}")]
    argv = [*ground.program("postgres"), "-D", str(first.data), *words]
    server = ground.unit("first-data", zone=first.zone, runs=Runs.DATABASE, argv=lambda: argv)
    server.start()
    target = dsn(first.address, PORT, role="postgres", password=roles.postgres, database="postgres")

    def answers() -> bool:
        try:
            with psycopg.connect(target, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError:
            server.must_run()
            return False
        return True

    wait.until(answers, what="the first database starts", within=START_LIMIT, recorder=ground.commands.recorder)
    target = dsn(first.address, PORT, role="postgres", password=roles.postgres)
    with psycopg.connect(target, autocommit=True) as connection:
        history.load(connection, passwords=roles.all(), transactions=transactions)
    stop = [*ground.program("pg_ctl"), "-D", str(first.data), "-m", "fast", "-w", "stop"]
    ground.commands.run([*first.words(), *stop], within=LOAD_LIMIT)
    server.kill()
    if not checksums:
        ground.commands.run([*first.words(), *ground.program("pg_checksums"), "--disable", "-D", str(first.data)])
    for other in others:
        shutil.copytree(first.data, other.data)
        other.own_volume()


def _initdb(ground: Ground, member: PatroniMember, roles: Roles) -> None:
    member.own_volume()
    word = member.folder / "password"
    word.touch(mode=0o600)
    word.write_text(roles.postgres)
    ground.own(word)
    try:
        ground.commands.run(
            [
                *(*member.words(), *ground.program("initdb"), "-D", str(member.data), "--username=postgres"),
                *(f"--pwfile={word}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync", "--no-instructions"),
                *ground.initdb,
            ]
        )
    finally:
        word.unlink()
