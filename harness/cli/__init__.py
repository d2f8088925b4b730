"""The command line. Exit codes: 0 met, 1 missed, 2 unknown, 3 refused, 4 the harness itself failed."""

from __future__ import annotations

from pathlib import Path

import click

from harness.system.later import fetch


class Later(click.Command):
    """A command as far as the list of commands shows it; `real` is imported when it is called."""

    def __init__(self, name: str, place: str, help: str) -> None:
        super().__init__(name, help=help)
        self.place = place

    @property
    def real(self) -> click.Command:
        """The command itself, with its options."""
        command = fetch(self.place)
        assert isinstance(command, click.Command)
        return command


class Commands(click.Group):
    """A group that lists its commands without importing them, and imports the one that is called."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.real if isinstance(command, Later) else command, rest


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="drdrill")
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="The project whose drills these are; else the nearest project.yaml upward from here.",
)
@click.pass_context
def drdrill(context: click.Context, *, project: Path | None) -> None:
    """Disaster recovery drills: hurt a real stack, time the recovery, seal the evidence.

    Exit codes: 0 every objective met, 1 one missed, 2 unknown (never green), 3 refused (bad input, not safe),
    4 the harness itself failed.
    """
    context.obj = project


# Where each command is, and the first sentence of its help.
COMMANDS = {
    "doctor": ("harness.cli.doctor:doctor", "Try what this machine allows, and say what would lift it."),
    "init": (
        "harness.cli.init:init",
        "Begin a project of your own: a stack file that describes a platform, and drills for it.",
    ),
    "list": ("harness.cli.list:list_drills", "Show the drills of the plan's calendar, with their scenarios."),
    "run": (
        "harness.cli.run:run",
        "Run the drill NAME, all drills of a cadence (monthly), or what the calendar says is due (due).",
    ),
    "watch": (
        "harness.cli.watch:watch",
        "Show the running drill of this folder, from its beginning to the verdict; Ctrl-C leaves it alone.",
    ),
    "authorise": (
        "harness.cli.authorise:authorise",
        "Write FILE, by which drills may be run on the platform of a stack file as it is now, until a time.",
    ),
    "decide": (
        "harness.cli.decide:decide",
        "Answer the question that waits in the running drill; without an answer: show it.",
    ),
    "stop": (
        "harness.cli.stop:stop",
        "End the running drill, heal, seal, and block new runs in this folder until `drdrill resume`.",
    ),
    "resume": ("harness.cli.stop:resume", "Let new runs begin again."),
    "stack": ("harness.cli.stack:stack", "A stack to explore by hand."),
    "heal": ("harness.cli.heal:heal", "Heal and seal every run that was killed; ask one that is alive to stop first."),
    "sweep": ("harness.cli.sweep:sweep", "Remove containers, networks and volumes of runs that are dead."),
    "prove": (
        "harness.cli.prove:prove",
        "Run the drill NAME (or all of a month: monthly) as it is, which must "
        "be MET, and on every sabotaged recovery, which must not.",
    ),
    "calendar": (
        "harness.cli.calendar:calendar",
        "Show what the plan's calendar demands: next dates, last results, what is late, missed or waived.",
    ),
    "gate": (
        "harness.cli.calendar:gate",
        "Open for a CI only when no drill is overdue, the latest of each met its objectives, and none became slower.",
    ),
    "history": (
        "harness.cli.history:history",
        "List every sealed run in order, what is missing or was missed, and the trend of each scenario.",
    ),
    "report": (
        "harness.cli.packs:report",
        "Build every report of a PACK again, beside it; by the same code, the same bytes as those that were sealed.",
    ),
    "notify": (
        "harness.cli.notify:notify",
        "Tell a webhook of a run that was not MET, with the PACK that came of it, or that could not look.",
    ),
    "compare": (
        "harness.cli.packs:compare",
        "Show two packs, A and B, side by side: figures, what their error bars "
        "allow to claim, and how the runs differ.",
    ),
    "verify": (
        "harness.cli.verify:verify",
        "Verify the pack, or the folder of packs, at PATH: is it whole, complete, and by whom?",
    ),
    "countersign": (
        "harness.cli.countersign:countersign",
        "Add the signature of your own key to a sealed PACK, which has to verify; its digest stays the same.",
    ),
    "redact": (
        "harness.cli.redact:redact",
        "Copy PACK to INTO with lines of its journal, or whole files, withheld: their digests lie in their place.",
    ),
}
for name, (place, help) in COMMANDS.items():
    drdrill.add_command(Later(name, place, help))
