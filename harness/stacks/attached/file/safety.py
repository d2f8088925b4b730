"""What a stack file says under `safety`: what of it has to agree, and as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.plan.lengths import in_words, length_of_time
from harness.plan.text import Text, Where
from harness.stacks.attached.file import described, formats, times
from harness.stacks.attached.file.agree import known, one_of
from harness.stacks.attached.file.described import ALL, PRODUCTION

WAYS = ("probe", "prometheus", "file", "url")  # to ask a condition
BELONGS = {  # a field to the way that it is of
    "of": ("probe",), "fails for": ("probe",), "at": ("prometheus",), "above": ("prometheus",),
    "below": ("prometheus",), "says": ("url",), "headers": ("prometheus", "url"), "timeout": ("prometheus", "url"),
}  # fmt: skip  # a table
WANTS = {"prometheus": "at", "url": "says"}
IN_PRODUCTION = ("blast radius", "may", "longest fault", "abort when")  # what has to be said there
SOON = timedelta(seconds=2)
LONGEST_TIMEOUT = timedelta(seconds=10)


def check(read: Text, base: Path) -> None:
    """List in `read.problems` whatever does not agree."""
    given = read.values.get("safety", {})
    for at, name in enumerate(given.get("protected", ())):
        known(read, ("safety", "protected", at), name, read.values["components"], "component")
    for at, condition in enumerate(given.get("abort when", ())):
        _condition(read, ("safety", "abort when", at), condition, base)
    _times(read, given)
    if read.values["platform"]["environment"] == PRODUCTION and read.values["components"]:  # else nothing can be hurt
        for name in IN_PRODUCTION:
            if name not in given:
                read.problem(("safety", name), "is missing, and this is production", hint=f'add "{name}" to safety')


def _described_condition(given: Mapping[str, Any], base: Path) -> described.Condition:
    return described.Condition(
        text=_words(given),
        probe=given.get("probe", ""),
        of=given.get("of", ""),
        fails_for=length_of_time(given["fails for"]) if "fails for" in given else timedelta(0),
        prometheus=given.get("prometheus", ""),
        at=given.get("at", "").rstrip("/"),
        above=float(given["above"]) if "above" in given else None,
        below=float(given["below"]) if "below" in given else None,
        file=base / Path(given["file"]).expanduser() if "file" in given else None,
        url=given.get("url", ""),
        says=given.get("says", ""),
        headers=given.get("headers", {}),
        timeout=length_of_time(given["timeout"]) if "timeout" in given else SOON,
    )


def described_safety(given: Mapping[str, Any], base: Path) -> described.Safety:
    radius = {name: int(number) for name, number in given.get("blast radius", {}).items()}
    longest, writes = given.get("longest fault"), given.get("writes", {})
    return described.Safety(
        components=radius.get("components"),
        zones=radius.get("zones"),
        hosts=radius.get("hosts"),
        may=tuple(given.get("may", ())),
        protected=tuple(given.get("protected", ())),
        longest_fault=length_of_time(longest) if longest else None,
        abort_when=tuple(_described_condition(each, base) for each in given.get("abort when", ())),
        windows=tuple(map(times.window, given.get("windows", ()))),
        not_on=tuple(map(times.days, given.get("not on", ()))),
        time_zone=given.get("time zone", ""),
        confirm=given.get("confirm", ""),
        most_a_second=formats.rate(writes["rate"]) if "rate" in writes else None,
        most_writes=int(writes["number"]) if "number" in writes else None,
    )


def _condition(read: Text, where: Where, given: Mapping[str, Any], base: Path) -> None:
    one_of(read, where, given, WAYS)
    for name, ways in BELONGS.items():
        if name in given and not any(way in given for way in ways):
            read.problem((*where, name), f"is of {' or '.join(ways)}, and there is none", hint="take it out")
    for way, wanted in WANTS.items():
        if way in given and wanted not in given:
            read.problem((*where, wanted), f"is missing, and {way} needs it", hint=f'add "{wanted}"')
    if "above" in given and "below" in given:
        read.problem((*where, "below"), "is there, and so is above", hint="write two conditions")
    if "timeout" in given and length_of_time(given["timeout"]) > LONGEST_TIMEOUT:
        what = f"{given['timeout']} is long for what is asked every second"
        read.problem((*where, "timeout"), what, hint=f"at most {in_words(LONGEST_TIMEOUT)}")
    if "probe" in given:
        _probe(read, where, given)
    if "file" in given and not (base / Path(given["file"]).expanduser()).parent.is_dir():
        read.problem((*where, "file"), f"the folder of {given['file']} is not there", hint="make it: nobody could veto")


def _probe(read: Text, where: Where, given: Mapping[str, Any]) -> None:
    probes, components = read.values.get("probes", {}), read.values["components"]
    if not known(read, (*where, "probe"), given["probe"], probes, "probe"):
        return
    slow = probes[given["probe"]].get("timeout", "2 s")
    if length_of_time(slow) > LONGEST_TIMEOUT:
        hint = f"at most {in_words(LONGEST_TIMEOUT)}: give the condition a probe of its own"
        read.problem((*where, "probe"), f"its timeout of {slow} is long for what is asked every second", hint=hint)
    asked, of = "${address}" in str(probes[given["probe"]]), given.get("of", "")
    if asked and not of:
        hint = f"add of: {ALL}, or of: and a component; or name a probe that is asked at the entrance"
        read.problem((*where, "probe"), "is asked at ${address}, and nobody says of whom", hint=hint)
    elif of and not asked:
        read.problem((*where, "of"), "the probe is asked where it stands, and not of a component", hint="take it out")
    elif of and of != ALL and known(read, (*where, "of"), of, components, "component"):
        if components[of].get("alive") != given["probe"]:
            read.problem((*where, "of"), f"{of} does not name this probe under alive", hint="name one that does")
    elif of == ALL and not any(each.get("alive") == given["probe"] for each in components.values()):
        read.problem((*where, "of"), "no component names this probe under alive", hint="name it there")


def _times(read: Text, given: Mapping[str, Any]) -> None:
    """Whoever heals has no plan: the file itself says in which time zone it means."""
    said = "time zone" in given
    bare = [at for at, text in enumerate(given.get("windows", ())) if not times.window(text).zone and not said]
    hint = "add it behind the window, such as UTC or Europe/Berlin; or add time zone to safety"
    for at in bare:
        read.problem(("safety", "windows", at), "names no time zone", hint=hint)
    if "not on" in given and not said and not any(times.window(text).zone for text in given.get("windows", ())):
        read.problem(("safety", "not on"), "nothing says in which time zone", hint='add "time zone" to safety')


def _words(given: Mapping[str, Any]) -> str:
    """As people call it, in the journal too."""
    if "probe" in given:
        whom = {"": "", ALL: " of all that have it"}.get(given.get("of", ""), f" of {given.get('of')}")
        length = f" for {given['fails for']}" if "fails for" in given else ""
        return f"the probe {given['probe']}{whom} fails{length}"
    if "prometheus" in given:
        bound = next((f" {word} {given[word]}" for word in ("above", "below") if word in given), "")
        return f"the query {given['prometheus']}{bound}"
    return f"a veto in the file {given['file']}" if "file" in given else f"a veto at {given.get('url')}"
