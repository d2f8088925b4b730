"""The parts of the backups that need no database: positions in the archive, records, certificates, quoting."""

from __future__ import annotations

import json
import shlex
import socket
import ssl
import stat
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import Refused
from harness.stacks.backup_tools import vault
from harness.stacks.backup_tools.barman import fetch, info
from harness.stacks.backup_tools.barman.backups import BarmanBackups
from harness.stacks.capabilities.backups import Backup, Branch
from harness.stacks.parts import wal
from harness.stacks.parts.bucket import Stored
from harness.stacks.parts.s3 import S3Server
from harness.stacks.parts.tls import Issued, make_authority
from harness.system.command import Commands
from harness.system.recorder import Memory
from tests.one_host import one_host

INFO = """backup_label=None
begin_time=2026-11-23 21:25:04.000000+00:00
begin_wal=000000010000000000000003
begin_xlog=0/3000028
end_time=2026-11-23 22:25:07.000000+01:00
end_xlog=0/3000120
status={status}
"""


def names(timeline: int, first: int, last: int) -> set[str]:
    return {wal.segment_name(timeline, number) for number in range(first, last + 1)}


def reached(names: set[str], *origins: str, histories: Mapping[int, Sequence[Branch]] | None = None) -> tuple[int, int]:
    """The segment, and the byte in it, up to which the archive is complete."""
    return divmod(wal.complete_until(names, histories=histories or {}, origins=origins), wal.SEGMENT)


@given(timeline=st.integers(1, 2**32 - 1), number=st.integers(0, 2**40 - 2))
def test_the_name_of_a_segment_gives_back_its_timeline_and_number(timeline: int, number: int) -> None:
    """Names are PostgreSQL's: 24 hexadecimal digits, ordered as the positions are."""
    name = wal.segment_name(timeline, number)
    assert wal.is_segment(name)
    assert wal.segment_at(name) == (timeline, number)
    assert wal.segment_name(timeline, number + 1) > name


@given(at=st.integers(0, 2**64 - 1))
def test_an_lsn_gives_back_its_position(at: int) -> None:
    """The text is the one that PostgreSQL prints."""
    assert wal.position(wal.lsn(at)) == at


def test_what_postgresql_prints_is_understood() -> None:
    """Positions, segments and histories as they stand in PostgreSQL's documentation and logs."""
    assert wal.position("16/B374D848") == 0x16B374D848
    assert wal.segment_at("000000010000000A000000FF") == (1, 0xAFF)
    assert wal.history_of("0000000B.history") == 11
    assert wal.history_of("000000010000000000000003") == 0
    assert not wal.is_segment("000000010000000000000003.00000028.backup")
    assert not wal.is_segment("000000010000000000000003.partial")
    history = "1\t0/5000000\tbefore transaction 755\n\n2\t0/7000100\tno recovery target specified\n"
    assert wal.branches(history) == (Branch(1, 0x5000000), Branch(2, 0x7000100))


def test_an_empty_archive_is_complete_up_to_nothing() -> None:
    """Nothing archived, nothing safe."""
    assert reached(set()) == (0, 0)


def test_the_archive_is_complete_up_to_its_first_gap() -> None:
    """What lies behind a gap cannot be reached by a recovery."""
    assert reached(names(1, 3, 9)) == (10, 0)
    assert reached(names(1, 3, 5) | names(1, 7, 9)) == (6, 0)


def test_a_gap_before_the_newest_backup_does_not_matter() -> None:
    """A recovery begins with the newest backup, and needs nothing older."""
    archive = names(1, 3, 5) | names(1, 7, 9)
    assert reached(archive, wal.segment_name(1, 3), wal.segment_name(1, 7)) == (10, 0)
    assert reached(archive, wal.segment_name(1, 3)) == (6, 0)


def test_a_backup_whose_first_segment_is_not_archived_yet_is_safe_up_to_its_beginning() -> None:
    """Everything before the backup began is in the backup itself."""
    assert reached(names(1, 3, 5), wal.segment_name(1, 6)) == (6, 0)


def test_a_timeline_goes_on_where_it_branched() -> None:
    """The new timeline's segments follow the old one's, whose later segments do not count."""
    histories = {2: (Branch(1, 5 * wal.SEGMENT + 100),)}
    old, origin = names(1, 3, 9), wal.segment_name(1, 3)
    assert reached(old | names(2, 5, 7), origin, histories=histories) == (8, 0)
    assert reached(old | names(2, 6, 7), origin, histories=histories) == (5, 100)
    assert reached(old, origin, histories=histories) == (5, 100)
    assert reached(names(1, 3, 4), origin, histories=histories) == (5, 0)


