"""A project: what the machine is given of a platform. A folder with a `project.yaml`, which says where each part lies.

The machine knows no project by name. A command is given one by `drdrill --project FOLDER`, else it takes the nearest
`project.yaml` upward from where it is called. What is there to judge a pack needs no project at all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import Refused
from harness.plan import Plan, shape, text
from harness.plan import load as load_plan
from harness.system import modules
from harness.workload.client import ClientSource, asks_back
from harness.workload.no_client import NoClient
from harness.workload.source import client_source, is_file

if TYPE_CHECKING:  # a calendar asks for none of these: what features and sentences need is imported where it is used
    from harness.communications.contacts import Contacts
    from harness.communications.templates import Template
    from harness.features.catalog import Drill, Scenario
    from harness.features.declared import Declaration
    from harness.features.sentences import Sentences
    from harness.procedures.health import Health
    from harness.procedures.reconciliation import Books
    from harness.run.sabotage import Sabotage, Twin
    from harness.stacks.kinds import Kind
    from harness.stacks.needs import Lack, Need, Offer

FILE = "project.yaml"


def _client(given: str) -> None:
    if not is_file(given):
        shape.FORMATS["module"][0](given)


FORMATS = {"client": (_client, "write a file, such as client.yaml, or a module as Python imports it: drills.client")}
PLUGIN = "harness.pytest_plugin"
COLLECTOR = Path(__file__).parent / "collector.py"  # what pytest is given: it has a test for each scenario


@dataclass(frozen=True)
class Project:
    """Paths are absolute. What is Python is imported when it is first asked for."""

    folder: Path
    name: str
    plan: Path
    features: Path
    waivers: Path | None  # None: there are none
    contacts: Path | None  # whom to call; in no pack, which has a digest of it that tells nothing
    templates: Path | None  # a folder: the texts of its messages
    client: ClientSource  # how customers write
    _sentences: str  # a module, or a package of which each module has some; empty where there are none of its own
    _twins: str  # a module; empty where there are none
    _health: str = ""  # a module; empty where the plan's health verification is asked as the machine does
    _stack: str = ""  # module:Class; empty where it has no stack of its own
    _books: Path | None = None  # None: no file says what must agree
    _lines: Mapping[str, int] = field(repr=False, default_factory=dict)  # of project.yaml, by field

    @property
    def file(self) -> Path:
        return self.folder / FILE

    def __str__(self) -> str:
        return f"{self.name} ({self.folder})"

    def load_plan(self) -> Plan:
        """The plan, of which each drill has its feature, or says why it has none. Errors: `Refused`."""
        return load_plan(self.plan, features=self.features)

    def load_contacts(self) -> Contacts | None:
        """Whom to call, which is never copied; None where the project names nobody.

        Errors: `Refused` where the file is wrong, or where somebody whom the plan tells cannot be told.
        """
        from harness.communications import contacts  # noqa: PLC0415  (see above)

        planned = self.load_plan().communication
        if self.contacts is None:
            named = [*planned.roles, *planned.groups]
            if named and planned.acknowledge_within:  # a plan of format 1 is told by nobody any more
                hint = f"write contacts: FILE there; {contacts.HINT}"
                raise Refused(f"{self.file}:1: names no contacts, and the plan tells {', '.join(named)}", hint=hint)
            return None
        found = contacts.load(self.contacts)
        contacts.must_reach(found, planned)
        return found

    def load_templates(self) -> Mapping[str, Template]:
        """The texts that the plan names, by kind of message.

        Errors: `Refused`, with file and line, also where a field of one is never filled.
        """
        from harness.communications import incident, templates  # noqa: PLC0415  (see above)

        files = self.load_plan().communication.templates
        found = templates.load_all(self.templates, files, where=str(self.plan))
        for each in found.values():
            templates.must_be_fillable(each, incident.FIELDS)
        return found

    @cached_property
    def declared(self) -> tuple[Declaration, ...]:
        """Which scenarios somebody has declared that the platform cannot run. Errors: `Refused`, with file and line."""
        from harness.features import declared  # noqa: PLC0415  (see above)

        there = self.waivers is not None and self.waivers.exists()
        return declared.load(self.waivers, self.load_plan(), self.features) if self.waivers and there else ()

    @cached_property
    def sentences(self) -> Sentences:
        """All sentences that there are steps for: the machine's, and its own.

        Errors: `Refused` where a module breaks, or declares none.
        """
        from harness.features.sentences import Sentences  # noqa: PLC0415  (see above)
        from harness.sentences import GENERIC  # noqa: PLC0415  (see above)

        if not self._sentences:
            return GENERIC
        found = modules.modules(self._sentences, folder=self.folder, where=self.where("sentences"))
        for module in found:
            if not isinstance(getattr(module, "SENTENCES", None), Sentences):
                hint = "docs/write-a-drill.md says how steps begin"
                raise Refused(f"{module.__file__}: declares no SENTENCES", hint=hint)
        return Sentences.joined([GENERIC, *(module.SENTENCES for module in found)])

    @cached_property
    def twins(self) -> Mapping[str, Sequence[Twin]]:
        """The sabotage twins by the name of their drill. Errors: `Refused` where the module breaks or has none."""
        if not self._twins:
            return {}
        module = modules.module(self._twins, folder=self.folder, where=self.where("twins"))
        found = getattr(module, "TWINS", None)
        if not isinstance(found, Mapping):
            hint = f"TWINS are the twins of each drill, by its name; {modules.HINT}"
            raise Refused(f"{module.__file__}: declares no TWINS", hint=hint)
        for twin in (each for drill in found.values() for each in drill):
            if not isinstance(twin.outcomes, frozenset) or not twin.outcomes <= {"MISSED", "UNKNOWN"}:
                hint = "such as frozenset({Outcome.MISSED}); a twin that may be MET shows nothing"
                raise Refused(f"{module.__file__}: the outcomes of the twin {twin.name} are no set of them", hint=hint)
        return found

    @cached_property
    def health(self) -> Health:
        """How the plan's health verification is asked. Errors: `Refused` where the module breaks or has none."""
        from harness.scenario.health import PLAIN  # noqa: PLC0415  (see above)

        if not self._health:
            return PLAIN
        module = modules.module(self._health, folder=self.folder, where=self.where("health"))
        found: Health | None = getattr(module, "HEALTH", None)
        if found is None:
            raise Refused(f"{module.__file__}: declares no HEALTH", hint=modules.HINT)
        return found

    @cached_property
    def books(self) -> Books | None:
        """What must agree, where a file says it. Errors: `Refused`, with every problem of the file."""
        from harness.project import books  # noqa: PLC0415  (see above)

        return books.load(self._books) if self._books else None

    def kind(self, name: str = "") -> Kind:
        """The kind of stack of that name, or of that stack file; without either the project's own, else the usual one.

        Errors: `Refused` where there is no such kind, or where the project's own breaks.
        """
        from harness.stacks import kinds  # noqa: PLC0415  (see above)

        if kinds.is_file(name):
            return kinds.of_file(Path(name))
        own = self.own_kind()
        return kinds.named(name or (own or kinds.USUAL).name, own)

    def own_kind(self) -> Kind | None:
        """The kind of stack that it brings. Errors: `Refused` where that breaks."""
        from harness.stacks import kinds  # noqa: PLC0415  (see above)

        return kinds.own_kind(self._stack, self.folder, self.where("stack")) if self._stack else None

    def twin(self, name: str) -> Twin | None:
        """By name, over all drills."""
        return next((twin for twin in self.all_twins() if twin.name == name), None)

    def all_twins(self) -> list[Twin]:
        """Those of all drills. Errors: as `twins`."""
        return [twin for twins in self.twins.values() for twin in twins]

    def drills(self) -> list[Drill]:
        """Those that can all be run and judged. Errors: `Refused`, as `sound_drills`."""
        from harness.checks.rules import CURRENT  # noqa: PLC0415  (see above)
        from harness.features.soundness import sound_drills  # noqa: PLC0415  (see above)

        the_plan, sentences = self.load_plan(), self.sentences
        if self.client.name:
            self.client.load()  # one that breaks is told before anything starts; so are contacts and templates
        self.load_contacts()
        self.load_templates()
        _ = self.declared
        _ = self.health, self.books
        found = sound_drills(self.features, plan=the_plan, sentences=sentences, findings=CURRENT.checks)
        self._must_tell(the_plan, found)
        self._must_have_books(found)
        self._must_have_a_client(found)
        return found

    def _must_tell(self, plan: Plan, drills: Sequence[Drill]) -> None:
        """Where a sentence tells people, the plan says whom. Errors: `Refused`, with the line of the scenario."""
        from harness.stacks.capabilities.messaging import Messaged  # noqa: PLC0415  (see above)
        from harness.stacks.needs import either  # noqa: PLC0415  (see above)

        lacking = [each for each in ("roles", "channels", "groups") if not getattr(plan.communication, each)]
        for drill, scenario in ((of, each) for of in drills for each in of.scenarios if lacking):
            if any(Messaged in either(need) for need in self.sentences.needs(scenario.sentences)):
                raise Refused(
                    f"{drill.feature}:{scenario.line}: tells people, and the plan has no {', no '.join(lacking)}",
                    hint=f"say under communication in {plan.path} who is told, and by what; docs/projects.md",
                )

    def _must_have_books(self, drills: Sequence[Drill]) -> None:
        """Where a sentence is about the books, a file says what they are. Errors: `Refused`, with the line of it."""
        from harness.stacks.needs import BOOKS  # noqa: PLC0415  (see above)

        for drill, scenario in ((of, each) for of in drills for each in of.scenarios if self.books is None):
            if BOOKS in self.sentences.needs(scenario.sentences):
                raise Refused(
                    f"{drill.feature}:{scenario.line}: is about the books, and {self.file} names none",
                    hint="write books: books.yaml there; docs/projects.md says what such a file has",
                )

    def _must_have_a_client(self, drills: Sequence[Drill]) -> None:
        """Where customers come in, a project says how they write. Errors: `Refused`, with the line of the scenario."""
        from harness.stacks.capabilities.entrance import Reachable  # noqa: PLC0415  (see above)
        from harness.stacks.needs import either  # noqa: PLC0415  (see above)

        for drill, scenario in ((of, each) for of in drills for each in of.scenarios if not self.client.name):
            if any(Reachable in either(need) for need in self.sentences.needs(scenario.sentences)):
                raise Refused(
                    f"{drill.feature}:{scenario.line}: has customers, and {self.file} names no client",
                    hint="write client: client.yaml there; docs/projects.md says what such a file has",
                )

    def lacking(self, scenario: Scenario, offer: Offer, *, sabotage: Sabotage | None = None) -> list[Lack]:
        """What a kind of stack has not, and the scenario takes, sabotaged or not: it cannot be exercised there."""
        from harness.stacks.capabilities.database import Queried  # noqa: PLC0415  (see above)
        from harness.stacks.capabilities.entrance import Entrusted, Readable  # noqa: PLC0415  (see above)
        from harness.stacks.needs import BOOKS, PlannedHealth, flat  # noqa: PLC0415  (see above)

        health: tuple[Need, ...] = ()
        declared = self.sentences.needs(scenario.sentences)
        if any(isinstance(each, PlannedHealth) for each in declared):
            health = flat(self.health.needs(self.load_plan().health))
        known: list[object] = [
            BOOKS,
            *([Readable | Queried] if self.client.name and asks_back(self.client.load()) else []),
        ]
        wanted = [each for each in declared if not isinstance(each, PlannedHealth) and each not in known]
        secrets = [Entrusted] if self.client.secrets else []
        return offer.lacking([*wanted, *secrets, *health, *(sabotage.needs if sabotage else ())])

    @cached_property
    def code(self) -> tuple[Path, ...]:
        """Folders and files of the project's own Python, runbooks beside it among them; files that take its place."""
        client, books = self.client.name, self._books
        files = [*([self.folder / client] if is_file(client) else []), *([books] if books else [])]
        modules_ = (self._sentences, self._twins, self._health, self._stack.partition(":")[0])
        names = (*modules_, "" if is_file(client) else client)
        tops = dict.fromkeys(name.partition(".")[0] for name in names if name)
        found = (self.folder / top for top in tops)
        return (*(path if path.is_dir() else path.with_suffix(".py") for path in found), *files)

    def where(self, field: str) -> str:
        """File and line at which it says so."""
        return f"{self.file}:{self._lines.get(field, 1)}"


