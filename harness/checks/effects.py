"""Whether what the journal says of its faults can be: each has a number, a proof of its own, and moments that fit.

Where it cannot, nothing can be said of the scenario: what contradicts itself is no record.
"""

from __future__ import annotations

from harness.checks.evidence import BY_SCENARIO, Evidence, Line, Unsound, moment_of

LATER = ("fault.effective", "fault.still_active", "fault.healed")


def contradictory(evidence: Evidence) -> str:
    """What cannot be; empty where all can."""
    try:
        return _faults(evidence) or _alerts(evidence)
    except Unsound as why:
        return str(why)


def _faults(evidence: Evidence) -> str:
    intents: dict[int, Line] = {}
    effects: dict[int, Line] = {}
    looked: dict[int, int] = {}  # when it was last asked whether it was still active
    resumed = False  # from here on another boot of the machine may be meant
    for line in evidence.lines:
        resumed = resumed or line.kind == "resumed"
        number, where = line.data.get("injection"), f"line {line.seq + 1} ({line.kind})"
        if line.kind == "fault.intent":
            if type(number) is not int or number != len(intents) + 1:
                return f"{where} has the injection {number!r}, and it is number {len(intents) + 1} of the scenario"
            intents[number] = line
        elif line.kind in LATER:
            if type(number) is not int or number not in intents:
                return f"{where} is of the injection {number!r}, which nobody has ordered"
            if line.data.get("fault") != intents[number].data.get("fault"):
                return f"{where} names another fault than the injection {number}"
            if why := _moments(line, intents[number], effects.get(number), looked.get(number), resumed=resumed):
                return f"{where} {why}"
            if line.kind == "fault.effective":
                effects[number] = line
            elif line.kind == "fault.still_active":
                looked[number] = line.mono
    return ""


def _moments(line: Line, intent: Line, effect: Line | None, looked: int | None, *, resumed: bool) -> str:
    """What is wrong with when it was. Errors: `Unsound`."""
    if line.kind == "fault.effective" and effect is not None:
        return "says once more when it took effect"
    if line.kind == "fault.still_active" or not line.data.get("ok"):
        return ""
    earliest, _ = moment_of(line)
    if line.kind == "fault.effective" and earliest < intent.mono:
        return "says that it took effect before it was ordered"
    ended = line.kind == "fault.healed" and line.data.get("by") == BY_SCENARIO and not resumed
    if ended and looked is not None and earliest < looked:
        return "says that it was healed before it was last seen active"
    return ""


def _alerts(evidence: Evidence) -> str:
    for line in evidence.all("alert"):
        received = line.data.get("received")
        if type(received) is not int or received > line.mono:
            return f"line {line.seq + 1} (alert) says that it came {received!r}, and was written down at {line.mono}"
    return ""
