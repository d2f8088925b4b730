"""A stack file with nothing but backups, and a project whose drill restores them beside: `drdrill init --backups`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.stacks.attached.proposed.files import IGNORED, PLAN, PROJECT, STACK
from harness.stacks.attached.proposed.plan_text import plan_id
from harness.stacks.attached.proposed.stack_text import said
from harness.system import clock

TIER = "the data"
DRILL = "backup-restoration"
FEATURE = f"features/monthly/{DRILL.replace('-', '_')}.feature"


@dataclass(frozen=True)
class Database:
    """One entry of the stack file. `checks`: lines of YAML, proposed from what is in it; `seen`: what its newest backup
    is, in words; `image`: of its version, where this machine has no PostgreSQL of it."""

    name: str
    tool: str
    repository: str
    server: str = ""
    config: str = ""
    system: str = ""
    seen: str = ""
    roles: Sequence[str] = ()  # that it names, and does not bring
    heartbeat: str = ""  # as YAML has it
    number: int = 1  # of backups that are there
    checks: str = ""


@dataclass(frozen=True)
class ProposedBackups:
    name: str
    owner: str
    environment: str
    rto: str
    rpo: str
    databases: Sequence[Database]
    image: str = ""


def files_of(found: ProposedBackups) -> Mapping[str, str]:
    """In the order in which people read them."""
    project = f"format: 1\nname: {said(found.name)}\nplan: {PLAN}\nfeatures: features\ntwins: twins\n"
    return {
        STACK: "\n".join(_stack(found)) + "\n",
        PROJECT: project,
        PLAN: _plan(found),
        FEATURE: _FEATURE,
        "twins.py": _twins(found),
        ".gitignore": IGNORED,
    }


def _stack(found: ProposedBackups) -> Iterator[str]:
    yield "# Backups, and how each of them is restored beside. Written by `drdrill init --backups`."
    yield "# It goes into every pack, so it holds no secret. `drdrill stack check stack.yaml` asks all of it."
    yield "format: 1"
    environment = f"environment: {said(found.environment)}"
    yield f"platform: {{name: {said(found.name)}, owner: {said(found.owner)}, {environment}}}"
    yield ""
    yield "# secrets:  # each by reference, for ${secret:NAME} below: {env: NAME}, {file: ./name.key}"
    yield "#   s3 secret: {env: BACKUPS_SECRET_KEY}"
    yield ""
    yield "backups:"
    yield "  at once: 1        # how many are restored at one time"
    yield "  within: 2 h       # for all of them"
    yield "  # room: 100 GB    # what all places may take; what is free, where nothing is said"
    yield "  # folder: /srv    # where the places are made; beside the evidence, where nothing is said"
    yield f"  {f'image: {said(found.image)}' if found.image else '# image: postgres:${version}'}"
    yield "  # keep: on failure"
    yield "  databases:"
    for each in found.databases:
        yield from _database(each)


def _database(found: Database) -> Iterator[str]:
    yield f"    {said(found.name)}:{f'  # {found.seen}' if found.seen else ''}"
    yield f"      tool: {found.tool}"
    for name in ("repository", "server", "config"):
        if value := getattr(found, name):
            yield f"      {name}: {json.dumps(value)}"
    if found.system:
        whose = "read from the newest backup: compare it with pg_controldata of the original"
        yield f'      system: "{found.system}"  # {whose}'
    yield '      # original: ["db.example.com:5432"]  # FILL IN: what the restored copy must not reach; it is tried'
    if found.roles:
        why = "which it names and does not bring: are they?"
        yield f"      roles kept elsewhere: {json.dumps(list(found.roles))}  # {why}"
    else:
        yield "      # roles: [app]        # that have to be there; extensions: [pgcrypto]"
    if found.checks:
        yield "      checks:  # proposed from what is in the newest backup now: change it to what you know"
        yield from (f"        {line}" for line in found.checks.splitlines())
    else:
        yield "      # checks:  # FILL IN: SQL that gives one number; without any its rows stay UNKNOWN, never green"
        yield "      #   - {name: orders, sql: SELECT count(*) FROM orders, at least: 1000}"
    if found.heartbeat:
        yield f"      heartbeat: {found.heartbeat}  # guessed by its name and columns"
    else:
        yield "      # heartbeat: {table: drill.heartbeat}  # docs/restore-beside.md has the job that writes it"


def _twins(found: ProposedBackups) -> str:
    groups = ["OF_FILES"] if any(each.tool != "pg_dump" for each in found.databases) else []
    groups += ["OF_ALL"] + (["OF_SEVERAL"] if any(each.number > 1 for each in found.databases) else [])
    return f'''\
"""The twins of the drill. `drdrill prove {DRILL} --stack stack.yaml` breaks what was restored, each time in a
place of its own, and the drill has to notice; the original and its backups are only read."""

from harness.restores.twins import DRILL, {", ".join(sorted(groups))}  # and OF_SEQUENCES, where columns have some

TWINS = {{DRILL: ({", ".join(f"*{each}" for each in groups)},)}}
'''


def _plan(found: ProposedBackups) -> str:
    today = clock.now().utc
    findings = "\n".join(f"  {each}: {{demands: [BCK-1]}}" for each in PROVED)
    return f"""\
