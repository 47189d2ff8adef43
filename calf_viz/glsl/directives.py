"""Lines of GLSL's preprocessor, and the macros that they define."""

from __future__ import annotations

import re
from typing import NamedTuple

_DIRECTIVE = re.compile(r"\s*+#\s*+(\w*+)(.*)", re.DOTALL)
_DEFINITION = re.compile(r"\s*+([A-Za-z_]\w*+)(?:\(([^()]*+)\))?+(.*)", re.DOTALL)


class Macro(NamedTuple):
    """A macro: parameters, None if it has no brackets, and text."""

    parameters: tuple[str, ...] | None
    body: str


def directive(line: str) -> tuple[str, str] | None:
    """The word after a line's `#` and the rest; None for a line of code. The line is a logical one,
    without comments."""
    found = _DIRECTIVE.match(line)
    return None if found is None else (found[1], found[2])


def definition(text: str) -> tuple[str, Macro] | None:
    """The name and macro that follow `#define`; None if there is no name."""
    found = _DEFINITION.match(text)
    if found is None:
        return None
    parameters = None
    if found[2] is not None:
        parameters = tuple(p.strip() for p in found[2].split(",")) if found[2].strip() else ()
    return found[1], Macro(parameters, found[3].strip())
