"""What in the acts and looks of a stack file has to agree: each is one thing, and runs where something can run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.plan.lengths import in_words, length_of_time
from harness.plan.text import Text, Where
from harness.stacks.attached.file.agree import is_container, known, one_of
from harness.stacks.attached.file.described import VERBS
from harness.stacks.attached.file.formats import USUAL_WITHIN

SURVIVOR = "${survivor}"
LEADER = "${leader}"
OF_PROBE, OF_TCP = ("passing", "failing"), ("taken", "refused", "silent")


def check(read: Text) -> None:
    """List in `read.problems` whatever does not agree."""
    for where, given in _verbs(read):
        for word in ("do", "undo"):
            _act(read, (*where, word), given[word])
        for word in ("proof", "undone"):
            _look(read, (*where, word), given[word])
    failover = read.values.get("database", {}).get("failover", {})
    for word in ("do", "undo"):
        if isinstance(failover.get(word), Mapping):
            _act(read, ("database", "failover", word), failover[word])
    _rejoin(read)


def _rejoin(read: Text) -> None:
    """One of the two ways back is taken: a server that is safe to start is not made anew."""
    given = read.values.get("database", {})
    if "rejoin" not in given:
        return
    _act(read, ("database", "rejoin"), given["rejoin"])
    longest = read.values.get("safety", {}).get("longest fault")
    within = length_of_time(given["rejoin"]["within"]) if "within" in given["rejoin"] else USUAL_WITHIN
    if longest and within >= length_of_time(longest):
        what = f"may take {in_words(within)}, and after {longest} the guardian has the run end"
        hint = "say a longer `longest fault`: until it is a copy the server is hurt"
        read.problem(("database", "rejoin", "within"), what, hint=hint)
    if given.get("returns") == "as a copy":
        what = "is there, and the file says that a server returns as a copy"
        read.problem(("database", "rejoin"), what, hint="keep one: `returns: as a copy` where starting it is enough")


def _verbs(read: Text) -> Iterator[tuple[Where, Mapping[str, Any]]]:
    for name, given in read.values["components"].items():
        yield from (((*("components", name), verb), given[verb]) for verb in VERBS if verb in given)


def _act(read: Text, where: Where, given: Mapping[str, Any]) -> None:
    one_of(read, where, given, ("run", "http"))
    _place(read, where, given)


def _place(read: Text, where: Where, given: Mapping[str, Any]) -> None:
    if "in" not in given:
        return
    if "run" not in given:
        read.problem((*where, "in"), "is of a command, and there is none", hint="take it out")
    if given["in"] == {"failover": SURVIVOR, "rejoin": LEADER}.get(str(where[1])) and where[0] == "database":
        return
    there = known(read, (*where, "in"), given["in"], read.values["components"], "component")
    if there and not is_container(given["in"], read.values):
        hint = "leave it out, and write how this machine reaches it: [ssh, db1, …]"
        read.problem((*where, "in"), f"{given['in']} is no container", hint=hint)


def _look(read: Text, where: Where, given: Mapping[str, Any]) -> None:
    one_of(read, where, given, ("run", "probe", "tcp"))
    _place(read, where, given)
    for word in ("says", "exits"):
        if word in given and "run" not in given:
            read.problem((*where, word), "is of a command, and there is none", hint="take it out")
    wanted = OF_PROBE if "probe" in given else OF_TCP if "tcp" in given else ()
    if wanted and given.get("is") not in wanted:
        said = f'"{given["is"]}" is not' if "is" in given else "is missing:"
        read.problem((*where, "is"), f"{said} one of {', '.join(wanted)}", hint=f"write is: {wanted[0]}")
    if not wanted and "is" in given:
        read.problem((*where, "is"), "is of a probe or a connection, and there is none", hint="take it out")
    if "probe" in given:
        known(read, (*where, "probe"), given["probe"], read.values.get("probes", {}), "probe")
