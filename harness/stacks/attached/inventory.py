"""What is in the engine, before a run and after it: what was not the run's own is there still, and the very same.

Of the platform that is drilled everything is told by name and id. Of what else is in the engine only ids are: it is
somebody else's. What other runs of drdrill have in it comes and goes, and is left out.

A volume has no id but its name, and engines say of it when its folder was changed last, and not when it was made. None
is removed while a container has it: who makes another of that name has to make the container anew, which is seen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from harness.stacks.attached.containers import PROJECT
from harness.stacks.docker import engine
from harness.stacks.docker.engine import RUN, told

Kinds = dict[str, dict[str, str]]  # containers, networks, volumes, images: each by its name to its id
SHORT = 12  # letters of an id
ONE = {"containers": "container", "networks": "network", "volumes": "volume", "images": "image"}


def look(*, project: str, ids: Collection[str]) -> dict[str, Any]:
    """`platform`: what carries the project's label, or has one of these ids. `others`: ids of all else, by kind."""
    api = engine.engine().api
    with told("looking at all that is in the engine"):
        listed: dict[str, list[dict[str, Any]]] = {
            "containers": api.containers(all=True),
            "networks": api.networks(),
            "volumes": api.volumes()["Volumes"] or [],
            "images": api.images(),
        }
    platform: Kinds = {kind: {} for kind in listed}
    others: dict[str, list[str]] = {kind: [] for kind in listed}
    used: set[str] = set()
    for kind, found in listed.items():
        for one in found:
            labels = one.get("Labels") or {}
            if RUN in labels:
                continue
            which = str(one.get("Id") or one.get("Name"))
            ours = (project and labels.get(PROJECT) == project) or which in ids or which in used
            if ours:
                platform[kind][_name(kind, one)] = str(one.get("Driver")) if kind == "volumes" else _short(which)
                used |= {one["ImageID"]} if kind == "containers" else set()
            else:
                others[kind].append(_short(which))
    return {"platform": platform, "others": {kind: sorted(found) for kind, found in others.items()}}


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What of the platform is not as it was, in words; empty where all is."""
    said = []
    for kind, one in ONE.items():
        was, is_now = before["platform"][kind], after["platform"][kind]
        said += [f"{one} {name} is gone" for name in was if name not in is_now]
        said += [f"{one} {name} is new" for name in is_now if name not in was]
        both = [name for name in was if name in is_now]
        said += [f"{one} {name} is another one" for name in both if was[name] != is_now[name]]
    return said


def beside(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[str]]:
    """What else came into the engine meanwhile, and went: somebody else's doing, as far as a run can know."""
    was = {f"{ONE[kind]} {which}" for kind, found in before["others"].items() for which in found}
    is_now = {f"{ONE[kind]} {which}" for kind, found in after["others"].items() for which in found}
    return {"came": sorted(is_now - was), "gone": sorted(was - is_now)}


def _name(kind: str, one: Mapping[str, Any]) -> str:
    if kind == "containers":
        return str((one.get("Names") or ["?"])[0]).lstrip("/")
    if kind == "images":
        return str((one.get("RepoTags") or [_short(str(one["Id"]))])[0])
    return str(one["Name"])


def _short(which: str) -> str:
    return which.removeprefix("sha256:")[:SHORT]
