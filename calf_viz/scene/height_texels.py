"""A surface as the texels of `u_heightfield`, where `shaders/height.glsl` reads it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield
from calf_viz.value_scale import Scale, ValueScale

VALUES_KEPT = 1025
"""Texels of `u_values`: so many that values are exact to a millionth of their range."""


REPLACED = -128.0
"""A level of a replaced value is stored as `REPLACED` - level, for the shader to mark."""


class LevelField(Heightfield):
    """Levels of a surface, 0 lowest and 1 highest, which are its drawn heights.

    Attributes:
        open: the same but beyond 0 and 1 where values are beyond the scale, (rows, columns)
            float32: the surface has another colour where these, interpolated, are.
    """

    open: NDArray[np.float32]


def level_field(values: Heightfield, scale: ValueScale) -> LevelField:
    """The levels of a surface; `bad` as in the surface."""
    levels = LevelField(scale.levels(values.values), values.lo, values.hi)
    levels.bad, levels.open = values.bad, scale.open_levels(values.values).astype(np.float32)
    return levels


def height_texels(
    current: LevelField, last: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Texels of `u_heightfield`, (rows, columns, 2) float32: (last, current) open levels.

    last: levels shown until now, of the same shape; None if there are none.
    """
    stored = np.where(current.bad, np.float32(REPLACED) - current.open, current.open)
    return np.stack([stored if last is None else last, stored], axis=-1)


def shown_heights(texels: NDArray[np.float32], morph: float) -> NDArray[np.float32]:
    """Open levels that texels of `u_heightfield` show, (rows, columns), in the state of a morph,
    whose heights are mixed within 0 and 1.

    Replaced values are returned unmarked, unless the morph is complete.
    """
    if morph >= 1.0:
        return texels[..., 1]
    opened = np.where(texels < 0.5 * REPLACED, REPLACED - texels, texels)
    levels = np.clip(opened, 0.0, 1.0)
    height, beyond = (
        part[..., 0] + np.float32(morph) * (part[..., 1] - part[..., 0])
        for part in (levels, opened - levels)
    )
    # Beyond the scale at both ends of the morph: what is there is not seen before that.
    outside = (height >= 1.0) & (beyond > 0.0) | (height <= 0.0) & (beyond < 0.0)
    return np.where(outside, height + beyond, height).astype(np.float32)


def value_texels(last: Scale, current: Scale) -> NDArray[np.float32]:
    """Texels of `u_values`, (1, `VALUES_KEPT`, 2) float32: values at evenly spaced levels."""
    levels = np.linspace(0.0, 1.0, VALUES_KEPT)
    both = np.stack([last.values(levels), current.values(levels)], axis=-1)
    return both[None].astype(np.float32)
