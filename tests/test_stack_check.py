"""`drdrill stack check` asks, and hurts nothing: whatever of a stack file is missing or wrong is seen, and said."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.errors import Refused
from harness.run.tried_client import try_client
from harness.stacks.attached import sessions
from harness.stacks.attached.checking.at_once import Question, all_at_once
from harness.stacks.attached.checking.check import check
from harness.stacks.attached.checking.line import Line
from harness.stacks.attached.file.read import load
from harness.stacks.extras import Extra
from tests import small_platform
from tests.small_platform import KEY, PLAIN, Orders, Shop, plain
from tests.stack_files import WHOLE, written

Changes = list[tuple[tuple[str | int, ...], Any]]
SHORT = timedelta(milliseconds=200)
SQL = "SELECT NOT pg_is_in_recovery()"


@pytest.fixture
def shop() -> Iterator[Shop]:
    with small_platform.shop() as found:
        yield found


@pytest.fixture(autouse=True)
def no_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("SHOP_KEY", KEY)


def least(at: str) -> dict[str, Any]:
    """The shop's stack file: no container, so that no engine is asked."""
    return {
        "format": "1",
        "platform": {"name": "Shop", "owner": "us", "environment": "staging"},
        "components": {"shop": {"role": "api", "alive": "health"}},
        "probes": {"health": {"http": {"url": f"{at}/alive"}}},
        "customers": {"at": at},
        "secrets": {"key": {"env": "SHOP_KEY"}},
    }


class Source:
    """A client with a secret, where a project would have it."""

    secrets = ("key",)

    def __init__(self, made: Callable[[str], Orders] = Orders) -> None:
        self._made = made

    def load(self, secrets: Callable[[str], str]) -> Orders:
        return self._made(secrets("key"))

    def told(self, error: Exception) -> None:
        return None


def checked(folder: Path, shop: Shop, *changes: Any, source: Any = None) -> dict[str, Line]:
    """Each line by its part and what it is about."""
    said = load(written(folder, *changes, of=least(shop.at)))
    found = check(said, then=lambda platform: try_client(source or Source(), platform.stack))
    return {f"{line.part}: {line.what}": line for line in found}


def wrong(found: dict[str, Line]) -> list[str]:
    return [name for name, line in found.items() if line.ok is False]


def unknown(found: dict[str, Line]) -> list[str]:
    return [name for name, line in found.items() if line.ok is None]


STORED = "client: a numbered transaction is stored and read back"


def test_a_platform_that_is_as_its_file_says_is_well(tmp_path: Path, shop: Shop) -> None:
    """Each probe was green, and red; one transaction was written and read back; without its key none was."""
    found = checked(tmp_path, shop)
    assert not wrong(found) and not unknown(found)
    assert list(found) == [
        "secrets: key",
        "components: shop is there",
        "probes: shop: health is green",
        "probes: shop: health is red where nobody is",
        "probes: shop: health is red for a page that is not there",
        f"customers: {shop.at} is there",
        STORED,
        "client: an answer that acknowledges nothing is not taken for one",
        "client: an empty or wrong key is noticed",
    ]
    assert "read back after" in found[STORED].seen
    assert found["client: an empty or wrong key is noticed"].seen == "a wrong key: HTTP 401; an empty key: HTTP 401"
    assert shop.posts == 3 and len(shop.stored) == 1


def test_one_that_cannot_be_reached_is_wrong(tmp_path: Path) -> None:
    """Each part says what was seen, and where the file says it; nothing raises."""
    with small_platform.shop() as gone:
        pass
    found = checked(tmp_path, gone)
    assert wrong(found) == [
        "components: shop is there", "probes: shop: health is green", f"customers: {gone.at} is there", STORED,
    ]  # fmt: skip  # a list
    assert found[f"customers: {gone.at} is there"].seen == "a connection is refused"
    assert "paydesk.yaml:" in found["probes: shop: health is green"].hint


# The client


def test_a_wrong_key_is_not_nothing_lost(tmp_path: Path, shop: Shop) -> None:
    """All answers are 401: the line says so, and where to look."""
    found = checked(tmp_path, shop, source=Source(lambda key: Orders(f"not-{key}")))
    assert wrong(found) == [STORED] and "401" in found[STORED].seen and "its key" in found[STORED].hint