def find(folder: Path | None = None, *, start: Path | None = None) -> Project:
    """The project in `folder`; without one, the nearest upward from `start`, else from the working directory.

    Errors: `Refused` where there is none, or where it cannot be used, with every problem of its file.
    """
    if folder is not None:
        if not folder.is_dir():
            raise Refused(f"{folder}: there is no such folder", hint=f"name the folder of a project; {modules.HINT}")
        if not (folder / FILE).is_file():
            raise Refused(f"{folder}: holds no {FILE}", hint=f"name the folder of a project; {modules.HINT}")
        return load(folder)
    begin = (start or Path.cwd()).resolve()
    found = nearest(begin)
    if found is None:
        raise Refused(
            f"there is no {FILE} in {begin}, nor above it",
            hint=f"name a project: drdrill --project FOLDER; {modules.HINT}",
        )
    return load(found)


def nearest(start: Path) -> Path | None:
    """The nearest folder upward from `start` that has a `project.yaml`."""
    return next((folder for folder in (start, *start.parents) if (folder / FILE).is_file()), None)


_CURRENT: list[Project] = []  # of a process that drills: pytest imports what it collects, and hands it nothing


def use(found: Project) -> None:
    """From here on it is the project that this process drills."""
    _CURRENT[:] = [found]


def current() -> Project:
    """The project that this process drills."""
    return _CURRENT[0]


