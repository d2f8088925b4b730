"""The runs of a folder of evidence, as far as the calendar, the gate and the history need them.

Of each pack are read the journal's first and last line, `findings.json` and its own features, and each is verified
(`harness.evidence.verify`) and judged again from its records (`harness.checks.again`): what a pack that does not
verify says never counts, nor do findings that its records do not give. Forgiving: a damaged folder becomes a run with a
problem, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from harness.checks import Outcome
from harness.checks.restored import DATABASE
from harness.errors import Refused
from harness.evidence import files, numbers, receipts, verify
from harness.evidence.first_line import marks
from harness.evidence.lines import NAME as JOURNAL
from harness.evidence.numbers import ENVELOPE
from harness.evidence.reading import ends
from harness.evidence.run_folder import UNFINISHED
from harness.schedule import series, told
from harness.schedule.past import Figure, Folder, Likeness, Past, Scenario, in_order
from harness.schedule.whole import Features, whole
from harness.system.later import fetch

if TYPE_CHECKING:
    from harness.checks.again import Again

FINDINGS = "findings.json"
FORMATS = (1, 2)  # of findings.json that are known here
BEYOND = 1e18  # no figure is larger; what is no number is not smaller either
MANY = 100  # packs: with fewer, starting other processes takes longer than they save
RAN = "scenario"  # the finding that each scenario has, and that counts unless it was declared that it cannot be run
UNHEALED = "unhealed-fault"  # the one thing that may be missing: the run's own verdict says it
Data = dict[str, Any]
Looked: TypeAlias = "tuple[verify.Report, Again | None]"


def read(evidence: Path, *, key: str | None = None) -> Folder:
    """Read and verify every sealed run of the folder; `key` is whom they have to be sealed by.

    A folder that is not there has no runs. Errors: `Refused` where it cannot be read, or `key` is no key.
    """
    try:
        fingerprint, _ = verify.expected_key(key, evidence)
        if not _there(evidence):
            return Folder(evidence, key=fingerprint)
        entries = sorted(path for path in evidence.iterdir() if path.is_dir() and not path.is_symlink())
        links = sorted(path.name for path in evidence.iterdir() if path.is_symlink())
        packs = [path for path in entries if _is_pack(path)]
    except verify.BadInput as error:
        raise Refused(str(error), hint=error.hint) from None
    except OSError as error:
        raise Refused(
            f"{error.filename or evidence}: {error.strerror}", hint="name the folder of the packs with --evidence"
        ) from None
    unfinished = tuple(path.name.removesuffix(UNFINISHED) for path in entries if path.name.endswith(UNFINISHED))
    looked = _looked_at(packs, key=key)
    reports = [report for report, _ in looked]
    features = Features()
    found = [
        _past(pack, report, features, problem=_problem(report, again, key=key))
        for pack, (report, again) in zip(packs, looked, strict=True)
    ]
    claims = [series.Claim(run.name, run.digest, run.run, run.number, not run.problem) for run in found]
    runs = [_copied(run, name) for run, name in zip(found, series.copies(claims), strict=True)]
    runs = in_order(runs)
    succession = verify.FolderReport(evidence, packs=_distinct(runs, dict(zip(packs, reports, strict=True))))
    verify.check_succession(succession)
    claimed = (numbers.claimed(evidence / f"{name}{UNFINISHED}") for name in unfinished)
    begun = {(stream, number) for stream, number in claimed if number}
    gaps, beyond = _gaps(
        [report for report in reports if _vouched(report, key)], runs, begun, receipts.numbers(evidence)
    )
    return Folder(
        evidence,
        tuple(runs),
        unfinished,
        notes=(
            *(problem.text for problem in succession.problems if problem.name != "gap"),
            *beyond,
            *(f"{verify.shown(name)} is a link, and was not looked at" for name in links),
        ),
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


Run = tuple[str, int]  # stream and number


def _gaps(
    vouched: Sequence[verify.Report], runs: Sequence[Past], begun: set[Run], told: set[Run]
) -> tuple[tuple[series.Gap, ...], list[str]]:
    """Of each stream the numbers that are missing, up to the highest that counts (`harness.evidence.numbers`); and
    those beyond.
    """
    most = numbers.most(len(runs) + len(begun) + len(told))
    signed = {(verify.stream_of(report), report.facts["number"]) for report in vouched} | told
    known = {(run.stream, run.number) for run in runs} | begun
    found: list[series.Gap] = []
    for stream in sorted({stream for stream, _ in signed | known}):
        ours = {number for of, number in known if of == stream}
        highest = max((number for of, number in signed if of == stream and number <= most), default=0)
        missing = series.gaps(ours, numbers.one_by_one(highest, ours))
        found += (series.Gap(stream, each) for each in missing)
    beyond = [
        f"{report.name} says that it is run {report.facts['number']}, which is no number of this folder"
        for report in vouched
        if not 0 < report.facts["number"] <= most
    ]
    return tuple(found), beyond


def _there(path: Path) -> bool:
    """Errors: `OSError` where that cannot be known."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _looked_at(packs: Sequence[Path], *, key: str | None) -> list[Looked]:
    """Every pack verified and judged again, on all CPUs where there are many: 10 to 80 ms for each of its scenarios."""
    one = partial(_look_at, key=key)
    if len(packs) < MANY:
        return [one(pack) for pack in packs]
    found: list[Looked] = fetch("harness.schedule.many:each")(one, packs)
    return found


