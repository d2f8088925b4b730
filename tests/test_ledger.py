"""The ledger: what is written is read, in order, in little memory; what is no ledger is refused by file and line."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import Refused
from harness.workload.ledger import (
    NO_END,
    Header,
    LedgerLost,
    Outcome,
    Totals,
    Writer,
    count,
    end_line,
    header_line,
    not_sent_line,
    outcomes,
    read_header,
    sent_line,
)

HEADER = Header(origin="r/s", group="a", rate=16.7, timeout=5.0, begin=1000, seed=7, salt="5a17")
FIRST = header_line(HEADER)


def sent(number: int, *, due: int = 0) -> str:
    payload = '{"amount":"12.34","from":1,"to":2}'
    return sent_line(number, due=due or number * 10, t=number * 10 + 1, payload=payload, amount=Decimal("12.34"))


def end(number: int, outcome: Outcome = "acknowledged", why: str = "") -> str:
    return end_line(number, outcome, t=number * 10 + 5, why=why)


FIRST_1 = '{"v":1,"origin":"r/s","zone":"a","rate":16.7,"timeout":5.0,"begin":1000,"seed":7,"accounts":100}\n'


def sent_1(number: int, *, amount: str = "12.34") -> str:
    """As format 1 had it."""
    at = number * 10
    return f'{{"n":{number},"e":"sent","due":{at},"t":{at + 1},"from":1,"to":2,"amount":"{amount}"}}\n'


def test_a_ledger_of_format_1_is_read_as_it_was_meant() -> None:
    """One amount in two forms is one amount; the history was called a timeline."""
    assert read_header(FIRST_1) == replace(HEADER, salt="")
    one, two = outcomes([FIRST_1, sent_1(1), sent_1(2, amount="12.340"), end(2), end(1).replace("}", ',"tl":3}')])
    assert one.payload == two.payload and one.amount == Decimal("12.34") and one.history == 3


def test_what_a_later_machine_says_more_is_left_alone() -> None:
    """A balance that a customer was told, say."""
    told = '{"n":1,"e":"told","t":12,"asked":"balance"}\n'
    assert list(outcomes([FIRST, sent(1), told, end(1)])) == list(outcomes([FIRST, sent(1), end(1)]))


def test_the_first_line_comes_back_as_it_was_written() -> None:
    """Rate, begin and seed are enough to know every due time, and all that was sent, again."""
    assert read_header(FIRST) == HEADER


def test_a_ledger_without_a_request_has_none() -> None:
    """An empty file, and a file with its first line only, are ledgers of customers who were due to send nothing."""
    assert list(outcomes([])) == []
    assert list(outcomes([FIRST])) == []


def test_requests_come_in_order_of_number_whatever_the_order_of_their_ends() -> None:
    """2 ends first, 3 is not sent, 1 fails late; they come as 1, 2, 3."""
    late = not_sent_line(3, due=30, t=31, why="clients full")
    lines = [FIRST, sent(1), sent(2), end(2), late, end(1, "failed", "refused")]
    one, two, three = outcomes(lines)
    assert (one.number, one.outcome, one.why) == (1, "failed", "refused")
    assert (two.number, two.outcome, two.sent, two.ended, two.amount) == (2, "acknowledged", 21, 25, Decimal("12.34"))
    assert (three.number, three.outcome, three.sent, three.ended, three.payload) == (3, "not_sent", None, 31, None)


def test_a_sent_without_an_end_is_in_doubt() -> None:
    """Customers that were killed cannot say what became of a request that had left."""
    one, two = outcomes([FIRST, sent(1), sent(2), end(2)])
    assert (one.outcome, one.ended, one.why) == ("in_doubt", None, NO_END)
    assert two.outcome == "acknowledged"


def test_an_answer_may_say_on_which_timeline_it_was_committed() -> None:
    """The timeline comes back with its request; where the answer named none, there is none."""
    lines = [FIRST, sent(1), sent(2), end_line(1, "acknowledged", t=15, history=3), end(2)]
    assert [request.history for request in outcomes(lines)] == [3, None]
    assert json.loads(lines[3]) == {"n": 1, "e": "acknowledged", "t": 15, "history": 3}


def test_an_answer_may_say_which_server_committed_it() -> None:
    """Two databases may give their histories the same number; where the answer named no server, there is none."""
    lines = [FIRST, sent(1), sent(2), end_line(1, "acknowledged", t=15, history=3, server="10.0.0.14"), end(2)]
    assert [request.server for request in outcomes(lines)] == ["10.0.0.14", ""]
    assert json.loads(lines[3])["server"] == "10.0.0.14"


@pytest.mark.parametrize("keep", [1, 20, len(sent(3)) - 2])
def test_a_torn_last_line_is_left_out_and_reported(keep: int) -> None:
    """Wherever it is torn; what stands before it is read."""
    torn: list[str] = []
    read = list(outcomes([FIRST, sent(1), end(1), sent(2), sent(3)[:keep]], torn=torn.append))
    assert [request.outcome for request in read] == ["acknowledged", "in_doubt"]
    assert torn == [sent(3)[:keep]]


def test_a_torn_first_line_is_an_empty_ledger() -> None:
    """Customers may be killed before they have written anything whole."""
    torn: list[str] = []
    assert list(outcomes([FIRST[:30]], torn=torn.append)) == []
    assert torn == [FIRST[:30]]


def test_bytes_are_read_like_text() -> None:
    """A file opened for digests is read as it is."""
    lines = [FIRST, sent(1), end(1)]
    assert list(outcomes(line.encode() for line in lines)) == list(outcomes(lines))


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([FIRST, sent(1)[:30], end(1)], "x:2: not a line of a ledger"),
        ([FIRST, "[1]\n", end(1)], "x:2: not a line of a ledger"),
        ([FIRST, sent(1) + sent(2)], ""),
        ([FIRST, sent(1)[:-1] + sent(2), end(1)], "x:2: not a line of a ledger"),
        ([sent(1), end(1)], "x:1: not the first line of a ledger"),
        ([FIRST.replace('"v":2', '"v":3')], "x:1: ledger format 3"),
        ([FIRST.replace('"rate":16.7', '"rate":"fast"')], "x:1: "),
        ([FIRST, sent(2)], "x:2: number 2 where 1 is next"),
        ([FIRST, sent(1), sent(1)], "x:3: number 1 where 2 is next"),
        ([FIRST, end(1)], "x:2: number 1 ends here, and is not under way"),
        ([FIRST, sent(1), end(1), end(1)], "x:4: number 1 ends here, and is not under way"),
        ([FIRST, sent(1), end(1).replace('"acknowledged"', "[]")], "x:3: "),
        ([FIRST, sent(1), end(1).replace("}", ',"history":"3"}')], "x:3: history is a whole number"),
        ([FIRST, sent(1).replace(',"amount":"12.34"', ',"amount":"much"')], "x:2: the amount is no number"),
        ([FIRST, sent(1).replace(',"amount":"12.34"', ',"amount":"NaN"')], "x:2: the amount is no number"),
        ([FIRST, sent(1).replace('"due"', '"dew"')], "x:2: the field 'due' is missing"),
        ([FIRST, sent(1).replace('"t":11', '"t":1.5')], "x:2: n and t are whole numbers"),
        ([FIRST, sent(1).replace('"payload":"', '"payload":1,"was":"')], "x:2: payload is text"),
        ([FIRST, sent(1).replace('"due":10', '"due":"10"')], "x:2: "),
        ([FIRST_1, sent_1(1), end(1).replace("acknowledged", "perhaps")], "x:3: unknown event 'perhaps'"),
        ([FIRST_1, sent_1(1), end(1).replace("}", ',"tl":"3"}')], "x:3: tl is a whole number"),
        ([FIRST_1, sent_1(1).replace('"from":1', '"from":"1"')], "x:2: from and to are whole numbers"),
        ([FIRST_1, sent_1(1).replace('"12.34"', '"NaN"')], "x:2: the amount is no number"),
        ([FIRST, sent(1, due=50), sent(2, due=40)], "x:3: due before the one before it"),
    ],
)
def test_what_is_no_ledger_is_refused_by_file_and_line(lines: list[str], says: str) -> None:
    """Only the last line may be torn: anything else was changed after it was written."""
    if not says:
        torn: list[str] = []
        assert list(outcomes(lines, torn=torn.append)) == []
        assert torn
        return
    with pytest.raises(Refused) as refused:
        list(outcomes(lines, name="x"))
    assert refused.value.message.startswith(says)


ENDS = st.sampled_from(["acknowledged", "failed", "in_doubt", "not_sent", "none"])


@given(st.lists(st.tuples(ENDS, st.integers(0, 30)), max_size=60), st.integers(0, 200))
def test_every_due_request_has_exactly_one_outcome(plan: list[tuple[str, int]], cut: int) -> None:
    """However ends are mixed up, and wherever the customers are killed: due is the sum of the four, in order."""
    events: list[tuple[int, int, str]] = []
    for number, (outcome, delay) in enumerate(plan, 1):
        if outcome == "not_sent":
            events.append((number, number, not_sent_line(number, due=number * 10, t=number * 10, why="clients full")))
            continue
        events.append((number, number, sent(number)))
        if outcome != "none":
            events.append((number + delay, number + 1000, end(number, outcome)))
    lines = [line for _, _, line in sorted(events, key=lambda event: (event[0], event[1] > 1000, event[1]))]
    text = FIRST + "".join(lines)
    whole = list(outcomes([FIRST, *lines]))
    wanted = ["in_doubt" if outcome == "none" else outcome for outcome, _ in plan]
    assert [request.outcome for request in whole] == wanted
    killed = list(outcomes(text[: len(text) - cut].splitlines(keepends=True)))
    totals = count(killed)
    assert totals.due == totals.acknowledged + totals.failed + totals.in_doubt + totals.not_sent
    assert [request.number for request in killed] == list(range(1, len(killed) + 1))
    assert all(now.outcome == before.outcome or now.why == NO_END for now, before in zip(killed, whole, strict=False))


def test_memory_is_bounded_by_what_is_in_flight() -> None:
    """A million lines pass through; the reader holds a hundred requests at a time."""

    def lines() -> Iterator[str]:
        yield FIRST
        for number in range(1, 40_001):
            yield sent(number)
            if number > 100:
                yield end(number - 100)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert count(outcomes(lines())) == Totals(due=40_000, sent=40_000, acknowledged=39_900, in_doubt=100)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8_000


def test_what_was_written_is_there_and_a_ledger_is_never_written_over(tmp_path: Path) -> None:
    """A second writer of the same file is refused."""
    path = tmp_path / "ledger-a.jsonl"
    writer = Writer(path, HEADER)
    writer.write([sent(1), end(1)])
    assert count(outcomes(path.read_text().splitlines(keepends=True))).acknowledged == 1
    with pytest.raises(Refused, match="is there already"):
        Writer(path, HEADER)
    writer.close()


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """With a hint, and no traceback."""
    with pytest.raises(Refused, match="No such file"):
        Writer(tmp_path / "nowhere" / "ledger-a.jsonl", HEADER)


def test_a_write_that_does_not_fit_leaves_no_half_line(tmp_path: Path) -> None:
    """What is on disk before it stays readable, to the last line."""
    path = tmp_path / "ledger-a.jsonl"
    writer = Writer(path, HEADER)
    writer.write([sent(1)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 40, hard))
    try:
        with pytest.raises(LedgerLost, match="File too large"):
            writer.write([end(1), sent(2)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    torn: list[str] = []
    (one,) = outcomes(path.read_text().splitlines(keepends=True), torn=torn.append)
    assert (one.outcome, one.why, torn) == ("in_doubt", NO_END, [])
    writer.close()
