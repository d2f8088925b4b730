"""The runs of a folder of evidence, as far as the calendar, the gate and the history need them.

Of each pack are read the journal's first and last line, `findings.json` and its own features, and each is verified
(`harness.evidence.verify`): what a pack that does not verify says never counts. Forgiving: a damaged
folder becomes a run with a problem, never an error. Folders of proofs (`proof-…`) are no history of drills.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from harness import catalog
from harness.checks import Outcome, merge_outcomes
from harness.errors import Refused
from harness.evidence import files, verify
from harness.evidence.lines import NAME as JOURNAL
from harness.evidence.numbers import ENVELOPE, LONGEST_LINE
from harness.folders import UNFINISHED

FINDINGS = "findings.json"
PROOF = "proof-"
VERSION = 1  # of findings.json that is known here
BEYOND = 1e18  # no figure is larger; what is no number is not smaller either
MANY = 100  # packs: with fewer, starting other processes takes longer than they save
LAST_BYTES = 1 << 16  # of a journal, among which its last line is looked for
YEARS = range(1970, 9000)  # a stamp of another year is damage, and no time zone could move it by a day
UNHEALED = "unhealed-fault"  # the one thing that may be missing: the run's own verdict says it
Data = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A figure of a finding, with its error bar, in its unit (seconds for `s`)."""

    outcome: Outcome
    unit: str
    figure: float
    low: float | None
    high: float | None
    lower_bound: bool
    objective: float | None
    beside: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Scenario:
    """A scenario of a run: its verdict, and those of its findings that have a figure."""

    name: str
    title: str
    drill: str  # by the pack's own features; empty where they do not have it
    verdict: Outcome
    figures: Mapping[str, Figure]


@dataclass(frozen=True)
class Likeness:
    """What two runs must have in common for their figures to be compared."""

    stack: str
    rung: str
    environment: str
    scale: float
    rate: float
    cpus: int

    def __str__(self) -> str:
        rung = f" ({self.rung})" if self.rung else ""
        size = f"scale {self.scale:g}, {self.rate:g} transactions a second"
        return f"{self.environment}, {self.stack}{rung}, {size}, {self.cpus} CPUs"


@dataclass(frozen=True)
class Past:
    """One sealed run."""

    folder: Path
    run: str
    number: int  # 0 where it cannot be read
    began: datetime | None
    outcome: str  # completed, stopped, killed, aborted; empty where it cannot be read
    verdict: Outcome
    sabotage: str
    likeness: Likeness
    drills: tuple[str, ...]  # that were planned
    known: frozenset[str]  # that had a feature when it began
    whole: frozenset[str]  # all scenarios of which were planned and judged
    scenarios: tuple[Scenario, ...]
    problem: str = ""  # why it is no evidence; empty where it verifies
    digest: str = ""  # of its seal

    @property
    def name(self) -> str:
        return self.folder.name

    def day(self, zone: ZoneInfo) -> date | None:
        """The day in `zone` on which it began."""
        return self.began.astimezone(zone).date() if self.began else None

    def why_not(self) -> str:
        """Why it does not count as a drill that was done, for whichever drill; empty where it may."""
        if self.problem:
            return f"it does not verify: {self.problem}"
        if self.began is None:
            return "when it began cannot be read"
        if self.sabotage:
            return f"it was sabotaged on purpose ({self.sabotage})"
        return "" if self.outcome == "completed" else f"it was {self.outcome or 'never ended'}"

    def counts_for(self, drill: str) -> bool:
        """Whether it is a run of this drill, whole, that counts whatever its verdict is."""
        return not self.why_not() and drill in self.whole

    def verdict_of(self, drill: str) -> Outcome:
        """The verdict over the drill's scenarios."""
        return merge_outcomes(scenario.verdict for scenario in self.scenarios if scenario.drill == drill)


@dataclass(frozen=True)
class Folder:
    """A folder of evidence: its sealed runs in order of number, and what else is in it that a reader must know."""

    path: Path
    runs: tuple[Past, ...] = ()
    unfinished: tuple[str, ...] = ()  # runs that go on or were killed, and are not sealed
    notes: tuple[str, ...] = ()  # gaps in the numbering, packs that are there twice or were replaced
    gaps: tuple[int, ...] = ()  # numbers of runs that are not here

    def until(self, today: date, zone: ZoneInfo) -> Folder:
        """Without the runs that began later than `today`."""
        kept = tuple(run for run in self.runs if not (day := run.day(zone)) or day <= today)
        newest = max((run.number for run in kept), default=0) if len(kept) < len(self.runs) else None
        gaps = tuple(gap for gap in self.gaps if newest is None or gap < newest)
        return replace(self, runs=kept, gaps=gaps)


