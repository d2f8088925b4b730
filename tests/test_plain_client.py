"""A client that is plain data: what it sends, which answers count, what it reads back, and what is asked of it."""

from __future__ import annotations

import json
import sqlite3
import urllib.parse
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import DrillError, NotInTime, Refused
from harness.workload.client import Acceptance, AskingClient, Key, RemovingClient, asks_back, canonical, judged
from harness.workload.plain import client as plain
from harness.workload.plain.client import ClientFile, PlainClient, read_key, written_key
from tests.plain_clients import LOOKING, ORIGIN, PAYDESK, SECRETS, Asked, of, of_paydesk, own

KEY = Key(ORIGIN, 7)
PAYMENT = {"amount": "42"}
PLACES = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*){2}", fullmatch=True)


@pytest.fixture
def looking(tmp_path: Path) -> PlainClient:
    made = of(tmp_path, LOOKING)
    assert isinstance(made, PlainClient)
    return made


# What is sent


def test_a_payment_is_sent_as_the_file_says() -> None:
    """Types as they are written, the key whole, the secret in its header, and nothing besides."""
    message = of_paydesk().message(KEY, PAYMENT)
    assert (message.method, message.path, message.content_type) == ("POST", "/api/v1/payments", "application/json")
    assert dict(message.headers) == {"X-Api-Key": SECRETS["api key"]} and SECRETS["api key"] not in repr(message)
    key = f"{ORIGIN}-7"
    assert json.loads(message.body) == {"out": False, "internal": True, "amount": 42, "memo": key, "external_id": key}


def test_what_stands_in_quotes_is_text_and_money_keeps_its_places(looking: PlainClient) -> None:
    """In a path each value is quoted whole, so that a key is one part of it."""
    message = looking.message(KEY, {"amount": "0.10", "payee": 3})
    assert message.path == f"/transfers/{urllib.parse.quote(ORIGIN + '-7', safe='')}" and message.path.count("/") == 2
    assert message.body == (b'{"to":"drill-3","sum":{"value":"0.10","minor":false,"notes":null,"tags":["a","7",7]}}')


def test_without_quotes_money_is_a_number_to_its_last_digit(tmp_path: Path) -> None:
    """No float on the way: what is sent is what the ledger says."""
    made = of(
        tmp_path,
        LOOKING.replace('{value: "${amount}", minor', "{minor").replace(
            "    to: drill-${payee}\n", "    to: drill-${payee}\n    cost: ${amount}\n"
        ),
    )
    assert b'"cost":0.10,' in made.message(KEY, {"amount": "0.10", "payee": 3}).body


def test_the_seed_tells_all_that_is_drawn(tmp_path: Path) -> None:
    """Between its ends, both of them, in the form that a payload has."""
    text = LOOKING[: LOOKING.index("read:")] + "read:\n  sql: any ${prefix}\n"
    made = of(tmp_path, text.replace("payee: {integer: 1..50}", "payee: {one of: [a, b]}\n  note: {letters: 4}"))
    drawn = [[made.draw(random) for _ in range(300)] for random in (Random(7), Random(7))]
    assert drawn[0] == drawn[1]
    amounts = {Decimal(each["amount"]) for each in drawn[0]}
    assert min(amounts) >= Decimal("0.01") and max(amounts) <= 1 and Decimal("1.00") in amounts | {Decimal("1.00")}
    assert {each["payee"] for each in drawn[0]} == {"a", "b"} and {len(each["note"]) for each in drawn[0]} == {4}
    assert all(each["amount"][-3] == "." and canonical(each) for each in drawn[0])
    assert made.amount({"amount": "0.10"}) == Decimal("0.10") and made.amount({"answer": 1}) is None
    assert made.amount({"amount": "NaN"}) is None


def test_what_cannot_stand_in_a_header_is_refused_without_repeating_it() -> None:
    """A secret with a line's end would be a header of its own."""
    made = ClientFile(PAYDESK, "client.yaml").load(lambda name: "key\nHost: elsewhere")
    with pytest.raises(Refused, match="secret:api key") as refused:
        made.message(KEY, PAYMENT)
    assert "elsewhere" not in str(refused.value)


def test_a_secret_that_nobody_has_handed_on_is_refused_by_its_name() -> None:
    """Only where it is needed: whoever lists drills needs none."""
    made = ClientFile(PAYDESK, "client.yaml").load()
    assert made.draw(Random(1)) and ClientFile(PAYDESK, "client.yaml").secrets == ("api key",)
    with pytest.raises(Refused, match="the secret api key"):
        made.message(KEY, PAYMENT)


