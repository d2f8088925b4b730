"""Whether the scenario did what it says: it began steady, the fault took effect, the procedure ran, all was healed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from harness.checks import Finding, Outcome
from harness.checks.evidence import (
    Evidence,
    Expectation,
    Line,
    Unsound,
    against,
    disaster,
    ineffective,
    position,
    seconds,
)
from harness.checks.samples import samples

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN
Step = tuple[str, str]  # phase and name


def steady_before(evidence: Evidence, expected: Expectation) -> Finding:
    """Shown by conditions before anything was hurt; otherwise nothing can be said about what followed."""
    line = evidence.moment("steady", "before")
    title = "Steady before the fault"
    if line is None:
        return expected.finding_of(evidence, title, UNKNOWN, "the steady state was not looked at before the fault")
    hurt = evidence.first("fault.intent")
    if hurt is not None and hurt.seq < line.seq:
        return expected.finding_of(evidence, title, UNKNOWN, "the steady state was looked at after the fault")
    ok = bool(line.data.get("ok")) and bool(line.data.get("conditions"))
    return expected.finding_of(evidence, title, MET if ok else UNKNOWN, listed(line.data.get("conditions"), ok=ok))


def steady_after(evidence: Evidence, expected: Expectation) -> Finding:
    """The steady state again, once all is healed, and how long it was waited for."""
    return steady_again(evidence, expected, _waited)


def steady_again(evidence: Evidence, expected: Expectation, waited: Callable[[Line], str]) -> Finding:
    """`waited`: words for how long."""
    line = evidence.moment("steady", "after")
    title = "Steady again at the end"
    if line is None:
        why = evidence.stopped() or "the steady state was not looked at again"
        return expected.finding_of(evidence, title, UNKNOWN, why)
    ok = bool(line.data.get("ok")) and bool(line.data.get("conditions"))
    words = listed(line.data.get("conditions"), ok=ok)
    if not ok and (stopped := evidence.stopped()):
        return expected.finding_of(evidence, title, UNKNOWN, f"{words}; it was looked at once ({stopped})")
    return expected.finding_of(evidence, title, MET if ok else MISSED, words + waited(line))


def _waited(line: Line) -> str:
    waited = line.data.get("seconds")
    if waited is None:
        return ""
    how = "so {:.1f} s after the first look" if line.data.get("ok") else "looked at for {:.1f} s"
    return f"; {how.format(float(waited))}"


def effective(evidence: Evidence, expected: Expectation) -> Finding:
    """Proof that each fault took effect."""
    title = "The fault took effect"
    if why := ineffective(evidence):
        return expected.finding_of(evidence, title, UNKNOWN, why)
    proofs = [f"{line.data['fault']}: {line.data.get('proof')}" for line in evidence.all("fault.effective")]
    proofs += [
        f"{line.data['fault']} still held: {line.data.get('proof')}" for line in evidence.all("fault.still_active")
    ]
    return expected.finding_of(evidence, title, MET, "; ".join(proofs))


def heal(evidence: Evidence, expected: Expectation) -> Finding:
    """Each fault was undone, and seen to be gone. A failed clean-up says nothing against the measurements.

    The removal of a stack undoes what could not be healed on it: the last resort, which stands in for no healing where
    the scenario ran to its end.
    """
    title = "All faults healed"
    intents = evidence.all("fault.intent")
    if not intents:
        return expected.finding_of(evidence, title, UNKNOWN, "no fault was injected, so none was healed")
    said: list[str] = []
    outcome = MET
    for name in dict.fromkeys(intent.data["fault"] for intent in intents):
        heals = [line for line in evidence.all("fault.healed") if line.data["fault"] == name]
        left = _left_unhealed(evidence, name)
        failed = [line for line in heals if not line.data.get("ok")]
        removed = [line for line in heals if line.data.get("ok") and line.data.get("how") == "removal"]
        if heals and (not heals[-1].data.get("ok") or (removed and failed and not evidence.stopped())):
            outcome = MISSED
            how = "left fenced" if failed[-1].data.get("how") == "left fenced" else "not healed"
            seen = str(failed[-1].data.get("seen")).removeprefix("left fenced: ")
            said.append(f"{name}: {how}, {seen}{'; removed with its stack in the end' if removed else ''}")
        elif left:
            outcome = outcome if outcome is MISSED else UNKNOWN
            said.append(f"{name}: no word of its healing")
        else:
            by = ", ".join(dict.fromkeys(str(line.data.get("by")) for line in heals))
            why = f", as the last resort: its stack was removed ({removed[-1].data.get('seen')})" if removed else ""
            why += ", and nothing of it was left by then" if heals and _gone(evidence, heals) else ""
            said.append(f"{name}: healed by {by}{why}")
    return expected.finding_of(evidence, title, outcome, "; ".join(said))


def _gone(evidence: Evidence, heals: list[Line]) -> bool:
    """Whether each was seen to be over before it was healed, after what a sentence or a step had done."""
    over = {line.data.get("injection") for line in evidence.all("fault.left") if line.data.get("ok")}
    return all(line.data.get("injection") in over for line in heals)


def _left_unhealed(evidence: Evidence, fault: str) -> int:
    """How many injections of a fault have no good heal behind them; the same fault may be injected several times."""
    left = 0
    for line in evidence.lines:
        if line.data.get("fault") == fault:
            left += line.kind == "fault.intent"
            left -= line.kind == "fault.healed" and bool(line.data.get("ok")) and left > 0
    return left


def scenario(evidence: Evidence, expected: Expectation) -> Finding:
    """Whether the scenario ran to its end. One that did not leaves its verdict open; what was measured stands."""
    why = evidence.stopped()
    return expected.finding_of(
        evidence, "The scenario ran to its end", UNKNOWN if why else MET, why or "every sentence was carried out"
    )


def procedure(evidence: Evidence, expected: Expectation) -> Finding:
    """Every step that was announced was carried out, in order, and none failed; of each procedure, if several ran."""
    title = "The recovery procedure was carried out"
    announced = evidence.all("procedure")
    if not announced:
        return expected.finding_of(evidence, title, UNKNOWN, evidence.stopped() or "no procedure was announced")
    ends = [line for line in evidence.all("step.end") if line.seq > announced[0].seq]
    failed = [line for line in ends if not line.data.get("ok")]
    if failed:
        why = f"step {failed[0].data['name']} failed: {facts(failed[0]).get('error') or 'no reason recorded'}"
        return expected.finding_of(evidence, title, MISSED, why)
    carried = [_carried_out(evidence, line, planned, done) for line, planned, done in _by_procedure(announced, ends)]
    words = "; ".join(words for _, words in carried)
    worst = next((each for each in (MISSED, UNKNOWN) if each in {outcome for outcome, _ in carried}), MET)
    return expected.finding_of(evidence, title, worst, words)


def _by_procedure(announced: Sequence[Line], ends: Sequence[Line]) -> list[tuple[Line, list[Step], list[Step]]]:
    """Each procedure with its steps, and with what was carried out of them.

    Where two have a step of the same name, it is taken as done for the newest that still waits for it.
    """
    planned = [[(step["phase"], step["name"]) for step in line.data.get("steps") or ()] for line in announced]
    done: list[list[Step]] = [[] for _ in announced]
    for end in ends:
        step = (end.data["phase"], end.data["name"])
        whose = [at for at, line in enumerate(announced) if line.seq < end.seq and step in planned[at]]
        waiting = [at for at in whose if step not in done[at]] or whose
        if waiting:
            done[waiting[-1]].append(step)
    return list(zip(announced, planned, done, strict=True))


def _carried_out(
    evidence: Evidence, announced: Line, planned: Sequence[Step], done: Sequence[Step]
) -> tuple[Outcome, str]:
    name = announced.data.get("name")
    left = [step for phase, step in planned if (phase, step) not in done]
    if not planned:
        return UNKNOWN, f"the procedure {name} has no step"
    if left:
        why = f"{name}: {len(left)} of {len(planned)} steps were not carried out, the first of them {left[0]}"
        stopped = evidence.stopped()
        return (UNKNOWN, f"{why} ({stopped})") if stopped else (MISSED, why)
    if list(done) != list(planned):
        return MISSED, f"{name}: the steps were not carried out in the order announced"
    return MET, f"{name}: {len(planned)} steps, in order: {', '.join(step for _, step in planned)}"


def begun(evidence: Evidence, step: str) -> Line | None:
    """The first begin of a step of this name."""
    return next((line for line in evidence.all("step.begin") if line.data.get("name") == step), None)


def ended(evidence: Evidence, step: str) -> list[Line]:
    """Every end of a step of this name, good or not."""
    return [line for line in evidence.all("step.end") if line.data.get("name") == step]


def done(evidence: Evidence, step: str) -> Line | None:
    """The last end of a step of this name that was good."""
    good = [line for line in ended(evidence, step) if line.data.get("ok")]
    return good[-1] if good else None


def facts(line: Line | None) -> dict[str, Any]:
    """What a step found or did; nothing where there was none."""
    return dict((line.data.get("facts") if line else None) or {})


def verified(evidence: Evidence, expected: Expectation) -> Finding:
    """The recovered data was verified, and before it served anybody."""
    title = "The recovered data was verified"
    line = evidence.last("verified")
    serving = evidence.first("in_service")
    stopped = evidence.stopped()
    if line is None:
        if stopped and serving is None:
            return expected.finding_of(evidence, title, UNKNOWN, f"not verified: {stopped}")
        return expected.finding_of(evidence, title, MISSED, "the recovered data was never verified")
    ok = bool(line.data.get("ok")) and bool(line.data.get("checks"))
    words = listed(line.data.get("checks"), ok=ok)
    first = next((each for each in evidence.all("verified") if each.data.get("ok")), None)
    if ok and serving is not None and first is not None and serving.seq < first.seq:
        return expected.finding_of(evidence, title, MISSED, f"it served before it was verified; {words}")
    if ok and stopped and (left := _unproved(evidence)):
        why = f"{left} was still to come ({stopped}); until then: {words}"
        return expected.finding_of(evidence, title, UNKNOWN, why)
    return expected.finding_of(evidence, title, MET if ok else MISSED, words)


def _unproved(evidence: Evidence) -> str:
    """The first proof that a procedure has announced and that was not carried out; empty where there is none."""
    steps = [step for line in evidence.all("procedure") for step in line.data.get("steps") or ()]
    proofs = (str(step["name"]) for step in steps if step["phase"] == "verify")
    return next((name for name in proofs if done(evidence, name) is None), "")


def in_service(evidence: Evidence, expected: Expectation) -> Finding:
    """The recovered database takes the platform's writes."""
    title = "The recovered database is in service"
    line, stopped = evidence.last("in_service"), evidence.stopped()
    if line is None:
        why = "the recovered database was never put in service"
        return expected.finding_of(
            evidence, title, UNKNOWN if stopped else MISSED, f"{why} ({stopped})" if stopped else why
        )
    return expected.finding_of(evidence, title, MET, f"{line.data.get('member')}: {line.data.get('how')}")


