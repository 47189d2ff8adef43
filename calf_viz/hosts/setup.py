"""The setup with which every host is made."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.programs import Trial
from calf_viz.heightfield import Heightfield
from calf_viz.scene.scene import Scene

SLOTS_PER_STEP = 4
"""Slots of the ring per step of a trail, so that one can look back with full trails."""


@dataclass(frozen=True)
class Setup:
    """What a host draws, and with what.

    Attributes:
        scene: sizes, camera and colours.
        colour_map: of the surface, RGBA from low to high, (entries, 4).
        agents: initial capacity of the ring, which grows automatically.
        heightfield: the surface; if None, set one before the first frame.
        library: where shaders are found.
        slots: steps that the ring holds; None: four times those of a trail.
        trial: tries shaders before the driver compiles them; None if all are trusted.

    Raises UserError for a stride whose steps' modes a trail could not tell.
    """

    scene: Scene
    colour_map: NDArray[np.uint8]
    agents: int
    heightfield: Heightfield | None = None
    library: ShaderLibrary = field(default_factory=ShaderLibrary)
    slots: int | None = None
    trial: Trial | None = None

    def __post_init__(self) -> None:
        scene, longest = self.scene, self.scene.mode_bits.longest_stride
        if scene.stride > longest:
            raise UserError(
                f"`stride` {scene.stride}: at most {longest} for a view of {scene.modes} modes"
            )
        object.__setattr__(self, "library", self.for_scene(self.library))

    def for_scene(self, library: ShaderLibrary) -> ShaderLibrary:
        """The shaders, with the defines of this scene."""
        return library.with_defines(self.scene.defines)

    @property
    def steps_kept(self) -> int:
        """Slots of the ring."""
        return self.slots or SLOTS_PER_STEP * self.scene.trail
