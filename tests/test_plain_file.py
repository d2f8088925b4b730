"""A client's file: whatever is wrong with it is told before anything starts, with line, field and HINT."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.errors import Refused
from harness.workload.plain import file
from tests.plain_clients import LOOKING, PAYDESK

DESK = (PAYDESK / "client.yaml").read_text()
SQL = "SELECT external_id AS key, amount / 1000 AS amount FROM apipayments WHERE external_id LIKE ${prefix}"

# What is said instead of what, in which file, and what is told: field and what is wrong; and a word of the HINT.
WRONG: dict[str, tuple[str, str, str, str, str]] = {
    "no format": (DESK, "format: 1", "formt: 1", "formt: is not a field of a client", 'did you mean "format"?'),
    "another format": (DESK, "format: 1", "format: 2", 'format: is the text "2", where "1" belongs', 'write "1"'),
    "a rate that is none": (DESK, "5 a second  ", "5/s  ", 'rate: "5/s" is not a rate', "5 a second"),
    "no way to read": (DESK, "read:", "raed:", "raed: is not a field of a client", "read"),
    "stored without a condition": (
        LOOKING,
        "    body: {status: booked}",
        "    {}",
        "write.stored: has no condition",
        "by which status",
    ),
    "stored with a body of nothing": (
        LOOKING,
        "    body: {status: booked}",
        "    body: {}",
        "write.stored.body: is no JSON with something",
        "fields",
    ),
    "stored by an error": (
        DESK,
        "[201]",
        "[201, 500]",
        "write.stored.status: 500 says that something",
        "200 to 399",
    ),
    "surely not by a good one": (
        DESK,
        "[400, 401, 403, 404, 422]",
        "[202]",
        "write.not stored.status: 202 says that it went well",
        "in doubt",
    ),
    "stored, and not": (
        LOOKING,
        "    body: {status: booked}",
        "    status: [303]\n  not stored: {status: [303]}",
        "write: takes 303 for both",
        "two things",
    ),
    "no status": (DESK, "[201]", "[2O1]", 'write.stored.status[1]: "2O1" is not the status', "three digits"),
    "one status and no list": (DESK, "[201]", "201", 'write.stored.status: is the text "201", where a list', ""),
    "an unknown place in the body": (
        DESK,
        "amount: ${amount}  ",
        "amount: ${sum}  ",
        "write.body.amount: ${sum} is not known",
        "${key}, ${number}, ${amount}, ${secret:NAME}",
    ),
    "an unknown place in a header": (
        DESK,
        "X-Api-Key: ${secret:api key}     #",
        "X-Api-Key: ${api key}     #",
        "write.headers.X-Api-Key: ${api key} is not known",
        "${secret:NAME}",
    ),
    "an unknown place in the request": (
        DESK,
        "GET /api/v1/payments?memo=${key}",
        "GET /api/${kye}/${key}",
        "ask.request: ${kye} is not known",
        "there are",
    ),
    "a place without its end": (
        DESK,
        "memo: ${key}",
        "memo: ${key",
        "write.body.memo: has a ${ without its end",
        "${name}",
    ),
    "a secret in an address": (
        DESK,
        "POST /api/v1/payments",
        "POST /api/v1/payments?key=${secret:api key}",
        "write.request: has the secret api key",
        "header",
    ),
    "a secret in an answer": (
        DESK,
        "      external_id: ${key}\n  not",
        "      external_id: ${secret:api key}\n  not",
        "write.stored.body.external_id: has the secret",
        "header",
    ),
    "a secret without a name": (
        DESK,
        "X-Api-Key: ${secret:api key}     #",
        "X-Api-Key: ${secret:}     #",
        "write.headers.X-Api-Key: names no secret",
        "the stack's file",
    ),
    "no key": (
        LOOKING,
        "PUT /transfers/${key}",
        "PUT /transfers",
        "write: carries ${key} nowhere",
        "marks what drills",
    ),
    "no request": (DESK, "POST /api/v1/payments", "/api/v1/payments", "write.request: ", "write it like POST"),
    "a request with a host": (
        DESK,
        "POST /api/v1/payments",
        "POST https://a.example/",
        "write.request: ",
        "write it like POST",
    ),
    "a header of HTTP's own": (
        DESK,
        "X-Api-Key: ${secret:api key}     #",
        "Content-Length: 5     #",
        'write.headers.Content-Length: "Content-Length" is set by itself',
        "not yours",
    ),
    "whole numbers that are none": (
        LOOKING,
        "{integer: 1..50}",
        "{integer: 1.5..50}",
        'draws.payee.integer: "1.5..50" are no whole numbers',
        "1..50",
    ),
    "a place in the name of a field": (
        DESK,
        "internal: true",
        '"${key}": true',
        "write.body.${key}: has a ${ in the name of a field",
        "only values",
    ),
    "no money": (DESK, "{money: 1..100}", "{money: 100}", 'draws.amount.money: "100" is nothing from', "1..100"),
    "money the wrong way round": (DESK, "1..100", "100..1", "draws.amount.money: ", "0.01..1.00"),
    "two kinds of money": (
        LOOKING,
        "payee: {integer: 1..50}",
        "payee: {money: 1..50}",
        "draws.payee: is money, and something before",
        "one sum",
    ),
    "two ways to draw": (
        DESK,
        "{money: 1..100}",
        "{money: 1..100, integer: 1..2}",
        "draws.amount: says several things",
        "one of money",
    ),
    "nothing to draw": (
        DESK,
        "{money: 1..100}",
        "{}",
        "draws.amount: says nothing of what is drawn",
        "one of money",
    ),
    "a name that is taken": (
        LOOKING,
        "  amount: {",
        "  key: {",
        'draws.key: "key" is not the name of something',
        "neither key nor number",
    ),
    "SQL that is not bounded": (
        DESK,
        " WHERE external_id LIKE ${prefix}",
        "",
        "read.sql: has no ${prefix}, and would be about what others",
        "LIKE",
    ),
    "SQL of one driver": (
        DESK,
        "LIKE ${prefix}",
        "LIKE %(prefix)s",
        "read.sql: has %(prefix)s, which one driver",
        "${prefix}",
    ),
    "SQL with quotes": (
        DESK,
        "LIKE ${prefix}",
        "LIKE '${prefix}%'",
        "read.sql: has ${prefix} in quotes",
        "parameter",
    ),
    "SQL with another place": (
        DESK,
        "LIKE ${prefix}",
        "LIKE ${key}",
        "read.sql: ${key} is not known here",
        "${prefix} alone",
    ),
    "two ways to read": (
        DESK,
        f"sql: {SQL}",
        f"sql: {SQL}\n  request: GET /x/${{key}}",
        "read: has to have either sql or a request",
        "one of the two",
    ),
    "SQL with what belongs to a request": (
        DESK,
        f"sql: {SQL}",
        f"sql: {SQL}\n  gone: {{status: [404]}}",
        "read.gone: belongs to a request",
        "take it out",
    ),
    "a way to read that never says gone": (
        LOOKING,
        "  gone: {status: [404]}\nclean",
        "clean",
        "read.gone: is missing",
        "[404]",
    ),
    "a way to read that says nothing": (
        LOOKING,
        '    body: {to: "drill-${payee}", sum: {value: "${amount}"}}',
        "    status: [200]",
        "read.there: does not say what a right answer says",
        "under body",
    ),
    "a way to read that leaves something out": (
        LOOKING,
        ', sum: {value: "${amount}"}}',
        "}",
        "read.there.body: does not say amount: a changed one",
        "${amount}",
    ),
    "a way to read without an answer": (
        LOOKING,
        '  there:\n    body: {to: "drill-${payee}", sum: {value: "${amount}"}}\n',
        "",
        "read.there: is missing",
        "there",
    ),
    "a question that every answer is right for": (
        DESK,
        "      - external_id: ${key}          # a list: one for each payment of that key\n"
        "        amount: ${amount}000 ",
        "      - internal: true ",
        "ask.there.body: says the same of every transaction",
        "what was sent",
    ),
    "a list of several": (
        DESK,
        "        amount: ${amount}000 ",
        "      - amount: ${amount}000 ",
        "ask.there.body: is a list of several",
        "one of them",
    ),
    "a removal that never ends": (
        LOOKING,
        "  gone: {status: [204, 404]}\n",
        "",
        "clean up.gone: is missing",
        "204",
    ),
    "a removal that is not bounded": (
        DESK,
        "# clean up:\n#   sql: CALL remove_drills(${prefix})",
        "clean up:\n  sql: DELETE FROM apipayments",
        "clean up.sql: has no ${prefix}",
        "bound it",
    ),
    "a character that looks like another": (
        DESK,
        "LIKE ${prefix}",
        "LIKE\u00a0${prefix} ${x}",
        "read.sql: ${x} is not known here; it holds U+00A0",
        "type that place",
    ),
}


def refused(folder: Path, text: str) -> Refused:
    (folder / "client.yaml").write_text(text)
    with pytest.raises(Refused) as error:
        file.read(folder / "client.yaml")
    return error.value


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_told_with_line_field_and_hint(tmp_path: Path, what: str) -> None:
    """And with what to write instead."""
    text, was, now, said, hint = WRONG[what]
    assert text.count(was) >= 1, was
    text = text.replace(was, now, 1)
    error = refused(tmp_path, text)
    told = next(line for line in error.message.splitlines() if f": {said}" in line)
    place, line, field = re.fullmatch(r"(.*):(\d+): (.*?): .*", told).groups()
    assert place == f"{tmp_path}/client.yaml" and hint in error.hint, error
    *above, last = re.sub(r"\[\d+\]", "", field).split(".")
    assert any(name in text.splitlines()[int(line) - 1] for name in (last, *above[-1:], "format")), told


def test_one_status_does_not_say_two_things(tmp_path: Path) -> None:
    """Neither of what is there and gone."""
    there = LOOKING.replace("  there:\n", "  there:\n    status: [200, 404]\n")
    assert "read: takes 404 for both" in refused(tmp_path, there).message


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """One error, a line for each, in order."""
    text = DESK.replace("memo: ${key}", "memo: ${kye}").replace("[201]", "[501]").replace("LIKE ${prefix}", "LIKE 'x'")
    lines = refused(tmp_path, text).message.splitlines()
    assert [int(line.split(":")[1]) for line in lines] == sorted(int(line.split(":")[1]) for line in lines)
    assert len(lines) == 3


@pytest.mark.parametrize("text", [DESK, LOOKING], ids=["by SQL", "by requests"])
def test_a_whole_one_is_read(tmp_path: Path, text: str) -> None:
    """With the names of the secrets that it needs, each once."""
    (tmp_path / "client.yaml").write_text(text)
    said = file.read(tmp_path / "client.yaml")
    assert said.secrets == (("api key",) if text is DESK else ()) and "amount" in said.draws
    assert said.rate == (5.0 if text is DESK else None)