def health(evidence: Evidence, expected: Expectation) -> Finding:
    """Each check of the health verification against its own limit; all failures are told."""
    return health_asked(evidence, expected, lambda many: f"{many} checks are" if many != 1 else "1 check is")


def health_asked(evidence: Evidence, expected: Expectation, counted: Callable[[int], str]) -> Finding:
    """`counted`: so many checks, and the verb."""
    title = "Health verification"
    line = evidence.last("health")
    if line is None:
        why = evidence.stopped() or "the health verification was not made"
        return expected.finding_of(evidence, title, UNKNOWN, why)
    checks = line.data.get("checks") or []
    bad = []
    for check in checks:
        took, limit = float(check["seconds"]), float(check["limit"])
        if not check.get("ok") or took > limit:
            bad.append(f"{check['name']}: {check.get('seen')}, after {took:.3f} s of {limit:g} s allowed")
    if not checks:
        return expected.finding_of(evidence, title, UNKNOWN, "the health verification made no check")
    slowest = max(float(check["seconds"]) for check in checks)
    words = "; ".join(bad) or f"{counted(len(checks))} good, the slowest after {slowest:.3f} s"
    ok = not bad and bool(line.data.get("ok"))
    return expected.finding_of(
        evidence, title, MET if ok else MISSED, words, figure=slowest, low=slowest, high=slowest,
        parts=tuple((str(check["name"]), float(check["seconds"])) for check in checks),
    )  # fmt: skip  # arguments in groups


