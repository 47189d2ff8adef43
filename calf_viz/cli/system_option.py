"""--system, the only place where the user can give a file or module as the system."""

from __future__ import annotations

from typing import Any, TypeVar

import click

from calf_viz import systems

Command = TypeVar("Command", bound=Any)


class _System(click.ParamType):
    """A system's name. A file or module given instead is executed."""

    name = "system"

    def convert(self, value: Any, param: Any, context: Any) -> str:
        return systems.given(str(value))


SYSTEM = _System()
SYSTEM_HELP = (
    f"System: {', '.join(systems.names())}; a file to execute, ./mine.py; or an installed "
    "package.module:NAME."
)


def own_system(command: Command) -> Command:
    """Add --system FILE, by which a recording of a system of the user's own is understood."""
    return click.option(
        "--system", type=SYSTEM, expose_value=False, metavar="FILE",
        help="Of recordings of a system of your own: its file to execute, ./mine.py; or an "
        "installed package.module:NAME.",
    )(command)  # fmt: skip
