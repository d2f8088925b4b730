"""`drdrill sweep`: remove what dead runs have left in the Docker engine, or in a folder of places, also where their own
folder is gone."""

from __future__ import annotations

from pathlib import Path

import click

from harness.stacks.docker import engine, image
from harness.system.command import labelled
from harness.system.later import fetch


@click.command()
@click.option("--images", is_flag=True, help="Remove the images too; the next run makes them anew.")
@click.option(
    "--places", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="FOLDER",
    help="Remove only what restores beside have left below this folder.",
)  # fmt: skip  # arguments in groups
def sweep(*, images: bool, places: Path | None) -> None:
    """Remove containers, networks and volumes of runs that are dead. Those of others are left alone."""
    if places is not None:
        for line in fetch("harness.restores.programs.left:sweep")(places) or ["no dead run has left a place there"]:
            click.echo(line)
        return
    dead = [run for run in engine.runs() if not labelled(run)]
    for run in dead:
        click.echo(f"{run}: {engine.remove(run)} containers, networks and volumes removed")
    if not dead:
        click.echo("no dead run has left anything")
    for name in image.remove() if images else ():
        click.echo(f"{name}: removed")
