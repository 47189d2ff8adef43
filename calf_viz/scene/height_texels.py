"""A surface as the texels of `u_heightfield`, where `shaders/height.glsl` reads it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield
from calf_viz.value_scale import Scale

VALUES_KEPT = 1025
"""Texels of `u_values`: so many that values are exact to a millionth of their range."""


def level_field(values: Heightfield, scale: Scale) -> Heightfield:
    """The levels of a surface, 0 lowest and 1 highest, which are its drawn heights; `bad` as in
    the surface."""
    levels = Heightfield(scale.levels(values.values), values.lo, values.hi)
    levels.bad = values.bad
    return levels


def height_texels(
    current: Heightfield, last: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Texels of `u_heightfield`, (rows, columns, 2) float32: (last, current) levels.

    current: levels, from `level_field`. A replaced one is stored as -8 - level, for the shader to
    mark. last: levels shown until now, of the same shape; None if there are none.
    """
    stored = np.where(current.bad, np.float32(-8.0) - current.values, current.values)
    return np.stack([stored if last is None else last, stored], axis=-1)


def shown_heights(texels: NDArray[np.float32], morph: float) -> NDArray[np.float32]:
    """Heights that texels of `u_heightfield` show, (rows, columns), in the state of a morph.

    Replaced values are returned unmarked, unless the morph is complete.
    """
    if morph >= 1.0:
        return texels[..., 1]
    last, current = (np.where(h < -4.0, -8.0 - h, h) for h in np.moveaxis(texels, -1, 0))
    return (last + np.float32(morph) * (current - last)).astype(np.float32)


def value_texels(last: Scale, current: Scale) -> NDArray[np.float32]:
    """Texels of `u_values`, (1, `VALUES_KEPT`, 2) float32: values at evenly spaced levels."""
    levels = np.linspace(0.0, 1.0, VALUES_KEPT)
    both = np.stack([last.values(levels), current.values(levels)], axis=-1)
    return both[None].astype(np.float32)
