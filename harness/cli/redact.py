"""`drdrill redact`: a copy of a pack that shows less, and still verifies."""

from __future__ import annotations

from pathlib import Path

import click

from harness.evidence.verify import counted
from harness.evidence.withhold import redact_copy


@click.command()
@click.argument("pack", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("into", type=click.Path(path_type=Path))
@click.option("--line", "lines", type=int, multiple=True, metavar="N", help="A line of the journal; the first is 1.")
@click.option("--file", "files", multiple=True, metavar="NAME", help="A whole file, such as a ledger or a log.")
def redact(pack: Path, into: Path, lines: tuple[int, ...], files: tuple[str, ...]) -> None:
    """Copy PACK to INTO with lines of its journal, or whole files, withheld: their digests lie in their place.

    The copy has the same seal and verifies; what is withheld leaves completeness UNKNOWN. Other files stay as they
    are: what a line says may stand in a report, too.
    """
    redact_copy(pack, into, lines, files)
    withheld = [counted(many, what) for many, what in ((len(set(lines)), "line"), (len(set(files)), "file")) if many]
    click.echo(f"{into}: a copy without {' and '.join(withheld)}")
