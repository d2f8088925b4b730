"""`drdrill report` and `drdrill verify`: what is done with packs that are sealed."""

from __future__ import annotations

from pathlib import Path

import click

from harness.errors import Exit, Refused
from harness.evidence import verify as verifier
from reports import build


@click.command()
@click.argument("pack", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False), help="Where to write (default: PACK.reports)."
)
@click.pass_context
def report(context: click.Context, pack: Path, into: Path | None) -> None:
    """Build every report of a PACK again, beside it; the same bytes as those that were sealed."""
    pack = pack.resolve()
    if not (pack / "pack.dsse.json").is_file():
        raise Refused(f"{pack} is not a sealed pack", hint="name a folder that `drdrill run` has sealed")
    into = into or pack.with_name(f"{pack.name}.reports")
    if into.resolve().is_relative_to(pack.resolve()):
        raise Refused(f"{into} lies inside the pack", hint="a sealed pack is not written to; choose another folder")
    built = build(pack)
    into.mkdir(parents=True, exist_ok=True)
    differ = False
    for name, content in built.items():
        (into / name).write_bytes(content)
        sealed = pack / name
        same = sealed.is_file() and sealed.read_bytes() == content
        differ = differ or not same
        click.echo(f"{into / name}: {'the same as sealed' if same else 'DIFFERS from the sealed one'}")
    context.exit(Exit.MISSED if differ else Exit.MET)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def verify(context: click.Context, words: tuple[str, ...]) -> None:
    """Verify a PACK or a FOLDER of packs: [--key FILE|FINGERPRINT] [--json] PATH."""
    context.exit(verifier.main(list(words)))
