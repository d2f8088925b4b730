"""Backups by pgBackRest: what its answers are taken for, and what it is given. Recorded of 2.45 and 2.60."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.errors import DrillError, NotReady, Refused, Unable
from harness.restores import Kept, Point
from harness.restores.described import S3, Backup
from harness.restores.sources.pgbackrest import PgBackRest
from harness.restores.sources.pgbackrest_tool import told
from harness.system.command import CommandFailed
from tests.recorded_commands import Answer, BarePlace, Plainly, Recorded

FULL, DIFF = "20261130-102803F", "20261130-102803F_20261130-102805D"
WITHIN = timedelta(minutes=1)


def entry(label: str = FULL, **more: Any) -> dict[str, Any]:
    """A backup, as 2.45 has it."""
    return {
        "archive": {"start": "000000010000000000000002", "stop": "000000010000000000000002"},
        "backrest": {"format": 5, "version": "2.45"}, "database": {"id": 1, "repo-key": 1}, "error": False,
        "info": {"delta": 24745667, "repository": {"delta": 3622209, "size": 3622209}, "size": 24745667},
        "label": label, "lsn": {"start": "0/2000028", "stop": "0/2000100"}, "prior": None, "reference": None,
        "timestamp": {"start": 1796034483, "stop": 1796034485}, "type": "full", **more,
    }  # fmt: skip  # as it is printed


def incremental() -> dict[str, Any]:
    """A block-incremental one, as 2.60 has it: nothing says how much all of it takes in the repository."""
    return entry(
        DIFF, backrest={"format": 5, "version": "2.60.0"}, reference=[FULL], prior=FULL, type="incr",
        info={"delta": 2924802, "repository": {"delta": 20192, "delta-map": 2256, "size-map": 26072}, "size": 25266913},
        timestamp={"start": 1796034783, "stop": 1796034784},
    )  # fmt: skip  # as it is printed


def stanza(*backups: Mapping[str, Any], code: int = 0, message: str = "ok", **more: Any) -> dict[str, Any]:
    status = {"code": code, "message": message}
    return {
        "archive": [{"database": {"id": 1, "repo-key": 1}, "id": "15-1", "max": "", "min": ""}],
        "backup": list(backups), "cipher": "none", "name": "main",
        "db": [{"id": 1, "repo-key": 1, "system-id": 7713909358888659484, "version": "15"}],
        "repo": [{"cipher": "none", "key": 1, "status": status}], "status": status, **more,
    }  # fmt: skip  # as it is printed


def source(
    answers: Mapping[str, Answer], *, programs: Plainly | None = None, values: Mapping[str, str] | None = None,
    **more: Any,
) -> tuple[PgBackRest, Recorded]:  # fmt: skip  # parameters in groups
    commands = Recorded({r"version$": "pgBackRest 2.45\n", **answers})
    described = Backup("shop", "pgbackrest", **{"server": "main", **more})
    return PgBackRest(described, programs=programs or Plainly(), commands=commands, values=values or {}), commands


def info(*backups: Mapping[str, Any], **more: Any) -> dict[str, Answer]:
    return {r" info$": json.dumps([stanza(*backups, **more)])}


def test_the_catalogue_is_the_tools_own(tmp_path: Path) -> None:
    """Oldest first, with times, sizes, the version and the system, and a digest of each entry."""
    known = [incremental(), entry()]
    found = source(info(*known), repository=tmp_path)[0].catalogue()
    full, incr = found
    assert (full.id, incr.id) == (FULL, DIFF)
    assert (full.began, full.ended) == (
        datetime.fromtimestamp(1796034483, UTC), datetime.fromtimestamp(1796034485, UTC),
    )  # fmt: skip  # two times
    assert (full.version, full.form, full.kind, full.system) == (15, "files", "full", "7713909358888659484")
    assert (full.size, full.stored, incr.size, incr.stored) == (24745667, 3622209, 25266913, 20192)
    assert (incr.kind, incr.facts["needs"], full.facts["needs"]) == ("incremental", FULL, "")
    canonical = json.dumps(known[1], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    assert (full.digest, full.digest_of) == (hashlib.sha256(canonical.encode()).hexdigest(), "the catalogue's entry")
    assert full.digest != incr.digest
    assert (full.sound, full.facts["segment"], full.facts["archives"]) == ("", str(16 << 20), "15-1")


def test_a_backup_that_was_wrong_when_it_was_taken_says_so(tmp_path: Path) -> None:
    """Its catalogue has an error on it."""
    found = source(info(entry(error=True)), repository=tmp_path)[0].catalogue()
    assert found[0].sound == "pages did not match their checksums when it was taken"


def test_each_backup_is_of_its_own_system(tmp_path: Path) -> None:
    """After an upgrade the same stanza has two; the archive of the older one is not the newer one's."""
    upgraded = stanza(entry(), entry("20261201-000000F", database={"id": 2, "repo-key": 1}))
    upgraded["db"].append({"id": 2, "repo-key": 1, "system-id": 8, "version": "18"})
    upgraded["archive"].append({"database": {"id": 2, "repo-key": 1}, "id": "18-2", "max": "", "min": ""})
    found = source({r" info$": json.dumps([upgraded])}, repository=tmp_path)[0].catalogue()
    assert [(each.version, each.system, each.facts["archives"]) for each in found] == [
        (15, "7713909358888659484", "15-1"), (18, "8", "18-2"),
    ]  # fmt: skip  # one line each


