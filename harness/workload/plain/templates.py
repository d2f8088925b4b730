"""Texts, and JSON of texts, with `${…}` in them: filled anew for each transaction, and compared with an answer.

What stands without quotes is what it would be if it had been written there: `${price}` is a number then, and `true` is
true. A secret and a key are always text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from harness.workload.plain.draws import LARGEST, number_of

PLACE = re.compile(r"\$\{([^${}]*)\}")
SECRET = "secret:"
KEY, NUMBER = "key", "number"
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_WORDS = {"true": True, "false": False, "null": None}
_FARTHEST = 30  # digits before or behind the point that are written out

Values = Callable[[str], str]  # by the name in `${…}`
Template = Any  # dict, list or `Leaf`


@dataclass(frozen=True)
class Words:
    """A text with places in it."""

    text: str

    @property
    def names(self) -> list[str]:
        """What stands in its places, in order."""
        return PLACE.findall(self.text)

    def fill(self, values: Values, *, quote: Callable[[str], str] = str) -> str:
        """`quote`: of each value, as the place asks for it: in an address, say."""
        return PLACE.sub(lambda place: quote(values(place[1])), self.text)


@dataclass(frozen=True)
class Leaf:
    """A value of JSON. `bare`: without quotes; `number`: then it is a number once it is filled."""

    words: Words
    bare: bool
    number: bool = False

    def fill(self, values: Values) -> Any:
        text = self.words.fill(values)
        if self.number:
            return Decimal(text)
        return _WORDS.get(text, text) if self.bare and not self.words.names else text


NULL = Leaf(Words("null"), bare=True)


def leaf(text: str, *, bare: bool, numbers: Callable[[str], bool]) -> Leaf:
    """`numbers`: whether what stands in a place is one, by its name."""
    words = Words(text)
    tried = words.fill(lambda _: "1") if all(map(numbers, words.names)) else ""
    return Leaf(words, bare, number=bare and bool(_NUMBER.fullmatch(tried)))


def names_in(template: Template) -> list[str]:
    """What stands in all of its places."""
    if isinstance(template, Leaf):
        return template.words.names
    inner = template.values() if isinstance(template, dict) else template
    return [name for each in inner for name in names_in(each)]


def fill(template: Template, values: Values) -> Any:
    """A value of JSON; its numbers are `Decimal`."""
    if isinstance(template, Leaf):
        return template.fill(values)
    if isinstance(template, dict):
        return {name: fill(each, values) for name, each in template.items()}
    return [fill(each, values) for each in template]


def written(value: Any) -> str:
    """JSON text, each number to its last digit."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{written(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)


def parsed(body: bytes) -> Any:
    """What an answer says. Errors: `ValueError` where it is no JSON."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def plain(value: Any) -> Any:
    """As a payload may have it: a whole number, or decimal text; every text one that UTF-8 can carry."""
    if isinstance(value, dict):
        return {_text(name): plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, str):
        return _text(value)
    return value if value is None or isinstance(value, bool) else _plain_number(Decimal(value))


def _plain_number(number: Decimal) -> int | str:
    if abs(number.adjusted()) > _FARTHEST:
        return str(number)
    if number == number.to_integral_value():
        return int(number) if abs(number) < LARGEST else format(number.to_integral_value(), "f")
    return format(number.normalize(), "f")


def wanted(template: Template, values: Values) -> Any:
    """What an answer has to say."""
    return plain(fill(template, values))


def seen(template: Template, found: Any) -> Any:
    """What an answer says at the places of the template; what it says besides is left out.

    Of a list each element is looked at, by the template's own or its last one. A number may come as decimal text.
    """
    if isinstance(template, Mapping) and isinstance(found, dict):
        return {name: seen(each, found[name]) for name, each in template.items() if name in found}
    if isinstance(template, list) and template and isinstance(found, list):
        return [seen(template[min(at, len(template) - 1)], each) for at, each in enumerate(found)]
    if isinstance(template, Leaf) and template.number and isinstance(found, str):
        number = number_of(found)
        return plain(found if number is None else number)
    return plain(found)


def same(one: Any, other: Any) -> bool:
    """Of two that are plain; unlike Python's own, `true` is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _text(text: str) -> str:
    return text.encode(errors="replace").decode()
