"""Whether a database server takes writes, and whether its manager holds it back: asked beside it, in its own zone.

A cut between zones hides nothing from whoever asks there.
"""

from __future__ import annotations

import json
import re
import select
from contextlib import closing
from datetime import timedelta

import psycopg

from harness.errors import DrillError
from harness.stacks.parts.ground import Beside
from harness.stacks.parts.member import COPY, PatroniMember
from harness.stacks.parts.postgres import PORT, dsn
from harness.system import clock
from harness.system.command import Done

LIMIT = timedelta(seconds=8)
CONNECTS = 3  # seconds; a frozen server takes a connection, and says nothing on it
NOBODY = ("Connection refused", "No such file or directory")  # listens
# Nobody is let in any more. A server that shuts down fast, as Patroni has it, has ended its sessions and never goes
# back, however long it waits for its archiver in a zone that is cut off. A smart shutdown lets sessions go on.
CLOSING = "the database system is shutting down"
HOW = re.compile(r"received (smart|fast|immediate) shutdown request")
WRITES = "SELECT NOT (pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool)"
# Any answer will do, also that the manager does not lead: a frozen one gives none. It says so where it is paused.
ASK = """
import sys, urllib.error, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    print(opener.open(sys.argv[1], timeout=float(sys.argv[2])).read().decode())
except urllib.error.HTTPError as answered:
    print(answered.read().decode())
except OSError:
    sys.exit(1)
"""


def writable(member: PatroniMember) -> bool | None:
    """None where it may, and does not say so. The server itself is asked: it may outlive its manager."""
    ground = member.ground
    address = ground.beside(member.zone) if isinstance(ground, Beside) else ""
    says, why = _asked_at(address, password=member.password) if address else _asked_inside(member)
    if says is not None:
        return says
    if any(said in why for said in NOBODY):
        return False
    if CLOSING in why and _ends_its_sessions(member):
        return False
    return False if is_copy(member) or not member.alive() else None


def _asked_inside(member: PatroniMember) -> tuple[bool | None, str]:
    """What it says, or why it does not; no word where nobody could be sent there."""
    where = f"host={member.address} port={PORT} dbname=postgres user=postgres connect_timeout={CONNECTS}"
    psql = [*member.ground.program("psql"), "--no-psqlrc", "--no-align", "--tuples-only", f"--dbname={where}"]
    done = _beside(member, *psql, f"--command={WRITES}", env={"PGPASSWORD": member.password})
    if done is None or not done.ok:
        return None, done.err if done else ""
    return done.out.strip() == "t", ""


def _asked_at(address: str, *, password: str) -> tuple[bool | None, str]:
    """The same, without a process for each question: whoever watches for a second writer asks all the time."""
    where = dsn(address, PORT, role="postgres", password=password, database="postgres")
    try:
        with closing(psycopg.connect(where, autocommit=True)) as connection:
            asked = connection.pgconn
            asked.send_query(WRITES.encode())
            until = clock.mono() + LIMIT // timedelta(microseconds=1) * 1000
            while asked.is_busy():  # a frozen server says nothing, and keeps the connection
                left = (until - clock.mono()) / 1e9
                if left <= 0 or not select.select([asked.socket], [], [], left)[0]:
                    return None, ""
                asked.consume_input()
            found = asked.get_result()
            said = found.get_value(0, 0) if found is not None and found.ntuples else None
            return (None, "") if said is None else (said == b"t", "")
    except psycopg.Error as error:
        return None, str(error)


def _ends_its_sessions(member: PatroniMember) -> bool:
    """Whether the shutdown that is under way is none of those that wait for sessions, by the server's own log."""
    try:
        asked = HOW.findall(member.database_log.read_text(errors="replace"))
    except OSError:
        return False
    return bool(asked) and asked[-1] != "smart"


def is_copy(member: PatroniMember) -> bool:
    """Whether its server was started to follow another, and was not promoted since: so its own files say."""
    return (member.data / COPY).exists()


def why_no_copy(member: PatroniMember) -> str:
    """Why it is not sure that its Patroni makes it a copy where another leads; empty where it is.

    Where neither runs, it comes back as its Patroni says, which starts it as a copy. A server that is a copy on its own
    disk has never led: with its Patroni or without, it goes on as one.
    """
    if is_copy(member):
        return ""
    if not member.running():
        return "its PostgreSQL runs without its Patroni" if member.alive() else ""
    program = member.ground.program("patroni")
    python = program[: program.index("-m")]
    done = _beside(member, *python, "-c", ASK, f"{member.rest}/patroni", str(CONNECTS))
    if done is None or not done.ok:
        return "its Patroni does not answer"
    try:
        paused = json.loads(done.out).get("pause")
    except (ValueError, AttributeError):
        return ""
    return "its Patroni is paused, and lets it do what it does" if paused else ""


def _beside(member: PatroniMember, *words: str, env: dict[str, str] | None = None) -> Done | None:
    """None where it did not end in time, could not begin, or nobody can be sent there."""
    commands = member.ground.commands
    try:
        return commands.run([*member.words(), *words], env=env, check=False, quiet=True, within=LIMIT)
    except DrillError:
        return None