def in_use() -> Project | None:
    """The same; None as long as nobody has said which it is."""
    return _CURRENT[0] if _CURRENT else None


def load(folder: Path) -> Project:
    """Errors: `Refused`, with every problem of `project.yaml` in one message, each with its line."""
    folder = folder.resolve()
    if not str(folder).isprintable():
        raise Refused(
            f"{str(folder)!r}: the name of a project's folder cannot be printed", hint="give it a plainer one"
        )
    read = text.read(folder / FILE)
    schema = json.loads(resources.files("harness.project").joinpath("project.json").read_text(encoding="utf-8"))
    shape.check(read, schema, of="a project", formats=FORMATS)
    if not read.problems:
        _must_be_there(read, folder)
    if read.problems:
        raise text.refuse(read.path, read.problems)
    given = read.values
    return Project(
        folder=folder,
        name=given["name"],
        plan=(folder / given["plan"]).resolve(),
        features=(folder / given["features"]).resolve(),
        client=_client_source(read, folder),
        waivers=(folder / given["waivers"]).resolve() if "waivers" in given else None,
        contacts=(folder / given["contacts"]).resolve() if "contacts" in given else None,
        templates=(folder / given["templates"]).resolve() if "templates" in given else None,
        _sentences=given.get("sentences", ""),
        _twins=given.get("twins", ""),
        _health=given.get("health", ""),
        _stack=given.get("stack", ""),
        _books=(folder / given["books"]).resolve() if "books" in given else None,
        _lines={str(where[0]): line for where, line in read.lines.items() if len(where) == 1},
    )


