"""Numbers of agents in a window of the picture, under moderngl."""

from __future__ import annotations

from collections.abc import Callable

import moderngl
import numpy as np
from numpy.typing import NDArray

from calf_viz.hosts.picking import SIDE


class ModernglPicks:
    """As `PickDraws`: a framebuffer, and a pixel buffer that the GPU copies it to."""

    draws = 1

    def __init__(
        self, context: moderngl.Context, draw: Callable[[NDArray[np.float32]], None]
    ) -> None:
        """draw: draws the numbers, seen through a matrix, into the bound framebuffer."""
        self._context, self._draw = context, draw
        size = SIDE, SIDE
        self._target = context.framebuffer(
            [context.renderbuffer(size)], context.depth_renderbuffer(size)
        )
        self._copy = context.buffer(reserve=4 * SIDE * SIDE)
        self._copied = False

    def begin(self, seen: NDArray[np.float32]) -> None:
        context = self._context
        self._target.use()
        context.enable_only(moderngl.DEPTH_TEST)
        context.depth_func = "<="
        context.clear(0.0, 0.0, 0.0, 0.0)
        self._draw(seen)
        context.enable(moderngl.BLEND)

    def end(self) -> None:
        if not self._copied:
            self._copied = True
            self._target.read_into(self._copy, components=4)

    def now(self, seen: NDArray[np.float32]) -> NDArray[np.uint8]:
        self.begin(seen)
        return _texels(self._target.read(components=4))

    def read(self) -> NDArray[np.uint8] | None:
        """Called a frame later, when the GPU is done."""
        self._copied = False
        return _texels(self._copy.read())


def _texels(found: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(found, np.uint8).reshape(SIDE, SIDE, 4)