def test_a_repository_without_a_backup_is_empty(tmp_path: Path) -> None:
    """Where it says so itself."""
    assert source(info(code=2, message="no valid backups"), repository=tmp_path)[0].catalogue() == []


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        (1, "missing stanza path", "missing stanza path"),
        (3, "missing stanza data", "missing stanza data"),
        (99, "[CryptoError] unable to load info file '/r/backup.info':\nCryptoError: cipher header invalid\nHINT: x",
         "unable to load info file '/r/backup.info':; CryptoError: cipher header invalid"),
    ],
)  # fmt: skip  # one case each
def test_what_cannot_be_read_is_never_empty(tmp_path: Path, code: int, message: str, said: str) -> None:
    """A stanza that is not there, a wrong pass phrase: pgBackRest exits 0 with each."""
    with pytest.raises(NotReady) as error:
        source(info(code=code, message=message), repository=tmp_path)[0].catalogue()
    assert said in error.value.message and "HINT" not in error.value.message


def test_one_unreadable_repository_of_two_is_told(tmp_path: Path) -> None:
    """Though all of it is only called mixed."""
    both = stanza(entry(), code=4, message="different across repos")
    both["repo"] = [{"key": 1, "status": {"code": 0, "message": "ok"}},
                    {"key": 2, "status": {"code": 99, "message": "[HostConnectError] timeout"}}]  # fmt: skip  # a list
    with pytest.raises(NotReady, match="HostConnectError"):
        source({r" info$": json.dumps([both])}, repository=tmp_path)[0].catalogue()
    both["repo"][1]["status"] = {"code": 2, "message": "no valid backups"}
    assert len(source({r" info$": json.dumps([both])}, repository=tmp_path)[0].catalogue()) == 1


def test_an_error_of_the_program_is_told(tmp_path: Path) -> None:
    """In its own words, without its hints."""
    err = "ERROR: [039]: permission denied\n       HINT: look\n"
    with pytest.raises(NotReady) as error:
        source({r" info$": (39, "", err)}, repository=tmp_path)[0].catalogue()
    assert error.value.message.endswith("[039]: permission denied")
    with pytest.raises(NotReady, match="no JSON"):
        source({r" info$": "WARN: what?\n"}, repository=tmp_path)[0].catalogue()


def test_the_only_stanza_need_not_be_named(tmp_path: Path) -> None:
    """Of two, one has to be."""
    one, _ = source(info(entry()), repository=tmp_path, server="")
    assert [kept.id for kept in one.catalogue()] == [FULL]
    two = json.dumps([stanza(entry()), stanza(name="other")])
    with pytest.raises(Refused, match="several stanzas: main, other"):
        source({r" info$": two}, repository=tmp_path, server="")[0].catalogue()
    with pytest.raises(NotReady, match="no stanza"):
        source({r" info$": "[]"}, repository=tmp_path, server="")[0].catalogue()


