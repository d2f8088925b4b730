"""`drdrill prove`: a drill that has only ever been green is no evidence, so it is run on broken recoveries too."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from drills.twins import TWINS
from harness.checks import Outcome
from harness.cli import options
from harness.cli.run import Request, carry_out, choose
from harness.errors import DrillError, Exit, Refused
from harness.folders import PROOF
from harness.run import new_id
from harness.safety import block
from harness.stacks.kinds import prepare


@dataclass(frozen=True)
class Proof:
    """One line of the table: what had to come out, and what did."""

    name: str
    wanted: str
    got: str
    ok: bool
    why: str
    pack: str


@click.command()
@click.argument("name")
@click.option("--twin", "only", multiple=True, help="Only this twin; may be repeated. The sound drill is always run.")
@options.stack
@options.rung
@options.scale
@options.evidence
@options.as_json
@click.pass_context
def prove(
    context: click.Context,
    *,
    name: str,
    only: tuple[str, ...],
    stack: str,
    rung: str | None,
    scale: float,
    evidence: Path,
    as_json: bool,
) -> None:
    """Run the drill NAME as it is, which must be MET, and on every sabotaged recovery, which must not.

    Each twin names the finding that must notice and what it must say; red for another reason fails the proof.
    """
    drill = choose(name, "")[0]
    twins = [twin for twin in TWINS.get(drill.name, ()) if not only or twin.name in only]
    if unknown := set(only) - {twin.name for twin in twins}:
        names = ", ".join(twin.name for twin in TWINS.get(drill.name, ()))
        raise Refused(f"{drill.name} has no twin {', '.join(sorted(unknown))}", hint=f"it has: {names}")
    block.must_be_free(evidence)
    prepare(stack, (lambda _: None) if as_json else click.echo)
    folder = evidence / f"{PROOF}{new_id()}"
    proofs: list[Proof] = []
    plain = Request(evidence=folder, drill=drill.name, stack=stack, rung=rung, scale=scale)
    sound = _carry_out(plain, "unsabotaged", as_json)
    for scenario in drill.scenarios:
        got = sound.get("verdicts", {}).get(scenario.name, "no verdict")
        why = "the same scenario, not sabotaged"
        proofs.append(Proof(scenario.title, "MET", got, got == Outcome.MET, why, sound["pack"]))
    for twin in twins:
        block.must_be_free(evidence)  # somebody may have stopped the run before
        request = replace(plain, only=twin.scenario, sabotage=twin.name)
        found = _carry_out(request, twin.name, as_json)
        said = {one["id"]: one["outcome"] for one in found.get("findings", [])}
        wanted = f"{twin.finding} {' or '.join(sorted(twin.outcomes))}"
        got = f"{twin.finding} {said.get(twin.finding, 'not asked')}, verdict {found.get('verdict', 'none')}"
        ok = said.get(twin.finding) in twin.outcomes and found.get("verdict") in (Outcome.MISSED, Outcome.UNKNOWN)
        proofs.append(Proof(twin.name, wanted, got, ok, twin.why, found["pack"]))
    folder.mkdir(parents=True, exist_ok=True)  # where no run could begin there is none yet
    (folder / "proof.json").write_text(json.dumps([vars(proof) for proof in proofs], indent=1) + "\n")
    if as_json:
        click.echo(json.dumps([vars(proof) for proof in proofs], indent=1))
    else:
        _print(proofs, folder)
    context.exit(Exit.MET if all(proof.ok for proof in proofs) else Exit.MISSED)


def _carry_out(request: Request, title: str, quiet: bool) -> dict[str, Any]:
    if not quiet:
        click.echo(f"\n=== {title} ===")
    try:
        pack = carry_out(request, quiet=quiet)
    except DrillError as error:
        click.echo(f"error: {error.message}\nHINT: {error.hint}", err=True)
        return {"pack": ""}
    return {**json.loads((pack / "findings.json").read_text()), "pack": str(pack)}


def _print(proofs: list[Proof], folder: Path) -> None:
    width = max(len(proof.name) for proof in proofs)
    click.echo("\nproof that this drill can fail")
    for proof in proofs:
        mark = "as it must be" if proof.ok else "NOT AS IT MUST BE"
        click.echo(f"  {proof.name:<{width}}  wanted {proof.wanted}; got {proof.got}: {mark}")
        click.echo(f"  {'':<{width}}  {proof.why}")
    good = sum(proof.ok for proof in proofs)
    click.echo(f"{good} of {len(proofs)} as they must be; packs and table: {folder}")
