"""A surface as the texels of `u_heightfield`, where `shaders/height.glsl` reads it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield


def height_texels(
    current: Heightfield, value_range: tuple[float, float], last: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Texels of `u_heightfield`, (rows, columns, 2) float32: normalised (last, current) heights.

    A replaced value is stored as -8 - value, for the shader to mark.
    """
    lo, hi = value_range
    span = hi - lo if hi > lo else 1.0
    heights = (current.values.astype(np.float64) - lo) / span
    stored = np.where(current.bad, -8.0 - heights, heights).astype(np.float32)
    same = last is not None and last.shape == stored.shape
    return np.stack([last if same and last is not None else stored, stored], axis=-1)


def shown_heights(texels: NDArray[np.float32], morph: float) -> NDArray[np.float32]:
    """Heights that texels of `u_heightfield` show, (rows, columns), in the state of a morph.

    Replaced values are returned unmarked, unless the morph is complete.
    """
    if morph >= 1.0:
        return texels[..., 1]
    last, current = (np.where(h < -4.0, -8.0 - h, h) for h in np.moveaxis(texels, -1, 0))
    return (last + np.float32(morph) * (current - last)).astype(np.float32)
