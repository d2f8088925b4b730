"""`drdrill report` and `drdrill compare`: what is done with packs that are sealed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from harness.checks import Outcome
from harness.checks.again import Again, judge_again
from harness.cli.exits import EXITS
from harness.cli.output import must_be_alike, put, put_all
from harness.errors import Exit, Refused
from harness.evidence import files
from harness.evidence.numbers import pack_digest
from harness.evidence.run_folder import UNFINISHED, option
from harness.evidence.verify import BadInput, verify_pack
from harness.run import code
from reports import summary_markdown
from reports.build import build
from reports.comparison import compare as comparison
from reports.comparison import page as compare_page
from reports.comparison import text as compare_text
from reports.pack import Pack, read
from reports.words import clean

SEAL = "pack.dsse.json"


@click.command()
@click.argument("pack", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False), help="Where to write (default: PACK.reports)."
)
@click.option("--markdown", is_flag=True, help="Only print a summary for the page of a CI, and write nothing.")
@click.pass_context
def report(context: click.Context, pack: Path, into: Path | None, markdown: bool) -> None:
    """Build every report of a PACK again, beside it; by the same code, the same bytes as those that were sealed.

    Its findings are judged again from its records, by its own rules; where they differ, the page says so on top.

    Exit codes: 0 the same; 1 not the same, by the same code, or other findings; 2 not the same, and the pack is of
    other code, or it cannot be judged again. With --markdown: 0 the findings are what its records give; 1 others; 2 it
    cannot be judged again.
    """
    pack = pack.resolve()
    _must_be_sealed(pack)
    if markdown:
        if into:
            raise Refused("--markdown prints, and writes nothing", hint="leave --into out, or --markdown")
        again = judge_again(pack, signed=_signed(pack))
        click.echo(summary_markdown.markdown(pack, doubts=_doubts(again)), nl=False)
        context.exit(EXITS[again.outcome])
    into = into or pack.with_name(f"{pack.name}.reports")
    if into.resolve().is_relative_to(pack.resolve()):
        raise Refused(f"{into} lies inside the pack", hint="a sealed pack is not written to; choose another folder")
    again = judge_again(pack, signed=_signed(pack))
    built = build(pack, doubts=_doubts(again))
    put_all(into, built)
    differ = False
    for name, content in built.items():
        sealed = pack / name
        same = _same(sealed, content)
        differ = differ or not same
        click.echo(f"{into / name}: {'the same as sealed' if same else 'DIFFERS from the sealed one'}")
    click.echo(f"{pack.name}: {clean(again)}")
    if again.outcome is Outcome.MISSED or not differ:
        context.exit(EXITS[again.outcome])
    harness = read(pack).begin.get("harness")
    theirs = harness if isinstance(harness, dict) else {}
    ours = code.machine()
    if theirs.get("digest") == ours["digest"]:
        context.exit(Exit.MISSED)
    click.echo(
        f"the pack is of the code of commit {clean(theirs.get('commit') or 'unknown')}, "
        f"this is {ours['commit'] or 'unknown'}: check out that one to compare bytes;"
    )
    click.echo("whether the pack is what was sealed, `drdrill verify` says")
    context.exit(Exit.UNKNOWN)


def _same(path: Path, expected: bytes) -> bool:
    try:
        return files.content(path, largest=len(expected)) == expected
    except OSError:
        return False


def _must_be_sealed(pack: Path) -> None:
    if not (pack / SEAL).is_file():
        hint = "name a folder that `drdrill run` has sealed"
        if pack.name.endswith(UNFINISHED) and pack.is_dir():
            heal = f"`drdrill heal{option(pack.parent)}`"
            hint = f"its run goes on, or was killed: then {heal} seals it; name its pack after that"
        raise Refused(f"{pack} is not a sealed pack", hint=hint)


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.option(
    "--output",
    metavar="FILE.html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it as one page with pictures, too.",
)
def compare(a: Path, b: Path, as_json: bool, output: Path | None) -> None:
    """Show two packs, A and B, side by side: figures, what their error bars allow to claim, and how the runs differ.

    Nothing is judged: the exit code is 0 whatever the figures are, and 3 where A and B cannot be compared.
    """
    for pack in (a, b):
        _must_be_sealed(pack)
    if pack_digest(a, version=2) == pack_digest(b, version=2):  # also where somebody has signed one of them since
        raise Refused(f"{a} and {b} are the same pack", hint="name the packs of two runs")
    if output:
        _must_be_writable(output, a, b)
    again = [judge_again(pack) for pack in (a, b)]
    compared = comparison.compare(*(_doubted(pack, one) for pack, one in zip((a, b), again, strict=True)))
    for pack, one in zip((a, b), again, strict=True):
        if one.differs:
            raise Refused(f"{pack}: {one}", hint="its findings are not to be believed: ask whoever sealed it")
    page = compare_page.html(compared).encode() if output else b""
    click.echo(comparison.as_json(compared) if as_json else compare_text.lines(compared), nl=False)
    if output:
        must_be_alike(output, page)
        put(output, page)
        click.echo(f"The page: {output}", err=as_json)


def _signed(pack: Path) -> object:
    """The verdicts that the seal names; whether it fits is not asked here."""
    try:
        return verify_pack(pack).facts.get("verdict", "none")
    except (BadInput, OSError):
        return "none"


def _doubts(again: Again) -> tuple[str, ...]:
    if again.differs:
        return (f"DO NOT BELIEVE THESE FINDINGS: {again}",)
    if again.why_not:
        return (f"NOT JUDGED AGAIN: {again.why_not}. Nobody can say whether the records give these findings.",)
    return ()


def _doubted(pack: Path, again: Again) -> Pack:
    """The pack; that nobody can judge it again is one of its problems."""
    found = read(pack)
    return replace(found, problems=(*found.problems, str(again))) if again.why_not else found


def _must_be_writable(output: Path, *packs: Path) -> None:
    for pack in packs:
        if output.resolve().is_relative_to(pack.resolve()):
            raise Refused(f"{output} lies inside the pack", hint="a sealed pack is not written to; choose another file")
    if not output.parent.is_dir():
        raise Refused(f"{output}: there is no folder {output.parent}", hint="make the folder, or choose another file")