# Its key


@given(PLACES, st.integers(1, 10**9))
def test_a_key_is_read_back_as_what_it_was_made_of(origin: str, number: int) -> None:
    """Whatever hyphens there are in it."""
    assert read_key(written_key(Key(origin, number))) == Key(origin, number)


@pytest.mark.parametrize("text", ["", "invoice 17", "a/b/c", "a/b/c-", "a/b/c-07", "a/b/c-x", "a/b/c-1 ", None, 7])
def test_what_others_have_written_is_no_key_of_ours(text: object) -> None:
    """Or one that no number of ours has."""
    assert read_key(text) is None


# Which answer counts


@pytest.mark.parametrize(
    ("status", "body", "stored"),
    [
        (201, {"external_id": f"{ORIGIN}-7", "amount": 42000}, True),
        (201, {"external_id": f"{ORIGIN}-8"}, None),
        (201, {}, None),
        (201, "what a proxy says", None),
        (201, [{"external_id": f"{ORIGIN}-7"}], None),
        (200, {"external_id": f"{ORIGIN}-7"}, None),
        (401, {"detail": "no such key"}, False),
        (422, {}, False),
        (500, {"external_id": f"{ORIGIN}-7"}, None),
        (503, "no server is available", None),
    ],
)
def test_only_what_the_file_says_is_stored_or_surely_not(status: int, body: object, stored: bool | None) -> None:
    """Whatever else is in doubt: another's key, another status, an answer of something in between."""
    said = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    assert judged(of_paydesk(), KEY, PAYMENT, status=status, body=said) == Acceptance(stored=stored)


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        (b'{"status": "booked", "id": 1.5e400}', True),
        (b'{"status": "booked", "more": "\\ud800"}', True),
        (b'{"status": "\\ud800"}', None),
        (b'{"status": true}', None),
        (b'{"status": NaN}', None),
        (b"[" * 50_000, None),
        (b"\xff\xfe", None),
        (b"", None),
    ],
)
def test_an_answer_that_is_odd_breaks_nothing(looking: PlainClient, body: bytes, stored: bool | None) -> None:
    """Of a body without a status any good one counts, and no other: an error may repeat what was sent."""
    payload = {"amount": "0.10", "payee": 3}
    assert judged(looking, KEY, payload, status=202, body=body).stored is stored
    assert judged(looking, KEY, payload, status=500, body=body).stored is None


@pytest.mark.parametrize(
    ("said", "same"), [("7", True), ("7.0", True), ('"7"', True), ('"7.00"', True), ("true", False), ("8", False)]
)
def test_a_number_is_one_however_it_is_written(tmp_path: Path, said: str, same: bool) -> None:
    """Also as decimal text; what stands in quotes in the file is that very text."""
    text = LOOKING.replace("body: {status: booked}", "body:\n      count: ${number}")
    payload = {"amount": "0.10", "payee": 3}
    body = f'{{"count": {said}}}'.encode()
    assert judged(of(tmp_path, text), KEY, payload, status=200, body=body).stored is (same or None)
    quoted = of(tmp_path, text.replace("${number}", '"${number}"'))
    assert judged(quoted, KEY, payload, status=200, body=body).stored is (True if said == '"7"' else None)


# What is read back


def stored(*rows: tuple[object, object]) -> sqlite3.Connection:
    """A table as the desk has it, of keys and thousandths."""
    source = sqlite3.connect(":memory:")
    source.execute("CREATE TABLE apipayments (external_id, amount, created)")
    source.executemany("INSERT INTO apipayments VALUES (?, ?, 'now')", rows)
    return source


def test_rows_come_in_order_of_number_and_what_is_there_twice_comes_twice() -> None:
    """Of that origin alone: not of a group whose name begins alike, nor what others wrote."""
    source = stored(
        (f"{ORIGIN}-10", 9000), (f"{ORIGIN}-9", 1000), (f"{ORIGIN}-2", 3000), (f"{ORIGIN}-9", 1000),
        (f"{ORIGIN}-zone-a-1", 5000), (f"{ORIGIN}-x", 1), ("invoice 17", 2), (None, 3),
    )  # fmt: skip  # a table
    found = list(of_paydesk().rows(source, origin=ORIGIN))
    assert [(row.number, row.payload) for row in found] == [
        (2, {"amount": "3"}), (9, {"amount": "1"}), (9, {"amount": "1"}), (10, {"amount": "9"}),
    ]  # fmt: skip  # a table


