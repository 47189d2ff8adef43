"""Textures that hold data: read with texelFetch, never filtered."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import SamplerState, Texture

CHANNELS = (2, 1, 0, 3)
"""Where red, green, blue and alpha are in memory: Panda keeps four components as BGRA."""
_TYPES = {np.dtype(np.float32): Texture.T_float, np.dtype(np.uint8): Texture.T_unsigned_byte}


def empty_texture(name: str, width: int, height: int, form: int, dtype: Any) -> Texture:
    """A texture without an image, on the GPU or off it."""
    texture = Texture(name)
    texture.setup_2d_texture(width, height, _TYPES[np.dtype(dtype)], form)
    texture.set_minfilter(SamplerState.FT_nearest)
    texture.set_magfilter(SamplerState.FT_nearest)
    texture.set_wrap_u(SamplerState.WM_clamp)
    texture.set_wrap_v(SamplerState.WM_clamp)
    return texture


def data_texture(name: str, texels: NDArray[Any], form: int) -> Texture:
    """A texture of texels (height, width, components), in RGBA order."""
    height, width, components = texels.shape
    texture = empty_texture(name, width, height, form, texels.dtype)
    if components == 4:
        texels = texels[..., CHANNELS]
    fill(texture, texels)
    return texture


def fill(texture: Texture, texels: NDArray[Any]) -> None:
    """Set a new image, in Panda's order of components; uploaded with the next frame."""
    texture.set_ram_image(np.ascontiguousarray(texels))
