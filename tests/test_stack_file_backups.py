"""What a stack file says under `backups` is read as plain values; all that is wrong with it is told at once."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import NotReady, Refused
from harness.restores import Point
from harness.restores.described import S3, Backups, Heartbeat
from harness.restores.sources.storage import storage
from harness.stacks.attached import secrets
from harness.stacks.attached.file import read
from harness.stacks.attached.file.described import StackFile
from harness.stacks.attached.has import has
from harness.stacks.capabilities.backups import Kept
from tests.stack_files import WHOLE, written

PLATFORM = {"name": "Paydesk", "owner": "payments team", "environment": "staging"}
LEAST: dict[str, Any] = {
    "format": "1",
    "platform": PLATFORM,
    "backups": {"databases": {"orders": {"tool": "pg_basebackup", "repository": "./backups"}}},
}
IN_S3 = {"tool": "pg_dump", "repository": "s3://bucket/orders"}
CHECK = {"name": "orders", "sql": "SELECT count(*) FROM orders"}
OWN = {"tool": "commands", "commands": {"list": ["./list"], "fetch": ["./fetch", "${id}", "${into}"]}}


def load(
    base: Path, /, backup: dict[str, Any] | None = None, *, whole: dict[str, Any] | None = None, **more: Any
) -> StackFile:
    """With one database, called orders; `more` is beside it, `whole` beside `backups`."""
    said = deepcopy(LEAST) | (whole or {})
    if backup is not None:
        said["backups"]["databases"]["orders"] = backup
    said["backups"] |= more
    path = base / "stack.yaml"
    path.write_text(yaml.safe_dump(said, sort_keys=False))
    return read.load(path)


def described(*given: Any, **more: Any) -> Backups:
    found = load(*given, **more).backups
    assert found is not None
    return found


def refused(*given: Any, **more: Any) -> str:
    with pytest.raises(Refused) as wrong:
        load(*given, **more)
    return str(wrong.value)


def test_a_file_needs_nothing_but_backups(tmp_path: Path) -> None:
    """No component, no customers; what is left out has what the reference says."""
    found = load(tmp_path)
    assert found.backups is not None and not found.components and Kept in has(found)
    said = found.backups
    assert (said.at_once, said.within, said.room, said.folder) == (1, timedelta(hours=2), None, None)
    assert (said.image, said.keep) == ("", "never")
    one = said.databases["orders"]
    assert one.repository == tmp_path / "backups" and one.name == "orders" and one.s3 == S3()
    assert not (one.server or one.system or one.zone or one.names or one.checks or one.points or one.heartbeat)


def test_all_of_it_is_plain_values(tmp_path: Path) -> None:
    """Lengths, sizes, numbers and times are read, and paths are seen from the file."""
    said = described(
        tmp_path,
        {
            "tool": "pgbackrest", "config": "pgbackrest.conf", "server": "main", "system": "7301234567890123456",
            "names": ["app", "audit"], "original": ["db.example:5432"], "roles": ["app"], "extensions": ["pgcrypto"],
            "checks": [{**CHECK, "is": "5"}, {**CHECK, "at least": "0.5", "at most": "9", "database": "audit"}],
            "heartbeat": {"table": "drill.heartbeat"},
            "points": {"noon": {"time": "2026-11-30 10:00:00+00"}, "early": {"lsn": "0/3000148"},
                       "late": {"xid": "745"}, "named": {"name": "before"}},
        },
        room="100 GB", folder="/srv", image="postgres:${version}", keep="on failure", within="30 min",
        **{"at once": "3"},
    )  # fmt: skip  # in groups
    assert (said.at_once, said.within, said.room) == (3, timedelta(minutes=30), 100_000_000_000)
    assert (said.folder, said.image, said.keep) == (Path("/srv"), "postgres:${version}", "on failure")
    one = said.databases["orders"]
    assert (one.repository, one.config, one.server) == (None, tmp_path / "pgbackrest.conf", "main")
    exact, between = one.checks
    assert exact.least == exact.most == Decimal(5) and exact.expected == "exactly 5"
    assert between.expected == "at least 0.5 and at most 9" and between.database == "audit"
    assert one.heartbeat == Heartbeat("drill.heartbeat", "app", timedelta(seconds=1))
    assert one.points == {
        "noon": Point(time=datetime(2026, 11, 30, 10, tzinfo=UTC)), "early": Point(lsn="0/3000148"),
        "late": Point(xid="745"), "named": Point(name="before"),
    }  # fmt: skip  # a table


@pytest.mark.parametrize(
    ("backup", "field", "what"),
    [
        ({"tool": "pg_dump"}, "repository", "is missing: nothing says where the backups are"),
        ({"tool": "pg_dump", "config": "x"}, "repository", "is missing: nothing says where the backups are"),
        ({"tool": "pgbackrest", "repository": "/x"}, "server", "is missing: a repository may have several"),
        ({"tool": "barman", "config": "/x"}, "server", "is missing: a repository may have several"),
        ({"tool": "pg_dump", "repository": "/x", "server": "a"}, "server", "is nothing that pg_dump knows"),
        ({"tool": "pgbackrest", "repository": "/x", "server": "a", "zone": "UTC"}, "zone", "is nothing that pgb"),
        ({"tool": "pg_dump", "repository": "/x", "s3": {"region": "x"}}, "s3", "the repository is not in S3"),
        ({"tool": "barman-cloud", "repository": "/x", "server": "a"}, "repository", "is not in S3"),
        ({"tool": "commands"}, "commands", "is missing, and the tool is commands"),
        ({**OWN, "repository": "/x"}, "repository", "is nothing that the tool commands has"),
        ({**OWN, "server": "x"}, "server", "is nothing that the tool commands has"),
        ({**OWN, "tool": "pg_dump", "repository": "/x"}, "commands", "is nothing that the tool pg_dump has"),
        ({**IN_S3, "checks": [CHECK]}, "checks", "orders expects nothing"),
        ({**IN_S3, "checks": [{**CHECK, "is": "1", "at most": "2"}]}, "checks", "orders has `is` and a bound"),
        ({**IN_S3, "checks": [{**CHECK, "at least": "9", "at most": "5"}]}, "checks", "orders can never be so"),
        ({**IN_S3, "points": {"noon": {}}}, "noon", "says none of time, lsn, xid, name"),
        ({**IN_S3, "points": {"noon": {"xid": "1", "name": "x"}}}, "noon", "has xid and name of"),
        ({**IN_S3, "points": {"noon": {"time": "2026-11-30 10:00"}}}, "time", "is no time with its zone"),
        ({**IN_S3, "points": {"noon": {"time": "noon"}}}, "time", "is no time with its zone"),
        ({**IN_S3, "points": {"noon": {"lsn": "3000148"}}}, "lsn", '"3000148" is no position'),
        ({**IN_S3, "points": {"noon": {"xid": "last"}}}, "xid", '"last" is no transaction'),
        ({**IN_S3, "system": "mine"}, "system", "write the number that pg_controldata prints"),
        ({**IN_S3, "original": ["db.example"]}, "original", "write host and port"),
    ],
)  # fmt: skip  # a table
def test_what_does_not_agree_is_told(tmp_path: Path, backup: dict[str, Any], field: str, what: str) -> None:
    """With the file, its line, the field and what to write instead."""
    said = refused(tmp_path, backup)
    assert what in said and field in said and "HINT: " in said
    assert f"{tmp_path / 'stack.yaml'}:" in said


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """Each with a line of its own: nobody mends one and is told of the next."""
    said = refused(
        tmp_path,
        {"tool": "pgbackrest", "zone": "UTC", "checks": [CHECK], "points": {"noon": {"lsn": "x"}}},
        **{"at once": "00"},
    )
    wanted = ("none would be restored", "nothing says where", "may have several", "zone", "expects nothing", "position")
    assert [each for each in wanted if each not in said] == []
    lines = [line for line in said.splitlines() if line.startswith(f"{tmp_path / 'stack.yaml'}:")]
    assert len(lines) >= len(wanted) - 1


@pytest.mark.parametrize(
    "more", [{"at once": "0"}, {"within": "soon"}, {"room": "much"}, {"keep": "always"}, {"databases": {}}]
)
def test_what_holds_for_all_is_read_too(tmp_path: Path, more: dict[str, Any]) -> None:
    """A figure that is none, and a word that is not known."""
    assert next(iter(more)) in refused(tmp_path, **more)


def test_a_file_about_nothing_is_refused(tmp_path: Path) -> None:
    """Without components and without backups nothing can be drilled."""
    path = tmp_path / "stack.yaml"
    for said in ({}, {"backups": "none"}):
        path.write_text(yaml.safe_dump({"format": "1", "platform": PLATFORM, **said}))
        with pytest.raises(Refused, match="components: is missing, and so is backups"):
            read.load(path)


def test_a_platform_may_have_backups_beside_all_else(tmp_path: Path) -> None:
    """Where it says none, it has none."""
    assert read.load(written(tmp_path)).backups is None
    found = read.load(written(tmp_path, (("backups",), LEAST["backups"])))
    assert found.backups and len(found.components) == len(WHOLE["components"])


def test_a_secret_of_s3_is_a_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is filled in where the repository is opened, and nowhere before."""
    monkeypatch.setenv("BACKUPS_KEY", "a-key-of-the-reader")
    monkeypatch.setenv("BACKUPS_SECRET", "a-secret-of-the-reader")
    named = {"s3 key": {"env": "BACKUPS_KEY"}, "s3 secret": {"env": "BACKUPS_SECRET"}}
    s3 = {"key": "${secret:s3 key}", "secret": "${secret:s3 secret}", "endpoint": "https://s3.example"}
    found = load(tmp_path, {**IN_S3, "s3": s3}, whole={"secrets": named})
    assert found.backups is not None
    one = found.backups.databases["orders"]
    assert one.s3.secret == "${secret:s3 secret}" and one.repository == "s3://bucket/orders"
    values = secrets.words(secrets.read(found))
    opened: list[dict[str, Any]] = []

    def create_client(session: object, service: str, **given: Any) -> None:
        opened.append(given)
        raise OSError(113, "No route to host")

    monkeypatch.setattr("botocore.session.Session.create_client", create_client)
    with pytest.raises(NotReady, match="No route to host"):
        storage(one, values).files()
    assert [each["aws_secret_access_key"] for each in opened] == ["a-secret-of-the-reader"]
    assert [each["aws_access_key_id"] for each in opened] == ["a-key-of-the-reader"]


