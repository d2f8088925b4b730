"""Which drills there are: the features, read but not run; and what makes each scenario one of its own.

A scenario's short name is its folder in a pack, its name in the journal, and what history compares by. So no two
scenarios of a project have the same, and what cannot be told apart is refused before anything starts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gherkin.dialect import Dialect

from harness.errors import Refused
from harness.features import feature_file
from harness.features.feature_file import NotGherkin, Written, filled
from harness.system.lookalikes import RETYPE, unseen

CADENCES = ("monthly", "quarterly", "annual")  # those that a plan may have
LONGEST_NAME = 200  # letters: a folder's name may have 255 bytes, and files are named after it
DIGEST = 8  # hexadecimal digits
MOST_LINES, LONGEST_LINE = 2_000, 1_000  # bytes; of a feature: what comes with a pack is not trusted to be short
LOST = "LMN"  # Unicode's letters, marks and digits: without them a title says something else
MARKS = frozenset({"skip", "skipif", "xfail", "parametrize", "usefixtures", "filterwarnings"})  # pytest obeys these
HINT = "docs/write-a-drill.md says how a feature is written"


@dataclass(frozen=True)
class Sentence:
    """One step, examples filled in."""

    keyword: str  # as it is written, in the language of the feature
    text: str
    kind: str  # given, when or then, whatever the language is; that of the sentence before for And
    background: bool  # of the feature or of a rule: it holds for several scenarios
    line: int = 0  # in the feature

    def __str__(self) -> str:
        return f"{self.keyword} {self.text}"


@dataclass(frozen=True)
class Scenario:
    """One scenario, examples filled in."""

    name: str  # "an-operators-mistake": the folder in a pack
    title: str  # "An operator's mistake"
    tags: tuple[str, ...]  # its own, and those of its examples, its rule and its feature
    sentences: tuple[Sentence, ...]
    line: int  # in the feature; of an outline that of its example
    described: str = ""  # words below its title, or that of a background, that nothing carries out

    @property
    def texts(self) -> tuple[str, ...]:
        """The sentences without their keywords."""
        return tuple(sentence.text for sentence in self.sentences)


@dataclass(frozen=True)
class Drill:
    """One feature of the calendar."""

    name: str  # "database-backup-restoration"
    cadence: str  # monthly, quarterly, annual
    title: str
    feature: Path
    scenarios: tuple[Scenario, ...]


def name_of(title: str) -> str:
    """`An operator's mistake` as `an-operators-mistake`: ASCII, so that it reads the same on every machine.

    A title that loses letters on the way keeps them apart by a digest: `Zürich fails` is `zurich-fails-` and eight
    digits, and a title without any letter from a to z is `scenario-` and eight digits.
    """
    title = unicodedata.normalize("NFC", title)
    plain = _hyphened(title.lower())
    if plain and not any(unicodedata.category(letter)[0] in LOST for letter in title if not letter.isascii()):
        return plain
    folded = unicodedata.normalize("NFC", " ".join(title.casefold().split()))
    spelled = unicodedata.normalize("NFKD", folded)
    nearest = _hyphened("".join(letter for letter in spelled if unicodedata.category(letter)[0] != "M"))
    return f"{nearest or 'scenario'}-{sha256(folded.encode()).hexdigest()[:DIGEST]}"


def drills(features: Path) -> list[Drill]:
    """Every feature below `features/<cadence>/`, in order of name, as it is written: also what will not be run.

    Errors: `Refused` naming the file and line that cannot be read.
    """
    return [read(path) for path in _files(features, "*/*.feature")]


def announced(features: Path) -> list[Drill]:
    """The drills of a project, every scenario of which can be run under a name that no other has.

    Errors: `Refused` as `drills`, and naming the file and line of what could not be told apart or would be left out.
    """
    found = drills(features)
    placed = {drill.feature for drill in found}
    for path in _files(features, "**/*.feature"):
        if path not in placed:
            raise Refused(
                f"{path}: no drill is looked for in this folder",
                hint=f"move it to a cadence, such as {features / 'monthly'}; {HINT}",
            )
    _must_have_names(found)
    for drill in found:
        _must_be_run(drill)
    _must_be_told_apart(found)
    return found


def read(path: Path) -> Drill:
    """One feature, with every scenario that is written in it. Errors: `Refused` naming the line."""
    try:
        _must_be_short(path)
        feature = feature_file.read(path)
    except NotGherkin as error:
        odd = unseen(error.content)
        named = f" (there is {odd})" if odd else ""
        hint = f"{RETYPE if odd else 'mend the Gherkin'}; {HINT}"
        raise Refused(f"{path}:{error.line}: {error.message}{named}", hint=hint) from None
    except KeyError:  # of the parser: a file without a feature
        raise Refused(f"{path}: holds no feature", hint=f"begin it with Feature: {HINT}") from None
    except (UnicodeDecodeError, OSError) as error:
        raise Refused(f"{path}: {error}", hint="a feature is a UTF-8 text file") from None
    scenarios = (
        scenario for written in feature.scenarios for scenario in _each_of(path, written, language=feature.language)
    )
    name = path.stem.replace("_", "-")
    return Drill(name, path.parent.name, feature.title or path.stem, path, tuple(scenarios))


def _must_be_short(path: Path) -> None:
    """Errors: `Refused`, also where it is no plain file, which may have no end; OSError."""
    if not path.is_file():
        raise Refused(f"{path}: is no file", hint=f"a feature is a text file; {HINT}")
    with path.open("rb") as source:
        for number in range(1, MOST_LINES + 2):
            line = source.readline(LONGEST_LINE + 1)
            if number > MOST_LINES or len(line) > LONGEST_LINE:
                raise Refused(
                    f"{path}:{number}: a feature has at most {MOST_LINES} lines of {LONGEST_LINE} bytes",
                    hint="make several features of it, and of a long line several sentences",
                )
            if not line:
                break


def _each_of(path: Path, written: Written, *, language: str) -> Iterator[Scenario]:
    """The scenario itself, or one for each row of its examples. Errors: `Refused` where there are no rows."""
    if not written.tables:
        _must_be_no_outline(path, written, language)
        yield _scenario(written, {}, written.tags, written.line)
    for table in written.tables:
        if not table.rows:
            raise Refused(
                f"{path}:{table.line}: these examples of {written.title!r} have no row, so nothing is run",
                hint="write a header and a row for each scenario, or take the examples away",
            )
        for row in table.rows:
            yield _scenario(written, row.values, written.tags | table.tags, row.line)


def _must_be_no_outline(path: Path, written: Written, language: str) -> None:
    dialect = Dialect.for_name(language)
    assert dialect is not None  # the parser knew it
    only_outlines = set(dialect.scenario_outline_keywords) - set(dialect.scenario_keywords)
    if written.keyword in only_outlines:
        raise Refused(
            f"{path}:{written.line}: the outline {written.title!r} has no examples, so nothing is run",
            hint=f"write {dialect.examples_keywords[0]}: with a header and rows, or make it a plain scenario",
        )


def _scenario(written: Written, values: Mapping[str, str], tags: frozenset[str], line: int) -> Scenario:
    title = filled(written.title, values)
    shared = len(written.background)
    return Scenario(
        name=name_of(title),
        title=title,
        tags=tuple(sorted(tags)),
        sentences=tuple(
            Sentence(step.keyword, filled(step.text, values), step.kind, at < shared, step.line)
            for at, step in enumerate((*written.background, *written.steps))
        ),
        line=line,
        described=written.described,
    )


def _must_have_names(found: list[Drill]) -> None:
    seen: dict[str, Path] = {}
    for drill in found:
        if drill.name in seen:
            raise Refused(
                f"{drill.feature}: there is a drill {drill.name} already, {seen[drill.name]}",
                hint="give one of the two files another name: a drill is called like its file",
            )
        seen[drill.name] = drill.feature


def _must_be_run(drill: Drill) -> None:
    if not drill.scenarios:
        raise Refused(f"{drill.feature}: holds no scenario, so nothing is run", hint=f"write one; {HINT}")
    for scenario in drill.scenarios:
        where = f"{drill.feature}:{scenario.line}"
        if scenario.described:
            first = scenario.described.splitlines()[0].strip()
            odd = unseen(first)
            named = f" (there is {odd})" if odd else ""
            raise Refused(
                f"{where}: {first!r} is no sentence, so nothing would carry it out{named}",
                hint="begin it with Given, When, Then, And or But; what is only to be read stands below the feature's "
                "title, or behind a #",
            )
        if not scenario.title:
            raise Refused(f"{where}: a scenario without a title", hint="say in a few words what happens to whom")
        if len(scenario.name) > LONGEST_NAME:
            raise Refused(
                f"{where}: a title of {len(scenario.title)} letters is too long for the name of a folder",
                hint=f"make it shorter than {LONGEST_NAME}; what happens belongs into the sentences",
            )
        if left := sorted(MARKS.intersection(scenario.tags)):
            raise Refused(
                f"{where}: the tag @{left[0]} of {scenario.title!r} changes how pytest runs it, or whether",
                hint="take the tag away; what is not to be drilled yet is waived in drills/waivers.yaml",
            )


def _must_be_told_apart(found: list[Drill]) -> None:
    """Over all features: a run of a month has one folder for the scenarios of all of its drills."""
    seen: dict[str, tuple[str, str]] = {}
    for drill in found:
        for scenario in drill.scenarios:
            where = f"{drill.feature}:{scenario.line}"
            if scenario.name in seen:
                title, other = seen[scenario.name]
                short = f"the short name of {scenario.title!r} is {scenario.name}, as that of {title!r} in {other}"
                again = f"there is a scenario {title!r} already, in {other}"
                raise Refused(
                    f"{where}: {again if title == scenario.title else short}",
                    hint="give each a title of its own; an outline names a column in its title, such as <what>",
                )
            seen[scenario.name] = scenario.title, where


def _files(features: Path, pattern: str) -> list[Path]:
    """In order of name, without hidden ones: editors leave those, and nobody collects them."""
    return sorted(
        path
        for path in features.glob(pattern)
        if not any(part.startswith(".") for part in path.relative_to(features).parts)
    )


def _hyphened(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.replace("'", "")).strip("-")
