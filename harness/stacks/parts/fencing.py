"""Whether a database server takes writes, and whether its manager holds it back: asked beside it, in its own zone.

A cut between zones hides nothing from whoever asks there.
"""

from __future__ import annotations

from datetime import timedelta

from harness.errors import DrillError
from harness.stacks.parts.member import COPY, PatroniMember
from harness.stacks.parts.postgres import PORT
from harness.system.command import Done

LIMIT = timedelta(seconds=8)
CONNECTS = 3  # seconds; a frozen server takes a connection, and says nothing on it
# Nobody listens, or nobody is let in any more: a server that shuts down fast, as Patroni has it, has ended its sessions
# and never goes back, however long it waits for its archiver in a zone that is cut off.
NOBODY = ("Connection refused", "No such file or directory", "the database system is shutting down")
WRITES = "SELECT NOT (pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool)"
# Any answer will do, also that the manager does not lead: a frozen one gives none.
ASK = """
import sys, urllib.error, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    opener.open(sys.argv[1], timeout=float(sys.argv[2]))
except urllib.error.HTTPError:
    pass
except OSError:
    sys.exit(1)
"""


def writable(member: PatroniMember) -> bool | None:
    """None where it may, and does not say so."""
    if not member.running():
        return False
    where = f"host={member.address} port={PORT} dbname=postgres user=postgres connect_timeout={CONNECTS}"
    psql = [*member.ground.program("psql"), "--no-psqlrc", "--no-align", "--tuples-only", f"--dbname={where}"]
    done = _beside(member, *psql, f"--command={WRITES}", env={"PGPASSWORD": member.password})
    if done is not None and done.ok:
        return done.out.strip() == "t"
    if done is not None and any(said in done.err for said in NOBODY):
        return False
    return False if is_copy(member) else None


def is_copy(member: PatroniMember) -> bool:
    """Whether its server was started to follow another, and was not promoted since: so its own files say."""
    return (member.data / COPY).exists()


def manager_answers(member: PatroniMember) -> bool:
    """Whether Patroni runs, and is not frozen."""
    program = member.ground.program("patroni")
    python = program[: program.index("-m")]
    done = _beside(member, *python, "-c", ASK, f"{member.rest}/patroni", str(CONNECTS))
    return done is not None and done.ok


def _beside(member: PatroniMember, *words: str, env: dict[str, str] | None = None) -> Done | None:
    """None where it did not end in time, could not begin, or nobody can be sent there."""
    commands = member.ground.commands
    try:
        return commands.run([*member.words(), *words], env=env, check=False, quiet=True, within=LIMIT)
    except DrillError:
        return None
