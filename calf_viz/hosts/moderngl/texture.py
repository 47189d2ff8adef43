"""Textures that hold data: read with texelFetch, never filtered."""

from __future__ import annotations

from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray


def data_texture(context: moderngl.Context, texels: NDArray[Any]) -> moderngl.Texture:
    """A texture of texels (height, width, components), float32 or uint8."""
    height, width, components = texels.shape
    kind = "f4" if texels.dtype == np.float32 else "f1"
    texture = context.texture(
        (width, height), components, texels.tobytes(), alignment=1, dtype=kind
    )
    texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
    texture.repeat_x = texture.repeat_y = False
    return texture
