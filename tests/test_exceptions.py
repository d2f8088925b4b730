"""Each exception from lint, types and form says why; what is only needed where nobody looks is left out."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_house import HOME, PYTHON, said, text_of

# As they begin; ruff wants a comment of its own after `fmt: skip`, so a reason is what follows `#` or the codes.
EXCEPTION = re.compile(
    r"#\s*(?:ruff:\s*|flake8:\s*)?(?:noqa|type:\s*ignore|fmt:\s*(?:skip|off)|pragma:\s*no|mypy:|isort:|pylint:|nosec)"
    r"[:\s]*(?:cover|\[[\w, -]+\]|[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*)?"
)
WORD = re.compile(r"[^\W\d_]{2,}")


def exceptions(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, comment and reason of each; the reason is on its line, or is the comment that has the line above."""
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and EXCEPTION.search(token.string):
            row = token.start[0]
            above = lines[row - 2].strip() if row > 1 else ""
            beside = EXCEPTION.split(token.string)[-1]
            reason = beside if WORD.search(beside) else above if above.startswith("#") else ""
            yield row, token.string, reason if not EXCEPTION.search(reason) else ""


def unexplained(text: str) -> list[str]:
    return [f"{row}: {comment}" for row, comment, reason in exceptions(text) if not WORD.search(reason)]


def test_every_exception_in_the_code_says_why() -> None:
    """On the same line or the one above, also where only the form is kept (`# fmt: skip  # a table`)."""
    found = [f"{said(path)}:{each}" for path in PYTHON for each in unexplained(text_of(path))]
    assert found == [], "write the reason after the exception, or better: do without it"


def test_every_exception_in_the_settings_says_why() -> None:
    """Rules that are off, files that are left out, modules without types: each line or table has a comment."""
    lines = (HOME / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    assert [line for line in settings(lines) if not re.search(r"#\s*\S", line)] == []


def settings(lines: list[str]) -> Iterator[str]:
    """Each line that leaves something out, with the comment line above it."""
    leaving_out = False
    for above, line in zip(["", *lines], lines, strict=False):
        comment = above if above.startswith("#") else ""
        if re.match(
            r"(extend-)?(ignore|exclude|per-file-ignores)\b|\[tool\..*per-file-ignores|\[\[tool.mypy.over", line
        ):
            leaving_out = True
            if not line.endswith(("[", "{")) or line.startswith("[["):
                yield f"{comment} {line}"
        elif leaving_out and re.match(r'\s+"|"', line):
            yield f"{comment} {line}"
        elif not line.strip() or line.startswith("]"):
            leaving_out = False


@pytest.mark.parametrize(
    "line",
    ["x = 1  # noqa: E501", "x = 1  # type: ignore[misc]", "x = 1  # noqa", "x = [1,\n  2]  # fmt: skip",
     "# fmt: off", "x = 1  # pragma: no cover", "x = 1  # the answer  # type: ignore", "# ruff: noqa: E402, E501",
     "x = 1  # noqa: E501\nx = 1  # noqa: E501"],
)  # fmt: skip  # a table
def test_an_exception_without_a_reason_is_found(line: str) -> None:
    """Whatever its kind; another exception above it is no reason."""
    assert unexplained(line + "\n")


@pytest.mark.parametrize(
    "line",
    ["x = 1  # noqa: E501  as it was printed", "x = [1,\n  2]  # fmt: skip  # a table", "# of locust\nx = 1  # noqa",
     "x = 1  # type: ignore[misc]  # gevent has no types", "x = '# noqa'", "# ruff: noqa: E402  gevent comes first"],
)  # fmt: skip  # a table
def test_an_exception_with_a_reason_is_not(line: str) -> None:
    """Nor is a text that only looks like one."""
    assert not unexplained(line + "\n")


def test_settings_without_a_reason_are_found() -> None:
    """In a list, in one line, and in a table of its own."""
    made = ['ignore = [', '    "E1",  # why', '    "E2",', ']', "", "[[tool.mypy.overrides]]", 'module = ["x"]', "",
            "[tool.ruff.lint.per-file-ignores]", '"tests/*" = ["E1"]']  # fmt: skip  # a list
    wrong = [line.strip() for line in settings(made) if not re.search(r"#\s*\S", line)]
    assert wrong == ['"E2",', "[[tool.mypy.overrides]]", "[tool.ruff.lint.per-file-ignores]", '"tests/*" = ["E1"]']


def test_no_type_is_ignored_where_nobody_checks_types() -> None:
    """Such a comment would be dead, and nobody would notice."""
    checked = re.search(r"^files = \[(.*?)\]", (HOME / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL)
    assert checked
    parts = tuple(re.findall(r'"([^"]+)"', checked[1]))
    unchecked = [path for path in PYTHON if not said(path).startswith(parts)]
    assert [said(path) for path in unchecked if ignores_a_type(path)] == []


def ignores_a_type(path: Path) -> bool:
    return any("type: ignore" in comment for _, comment, _ in exceptions(text_of(path)))
