"""How every command of the project runs and ends."""

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
    """Run a command and exit with the code that it returns.

    An error that the user can correct: one line on stderr, after the prefix, and the error's exit
    code (2). Output that cannot be written, or another system error: one line and exit code 1, but
    no message if the reader is gone (`| head`). Ctrl-C: 130.
    """
    _reopen_closed_streams()
    _escape_unencodable_output()
    with called_by(_options(command)):
        try:
            code = _ended(command, name, prefix)
        except SystemExit as end:  # raised by a command, by click or by rich
            code = end.code
    if isinstance(code, str):
        code = _complain(prefix + code, 1)
    sys.exit(_written(code if isinstance(code, int) else 0, prefix))


def _options(command: click.Command) -> dict[str, str]:
    """Long options of a command and its subcommands, by the setting that they set."""
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
    # Without a file name, it is the standard output.
    if error.errno == errno.EBADF:
        reason = "it is closed"
    return f"cannot write the output: {reason}" if error.errno in _UNWRITTEN else reason


def _complain(line: str, code: int) -> int:
    with suppress(OSError, ValueError):  # a full disk's or a broken terminal's stderr
        click.echo(line, err=True)
    return code


def _written(code: int, prefix: str) -> int:
    """Flush all output; returns the exit code."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        if error.errno != errno.EPIPE and not code:  # else an error was reported already
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
    """Discard what a stream still holds, so that Python does not complain at exit."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _reopen_closed_streams() -> None:
    """Open /dev/null for streams closed with `>&-`: otherwise the next file opened would get
    stdout's number, and receive whatever libraries print.

    Writing to a closed stdout is reported like writing to a full disk; a closed stderr is ignored.
    """
    for number, way in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_RDWR)):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, way)  # gets the lowest free number: this one
                if number == 1:
                    sys.stdout = open(number, "w", closefd=False)  # noqa: SIM115 (stays open)


def _escape_unencodable_output() -> None:
    """Write file names that cannot be decoded as their original bytes, and characters that the
    terminal's encoding lacks as escapes."""
    codecs.register_error("calf_viz", _as_bytes_or_escaped)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="calf_viz")


def _as_bytes_or_escaped(error: UnicodeError) -> tuple[str | bytes, int]:
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)
