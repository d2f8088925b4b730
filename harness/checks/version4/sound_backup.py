"""The last sound backup, as version 4 has it: a search that was cut short took what it had refused last."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Line, disaster_of
from harness.checks.steps import listed

TITLE = "The last sound backup was found by verification"
LOOKS = ("objects", "tables and indexes", "books", "pages")  # all of them, in each backup that is restored from


def sound_backup(evidence: Evidence, expected: Expectation) -> Finding:
    """When the backup was taken is told by the lines about the taking, and not by whoever looked for it."""
    tried, reached = evidence.all("backup.tried"), evidence.last("recovery.reached")
    if not tried:
        outcome = Outcome.UNKNOWN if reached is None else Outcome.MISSED
        why = "restored from a backup that nobody verified" if reached else evidence.stopped() or "no backup was tried"
        return expected.finding_of(evidence, TITLE, outcome, why)
    chosen = tried[-1]
    if why := _wrong(evidence, tried, chosen):
        return expected.finding_of(evidence, TITLE, Outcome.MISSED, why)
    if why := _open(evidence, chosen, reached):
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why)
    passed = "; ".join(f"{each.data['backup']} refused ({_found(each)})" for each in tried[:-1])
    words = f"{passed}; {chosen.data['backup']} verified sound ({listed(chosen.data['checks'], ok=True)})"
    return expected.finding_of(evidence, TITLE, Outcome.MET, f"newest first: {words}, taken before the damage")


def _wrong(evidence: Evidence, tried: list[Line], chosen: Line) -> str:
    """What shows that it was not found so; empty where nothing does."""
    name = chosen.data["backup"]
    taken = _taken(evidence)
    hurt = disaster_of(evidence.all("fault.intent"))
    made = [str(each.data["made"]) for each in tried]
    looked = {check["name"] for check in chosen.data["checks"]}
    reached = evidence.last("recovery.reached")
    left_out = [each for each in LOOKS if each not in looked]
    wrong = []
    if hurt is not None and name in taken and taken[name] > hurt.seq:
        wrong.append("it was taken after the damage")
    if chosen.data["ok"] and left_out:
        wrong.append(f"nobody looked at its {', '.join(left_out)}")
    if not chosen.data["ok"] or not all(check["ok"] for check in chosen.data["checks"]):
        wrong.append(f"it is not sound ({_found(chosen)})")
    if reached is not None and reached.data.get("backup") != name:
        wrong.append(f"and restored was {reached.data.get('backup')}")
    if made != sorted(made, reverse=True):
        wrong.append("and backups were not tried newest first")
    if unfounded := [each.data["backup"] for each in tried[:-1] if not _found(each)]:
        wrong.append(f"and {', '.join(unfounded)} was passed over with nothing found in it")
    names = {each.data["backup"] for each in tried}
    newer = [each for each, seq in taken.items() if seq > taken.get(name, seq) and each not in names]
    if newer:
        wrong.append(f"and the newer {', '.join(newer)} was not tried")
    return f"{name} was taken for the last sound one: {'; '.join(wrong)}" if wrong else ""


def _open(evidence: Evidence, chosen: Line, reached: Line | None) -> str:
    """Why nothing can be said although nothing is wrong; empty where it can."""
    taken, hurt = _taken(evidence), disaster_of(evidence.all("fault.intent"))
    if reached is None:
        return evidence.stopped() or "nothing was restored in the end"
    if hurt is None or chosen.data["backup"] not in taken:
        return f"the journal does not say when {chosen.data['backup']} was taken"
    if not any(seq > hurt.seq for seq in taken.values()):
        return "no backup was taken after the damage, so the newest by its age was sound"
    return ""


def _taken(evidence: Evidence) -> dict[str, int]:
    """The backups of this scenario, and after which line of the journal each was whole."""
    return {str(line.data["backup"]): line.seq for line in evidence.all("backup")}


def _found(tried: Line) -> str:
    return "; ".join(f"{check['name']}: {check['seen']}" for check in tried.data["checks"] if not check["ok"])
