"""`drdrill prove`: a drill that has only ever been green is no evidence, so it is run on broken recoveries too."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from harness.checks import Outcome
from harness.cli import options
from harness.cli.run import RunRequest, carry_out, choose, must_be_breakable
from harness.errors import DrillError, Exit, Refused
from harness.evidence.lines import NAME as JOURNAL
from harness.evidence.lines import read
from harness.evidence.run_folder import PROOF
from harness.evidence.verify import verify_pack
from harness.features.catalog import Drill, Scenario, name_of
from harness.project import Project
from harness.run import code
from harness.run.run import new_id
from harness.run.sabotage import Twin
from harness.safety import block
from harness.stacks.brought_up import BroughtUp
from harness.stacks.kinds import Kind
from reports.words import clean


@dataclass(frozen=True)
class Proof:
    """One line of the table: what had to come out, and what did."""

    name: str
    wanted: str
    got: str
    ok: bool
    why: str
    pack: str
    said: str  # by the findings that it is about


@click.command()
@click.argument("name")
@click.option("--only", default="", metavar="SCENARIO", help="Only this scenario, by its title, and its twins.")
@click.option("--twin", "named", multiple=True, help="Only this twin; may be repeated. The sound drill is always run.")
@click.option(
    "--sound",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="PACK",
    help="Take the unsabotaged drill from this pack of the same code, plan and features, and do not run it again.",
)
@options.stack
@options.level
@options.scale
@options.evidence
@options.as_json
@options.project
@click.pass_context
def prove(
    context: click.Context,
    *,
    project: Project,
    name: str,
    only: str,
    named: tuple[str, ...],
    sound: Path | None,
    stack: str,
    level: str | None,
    scale: float,
    evidence: Path,
    as_json: bool,
) -> None:
    """Run the drill NAME (or all of a month: monthly) as it is, which must be MET, and on every sabotaged recovery,
    which must not.

    Each twin names the finding that must notice and what it must say; red for another reason fails the proof.
    """
    chosen = choose(project, name, only)
    scenarios = [each for drill in chosen for each in drill.scenarios if not only or each.name == name_of(only)]
    twins = _twins(project, chosen, scenarios, named)
    block.must_be_free(evidence)
    if not as_json:
        options.say_which(project)
    kind = project.kind(stack)
    kind.maker.must_fit(level=level)
    if kind.maker.stands and not (twins and all(twin.sabotage.beside_alone for twin in twins)):
        hint = "prove it on a stack that the run makes: `compose: stands: for the run`, or another --stack"
        raise Refused("a platform that stands is not broken on purpose", hint=hint)
    kind.maker.prepare((lambda _: None) if as_json else click.echo)
    _must_be_exercised(project, scenarios, kind, level)
    must_be_breakable(twins, kind, level)
    folder = evidence / f"{PROOF}{new_id()}"
    drills = ",".join(drill.name for drill in chosen)
    plain = RunRequest(
        project=project.folder,
        evidence=folder,
        drill=drills,
        only=only,
        stack=kind,
        level=level,
        scale=scale,
        stream=next(iter(project.load_plan().streams)),  # of a folder of its own
        on=BroughtUp(kind.maker.stands) if kind.maker.stands else None,  # held, with this file: as `drdrill run` does
    )
    found = _of_pack(sound, project, kind) if sound else _carry_out(plain, "unsabotaged", as_json)
    proofs = [_unsabotaged(scenario, found) for scenario in scenarios]
    for twin in twins:
        block.must_be_free(evidence)  # somebody may have stopped the run before
        request = replace(plain, drill=_drill_of(project, twin, chosen), only=twin.scenario, sabotage=twin.name)
        proofs.append(_sabotaged(twin, _carry_out(request, twin.name, as_json)))
    folder.mkdir(parents=True, exist_ok=True)  # where no run could begin there is none yet
    (folder / "proof.json").write_text(json.dumps([vars(proof) for proof in proofs], indent=1) + "\n")
    if as_json:
        click.echo(json.dumps([vars(proof) for proof in proofs], indent=1))
    else:
        _print(proofs, folder)
    if not all(proof.ok for proof in proofs):
        context.exit(Exit.MISSED)
    if not twins:
        click.echo("nothing was sabotaged: that the drill can fail is not shown", err=as_json)
    context.exit(Exit.MET if twins else Exit.UNKNOWN)


def _twins(
    project: Project, chosen: Sequence[Drill], scenarios: Sequence[Scenario], named: Sequence[str]
) -> list[Twin]:
    """The twins that are meant. Errors: `Refused`."""
    known = [drill.name for drill in project.drills()]
    if strange := sorted(set(project.twins) - set(known)):
        raise Refused(
            f"{project.where('twins')}: there are twins of the drill {strange[0]!r}, which the calendar does not have",
            hint=f"drills: {', '.join(known)}",
        )
    for drill in chosen:
        _must_be_of_a_scenario(project, drill)
    meant = {scenario.name for scenario in scenarios}
    listed = [twin for drill in chosen for twin in project.twins.get(drill.name, ()) if name_of(twin.scenario) in meant]
    if unknown := set(named) - {twin.name for twin in listed}:
        names = ", ".join(twin.name for twin in listed) or "none"
        raise Refused(f"there is no twin {', '.join(sorted(unknown))} here", hint=f"there are: {names}")
    return [twin for twin in listed if not named or twin.name in named]


def _must_be_exercised(project: Project, scenarios: Sequence[Scenario], kind: Kind, level: str | None) -> None:
    """Errors: `Refused`, with every scenario that the kind of stack lacks something for: it would never be MET."""
    offer = kind.offer(level=level)
    lacking = {scenario.title: project.lacking(scenario, offer) for scenario in scenarios}
    if said := [f"{title}: {'; '.join(map(str, lacks))}" for title, lacks in lacking.items() if lacks]:
        head = f"not exercised on stacks of the kind {kind.name}, so nothing can be proved of it: "
        raise Refused(head + "\n".join(said), hint="prove it on another kind of stack, or one scenario: --only")


def _must_be_of_a_scenario(project: Project, drill: Drill) -> None:
    """Errors: `Refused` where a twin of the drill would never be run."""
    titles = [scenario.title for scenario in drill.scenarios]
    for twin in project.twins.get(drill.name, ()):
        if name_of(twin.scenario) not in map(name_of, titles):
            raise Refused(
                f"{project.where('twins')}: the twin {twin.name} is of a scenario that {drill.name} does not have:"
                f" {twin.scenario!r}",
                hint=f"it has: {'; '.join(titles)}",
            )


def _drill_of(project: Project, twin: Twin, chosen: Sequence[Drill]) -> str:
    return next(drill.name for drill in chosen if twin in project.twins.get(drill.name, ()))


def _unsabotaged(scenario: Scenario, found: Mapping[str, Any]) -> Proof:
    got = str(found.get("verdicts", {}).get(scenario.name, "no verdict"))
    why = "the same scenario, not sabotaged"
    said = [
        f"{one['id']} {one['outcome']}: {one['reason']}"
        for one in found.get("findings", [])
        if one["scenario"] == scenario.name and one["outcome"] != Outcome.MET and not one["advisory"]
    ]
    return Proof(scenario.title, "MET", got, got == Outcome.MET, why, str(found["pack"]), "; ".join(said))


def _sabotaged(twin: Twin, found: Mapping[str, Any]) -> Proof:
    said = {one["id"]: one["outcome"] for one in found.get("findings", [])}
    reason = next((one["reason"] for one in found.get("findings", []) if one["id"] == twin.finding), "")
    wanted = f"{twin.finding} {' or '.join(sorted(twin.outcomes))}"
    got = f"{twin.finding} {said.get(twin.finding, 'not asked')}, verdict {found.get('verdict', 'none')}"
    ok = said.get(twin.finding) in twin.outcomes and found.get("verdict") in (Outcome.MISSED, Outcome.UNKNOWN)
    return Proof(twin.name, wanted, got, ok, twin.why, str(found["pack"]), reason)


def _of_pack(pack: Path, project: Project, stack: Kind) -> dict[str, Any]:
    """The findings of a pack that is sealed, whole, not sabotaged, and of what is here now. Errors: `Refused`."""
    if verify_pack(pack).answer("integrity") != Outcome.MET:
        raise Refused(f"{pack} is not whole", hint=f"drdrill verify {shlex.quote(str(pack))}")
    begin = read(pack / JOURNAL)[0].data
    theirs = dict(begin["digests"])
    theirs |= {name: begin[name]["digest"] if begin[name] else None for name in ("harness", "project")}
    now = code.digests(project.load_plan(), project.features, contacts=project.contacts, stack_file=stack.file)
    now |= {"harness": code.digest_of_machine(), "project": code.digest_of_project(project.code)}
    differs = [name for name, digest in now.items() if theirs.get(name) != digest]
    if differs or begin["sabotage"] or begin["stack"] != stack.name:
        what = (
            f"other {', '.join(differs)}" if differs else "sabotage" if begin["sabotage"] else "another kind of stack"
        )
        raise Refused(f"{pack} is of {what}", hint="run the drill once more, or leave --sound out")
    return {**json.loads((pack / "findings.json").read_text()), "pack": str(pack)}


def _carry_out(request: RunRequest, title: str, quiet: bool) -> dict[str, Any]:
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
    click.echo("\nwhat had to come out, as it is and with the recovery broken on purpose, and what did")
    for proof in proofs:
        mark = "as it must be" if proof.ok else "NOT AS IT MUST BE"
        click.echo(f"  {proof.name:<{width}}  wanted {proof.wanted}; got {proof.got}: {mark}")
        click.echo(f"  {'':<{width}}  {proof.why}")
    for proof in proofs:
        if not proof.ok:
            click.echo(f"NOT AS IT MUST BE: {proof.name}: {proof.got}: {clean(proof.said) or 'no finding says why'}")
    good = sum(proof.ok for proof in proofs)
    click.echo(f"{good} of {len(proofs)} as they must be; packs and table: {folder}")
