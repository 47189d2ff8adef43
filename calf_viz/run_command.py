"""How every command of the project ends."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from calf_viz.errors import UserError


def run_command(command: click.Command, name: str, prefix: str = "") -> NoReturn:
    """Run it and end the process with what it returns; where the user can put something right, with
    one line on stderr, behind the prefix, and the error's exit code (2). Ctrl-C is 130."""
    try:
        code = command.main(prog_name=name, standalone_mode=False)
    except (UserError, click.UsageError) as error:
        text = error.format_message() if isinstance(error, click.UsageError) else str(error)
        click.echo(prefix + " ".join(text.split()), err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
