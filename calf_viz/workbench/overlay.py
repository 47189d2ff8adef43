"""Creates an overlay from copies of the files to change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from calf_viz.errors import UserError, shown
from calf_viz.files import exists, make_folder, write_aside
from calf_viz.glsl.shipped_shaders import LOOKS, is_kept, look_names, shader_folder, shipped_files
from calf_viz.workbench import catalogue


def sources(start: str | None) -> dict[str, Path]:
    """Files to copy, by name: all hooks, or the part, file or shipped look named `start`.

    A part is the first word of hooks' names, such as trail or surface. Raises UserError if there is
    none of these.
    """
    folder, hooks = shader_folder(), catalogue.hooks()
    if start in look_names():
        look = folder / LOOKS / str(start)
        return {p.relative_to(look).as_posix(): p for p in look.rglob("*") if p.is_file()}
    if start is None:
        names = hooks
    else:
        parts = [name for name in hooks if name.startswith(f"{start}_") or name == f"{start}.glsl"]
        names = parts or [name for name in shipped_files() if name == start and not is_kept(name)]
    if not names:
        parts = sorted({name.partition("_")[0].removesuffix(".glsl") for name in hooks})
        raise UserError(
            f"`from` {shown(start)}: give a part ({', '.join(parts)}), a file of "
            f"calf-viz shaders list{_looks()}"
        )
    return {name: folder / name for name in names}


def _looks() -> str:
    return f", or a look ({', '.join(look_names())})" if look_names() else ""


def create(folder: Path, starts: Sequence[str] = ()) -> list[Path]:
    """Copy the `sources` of each start into the folder, which may exist; returns the files written.

    Raises UserError, before anything is written, if one exists already, or if two starts have
    different files of the same name.
    """
    files: dict[str, Path] = {}
    for start in starts or (None,):
        for name, path in sources(start).items():
            if files.setdefault(name, path) != path:
                raise UserError(
                    f"`from` {shown(start)}: another `from` has its own {name}: choose one"
                )
    there = [folder / name for name in files if exists(folder / name)]
    if there:
        raise UserError(f"{shown(there[0])} exists already: move it away, or choose another folder")
    make_folder(folder)
    for name, path in files.items():
        with write_aside(folder / name) as part:
            part.write_bytes(path.read_bytes())
    return [folder / name for name in files]
