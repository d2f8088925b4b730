"""What a run does not show, in sentences, from its own facts: a reader must not have to guess it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.pack import Pack
from reports.words import clean, number, size

CLASSES = {
    "embedded": "a small stand-in platform of ordinary processes on one machine",
    "containers": "a stand-in platform in containers on one machine",
    "staging": "the staging platform",
    "production": "production",
}
RUNGS = {
    "rootless": "every zone has a network of its own, made without any privilege",
    "privileged": "every zone has a network of its own, made by root",
    "loopback": "zones share the machine's loopback addresses: no network can be cut between them",
}


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
    if begin.get("sabotage"):
        found.append("The recovery was sabotaged on purpose: this run shows that the drill can fail, and nothing else.")
    if begin.get("clean") is False:
        found.append("The code was changed since its last commit: the commit named above is not exactly what ran.")
    decided = pack.facts.of("decided")
    if any(not fact.data.get("attended") for fact in decided):
        found.append("Decision time: not exercised. A stand-in decided at once; people take minutes to hours.")
    left = [
        f"{clean(fact.data.get('what'))} ({clean(fact.data.get('why'))})" for fact in pack.facts.of("not_exercised")
    ]
    if left:
        found.append(f"Not exercised on this machine: {'; '.join(dict.fromkeys(left))}.")
    simulated = _simulated(parts_of(pack))
    if simulated:
        found.append(
            "Simulated: " + "; ".join(simulated) + ". It speaks the protocol of the real service and is an emulator: "
            "its speed, its durability and its permissions are not those of the real one."
        )
    if begin.get("rung") == "loopback":
        found.append(f"Rung loopback: {RUNGS['loopback']}.")
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


def parts_of(pack: Pack) -> dict[str, object]:
    """Components and versions, as the run and its stack named them."""
    found: dict[str, object] = {}
    for fact in pack.facts.of("run.begin", "stack.ready"):
        listed = fact.data.get("packages") or fact.data.get("parts")
        found |= listed if isinstance(listed, dict) else {}
    return found


def _acknowledged(fact: object) -> bool:
    data = getattr(fact, "data", {})
    return bool(data.get("acknowledged"))


def _simulated(parts: dict[str, object]) -> list[str]:
    found = []
    for name, version in parts.items():
        words = f"{name} {version}".lower()
        if "moto" in words:
            found.append(
                f"the object store ({clean(name)}: {clean(version)}) is Moto, an emulator of the S3 protocol: "
                "a simulated store"
            )
        elif "simulated" in words:
            found.append(f"{clean(name)} ({clean(version)})")
    return found


def place_of(begin: Mapping[str, Any]) -> str:
    """Environment class, and of the embedded stack the rung: what every figure carries."""
    environment = clean(begin.get("environment") or "unknown environment")
    rung = clean(begin.get("rung") or "unknown")
    return environment if rung == environment else f"{environment}, rung {rung}"


def size_of(pack: Pack) -> str:
    """The size of what was drilled: `200,412 transactions, 91 MB restored`; what is not known is said to be."""
    parts = []
    for fact in pack.facts.of("reconciliation"):
        sizes = fact.data.get("size")
        counts = sizes.items() if isinstance(sizes, dict) else ()
        parts = [f"{number(count)} {clean(unit)}" for unit, count in counts if isinstance(count, int)]
        if parts:
            break
    restored = [fact.data.get("bytes") for fact in pack.facts.of("recovery.reached")]
    bytes_of = [each for each in restored if isinstance(each, int)]
    if bytes_of:
        parts.append(f"{size(max(bytes_of))} restored")
    return ", ".join(parts) or "size not recorded"
