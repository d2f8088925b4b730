"""Whether each component is there, exactly once, and what it takes to hurt and to heal it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from harness.errors import NotReady, Unable
from harness.stacks.attached.checking import database_asked
from harness.stacks.attached.checking.at_once import Question
from harness.stacks.attached.checking.line import Line
from harness.stacks.attached.checking.platform import Platform
from harness.stacks.attached.file.described import INVERSE, Action, Component, Verb
from harness.stacks.attached.has import can
from harness.stacks.docker import engine, image
from harness.stacks.docker.engine import labels, told

COMPONENTS, ENGINE, ACTS = "components", "engine", "acts"
PROGRAMS = ("sh", "iptables", "ip6tables")  # of what cuts
HELPER_WITHIN = timedelta(seconds=30)  # a container that lives for a moment, on a busy machine


def questions(platform: Platform) -> Iterator[Question]:
    """The engine, the helper, every component, every act of the file."""
    said = platform.said
    if platform.boxes:
        yield Question(ENGINE, "docker", lambda: _engine(platform))
        if cut := [one for one in said.components.values() if _cut_by_helper(platform, one)]:
            yield Question(ENGINE, "what cuts", lambda: _helper(platform), within=HELPER_WITHIN)
            yield from (Question(COMPONENTS, one.name, partial(_alone, platform, one)) for one in cut)
    for one in said.components.values():
        yield Question(COMPONENTS, one.name, partial(_there, platform, one))
        for name, verb in one.verbs.items():
            within = HELPER_WITHIN * 2
            yield Question(ACTS, f"{name} {one.name}", partial(_act, platform, one, name, verb), within=within)
    if said.database and (planned := said.database.failover):
        yield Question(ACTS, "failover", lambda: [_program(platform, "failover", planned.do)])
    if said.database and (own := said.database.rejoin):
        yield Question(ACTS, "rejoin", lambda: [_program(platform, "rejoin", own)])


def _cut_by_helper(platform: Platform, one: Component) -> bool:
    return one.is_container and can(platform.said, one, "cut") and "cut" not in one.verbs


def _engine(platform: Platform) -> list[Line]:
    with told("asking the engine"):
        facts = engine.engine().info()
    lines = [Line(ENGINE, "docker", True, f"version {facts.get('ServerVersion', 'unknown')}")]
    frozen = [one for one in platform.said.components.values() if can(platform.said, one, "pause")]
    if frozen and facts.get("CgroupDriver") == "none":
        hint = "an engine with cgroups can freeze containers; or say `pause` of each in the stack file"
        lines.append(Line(ENGINE, "what freezes", False, "this engine has no cgroups", hint))
    return lines


def _helper(platform: Platform) -> list[Line]:
    """The image whose container cuts: one that the file names is started once, in no network, and asked."""
    named = platform.said.compose.helper if platform.said.compose else ""
    if not named:
        seen = f"{image.name()} is there" if image.there() else "its image is made by the first run, in 1 to 3 minutes"
        hint = "" if image.there() else "drdrill stack image makes it now"
        return [Line(ENGINE, "what cuts", True, seen, hint)]
    from docker.errors import ContainerError, ImageNotFound  # noqa: PLC0415  (an extra)

    asked = "; ".join(f"command -v {name} >/dev/null || echo {name}" for name in PROGRAMS)
    with told(f"asking the image {named}"):
        client = engine.engine()
        try:
            client.images.get(named)
            said: bytes = client.containers.run(
                named, ["-c", asked], entrypoint=["sh"], network_mode="none", remove=True, user="0",
                labels=labels("stack-check", "helper"),
            )  # fmt: skip  # arguments in groups
        except ImageNotFound:
            return [Line(ENGINE, "what cuts", False, f"the engine has no image {named}", f"docker pull {named}")]
        except ContainerError as error:
            return [Line(ENGINE, "what cuts", False, f"{named}: {str(error).splitlines()[0]}", "it needs a shell")]
    lacks = said.decode(errors="replace").split()
    hint = f"`compose: helper:` names an image with {', '.join(PROGRAMS)}, or leave it out" if lacks else ""
    seen = f"{named} has no {', no '.join(lacks)}" if lacks else f"{named} is there, with {', '.join(PROGRAMS)}"
    return [Line(ENGINE, "what cuts", not lacks, seen, hint)]


def _alone(platform: Platform, one: Component) -> list[Line]:
    """Nothing where it can be cut, or is not there, which is said anyway."""
    try:
        platform.boxes[one.name].must_be_alone()
    except Unable as error:
        return [Line(COMPONENTS, f"{one.name} can be cut off", None, error.message, error.hint)]
    except NotReady:
        return []
    return []


def _there(platform: Platform, one: Component) -> list[Line]:
    """Exactly one, and it runs."""
    if not one.is_container:
        return [_runs(platform, one)]
    what = f"{one.name} is there"
    try:
        found = platform.boxes[one.name].look()
    except NotReady as error:  # it is several
        return [Line(COMPONENTS, what, False, error.message, error.hint)]
    if found is None:
        hint = f"docker ps -a; {platform.said.where('components', one.name)} says which one it is"
        return [Line(COMPONENTS, what, False, f"there is no container of {_which(platform, one)}", hint)]
    seen = f"{found.name} ({found.id[:12]}), {found.status}"
    if found.status == "running":
        return [Line(COMPONENTS, what, True, seen)]
    hint = database_asked.way_back(platform, one.name) or f"docker start {found.name}, or whatever its owner does"
    return [Line(COMPONENTS, what, False, seen, hint)]


def _which(platform: Platform, one: Component) -> str:
    if one.container or one.label:
        return one.container or one.label
    project = platform.said.compose.project if platform.said.compose else ""
    return f"the service {one.service} in the compose project {project}"


def _runs(platform: Platform, one: Component) -> Line:
    by = "what shows that its death is undone" if "kill" in one.verbs else f"the probe {one.alive}"
    ok = platform.running(one)
    look = f"{platform.said.where('components', one.name)} says how that is seen; look by hand"
    hint = "" if ok else database_asked.way_back(platform, one.name) or look
    return Line(COMPONENTS, f"{one.name} is there", ok, f"{'runs' if ok else 'does not run'}, by {by}", hint)


def _act(platform: Platform, one: Component, name: str, verb: Verb) -> list[Line]:
    """Its programs are there, and nothing of it is done: its proof is red, and what shows its undoing green."""
    values = platform.values(one)
    where = platform.said.where("components", one.name, name)
    lines = [
        _program(platform, f"{what} {one.name}", act)
        for what, act in ((name, verb.do), (INVERSE[name], verb.undo))
        if act.run
    ]
    for what, look, wanted in (("its proof", verb.proof, False), ("what shows its undoing", verb.undone, True)):
        seen = platform.acts.seen(look, **values)
        ok = seen.ok == wanted
        said = "is green" if wanted else "is red while nothing is done"
        hint = "" if ok else f"{where}: {'mend it' if wanted else 'it would prove a fault that was never there'}"
        lines.append(Line(ACTS, f"{name} {one.name}: {what} {said}", ok, seen.said, hint))
    return lines


def _program(platform: Platform, what: str, act: Action) -> Line:
    """Whether it is there; it is not run."""
    run, place = act.run, act.place
    if not run or place:
        seen = f"in the container of {place}, where nobody looks now" if place else "a request"
        return Line(ACTS, f"{what} can be done", True, f"{' '.join(run[:1]) or 'it is'} {seen}".strip())
    found = shutil.which(platform.said.base / run[0] if "/" in run[0] else run[0])
    hint = "" if found else f"install {run[0]}, or write where it is"
    return Line(ACTS, f"{what} can be done", bool(found), f"{run[0]} {'is there' if found else 'is not there'}", hint)
