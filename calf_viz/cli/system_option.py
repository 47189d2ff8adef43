"""--system, the only place where a file or module of the user's can be given as the system."""

from __future__ import annotations

from typing import Any

import click

from calf_viz import systems


class _System(click.ParamType):
    """Its name; the file or module that was given in its place is run."""

    name = "system"

    def convert(self, value: Any, param: Any, context: Any) -> str:
        return systems.given(str(value))


SYSTEM = _System()
SYSTEM_HELP = (
    f"System: {', '.join(systems.names())}; a file, ./mine.py, which is run; or "
    "package.module:NAME, installed."
)