def test_a_timeline_without_its_history_does_not_count() -> None:
    """Nobody can recover along a timeline whose history is not archived."""
    assert reached(names(1, 3, 5) | names(2, 5, 9), wal.segment_name(1, 3)) == (6, 0)


def test_a_backup_of_an_abandoned_timeline_is_no_beginning() -> None:
    """After a recovery to an earlier point, the backup taken later on the old timeline leads nowhere."""
    histories = {2: (Branch(1, 5 * wal.SEGMENT + 100),)}
    archive = names(1, 3, 9) | names(2, 5, 7)
    assert reached(archive, wal.segment_name(1, 3), wal.segment_name(1, 8), histories=histories) == (8, 0)


def test_the_way_to_a_timeline_leaves_out_what_it_does_not_descend_from() -> None:
    """What an old leader archived behind the branch is not read, whatever its number."""
    past = (Branch(1, 5 * wal.SEGMENT + 100),)
    archive = names(1, 3, 9) | names(2, 5, 7) | {"00000002.history", "00000001000000000000000A.partial"}
    assert wal.on_path(archive, newest=2, past=past) == [*sorted(names(1, 3, 4)), *sorted(names(2, 5, 7))]
    assert wal.on_path(archive, newest=1, past=()) == sorted(names(1, 3, 9))
    assert wal.between(4 * wal.SEGMENT + 1, 6 * wal.SEGMENT, newest=2, past=past) == [
        wal.segment_name(1, 4),
        wal.segment_name(2, 5),
    ]


def test_where_the_new_copy_of_the_segment_of_the_branch_is_missing_the_old_one_is_read() -> None:
    """It holds everything up to the branch."""
    past = (Branch(1, 5 * wal.SEGMENT + 100),)
    assert wal.on_path(names(1, 3, 9), newest=2, past=past) == sorted(names(1, 3, 5))


def test_listing_goes_on_behind_the_last_segment_without_a_gap() -> None:
    """Names are not listed again once nothing before them can be missing."""
    listed = wal.Listed(names=names(1, 3, 5) | names(1, 7, 8), origins=[wal.segment_name(1, 3)])
    assert listed.complete_until() == 6 * wal.SEGMENT
    assert listed.last == wal.segment_name(1, 5)
    listed.names |= names(1, 6, 6)
    assert listed.complete_until() == 9 * wal.SEGMENT


def test_a_backup_is_read_from_what_barman_wrote() -> None:
    """Times are in UTC, and a backup that is not complete is none."""
    objects = [Stored("b/data.tar", 10), Stored("b/backup.info", 5)]
    found = info.from_barman("b", INFO.format(status="DONE"), objects)
    assert found == Backup(
        id="b",
        began=datetime(2026, 11, 23, 21, 25, 4, tzinfo=UTC),
        ended=datetime(2026, 11, 23, 21, 25, 7, tzinfo=UTC),
        first_file="000000010000000000000003",
        begin=0x3000028,
        end=0x3000120,
        objects=("b/backup.info", "b/data.tar"),
        size=15,
    )
    assert info.from_barman("b", INFO.format(status="STARTED"), objects) is None
    assert info.from_barman("b", "", []) is None
    record = vault.record(found, {"b/data.tar": "aa", "b/backup.info": "bb"})
    assert vault.from_record(vault.recorded(record)) == found


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"v": 2}', b"\xff\xfe"])
def test_what_is_no_record_counts_as_no_record(content: bytes | None) -> None:
    """A damaged record must not stop the check that names what it was for."""
    assert vault.recorded(content) == {}


def test_a_certificate_is_valid_for_its_hosts_and_for_no_other(tmp_path: Path) -> None:
    """TLS is really verified: by name, by address, and against this authority only."""
    authority = make_authority(tmp_path / "tls")
    chain, key = authority.issue("s3", ["127.0.0.1", "s3.test"])
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert handshake(chain, key, ca=authority.ca, host="127.0.0.1") == ""
    assert handshake(chain, key, ca=authority.ca, host="s3.test") == ""
    assert "match" in handshake(chain, key, ca=authority.ca, host="other.test")
    assert "match" in handshake(chain, key, ca=authority.ca, host="127.0.0.2")
    stranger = make_authority(tmp_path / "stranger")
    assert "verify failed" in handshake(chain, key, ca=stranger.ca, host="s3.test")