def read(evidence: Path, *, key: str | None = None) -> Folder:
    """Read and verify every sealed run of the folder; `key` is whom they have to be sealed by.

    A folder that is not there has no runs. Errors: `Refused` where it cannot be read, or `key` is no key.
    """
    try:
        if not _there(evidence):
            return Folder(evidence)
        verify.expected_key(key, evidence)
        entries = sorted(path for path in evidence.iterdir() if path.is_dir() and not path.is_symlink())
        packs = [path for path in entries if _is_pack(path)]
    except verify.BadInput as error:
        raise Refused(str(error), hint=error.hint) from None
    except OSError as error:
        raise Refused(
            f"{error.filename or evidence}: {error.strerror}", hint="name the folder of the packs with --evidence"
        ) from None
    unfinished = tuple(path.name.removesuffix(UNFINISHED) for path in entries if path.name.endswith(UNFINISHED))
    reports = _verified(packs, key=key)
    features = _Features()
    seen: dict[str, str] = {}
    runs = []
    for pack, report in zip(packs, reports, strict=True):
        runs.append(_past(pack, report, features, key=key, twin=seen.get(report.digest, "")))
        seen.setdefault(report.digest, pack.name)
    runs.sort(key=lambda run: (run.number, run.name))
    succession = verify.FolderReport(evidence, packs=[report for report in reports if report.facts])
    verify.check_succession(succession)
    numbers = {run.number for run in runs if run.number} | _numbers(evidence, unfinished)
    gaps = tuple(number for number in range(1, max(numbers, default=0)) if number not in numbers)
    notes = tuple(problem.text for problem in succession.problems if problem.name != "gap")
    return Folder(evidence, tuple(runs), unfinished, notes, gaps)


def _there(path: Path) -> bool:
    """Errors: `OSError` where that cannot be known."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _verified(packs: Sequence[Path], *, key: str | None) -> list[verify.Report]:
    """Every pack verified, on all CPUs where there are many: it takes 6 to 12 ms for each scenario that was run."""
    one = partial(_verify, key=key)
    if len(packs) < MANY:
        return [one(pack) for pack in packs]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        return list(pool.map(one, packs, chunksize=8))


def _verify(pack: Path, *, key: str | None) -> verify.Report:
    """What cannot be looked at is a pack of which nothing is known."""
    try:
        return verify.verify_pack(pack, key=key)
    except (verify.BadInput, OSError) as error:
        report = verify.Report(pack)
        report.add("integrity", "unreadable", str(error), verify.UNKNOWN)
        return report


def _is_pack(path: Path) -> bool:
    if path.name.endswith((UNFINISHED, ".beginning", ".reports")) or path.name.startswith(PROOF):
        return False
    try:
        return any((path / name).is_file() for name in (ENVELOPE, JOURNAL))
    except OSError:
        return True  # nobody can look into it; its run has a problem then


def _numbers(evidence: Path, unfinished: Iterable[str]) -> set[int]:
    begun = (_lines(evidence / f"{run}{UNFINISHED}" / JOURNAL)[0] for run in unfinished)
    return {data["number"] for data in begun if type(data.get("number")) is int}


def _past(pack: Path, report: verify.Report, features: _Features, *, key: str | None, twin: str) -> Past:
    begin, end = _lines(pack / JOURNAL)
    signed = report.facts
    planned = _names(begin.get("scenarios") or signed.get("scenarios"))
    known = features.of(pack)
    home = {scenario: drill for drill, scenarios in known.items() for scenario in scenarios}
    titles = {name: title for scenarios in known.values() for name, title in scenarios.items()}
    verdict, verdicts, figures = _findings(pack / FINDINGS)
    machine = begin.get("machine")
    number = begin.get("number", signed.get("number"))
    return Past(
        folder=pack,
        run=str(begin.get("run") or signed.get("run") or pack.name),
        number=number if type(number) is int and 0 < number <= verify.HIGHEST else 0,
        began=_moment(begin.get("utc") or signed.get("startedOn")),
        outcome=str(end.get("outcome") or ""),
        verdict=verdict,
        sabotage=str(begin.get("sabotage", signed.get("sabotage")) or ""),
        likeness=Likeness(
            stack=str(begin.get("stack") or "unknown"),
            rung=str(begin.get("rung") or ""),
            environment=str(begin.get("environment") or "unknown"),
            scale=_number(begin.get("scale")) or 0.0,
            rate=_number(begin.get("rate")) or 0.0,
            cpus=int((_number(machine.get("cpus")) if isinstance(machine, dict) else None) or 0),
        ),
        drills=_names(begin.get("drill") or signed.get("drill")),
        known=frozenset(known),
        whole=frozenset(
            drill for drill, scenarios in known.items() if scenarios and set(scenarios) <= set(planned) & set(verdicts)
        ),
        scenarios=tuple(
            Scenario(
                name=name,
                title=titles.get(name) or name.replace("-", " ").capitalize(),
                drill=home.get(name, ""),
                verdict=verdicts.get(name, Outcome.UNKNOWN),
                figures=figures.get(name, {}),
            )
            for name in dict.fromkeys((*planned, *verdicts))
        ),
        problem=_problem(report, key=key, twin=twin),
        digest=report.digest,
    )


def _problem(report: verify.Report, *, key: str | None, twin: str) -> str:
    """What is wrong with the pack as evidence; a fault that was not healed is told by the run's own verdict."""
    questions = ("integrity", "completeness", *(("authorship",) if key else ()))
    wrong = [each for each in report.problems if each.question in questions and each.name != UNHEALED]
    if wrong:
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return f"{wrong[0].name}: {wrong[0].text}{more}"
    return f"it is a copy of {twin}" if twin else ""