@pytest.mark.parametrize("said", ["pgBackRest 2.39\n", "what?\n"])
def test_a_program_that_is_too_old_or_another(tmp_path: Path, said: str) -> None:
    """It is not asked."""
    with pytest.raises(Unable):
        source({**info(entry())} | {r"version$": said}, repository=tmp_path)[0].catalogue()


# What it is given


def test_the_repository_is_read_only_and_reaches_nothing(tmp_path: Path) -> None:
    """The folder is handed as one that is only read."""
    programs = Plainly()
    asked, commands = source(info(entry()), programs=programs, repository=tmp_path)
    asked.catalogue()
    assert ("pgbackrest", (tmp_path,), False) in programs.asked
    assert asked.read_only == "mounted read-only"
    mode, text = commands.files[0]
    assert mode == 0o600
    assert f"repo1-path={tmp_path}\n" in text and "spool-path=/" in text and "lock-path=/" in text


def test_secrets_are_in_a_file_alone() -> None:
    """And that is of mode 600, and gone afterwards."""
    s3 = S3("https://store.example:9000", "eu-1", Path("/ca.pem"), "reader", "${secret:KEY}")
    programs = Plainly()
    asked, commands = source(info(entry()), programs=programs, values={"secret:KEY": "s3cret"},
                             repository="s3://vault/shop/db", s3=s3)  # fmt: skip  # arguments in groups
    asked.catalogue()
    mode, text = commands.files[0]
    assert mode == 0o600 and asked.read_only == ""
    for line in ("repo1-path=/shop/db", "repo1-s3-bucket=vault", "repo1-s3-endpoint=store.example",
                 "repo1-storage-port=9000", "repo1-s3-uri-style=path", "repo1-storage-ca-file=/ca.pem",
                 "repo1-s3-key=reader", "repo1-s3-key-secret=s3cret"):  # fmt: skip  # a list
        assert f"{line}\n" in text
    assert not any("s3cret" in word for words in commands.ran for word in words)
    assert all(network for program, _, network in programs.asked if program == "pgbackrest" and _)


def test_s3_without_a_certificate_cannot_be_had() -> None:
    """PgBackRest speaks https alone."""
    with pytest.raises(Unable, match="https alone"):
        source(info(entry()), repository="s3://vault", s3=S3("http://store.example"))[0].catalogue()
    with pytest.raises(Refused, match="more than one line"):
        source(info(entry()), repository="s3://vault", s3=S3(key="a", secret="b\nrepo1-host=x"))[0].catalogue()


THEIRS = """\
[global]
repo1-path={repo}
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass=pass phrase
repo2-type=s3
repo2-path=/far
repo2-s3-bucket=vault
process-max=9
spool-path=/var/spool/pgbackrest
archive-async=y
# a remark=1
[global:restore]
link-map=pg_wal=/original/wal
[main]
pg1-host=original
pg1-path=/original/data
tablespace-map=fast=/original/ts
recovery-option=primary_conninfo=host=original
db-include=one
repo1-retention-full=7
[other]
repo1-path=/elsewhere
"""


def test_of_the_owners_configuration_only_repositories_are_taken_over(tmp_path: Path) -> None:
    """Nothing that leads out of the place: no host, no link, no tablespace, no setting of a recovery, no spool."""
    file = tmp_path / "theirs.conf"
    file.write_text(THEIRS.format(repo=tmp_path / "repo"))
    asked, commands = source(info(entry()), config=file, repository=tmp_path / "repo")
    asked.catalogue()
    text = commands.files[0][1]
    assert "repo1-cipher-pass=pass phrase\n" in text and f"repo1-path={tmp_path / 'repo'}\n" in text
    for word in ("original", "/var/spool", "archive-async", "db-include", "repo2-", "process-max=9", "/elsewhere"):
        assert word not in text
    with pytest.raises(Refused, match=r"has no repository /nowhere: it has .*repo, s3://vault/far"):
        source(info(entry()), config=file, repository=Path("/nowhere"))[0].catalogue()
    with pytest.raises(NotReady, match="No such file"):
        source(info(entry()), config=tmp_path / "gone.conf")[0].catalogue()


