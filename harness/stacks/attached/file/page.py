"""The reference of the stack file, written from its schema: `drdrill stack file --markdown`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.stacks.attached.file.read import schema

Schema = Mapping[str, Any]
TYPES = {
    "text": "text", "length-of-time": "a length of time", "plain-name": "a plain name", "address": "host and port",
    "url": "a URL", "origin": "a URL", "regexp": "a regular expression", "status": "a status code", "rate": "a rate",
    "whole-number": "a whole number",
    "number": "a number", "window": "a window", "days": "a day, or two", "time-zone": "a time zone",
    "compose-project": "a name of compose", "private": "a host name or an address",
}  # fmt: skip  # a table


def markdown() -> str:
    """Each part of the file with its fields, then what several parts share."""
    whole = schema()
    lines = list(_table("", whole, whole, deep=False))
    for name, part in whole["properties"].items():
        inner = part.get("additionalProperties")
        if "properties" in part:
            lines += ["", f"### `{name}`", "", f"{_sentence(part)}", "", *_table(f"{name}.", part, whole)]
        elif isinstance(inner, Mapping) and "properties" in inner:
            lines += ["", f"### `{name}`", "", f"{_sentence(part)}", "", *_table(f"{name}.NAME.", inner, whole)]
        elif isinstance(inner, Mapping) and "$ref" in inner:
            shared = _shared(inner, whole)
            lines += ["", f"### `{name}`", "", f"{_sentence(part)} Each is {_link(shared)}."]
    for shared in whole["$defs"].values():
        if "title" in shared:
            lines += ["", f"### {shared['title']}", "", *_table("", shared, whole, deep=True)]
    return "\n".join(lines)


def _table(before: str, part: Schema, whole: Schema, *, deep: bool = True) -> Iterator[str]:
    yield "| field | what it holds | what it is | |"
    yield "| --- | --- | --- | --- |"
    yield from _rows(before, part, whole, deep=deep)


def _rows(before: str, part: Schema, whole: Schema, *, deep: bool) -> Iterator[str]:
    """`deep`: also what its fields have."""
    for name, field in part.get("properties", {}).items():
        must = "must" if name in part.get("required", ()) else ""
        yield f"| `{before}{name}` | {_holds(field, whole)} | {field.get('description', '')} | {must} |"
        inner = field.get("items", field)
        if deep and "properties" in inner:
            yield from _rows(f"{before}{name}.", inner, whole, deep=deep)


def _holds(field: Schema, whole: Schema) -> str:
    """In a few words."""
    shared = _shared(field, whole)
    if "if" in shared:
        other = shared["else"].get("const")
        return f"`{other}`, or a block" if other else f"one or several of: {_holds(shared['else'], whole)}"
    if "title" in shared:
        return _link(shared)
    if words := [shared["const"]] if "const" in shared else shared.get("enum"):
        return ", ".join(f"`{word}`" for word in words)
    if "items" in shared:
        return f"a list of: {_holds(shared['items'], whole)}"
    return "a block" if shared.get("type") == "object" else TYPES.get(shared.get("format", "text"), "text")


def _shared(field: Schema, whole: Schema) -> Schema:
    if "$ref" not in field:
        return field
    found: Schema = whole["$defs"][field["$ref"].rpartition("/")[2]]
    return found


def _link(shared: Schema) -> str:
    """To its own table, as it is called in it."""
    title = str(shared["title"])
    anchor = "".join(each for each in title.lower().replace(" ", "-") if each.isalnum() or each == "-")
    return f"[{title.partition(':')[0].partition(',')[0].lower()}](#{anchor})"


def _sentence(part: Schema) -> str:
    said = str(part.get("description", ""))
    return f"{said[:1].upper()}{said[1:]}."
