"""Is a plan of the right shape? Says so for people: which field, what it holds, and what it should hold.

Contradictions between figures of the plan are not looked for here.
"""

from __future__ import annotations

import difflib
import json
import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from importlib import resources
from keyword import iskeyword
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import jsonschema

from harness.plan.lengths import WRITE_A_LENGTH, length_of_time, percentage
from harness.plan.sizes import WRITE_A_SIZE, size_of_data
from harness.plan.text import Text, Where
from harness.system.lookalikes import unseen

MONTHS = ("January", "February", "March", "April", "May", "June",
          "July", "August", "September", "October", "November", "December")  # fmt: skip  # a list
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ORDINALS = ("first", "second", "third", "fourth", "last")
NO_ZONES = ("localtime", "posixrules", "Factory")  # lie beside the zones, and are what somebody set up there

_ID = re.compile(r"[A-Z][A-Z0-9]{2}-(?:[A-Z]|[A-Z]?[0-9]{1,2})", re.ASCII)
_DRILL = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
LONGEST_STREAM = 40  # letters
USES = ("primary", "secondary", "emergency")  # of channels, in the order in which they are tried
OF_ROLES, OF_GROUPS = ("call-out",), ("initial", "update", "resolution", "report")  # kinds of messages
OFTENEST = timedelta(minutes=2)  # for updates, each of which goes out a minute before it is due
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?", re.ASCII)
Formats = Mapping[str, tuple[Callable[[str], object], str]]
_TYPES = {"object": "a block of fields", "array": "a list", "string": "text"}


def first_day(text: str) -> date:
    """`2024-01` is the first of January, `2024-01-31` that day. Errors: `ValueError`."""
    year, month, day = _day(text)
    return date(year, month, day or 1)


def last_day(text: str) -> date:
    """`2024-04` is the 30th of April, `2024-04-02` that day. Errors: `ValueError`."""
    year, month, day = _day(text)
    return date(year, month, day or monthrange(year, month)[1])


def weekday_of_month(text: str) -> tuple[str, str]:
    """`"first Monday"` is `("first", "Monday")`. Errors: `ValueError`."""
    words = text.split()
    if len(words) != 2 or words[0] not in ORDINALS or words[1] not in WEEKDAYS:
        raise ValueError(f'"{text}" is not a day of a month')
    return words[0], words[1]


def request(text: str) -> tuple[str, str]:
    """`"GET https://…"` is `("GET", "https://…")`. Errors: `ValueError`."""
    method, _, url = text.partition(" ")
    parts = urlsplit(url)
    sound = parts.scheme in ("http", "https") and parts.hostname and " " not in url and not unseen(url)
    if method not in ("GET", "POST") or not sound:
        raise ValueError(f'"{text}" is not a request')
    return method, url


def month(text: str) -> int:
    """`"March"` is 3. Errors: `ValueError`."""
    if text not in MONTHS:
        raise ValueError(f'"{text}" is not a month')
    return MONTHS.index(text) + 1


def examine(text: Text) -> None:
    """List in `text.problems` everything that is not of the shape of a plan."""
    schema = json.loads(resources.files("harness.plan").joinpath("schema.json").read_text(encoding="utf-8"))
    if isinstance(text.values, dict) and text.values.get("format") == "1":
        schema["properties"]["communication"] = schema["$defs"]["communication of format 1"]
    check(text, schema, of="a plan")
    if not text.problems:
        _references(text)


def check(text: Text, schema: dict[str, Any], *, of: str, formats: Formats | None = None) -> None:
    """List in `text.problems` everything that the schema does not allow; `of`: what its fields are fields of.

    `formats`: what a schema has besides those of plans.
    """
    known = {**FORMATS, **(formats or {})}
    validator = jsonschema.Draft202012Validator(schema, format_checker=_checker(known))
    for error in validator.iter_errors(text.values):
        _say(text, error, of, known)


