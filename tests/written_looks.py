"""Looks that tests write, and what a picture shows of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calf_viz.glsl.library import ShaderLibrary
from calf_viz.hosts.base import Host


def write(folder: Path, **files: str) -> ShaderLibrary:
    """A library whose overlay holds the files; `__` in a name stands for the suffix's dot."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_bytes(text.encode())
    return ShaderLibrary(folder)


def surface(colour: str, before: str = "") -> str:
    return (
        f"{before}vec3 surface_colour(vec3 colour, vec2 point, float level, float light, bool bad)"
        f" {{\n    return {colour};\n}}\n"
    )


NO_CASING = "vec4 trail_casing(vec3 colour) { return vec4(0.0); }\n"
RED, GREEN, BROKEN = surface("vec3(1, 0, 0)"), surface("vec3(0, 1, 0)"), surface("no_such_thing")


def covers(picture: np.ndarray, colour: list[int]) -> bool:
    return bool((picture == colour).all(axis=2).mean() > 0.1)


def picture(host: Host) -> np.ndarray:
    host.draw()
    return host.screenshot()
