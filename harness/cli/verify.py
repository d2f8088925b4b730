"""`drdrill verify`: the stand-alone verifier as a command; only `--judge` needs more of the harness than it."""

from __future__ import annotations

from pathlib import Path

import click

from harness.errors import Refused
from harness.evidence import verify as verifier
from harness.system.later import fetch


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--key", metavar="FILE|FINGERPRINT", help=verifier.KEY_HELP)
@click.option("--trust", metavar="FILE", type=click.Path(path_type=Path), help=verifier.TRUST_HELP)
@click.option("--json", "as_json", is_flag=True, help=verifier.JSON_HELP)
@click.option("--receipts", metavar="FILE", type=click.Path(path_type=Path), help=verifier.RECEIPTS_HELP)
@click.option("--by-hand", "commands", is_flag=True, help=verifier.BY_HAND_HELP)
@click.option("--judge", is_flag=True, help="Judge the figures again from the records, by the rules of each pack.")
@click.pass_context
def verify(
    context: click.Context,
    *,
    path: Path,
    key: str | None,
    trust: Path | None,
    receipts: Path | None,
    as_json: bool,
    commands: bool,
    judge: bool,
) -> None:
    """Verify the pack, or the folder of packs, at PATH: is it whole, complete, and by whom?

    Answers integrity, completeness and authorship, each with its reasons. With --judge also: are the findings what the
    records give, by the rules that the pack itself names? Without it no figure is judged.
    """
    if as_json and commands:
        raise click.UsageError("--json and --by-hand exclude each other")
    try:
        told = verifier.run(
            path,
            key=key,
            trust=trust,
            receipts=receipts,
            as_json=as_json,
            commands=commands,
            judge=_judged if judge else None,
            say=click.echo,
        )
        context.exit(told)
    except verifier.BadInput as error:
        raise Refused(str(error), hint=error.hint) from None


def _judged(report: verifier.Report) -> tuple[str, str]:
    again = fetch("harness.checks.again:judge_again")(report.path, signed=report.facts.get("verdict", "none"))
    return str(again.outcome), str(again)
