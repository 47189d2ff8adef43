"""The ring's texture under Panda3D, and two ways to add samples to it.

Panda uploads whole textures. So new samples go into a small staging texture, and a pass that
renders into the ring copies them on the GPU: 16 bytes per agent and step, however long the trails.
The same pass copies an old ring into a new one when agents are added, or when the plane's bounds
change. If the driver cannot render into float textures, the whole ring is uploaded at each step.
"""

from __future__ import annotations

import logging
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from panda3d.core import Camera, GraphicsOutput, NodePath, Texture

from calf_viz.glsl.programs import Programs
from calf_viz.hosts.panda.context import PandaContext
from calf_viz.hosts.panda.geometry import Stage
from calf_viz.hosts.panda.passes import Pass
from calf_viz.hosts.panda.texture import CHANNELS, empty_texture, fill
from calf_viz.hosts.panda.triangle import triangle
from calf_viz.scene.frame import Move
from calf_viz.scene.ring import Packed, RingLayout, move, relayout

log = logging.getLogger("calf_viz")

MOST_STEPS = 256
"""Steps that are copied in one pass: a live source may have thousands after a long frame."""


class PandaRing(Protocol):
    """A `Ring` in a texture, the input `u_ring` of what is drawn.

    Each `append` counts its ring_draws and upload_bytes by `Stage.count`.
    """

    texture: Texture

    def append(self, packed: Packed) -> None:
        """Add steps' samples to the ring with the next frame."""

    def grow(self, old: RingLayout, new: RingLayout) -> None:
        """Change to a layout with more agents, keeping the samples."""

    def move(self, by: Move) -> None:
        """Moves all samples in the scene."""

    def done(self) -> None:
        """Called after a frame was rendered."""


def make_ring(layout: RingLayout, stage: Stage, node: NodePath) -> PandaRing:
    """The best ring that the driver supports, as an input of `node`."""
    target = _target(layout, stage.context)
    if target is not None:
        return RenderedRing(layout, stage, node, *target)
    log.warning("this driver cannot render into float textures: trails are uploaded whole")
    return UploadedRing(layout, stage, node)


def _target(layout: RingLayout, context: PandaContext) -> tuple[Texture, GraphicsOutput] | None:
    texture = empty_texture("ring", *layout.size, Texture.F_rgba32, np.float32)
    less = "fewer agents or shorter trails"
    buffer = context.target(texture, less, sort=-100, floats=True)
    return None if buffer is None else (texture, buffer)


class Staging:
    """A texture for the samples of some steps, on their way to the ring.

    Attributes:
        texture: of which the first rows count.
        texels: what it was last filled with.
    """

    def __init__(self, layout: RingLayout, steps: int) -> None:
        """steps: most that it holds."""
        shape = layout.rows * steps, layout.columns, 4
        self.texels = np.zeros(shape, np.float32)
        self.texture = empty_texture(
            "samples", layout.columns, layout.rows * steps, Texture.F_rgba32, np.float32
        )
        fill(self.texture, self.texels)

    def fill(self, texels: NDArray[np.float32]) -> None:
        """Take samples, (steps, texels of a slot, 4)."""
        if texels.nbytes == self.texels.nbytes:
            fill(self.texture, texels)
            return
        flat = self.texels.reshape(-1)
        flat[: texels.size] = texels.reshape(-1)
        fill(self.texture, self.texels)


