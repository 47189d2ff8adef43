"""Panda3D without a display: EGL, and a framebuffer of the picture's size."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    Camera,
    FrameBufferProperties,
    GraphicsEngine,
    GraphicsOutput,
    GraphicsPipe,
    GraphicsPipeSelection,
    NodePath,
    RenderState,
    Texture,
    TransformState,
    WindowProperties,
    load_prc_file_data,
)

from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.hosts.geometry import GeometryMaker
from calf_viz.hosts.panda import PandaHost
from calf_viz.hosts.panda_strip import StripGeometry
from calf_viz.hosts.panda_texture import empty_texture
from calf_viz.hosts.programs import Trial
from calf_viz.hosts.raw_gl import waiter
from calf_viz.render.scene import Scene
from calf_viz.render.sources import ShaderLibrary

COLLECTED_EVERY = 64  # frames
MISSING = "no OpenGL 3.3 can be had: install libegl1 libgl1 libgl1-mesa-dri, or a graphics driver"


class OffscreenHost(PandaHost):
    """Draws into a texture; a window is never opened."""

    def __init__(
        self,
        scene: Scene,
        heightfield: Heightfield | None,
        colour_map: NDArray[np.uint8],
        agents: int,
        library: ShaderLibrary | None = None,
        slots: int | None = None,
        geometry: GeometryMaker = StripGeometry,
        trial: Trial | None = None,
    ) -> None:
        """As `PandaHost`."""
        engine = GraphicsEngine.get_global_ptr()
        self.context = open_context(engine)
        self._frames = 0
        output = self._framebuffer(engine, scene.size)
        root = NodePath("scene")
        output.make_display_region().set_camera(root.attach_new_node(Camera("scene")))
        try:
            super().__init__(
                scene, heightfield, colour_map, agents, library, slots, engine, output, root,
                geometry, trial,
            )  # fmt: skip
        except BaseException:
            # The engine would go on rendering what nobody holds any more.
            engine.remove_window(output)
            engine.remove_window(self.context)
            raise

    def _framebuffer(self, engine: GraphicsEngine, size: tuple[int, int]) -> GraphicsOutput:
        properties = FrameBufferProperties()
        properties.set_rgba_bits(8, 8, 8, 8)
        properties.set_depth_bits(24)
        output = engine.make_output(
            self.context.get_pipe(), "picture", 0, properties, WindowProperties.size(*size),
            GraphicsPipe.BF_refuse_window, self.context.get_gsg(), self.context,
        )  # fmt: skip
        if output is None:
            raise UserError(f"the driver gives no framebuffer of {size[0]} x {size[1]}: try less")
        output.set_active(False)
        self.picture = empty_texture("picture", *size, Texture.F_rgba8, np.uint8)
        output.add_render_texture(
            self.picture, GraphicsOutput.RTM_bind_or_copy, GraphicsOutput.RTP_color
        )
        return output

    def _render(self) -> None:
        # One engine serves the process: only what is active is drawn, so that hosts beside each
        # other do not draw each other's frames.
        self.output.set_active(True)
        super()._render()
        self.output.set_active(False)
        # Each frame is waited for: its time is its own, and none queue up in memory.
        wait = waiter()
        if wait is not None:
            wait()
        self._frames += 1
        if self._frames % COLLECTED_EVERY == 0:
            # States that nobody holds any more; in a window a task of Ursina's does it.
            RenderState.garbage_collect()
            TransformState.garbage_collect()

    def screenshot(self) -> NDArray[np.uint8]:
        """The last frame, (height, width, 3) uint8, top row first."""
        self.finish()
        width, height = self.scene.size
        pixels = np.frombuffer(self.picture.get_ram_image(), np.uint8)
        return pixels.reshape(height, width, 4)[::-1, :, 2::-1].copy()

    def finish(self) -> None:
        """Waits until the frame is drawn, and has it in RAM."""
        # Panda reads from whichever context is current: another host's, where there are two.
        self.context.set_active(True)
        self.engine.render_frame()
        self._set_current()
        self.context.set_active(False)
        self.engine.extract_texture_data(self.picture, self.gsg)

    def close(self) -> None:
        super().close()
        self.engine.remove_window(self.output)
        self.engine.remove_window(self.context)


@cache
def _pipe(module: str) -> GraphicsPipe | None:
    """One for the whole process: with a pipe goes EGL's display, under the feet of every other
    context of the process."""
    return GraphicsPipeSelection.get_global_ptr().make_module_pipe(module)


def open_context(engine: GraphicsEngine) -> GraphicsOutput:
    """A tiny buffer that holds the OpenGL context; it is never drawn to."""
    load_prc_file_data(
        "calf_viz",
        "gl-version 3 3\nsync-video 0\ntextures-power-2 none\nnotify-level-egldisplay error\n"
        "notify-level-glgsg error\n",
    )
    if waiter() is None:
        # Panda waits after every upload and draw too, which many of them feel.
        load_prc_file_data("calf_viz", "gl-finish true")
    for module in ("p3headlessgl", "pandagl"):
        pipe = _pipe(module)
        if pipe is None:
            continue
        context = engine.make_output(
            pipe, "context", -200, FrameBufferProperties.get_default(), WindowProperties.size(1, 1),
            GraphicsPipe.BF_refuse_window,
        )  # fmt: skip
        if context is not None:
            engine.open_windows()
            context.set_active(False)
            return context
    raise UserError(MISSING)