# What {found.name} promises of its backups, and when that is drilled. Written by `drdrill init --backups`: the figures
# are proposals, and yours to decide. A drill is judged against what stands here, and against nothing else.
format: 2
document:
  id: {plan_id(found.name)}
  name: {said(f"Backups of {found.name}")}
  version: 1
  last_updated: {today:%Y-%m}
  next_review: {today.year + 1}-{today:%m}
  owner: {said(found.owner)}
  approved_by: [{said(found.owner)}]
time_zone: UTC
objectives:
  {TIER}:
    title: {said(found.name)}
    rto: {found.rto}    # a restore takes less than this
    rpo: {found.rpo}    # a disaster now would lose no more than this
    demands: {{rto: OBJ-1, rpo: OBJ-2}}
categories: {{}}
calendar:
  monthly:
    - drill: {DRILL}
      title: Backup Restoration
      when: first Monday
      demand: TST-M1
      at_least: {found.environment}
procedures: {{}}
communication:
  update_every: 30 min
  report_within: 24 h
  acknowledge_within: 5 min
  roles: []
  channels: []
  templates: {{}}
findings:
{findings}
  original-untouched: {{demands: [BCK-2]}}
  place-removed: {{demands: [BCK-2]}}
demands:
  OBJ-1: A restore takes less than {found.rto}
  OBJ-2: A disaster loses at most what was written in {found.rpo}
  BCK-1: What is backed up can be restored, and holds what it must
  BCK-2: A test of backups leaves the original as it was, and nothing behind
  TST-M1: 'Monthly, first Monday: Backup Restoration'
"""


PROVED = ("backup-identity", "restore-complete", "pages-sound", "structure-sound", "rows-proved", "point-in-time")
_FEATURE = f"""\
@monthly @TST-M1
Feature: Backup Restoration
  Once a month the backups are restored into an empty place beside, what is in them is proved, and the place is removed.
  Nothing of the platform is hurt, and its repositories are only read.

  @OBJ-1 @OBJ-2 @BCK-1 @BCK-2
  Scenario: The newest backup of each database can be restored
    Given the backups of every database
    When the newest backup of each is restored into an empty place beside
    Then each holds what it must
    And restoring each takes less than the recovery time of {TIER}
    And no more would be lost now than the recovery point of {TIER} allows
    And the original stays as it was, and nothing is left of the copy

  @OBJ-1 @BCK-1 @BCK-2
  Scenario: A backup that nobody chose can be restored
    Given the backups of every database
    When a backup that the auditor's seed draws is restored into an empty place beside
    Then each holds what it must
    And restoring each takes less than the recovery time of {TIER}
    And the original stays as it was, and nothing is left of the copy
"""
