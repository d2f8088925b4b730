"""What must hold of a project's features, sentences and plan together before anything starts.

Nothing is imported for it but what the sentences themselves import, so that a list of drills can ask, too.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from harness.errors import Refused
from harness.features import catalog
from harness.features.catalog import Drill, Sentence
from harness.features.sentences import Sentences, StepDefinition
from harness.plan import Plan
from harness.system.lookalikes import RETYPE, unseen

PAGE = "docs/write-a-drill.md"
RUN = "scenario"  # the argument of steps that is the scenario under way
KEYWORDS = {"given": "Given", "when": "When", "then": "Then"}


def sound_drills(features: Path, *, plan: Plan, sentences: Sentences, findings: Collection[str]) -> list[Drill]:
    """The drills of a project, which can all be run and judged. `findings`: those that the rules know.

    Errors: `Refused`, with file and line, as `catalog.announced`, and where a feature is not in the calendar, a
    sentence is declared twice, nobody or more than one step knows what a sentence means, a step wants what nothing
    gives it, or what a sentence promises is in no plan or is no finding.
    """
    drills = catalog.announced(features)
    _findings_must_be_known(plan, findings)
    for drill in drills:
        _must_be_in_the_calendar(drill, plan)
    _must_be_declared_once(sentences)
    must_be_understood(drills, sentences)
    _must_get_what_they_want(drills, sentences)
    _must_be_judged(drills, sentences, plan, findings)
    return drills


def must_be_understood(drills: Iterable[Drill], sentences: Sentences) -> None:
    """Each sentence of each scenario is that of one step. Errors: `Refused`, with every sentence of which that is not
    so."""
    unknown: dict[tuple[Path, int, str], Sentence] = {}  # those of a background and of examples are told once
    for drill, sentence in _written(drills):
        found = sentences.matching(sentence.kind, sentence.text)
        if len(found) > 1:
            raise Refused(
                f"{_where(drill, sentence)}: more than one step says what this means: {sentence.text}",
                hint=f"{_places(found)}: make one of them say something else",
            )
        if not found:
            unknown[drill.feature, sentence.line, sentence.text] = sentence
    if unknown:
        odd = {text: unseen(text) for _, _, text in unknown}
        said = [
            f"{path}:{line}: no step says what this means: {text}" + (f" (there is {odd[text]})" if odd[text] else "")
            for path, line, text in unknown
        ]
        meant = list(dict.fromkeys(hint for each in unknown.values() if (hint := _meant(each, sentences))))
        mend = RETYPE if any(odd.values()) else "a new sentence needs a step beside the others"
        raise Refused("\n".join(said), hint=" ".join([*meant, f"{mend}; {PAGE}"]))


def _meant(sentence: Sentence, sentences: Sentences) -> str:
    near = sentences.closest(sentence.text)
    if near is None:
        return ""
    if near.filled(sentence.text) is not None:
        here = KEYWORDS[sentence.kind]
        return f"{sentence.text!r} is a {KEYWORDS[near.kind]} ({near.place}), and stands here as a {here};"
    return f'did you mean "{near.pattern}"?'


def _must_be_in_the_calendar(drill: Drill, plan: Plan) -> None:
    """Errors: `Refused` where nobody would miss the drill, because the plan never asks for it."""
    known = {duty.drill: duty for duty in plan.calendar}
    cadences = {duty.cadence for duty in plan.calendar}
    if drill.name in known and known[drill.name].cadence == drill.cadence:
        return
    if drill.cadence not in cadences:
        raise Refused(
            f"{drill.feature}: {drill.cadence} is no cadence of the calendar of {plan.path}",
            hint=f"move it to a folder that is one: {', '.join(sorted(cadences))}; {PAGE}",
        )
    near = difflib.get_close_matches(drill.name, [name for name in known if name != drill.name], n=1)
    meant = f"did you mean {known[near[0]].feature}? " if near else ""
    raise Refused(
        f"{drill.feature}: the {drill.cadence} calendar of {plan.path} has no drill {drill.name}",
        hint=f"{meant}add it to the calendar, or call the file like its entry there; {PAGE}",
    )


def _must_be_declared_once(sentences: Sentences) -> None:
    first: dict[tuple[str, str], StepDefinition] = {}
    for each in sentences.definitions:
        other = first.setdefault((each.kind, each.pattern), each)
        if other is not each:
            raise Refused(
                f"{each.place}: this sentence is declared already, at {other.place}: {each.pattern}",
                hint="take one of the two away",
            )


def _must_get_what_they_want(drills: Iterable[Drill], sentences: Sentences) -> None:
    """Errors: `Refused` where a step would fail for want of an argument, in the middle of a run."""
    for scenario in (each for drill in drills for each in drill.scenarios):
        returned: set[str] = set()
        for sentence, found in sentences.meant(scenario.sentences):
            filled = set(found.filled(sentence.text) or {})
            given = {RUN, *filled, *returned}
            if missing := sorted(_wanted(found.function) - given):
                raise Refused(
                    f"{found.place}: the function wants {', '.join(missing)}, which nothing gives it: {found.pattern}",
                    hint=f"a step gets {RUN}, what stands in the braces of its sentence, and what earlier sentences"
                    f" return, by their names; {PAGE}",
                )
            if found.promises and not _takes(found.promises, filled):
                braces = ", ".join(sorted(filled)) or "nothing more"
                raise Refused(
                    f"{found.place}: what it promises cannot be called with the plan and {braces}: {found.pattern}",
                    hint=f"a promise gets the plan, and what stands in the braces of its sentence, by name; {PAGE}",
                )
            returned.add(found.returns)


def _wanted(function: Callable[..., object]) -> set[str]:
    """Its arguments that have no default."""
    arguments = inspect.signature(function).parameters.values()
    return {each.name for each in arguments if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD}


def _takes(promise: Callable[..., object], names: Collection[str]) -> bool:
    try:
        inspect.signature(promise).bind(None, **dict.fromkeys(names))
    except TypeError:
        return False
    return True


def _must_be_judged(drills: Iterable[Drill], sentences: Sentences, plan: Plan, findings: Collection[str]) -> None:
    for drill, sentence in _written(drills):
        (found,) = sentences.matching(sentence.kind, sentence.text)
        try:
            promised = found.expected(sentence.text, plan)
        except Refused as error:
            raise Refused(f"{_where(drill, sentence)}: {error.message}", hint=error.hint) from None
        for one in promised:
            if one.finding not in findings:
                near = difflib.get_close_matches(one.finding, findings, n=1)
                meant = f'did you mean "{near[0]}"? ' if near else ""
                raise Refused(
                    f"{found.place}: it promises {one.finding!r}, which is no finding: {found.pattern}",
                    hint=f"{meant}docs/journal.md lists the findings that can be asked for",
                )
            if strange := [each for each in one.demands if each not in plan.demands]:
                raise Refused(
                    f"{found.place}: it promises for {strange[0]}, which is not among the demands of {plan.path}:"
                    f" {found.pattern}",
                    hint=f"correct the id, or add it under demands; {PAGE}",
                )


def _findings_must_be_known(plan: Plan, findings: Collection[str]) -> None:
    """Errors: `Refused` where the plan says something of what is no finding: it would be said of nothing."""
    if unknown := [each for each in plan.findings if each not in findings]:
        near = difflib.get_close_matches(unknown[0], findings, n=1)
        meant = f'did you mean "{near[0]}"? ' if near else ""
        raise Refused(
            f"{plan.path}:{_line_of(plan.path, unknown[0])}: findings: {unknown[0]!r} is no finding",
            hint=f"{meant}there are: {', '.join(sorted(findings))}; docs/journal.md says what each asks",
        )


def _line_of(path: Path, name: str) -> int:
    """Where the plan has that name under `findings`, or else that word."""
    at = 1
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if line.startswith("findings:"):
            at = number
        elif at > 1 and re.match(rf"\s+[\"']?{re.escape(name)}[\"']?\s*:", line):
            return number
    return at


def _written(drills: Iterable[Drill]) -> Iterable[tuple[Drill, Sentence]]:
    return ((drill, each) for drill in drills for scenario in drill.scenarios for each in scenario.sentences)


def _where(drill: Drill, sentence: Sentence) -> str:
    return f"{drill.feature}:{sentence.line}"


def _places(found: Iterable[StepDefinition]) -> str:
    return " and ".join(f'"{each.pattern}" at {each.place}' for each in found)
