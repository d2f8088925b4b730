"""A ledger and the rows of the same zone, side by side by number, as streams: neither is ever held in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.checks.evidence import Row, Unsound
from harness.workload.ledger import Request

Pair = tuple[Request | None, Row | None, bool]


def joined(requests: Iterable[Request], rows: Iterable[Row]) -> Iterator[Pair]:
    """(request, row, again) by number: a request without a row, a row without a request, or both.

    `again` is true for the second and every further row of the same number.
    Errors: `Unsound` when one of the streams is not in order of number.
    """
    stream = iter(rows)
    row = next(stream, None)
    last = 0
    for request in requests:
        number = request[0]
        if number <= last:
            raise Unsound(f"the ledger is not in order: {number} after {last}")
        last = number
        while row is not None and row[0] < number:
            yield None, row, False
            row = _following(stream, row)
        if row is None or row[0] != number:
            yield request, None, False
            continue
        yield request, row, False
        row = _following(stream, row)
        while row is not None and row[0] == number:
            yield request, row, True
            row = _following(stream, row)
    while row is not None:
        yield None, row, False
        row = _following(stream, row)


def _following(stream: Iterator[Row], row: Row) -> Row | None:
    following = next(stream, None)
    if following is not None and following[0] < row[0]:
        raise Unsound(f"the rows are not in order: {following[0]} after {row[0]}")
    return following


def same(request: Request, row: Row) -> bool:
    """Whether the row says what was sent."""
    return request[5] == row[1]