def test_a_client_that_is_plain_data_is_tried_as_any_other(tmp_path: Path, shop: Shop) -> None:
    """Its secret is the stack file's; it is read back by requests; without its key nothing is taken for stored."""
    found = checked(tmp_path, shop, source=plain(tmp_path))
    assert not wrong(found) and not unknown(found) and "read back after" in found[STORED].seen
    assert found["client: an empty or wrong key is noticed"].seen == "a wrong key: HTTP 401; an empty key: HTTP 401"
    other = checked(tmp_path, shop, source=plain(tmp_path, status=200))
    assert wrong(other) == [STORED] and "does not take it for stored" in other[STORED].hint


def test_one_that_removes_by_sql_what_it_wrote_is_told(tmp_path: Path, shop: Shop) -> None:
    """Nobody writes to the database of an attached platform."""
    removes = f"{PLAIN}clean up:\n  sql: DELETE FROM orders WHERE key LIKE ${{prefix}}\n"
    found = checked(tmp_path, shop, source=plain(tmp_path, removes))
    assert wrong(found) == ["client: what drills have written can be removed"]


def test_a_secret_that_the_stack_file_has_not_is_told(tmp_path: Path, shop: Shop) -> None:
    """The client names it, and the file says nothing of where it lies: with its line, and nothing is sent."""
    found = checked(tmp_path, shop, (("secrets",), None))
    assert wrong(found) == ["client: a numbered transaction"] and not shop.posts
    line = found["client: a numbered transaction"]
    assert 'there is no secret "key"' in line.seen and "paydesk.yaml:" in line.seen and "secrets" in line.hint


def test_what_never_counts_as_stored_is_wrong(tmp_path: Path, shop: Shop) -> None:
    """The platform says 201, and the client waits for another word."""
    found = checked(tmp_path, shop, source=Source(lambda key: Orders(key, stored=200)))
    assert wrong(found) == [STORED] and "does not take it for stored" in found[STORED].hint
    assert "201" in found[STORED].seen


def test_what_always_counts_as_stored_is_wrong(tmp_path: Path, shop: Shop) -> None:
    """A client that takes a 401 for stored would lose nothing, ever."""
    found = checked(tmp_path, shop, source=Source(lambda key: Orders(key, stored=None)))
    assert wrong(found) == [
        "client: an answer that acknowledges nothing is not taken for one", "client: an empty or wrong key is noticed",
    ]  # fmt: skip  # a list


def test_a_platform_that_takes_any_key_is_told(tmp_path: Path) -> None:
    """Or its client does not send the key that it names."""
    with small_platform.shop("open") as shop:
        found = checked(tmp_path, shop)
    assert wrong(found) == ["client: an empty or wrong key is noticed"]


def test_what_is_read_back_from_the_wrong_place_is_wrong(tmp_path: Path, shop: Shop) -> None:
    """It is acknowledged, and another shop knows nothing of it."""
    with small_platform.shop() as other:
        found = checked(tmp_path, shop, source=Source(lambda key: Orders(key, reads=other.at)))
    assert wrong(found) == [STORED] and "there is nothing" in found[STORED].seen
    assert "the right database" in found[STORED].hint


def test_without_customers_nobody_can_tell(tmp_path: Path, shop: Shop) -> None:
    """Nothing is written then, and it is no green line."""
    found = checked(tmp_path, shop, (("customers",), None))
    assert unknown(found) == [STORED] and shop.posts == 0


# Probes


def test_a_probe_that_is_always_green_is_refused(tmp_path: Path) -> None:
    """A page that is not there is answered by 200; what its body has to say tells it from the others, or not."""
    with small_platform.shop("catch-all") as shop:
        found = checked(tmp_path, shop)
        assert wrong(found) == ["probes: shop: health can be red"]
        assert "it is green, too (HTTP 200)" in found["probes: shop: health can be red"].seen
        said = (("probes", "health", "http", "fail_if_body_not_matches_regexp"), ["ok"])
        assert not wrong(checked(tmp_path, shop, said))