def test_the_inventory_of_what_only_the_tool_reaches(tmp_path: Path) -> None:
    """A folder is walked; what is in S3 the tool lists."""
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "a").write_text("abc")
    file = tmp_path / "theirs.conf"
    file.write_text(THEIRS.format(repo=tmp_path / "repo"))
    listed = {".": {"type": "path"}, "b/c": {"type": "file", "size": 5, "time": 1796034483}}
    found = source({r"--repo=2 .* repo-ls$": json.dumps(listed)}, config=file)[0].inventory()
    assert set(found) == {"repo1/a", "repo2/b/c"}
    assert found["repo2/b/c"] == "5 bytes, changed 1796034483"
    alone = source({}, repository=tmp_path / "repo")[0].inventory()
    assert list(alone) == ["a"]


# What it brings


SEGMENTS = {f"{n:024X}".replace("0" * 8, "00000001", 1): bytes([n]) * 64 for n in (2, 3, 4)}
ARCHIVE = {
    f"0000000100000000/{name}-{hashlib.sha1(content).hexdigest()}.gz": {"type": "file", "size": 1, "time": 1}
    for name, content in SEGMENTS.items()
}


def getting(contents: Mapping[str, bytes]) -> Callable[[tuple[str, ...]], tuple[int, str, str]]:
    """As the shell does it, that fetches a list of files."""

    def run(words: tuple[str, ...]) -> tuple[int, str, str]:
        listed, into = Path(words[4]), Path(words[5])
        for name in listed.read_text().split():
            if name in contents:
                (into / name).write_bytes(contents[name])
        return 0, "", ""

    return run


def brought(tmp_path: Path, answers: Mapping[str, Answer], one: Mapping[str, Any] | None = None) -> Any:
    known = one or entry()
    alone = {**known, "tablespace": [{"destination": "/ts", "name": "fast/er", "oid": 16384}]}
    all_of_them: dict[str, Answer] = {
        r"--set=.* info$": json.dumps([stanza(alone)]), **info(known),
        r"repo-ls archive/main/15-1$": json.dumps(ARCHIVE), r"restore$": "", r"archive-get": getting(SEGMENTS),
    }  # fmt: skip  # in groups
    asked, commands = source(all_of_them | dict(answers), repository=tmp_path / "repo")
    place = BarePlace(tmp_path / "place", 15)
    kept = asked.catalogue()[0]
    return asked.bring(kept, place, point=Point(), within=WITHIN), commands, asked.needs(kept)


def test_a_backup_and_its_archive(tmp_path: Path) -> None:
    """Tablespaces are inside of the place, by their numbers, and the archive is plain files."""
    done, commands, needs = brought(tmp_path, {})
    place = tmp_path / "place"
    words = next(words for words in commands.ran if words[-1] == "restore")
    assert f"--set={FULL}" in words and "--type=none" in words and "--repo=1" in words
    assert f"--tablespace-map=16384={place}/tablespaces/16384" in words
    assert needs.tablespaces == ["fast/er"]
    assert f"pg1-path={place}/data\n" in next(text for _, text in commands.files if "pg1-path" in text)
    assert done.said == [] and done.wal == place / "wal" and done.archive_end == "000000010000000000000004"
    assert {path.name: path.read_bytes() for path in done.wal.iterdir()} == SEGMENTS
    assert [part.name for part in done.parts] == ["restore", "fetch"] and done.parts[1].bytes == 192
    assert done.archive_seen is not None


def test_a_damaged_piece_and_one_that_cannot_be_had_are_told(tmp_path: Path) -> None:
    """Neither is the archive's end."""
    done, _, _ = brought(tmp_path, {r"archive-get": getting(SEGMENTS | {"000000010000000000000003": b"x"})})
    assert done.said == ["000000010000000000000003 of the archive is damaged: its SHA-1 is another"]
    assert done.archive_end == "000000010000000000000004"


