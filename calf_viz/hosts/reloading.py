"""Shaders and their controls that follow their files: what a host and a second look have alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from calf_viz.glsl.controls import ControlValues
from calf_viz.glsl.programs import Programs, ProgramSource
from calf_viz.hosts.context import Owned


class Reloading(Owned, ABC):
    """Attributes:
    programs: the shaders in force.
    controls: the values of the uniforms that they annotate.
    background: of the picture, each component within [0, 1].
    """

    programs: Programs
    controls: ControlValues
    background: tuple[float, float, float]

    @abstractmethod
    def set_colour_map(self, colour_map: NDArray[np.uint8]) -> None:
        """Other colours of the surface, RGBA from low to high, as many as there were."""

    def reload(self) -> bool:
        """Use the shaders as their files are now, from the next frame on; whether any changed.

        Raises ShaderError where one cannot be used; all that are in force stay.
        """
        return self._take(self.programs.reload())

    def adopt(self, sources: Mapping[str, ProgramSource]) -> bool:
        """Use these shaders, which `programs.read` gave and which were tried, from the next frame
        on; whether any changed. Raises ShaderError as `reload`."""
        return self._take(self.programs.adopt(sources))

    def revert(self) -> None:
        """Back to the shaders before the last that were reloaded."""
        self._take(self.programs.revert())

    def _take(self, names: set[str]) -> bool:
        self.controls.adopt(self.programs.controls)
        self._use(names)
        return bool(names)

    @abstractmethod
    def _use(self, names: set[str]) -> None:
        """Draw with these programs as they are now."""
