"""The record of customers who ask: it claims nothing, and says by comparison what was right."""

from __future__ import annotations

import json

import pytest

from harness.errors import Refused
from harness.workload.answers import Totals, answers, asked_line, count, told_line, untold_line
from harness.workload.ledger import Header, header_line, not_sent_line

FIRST = header_line(Header("r/s", "readers", 25.0, 5.0, begin=100))


def asked(number: int, knows: str = '{"account":1}') -> str:
    return asked_line(number, due=number * 10, t=number * 10 + 1, about="account 1", knows=knows)


LINES = [
    FIRST,
    asked(1),
    asked(2),
    told_line(2, t=29, told='{"account":2}'),
    asked(3),
    told_line(1, t=35, told='{"account":1}'),
    untold_line(3, "refused", t=36, why="503: no"),
    not_sent_line(4, due=40, t=40, why="clients full"),
    asked(5),
    untold_line(5, "no_answer", t=99, why="time-out"),
    asked(6),
]


def test_each_class_is_told_from_the_lines() -> None:
    """Right where both texts are the same, byte for byte; a question without an end has no answer."""
    read = list(answers(LINES))
    assert [(each.number, each.outcome) for each in read] == [
        (2, "wrong"), (1, "right"), (3, "refused"), (4, "not_sent"), (5, "no_answer"), (6, "no_answer"),
    ]  # fmt: skip  # a list
    wrong, last = read[0], read[-1]
    assert (wrong.asked, wrong.ended, wrong.knows, wrong.told) == (21, 29, '{"account":1}', '{"account":2}')
    assert last.ended is None and "no end" in last.why
    assert count(read) == Totals(due=6, right=1, wrong=1, refused=1, no_answer=2, not_sent=1)


def test_what_a_later_machine_says_besides_is_left_alone_and_a_torn_end_is_told() -> None:
    """As of a ledger."""
    more = json.dumps({"n": 1, "e": "resolved", "t": 5, "addresses": []}) + "\n"
    torn: list[str] = []
    assert [each.number for each in answers([FIRST, more, asked(1), '{"n":1,"e":"to'], torn=torn.append)] == [1]
    assert torn == ['{"n":1,"e":"to']
    assert list(answers([])) == []


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (['{"v":9,"origin":"r/s"}'], "ledger format 9"),
        ([FIRST, asked(2)], "number 2 where 1 is next"),
        ([FIRST, told_line(1, t=5, told="{}")], "number 1 ends here, and is not under way"),
        ([FIRST, asked(1), '{"n":1,"e":"told","t":5}'], "the field 'told' is missing"),
        ([FIRST, asked(1), '{"n":1,"e":"told","t":5,"told":{}}'], "told is text"),
        ([FIRST, asked(1), '{"n":1,"e":"told","t":0.5,"told":"{}"}'], "a time is a whole number"),
        ([FIRST, "nonsense", asked(1)], "not a line of a ledger"),
    ],
)
def test_anything_else_is_refused_with_its_line(lines: list[str], says: str) -> None:
    """It names the file and the line."""
    with pytest.raises(Refused, match=says) as error:
        list(answers(lines, name="answers-readers.jsonl"))
    assert error.value.message.startswith("answers-readers.jsonl:")