@dataclass
class _Features:
    """Drill to its scenarios (name to title) of each pack; features with the same bytes are read once."""

    read: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)

    def of(self, pack: Path) -> dict[str, dict[str, str]]:
        folder = pack / "features"
        try:
            digest = hashlib.sha256(repr(files.features(folder)).encode()).hexdigest()
            if digest not in self.read:
                self.read[digest] = {
                    drill.name: {scenario.name: scenario.title for scenario in drill.scenarios}
                    for drill in catalog.drills(folder)
                }
        except (OSError, Refused):
            return {}
        return self.read[digest]


def _lines(journal: Path) -> tuple[Data, Data]:
    """The data of `run.begin` with its stamp as `utc`, and of `run.end`; empty where they cannot be read."""
    first = last = b""
    try:
        with files.opened(journal) as source:
            first = source.readline(LONGEST_LINE)
            source.seek(max(source.seek(0, os.SEEK_END) - LAST_BYTES, 0))
            last = (source.read().splitlines() or [b""])[-1]
    except OSError:
        return {}, {}
    return _data(first, "run.begin"), _data(last, "run.end")


def _data(raw: bytes, kind: str) -> Data:
    try:
        line = verify.parsed(raw)
        return {**line["data"], "utc": line["utc"]} if line["kind"] == kind else {}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def _findings(path: Path) -> tuple[Outcome, dict[str, Outcome], dict[str, dict[str, Figure]]]:
    """The verdict, that of each scenario, and each scenario's figures; UNKNOWN and nothing where nobody judged."""
    figures: dict[str, dict[str, Figure]] = {}
    try:
        content = files.parsed(files.content(path))
        if content.get("v", VERSION) != VERSION:
            return Outcome.UNKNOWN, {}, {}
        verdicts = {str(name): Outcome(outcome) for name, outcome in content["verdicts"].items()}
        for finding in content["findings"]:
            if (figure := _figure(finding)) is not None:
                figures.setdefault(str(finding["scenario"]), {})[str(finding["id"])] = figure
        return Outcome(content["verdict"]), verdicts, figures
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Outcome.UNKNOWN, {}, {}


def _figure(finding: Data) -> Figure | None:
    figure = _number(finding.get("figure"))
    if figure is None:
        return None
    return Figure(
        outcome=Outcome(finding["outcome"]),
        unit=str(finding.get("unit", "s")),
        figure=figure,
        low=_number(finding.get("low")),
        high=_number(finding.get("high")),
        lower_bound=finding.get("lower_bound") is True,
        objective=_number(finding.get("objective")),
        beside=tuple((str(name), str(words)) for name, words in finding.get("beside") or ()),
    )


def _number(value: object) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < BEYOND:
        return None
    return float(value)


def _names(value: object) -> tuple[str, ...]:
    return tuple(str(name) for name in value) if isinstance(value, list) else (str(value),) if value else ()


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if found.year in YEARS else None
