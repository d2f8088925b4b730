"""Was the backup that was restored from found by verification, newest first, and does it end before the damage?"""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Line, disaster_of
from harness.checks.steps import ended, listed

SEARCH = "find-the-last-sound-backup"
TITLE = "The last sound backup was found by verification"
LOOKS = ("objects", "tables and indexes", "books", "pages")  # all of them, in each backup that is restored from


def sound_backup(evidence: Evidence, expected: Expectation) -> Finding:
    """When the backup was taken is told by the lines about the taking, and not by whoever looked for it.

    One that was refused, and that nothing was restored from, was not taken for anything: the search went on, or was cut
    short. Only where it came to its end is it said that none was sound.
    """
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
    words = f"{_refused(tried[:-1])}; {chosen.data['backup']} verified sound ({listed(chosen.data['checks'], ok=True)})"
    return expected.finding_of(evidence, TITLE, Outcome.MET, f"newest first: {words}, taken before the damage")


def _wrong(evidence: Evidence, tried: list[Line], chosen: Line) -> str:
    """What shows that it was not found so; empty where nothing does."""
    name, none = chosen.data["backup"], _none_was_taken(evidence, chosen)
    wrong = [*([] if none else _unfit(evidence, chosen)), *_badly_searched(evidence, tried)]
    if none and not _cut_short(evidence):
        return "; ".join(["no backup was found sound", _refused(tried), *wrong])
    what = "the search was cut short" if none else f"{name} was taken for the last sound one"
    return f"{what}: {'; '.join(wrong)}" if wrong else ""


def _none_was_taken(evidence: Evidence, chosen: Line) -> bool:
    return not chosen.data["ok"] and evidence.last("recovery.reached") is None


def _cut_short(evidence: Evidence) -> bool:
    """A step that is cut short because the run ends has no end."""
    return bool(evidence.stopped()) and not ended(evidence, SEARCH)


def _unfit(evidence: Evidence, chosen: Line) -> list[str]:
    """What is wrong with the backup that was taken for the last sound one."""
    name = chosen.data["backup"]
    taken, reached = _taken(evidence), evidence.last("recovery.reached")
    hurt = disaster_of(evidence.all("fault.intent"))
    looked = {check["name"] for check in chosen.data["checks"]}
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
    return wrong


def _badly_searched(evidence: Evidence, tried: list[Line]) -> list[str]:
    """What is wrong with the search itself, up to where it came."""
    taken, name = _taken(evidence), tried[-1].data["backup"]
    made = [str(each.data["made"]) for each in tried]
    wrong = []
    if made != sorted(made, reverse=True):
        wrong.append("and backups were not tried newest first")
    if unfounded := [each.data["backup"] for each in tried[:-1] if not _found(each)]:
        wrong.append(f"and {', '.join(unfounded)} was passed over with nothing found in it")
    names = {each.data["backup"] for each in tried}
    newer = [each for each, seq in taken.items() if seq > taken.get(name, seq) and each not in names]
    if newer:
        wrong.append(f"and the newer {', '.join(newer)} was not tried")
    return wrong


def _open(evidence: Evidence, chosen: Line, reached: Line | None) -> str:
    """Why nothing can be said although nothing is wrong; empty where it can."""
    taken, hurt = _taken(evidence), disaster_of(evidence.all("fault.intent"))
    if _none_was_taken(evidence, chosen):
        return f"the run ended inside the search, after {_refused(evidence.all('backup.tried'))} ({evidence.stopped()})"
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


def _refused(tried: list[Line]) -> str:
    return "; ".join(f"{each.data['backup']} refused ({_found(each)})" for each in tried)


def _found(tried: Line) -> str:
    return "; ".join(f"{check['name']}: {check['seen']}" for check in tried.data["checks"] if not check["ok"])