class RenderedRing:
    """A ring into which a separate pass copies the samples, before the frame's."""

    def __init__(
        self,
        layout: RingLayout,
        stage: Stage,
        node: NodePath,
        texture: Texture,
        buffer: GraphicsOutput,
    ) -> None:
        self.stage, self.node = stage, node
        self._pending = False  # samples wait for the next frame
        self._copied: Texture | None = None
        self._outgrown: list[Texture] = []
        self._stagings: dict[int, Staging] = {}
        self.camera = self._pass(stage.programs)
        self._aim(layout, texture, buffer)
        # The whole texture is cleared once; after that only what is copied is written.
        buffer.set_clear_color((0, 0, 0, 0))
        buffer.set_clear_color_active(True)
        self._source(self.staging, layout, slots=(0, 1))
        self._copy()

    def _pass(self, programs: Programs) -> NodePath:
        root = NodePath("ring")
        self.triangle = triangle(root)
        self.triangle.set_shader(programs["ring_copy"])
        self._move(Move())
        return root.attach_new_node(Camera("ring"))

    def _aim(self, layout: RingLayout, texture: Texture, buffer: GraphicsOutput) -> None:
        self.layout, self.texture, self.buffer = layout, texture, buffer
        buffer.set_clear_color_active(False)
        buffer.set_clear_depth_active(False)
        self.region = buffer.make_display_region()
        self.region.set_camera(self.camera)
        self.copying = Pass(self.stage.context, buffer, self.region)
        self._stagings = {}
        self.staging = self._staging(1).texture
        self.node.set_shader_input("u_ring", texture)

    def _staging(self, steps: int) -> Staging:
        """One for at least that many steps: a power of two, as a live source has another number
        with each frame, and what a texture leaves behind when it is dropped adds up."""
        room = 1 << (steps - 1).bit_length()
        if room not in self._stagings:
            self._stagings[room] = Staging(self.layout, room)
        return self._stagings[room]

    def _source(self, texture: Texture, source: RingLayout, slots: tuple[int, int]) -> None:
        """Make the pass copy `texture` to the slots [from, to) of the ring."""
        if texture is not self._copied:
            self._copied = texture
            layout = source.columns, source.rows, source.agents
            self.triangle.set_shader_inputs(u_source=texture, u_source_layout=layout)
        first, end = slots
        target = self.layout
        self.triangle.set_shader_input("u_target_layout", (target.columns, target.rows, first))
        self.region.set_dimensions(0, 1, first / target.slots, end / target.slots)

    def append(self, packed: Packed) -> None:
        for first, texels in packed.parts(self.layout.slots):
            for start in range(0, len(texels), MOST_STEPS):
                self._flush()  # several in one frame, each in a separate pass
                self._put(texels[start : start + MOST_STEPS], first + start)
                self.stage.count("ring_draws", 1)

    def _put(self, texels: NDArray[np.float32], slot: int) -> None:
        steps = len(texels)
        staging = self._staging(steps)
        staging.fill(texels)
        self.staging = staging.texture
        self._source(self.staging, self.layout, (slot, slot + steps))
        self.copying.begin()
        self._pending = True
        self.stage.count("upload_bytes", staging.texels.nbytes)

    def done(self) -> None:
        if self._pending and self.copying.end():
            self._drawn()

    def _flush(self) -> None:
        """Copy what is pending now, before the frame."""
        if self._pending:
            self.copying.render()
            self._drawn()

    def _drawn(self) -> None:
        self._pending = False
        self._release()

    def _release(self) -> None:
        # Panda would bind the pass's previous texture once more: so a texture is not released until
        # the pass was drawn with another.
        while self._outgrown:
            self._outgrown.pop().release_all()

    def _move(self, by: Move) -> None:
        """Sets how the pass moves the samples that it copies."""
        self.triangle.set_shader_input("u_move", (*by.scale, *by.offset))

    def grow(self, old: RingLayout, new: RingLayout) -> None:
        self._flush()
        self._rewrite(old, new)

    def move(self, by: Move) -> None:
        self._flush()
        self._move(by)
        self._rewrite(self.layout, self.layout)
        self._move(Move())

    def _rewrite(self, old: RingLayout, new: RingLayout) -> None:
        """Copies all samples into another texture."""
        grown = _target(new, self.stage.context)
        assert grown is not None, "a driver that renders into a float texture refused another one"
        samples, buffer = self.texture, self.buffer
        small = [staging.texture for staging in self._stagings.values()]
        self._aim(new, *grown)
        self._source(samples, old, (0, new.slots))
        self._copy()
        self._release()
        self.stage.count("ring_draws", 1)
        self.stage.context.remove(buffer)
        self._outgrown += [samples, *small]

    def _copy(self) -> None:
        self.copying.render()
        self.buffer.set_clear_color_active(False)


class UploadedRing:
    """A ring in RAM, which is uploaded completely after each step."""

    def __init__(self, layout: RingLayout, stage: Stage, node: NodePath) -> None:
        self.stage, self.node = stage, node
        self._allocate(layout, np.zeros((layout.size[1], layout.size[0], 4), np.float32))

    def _allocate(self, layout: RingLayout, texels: NDArray[np.float32]) -> None:
        self.layout, self.texels = layout, texels
        self.texture = empty_texture("ring", *layout.size, Texture.F_rgba32, np.float32)
        fill(self.texture, texels)
        self.node.set_shader_input("u_ring", self.texture)

    def append(self, packed: Packed) -> None:
        layout = self.layout
        for slot, texels in packed.parts(layout.slots):
            rows, first = layout.rows * len(texels), layout.rows * slot
            self.texels[first : first + rows] = texels.reshape(rows, layout.columns, 4)
        fill(self.texture, self.texels)
        self.stage.count("upload_bytes", self.texels.nbytes)

    def done(self) -> None:
        pass

    def grow(self, old: RingLayout, new: RingLayout) -> None:
        self._allocate(new, relayout(self.texels, old, new))

    def move(self, by: Move) -> None:
        move(self.texels, by, CHANNELS)
        fill(self.texture, self.texels)
        self.stage.count("upload_bytes", self.texels.nbytes)
