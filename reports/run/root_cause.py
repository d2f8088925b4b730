"""root-cause-<scenario>.md: what a scenario injected and what was seen, in order, for whoever investigates the cause.

Plain Markdown, drafted from the pack alone. It names no cause but the one that is known, the drill's own fault, and it
answers none of its questions: a person does. Text out of a pack is shown, never obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from harness.checks.alerts import what_it_affects
from harness.checks.root_cause import QUESTIONS, file_of
from reports import verdicts
from reports.judged import figure_of, said
from reports.pack import Fact, Pack, Scenario
from reports.run import customers, excerpts
from reports.run.limits import place_of, size_of
from reports.run.moments import Clock, Moment, affects, clock_of, healer, moments, shifted, when
from reports.run.story import after
from reports.words import clean, limit, plain, quantity, stamp

NOT_ANSWERED = "not answered"
SPECIAL = re.compile(r"([\\`*_\[\]<>|&~#])")
LOGS = 12  # logs that are quoted at most
LINES = 250  # moments that are listed at most


def documents(pack: Pack) -> dict[str, bytes]:
    """File name to content, one document for each scenario that exercises a category of the plan."""
    return {
        file_of(scenario.name): document(pack, scenario).encode() for scenario in pack.scenarios if asked_for(scenario)
    }


def asked_for(scenario: Scenario) -> bool:
    """Whether the scenario exercises a category, hurt something, and has a name that can be a file's."""
    named = re.fullmatch(r"[\w.-]{1,150}", scenario.name) is not None and ".." not in scenario.name
    return named and bool(_category(scenario)) and scenario.facts.first("fault.intent") is not None


def open_questions(scenario: Scenario) -> int:
    """How many questions of its document nobody has answered: all, for a pack is not written to."""
    return len(QUESTIONS) if asked_for(scenario) else 0


def document(pack: Pack, scenario: Scenario) -> str:
    """The whole document. The same pack gives the same bytes."""
    clock = clock_of(scenario)
    hurt = scenario.facts.disaster()
    assert clock is not None and hurt is not None  # asked_for() has seen the fault
    parts = [
        _head(pack, scenario),
        _injected(scenario, clock),
        _seen(scenario, clock),
        _measured(scenario),
        _logs(pack, scenario, hurt),
        _questions(),
    ]
    return "\n\n".join(parts) + "\n"


def _category(scenario: Scenario) -> str:
    return str(scenario.facts.data("scenario.begin").get("category") or "")


def _head(pack: Pack, scenario: Scenario) -> str:
    tags = scenario.facts.data("scenario.begin").get("tags")
    demands = ", ".join(map(str, tags)) if isinstance(tags, list) else ""
    rows = [
        ("Category of the plan", _category(scenario)),
        ("Run", plain(pack.begin.get("run"))),
        ("Scenario", "; ".join((f"{scenario.name}, verdict {scenario.verdict}", *verdicts.beside(scenario)))),
        ("Measured on", f"{place_of(pack.begin)}, {size_of(pack)}"),
        ("Tags", demands or "none"),
        ("Open questions", f"{len(QUESTIONS)} of {len(QUESTIONS)}, listed at the end"),
    ]
    return "\n".join(
        [
            f"# Root cause: {md(scenario.title)}",
            "",
            "A draft, made from the journal of the drill. It says what was injected and what was seen. What it means,",
            "and what is done about it, a person has to write: no question below is answered.",
            "",
            *_table(("What", "Value"), rows),
        ]
    )


def _injected(scenario: Scenario, clock: Clock) -> str:
    """Every fault: it is the drill's own, so it is the one cause that is known."""
    lines = ["## What was injected", "", "By the drill itself, on purpose; this is no finding about the platform."]
    facts = scenario.facts
    for intent in facts.of("fault.intent"):
        name = plain(intent.data.get("fault"))
        rows = [("ordered", f"{after(clock.at(intent))}, {stamp(intent.utc)}")]
        settings = intent.data.get("settings")
        rows.append(("settings", plain(settings) if settings else "none"))
        if named := affects(intent):
            rows.append(("what an alert has to name", plain([what_it_affects(each) for each in named])))
        for fact in _of_fault(facts.lines, intent):
            ok = fact.data.get("ok")
            words = {
                "fault.effective": "proof that it took effect" if ok else "it did NOT take effect",
                "fault.still_active": "asked again before it was ended" if ok else "it had ENDED before",
                "fault.healed": _healed(fact.data) if ok else "NOT healed",
            }[fact.kind]
            said = plain(fact.data.get("seen" if fact.kind == "fault.healed" else "proof"))
            rows.append((words, f"{after(when(fact, clock)[0])}: {said}"))
        lines += ["", f"### {md(name)}", "", *_table(("What", "Value"), rows)]
    return "\n".join(lines)


def _healed(said: Mapping[str, object]) -> str:
    by = healer(said.get("by"))
    return f"gone with its stack, which was removed {by}" if said.get("how") == "removal" else f"healed {by}"


def _of_fault(lines: Sequence[Fact], intent: Fact) -> list[Fact]:
    """What is said of one injection, up to the next of the same fault."""
    name = intent.data.get("fault")
    later = [fact for fact in lines if fact.seq > intent.seq and fact.data.get("fault") == name]
    found: list[Fact] = []
    for fact in later:
        if fact.kind == "fault.intent":
            break
        if fact.kind in ("fault.effective", "fault.still_active", "fault.healed"):
            found.append(fact)
    return found


