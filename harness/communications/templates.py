"""The texts of a project's messages: Jinja2 in its sandbox, and of that only what a message needs.

A template is a file: its first line is `Subject: …`, then a blank line, then the text. What it may have is fields, an
`if`, and a few filters: so it ends, and is about as long as it looks. Anything else is refused with its line, before a
drill begins.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import SandboxedEnvironment

from harness.communications.incident import OPEN
from harness.communications.message import LONGEST, LONGEST_SUBJECT, MARK, Kind, Message, Urgency
from harness.errors import Refused

LARGEST = 20_000  # bytes, of a template
OF_SUBJECT = (60, LONGEST_SUBJECT - len(f"{MARK}: "))  # letters of a field, and of all
OF_TEXT = (2_000, LONGEST - 500)  # with room for the mark, and for whom a deputy stands in
DEEPEST = 20  # levels of nesting; each filter and each `and` of a chain is one
HINT = "docs/projects.md says what a template may have"
FILTERS = ("upper", "lower", "title", "capitalize", "trim")
BRACE = re.compile(r"[{}]")
OF_TESTS = (nodes.Compare, nodes.Not)  # what is true or false, and no text
ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.Filter, nodes.Compare,
    nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr,
)  # fmt: skip  # a list


@dataclass(frozen=True)
class Template:
    """One that may be filled. `fields`: each with the line on which it is first."""

    path: Path
    fields: Mapping[str, int]
    _subject: jinja2.Template
    _text: jinja2.Template

    @property
    def name(self) -> str:
        return self.path.name

    def filled(self, fields: Mapping[str, str]) -> tuple[str, str]:
        """Subject and text, which fit: what a field says is shortened, so that nothing is refused once it is due.

        Errors: `Refused` where a field is not filled."""
        must_be_fillable(self, fields)
        subject, text = (
            shortened(part.render(**{name: shortened(fields[name], field) for name in self.fields}), whole)
            for part, (field, whole) in zip(self._parts, (OF_SUBJECT, OF_TEXT), strict=True)
        )
        return subject, text

    def message(
        self, kind: Kind, whom: str, fields: Mapping[str, str], *, urgency: Urgency = "normal", exercise: bool = True,
        environment: str = "",
    ) -> Message:  # fmt: skip  # parameters in groups
        """What goes out. Errors: `Refused`, as `filled` and `Message.of`."""
        subject, text = self.filled(fields)
        made = Message.of(
            kind, whom, subject, text, urgency=urgency, template=self.name, fields=sorted(self.fields),
            exercise=exercise, environment=environment,
        )  # fmt: skip  # arguments in groups
        return replace(made, open=tuple(sorted(name for name in self.fields if fields[name] == OPEN)))

    @property
    def _parts(self) -> tuple[jinja2.Template, jinja2.Template]:
        return self._subject, self._text


def load(path: Path) -> Template:
    """Errors: `Refused`, with file and line of the first thing that a template may not have."""
    written = _read(path)
    first, _, rest = written.partition("\n")
    word, colon, subject = first.partition(":")
    if word.strip().lower() != "subject" or not colon or not subject.strip():
        raise Refused(f"{path}:1: the first line is no subject", hint=f"write Subject: and what it is; {HINT}")
    if not rest.strip():
        raise Refused(f"{path}:2: there is no text below the subject", hint=HINT)
    environment = SandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)
    fields: dict[str, int] = {}
    compiled = []
    for source, before in ((subject.strip(), 0), (rest, 1)):
        try:
            tree = _parsed(environment, source, path, before)
            wanted = meta.find_undeclared_variables(tree)
            for name in tree.find_all(nodes.Name):
                if name.name not in wanted:
                    raise Refused(f"{path}:{name.lineno + before}: {name.name} is no field", hint=HINT)
                fields.setdefault(name.name, name.lineno + before)
            compiled.append(environment.from_string(tree))
        except (RecursionError, MemoryError, SyntaxError):  # of Jinja, or of Python that compiles what Jinja made
            raise Refused(f"{path}:{before + 1}: is nested too deeply", hint=HINT) from None
    return Template(path, fields, *compiled)


def shortened(said: str, most: int) -> str:
    """With `…` for what is left out."""
    return said if len(said) <= most else f"{said[: most - 1]}…"


def load_all(folder: Path | None, files: Mapping[str, str], *, where: str) -> dict[str, Template]:
    """Those that the plan names, by their kind. `where`: what names them, for an error. Errors: `Refused`."""
    if files and folder is None:
        raise Refused(f"{where}: names templates, and the project has none", hint="project.yaml: templates: FOLDER")
    found = {}
    for kind, file in files.items():
        path = (folder or Path()) / file
        if Path(file).name != file or not file.isprintable():
            raise Refused(f"{where}: {kind}: {file} is no name of a file", hint=f"name a file in {folder}")
        found[kind] = load(path)
    return found


def must_be_fillable(template: Template, fields: Collection[str]) -> None:
    """Errors: `Refused` with the line of the first field that nothing fills."""
    missing = sorted((line, name) for name, line in template.fields.items() if name not in fields)
    if missing:
        said = "; ".join(f"{template.path}:{line}: nothing fills {name}" for line, name in missing)
        known = ", ".join(sorted(fields)) or "nothing"
        raise Refused(said, hint=f"what there is to fill in: {known}")


def _read(path: Path) -> str:
    try:
        if Path(os.path.realpath(path)).parent != Path(os.path.realpath(path.parent)):
            raise Refused(f"{path}: leads out of its folder", hint="put the text itself there")
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Refused(f"{path}: is no file", hint=f"the plan names it; {HINT}")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if max(len(content), status.st_size) > LARGEST:
            raise Refused(f"{path}: is larger than {LARGEST} bytes", hint="a message is a page at most")
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise Refused(f"{path}: is not UTF-8: byte {error.start}", hint="save the file as UTF-8") from None
    except OSError as error:
        raise Refused(f"{path}: cannot be read: {error.strerror}", hint=f"the plan names it; {HINT}") from None


def _parsed(environment: jinja2.Environment, source: str, path: Path, before: int) -> nodes.Template:
    try:
        tree = environment.parse(source)
    except jinja2.TemplateSyntaxError as error:
        raise Refused(f"{path}:{error.lineno + before}: {error.message}", hint=HINT) from None
    except ValueError as error:  # a number of thousands of digits
        raise Refused(f"{path}:{before + 1}: cannot be read: {error}", hint=HINT) from None
    for node, line, depth, of_test in _nodes(tree):
        where = f"{path}:{line + before}"
        if depth > DEEPEST:
            raise Refused(f"{where}: is nested too deeply", hint=f"{DEEPEST} levels are enough; {HINT}")
        if isinstance(node, nodes.For):
            raise Refused(f"{where}: loops, which a template may not", hint="write a list as one field")
        if not isinstance(node, ALLOWED):
            what = type(node).__name__
            raise Refused(f"{where}: has {what}, which a template may not", hint=f"fields and if are enough; {HINT}")
        if isinstance(node, OF_TESTS) and not of_test:
            raise Refused(f"{where}: has what is true or false in the place of a text", hint=f"use it in an if; {HINT}")
        if isinstance(node, nodes.Filter):
            _must_be_plain(node, where)
        if isinstance(node, nodes.Const) and not isinstance(node.value, str):
            raise Refused(f"{where}: has {node.value!r}, which is no text", hint='write it in quotes, such as "1"')
        if isinstance(node, nodes.CondExpr) and node.expr2 is None:
            raise Refused(f"{where}: has an if without an else", hint=f"say what else it is; {HINT}")
        if isinstance(node, nodes.TemplateData) and (brace := BRACE.search(node.data)):
            at = line + before + node.data.count("\n", 0, brace.start())
            raise Refused(f"{path}:{at}: a brace would be left in the text", hint=f"a field is {{{{ name }}}}; {HINT}")
    return tree


def _nodes(tree: nodes.Template) -> Iterator[tuple[nodes.Node, int, int, bool]]:
    """Each with its line, how deep it is, and whether it only has to be true or false. It needs no stack of Python's,
    and knows lines also of what Jinja gives none."""
    left: list[tuple[nodes.Node, int, int, bool]] = [(tree, 1, 0, False)]
    while left:
        node, line, depth, of_test = left.pop()
        line = node.lineno or line
        yield node, line, depth, of_test
        joins = isinstance(node, (nodes.And, nodes.Or, nodes.Not)) and of_test
        test = node.test if isinstance(node, (nodes.If, nodes.CondExpr)) else None
        children = [(each, line, depth + 1, joins or each is test) for each in node.iter_child_nodes()]
        left += reversed(children)


def _must_be_plain(node: nodes.Filter, where: str) -> None:
    if node.name not in FILTERS:
        raise Refused(f"{where}: has the filter {node.name}", hint=f"there are: {', '.join(FILTERS)}")
    if node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise Refused(f"{where}: gives the filter {node.name} something", hint=f"write {node.name} alone; {HINT}")
