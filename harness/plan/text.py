"""Reads a YAML file so that every value knows its line. Every value is text exactly as it is written.

`no`, `1.0` and `2024-01` are not turned into something else: what they mean is for the reader of the field to say.
Anchors and aliases are refused: a small file could say a billion values with them. Tags are refused too.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.errors import Refused
from harness.system.lookalikes import RETYPE, unseen

LARGEST = 1_000_000  # bytes
DEEPEST = 20  # levels of nesting
MOST_SHOWN = 20  # problems in one error

Where = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong at one place of the file."""

    line: int
    field: str  # "objectives.production.rto"; empty for the file as a whole
    what: str
    hint: str = ""

    def said_of(self, path: Path) -> str:
        return f"{path}:{self.line}: {self.field}{': ' if self.field else ''}{self.what}"


@dataclass
class Text:
    """The values of a file, and on which line each begins."""

    path: Path
    digest: str  # sha256 of the file's bytes, in hex
    values: Any = None  # dict, list, str, or None where nothing is written
    problems: list[Problem] = field(default_factory=list)
    lines: dict[Where, int] = field(default_factory=dict)
    bare: set[Where] = field(default_factory=set)  # values that are written without quotes

    def problem(self, where: Where, what: str, *, hint: str = "") -> None:
        """Note a problem at `where`, or at the nearest place above it that is in the file."""
        known = where
        while known and known not in self.lines:
            known = known[:-1]
        if odd := unseen(self._written(where)):
            what, hint = f"{what}; it holds {odd}", f"{hint}; {RETYPE}" if hint else RETYPE
        self.problems.append(Problem(line=self.lines.get(known, 1), field=dotted(where), what=what, hint=hint))

    def _written(self, where: Where) -> str:
        """The text at a place, and the name of the field itself; empty where there is none."""
        value = self.values
        for part in where:
            try:
                value = value[part]
            except (LookupError, TypeError):
                return ""
        key = where[-1] if where and isinstance(where[-1], str) else ""
        return f"{key} {value}" if isinstance(value, str) else key


def dotted(where: Where) -> str:
    """`("health", 2, "within")` is `health[3].within`: people count from one."""
    said = ""
    for part in where:
        said += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if said else part
    return said


def refuse(path: Path, problems: Iterable[Problem]) -> Refused:
    """One error that names every problem of a file."""
    ordered = sorted(set(problems))
    shown = [problem.said_of(path) for problem in ordered[:MOST_SHOWN]]
    if len(ordered) > MOST_SHOWN:
        shown.append(f"and {len(ordered) - MOST_SHOWN} more")
    hints = dict.fromkeys(problem.hint for problem in ordered[:MOST_SHOWN] if problem.hint)
    return Refused("\n".join(shown), hint="; ".join(hints) or f"correct {path} and try again")


def read(path: Path) -> Text:
    """Values and lines of the YAML file, its own problems already listed in `problems`.

    Errors: `Refused` where nothing of it can be read (missing, no text, not YAML, too large).
    """
    return parse(path, content_of(path))


def parse(path: Path, content: bytes) -> Text:
    """The same of what was read already. Errors: `Refused`, as `read`."""
    text = Text(path=path, digest=hashlib.sha256(content).hexdigest())
    written = _decoded(path, content)
    try:
        node = _Bounded(path, written).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ": ".join(part for part in (error.context, error.problem) if part)
        line = mark.line + 1 if mark else 1
        for near, said in list(enumerate(written.splitlines(), start=1))[max(0, line - 2) : line]:
            what += f"; on line {near} there is {odd}" if (odd := unseen(said)) else ""
        raise _unreadable(path, line, f"is not YAML: {what}") from error
    except yaml.reader.ReaderError as error:
        line = written.count("\n", 0, error.position) + 1
        raise _unreadable(path, line, f"holds the character {error.character!r}, which YAML does not allow") from error
    if node is None:
        raise Refused(f"{path}: is empty", hint="restore it from version control")
    text.values = _value(text, node, ())
    return text


def content_of(path: Path) -> bytes:
    """The bytes of the file. Errors: `Refused`."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise Refused(f"{path}: there is no such file", hint="name the file of the plan") from error
    except OSError as error:
        raise Refused(
            f"{path}: cannot be read: {error.strerror}", hint=f"look at: ls -ld {shlex.quote(str(path))}"
        ) from error
    if len(content) > LARGEST:
        raise Refused(f"{path}: is larger than {LARGEST:,} bytes", hint="a plan has a few hundred lines: right file?")
    return content


def _decoded(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"is not UTF-8: byte 0x{content[error.start]:02x} at offset {error.start}"
        raise Refused(f"{path}:{line}: {what}", hint="save the file as UTF-8") from error


def _unreadable(path: Path, line: int, what: str) -> Refused:
    return Refused(f"{path}:{line}: {what}", hint="look at this line and the one before it: indent, colon, quotes")


class _Bounded(yaml.SafeLoader):
    """Refuses aliases, and nesting that no plan has, before anything is built from them."""

    def __init__(self, path: Path, written: str) -> None:
        super().__init__(written)
        self._path = path
        self._depth = 0

    def get_event(self) -> yaml.Event:
        event: yaml.Event = super().get_event()  # type: ignore[no-untyped-call]  # the stubs have no type of it
        where = f"{self._path}:{event.start_mark.line + 1 if event.start_mark else 1}"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Refused(f"{where}: has an anchor or an alias", hint="write the value out where it is needed")
        if tag := getattr(event, "tag", None):
            raise Refused(f"{where}: has the tag {tag}", hint="write the value without a tag")
        if isinstance(event, yaml.CollectionStartEvent):
            self._depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            self._depth -= 1
        if self._depth > DEEPEST:
            raise Refused(f"{where}: is nested deeper than {DEEPEST} levels", hint="look for a stray bracket")
        return event


def _value(text: Text, node: yaml.Node, where: Where) -> Any:
    text.lines.setdefault(where, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(text, node, where)
    if isinstance(node, yaml.SequenceNode):
        return [_value(text, item, (*where, at)) for at, item in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode) and not node.style:
        text.bare.add(where)
    return None if node.tag == "tag:yaml.org,2002:null" else node.value


def _mapping(text: Text, node: yaml.MappingNode, where: Where) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            text.problems.append(Problem(line, dotted(where), "has a key that is not text", "quote the key"))
            continue
        key = key_node.value
        if key in values:
            first = text.lines[(*where, key)]
            what = f"is written twice, first on line {first}"
            text.problems.append(Problem(line, dotted((*where, key)), what, "keep one of the two"))
            continue
        text.lines[(*where, key)] = line
        values[key] = _value(text, value_node, (*where, key))
    return values
