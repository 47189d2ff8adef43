"""What wears a look: background, colour map and controls' values follow `look.toml`."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError
from calf_viz.hosts.programs import Programs
from calf_viz.render.colours import COLOUR_MAP, ColourMap, colour_map
from calf_viz.render.controls import ControlValues
from calf_viz.render.look import Look, look_file, read_look, save_values
from calf_viz.render.problems import Problem, ShaderError

log = logging.getLogger("calf_viz")


class Wearer(Protocol):
    """A host, or a second look beside its own."""

    programs: Programs
    controls: ControlValues
    background: tuple[float, float, float]

    def set_colour_map(self, colour_map: NDArray[np.uint8]) -> None: ...
    def reload(self) -> bool: ...
    def revert(self) -> None: ...


class WornLook:
    """What the look's file asks of its wearer. Raises ShaderError for one that cannot be read."""

    def __init__(self, wearer: Wearer, chosen: ColourMap | None = None) -> None:
        """chosen: a colour map that its user prefers to the look's."""
        self.wearer, self.chosen = wearer, chosen
        self.path = look_file(wearer.programs.library.overlay)
        self._background = wearer.background
        self._look = Look()
        self.refresh()

    def refresh(self) -> bool:
        """Follow the file as it is now; whether it says something else. What stands in it as it
        stood is left alone, as it may have been changed by hand since."""
        look, before = read_look(self.path), self._look
        if look == before:
            return False
        assert self.path is not None
        controls = self.wearer.controls
        for name, text in look.values.items():
            if name not in controls.controls:
                log.warning("%s: %s is no control of these shaders", self.path, name)
            elif text != before.values.get(name):
                try:
                    controls.set_text(name, text)
                except UserError as error:
                    raise ShaderError([Problem(self.path, None, str(error))]) from None
        self._look = look
        self.wearer.background = look.background or self._background
        if look.colour_map != before.colour_map and self.chosen is None:
            self.wearer.set_colour_map(colour_map(look.colour_map or COLOUR_MAP))
        return True

    def set(self, assignments: Iterable[str]) -> None:
        """Set controls by NAME=VALUE. Raises UserError for one that cannot be."""
        for text in assignments:
            name, equals, value = text.partition("=")
            if not equals:
                raise UserError(f"--set {text}: write NAME=VALUE")
            self.wearer.controls.set_text(name.strip(), value)

    def save(self) -> None:
        """Write the controls' values beside the shaders. Raises UserError where it cannot."""
        if self.path is None:
            raise UserError("values are saved beside the shaders of a look: give --shaders")
        save_values(self.path, self.wearer.controls)
        # What was written is not news.
        self._look = read_look(self.path)
        log.info("%s written", self.path)
