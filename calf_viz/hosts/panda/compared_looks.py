"""Two looks in one picture: side by side with a line between them, one alone, or their difference.

split        A | B        two draws, each clipped to its side
a, b                      one draw
difference   |A - B|      two draws into textures of the picture's size, and one that compares
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from panda3d.core import (
    BitMask32,
    Camera,
    DisplayRegion,
    GraphicsOutput,
    NodePath,
    PandaNode,
    ScissorAttrib,
    Shader,
    Texture,
)

from calf_viz.errors import UserError
from calf_viz.hosts.compared import Compared
from calf_viz.hosts.panda.context import PandaContext
from calf_viz.hosts.panda.second_look import SecondLook
from calf_viz.hosts.panda.texture import empty_texture
from calf_viz.hosts.panda.triangle import triangle
from calf_viz.scene.scene import Scene

LINE = 2
"""Width of the line between the halves [px]."""
LINE_COLOUR = (0.95, 0.76, 0.31, 1.0)
A_ONLY, B_ONLY = BitMask32.bit(28), BitMask32.bit(29)
"""Masks of what only the cameras of the two textures see."""


class PandaComparison:
    """Arranges two looks below one root of an output.

    Attributes:
        view: what is shown; may be changed at any time.
        second: the look B.
    """

    def __init__(
        self,
        root: NodePath,
        first: NodePath,
        second: SecondLook,
        shader: Shader,
        context: PandaContext,
        output: GraphicsOutput,
    ) -> None:
        """first: the node below which look A is drawn. shader: the program `difference`."""
        self.view = Compared()
        self.root, self.first, self.second = root, first, second
        self.context, self.output = context, output
        self._shown: tuple[object, ...] = ()
        self._grounds, self._lines = [self._ground(output)], [self._line(output)]
        self._triangle = triangle(root, "difference")
        self._triangle.set_shader(shader)
        self._triangle.node().adjust_draw_mask(
            BitMask32.all_off(), A_ONLY | B_ONLY, BitMask32.all_off()
        )
        self._above = NodePath("above")
        self._last = output.make_display_region()
        self._last.set_sort(20)
        self._last.set_camera(self._above.attach_new_node(Camera("above")))
        self._targets: list[_Target] = []
        for region in output.get_display_regions():
            _without_masks(region)

    def _ground(self, output: GraphicsOutput) -> DisplayRegion:
        return _clearing(output, -10)

    def _line(self, output: GraphicsOutput) -> DisplayRegion:
        region = _clearing(output, 10)
        region.set_clear_color(LINE_COLOUR)
        return region

    @contextmanager
    def also(self, output: GraphicsOutput) -> Iterator[None]:
        """During the block, arrange the looks in another output as well, for a picture of it."""
        self._grounds.append(self._ground(output))
        self._lines.append(self._line(output))
        for region in output.get_display_regions():
            _without_masks(region)
        self._shown = ()
        try:
            yield
        finally:
            for regions in (self._grounds, self._lines):
                output.remove_display_region(regions.pop())

    def lift(self, node: NodePath) -> None:
        """Draw the HUD above the line, and not in the compared pictures."""
        node.reparent_to(self._above)

    def prepare(self, scene: Scene) -> None:
        """Arrange the next frame, and set where the scene has which background."""
        self.second.prepare()
        size, view, other = scene.samples, self.view, self.second.background
        shown = view.mode, view.at, view.gain, size, scene.background, other
        if shown != self._shown:
            self._shown = shown
            self._arrange(size, LINE * scene.supersample, scene.background)
            red, green, blue = (
                min(view.gain * abs(a - b), 1.0)
                for a, b in zip(scene.background, other, strict=True)
            )
            grounds = {
                "split": (view.at, other),
                "b": (0.0, other),
                "difference": (0.0, (red, green, blue)),
            }
            scene.second_ground = grounds.get(view.mode)
        if view.mode == "difference":
            self.context.due += [target.buffer for target in self._targets]

    @property
    def draws(self) -> int:
        """Additional draws of a frame, for a look of one draw."""
        return {"split": 1, "difference": 2}.get(self.view.mode, 0)

    def _arrange(
        self, size: tuple[int, int], line: int, background: tuple[float, float, float]
    ) -> None:
        mode, at = self.view.mode, round(self.view.at * size[0]) / size[0]
        split, apart = mode == "split", mode == "difference"
        looks = (self.first, "a", (0.0, at), A_ONLY), (self.second.node, "b", (at, 1.0), B_ONLY)
        for node, name, side, only in looks:
            node.clear_attrib(ScissorAttrib)
            node.node().adjust_draw_mask(
                BitMask32.all_off(), BitMask32.all_off(), PandaNode.get_all_camera_mask()
            )
            if split:
                node.set_attrib(ScissorAttrib.make(*side, 0.0, 1.0))
            if apart:
                others = PandaNode.get_all_camera_mask() & ~only
                node.node().adjust_draw_mask(BitMask32.all_off(), others, BitMask32.all_off())
            node.show() if split or apart or mode == name else node.hide()
        for ground in self._grounds:
            ground.set_active(mode in ("split", "b") and at < 1.0)
            ground.set_dimensions(at if split else 0.0, 1.0, 0.0, 1.0)
            ground.set_clear_color((*self.second.background, 1.0))
        half = 0.5 * line / size[0]
        for between in self._lines:
            between.set_active(split)
            between.set_dimensions(max(at - half, 0.0), min(at + half, 1.0), 0.0, 1.0)
        self._triangle.show() if apart else self._triangle.hide()
        if apart:
            self._aim(size, (background, self.second.background))

    def _aim(self, size: tuple[int, int], backgrounds: tuple[tuple[float, ...], ...]) -> None:
        if not self._targets or self._targets[0].size != size:
            self._close_targets()
            self._targets = [
                _Target(self.context, self.root, size, only) for only in (A_ONLY, B_ONLY)
            ]
            a, b = (target.texture for target in self._targets)
            self._triangle.set_shader_inputs(u_a=a, u_b=b)
        self._triangle.set_shader_input("u_gain", self.view.gain)
        for target, background in zip(self._targets, backgrounds, strict=True):
            target.buffer.set_clear_color((*background, 1.0))

    def _close_targets(self) -> None:
        for target in self._targets:
            target.close()
        self._targets = []

    def close(self) -> None:
        """Release the driver's resources."""
        self._close_targets()
        self._triangle.remove_node()
        for region in (*self._grounds, *self._lines, self._last):
            self.output.remove_display_region(region)