def test_another_process_finds_what_was_issued_and_can_issue_nothing(tmp_path: Path) -> None:
    """The authority's key is in no file, so a certificate that was never issued is refused."""
    authority = make_authority(tmp_path)
    issued = authority.issue("api", ["api.test"])
    found = Issued(tmp_path)
    assert found.issue("api", ["api.test"]) == issued
    assert handshake(*issued, ca=found.ca, host="api.test") == ""
    assert [path.name for path in tmp_path.glob("*.key")] == ["api.key"]
    with pytest.raises(Refused):
        found.issue("s3", ["s3.test"])


def handshake(chain: Path, key: Path, *, ca: Path, host: str) -> str:
    """What the client says of the server's certificate, "" when it accepts it."""
    near, far = socket.socketpair()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, key)

    def serve() -> None:
        try:
            server.wrap_socket(far, server_side=True).close()
        except (ssl.SSLError, OSError):
            far.close()  # the client has refused, and says why itself

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        ssl.create_default_context(cafile=str(ca)).wrap_socket(near, server_hostname=host).close()
    except ssl.SSLError as error:
        near.close()
        return str(error)
    finally:
        serving.join()
    return ""


def test_the_commands_survive_the_shell_and_postgresqls_percent_signs(tmp_path: Path) -> None:
    """A run folder with a blank, a quote or a percent sign in its path makes the same command."""
    folder = tmp_path / "a b'c%p"
    commands = Commands(Memory(), label="x")
    server = S3Server(one_host(folder, commands), authority=make_authority(tmp_path / "tls"), port=1)
    backups = BarmanBackups(
        vault=vault.Vault(server.bucket),
        env=server.env(),
        commands=commands,
        folder=folder,
        source_dsn=lambda: "",
        as_database_user=lambda argv: argv,
    )
    archive = shlex.split(by_postgresql(backups.archive_command(), p="pg_wal/0001", f="0001"))
    assert archive[-2:] == [str(folder / "archive.json"), "pg_wal/0001"]
    words = shlex.split(by_postgresql(backups.fetch_command(), p="pg_wal/X", f="0001"))
    assert words[-4:] == [str(folder / "archive.json"), "0001", "pg_wal/X", "fetched_wal"]
    assert (
        json.loads(Path(words[-4]).read_text())["wal_url"]
        == "s3://quantumnest-backups-prod/database-backups/wal-archives"
    )


def by_postgresql(command: str, *, p: str, f: str) -> str:
    """The command with its percent signs replaced, as PostgreSQL does it."""
    return "%".join(part.replace("%p", p).replace("%f", f) for part in command.split("%%"))


def test_a_segment_that_waits_is_handed_over_without_asking_the_store(tmp_path: Path) -> None:
    """Settings that lead nowhere do no harm, since nothing is fetched."""
    spool, target = tmp_path / "spool", tmp_path / "target"
    spool.mkdir()
    (spool / "000000010000000000000003").write_bytes(b"wal")
    assert fetch.main({}, "000000010000000000000003", target, spool) == 0
    assert target.read_bytes() == b"wal"
    assert list(spool.iterdir()) == []


def test_an_ordered_end_hides_what_is_archived_from_there_on(tmp_path: Path) -> None:
    """Whatever its timeline, and even where it waits in the spool already; what lies before is handed over."""
    for name in ("000000010000000000000003", "000000010000000100000000"):
        (tmp_path / name).write_bytes(b"wal")
    ordered = "000000010000000000000004"
    for name in (ordered, "000000010000000100000000", "000000020000000000000004"):
        assert fetch.main({}, name, tmp_path / "target", tmp_path, ordered) == 1
    assert fetch.main({}, "000000010000000000000003", tmp_path / "target", tmp_path, ordered) == 0


def test_whatever_goes_wrong_is_not_taken_for_the_end_of_the_archive(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Only an exit code above 125 makes PostgreSQL stop instead of ending the recovery early."""
    assert fetch.main({}, "000000010000000000000003", tmp_path / "target", tmp_path / "spool") > 125
    assert "must not go on" in capfd.readouterr().err