@pytest.mark.parametrize(
    ("kept", "same"),
    [("0.50", True), (Decimal("0.500"), True), (0.5, True), ("0.501", False), (None, False), ("half", False)],
)
def test_money_is_read_as_what_it_says_and_changed_money_is_another(tmp_path: Path, kept: object, same: bool) -> None:
    """Places that say nothing are no change; less than a cent is."""
    text = LOOKING[: LOOKING.index("read:")] + "read:\n  sql: any ${prefix}\n"
    source = Answers([("key", "amount", "payee")], [(f"{ORIGIN}-1", kept, Decimal(3))])
    (row,) = of(tmp_path, text).rows(source, origin=ORIGIN)
    assert (canonical(row.payload) == '{"amount":"0.50","payee":3}') is same


class Answers:
    """As much of a driver's connection as is asked: what it was given, and these rows."""

    def __init__(self, columns: list[tuple[str, ...]], rows: list[Any]) -> None:
        self.description = [(name,) for name in columns[0]]
        self._rows = rows
        self.asked: list[tuple[Any, ...]] = []

    def execute(self, *given: Any) -> Answers:
        self.asked.append(given)
        return self

    def __iter__(self) -> Any:
        return iter(self._rows)


def test_the_prefix_is_a_parameter_and_a_percent_sign_is_one(tmp_path: Path) -> None:
    """For a driver of the usual style each other percent sign is doubled; rows that are mappings do as well."""
    sql = "SELECT k AS key, '5%' FROM t WHERE k LIKE ${prefix} AND NOT a LIKE 'x%' OR k LIKE ${prefix}"
    text = LOOKING[: LOOKING.index("read:")] + f'read:\n  sql: "{sql}"\n'
    source = Answers([("key",)], [{"key": f"{ORIGIN}-1", "amount": "0.01", "payee": "4"}])
    assert [row.payload for row in of(tmp_path, text).rows(source, origin=ORIGIN)] == [{"amount": "0.01", "payee": 4}]
    ((asked, given_),) = source.asked
    assert asked.count("%(prefix)s") == 2 and asked.count("%%") == 2 and given_ == {"prefix": f"{ORIGIN}-%"}


def test_a_column_that_is_missing_is_told_by_its_name() -> None:
    """And not taken for rows that are lost."""
    source = Answers([("external_id", "amount")], [("x", 1)])
    with pytest.raises(DrillError, match="no column key"):
        list(of_paydesk().rows(source, origin=ORIGIN))


def test_a_platform_that_is_asked_back_has_what_it_says_that_it_has(looking: PlainClient) -> None:
    """Each that was sent is asked for; gone is not there, and what says something else is another payload."""
    sent = [own(number, amount="0.10", payee=number) for number in (1, 2, 3)]
    paths = [looking.message(*each).path for each in sent]
    answers = {
        paths[0]: (200, b'{"to": "drill-1", "sum": {"value": "0.10", "minor": true}, "more": 1}'),
        paths[1]: (404, b"not here"),
        paths[2]: (200, b'{"to": "drill-3", "sum": {"value": "0.90"}}'),
    }
    assert asks_back(looking) and not asks_back(of_paydesk())
    found = list(looking.rows(Asked(answers, *sent).platform(), origin=ORIGIN))
    assert [row.number for row in found] == [1, 3] and found[0].payload == sent[0].payload
    assert found[1].payload == {"answer": {"to": "drill-3", "sum": {"value": "0.90"}}}
    assert looking.amount(found[1].payload) is None


def test_a_list_has_each_that_is_stored(tmp_path: Path) -> None:
    """Twice is twice, and an empty list is gone."""
    text = LOOKING.replace("GET /transfers/", "GET /find?key=").replace(
        '    body: {to: "drill-${payee}", sum: {value: "${amount}"}}\n  gone: {status: [404]}',
        '    body:\n      - to: drill-${payee}\n        sum: ${amount}',
    )  # fmt: skip  # a text
    made = of(tmp_path, text)
    sent = [own(number, amount="0.10", payee=number) for number in (1, 2, 3)]
    paths = [f"/find?key={urllib.parse.quote(written_key(each.key), safe='')}" for each in sent]
    one = {"to": "drill-1", "sum": "0.1", "id": 9}
    bodies: list[list[dict[str, Any]]] = [[one, one], [], [{"to": "drill-3"}]]
    answers = {path: (200, json.dumps(body).encode()) for path, body in zip(paths, bodies, strict=True)}
    found = list(made.rows(Asked(answers, *sent).platform(), origin=ORIGIN))
    assert [row.number for row in found] == [1, 1, 3] and found[1].payload == sent[0].payload
    assert found[2].payload == {"answer": {"to": "drill-3"}}


