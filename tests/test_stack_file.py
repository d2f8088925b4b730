"""A stack file is read as plain values; whatever is wrong with it is told with its line, its field and a HINT."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.errors import Refused
from harness.evidence.redact import Redactor
from harness.stacks.attached.file import read
from harness.stacks.attached.file.described import Safety
from harness.stacks.attached.file.page import markdown
from tests.stack_files import LEAST, WHOLE, written

Change = tuple[tuple[str | int, ...], Any]
KILL = ("components", "batch", "kill")
HEALTH = ("probes", "api health")
LOOKS_LIKE_A_TOKEN = "Bearer abcdefgh12345678"


def test_a_whole_file_is_plain_values(tmp_path: Path) -> None:
    """Lengths and numbers are read, paths are absolute, and what is left out has what the reference says."""
    found = read.load(written(tmp_path))
    assert found.platform.environment == "staging"
    assert found.components["db-1"].service == "db-1" and found.components["batch"].service == ""
    assert found.compose is not None and found.compose.files == (tmp_path / "compose.yaml",)
    assert found.probes["api health"].timeout == timedelta(seconds=2)
    assert found.customers is not None and found.customers.rate == 5.0
    assert found.database is not None and found.database.failover is not None
    assert found.database.failover.undo is None and not found.database.returns_as_copy
    assert found.safety.longest_fault == timedelta(minutes=5) and found.safety.components == 1
    assert found.alerts is not None and found.alerts.labels["component"] == "service"
    assert found.alerts.labels["zone"] == "zone"
    assert found.never == ["entrance"] and not found.for_the_run
    assert found.secrets["api key"].file == tmp_path / "api.key"


def test_the_least_file_is_a_platform_and_a_component(tmp_path: Path) -> None:
    """All else may be left out: it costs the drills that need it."""
    found = read.load(written(tmp_path, of=LEAST))
    assert found.customers is found.database is found.alerts is found.backups is None
    assert found.safety == Safety() and list(found.components) == ["api-a"]


@pytest.mark.parametrize("part", [part for part in WHOLE if part not in ("format", "platform", "components")])
def test_each_part_may_be_left_out(tmp_path: Path, part: str) -> None:
    """Where another part uses it, that one says what is missing; nothing else breaks."""
    used = {"secrets": "secret", "compose": "container", "zones": "zone", "probes": "probe"}
    path = written(tmp_path, ((part,), None))
    if part in used:
        with pytest.raises(Refused, match=used[part]):
            read.load(path)
    else:
        assert read.load(path).platform.name == "Paydesk"


@pytest.mark.parametrize("part", ["format", "platform", "components"])
def test_three_parts_must_be_there(tmp_path: Path, part: str) -> None:
    """And the error names the one."""
    with pytest.raises(Refused, match=f"{part}: is missing"):
        read.load(written(tmp_path, ((part,), None)))


@pytest.mark.parametrize("word", ["do", "undo", "proof", "undone"])
def test_a_verb_of_ones_own_has_its_inverse_and_both_proofs(tmp_path: Path, word: str) -> None:
    """What hurts without a way back, or without a proof of either, is refused."""
    with pytest.raises(Refused, match=rf"components\.batch\.kill\.{word}: is missing"):
        read.load(written(tmp_path, ((*KILL, word), None)))


DUMPS = {"tool": "pg_dump", "repository": "dumps", "zone": "Asia/Tokyo"}
WRONG: list[tuple[Change, str]] = [
    ((("format",), "2"), r'format: is the text "2"'),
    ((("platform", "environment"), "tabletop"), r"platform\.environment"),
    ((("platform", "nmae"), "x"), r'platform\.nmae: is not a field of a stack file'),
    ((("secrets", "db"), {}), r"secrets\.db: says none of env, file, command"),
    ((("secrets", "db"), {"env": "A", "file": "b"}), r"secrets\.db: has env and file of"),
    ((("compose", "project"), "Pay Desk"), r"compose\.project"),
    ((("compose", "stands"), "maybe"), r'compose\.stands: "maybe" is not one of already, for the run'),
    ((("compose", "stands"), "for the run"), r"compose\.files\[1\]: there is no file"),
    ((("components", "api a"), {}), r'components\.api a: "api a" is no plain name'),
    ((("components", "api-a", "zone"), "c"), r'components\.api-a\.zone: there is no zone "c"'),
    ((("components", "api-a", "alive"), "api healt"), r'there is no probe "api healt"'),
    ((("components", "batch", "alive"), "api health"), r"asks at \$\{address\}, and it is no container"),
    ((("components", "batch", "hurt"), "never"), r"is there, and it is never to be hurt"),
    ((("components", "db-1", "label"), "drill"), r'"drill" is no label'),
    (((*KILL, "do"), {}), r"kill\.do: says none of run, http"),
    (((*KILL, "do", "in"), "batch"), r"batch is no container"),
    (((*KILL, "do", "in"), "db-9"), r'there is no component "db-9"'),
    (((*KILL, "undone", "is"), "taken"), r'"taken" is not one of passing, failing'),
    (((*KILL, "undone", "is"), None), r"is missing: one of passing, failing"),
    (((*KILL, "undone", "says"), "x"), r"is of a command, and there is none"),
    (((*KILL, "proof", "is"), "taken"), r"is of a probe or a connection"),
    (((*KILL, "proof", "says"), "("), r"is no regular expression"),
    (((*HEALTH, "tcp"), {"target": "a:1"}), r"has http and tcp of"),
    (((*HEALTH, "timeout"), "soon"), r'"soon" is not a length of time'),
    (((*HEALTH, "http", "url"), "ftp://x"), r"is no URL"),
    (((*HEALTH, "http", "valid_status_codes"), ["2xx"]), r"is no status code"),
    (((*HEALTH, "http", "basic_auth"), {}), r"basic_auth: is not a field"),
    (((*HEALTH, "http", "follow_redirects"), "true"), r"follow_redirects"),
    (((*HEALTH, "http", "method"), "BREW"), r'"BREW" is not one of'),
    (((*HEALTH, "http", "headers"), {"A": "${secret:api kez}"}), r'there is no secret "api kez"'),
    ((("probes", "batch", "tcp", "target"), "9000"), r"is no address"),
    ((("customers", "at"), "http://127.0.0.1/pay"), r"has a path"),
    ((("customers", "at"), ["http://a:1", "http://b:2"]), r"several schemes or ports"),
    ((("customers", "at"), []), r"customers\.at: holds nothing"),
    ((("customers", "rate"), "lots"), r'"lots" is no rate'),
    ((("customers", "timeout"), "8 s"), r"8 s is not how long customers wait"),
    ((("customers", "write"), {}), r"customers\.write: is not a field"),
    ((("database", "kind"), "mysql"), r"database\.kind"),
    ((("database", "members", "db-3"), "db3:5432"), r'there is no component "db-3"'),
    ((("database", "members", "batch"), "${address}:5432"), r"batch is no container"),
    ((("database", "dsn"), "host=db1 dbname=x"), r"has to have \$\{host\} and \$\{port\}"),
    ((("database", "failover", "undo"), None), r"failover\.undo: is missing"),
    ((("database", "failover", "undo"), "later"), r'is the text "later", where "none" belongs'),
    ((("backups",), "some"), r'backups: is the text "some"'),
    ((("backups",), {"databases": {"a": {**DUMPS, "zone": "Mars/Phobos"}}}), r"Mars/Phobos"),
    ((("backups",), {"databases": {"a": {**DUMPS, "tool": "pg_basebackup"}}}), r"zone: is nothing that pg_basebackup"),
    ((("alerts", "poll"), "http://a:9093/api/v2/alerts"), r"has receive and poll of"),
    ((("alerts", "labels", "host"), "x"), r"is not a field"),
    ((("safety", "may"), ["kil"]), r'"kil" is not one of'),
    ((("safety", "protected"), ["db"]), r'there is no component "db"'),
    ((("safety", "blast radius", "zones"), "few"), r"is no whole number"),
    ((("safety", "abort when", 0, "probe"), "other"), r'there is no probe "other"'),
    ((("platform", "owner"), "${address}"), r"stands for nothing here"),
    ((("customers", "at"), "http://${address}:1"), r"stands for nothing here"),
]  # fmt: skip  # a table


@pytest.mark.parametrize(("change", "said"), WRONG)
def test_each_part_that_is_wrong_is_told(tmp_path: Path, change: Change, said: str) -> None:
    """With file and line, with the field, and with what to do."""
    with pytest.raises(Refused, match=said) as caught:
        read.load(written(tmp_path, change))
    assert caught.value.hint and f"{tmp_path / 'paydesk.yaml'}:" in caught.value.message


@pytest.mark.parametrize(
    "change",
    [
        (("database", "dsn"), "host=${host} port=${port} password=hunter2hunter2"),
        (("probes", "api health", "http", "headers"), {"Authorization": LOOKS_LIKE_A_TOKEN}),
        (("probes", "api health", "http", "url"), "http://me:hunter2@db/health"),
    ],
)
def test_a_secret_is_never_in_the_file(tmp_path: Path, change: Change) -> None:
    """It goes into every pack, so what looks like one is refused; and the error does not repeat it."""
    with pytest.raises(Refused) as caught:
        read.load(written(tmp_path, change))
    assert "hunter2" not in str(caught.value) and "abcdefgh12345678" not in str(caught.value)


def test_a_container_beside_the_project_and_what_shows_nothing(tmp_path: Path) -> None:
    """A component is one container, or it says what shows whether it runs."""
    with pytest.raises(Refused, match="nothing shows whether it runs"):
        read.load(written(tmp_path, (("components", "x"), {"log": "x.log"})))
    both = (("components", "x"), {"container": "a", "label": "a=b"})
    with pytest.raises(Refused, match=r"components\.x\.label: is there, and so is container"):
        read.load(written(tmp_path, both))
    found = read.load(written(tmp_path, (("components", "x"), {"container": "redis"})))
    assert found.components["x"].is_container and not found.components["x"].service


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    """And each on its line."""
    with pytest.raises(Refused) as caught:
        read.load(written(tmp_path, (("customers", "rate"), "x"), (("database", "kind"), "y")))
    assert len(caught.value.message.splitlines()) == 2


def test_a_place_of_the_file_is_found_later(tmp_path: Path) -> None:
    """For an error that only a look at the platform tells."""
    path = written(tmp_path)
    line = 1 + next(at for at, text in enumerate(path.read_text().splitlines()) if text.startswith("  db-1:"))
    assert read.load(path).where("components", "db-1", "none") == f"{path}:{line}"


def test_the_reference_is_what_the_schema_says() -> None:
    """A field that is new, or means something else, is on the page."""
    page = (Path(__file__).parent.parent / "docs" / "stack-file.md").read_text(encoding="utf-8")
    assert page.endswith(f"{markdown()}\n"), "drdrill stack file --markdown prints it"


def test_every_field_of_the_schema_is_described() -> None:
    """By words of its own: a table of names explains nothing."""

    def fields(part: Any, where: str = "") -> list[str]:
        named = part.get("properties", {}) if isinstance(part, dict) else {}
        bare = [f"{where}.{name}" for name, field in named.items() if not field.get("description")]
        inner = [part[key] for key in ("items", "additionalProperties") if isinstance(part.get(key), dict)]
        return (
            bare
            + [each for name, field in named.items() for each in fields(field, f"{where}.{name}")]
            + [each for one in inner for each in fields(one, where)]
        )

    whole = read.schema()
    assert fields(whole) == [] and [each for one in whole["$defs"].values() for each in fields(one)] == []


def test_a_name_of_a_secret_is_none(tmp_path: Path) -> None:
    """Also one of several words, where a password stands: a pack with this file can be sealed."""
    words = (("database", "dsn"), "host=${host} port=${port} password=${secret:api key} dbname=x")
    path = written(tmp_path, words)
    assert read.load(path).database is not None
    assert list(Redactor().hits(path.read_text())) == []
