"""How every command of the project ends."""

from __future__ import annotations

import codecs
import errno
import os
import sys
from contextlib import suppress
from typing import Any, NoReturn

import click

from calf_viz.console import as_options, called_by
from calf_viz.errors import LONGEST_MESSAGE, UserError, shown

_UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def run_command(command: click.Command, name: str, prefix: str = "") -> NoReturn:
    """Run it and end the process with what it returns.

    Where the user can put something right: one line on stderr, behind the prefix, and the error's
    exit code (2). Where the output cannot be written, or the system refuses something: one line
    and 1, but not a word to a reader who has gone (`| head`). Ctrl-C is 130.
    """
    _stand_in_for_closed_streams()
    _write_whatever_is_said()
    with called_by(_options(command)):
        try:
            code = _ended(command, name, prefix)
        except SystemExit as end:  # where a command ends by itself, and where click or rich end it
            code = end.code
    if isinstance(code, str):
        code = _complain(prefix + code, 1)
    sys.exit(_written(code if isinstance(code, int) else 0, prefix))


def _options(command: click.Command) -> dict[str, str]:
    """Long options of a command and of those below it, by the setting that each is of."""
    found: dict[str, str] = {}
    for below in getattr(command, "commands", {}).values():
        found |= _options(below)
    for parameter in command.params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            if option.startswith("--"):
                found[option[2:].replace("-", "_")] = option
    return found


def _ended(command: click.Command, name: str, prefix: str) -> Any:
    try:
        return command.main(prog_name=name, standalone_mode=False)
    except UserError as error:
        return _complain(prefix + as_options(str(error)), error.exit_code)
    except click.ClickException as error:
        text = " ".join(error.format_message().split())
        return _complain(prefix + shown(text, LONGEST_MESSAGE), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return 130
    except MemoryError:
        return _complain(f"{prefix}not enough memory for that: give smaller numbers", 2)
    except OSError as error:
        return _complain(prefix + _about(error), 1)


def _about(error: OSError) -> str:
    reason = error.strerror or shown(str(error))
    if error.filename is not None:
        return f"{shown(error.filename)}: {reason}"
    # Whatever else is written has a name.
    if error.errno == errno.EBADF:
        reason = "it is closed"
    return f"cannot write the output: {reason}" if error.errno in _UNWRITTEN else reason


def _complain(line: str, code: int) -> int:
    with suppress(OSError, ValueError):  # a full disk's or a broken terminal's stderr
        click.echo(line, err=True)
    return code


def _written(code: int, prefix: str) -> int:
    """The exit code, after all output is where it should be."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        if error.errno != errno.EPIPE and not code:  # else all has been said
            _complain(prefix + _about(error), 1)
        _drop(sys.stdout)
        code = code or 1
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        _drop(sys.stderr)
    return code


def _drop(stream: Any) -> None:
    """What a stream still holds goes nowhere, so that Python does not complain when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _stand_in_for_closed_streams() -> None:
    """With `>&-`, the next file opened would get stdout's number, and what libraries print.

    What is to be written to a closed stdout is told as what a full disk does not take; to a closed
    stderr there is nobody to tell it to.
    """
    for number, way in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_RDWR)):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, way)  # the lowest free number: this one
                if number == 1:
                    sys.stdout = open(number, "w", closefd=False)  # noqa: SIM115 (to the end)


def _write_whatever_is_said() -> None:
    """Have names that are no text in the terminal's encoding written as the bytes that they are,
    and signs that it does not have as escapes."""
    codecs.register_error("calf_viz", _as_bytes_or_escaped)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="calf_viz")


def _as_bytes_or_escaped(error: UnicodeError) -> tuple[str | bytes, int]:
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)
