"""What a project's client says: payloads as canonical JSON, and answers by the platform's own word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drills.client import CLIENT, QuantumNestClient
from harness.errors import Refused
from harness.system.recorder import Memory
from harness.workload.client import Acceptance, ClientModule, DirectClient, Key, Payload, StoredTransaction, canonical
from harness.workload.rows import export_rows
from tests.this_project import PROJECT

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_the_order_in_which_a_payload_was_made_does_not_matter(payload: dict[str, Any]) -> None:
    """The same text from every order of the keys, and it says the same."""
    said = canonical(payload)
    assert said == canonical(dict(reversed(payload.items()))) and json.loads(said) == payload


@pytest.mark.parametrize(
    "payload", [{"amount": 1.5}, {"a": [{"b": 0.0}]}, {"a": float("nan")}, {"a": b"x"}, {"a": 2**60}]
)
def test_what_would_not_be_read_back_the_same_is_refused(payload: Payload) -> None:
    """A float is another text elsewhere, and so is a number that no double holds."""
    with pytest.raises(Refused):
        canonical(payload)


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (201, {"stored": True, "timeline": 3}, Acceptance(stored=True, history=3)),
        (200, {"stored": True}, Acceptance(stored=True)),
        (201, {"stored": True, "timeline": 3, "server": "10.0.0.14"}, Acceptance(True, 3, "10.0.0.14")),
        (201, {"stored": True, "server": None}, Acceptance(stored=True)),
        (201, {"stored": True, "timeline": "3"}, Acceptance(stored=True)),
        (503, {"stored": False, "why": "full"}, Acceptance(stored=False)),
        (500, {"stored": None}, Acceptance(stored=None)),
        (404, {"stored": True}, Acceptance(stored=None)),
        (201, {}, Acceptance(stored=None)),
        (201, ["stored"], Acceptance(stored=None)),
        (503, "no healthy upstream", Acceptance(stored=None)),
    ],
)
def test_only_the_platforms_own_word_counts(status: int, body: object, says: Acceptance) -> None:
    """What stands between says nothing about the transaction."""
    assert CLIENT.judge(status, body.encode() if isinstance(body, str) else json.dumps(body).encode()) == says


def test_the_seed_tells_all_that_was_sent() -> None:
    """Payers and payees differ, and money is text with its cents."""
    drawn = [[QuantumNestClient(accounts=3).draw(random) for _ in range(50)] for random in (Random(7), Random(7))]
    assert drawn[0] == drawn[1]
    for payload in drawn[0]:
        assert payload["from"] != payload["to"] and {payload["from"], payload["to"]} <= {1, 2, 3}
        assert CLIENT.amount(payload) == Decimal(payload["amount"]) and payload["amount"][-3] == "."


@pytest.mark.parametrize(("stored", "same"), [("12.34", True), ("12.341", False), ("12.35", False), ("12", False)])
def test_an_amount_is_read_back_as_it_is(stored: str, same: bool) -> None:
    """Nothing is rounded away: a row that was changed by less than a cent does not say what was sent."""
    (row,) = CLIENT.rows(Table([(1, 7, 9, Decimal(stored))]), origin="r/s/a")
    assert (canonical(row.payload) == '{"amount":"12.34","from":7,"to":9}') is same


class Table:
    """As much of a connection as the client asks: a cursor that gives these rows."""

    def __init__(self, rows: list[tuple[int, int, int, Decimal]]) -> None:
        self.itersize = 0
        self._rows = rows

    def transaction(self) -> nullcontext[None]:
        return nullcontext()

    def cursor(self, name: str) -> nullcontext[Table]:
        return nullcontext(self)

    def execute(self, query: bytes, values: tuple[str, ...]) -> list[tuple[int, int, int, Decimal]]:
        return self._rows


def test_the_client_of_this_project_is_the_one_that_its_file_names() -> None:
    """It can also write to a database directly."""
    assert PROJECT.client.load() is CLIENT and isinstance(CLIENT, DirectClient)


def test_a_module_without_a_client_is_refused() -> None:
    """It is named."""
    with pytest.raises(Refused, match="declares no CLIENT"):
        ClientModule(PROJECT.folder, "drills.roles").load()


class Fixed(QuantumNestClient):
    """Its rows are given."""

    def rows(self, source: list[int], *, origin: str) -> Iterator[StoredTransaction]:
        yield from (StoredTransaction(n, {"to": 2, "from": 1, "amount": "1.00"}) for n in source)


def test_what_was_sent_and_what_is_read_back_are_one_text(tmp_path: Path) -> None:
    """Behind a first line that has a salt of its own in every file."""
    folder = tmp_path / "run" / "scenarios" / "s"
    folder.mkdir(parents=True)
    recorder = Memory()
    export_rows([1, 3], Fixed(), origin="r/s", groups=["a", "b"], folder=folder, moment="final", recorder=recorder)
    first, *rows = (folder / "rows-final-a.jsonl").read_text().splitlines()
    other = json.loads((folder / "rows-final-b.jsonl").read_text().splitlines()[0])
    assert json.loads(first)["salt"] != other["salt"] and (other["v"], other["group"]) == (2, "b")
    sent = json.loads(CLIENT.message(Key("r/s/a", 1), {"from": 1, "to": 2, "amount": "1.00"}).body)
    assert sent == {"origin": "r/s/a", "number": 1, "from": 1, "to": 2, "amount": "1.00"}
    assert [json.loads(row) for row in rows] == [
        {"n": n, "payload": '{"amount":"1.00","from":1,"to":2}', "amount": "1.00"} for n in (1, 3)
    ]
    assert [data["lines"] for kind, data in recorder.facts if kind == "rows"] == [3, 3]
