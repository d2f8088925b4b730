"""A pack as the reports read it: forgiving, because a killed run must have a truthful page too.

Whatever cannot be read becomes a sentence in `Pack.problems`, which every report shows. Nothing here judges: figures
and verdicts come from `findings.json`. (`drdrill verify` is strict about the same files; that is its task.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.checks import Finding, Outcome
from harness.checks.called import NEUTRAL, called
from harness.checks.evidence import disaster_of
from harness.errors import Refused
from harness.evidence import files
from harness.evidence.lines import NAME as JOURNAL
from harness.evidence.reading import entries
from reports.judged import SILENT, with_reach

Data = dict[str, Any]
FORMATS = (1, 2)  # of findings.json that are known here
BEYOND = 1e18  # no figure is larger, and no reading of a clock; what is no number is not smaller either
YEARS = range(1970, 9000)  # a stamp of another year is damage, and no calendar could move it by a day


@dataclass(frozen=True)
class Fact:
    """One line of the journal."""

    seq: int
    utc: datetime | None
    mono: int
    kind: str
    data: Data


@dataclass(frozen=True)
class Facts:
    """Facts in the order in which they happened, with the few questions that a report asks of them."""

    lines: tuple[Fact, ...]

    def of(self, *kinds: str) -> list[Fact]:
        return [fact for fact in self.lines if fact.kind in kinds]

    def first(self, kind: str) -> Fact | None:
        return next((fact for fact in self.lines if fact.kind == kind), None)

    def last(self, kind: str) -> Fact | None:
        return next((fact for fact in reversed(self.lines) if fact.kind == kind), None)

    def disaster(self) -> Fact | None:
        """The order of the fault whose recovery is measured."""
        return disaster_of(self.of("fault.intent"))

    def data(self, kind: str) -> Data:
        """The data of the first fact of a kind; empty where there is none."""
        fact = self.first(kind)
        return fact.data if fact else {}


@dataclass(frozen=True)
class Scenario:
    """What one scenario left behind."""

    name: str
    title: str
    facts: Facts
    findings: tuple[Finding, ...]
    verdict: Outcome
    ledgers: tuple[Path, ...]
    called: Mapping[str, str] = field(default_factory=lambda: NEUTRAL)  # a `history`, in its keepers' word

    def finding(self, id: str) -> Finding | None:
        return next((finding for finding in self.findings if finding.id == id), None)

    @property
    def inside(self) -> frozenset[str]:
        """Groups of customers that stand inside a zone: service is not what they were given."""
        listed = [fact.data.get("groups") for fact in self.facts.of("workload.begin")]
        groups = [each for some in listed if isinstance(some, list) for each in some if isinstance(each, dict)]
        return frozenset(str(each.get("group")) for each in groups if each.get("inside"))

    @property
    def begun(self) -> bool:
        return self.facts.first("scenario.begin") is not None


@dataclass(frozen=True)
class Pack:
    """One run."""

    folder: Path
    begin: Data
    facts: Facts
    scenarios: tuple[Scenario, ...]
    verdict: Outcome
    rules: str
    problems: tuple[str, ...]
    doubts: tuple[str, ...] = ()  # why the sealed findings are not to be believed

    @property
    def called(self) -> Mapping[str, str]:
        """What the keepers of the database call a `history`, as the stack said."""
        return called(self.facts.data("stack.ready"))


def read(folder: Path) -> Pack:
    """Read a pack's folder. Errors: `Refused` when it is no pack at all (no journal)."""
    path = folder / JOURNAL
    problems: list[str] = []
    try:
        facts = Facts(tuple(_facts(path, problems)))
    except FileNotFoundError:
        raise Refused(
            f"{folder}: no journal.jsonl in it", hint="name the folder of a run, such as evidence/<run>"
        ) from None
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}", hint="`drdrill verify` says what else is wrong with it") from None
    findings, verdicts, verdict, rules = _findings(folder / "findings.json", problems)
    begin, words = facts.data("run.begin"), called(facts.data("stack.ready"))
    scenarios = tuple(
        Scenario(
            name=name,
            title=str(_begin(lines).get("title") or name.replace("-", " ").capitalize()),
            facts=Facts(lines),
            findings=tuple(_seen([each for each in findings if each.scenario == name], Facts(lines), rules)),
            verdict=verdicts.get(name, Outcome.UNKNOWN),
            called=words,
            ledgers=tuple(sorted((folder / "scenarios" / name).glob("ledger-*.jsonl"))) if _is_name(name) else (),
        )
        for name, lines in _by_scenario(facts, begin)
    )
    return Pack(folder, begin, facts, scenarios, verdict, rules, tuple(problems))


