"""What in a stack file has to agree: names that are used are there, one of two ways is taken, no secret is in it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.evidence.redact import Redactor
from harness.plan.lengths import in_words, length_of_time
from harness.plan.text import Text, Where
from harness.stacks.attached.file import acts_agree, backups, safety
from harness.stacks.attached.file.agree import is_container, known, one_of, texts
from harness.stacks.attached.file.described import FOR_THE_RUN, NEVER, VERBS
from harness.stacks.attached.file.formats import SECRET, placeholders

# What `${…}` may stand for, by the part of the file; secrets besides, but for the parts of NO_SECRET.
STANDS_FOR = {
    "components": {"address"}, "probes": {"address"}, "database": {"address", "host", "port"},
}  # fmt: skip  # a table
OF_COMMANDS = {"fetch": {"id", "into"}, "wal": {"id", "into"}}  # of backups
OF_AN_ACT = {"failover": {"address", "survivor"}, "rejoin": {"address", "server", "leader"}}  # of the database
NO_SECRET = ("platform", "zones", "customers", "alerts", "secrets", "compose")
TIMEOUT = timedelta(seconds=5)  # of `harness.workload.workload`: what an answer later than that means is fixed
PORTS = {"http": 80, "https": 443}


def check(read: Text, base: Path) -> None:
    """List in `read.problems` whatever does not agree."""
    given: dict[str, Any] = read.values
    _made_of_something(read)
    given.setdefault("components", {})
    _holds_no_secret(read)
    _placeholders(read)
    for name, secret in given.get("secrets", {}).items():
        one_of(read, ("secrets", name), secret, ("env", "file", "command"))
    _compose(read, base)
    for name in given["components"]:
        _component(read, name)
    for name, probe in given.get("probes", {}).items():
        one_of(read, ("probes", name), probe, ("http", "tcp"))
    acts_agree.check(read)
    _customers(read)
    _database(read)
    if "alerts" in given:
        one_of(read, ("alerts",), given["alerts"], ("receive", "poll"))
    backups.check(read)
    safety.check(read, base)
    _private(read)


def _made_of_something(read: Text) -> None:
    """Without a component nothing can be hurt, and without a backup nothing restored."""
    if "components" not in read.values and not isinstance(read.values.get("backups"), dict):
        read.problem(("components",), "is missing, and so is backups", hint='add "components", or "backups"')


def _private(read: Text) -> None:
    """An alias stands for one word, and no part of the platform is called by one: it would be called otherwise."""
    given: dict[str, Any] = read.values
    named = {name for part in ("components", "zones", "probes", "secrets") for name in given.get(part, {})}
    words: list[str] = []
    for alias, word in given.get("private", {}).items():
        looking = Redactor(aliases={word: alias})
        for name in sorted({*named, alias, given["platform"]["name"]}):
            if any(looking.hits(name)):
                read.problem(("private", alias), f'"{word}" is in the name "{name}"', hint=f'call "{name}" otherwise')
        if word.lower() in words:
            read.problem(("private", alias), f'"{word}" has an alias already', hint="give each word one")
        words.append(word.lower())


def _holds_no_secret(read: Text) -> None:
    """It goes into every pack. What only looks like one is a problem, too: nobody can tell the two apart there."""
    looks = Redactor()
    for where, said in texts(read.values):
        beside = f"{where[-1]}: {said}" if isinstance(where[-1], str) else said
        for hit in [*looks.hits(said), *looks.hits(beside)][:1]:
            hint = "name it under secrets, and write ${secret:NAME} here"
            read.problem(where, f"holds what looks like a secret ({hit.what})", hint=hint)


def _placeholders(read: Text) -> None:
    secrets = read.values.get("secrets", {})
    for where, said in texts(read.values):
        part = str(where[0])
        for name in placeholders(said):
            if name.startswith(SECRET) and part not in NO_SECRET:
                known(read, where, name.removeprefix(SECRET), secrets, "secret")
            elif name not in (stands_for := _stands_for(where)):
                words = [*sorted(stands_for), *(() if part in NO_SECRET else (f"{SECRET}NAME",))]
                hint = f"here are known: {', '.join(words)}" if words else "write the value out"
                read.problem(where, f"${{{name}}} stands for nothing here", hint=hint)


def _stands_for(where: Where) -> set[str]:
    """The names that stand for something there, secrets besides."""
    if where == ("backups", "image"):
        return {"version"}
    if where[0] == "backups" and len(where) > 4 and where[3] == "commands":
        return OF_COMMANDS.get(str(where[4]), set())
    act = OF_AN_ACT.get(str(where[1])) if where[0] == "database" and len(where) > 1 else None
    return act or STANDS_FOR.get(str(where[0]), set())


def _compose(read: Text, base: Path) -> None:
    given = read.values.get("compose", {})
    if given.get("stands") == FOR_THE_RUN and "files" not in given:
        read.problem(("compose", "files"), "is missing, and it is brought up for the run", hint='add "files"')
    for at, name in enumerate(given.get("files", ()) if given.get("stands") == FOR_THE_RUN else ()):
        if not (base / name).is_file():
            read.problem(("compose", "files", at), f"there is no file {name} in {base}", hint="name the compose file")


def _component(read: Text, name: str) -> None:
    whole: dict[str, Any] = read.values
    given, where = whole["components"][name], ("components", name)
    if "zone" in given:
        known(read, (*where, "zone"), given["zone"], whole.get("zones", {}), "zone")
    which = [word for word in ("service", "container", "label") if word in given]
    if len(which) > 1:
        read.problem((*where, which[1]), f"is there, and so is {which[0]}", hint="keep one of them")
    if "service" in given and "compose" not in whole:
        read.problem((*where, "service"), "is of a compose project, and there is none", hint='add "compose"')
    if "label" in given and "=" not in given["label"]:
        read.problem((*where, "label"), f'"{given["label"]}" is no label', hint="write it as key=value")
    own = [verb for verb in VERBS if verb in given]
    if given.get("hurt") == NEVER and own:
        read.problem((*where, own[0]), "is there, and it is never to be hurt", hint="take one of the two out")
    if "alive" in given:
        known(read, (*where, "alive"), given["alive"], whole.get("probes", {}), "probe")
        _asked_at_its_address(read, name)
    if "log" in given and is_container(name, whole):
        read.problem(
            (*where, "log"), "is of what is no container: a container's log is the engine's", hint="take it out"
        )
    if not is_container(name, whole) and "alive" not in given and "kill" not in given:
        hint = "say which container it is, or name a probe under alive"
        read.problem(where, "nothing shows whether it runs", hint=hint)


def _asked_at_its_address(read: Text, name: str) -> None:
    probe = read.values.get("probes", {}).get(read.values["components"][name]["alive"], {})
    if "${address}" in str(probe) and not is_container(name, read.values):
        hint = "write its address into a probe of its own"
        read.problem(("components", name, "alive"), "the probe asks at ${address}, and it is no container", hint=hint)


def _customers(read: Text) -> None:
    given = read.values.get("customers")
    if given and length_of_time(given.get("timeout", "5 s")) != TIMEOUT:
        what = f"{given['timeout']} is not how long customers wait: that is {in_words(TIMEOUT)}"
        read.problem(("customers", "timeout"), what, hint="write 5 s, or leave it out")
    at = given["at"] if given else []
    urls = [urlsplit(each) for each in (at if isinstance(at, list) else [at])]
    if len({(each.scheme, each.port or PORTS[each.scheme]) for each in urls}) > 1:
        hint = "a load balancer or a name in front of them has one"
        read.problem(("customers", "at"), "has several schemes or ports, and customers come in by one", hint=hint)


def _database(read: Text) -> None:
    given = read.values.get("database", {})
    for name, at in given.get("members", {}).items():
        where = ("database", "members", name)
        there = known(read, where, name, read.values["components"], "component")
        if there and "${address}" in at and not is_container(name, read.values):
            read.problem(where, f"{name} is no container, so it has no ${{address}}", hint="write the address out")
    if given and not {"host", "port"} <= set(placeholders(given["dsn"])):
        hint = "such as: host=${host} port=${port} user=drill dbname=shop"
        read.problem(("database", "dsn"), "has to have ${host} and ${port}: every member is asked by it", hint=hint)
