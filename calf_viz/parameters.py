"""Kinds of values that the command line takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class _GivenPath(click.Path):
    """A path. An empty text is none: Python would take it for the folder one is in."""

    def convert(self, value: Any, param: Any, context: Any) -> Any:
        if value == "":
            self.fail("is empty: give a path, or leave the option out", param, context)
        return super().convert(value, param, context)


class _Size(click.ParamType):
    name = "WxH"

    def convert(self, value: Any, param: Any, context: Any) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        width, _, height = str(value).lower().partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            self.fail(f"'{value}' is not a size: give one such as 1280x720", param, context)
        return int(width), int(height)


GIVEN_PATH, SIZE = _GivenPath(path_type=Path), _Size()
