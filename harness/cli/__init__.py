"""The command line. Exit codes: 0 met, 1 missed, 2 unknown, 3 refused, 4 the harness itself failed."""

from __future__ import annotations

import click

from harness.cli.decide import decide
from harness.cli.doctor import doctor
from harness.cli.duties import calendar, gate, history
from harness.cli.heal import heal
from harness.cli.list import list_drills
from harness.cli.packs import compare, report, verify
from harness.cli.prove import prove
from harness.cli.run import run
from harness.cli.stack import stack
from harness.cli.stop import resume, stop
from harness.cli.sweep import sweep
from harness.cli.watch import watch


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="drdrill")
def drdrill() -> None:
    """Disaster recovery drills: hurt a real stack, time the recovery, seal the evidence.

    Exit codes: 0 every objective met, 1 one missed, 2 unknown (never green), 3 refused (bad input, not safe),
    4 the harness itself failed.
    """


RUNS = (doctor, list_drills, run, watch, decide, stop, resume, stack, heal, sweep, prove)
MONTH = (calendar, gate, history)
PACKS = (report, compare, verify)
for command in (*RUNS, *MONTH, *PACKS):
    drdrill.add_command(command)
