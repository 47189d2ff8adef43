"""Which files of an overlay are used in the picture, and which are not."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from calf_viz.errors import UserError, shown
from calf_viz.files import exists, is_file, is_folder
from calf_viz.glsl.folder import entries
from calf_viz.glsl.library import ShaderLibrary, did_you_mean, overlay_path
from calf_viz.glsl.problems import ShaderError
from calf_viz.glsl.programs import LOOK, load_program
from calf_viz.glsl.shader_file import read
from calf_viz.glsl.shipped_shaders import (
    LOOKS,
    SUFFIXES,
    is_kept,
    look_names,
    shader_folder,
    shipped_files,
)
from calf_viz.glsl.variants import VARIANTS
from calf_viz.workbench.look_file import look_file

log = logging.getLogger("calf_viz")
_WORD = re.compile(r"[A-Za-z_]\w*")


def overlay(given: Path, setting: str) -> Path:
    """`library.overlay_path`; if a shipped look has the same name, logs which one is used."""
    path = overlay_path(given, setting)
    if path == given and _is_a_look_too(given):
        log.warning("%s %s: what is here, not the look; %s", setting, given, _which(given))
    return path


def library(
    given: Path | None, setting: str, defines: Mapping[str, str], waits: bool = False
) -> ShaderLibrary:
    """The shaders with an overlay; logs each file of it that is not used.

    Args:
        given: the overlay as given; None for none.
        setting: the setting that gave it, for messages.
        defines: macros.
        waits: accept a folder without shaders, which may be saved there later.

    Raises:
        UserError: the overlay does not exist, or nothing in it is used.
    """
    if given is None:
        return ShaderLibrary(None, defines)
    try:
        found = ShaderLibrary(overlay_path(given, setting), defines)
    except UserError as error:
        if not _is_a_look_too(given):
            raise
        raise UserError(f"{error}; {_which(given)}") from None
    idle = unused(found)
    reason = nothing_there(found, idle)
    if reason is not None and _is_a_look_too(given):
        raise UserError(f"{setting} {shown(given)}: {reason}; {_which(given)}")
    if reason is not None and not waits:
        new = f"calf-viz shaders new {shown(given)}"
        raise UserError(
            f"{setting} {shown(given)}: {reason}; {new} copies files to change, `watch` waits for "
            "files"
        )
    overlay(given, setting)
    for path, why in idle.items():
        log.warning("%s: %s", path, why)
    if reason is not None:
        log.warning("%s %s: %s yet; what is saved there is shown at once", setting, given, reason)
    return found


def check_defines(libraries: Iterable[ShaderLibrary]) -> None:
    """Raise UserError for a macro that no shader file in force mentions."""
    libraries = tuple(libraries)
    defines = libraries[0].defines
    if not defines:
        return
    paths = {
        path
        for library in libraries
        for name in (*shipped_files(), *library.own_files())
        if (path := library.find(name)) is not None
    }
    words = {word for path in paths for line in read(path) for word in _WORD.findall(line.code)}
    for name, value in defines.items():
        if name not in words:
            meant = did_you_mean(name, (variant.name for variant in VARIANTS)) or ": leave it out"
            raise UserError(f"`define` {name}={shown(value)}: no shader mentions it{meant}")


def unused(library: ShaderLibrary) -> dict[Path, str]:
    """Files of the overlay that no program reads, with the reason; most likely misspelt."""
    if library.overlay is None:
        return {}
    single = is_file(library.overlay)
    own = {library.overlay if single else library.overlay / n: n for n in library.own_files()}
    found = {path: "not part of a look, and not used" for path, n in own.items() if is_kept(n)}
    for path in (Path(entry.path) for entry in entries(library.overlay)):
        hidden = path.name.startswith(".")  # such as an editor's lock file
        if path.suffix in SUFFIXES and not hidden and not is_file(path):
            found[path] = _kind_of_non_file(path)
    read: set[Path] = set()
    for program in LOOK:
        try:
            source = load_program(library, program)
        except ShaderError:
            return found  # unknown what the rest would read
        for shader in (source.vertex, source.fragment):
            read |= shader.own  # also files that contribute only their includes
    shipped = [name for name in shipped_files() if not is_kept(name)]
    for path, name in own.items():
        if path not in read and path not in found:
            meant = "" if name in shipped else did_you_mean(name, shipped)
            found[path] = f"replaces nothing, and nothing includes it{meant}"
    return found


def _kind_of_non_file(path: Path) -> str:
    if is_folder(path):
        return "a folder, and no shader"
    return "not a regular file" if exists(path) else "a link to nothing"


def nothing_there(library: ShaderLibrary, idle: Mapping[Path, str] | None = None) -> str | None:
    """Why an overlay has no effect at all; None if it has. idle: the result of `unused`."""
    path = library.overlay
    if path is None or is_file(path) or exists(look_file(path) or path):
        return None
    idle = unused(library) if idle is None else idle
    if any(path / name not in idle for name in library.own_files()):
        return None
    reasons = "; ".join(f"{file.relative_to(path)}: {why}" for file, why in list(idle.items())[:2])
    return f"nothing in this folder takes part in the picture ({reasons or 'it holds no shader'})"


def _is_a_look_too(given: Path) -> bool:
    return str(given) in look_names() and exists(given)


def _which(given: Path) -> str:
    """How to write which of the two is meant."""
    look, here = shader_folder() / LOOKS / given, Path.cwd() / given
    return f"{shown(look)} means the look, {shown(here)} what is here"