def redundancy(evidence: Evidence, expected: Expectation) -> Finding:
    """How long after the fault the stack was whole again, replicas and archive included."""
    title = "Redundancy restored"
    hurt = disaster(evidence)
    line = evidence.moment("steady", "after")
    if line is None or not line.data.get("ok"):
        low = seconds(max(0, evidence.observed() - hurt.latest))
        outcome = against(low, low, expected.limit, lower_bound=True)
        why = evidence.stopped() or "the stack was not seen whole again"
        return expected.finding_of(evidence, title, outcome, why, figure=low, low=low, lower_bound=True)
    high = seconds(line.mono - hurt.earliest)
    outcome = MET if expected.limit is None else against(0.0, high, expected.limit)
    words = f"whole again at most {high:.3f} s after the fault: {listed(line.data.get('conditions'), ok=True)}"
    return expected.finding_of(evidence, title, outcome, words, figure=high, low=0.0, high=high)


def early_stop(evidence: Evidence, expected: Expectation) -> Finding:
    """A recovery that ends before what the archive held has to say so."""
    title = "Recovery went as far as it said"
    hurt = disaster(evidence)
    ordered, reached = evidence.last("recovery.ordered"), evidence.last("recovery.reached")
    if ordered is None or reached is None:
        what = "ordered" if ordered is None else "reached"
        return expected.finding_of(evidence, title, UNKNOWN, evidence.stopped() or f"no recovery point was {what}")
    if ordered.data.get("kind") != "end of archive":
        return expected.finding_of(evidence, title, MET, f"recovery to an ordered point ({ordered.data.get('kind')})")
    if ordered.data.get("declared_early") or reached.data.get("declared_early"):
        why = f"declared: {ordered.data.get('why') or 'no reason given'}"
        return expected.finding_of(evidence, title, MET, why)
    taken = [sample for sample in samples(evidence) if sample.told <= hurt.earliest]
    written = [sample.position for sample in taken if sample.position <= taken[-1].safe]
    if not written:
        raise Unsound("no sample shows what the archive held before the fault")
    place = str(reached.data.get("at"))
    if position(reached.data.get("position")) < max(written):
        why = f"recovery ended at {place}, before what was archived at the fault, and did not say so"
        return expected.finding_of(evidence, title, MISSED, why)
    return expected.finding_of(evidence, title, MET, f"recovery reached {place}, all that was archived at the fault")


