"""Which programs need no trial: those made of unchanged shipped files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from calf_viz import files
from calf_viz.glsl.programs import ProgramSource
from calf_viz.glsl.shader_file import SUFFIXES
from calf_viz.glsl.shipped_shaders import look_names, shader_folder
from calf_viz.glsl.source import DEFINE
from calf_viz.shader_trial.culprit import is_known

Stamp = tuple[int, int, int]


def is_trusted(source: ProgramSource) -> bool:
    """Whether each line comes from a built-in variant, or from a shipped file that has not changed
    since this process first checked."""
    parts = {path for shader in (source.vertex, source.fragment) for path, _ in shader.origins}
    return all(_is_shipped(path) for path in parts)


def needs_trials(look: Path | None, defines: Mapping[str, str] | None = None) -> bool:
    """Whether a look or macros may contain text that is not shipped."""
    own = look is not None and (files.exists(look) or str(look) not in look_names())
    return own or not all(is_known(*define) for define in (defines or {}).items())


def _is_shipped(path: Path) -> bool:
    text = str(path)
    if text.startswith(DEFINE):
        name, _, value = text.removeprefix(DEFINE).partition("=")
        return is_known(name, value)
    return text in _shipped() and _stamp(text) == _shipped()[text]


@cache
def _shipped() -> dict[str, Stamp | None]:
    found = (str(path) for path in shader_folder().rglob("*") if path.suffix in SUFFIXES)
    return {path: _stamp(path) for path in found}


def _stamp(path: str) -> Stamp | None:
    with suppress(OSError):
        is_ = os.stat(path)
        return is_.st_ino, is_.st_size, is_.st_mtime_ns
    return None
