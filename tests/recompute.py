"""Recompute a pack's figures with nothing but Python: `python recompute.py PACK` prints them as JSON.

Written from the definitions in the pack's own documentation, not from the program that made the pack, and importing
nothing of it: recovery time with its error bar, loss (transactions, money, seconds), in doubt, and duplicates; how
long until operations were told, and split brain.
It reads everything into memory; it is meant to be checked by reading.

Definitions, all on the monotonic clock (`mono`, `t`, `due`; nanoseconds):

- The clock starts between `earliest` and `latest` of the first fault (`fault.effective`) that harms data, else of the
  first fault.
- A request is bad when it ended otherwise than acknowledged. One without any end, of a customer who was killed, is
  neither good nor bad; what is known of its zone ends before it.
- Where no request was bad, and the fault harms no data, the bar goes from 0 to the longest time between two requests,
  or to the longest from one due time to the first answer of a request due later, where that is longer.
- Service is good again between the due time of the last bad request and the first answer to a request due after it.
  Requests due before the fault count only where they ended after it, and then only when bad.
- Where nothing was due in a zone for longer than 20 of its requests take (and than 1 s), the first answer is looked
  for after that, unless it began later than the settling time past the end of `verify`.
- After a fault that harms data the clock ends no sooner than `verified` (ok) and `in_service`.
- Nothing that was due or answered after `planned.begin` counts for any of this.
- Good service must be known in every zone for `settling` seconds (5 where not said) past its beginning and past the
  end of `verify`. Otherwise, and where it never came, the figure is a lower bound.
- Groups that `workload.begin` lists as `inside` are not counted for any of this; they are for all that follows.
- Lost is what was acknowledged and has no `final` row. In seconds: from the oldest lost answer to the last answer
  before `recovery.reached` (else `in_service`, else `latest` of the last `fault.effective`), or to the last lost one
  where that is later.
- Operations were told when the first firing alert was received, after a fault took effect, that names something in its
  `affects`: a component or a zone, and that had not begun (`starts`) more than 5 s before the fault was ordered.
  Where only such came that had begun before, nothing is known. At most from `earliest` to it, at least from `latest`.
  Faults up to one `alert.awaited` line belong together (their first counts), and each such time is listed; later ones
  without one of their own are left out, unless there is none at all. Where nothing came: at least until the receiver
  was read for the last time, which is at the scenario's end, or, where it has none, the last `alert.awaited` or
  `alert`.
- Exposure, by the samples `of` the archive: at each one the oldest answer later than `asked` of the last sample up to
  it whose `position` is at most `safe` is not surely safe. Its age at the sample is the figure, at the next one (of the
  last before a disaster: at `latest`) the high end; the low end is the age of the oldest answer to a request sent from
  the first sample on whose `position` is at least `safe`. Where the low end at the last sample of a stretch (up
  to version 7 of the rules: the high end) is more than twice the longest wait that was seen to end, or none was in the
  first stretch, it is a lower bound.
- Exactness: after a mistake all acknowledged up to the ordered moment, and in any case up to `earliest`, must be in the
  `recovered` rows, and nothing sent from `latest` on. After lost volumes all that was acknowledged until `asked` of the
  last sample before the fault whose `position` is at most what was safe at the last one, or the declared position.
- Split brain: acknowledged writes on a history that were sent after one on a newer one was answered. Only `touching`
  where no such write is known, and some newer one was sent before the last older one was answered. `twofold`: where
  answers name their `server`, those of each history by another server than the one that gave most of its answers.
- Never written on both sides: `writes` are looks of `region.looks` that saw the lost region take a write, from the end
  of the fence to the begin of its promotion back; `answers` are acknowledged writes of its servers sent in that time.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

Facts = dict[str, Any]
Ledger = dict[int, Facts]  # by number
S = 1_000_000_000


def lines_of(path: Path) -> list[Facts]:
    return [json.loads(text) for text in path.read_text().splitlines()]


def scenarios(pack: Path) -> dict[str, list[Facts]]:
    """Journal lines by scenario, in the order in which the scenarios began."""
    found: dict[str, list[Facts]] = {}
    current = None
    for line in lines_of(pack / "journal.jsonl"):
        if line["kind"] == "scenario.begin":
            current = found.setdefault(line["data"]["scenario"], [])
        if current is not None:
            current.append(line)
    return found


def files(pack: Path, name: str, lines: list[Facts], kind: str, moment: str | None = None) -> dict[str, Path]:
    """Zone to file."""
    start = f"{kind}-{moment}-" if moment else f"{kind}-"
    named = [line["data"]["file"] for line in lines if line["kind"] == kind and line["data"].get("moment") == moment]
    return {Path(file).stem[len(start) :]: pack / "scenarios" / name / Path(file).name for file in named}


def ledger(path: Path) -> Ledger:
    """Number to {due, sent, end, how, from, to, amount}."""
    requests: Ledger = {}
    for event in lines_of(path)[1:]:
        if event["e"] == "sent":
            requests[event["n"]] = {
                "due": event["due"],
                "sent": event["t"],
                "end": None,
                "how": "in_doubt",
                "what": what_of(event),
                "money": Decimal(event.get("amount", 0)),
            }
        elif event["e"] == "not_sent":
            requests[event["n"]] = {"due": event["due"], "sent": None, "end": event["t"], "how": "not_sent"}
        elif event["e"] in ("acknowledged", "failed", "in_doubt"):
            requests[event["n"]].update(end=event["t"], how=event["e"], timeline=event.get("history", event.get("tl")))
            requests[event["n"]]["server"] = event.get("server", "")
    return requests


def what_of(fact: Facts) -> Any:
    """What a transaction says, to be compared; in format 1 a payment, with amounts by value."""
    return fact["payload"] if "payload" in fact else (fact["from"], fact["to"], Decimal(fact["amount"]))


def rows_of(path: Path) -> list[Facts]:
    """Without the first line, which format 1 did not have."""
    return [fact for fact in lines_of(path) if "n" in fact]


def last_mono(lines: list[Facts], kind: str, after: int = 0, **where: str) -> int | None:
    found = [
        line["mono"]
        for line in lines
        if line["kind"] == kind and line["mono"] >= after and all(line["data"].get(k) == v for k, v in where.items())
    ]
    return found[-1] if found else None


def observed_until(lines: list[Facts]) -> int:
    """When the drill itself last looked on: not the heal of a run that was killed."""
    kinds = [line["kind"] for line in lines]
    for kind in ("stopped", "scenario.end"):
        if kind in kinds:
            cut = min(kinds.index(each) for each in ("stopped", "scenario.end") if each in kinds)
            return max(int(line["mono"]) for line in lines[: cut + 1])
    kinds = ["" if line["data"].get("by") == "scenario" else line["kind"] for line in lines]
    cut = min(
        [kinds.index(each) for each in ("resumed", "torn", "run.end", "fault.healed") if each in kinds] or [len(kinds)]
    )
    return max(int(line["mono"]) for line in lines[:cut])


def proof(lines: list[Facts], intent: Facts) -> Facts | None:
    """The line that says whether the fault took effect, and between which moments."""
    proofs = [
        line
        for line in lines
        if line["kind"] == "fault.effective"
        and line["seq"] > intent["seq"]
        and line["data"]["injection"] == intent["data"]["injection"]
    ]
    return proofs[0] if proofs else None


def hurt(lines: list[Facts]) -> bool:
    """Whether there was a fault, each bit, and none had ended by itself."""
    intents = [line for line in lines if line["kind"] == "fault.intent"]
    proofs = [proof(lines, intent) for intent in intents]
    held = all(line["data"]["ok"] for line in lines if line["kind"] == "fault.still_active")
    return bool(intents) and held and all(line is not None and line["data"]["ok"] for line in proofs)


def first_fault(lines: list[Facts]) -> Facts:
    """The first fault that harms data, else the first of all."""
    intents = [line for line in lines if line["kind"] == "fault.intent"]
    return ([line for line in intents if line["data"].get("harms_data")] or intents)[0]


def inside(lines: list[Facts]) -> set[str]:
    return {each["group"] for each in groups(lines) if each["inside"]}


def groups(lines: list[Facts]) -> list[Facts]:
    return [each for line in lines if line["kind"] == "workload.begin" for each in line["data"]["groups"]]


def rto(lines: list[Facts], ledgers: dict[str, Ledger]) -> Facts | None:
    if not hurt(lines):
        return None
    fault = first_fault(lines)
    harms = bool(fault["data"].get("harms_data"))
    effective = proof(lines, fault)
    assert effective is not None  # hurt() has seen it
    early, late = effective["data"]["earliest"], effective["data"]["latest"]
    settling = round(float(lines[0]["data"].get("settling", 5.0)) * S)
    verify = last_mono(lines, "span.end", span="verify")
    ledgers = {zone: before_planned(lines, ledger) for zone, ledger in ledgers.items()}
    every = [(request["due"], zone, request) for zone, ledger in ledgers.items() for request in ledger.values()]
    ended = [(due, zone, request) for due, zone, request in every if request["end"] is not None]
    good = [(due, request["end"]) for due, _, request in ended if request["how"] == "acknowledged"]
    if not any(due >= early for due, _, _ in every) or not any(due < early for due, _ in good):
        return None

    bad = [
        due
        for due, _, request in ended
        if request["how"] != "acknowledged" and (due >= early or request["end"] >= early)
    ]
    begin = max([late, *bad])
    # the first answer after the last bad request, and after the last stretch in which a zone was not observed
    after = [due for due in [gap_end(lines, ledgers, early, (verify or late) + settling)] if due]
    answers = [end for due, end in good if due >= max([early, *after]) and due >= late and (not bad or due > max(bad))]
    end = min(answers, default=None)
    over = bool(answers)
    if harms:
        verdicts = [line for line in lines if line["kind"] == "verified" and line["mono"] >= early]
        while any(not line["data"]["ok"] for line in verdicts):
            verdicts.pop(0)
        serving = last_mono(lines, "in_service", after=early)
        if verdicts and serving is not None:
            sound = max(verdicts[0]["mono"], serving)
            begin, end = max(begin, sound), None if end is None else max(end, sound)
        else:
            over = False
            begin = max(begin, observed_until(lines))
    known = min(known_until(list(ledger.values())) for ledger in ledgers.values())
    spans = any(line["kind"] == "span.begin" for line in lines)
    if over and (known < max(end or 0, verify or 0) + settling or (verify is None and spans)):
        over = False
    low = (begin - late) / S
    if not over or end is None:
        return {"figure": low, "low": low, "high": None, "lower_bound": True}
    high = (end - early) / S
    if not bad and not harms:
        low, high = 0.0, max(widest(ledgers, early), unanswered(ledgers, early)) / S
    return {"figure": high, "low": low, "high": high, "lower_bound": False}


def before_planned(lines: list[Facts], ledger: Ledger) -> Ledger:
    """What was neither due nor ended after an interruption that was planned."""
    planned = next((line["mono"] for line in lines if line["kind"] == "planned.begin"), None)
    if planned is None:
        return ledger
    return {n: each for n, each in ledger.items() if each["due"] < planned and (each["end"] or 0) < planned}


def widest(ledgers: dict[str, Ledger], early: int) -> int:
    """The longest time between two requests due of one group, of those that end after the fault was ordered."""
    found = [0]
    for ledger in ledgers.values():
        dues = sorted(request["due"] for request in ledger.values())
        found += [due - before for before, due in zip([early, *dues[:-1]], dues, strict=True) if due > early]
    return max(found)


def unanswered(ledgers: dict[str, Ledger], early: int) -> int:
    """The longest time from a request's due time, or the fault, to the first answer of any that was due later."""
    every = [request for ledger in ledgers.values() for request in ledger.values()]
    good = [(each["due"], each["end"]) for each in every if each["how"] == "acknowledged" and each["due"] >= early]
    longest, first = 0, None
    for due, end in [*sorted(good, reverse=True), (early, early)]:
        longest = max(longest, first - due) if first is not None else longest
        first = end if first is None else min(first, end)
    return longest