def decision(evidence: Evidence, expected: Expectation) -> Finding:
    """How long people took to decide, all their decisions together. Advisory: it stands beside the verdict.

    A stand-in that decides at once shows nothing about people.
    """
    title = "Decision time"
    decided = evidence.all("decided")
    open_since = [line for line in evidence.all("asked") if not any(each.seq > line.seq for each in decided)]
    if open_since:
        low = seconds(max(0, evidence.observed() - open_since[0].mono))
        why = f"nobody had decided for the {open_since[0].data.get('role')} after {low:.3f} s"
        outcome = against(low, low, expected.limit, lower_bound=True)
        return expected.finding_of(evidence, title, outcome, why, figure=low, low=low, lower_bound=True, advisory=True)
    if not decided or not all(line.data.get("attended") for line in decided):
        why = "decision time: not exercised"
        why += ", no decision was asked for" if not decided else f"; the {decided[0].data.get('by')} decided at once"
        return expected.finding_of(evidence, title, UNKNOWN, why, advisory=True)
    by = ", ".join(f"{line.data.get('role')} {line.data.get('by')}{_answer(line)}" for line in decided)
    begun = [line for line in evidence.all("span.begin") if line.data.get("span") == "decide"]
    spans = [[line.mono - each.mono for each in begun if each.seq < line.seq] for line in decided]
    if not all(spans):
        return expected.finding_of(evidence, title, UNKNOWN, f"decided by {by}; not timed", advisory=True)
    took = seconds(sum(max(0, since[-1]) for since in spans))
    outcome = MET if expected.limit is None else against(took, took, expected.limit)
    return expected.finding_of(
        evidence, title, outcome, f"decided by {by} in {took:.3f} s", figure=took, low=took, high=took, advisory=True
    )


def _answer(line: Line) -> str:
    return f": {line.data['answer']}" if line.data.get("answer") else ""


def listed(items: Sequence[dict[str, Any]] | None, *, ok: bool) -> str:
    """The names of all where all are good, else those that are not and what was seen."""
    if not items:
        return "no condition was looked at"
    bad = [f"{item.get('name')}: {item.get('seen')}" for item in items if not item.get("ok")]
    if ok or not bad:
        return ", ".join(str(item.get("name")) for item in items) + ("" if ok else ": not all of this held")
    return "; ".join(bad)