def _seen(findings: list[Finding], facts: Facts, rules: str) -> list[Finding]:
    """Findings of older rules get in words what those do not say: which objectives lie beyond what the run could see.

    How far that was is taken from the customers' work: from its begin to the fault, and from there to its end.
    """
    if rules not in SILENT:
        return findings
    begin, hurt, end = facts.first("workload.begin"), facts.disaster(), facts.last("workload.end")
    back = (hurt.mono - begin.mono) / 1e9 if begin and hurt else None
    outage = (end.mono - hurt.mono) / 1e9 if hurt and end else None
    return [with_reach(finding, outage=outage, back=back) for finding in findings]


def _facts(path: Path, problems: list[str]) -> Iterable[Fact]:
    """Every line that can be shown; the others become problems, those that are no JSON one for all."""
    bad: list[int] = []
    for entry in entries(path):
        if entry.fields is None:
            bad.append(entry.number)
            continue
        mono, data = entry.fields.get("mono"), entry.fields.get("data")
        if not isinstance(mono, int) or abs(mono) > BEYOND or not isinstance(data, dict):
            problems.append(f"{path.name}: line {entry.number} has no time or no data and is not in this report")
            continue
        utc, kind = moment(entry.fields.get("utc")), str(entry.fields.get("kind"))
        yield Fact(entry.number - 1, utc, mono, kind, data)
    if bad:
        shown = ", ".join(str(number) for number in bad[:5]) + (" and more" if len(bad) > 5 else "")
        problems.append(f"{path.name}: {len(bad)} line(s) could not be read and are not in this report (line {shown})")


def moment(text: Any) -> datetime | None:
    """An ISO time in UTC, or None."""
    try:
        read_as = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    if read_as.year not in YEARS:
        return None
    return read_as if read_as.tzinfo else read_as.replace(tzinfo=UTC)


def _begin(lines: tuple[Fact, ...]) -> Data:
    return Facts(lines).data("scenario.begin")


def _is_name(name: str) -> bool:
    """Can a folder be called so?"""
    return (
        0 < len(name.encode(errors="replace")) < 256
        and name.isprintable()
        and name.strip(".") != ""
        and "/" not in name
    )


def _by_scenario(facts: Facts, begin: Data) -> list[tuple[str, tuple[Fact, ...]]]:
    """Facts of each scenario, from its first line to that of the next; also those that were planned and never began."""
    found: dict[str, list[Fact]] = {}
    current: list[Fact] | None = None
    for fact in facts.lines:
        if fact.kind == "scenario.begin":
            current = found.setdefault(str(fact.data.get("scenario", "")), [])
        if current is not None and fact.kind != "run.end":
            current.append(fact)
    planned = begin.get("scenarios")
    for name in planned if isinstance(planned, list) else []:
        found.setdefault(str(name), [])
    return [(name, tuple(lines)) for name, lines in found.items()]


def _findings(path: Path, problems: list[str]) -> tuple[list[Finding], dict[str, Outcome], Outcome, str]:
    nothing: tuple[list[Finding], dict[str, Outcome], Outcome, str] = ([], {}, Outcome.UNKNOWN, "unknown")
    try:
        content = files.parsed(files.content(path))
        if content.get("v", 1) not in FORMATS:
            raise ValueError(f"version {content['v']!r}, of which this drdrill knows nothing: use a newer one")
        found = [_finding(each) for each in content["findings"]]
        verdicts = {str(name): Outcome(outcome) for name, outcome in content["verdicts"].items()}
        return found, verdicts, Outcome(content["verdict"]), str(content["rules"])
    except FileNotFoundError:
        problems.append("findings.json is missing: this run was not judged, so every verdict is UNKNOWN")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)[:200]
        problems.append(f"findings.json cannot be read ({why}): every verdict is UNKNOWN")
    return nothing


def _finding(data: Data) -> Finding:
    known = {field.name: data[field.name] for field in fields(Finding) if field.name in data}
    known["outcome"] = Outcome(data["outcome"])
    known["demands"] = tuple(str(each) for each in data.get("demands") or ())
    known["beside"] = tuple((str(name), str(words)) for name, words in data.get("beside") or ())
    known["parts"] = tuple((str(name), float(_number(seconds, "parts"))) for name, seconds in data.get("parts") or ())
    for name in ("figure", "low", "high", "objective"):
        if known.get(name) is not None:
            _number(known[name], name)
    for name in ("id", "scenario", "title", "reason", "unit"):
        known[name] = str(known.get(name, ""))
    return Finding(**known)


def _number(value: Any, name: str) -> float:
    if not isinstance(value, (int, float)) or not abs(value) < BEYOND:
        raise ValueError(f"{name} is no number")
    return value