def test_who_says_neither_is_no_answer(looking: PlainClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is guessed: it is asked again for a while, and then nothing is known of any."""
    monkeypatch.setattr(plain, "PATIENCE", timedelta(0))
    sent = own(1, amount="0.10", payee=1)
    path = looking.message(*sent).path
    for answers in ({}, {path: (500, b"{}")}, {path: (200, b"not JSON")}):
        with pytest.raises(NotInTime, match=r"number 1 of .* is neither there nor gone"):
            list(looking.rows(Asked(answers, sent).platform(), origin=ORIGIN))


# What is removed


def test_by_sql_what_a_scenario_has_marked_goes_and_nothing_else(tmp_path: Path) -> None:
    """Of all its groups, bounded by its own mark."""
    scenario = ORIGIN.rpartition("/")[0]
    removal = "clean up:\n  sql: DELETE FROM apipayments WHERE external_id LIKE ${prefix}\n"
    (tmp_path / "client.yaml").write_text((PAYDESK / "client.yaml").read_text() + removal)
    made = ClientFile(tmp_path, "client.yaml").load()
    assert isinstance(made, RemovingClient) and made.removes() == "SQL"
    others = [("20260102-030405-abcd/another/outside-1", 1), ("invoice", 2)]
    source = stored((f"{ORIGIN}-1", 1), (f"{scenario}/harness-1", 1), *others)
    made.remove(source, origin=scenario, groups=["outside", "harness"])
    assert [row[0] for row in source.execute("SELECT external_id FROM apipayments")] == [key for key, _ in others]
    left = of_paydesk()
    assert isinstance(left, RemovingClient) and left.removes() == ""


def test_by_request_each_that_was_sent_is_removed(looking: PlainClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is not is told."""
    monkeypatch.setattr(plain, "PATIENCE", timedelta(0))
    sent = [own(number, amount="0.10", payee=1) for number in (1, 2)]
    paths = [looking.message(*each).path for each in sent]
    asked = Asked({paths[0]: (204, b""), paths[1]: (404, b"")}, *sent)
    looking.remove(asked.platform(), origin=ORIGIN.rpartition("/")[0], groups=["outside"])
    assert {(each.method, each.path) for each in asked.messages} == {("DELETE", path) for path in paths}
    asked.answers[paths[1]] = (403, b"not yours")
    with pytest.raises(NotInTime, match=r"number 2 .* is not removed: 403: not yours"):
        looking.remove(asked.platform(), origin=ORIGIN.rpartition("/")[0], groups=["outside"])


# What is asked for


def test_customers_ask_for_what_they_know_and_wrong_answers_are_other_ones() -> None:
    """In the form of what they know, of the fields that the file names, whatever else an answer has."""
    made = of_paydesk()
    assert isinstance(made, AskingClient) and made.question(Random(1), None) is None
    question = made.question(Random(1), own(7, amount="42"))
    assert question is not None and question.about == "transaction 7"
    assert question.message.path.startswith("/api/v1/payments?memo=2026") and question.message.body == b""
    assert dict(question.message.headers) == {"X-Api-Key": SECRETS["api key"]}
    knows = canonical(question.knows)
    right = {"external_id": f"{ORIGIN}-7", "amount": 42000, "fee": 0.5}

    def told(status: int, body: object) -> str | None:
        said = made.told(question, status, json.dumps(body).encode())
        return None if said is None else canonical(said)

    assert told(200, [right]) == knows
    for wrong in ([], [right, right], [{**right, "amount": 42}], {"detail": "?"}, [right["amount"]]):
        assert told(200, wrong) not in (None, knows)
    assert told(404, {}) == '{"found":false}' and told(503, "no server") is None
    assert made.told(question, 200, b"<html>") is None


def test_a_client_without_questions_asks_none(looking: PlainClient) -> None:
    """So that a sentence about wrong answers is refused, and not always green."""
    assert not isinstance(looking, AskingClient)