def _client_source(read: text.Text, folder: Path) -> ClientSource:
    if name := read.values.get("client"):
        return client_source(folder, name, f"{read.path}:{read.lines.get(('client',), 1)}")
    return NoClient(folder / FILE)


def _must_be_there(read: text.Text, folder: Path) -> None:
    """Each path lies in the project's folder and is what it should be, and each module has a file there.

    Nothing is imported for that, so a calendar can tell it, too.
    """
    for name, is_what_it_should_be, what in (
        ("plan", Path.is_file, "file"),
        ("waivers", Path.is_file, "file"),
        ("contacts", Path.is_file, "file"),
        ("features", Path.is_dir, "folder"),
        ("templates", Path.is_dir, "folder"),
        ("books", Path.is_file, "file"),
        ("client", Path.is_file, "file"),
    ):
        if name not in read.values or (name == "client" and not is_file(read.values[name])):
            continue
        path = folder / read.values[name]
        if not Path(os.path.realpath(path)).is_relative_to(folder):  # which a link to itself does not break
            read.problem((name,), f"{read.values[name]} lies outside of the project", hint="move it into the project")
        elif not is_what_it_should_be(path):
            hint = f"{FILE} says where it lies, seen from its own folder; {modules.HINT}"
            read.problem((name,), f"there is no {what} {read.values[name]} in {folder}", hint=hint)
    for name in ("sentences", "twins", "health", "stack", "client"):
        module = read.values.get(name, "").partition(":")[0]
        if module and not is_file(module) and not modules.has_a_file(module, folder):
            hint = f"a module is named as Python imports it, seen from the folder of {FILE}; {modules.HINT}"
            read.problem((name,), f"there is no module {module} in {folder}", hint=hint)
