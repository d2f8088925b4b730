"""`drdrill doctor`: what this machine allows, and what would lift it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import click

from harness.cli.options import as_json
from harness.errors import DrillError, Exit, NotReady, Refused
from harness.evidence.run_folder import DISK_WANTED as DISK
from harness.stacks.docker import engine, image
from harness.stacks.local import sandbox
from harness.stacks.local.extra import EXTRA
from harness.stacks.local.sandbox import Tried
from harness.system import environment as surroundings
from harness.system.later import fetch


@click.command()
@as_json
@click.pass_context
def doctor(context: click.Context, *, as_json: bool) -> None:
    """Try what this machine allows, and say what would lift it."""
    tried = [sandbox.attempt(name) for name in sandbox.NAMES]
    best = next((one for one in tried if one.ok), None)
    free = shutil.disk_usage(Path.cwd()).free
    containers = _containers()
    powers = _powers(best.name) if best else []
    ignored = surroundings.ignored()
    proxies = [name for name in surroundings.PROXIES if name in os.environ]
    facts = {
        "sandbox": best.name if best else None,
        "tried": [asdict(one) for one in tried],
        "containers": containers,
        "powers": [asdict(one) for one in powers],
        "ignored": ignored,
        "proxies": proxies,
        "cpus": os.cpu_count(),
        "disk_free_bytes": free,
        "disk_wanted_bytes": DISK,
        "user": "root" if os.geteuid() == 0 else "ordinary",
    }
    if as_json:
        click.echo(json.dumps(facts, indent=1))
    else:
        _print(tried, best, free, containers, powers)
        _print_ignored(ignored, proxies)
        if best:
            click.echo(f"the embedded stack will use the sandbox level {best.name!r}")
    if best is None:
        raise DrillError("this machine allows no embedded stack", hint=tried[-1].lift)
    if not powers[0].ok:
        raise NotReady(f"the embedded stack does not start: {powers[0].why}", hint=powers[0].lift)
    context.exit(Exit.MET if free > DISK else Exit.REFUSED)


def _containers() -> dict[str, str]:
    """Whether the container stack can be had: the engine's version and its image, or why not and what would lift it."""
    try:
        found = str(engine.engine().version()["Version"])
        made = "its image is made" if image.there() else "its image is made by the first run"
    except DrillError as error:
        return {"engine": "", "why": error.message, "lift": error.hint}
    return {"engine": found, "why": made, "lift": ""}


def _print(
    tried: list[sandbox.Tried],
    best: sandbox.Tried | None,
    free: int,
    containers: dict[str, str],
    powers: list[sandbox.Tried],
) -> None:
    means = {
        "rootless": "zones are networks of their own, without privilege",
        "privileged": "zones are networks of their own, as root",
        "loopback": "zones are addresses of 127/8: drills that cut a network are UNKNOWN here",
    }
    for one in tried:
        mark = "holds" if one.ok else "does not hold"
        click.echo(f"  {one.name:<11} {mark}: {means[one.name] if one.ok else one.why}")
        if one.lift:
            click.echo(f"  {'':<11} to lift it: {one.lift}")
    click.echo(
        f"  {'disk':<11} {free / 1e9:.1f} GB free, {DISK / 1e9:.0f} GB wanted{'' if free > DISK else ': too little'}"
    )
    click.echo(f"  {'cores':<11} {os.cpu_count()}")
    engine_of = f"holds: Docker {containers['engine']}, " if containers["engine"] else "does not hold: "
    click.echo(f"  {'containers':<11} {engine_of}{containers['why']}")
    if containers["lift"]:
        click.echo(f"  {'':<11} to lift it: {containers['lift']}")
    for one in powers:
        click.echo(f"  {one.name:<11} {'holds' if one.ok else f'does not hold: {one.why}'}")
        if one.lift:
            click.echo(f"  {'':<11} to lift it: {one.lift}")


def _print_ignored(ignored: list[str], proxies: list[str]) -> None:
    """What of the caller's environment decides nothing, and what a proxy is still for."""
    if ignored:
        click.echo(f"  {'ignored':<11} yours, and handed to no part of a stack: {', '.join(ignored)}")
    if proxies:
        click.echo(f"  {'proxy':<11} only for what is fetched from outside (bin/set-up, the base of the image)")


def _powers(level: str) -> list[Tried]:
    """What a stack on that level can do, tried on a real one; only this wants all that stacks stand on."""
    try:
        EXTRA.must_be_installed()
    except Refused as error:
        return [Tried("stack", ok=False, why=error.message, lift=error.hint)]
    tried, latency = fetch("harness.stacks.local.trial:tried"), fetch("harness.stacks.local.probe:latency")
    return [tried(level), latency(level)]
