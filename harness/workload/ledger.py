"""The customers' own record of what was due, sent and answered. The format is in docs/journal.md.

`outcomes` reads it as a stream, ordered by number, and holds no more than what was in flight; it opens no file.
`Writer` is the only way to write one: when `write` returns, the lines are on disk.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal, NamedTuple

from harness.errors import DrillError, Refused
from harness.system.durable import sync_folder
from harness.workload import format1

VERSION = 2
SECOND = 1_000_000_000  # nanoseconds
LAST_READING = 10**18  # nanoseconds of a monotonic clock: 30 years after a machine was started
IN_FLIGHT_LIMIT = 100_000  # requests behind one without an end; customers have at most a few hundred in flight
NO_END = "the ledger has no end for it"
HINT = "the ledger was changed after it was written, or is another file; take it from the sealed pack"

Payload = str | format1.Payment | None  # what a transaction says: canonical JSON; only compared, never looked into
Outcome = Literal["acknowledged", "failed", "in_doubt", "not_sent"]
ENDS = frozenset({"acknowledged", "failed", "in_doubt"})  # events that end what was sent


class Request(NamedTuple):
    """One numbered request from due to end. Times are nanoseconds of CLOCK_MONOTONIC.

    A tuple and no dataclass: it is frozen and slotted as well, and made four times as fast, a million times over.
    """

    number: int
    due: int
    sent: int | None  # None: not sent
    ended: int | None  # None: the customers were killed before they knew; `outcome` is then in_doubt
    outcome: Outcome
    payload: Payload  # None: not sent
    amount: Decimal | None  # the money that it moves; None: none, or not sent
    why: str
    history: int | None = None  # of an acknowledged one: which of the database's histories it was written on
    server: str = ""  # of an acknowledged one: the address of the database server that stored it; empty: not said


@dataclass(frozen=True)
class Header:
    """The first line: whose requests these are, and how they were due: number n at `begin + (n - 1) / rate`."""

    origin: str  # "<run>/<scenario>", the same for every group
    group: str
    rate: float  # requests a second
    timeout: float  # seconds from the due time
    begin: int = 0  # due time of number 1, nanoseconds of CLOCK_MONOTONIC
    seed: int = 0  # of what is sent
    salt: str = ""  # so that the digest of a ledger that was withheld tells nothing of what is in it

    def due(self, number: int) -> int:
        """When a request is due, in monotonic nanoseconds: a fixed grid, which never drifts."""
        return self.begin + round((number - 1) * SECOND / self.rate)


@dataclass(frozen=True)
class Totals:
    """How many requests came to which end. Always: due = acknowledged + failed + in_doubt + not_sent."""

    due: int = 0
    sent: int = 0
    acknowledged: int = 0
    failed: int = 0
    in_doubt: int = 0
    not_sent: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def count(requests: Iterable[Request]) -> Totals:
    """The totals of a ledger."""
    ends = {"acknowledged": 0, "failed": 0, "in_doubt": 0, "not_sent": 0}
    for request in requests:
        ends[request.outcome] += 1
    due = sum(ends.values())
    return Totals(due=due, sent=due - ends["not_sent"], **ends)


def stored_origin(origin: str, group: str) -> str:
    """The `origin` of a group's keys: (origin, number) is then one transaction's alone."""
    return f"{origin}/{group}"


def header_line(header: Header) -> str:
    """The first line of a ledger."""
    return json_line({"v": VERSION, **{f.name: getattr(header, f.name) for f in fields(header)}})


def sent_line(number: int, *, due: int, t: int, payload: str, amount: Decimal | None = None) -> str:
    """Written, and durable, before the request leaves. `payload`: canonical JSON."""
    money = {} if amount is None else {"amount": str(amount)}
    return json_line({"n": number, "e": "sent", "due": due, "t": t, "payload": payload, **money})


def end_line(
    number: int, outcome: Outcome, *, t: int, why: str = "", history: int | None = None, server: str = ""
) -> str:
    """What came of a request that was sent; `history`, `server`: of the database that has stored it, where known."""
    more = ({"why": why} if why else {}) | ({"history": history} if history is not None else {})
    more |= {"server": server} if server else {}
    return json_line({"n": number, "e": outcome, "t": t} | more)


def not_sent_line(number: int, *, due: int, t: int, why: str) -> str:
    """A request that was due and could not be sent."""
    return json_line({"n": number, "e": "not_sent", "due": due, "t": t, "why": why})


def resolved_line(number: int, *, t: int, addresses: Sequence[str]) -> str:
    """What the platform's name stood for at the new connection of a request, where that had changed; none: nobody
    could say. It says more, and is no end."""
    return json_line({"n": number, "e": "resolved", "t": t, "addresses": list(addresses)})


def json_line(fact: dict[str, Any]) -> str:
    """One event."""
    return json.dumps(fact, separators=(",", ":")) + "\n"


def read_header(line: str | bytes, *, name: str = "ledger") -> Header:
    """The first line as a `Header`. Errors: `Refused` when it is none, or of an unknown version."""
    try:
        fact = json.loads(_text(line))
    except ValueError:
        fact = None
    return header_of(fact, name=name)


def header_of(fact: Any, *, name: str) -> Header:
    if not isinstance(fact, dict) or "origin" not in fact:
        raise Refused(f"{name}:1: not the first line of a ledger", hint=HINT)
    if fact.get("v") not in (format1.VERSION, VERSION):
        known = f"{format1.VERSION} and {VERSION}"
        raise Refused(f"{name}:1: ledger format {fact.get('v')!r}; this program reads {known}", hint=HINT)
    try:
        return Header(
            origin=str(fact["origin"]),
            group=format1.group(fact) if fact["v"] == format1.VERSION else str(fact["group"]),
            rate=float(fact["rate"]),
            timeout=float(fact["timeout"]),
            begin=int(fact.get("begin", 0)),
            seed=int(fact.get("seed", 0)),
            salt=str(fact.get("salt", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(f"{name}:1: {error!r} in the first line of a ledger", hint=HINT) from None


def outcomes(
    lines: Iterable[str | bytes], *, name: str = "ledger", torn: Callable[[str], None] | None = None
) -> Iterator[Request]:
    """Every request of a ledger, in order of number, from all of its lines, the first one included.

    A `sent` without an end is in doubt. A last line that is torn, because the customers were killed while they wrote
    it, is left out and given to `torn`; a ledger without any line has no request.
    Errors: `Refused`, naming `name` and the line, for anything else that is not a ledger.
    """
    under_way: dict[int, Request] = {}
    ended: dict[int, Request] = {}  # ended, but a smaller number has not
    head = 1  # the number to give out next
    for request in _ends(lines, under_way, name=name, torn=torn):
        if request.number != head:
            ended[request.number] = request
            if len(ended) > IN_FLIGHT_LIMIT:
                raise Refused(f"{name}: {IN_FLIGHT_LIMIT} requests ended behind number {head}, it did not", hint=HINT)
            continue
        yield request
        head += 1
        while head in ended:
            yield ended.pop(head)
            head += 1
    for number in sorted(under_way.keys() | ended.keys()):
        yield ended[number] if number in ended else under_way[number]


def _ends(
    lines: Iterable[str | bytes],
    under_way: dict[int, Request],
    *,
    name: str,
    torn: Callable[[str], None] | None,
) -> Iterator[Request]:
    """Requests in the order in which they ended; `under_way` holds those that were sent and have no end yet."""
    last = due = 0
    events = facts(lines, name=name, torn=torn)
    form = _form(next(events, None), name=name)
    for at, fact in events:
        try:
            number, event, t = fact["n"], fact["e"], fact["t"]
            if type(number) is not int or type(t) is not int or abs(t) > LAST_READING:
                raise TypeError("n and t are whole numbers, and t a reading of a clock")
            if event in ENDS:
                if number not in under_way:
                    raise ValueError(f"number {number} ends here, and is not under way")
                yield _ended(under_way.pop(number), t, event, fact, form.history(fact))
                continue
            if event not in ("sent", "not_sent"):
                form.unknown(event)
                continue
            last += 1
            if number != last:
                raise ValueError(f"number {number} where {last} is next")
            if fact["due"] < due:
                raise ValueError("due before the one before it")
            due = whole(fact["due"])
            if event == "sent":
                payload, amount = form.content(fact)
                under_way[number] = Request(number, due, t, None, "in_doubt", payload, amount, NO_END)
            else:
                yield Request(number, due, None, t, "not_sent", None, None, str(fact["why"]))
        except (KeyError, TypeError, ValueError, InvalidOperation) as error:
            raise Refused(f"{name}:{at}: {reason(error)}", hint=HINT) from None


class _Form(NamedTuple):
    """How the lines of one format are read."""

    content: Callable[[dict[str, Any]], tuple[Payload, Decimal | None]]
    history: Callable[[dict[str, Any]], int | None]
    unknown: Callable[[object], None]  # of an event


def _form(first: tuple[int, dict[str, Any]] | None, *, name: str) -> _Form:
    """By the first line; that of no line is any."""
    if first is not None:
        header_of(first[1], name=name)
        if first[1]["v"] == format1.VERSION:
            return _Form(format1.sent, format1.history, format1.unknown)
    return _Form(content, _history, _left_alone)


def _left_alone(event: object) -> None:
    """A later machine says more, and takes nothing back."""


def facts(
    lines: Iterable[str | bytes], *, name: str, torn: Callable[[str], None] | None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Lines as objects, with their numbers; only the last line may be torn."""
    decode = json.JSONDecoder().raw_decode  # json.loads without its two regular expressions a line
    rest = iter(lines)
    for at, line in enumerate(rest, 1):
        text = line if type(line) is str else _text(line)
        try:
            fact, end = decode(text)
        except (ValueError, RecursionError):
            fact, end = None, 0
        if type(fact) is dict and (end == len(text) or text[end:].isspace()):
            yield at, fact
        elif next(rest, None) is None:
            if torn:
                torn(text)
        else:
            raise Refused(f"{name}:{at}: not a line of a ledger: {text[:80]!r}", hint=HINT)


