"""The ring's texture under moderngl, which can write parts of a texture directly."""

from __future__ import annotations

from collections.abc import Callable

import moderngl
import numpy as np

from calf_viz.hosts.moderngl.texture import data_texture
from calf_viz.scene.frame import Move
from calf_viz.scene.ring import Packed, RingLayout, move, relayout


class ModernglRing:
    """As `Ring`."""

    def __init__(
        self, context: moderngl.Context, layout: RingLayout, count: Callable[[str, int], None]
    ) -> None:
        """count: adds to a count of `Host.frame_counts`, by name."""
        self.context, self.layout, self.count = context, layout, count
        width, height = layout.size
        self.texture = data_texture(context, np.zeros((height, width, 4), dtype=np.float32))

    def append(self, packed: Packed) -> None:
        columns, rows = self.layout.columns, self.layout.rows
        for slot, texels in packed.parts(self.layout.slots):
            self.texture.write(texels, viewport=(0, slot * rows, columns, len(texels) * rows))
            self.count("upload_bytes", texels.nbytes)

    def grow(self, old: RingLayout, new: RingLayout) -> None:
        samples = np.frombuffer(self.texture.read(), np.float32)
        self.texture.release()
        self.layout = new
        self.texture = data_texture(self.context, relayout(samples, old, new))

    def move(self, by: Move) -> None:
        samples = np.frombuffer(self.texture.read(), np.float32).reshape(-1, 4).copy()
        move(samples, by)
        self.texture.write(samples)
