"""From a pack's folder to what the checks are given, and from findings to the bytes of `findings.json`.

The one file of the checks that opens files. Only files that the journal lists are evidence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path, PurePosixPath
from typing import Any

from harness.checks import Finding, merge
from harness.checks.evidence import Evidence, Line, Row, Unsound
from harness.checks.judge import judge_run
from harness.checks.rules import CURRENT, TABLE, Rules
from harness.errors import Refused
from harness.evidence import files
from harness.evidence.lines import NAME as JOURNAL
from harness.evidence.reading import Entry, entries, first
from harness.evidence.verify import WITHHELD
from harness.workload import answers, format1
from harness.workload.ledger import Payload, Request, content, outcomes

ASK = "ask whoever sealed the pack for the whole of it"
HINT = "the pack is damaged or incomplete: `drdrill verify` names what was changed"


class Withheld(Refused):
    """Lines of the journal, or records, were redacted: what they said may decide anything, so nothing is judged."""


def journal(folder: Path) -> list[Line]:
    """The lines of a pack's journal.

    Errors: `Refused` when there is none, or a line is no journal line; `Withheld` where lines are redacted. A last line
    that was torn is left out.
    """
    path = folder / JOURNAL
    try:
        found = list(entries(path, largest=files.LARGEST))
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}", hint="name the folder of a run, such as evidence/<run>") from None
    lines: list[Line] = []
    withheld = 0
    for entry in found:
        if entry.empty:
            continue
        if entry.withheld:
            withheld += 1
            continue
        try:
            lines.append(_line(entry))
        except (ValueError, KeyError, TypeError) as error:
            if entry.torn:
                break
            raise Refused(f"{path.name}:{entry.number}: not a journal line ({error})", hint=HINT) from None
    if withheld:
        lines_are = "1 line of the journal is" if withheld == 1 else f"{withheld} lines of the journal are"
        raise Withheld(f"{lines_are} withheld", hint=ASK)
    return lines


def _line(entry: Entry) -> Line:
    """Errors: `ValueError`, `KeyError`, `TypeError` where it is no fact."""
    fact = entry.fields
    if fact is None:
        raise ValueError(entry.why)
    if not isinstance(fact["data"], dict) or not isinstance(fact["mono"], int):
        raise TypeError("data is an object and mono a whole number")
    return Line(fact["seq"], fact["kind"], fact["mono"], fact["utc"], fact["data"])


def evidence(folder: Path) -> list[Evidence]:
    """Each scenario that began, with everything from its first line to that of the next one.

    What is written after `scenario.end` (the heal, the digests) belongs to it, too; the healing of what an earlier
    scenario had left names that one.
    """
    found: list[tuple[str, list[Line]]] = []
    lines = journal(folder)
    for line in lines:
        if line.kind == "scenario.begin":
            found.append((str(line.data.get("scenario", "")), []))
        if found:
            named = line.data.get("scenario") if line.kind == "fault.healed" else None
            own = next((each for name, each in reversed(found) if name == named), found[-1][1])
            own.append(line)
    return [_scenario(folder, name, own, run=tuple(lines)) for name, own in found]


def judged(folder: Path, rules: Rules = CURRENT) -> list[Finding]:
    """The findings of a pack's folder, sealed or not."""
    return judge_run(journal(folder), evidence(folder), rules)


def fits(folder: Path, rules: Rules) -> bool:
    """Whether a pack's journal begins in the format that these rules judge. Errors: `OSError`."""
    return first(folder / JOURNAL).get("v") == rules.format


def rules_of(folder: Path) -> Rules:
    """Those that the first line of a journal names, where they are known and judge its format; else those of now."""
    with suppress(OSError, ValueError):
        named = TABLE.get(str(first(folder / JOURNAL)["data"].get("rules")), CURRENT)
        return named if fits(folder, named) else CURRENT
    return CURRENT


def findings_json(findings: Sequence[Finding], rules: Rules = CURRENT) -> bytes:
    """`findings.json`: the same findings give the same bytes."""
    scenarios = dict.fromkeys(finding.scenario for finding in findings)
    content = {
        "v": rules.format,
        "rules": rules.version,
        "verdict": merge(findings),
        "verdicts": {name: merge(each for each in findings if each.scenario == name) for name in scenarios},
        "findings": [asdict(finding) for finding in findings],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _scenario(folder: Path, name: str, lines: Sequence[Line], *, run: tuple[Line, ...]) -> Evidence:
    ledgers: dict[str, Path] = {}
    rows: dict[tuple[str, str], Path] = {}
    asking: dict[str, Path] = {}
    for line in lines:
        if line.kind == "ledger":
            path = _inside(folder, name, line)
            ledgers[path.stem.removeprefix("ledger-")] = path
        elif line.kind == "rows":
            path, moment = _inside(folder, name, line), str(line.data.get("moment"))
            rows[moment, path.stem.removeprefix(f"rows-{moment}-")] = path
        elif line.kind == "answers":
            path = _inside(folder, name, line)
            asking[path.stem.removeprefix("answers-")] = path
    return Evidence(
        scenario=name,
        lines=tuple(lines),
        zones=tuple(sorted(ledgers)),
        moments=frozenset(rows),
        requests=lambda zone: _requests(ledgers[zone]),
        rows=lambda moment, zone: _rows(rows[moment, zone]),
        run=run,
        asking=tuple(sorted(asking)),
        answers=lambda group: _answers(asking[group]),
    )


def _inside(folder: Path, scenario: str, line: Line) -> Path:
    """The file that a line names; a bare name lies in the scenario's folder.

    Errors: `Refused` when it lies outside the pack; `Withheld` where only its digest lies in its place.
    """
    name = PurePosixPath(str(line.data.get("file", "")))
    if name.is_absolute() or ".." in name.parts or not name.parts:
        raise Refused(f"journal line {line.seq} names {str(name)!r}, outside the pack", hint=HINT)
    path = folder / (name if len(name.parts) > 1 else PurePosixPath("scenarios", scenario, name))
    if not path.exists() and path.with_name(f"{path.name}{WITHHELD}").is_file():
        raise Withheld(f"{path.name} is withheld", hint=ASK)
    return path


def _requests(path: Path) -> Iterator[Request]:
    try:
        yield from outcomes(_decoded(files.lines(path)), name=path.name)
    except OSError as error:
        raise Unsound(f"{path.name}: {error.strerror}") from None
    except Refused as error:
        raise Unsound(error.message) from None


def _answers(path: Path) -> Iterator[answers.Answer]:
    try:
        yield from answers.answers(_decoded(files.lines(path)), name=path.name)
    except OSError as error:
        raise Unsound(f"{path.name}: {error.strerror}") from None
    except Refused as error:
        raise Unsound(error.message) from None


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        yield line.decode("utf-8", errors="replace")


def _rows(path: Path) -> Iterator[Row]:
    decode = json.JSONDecoder().raw_decode
    at = 0
    says: Callable[[dict[str, Any]], tuple[Payload, Decimal | None]] = format1.row
    try:
        for at, line in enumerate(files.lines(path), 1):
            fact: dict[str, Any] = decode(line.decode())[0]
            if at == 1 and "v" in fact:  # format 1 had no first line
                says = content
                continue
            yield Row(fact["n"], *says(fact))
    except OSError as error:
        raise Unsound(f"{path.name}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, InvalidOperation) as error:
        raise Unsound(f"{path.name}:{at}: not a row ({error!r})") from None