def content(fact: dict[str, Any]) -> tuple[str, Decimal | None]:
    """What a line of a ledger or of rows says, and the money in it. Errors: KeyError, TypeError, `InvalidOperation`."""
    payload, given = fact["payload"], fact.get("amount")
    if type(payload) is not str:
        raise TypeError("payload is text")
    if given is None:
        return payload, None
    amount = Decimal(given)
    if not amount.is_finite() or amount.adjusted() > format1.MOST_DIGITS:
        raise InvalidOperation
    return payload, amount


def _history(fact: dict[str, Any]) -> int | None:
    found = fact.get("history")
    if found is not None and type(found) is not int:
        raise TypeError("history is a whole number")
    return found


def _ended(sent: Request, t: int, outcome: Outcome, fact: dict[str, Any], history: int | None) -> Request:
    number, due, at, _, _, payload, amount = sent[:7]
    why, server = str(fact.get("why", "")), str(fact.get("server", ""))
    return Request(number, due, at, t, outcome, payload, amount, why, history, server)


def whole(value: Any) -> int:
    """A reading of a clock. Errors: `TypeError`."""
    if type(value) is not int or abs(value) > LAST_READING:
        raise TypeError("a time is a whole number, and a reading of a clock")
    return value


def reason(error: Exception) -> str:
    """Why a line is none, in words."""
    if isinstance(error, KeyError):
        return f"the field {error} is missing"
    return "the amount is no number" if isinstance(error, InvalidOperation) else str(error)


