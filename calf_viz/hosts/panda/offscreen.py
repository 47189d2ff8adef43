"""Panda3D without a display: EGL, and a framebuffer of the picture's size."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    Camera,
    NodePath,
    RenderState,
    Texture,
    TransformState,
)

from calf_viz.errors import UserError
from calf_viz.hosts.panda.context import PandaContext
from calf_viz.hosts.panda.geometry import GeometryMaker
from calf_viz.hosts.panda.host import PandaHost
from calf_viz.hosts.panda.opening import beside_others, new_context
from calf_viz.hosts.panda.raw_gl import waiter
from calf_viz.hosts.panda.settings import settings
from calf_viz.hosts.panda.strip import StripGeometry
from calf_viz.hosts.panda.texture import empty_texture
from calf_viz.hosts.pictured import check_size
from calf_viz.hosts.setup import Setup

COLLECTED_EVERY = 64  # frames
SETTINGS = (
    "gl-version 3 3",
    "sync-video 0",
    "textures-auto-power-2 true",  # any size, as Ursina has it
    "gl-max-errors 1000000000",
    "notify-level-egldisplay error",
    "notify-level-glgsg error",
)
MISSING = "no OpenGL 3.3 can be had: install libegl1 libgl1 libgl1-mesa-dri, or a graphics driver"


class OffscreenHost(PandaHost):
    """Draws into a texture; a window is never opened."""

    def __init__(self, setup: Setup, geometry: GeometryMaker = StripGeometry) -> None:
        """As `PandaHost`."""
        context = open_context(self.closing)
        self._frames = 0
        width, height = setup.scene.size
        check_size(setup.scene.size, int(context.gsg.max_texture_dimension))
        self.picture = empty_texture("picture", width, height, Texture.F_rgba8, np.uint8)
        output = context.target(self.picture, "a smaller size", sort=0, depth=True)
        if output is None:
            raise UserError(f"the driver gives no framebuffer of {width} x {height}: try less")
        root = NodePath("scene")
        output.make_display_region().set_camera(root.attach_new_node(Camera("scene")))
        super().__init__(setup, context, output, root, geometry)
        self._ready()

    def _render(self) -> None:
        super()._render()
        # Each frame is waited for: its time is its own, and none queue up in memory.
        wait = waiter()
        if wait is not None:
            wait()
        self._frames += 1
        if self._frames % COLLECTED_EVERY == 0:
            # Collect unused states, as a task of Ursina's does in a window.
            RenderState.garbage_collect()
            TransformState.garbage_collect()

    def _picture(self) -> NDArray[np.uint8]:
        return self.context.picture(self.picture)

    def finish(self) -> None:
        """Wait until the frame is drawn, and read it into RAM."""
        self.context.read(self.picture)


def open_context(closing: ExitStack) -> PandaContext:
    """A new context without a window, which `closing` closes. Raises UserError if there is no
    OpenGL 3.3."""
    with beside_others():
        closing.enter_context(settings(*SETTINGS))
        if waiter() is None:
            # Panda would also wait after every upload and draw, which slows down many of them.
            closing.enter_context(settings("gl-finish true"))
        for module in ("p3headlessgl", "pandagl"):
            buffer = new_context(module)
            if buffer is not None:
                context = PandaContext(buffer)
                closing.callback(context.close)
                return context
    raise UserError(MISSING)