def test_a_probe_that_takes_errors_for_well_is_refused(tmp_path: Path, shop: Shop) -> None:
    """Its codes have the error in them."""
    found = checked(tmp_path, shop, (("probes", "health", "http", "valid_status_codes"), ["200", "404"]))
    assert wrong(found) == ["probes: shop: health can be red"]
    assert "valid_status_codes" in found["probes: shop: health can be red"].hint


def test_a_probe_that_is_red_now_is_wrong_and_not_asked_otherwise(tmp_path: Path) -> None:
    """To be red where it has to be says nothing then."""
    with small_platform.shop("ill") as shop:
        found = checked(tmp_path, shop)
    assert wrong(found) == ["components: shop is there", "probes: shop: health is green"]
    assert not [name for name in found if "is red" in name]


def test_a_connection_alone_cannot_show_that_something_hangs(tmp_path: Path, shop: Shop) -> None:
    """The kernel takes it; said only of what a drill may freeze."""
    probe = (("probes", "health"), {"tcp": {"target": f"127.0.0.1:{shop.port}"}})
    frozen = (("components", "shop", "pause"), {
        "do": {"run": ["true"]}, "undo": {"run": ["true"]}, "proof": {"run": ["false"]}, "undone": {"run": ["true"]},
    })  # fmt: skip  # a table
    assert not unknown(checked(tmp_path, shop, probe))
    assert unknown(checked(tmp_path, shop, probe, frozen)) == ["probes: shop: health is red where it hangs"]


# Acts


