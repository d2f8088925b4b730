"""`drdrill sweep`: remove what dead runs have left in the Docker engine, also where their folder is gone."""

from __future__ import annotations

import click

from harness.stacks.docker import engine, image
from harness.system.command import labelled


@click.command()
@click.option("--images", is_flag=True, help="Remove the images too; the next run makes them anew.")
def sweep(*, images: bool) -> None:
    """Remove containers, networks and volumes of runs that are dead. Those of others are left alone."""
    dead = [run for run in engine.runs() if not labelled(run)]
    for run in dead:
        click.echo(f"{run}: {engine.remove(run)} containers, networks and volumes removed")
    if not dead:
        click.echo("no dead run has left anything")
    for name in image.remove() if images else ():
        click.echo(f"{name}: removed")
