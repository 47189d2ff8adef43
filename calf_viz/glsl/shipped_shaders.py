"""The shaders and looks that come with the program: their places and names."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from calf_viz.errors import UserError
from calf_viz.files import is_file
from calf_viz.glsl.shader_file import SUFFIXES

LOOKS = "looks"
"""The folder of the shipped overlays, below the shaders."""
KEPT = ("ring_copy", "difference", "box_filter", "swatch", "critic_", "lib/critic_")
"""Prefixes of shipped files that are not part of a look: replacing them could lose samples, or make
values and comparisons wrong."""


def shader_folder() -> Path:
    """The folder of the shipped shaders: installed package, or the checkout beside it."""
    checkout = Path(__file__).resolve().parents[2] / "shaders"
    if (checkout / "field.vert").is_file():
        return checkout
    try:
        folder = Path(str(resources.files("calf_viz.shaders")))
    except ModuleNotFoundError:
        folder = checkout
    if not (folder / "field.vert").is_file():
        raise UserError(f"the shaders are missing ({folder}): install calf_viz again")
    return folder


def shipped_files() -> list[str]:
    """Names of the shipped shaders, except looks, such as `lib/ring.glsl`."""
    folder = shader_folder()
    names = (p.relative_to(folder) for p in folder.rglob("*") if p.suffix in SUFFIXES)
    return sorted(name.as_posix() for name in names if name.parts[0] != LOOKS)


def look_names() -> list[str]:
    """Names of the shipped looks."""
    folder = shader_folder() / LOOKS
    return sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def is_kept(name: str) -> bool:
    """Whether a file of that name is the program's own, whatever an overlay holds."""
    return name.startswith(KEPT) and is_file(shader_folder() / name)