def _day(text: str) -> tuple[int, int, int]:
    found = _DAY.fullmatch(text)
    if not found:
        raise ValueError(f'"{text}" is not a month or a day')
    year, month_, day = (int(part or 0) for part in found.groups())
    try:
        date(year, month_, day or 1)
    except ValueError as error:
        raise ValueError(f'"{text}" is not in any calendar') from error
    return year, month_, day


def day(text: str) -> date:
    """`2024-01-31`, and no month. Errors: `ValueError`."""
    year, month_, day_ = _day(text)
    if not day_:
        raise ValueError(f'"{text}" is a month, not a day')
    return date(year, month_, day_)


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(f'"{text}" is not the id of a demand')
    return text


def _drill(text: str) -> str:
    if not _DRILL.fullmatch(text):
        raise ValueError(f'"{text}" is not the name of a drill')
    return text


def _plan_id(text: str) -> str:
    if not _DRILL.fullmatch(text):
        raise ValueError(f'"{text}" is not the id of a plan')
    return text


def _stream(text: str) -> str:
    if not _DRILL.fullmatch(text) or len(text) > LONGEST_STREAM:
        raise ValueError(f'"{text}" is not the name of a stream')
    return text


def _zone(text: str) -> ZoneInfo:
    if text in NO_ZONES or text.startswith(("posix/", "right/")):
        raise ValueError(f'"{text}" is no zone of its own: what it means differs from machine to machine')
    try:
        return ZoneInfo(text)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f'"{text}" is not a time zone that this machine knows') from error


def _module(text: str) -> str:
    if not all(part.isidentifier() and not iskeyword(part) for part in text.split(".")):
        raise ValueError(f'"{text}" is not the name of a Python module')
    return text


def _class(text: str) -> str:
    module, colon, name = text.partition(":")
    if colon and not name.isidentifier():
        raise ValueError(f'"{text}" names no class of a Python module')
    return _module(module)


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


# What each format of the schema means, and what to write instead of something else.
FORMATS: Formats = {
    "text": (_text, "write something there, or take the field out"),
    "length-of-time": (length_of_time, WRITE_A_LENGTH),
    "size-of-data": (size_of_data, WRITE_A_SIZE),
    "percentage": (percentage, 'write a percentage such as "99.99 %"'),
    "month-or-day": (last_day, "write a month as 2024-01 or a day as 2024-01-31"),
    "day": (day, "write a day as 2024-01-31"),
    "demand-id": (_id, "ids of demands look like OBJ-1, TST-M1 or APX-A"),
    "drill-name": (_drill, "write it like database-backup-restoration: small letters and hyphens"),
    "plan-id": (_plan_id, "write it like our-platform: small letters and hyphens"),
    "stream-name": (_stream, "write it like ci-two: at most 40 small letters, digits and hyphens"),
    "weekday-of-month": (weekday_of_month, 'write it like "first Monday", with first, second, third, fourth or last'),
    "month": (month, "write the month's English name, such as March"),
    "time-zone": (_zone, "write a name of the time zone database, such as UTC or Europe/Berlin"),
    "module": (_module, "write it as Python imports it, such as drills.steps"),
    "class": (_class, "write module:Class, such as shop.stack:Shop, or the module alone"),
    "request": (request, "write it like GET https://example.com/health"),
}


def _checker(formats: Formats) -> jsonschema.FormatChecker:
    checker = jsonschema.FormatChecker(formats=())

    def check_with(read: Callable[[str], object]) -> Callable[[object], bool]:
        def check(value: object) -> bool:
            if isinstance(value, str):
                read(value)
            return True

        return check

    for name, (read, _) in formats.items():
        checker.checks(name, raises=ValueError)(check_with(read))
    return checker


