"""The network of two regions, made for real in a sandbox: what is cut, what is not, and how silently."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path

from harness.stacks.local.sandbox import best_level, enter_argv
from harness.system.command import LABEL, end_labelled

LOOKS = """
import json, socket, subprocess, sys
from pathlib import Path
from harness.errors import Unable
from harness.stacks.local.layout import REGIONS
from harness.stacks.local.making import make_network
from harness.stacks.local.network import saved_network
from harness.stacks.local.sandbox import inside
from harness.system.command import Commands
from harness.system.recorder import Memory

label, folder = sys.argv[1:]
commands = Commands(Memory(), label=label)
made = make_network(inside() or "loopback", regions=REGIONS, commands=commands, logs=Path(folder))
network = saved_network(json.loads(json.dumps(made.saved())))  # as another process sees it

def looks():
    said = {}
    for here, host in (("", 11), ("", 15), ("a", 6), ("a", 14), ("edge", 9), ("edge-west", 15), ("west-b", 1)):
        where = repr((network.at(host), 9999))
        code = "import socket\\ntry: socket.create_connection(" + where + ", 1.5)\\n"
        code += "except OSError as error: print(type(error).__name__)"
        words = [*(network.inside(here) if here else []), sys.executable, "-I", "-S", "-c", code]
        said[f"{here or 'outside'} {host}"] = subprocess.run(words, capture_output=True, text=True).stdout.strip()
    return said

found = [looks()]
for region in REGIONS:
    for _ in range(2):
        try:
            network.cut_region(region.name)
        except Unable as unable:
            found.append(unable.message)
    found.append(looks())
    for _ in range(2):
        network.join_region(region.name)
found.append(looks())
made.close()
print(json.dumps(found))
"""
NOBODY_LISTENS, SILENT = "ConnectionRefusedError", "TimeoutError"
EAST, WEST = {"outside 11", "edge 9"}, {"outside 15", "west-b 1"}  # across the trunk of each
WITHIN = {"a 6", "edge-west 15"}


def looked(tmp_path: Path, level: str) -> list[dict[str, str]]:
    label = f"test-{uuid.uuid4().hex[:8]}"
    words = enter_argv(level, [sys.executable, "-c", LOOKS, label, str(tmp_path)])
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, env=_marked(label))
    finally:
        end_labelled(label)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


def _marked(label: str) -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", LABEL: label, "PYTHONPATH": str(Path(__file__).parents[2])}


def test_a_region_that_is_cut_off_is_silent_and_whole(tmp_path: Path) -> None:
    """Within it, and without it, everything goes on; joined, all see each other again. Where zones are no networks it
    is said that nothing can be cut."""
    level = best_level().name
    before, *cut, after = looked(tmp_path, level)
    assert set(before.values()) == set(after.values()) == {NOBODY_LISTENS}
    if level == "loopback":
        assert all("loopback" in said for said in cut if isinstance(said, str)) and len(cut) == 6
        return
    for looks, silent in zip(cut, (EAST, WEST), strict=True):
        assert {way for way, said in looks.items() if said == SILENT} == {*silent, "a 14"}
        assert all(looks[way] == NOBODY_LISTENS for way in WITHIN)


def test_on_loopback_regions_are_addresses_and_nothing_can_be_cut(tmp_path: Path) -> None:
    """What is refused says so."""
    before, *said, after = looked(tmp_path, "loopback")
    refused = [one for one in said if isinstance(one, str)]
    assert before == after and len(refused) == 4 and all("loopback" in one for one in refused)
