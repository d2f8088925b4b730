"""The texts of a project's messages: Jinja2 in its sandbox, and of that only what a message needs.

A template is a file: its first line is `Subject: …`, then a blank line, then the text. What it may have is fields, an
`if`, and a few filters: so it ends, and is about as long as it looks. Anything else is refused with its line, before a
drill begins.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import SandboxedEnvironment

from harness.communications.message import Kind, Message, Urgency
from harness.errors import Refused

LARGEST = 20_000  # bytes, of a template and of what comes out
HINT = "docs/projects.md says what a template may have"
FILTERS = ("upper", "lower", "title", "capitalize", "trim")
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
        """Subject and text. Errors: `Refused` where a field is not filled, or where too much comes out."""
        must_be_fillable(self, fields)
        subject, text = (part.render(**{name: fields[name] for name in self.fields}) for part in self._parts)
        if len(subject.encode()) + len(text.encode()) > LARGEST:
            raise Refused(f"{self.path}: with its fields it is longer than {LARGEST} bytes", hint="fill in less")
        return subject, text

    def message(
        self, kind: Kind, whom: str, fields: Mapping[str, str], *, urgency: Urgency = "normal", exercise: bool = True,
        environment: str = "",
    ) -> Message:  # fmt: skip  # parameters in groups
        """What goes out. Errors: `Refused`, as `filled` and `Message.of`."""
        subject, text = self.filled(fields)
        return Message.of(
            kind, whom, subject, text, urgency=urgency, template=self.name, fields=sorted(self.fields),
            exercise=exercise, environment=environment,
        )  # fmt: skip  # arguments in groups

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
        tree = _parsed(environment, source, path, before)
        wanted = meta.find_undeclared_variables(tree)
        for name in tree.find_all(nodes.Name):
            if name.name in wanted:
                fields.setdefault(name.name, name.lineno + before)
        compiled.append(environment.from_string(tree))
    return Template(path, fields, *compiled)


def load_all(folder: Path | None, files: Mapping[str, str], *, where: str) -> dict[str, Template]:
    """Those that the plan names, by their kind. `where`: what names them, for an error. Errors: `Refused`."""
    if files and folder is None:
        raise Refused(f"{where}: names templates, and the project has none", hint="project.yaml: templates: FOLDER")
    found = {}
    for kind, file in files.items():
        path = (folder or Path()) / file
        if Path(file).name != file:
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
        content = path.read_bytes()
        if len(content) > LARGEST:
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
    except RecursionError:
        raise Refused(f"{path}: is nested too deeply", hint=HINT) from None
    for node in tree.find_all(nodes.Node):
        line = f"{path}:{node.lineno + before}"
        if isinstance(node, nodes.For):
            raise Refused(f"{line}: loops, which a template may not", hint="write a list as one field")
        if not isinstance(node, ALLOWED):
            what = type(node).__name__
            raise Refused(f"{line}: has {what}, which a template may not", hint=f"fields and if are enough; {HINT}")
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            raise Refused(f"{line}: has the filter {node.name}", hint=f"there are: {', '.join(FILTERS)}")
    return tree