def _say(text: Text, error: jsonschema.ValidationError, of: str, formats: Formats) -> None:
    where: Where = tuple(error.absolute_path)
    instance: Any = error.instance
    wanted: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "additionalProperties":
            known = sorted(schema["properties"])
            for key in instance:
                if key not in known:
                    _unknown(text, (*where, key), known, of)
        case "required":
            for key in wanted:
                if key not in instance and f"'{key}' is a required" in error.message:
                    text.problem((*where, key), "is missing", hint=f'add "{key}"')
        case "type":
            what = "is empty" if instance is None else f"is {_kind(instance)}"
            text.problem(where, f"{what}, where {_TYPES[str(wanted)]} belongs")
        case "format":
            hint = formats[str(wanted)][1]
            text.problem((*where, *_key_of(error)), str(error.cause or error.message), hint=hint)
        case "const":
            text.problem(where, f'is {_kind(instance)}, where "{wanted}" belongs', hint=f'write "{wanted}"')
        case "enum":
            allowed = [str(value) for value in wanted]
            text.problem((*where, *_key_of(error)), f'"{instance}" is not one of {", ".join(allowed)}')
        case "uniqueItems":
            twice = sorted({item for item in instance if instance.count(item) > 1})
            text.problem(where, f"names {', '.join(twice)} more than once", hint="keep one of them")
        case _:  # minItems, minProperties
            text.problem(where, "holds nothing", hint="add what belongs there, or take the field out")


def _key_of(error: jsonschema.ValidationError) -> Where:
    """The name itself where a name of a field is wrong, not its value."""
    return (str(error.instance),) if "propertyNames" in error.absolute_schema_path else ()


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return f'the text "{value}"'
    return "a list" if isinstance(value, list) else "a block of fields"


