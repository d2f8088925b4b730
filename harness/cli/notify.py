"""`drdrill notify`: a webhook is told of a run that was not MET, or that could not look at all."""

from __future__ import annotations

from pathlib import Path

import click

from harness.communications import hook
from harness.errors import DrillError, Exit, Refused
from reports.notice import Ended, notice, trial

NONE = "none"
LONGEST = 100_000  # bytes of the last words of a run that are read


def _code(context: click.Context, option: click.Parameter, value: str | None) -> int | str | None:
    """An exit code of a shell; `none`, or nothing, where there is none."""
    if value is None:
        return None
    text = value.strip()
    if text in ("", NONE):
        return NONE
    if not (text.isascii() and text.isdigit()) or int(text) > 255:
        raise click.BadParameter("give the exit code of the run, 0 to 255, or none", ctx=context, param=option)
    return int(text)


@click.command()
@click.argument("packs", nargs=-1, type=click.Path(path_type=Path), metavar="[PACK]...")
@click.option("--exit", "code", callback=_code, metavar="CODE", help="What the run ended with; none: it was killed.")
@click.option(
    "--said", type=click.Path(path_type=Path, dir_okay=False), help="A file of what it said on standard error."
)
@click.option("--link", default="", metavar="URL", help="Where people find the evidence.")
@click.option("--try", "tried", is_flag=True, help="Post a message that says that the webhook is tried.")
@click.pass_context
def notify(
    context: click.Context,
    *,
    packs: tuple[Path, ...],
    code: int | str | None,
    said: Path | None,
    link: str,
    tried: bool,
) -> None:
    """Tell a webhook of a run that was not MET, with the PACK that came of it, or that could not look.

    The URL is that of the variable DRDRILL_NOTIFY_URL, or stands in the file that DRDRILL_NOTIFY_URL_FILE names. A run
    that was MET is not told. The exit code is that of the run, also where nobody could be told, which is said on
    standard error; 4 where the run was killed.

    With --try: 0 it was taken; 2 nobody has taken it; 3 refused.
    """
    if tried:
        if packs or code is not None:
            raise Refused("--try tells of no run", hint="leave --exit and the packs out")
        found = hook.find()
        if found is None:
            raise Refused("there is no webhook to tell", hint=hook.HOW)
        found.post(trial())
        click.echo(f"{found.host} has taken it")
        return
    if code is None:
        raise Refused("how did the run end?", hint="drdrill run …; drdrill notify --exit $?")
    number = code if isinstance(code, int) else None
    ended = Ended(number, [pack.resolve() for pack in packs], _words(said), link)
    try:
        _tell(ended)
    except DrillError as error:
        click.echo(f"error: nobody was told of this run: {error.message}\nHINT: {error.hint}", err=True)
    context.exit(_exit(ended))


def _tell(ended: Ended) -> None:
    """Errors: `DrillError` where nobody was told of what should have been."""
    if ended.outcome == "MET":
        click.echo("it ended with 0, and no pack says otherwise: nobody is told")
        return
    found = hook.find()
    if found is None:
        raise Refused("there is no webhook", hint=hook.HOW)
    found.post(notice(ended))
    click.echo(f"{ended.outcome}: {found.host} was told")


def _exit(ended: Ended) -> int:
    """Never 0 for what is not MET."""
    if ended.code in list(Exit) and ended.code != Exit.MET:
        return int(ended.code)
    if ended.code != Exit.MET:
        return Exit.FAILED
    return {"MET": Exit.MET, "MISSED": Exit.MISSED}.get(ended.outcome, Exit.UNKNOWN)


def _words(file: Path | None) -> str:
    """The end of the file; one that is not there says nothing, as where the run did not begin."""
    try:
        content = file.read_bytes()[-LONGEST:] if file else b""
    except OSError:
        return ""
    return content.decode(errors="replace")
