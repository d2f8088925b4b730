"""`drdrill countersign`: somebody else signs what was sealed, too."""

from __future__ import annotations

from pathlib import Path

import click

from harness.evidence import countersign as signing
from harness.evidence import keys, verify


@click.command()
@click.argument("pack", type=click.Path(path_type=Path))
@click.option("--key", metavar="FILE|FINGERPRINT", help=verify.KEY_HELP)
def countersign(pack: Path, key: str | None) -> None:
    """Add the signature of your own key to a sealed PACK, which has to verify; its digest stays the same.

    Your key is the one that seals your own packs (DRDRILL_KEY=FILE names another). As what you have signed is not in
    the pack: whoever verifies says what you are to them, in a trust file.
    """
    ours = signing.countersign(pack, key=keys.signing_key(make=False), sealed_by=key)
    click.echo(f"{pack}: signed with the key {ours}, too")
    if key is None:
        click.echo("Whose pack it is was not asked: --key FILE|FINGERPRINT says who must have sealed it")