def _unknown(text: Text, where: Where, known: list[str], of: str) -> None:
    near = difflib.get_close_matches(str(where[-1]), known, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"known here: {', '.join(known)}"
    text.problem(where, f"is not a field of {of}", hint=hint)


def _references(text: Text) -> None:
    """Names that other fields refer to exist, and are given once."""
    plan = text.values
    for where, demand in _demands_named(plan):
        if demand not in plan["demands"]:
            near = difflib.get_close_matches(demand, plan["demands"], n=1)
            hint = f'did you mean "{near[0]}"?' if near else 'add it under "demands"'
            text.problem(where, f"{demand} is not among the demands", hint=hint)
    reasons: dict[str, int] = {}
    for at, group in enumerate(plan.get("not_exercised", [])):
        for place, demand in enumerate(group["demands"]):
            if reasons.setdefault(demand, at) != at:
                where = ("not_exercised", at, "demands", place)
                text.problem(where, f"{demand} has a reason already", hint="keep one reason")
    _once(
        text,
        [
            (("calendar", cadence, at, "drill"), entry["drill"])
            for cadence, entries in plan["calendar"].items()
            for at, entry in enumerate(entries)
        ],
    )
    _once(text, [(("health", at, "name"), check["name"]) for at, check in enumerate(plan.get("health", ()))])
    for at, check in enumerate(plan.get("health", ())):
        if ("request" in check) == ("query" in check):
            text.problem(("health", at), "has to have either a request or a query", hint="keep one of the two")
        elif "body" in check and not check.get("request", "").startswith("POST"):
            text.problem(("health", at, "body"), "belongs to a POST request", hint="take it out, or write POST")
    channels = plan["communication"]["channels"]
    if plan.get("format") != "1":
        _can_be_told(text)
    used = [(("communication", "channels", at, "by"), each.get("by", "")) for at, each in enumerate(channels)]
    _once(text, [(where, by) for where, by in used if by])
    _limits_named(text)
    _lasting_named(text)
    for name, objective in plan["objectives"].items():
        for key in objective["demands"]:
            if key not in objective:
                text.problem(("objectives", name, "demands", key), "has no figure beside it", hint=f'add "{key}"')


def _can_be_told(text: Text) -> None:
    """Whoever the plan names can be told: by what, with which text, how often."""
    said = text.values["communication"]
    where, roles, groups, channels = ("communication",), said["roles"], said.get("groups", {}), said["channels"]
    if bool(roles) != bool(channels):
        empty, other = ("channels", "roles") if roles else ("roles", "channels")
        text.problem((*where, empty), f"holds nothing, and there are {other}", hint=f"name {empty}, or no {other}")
    for kind in (*(OF_ROLES if roles else ()), *(OF_GROUPS if groups else ())):
        if kind not in said["templates"]:
            whom = "the roles" if kind in OF_ROLES else "the groups"
            hint = f"write {kind}: FILE; docs/projects.md says what a template may have"
            text.problem((*where, "templates", kind), f"is missing, by which {whom} are told", hint=hint)
    if groups and length_of_time(said["update_every"]) < OFTENEST:
        what = f'"{said["update_every"]}" is too often: an update goes out up to a minute before it is due'
        text.problem((*where, "update_every"), what, hint="write 2 min or more")
    uses = [each["use"] for each in channels]
    for at, use in enumerate(uses):
        if use not in USES:
            text.problem((*where, "channels", at, "use"), f'"{use}" is not one of {", ".join(USES)}')
        elif use in uses[:at]:
            text.problem((*where, "channels", at, "use"), f'"{use}" is there already', hint="give each its own use")
        elif any(USES.index(before) > USES.index(use) for before in uses[:at] if before in USES):
            hint = f"order them: {', '.join(USES)}"
            text.problem((*where, "channels", at, "use"), f'"{use}" comes after what is used later', hint=hint)
    if "customers" not in groups:
        for id in text.values.get("findings", {}):
            if id.startswith("customers-told") or id == "customers-updated":
                hint = f"add it under communication: groups, or take {id} out"
                text.problem(("findings", id), "is of customers, and there is no such group", hint=hint)


def _limits_named(text: Text) -> None:
    """The category and the limit that a finding names are there, both or neither."""
    categories = text.values["categories"]
    for id, said in text.values.get("findings", {}).items():
        where = ("findings", id)
        category, limit = said.get("category"), said.get("limit")
        if (category is None) != (limit is None):
            missing = "category" if category is None else "limit"
            text.problem((*where, missing), "is missing", hint="a time is a limit of a category: say both")
        elif category is not None and category not in categories:
            text.problem((*where, "category"), f'there is no category "{category}"', hint=_has(categories))
        elif category is not None and limit not in categories[category]["limits"]:
            hint = _has(categories[category]["limits"])
            text.problem((*where, "limit"), f'the category "{category}" has no limit "{limit}"', hint=hint)


def _lasting_named(text: Text) -> None:
    """Category, limit and groups of those who are told of a failure that lasts are there."""
    said, categories = text.values["communication"], text.values["categories"]
    for category, told in said.get("lasting", {}).items():
        where = ("communication", "lasting", category)
        limits = categories.get(category, {}).get("limits", {})
        if category not in categories:
            text.problem(where, f'there is no category "{category}"', hint=_has(categories))
        elif told["limit"] not in limits:
            text.problem(
                (*where, "limit"), f'the category "{category}" has no limit "{told["limit"]}"', hint=_has(limits)
            )
        for at, group in enumerate(told["groups"]):
            if group not in said.get("groups", {}):
                hint = _has(said.get("groups", {}))
                text.problem((*where, "groups", at), f'there is no group "{group}"', hint=hint)


def _has(known: dict[str, Any]) -> str:
    return f"there are: {', '.join(known)}" if known else "there is none"


def _once(text: Text, named: list[tuple[Where, str]]) -> None:
    seen: set[str] = set()
    for where, name in named:
        if name in seen:
            text.problem(where, f'"{name}" is there already', hint="give each its own name")
        seen.add(name)


def _demands_named(value: Any, where: Where = ()) -> Iterator[tuple[Where, str]]:
    """Every place that names a demand, outside the list of demands itself."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "demand":
                yield (*where, key), inner
            elif key == "demands" and isinstance(inner, list):
                yield from (((*where, key, at), demand) for at, demand in enumerate(inner))
            elif key == "demands" and where:
                yield from (((*where, key, name), demand) for name, demand in inner.items())
            elif key != "demands":
                yield from _demands_named(inner, (*where, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _demands_named(inner, (*where, at))
