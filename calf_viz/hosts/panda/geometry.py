"""The interface between a Panda3D host and a geometry, which makes the scene's vertices.

The host packs each step's samples, scales the critic's values and sets the shaders' inputs; a
geometry attaches what is drawn below the host's node. `StripGeometry` is the program's own; the
older designs in `calf_viz/hosts/panda/older` are kept for comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from panda3d.core import NodePath, Texture

from calf_viz.glsl.programs import Programs
from calf_viz.heightfield import Heightfield
from calf_viz.hosts.panda.context import PandaContext
from calf_viz.hosts.ring import Ring
from calf_viz.scene.detail import Detail, Measured
from calf_viz.scene.frame import Move
from calf_viz.scene.height_texels import LevelField
from calf_viz.scene.ring import RingLayout
from calf_viz.scene.scene import Scene


@dataclass(frozen=True)
class Stage:
    """What a geometry draws with.

    programs: the shaders in force.
    use_program: gives a node the program of a name, now and whenever it is rebuilt.
    node: the parent of what it draws, where the host sets the contract's inputs and the blending.
    count: adds to a count of `Host.frame_counts`, by name.
    """

    scene: Scene
    programs: Programs
    use_program: Callable[[NodePath, str], None]
    context: PandaContext
    node: NodePath
    count: Callable[[str, int], None]


class ConstantDetail:
    """The scene's configured stride, wherever the camera is."""

    measured = None
    idle, horizon = False, 0

    def __init__(self, scene: Scene) -> None:
        self.surface: Heightfield | None = None
        self._stride = scene.stride

    def see(
        self, positions: NDArray[np.floating], begins: NDArray[np.bool_], agents: int | None = None
    ) -> None:
        pass

    def move(self, by: Move) -> None:
        pass

    def stride(self, then: Measured | None = None) -> int:
        return self._stride


class Geometry(Protocol):
    """Draws surface, trails and markers.

    Attributes:
        design: its name for `--renderer`.
        channels: positions of (x, y, third, stamp) in a texel's memory.
        looks_back: whether it can show an earlier step than the newest.
    """

    design: str
    channels: tuple[int, int, int, int]
    looks_back: bool

    def detail(self, scene: Scene) -> Detail:
        """Make what chooses the stride of its trails."""

    def make(self, layout: RingLayout) -> Ring:
        """Make an empty ring for samples."""

    def set_heights(self, levels: LevelField, texels: NDArray[np.float32]) -> None:
        """Set a new critic's levels, in units of the scene, and its texels, (rows, columns,
        2)."""

    def use_heights(self, texture: Texture) -> None:
        """Set a surface computed by the GPU, with texels as in `set_heights`. Raises UserError if
        the geometry needs heights in memory."""

    def prepare(self, uniforms: dict[str, Any]) -> None:
        """Prepare the next frame."""

    def done(self) -> None:
        """Called after the frame was rendered."""


GeometryMaker = Callable[[Stage], Geometry]
