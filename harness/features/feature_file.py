"""A feature file as pytest-bdd reads it, but without pytest: a command that lists drills would mostly wait for that.

The parser of Gherkin is the same one. What is made of its answer, down to the words of an error, is held against
pytest-bdd's own reader by a test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gherkin.errors import CompositeParserException
from gherkin.parser import Parser

KINDS = {"Context": "given", "Action": "when", "Outcome": "then"}  # what Gherkin calls a keyword's kind, and pytest-bdd
# What Gherkin met where it stands for something else, and what pytest-bdd says of that.
_MET = (
    ("Feature", "Multiple features are not allowed in a single feature file."),
    ("(?:Given|When|Then|And|But)", "Step definition outside of a Scenario or a Background."),
    ("Background", "Multiple 'Background' sections detected. Only one 'Background' is allowed per feature."),
    ("Scenario", "Misplaced or incorrect 'Scenario' keyword. Ensure it's correctly placed. "
                 "There might be a missing Feature section."),
    ("Rule", "Misplaced or incorrectly formatted 'Rule'. Ensure it follows the feature structure."),
    ("", "Unexpected token found. Check Gherkin syntax near the reported error."),
)  # fmt: skip  # a table
_COLUMN = re.compile(r"<(.+?)>")
Tags = frozenset[str]


class NotGherkin(Exception):
    """A feature that cannot be read: what is wrong, on which line, and what stands there."""

    def __init__(self, message: str, *, line: int, content: str) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.content = content


@dataclass(frozen=True)
class Step:
    """One sentence, examples not filled in."""

    keyword: str  # as it is written, in the language of the feature
    text: str
    kind: str  # given, when or then; that of the step before for And
    line: int = 0


@dataclass(frozen=True)
class Row:
    """One row of examples: the name of each column, and what stands in it."""

    line: int
    values: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """One table of examples."""

    line: int
    tags: Tags
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Written:
    """A scenario or an outline, as it stands in the file."""

    keyword: str
    title: str
    line: int
    tags: Tags  # its own, and those of its rule and its feature
    background: tuple[Step, ...]  # of the feature, then of the rule
    steps: tuple[Step, ...]
    tables: tuple[Table, ...]
    described: str = ""  # what stands below its title, or that of a background, and is no sentence


@dataclass(frozen=True)
class Feature:
    """A file: every scenario in the order in which they stand there."""

    title: str
    language: str
    scenarios: tuple[Written, ...]


def read(path: Path) -> Feature:
    """Errors: `NotGherkin`; `KeyError` where the file holds no feature; `UnicodeDecodeError`, `OSError`."""
    text = path.read_text(encoding="utf-8")
    try:
        feature: Any = Parser().parse(text)["feature"]
    except CompositeParserException as error:
        line = error.errors[0].location["line"]
        raise NotGherkin(_said(error), line=line, content="".join(text.split("\n")[line - 1 : line])) from None
    return Feature(feature["name"], feature["language"], tuple(_scenarios(feature, (), frozenset())))


def filled(text: str, values: Mapping[str, str]) -> str:
    """With each `<column>` that there is; one that there is not stays as it is written."""
    return _COLUMN.sub(lambda found: values.get(found[1], found[0]), text)


def _scenarios(part: Any, background: tuple[Step, ...], tags: Tags, described: str = "") -> Iterator[Written]:
    """Those of a feature or a rule, below the background and the tags of what it stands in."""
    tags |= _tags(part)
    for child in part["children"]:
        if "background" in child:  # the first of them, where there is one
            background += _steps(child["background"])
            described = described or child["background"]["description"].strip()
        elif "rule" in child:
            yield from _scenarios(child["rule"], background, tags, described)
        else:
            yield _written(child["scenario"], background, tags, described)


def _written(scenario: Any, background: tuple[Step, ...], tags: Tags, described: str) -> Written:
    return Written(
        keyword=scenario["keyword"],
        title=scenario["name"],
        line=scenario["location"]["line"],
        tags=tags | _tags(scenario),
        background=background,
        steps=_steps(scenario),
        tables=tuple(_table(examples) for examples in scenario["examples"]),
        described=described or scenario["description"].strip(),
    )


def _table(examples: Any) -> Table:
    header = examples.get("tableHeader")
    columns = [cell["value"] for cell in header["cells"]] if header else []
    rows = (
        Row(row["location"]["line"], dict(zip(columns, (cell["value"] for cell in row["cells"]), strict=True)))
        for row in examples.get("tableBody", ())
    )
    return Table(examples["location"]["line"], _tags(examples), tuple(rows))


def _steps(part: Any) -> tuple[Step, ...]:
    """Errors: `NotGherkin` where the first one is an And, of which nobody knows the kind."""
    steps: list[Step] = []
    for given in part["steps"]:
        keyword = given["keyword"].strip()
        kind = KINDS.get(given["keywordType"]) or (steps[-1].kind if steps else "")
        if not kind:
            what = "First step in a scenario or background must start with 'Given', 'When' or 'Then', but got"
            raise NotGherkin(f"{what} {keyword}.", line=given["location"]["line"], content=given["text"])
        steps.append(Step(keyword.title(), given["text"], kind, given["location"]["line"]))
    return tuple(steps)


def _tags(part: Any) -> Tags:
    return frozenset(tag["name"].lstrip("@") for tag in part["tags"])


def _said(error: CompositeParserException) -> str:
    for line in error.args[0].splitlines():
        for met, message in _MET:
            if re.search(f"expected:.*got '{met}.*'", line):
                return message
    return f"Unknown parsing error: {error.args[0]}"
