"""A sealed pack, judged again from its records: are the findings that were sealed the ones that its own rules give?

Whoever holds the key can write other findings and seal again; the records then say otherwise. The rules are those that
the journal's first line names. A pack whose rules are not known here, or whose lines are withheld, is not judged again,
and never silently the same as sealed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from harness.checks import Finding, Outcome, load, merge_outcomes
from harness.checks.restored import DATABASE
from harness.checks.rules import TABLE, Rules
from harness.errors import DrillError
from harness.evidence import files

FINDINGS = "findings.json"
MANY = 20  # differences that are told one by one
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, OSError)
Data = dict[str, Any]


@dataclass(frozen=True)
class Again:
    """What came of judging a pack again.

    `why_not` says why it was not judged again; `differs` names each difference, in words. With neither, the sealed
    findings are, byte for byte, what the records give. `left` are findings that these rules do not know yet, and that
    were not judged again.
    """

    rules: str
    why_not: str = ""
    differs: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """MET where the sealed findings hold, MISSED where they differ, UNKNOWN where nobody can say."""
        if self.differs:
            return Outcome.MISSED
        return Outcome.UNKNOWN if self.why_not or self.left else Outcome.MET

    def __str__(self) -> str:
        """In a sentence."""
        if self.why_not:
            return f"not judged again: {self.why_not}"
        if self.differs:
            more = f", and {len(self.differs) - MANY} more" if len(self.differs) > MANY else ""
            listed = "; ".join(self.differs[:MANY])
            return f"its records, judged again by rules version {self.rules}, say otherwise: {listed}{more}"
        left = f", but for what this drdrill does not know: {', '.join(self.left)}" if self.left else ""
        return f"judged again by rules version {self.rules}: the findings are those that were sealed{left}"


def judge_again(pack: Path, *, signed: object = None) -> Again:
    """Judge a pack by the rules that its first line names, and compare with its `findings.json`. Never raises.

    `signed`: the verdicts that its seal names, where they are to be compared, too.
    """
    named = ""
    try:
        lines = load.journal(pack)
        begin = next((line.data for line in lines if line.kind == "run.begin"), {})
        named = str(begin.get("rules"))
        if why := _unfit(pack, named):
            return Again(named, why_not=why)
        rules = TABLE[named]
        sealed = files.content(pack / FINDINGS)
        found = load.judged(pack, rules)
        differs = _signed(files.parsed(sealed), signed) if signed is not None else ()
        if load.findings_json(found, rules) == sealed:
            return Again(named, differs=differs)
        again = _compared(rules, files.parsed(sealed), found)
        return replace(again, differs=(*again.differs, *differs))
    except FileNotFoundError:
        return Again(named, why_not=f"there is no {FINDINGS}")
    except DrillError as error:
        return Again(named, why_not=error.message)
    except UNREADABLE as error:
        return Again(named, why_not=f"{FINDINGS} or the records cannot be read ({type(error).__name__}: {error})"[:300])


def _unfit(pack: Path, named: str) -> str:
    """Why the rules that are named cannot judge; empty where they can. Errors: `OSError`."""
    if named not in TABLE:
        return f"its rules are version {named[:20]}, and this drdrill knows versions {', '.join(TABLE)}"
    if not load.fits(pack, TABLE[named]):
        return f"its journal is not of the format that rules version {named} judge"
    return ""


def _signed(sealed: Data, signed: object) -> tuple[str, ...]:
    """Where the seal names other verdicts than the findings that it seals."""
    if signed == {"run": sealed["verdict"], "scenarios": sealed["verdicts"]}:
        return ()
    said = signed.get("run") if isinstance(signed, dict) else signed
    return (f"the verdicts in the seal: {said} of the run, {sealed['verdict']} in {FINDINGS}",)


def _compared(rules: Rules, sealed: Data, found: Sequence[Finding]) -> Again:
    """What differs, finding by finding in their order; each may be there several times."""
    theirs = [each for each in sealed["findings"] if each["id"] in rules.checks or each["id"] in UNASKED]
    left = [each for each in sealed["findings"] if each not in theirs]
    ours: list[Data] = [
        json.loads(json.dumps(asdict(each))) for each in found if each.id not in {e["id"] for e in left}
    ]
    differs = [f"rules: sealed as version {sealed.get('rules')}"] if sealed.get("rules") != rules.version else []
    differs += [_said(None, each) for each in ours if ours.count(each) > theirs.count(each) and not _like(each, theirs)]
    differs += [_said(each, _like(each, ours)) for each in theirs if each not in ours]
    if not differs and not left and [*theirs] != ours:
        differs.append("the order of the findings")
    merged = merge_outcomes(Outcome(each["outcome"]) for each in (*ours, *left) if not each["advisory"])
    if sealed.get("verdict") != merged:
        differs.append(f"the verdict of the run: sealed {sealed.get('verdict')}, judged again {merged}")
    for name, verdict in _verdicts([*ours, *left]).items():
        if sealed["verdicts"].get(name) != verdict:
            differs.append(f"the verdict of {name}: sealed {sealed['verdicts'].get(name)}, judged again {verdict}")
    if not differs and not left:
        differs.append(f"the bytes of {FINDINGS}")
    return Again(rules.version, differs=tuple(differs), left=tuple(sorted({str(each["id"]) for each in left})))


UNASKED = ("expectations",)  # a finding without a check: that no sentence asks for anything


def _like(finding: Data, among: Sequence[Data]) -> Data | None:
    """The finding of the same question, scenario and objective, or else of the same question and scenario; of several
    databases that of the same one."""
    same = [each for each in among if (each["id"], each["scenario"]) == (finding["id"], finding["scenario"])]
    if database := _database(finding):
        same = [each for each in same if _database(each) == database]
    return next((each for each in same if each["objective"] == finding["objective"]), same[0] if same else None)


def _database(finding: Data) -> str:
    """Which it is about, of those that were restored beside; empty where it is about none."""
    pairs = [each for each in finding.get("beside") or () if isinstance(each, list) and len(each) == 2]
    return next((str(words) for name, words in pairs if name == DATABASE), "")


def _verdicts(findings: Sequence[Data]) -> dict[str, Outcome]:
    names = dict.fromkeys(str(each["scenario"]) for each in findings)
    return {
        name: merge_outcomes(
            Outcome(each["outcome"]) for each in findings if each["scenario"] == name and not each["advisory"]
        )
        for name in names
    }


def _said(sealed: Data | None, judged: Data | None) -> str:
    one = sealed or judged
    assert one is not None
    what = f"{one['id']} of {one['scenario']}{f' ({database})' if (database := _database(one)) else ''}"
    if sealed is None or judged is None:
        return f"{what}: {'not sealed' if sealed is None else 'not found'}, {_short(one)}"
    if _short(sealed) == _short(judged):
        other = [name for name in judged if sealed.get(name) != judged[name]]
        return f"{what}: other {', '.join(other) or 'fields'}"
    return f"{what}: sealed {_short(sealed)}, judged again {_short(judged)}"


def _short(finding: Data) -> str:
    outcome, figure, unit = finding["outcome"], finding["figure"], finding["unit"]
    return f"{outcome}" if figure is None else f"{outcome} with {figure:g} {unit}"