def _look_at(pack: Path, *, key: str | None) -> Looked:
    """What cannot be looked at is a pack of which nothing is known; what does not verify is not judged again."""
    try:
        report = verify.verify_pack(pack, key=key)
    except (verify.BadInput, OSError) as error:
        report = verify.Report(pack)
        report.add("integrity", "unreadable", str(error), verify.UNKNOWN)
        return report, None
    return report, None if _unsound(report, key=key) else judge_again(pack, report.facts.get("verdict", "none"))


def judge_again(pack: Path, signed: object) -> Again:
    """`harness.checks.again.judge_again`; the rules are imported where there is a pack to judge."""
    again: Again = fetch("harness.checks.again:judge_again")(pack, signed=signed)
    return again


def _is_pack(path: Path) -> bool:
    """Whatever holds a seal or a journal, and whatever it is called: a run cannot be hidden by another name."""
    if path.name.endswith(UNFINISHED):
        return False
    try:
        return any((path / name).is_file() for name in (ENVELOPE, JOURNAL))
    except OSError:
        return True  # nobody can look into it; its run has a problem then


def _past(pack: Path, report: verify.Report, features: Features, *, problem: str) -> Past:
    begin, end = _lines(pack / JOURNAL)
    signed = report.facts
    planned = _names(begin.get("scenarios") or signed.get("scenarios"))
    known = features.of(pack)
    home = {name: drill for drill, scenarios in known.items() for name, _ in scenarios}
    titles = {name: title for scenarios in known.values() for name, title in scenarios}
    verdict, verdicts, figures, left_out, advisory = _findings(pack / FINDINGS)
    middle = told.read(pack / JOURNAL)
    host = begin.get("host")
    stream = begin.get("stream", verify.stream_of(report))
    number = begin.get("number", signed.get("number"))
    return Past(
        folder=pack,
        run=str(begin.get("run") or signed.get("run") or pack.name),
        number=number if type(number) is int and 0 < number <= verify.HIGHEST else 0,
        began=told.moment_of(begin.get("utc") or signed.get("startedOn")),
        outcome=str(end.get("outcome") or ""),
        verdict=verdict,
        sabotage=str(begin.get("sabotage", signed.get("sabotage")) or ""),
        likeness=Likeness(
            stack=verify.shown(begin.get("stack") or "unknown"),
            sandbox=verify.shown(begin.get("sandbox") or ""),
            environment=verify.shown(begin.get("environment") or "unknown"),
            scale=_number(begin.get("scale")) or 0.0,
            rate=_number(begin.get("rate")) or 0.0,
            cpus=int((_number(host.get("cpus")) if isinstance(host, dict) else None) or 0),
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
                restored=middle.restored.get(name, 0),
                declared=middle.declared.get(name) if name in advisory else None,
            )
            for name in dict.fromkeys((*planned, *verdicts))
        ),
        problem=problem,
        digest=report.digest,
        stream=stream if isinstance(stream, str) else verify.MAIN,
        marks=tuple(map(verify.shown, marks(begin))),
        reports_due=middle.reports_due,
    )


