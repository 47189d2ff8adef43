"""Shaders and their controls that follow their files: what a host and a second look have alike."""

from __future__ import annotations

from abc import ABC, abstractmethod

from calf_viz.hosts.programs import Programs
from calf_viz.render.controls import ControlValues


class Reloading(ABC):
    """Attributes:
    programs: the shaders in force.
    controls: the values of the uniforms that they annotate.
    """

    programs: Programs
    controls: ControlValues

    def reload(self) -> bool:
        """Use the shaders as their files are now, from the next frame on; whether any changed.

        Raises ShaderError where one cannot be used; all that are in force stay.
        """
        changed = self.programs.reload()
        self._take(changed)
        return bool(changed)

    def revert(self) -> None:
        """Back to the shaders before the last that were reloaded."""
        self._take(self.programs.revert())

    def _take(self, names: set[str]) -> None:
        self.controls.adopt(self.programs.controls)
        self._use(names)

    @abstractmethod
    def _use(self, names: set[str]) -> None:
        """Draw with these programs as they are now."""