def _clearing(output: GraphicsOutput, sort: int) -> DisplayRegion:
    """A region that only clears, as it has no camera; not active."""
    region = output.make_display_region()
    region.set_sort(sort)
    region.set_clear_color_active(True)
    region.set_active(False)
    return region


def _without_masks(region: DisplayRegion) -> None:
    """Make its camera, if it has one, blind to what only the two textures' cameras see."""
    camera = region.get_camera()
    if not camera.is_empty():
        seen = camera.node().get_camera_mask()
        camera.node().set_camera_mask(seen & ~(A_ONLY | B_ONLY))


class _Target:
    """A texture into which one look is drawn before the picture."""

    def __init__(
        self, context: PandaContext, root: NodePath, size: tuple[int, int], only: BitMask32
    ) -> None:
        self.context, self.size = context, size
        self.texture = empty_texture("look", *size, Texture.F_rgba8, np.uint8)
        buffer = context.target(self.texture, "a smaller size", sort=-50, depth=True)
        if buffer is None:
            raise UserError(f"the driver gives no framebuffer of {size[0]} x {size[1]}")
        self.buffer = buffer
        self.camera = root.attach_new_node(Camera("look"))
        self.camera.node().set_camera_mask(only)
        buffer.make_display_region().set_camera(self.camera)

    def close(self) -> None:
        self.context.remove(self.buffer)
        self.texture.release_all()
        self.camera.remove_node()