def test_a_piece_that_cannot_be_fetched_is_told(tmp_path: Path) -> None:
    """With what the tool said of it."""

    def failing(words: tuple[str, ...]) -> tuple[int, str, str]:
        without = getting({name: content for name, content in SEGMENTS.items() if name[-1] != "3"})
        return without(words)[0], "", "P00  ERROR: [029]: unexpected eof in compressed data\n"

    done, _, _ = brought(tmp_path, {r"archive-get": failing})
    assert "000000010000000000000003 is in the archive, and could not be read from it" in done.said
    assert "pgbackrest: ERROR: [029]: unexpected eof in compressed data" in done.said


def test_a_backup_without_its_log_fails_before_it_is_restored(tmp_path: Path) -> None:
    """It is named what is missing."""
    without = {name: one for name, one in ARCHIVE.items() if "000000010000000000000002-" not in name}
    with pytest.raises(DrillError, match="without its write-ahead log: 000000010000000000000002 is not in the archive"):
        brought(tmp_path, {r"repo-ls archive/main/15-1$": json.dumps(without)})


def test_a_gap_is_told(tmp_path: Path) -> None:
    """In the middle of the archive."""
    gapped = {name: one for name, one in ARCHIVE.items() if "000000010000000000000003-" not in name}
    done, _, _ = brought(tmp_path, {r"repo-ls archive/main/15-1$": json.dumps(gapped)})
    assert done.said == [
        "000000010000000000000003 is missing in the middle of the archive: what comes behind it cannot be reached"
    ]


def test_a_backup_of_a_server_that_was_down_needs_no_log(tmp_path: Path) -> None:
    """Its catalogue names none."""
    done, _, _ = brought(tmp_path, {}, entry(archive={"start": None, "stop": None}, lsn={"start": None, "stop": None}))
    assert (done.wal, done.archive_end) == (None, "")


def test_a_restore_that_fails_says_what_the_tool_said(tmp_path: Path) -> None:
    """A damaged file is a failure; what a newer tool made, or of a newer PostgreSQL, is none: it was not looked at."""
    err = "P01  ERROR: [029]: error restoring '/d/base/1': actual checksum 'a' does not match expected checksum 'b'\n"
    with pytest.raises(CommandFailed, match="actual checksum 'a' does not match"):
        brought(tmp_path / "1", {r"restore$": (29, "", err)})
    with pytest.raises(Unable, match=r"made by pgBackRest 2.60.0 .* is not restored by pgBackRest 2.45"):
        brought(tmp_path / "2", {r"restore$": (29, "", err)}, incremental())
    new = "ERROR: [046]: invalid PostgreSQL version 180000\n       HINT: is this version of PostgreSQL supported?\n"
    with pytest.raises(Unable, match="invalid PostgreSQL version 180000"):
        brought(tmp_path / "3", {r"restore$": (46, "", new)})


def test_what_the_tool_warned_of_is_told() -> None:
    """But for what leaves nothing out."""
    text = (
        "WARN: file link 'postgresql.conf' will be restored as a file at the same location\n"
        "P01   WARN: page checksum mismatch\n"
        "WARN: configuration file contains invalid option 'repo1-new'\n"
        "P00   INFO: restore command end\n"
    )
    assert told(text) == ["pgbackrest: WARN: page checksum mismatch"]


def test_what_was_wrong_when_it_was_taken_is_told_with_the_files(tmp_path: Path) -> None:
    """The catalogue knows them."""
    wrong = entry(error=True) | {"error-list": ["base/5/16390"]}
    done, _, _ = brought(tmp_path, {}, wrong)
    assert done.said == [
        "pgbackrest: pages did not match their checksums when it was taken",
        "pgbackrest: page checksum error in base/5/16390",
    ]


def test_a_kept_backup_that_has_gone_meanwhile(tmp_path: Path) -> None:
    """It is not there any more: that is not ready."""
    asked, _ = source({r" info$": json.dumps([stanza()])}, repository=tmp_path)
    kept = Kept("x", datetime.now(UTC), 15, "files", 1, 1, facts={"repo": "1"})
    with pytest.raises(NotReady, match="no backup x any more"):
        asked.needs(kept)
