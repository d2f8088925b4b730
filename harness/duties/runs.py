"""The runs of a folder of evidence, as far as the calendar, the gate and the history need them.

Of each pack are read the journal's first and last line, `findings.json` and its own features, and each is verified
(`harness.evidence.verify`): what a pack that does not verify says never counts. Forgiving: a damaged
folder becomes a run with a problem, never an error. Folders of proofs (`proof-…`) are no history of drills.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from harness.checks import Outcome, merge_outcomes
from harness.duties import series
from harness.duties.whole import Features, whole
from harness.errors import Refused
from harness.evidence import numbers, receipts, verify
from harness.evidence.lines import NAME as JOURNAL
from harness.evidence.numbers import ENVELOPE, LONGEST_LINE
from harness.folders import UNFINISHED

FINDINGS = "findings.json"
PROOF = "proof-"
BEYOND = 1e18  # no figure is larger; what is no number is not smaller either
MANY = 100  # packs: with fewer, starting other processes takes longer than they save
LAST_BYTES = 1 << 16  # of a journal, among which its last line is looked for
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
    reason: str = ""


@dataclass(frozen=True)
class Scenario:
    """A scenario of a run: its verdict, and those of its findings that have a figure."""

    name: str
    title: str
    drill: str  # by the pack's own features; empty where they do not have it
    verdict: Outcome
    figures: Mapping[str, Figure]
    left_out: str = ""  # what the machine could not do of it, and why; empty where nothing was left out


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
    whole: frozenset[str]  # each scenario of which was announced, once, and judged
    scenarios: tuple[Scenario, ...]
    problem: str = ""  # why it is no evidence; empty where it verifies
    digest: str = ""  # of its seal
    copy_of: str = ""  # the sound pack beside it that speaks for the same run

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

    def said_of(self, drill: str) -> str:
        """The same in words: `MET for what was exercised` where a scenario of the drill left something out."""
        return _said(self.verdict_of(drill), (each for each in self.scenarios if each.drill == drill))

    @property
    def said(self) -> str:
        """The verdict of the run in such words."""
        return _said(self.verdict, self.scenarios)


def _said(verdict: Outcome, scenarios: Iterable[Scenario]) -> str:
    partly = verdict is Outcome.MET and any(scenario.left_out for scenario in scenarios)
    return f"{verdict} for what was exercised" if partly else str(verdict)


@dataclass(frozen=True)
class Folder:
    """A folder of evidence: its sealed runs in order of number, and what else is in it that a reader must know."""

    path: Path
    runs: tuple[Past, ...] = ()
    unfinished: tuple[str, ...] = ()  # runs that go on or were killed, and are not sealed
    notes: tuple[str, ...] = ()  # what is wrong between the packs: a number that is there twice, one replaced
    gaps: tuple[range, ...] = ()  # numbers of runs that are not here
    remarks: tuple[str, ...] = ()  # what is not wrong and must be known: several keys
    key: str = ""  # the fingerprint of whom they have to be sealed by; empty where anybody's count

    def until(self, today: date, zone: ZoneInfo) -> Folder:
        """Without the runs that began later than `today`."""
        kept = tuple(run for run in self.runs if not (day := run.day(zone)) or day <= today)
        newest = max((run.number for run in kept), default=0) if len(kept) < len(self.runs) else None
        return replace(self, runs=kept, gaps=series.between(self.gaps, below=newest))


def read(evidence: Path, *, key: str | None = None) -> Folder:
    """Read and verify every sealed run of the folder; `key` is whom they have to be sealed by.

    A folder that is not there has no runs. Errors: `Refused` where it cannot be read, or `key` is no key.
    """
    try:
        if not _there(evidence):
            return Folder(evidence)
        fingerprint, _ = verify.expected_key(key, evidence)
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
    features = Features()
    found = [_past(pack, report, features, key=key) for pack, report in zip(packs, reports, strict=True)]
    claims = [series.Claim(run.name, run.digest, run.run, run.number, not run.problem) for run in found]
    runs = [_copied(run, name) for run, name in zip(found, series.copies(claims), strict=True)]
    runs.sort(key=lambda run: (run.number, run.name))
    succession = verify.FolderReport(evidence, packs=_distinct(runs, dict(zip(packs, reports, strict=True))))
    verify.check_succession(succession)
    begun = {number for name in unfinished if (number := numbers.claimed(evidence / f"{name}{UNFINISHED}"))}
    gaps, beyond = _gaps(
        [report for report in reports if _vouched(report, key)], runs, begun, receipts.numbers(evidence)
    )
    return Folder(
        evidence,
        tuple(runs),
        unfinished,
        notes=(*(problem.text for problem in succession.problems if problem.name != "gap"), *beyond),
        gaps=gaps,
        remarks=tuple(succession.notes),
        key=fingerprint,
    )


def _copied(run: Past, name: str) -> Past:
    """The run as a copy of the pack `name`, which speaks for it; itself where that is empty."""
    if not name:
        return run
    problem = f"it is a spoiled copy of {name}: {run.problem}" if run.problem else f"it is a copy of {name}"
    return replace(run, problem=problem, copy_of=name)


def _distinct(runs: Sequence[Past], reports: Mapping[Path, verify.Report]) -> list[verify.Report]:
    """One report for each envelope that is signed: what the others would say of the series, it says."""
    signed = [reports[run.folder] for run in runs if not run.copy_of]
    return list({report.digest: report for report in signed if verify.is_placed(report)}.values())


def _vouched(report: verify.Report, key: str | None) -> bool:
    """Whether its number is signed, by whom it has to be."""
    return verify.is_placed(report) and (key is None or report.answer("authorship") == verify.MET)


def _gaps(
    vouched: Sequence[verify.Report], runs: Sequence[Past], begun: set[int], told: set[int]
) -> tuple[tuple[range, ...], list[str]]:
    """The numbers that are missing, up to the highest that counts (`harness.evidence.numbers`); and those beyond."""
    most = numbers.most(len(runs) + len(begun) + len(told))
    signed = {report.facts["number"] for report in vouched} | told
    known = {run.number for run in runs} | begun
    top = numbers.one_by_one(max((number for number in signed if number <= most), default=0), known)
    beyond = [
        f"{report.name} says that it is run {report.facts['number']}, which is no number of this folder"
        for report in vouched
        if not 0 < report.facts["number"] <= most
    ]
    return series.gaps(known, top), beyond


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


def _past(pack: Path, report: verify.Report, features: Features, *, key: str | None) -> Past:
    begin, end = _lines(pack / JOURNAL)
    signed = report.facts
    planned = _names(begin.get("scenarios") or signed.get("scenarios"))
    known = features.of(pack)
    home = {name: drill for drill, scenarios in known.items() for name, _ in scenarios}
    titles = {name: title for scenarios in known.values() for name, title in scenarios}
    verdict, verdicts, figures, left_out = _findings(pack / FINDINGS)
    machine = begin.get("machine")
    number = begin.get("number", signed.get("number"))
    return Past(
        folder=pack,
        run=str(begin.get("run") or signed.get("run") or pack.name),
        number=number if type(number) is int and number > 0 else 0,
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
        whole=whole(known, planned, verdicts),
        scenarios=tuple(
            Scenario(
                name=name,
                title=titles.get(name) or name.replace("-", " ").capitalize(),
                drill=home.get(name, ""),
                verdict=verdicts.get(name, Outcome.UNKNOWN),
                figures=figures.get(name, {}),
                left_out=left_out.get(name, ""),
            )
            for name in dict.fromkeys((*planned, *verdicts))
        ),
        problem=_problem(report, key=key),
        digest=report.digest,
    )


def _problem(report: verify.Report, *, key: str | None) -> str:
    """What is wrong with the pack as evidence; a fault that was not healed is told by the run's own verdict."""
    questions = ("integrity", "completeness", *(("authorship",) if key else ()))
    wrong = [each for each in report.problems if each.question in questions and each.name != UNHEALED]
    if report.redacted and not any(each.outcome == verify.MISSED for each in wrong):
        held_back = verify.counted(len(report.redacted), "line")
        return f"withheld: {held_back} of its journal cannot be read, so what it says cannot be judged"
    if wrong:
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return f"{wrong[0].name}: {wrong[0].text}{more}"
    return ""


def _lines(journal: Path) -> tuple[Data, Data]:
    """The data of `run.begin` with its stamp as `utc`, and of `run.end`; empty where they cannot be read."""
    first = last = b""
    try:
        with verify.opened(journal) as source:
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


def _findings(path: Path) -> tuple[Outcome, dict[str, Outcome], dict[str, dict[str, Figure]], dict[str, str]]:
    """The verdict; of each scenario its verdict, its figures, and what it left out. UNKNOWN where nobody judged."""
    figures: dict[str, dict[str, Figure]] = {}
    left_out: dict[str, str] = {}
    try:
        with verify.opened(path) as source:
            content = json.load(source)
        verdicts = {str(name): Outcome(outcome) for name, outcome in content["verdicts"].items()}
        for finding in content["findings"]:
            if (figure := _figure(finding)) is not None:
                figures.setdefault(str(finding["scenario"]), {})[str(finding["id"])] = figure
            if finding["id"] == "exercised":
                left_out[str(finding["scenario"])] = str(finding.get("reason"))
        return Outcome(content["verdict"]), verdicts, figures, left_out
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Outcome.UNKNOWN, {}, {}, {}


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
        reason=str(finding.get("reason") or ""),
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
        return datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None