def known_until(requests: list[Facts]) -> int:
    """The last due time of a zone up to which every answer is known."""
    hanging = min((request["due"] for request in requests if request["end"] is None), default=None)
    return max((request["due"] for request in requests if hanging is None or request["due"] < hanging), default=0)


def gap_end(lines: list[Facts], ledgers: dict[str, Ledger], early: int, until: int) -> int | None:
    """The due time that ends the last stretch without any due request in some zone, or None."""
    rates = [line["data"].get("rate") or 0 for line in lines if line["kind"] == "workload.begin"]
    longest = max(S, round(20 * len(ledgers) / rates[-1] * S) if rates and rates[-1] > 0 else 0)
    ends = []
    for ledger in ledgers.values():
        dues = sorted(request["due"] for request in ledger.values())
        pairs = list(zip([early, *dues[:-1]], dues, strict=True))
        ends += [due for before, due in pairs if due - before > longest and early < due and before < until]
    return max(ends, default=None)


def moment(text: str) -> float:
    """A time of day, in seconds; UTC where it does not say."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def names(alert: Facts, affected: Facts) -> bool:
    what = "component" if affected.get("component") else "zone"
    return bool(alert.get(what)) and alert[what] == affected.get(what)


def detection(lines: list[Facts]) -> list[Facts]:
    watches: list[list[Facts]] = [[]]
    for line in lines:
        if line["kind"] == "fault.intent" and line["data"].get("affects"):
            watches[-1].append(line)
        elif line["kind"] == "alert.awaited" and watches[-1]:
            watches.append([])
    watches = [each for each in (watches[:-1] or watches) if each]
    if not hurt(lines) or not watches:
        return []
    ended = any(line["kind"] in ("stopped", "scenario.end") for line in lines)
    read = max([line["mono"] for line in lines if line["kind"] in ("alert.awaited", "alert")], default=0)
    read = max(read, observed_until(lines)) if ended else read
    found = []
    for intents in watches:
        named = [each for intent in intents for each in intent["data"]["affects"]]
        effective = proof(lines, intents[0])
        assert effective is not None  # hurt() has seen it
        early, late = effective["data"]["earliest"], effective["data"]["latest"]
        came = [
            line["data"]
            for line in lines
            if line["kind"] == "alert"
            and line["data"]["received"] >= early
            and line["data"]["state"] == "firing"
            and any(names(line["data"], each) for each in named)
        ]
        ordered = moment(intents[0]["utc"])
        told = [each["received"] for each in came if not each.get("starts") or moment(each["starts"]) > ordered - 5]
        if came and not told:
            return []
        end = min(told, default=max(read, late))
        low, high = max(0, end - late) / S, (end - early) / S
        found.append(
            {"figure": high if told else low, "low": low, "high": high if told else None, "lower_bound": not told}
        )
    return found


def split_brain(ledgers: dict[str, Ledger]) -> Facts | None:
    answered = [
        request
        for ledger in ledgers.values()
        for request in ledger.values()
        if request["how"] == "acknowledged" and request.get("timeline") is not None
    ]
    if not answered:
        return None
    first: dict[int, int] = {}  # by timeline: its first answer, and when the first answered write was sent
    sent: dict[int, int] = {}
    for request in answered:
        timeline = request["timeline"]
        first[timeline] = min(first.get(timeline, request["end"]), request["end"])
        sent[timeline] = min(sent.get(timeline, request["sent"]), request["sent"])
    newer = {each: min((first[later] for later in first if later > each), default=None) for each in first}
    begun = {each: min((sent[later] for later in sent if later > each), default=None) for each in sent}
    overlapping = [each for each in answered if (at := newer[each["timeline"]]) is not None and each["sent"] > at]
    touching = any((at := begun[each["timeline"]]) is not None and each["end"] >= at for each in answered)
    servers: dict[int, Counter[str]] = {}
    for request in answered:
        if request["server"]:
            servers.setdefault(request["timeline"], Counter())[request["server"]] += 1
    twofold = sum(each.total() - max(each.values()) for each in servers.values())
    return {"overlapping": len(overlapping), "touching": touching and not overlapping, "twofold": twofold}


def both_sides(lines: list[Facts], ledgers: dict[str, Ledger], ready: Facts) -> Facts | None:
    """Of a region that was fenced; None where none was."""
    steps = [line for line in lines if line["kind"] in ("step.begin", "step.end")]
    fence = next(
        (each for each in steps if each["data"]["name"] == "fence-the-lost-region" and "ok" in each["data"]), None
    )
    if fence is None:
        return None
    region, since = fence["data"]["facts"]["region"], fence["mono"]
    back = [each["mono"] for each in steps if each["data"]["name"] == "promote-the-first-region"]
    until = back[0] if back else lines[-1]["mono"]
    said = [line["data"] for line in lines if line["kind"] == "region.looks" and line["data"]["region"] == region]
    looks = [look for each in said for look in each["looks"] if since <= look[0] and look[1] <= until]
    own = {address for each in ready["regions"] if each["region"] == region for address in each.get("servers", {})}
    answers = [
        request
        for ledger in ledgers.values()
        for request in ledger.values()
        if request["how"] == "acknowledged" and request["server"] in own and since <= request["sent"] < until
    ]
    return {"looks": len(looks), "writes": sum(bool(look[2]) for look in looks), "answers": len(answers)}


def loss(lines: list[Facts], ledgers: dict[str, Ledger], rows: dict[str, list[Facts]]) -> Facts | None:
    stopped = [line["mono"] for kind in ("recovery.reached", "in_service") for line in lines if line["kind"] == kind]
    stop = stopped[0] if stopped else None
    acknowledged: list[Facts] = []
    lost: list[Facts] = []
    figures: Facts = {"in_doubt": 0, "in_doubt_stored": 0, "duplicates": 0, "changed": 0, "strangers": 0}
    for zone, ledger in ledgers.items():
        stored = Counter(row["n"] for row in rows[zone])
        figures["duplicates"] += sum(many - 1 for number, many in stored.items() if number in ledger)
        figures["strangers"] += sum(1 for row in rows[zone] if row["n"] not in ledger)
        for row in rows[zone]:
            sent = ledger.get(row["n"], {}).get("what")
            figures["changed"] += sent is not None and sent != what_of(row)
        for number, request in ledger.items():
            if request["how"] == "in_doubt":
                figures["in_doubt"] += 1
                figures["in_doubt_stored"] += number in stored
            if request["how"] == "acknowledged":
                acknowledged.append(request)
                if number not in stored:
                    lost.append(request)
    if not acknowledged:
        return None
    figures["acknowledged"] = len(acknowledged)
    figures["lost"] = len(lost)
    figures["lost_amount"] = str(sum((request["money"] for request in lost), Decimal(0)))
    figures["lost_seconds"], figures["lower_bound"] = 0.0, False
    if lost:
        hurt = [line["data"]["latest"] for line in lines if line["kind"] == "fault.effective"]
        gone = stop if stop is not None or not hurt else max(hurt)
        ends = [request["end"] for request in acknowledged if gone is None or request["end"] < gone]
        ends += [request["end"] for request in lost]
        oldest = min(request["end"] for request in lost)
        figures["lost_seconds"] = (max(ends) - oldest) / S
        figures["lower_bound"] = oldest == min(request["end"] for request in acknowledged)
    return figures


def answered(ledgers: dict[str, Ledger]) -> list[tuple[int, int]]:
    """When each acknowledged write was sent and answered."""
    every = [request for ledger in ledgers.values() for request in ledger.values()]
    return [(request["sent"], request["end"]) for request in every if request["how"] == "acknowledged"]


def samples(lines: list[Facts]) -> list[Facts]:
    """{asked, told, position, safe}; those to which the database did not answer are left out."""
    found: list[Facts] = []
    for line in lines:
        of = line["data"].get("of", "archive") == "archive"
        if line["kind"] == "exposure.sample" and of and line["data"].get("position") is not None:
            asked = line["data"].get("asked", found[-1]["told"] if found else 0)
            position, safe = line["data"]["position"], line["data"].get("safe") or 0
            found.append({"asked": asked, "told": line["mono"], "position": position, "safe": safe})
    return found


def stretches(lines: list[Facts]) -> list[tuple[list[Facts], int, int | None]]:
    """Samples, with from when to when writes count: before a fault that harms data, and after the recovery."""
    taken = samples(lines)
    disaster = first_fault(lines) if hurt(lines) else None
    if disaster is None or not disaster["data"].get("harms_data"):
        return [(taken, 0, None)] if taken else []
    effective = proof(lines, disaster)
    assert effective is not None  # hurt() has seen it
    late = effective["data"]["latest"]
    found: list[tuple[list[Facts], int, int | None]] = [([each for each in taken if each["told"] <= late], 0, late)]
    serving = last_mono(lines, "in_service", after=late)
    after = [dict(each) for each in taken if serving is not None and each["asked"] >= serving]
    for each, later in zip(after, [*after[1:], *after[-1:]], strict=True):
        each["safe"] = each["safe"] if each["safe"] <= later["position"] else 0
    return [*found, (after, serving or 0, None)] if after else found


def exposure(lines: list[Facts], ledgers: dict[str, Ledger], *, old: bool) -> Facts | None:
    """The greatest age of an acknowledged write that was not safe, in seconds; `old`: as rules up to version 7."""
    found = stretches(lines)
    writes = answered(ledgers)
    if not found or not found[0][0] or not writes:
        return None
    figure, low, high, wait, waits_on, stalled = 0, 0, 0, 0, [], False
    for number, (taken, begin, end) in enumerate(found):
        own = [(sent, end_) for sent, end_ in writes if end_ >= begin and (end is None or end_ <= end)]
        before, open_, sure = None, 0, 0
        ended = 0  # the longest wait of this stretch that was seen to end
        for at, each in enumerate(taken):
            covered = [one["asked"] for one in taken[: at + 1] if one["position"] <= each["safe"]]
            perhaps = min((end_ for _, end_ in own if not covered or end_ > covered[-1]), default=None)
            beyond = next((one["told"] for one in taken if one["position"] >= each["safe"]), None)
            surely = min((end_ for sent, end_ in own if beyond is not None and sent >= beyond), default=None)
            following = taken[at + 1]["told"] if at + 1 < len(taken) else max(each["told"], end or 0)
            if before is not None and before < each["asked"] and (perhaps is None or perhaps > before):
                ended = max(ended, each["told"] - before)
            before = perhaps
            open_ = 0 if perhaps is None else max(0, following - perhaps)
            figure = max(figure, 0 if perhaps is None else each["told"] - perhaps)
            high = max(high, open_)
            sure = 0 if surely is None else max(0, each["asked"] - surely)
            low = max(low, sure)
        wait, waits_on = max(wait, ended), [*waits_on, open_ if old else sure]
        stalled = stalled or (number == 0 and not ended)
    stalled = stalled or any(each > 2 * wait for each in waits_on)
    return {"figure": figure / S, "low": low / S, "high": None if stalled else high / S, "lower_bound": stalled}


def exactness(lines: list[Facts], ledgers: dict[str, Ledger], rows: dict[str, list[Facts]]) -> Facts | None:
    """How many of those due there are missing, and how many of those too late are there."""
    disaster = first_fault(lines) if hurt(lines) else None
    effective = proof(lines, disaster) if disaster else None
    orders = [
        line
        for line in lines
        if line["kind"] == "recovery.ordered" and effective and line["mono"] >= effective["data"]["earliest"]
    ]
    if disaster is None or effective is None or not orders:
        return None
    early, late, ordered = effective["data"]["earliest"], effective["data"]["latest"], orders[-1]
    points = []
    if ordered["data"].get("mono") is not None:
        points.append(ordered["data"]["mono"] - unknown_of_clock(lines, ordered))
        if points[0] > late:
            return None
    if disaster["data"]["logical"]:
        present, absent = max([early, *points]), late
    else:
        taken = [each for each in samples(lines) if each["told"] <= early]
        reaches = ordered["data"]["position"] if ordered["data"].get("declared_early") else taken[-1]["safe"]
        points += [each["asked"] for each in taken if each["position"] <= reaches]
        if not points:
            return None
        present, absent = max(points), None
    missing, surplus = 0, 0
    for group, ledger in ledgers.items():
        there = {row["n"] for row in rows[group]}
        for number, request in ledger.items():
            due_there = request["how"] == "acknowledged" and request["end"] <= present
            too_late = absent is not None and request["sent"] is not None and request["sent"] >= absent
            missing += due_there and number not in there
            surplus += too_late and number in there
    return {"missing": missing, "surplus": surplus}


def unknown_of_clock(lines: list[Facts], ordered: Facts) -> int:
    """By how much the ordered moment, which comes from a time of day, is taken back."""
    before = [line for line in lines if line["seq"] <= ordered["seq"]]
    apart = [round(moment(line["utc"]) * 1_000_000) * 1000 - line["mono"] for line in before]
    name = ordered["data"].get("clock")
    said = [line["data"] for line in before if line["kind"] == "clock" and line["data"]["clock"] == name]
    return max(apart) - min(apart) + (round((said[-1]["offset"] + said[-1]["uncertainty"]) * S) if said else 0)


def recompute(pack: Path) -> dict[str, Any]:
    """Scenario to its figures; None where there is nothing to compute them from."""
    found = {}
    journal = lines_of(pack / "journal.jsonl")
    stack = [line["data"] for line in journal if line["kind"] == "stack.ready"]
    old = int(journal[0]["data"].get("rules", 1)) <= 7
    for name, lines in scenarios(pack).items():
        ledgers = {zone: ledger(path) for zone, path in files(pack, name, lines, "ledger").items()}
        rows = {zone: rows_of(path) for zone, path in files(pack, name, lines, "rows", "final").items()}
        after = {zone: rows_of(path) for zone, path in files(pack, name, lines, "rows", "recovered").items()}
        begun = {each["group"] for each in groups(lines)}
        whole = bool(ledgers) and begun <= ledgers.keys()
        outside = {group: ledger for group, ledger in ledgers.items() if group not in inside(lines)}
        served = bool(outside) and begun - inside(lines) <= outside.keys()
        found[name] = {
            "rto": rto(lines, outside) if served else None,
            "loss": loss(lines, ledgers, rows) if whole and ledgers.keys() <= rows.keys() else None,
            "detection": detection(lines),
            "split-brain": split_brain(ledgers),
            "both-sides": both_sides(lines, ledgers, stack[0]) if stack and whole else None,
            "exposure": exposure(lines, ledgers, old=old) if whole else None,
            "exactness": exactness(lines, ledgers, after) if whole and ledgers.keys() <= after.keys() else None,
        }
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python recompute.py PACK")
    print(json.dumps(recompute(Path(sys.argv[1])), indent=1))
