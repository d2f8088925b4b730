"""`drdrill`, the same as `python -m harness`."""

from __future__ import annotations

import errno
import os
import sys
from typing import cast

import click

from harness.cli import Later, drdrill
from harness.errors import DrillError, Exit


def main() -> None:
    """Run a command; every error is one message, a HINT and a documented exit code."""
    _open_what_is_closed()
    try:
        code = drdrill.main(standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as left:
        code = left.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = Exit.REFUSED
    except click.ClickException as error:
        where = getattr(error, "ctx", None)
        path = where.command_path if where else _command(sys.argv[1:])
        code = _say(error.format_message(), hint=f"`{path} --help` shows what may be given", code=Exit.REFUSED)
    except (click.Abort, KeyboardInterrupt):
        code = _say("interrupted", hint="nothing is running any more; `drdrill heal` is harmless", code=Exit.UNKNOWN)
    except DrillError as error:
        code = _say(error.message, hint=error.hint, code=error.exit)
    except (BrokenPipeError, SystemExit):  # whoever reads has seen enough: click leaves with 1, for missed
        _write_nowhere()
        code = Exit.FAILED
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        hint = "mend that, then run `drdrill heal`: nothing that was recorded is lost"
        if _is_full(error):
            _write_nowhere()
            what, hint = f"the output cannot be written: {error.strerror}", "write it to a place that has room"
        code = _say(what, hint=hint, code=Exit.REFUSED)
    except Exception as error:
        if os.environ.get("DRDRILL_DEBUG"):
            raise
        what = f"drdrill itself failed: {type(error).__name__}: {error}"
        code = _say(what, hint="DRDRILL_DEBUG=1 shows where; `drdrill heal` undoes what is left", code=Exit.FAILED)
    sys.exit(int(code or 0))


def _open_what_is_closed() -> None:
    """A process that a shell started with `>&-` would give its first file to whoever prints."""
    for handle, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(handle)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest that is free, which is this one
            setattr(sys, name, os.fdopen(handle, mode, closefd=False))


def _write_nowhere() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_full(error: OSError) -> bool:
    """Whether it is the output itself that takes no more: what is left of it must not fail once more at the end."""
    return error.filename is None and error.errno in (errno.ENOSPC, errno.EIO, errno.EFBIG)


def _command(words: list[str]) -> str:
    """The command that was meant, of an error of click that does not know it: `drdrill stack up`."""
    said, command = ["drdrill"], cast(click.Command, drdrill)
    for word in words:
        if not isinstance(command, click.Group) or word not in command.commands:
            break
        said.append(word)
        command = command.commands[word]
        command = command.real if isinstance(command, Later) else command
    return " ".join(said)


def _say(message: str, *, hint: str, code: Exit) -> Exit:
    click.echo(f"error: {message}\nHINT: {hint}", err=True)
    return code


if __name__ == "__main__":
    main()
