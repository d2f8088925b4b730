"""The one reader of format 1 of the journal: what a line of version 1 says, in the names of format 2. Pure.

A line is translated where it is read; nothing else in the machine knows the old names. What a line does not say is not
made up, and a damaged one is as damaged afterwards.
"""

from __future__ import annotations

from typing import Any

Data = dict[str, Any]
STREAM = "main"  # the one series that there was
MOVED = {"rung": "sandbox", "machine": "host", "parts": "packages"}
UNKNOWN = "unknown"  # the commit of code that lay in no repository


def begin(data: Data) -> Data:
    """The data of `run.begin`. In format 1 one digest and one commit were of machine and project together."""
    found = {MOVED.get(name, name): value for name, value in data.items()}
    commit, clean = found.pop("commit", None), found.pop("clean", None)
    known = commit not in (None, UNKNOWN)
    digests, packages = found.get("digests"), found.get("packages")
    if isinstance(digests, dict):
        found["digests"] = {name: value for name, value in digests.items() if name != "code"}
    if isinstance(packages, dict):
        found["packages"] = {name: value for name, value in packages.items() if name != "drdrill"}
    harness = {
        "version": packages.get("drdrill") if isinstance(packages, dict) else None,
        "digest": digests.get("code") if isinstance(digests, dict) else None,
        "commit": commit if known else None,
        "clean": clean if known else None,
    }
    new = {
        "stream": STREAM,
        "harness": harness,
        "project": None,
        "rehearsal": False,
        "clock": {"name": "machine", "compression": 1},
    }
    return new | found