def _problem(report: verify.Report, again: Again | None, *, key: str | None) -> str:
    """What is wrong with the pack as evidence; empty where nothing is."""
    wrong = _unsound(report, key=key)
    if (report.redacted or report.withheld) and not any(each.outcome == verify.MISSED for each in wrong):
        parts = ((report.redacted, "line of its journal", "lines of its journal"), (report.withheld, "file", "files"))
        held_back = " and ".join(f"{len(some)} {one if len(some) == 1 else more}" for some, one, more in parts if some)
        return f"withheld: {held_back} cannot be read, so what it says cannot be judged"
    if wrong:
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return f"{wrong[0].name}: {wrong[0].text}{more}"
    return str(again) if again and (again.differs or again.why_not) else ""


def _unsound(report: verify.Report, *, key: str | None) -> list[verify.Problem]:
    """What does not verify; a fault that was not healed is told by the run's own verdict."""
    questions = ("integrity", "completeness", *(("authorship",) if key else ()))
    return [each for each in report.problems if each.question in questions and each.name != UNHEALED]


def _lines(journal: Path) -> tuple[Data, Data]:
    """The data of `run.begin` with its stamp as `utc`, and of `run.end`; empty where they cannot be read."""
    try:
        first, last = ends(journal)
    except OSError:
        return {}, {}
    return _data(first.fields, "run.begin"), _data(last.fields, "run.end")


def _data(line: Data | None, kind: str) -> Data:
    try:
        return {**line["data"], "utc": line["utc"]} if line and line["kind"] == kind else {}
    except (KeyError, TypeError):
        return {}


class Found(NamedTuple):
    """What findings say. `advisory`: the scenarios that do not count for the verdict, all in all."""

    verdict: Outcome
    verdicts: dict[str, Outcome]
    figures: dict[str, dict[str, Figure]]
    left_out: dict[str, str]
    advisory: set[str]


def _findings(path: Path) -> Found:
    """The verdict; of each scenario its verdict, its figures, and what it left out. UNKNOWN where nobody judged."""
    found = Found(Outcome.UNKNOWN, {}, {}, {}, set())
    try:
        content = files.parsed(files.content(path))
        if content.get("v", 1) not in FORMATS:
            return found
        verdicts = {str(name): Outcome(outcome) for name, outcome in content["verdicts"].items()}
        said = Found(Outcome(content["verdict"]), verdicts, {}, {}, set())
        for finding in content["findings"]:
            if (figure := _figure(finding)) is not None:
                said.figures.setdefault(str(finding["scenario"]), {})[figure_id(finding)] = figure
            if finding["id"] == "exercised":
                said.left_out[str(finding["scenario"])] = str(finding.get("reason"))
            if finding["id"] == RAN and finding.get("advisory") is True:
                said.advisory.add(str(finding["scenario"]))
        return said
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return found


def figure_id(finding: Data) -> str:
    """`rto`; of a database that was restored beside `restore-time: orders`."""
    database = next((str(words) for name, words in finding.get("beside") or () if name == DATABASE), "")
    return f"{finding['id']}: {database}" if database else str(finding["id"])


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
