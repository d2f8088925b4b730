"""Reads a client's file: what is wrong with it is told with line, field and HINT, all of it at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from harness.plan import shape, text
from harness.plan.shape import Formats
from harness.plan.text import Text, Where
from harness.workload.plain import draws
from harness.workload.plain.draws import Draw, Money
from harness.workload.plain.parts import Answer, Look, Removal, Request, Said
from harness.workload.plain.query import Query, wrong_with
from harness.workload.plain.templates import KEY, NULL, NUMBER, PLACE, SECRET, Template, Words, leaf, names_in

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OURS = (
    "host",
    "content-length",
    "connection",
    "transfer-encoding",
    "expect",
    "accept",
)  # headers that are set by itself
DRAWS: Mapping[str, Callable[[str], Draw]] = {"money": draws.money, "integer": draws.whole, "letters": draws.letters}
FASTEST = 1000.0  # transactions a second
HINT = "docs/projects.md says what a client's file has"
_DRAW = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_PATH = re.compile(r"/[!-~]*", re.ASCII)
_RATE = re.compile(r"(\d+(?:\.\d+)?) a second", re.ASCII)
_PRINTED = re.compile(r"[ -~]*", re.ASCII)


def read(path: Path) -> Said:
    """Errors: `Refused`, with every problem of the file in one message."""
    found = text.read(path)
    schema = json.loads(resources.files("harness.workload.plain").joinpath("client.json").read_text(encoding="utf-8"))
    shape.check(found, schema, of="a client", formats=FORMATS)
    said = None if found.problems else _Reader(found).said()
    if said is None or found.problems:
        raise text.refuse(found.path, found.problems)
    return said


def _rate(given: str) -> float:
    found = _RATE.fullmatch(given)
    if not found or not 0 < float(found[1]) <= FASTEST:
        raise ValueError(f'"{given}" is not a rate')
    return float(found[1])


def _draw(given: str) -> None:
    if not _DRAW.fullmatch(given) or given in (KEY, NUMBER):
        raise ValueError(f'"{given}" is not the name of something that is drawn')


def _header(given: str) -> None:
    if not _HEADER.fullmatch(given):
        raise ValueError(f'"{given}" is not the name of a header')
    if given.lower() in OURS:
        raise ValueError(f'"{given}" is set by itself')


def _header_value(given: str) -> None:
    if not given.strip() or not _PRINTED.fullmatch(given):
        raise ValueError("is empty, or holds what is no printable ASCII")


def _request(given: str) -> tuple[str, str]:
    method, _, path = given.partition(" ")
    if method not in METHODS or not _PATH.fullmatch(PLACE.sub("x", path)):
        raise ValueError(f'"{given}" is not a request')
    return method, path


def _status(given: str) -> int:
    if not re.fullmatch(r"[1-5][0-9]{2}", given, re.ASCII):
        raise ValueError(f'"{given}" is not the status of an answer')
    return int(given)


FORMATS: Formats = {
    "rate": (_rate, "write it like 5 a second"),
    "draw": (_draw, f"small letters, digits and _, and neither {KEY} nor {NUMBER}"),
    "money": (draws.money, "write the least and the most, such as 1..100 or 0.01..1.00"),
    "integer": (draws.whole, "write the least and the most, such as 1..50"),
    "letters": (draws.letters, f"write how many, at most {draws.LONGEST}"),
    "header": (_header, f"a header such as X-Api-Key; {', '.join(OURS)} are not yours to set"),
    "header-value": (_header_value, "write it in printable ASCII letters"),
    "request-line": (_request, f"write it like POST /payments, with {', '.join(METHODS[:-1])} or {METHODS[-1]}"),
    "status": (_status, "write three digits, such as 201"),
}


class _Reader:
    """What the file says, and what of that cannot be."""

    def __init__(self, found: Text) -> None:
        self._text = found
        self._draws: dict[str, Draw] = {}
        self._secrets: dict[str, None] = {}

    def said(self) -> Said:
        given = self._text.values
        for name, how in given.get("draws", {}).items():
            self._one_draw(name, how)
        write = self._request(("write",), given["write"])
        stored = self._answer(("write", "stored"), given["write"]["stored"])
        said = Said(
            draws=self._draws,
            write=write,
            stored=stored,
            not_stored=self._statuses(given["write"].get("not stored")),
            read=self._read(given["read"]),
            ask=self._look(("ask",), given["ask"]) if "ask" in given else None,
            clean_up=self._clean_up(given["clean up"]) if "clean up" in given else None,
            secrets=tuple(self._secrets),
            rate=_rate(given["rate"]) if "rate" in given else None,
        )
        self._must_be_judged(said)
        return said

    def _problem(self, where: Where, what: str, hint: str) -> None:
        self._text.problem(where, what, hint=hint)

    # What is drawn

    def _one_draw(self, name: str, how: Mapping[str, Any]) -> None:
        where = ("draws", name)
        if len(how) != 1:
            hint = "one of money: 1..100, integer: 1..50, letters: 12, or one of: [a, b]"
            self._problem(where, f"says {'nothing' if not how else 'several things'} of what is drawn", hint)
            self._draws[name] = draws.Letters(1)  # so that what names it is not told as well
            return
        ((word, value),) = how.items()
        made = draws.OneOf(tuple(value)) if word == "one of" else DRAWS[word](value)
        if isinstance(made, Money) and any(isinstance(each, Money) for each in self._draws.values()):
            self._problem(where, "is money, and something before it is", "of what is lost one sum is told")
        self._draws[name] = made

    # Templates

    def _known(self, where: Where, names: list[str], *, secrets: bool) -> None:
        """Whether what stands in places is known."""
        for name in names:
            if name.startswith(SECRET):
                if not secrets:
                    hint = "put it into a header, or into the body of a request"
                    self._problem(where, f"has the secret {name.removeprefix(SECRET)}", hint)
                elif not name.removeprefix(SECRET).strip():
                    self._problem(where, "names no secret", "write ${secret:NAME}; the stack's file says where it is")
                else:
                    self._secrets[name.removeprefix(SECRET)] = None
            elif name not in (KEY, NUMBER, *self._draws):
                known = ", ".join(f"${{{each}}}" for each in (KEY, NUMBER, *self._draws, f"{SECRET}NAME"))
                self._problem(where, f"${{{name}}} is not known", f"there are: {known}")

    def _words(self, where: Where, given: str, *, secrets: bool = True) -> Words:
        words = Words(given)
        self._known(where, words.names, secrets=secrets)
        self._whole(where, given)
        return words

    def _whole(self, where: Where, given: str) -> None:
        if "${" in PLACE.sub("", given):
            self._problem(where, "has a ${ without its end", "write ${name}")

    def _template(self, where: Where, given: Any, *, secrets: bool) -> Template:
        if isinstance(given, dict):
            for name in (name for name in given if "${" in name):
                self._problem((*where, name), "has a ${ in the name of a field", "only values are filled in")
            return {name: self._template((*where, name), each, secrets=secrets) for name, each in given.items()}
        if isinstance(given, list):
            return [self._template((*where, at), each, secrets=secrets) for at, each in enumerate(given)]
        if given is None:
            return NULL
        words = self._words(where, given, secrets=secrets)
        return leaf(words.text, bare=where in self._text.bare, numbers=self._is_number)

    def _is_number(self, name: str) -> bool:
        return name == NUMBER or (name in self._draws and self._draws[name].number)

    def _body(self, where: Where, given: Mapping[str, Any], *, secrets: bool) -> Template | None:
        if "body" not in given:
            return None
        where = (*where, "body")
        if not isinstance(given["body"], dict | list) or not given["body"]:
            self._problem(where, "is no JSON with something in it", "write its fields below it, each with its value")
            return None
        return self._template(where, given["body"], secrets=secrets)

    # Requests and answers

    def _request(self, where: Where, given: Mapping[str, Any], *, keyed: bool = True) -> Request:
        method, path = _request(given["request"])
        made = Request(
            method,
            self._words((*where, "request"), path, secrets=False),
            {name: self._words((*where, "headers", name), each) for name, each in given.get("headers", {}).items()},
            self._body(where, given, secrets=True),
        )
        if keyed and KEY not in _names(made):
            hint = "put ${key} where the platform stores it as it is: it marks what drills have written"
            self._problem(where, "carries ${key} nowhere: nobody could tell which one it is", hint)
        return made

    def _statuses(self, given: Mapping[str, Any] | None) -> frozenset[int]:
        return frozenset(map(_status, given.get("status", ()))) if given else frozenset()

    def _answer(self, where: Where, given: Mapping[str, Any]) -> Answer:
        made = Answer(self._statuses(given), self._body(where, given, secrets=False))
        if not made.statuses and "body" not in given:
            hint = "say by which status, and better by which field of the body"
            self._problem(where, "has no condition: every answer would do", hint)
        for status in sorted(status for status in made.statuses if not 200 <= status < 400):
            what = f"{status} says that something went wrong, or nothing yet"
            self._problem((*where, "status"), what, "take a status from 200 to 399")
        return made

    def _look(self, where: Where, given: Mapping[str, Any]) -> Look:
        made = Look(
            self._request(where, given),
            self._answer((*where, "there"), given["there"]),
            self._statuses(given.get("gone")),
        )
        body = made.there.body
        if body is None:
            hint = "say under body what it has to say, such as price: ${price}"
            self._problem((*where, "there"), "does not say what a right answer says", hint)
        elif isinstance(body, list) and len(body) != 1:
            self._problem((*where, "there", "body"), "is a list of several", "write what one of them has to say")
        elif not names_in(body):
            hint = "compare it with what was sent, such as price: ${price}"
            self._problem((*where, "there", "body"), "says the same of every transaction", hint)
        self._apart(where, made.there.statuses, made.gone)
        return made

    def _apart(self, where: Where, there: frozenset[int], gone: frozenset[int]) -> None:
        for status in sorted(there & gone):
            self._problem(where, f"takes {status} for both", "one status cannot say two things")

    # What is read, and removed

    def _one_way(self, where: Where, given: Mapping[str, Any]) -> bool:
        if ("sql" in given) == ("request" in given):
            self._problem(where, "has to have either sql or a request", "keep one of the two")
            return False
        if "sql" not in given:
            return True
        for name in given.keys() - {"sql"}:
            self._problem((*where, name), "belongs to a request", "take it out, or sql")
        if wrong := wrong_with(given["sql"], must=True):
            self._problem((*where, "sql"), *wrong)
        return True

    def _read(self, given: Mapping[str, Any]) -> Query | Look:
        where: Where = ("read",)
        if not self._one_way(where, given) or "sql" in given:
            return Query(given.get("sql", ""))
        if "there" not in given:
            self._problem((*where, "there"), "is missing", 'add "there": the answer that says that it is stored')
            return Query("")
        look = self._look(where, given)
        if not look.gone and not isinstance(look.there.body, list):
            self._problem((*where, "gone"), "is missing", "say by which status it is told that it is not there: [404]")
        body = names_in(look.there.body) if look.there.body is not None else []
        for name in (each for each in self._draws if each not in body):
            hint = f"compare it: put ${{{name}}} where the answer has it"
            self._problem((*where, "there", "body"), f"does not say {name}: a changed one would go unnoticed", hint)
        return look

    def _clean_up(self, given: Mapping[str, Any]) -> Query | Removal | None:
        where: Where = ("clean up",)
        if not self._one_way(where, given):
            return None
        if "sql" in given:
            return Query(given["sql"])
        made = Removal(self._request(where, given), self._statuses(given.get("gone")))
        if not made.gone:
            self._problem((*where, "gone"), "is missing", "say which statuses tell that it is removed: [200, 204, 404]")
        return made

    # All of it

    def _must_be_judged(self, said: Said) -> None:
        self._apart(("write",), said.stored.statuses, said.not_stored)
        for status in sorted(status for status in said.not_stored if status < 300):
            what = f"{status} says that it went well"
            self._problem(
                ("write", "not stored", "status"), what, "leave it out: what is not said to be stored is in doubt"
            )


def _names(request: Request) -> list[str]:
    body = names_in(request.body) if request.body is not None else []
    return [*request.path.names, *(name for words in request.headers.values() for name in words.names), *body]