@pytest.mark.parametrize("secret", ["hunter22hunter", "wJalrXUtnFEMI/K7MDENG", "x${secret:s3 secret}", "${HOME}"])
def test_a_secret_that_is_written_out_is_refused(tmp_path: Path, secret: str) -> None:
    """Whatever it looks like: the file goes into every pack. What it was is not repeated."""
    said = refused(tmp_path, {**IN_S3, "s3": {"secret": secret}}, whole={"secrets": {"s3 secret": {"env": "X"}}})
    assert "secret" in said and "name it under secrets" in said and "hunter22" not in said


def test_a_secret_that_nobody_named_is_told(tmp_path: Path) -> None:
    """With the one that was meant."""
    said = refused(
        tmp_path, {**IN_S3, "s3": {"secret": "${secret:s3 secert}"}}, whole={"secrets": {"s3 secret": {"env": "X"}}}
    )
    assert 'there is no secret "s3 secert"' in said and 'did you mean "s3 secret"?' in said


def test_what_stands_for_something_is_known(tmp_path: Path) -> None:
    """A version in the image's name, a backup and a folder in commands of one's own; and nothing else, elsewhere."""
    assert described(tmp_path, OWN, image="postgres:${version}").databases["orders"].commands["fetch"][1] == "${id}"
    assert "${id} stands for nothing here" in refused(tmp_path, image="postgres:${id}")
    listing = {"tool": "commands", "commands": {"list": ["./list", "${id}"], "fetch": ["./fetch"]}}
    assert "${id} stands for nothing here" in refused(tmp_path, listing)
    assert "${version} stands for nothing here" in refused(tmp_path, {**IN_S3, "repository": "s3://b/${version}"})


def test_a_repository_is_a_folder_or_in_s3(tmp_path: Path) -> None:
    """A path is seen from the file, and may begin at somebody's home."""
    for said, found in (("/srv/x", Path("/srv/x")), ("x", tmp_path / "x"), ("s3://b/p", "s3://b/p")):
        assert described(tmp_path, {"tool": "pg_dump", "repository": said}).databases["orders"].repository == found
    (at_home,) = described(tmp_path, {"tool": "pg_dump", "repository": "~/x"}).databases.values()
    assert at_home.repository == Path("~/x").expanduser()


def test_where_nothing_can_be_hurt_nothing_of_safety_has_to_be_said(tmp_path: Path) -> None:
    """Also in production; with a component it has to be."""
    production = {"platform": {**PLATFORM, "environment": "production"}}
    assert load(tmp_path, whole=production).platform.environment == "production"
    with_component = {**production, "compose": {"project": "x", "stands": "already"}, "components": {"api": {}}}
    assert "safety.blast radius: is missing, and this is production" in refused(tmp_path, whole=with_component)