def _seen(scenario: Scenario, clock: Clock) -> str:
    """Everything in order: alerts, detection, steps, who leads, what customers saw, heals."""
    seen = customers.read(scenario.ledgers, zero=clock.zero, problems=[], inside=scenario.inside)
    listed = moments(scenario, clock) + _stretches(scenario, clock, seen.seconds)
    ordered = sorted(listed, key=lambda each: each.at)
    rows = [(after(each.at), f"{each.utc:%H:%M:%S}" if each.utc else "", each.words) for each in ordered[:LINES]]
    lines = ["## What was seen, in order", "", "Times are seconds after the fault was ordered, and UTC.", ""]
    lines += _table(("After the fault", "UTC", "What"), rows)
    if len(ordered) > LINES:
        lines += ["", f"{len(ordered) - LINES} later moments are left out; the journal has them."]
    return "\n".join(lines)


def _stretches(scenario: Scenario, clock: Clock, seconds: customers.Seconds | None) -> list[Moment]:
    """When customers outside were answered badly, and when all was good again."""
    if seconds is None:
        return []
    zero = scenario.facts.disaster()
    began = zero.utc if zero else None
    found: list[Moment] = []
    start, many = None, 0
    for place, bad in enumerate((*seconds.unanswered, 0)):
        at = seconds.first + place
        if bad and start is None:
            start, many = at, 0
        many += bad
        if not bad and start is not None:
            from_here = max(start, 0) if at > 0 else start  # what is due just before the fault meets it on its way
            words = f"customers: {many:,} requests due in the next {at - from_here} s are not answered as stored"
            words += " (some were on their way when the fault came)" if from_here > start else ""
            found.append(Moment(float(from_here), shifted(began, from_here), words))
            if place < len(seconds.unanswered):
                good = "customers: all requests are answered as stored again"
                found.append(Moment(float(at), shifted(began, at), good))
            start = None
    return found


def _measured(scenario: Scenario) -> str:
    rows = []
    for finding in scenario.findings:
        goal = finding.objective
        wanted = "" if goal is None else limit(goal) if finding.unit == "s" else quantity(goal, finding.unit)
        outcome = f"{said(finding.outcome, finding.beside)}{', advisory' if finding.advisory else ''}"
        rows.append((outcome, finding.title or finding.id, figure_of(finding), wanted, finding.reason))
    lines = ["## What was measured", ""]
    return "\n".join([*lines, *_table(("Outcome", "What", "Figure", "Objective", "Reason"), rows)])


def _logs(pack: Pack, scenario: Scenario, hurt: Fact) -> str:
    """Excerpts of the logs of what was hurt, of what an alert named, and of who led the database; of this scenario."""
    lines = ["## What the logs say", ""]
    names = list(dict.fromkeys(_named(scenario)))
    lines.append(
        f"Of {', '.join(map(md, names)) or 'nothing'}: what was hurt, was named by an alert, or led the database. "
        "By the components' own clocks; a time without an offset is taken as UTC."
    )
    found = excerpts.logs_of(pack.folder, names, more=pack.facts.data("stack.ready").get("logs"))
    end, alone = scenario.facts.last("scenario.end"), len(pack.scenarios) == 1
    until = end.utc if end else None
    silent = []
    for path in found[:LOGS]:
        part = excerpts.Excerpt(path.name, "the fault has no time", ())
        if hurt.utc:
            part = excerpts.around(path, hurt.utc, until=until, alone=alone)
        if not part.lines:
            silent.append(f"{md(part.name)}: {part.how}.")
            continue
        lines += ["", f"### {md(part.name)}", "", f"{part.how[:1].upper()}{part.how[1:]}:"]
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", "\n".join(part.lines))), default=0))
        lines += ["", f"{fence}text", *part.lines, fence]
    lines += ["", "Not quoted:", "", *(f"- {each}" for each in silent)] if silent else []
    if len(found) > LOGS:
        lines += ["", f"Left out: {', '.join(md(path.name) for path in found[LOGS:])}. They are in `logs/`."]
    if not found:
        lines += ["", "No log of these is in the pack."]
    return "\n".join(lines)


def _named(scenario: Scenario) -> Iterable[str]:
    for fact in scenario.facts.of("fault.intent"):
        yield from (what_it_affects(each) for each in affects(fact))
    for fact in scenario.facts.of("alert"):
        if fact.data.get("state") == "firing" and fact.data.get("component"):
            yield str(fact.data["component"])
    for fact in scenario.facts.of("leadership", "rejoined"):
        yield str(fact.data.get("member"))


def _questions() -> str:
    lines = ["## Open questions", "", f"{len(QUESTIONS)} questions; none is answered."]
    for number, question in enumerate(QUESTIONS, 1):
        lines += ["", f"### {number}. {question}", "", f"**Answer:** {NOT_ANSWERED}"]
    return "\n".join(lines)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    body = [f"| {' | '.join(md(cell) for cell in row)} |" for row in rows]
    return [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *body]


def md(words: object) -> str:
    """Text as harmless Markdown of one line: nothing of it is a heading, a link, a tag or the end of a cell."""
    return SPECIAL.sub(r"\\\1", " ".join(clean(words).split()))