def act(**other: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """How the shop dies, with other words."""
    whole = {
        "do": {"run": ["true"]}, "undo": {"run": ["true"]},
        "proof": {"probe": "health", "is": "failing"}, "undone": {"probe": "health", "is": "passing"},
    }  # fmt: skip  # a table
    return ("components", "shop", "kill"), {name: each for name, each in {**whole, **other}.items() if each}


def test_an_act_is_looked_at_and_not_done(tmp_path: Path, shop: Shop) -> None:
    """Its programs are there, its proof is red, and what shows its undoing is green."""
    touched = tmp_path / "touched"
    found = checked(tmp_path, shop, act(do={"run": ["touch", str(touched)]}))
    assert not wrong(found) and not touched.exists()
    assert "acts: start shop can be done" in found


def test_an_act_whose_proof_is_green_already_is_wrong(tmp_path: Path, shop: Shop) -> None:
    """It would prove a fault that was never there."""
    found = checked(tmp_path, shop, act(proof={"probe": "health", "is": "passing"}))
    assert wrong(found) == ["acts: kill shop: its proof is red while nothing is done"]


def test_an_act_whose_program_is_not_there_is_wrong(tmp_path: Path, shop: Shop) -> None:
    """Its inverse above all."""
    found = checked(tmp_path, shop, act(undo={"run": ["no-such-program"]}))
    assert wrong(found) == ["acts: start shop can be done"]


def test_an_act_without_its_inverse_is_refused_before_anything_is_asked(tmp_path: Path, shop: Shop) -> None:
    """By the file itself, with its line."""
    with pytest.raises(Refused, match=r"paydesk\.yaml:\d+: components\.shop\.kill\.undo: is missing"):
        checked(tmp_path, shop, act(undo=None))


# Secrets


def test_a_secret_that_cannot_be_read_is_wrong_and_what_needs_it_is_not_asked(
    tmp_path: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All else is; and none is repeated."""
    monkeypatch.setenv("SHOP_KEY", KEY)
    monkeypatch.delenv("SHOP_OTHER", raising=False)
    given = (("secrets",), {"key": {"env": "SHOP_KEY"}, "other": {"env": "SHOP_OTHER"}})
    header = (("probes", "health", "http", "headers"), {"X-Key": "${secret:other}"})
    found = checked(tmp_path, shop, given, header)
    assert "secrets: other" in wrong(found) and found["secrets: key"].ok and found["probes: shop: health"].ok is None
    assert 'the secret "other" could not be read' in found["probes: shop: health"].seen
    assert KEY not in str([str(line) for line in found.values()])


# The database


def member(name: str) -> dict[str, Any]:
    return {"alive": "health"}


DATABASE: Changes = [
    (("components", "db-1"), member("db-1")),
    (("components", "db-2"), member("db-2")),
    (("database",), {
        "kind": "postgresql", "members": {"db-1": "db-1:5432", "db-2": "db-2:5432"},
        "dsn": "host=${host} port=${port} user=drill", "leader": {"sql": SQL},
    }),
]  # fmt: skip  # a table


@pytest.fixture
def leads(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool | str]:
    """What each server says when it is asked whether it leads; a text is how it refuses."""
    answers: dict[str, bool | str] = {"db-1": True, "db-2": False}

    def one(dsn: str, query: str, **_: Any) -> Any:
        said = answers[dsn.split(maxsplit=1)[0].removeprefix("host=")]
        if isinstance(said, str):
            raise ConnectionError(said)
        return said if query == SQL else 1

    monkeypatch.setattr(sessions, "one", one)
    monkeypatch.setattr(sessions, "row", lambda dsn, query, **_: ("streaming",))
    return answers


def test_one_database_server_leads_and_the_others_follow(
    tmp_path: Path, shop: Shop, leads: dict[str, bool | str]
) -> None:
    """Each was asked by itself."""
    found = checked(tmp_path, shop, *DATABASE)
    assert not wrong(found)
    assert found["database: one leads"].seen == "db-1 leads" and found["database: db-2 replicates"].ok


@pytest.mark.parametrize(("said", "seen"), [(False, "nobody leads"), (True, "db-1 and db-2 lead")])
def test_none_or_two_that_lead_are_wrong(
    tmp_path: Path, shop: Shop, leads: dict[str, bool | str], said: bool, seen: str
) -> None:
    """Two databases under one name, or no database at all."""
    leads |= {"db-1": said, "db-2": said}
    found = checked(tmp_path, shop, *DATABASE)
    assert found["database: one leads"].ok is False and found["database: one leads"].seen == seen


def test_a_server_that_lets_nobody_in_says_why(tmp_path: Path, shop: Shop, leads: dict[str, bool | str]) -> None:
    """A wrong password, say."""
    leads["db-2"] = "password authentication failed for user drill"
    found = checked(tmp_path, shop, *DATABASE)
    assert "password authentication failed" in found["database: db-2 lets us in"].seen
    assert "db-2 did not answer" in found["database: one leads"].seen


# Alerts


def test_the_address_for_alerts_has_to_be_free(tmp_path: Path, shop: Shop) -> None:
    """And an Alertmanager has to answer as one."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        taken = checked(tmp_path, shop, (("alerts",), {"receive": f"127.0.0.1:{held.getsockname()[1]}"}))
    assert wrong(taken) == ["alerts: can be heard"]
    polled = checked(tmp_path, shop, (("alerts",), {"poll": f"{shop.at}/alive"}))
    assert (
        wrong(polled) == ["alerts: can be asked for"] and "no list of alerts" in polled["alerts: can be asked for"].seen
    )


# Its bounds


def test_a_question_that_hangs_is_left_alone() -> None:
    """All others are answered, and nobody waits longer than the longest limit."""
    never = threading.Event()
    lines = all_at_once([
        Question("x", "hangs", lambda: [Line("x", "hangs", never.wait(), "")], within=SHORT),
        Question("x", "answers", lambda: [Line("x", "answers", True, "yes")]),
    ])  # fmt: skip  # a list
    assert [line.ok for line in lines] == [None, True] and "no answer within" in lines[0].seen
    never.set()


def test_what_is_brought_up_for_a_run_cannot_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, and what to do instead."""
    monkeypatch.setenv("PAYDESK_DB", "word-of-the-database")
    (tmp_path / "api.key").write_text("key-of-the-api")
    (tmp_path / "compose.yaml").touch()
    monkeypatch.setattr(Extra, "must_be_installed", lambda self: None)  # to ask, nothing of it is needed
    said = load(written(tmp_path, (("compose", "stands"), "for the run"), of=WHOLE))
    last = check(said, then=lambda platform: [])[-1]
    assert last.ok is None and "stands: already" in last.hint
