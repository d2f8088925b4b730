"""Runs of drills on the payments desk: by the command that people call, and what their packs say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.evidence.lines import Line, read
from harness.stacks.attached.containers import PROJECT
from harness.stacks.docker.engine import RUN, engine
from tests.paydesks import Desk

ROOT = Path(__file__).parents[2]
LIMIT = 400  # seconds, of a command that hangs


@dataclass(frozen=True)
class Drilled:
    """A run of one scenario."""

    ended: subprocess.CompletedProcess[str]
    pack: Path

    @property
    def lines(self) -> list[Line]:
        return list(read(self.pack / "journal.jsonl"))

    def last(self, kind: str) -> Mapping[str, Any]:
        return self.all(kind)[-1]

    def all(self, kind: str) -> list[Mapping[str, Any]]:
        return [line.data for line in self.lines if line.kind == kind]

    @property
    def findings(self) -> dict[str, Mapping[str, Any]]:
        return {each["id"]: each for each in json.loads((self.pack / "findings.json").read_text())["findings"]}

    @property
    def outcomes(self) -> dict[str, str]:
        return {id: found["outcome"] for id, found in self.findings.items()}

    def not_met(self) -> dict[str, str]:
        """Of those that count."""
        found = self.findings.items()
        return {id: each["outcome"] for id, each in found if each["outcome"] != "MET" and not each.get("advisory")}

    def words(self) -> str:
        """For a test that fails."""
        said = "\n".join(f"{id}: {found['outcome']}: {found['reason']}" for id, found in self.findings.items())
        return f"exit {self.ended.returncode}\n{said}\n{self.ended.stdout[-3000:]}\n{self.ended.stderr[-3000:]}"


def environment(desk: Desk) -> dict[str, str]:
    """With a state of its own, so that nothing stays in anybody's home folder."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(desk.folder.parent / "state")}


def argv(desk: Desk, *words: object) -> list[str]:
    return [sys.executable, "-m", "harness", "--project", str(desk.folder), *map(str, words)]


def drdrill(desk: Desk, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv(desk, *words), cwd=desk.folder, env=environment(desk), capture_output=True, text=True, timeout=LIMIT,
        check=False,
    )  # fmt: skip  # arguments in groups


def of_scenario(desk: Desk, drill: str, scenario: str, *, file: Path | None = None) -> list[object]:
    """The words of its run; each has an evidence folder of its own."""
    evidence = desk.folder.parent / "evidence" / str(len(list(desk.folder.parent.glob("evidence/*"))))
    return ["run", drill, "--only", scenario, "--stack", file or desk.file, "--evidence", evidence, "--json"]


def drilled(desk: Desk, drill: str, scenario: str, *, file: Path | None = None) -> Drilled:
    words = of_scenario(desk, drill, scenario, file=file)
    ended = drdrill(desk, *words)
    assert ended.stdout.strip(), ended.stderr[-4000:]
    return Drilled(ended, Path(json.loads(ended.stdout)["pack"]))


def containers(desk: Desk) -> dict[str, tuple[str, str]]:
    """By name: which it is, and since when it runs: one that was hurt began anew."""
    found = engine().containers.list(all=True, filters={"label": f"{PROJECT}={desk.name}"})
    return {str(one.name): (str(one.id), str(one.attrs["State"]["StartedAt"])) for one in found}


def ids(desk: Desk) -> dict[str, str]:
    return {name: which for name, (which, _) in containers(desk).items()}


def left_in_peace(desk: Desk, run: Drilled, *, fenced: str = "") -> None:
    """Nothing of the run is left; its pack is whole, but for the healing of what is left `fenced`, and holds no key."""
    assert not engine().containers.list(all=True, filters={"label": f"{RUN}={run.pack.name}"})
    everything = b"".join(path.read_bytes() for path in run.pack.rglob("*") if path.is_file())
    assert desk.key.encode() not in everything
    verified = drdrill(desk, "verify", run.pack)
    assert re.search(r"Integrity +MET", verified.stdout), verified.stdout
    wrong = re.findall(r"^ +([a-z-]+): ", verified.stdout.partition("In its own words")[0], re.MULTILINE)
    assert not fenced or "the journal says that it was left fenced" in verified.stdout, verified.stdout
    assert wrong == [*(["unhealed-fault"] if fenced else []), "no-key-given"], verified.stdout


def keys(run: Drilled, kept: str) -> set[str]:
    """Of what customers were told is stored (`ledger`), or of what was read in the end (`rows`), as the desk has it."""
    (folder,) = (run.pack / "scenarios").iterdir()
    name = {"ledger": "ledger-outside.jsonl", "rows": "rows-final-outside.jsonl"}[kept]
    first, *lines = map(json.loads, (folder / name).read_text().splitlines())
    told = [line["n"] for line in lines if kept == "rows" or line["e"] == "acknowledged"]
    return {f"{first['origin']}/{first['group']}-{number}" for number in told}


def stored(run: Drilled) -> str:
    """SQL: what a server has of the customers of this run."""
    return f"select external_id from apipayments where external_id like '{run.pack.name}/%/outside-%'"
