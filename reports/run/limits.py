"""What a run does not show, in sentences, from its own facts: a reader must not have to guess it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.evidence.first_line import marks
from reports.pack import Facts, Pack, Scenario
from reports.words import clean, number, plain, size

CLASSES = {
    "embedded": "a small stand-in platform of ordinary processes on one machine",
    "containers": "a stand-in platform in containers on one machine",
    "emulated": "emulators of the platform's services on one machine",
    "staging": "the staging platform",
    "production": "production",
    "tabletop": "people at a table, and no platform",
}
SANDBOXES = {
    "rootless": "every zone has a network of its own, made without any privilege",
    "privileged": "every zone has a network of its own, made by root",
    "loopback": "zones share the machine's loopback addresses: no network can be cut between them",
}


BESIDE = (
    "Restored beside: nobody was served from it. How long restoring takes says nothing of who decides, who is called, "
    "and when customers are served again; and a look proves no more than what it looked at."
)


def limits(pack: Pack, *, measured_on: str) -> list[str]:
    """The limits of this run, the general ones last."""
    begin = pack.begin
    environment = str(begin.get("environment") or "unknown")
    found = []
    if environment != "production":
        found.append(
            f"It ran on the environment class “{clean(environment)}”: {CLASSES.get(environment, 'not described')}. "
            "It says nothing about how long production would take."
        )
    found.append(
        f"Size: {measured_on}. More data takes longer to recover; nothing here may be scaled up without a projection "
        "from several sizes."
    )
    if pack.facts.data("stack.begin").get("owned") is False:
        found.append(
            "The stack stood before this run, and earlier drills may have been run on it: its backups, its histories "
            "and what is stored grow with each. It was not made anew for this run, and was not removed after it."
        )
        if pack.facts.data("stack.left").get("steady") is not True:
            found.append("When the run left the stack, it was not steady, or nobody had looked.")
        if stays := [_stays(fact.data) for fact in pack.facts.of("marks") if fact.data.get("left") != 0]:
            found.append(f"What it has written stays among the platform's own data: {'; '.join(stays)}.")
    found += [f"Marked as {clean(mark)}: it does no duty of the calendar." for mark in marks(begin)]
    if begin.get("sabotage"):
        found.append("The recovery was sabotaged on purpose: this run shows that the drill can fail, and nothing else.")
    for name in ("harness", "project"):
        code = begin.get(name)
        if isinstance(code, dict) and code.get("clean") is False:
            found.append(f"The code of the {name} was changed since its last commit: that is not exactly what ran.")
    decided = pack.facts.of("decided")
    if any(not fact.data.get("attended") for fact in decided):
        found.append("Decision time: not exercised. A stand-in decided at once; people take minutes to hours.")
    left = [
        f"{clean(fact.data.get('what'))} ({clean(fact.data.get('why'))})" for fact in pack.facts.of("not_exercised")
    ]
    if left:
        found.append(f"Not exercised on this machine: {'; '.join(dict.fromkeys(left))}.")
    told = pack.facts.data("stack.ready").get("simulated")
    simulated = [clean(each) for each in told] if isinstance(told, list) else []
    if simulated:
        found.append(
            "Simulated: " + "; ".join(simulated) + ". It speaks the protocol of the real service and is an emulator: "
            "its speed, its durability and its permissions are not those of the real one."
        )
    found += [BESIDE for _ in pack.facts.of("restore.asked")[:1]]
    if begin.get("sandbox") == "loopback":
        found.append(f"Sandbox level loopback: {SANDBOXES['loopback']}.")
    idle = [
        s.title
        for s in pack.scenarios
        if s.facts.last("workload.end") and not _acknowledged(s.facts.last("workload.end"))
    ]
    if idle:
        found.append(
            "Without an acknowledged write nothing can be said about loss: " + "; ".join(map(clean, idle)) + "."
        )
    found.append(
        "This pack alone does not show that it was not picked from several runs. "
        + (
            "A word that an auditor chose beforehand (“nonce”) shows that the run began after that, and not that it is "
            "the only run made with it. "
            if begin.get("nonce_by") == "auditor" and begin.get("nonce")
            else "No auditor chose a word beforehand (“nonce”), which would show when it began at the earliest. "
        )
        + "Run numbers, and the digest of the pack before, show a gap among packs; what was taken from the newest end "
        "is shown only by what was handed out before."
    )
    found.append("The operator's name and the times are as claimed by the machine that ran the drill.")
    found.append(
        "The seal shows who sealed which bytes, and that they have not changed since. "
        "It does not show that the figures are true."
    )
    return found


def packages_of(pack: Pack) -> dict[str, object]:
    """Components and versions, as the run and its stack named them."""
    found: dict[str, object] = {}
    for listed in (pack.begin.get("packages"), pack.facts.data("stack.ready").get("packages")):
        found |= listed if isinstance(listed, dict) else {}
    return found


def code_of(said: object) -> str:
    """What the first line says of the code of machine or project, but its digest: `0.1.0, commit 4ce178f`."""
    if not isinstance(said, dict):
        return "not recorded"
    commit = f"commit {plain(said['commit'])}" if said.get("commit") else "of no repository that is known"
    changed = " (with uncommitted changes)" if said.get("clean") is False else ""
    name = plain(said.get("name") or said.get("version") or "version not recorded")
    return f"{name}, {commit}{changed}"


def _stays(said: Mapping[str, Any]) -> str:
    left, why = said.get("left"), clean(said.get("why") or "")
    many = f"{number(left)} transactions" if isinstance(left, int) else "nobody knows how much"
    return f"{many} with the mark {clean(said.get('origin'))}/…" + (f" ({why})" if why else "")


def _acknowledged(fact: object) -> bool:
    data = getattr(fact, "data", {})
    return bool(data.get("acknowledged"))


def place_of(begin: Mapping[str, Any]) -> str:
    """Environment class, and of the embedded stack the level of its sandbox: what every figure carries."""
    environment = clean(begin.get("environment") or "unknown environment")
    level = clean(begin.get("sandbox") or "unknown")
    return environment if level == environment else f"{environment}, sandbox {level}"


def size_of(pack: Pack, scenario: Scenario | None = None) -> str:
    """The size of what was drilled: `200,412 transactions, 91 MB restored`; what is not known is said to be.

    Of a scenario what it restored itself; of a run the most that any did, and how many of them."""
    facts = scenario.facts if scenario else pack.facts
    parts = _counted(facts) or _counted(pack.facts)
    bytes_of = _restored(facts)
    if bytes_of:
        did = sum(bool(_restored(each.facts)) for each in pack.scenarios)
        some = scenario is None and did < len(pack.scenarios)
        parts.append(
            f"{size(max(bytes_of))} restored" + (f" in {did} of {len(pack.scenarios)} scenarios" if some else "")
        )
    return ", ".join(parts) or "size not recorded"


def _restored(facts: Facts) -> list[int]:
    """Bytes of each database that was restored."""
    of = [each.data.get("bytes") for each in facts.of("recovery.reached")]
    of += [each.data.get("size") for each in facts.of("restore.end") if each.data.get("outcome") == "restored"]
    return [size for size in of if isinstance(size, int)]


def _counted(facts: Facts) -> list[str]:
    """How much there was, by the first line that says so."""
    for fact in facts.of("reconciliation"):
        sizes = fact.data.get("size")
        counts = sizes.items() if isinstance(sizes, dict) else ()
        if parts := [f"{number(count)} {clean(unit)}" for unit, count in counts if isinstance(count, int)]:
            return parts
    return []
