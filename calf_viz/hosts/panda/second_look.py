"""A second look at the same samples: the geometry's nodes drawn again with other shaders."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import GraphicsStateGuardian, NodePath, Texture

from calf_viz.glsl.contract import PALETTE_COLOURS
from calf_viz.glsl.controls import ControlValues
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.programs import Programs, Trial
from calf_viz.hosts.panda.shader import compile_program
from calf_viz.hosts.panda.texture import CHANNELS, data_texture, fill
from calf_viz.hosts.reloading import Reloading
from calf_viz.scene.colours import ScaleMarks, mark_scale
from calf_viz.scene.scene import Scene

OVERRIDE = 1
"""Priority over the first look's shaders, which are set on the shared nodes themselves."""


@dataclass(frozen=True)
class FirstLook:
    """What a second look uses of the first.

    Attributes:
        node: has the inputs that both share.
        nodes: the nodes drawn, with the names of their programs.
        gsg: compiles the shaders.
        scene: the scene.
        trial: tries shaders before the driver compiles them.
    """

    node: NodePath
    nodes: Iterable[tuple[NodePath, str]]
    gsg: GraphicsStateGuardian
    scene: Scene
    trial: Trial | None


class SecondLook(Reloading):
    """Draws what other nodes draw. Raises ShaderError as `Programs`.

    Attributes:
        node: parent of what is drawn, a sibling of the first look's node.
        programs, controls: as for a host.
        background: of its picture.
        colour_map: of its surface, RGBA.
    """

    def __init__(
        self,
        first: FirstLook,
        library: ShaderLibrary,
        colour_map: NDArray[np.uint8],
        recoloured: Callable[[], None],
    ) -> None:
        """recoloured: called after `colour_map` changed."""
        self.programs = Programs(library, partial(compile_program, first.gsg), first.trial)
        self.controls = ControlValues()
        self.scene, self.background = first.scene, first.scene.background
        self.node = first.node.attach_new_node("second look")
        self._nodes: list[tuple[NodePath, str]] = []
        for shared, program in first.nodes:
            own = self.node.attach_new_node(program)
            own.set_shader(self.programs[program], OVERRIDE)
            shared.instance_to(own)
            self._nodes.append((own, program))
        self.colour_map, self._recoloured = colour_map, recoloured
        self._texels = self.scene.palette(colour_map)
        self._marks = ScaleMarks(np.zeros(PALETTE_COLOURS, np.uint8))
        self.palette = data_texture("second palette", self._texels, Texture.F_rgba8)
        self.node.set_shader_input("u_palette", self.palette)
        self._inputs: dict[str, Any] = {}
        self.controls.adopt(self.programs.controls)

    def set_colour_map(self, colour_map: NDArray[np.uint8]) -> None:
        """Set the surface's colours, RGBA from low to high, as many as before."""
        self.colour_map = colour_map
        self._texels = self.scene.palette(colour_map)
        self.mark(self._marks)
        self._recoloured()

    @property
    def row(self) -> NDArray[np.uint8]:
        """Its surface's row of the palette."""
        return self._texels[0]

    def mark(self, marks: ScaleMarks) -> None:
        """Set what the colours tell of the surface's scale."""
        self._marks = marks
        mark_scale(self._texels, self.colour_map, marks, self.background)
        fill(self.palette, self._texels[..., CHANNELS])

    def _use(self, names: set[str]) -> None:
        for node, program in self._nodes:
            if program in names:
                node.set_shader(self.programs[program], OVERRIDE)
        self._inputs.clear()

    def prepare(self) -> None:
        """Set its own inputs for the next frame."""
        for name, value in self.controls.values.items():
            if self._inputs.get(name) != value:
                self._inputs[name] = value
                self.node.set_shader_input(name, value, OVERRIDE)
