"""Reloading shaders and their controls: shared by a host and a second look."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from calf_viz.glsl.controls import ControlValues
from calf_viz.glsl.programs import Programs, ProgramSource
from calf_viz.hosts.context import Owned


class Reloading(Owned, ABC):
    """Something that draws with reloadable shaders.

    Attributes:
        programs: the shaders in force.
        controls: the values of the uniforms that they annotate.
        background: of the picture, each component within [0, 1].
    """

    programs: Programs
    controls: ControlValues
    background: tuple[float, float, float]

    @abstractmethod
    def set_colour_map(self, colour_map: NDArray[np.uint8]) -> None:
        """Set the surface's colours, RGBA from low to high, as many as before."""

    def reload(self) -> bool:
        """Reload the shaders from their files, for the next frame; returns whether any changed.

        Raises ShaderError if one cannot be used; those in force stay.
        """
        return self._take(self.programs.reload())

    def adopt(self, sources: Mapping[str, ProgramSource]) -> bool:
        """Use these shaders, read by `programs.read` and tried, from the next frame on; returns
        whether any changed. Raises ShaderError as `reload`."""
        return self._take(self.programs.adopt(sources))

    def revert(self) -> None:
        """Return to the shaders before the last reload."""
        self._take(self.programs.revert())

    def _take(self, names: set[str]) -> bool:
        self.controls.adopt(self.programs.controls)
        self._use(names)
        return bool(names)

    @abstractmethod
    def _use(self, names: set[str]) -> None:
        """Switch to the current versions of these programs."""