def _text(line: str | bytes) -> str:
    return line.decode("utf-8", errors="replace") if isinstance(line, bytes) else line


class LedgerLost(DrillError):
    """The ledger cannot be written; nothing may be sent any more."""


class Writer:
    """Appends to a new ledger. What `write` has returned from is on disk, whole."""

    def __init__(self, path: Path, header: Header) -> None:
        """Errors: `Refused` when the file is there already or cannot be made, `LedgerLost` when it takes no line."""
        self.path = path
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            raise Refused(f"{path}: is there already", hint="give every scenario a folder of its own") from None
        except OSError as error:
            raise Refused(f"{path}: {error.strerror}", hint="give a folder that exists and can be written") from None
        self._length = 0
        self.write([header_line(header)])
        sync_folder(path.parent)

    def write(self, lines: Sequence[str]) -> None:
        """Append whole lines, and return once they are on disk.

        Errors: `LedgerLost`; what was half written is cut off again where the disk allows it.
        """
        data = "".join(lines).encode()
        try:
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:])
            os.fdatasync(self._file)  # the length is metadata that reading needs, so fdatasync writes it too
        except OSError as error:
            try:
                os.ftruncate(self._file, self._length)
            except OSError as second:  # then the last line is torn, and a reader says so
                error.add_note(f"and the half-written line stays: {second.strerror}")
            raise LedgerLost(
                f"{self.path}: the ledger cannot be written: {error.strerror}; customers stop",
                hint="free some space in the run's folder, and run the drill again",
            ) from error
        self._length += len(data)

    def close(self) -> None:
        os.close(self._file)
