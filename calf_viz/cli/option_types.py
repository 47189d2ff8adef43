"""Parameter types for the command line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from calf_viz.errors import FileError, UserError
from calf_viz.settings import is_address, read_size


class _GivenPath(click.ParamType):
    """A path, whatever is there. An empty string is refused: Python would take it for the current
    folder."""

    name = "path"

    def convert(self, value: Any, param: Any, context: Any) -> Path:
        if value == "":
            self.fail("is empty: give a path, or leave the option out", param, context)
        return Path(value)


class _Size(click.ParamType):
    name = "WxH"

    def convert(self, value: Any, param: Any, context: Any) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        size = read_size(str(value))
        if size is None:
            self.fail(f"'{value}' is not a size: give one such as 1280x720", param, context)
        return size


class _Recording(_GivenPath):
    """A recording's folder, or its address, of which a path would lose a slash."""

    name = "recording"

    def convert(self, value: Any, param: Any, context: Any) -> Any:
        return value if is_address(value) else super().convert(value, param, context)


GIVEN_PATH, GIVEN_RECORDING, SIZE = _GivenPath(), _Recording(), _Size()


def option_name(name: str) -> str:
    """A setting as an option."""
    return f"--{name.replace('_', '-')}"


def typed(context: click.Context) -> list[str]:
    """Names of what was given on the command line."""
    source = click.core.ParameterSource.COMMANDLINE
    return [name for name in context.params if context.get_parameter_source(name) is source]


@contextmanager
def options_named(given: Collection[str]) -> Iterator[None]:
    """In the block, an error that begins with the name of a setting given as an option names that
    option. One that begins with a file's name has its cause there."""
    try:
        yield
    except FileError:
        raise
    except UserError as error:
        message = str(error)
        found = re.match(r"(unknown )?(\w+)(?=[ :])", message)
        if found is None or found[2] not in given:
            raise
        option = (found[1] or "") + option_name(found[2])
        raise UserError(option + message[found.end() :]) from error
