"""The ring's texture under Panda3D, and ways to put new samples into it.

Panda uploads whole textures. So the new samples go into a small staging texture, and a pass that
renders into the ring copies them there, on the GPU: 16 bytes per agent and step, however long the
trails. The same pass copies an old ring into a new one when agents come. Where a driver cannot
render into float textures, the whole ring is uploaded at each step.
"""

from __future__ import annotations

import logging
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from panda3d.core import Camera, GraphicsOutput, NodePath, Texture

from calf_viz.glsl.programs import Programs
from calf_viz.hosts.panda.context import PandaContext
from calf_viz.hosts.panda.passes import Pass
from calf_viz.hosts.panda.texture import empty_texture, fill
from calf_viz.hosts.panda.triangle import triangle
from calf_viz.scene.ring import RingLayout, relayout

log = logging.getLogger("calf_viz")


class Ring(Protocol):
    """A ring's texture; `pending` while samples wait for the next frame.

    What an `append` costs: `draws`, and `upload_bytes`, those of the last one.
    """

    texture: Texture
    pending: bool
    draws: int

    @property
    def upload_bytes(self) -> int: ...

    def append(self, texels: NDArray[np.float32], slot: int) -> None:
        """Has the next frame put steps' texels, (steps, rows * columns, 4), into the slots from
        this one on; the last of them is in the ring."""

    def done(self) -> None:
        """A frame was rendered."""

    def flush(self) -> None:
        """Puts what is pending there now, without the frame."""

    def grow(self, old: RingLayout, new: RingLayout) -> None:
        """Changes to a layout with more agents; keeps the samples."""


def make_ring(layout: RingLayout, context: PandaContext, programs: Programs) -> Ring:
    """The better ring that the driver is able to."""
    target = _target(layout, context)
    if target is not None:
        return RenderedRing(layout, context, programs, *target)
    log.warning("this driver cannot render into float textures: trails are uploaded whole")
    return UploadedRing(layout)


def _target(layout: RingLayout, context: PandaContext) -> tuple[Texture, GraphicsOutput] | None:
    texture = empty_texture("ring", *layout.size, Texture.F_rgba32, np.float32)
    less = "fewer agents or shorter trails"
    buffer = context.target(texture, less, sort=-100, floats=True)
    return None if buffer is None else (texture, buffer)


class RenderedRing:
    """Samples are copied by a pass of their own, before the frame's."""

    draws = 1

    def __init__(
        self,
        layout: RingLayout,
        context: PandaContext,
        programs: Programs,
        texture: Texture,
        buffer: GraphicsOutput,
    ) -> None:
        self.context = context
        self.pending = False
        self._copied: Texture | None = None
        self._outgrown: list[Texture] = []
        self.camera = self._pass(programs)
        self._aim(layout, texture, buffer)
        # Once, the whole texture is cleared; after that only what is copied is written.
        buffer.set_clear_color((0, 0, 0, 0))
        buffer.set_clear_color_active(True)
        self._source(self.staging, layout, slots=(0, 1))
        self._copy()

    def _pass(self, programs: Programs) -> NodePath:
        root = NodePath("ring")
        self.triangle = triangle(root)
        self.triangle.set_shader(programs["ring_copy"])
        return root.attach_new_node(Camera("ring"))

    def _aim(self, layout: RingLayout, texture: Texture, buffer: GraphicsOutput) -> None:
        self.layout, self.texture, self.buffer = layout, texture, buffer
        buffer.set_clear_color_active(False)
        buffer.set_clear_depth_active(False)
        self.region = buffer.make_display_region()
        self.region.set_camera(self.camera)
        self.copying = Pass(self.context, buffer, self.region)
        self.staging = self._staging(1)
        fill(self.staging, np.zeros((layout.rows, layout.columns, 4), np.float32))

    def _staging(self, steps: int) -> Texture:
        columns, rows = self.layout.columns, self.layout.rows * steps
        return empty_texture("samples", columns, rows, Texture.F_rgba32, np.float32)

    def _source(self, texture: Texture, source: RingLayout, slots: tuple[int, int]) -> None:
        """Has the pass copy `texture` to the slots [from, to) of the ring."""
        if texture is not self._copied:
            self._copied = texture
            layout = source.columns, source.rows, source.agents
            self.triangle.set_shader_inputs(u_source=texture, u_source_layout=layout)
        first, end = slots
        target = self.layout
        self.triangle.set_shader_input("u_target_layout", (target.columns, target.rows, first))
        self.region.set_dimensions(0, 1, first / target.slots, end / target.slots)

    def append(self, texels: NDArray[np.float32], slot: int) -> None:
        steps = len(texels)
        if self.staging.y_size != steps * self.layout.rows:
            self._outgrown.append(self.staging)
            self.staging = self._staging(steps)
        fill(self.staging, texels)
        self._source(self.staging, self.layout, (slot, slot + steps))
        self.copying.begin()
        self.pending = True

    @property
    def upload_bytes(self) -> int:
        return int(self.staging.get_expected_ram_image_size())

    def done(self) -> None:
        if self.pending and self.copying.end():
            self._drawn()

    def flush(self) -> None:
        if self.pending:
            self.copying.render()
            self._drawn()

    def _drawn(self) -> None:
        self.pending = False
        # Panda remembers what the pass had bound, and would bind it once more: so no texture is
        # released before the pass was drawn with another.
        while self._outgrown:
            self._outgrown.pop().release_all()

    def grow(self, old: RingLayout, new: RingLayout) -> None:
        grown = _target(new, self.context)
        assert grown is not None, "a driver that renders into a float texture refused a larger one"
        samples, buffer = self.texture, self.buffer
        self._aim(new, *grown)
        self._source(samples, old, (0, new.slots))
        self._copy()
        self.context.remove(buffer)
        self._outgrown.append(samples)

    def _copy(self) -> None:
        self.copying.render()
        self.buffer.set_clear_color_active(False)


class UploadedRing:
    """The ring lies in RAM, and all of it is uploaded after each step."""

    pending = False
    draws = 0

    def __init__(self, layout: RingLayout) -> None:
        self._allocate(layout, np.zeros((layout.size[1], layout.size[0], 4), np.float32))

    def _allocate(self, layout: RingLayout, texels: NDArray[np.float32]) -> None:
        self.layout, self.texels = layout, texels
        self.texture = empty_texture("ring", *layout.size, Texture.F_rgba32, np.float32)
        fill(self.texture, texels)

    def append(self, texels: NDArray[np.float32], slot: int) -> None:
        rows, columns = self.layout.rows * len(texels), self.layout.columns
        first = slot * self.layout.rows
        self.texels[first : first + rows] = texels.reshape(rows, columns, 4)
        fill(self.texture, self.texels)

    @property
    def upload_bytes(self) -> int:
        return self.texels.nbytes

    def done(self) -> None:
        pass

    def flush(self) -> None:
        pass

    def grow(self, old: RingLayout, new: RingLayout) -> None:
        self._allocate(new, relayout(self.texels, old, new))
